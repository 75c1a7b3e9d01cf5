"""Incoming messages of people: the list «Thư đến», the queue of those that wait, one message whole, those of a
thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, func, or_, select
from sqlmodel import Session

from engine.assignments import situations
from engine.correspondence.handling import ReceivedFile, file_of
from engine.correspondence.message_acts import Done, MessageDuty, Request, duties_of
from engine.errors import NotFound
from engine.queries.filter_choices import SqlOrders, sql_order
from engine.queries.paging import PER_PAGE, Page, decode, page, streamed
from engine.store.database import table
from engine.store.records import MESSAGE_WAITS, Agency, Assignment, Contact, IncomingMessage, Letter
from engine.store.stored_rows import object_of, objects, objects_of
from engine.terms import AnswerRead, Role, WaitReason
from engine.text import Text

MAX_DUTIES = 60
"""Duties that a message can be settled with, where no letter says what it is about."""
NO_KIND = "none"
MAX_QUEUE = 60
"""Messages that the queue shows; the later ones follow."""
MAX_THREAD = 30
"""Messages of a thread that its page shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """One message in a list. ``agency`` wrote it, "" if it is not known; ``role``: of the contact, None for a mailbox
    that is none."""

    id: int
    at: datetime
    channel: str
    agency_id: str | None
    agency: str
    supervisor_id: str | None
    role: Role | None
    sender: str
    subject: str
    own_text: str
    rest: str
    files: Sequence[Mapping[str, Any]]
    done: Sequence[Mapping[str, Any]]
    about: Sequence[int]
    proposed: Sequence[Mapping[str, Any]]
    undo: Sequence[Mapping[str, Any]]
    handled: AnswerRead | None
    waits: WaitReason | None
    settled_at: datetime | None
    settled_by: str

    @property
    def open(self) -> bool:
        """It waits for a person."""
        return self.waits is not None and self.settled_at is None

    @property
    def acts(self) -> tuple[Done, ...]:
        """What was done, by the system and by people."""
        return tuple(map(Done.of, self.done))

    @property
    def requests(self) -> tuple[Request, ...]:
        """What was read and waits to be confirmed."""
        return tuple(map(Request.of, self.proposed))

    @property
    def ready(self) -> bool:
        """One press records it."""
        return bool(self.proposed) and all(each.whole for each in self.requests)

    @property
    def kind(self) -> str:
        """What it asks first; "" where nothing was read."""
        return str(self.proposed[0]["ask"]) if self.proposed else ""

    @property
    def words(self) -> str:
        """What it says, in a list."""
        return self.own_text or self.subject

    @property
    def kept_files(self) -> tuple[ReceivedFile, ...]:
        return tuple(found for each in self.files if (found := file_of(each)) is not None)

    @property
    def lost_files(self) -> tuple[tuple[str, Text], ...]:
        """Name and reason of what was not kept."""
        return tuple((str(each["name"]), Text(**each["why"])) for each in self.files if "digest" not in each)


@dataclass(frozen=True, kw_only=True)
class MessageFilter:
    """Which messages to list. ``agency_id``: written by; ``waiting``: only those that wait, or do not; ``kind``: by
    what they ask first, «none» where nothing was read; ``reader``: whose they may be, "" for all (``monitor``: of the
    department that reads them, too)."""

    agency_id: str = ""
    kind: str = ""
    waiting: bool | None = None
    reader: str = ""
    monitor: bool = False


@dataclass(frozen=True, kw_only=True)
class MessageStory:
    """A message whole. ``duties``: what it may be settled with; ``for_another``: another contact of the agency had the
    letter that it answers."""

    row: MessageRow
    raw_text: str
    letter_id: int | None
    for_another: bool
    duties: tuple[MessageDuty, ...]


