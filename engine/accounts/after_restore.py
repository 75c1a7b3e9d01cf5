"""A restored copy brings no authority back: what opened something then opens nothing now, and accounts that were closed
or changed since stay closed until an operator has answered for each.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session

from engine.accounts.accounts import account, log_change
from engine.errors import NotFound
from engine.store.account_journal import AccountChange
from engine.store.database import table
from engine.store.facts import read_fact, write_fact
from engine.store.records import Account, ApiToken, Feed, SignInLink, UserSession
from engine.text import Text

UNANSWERED = "accounts_after_restore"
OPENERS = ((UserSession, "ended_at"), (SignInLink, "used_at"), (ApiToken, "revoked_at"), (Feed, "revoked_at"))
"""What opens something, and the column that says since when no more."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """An account that was changed after the copy was made. ``what``: as in the event log."""

    account: int
    email: str
    what: str
    at: datetime


def end_authority(session: Session, changed: Iterable[AccountChange], now: datetime) -> None:
    """End all sessions, sign-in links, API keys and addresses of calendars, and close the accounts that were changed
    since the copy was made."""
    for opener, ended in OPENERS:
        t = table(opener)
        session.connection().execute(update(t).where(t.c[ended].is_(None)).values({ended: now}))
    a = table(Account)
    there = set(session.connection().scalars(select(a.c.id)))
    concerned = [each for each in changed if each.account in there]
    for each in concerned:
        session.connection().execute(update(a).where(a.c.id == each.account).values(active=False))
        log_change(session, "closed_by_restore", each.account, "system", now)
    _write(session, {str(each.account): [each.what, each.at.isoformat()] for each in concerned})


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
    _write(session, left)


def _read(session: Session) -> dict[str, list[str]]:
    kept: dict[str, list[str]] = json.loads(read_fact(session, UNANSWERED) or "{}")
    return kept


def _write(session: Session, left: dict[str, list[str]]) -> None:
    write_fact(session, UNANSWERED, json.dumps(left))
