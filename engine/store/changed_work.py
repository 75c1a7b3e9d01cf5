"""What a transaction has written, for the versions of its topics (``engine.store.data_versions``): ``Database.write``
sees the tables, and who knows that a change is about the work of a few agencies says so by ``about``. Then a reader of
an older version can read the work of these agencies again, and keep what it knows of all others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from secrets import randbelow, token_hex
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection, TextClause, select, text
from sqlmodel import Session

from engine.store.data_versions import SLOTS, Topic, Versions, written_topics
from engine.store.records import DataVersion
from engine.store.records.running import MOST_CHANGES

P = ParamSpec("P")
T = TypeVar("T")
WRITTEN, TOLD = "written", "told"
"""In ``Session.info``: what the transaction has written, and what was told of those before."""
ANY = "*"
"""Whose work was changed where that is not known, or of too many to name."""
MOST_AGENCIES = 40
PLAIN_ID = re.compile(r"[\w.-]+")
MARK = "n"
"""With which versions begin. Those of a program before this one do not: what it changes is not told."""
LOST = "!"
VERSION_CHARS = 16


@dataclass(slots=True)
class _Part:
    """What was written within one ``about``."""

    agencies: set[str]
    nobody: bool
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
        unsaid = not part.agencies and not part.nobody
        for topic in part.topics:
            known = self.topics.setdefault(topic, set())
            if known is not None:
                self.topics[topic] = None if unsaid else known | part.agencies


@contextmanager
def about(session: Session, *agencies: str, nobody: bool = False) -> Iterator[None]:
    """Within, everything that is written is about the work of these agencies alone, and of those that ``about_agency``
    names: their assignments and what belongs to them, and letters to them. What is written without is taken to be
    about anybody's. ``nobody``: it changes nothing that anybody reads, as when sums are kept in another way."""
    written: Written | None = session.info.get(WRITTEN)
    if written is None:  # not in ``Database.write``: nobody is told
        yield
        return
    part = _Part(set(agencies), nobody)
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


def note_writes(connection: Connection, cursor: Any, sql: str) -> None:
    """Remember what a statement has written, for the transaction of ``Database.write`` that it belongs to. One that
    met no row has written nothing; of one that returns rows or has parts (WITH) the driver cannot tell."""
    written: Written | None = connection.get_execution_options().get("dondoc_written")
    if written is None or (cursor.rowcount == 0 and cursor.description is None and not sql.startswith("WITH")):
        return
    written.add(written_topics(sql))


def change_versions(session: Session, written: Written) -> None:
    """Give each topic a new version: a random one, so that a database that was put back has no version of another
    past. Last before a commit: another transaction may wait for the row."""
    connection = session.connection()
    slot = randbelow(SLOTS) if connection.dialect.name == "postgresql" else 0
    version, about_what = MARK + token_hex(VERSION_CHARS // 2)[1:], _told_of(written.topics)
    statement = _change(tuple(sorted(written.topics)), all(each is None for each in written.topics.values()))
    connection.execute(statement, {"slot": slot, "version": version, "change": version + about_what})


@lru_cache(maxsize=256)
def _change(topics: tuple[Topic, ...], anybodys: bool) -> TextClause:
    """What was told before goes on only from versions that were told of; else it ends with ``LOST``. Of changes to the
    same topics that are about anybody's work the last is enough."""
    versions = ", ".join(f"{topic} = excluded.{topic}" for topic in topics)
    goes_on = " AND ".join(f"substr(data_version.{topic}, 1, 1) IN ('', '{MARK}')" for topic in topics)
    before = "data_version.changes"
    if anybodys:
        alike, first = _told_of(dict.fromkeys(topics)), VERSION_CHARS + 1
        after = f"substr({before}, {first + len(alike)})"
        before = f"CASE WHEN substr({before}, {first}, {len(alike)}) = '{alike}' THEN {after} ELSE {before} END"
    told = f"excluded.changes || CASE WHEN {goes_on} THEN {before} ELSE '{LOST}' END"
    return text(
        f"INSERT INTO data_version (slot, changes, {', '.join(topics)}) "
        f"VALUES (:slot, :change, {', '.join(':version' for _ in topics)}) "
        f"ON CONFLICT (slot) DO UPDATE SET {versions}, changes = substr({told}, 1, {MOST_CHANGES})"
    )


def _told_of(topics: Mapping[Topic, Collection[str] | None]) -> str:
    """«|letters=*|log+work=so-ban,huyen-a;», which follows the version."""
    by_names: dict[str, list[Topic]] = {}
    for topic, agencies in sorted(topics.items()):
        by_names.setdefault(_names(agencies), []).append(topic)
    return "".join(f"|{'+'.join(alike)}={names}" for names, alike in by_names.items()) + ";"


def _names(agencies: Collection[str] | None) -> str:
    if agencies is None or len(agencies) > MOST_AGENCIES or not all(map(PLAIN_ID.fullmatch, agencies)):
        return ANY
    return ",".join(sorted(agencies))


def changed_agencies(
    session: Session, before: Mapping[Topic, Versions], now: Mapping[Topic, Versions]
) -> frozenset[str] | None:
    """Whose work may differ between two versions of the topics of ``before``; None: anybody's may. ``now`` was read in
    this session."""
    slots = _told(session)
    found: set[str] = set()
    for topic, versions in before.items():
        for slot, (was, is_now) in enumerate(zip(versions, now[topic], strict=True)):
            since = set() if was == is_now else slots[slot].since(topic, was, is_now)
            if since is None:
                return None
            found |= since
    return frozenset(found)


def _told(session: Session) -> Mapping[int, _Told]:
    """Read once a session, which has one snapshot."""
    found: Mapping[int, _Told] | None = session.info.get(TOLD)
    if found is None:
        v = DataVersion.__table__  # type: ignore[attr-defined]
        told = session.connection().execute(select(v.c.slot, v.c.changes))
        found = session.info[TOLD] = {slot: _Told.read(changes) for slot, changes in told}
    return found


@dataclass(frozen=True, slots=True)
class _Told:
    """What the changes of a slot were about: version and agencies by topic, the newest first. ``all``: from its very
    first one on."""

    changes: tuple[tuple[str, Mapping[str, str]], ...]
    all: bool

    @classmethod
    def read(cls, told: str) -> _Told:
        *entries, last = told.split(";")
        return cls(tuple(map(_read, entries)), last == "" and len(told) < MOST_CHANGES)

    def since(self, topic: Topic, was: str, is_now: str) -> set[str] | None:
        """The agencies of a topic's changes from one version to another; None: not all are known."""
        of_topic = [(version, topics[topic]) for version, topics in self.changes if topic in topics]
        versions = [version for version, _ in of_topic] + ([""] if self.all else [])
        if was not in versions or versions[0] != is_now:
            return None
        names = [each for _, each in of_topic[: versions.index(was)]]
        return None if ANY in names else {name for each in names for name in each.split(",") if name}


def _read(entry: str) -> tuple[str, Mapping[str, str]]:
    version, *groups = entry.split("|")
    named = [group.split("=", 1) for group in groups]
    return version, {topic: names for topics, names in named for topic in topics.split("+")}
