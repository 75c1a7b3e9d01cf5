"""The user's own account: sessions, password, language, API tokens; and saved views, lists with their filters under a
name.

The second factor: the code page behind a password or a link, and its set-up and removal by the account's owner.

Creates the first administrator, with the set-up code printed on the server. Closed once there is an account.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import segno
from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup
from sqlmodel import Session

from engine.accounts import second_factor
from engine.accounts.accounts import AccountLine, any_active, change, set_password
from engine.accounts.api_tokens import make_token, revoke_token, scopes_of, tokens_of
from engine.accounts.passwords import require_strong_password
from engine.accounts.permissions import Permission
from engine.accounts.saved_views import MAX_NAME, MAX_PATH, delete_view, kept_path, save_view, views_of
from engine.accounts.setup_code import SetupRefused, check_setup_code, create_first_administrator
from engine.accounts.sign_in import end_session, end_sessions, open_session, sessions_of
from engine.agencies.agencies import add_agency, new_agency_id
from engine.errors import BadInput, DondocError, FieldsRefused, NotFound, TooOften
from engine.files.directory import fold
from engine.http.filters import Code, SmallId
from engine.http.forms import Form, FormFields
from engine.http.guards.known_browsers import WRONG_PASSWORD, noted, require_fresh_proof
from engine.http.request_context import Anonymous, PostedForm, RequestContext, SignedIn, local
from engine.http.security import SecurityEvent
from engine.queries.directory import agency_choices
from engine.text import Text
from engine.web.pages.account.sign_in import MAX_PASSWORD_CHARS, TYPED_DIFFERENTLY, To, entered, with_session

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
        factor = second_factor.has_factor(session, account_line.id)
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
def remove_view(ctx: SignedIn, form: PostedForm, view_id: SmallId) -> Response:
    with ctx.writing() as session:
        delete_view(session, ctx.actor.name, view_id)
    return ctx.go("/views", said="deleted")


def _views_page(ctx: RequestContext, typed: FormFields, outcome: str = "") -> Response:
    with ctx.reading() as (session, _):
        views = views_of(session, ctx.actor.name)
    return ctx.page("views.html", typed.status, views=views, typed=typed, outcome=outcome)


MAX_CODE_CHARS = 20


@router.get("/sign-in/code")
def ask_code(ctx: Anonymous, to: To = "") -> Response:
    if ctx.pending is None:
        return ctx.go("/sign-in", to=local(to))
    return ctx.page("signin_code.html", to=local(to), line=ctx.pending.account, sentence="")


@router.post("/sign-in/code")
def take_code(ctx: Anonymous, form: PostedForm) -> Response:
    to = local(form.raw("to"))
    if ctx.pending is None:
        return ctx.go("/sign-in", to=to)
    line = ctx.pending.account
    code = form.text("code", MAX_CODE_CHARS)
    try:
        session_id = ctx.pending.session_id
        second_factor.prove(ctx.app.database, ctx.app.signer, line.id, session_id, code, network=ctx.ip, now=ctx.now)
    except (second_factor.WrongCode, TooOften) as error:
        ctx.tools.security.refused(ctx.request, error, line.actor.name)
        return ctx.page("signin_code.html", error.status, to=to, line=line, sentence=error.said(ctx.language))
    return noted(ctx, ctx.go(to or "/"), SecurityEvent.SIGNED_IN, line)


@router.get("/account/second-factor")
def show(ctx: SignedIn) -> Response:
    line = own_account(ctx)
    return _factor_page(ctx, second_factor.propose(ctx.app.signer, line.id, line.email, ctx.now))


@router.post("/account/second-factor")
def set_up(ctx: SignedIn, form: PostedForm) -> Response:
    """Store the factor if the code is right. The recovery codes are shown in this response alone."""
    ctx.require_lasting()
    line = own_account(ctx)
    enrolment = second_factor.propose(ctx.app.signer, line.id, line.email, ctx.now)
    try:
        if _needs_mailbox(ctx, line.id):
            raise BadInput(MAILBOX_FIRST)
        require_fresh_proof(ctx, line, form.raw("password")[:MAX_PASSWORD_CHARS])
        enrolment = second_factor.reopen(ctx.app.signer, form.raw("sealed")[:1_000], line.id, line.email, ctx.now)
        code = form.text("code", MAX_CODE_CHARS).replace(" ", "")
        with ctx.writing() as session:
            recovery = second_factor.confirm(session, ctx.app.signer, enrolment, line.id, ctx.session_id, code, ctx.now)
    except second_factor.WrongCode as error:
        return _factor_page(ctx, enrolment, trouble=error, status=422)
    except (BadInput, TooOften) as error:
        return _factor_page(ctx, enrolment, trouble=error, status=error.status)
    return noted(ctx, _factor_page(ctx, None, recovery=recovery), SecurityEvent.FACTOR_SET, line)


@router.post("/account/second-factor/remove")
def take_away(ctx: SignedIn, form: PostedForm) -> Response:
    line = own_account(ctx)
    if line.role in ctx.app.settings.needs_second_factor:
        return _factor_page(ctx, None, trouble=BadInput(REQUIRED), status=409)
    try:
        require_fresh_proof(ctx, line, form.raw("password")[:MAX_PASSWORD_CHARS])
    except (BadInput, TooOften) as error:
        return _factor_page(ctx, None, trouble=error, status=error.status)
    with ctx.writing() as session:
        second_factor.remove(session, line.id, **ctx.by)
    return noted(ctx, ctx.go("/account", said="factor_removed"), SecurityEvent.FACTOR_REMOVED, line)


MAILBOX_FIRST = Text(
    "Lần đầu đặt lớp xác thực thứ hai cần mở bằng liên kết gửi tới hộp thư của tài khoản.",
    "The first time a second factor is set up, the page is opened by a link sent to the account's mailbox.",
)
REQUIRED = Text(
    "Cơ quan yêu cầu vai trò này có lớp xác thực thứ hai; có thể đặt lại trên máy khác, không gỡ được.",
    "The office asks this role for a second factor: it can be set up again on another device, not removed.",
)


def _needs_mailbox(ctx: RequestContext, account_id: int) -> bool:
    """Whether a first factor waits for a link to the mailbox: who knows the password alone would set their own
    telephone. Where no letter can be sent, nothing is asked."""
    if ctx.app.links is None:
        return False
    with ctx.app.database.read() as session:
        own = next((each for each in sessions_of(session, account_id, ctx.now) if each.id == ctx.session_id), None)
        return not second_factor.has_factor(session, account_id) and (own is None or own.way in ("", "password"))


def _factor_page(
    ctx: RequestContext,
    enrolment: second_factor.Enrolment | None,
    *,
    recovery: tuple[str, ...] = (),
    trouble: DondocError | None = None,
    status: int = 200,
) -> Response:
    line = own_account(ctx)
    with ctx.app.database.read() as session:
        present = second_factor.has_factor(session, line.id)
    by_mailbox = not recovery and _needs_mailbox(ctx, line.id)
    enrolment = None if by_mailbox else enrolment
    picture = enrolment and segno.make(enrolment.uri, micro=False).svg_inline(scale=5, border=2, omitsize=False)
    return ctx.page(
        "second_factor.html",
        status,
        mine=line,
        present=present,
        enrolment=enrolment,
        by_mailbox=by_mailbox,
        picture=Markup(picture or ""),
        recovery=recovery,
        required=line.role in ctx.app.settings.needs_second_factor,
        sentence=trouble.said(ctx.language) if trouble else "",
    )


PATH = "/setup"
PROVINCES = tuple(f"{body} {place}" for body in ("ubnd", "uy ban nhan dan") for place in ("tinh ", "thanh pho "))
"""How the folded name of a province's own committee begins; since 1 July 2025 no city stands below a province."""


