"""``engine.rules.situation`` in SQL, of the table ``assignment``: the two measures, which are never one number,
conditions and the class, from the same rows.

Report timeliness: was the first report in by its due date. A return leaves it.
Task outcome: the four boxes of Decision 42/2014/QĐ-TTg (amended by 23/2018). A task is done on the day of the report
that says so; «một phần» and «chưa làm» leave it open, in term or overdue, although its report is in. It is late if it
was done after its due date (after a return: its resubmission date), or if its first report had been late: a return does
not make a late task punctual.

Each is written twice, for a row in Python and for the table in SQL; a test holds them equal over every combination.
Boards, digests, published figures, API and exports use these and nothing else.

A condition is of now: nobody is asked for a task once ``not_asked_on`` is set. ``box_column`` is of any day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cache
from operator import attrgetter
from typing import Any, Protocol, assert_never

from sqlalchemy import ColumnElement, Enum, FromClause, and_, case, func, literal, or_, true, type_coerce

from engine.enums import complete
from engine.rules import situation
from engine.rules.calendar import ONE_DAY
from engine.store.database import table
from engine.store.records import Assignment
from engine.terms import State, TimeClass, Timing

TIME_CLASS: Any = Enum(
    TimeClass, values_callable=lambda members: [each.value for each in members], native_enum=False, length=16
)


def rate(part: int, whole: int) -> float | None:
    """A percentage with one decimal."""
    return round(100 * part / whole, 1) if whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """Tasks in the four boxes of Decision 42/2014/QĐ-TTg, those without a deadline, those that nobody is asked for any
    more, and their reports. ``rate``: percentage done on time of those done or past due; None while nothing has come
    due. Assignments not yet due do not count. ``reported``: reports in, of which ``reported_on_time``, ``returned``
    since, and ``undone``: in, but the task is not finished."""

    on_time: int = 0
    late: int = 0
    in_term: int = 0
    overdue: int = 0
    no_deadline: int = 0
    not_asked: int = 0
    reported: int = 0
    reported_on_time: int = 0
    returned: int = 0
    undone: int = 0

    @property
    def expected(self) -> int:
        return self.on_time + self.late + self.in_term + self.overdue + self.no_deadline + self.not_asked

    @property
    def done(self) -> int:
        return self.on_time + self.late

    @property
    def judged(self) -> int:
        return self.on_time + self.late + self.overdue

    @property
    def rate(self) -> float | None:
        return rate(self.on_time, self.judged)

    @classmethod
    def sum(cls, boxes: Sequence[Boxes]) -> Boxes:
        return cls(**{name: sum(map(value, boxes)) for name, value in BOX_VALUES.items()})


BOX_VALUES = {each.name: attrgetter(each.name) for each in fields(Boxes)}


BOX: Mapping[TimeClass, str] = complete(
    TimeClass,
    {
        TimeClass.DONE_ON_TIME: "on_time",
        TimeClass.DONE_LATE: "late",
        TimeClass.OPEN_IN_TIME: "in_term",
        TimeClass.OPEN_OVERDUE: "overdue",
        TimeClass.NO_DEADLINE: "no_deadline",
        TimeClass.NOT_ASKED: "not_asked",
    },
    but=(TimeClass.DUE_SOON,),
)


class Measured(Protocol):
    """What the measures are computed from: an assignment's row, or a change of it."""

    @property
    def due_on(self) -> date | None: ...
    @property
    def done_on(self) -> date | None: ...
    @property
    def first_reported_on(self) -> date | None: ...
    @property
    def first_due_on(self) -> date | None: ...


def report_timing(each: Measured) -> Timing:
    """Of the first report; ``OPEN`` while there has been none."""
    if each.first_reported_on is None:
        return Timing.OPEN
    due_on = each.first_due_on or each.due_on
    return Timing.LATE if due_on is not None and each.first_reported_on > due_on else Timing.ON_TIME


