"""The ladder of one assignment for display: rungs that fired, the next ones with dates, and skipped ones with reasons.
Pure: combines the dates of the assignment's own ladder with its events and letters.

The letters that an action would add lines to, found by running it in a session that is rolled back
(Database.rehearse).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from engine.assignments.escalation import effect_base
from engine.enums import complete
from engine.rules.calendar import WorkCalendar, local_date
from engine.rules.policy import Facts, Ladder, Rung, current, dates, is_report
from engine.rules.situation import NO_REPORT
from engine.store.database import table
from engine.store.records import Agency, Contact, Letter, Notice
from engine.store.stored_rows import object_of
from engine.terms import EventKind, LetterState, NoticeKind, Role, State


class RungState(StrEnum):
    FIRED = "fired"
    SKIPPED = "skipped"
    DUE = "due"
    """Its day has come; the next pass acts on it."""
    NEXT = "next"
    LATER = "later"
    DROPPED = "dropped"
    """Its day is in the future, but nothing will be sent."""


class Dropped(StrEnum):
    """Why a rung without an event sends nothing."""

    REPORTED = "reported"
    CANCELLED = "cancelled"
    TRANSFERRED = "transferred"
    ACKNOWLEDGED = "acknowledged"
    PASSED = "passed"
    PLAN_ENDED = "plan_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notified:
    """One letter line about an assignment, with the letter's delivery state."""

    key: str
    kind: NoticeKind
    rung: str
    level: int
    obsolete: str
    detail: Mapping[str, object]
    letter_id: int
    day: date
    channel: str
    role: Role
    label: str
    agency: str
    state: LetterState
    reason: str
    send_after: datetime
    sent_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class EventLine:
    at: datetime
    kind: EventKind
    actor: str
    detail: Mapping[str, Any]
    key: str | None


@dataclass(frozen=True, kw_only=True)
class RungLine:
    """``why`` is a ``policy.Skip`` or a ``Dropped``; ``at`` is when the pass handled it."""

    rung: str
    on: date
    state: RungState
    kind: NoticeKind | None = None
    roles: tuple[Role, ...] = ()
    level: int = 0
    dispatch: bool = False
    why: str = ""
    at: datetime | None = None
    letters: tuple[Notified, ...] = ()

    @property
    def is_report(self) -> bool:
        return is_report(self.roles)


_CLOSED = complete(
    State,
    {
        State.REPORTED: Dropped.REPORTED,
        State.ACCEPTED: Dropped.REPORTED,
        State.CANCELLED: Dropped.CANCELLED,
        State.TRANSFERRED: Dropped.TRANSFERRED,
    },
    but=NO_REPORT.states,
)


def rung_lines(
    assignment_id: int,
    ladder: Ladder,
    facts: Facts,
    events: Sequence[EventLine],
    notified: Sequence[Notified],
    calendar: WorkCalendar,
    today: date,
    *,
    ended: bool = False,
    returns: int = 0,
    unfinished: bool = True,
) -> tuple[RungLine, ...]:
    """Rungs by date: past ones from the events (including those of an earlier due date, or before a return), the others
    from the ladder. ``ended``: the plan has ended, so future rungs send nothing. ``returns``: of the assignment.
    ``unfinished``: the task is, else no rung is left."""
    running = current(ladder, facts)
    of_rungs = [event for event in events if event.kind in RUNG_EVENTS]
    lines = [_past(event, ladder, notified) for event in of_rungs if "rung" in event.detail]
    prefix = f"{effect_base(assignment_id, facts.chased_from, returns)}:"
    keys = [event.key or "" for event in of_rungs]
    handled = {key.removeprefix(prefix).rsplit(":", 1)[0] for key in keys if key.startswith(prefix)}
    begun = _begun_again(facts, events, returns)
    first = True
    for on, rung in dates(running, facts.opened_on, facts.chased_from, calendar):
        if rung.rung in handled or (begun is not None and (rung.opened is not None or on <= begun)):
            continue
        line = _coming(rung, on, facts, today, first=first, unfinished=unfinished)
        if ended and line.state is not RungState.DROPPED:
            line = replace(line, state=RungState.DROPPED, why=Dropped.PLAN_ENDED)
        first = first and line.state is not RungState.NEXT
        lines.append(line)
    return tuple(sorted(lines, key=lambda line: line.on))


