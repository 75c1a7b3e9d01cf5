"""Accounts: who may sign in, for which agency, in which role, and whether two are one person. Signing in itself is
``engine.accounts.sign_in``.

An account is never deleted, because events refer to it. Deactivating it ends its sessions, links,
tokens and addresses of calendars at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Table, insert, or_, select, update
from sqlmodel import Session

from engine.accounts.passwords import hashed, require_strong_password
from engine.accounts.permissions import Actor, ActorRole
from engine.errors import BadInput, Conflict, FieldsRefused, NotAllowed, NotFound
from engine.rules.vietnamese import has_hidden_character, require_visible
from engine.store.database import table
from engine.store.event_log import record
from engine.store.facts import read_as, read_fact, write_fact
from engine.store.high_water import UNANSWERED
from engine.store.records import Account, Agency, ApiToken, Contact, Feed, SignInLink, UserSession
from engine.store.stored_rows import AnyRow, is_agency, object_of
from engine.terms import EventKind
from engine.text import LANGUAGES, Text


def person_of(session: Session, actor: str) -> frozenset[str]:
    """Every name, mailbox and telephone of the person behind the actor of an event; of a desk or a command, its name
    alone."""
    names, mailboxes, telephones = {actor}, set[str](), set[str]()
    kind, _, number = actor.partition(":")
    a, k, c = table(Account), table(ApiToken), table(Contact)
    connection = session.connection()
    if kind in ("account", "api") and number.isdecimal():
        of_key = select(k.c.account_id).where(k.c.id == int(number)).scalar_subquery()
        owner = select(a.c.id, a.c.email).where(a.c.id == (int(number) if kind == "account" else of_key))
        for row in connection.execute(owner):
            names.add(f"account:{row.id}")
            mailboxes.add(row.email)
    if kind == "contact" and number.isdecimal():
        for row in connection.execute(select(c.c.email, c.c.phone).where(c.c.id == int(number))):
            mailboxes.add(row.email)
            telephones.add(row.phone)
    reached = or_(c.c.email.in_(mailboxes - {""}), c.c.phone.in_(telephones - {""}))
    for row in connection.execute(select(c.c.id, c.c.email, c.c.phone).where(reached)):
        names.add(f"contact:{row.id}")
        mailboxes.add(row.email)
        telephones.add(row.phone)
    names |= {f"account:{each}" for each in connection.scalars(select(a.c.id).where(a.c.email.in_(mailboxes - {""})))}
    return frozenset(names | mailboxes | telephones) - {""}


def same_person(session: Session, one: str, other: str) -> bool:
    """For every rule that wants two different people."""
    return not person_of(session, one).isdisjoint(person_of(session, other))


WAITS = "administrator_waits:"
"""Fact: who made an administrator that waits for a second person; empty once one has come."""
_MAILBOX = re.compile(r"[^\s@<>\"',;:()]+@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """An account as pages show it; whether there is a password, never the password."""

    id: int
    email: str
    label: str
    role: ActorRole
    agency_id: str
    agency: str
    language: str
    active: bool
    has_password: bool
    subject: str | None
    created_at: datetime

    @property
    def actor(self) -> Actor:
        return Actor("account", str(self.id), self.agency_id, self.role)


def create(
    session: Session,
    *,
    email: str,
    role: str,
    agency_id: str,
    label: str = "",
    language: str = "vi",
    password: str = "",
    waits: bool = False,
    actor: str,
    now: datetime,
) -> int:
    """Create an account; without a password the user signs in by link or by single sign-on. Returns its id. ``waits``:
    an administrator's opens nothing until another person has let it in (``reactivate``)."""
    wrong = _field_errors(session, role, agency_id, language) | {
        "email": _error_of(lambda: mailbox(email)),
        "label": _error_of(lambda: require_visible(label)),
        "password": _error_of(lambda: require_strong_password(password, email, _names(session, agency_id)))
        if password
        else None,
    }
    if any(wrong.values()):
        raise FieldsRefused({field: what for field, what in wrong.items() if what})
    email = mailbox(email)
    if find(session, email) is not None:
        raise Conflict(Text(f"Đã có tài khoản {email}.", f"An account {email} already exists."))
    inserted = session.connection().execute(
        insert(table(Account)).values(
            email=email,
            label=label.strip()[:120],
            role=role,
            agency_id=agency_id,
            language=language,
            active=not (waits and role == ActorRole.ADMINISTRATOR),
            password=hashed(password) if password else "",
            created_at=now,
        )
    )
    account_id = int((inserted.inserted_primary_key or (0,))[0])
    log_change(session, "created", account_id, actor, now, role=role, agency=agency_id)
    if waits and role == ActorRole.ADMINISTRATOR:
        write_fact(session, f"{WAITS}{account_id}", actor)
    return account_id


