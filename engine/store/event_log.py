"""The append-only, chained event log. An event with a key is written only once.

The chain over the event log: each event's link bears a digest of the link before and of the event as it is stored.

Links are written at the end of the transaction that has written events, one transaction after the other, so that their
order is that of the commits on both databases. Whoever changes, removes or inserts an event by hand breaks the chain
from there on; whoever makes all links again is betrayed by a head that is kept elsewhere (backups, weekly letters).
What was logged before there was a chain has no links.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any, Protocol

from sqlalchemy import Connection, Select, String, bindparam, cast, func, null, select, text
from sqlmodel import Session

from engine.errors import BadInput
from engine.store import webhook_outbox
from engine.store.database import BEFORE_COMMIT, insert_new, insert_rows, table
from engine.store.facts import write_fact
from engine.store.records import Event, EventLink, Fact
from engine.store.stored_rows import AnyRow
from engine.terms import EventKind
from engine.text import Text

AFTER, ACCEPTED = "events_after", "events_accepted"
LOCK = text("SELECT pg_advisory_xact_lock(7290418264)")
"""Of one database: the last that a transaction takes, so that none waits for another that waits for it."""
READ_AT_ONCE = 1_000
LAST = 2**63 - 1
"""With an end, too, a planner without statistics takes what is behind an event for little and goes by the index."""
SEPARATOR = "\x1f"
"""Stands in no JSON and in none of our own words."""


@dataclass(frozen=True, slots=True)
class Head:
    """A link: its number, from 1 on, and its digest."""

    position: int = 0
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.position} {self.digest[:32]}"

    @classmethod
    def read(cls, text: str) -> Head:
        """As it was written. Raises BadInput."""
        position, _, digest = text.strip().partition(" ")
        if not position.isdecimal() or len(digest) < 32:
            raise BadInput(
                Text("Ghi số và mã như trong thư: 1234 9f86d081….", "Give number and digest as the letter has them.")
            )
        return cls(int(position), digest)

    def stands(self, connection: Connection) -> bool:
        """Whether this link is in the log still."""
        link = table(EventLink)
        kept = connection.scalar(select(link.c.digest).where(link.c.position == self.position)) or ""
        return not self.position or (bool(kept) and kept.startswith(self.digest))


NO_LINK = Head()


@dataclass(frozen=True, slots=True)
class Verdict:
    """``head``: the last link that was looked at. ``event``: number of the first event that does not fit; 0: none."""

    head: Head
    event: int = 0


def expect(session: Session) -> None:
    """Events are about to be written: link them before the commit."""
    if AFTER not in session.info:
        session.info[AFTER] = session.connection().scalar(_last_event()) or 0
        session.info.setdefault(BEFORE_COMMIT, []).append(_link)


def accepted(connection: Connection) -> frozenset[int]:
    """Events that do not fit, of which a person has said so."""
    f = table(Fact)
    kept = connection.scalar(select(f.c.value).where(f.c.name == ACCEPTED))
    return frozenset(map(int, kept.split())) if kept else frozenset()


def accept(session: Session, event: int) -> None:
    write_fact(session, ACCEPTED, " ".join(map(str, sorted({*accepted(session.connection()), event}))))


def head(connection: Connection) -> Head:
    """The last link; position 0 where there is none."""
    row = connection.execute(_last_link()).first()
    return Head(row.position, row.digest) if row else NO_LINK


def verify(connection: Connection, at: Head = NO_LINK, most: int | None = None) -> Verdict:
    """Look at the links behind one, at most so many. Events that were ``accepted`` may differ."""
    known = accepted(connection)
    until = at.position + most if most else head(connection).position
    while at.position < until:
        links = _links(connection, at.position, min(until - at.position, READ_AT_ONCE))
        if not links:
            break
        for row in links:
            position, event, digest, *said = row
            fits = position == at.position + 1 and said[0] is not None and digest == _digest(at.digest, *said)
            if not fits and event not in known:
                return Verdict(at, event)
            at = Head(position, digest)
    return Verdict(at)


def loose(connection: Connection, newest: int | None = None) -> int:
    """The first event that was logged without a link since there are links, of the ``newest`` so many, and was not
    ``accepted``; 0: none."""
    e, link = table(Event), table(EventLink)
    first = connection.scalar(select(func.min(link.c.event_id)))
    last = connection.scalar(_last_event()) or 0
    linked = select(link.c.event_id).where(link.c.event_id == e.c.id).exists()
    since = max(first or last, last - newest if newest else 0)
    unlinked = e.c.id > since, e.c.id.not_in(accepted(connection)), ~linked
    return connection.scalar(select(func.min(e.c.id)).where(*unlinked)) or 0


def _links(connection: Connection, after: int, most: int) -> Sequence[AnyRow]:
    """With their events; of one that holds what cannot be read, the link alone."""
    e, link = table(Event), table(EventLink)
    numbers = (link.c.position, link.c.event_id, link.c.digest)
    links = select(*numbers).where(link.c.position > after).order_by(link.c.position).limit(most)
    try:
        return connection.execute(links.add_columns(*_said()).outerjoin(e, e.c.id == link.c.event_id)).all()
    except (ValueError, LookupError, TypeError):
        if most == 1:
            return connection.execute(links.add_columns(*(null() for _ in _said()))).all()
        return _links(connection, after, 1)


def _said() -> tuple[Any, ...]:
    """All that an event says, as it is stored. Not its key, which ``dondoc repair`` may free."""
    c = table(Event).c
    return c.id, c.at, c.plan_id, c.assignment_id, cast(c.kind, String), c.actor, cast(c.detail, String)


@cache
def _new_events() -> Select[Any]:
    """Built once: it is run with nearly every transaction."""
    e, link = table(Event), table(EventLink)
    linked = select(link.c.event_id).where(link.c.event_id == e.c.id).exists()
    return select(*_said()).where(e.c.id.between(bindparam("first"), LAST), ~linked).order_by(e.c.id)


@cache
def _last_event() -> Select[Any]:
    return select(func.max(table(Event).c.id))


@cache
def _last_link() -> Select[Any]:
    link = table(EventLink)
    return select(link.c.position, link.c.digest).order_by(link.c.position.desc()).limit(1)


def _link(session: Session) -> None:
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(LOCK)
    position, digest = astuple(head(connection))
    links = []
    for row in connection.execute(_new_events(), {"first": session.info.pop(AFTER) + 1}):
        position, digest = position + 1, _digest(digest, *row)
        links.append({"position": position, "event_id": row[0], "digest": digest})
    insert_rows(session, EventLink, links)


def _digest(before: str, number: int, at: datetime, *said: object) -> str:
    content = SEPARATOR.join(map(str, (before, number, at.isoformat(), *said)))
    return sha256(content.encode()).hexdigest()


def content_digest(body: object) -> str:
    """SHA-256 of a JSON value with sorted keys, in hexadecimal: by it events name what was loaded."""
    return sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class AssignmentRow(Protocol):
    """An assignment as any query reads it: the event is written to its story and its plan's."""

    @property
    def id(self) -> int: ...
    @property
    def plan_id(self) -> int: ...


