"""One's own account: where one is signed in, the password, the language, and keys for programs."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.accounts import AccountLine, change, set_password
from engine.accounts.api_tokens import Scope, make_token, revoke_token, tokens_of
from engine.accounts.passwords import require_strong_password
from engine.accounts.permissions import Permission
from engine.accounts.sign_in import SignInRefused, end_session, end_sessions, open_session, sessions_of, sign_in
from engine.errors import BadInput, DondocError, NotFound, TooOften
from engine.http.filters import Code, SmallId
from engine.http.forms import Form
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.text import Text
from engine.web.pages.account.sign_in import MAX_PASSWORD_CHARS, TYPED_DIFFERENTLY

router = APIRouter()
DAYS = (30, 90, 366)
"""How long a key may be made to last."""
MAIN: dict[Scope, tuple[Permission, ...]] = {
    Scope.READ: (Permission.SEE_PLANS,),
    Scope.REPORT: (Permission.REPORT,),
    Scope.DECIDE: (Permission.ACCEPT,),
    Scope.ADMINISTER: (Permission.KEEP_ACCOUNTS, Permission.KEEP_CONTACTS),
}
"""What an account must be able to do one of, to be offered a scope."""


@router.get("/account")
def account(ctx: SignedIn, said: Code = "") -> Response:
    return _page(ctx, outcome=said)


@router.post("/account/sessions/{session_id}/end")
def end_one(ctx: SignedIn, form: PostedForm, session_id: SmallId) -> Response:
    mine = _mine(ctx)
    with ctx.writing() as session:
        end_session(session, mine.id, session_id, ctx.now)
    return ctx.go("/account", said="ended")


@router.post("/account/sessions/end-others")
def end_others(ctx: SignedIn, form: PostedForm) -> Response:
    mine = _mine(ctx)
    with ctx.writing() as session:
        end_sessions(session, mine.id, ctx.now, but=ctx.session_id)
    return ctx.go("/account", said="ended")


@router.post("/account/password")
def change_password(ctx: SignedIn, form: PostedForm) -> Response:
    """The old one is asked for, and counted as signing in is: an unattended desk is not enough. Whoever is signed in
    with the old one elsewhere is signed out; this browser stays."""
    mine = _mine(ctx)
    old, new = form.raw("old")[:MAX_PASSWORD_CHARS], form.raw("new")[:MAX_PASSWORD_CHARS]
    try:
        require_strong_password(new, mine.email)
        if new != form.raw("again")[:MAX_PASSWORD_CHARS]:
            raise BadInput(TYPED_DIFFERENTLY)
        if mine.has_password:
            sign_in(
                ctx.app.database,
                email=mine.email,
                password=old,
                ip=ctx.ip,
                device=ctx.device,
                now=ctx.now,
                known=f"session {ctx.session_id}",
            )
    except SignInRefused:
        wrong = BadInput(Text("Mật khẩu đang dùng không đúng.", "The present password is wrong."))
        return _page(ctx, status=422, trouble=wrong)
    except (BadInput, TooOften) as error:
        return _page(ctx, status=error.status, trouble=error)
    with ctx.writing() as session:
        set_password(session, mine.id, new, actor=ctx.actor.name, now=ctx.now)
        key = open_session(session, mine.id, way="password", device=ctx.device, now=ctx.now)
    return ctx.with_session(ctx.go("/account", said="password"), key)


@router.post("/account/language")
def speak(ctx: SignedIn, form: PostedForm) -> Response:
    mine, language = _mine(ctx), form.text("language", 5)
    with ctx.writing() as session:
        change(session, mine.id, language=language, actor=ctx.actor.name, now=ctx.now)
    return ctx.go("/account", said="language", lang=language)


@router.post("/account/tokens")
def make(ctx: SignedIn, form: PostedForm) -> Response:
    """The key stands in this answer alone: it is kept nowhere, so there is no page to go to that could show it."""
    mine = _mine(ctx)
    ctx.require(Permission.MAKE_TOKEN, mine.agency_id)
    try:
        days = form.number("days")
        if days not in DAYS:
            raise BadInput(Text("Chọn khóa dùng được bao lâu.", "Choose how long the key lasts."))
        with ctx.writing() as session:
            key = make_token(
                session,
                mine.id,
                label=form.text("label", 120),
                scopes=form.fields.get("scope", ()),
                lasts=timedelta(days=days),
                actor=ctx.actor.name,
                now=ctx.now,
            )
    except BadInput as error:
        return _page(ctx, status=422, trouble_with_key=error, typed=form)
    return _page(ctx, outcome="key", key=key)


@router.post("/account/tokens/{token_id}/revoke")
def revoke(ctx: SignedIn, form: PostedForm, token_id: SmallId) -> Response:
    mine = _mine(ctx)
    with ctx.writing() as session:
        revoke_token(session, mine.id, token_id, actor=ctx.actor.name, now=ctx.now)
    return ctx.go("/account", said="revoked")


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
    mine = _mine(ctx)
    with ctx.reading() as (session, today):
        found, keys = sessions_of(session, mine.id, ctx.now), tokens_of(session, mine.id)
    said, said_of_key = (each.said(ctx.language) if each else "" for each in (trouble, trouble_with_key))
    live = [each for each in keys if each.holds(ctx.now)]
    offered = [scope for scope, deeds in MAIN.items() if any(ctx.may(deed, mine.agency_id) for deed in deeds)]
    return ctx.page(
        "account.html",
        status,
        today=today,
        mine=mine,
        sessions=found,
        outcome=outcome,
        sentence=said,
        key=key,
        keys=live,
        former=[each for each in keys if each not in live],
        offered=offered,
        days=DAYS,
        typed=typed or Form({}),
        said_of_key=said_of_key,
    )


def _mine(ctx: RequestContext) -> AccountLine:
    if ctx.account is None:
        raise NotFound(Text("Chưa đăng nhập bằng tài khoản nào.", "Nobody is signed in here."))
    return ctx.account
