"""Named values that outlive a process (the table ``fact``): when something was done last, what an installation is.

What an installation remembers of itself: its last backup, that it was restored from one, that its mail was tried.

How long letters waited from the moment they were due until a relay or gateway had accepted them.

Counted by the passes that send, once a pass, and added up in a fact, so that every process tells the same. A letter
that needed more than one attempt counts from when it was made: its first due moment is not kept.
"""

from __future__ import annotations

import json
import secrets
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import bindparam, delete, func, inspect, or_, select, update
from sqlmodel import Session

from engine.store.database import Database, insert_new, table
from engine.store.records import STILL_OWED, Fact, Letter

T = TypeVar("T")
JSON_FACTS = frozenset(
    {
        *("accounts_after_restore", "alarmed_findings", "canary", "clock", "epochs", "installation", "letter_waits"),
        *("restored", "rows_differ", "secret_keys", "weekly_letter"),
    }
)
JSON_PREFIXES = ("channel:", "machine:")


def read_fact(session: Session, name: str) -> str | None:
    """The value; None if it was never written."""
    value: str | None = session.connection().scalar(_value(), {"name": name})
    return value


def read_as(value: str | None, read: Callable[[Any], T], nothing: T) -> T:
    """What a stored JSON value says; ``nothing`` where there is none, or none that can be read: what a hand has left
    there is no fact, and a finding of the audit (``unreadable_facts``)."""
    if not value:
        return nothing
    try:
        return read(json.loads(value))
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        return nothing


def read_instant(value: Any) -> datetime | None:
    """An ISO instant, aware UTC; None where there is none, or none that can be read."""
    with suppress(ValueError, TypeError, OverflowError):
        return datetime.fromisoformat(value or "").astimezone(UTC)
    return None


def dated(made: T, *names: str) -> T:
    """``made``, whose fields of these names are ISO instants or empty. Raises ValueError."""
    if any(read_instant(getattr(made, name)) is None for name in names if getattr(made, name)):
        raise ValueError(names)
    return made


def unreadable_facts(session: Session) -> list[str]:
    """Names of values that are to be JSON and are none."""
    f = table(Fact)
    named = or_(f.c.name.in_(JSON_FACTS), *(f.c.name.startswith(each, autoescape=True) for each in JSON_PREFIXES))
    found = session.connection().execute(select(f.c.name, f.c.value).where(named)).all()
    return sorted(name for name, value in found if value and not read_as(value, _is_structure, nothing=False))


def _is_structure(value: Any) -> bool:
    return isinstance(value, (dict, list))


def fact_if_made(database: Database, name: str) -> str | None:
    """As ``read_fact``. None from a database without tables, which is not created here. Raises Unavailable."""
    if database.dialect == "sqlite" and not Path(database.url.database or "").exists():
        return None
    with database.read() as session:
        return read_fact(session, name) if inspect(session.connection()).has_table(table(Fact).name) else None


@cache
def _value() -> Any:
    """Built once: it is run whenever letters have been sent."""
    f = table(Fact)
    return select(f.c.value).where(f.c.name == bindparam("name"))


def read_facts(session: Session, prefix: str) -> dict[str, str]:
    """The values of all names that begin with a prefix, by the rest of the name."""
    f = table(Fact)
    rows = session.connection().execute(select(f.c.name, f.c.value).where(f.c.name.startswith(prefix, autoescape=True)))
    return {name.removeprefix(prefix): value for name, value in rows}


def write_fact(session: Session, name: str, value: str) -> None:
    """Write the value, whatever was there before."""
    f = table(Fact)
    written = update(f).where(f.c.name == name).values(value=value)
    new = [{"name": name, "value": value}]
    # Two at once may both find nothing to update; the one whose insert comes second updates after all.
    if session.connection().execute(written).rowcount == 0 and insert_new(session, Fact, new) == 0:
        session.connection().execute(written)


def advance_fact(session: Session, name: str, value: str) -> bool:
    """Write a value that sorts after the one before; False if it is there already, or a later one. Of two transactions
    that try the same, the second waits for the first and gets False."""
    f = table(Fact)
    insert_new(session, Fact, [{"name": name, "value": ""}])
    later = update(f).where(f.c.name == name, f.c.value < value).values(value=value)
    return session.connection().execute(later).rowcount == 1


def swap_fact(session: Session, name: str, old: str, new: str) -> bool:
    """Write a value in the place of ``old``; "" where there was none. False if somebody else was quicker."""
    f = table(Fact)
    if not old and insert_new(session, Fact, [{"name": name, "value": new}]) == 1:
        return True
    swapped = update(f).where(f.c.name == name, f.c.value == old).values(value=new)
    return session.connection().execute(swapped).rowcount == 1


BACKUP, HOLD, EPOCHS = "last_backup", "restored", "epochs"
INSTALLATION = "installation"
"""The id of the installation and a check value of its secret (``workflows.run.installation``)."""


