"""Undoing what was just decided: accepted, returned or acknowledged reports and tasks, extensions, promises, chases.

``undoable`` runs an act and keeps what it changed, row by row; its letters leave no earlier than ``UNDO_TIME`` later.
``undo`` puts the rows back, takes the lines out of the letters and records it: the log keeps both. It leaves a task on
which something was built since: another event, a letter that left, a column that is not as the act left it.

What an answer was misread to say is taken back whenever that is found (``recorded``, ``take_back``): what a letter has
said of it by then is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Enum, Table, delete, func, insert, select, update
from sqlmodel import Session, SQLModel

from engine.assignments.bulk_decisions import Decided, decide_each
from engine.assignments.lifecycle import put_back
from engine.assignments.outbox import LineLeft, hold_lines, withdraw_lines
from engine.errors import Conflict, NotFound
from engine.rules.calendar import ONE_DAY, instant, local_date
from engine.store.database import among, table
from engine.store.event_log import record
from engine.store.records import Assignment, Event, Extension, Notice, Promise, Report, ThreadEntry, UndoableAct
from engine.store.stored_rows import StoredAssignment, columns_for, objects
from engine.terms import EventKind
from engine.text import Text

T = TypeVar("T")
UNDO_TIME = timedelta(minutes=10)
"""What is written to somebody waits so long; what is written to nobody can be undone until the day ends."""
KEPT: Mapping[str, type[SQLModel]] = {
    "report": Report,
    "extension": Extension,
    "promise": Promise,
    "thread_entry": ThreadEntry,
}
"""The tables besides the assignments' whose rows an act may change, or add."""
TOO_LATE = Text("Đã hết thời gian hoàn tác.", "It is too late to undo this.")
BUILT_ON = Text(
    "Đã có thao tác khác sau đó nên không hoàn tác được.", "Something else was done since, so it cannot be undone."
)
LEFT = Text("Thư đã gửi nên không hoàn tác được.", "The letter has left, so it cannot be undone.")

Values = dict[str, Any]
Rows = dict[tuple[str, int], Values]
"""Rows by the name of their table and id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoable:
    """What its actor can still undo, until a moment: ``count`` tasks, in an act of a kind."""

    id: int
    kind: EventKind
    until: datetime
    count: int


def undoable(
    session: Session,
    kind: EventKind,
    assignment_ids: Collection[int],
    act: Callable[[], T],
    *,
    place: str,
    actor: str,
    now: datetime,
) -> T:
    """Run an act on these assignments and keep how to undo it. ``kind``: what it is called; ``place``: the path of the
    page that offers to undo it. The assignments are locked first, as the act would."""
    result, parts = recorded(session, assignment_ids, act)
    if parts:
        until = now + UNDO_TIME
        if not hold_lines(session, [each for part in parts for each in part["notices"]], until):
            until = max(until, instant(local_date(now) + ONE_DAY, time()))
        values = {"actor": actor, "kind": kind, "place": place, "at": now, "until": until, "parts": parts}
        session.connection().execute(insert(table(UndoableAct)).values(**values))
    return result


def recorded(session: Session, assignment_ids: Collection[int], act: Callable[[], T]) -> tuple[T, list[Values]]:
    """Run an act on these assignments; its result, and for each that it changed what it did, as ``take_back`` reads
    it."""
    ids = sorted(set(assignment_ids))
    before, event_id, notice_id = _rows(session, ids, lock=True), _last(session, Event), _last(session, Notice)
    result = act()
    after = _rows(session, ids)
    events = _newer(session, Event, event_id, ids)
    notices = _newer(session, Notice, notice_id, ids)
    return result, [_part(one, before, after, events[one], notices[one]) for one in ids if events[one]]


def take_back(session: Session, parts: Sequence[Mapping[str, Any]], key: str, *, actor: str, now: datetime) -> Decided:
    """Put back what an act did, however long ago. ``key``: of the act. Tasks on which something was built since are
    left, with the reason; raises Conflict if that is every one."""
    by_task = {part["assignment"]: part for part in parts}
    if not by_task:
        return Decided((), {})

    def put_back_one(one: int) -> None:
        row = _restored(session, by_task[one])
        with suppress(LineLeft):
            withdraw_lines(session, by_task[one]["notices"], key)
        e = table(Event)
        kind = session.connection().scalars(select(e.c.kind).where(e.c.id == max(by_task[one]["events"]))).one()
        record(session, EventKind.UNDONE, now, row, actor=actor, key=f"{key}:{one}", of=EventKind(kind).value)

    return _some_done(decide_each(session, list(by_task), put_back_one))


def undoable_acts(session: Session, actor: str, place: str, now: datetime) -> tuple[Undoable, ...]:
    """What an actor did on a page and can undo, the latest first. One query."""
    u = table(UndoableAct)
    statement = select(u.c.id, u.c.kind, u.c.until, u.c.parts).where(
        u.c.actor == actor, u.c.until > now, u.c.place == place, u.c.undone_at.is_(None)
    )
    rows = session.connection().execute(statement.order_by(u.c.id.desc()).limit(MAX_OFFERED))
    return tuple(Undoable(id=row.id, kind=row.kind, until=row.until, count=len(row.parts)) for row in rows)


MAX_OFFERED = 3


@dataclass(frozen=True, kw_only=True)
class StoredAct:
    """An act as it was kept."""

    id: int
    actor: str
    kind: EventKind
    place: str
    until: datetime
    parts: Sequence[Mapping[str, Any]]
    undone_at: datetime | None

    @property
    def assignment_ids(self) -> tuple[int, ...]:
        return tuple(part["assignment"] for part in self.parts)


def kept_act(session: Session, act_id: int, actor: str) -> StoredAct:
    """Raises NotFound for one that is not the actor's own, or that is no longer kept."""
    u = table(UndoableAct)
    rows = session.connection().execute(select(*columns_for(StoredAct, u)).where(u.c.id == act_id, u.c.actor == actor))
    found = next(iter(objects(StoredAct, rows)), None)
    if found is None:
        raise NotFound(TOO_LATE)
    return found