def change(
    session: Session, account_id: int, *, waits: bool = False, actor: str, now: datetime, **changes: Any
) -> None:
    """Change ``label``, ``role``, ``agency_id`` or ``language``. ``waits``: as in ``create``. The last administrator
    keeps the role. A new role or agency signs the user out, because an open page may show what they may no longer see,
    and ends the API tokens: what a program was given for one office is not for another."""
    unknown = set(changes) - {"label", "role", "agency_id", "language"}
    if unknown:
        raise BadInput(Text(f"Không đổi được: {', '.join(sorted(unknown))}.", "These cannot be changed."))
    line = account(session, account_id)
    if not changes:
        raise BadInput(Text("Chưa nêu gì để đổi.", "No change was given."))
    require_visible(str(changes.get("label", "")))
    role, agency_id = changes.get("role", line.role), changes.get("agency_id", line.agency_id)
    if wrong := _field_errors(session, role, agency_id, changes.get("language", line.language)):
        raise FieldsRefused(wrong)
    if role != ActorRole.ADMINISTRATOR and line.active:
        _require_other_administrator(session, line)
    session.connection().execute(update(table(Account)).where(table(Account).c.id == account_id).values(**changes))
    if (role, agency_id) != (line.role, line.agency_id):
        end_tokens(session, account_id, now)
        _revoke(session, table(Feed), account_id, now)
        _sign_out(session, account_id, now)
    if waits and role == ActorRole.ADMINISTRATOR != line.role:
        accounts = table(Account)
        session.connection().execute(update(accounts).where(accounts.c.id == account_id).values(active=False))
        write_fact(session, f"{WAITS}{account_id}", actor)
    log_change(session, "changed", account_id, actor, now, role=role, agency=agency_id)


def set_password(session: Session, account_id: int, password: str, *, actor: str, now: datetime) -> None:
    """Set a new password; sessions, links and API tokens of the account end."""
    line = account(session, account_id)
    require_strong_password(password, line.email, (line.agency_id, line.agency))
    accounts = table(Account)
    session.connection().execute(update(accounts).where(accounts.c.id == account_id).values(password=hashed(password)))
    end_tokens(session, account_id, now)
    _sign_out(session, account_id, now)
    log_change(session, "password", account_id, actor, now)


def deactivate(session: Session, account_id: int, *, actor: str, now: datetime) -> None:
    """Block signing in; sessions, links, tokens and addresses of calendars end now. The last administrator cannot be
    deactivated."""
    line = account(session, account_id)
    _require_other_administrator(session, line)
    accounts = table(Account)
    session.connection().execute(update(accounts).where(accounts.c.id == account_id).values(active=False))
    end_tokens(session, account_id, now)
    _revoke(session, table(Feed), account_id, now)
    _sign_out(session, account_id, now)
    log_change(session, "deactivated", account_id, actor, now)


def end_tokens(session: Session, account_id: int, now: datetime) -> None:
    """Revoke all API tokens of an account."""
    _revoke(session, table(ApiToken), account_id, now)


def _revoke(session: Session, made: Table, account_id: int, now: datetime) -> None:
    """Revoke the keys that an account has made."""
    own = (made.c.account_id == account_id, made.c.revoked_at.is_(None))
    session.connection().execute(update(made).where(*own).values(revoked_at=now))


