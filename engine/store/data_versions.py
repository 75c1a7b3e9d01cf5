"""Versions of what is stored, by topic: whoever writes a table of a topic changes its version in the same transaction.

So any process can tell whether what it has read before still holds (``engine.queries.kept``). ``Database.write`` sees
the tables that its statements name (``engine.store.data_versions``); nobody else has to remember to say what changed.

What a transaction has written, for the versions of its topics (``engine.store.data_versions``): ``Database.write``
sees the tables, and who knows that a change is about the work of a few agencies says so by ``about``. Then a reader of
an older version can read the work of these agencies again, and keep what it knows of all others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache, wraps
from secrets import randbelow, token_hex
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import ColumnElement, Connection, TextClause, delete, func, insert, select, text
from sqlmodel import Session

from engine.store.records import ChangedWork, DataVersion

SLOTS = 8
"""PostgreSQL: rows that the versions are spread over, so that commits seldom wait for each other."""


class Topic(StrEnum):
    """Named as the columns of ``DataVersion``."""

    PLANS = "plans"
    """Plans and their duties."""
    WORK = "work"
    """Assignments, reports and what else is done about them."""
    REMINDERS = "reminders"
    """What a pass that reminds changes of assignments (``REMINDED``), and nothing else of the work."""
    LETTERS = "letters"
    MESSAGES = "messages"
    """What people answered by mail and SMS."""
    DIRECTORY = "directory"
    CALENDAR = "calendar"
    RULES = "rules"
    LOG = "log"
    ACCOUNTS = "accounts"
    """Accounts, their sessions, and what each reader keeps: saved views, acts to undo."""


TOPICS: Mapping[str, Topic | None] = {
    **dict.fromkeys(("plan", "duty"), Topic.PLANS),
    **dict.fromkeys(
        (
            "assignment",
            "report",
            "extension",
            "promise",
            "told",
            "thread_entry",
            "draft",
            "evidence",
            "frozen",
        ),
        Topic.WORK,
    ),
    **dict.fromkeys(("letter", "letter_body", "notice", "delivery", "digest", "answer_code"), Topic.LETTERS),
    **dict.fromkeys(("incoming", "incoming_message"), Topic.MESSAGES),
    **dict.fromkeys(("agency", "succession", "agency_group", "contact"), Topic.DIRECTORY),
    "calendar_day": Topic.CALENDAR,
    **dict.fromkeys(("policy", "ladder", "dispatch_wording", "paper_settings"), Topic.RULES),
    "event": Topic.LOG,
    **dict.fromkeys(("account", "second_factor", "signed_in", "saved_view", "undoable_act"), Topic.ACCOUNTS),
    **dict.fromkeys(
        (
            "api_token",
            "attempt",
            "changed_work",
            "data_version",
            "event_link",
            "fact",
            "feed",
            "idempotency_key",
            "list_mark",
            "pass",
            "pending_answer",
            "plan_draft",
            "row_seal",
            "sign_in_link",
            "tally",
            "tally_change",
            "webhook",
            "webhook_message",
        )
    ),
}
"""The topic of each table; None: nothing that depends on it may be kept."""
REMINDED = frozenset({"acted_until", "next_action_at", "quiet", "level"})
"""Columns of ``assignment`` that are of the topic ``REMINDERS``."""
VERSION_TABLES = ("data_version", "changed_work")
"""What versions are read from."""

Versions = tuple[str, ...]
"""Of a topic: that of each slot, empty where nothing was written."""
P = ParamSpec("P")
T = TypeVar("T")
Query = Callable[Concatenate[Session, P], T]
KEEPER = "keeper"
"""In ``Session.info``: what keeps answers for the reader of this session, if anything does."""
ALWAYS = frozenset({Topic.CALENDAR, Topic.RULES})
"""What a day means: which due dates are soon, how many working days are left."""
TOPICS_OF: dict[Callable[..., object], frozenset[Topic]] = {}
"""The queries whose answers may be kept, with what they depend on."""


def depends_on(*topics: Topic) -> Callable[[Query[P, T]], Query[P, T]]:
    """Declare the topics of all tables that a query reads, besides ``ALWAYS``: its answer may be kept. Not for one that
    depends on the hour, or on a setting."""

    def declare(query: Query[P, T]) -> Query[P, T]:
        TOPICS_OF[query] = ALWAYS.union(topics)
        return query

    return declare


def ask(session: Session, query: Query[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """The answer of a part of a larger query: kept where the reader's answers are, so that it outlives the larger one's
    changes; else read."""
    keeper = session.info.get(KEEPER)
    if keeper is None:
        return query(session, *arguments, **named)
    found: T = keeper.ask(session, query, *arguments, **named)
    return found


BY_AGENCY: set[Callable[..., Any]] = set()
"""Of the queries whose answers may be kept, those that are read by agency."""


def by_agency(*topics: Topic) -> Callable[[Query[P, T]], Query[P, T]]:
    """As ``depends_on``, of a query that answers by agency and takes ``agencies``: those to read, None for all. After a
    change of which is known whose work it is about, only theirs is read again. What it answers of an agency depends on
    nothing but that agency's assignments, what belongs to them, and its letters."""

    def declare(query: Query[P, T]) -> Query[P, T]:
        BY_AGENCY.add(query)
        return depends_on(*topics)(query)

    return declare


