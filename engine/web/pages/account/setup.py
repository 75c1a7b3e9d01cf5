"""Creates the first administrator, with the set-up code printed on the server. Closed once there is an account."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.accounts import any_active
from engine.accounts.setup_code import SetupRefused, check_setup_code, create_first_administrator
from engine.accounts.sign_in import open_session
from engine.agencies.agencies import add_agency, new_agency_id
from engine.errors import DondocError, FieldsRefused, TooOften
from engine.files.directory import fold
from engine.http.form_fields import FormFields
from engine.http.request_context import Anonymous, PostedForm, RequestContext
from engine.queries.directory.agencies import agency_choices
from engine.text import Text
from engine.web.pages.account.sign_in import MAX_PASSWORD_CHARS, TYPED_DIFFERENTLY, entered

router = APIRouter(include_in_schema=False)
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
        return open_session(session, account_id, way="password", device=ctx.device, now=ctx.now)

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
