"""After a restore: accounts that were closed or changed since stay closed until an operator has answered for each
(``engine.store.account_journal.end_authority``)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session

from engine.accounts.accounts import account, log_change
from engine.errors import NotFound
from engine.store.account_journal import UNANSWERED
from engine.store.database import table
from engine.store.facts import read_as, read_fact, write_fact
from engine.store.records import Account
from engine.text import Text


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
