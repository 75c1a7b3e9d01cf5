"""What was done to accounts, kept outside the database: a copy that is restored does not know what came after it.

A line for each change, by the account's number. The file lies beside the data folder where the operator has made a
folder for it, so that it survives that folder; else in the data folder, which chapter «Restoring» moves aside.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, update
from sqlmodel import Session

from engine.store.database import table
from engine.store.event_log import record
from engine.store.facts import write_fact
from engine.store.records import Account, ApiToken, Event, Feed, SignInLink, UserSession
from engine.terms import EventKind

NAME = "account-changes"
SECRET_ROTATED = "secret_rotated"
CLOSING = frozenset({"deactivated", "changed", "password", "factor_set", "factor_removed", SECRET_ROTATED})
"""After these an account of a copy may be opened by somebody who no longer may."""

UNANSWERED = "accounts_after_restore"
OPENERS = ((UserSession, "ended_at"), (SignInLink, "used_at"), (ApiToken, "revoked_at"), (Feed, "revoked_at"))
"""What opens something, and the column that says since when no more."""


@dataclass(frozen=True, slots=True)
class AccountChange:
    """``what``: as in the event log. ``account``: 0 for the installation's secret."""

    at: datetime
    what: str
    account: int


def changes_between(session: Session, after: int, until: int) -> list[AccountChange]:
    """Those of the events with these numbers."""
    e = table(Event)
    found = select(e.c.at, e.c.detail).where(
        e.c.id > after, e.c.id <= until, e.c.kind.in_((EventKind.ACCOUNT_CHANGED, EventKind.SETTINGS_CHANGED))
    )
    return [
        AccountChange(row.at, row.detail["what"], row.detail.get("account", 0))
        for row in session.connection().execute(found.order_by(e.c.id))
        if "what" in row.detail
    ]


def keep_changes(data_dir: Path, changes: Iterable[AccountChange]) -> None:
    """Append them."""
    lines = [json.dumps(asdict(each) | {"at": each.at.isoformat()}) for each in changes]
    if lines:
        beside = _beside(data_dir)
        folder = beside if os.access(beside, os.W_OK) else data_dir
        file = os.open(folder / NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(file, "a") as journal:
            journal.write("\n".join(lines) + "\n")


def changed_since(data_dir: Path, since: datetime) -> dict[int, AccountChange]:
    """The last change of each account that may have closed it; of this data folder, of the one beside it, and of those
    that were moved aside under its name and a suffix."""
    folders = (data_dir, _beside(data_dir), *sorted(data_dir.parent.glob(f"{data_dir.name}.*")))
    found = sorted((each for folder in folders for each in _read(folder / NAME)), key=lambda each: each.at)
    return {each.account: each for each in found if each.at > since and each.what in CLOSING}


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
        record(session, EventKind.ACCOUNT_CHANGED, now, what="closed_by_restore", account=each.account)
    asked = {str(each.account): [each.what, each.at.isoformat()] for each in concerned}
    write_fact(session, UNANSWERED, json.dumps(asked))


def _read(file: Path) -> Iterator[AccountChange]:
    """A line that was cut off when the machine stopped is skipped."""
    for line in file.read_text().splitlines() if file.is_file() else ():
        try:
            kept = json.loads(line)
            yield AccountChange(datetime.fromisoformat(kept["at"]), str(kept["what"]), int(kept["account"]))
        except (ValueError, KeyError, TypeError):
            continue


def _beside(data_dir: Path) -> Path:
    resolved = data_dir.resolve()
    return resolved.with_name(f"{resolved.name}-security")