def reactivate(session: Session, account_id: int, *, waits: bool = False, actor: str, now: datetime) -> bool:
    """Allow signing in again; revoked tokens stay revoked. An administrator who waits for a second person is let in by
    another than the one who made the account or asked first to open it. ``waits``: closed administrators do. False if
    it waits from here on. Raises NotAllowed."""
    line = account(session, account_id)
    maker = read_fact(session, f"{WAITS}{account_id}")
    if maker and same_person(session, actor, maker):
        raise NotAllowed(
            Text(
                "Cần một quản trị viên khác mở tài khoản này: cơ quan yêu cầu hai người khi có quản trị viên mới.",
                "Another administrator must let this one in: the office asks for two people for a new administrator.",
            )
        )
    if waits and not maker and not line.active and line.role is ActorRole.ADMINISTRATOR:
        write_fact(session, f"{WAITS}{account_id}", actor)
        log_change(session, "reactivation_asked", account_id, actor, now)
        return False
    write_fact(session, f"{WAITS}{account_id}", "")
    session.connection().execute(update(table(Account)).where(table(Account).c.id == account_id).values(active=True))
    log_change(session, "reactivated", account_id, actor, now)
    return True


# --- queries -------------------------------------------------------------------------------------------------------


def account(session: Session, account_id: int) -> AccountLine:
    """The account with this id. Raises NotFound."""
    line = _first(session, _lines().where(table(Account).c.id == account_id))
    if line is None:
        raise NotFound(Text(f"Không có tài khoản số {account_id}.", f"There is no account {account_id}."))
    return line


def find(session: Session, email: str) -> AccountLine | None:
    """The account with this mailbox, ignoring case; None if there is none."""
    return _first(session, _lines().where(table(Account).c.email == email.strip().lower()))


def list_accounts(session: Session) -> tuple[AccountLine, ...]:
    """All accounts, active ones first, then by agency and mailbox; one query."""
    accounts, g = table(Account), table(Agency)
    rows = session.connection().execute(_lines().order_by(accounts.c.active.desc(), g.c.name, accounts.c.email))
    return tuple(map(_line, rows))


def any_active(session: Session) -> bool:
    """True if anyone can sign in. Until then only the set-up page works."""
    accounts = table(Account)
    return session.connection().scalar(select(accounts.c.id).where(accounts.c.active).limit(1)) is not None


def by_subject(session: Session, subject: str) -> AccountLine | None:
    """The active account with this single sign-on subject (``<issuer>|<sub>``)."""
    line = _first(session, _lines().where(table(Account).c.subject == subject)) if subject else None
    return line if line is not None and line.active else None


def match_subject(
    session: Session, subject: str, *, email: str = "", verified: bool = False, now: datetime
) -> AccountLine | None:
    """The account of a single sign-on subject; None if there is none. On first use, a mailbox that the issuer has
    *verified* binds the subject to its account; an unverified one never does, else anyone could claim any account."""
    bound = by_subject(session, subject)
    if bound is not None or not (subject and verified):
        return bound
    line = find(session, email)
    if line is None or not line.active or line.subject is not None:
        return None
    accounts = table(Account)
    session.connection().execute(update(accounts).where(accounts.c.id == line.id).values(subject=subject[:255]))
    log_change(session, "single_sign_on", line.id, "system", now)
    return by_subject(session, subject)


def mailbox(text: str) -> str:
    """Normalise a mailbox to lower case. Raises BadInput if it is not valid."""
    email = text.strip().lower()
    if len(email) > 254 or has_hidden_character(email) or not _MAILBOX.fullmatch(email):
        raise BadInput(
            Text("Địa chỉ thư viết như vanphong@so-y-te.example.", "Write a mailbox like office@agency.example.")
        )
    return email


def _lines() -> Select[Any]:
    a, g = table(Account), table(Agency)
    columns = (
        a.c.id,
        a.c.email,
        a.c.label,
        a.c.role,
        a.c.agency_id,
        g.c.name.label("agency"),
        a.c.language,
        a.c.active,
        (a.c.password != "").label("has_password"),
        a.c.subject,
        a.c.created_at,
    )
    return select(*columns).join(g, g.c.id == a.c.agency_id)


