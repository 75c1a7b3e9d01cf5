"""Agencies, contacts, accounts and the log under /api/v1: the same actions as the administration pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from engine.accounts import accounts
from engine.accounts.accounts import AccountLine
from engine.accounts.permissions import ActorRole, Permission
from engine.accounts.sign_in import end_sessions
from engine.agencies import agencies, contacts
from engine.agencies.contacts import ContactLine
from engine.api.caller import Call, Caller
from engine.api.lists import Limit
from engine.api.models import Body, Day, Listed, LongId, Needed, Nothing
from engine.api.operations import reads, router_of, writes
from engine.assignments import handover
from engine.assignments.handover import Succeeded
from engine.files.directory import REST
from engine.http.filters import AgencyId, Cursor, Logged, Plain, SmallId
from engine.http.guards.known_browsers import noted, require_proof
from engine.http.security import SecurityEvent
from engine.queries.directory import AgencyMatch, AgencyPage, agency_page, search, search_accounts
from engine.queries.paging import PER_PAGE, Page
from engine.queries.system.log import LogRow, log
from engine.terms import ContactRole

router = router_of("people")
SearchText = Annotated[str, Plain, Query(max_length=100)]
Code = Annotated[str, Plain, Field(max_length=64)]
Line = Annotated[str, Plain, Field(max_length=300)]
SuccessionId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class AgencyBody(Body):
    """``groups``: ids of the groups the agency joins."""

    id: Code
    name: Line
    level: Code
    short: Line = ""
    parent: Code = ""
    code: Code = ""
    since: Day | None = None
    groups: Annotated[list[Code], Field(max_length=50, default_factory=list)]


class NameBody(Body):
    """The agency's name from ``on``; the earlier name ends the day before."""

    name: Line
    short: Line = ""
    on: Day


class SuccessionBody(Body):
    """From ``on``, ``function`` belongs to the agency ``to``; ``chung`` covers every function without its own line."""

    to: Code
    on: Day
    basis: Needed
    function: Line = REST


class HandoverBody(Body):
    """Assignment id -> receiving agency. Assignments not listed stay."""

    choices: Annotated[dict[LongId, Code], Field(min_length=1, max_length=1_000)]


class ContactBody(Body):
    role: ContactRole
    email: Line = ""
    phone: Line = ""
    label: Line = ""
    language: Code = "vi"
    valid_from: Day | None = None
    valid_until: Day | None = None


class ContactChange(Body):
    """Only the given fields change; a null day becomes open-ended."""

    email: Line = ""
    phone: Line = ""
    label: Line = ""
    language: Code = "vi"
    valid_from: Day | None = None
    valid_until: Day | None = None


class LastDay(Body):
    on: Day


class AccountBody(Body):
    """Without a password the account signs in by a link or by single sign-on."""

    email: Line
    role: ActorRole
    agency_id: Code
    label: Line = ""
    language: Code = "vi"
    password: Annotated[str, Field(max_length=1_000, json_schema_extra={"writeOnly": True})] = ""


class AccountChange(Body):
    """Only the given fields change."""

    role: ActorRole = ActorRole.COORDINATOR
    agency_id: Code = ""
    label: Line = ""
    language: Code = "vi"


class PasswordBody(Body):
    password: Annotated[str, Field(min_length=1, max_length=1_000, json_schema_extra={"writeOnly": True})]


class AgencyDone(BaseModel):
    """The agency after the change."""

    agency: AgencyPage


class ContactDone(BaseModel):
    contact: ContactLine


class AccountDone(BaseModel):
    account: AccountLine


class HandoverDone(BaseModel):
    """``moved``: old assignment -> new one; ``merged``: cancelled because the successor already has it; ``left``: not
    moved, with the reason."""

    moved: Mapping[int, int]
    merged: list[int]
    left: dict[int, str]


class LogOut(BaseModel):
    """Newest first. ``next``: the cursor of the next page, null at the end; ``unfinished``: the limit on events read
    was reached before the page was full, so continue from ``next``."""

    items: list[LogRow]
    next: str | None
    unfinished: bool


# --- agencies ------------------------------------------------------------------------------------------------------