def task_timing(each: Measured) -> Timing:
    """Of the task; ``OPEN`` until a report says that it is done."""
    if each.done_on is None:
        return Timing.OPEN
    late = each.due_on is not None and each.done_on > each.due_on
    return Timing.LATE if late or report_timing(each) is Timing.LATE else Timing.ON_TIME


def report_timing_column(as_of: date | None = None) -> ColumnElement[str]:
    """``report_timing`` in SQL; with ``as_of``, by the reports that were in on that day."""
    a = table(Assignment)
    return case(
        (~by(a.c.first_reported_on, as_of), literal(Timing.OPEN.value)),
        (_first_report_late(), literal(Timing.LATE.value)),
        else_=literal(Timing.ON_TIME.value),
    )


def done_on_day(as_of: date) -> ColumnElement[bool]:
    """SQL expression: true if the task was done by the end of a day; never null."""
    return by(table(Assignment).c.done_on, as_of)


def box_conditions(each: Any) -> dict[str, Any]:
    """The fields of ``Boxes`` as conditions on rows of ``situations.measured_on``."""
    reported = each.reporting != Timing.OPEN.value
    return {
        **{name: each.time_class == of for of, name in BOX.items()},
        "reported": reported,
        "reported_on_time": each.reporting == Timing.ON_TIME.value,
        "returned": and_(reported, ~each.stands),
        "undone": and_(reported, each.stands, ~each.done),
    }


def by(column: ColumnElement[date | None], as_of: date | None) -> ColumnElement[bool]:
    known = column.is_not(None)
    return known if as_of is None else and_(known, column <= as_of)


def _first_report_late() -> ColumnElement[bool]:
    """True or false, never null, so that it may be negated."""
    a = table(Assignment)
    return func.coalesce(a.c.first_reported_on > func.coalesce(a.c.first_due_on, a.c.due_on), False)


def task_late() -> ColumnElement[bool]:
    a = table(Assignment)
    return or_(func.coalesce(a.c.done_on > a.c.due_on, False), _first_report_late())


Day = date | ColumnElement[date]
WHOLE = situation.Where(states=tuple(State), done=situation.EITHER, asked=situation.EITHER)


@cache
def unfinished() -> ColumnElement[bool]:
    """The same text as the condition of the index ``ix_assignment_unfinished``."""
    return where(situation.UNFINISHED)


@cache
def owed() -> ColumnElement[bool]:
    """Unfinished, and its owner is asked for it."""
    return where(situation.OWES)


def overdue(day: Day) -> ColumnElement[bool]:
    """Owed, and past its due date on a day, which may be an expression."""
    return where(situation.CASES[TimeClass.OPEN_OVERDUE], day)


@cache
def counted() -> ColumnElement[bool]:
    """Counted in some class."""
    return where(situation.COUNTED)


@cache
def without_report() -> ColumnElement[bool]:
    """Nothing is in, or what was in was returned."""
    return where(situation.NO_REPORT)


def promise_past(day: Day) -> ColumnElement[bool]:
    """The last promise that counts was for a day that has passed; null without one."""
    return table(Assignment).c.promised_on < day  # type: ignore[no-any-return]


def promise_ahead(day: Day) -> ColumnElement[bool]:
    """The last promise that counts is for that day or later; null without one."""
    return table(Assignment).c.promised_on >= day  # type: ignore[no-any-return]


def can(action: situation.Action, day: Day = date.min) -> ColumnElement[bool]:
    """The action is possible. ``day``: of one that depends on the due date."""
    return where(situation.NEEDS[action], day)


@dataclass(frozen=True)
class _Columns:
    """What conditions are made of. ``index``: many states are said as in the condition of the partial index."""

    state: ColumnElement[State]
    due: ColumnElement[date | None]
    done: ColumnElement[bool]
    not_asked: ColumnElement[bool]
    index: bool = True


def where(
    row: situation.Where, day: Day = date.min, soon: Day = date.min, of: FromClause | None = None, *, index: bool = True
) -> ColumnElement[bool]:
    """The tasks of a row; null instead of false where it asks for a due date and there is none.
    ``of``: an alias of the table. ``index``: it may be looked for by the index of the unfinished tasks."""
    a = table(Assignment) if of is None else of
    columns = _Columns(a.c.state, a.c.due_on, a.c.done_on.is_not(None), a.c.not_asked_on.is_not(None), index)
    return _all(row, columns, day, soon)


