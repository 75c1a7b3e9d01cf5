"""Accounts: who may sign in, for which agency, with which role. Passwords can be set here, never read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts import accounts, second_factor
from engine.accounts.api_tokens import active_tokens
from engine.accounts.permissions import ActorRole, Permission
from engine.accounts.sign_in import end_sessions, sessions_of
from engine.errors import Conflict, DondocError, NotAllowed
from engine.http.filters import Code, Cursor, Plain, SmallId
from engine.http.forms import Form, FormFields
from engine.http.guards.known_browsers import noted, require_proof
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.http.security import SecurityEvent
from engine.queries.directory import agency_choices, search_accounts
from engine.web.pages.account.sign_in import MAX_PASSWORD_CHARS

router = APIRouter(include_in_schema=False)
SearchText = Annotated[str, Plain, Query(max_length=100)]
CHANGEABLE = ("label", "role", "agency_id", "language")


@router.get("/admin/accounts")
def listing(ctx: SignedIn, q: SearchText = "", after: Cursor = "") -> Response:
    ctx.require(Permission.SEE_ACCOUNTS)
    with ctx.reading() as (session, today):
        found = search_accounts(session, q, after=after)
        keys = () if q or after else active_tokens(session, ctx.now)
        lacking = second_factor.accounts_without(session, ctx.app.settings.needs_second_factor)
    return ctx.page("admin/accounts.html", today=today, found=found, q=q, keys=keys, lacking=lacking)


@router.get("/admin/add-account")
def ask_new(ctx: SignedIn, agency: Code = "") -> Response:
    return _new(ctx, FormFields({"language": "vi", "agency_id": agency}))


@router.post("/admin/add-account")
def add(ctx: SignedIn, form: PostedForm) -> Response:
    ctx.require(Permission.KEEP_ACCOUNTS)
    require_proof(ctx, form)
    typed = FormFields.of(form, "email", *CHANGEABLE, whole="email")
    values = {name: typed.text(name) for name in ("email", *CHANGEABLE)}
    waits = ctx.app.settings.second_administrator

    def action(session: Session) -> int:
        ctx.require_lasting()
        return accounts.create(session, **values, password=_password(form), waits=waits, **ctx.by)

    account_id = typed.do(lambda: _run(ctx, action))
    return _noted(ctx, account_id, "added", SecurityEvent.ACCOUNT_CHANGED) if account_id else _new(ctx, typed)


@router.get("/admin/accounts/{account_id}")
def show(ctx: SignedIn, account_id: SmallId, said: Code = "") -> Response:
    return _page(ctx, account_id, outcome=said)


@router.post("/admin/accounts/{account_id}")
def change(ctx: SignedIn, form: PostedForm, account_id: SmallId) -> Response:
    ctx.require(Permission.KEEP_ACCOUNTS)
    require_proof(ctx, form)
    typed = FormFields.of(form, *CHANGEABLE, whole="role")
    values = {name: typed.text(name) for name in CHANGEABLE}
    waits = ctx.app.settings.second_administrator

    def action(session: Session) -> bool:
        accounts.change(session, account_id, **values, waits=waits, **ctx.by)
        return True

    if typed.do(lambda: _run(ctx, action)):
        return _noted(ctx, account_id, "changed", SecurityEvent.ACCOUNT_CHANGED)
    return _page(ctx, account_id, typed=typed)


@router.post("/admin/accounts/{account_id}/password")
def set_password(ctx: SignedIn, form: PostedForm, account_id: SmallId) -> Response:
    ctx.require(Permission.KEEP_ACCOUNTS)
    require_proof(ctx, form)
    typed = FormFields(whole="password")

    def action(session: Session) -> bool:
        accounts.set_password(session, account_id, _password(form), **ctx.by)
        return True

    if typed.do(lambda: _run(ctx, action)):
        return _noted(ctx, account_id, "password", SecurityEvent.PASSWORD_SET)
    return _page(ctx, account_id, secret=typed)


@router.post("/admin/accounts/{account_id}/sign-out")
def sign_out(ctx: SignedIn, form: PostedForm, account_id: SmallId) -> Response:
    ctx.require(Permission.KEEP_ACCOUNTS)
    with ctx.writing() as session:
        accounts.account(session, account_id)
        end_sessions(session, account_id, ctx.now)
    return _noted(ctx, account_id, "signed_out", SecurityEvent.SESSIONS_ENDED)


@router.post("/admin/accounts/{account_id}/second-factor/remove")
def remove_second_factor(ctx: SignedIn, form: PostedForm, account_id: SmallId) -> Response:
    """For a lost telephone. The account is signed out everywhere: who asked may not be its owner."""
    ctx.require(Permission.KEEP_ACCOUNTS)
    require_proof(ctx, form)
    with ctx.writing() as session:
        accounts.account(session, account_id)
        second_factor.remove(session, account_id, **ctx.by)
        end_sessions(session, account_id, ctx.now)
    return _noted(ctx, account_id, "factor_removed", SecurityEvent.FACTOR_REMOVED)


@router.post("/admin/accounts/{account_id}/deactivate")
def deactivate(ctx: SignedIn, form: PostedForm, account_id: SmallId) -> Response:
    """Deactivate an account; refused for the last administrator."""
    ctx.require(Permission.KEEP_ACCOUNTS)
    try:
        with ctx.writing() as session:
            accounts.deactivate(session, account_id, **ctx.by)
    except Conflict as error:
        return _page(ctx, account_id, trouble=error)
    return _noted(ctx, account_id, "deactivated", SecurityEvent.ACCOUNT_CHANGED)


@router.post("/admin/accounts/{account_id}/reactivate")
def reactivate(ctx: SignedIn, form: PostedForm, account_id: SmallId) -> Response:
    ctx.require(Permission.KEEP_ACCOUNTS)
    require_proof(ctx, form)
    try:
        with ctx.writing() as session:
            waits = ctx.app.settings.second_administrator
            opened = accounts.reactivate(session, account_id, waits=waits, **ctx.by)
    except NotAllowed as error:
        return _page(ctx, account_id, trouble=error)
    return _noted(ctx, account_id, "reactivated" if opened else "asked", SecurityEvent.ACCOUNT_CHANGED)


def _noted(ctx: RequestContext, account_id: int, outcome: str, event: SecurityEvent) -> Response:
    """Back to the account's page; what was done is recorded, and its owner told."""
    with ctx.app.database.read() as session:
        line = accounts.account(session, account_id)
    return noted(ctx, ctx.go(f"/admin/accounts/{account_id}", said=outcome), event, line)