def of_agencies(agency_id: ColumnElement[str], agencies: Collection[str] | None) -> list[ColumnElement[bool]]:
    """The condition of a query by agency on the column that names them: none if all are read."""
    return [] if agencies is None else [agency_id.in_(sorted(agencies))]


def is_read(agency_id: str, agencies: Collection[str] | None) -> bool:
    """Whether an agency is one of those that a query by agency is to read."""
    return agencies is None or agency_id in agencies


WORD = re.compile(r"\w+")
REMINDED_READ = re.compile(r"\b(?!agency)\w+\.level\b|\b(?:acted_until|next_action_at|quiet)\b")
"""Columns of ``REMINDED`` in a statement; agencies have levels, too."""
Reads = set[Topic | None]
"""What was read, by topic. None: a table that has none."""
_READS: ContextVar[Reads | None] = ContextVar("reads", default=None)


@contextmanager
def noting_reads(reads: Reads | None) -> Iterator[None]:
    """Within, and in the threads that are called from there, what sessions of ``Database.read`` read is added to
    ``reads``; None: to nothing."""
    token = _READS.set(reads)
    try:
        yield
    finally:
        _READS.reset(token)


def note_read(topics: Collection[Topic | None]) -> None:
    reads = _READS.get()
    if reads is not None:
        reads.update(topics)


def note_statement(sql: str) -> None:
    """Called for every statement; does something only while reads are recorded."""
    if _READS.get() is not None:
        note_read(read_topics(sql))


@lru_cache(maxsize=1024)
def read_topics(sql: str) -> frozenset[Topic | None]:
    """The topics of the tables that a statement reads. May return too many topics, never too few: a column may be
    called like a table."""
    words = set(WORD.findall(sql))
    found = {TOPICS[word] for word in words if word in TOPICS and word not in VERSION_TABLES}
    return frozenset(found | {Topic.REMINDERS} if "assignment" in words and REMINDED_READ.search(sql) else found)


def topics_written(table: str, columns: Collection[str] | None = None) -> Collection[Topic]:
    """The topics that a write changes. ``columns``: of an update; None: any."""
    topic = TOPICS.get(table)
    if topic is None:
        return ()
    if table != "assignment":
        return (topic,)
    return (Topic.REMINDERS,) if columns is not None and REMINDED.issuperset(columns) else (topic, Topic.REMINDERS)


def read_versions(session: Session) -> Mapping[Topic, Versions]:
    """The versions at this moment: what is read after them in this session is of these or later ones."""
    rows = {row["slot"]: row for row in session.connection().execute(_ALL).mappings()}
    return {topic: tuple(rows[slot][topic] if slot in rows else "" for slot in range(SLOTS)) for topic in Topic}


_ALL = select(*(DataVersion.__table__.c[name] for name in ("slot", *Topic)))  # type: ignore[attr-defined]


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
