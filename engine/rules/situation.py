"""What is asked of a task on a day: of whom, for what, until when, how it counts, and what may be done with it. Pure.

``CASES`` has one row for each class of tasks, ``OWED`` says who owes what, ``NEEDS`` when an act is possible. On every
day each task is in exactly one row; that is checked at import. ``engine.assignments.situations`` makes SQL of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from itertools import product
from typing import Protocol

from engine.enums import complete
from engine.terms import COUNTED_STATES, State, TimeClass, Timing


class Deadline(StrEnum):
    """A due date, seen from a day. ``SOON``: ahead, and within the policy's last days."""

    NONE = "none"
    AHEAD = "ahead"
    SOON = "soon"
    PAST = "past"


class Owed(StrEnum):
    """What somebody waits for."""

    NOTHING = "nothing"
    REPORT = "report"
    CORRECTED = "corrected"
    REST = "rest"
    """What the report that is in says is not done yet."""
    ACCEPTANCE = "acceptance"


class Action(StrEnum):
    """What can be done with one task. ``REDATE``: another due date by a paper; ``FOLLOW``: its agency has ended and it
    only counts in the figures of its period."""

    ACKNOWLEDGE = "acknowledge"
    DECLINE = "decline"
    REPORT = "report"
    ASK_EXTENSION = "ask_extension"
    PROMISE = "promise"
    ACCEPT = "accept"
    RETURN = "return"
    CHASE = "chase"
    REDATE = "redate"
    TRANSFER = "transfer"
    CANCEL = "cancel"
    FOLLOW = "follow"


Given = tuple[State, bool, bool, Deadline]
"""The state, whether a report says that it is done, whether it is still asked for, and its due date."""
EITHER = (False, True)


@dataclass(frozen=True, kw_only=True)
class Where:
    """For which tasks something holds: the values of ``Given`` by name. ``asked``: its plan runs, and its agency has
    not ended after the period."""

    states: tuple[State, ...] = COUNTED_STATES
    done: tuple[bool, ...] = (False,)
    asked: tuple[bool, ...] = (True,)
    due: tuple[Deadline, ...] = tuple(Deadline)

    def lacks(self, given: Given) -> str | None:
        """The name of the first field that does not hold; None if all do."""
        return next((name for name, value in zip(FIELDS, given, strict=True) if value not in getattr(self, name)), None)


FIELDS = tuple(field.name for field in fields(Where))
OVER = tuple(state for state in State if state not in COUNTED_STATES)
COUNTED = Where(done=EITHER, asked=EITHER)
"""Counted in some class; cancelled and transferred tasks are not."""
UNFINISHED = Where(asked=EITHER)
"""Nothing reported, or «một phần», «chưa làm», or returned; asked for or not."""
OWES = Where()
"""Unfinished, and its owner is asked for it."""
REPORTED = Where(states=(State.REPORTED,), done=EITHER, asked=EITHER)
"""A report waits for its acceptance."""

CASES: Mapping[TimeClass | None, Where] = {
    TimeClass.DONE_ON_TIME: Where(done=(True,), asked=EITHER),
    None: Where(states=OVER, done=EITHER, asked=EITHER),
    TimeClass.NOT_ASKED: Where(asked=(False,)),
    TimeClass.OPEN_OVERDUE: Where(due=(Deadline.PAST,)),
    TimeClass.OPEN_IN_TIME: Where(due=(Deadline.AHEAD,)),
    TimeClass.DUE_SOON: Where(due=(Deadline.SOON,)),
    TimeClass.NO_DEADLINE: Where(due=(Deadline.NONE,)),
}
"""The most frequent first. None is counted nowhere. What is done is on time or late by ``measures.task_timing``."""

OWED: Mapping[State, tuple[Owed, Owed]] = complete(
    State,
    {
        State.ASSIGNED: (Owed.REPORT, Owed.NOTHING),
        State.ACKNOWLEDGED: (Owed.REPORT, Owed.NOTHING),
        State.RETURNED: (Owed.CORRECTED, Owed.NOTHING),
        State.REPORTED: (Owed.REST, Owed.ACCEPTANCE),
        State.ACCEPTED: (Owed.REST, Owed.NOTHING),
        State.CANCELLED: (Owed.NOTHING, Owed.NOTHING),
        State.TRANSFERRED: (Owed.NOTHING, Owed.NOTHING),
    },
)
"""By the owner while it is unfinished and asked for; by the department, whether it is or not."""

NO_REPORT = Where(states=tuple(s for s in COUNTED_STATES if OWED[s][0] in (Owed.REPORT, Owed.CORRECTED)), asked=EITHER)
"""Nothing is in, or what was in was returned; a report that leaves the task unfinished is in."""

