"""Named values that outlive a process (the table ``fact``): when something was done last, what an installation is."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import bindparam, inspect, or_, select, update
from sqlmodel import Session

from engine.store.database import Database, insert_new, table
from engine.store.records import Fact

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