def record(
    session: Session,
    kind: EventKind,
    at: datetime,
    row: AssignmentRow | None = None,
    *,
    actor: str = "system",
    plan_id: int | None = None,
    assignment_id: int | None = None,
    key: str | None = None,
    **detail: object,
) -> None:
    """Append one event. ``row`` stands for ``plan_id`` and ``assignment_id``; ``detail`` is stored as JSON."""
    written = event(kind, at, row, actor=actor, plan_id=plan_id, assignment_id=assignment_id, key=key, **detail)
    append(session, [written])


def event(
    kind: EventKind,
    at: datetime,
    row: AssignmentRow | None = None,
    *,
    actor: str = "system",
    plan_id: int | None = None,
    assignment_id: int | None = None,
    key: str | None = None,
    **detail: object,
) -> dict[str, Any]:
    """Build one of many events, to be passed to ``append``."""
    return {
        "at": at,
        "kind": kind,
        "actor": actor,
        "plan_id": plan_id if row is None else row.plan_id,
        "assignment_id": assignment_id if row is None else row.id,
        "detail": detail,
        "key": key,
    }


def append(session: Session, events: Iterable[dict[str, object]]) -> None:
    """Append many events; those whose key already exists are skipped. What webhooks are told goes into their outbox in
    the same transaction."""
    rows = list(events)
    if not rows:
        return
    expect(session)
    insert_new(session, Event, rows)
    webhook_outbox.enqueue(session, rows)