MAIL_TRIED, LAST_TICK = "mail_tried", "last_tick"
UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""Of a hold whose times cannot be read: letters are held all the same."""


@dataclass(frozen=True, slots=True)
class Hold:
    """No letter leaves an earlier copy, restored or put back: what it does not know may have been sent already."""

    backup_at: datetime
    restored_at: datetime


def last_backup(session: Session) -> datetime | None:
    return read_instant(read_fact(session, BACKUP))


def remember_backup(session: Session, now: datetime) -> None:
    write_fact(session, BACKUP, now.isoformat())


def last_tick(session: Session) -> datetime | None:
    """When a tick last came to its end, by the system's clock."""
    return read_instant(read_fact(session, LAST_TICK))


def remember_tick(session: Session, now: datetime) -> None:
    write_fact(session, LAST_TICK, now.isoformat())


def mail_tried(session: Session, host: str) -> datetime | None:
    """When this relay last accepted a test letter."""
    tried_host, _, at = (read_fact(session, MAIL_TRIED) or "").partition(" ")
    return read_instant(at) if tried_host == host else None


def remember_mail_tried(session: Session, host: str, now: datetime) -> None:
    write_fact(session, MAIL_TRIED, f"{host} {now.isoformat()}")


def hold(session: Session) -> Hold | None:
    """Why letters are held; None if they are not."""
    value = read_fact(session, HOLD)
    if not value:
        return None
    return read_as(value, _hold, Hold(UNKNOWN, UNKNOWN))


def _hold(kept: Mapping[str, str]) -> Hold:
    return Hold(datetime.fromisoformat(kept["backup_at"]), datetime.fromisoformat(kept["restored_at"]))


def hold_letters(session: Session, since: Hold) -> None:
    value = {"backup_at": since.backup_at.isoformat(), "restored_at": since.restored_at.isoformat()}
    write_fact(session, HOLD, json.dumps(value))


def end_hold(session: Session) -> None:
    begin_epoch(session)
    session.connection().execute(delete(table(Fact)).where(table(Fact).c.name == HOLD))


def epochs(session: Session) -> tuple[str, ...]:
    """Random names of the database's epochs, the newest last. One begins when a person lets go what was held."""
    return read_as(read_fact(session, EPOCHS), lambda kept: tuple(map(str, kept)), ())


def begin_epoch(session: Session, *, first: bool = False) -> None:
    """``first``: only where there is none yet. Of two transactions the second waits, so that neither's is lost."""
    f = table(Fact)
    insert_new(session, Fact, [{"name": EPOCHS, "value": "[]"}])
    locked = select(f.c.value).where(f.c.name == EPOCHS).with_for_update()
    known: list[str] = read_as(session.connection().scalar(locked), list, [])
    if not (first and known):
        write_fact(session, EPOCHS, json.dumps([*known, secrets.token_hex(8)]))


def installation(session: Session) -> str:
    """The id of the installation; empty where there is none."""
    return read_as(read_fact(session, INSTALLATION), lambda kept: str(kept["id"]), "")


def held_letters(session: Session, now: datetime) -> int:
    """How many letters would leave now if they were not held."""
    m = table(Letter)
    statement = select(func.count()).select_from(m).where(STILL_OWED, m.c.send_after <= now)
    return session.connection().scalar(statement) or 0


FACT = "letter_waits"
BOUNDS_SECONDS = (1, 5, 15, 30, 60, 120, 300, 900, 3600, 14400, 86400)
AIM_SECONDS, AIM_SHARE = 60, 0.95
"""Of the letters of a morning so many are to be accepted so soon after they are due."""
Waits = Mapping[int, int]
"""Letters by the place of their wait in BOUNDS_SECONDS; behind the last: longer than all."""


@dataclass(frozen=True, slots=True)
class LetterWaits:
    """Since the installation began. ``seconds``: all waits together."""

    counts: Waits
    seconds: float

    def cumulative(self) -> list[tuple[str, int]]:
        """Letters that waited no longer than each bound, as Prometheus counts them."""
        total, found = 0, []
        for place, bound in enumerate((*map(str, BOUNDS_SECONDS), "+Inf")):
            total += self.counts.get(place, 0)
            found.append((bound, total))
        return found


def place(seconds: float) -> int:
    return bisect_left(BOUNDS_SECONDS, seconds)


def read_waits(session: Session) -> LetterWaits:
    return _read(read_fact(session, FACT))


def add_waits(session: Session, counts: Waits, seconds: float) -> None:
    """Of two processes the second waits, so that neither's letters are lost."""
    f = table(Fact)
    insert_new(session, Fact, [{"name": FACT, "value": "{}"}])
    before = _read(session.connection().scalar(select(f.c.value).where(f.c.name == FACT).with_for_update()))
    total = Counter(before.counts) + Counter(counts)
    value = {"counts": {str(each): number for each, number in sorted(total.items())}}
    write_fact(session, FACT, json.dumps(value | {"seconds": round(before.seconds + seconds, 3)}))


def _read(value: str | None) -> LetterWaits:
    return read_as(value, _counted, LetterWaits({}, 0.0))


def _counted(kept: Mapping[str, Any]) -> LetterWaits:
    counts = {int(each): int(number) for each, number in kept.get("counts", {}).items()}
    return LetterWaits(counts, float(kept.get("seconds", 0.0)))