@router.get("/directory")
@reads("Tìm cơ quan theo tên", "Find agencies by name", "q=huyen")
def list_directory(
    caller: Caller, q: SearchText = "", after: Cursor = "", limit: Limit = PER_PAGE
) -> Listed[AgencyMatch]:
    """Agencies with a present or earlier name that contains ``q``, ignoring tone marks and case."""
    within = caller.agencies_within(Permission.SEE_CONTACTS)
    with caller.reading() as (session, today):
        return Listed[AgencyMatch].of(search(session, today, q, after=after, limit=limit, within=within))


@router.get("/directory/{agency_id}")
@reads("Tên, kế thừa, đầu mối", "Read names, successions and contacts")
def get_directory_entry(caller: Caller, agency_id: AgencyId) -> AgencyPage:
    """Names with their validity, successions and contacts."""
    caller.require(Permission.SEE_CONTACTS, agency_id)
    with caller.reading() as (session, _):
        return agency_page(session, agency_id)


@router.post("/directory", response_model=AgencyDone)
@writes("Thêm cơ quan", "Add an agency", id="xa-nam-dan", name="UBND xã Nam Đàn", level="xa", parent="ubnd-tinh")
def add_agency(caller: Caller, payload: AgencyBody) -> Response:
    """To the directory, with its level and who is above it."""
    caller.require(Permission.KEEP_AGENCIES)
    fields = payload.model_dump()
    return _agency(caller, fields.pop("id"), lambda s: agencies.add_agency(s, payload.id, **fields, **caller.by))


@router.post("/directory/{agency_id}/names", response_model=AgencyDone)
@writes("Đổi tên cơ quan", "Rename an agency", name="Sở Văn hóa, Thể thao, Du lịch và Gia đình", on="2025-03-01")
def rename_agency(caller: Caller, agency_id: AgencyId, payload: NameBody) -> Response:
    """From a day on; the old name still finds it."""
    caller.require(Permission.KEEP_AGENCIES)
    return _agency(caller, agency_id, lambda s: agencies.rename(s, agency_id, **payload.model_dump(), **caller.by))


@router.post("/directory/{agency_id}/succession", response_model=AgencyDone)
@writes("Ghi kế thừa", "Record a succession", to="so-noi-vu", on="2025-03-01", basis="Nghị quyết 41/NQ-HĐND")
def succeed_agency(caller: Caller, agency_id: AgencyId, payload: SuccessionBody) -> Response:
    """Record who took over a function; assignments are not moved."""
    caller.require(Permission.KEEP_AGENCIES)
    return _agency(
        caller,
        agency_id,
        lambda s: agencies.succeed(
            s, agency_id, payload.to, on=payload.on, basis=payload.basis, function=payload.function, **caller.by
        ),
    )


@router.post("/directory/{agency_id}/succession/{succession_id}/withdraw", response_model=AgencyDone)
@writes("Rút kế thừa ghi nhầm", "Withdraw a succession")
def withdraw_succession(caller: Caller, agency_id: AgencyId, succession_id: SuccessionId, payload: Nothing) -> Response:
    """Delete a succession entered by mistake; assignments handed over stay where they are."""
    caller.require(Permission.KEEP_AGENCIES)
    return _agency(caller, agency_id, lambda s: agencies.withdraw(s, agency_id, succession_id, **caller.by))


@router.get("/directory/{agency_id}/handover")
@reads("Thử bàn giao", "Rehearse a handover")
def rehearse_handover(caller: Caller, agency_id: AgencyId) -> Succeeded:
    """Dry run: every open assignment with its receiving agency."""
    caller.require(Permission.KEEP_AGENCIES)
    with caller.reading() as (session, _):
        return handover.succeeded(session, agency_id, caller.now)


@router.post("/directory/{agency_id}/handover", response_model=HandoverDone)
@writes("Bàn giao việc đang mở", "Hand over open work", choices={"418": "so-du-lich"})
def hand_over(caller: Caller, agency_id: AgencyId, payload: HandoverBody) -> Response:
    """Move the listed assignments; those that cannot move are returned with the reason."""
    caller.require(Permission.KEEP_AGENCIES)
    with caller.writing() as session:

        def done() -> HandoverDone:
            found = handover.hand_over(session, agency_id, payload.choices, **caller.by)
            left = {each: error.said(caller.language) for each, error in found.left.items()}
            return HandoverDone(moved=found.moved, merged=list(found.merged), left=left)

        return caller.once(session, done)


