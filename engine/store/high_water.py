"""How far this machine has seen the database come, and what was done to accounts: small files beside the secret. A
copy that is restored does not know what came after it; these do.

Of accounts, a line for each change, by the account's number. This file lies beside the data folder where the operator
has made a folder for it, so that it survives that folder; else in the data folder, which chapter «Restoring» moves
aside.

A database file that was put back by hand, with ``cp`` or by a snapshot, knows less than what was sent since and would
send it again. It is held then as after ``dondoc restore``: the same marker, which ``dondoc release`` ends, and nothing
that was open in it opens anything.

The mark is looked at and moved on at the start, before letters or webhook messages are claimed, after each batch of
letters (half a lease, 150 s, at most) and by the audit (every five minutes): so much of the newest can be put back
unnoticed. It names rows by number and instant, since a file that was put back may have grown past it; and an epoch,
which begins again when a person has decided, so that the branch that was given up is known.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, SQLModel

from engine.errors import Unavailable
from engine.store.database import Database, table
from engine.store.event_log import record
from engine.store.facts import Hold, begin_epoch, epochs, hold, hold_letters, installation, write_fact
from engine.store.records import Account, ApiToken, Delivery, Event, Feed, Letter, SignInLink, UserSession
from engine.terms import EventKind
from engine.text import Text


def atomic_write(path: Path, body: bytes, mode: int) -> None:
    """Write and fsync a temporary file, then rename it; readers see either the old content or the new. ``mode``: the
    permission bits, masked by the process's umask."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as out:
            out.write(body)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


JOURNAL = "account-changes"
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
        file = os.open(folder / JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(file, "a") as journal:
            journal.write("\n".join(lines) + "\n")


def changed_since(data_dir: Path, since: datetime) -> dict[int, AccountChange]:
    """The last change of each account that may have closed it; of this data folder, of the one beside it, and of those
    that were moved aside under its name and a suffix."""
    folders = (data_dir, _beside(data_dir), *sorted(data_dir.parent.glob(f"{data_dir.name}.*")))
    found = sorted((each for folder in folders for each in _read(folder / JOURNAL)), key=lambda each: each.at)
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


log = logging.getLogger(__name__)
NAME = "high-water"
Row = tuple[int, str]
"""A row's number, and its instant, which tells it from another row of that number."""
NO_ROW: Row = (0, "")


class MarkUnusable(Unavailable):
    """A mark that is not one of ours any more, or whose disk takes nothing: nobody knows then what was sent."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The last event, letter and attempt to send of an installation. ``epoch``: since a person's last decision."""

    installation: str
    epoch: str
    event: Row
    letter: Row
    delivery: Row


@dataclass(frozen=True, slots=True)
class HighWater:
    """The mark of one machine, in ``path``, whose folder is the data folder."""

    path: Path

    def observe(self, database: Database, now: datetime) -> bool:
        """Hold the database if it is behind the mark, else move the mark on; True if letters are held. Raises
        MarkUnusable."""
        mark = self.stored()  # before the database: another process may move both on meanwhile
        with database.read() as session:
            if hold(session) is not None:
                return True
            known, stands = epochs(session), _stands(session)
            behind = mark is not None and mark.installation == stands.installation and _is_behind(session, mark, known)
        if behind:
            self._hold(database, stands.event[0], now)
            return True
        if not known:
            with database.write() as session:
                begin_epoch(session, first=True)
            return self.observe(database, now)
        if stands != mark:
            self._move(database, mark.event[0] if mark and mark.epoch == stands.epoch else 0, stands)
        return False

    def _hold(self, database: Database, last_event: int, now: datetime) -> None:
        with database.write() as session:
            if hold(session) is not None:
                return
            e = table(Event)
            knows_until = session.connection().scalar(select(e.c.at).where(e.c.id == last_event)) or now
            hold_letters(session, Hold(knows_until, now))
            end_authority(session, changed_since(self.path.parent, knows_until).values(), now)
        log.error("The database is older than what was sent from here: letters are held until «dondoc release»")

    def _move(self, database: Database, after: int, mark: Mark) -> None:
        """Note the changes of accounts in the events since ``after``, then move the mark on: a change may be noted
        twice, but not be missed. Raises MarkUnusable."""
        with database.read() as session:
            changes = changes_between(session, after, mark.event[0])
        try:
            keep_changes(self.path.parent, changes)
            atomic_write(self.path, json.dumps(asdict(mark)).encode(), 0o600)
        except OSError as error:
            raise MarkUnusable(
                Text(
                    f"Không ghi được {self.path}, nơi ghi đã gửi đến đâu ({error.strerror}); máy này chưa gửi gì.",
                    f"{self.path}, which says how far letters were sent, cannot be written ({error.strerror}); "
                    "nothing is sent from here.",
                )
            ) from error

    def _kept(self) -> str | None:
        return self.path.read_text() if self.path.exists() else None

    def stored(self) -> Mark | None:
        """The mark, None before the first. Raises MarkUnusable."""
        try:
            kept = self._kept()
            if kept is None:
                return None
            held: dict[str, Any] = json.loads(kept)
            rows = {name: (int(held[name][0]), str(held[name][1])) for name in ("event", "letter", "delivery")}
            return Mark(str(held["installation"]), str(held["epoch"]), **rows)
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise MarkUnusable(
                Text(
                    f"Không đọc được {self.path}, nơi ghi đã gửi đến đâu; nếu chắc cơ sở dữ liệu là bản mới nhất, hãy "
                    "xóa tệp ấy.",
                    f"{self.path}, which says how far letters were sent, cannot be read; if the database is surely the "
                    "newest, delete that file.",
                )
            ) from error


@dataclass(frozen=True, slots=True)
class MarkElsewhere(HighWater):
    """The mark once more, on another machine: a snapshot of the whole data folder takes back the file, too. ``path``:
    the data folder, and what it is called there. A snapshot of both machines, and what was sent since the mark was
    moved last (the audit's five minutes), cannot be noticed."""

    read: Callable[[], str | None]
    write: Callable[[str], None]

    def _kept(self) -> str | None:
        return self.read()

    def _move(self, database: Database, after: int, mark: Mark) -> None:
        """Changes of accounts are noted by this machine's own mark."""
        self.write(json.dumps(asdict(mark)))


def _is_behind(session: Session, mark: Mark, known: tuple[str, ...]) -> bool:
    """True if the database does not know what the mark names. A mark of an earlier epoch that it knows is over: a
    person has decided since, on another machine."""
    if mark.epoch not in known:
        return True
    rows = ((_EVENT, mark.event), (_LETTER, mark.letter), (_DELIVERY, mark.delivery))
    return mark.epoch == known[-1] and any(_found(session, kind, row[0]) != row for kind, row in rows)


def _stands(session: Session) -> Mark:
    known = epochs(session)
    rows = (_found(session, kind) for kind in (_EVENT, _LETTER, _DELIVERY))
    return Mark(installation(session), known[-1] if known else "", *rows)


# Instants, which no step of the schema rewrites.
_EVENT = (Event, "at")
_LETTER = (Letter, "created_at")
_DELIVERY = (Delivery, "at")


def _found(session: Session, kind: tuple[type[SQLModel], str], number: int | None = None) -> Row:
    """The row with this number, or the last one."""
    t = table(kind[0])
    statement = select(t.c.id, t.c[kind[1]].label("at")).order_by(t.c.id.desc()).limit(1)
    if number is not None:
        statement = statement.where(t.c.id == number)
    row = session.connection().execute(statement).first()
    return NO_ROW if row is None else (row.id, row.at.isoformat())