@router.get(PATH)
def ask(ctx: Anonymous) -> Response:
    return _closed(ctx) or _code_page(ctx)


@router.post(PATH)
def take(ctx: Anonymous, form: PostedForm) -> Response:
    """The first form has the code alone; the second has the code and the account, and uses the code up."""
    if (closed := _closed(ctx)) is not None:
        return closed
    code = form.raw("code").strip()
    try:
        check_setup_code(ctx.app.database, code, ip=ctx.ip, now=ctx.now)
    except (SetupRefused, TooOften) as error:
        return _code_page(ctx, error)
    if not form.has("act"):
        return _account_page(ctx, code, FormFields({"language": ctx.language}))
    typed = FormFields.of(form, "email", "label", "agency_id", "agency", "language", whole="email")
    values = {name: typed.text(name) for name in ("email", "label", "agency_id", "language")}
    office = typed.text("agency")
    password = form.raw("password")[:MAX_PASSWORD_CHARS]
    if not password:
        typed.refuse({"password": Text("Đặt một mật khẩu.", "Set a password.")})
    elif password != form.raw("again")[:MAX_PASSWORD_CHARS]:
        typed.refuse({"password": TYPED_DIFFERENTLY})

    def create(session: Session) -> str:
        if not agency_choices(session):
            values["agency_id"] = _first_agency(session, office, ctx.now)
        account_id = create_first_administrator(session, code, **values, password=password, now=ctx.now)
        return open_session(session, account_id, way="setup", device=ctx.device, now=ctx.now)

    def write() -> str:
        with ctx.writing() as session:
            return create(session)

    try:
        key = typed.do(write)
    except SetupRefused as error:
        return _code_page(ctx, error)
    return _account_page(ctx, code, typed) if key is None else entered(ctx, "/", key, values["email"])


def _closed(ctx: RequestContext) -> Response | None:
    """Where to go when there is nothing to set up."""
    with ctx.app.database.read() as session:
        return ctx.go("/sign-in") if ctx.app.open_desk or any_active(session) else None


def _code_page(ctx: RequestContext, trouble: DondocError | None = None) -> Response:
    sentence, status = (trouble.said(ctx.language), trouble.status) if trouble else ("", 200)
    return ctx.page("setup.html", status, sentence=sentence, setup_code="", typed=None)


def _account_page(ctx: RequestContext, code: str, typed: FormFields) -> Response:
    with ctx.app.database.read() as session:
        agencies = agency_choices(session)
    return ctx.page("setup.html", typed.status, sentence="", setup_code=code, typed=typed, agencies=agencies)


def _first_agency(session: Session, name: str, now: datetime) -> str:
    """In an empty directory: the office that runs this server. Returns its id. Raises FieldsRefused."""
    if not name:
        raise FieldsRefused({"agency": Text("Ghi tên cơ quan.", "Give the agency's name.")})
    agency_id = new_agency_id(session, name)
    level = "tinh" if fold(name).startswith(PROVINCES) else "so"
    add_agency(session, agency_id, name=name, level=level, actor="setup", now=now)
    return agency_id
