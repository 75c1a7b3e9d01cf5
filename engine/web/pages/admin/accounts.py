"""Accounts: who may sign in, for which agency, in what capacity. A password goes in here and never comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts import accounts
from engine.accounts.permissions import ActorRole, Deed
from engine.accounts.sign_in import end_sessions, sessions_of
from engine.errors import Conflict, DondocError
from engine.http.filters import Code, Cursor, Plain, SmallId
from engine.http.forms import Form
from engine.http.request_context import Desk, Posted, Visit
from engine.queries.directory.accounts import search
from engine.queries.directory.agencies import agency_choices
from engine.web.pages.account.sign_in import MOST_PASSWORD
from engine.web.pages.admin.fields import Typed

router = APIRouter()
Sought = Annotated[str, Plain, Query(max_length=100)]
CHANGEABLE = ("label", "role", "agency_id", "language")


@router.get("/admin/accounts")
def listing(visit: Desk, q: Sought = "", after: Cursor = "") -> Response:
    visit.must(Deed.KEEP_ACCOUNTS)
    with visit.reading() as (session, today):
        found = search(session, q, after=after)
    return visit.page("admin/accounts.html", today=today, found=found, q=q)


@router.get("/admin/add-account")
def ask_new(visit: Desk, agency: Code = "") -> Response:
    return _new(visit, Typed({"language": "vi", "agency_id": agency}))


@router.post("/admin/add-account")
def add(visit: Desk, form: Posted) -> Response:
    visit.must(Deed.KEEP_ACCOUNTS)
    typed = Typed.of(form, "email", *CHANGEABLE, whole="email")
    said = {name: typed.text(name) for name in ("email", *CHANGEABLE)}

    def deed(session: Session) -> int:
        accounts.must_not_lock_out(session, said["role"])
        return accounts.create(session, **said, password=_password(form), actor=visit.actor.name, now=visit.now)

    made = typed.do(lambda: _written(visit, deed))
    return visit.go(f"/admin/accounts/{made}", said="added") if made else _new(visit, typed)


@router.get("/admin/accounts/{account_id}")
def show(visit: Desk, account_id: SmallId, said: Code = "") -> Response:
    return _page(visit, account_id, outcome=said)


@router.post("/admin/accounts/{account_id}")
def change(visit: Desk, form: Posted, account_id: SmallId) -> Response:
    visit.must(Deed.KEEP_ACCOUNTS)
    typed = Typed.of(form, *CHANGEABLE, whole="role")
    said = {name: typed.text(name) for name in CHANGEABLE}

    def deed(session: Session) -> bool:
        accounts.change(session, account_id, **said, actor=visit.actor.name, now=visit.now)
        return True

    if typed.do(lambda: _written(visit, deed)):
        return visit.go(f"/admin/accounts/{account_id}", said="changed")
    return _page(visit, account_id, typed=typed)


@router.post("/admin/accounts/{account_id}/password")
def set_password(visit: Desk, form: Posted, account_id: SmallId) -> Response:
    visit.must(Deed.KEEP_ACCOUNTS)
    typed = Typed(whole="password")

    def deed(session: Session) -> bool:
        accounts.set_password(session, account_id, _password(form), actor=visit.actor.name, now=visit.now)
        return True

    if typed.do(lambda: _written(visit, deed)):
        return visit.go(f"/admin/accounts/{account_id}", said="password")
    return _page(visit, account_id, secret=typed)


@router.post("/admin/accounts/{account_id}/sign-out")
def sign_out(visit: Desk, form: Posted, account_id: SmallId) -> Response:
    visit.must(Deed.KEEP_ACCOUNTS)
    with visit.writing() as session:
        accounts.account(session, account_id)
        end_sessions(session, account_id, visit.now)
    return visit.go(f"/admin/accounts/{account_id}", said="signed_out")


@router.post("/admin/accounts/{account_id}/deactivate")
def deactivate(visit: Desk, form: Posted, account_id: SmallId) -> Response:
    """The last administrator stays: refused in words."""
    visit.must(Deed.KEEP_ACCOUNTS)
    try:
        with visit.writing() as session:
            accounts.deactivate(session, account_id, actor=visit.actor.name, now=visit.now)
    except Conflict as error:
        return _page(visit, account_id, trouble=error)
    return visit.go(f"/admin/accounts/{account_id}", said="deactivated")


@router.post("/admin/accounts/{account_id}/reactivate")
def reactivate(visit: Desk, form: Posted, account_id: SmallId) -> Response:
    visit.must(Deed.KEEP_ACCOUNTS)
    with visit.writing() as session:
        accounts.reactivate(session, account_id, actor=visit.actor.name, now=visit.now)
    return visit.go(f"/admin/accounts/{account_id}", said="reactivated")


def _password(form: Form) -> str:
    return form.raw("password")[:MOST_PASSWORD]


def _written(visit: Visit, deed: Callable[[Session], int]) -> int:
    with visit.writing() as session:
        return deed(session)


def _new(visit: Visit, typed: Typed) -> Response:
    visit.must(Deed.KEEP_ACCOUNTS)
    with visit.reading() as (session, today):
        agencies = agency_choices(session)
    return visit.page(
        "admin/add_account.html", typed.status, today=today, typed=typed, agencies=agencies, roles=ActorRole
    )


def _page(
    visit: Visit,
    account_id: int,
    *,
    outcome: str = "",
    typed: Typed | None = None,
    secret: Typed | None = None,
    trouble: DondocError | None = None,
) -> Response:
    visit.must(Deed.KEEP_ACCOUNTS)
    with visit.reading() as (session, today):
        found, agencies = accounts.account(session, account_id), agency_choices(session)
        signed_in = sessions_of(session, account_id, visit.now)
    asked = (typed or Typed()).filled((name, str(getattr(found, name))) for name in CHANGEABLE)
    secret = secret or Typed()
    status = trouble.status if trouble else max(asked.status, secret.status)
    return visit.page(
        "admin/account.html",
        status,
        today=today,
        account=found,
        agencies=agencies,
        sessions=signed_in,
        typed=asked,
        secret=secret,
        roles=ActorRole,
        outcome=outcome,
        sentence=trouble.said(visit.language) if trouble else "",
    )