def box_column(day: date, soon: Day, as_of: date | None = None) -> ColumnElement[TimeClass]:
    """``Situation.box``; null for what counts nowhere. ``soon`` may be an expression. ``as_of``: by the reports that
    were in on that day."""
    a = table(Assignment)
    not_asked = func.coalesce(a.c.not_asked_on <= day, False)
    columns = _Columns(a.c.state, a.c.due_on, by(a.c.done_on, as_of), not_asked)
    said = case((task_late(), literal(TimeClass.DONE_LATE.value)), else_=literal(TimeClass.DONE_ON_TIME.value))
    value = {box: literal(box.value if box else None) for box in situation.CASES} | {TimeClass.DONE_ON_TIME: said}
    *first, (last, _) = _in_turn().items()
    branches = [(_all(row, columns, day, soon), value[box]) for box, row in first]
    return type_coerce(case(*branches, else_=value[last]), TIME_CLASS)


def class_on(as_of: date) -> ColumnElement[TimeClass]:
    """The class on a day, by what is known now. «Due soon» counts as «in term» here."""
    return box_column(as_of, as_of - ONE_DAY, as_of)


def measured_on(day: date) -> list[Any]:
    """Columns of what ``measures.box_conditions`` asks for."""
    return [
        class_on(day).label("time_class"),
        report_timing_column(day).label("reporting"),
        done_on_day(day).label("done"),
        table(Assignment).c.outcome.is_not(None).label("stands"),
    ]


@cache
def _in_turn() -> Mapping[TimeClass | None, situation.Where]:
    """The rows in their order, each without what those before it have decided: what is compared for every task."""
    rows = dict(situation.CASES)
    for box in situation.CASES:
        for name in situation.FIELDS:
            wider = rows | {box: replace(rows[box], **{name: getattr(WHOLE, name)})}
            if all(_first(wider, facts) == _first(situation.CASES, facts) for facts in situation.EVERY):
                rows = wider
    return rows


def _first(rows: Mapping[TimeClass | None, situation.Where], facts: situation.Given) -> TimeClass | None:
    return next(box for box, row in rows.items() if row.lacks(facts) is None)


def _all(row: situation.Where, of: _Columns, day: Day, soon: Day) -> ColumnElement[bool]:
    parts = []
    if row.done != WHOLE.done:
        parts.append(of.done if row.done[0] else ~of.done)
    if row.states != WHOLE.states:
        parts.append(_in_states(of, row.states))
    if row.asked != WHOLE.asked:
        parts.append(~of.not_asked if row.asked[0] else of.not_asked)
    if row.due != WHOLE.due:
        parts.append(or_(*(_is_due(of.due, deadline, day, soon) for deadline in row.due)))
    return and_(*parts) if parts else true()


def _in_states(of: _Columns, states: tuple[State, ...]) -> ColumnElement[bool]:
    """As literals in the text, so that a partial index serves, which needs its very words: one state is that one, of
    many it is none of the others."""
    if len(states) == 1:
        return of.state == _literals(states)[0]  # type: ignore[no-any-return]
    others = [each for each in State if each not in states]
    if of.index and len(others) < len(states):
        return of.state.not_in(_literals(others))
    return of.state.in_(_literals(states))


def _literals(states: Sequence[State]) -> list[Any]:
    return [literal(state.value, literal_execute=True) for state in states]


def _is_due(due: ColumnElement[date | None], deadline: situation.Deadline, day: Day, soon: Day) -> ColumnElement[bool]:
    match deadline:
        case situation.Deadline.NONE:
            return due.is_(None)
        case situation.Deadline.PAST:
            return due < day
        case situation.Deadline.SOON:
            return and_(due >= day, due <= soon)
        case situation.Deadline.AHEAD:
            return and_(due >= day, due > soon)
        case _:
            assert_never(deadline)
