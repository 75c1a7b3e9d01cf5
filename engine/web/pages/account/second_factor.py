"""The second factor: the code page behind a password or a link, and its set-up and removal by the account's owner.

Creates the first administrator, with the set-up code printed on the server. Closed once there is an account.
"""

from __future__ import annotations

from datetime import datetime

import segno
from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup
from sqlmodel import Session

from engine.accounts.accounts import any_active
from engine.accounts.second_factor import (
    Enrolment,
    WrongCode,
    confirm,
    has_factor,
    propose,
    prove,
    remove,
    reopen,
)
from engine.accounts.setup_code import SetupRefused, check_setup_code, create_first_administrator
from engine.accounts.sign_in import open_session, sessions_of
from engine.agencies.agencies import add_agency, new_agency_id
from engine.errors import BadInput, DondocError, FieldsRefused, TooOften
from engine.files.directory import fold
from engine.http.forms import FormFields
from engine.http.guards.known_browsers import noted, require_fresh_proof
from engine.http.request_context import Anonymous, PostedForm, RequestContext, SignedIn, local
from engine.http.security import SecurityEvent
from engine.queries.directory.agencies import agency_choices
from engine.text import Text
from engine.web.pages.account.account import own_account
from engine.web.pages.account.sign_in import MAX_PASSWORD_CHARS, TYPED_DIFFERENTLY, To, entered

router = APIRouter(include_in_schema=False)
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
        prove(ctx.app.database, ctx.app.signer, line.id, session_id, code, network=ctx.ip, now=ctx.now)
    except (WrongCode, TooOften) as error:
        ctx.tools.security.refused(ctx.request, error, line.actor.name)
        return ctx.page("signin_code.html", error.status, to=to, line=line, sentence=error.said(ctx.language))
    return noted(ctx, ctx.go(to or "/"), SecurityEvent.SIGNED_IN, line)


@router.get("/account/second-factor")
def show(ctx: SignedIn) -> Response:
    line = own_account(ctx)
    return _page(ctx, propose(ctx.app.signer, line.id, line.email, ctx.now))


@router.post("/account/second-factor")
def set_up(ctx: SignedIn, form: PostedForm) -> Response:
    """Store the factor if the code is right. The recovery codes are shown in this response alone."""
    ctx.require_lasting()
    line = own_account(ctx)
    enrolment = propose(ctx.app.signer, line.id, line.email, ctx.now)
    try:
        if _needs_mailbox(ctx, line.id):
            raise BadInput(MAILBOX_FIRST)
        require_fresh_proof(ctx, line, form.raw("password")[:MAX_PASSWORD_CHARS])
        enrolment = reopen(ctx.app.signer, form.raw("sealed")[:1_000], line.id, line.email, ctx.now)
        code = form.text("code", MAX_CODE_CHARS).replace(" ", "")
        with ctx.writing() as session:
            recovery = confirm(session, ctx.app.signer, enrolment, line.id, ctx.session_id, code, ctx.now)
    except WrongCode as error:
        return _page(ctx, enrolment, trouble=error, status=422)
    except (BadInput, TooOften) as error:
        return _page(ctx, enrolment, trouble=error, status=error.status)
    return noted(ctx, _page(ctx, None, recovery=recovery), SecurityEvent.FACTOR_SET, line)


@router.post("/account/second-factor/remove")
def take_away(ctx: SignedIn, form: PostedForm) -> Response:
    line = own_account(ctx)
    if line.role in ctx.app.settings.needs_second_factor:
        return _page(ctx, None, trouble=BadInput(REQUIRED), status=409)
    try:
        require_fresh_proof(ctx, line, form.raw("password")[:MAX_PASSWORD_CHARS])
    except (BadInput, TooOften) as error:
        return _page(ctx, None, trouble=error, status=error.status)
    with ctx.writing() as session:
        remove(session, line.id, **ctx.by)
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
        return not has_factor(session, account_id) and (own is None or own.way in ("", "password"))


def _page(
    ctx: RequestContext,
    enrolment: Enrolment | None,
    *,
    recovery: tuple[str, ...] = (),
    trouble: DondocError | None = None,
    status: int = 200,
) -> Response:
    line = own_account(ctx)
    with ctx.app.database.read() as session:
        present = has_factor(session, line.id)
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
