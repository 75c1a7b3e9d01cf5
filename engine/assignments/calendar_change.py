"""Changes of the working calendar: preview which due dates and reminders of unfinished tasks would move, then apply.

Swaps are decided a week before (Friday 2 January 2026 off, Saturday 10 January worked, decided on 25 December 2025), so
a change is previewed before it is saved, by the same computation. A due date is computed again from its nominal day,
an extended one from the day that was granted, unless a special law fixes it; so is the resubmission date of a returned
report. A day that a person set goes on rolling over closed days, also where the rule's own days do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, delete, exists, select, update
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.lifecycle import move_due
from engine.assignments.outbox import NoticeLine, post
from engine.errors import BadInput, Conflict
from engine.rules.calendar import DayException, Due, WorkCalendar, instant, local_date
from engine.rules.policy import Facts, Ladder, Policy, next_look, upcoming
from engine.store.database import insert_new, table
from engine.store.event_log import append, event, record
from engine.store.recipients import read_recipients
from engine.store.records import Agency, Assignment, CalendarDay, Duty, Event, Extension, Plan, Report
from engine.store.rulebook import Rulebook, read_rulebook
from engine.store.stored_rows import AssignmentOfPlan, StoredAssignment, objects
from engine.terms import EventKind, NoticeKind, PlanState, Role
from engine.text import Text


@dataclass(frozen=True)
class CalendarChange:
    """Days to set, and exceptions to drop so that the weekday and the public holidays apply again."""

    set: tuple[DayException, ...] = ()
    drop: tuple[date, ...] = ()

    def applied(self, calendar: WorkCalendar) -> WorkCalendar:
        """The calendar with the change."""
        kept = {day: entry for day, entry in calendar.exceptions.items() if day not in self.drop}
        return WorkCalendar(kept | {entry.day: entry for entry in self.set}, calendar.public)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One due date that moves."""

    assignment_id: int
    plan: str
    citation: str
    agency_id: str
    agency: str
    period: str
    was: date
    due: date
    why: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RungMove:
    """A rung that moves to another day, and the number of assignments concerned."""

    rung: str
    was: date
    on: date
    assignments: int