# --- contacts ------------------------------------------------------------------------------------------------------


@router.post("/directory/{agency_id}/contacts", response_model=ContactDone)
@writes(
    "Thêm đầu mối",
    "Add a contact",
    role="coordinator",
    email="vanthu@huyen.example",
    phone="0912345678",
    label="Văn thư",
)
def add_contact(caller: Caller, agency_id: AgencyId, payload: ContactBody) -> Response:
    """To whom letters of a role go; a mailbox, a telephone number or both."""
    caller.require(Permission.KEEP_CONTACTS, agency_id)
    return _contact(caller, lambda s: contacts.add(s, agency_id, **payload.model_dump(), **caller.by))


@router.post("/contacts/{contact_id}", response_model=ContactDone)
@writes("Sửa đầu mối", "Change a contact", phone="0912345679")
def change_contact(caller: Caller, contact_id: SmallId, payload: ContactChange) -> Response:
    """A new address starts with a clean delivery record, and links sent to the old one stop working."""
    named = payload.model_dump(exclude_unset=True)
    return _contact_action(caller, contact_id, lambda s: contacts.change(s, contact_id, **named, **caller.by))


@router.post("/contacts/{contact_id}/last-day", response_model=ContactDone)
@writes("Ghi ngày cuối", "Set a contact's last day", on="2021-12-31")
def end_contact(caller: Caller, contact_id: SmallId, payload: LastDay) -> Response:
    """After that day nothing is sent and the addresses are deleted."""
    return _contact_action(caller, contact_id, lambda s: contacts.end(s, contact_id, on=payload.on, **caller.by))


@router.post("/contacts/{contact_id}/left", response_model=ContactDone)
@writes("Đầu mối đã thôi", "Say that a contact has left")
def contact_left(caller: Caller, contact_id: SmallId, payload: Nothing) -> Response:
    """From now on nothing is sent; addresses, links and calendar feeds are deleted."""
    return _contact_action(caller, contact_id, lambda s: contacts.leave_now(s, contact_id, **caller.by))


# --- accounts ------------------------------------------------------------------------------------------------------


@router.get("/accounts")
@reads("Các tài khoản", "List accounts", "q=huyen")
def list_accounts(
    caller: Caller, q: SearchText = "", after: Cursor = "", limit: Limit = PER_PAGE
) -> Listed[AccountLine]:
    """Active accounts first, by agency and mailbox. Shows whether there is a password, never the password."""
    caller.require(Permission.SEE_ACCOUNTS)
    with caller.reading() as (session, _):
        found: Page[AccountLine] = search_accounts(session, q, after=after, limit=limit)
    return Listed[AccountLine].of(found)


@router.get("/accounts/{account_id}")
@reads("Một tài khoản", "Read an account")
def get_account_by_id(caller: Caller, account_id: SmallId) -> AccountLine:
    """Role, agency, factors and since when; never a password."""
    caller.require(Permission.SEE_ACCOUNTS)
    with caller.reading() as (session, _):
        return accounts.account(session, account_id)


@router.post("/accounts", response_model=AccountDone)
@writes("Thêm tài khoản", "Add an account", email="moi@huyen.example", role="coordinator", agency_id="ubnd-tp-vinh")
def add_account(caller: Caller, payload: AccountBody) -> Response:
    """Asks for proof. A second administrator may have to agree before it opens."""
    caller.require(Permission.KEEP_ACCOUNTS)
    require_proof(caller)
    caller.require_lasting()

    def create(session: Session) -> int:
        given = payload.model_dump() | {"role": payload.role.value}
        return accounts.create(session, **given, waits=caller.app.settings.second_administrator, **caller.by)

    return _account(caller, create)


@router.post("/accounts/{account_id}", response_model=AccountDone)
@writes("Sửa tài khoản", "Change an account", label="Văn thư")
def change_account(caller: Caller, account_id: SmallId, payload: AccountChange) -> Response:
    """A new role or agency ends the account's sessions; the last administrator cannot be changed."""
    caller.require(Permission.KEEP_ACCOUNTS)
    require_proof(caller)
    named: dict[str, Any] = {name: str(each) for name, each in payload.model_dump(exclude_unset=True).items()}
    named |= {"waits": caller.app.settings.second_administrator}
    return _account(caller, lambda s: accounts.change(s, account_id, **named, **caller.by), account_id)


