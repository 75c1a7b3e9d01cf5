"""The two measures of an assignment, which are never one number, and the only definition of each.

Report timeliness: was the first report in by its due date. A return leaves it.
Task outcome: the four boxes of Decision 42/2014/QĐ-TTg (amended by 23/2018). A task is done on the day of the report
that says so; «một phần» and «chưa làm» leave it open, in term or overdue, although its report is in. It is late if it
was done after its due date (after a return: its resubmission date), or if its first report had been late: a return does
not make a late task punctual.

Each is written twice, for a row in Python and for the table in SQL; a test holds them equal over every combination.
Boards, digests, published figures, API and exports use these and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from operator import attrgetter
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Enum, and_, case, func, literal, or_

from engine.enums import complete
from engine.store.database import table
from engine.store.records import Assignment
from engine.terms import TimeClass, Timing

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