def _columns() -> list[Any]:
    m, c, g = table(IncomingMessage), table(Contact), table(Agency)
    return [
        m.c.incoming_id.label("id"),
        m.c.at,
        m.c.channel,
        m.c.agency_id,
        func.coalesce(g.c.name, "").label("agency"),
        m.c.supervisor_id,
        c.c.role,
        m.c.sender,
        m.c.subject,
        m.c.own_text,
        m.c.rest,
        m.c.files,
        m.c.done,
        m.c.about,
        m.c.proposed,
        m.c.undo,
        m.c.handled,
        m.c.waits,
        m.c.settled_at,
        m.c.settled_by,
    ]


def _joined(*selected: Any) -> Any:
    m, c, g = table(IncomingMessage), table(Contact), table(Agency)
    joined = select(*selected).select_from(m).outerjoin(g, g.c.id == m.c.agency_id)
    return joined.outerjoin(c, c.c.id == m.c.contact_id)


def _conditions(wanted: MessageFilter) -> list[ColumnElement[bool]]:
    m = table(IncomingMessage)
    found: list[ColumnElement[bool]] = [m.c.agency_id == wanted.agency_id] if wanted.agency_id else []
    if wanted.reader:
        read = m.c.supervisor_id == wanted.reader if wanted.monitor else false()
        found.append(or_(m.c.agency_id == wanted.reader, read))
    if wanted.waiting is not None:
        found.append(_waits() if wanted.waiting else ~_waits())
    if wanted.kind:
        found.append(_kind() == wanted.kind)
    return found


def _kind() -> ColumnElement[str]:
    return func.coalesce(table(IncomingMessage).c.proposed[(0, "ask")].as_string(), NO_KIND)


def _waits() -> ColumnElement[bool]:
    m = table(IncomingMessage)
    return and_(m.c.waits.is_not(None), m.c.settled_at.is_(None))


def _waiting_first() -> ColumnElement[int]:
    return case((_waits(), 0), else_=1)


SORTS: SqlOrders = {
    "agency": [table(Agency).c.name],
    "at": [table(IncomingMessage).c.incoming_id],
    "state": [_waiting_first(), table(IncomingMessage).c.waits],
}


def list_messages(
    session: Session, wanted: MessageFilter, *, after: str = "", limit: int = PER_PAGE, sort: str = ""
) -> Page[MessageRow]:
    """What waits first, the newest first among equals; or by one of ``SORTS``. The cursor is a number of rows."""
    offset = max(decode(after, int)[0], 0) if after else 0
    where = _conditions(wanted)
    statement = _joined(*_columns()).where(*where).order_by(*_order(sort)).offset(offset).limit(limit + 1)
    rows = objects(MessageRow, session.connection().execute(statement))
    total = session.connection().scalar(select(func.count()).select_from(table(IncomingMessage)).where(*where))
    return page(rows, limit, lambda _: (offset + limit,), total)


def every_message(session: Session, wanted: MessageFilter, sort: str = "") -> Iterator[MessageRow]:
    """All messages of the filter in the list's order, in constant memory."""
    statement = _joined(*_columns()).where(*_conditions(wanted)).order_by(*_order(sort))
    for some in streamed(session, statement):
        yield from objects_of(MessageRow, some)


@dataclass(frozen=True, kw_only=True)
class MessageQueue:
    """What waits for a person, the oldest first. ``kinds``: how many of each, whichever is looked at."""

    rows: tuple[MessageRow, ...]
    kinds: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.kinds.values())

    def after(self, message_id: int) -> MessageRow | None:
        """What is to be looked at next: behind a message, else the first that is left."""
        others = [row for row in self.rows if row.id != message_id]
        return next((row for row in others if row.id > message_id), next(iter(others), None))


def message_queue(session: Session, wanted: MessageFilter) -> MessageQueue:
    waiting = replace(wanted, waiting=True)
    statement = _joined(*_columns()).where(*_conditions(waiting)).order_by(table(IncomingMessage).c.incoming_id)
    rows = objects(MessageRow, session.connection().execute(statement.limit(MAX_QUEUE)))
    kind = _kind().label("kind")
    counted = select(kind, func.count().label("n")).where(*_conditions(replace(waiting, kind=""))).group_by(kind)
    kinds = {row.kind: row.n for row in session.connection().execute(counted)}
    return MessageQueue(rows=tuple(rows), kinds=kinds)