def _begun_again(facts: Facts, events: Sequence[EventLine], returns: int) -> date | None:
    """The last day of the earlier ladder: it begins again with a return, and with a promise. None if it has not."""
    if facts.on_promise:
        return facts.acted_until or date.min
    if returns:
        return max(map(local_date, _returns(events)), default=date.min)
    return date.min if facts.again else None


def _returns(events: Sequence[EventLine]) -> list[datetime]:
    """When the report was returned, without what was undone: the return before it."""
    found: list[datetime] = []
    for event in events:
        if event.kind is EventKind.RETURNED:
            found.append(event.at)
        elif found and event.kind is EventKind.UNDONE and event.detail["of"] == EventKind.RETURNED:
            found.pop()
    return found


RUNG_EVENTS = {EventKind.RUNG_FIRED: RungState.FIRED, EventKind.RUNG_SKIPPED: RungState.SKIPPED}


def _past(event: EventLine, ladder: Ladder, notified: Sequence[Notified]) -> RungLine:
    detail = event.detail
    rung = ladder.find(str(detail["rung"]))
    effect = (event.key or "").rsplit(":", 1)[0] + ":"
    fired = event.kind is EventKind.RUNG_FIRED
    roles = tuple(Role(role) for role in detail.get("roles", ())) or (rung.to if rung else ())
    return RungLine(
        rung=str(detail["rung"]),
        on=date.fromisoformat(str(detail["on"])),
        state=RUNG_EVENTS[event.kind],
        kind=rung.kind if rung else None,
        roles=roles,
        level=rung.level if rung else 0,
        dispatch=bool(rung and rung.dispatch),
        why=str(detail.get("reason", "")),
        at=event.at,
        letters=tuple(each for each in notified if fired and each.key.startswith(effect)),
    )


def _coming(rung: Rung, on: date, facts: Facts, today: date, *, first: bool, unfinished: bool) -> RungLine:
    state, why = RungState.LATER, ""
    if not unfinished:
        state, why = RungState.DROPPED, _CLOSED[facts.state]
    elif rung.unless_acknowledged and facts.state is not State.ASSIGNED:
        state, why = RungState.DROPPED, Dropped.ACKNOWLEDGED
    elif facts.acted_until is not None and on <= facts.acted_until:
        state, why = RungState.DROPPED, Dropped.PASSED
    elif on <= today:
        state = RungState.DUE
    elif first:
        state = RungState.NEXT
    return RungLine(
        rung=rung.rung,
        on=on,
        state=state,
        kind=rung.kind,
        roles=rung.to,
        level=rung.level,
        dispatch=rung.dispatch,
        why=why,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLetter:
    """One letter that would be created or extended: to whom, when it is sent, about which assignments."""

    letter_id: int
    agency: str
    role: Role
    label: str
    channel: str
    day: date
    send_after: datetime
    assignment_ids: tuple[int, ...]


def planned_letters(session: Session, action: Callable[[], object]) -> tuple[PlannedLetter, ...]:
    """Run the action and return the letters that got new lines. Three queries besides the action's own."""
    n = table(Notice)
    last = session.connection().scalar(select(func.max(n.c.id))) or 0
    action()
    found: dict[int, set[int]] = {}
    new_lines = select(n.c.letter_id, n.c.assignment_id).where(n.c.id > last)
    for letter_id, assignment_id in session.connection().execute(new_lines):
        found.setdefault(letter_id, set()).add(assignment_id)
    return _letters_with(session, found)


def _letters_with(session: Session, lines: Mapping[int, set[int]]) -> tuple[PlannedLetter, ...]:
    """Letters with the assignments they would mention, by agency."""
    letter, c, g = table(Letter), table(Contact), table(Agency)
    statement = (
        select(
            letter.c.id.label("letter_id"),
            g.c.name.label("agency"),
            letter.c.role,
            c.c.label,
            letter.c.channel,
            letter.c.day,
            letter.c.send_after,
        )
        .join(c, c.c.id == letter.c.contact_id)
        .join(g, g.c.id == letter.c.agency_id)
        .where(letter.c.id.in_(list(lines)))
        .order_by(g.c.name, letter.c.id)
    )
    return tuple(
        object_of(PlannedLetter, row, assignment_ids=tuple(sorted(lines[row.letter_id])))
        for row in session.connection().execute(statement)
    )