def _first(session: Session, statement: Select[Any]) -> AccountLine | None:
    row = session.connection().execute(statement).first()
    return None if row is None else _line(row)


def _line(row: AnyRow) -> AccountLine:
    return object_of(AccountLine, row, role=ActorRole(row.role))


def _field_errors(session: Session, role: str, agency_id: str, language: str) -> dict[str, Text]:
    """Error messages by field name."""
    wrong = {}
    if role not in tuple(ActorRole):
        wrong["role"] = Text(f"Vai trò là một trong: {', '.join(ActorRole)}.", "The role is one of these.")
    if language not in LANGUAGES:
        wrong["language"] = Text("Ngôn ngữ là vi hoặc en.", "The language is vi or en.")
    if not is_agency(session, agency_id):
        wrong["agency_id"] = Text(f"Danh bạ không có «{agency_id}».", f"“{agency_id}” is not in the directory.")
    return wrong


def _names(session: Session, agency_id: str) -> tuple[str, ...]:
    name = session.connection().scalar(select(table(Agency).c.name).where(table(Agency).c.id == agency_id))
    return agency_id, name or ""


def _error_of(check: Callable[[], object]) -> Text | None:
    """The message of the BadInput that ``check`` raises; None if it passes."""
    try:
        check()
    except BadInput as error:
        return error.text
    return None


def _require_other_administrator(session: Session, line: AccountLine) -> None:
    """Raises Conflict if the account is the last active administrator. Locks the other administrators' rows, so that
    two administrators cannot deactivate each other at once."""
    accounts = table(Account)
    others = select(accounts.c.id).where(
        accounts.c.role == ActorRole.ADMINISTRATOR.value, accounts.c.active, accounts.c.id != line.id
    )
    other = session.connection().scalars(others.order_by(accounts.c.id).with_for_update()).first()
    if line.role is ActorRole.ADMINISTRATOR and other is None:
        raise Conflict(
            Text(
                "Đây là quản trị viên cuối cùng; hãy lập một quản trị viên khác trước.",
                "This is the last administrator; create another one first.",
            )
        )


def _sign_out(session: Session, account_id: int, now: datetime) -> None:
    signed, links = table(UserSession), table(SignInLink)
    session.connection().execute(
        update(signed).where(signed.c.account_id == account_id, signed.c.ended_at.is_(None)).values(ended_at=now)
    )
    session.connection().execute(
        update(links).where(links.c.account_id == account_id, links.c.used_at.is_(None)).values(used_at=now)
    )


def log_change(session: Session, what: str, account_id: int, actor: str, now: datetime, **detail: Any) -> None:
    """Of an account; kept outside the database as well (``engine.store.high_water``)."""
    record(session, EventKind.ACCOUNT_CHANGED, now, actor=actor, what=what, account=account_id, **detail)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """An account that was changed after the copy was made. ``what``: as in the event log."""

    account: int
    email: str
    what: str
    at: datetime


def unanswered(session: Session) -> list[Unanswered]:
    """The accounts for which no operator has answered yet."""
    return [
        Unanswered(int(number), account(session, int(number)).email, what, datetime.fromisoformat(at))
        for number, (what, at) in _read(session).items()
    ]


def answer(session: Session, account_id: int, *, opens: bool, actor: str, now: datetime) -> None:
    """Open the account again, or leave it closed. Raises NotFound for one that is not asked about."""
    left = _read(session)
    if left.pop(str(account_id), None) is None:
        raise NotFound(Text(f"Không hỏi về tài khoản số {account_id}.", f"Account {account_id} is not asked about."))
    session.connection().execute(update(table(Account)).where(table(Account).c.id == account_id).values(active=opens))
    log_change(session, "reactivated" if opens else "deactivated", account_id, actor, now)
    write_fact(session, UNANSWERED, json.dumps(left))


def _read(session: Session) -> dict[str, list[str]]:
    return read_as(read_fact(session, UNANSWERED), dict, {})
