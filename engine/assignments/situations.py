"""``engine.rules.situation`` in SQL, of the table ``assignment``: conditions and the class, from the same rows.

A condition is of now: nobody is asked for a task once ``not_asked_on`` is set. ``box_column`` is of any day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any, assert_never

from sqlalchemy import ColumnElement, FromClause, and_, case, func, literal, or_, true, type_coerce

from engine.assignments.measures import TIME_CLASS, by, done_on_day, report_timing_column, task_late
from engine.rules.calendar import ONE_DAY
from engine.rules.situation import (
    CASES,
    COUNTED,
    EITHER,
    EVERY,
    FIELDS,
    NEEDS,
    NO_REPORT,
    OWES,
    UNFINISHED,
    Action,
    Deadline,
    Given,
    Where,
)
from engine.store.database import table
from engine.store.records import Assignment
from engine.terms import State, TimeClass

Day = date | ColumnElement[date]
WHOLE = Where(states=tuple(State), done=EITHER, asked=EITHER)


@cache
def unfinished() -> ColumnElement[bool]:
    """The same text as the condition of the index ``ix_assignment_unfinished``."""
    return where(UNFINISHED)


@cache
def owed() -> ColumnElement[bool]:
    """Unfinished, and its owner is asked for it."""
    return where(OWES)


def overdue(day: Day) -> ColumnElement[bool]:
    """Owed, and past its due date on a day, which may be an expression."""
    return where(CASES[TimeClass.OPEN_OVERDUE], day)


@cache
def counted() -> ColumnElement[bool]:
    """Counted in some class."""
    return where(COUNTED)


@cache
def without_report() -> ColumnElement[bool]:
    """Nothing is in, or what was in was returned."""
    return where(NO_REPORT)


def promise_past(day: Day) -> ColumnElement[bool]:
    """The last promise that counts was for a day that has passed; null without one."""
    return table(Assignment).c.promised_on < day  # type: ignore[no-any-return]


def promise_ahead(day: Day) -> ColumnElement[bool]:
    """The last promise that counts is for that day or later; null without one."""
    return table(Assignment).c.promised_on >= day  # type: ignore[no-any-return]


def can(action: Action, day: Day = date.min) -> ColumnElement[bool]:
    """The action is possible. ``day``: of one that depends on the due date."""
    return where(NEEDS[action], day)


@dataclass(frozen=True)
class _Columns:
    """What conditions are made of. ``index``: many states are said as in the condition of the partial index."""

    state: ColumnElement[State]
    due: ColumnElement[date | None]
    done: ColumnElement[bool]
    not_asked: ColumnElement[bool]
    index: bool = True


def where(
    row: Where, day: Day = date.min, soon: Day = date.min, of: FromClause | None = None, *, index: bool = True
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
    value = {box: literal(box.value if box else None) for box in CASES} | {TimeClass.DONE_ON_TIME: said}
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
def _in_turn() -> Mapping[TimeClass | None, Where]:
    """The rows in their order, each without what those before it have decided: what is compared for every task."""
    rows = dict(CASES)
    for box in CASES:
        for name in FIELDS:
            wider = rows | {box: replace(rows[box], **{name: getattr(WHOLE, name)})}
            if all(_first(wider, facts) == _first(CASES, facts) for facts in EVERY):
                rows = wider
    return rows


def _first(rows: Mapping[TimeClass | None, Where], facts: Given) -> TimeClass | None:
    return next(box for box, row in rows.items() if row.lacks(facts) is None)


def _all(row: Where, of: _Columns, day: Day, soon: Day) -> ColumnElement[bool]:
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


def _is_due(due: ColumnElement[date | None], deadline: Deadline, day: Day, soon: Day) -> ColumnElement[bool]:
    match deadline:
        case Deadline.NONE:
            return due.is_(None)
        case Deadline.PAST:
            return due < day
        case Deadline.SOON:
            return and_(due >= day, due <= soon)
        case Deadline.AHEAD:
            return and_(due >= day, due > soon)
        case _:
            assert_never(deadline)
