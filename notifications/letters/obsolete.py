"""Which lines of a letter are obsolete when it leaves: a reminder is never sent for something already done. Pure."""

from __future__ import annotations

from datetime import date

from engine.rules.policy import PROMISED
from engine.rules.situation import is_ahead, is_behind, lacks_report
from engine.terms import NoticeKind, PlanState, State

ONLY_WHILE_UNFINISHED = {
    NoticeKind.REMINDER,
    NoticeKind.OVERDUE,
    NoticeKind.ESCALATION,
    NoticeKind.NOT_MINE,
    NoticeKind.UNREACHABLE,
    NoticeKind.CHASE,
    NoticeKind.EXTENSION_ASKED,
    NoticeKind.PROMISE_ASKED,
    NoticeKind.DUE_MOVED,
    NoticeKind.AMENDED,
}
"""Kinds about the task: still true of one whose report says «một phần» or «chưa làm»."""
ONLY_UNACKNOWLEDGED = {NoticeKind.ASSIGNED, NoticeKind.ACKNOWLEDGE, NoticeKind.UNACKNOWLEDGED}
ONLY_WHILE_LATE = {NoticeKind.OVERDUE, NoticeKind.ESCALATION}
TO_DECIDE = {NoticeKind.EXTENSION_ASKED, NoticeKind.PROMISE_ASKED, NoticeKind.NOT_MINE, NoticeKind.RAISED}
ALWAYS_KEPT = {
    NoticeKind.WROTE,
    NoticeKind.UNREACHABLE,
    NoticeKind.EXTENSION_DECIDED,
    NoticeKind.PROMISE_DECIDED,
    NoticeKind.DUE_MOVED,
    NoticeKind.AMENDED,
    NoticeKind.RAISED,
    NoticeKind.ANSWERED,
    NoticeKind.PROGRESS,
    NoticeKind.COORDINATES,
    NoticeKind.REORGANISED,
}
"""Kinds that are kept even if another line is about the same assignment."""
ONLY_WHILE_PLAN_RUNS = ONLY_WHILE_UNFINISHED | ONLY_UNACKNOWLEDGED | {NoticeKind.COORDINATES}


def obsolete_reason(
    kind: NoticeKind,
    state: State,
    due_on: date | None,
    today: date,
    plan: PlanState = PlanState.ACTIVE,
    *,
    undecided: bool = True,
    unfinished: bool | None = None,
    promised_on: date | None = None,
    rung: str = "",
) -> str:
    """Why a line is obsolete; empty if it still applies. ``undecided``: what it asks to decide still waits.
    ``unfinished``: the task is; by default while a report is owed. ``promised_on``: until this day nobody is asked but
    by the rungs that are counted from it, ``rung``."""
    if plan is PlanState.ENDED and kind in ONLY_WHILE_PLAN_RUNS:
        return "plan_ended"
    is_open = lacks_report(state)
    if kind in ONLY_UNACKNOWLEDGED and state is not State.ASSIGNED:
        return "acknowledged" if is_open else str(state)
    if not _applies(kind, state, is_open if unfinished is None else unfinished):
        return str(state)
    if kind in TO_DECIDE and not undecided:
        return "decided"
    if _promised(kind, due_on, today, promised_on, rung):
        return "promised"
    if kind in ONLY_WHILE_LATE and is_ahead(due_on, today):
        return "due_moved"
    return ""


def _promised(kind: NoticeKind, due_on: date | None, today: date, promised_on: date | None, rung: str) -> bool:
    """Whether a promise made after the line stands in its way."""
    if not (is_behind(promised_on, due_on) and is_ahead(promised_on, today)):
        return False
    return kind in ONLY_WHILE_LATE or (kind is NoticeKind.REMINDER and not rung.startswith(PROMISED))


def _applies(kind: NoticeKind, state: State, unfinished: bool) -> bool:
    """Whether a line of this kind still has a point in the state that the assignment has reached."""
    if kind in ONLY_WHILE_UNFINISHED:
        return unfinished
    if kind is NoticeKind.COORDINATES:
        return state not in (State.CANCELLED, State.TRANSFERRED)
    return kind is not NoticeKind.RETURNED or state is State.RETURNED