NEEDS: Mapping[Action, Where] = complete(
    Action,
    {
        Action.ACKNOWLEDGE: Where(states=(State.ASSIGNED,), asked=EITHER),
        Action.DECLINE: Where(states=(State.ASSIGNED, State.ACKNOWLEDGED, State.RETURNED)),
        Action.REPORT: UNFINISHED,
        Action.ASK_EXTENSION: Where(due=(Deadline.AHEAD, Deadline.SOON)),
        Action.PROMISE: Where(due=(Deadline.AHEAD, Deadline.SOON, Deadline.PAST)),
        Action.ACCEPT: REPORTED,
        Action.RETURN: REPORTED,
        Action.CHASE: OWES,
        Action.REDATE: OWES,
        Action.TRANSFER: OWES,
        Action.CANCEL: UNFINISHED,
        Action.FOLLOW: OWES,
    },
)

LEADS_TO: Mapping[Action, State] = {
    Action.ACKNOWLEDGE: State.ACKNOWLEDGED,
    Action.REPORT: State.REPORTED,
    Action.ACCEPT: State.ACCEPTED,
    Action.RETURN: State.RETURNED,
    Action.CANCEL: State.CANCELLED,
    Action.TRANSFER: State.TRANSFERRED,
}
"""The state after it; the others leave the state."""


class Work(Protocol):
    """A task as its reports and promises left it."""

    @property
    def state(self) -> State: ...
    @property
    def due_on(self) -> date | None: ...
    @property
    def done_on(self) -> date | None: ...
    @property
    def promised_on(self) -> date | None: ...


class Task(Work, Protocol):
    """What a situation is read from."""

    @property
    def not_asked_on(self) -> date | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """``until``: the day until which the owner is waited for, the promised one while it lies ahead, else the due
    date."""

    box: TimeClass | None
    owner_owes: Owed
    department_owes: Owed
    until: date | None
    may: frozenset[Action]


def deadline(on: date | None, day: date, soon: date = date.min) -> Deadline:
    """A due or promised day, seen from a day. ``soon``: the last one that counts as due soon."""
    if on is None:
        return Deadline.NONE
    if on < day:
        return Deadline.PAST
    return Deadline.SOON if on <= soon else Deadline.AHEAD


def is_past(on: date | None, day: date) -> bool:
    """There is such a day, and it has passed."""
    return deadline(on, day) is Deadline.PAST


def is_ahead(on: date | None, day: date) -> bool:
    """There is such a day, and it is today or later."""
    return deadline(on, day) is Deadline.AHEAD


def is_behind(promised: date | None, due: date | None) -> bool:
    """A promised day lies behind the due date: until then it is waited for, and from then on chased. One before it
    changes nothing."""
    return promised is not None and due is not None and promised > due


def behind_due(task: Work) -> date | None:
    """The promised day of a task that is owed, if it lies behind the due date: it is waited for until then."""
    later = is_behind(task.promised_on, task.due_on) and is_unfinished(task.state, task.done_on)
    return task.promised_on if later else None


def given(task: Task, day: date, soon: date = date.min) -> Given:
    """Of a task on a day."""
    asked = task.not_asked_on is None or task.not_asked_on > day
    return task.state, task.done_on is not None, asked, deadline(task.due_on, day, soon)


def is_unfinished(state: State, done_on: date | None) -> bool:
    """``UNFINISHED``, of what it depends on."""
    return UNFINISHED.lacks((state, done_on is not None, True, Deadline.NONE)) is None


def is_counted(state: State) -> bool:
    """``COUNTED``, of what it depends on."""
    return state in COUNTED.states


def lacks_report(state: State) -> bool:
    """``NO_REPORT``, of what it depends on."""
    return state in NO_REPORT.states


def situation(task: Task, day: date, soon: date = date.min, timing: Timing = Timing.ON_TIME) -> Situation:
    """``timing``: of a task that is done (``measures.task_timing``)."""
    facts = given(task, day, soon)
    box = next(box for box, where in CASES.items() if where.lacks(facts) is None)
    owes = OWES.lacks(facts) is None
    promised = behind_due(task) if owes else None
    return Situation(
        box=TimeClass.DONE_LATE if box is TimeClass.DONE_ON_TIME and timing is Timing.LATE else box,
        owner_owes=OWED[task.state][0] if owes else Owed.NOTHING,
        department_owes=OWED[task.state][1],
        until=(promised if is_ahead(promised, day) else task.due_on) if owes else None,
        may=frozenset(act for act, where in NEEDS.items() if where.lacks(facts) is None),
    )


EVERY: tuple[Given, ...] = tuple(product(State, EITHER, EITHER, Deadline))
if _twice := [facts for facts in EVERY if sum(where.lacks(facts) is None for where in CASES.values()) != 1]:
    raise TypeError(f"not in exactly one row: {_twice[0]}")
