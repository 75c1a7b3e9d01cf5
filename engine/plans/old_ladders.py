"""Open work that keeps the ladder of an earlier policy, and its move to that of today where nothing has been reminded.

An assignment keeps the ladder it was opened with, so that a changed policy changes nothing behind anybody's back. What
none of its reminders has reached may be moved: an administrator is told how much that is, and decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime

from sqlalchemy import func, select, update
from sqlmodel import Session

from engine.assignments.measures import still_asked, unfinished
from engine.errors import NotFound
from engine.rules.calendar import instant, local_date
from engine.rules.policy import Facts, Ladder, Policy, dates, next_look
from engine.store.database import table
from engine.store.event_log import record
from engine.store.named_rows import columns_for, object_of
from engine.store.records import Assignment, Plan
from engine.store.rulebook import Rulebook, read_rulebook, store_ladder
from engine.terms import EventKind, PlanState, State
from engine.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alike:
    """Assignments of one plan to which the same rungs come on the same days."""

    plan_id: int
    ladder_id: int
    state: State
    opened_on: date
    due_on: date | None
    acted_until: date | None
    promised_on: date | None
    broken_before: int
    request: bool


@dataclass(frozen=True, slots=True)
class KeptLadders:
    """How many open assignments of running plans keep an earlier ladder, and of how many no reminder has fired."""

    kept: int = 0
    movable: int = 0


def kept_ladders(session: Session, policy_id: str) -> KeptLadders:
    """Raises NotFound."""
    book = read_rulebook(session)
    kept = movable = 0
    for alike, count, ladder in _with_old(session, book, policy_id):
        kept += count
        movable += count if _unreminded(book, alike, ladder) else 0
    return KeptLadders(kept, movable)


def move_to_new_ladders(session: Session, policy_id: str, *, actor: str, now: datetime) -> int:
    """Give the policy's ladder of today to what no reminder has reached; returns how many. Raises NotFound."""
    book, a = read_rulebook(session), table(Assignment)
    policy, moved = book.policy(policy_id), 0
    for alike, _, ladder in list(_with_old(session, book, policy_id)):
        if not _unreminded(book, alike, ladder):
            continue
        facts = Facts(alike.state, alike.opened_on, alike.due_on, alike.acted_until)
        on, quiet = next_look(ladder, facts, book.calendar)
        at = None if on is None else instant(max(on, local_date(now)), policy.decide_at)
        same = [getattr(a.c, each.name).is_not_distinct_from(getattr(alike, each.name)) for each in fields(alike)]
        values = {"ladder_id": store_ladder(session, ladder), "next_action_at": at, "quiet": quiet}
        statement = update(a).where(unfinished(), still_asked(), *same).values(**values)
        moved += session.connection().execute(statement).rowcount
    if moved:
        record(session, EventKind.POLICY_LOADED, now, actor=actor, policy=policy_id, moved=moved)
    return moved


def _with_old(session: Session, book: Rulebook, policy_id: str) -> Iterator[tuple[_Alike, int, Ladder]]:
    """What keeps another ladder than its policy has now, how many of each, and the ladder of now."""
    a, p = table(Assignment), table(Plan)
    policy: Policy | None = book.policies.get(policy_id)
    if policy is None:
        raise NotFound(Text(f"Không có chính sách «{policy_id}».", f"There is no policy “{policy_id}”."))
    of_plans = (p.c.policy_id == policy_id, p.c.state == PlanState.ACTIVE)
    urgent = {
        row.id: row.urgency.urgent for row in session.connection().execute(select(p.c.id, p.c.urgency).where(*of_plans))
    }
    columns = columns_for(_Alike, a)
    statement = (
        select(*columns, func.count().label("n"))
        .where(unfinished(), still_asked(), a.c.plan_id.in_(list(urgent)))
        .group_by(*columns)
    )
    for row in session.connection().execute(statement).all():
        alike = object_of(_Alike, row)
        ladder = policy.ladder(request=alike.request, urgent=urgent[alike.plan_id])
        if book.ladders[alike.ladder_id] != ladder:
            yield alike, row.n, ladder


def _unreminded(book: Rulebook, alike: _Alike, new: Ladder) -> bool:
    """No rung that is counted from the due date has fired, nor lies behind on the new ladder."""
    if alike.promised_on is not None or alike.state not in (State.ASSIGNED, State.ACKNOWLEDGED):
        return False
    acted = alike.acted_until or alike.opened_on
    return all(
        on > acted
        for ladder in (book.ladders[alike.ladder_id], new)
        for on, rung in dates(ladder, alike.opened_on, alike.due_on, book.calendar)
        if rung.due is not None
    )
