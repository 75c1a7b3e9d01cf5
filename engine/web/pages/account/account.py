"""The user's own account: sessions, password, language, API tokens; and saved views, lists with their filters under a
name."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.accounts import AccountLine, change, set_password
from engine.accounts.api_tokens import make_token, revoke_token, scopes_of, tokens_of
from engine.accounts.passwords import require_strong_password
from engine.accounts.permissions import Permission
from engine.accounts.saved_views import MAX_NAME, MAX_PATH, delete_view, kept_path, save_view, views_of
from engine.accounts.second_factor import has_factor
from engine.accounts.sign_in import end_session, end_sessions, open_session, sessions_of
from engine.errors import BadInput, DondocError, NotFound, TooOften
from engine.http.filters import Code, SmallId
from engine.http.forms import Form, FormFields
from engine.http.guards.known_browsers import WRONG_PASSWORD, noted, require_fresh_proof
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.http.security import SecurityEvent
from engine.text import Text
from engine.web.pages.account.sign_in import MAX_PASSWORD_CHARS, TYPED_DIFFERENTLY, with_session

router = APIRouter(include_in_schema=False)
TOKEN_LIFETIMES_DAYS = (30, 90, 366)
"""The lifetimes offered for a token, in days."""


@router.get("/account")
def account(ctx: SignedIn, said: Code = "") -> Response:
    return _page(ctx, outcome=said)


@router.post("/account/sessions/{session_id}/end")
def end_one(ctx: SignedIn, form: PostedForm, session_id: SmallId) -> Response:
    account_line = own_account(ctx)
    with ctx.writing() as session:
        end_session(session, account_line.id, session_id, ctx.now)
    return noted(ctx, ctx.go("/account", said="ended"), SecurityEvent.SESSIONS_ENDED, account_line)


@router.post("/account/sessions/end-others")
def end_others(ctx: SignedIn, form: PostedForm) -> Response:
    account_line = own_account(ctx)
    with ctx.writing() as session:
        end_sessions(session, account_line.id, ctx.now, but=ctx.session_id)
    return noted(ctx, ctx.go("/account", said="ended_all"), SecurityEvent.SESSIONS_ENDED, account_line)


@router.post("/account/password")
def change_password(ctx: SignedIn, form: PostedForm) -> Response:
    """Change the password. The old one is required, with the same rate limit as signing in, so that an unattended
    browser is not enough. All other sessions and all tokens end; this browser stays signed in."""
    account_line = own_account(ctx)
    old, new = form.raw("old")[:MAX_PASSWORD_CHARS], form.raw("new")[:MAX_PASSWORD_CHARS]
    try:
        require_strong_password(new, account_line.email, (account_line.agency_id, account_line.agency))
        if new != form.raw("again")[:MAX_PASSWORD_CHARS]:
            raise BadInput(TYPED_DIFFERENTLY)
        require_fresh_proof(ctx, account_line, old)
    except BadInput as error:
        return _page(ctx, status=422 if error.text is WRONG_PASSWORD else error.status, trouble=error)
    except TooOften as error:
        return _page(ctx, status=error.status, trouble=error)
    with ctx.writing() as session:
        set_password(session, account_line.id, new, **ctx.by)
        key = open_session(session, account_line.id, way="password", device=ctx.device, now=ctx.now, proven=True)
    response = with_session(ctx, ctx.go("/account", said="password"), key)
    return noted(ctx, response, SecurityEvent.PASSWORD_SET, account_line)


@router.post("/account/language")
def speak(ctx: SignedIn, form: PostedForm) -> Response:
    account_line, language = own_account(ctx), form.text("language", 5)
    with ctx.writing() as session:
        change(session, account_line.id, language=language, **ctx.by)
    return ctx.go("/account", said="language", lang=language)


@router.post("/account/tokens")
def make(ctx: SignedIn, form: PostedForm) -> Response:
    """Create a token. Its key is shown only in this response and not stored, so there is no redirect."""
    account_line = own_account(ctx)
    ctx.require(Permission.MAKE_TOKEN, account_line.agency_id)
    try:
        days = form.number("days")
        if days not in TOKEN_LIFETIMES_DAYS:
            raise BadInput(Text("Chọn khóa dùng được bao lâu.", "Choose how long the token is valid."))
        require_fresh_proof(ctx, account_line, form.raw("password")[:MAX_PASSWORD_CHARS])
        with ctx.writing() as session:
            key = make_token(
                session,
                account_line.id,
                label=form.text("label", 120),
                scopes=form.fields.get("scope", ()),
                lasts=timedelta(days=days),
                **ctx.by,
            )
    except (BadInput, TooOften) as error:
        status = 422 if isinstance(error, BadInput) else error.status
        return _page(ctx, status=status, trouble_with_key=error, typed=form)
    return noted(ctx, _page(ctx, outcome="key", key=key), SecurityEvent.KEY_MADE, account_line)


@router.post("/account/tokens/{token_id}/revoke")
def revoke(ctx: SignedIn, form: PostedForm, token_id: SmallId) -> Response:
    account_line = own_account(ctx)
    with ctx.writing() as session:
        revoke_token(session, account_line.id, token_id, **ctx.by)
    return noted(ctx, ctx.go("/account", said="revoked"), SecurityEvent.KEY_REVOKED, account_line)


def _page(
    ctx: RequestContext,
    *,
    outcome: str = "",
    status: int = 200,
    trouble: DondocError | None = None,
    key: str = "",
    trouble_with_key: DondocError | None = None,
    typed: Form | None = None,
) -> Response:
    account_line = own_account(ctx)
    with ctx.reading() as (session, today):
        sessions, tokens = sessions_of(session, account_line.id, ctx.now), tokens_of(session, account_line.id)
        factor = has_factor(session, account_line.id)
    sentence, key_sentence = (each.said(ctx.language) if each else "" for each in (trouble, trouble_with_key))
    active = [each for each in tokens if each.holds(ctx.now)]
    offered = scopes_of(account_line.role)
    return ctx.page(
        "account.html",
        status,
        today=today,
        mine=account_line,
        sessions=sessions,
        has_factor=factor,
        outcome=outcome,
        sentence=sentence,
        key=key,
        keys=active,
        former=[each for each in tokens if each not in active],
        offered=offered,
        days=TOKEN_LIFETIMES_DAYS,
        typed=typed or Form({}),
        said_of_key=key_sentence,
    )


def own_account(ctx: RequestContext) -> AccountLine:
    if ctx.account is None:
        raise NotFound(Text("Chưa đăng nhập bằng tài khoản nào.", "No account is signed in."))
    return ctx.account


@router.get("/views")
def listing(ctx: SignedIn, path: str = "", said: Code = "") -> Response:
    """``path``: the list that is to be saved."""
    return _views_page(ctx, FormFields({"address": kept_path(path) if path else ""}), said)


@router.post("/views")
def save(ctx: SignedIn, form: PostedForm) -> Response:
    typed = FormFields.of(form, "name", "address", whole="name")
    name, path = typed.text("name", 2 * MAX_NAME), typed.text("address", 2 * MAX_PATH)

    def action() -> str:
        with ctx.writing() as session:
            return save_view(session, ctx.actor.name, name, path, ctx.now)

    kept = typed.do(action)
    return ctx.go(kept) if kept else _views_page(ctx, typed)


@router.post("/views/{view_id}/delete")
def remove(ctx: SignedIn, form: PostedForm, view_id: SmallId) -> Response:
    with ctx.writing() as session:
        delete_view(session, ctx.actor.name, view_id)
    return ctx.go("/views", said="deleted")


def _views_page(ctx: RequestContext, typed: FormFields, outcome: str = "") -> Response:
    with ctx.reading() as (session, _):
        views = views_of(session, ctx.actor.name)
    return ctx.page("views.html", typed.status, views=views, typed=typed, outcome=outcome)
