"""Which lines of a letter are obsolete when it leaves: a reminder is never sent for something already done. Pure."""

from __future__ import annotations

from datetime import date

from engine.assignments.measures import is_chased
from engine.terms import OPEN_STATES, NoticeKind, PlanState, State

ONLY_WHILE_OPEN = {
    NoticeKind.REMINDER,
    NoticeKind.OVERDUE,
    NoticeKind.ESCALATION,
    NoticeKind.NOT_MINE,
    NoticeKind.UNREACHABLE,
}
"""Kinds that ask for a report, or are of use only while one is owed."""
ONLY_WHILE_UNFINISHED = {NoticeKind.CHASE, NoticeKind.EXTENSION_ASKED, NoticeKind.DUE_MOVED}
"""Kinds about the task: still true of one whose report says «một phần» or «chưa làm»."""
ONLY_UNACKNOWLEDGED = {NoticeKind.ASSIGNED, NoticeKind.ACKNOWLEDGE, NoticeKind.UNACKNOWLEDGED}
ONLY_WHILE_LATE = {NoticeKind.OVERDUE, NoticeKind.ESCALATION}
TO_DECIDE = {NoticeKind.EXTENSION_ASKED, NoticeKind.NOT_MINE, NoticeKind.RAISED}
ALWAYS_KEPT = {
    NoticeKind.WROTE,
    NoticeKind.UNREACHABLE,
    NoticeKind.EXTENSION_DECIDED,
    NoticeKind.DUE_MOVED,
    NoticeKind.RAISED,
    NoticeKind.ANSWERED,
    NoticeKind.PROGRESS,
    NoticeKind.COORDINATES,
}
"""Kinds that are kept even if another line is about the same assignment."""
ONLY_WHILE_PLAN_RUNS = ONLY_WHILE_OPEN | ONLY_WHILE_UNFINISHED | ONLY_UNACKNOWLEDGED | {NoticeKind.COORDINATES}


def obsolete_reason(
    kind: NoticeKind,
    state: State,
    due_on: date | None,
    today: date,
    plan: PlanState = PlanState.ACTIVE,
    *,
    undecided: bool = True,
    unfinished: bool | None = None,
    asked_again_on: date | None = None,
) -> str:
    """Why a line is obsolete; empty if it still applies. ``undecided``: what it asks to decide still waits.
    ``unfinished``: the task is; by default while a report is owed. ``asked_again_on``: from this day a report that
    leaves the task unfinished no longer makes a reminder obsolete."""
    if plan is PlanState.ENDED and kind in ONLY_WHILE_PLAN_RUNS:
        return "plan_ended"
    is_open = state in OPEN_STATES
    if kind in ONLY_UNACKNOWLEDGED and state is not State.ASSIGNED:
        return "acknowledged" if is_open else str(state)
    owed = is_chased(state, asked_again_on if asked_again_on and asked_again_on <= today else None)
    if not _applies(kind, state, is_open if unfinished is None else unfinished, owed):
        return str(state)
    if kind in TO_DECIDE and not undecided:
        return "decided"
    if kind in ONLY_WHILE_LATE and due_on is not None and due_on >= today:
        return "due_moved"
    return ""


def _applies(kind: NoticeKind, state: State, unfinished: bool, owed: bool) -> bool:
    """Whether a line of this kind still has a point in the state that the assignment has reached."""
    if kind in ONLY_WHILE_UNFINISHED:
        return unfinished
    if kind in ONLY_WHILE_OPEN:
        return owed
    if kind is NoticeKind.COORDINATES:
        return state not in (State.CANCELLED, State.TRANSFERRED)
    return kind is not NoticeKind.RETURNED or state is State.RETURNED
