"""What a transaction has written, for the versions of its topics (``engine.store.data_versions``): ``Database.write``
sees the tables, and who knows that a change is about the work of a few agencies says so by ``about``. Then a reader of
an older version can read the work of these agencies again, and keep what it knows of all others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from secrets import randbelow, token_hex
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection, TextClause, delete, func, insert, select, text
from sqlmodel import Session

from engine.store.data_versions import SLOTS, Topic, Versions, topics_written
from engine.store.records import ChangedWork, DataVersion

P = ParamSpec("P")
T = TypeVar("T")
WRITTEN, SINCE = "written", "since"
"""In ``Session.info``: what the transaction has written, and whose work was found to differ between two versions."""
MOST_AGENCIES = 40
"""A change about more of them is taken to be about anybody's work."""
MOST_ROWS = 500
"""A reader who is further behind reads everything again."""
KEPT_ROWS = 20_000
VERSION_CHARS = 16


@dataclass(slots=True)
class _Part:
    """What was written within one ``about``."""

    agencies: set[str]
    topics: set[Topic] = field(default_factory=set)


@dataclass(slots=True)
class Written:
    """By topic: about the work of which agencies; None: of any. ``parts``: the open ones, the innermost last."""

    topics: dict[Topic, set[str] | None] = field(default_factory=dict)
    parts: list[_Part] = field(default_factory=list)

    def add(self, topics: Collection[Topic]) -> None:
        if self.parts:
            self.parts[-1].topics.update(topics)
        else:
            self.topics.update(dict.fromkeys(topics))

    def end(self, part: _Part) -> None:
        self.parts.remove(part)
        for topic in part.topics:
            known = self.topics.setdefault(topic, set())
            if known is not None:
                self.topics[topic] = known | part.agencies if part.agencies else None


@contextmanager
def about(session: Session, *agencies: str) -> Iterator[None]:
    """Within, everything that is written is about the work of these agencies alone, and of those that ``about_agency``
    names: their assignments and what belongs to them, and letters to them. What is written without is taken to be
    about anybody's."""
    written: Written | None = session.info.get(WRITTEN)
    if written is None:  # not in ``Database.write``: nobody is told
        yield
        return
    part = _Part(set(agencies))
    written.parts.append(part)
    try:
        yield
        session.flush()
    finally:
        written.end(part)


def about_agency(session: Session, agencies: Iterable[str]) -> None:
    """Of these, too, in the innermost ``about``, if there is one; else they are not even looked at."""
    written: Written | None = session.info.get(WRITTEN)
    if written is not None and written.parts:
        written.parts[-1].agencies.update(agencies)


def of_one(act: Callable[P, T]) -> Callable[P, T]:
    """An act, with the session as its first argument, ``about`` the agency whose assignment it finds, and those that
    ``about_agency`` names further on."""

    @wraps(act)
    def acting(*arguments: P.args, **named: P.kwargs) -> T:
        session = arguments[0]
        assert isinstance(session, Session)
        with about(session):
            return act(*arguments, **named)

    return acting


def note_write(connection: Connection, table: str, columns: Collection[str] | None = None) -> None:
    """Remember what a statement has written, for the transaction of ``Database.write`` that it belongs to. ``columns``:
    of an update, if they are known."""
    written: Written | None = connection.get_execution_options().get("dondoc_written")
    if written is not None:
        written.add(topics_written(table, columns))


def change_versions(session: Session, written: Written) -> None:
    """Give each topic a new version: a random one, so that a database that was put back has no version of another
    past. Last before a commit: another transaction may wait for the row. A change about a few agencies is a row for
    each, with the version before it: a reader follows them from the version that it knows, and where one is missing,
    as of a program that writes none, it knows nothing."""
    connection = session.connection()
    slot = randbelow(SLOTS) if connection.dialect.name == "postgresql" else 0
    version = token_hex(VERSION_CHARS // 2)
    told = {
        topic: agencies for topic, agencies in written.topics.items() if agencies and len(agencies) <= MOST_AGENCIES
    }
    before = _locked(connection, slot) if told else {}
    connection.execute(_change(tuple(sorted(written.topics))), {"slot": slot, "version": version})
    if told:
        rows = [
            {"slot": slot, "topic": topic, "before": before.get(topic, ""), "version": version, "agency_id": agency_id}
            for topic, agencies in told.items()
            for agency_id in sorted(agencies)
        ]
        connection.execute(insert(ChangedWork.__table__), rows)  # type: ignore[attr-defined]


def _locked(connection: Connection, slot: int) -> Mapping[str, str]:
    v = DataVersion.__table__  # type: ignore[attr-defined]
    statement = select(*(v.c[topic] for topic in Topic)).where(v.c.slot == slot).with_for_update()
    row = connection.execute(statement).mappings().first()
    return {} if row is None else dict(row)


@lru_cache(maxsize=256)
def _change(topics: tuple[Topic, ...]) -> TextClause:
    return text(
        f"INSERT INTO data_version (slot, {', '.join(topics)}) VALUES (:slot, {', '.join(':version' for _ in topics)}) "
        f"ON CONFLICT (slot) DO UPDATE SET {', '.join(f'{topic} = excluded.{topic}' for topic in topics)}"
    )


def changed_agencies(
    session: Session, before: Mapping[Topic, Versions], now: Mapping[Topic, Versions]
) -> frozenset[str] | None:
    """Whose work may differ between two versions of the topics of ``before``; None: anybody's may. ``now`` was read in
    this session."""
    found: set[str] = set()
    for topic, versions in before.items():
        for slot, (was, is_now) in enumerate(zip(versions, now[topic], strict=True)):
            if was == is_now:
                continue
            since = _since(session, slot, topic, was, is_now)
            if since is None:
                return None
            found |= since
    return frozenset(found)


def _since(session: Session, slot: int, topic: Topic, was: str, is_now: str) -> set[str] | None:
    """The agencies of a topic's changes from one version to another; None: not all are known. Read once a session,
    which has one snapshot."""
    known: dict[tuple[int, Topic, str], set[str] | None] = session.info.setdefault(SINCE, {})
    key = slot, topic, was
    if key not in known:
        known[key] = _read_since(session, slot, topic, was, is_now)
    return known[key]


def _read_since(session: Session, slot: int, topic: Topic, was: str, is_now: str) -> set[str] | None:
    c = ChangedWork.__table__.c  # type: ignore[attr-defined]
    same = c.slot == slot, c.topic == topic
    first = select(func.min(c.id)).where(*same, c.before == was).scalar_subquery()
    statement = select(c.before, c.version, c.agency_id).where(*same, c.id >= first).order_by(c.id).limit(MOST_ROWS)
    at, agencies = was, set[str]()
    for before, version, agency_id in session.connection().execute(statement):
        if version != at and before != at:
            return None
        at = version
        agencies.add(agency_id)
    return agencies if at == is_now else None


def forget_old_changes(session: Session) -> int:
    """Delete all but the newest rows; returns how many."""
    c = ChangedWork.__table__  # type: ignore[attr-defined]
    newest: Any = select(func.max(c.c.id)).scalar_subquery()
    return session.connection().execute(delete(c).where(c.c.id <= newest - KEPT_ROWS)).rowcount