def _order(sort: str) -> tuple[ColumnElement[Any], ...]:
    own = [_waiting_first()] if not sort else [each.nulls_last() for each in sql_order(SORTS, sort)]
    return (*own, table(IncomingMessage).c.incoming_id.desc())


def message_story(session: Session, message_id: int) -> MessageStory:
    """Raises NotFound."""
    m, letter = table(IncomingMessage), table(Letter)
    reader = select(letter.c.contact_id).where(letter.c.id == m.c.letter_id).scalar_subquery()
    other = func.coalesce(reader != m.c.contact_id, false()).label("for_another")
    statement = _joined(*_columns(), m.c.raw_text, m.c.letter_id, other).where(m.c.incoming_id == message_id)
    found = session.connection().execute(statement).first()
    if found is None:
        raise NotFound(Text(f"Không có thư đến số {message_id}.", f"There is no incoming message {message_id}."))
    row = object_of(MessageRow, found)
    asked = [one for request in row.requests for one in request.ids]
    duties = [duty for duty in duties_of(session, [*row.about, *asked]) if duty.agency_id == row.agency_id]
    if not duties and row.agency_id:
        duties = list(duties_of(session, _open_duties(session, row.agency_id)))
    return MessageStory(
        row=row,
        raw_text=found.raw_text,
        letter_id=found.letter_id,
        for_another=bool(found.for_another),
        duties=tuple(duties),
    )


def _open_duties(session: Session, agency_id: str) -> Sequence[int]:
    a = table(Assignment)
    statement = select(a.c.id).where(a.c.agency_id == agency_id, situations.owed())
    return session.connection().scalars(statement.order_by(a.c.due_on, a.c.id).limit(MAX_DUTIES)).all()


def messages_about(session: Session, agency_id: str, assignment_ids: Collection[int]) -> tuple[MessageRow, ...]:
    """The newest messages of an agency about some of its assignments, the newest first."""
    m = table(IncomingMessage)
    statement = _joined(*_columns()).where(m.c.agency_id == agency_id).order_by(m.c.incoming_id.desc()).limit(200)
    rows = objects(MessageRow, session.connection().execute(statement))
    wanted = set(assignment_ids)
    return tuple(row for row in rows if wanted & set(row.about))[:MAX_THREAD]


def waiting_messages(session: Session, department: str = "") -> tuple[int, datetime | None]:
    """How many messages wait for a person, of a department's or of all, and since when."""
    statement = select(func.count(), func.min(table(IncomingMessage).c.at)).where(*_waiting_at(department))
    count, since = session.connection().execute(statement).one()
    return count, since


def messages_waiting(session: Session, department: str) -> tuple[MessageRow, ...]:
    """All that ``waiting_messages`` counts, the oldest first."""
    statement = _joined(*_columns()).where(*_waiting_at(department)).order_by(table(IncomingMessage).c.incoming_id)
    return tuple(objects(MessageRow, session.connection().execute(statement)))


def _waiting_at(department: str) -> list[Any]:
    return [MESSAGE_WAITS, *([table(IncomingMessage).c.supervisor_id == department] if department else [])]


COUNTED_DAYS = 30
"""Over which Health says how answers were read."""


def answers_read(session: Session, now: datetime, days: int = COUNTED_DAYS) -> Mapping[AnswerRead, int]:
    """What became of the answers of the last days: how well they are read, by nobody's test."""
    m = table(IncomingMessage)
    columns = m.c.handled, _waits().label("waits"), func.count().label("n")
    statement = select(*columns).where(m.c.at > now - timedelta(days=days)).group_by(m.c.handled, _waits())
    found: Counter[AnswerRead] = Counter()
    for handled, waits, n in session.connection().execute(statement):
        read = AnswerRead(handled) if handled else AnswerRead.WAITING if waits else AnswerRead.AT_ONCE
        found[read] += n
    return {read: found[read] for read in AnswerRead}