@router.post("/accounts/{account_id}/password", response_model=AccountDone)
@writes("Đặt mật khẩu", "Set a password", password="một câu dài khó đoán")
def set_password(caller: Caller, account_id: SmallId, payload: PasswordBody) -> Response:
    """Set a password; ends all sessions and tokens."""
    caller.require(Permission.KEEP_ACCOUNTS)
    require_proof(caller)

    def set_new(session: Session) -> None:
        accounts.set_password(session, account_id, payload.password, **caller.by)

    return _account(caller, set_new, account_id, SecurityEvent.PASSWORD_SET)


@router.post("/accounts/{account_id}/sign-out", response_model=AccountDone)
@writes("Đăng xuất tài khoản", "Sign an account out")
def sign_out_account(caller: Caller, account_id: SmallId, payload: Nothing) -> Response:
    """End all sessions and tokens of the account."""
    caller.require(Permission.KEEP_ACCOUNTS)
    event = SecurityEvent.SESSIONS_ENDED
    return _account(caller, lambda s: end_sessions(s, account_id, caller.now), account_id, event)


@router.post("/accounts/{account_id}/deactivate", response_model=AccountDone)
@writes("Khóa tài khoản", "Deactivate an account")
def deactivate_account(caller: Caller, account_id: SmallId, payload: Nothing) -> Response:
    """End the account's sessions, links and tokens; the last administrator cannot be deactivated."""
    caller.require(Permission.KEEP_ACCOUNTS)
    return _account(caller, lambda s: accounts.deactivate(s, account_id, **caller.by), account_id)


@router.post("/accounts/{account_id}/reactivate", response_model=AccountDone)
@writes("Mở lại tài khoản", "Reactivate an account")
def reactivate_account(caller: Caller, account_id: SmallId, payload: Nothing) -> Response:
    """Asks for proof. A second administrator may have to agree before it opens."""
    caller.require(Permission.KEEP_ACCOUNTS)
    require_proof(caller)
    waits = caller.app.settings.second_administrator
    return _account(caller, lambda s: accounts.reactivate(s, account_id, waits=waits, **caller.by), account_id)


@router.get("/log")
@reads("Nhật ký", "Read the log", "kind=reported&limit=10")
def list_log(caller: Caller, wanted: Logged, after: Cursor = "", limit: Limit = PER_PAGE) -> LogOut:
    """All events, newest first; without a total."""
    caller.require(Permission.SEE_LOG)
    with caller.reading() as (session, _):
        found = log(session, wanted, after=after, limit=limit)
    return LogOut(items=list(found.rows), next=found.next or None, unfinished=found.unfinished)


# --- helpers -------------------------------------------------------------------------------------------------------


def _agency(caller: Call, agency_id: str, action: Callable[[Session], object]) -> Response:
    with caller.writing() as session:

        def done() -> AgencyDone:
            action(session)
            return AgencyDone(agency=agency_page(session, agency_id))

        return caller.once(session, done)


def _contact(caller: Call, action: Callable[[Session], int]) -> Response:
    with caller.writing() as session:
        return caller.once(session, lambda: ContactDone(contact=contacts.find(session, action(session))))


def _contact_action(caller: Call, contact_id: int, action: Callable[[Session], None]) -> Response:
    """An action on an existing contact. Raises NotFound, NotAllowed."""
    with caller.reading() as (session, _):
        caller.require(Permission.KEEP_CONTACTS, contacts.find(session, contact_id).agency_id)

    def act(session: Session) -> int:
        action(session)
        return contact_id

    return _contact(caller, act)


def _account(
    caller: Call,
    action: Callable[[Session], object],
    account_id: int = 0,
    event: SecurityEvent = SecurityEvent.ACCOUNT_CHANGED,
) -> Response:
    """``account_id`` 0: the action creates the account and returns its id."""
    changed: list[AccountLine] = []
    with caller.writing() as session:

        def done() -> AccountDone:
            if account_id:
                accounts.account(session, account_id)
            result = action(session)
            changed.append(accounts.account(session, account_id or int(str(result))))
            return AccountDone(account=changed[0])

        response = caller.once(session, done)
    return noted(caller, response, event, changed[0]) if changed else response