def _password(form: Form) -> str:
    return form.raw("password")[:MAX_PASSWORD_CHARS]


def _run(ctx: RequestContext, action: Callable[[Session], int]) -> int:
    with ctx.writing() as session:
        return action(session)


def _new(ctx: RequestContext, typed: FormFields) -> Response:
    ctx.require(Permission.KEEP_ACCOUNTS)
    with ctx.reading() as (session, today):
        agencies = agency_choices(session)
    return ctx.page(
        "admin/add_account.html", typed.status, today=today, typed=typed, agencies=agencies, roles=ActorRole
    )


def _page(
    ctx: RequestContext,
    account_id: int,
    *,
    outcome: str = "",
    typed: FormFields | None = None,
    secret: FormFields | None = None,
    trouble: DondocError | None = None,
) -> Response:
    ctx.require(Permission.SEE_ACCOUNTS)
    with ctx.reading() as (session, today):
        account, agencies = accounts.account(session, account_id), agency_choices(session)
        signed_in = sessions_of(session, account_id, ctx.now)
        has_factor = second_factor.has_factor(session, account_id)
    shown = (typed or FormFields()).filled((name, str(getattr(account, name))) for name in CHANGEABLE)
    secret = secret or FormFields()
    status = trouble.status if trouble else max(shown.status, secret.status)
    return ctx.page(
        "admin/account.html",
        status,
        today=today,
        account=account,
        agencies=agencies,
        sessions=signed_in,
        has_factor=has_factor,
        typed=shown,
        secret=secret,
        roles=ActorRole,
        outcome=outcome,
        sentence=trouble.said(ctx.language) if trouble else "",
    )