@dataclass(frozen=True)
class Preview:
    """The effect of a change. ``stay``: due dates that would move into the past and are therefore kept. ``replaces``:
    exceptions previously entered for the same days."""

    moves: tuple[Move, ...] = ()
    rungs: tuple[RungMove, ...] = ()
    stay: tuple[Move, ...] = ()
    replaces: tuple[DayException, ...] = ()

    @property
    def agencies(self) -> int:
        """Number of agencies that would be notified."""
        return len({move.agency_id for move in self.moves})

    @property
    def mark(self) -> str:
        """A digest of this preview, to detect that the result has changed since."""
        return sha256(repr(self).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenRow(AssignmentOfPlan):
    """An unfinished task as it is stored, with its duty's rule."""

    citation: str
    rule: str
    added: Mapping[str, Any] | None
    number: str
    agency: str


@dataclass(frozen=True)
class _OpenAssignment:
    """An unfinished task with its due date and, if its report is still owed, its rungs under the new calendar."""

    row: _OpenRow
    due: Due | None
    move: Move | None
    stays: bool
    rungs: tuple[tuple[str, date, date], ...]

    @property
    def moves(self) -> bool:
        return self.move is not None and not self.stays


def preview(session: Session, change: CalendarChange, now: datetime) -> Preview:
    """Compute what would move, without moving it. Four queries."""
    validate_change(change)
    book = read_rulebook(session)
    rows = _computed(session, book, change.applied(book.calendar), local_date(now))
    return _preview(rows, _replaced(book.calendar, change))


def apply(session: Session, change: CalendarChange, *, actor: str, now: datetime, previewed: str = "") -> Preview:
    """Save the change and move what moves: an event for each, and a line in the coordinator's letter if the due date
    moved. Reminders that only change their day are not announced. Idempotent.

    ``previewed``: the ``mark`` of the preview that the user confirmed. Raises Conflict if the result differs from it.
    """
    validate_change(change)
    old = read_rulebook(session)
    new = Rulebook(change.applied(old.calendar), old.policies, old.ladders)
    rows = _computed(session, old, new.calendar, local_date(now), lock=True)
    result = _preview(rows, _replaced(old.calendar, change))
    if previewed and previewed != result.mark:
        raise Conflict(
            Text(
                "Từ lúc xem trước đã có thay đổi nên kết quả sẽ khác; hãy xem lại rồi lưu.",
                "Things have changed since the preview, so the result would differ; preview again, then save.",
            )
        )
    _save(session, change, actor, now)
    moved = [each for each in rows if each.moves]
    for each in moved:
        assert each.due is not None
        move_due(session, each.row, each.due, now, book=new)
    append(session, [_event(each, actor, now) for each in moved])
    _notify(session, moved, new, now)
    _reschedule(session, [each for each in rows if not each.moves], new, now)
    plans = table(Plan)
    session.connection().execute(  # assignments still to be opened get their dates from the new calendar
        update(plans)
        .where(plans.c.state == PlanState.ACTIVE, plans.c.next_open_at.is_not(None))
        .values(next_open_at=now)
    )
    return result


def validate_change(change: CalendarChange) -> None:
    """Raises BadInput for a change that is empty or gives a day twice."""
    days = [entry.day for entry in change.set]
    if len(set(days)) != len(days) or set(days) & set(change.drop):
        raise BadInput(Text("Một ngày được ghi hai lần.", "A day is given twice."))
    if not days and not change.drop:
        raise BadInput(Text("Chưa chọn ngày nào.", "No day is chosen."))
    if any(not entry.name.strip() for entry in change.set):
        raise BadInput(Text("Mỗi ngày cần một tên gọi, như «Nghỉ bù Quốc khánh».", "Each day needs a name."))


def _computed(
    session: Session, book: Rulebook, after: WorkCalendar, today: date, *, lock: bool = False
) -> list[_OpenAssignment]:
    granted, rules = _granted(session), _rolls(session)

    @cache  # thousands of assignments have the same dates
    def new_due(dates: _Dates) -> Due | None:
        return _new_due(dates, book.calendar, after)

    @cache
    def moved_rungs(ladder_id: int, was: Facts, becomes: Facts) -> tuple[tuple[str, date, date], ...]:
        return _moved_rungs(book.ladders[ladder_id], was, becomes, book.calendar, after)

    result = []
    for row in _open_rows(session, lock=lock):
        due = new_due(_dates(row, granted.get(row.id), rules.get((row.plan_id, row.rule), True)))
        move = None
        if due is not None and row.due_on is not None and due.on != row.due_on:
            move = Move(
                assignment_id=row.id,
                plan=row.number,
                citation=row.citation,
                agency_id=row.agency_id,
                agency=row.agency,
                period=row.period,
                was=row.due_on,
                due=due.on,
                why=due.why,
            )
        stays = move is not None and move.due < today and move.due < move.was
        to = row.due_on if move is None or stays else move.due
        rungs = moved_rungs(row.ladder_id, _facts(row, row.due_on), _facts(row, to))
        result.append(_OpenAssignment(row, due, move, stays, rungs))
    return result


@dataclass(frozen=True, slots=True)
class _Dates:
    """What a due date is computed from. ``nominal``: the day before rolling. ``by_person``: not the rule's own day: an
    extension, a dispatch or a return has set it. ``granted``: it is the day of an extension."""

    due_on: date | None
    nominal: date | None
    roll: bool
    by_person: bool
    granted: bool


def _dates(row: _OpenRow, until: date | None, rolls: bool) -> _Dates:
    """``until``: the day to which the task was extended. ``rolls``: whether the rule's own days roll; those that a
    person set do. A rule's own day that does not roll is the original one and stands on its nominal day."""
    by_person = until is not None or not row.original_due_on == row.nominal_due == row.due_on
    roll = by_person or bool((row.added or {}).get("roll", rolls))
    return _Dates(row.due_on, until or row.nominal_due, roll, by_person, until is not None)


def _new_due(row: _Dates, before: WorkCalendar, after: WorkCalendar) -> Due | None:
    """The due date under the new calendar; None if there is none to compute. A day that a person chose although it was
    closed, as by granting an extension to it, is kept."""
    if row.due_on is None or row.nominal is None:
        return None
    if row.by_person and row.due_on == row.nominal and not before.is_working(row.nominal):
        return None
    due = after.due(row.nominal, roll=row.roll)
    return None if row.granted and due.on == before.due(row.nominal).on else due


def _moved_rungs(
    ladder: Ladder, was: Facts, becomes: Facts, before: WorkCalendar, after: WorkCalendar
) -> tuple[tuple[str, date, date], ...]:
    """The remaining rungs whose day changes."""
    days = {rung.rung: on for on, rung in upcoming(ladder, was, before)}
    moved = ((rung.rung, on) for on, rung in upcoming(ladder, becomes, after))
    return tuple((name, days[name], on) for name, on in moved if name in days and days[name] != on)


def _facts(row: StoredAssignment, due_on: date | None) -> Facts:
    return Facts(row.state, row.opened_on, due_on, row.acted_until, row.promised_on, row.broken_before)


def _replaced(calendar: WorkCalendar, change: CalendarChange) -> tuple[DayException, ...]:
    touched = {*change.drop, *(entry.day for entry in change.set)}
    return tuple(calendar.exceptions[day] for day in sorted(touched) if day in calendar.exceptions)


def _preview(rows: Iterable[_OpenAssignment], replaces: tuple[DayException, ...]) -> Preview:
    rows = list(rows)
    counted: Counter[tuple[str, date, date]] = Counter(rung for each in rows for rung in each.rungs)
    rungs = sorted((RungMove(*key, count) for key, count in counted.items()), key=lambda each: (each.on, each.rung))
    moves = sorted(
        ((each.move, each.stays) for each in rows if each.move is not None),
        key=lambda pair: (pair[0].was, pair[0].agency, pair[0].citation),
    )
    return Preview(
        tuple(move for move, stays in moves if not stays),
        tuple(rungs),
        tuple(move for move, stays in moves if stays),
        replaces,
    )


def _open_rows(session: Session, *, lock: bool) -> Sequence[_OpenRow]:
    a, d, p, g = table(Assignment), table(Duty), table(Plan), table(Agency)
    statement = (
        select(
            a,
            d.c.citation,
            d.c.rule,
            d.c.added,
            p.c.number,
            p.c.policy_id,
            p.c.urgency,
            g.c.name.label("agency"),
        )
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .join(g, g.c.id == a.c.agency_id)
        .where(situations.owed())
        .order_by(a.c.id)
    )
    return objects(_OpenRow, session.connection().execute(statement.with_for_update(of=a) if lock else statement))


def _granted(session: Session) -> dict[int, date]:
    """Assignment id -> the last granted extension, for unfinished tasks; not one that a return or a dispatch has
    replaced since."""
    x, a, r, e = table(Extension), table(Assignment), table(Report), table(Event)
    returned = exists().where(r.c.assignment_id == x.c.assignment_id, r.c.resubmit_on.is_not(None))
    dispatched = exists().where(
        e.c.assignment_id == x.c.assignment_id,
        e.c.kind == EventKind.DUE_MOVED,
        e.c.at > x.c.decided_at,
        e.c.detail["basis"].as_string().is_not(None),
    )
    statement = select(x.c.assignment_id, x.c.until).join(a, a.c.id == x.c.assignment_id)
    statement = statement.where(x.c.granted, situations.owed(), ~returned.where(r.c.returned_at > x.c.decided_at))
    statement = statement.where(~dispatched)
    statement = statement.order_by(x.c.decided_at, x.c.id)
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def _rolls(session: Session) -> dict[tuple[int, str], bool]:
    """(plan id, rule) -> whether its dates roll over closed days."""
    p = table(Plan)
    statement = select(p.c.id, p.c.file["report_rules"]).where(p.c.state == PlanState.ACTIVE)
    return {
        (plan_id, name): bool(rule.get("roll", True))
        for plan_id, rules in session.connection().execute(statement)
        for name, rule in (rules or {}).items()
    }


def _save(session: Session, change: CalendarChange, actor: str, now: datetime) -> None:
    days = table(CalendarDay)
    touched = [*change.drop, *(entry.day for entry in change.set)]
    session.connection().execute(delete(days).where(days.c.day.in_(touched)))
    insert_new(
        session,
        CalendarDay,
        [
            {"day": each.day, "kind": each.kind.value, "name": each.name.strip(), "basis": each.basis.strip()}
            for each in change.set
        ],
    )
    entries = {each.day.isoformat(): [each.kind.value, each.name, each.basis] for each in change.set}
    record(
        session,
        EventKind.CALENDAR_CHANGED,
        now,
        actor=actor,
        set=entries,
        drop=[day.isoformat() for day in change.drop],
    )


def _event(each: _OpenAssignment, actor: str, now: datetime) -> dict[str, Any]:
    assert each.move is not None
    return event(
        EventKind.DUE_MOVED,
        now,
        each.row,
        actor=actor,
        was=each.move.was.isoformat(),
        due=each.move.due.isoformat(),
        why=dict(each.move.why),
    )


def due_moved_line(
    row: AssignmentOfPlan, was: date | None, due: date, policy: Policy, now: datetime, basis: str = ""
) -> NoticeLine:
    """The notice to a coordinator about a moved due date. ``basis``: the paper that moved it."""
    detail = {"was": "" if was is None else was.isoformat(), "due": due.isoformat()}
    effect = f"assignment:{row.id}:due:{detail['was'] or '-'}:{detail['due']}:{local_date(now).isoformat()}"
    urgent = row.urgency.urgent
    return NoticeLine(
        effect=effect,
        assignment_id=row.id,
        agency_id=row.agency_id,
        role=Role.COORDINATOR,
        kind=NoticeKind.DUE_MOVED,
        policy=policy,
        urgent=urgent,
        detail=detail | ({"basis": basis} if basis else {}),
    )


def _notify(session: Session, moved: Sequence[_OpenAssignment], book: Rulebook, now: datetime) -> None:
    """Add a line for each moved due date to the coordinators' letters."""
    lines = [
        due_moved_line(each.row, each.move.was, each.move.due, book.policy(each.row.policy_id), now)
        for each in moved
        if each.move is not None
    ]
    recipients = read_recipients(session, (line.agency_id for line in lines))
    post(session, lines, recipients, book, now)


def _reschedule(session: Session, rows: Sequence[_OpenAssignment], book: Rulebook, now: datetime) -> None:
    """Update the next action of assignments whose due date is kept but whose next rung may move. One that is already
    due keeps its time: it may be held back on purpose, so that an agency is notified before the department above it."""
    today, a = local_date(now), table(Assignment)
    updates = []
    for each in rows:
        on, quiet = next_look(book.ladders[each.row.ladder_id], _facts(each.row, each.row.due_on), book.calendar)
        at = None if on is None else instant(on, book.policy(each.row.policy_id).decide_at)
        due_by_now = each.row.next_action_at is not None and on is not None and on <= today
        if not due_by_now and (at, quiet) != (each.row.next_action_at, each.row.quiet):
            updates.append({"row_id": each.row.id, "set_next": at, "set_quiet": quiet})
    if updates:
        session.connection().execute(
            update(a)
            .where(a.c.id == bindparam("row_id"))
            .values(next_action_at=bindparam("set_next"), quiet=bindparam("set_quiet")),
            updates,
        )
