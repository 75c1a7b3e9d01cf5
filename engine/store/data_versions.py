"""Versions of what is stored, by topic: whoever writes a table of a topic changes its version in the same transaction.

So any process can tell whether what it has read before still holds (``engine.queries.kept``). ``Database.write`` sees
the tables that its statements name (``engine.store.changed_work``); nobody else has to remember to say what changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from functools import lru_cache
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import ColumnElement, select
from sqlmodel import Session

from engine.store.records import DataVersion

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