def undo(session: Session, act_id: int, *, actor: str, now: datetime) -> Decided:
    """Undo an act of one's own; a second time changes nothing. Tasks on which something was built since are left, with
    the reason. Raises NotFound, Conflict if it is too late or if not one of its tasks can be put back."""
    kept = kept_act(session, act_id, actor)
    u = table(UndoableAct)
    if kept.undone_at is not None:
        return Decided((), {})
    if now >= kept.until:
        raise Conflict(TOO_LATE)
    mine = u.c.id == act_id, u.c.undone_at.is_(None)
    if session.connection().execute(update(u).where(*mine).values(undone_at=now)).rowcount != 1:
        return Decided((), {})
    parts = {part["assignment"]: part for part in kept.parts}
    return _some_done(
        decide_each(session, list(parts), lambda one: _put_back(session, kept, parts[one], actor=actor, now=now))
    )


def _some_done(decided: Decided) -> Decided:
    if not decided.done:
        raise next(iter(decided.left.values()))
    return decided


def _put_back(session: Session, kept: StoredAct, part: Mapping[str, Any], *, actor: str, now: datetime) -> None:
    row = _restored(session, part)
    try:
        withdraw_lines(session, part["notices"], f"undone:{kept.id}")
    except LineLeft:
        raise Conflict(LEFT) from None
    key = f"undone:{kept.id}:{part['assignment']}"
    record(session, EventKind.UNDONE, now, row, actor=actor, key=key, of=kept.kind.value)


def _restored(session: Session, part: Mapping[str, Any]) -> StoredAssignment:
    """The assignment, its rows as they were before the act; what the act added is removed. Raises Conflict."""
    one, e = part["assignment"], table(Event)
    changes = {(name, row_id): (before, after) for name, row_id, before, after in part["rows"]}
    before, after = changes.pop(("assignment", one), ({}, {}))
    a = table(Assignment)
    row = put_back(session, one, _read(a, before), _read(a, after))
    last = session.connection().scalar(select(func.max(e.c.id)).where(e.c.assignment_id == one))
    if last != max(part["events"]):
        raise Conflict(BUILT_ON)
    for (name, row_id), (old, new) in changes.items():
        t = table(KEPT[name])
        same = [t.c.id == row_id, *_equal(t, _read(t, new))]
        change = delete(t) if old is None else update(t).values(**_read(t, old))
        if session.connection().execute(change.where(*same)).rowcount != 1:
            raise Conflict(BUILT_ON)
    return row


def _rows(session: Session, ids: Sequence[int], *, lock: bool = False) -> Rows:
    """The assignments, and the reports, extensions and promises of them. ``lock``: the assignments, in order of id."""
    a = table(Assignment)
    statement = select(a).where(among(session, a.c.id, ids)).order_by(a.c.id)
    rows = session.connection().execute(statement.with_for_update() if lock else statement).mappings()
    found: Rows = {("assignment", row["id"]): dict(row) for row in rows}
    for name, record_type in KEPT.items():
        t = table(record_type)
        of_tasks = session.connection().execute(select(t).where(among(session, t.c.assignment_id, ids))).mappings()
        found |= {(name, row["id"]): dict(row) for row in of_tasks}
    return found


def _last(session: Session, record_type: type[SQLModel]) -> int:
    return session.connection().scalar(select(func.max(table(record_type).c.id))) or 0


def _newer(session: Session, record_type: type[SQLModel], than: int, ids: Sequence[int]) -> Mapping[int, list[int]]:
    """The ids of the events or notices that the act made, by assignment."""
    t = table(record_type)
    found: dict[int, list[int]] = defaultdict(list)
    statement = select(t.c.assignment_id, t.c.id).where(t.c.id > than, among(session, t.c.assignment_id, ids))
    for assignment_id, row_id in session.connection().execute(statement.order_by(t.c.id)):
        found[assignment_id].append(row_id)
    return found


def _part(one: int, before: Rows, after: Rows, events: Sequence[int], notices: Sequence[int]) -> Values:
    rows = []
    for key, new in after.items():
        if one != (new["id"] if key[0] == "assignment" else new["assignment_id"]):
            continue
        old = before.get(key)
        if old is None:
            rows.append([*key, None, _written(new, [name for name in ("actor", "state") if name in new])])
        elif names := [name for name in new if new[name] != old[name]]:
            rows.append([*key, _written(old, names), _written(new, names)])
    return {"assignment": one, "rows": rows, "events": list(events), "notices": list(notices)}


def _written(row: Values, names: Iterable[str]) -> Values:
    """Columns of a row as JSON."""

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return {"at": value.isoformat()}
        return {"day": value.isoformat()} if isinstance(value, date) else value

    return {name: plain(row[name]) for name in names}


def _read(of: Table, values: Mapping[str, Any]) -> Values:
    """The columns again, as their table holds them."""

    def typed(name: str, value: Any) -> Any:
        match value:
            case {"at": str(at)}:
                return datetime.fromisoformat(at)
            case {"day": str(day)}:
                return date.fromisoformat(day)
        kind = of.c[name].type
        return kind.python_type(value) if isinstance(kind, Enum) and value is not None else value

    return {name: typed(name, value) for name, value in values.items()}


def _equal(of: Table, values: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """Conditions: these columns hold these values."""
    return [of.c[name].is_(None) if value is None else of.c[name] == value for name, value in values.items()]
