"""Ending a plan: no more assignments are opened and no more reminders are sent.

Open assignments stay open. Cancelling them would remove them from the year's figures, where lateness must show; and
late reports are still accepted.

Several assignments transferred, cancelled or given another due date at once: each by the function of the single
act, with its own event, in a savepoint. One that cannot be changed is left, with the reason; a repetition changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import case, func, select, update
from sqlmodel import Session

from engine.assignments import lifecycle, situations
from engine.assignments.backlog import past_plans
from engine.assignments.bulk_decisions import Decided, decide_each
from engine.assignments.opening import planned
from engine.assignments.outbox import NoticeLine, post
from engine.errors import BadInput, Conflict, NotFound
from engine.plans.amendments import move_by_dispatch, require_existing
from engine.rules.calendar import local_date, written
from engine.rules.situation import Action
from engine.store.data_versions import Topic, depends_on
from engine.store.database import table
from engine.store.event_log import record
from engine.store.recipients import read_recipients
from engine.store.records import Assignment, Plan
from engine.store.rulebook import read_rulebook
from engine.store.stored_rows import AssignmentOfPlan, StoredPlan, object_of, select_assignments, select_plans
from engine.terms import EventKind, NoticeKind, PlanState, Quiet, Role, State
from engine.text import Text


@dataclass(frozen=True, slots=True)
class OpenWork:
    """What ending a plan leaves: unfinished tasks (``overdue`` of them late), reports ``waiting`` for acceptance,
    and the number ``to_open`` later, which never will be."""

    open: int
    overdue: int
    waiting: int
    to_open: int


def preview_end(session: Session, plan_id: int, now: datetime) -> OpenWork:
    """Preview of ``end``. Raises NotFound, and Conflict for a plan that is not active."""
    p, a = table(Plan), table(Assignment)
    row = session.connection().execute(select_plans().where(p.c.id == plan_id)).first()
    plan = None if row is None else object_of(StoredPlan, row)
    _require_active(plan_id, None if plan is None else plan.state)
    assert plan is not None
    grouped = select(a.c.state, func.count()).where(a.c.plan_id == plan_id).group_by(a.c.state)
    counts: dict[State, int] = {row[0]: row[1] for row in session.connection().execute(grouped)}
    counted = select(func.count()).where(a.c.plan_id == plan_id)
    still_open, late = counted.where(situations.owed()), counted.where(situations.overdue(local_date(now)))
    book = read_rulebook(session)
    openings = planned(session, plan, book.policy(plan.policy_id), book.calendar)
    today = local_date(now)
    to_open = sum(len(each.duty.owners) for each in openings if each.opens_on > today)
    waiting = counts.get(State.REPORTED, 0)
    return OpenWork(
        session.connection().scalar(still_open) or 0, session.connection().scalar(late) or 0, waiting, to_open
    )


@dataclass(frozen=True, slots=True)
class PastPlan:
    """An active plan past its last due date with nothing left to open: ``unfinished`` tasks may be carried over into a
    new plan."""

    last_due: date
    unfinished: int


def past_plan(session: Session, plan_id: int, today: date) -> PastPlan | None:
    """None while the plan still runs, is not active, or has no due date. Two queries."""
    p, a = table(Plan), table(Assignment)
    running = select(p.c.id).where(p.c.id == plan_id, p.c.state == PlanState.ACTIVE, p.c.next_open_at.is_(None))
    if session.connection().scalar(running) is None:
        return None
    counted = select(func.max(a.c.due_on), func.sum(case((situations.owed(), 1), else_=0))).where(
        a.c.plan_id == plan_id
    )
    last_due, left = session.connection().execute(counted).one()
    return PastPlan(last_due, int(left or 0)) if last_due is not None and last_due < today else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanToEnd:
    """A plan that is closed to letters (``Policy.past_days``) and waits to be ended."""

    id: int
    number: str
    short_title: str
    last_due: date
    unfinished: int


@depends_on(Topic.PLANS, Topic.WORK)
def plans_to_end(session: Session, today: date) -> tuple[PlanToEnd, ...]:
    """The longest past first; none without a policy. Three queries."""
    policy = read_rulebook(session).general
    past = past_plans(session, today, policy) if policy else {}
    if not past:
        return ()
    p, a = table(Plan), table(Assignment)
    left = select(a.c.plan_id, func.count()).where(a.c.plan_id.in_(list(past)), situations.owed()).group_by(a.c.plan_id)
    counts: dict[int, int] = {row[0]: row[1] for row in session.connection().execute(left)}
    rows = session.connection().execute(select(p.c.id, p.c.number, p.c.short_title).where(p.c.id.in_(list(past))))
    found = [object_of(PlanToEnd, row, last_due=past[row.id][1], unfinished=counts.get(row.id, 0)) for row in rows]
    return tuple(sorted(found, key=lambda each: (each.last_due, each.id)))


def past_plan_ids(session: Session, today: date) -> tuple[int, ...]:
    """The plans of ``plans_to_end``."""
    policy = read_rulebook(session).general
    return tuple(past_plans(session, today, policy)) if policy else ()


def end_past(session: Session, plan_ids: Iterable[int], *, actor: str, now: datetime) -> int:
    """End those of the plans that wait to be ended; returns how many."""
    chosen = set(plan_ids)
    waiting = [each for each in plans_to_end(session, local_date(now)) if each.id in chosen]
    for each in waiting:
        reason = f"Đã qua hạn cuối cùng ({written(each.last_due)}), kết thúc theo danh sách chờ kết thúc."
        end(session, each.id, reason=reason, actor=actor, now=now)
    return len(waiting)


def end(session: Session, plan_id: int, *, reason: str, actor: str, now: datetime) -> int:
    """End an active plan, with a reason; returns how many assignments stay open. Lines about it in queued letters are
    dropped when the letters are sent."""
    if not reason.strip():
        raise BadInput(Text("Cần ghi lý do kết thúc kế hoạch.", "Say why the plan ends."))
    p, a, connection = table(Plan), table(Assignment), session.connection()
    active = (p.c.id == plan_id, p.c.state == PlanState.ACTIVE)
    if connection.execute(update(p).where(*active).values(state=PlanState.ENDED, next_open_at=None)).rowcount != 1:
        _require_active(plan_id, connection.scalar(select(p.c.state).where(p.c.id == plan_id)))
    _tell_owners(session, plan_id, reason.strip(), now)
    owed = update(a).where(a.c.plan_id == plan_id, situations.owed())
    still_open = connection.execute(owed.values(next_action_at=None, quiet=Quiet.PLAN_ENDED)).rowcount
    asked = update(a).where(a.c.plan_id == plan_id, a.c.not_asked_on.is_(None))  # what is done now may be returned
    connection.execute(asked.values(not_asked_on=local_date(now)))
    record(
        session,
        EventKind.PLAN_ENDED,
        now,
        actor=actor,
        plan_id=plan_id,
        key=f"plan:{plan_id}:ended",
        reason=reason,
        open=still_open,
    )
    return int(still_open)


def _tell_owners(session: Session, plan_id: int, reason: str, now: datetime) -> None:
    """Tell the owners of what is unfinished that the plan has ended."""
    a, p, book = table(Assignment), table(Plan), read_rulebook(session)
    plan = object_of(StoredPlan, session.connection().execute(select_plans().where(p.c.id == plan_id)).one())
    owed = select(a.c.id, a.c.agency_id).where(a.c.plan_id == plan_id, situations.owed()).order_by(a.c.due_on, a.c.id)
    lines = [
        NoticeLine(
            effect=f"assignment:{row.id}:plan_ended",
            assignment_id=row.id,
            agency_id=row.agency_id,
            role=Role.COORDINATOR,
            kind=NoticeKind.PLAN_ENDED,
            policy=book.policy(plan.policy_id),
            urgent=plan.urgency.urgent,
            detail={"reason": reason},
        )
        for row in session.connection().execute(owed)
    ]
    post(session, lines, read_recipients(session, {line.agency_id for line in lines}), book, now)


def _require_active(plan_id: int, state: PlanState | None) -> None:
    if state is None:
        raise NotFound(Text(f"Không có kế hoạch số {plan_id}.", f"There is no plan {plan_id}."))
    if state is PlanState.LOADED:
        raise Conflict(
            Text("Kế hoạch này chưa kích hoạt nên không có gì để kết thúc.", "This plan was never activated.")
        )
    if state is PlanState.ENDED:
        raise Conflict(Text("Kế hoạch này đã kết thúc rồi.", "This plan has already ended."))


def cancel_all(session: Session, ids: Sequence[int], *, reason: str, actor: str, now: datetime) -> Decided:
    """Cancel them, all for the same reason. Raises BadInput without one."""
    return decide_each(session, ids, lambda one: lifecycle.cancel(session, one, reason=reason, actor=actor, now=now))


def transfer_all(
    session: Session, ids: Sequence[int], *, to_agency: str, reason: str, actor: str, now: datetime
) -> Decided:
    """Transfer them to one agency. Raises BadInput without a reason, or for an agency that is unknown or has ended."""
    require_existing(session, [to_agency], local_date(now))

    def one(assignment_id: int) -> None:
        lifecycle.transfer(session, assignment_id, to_agency=to_agency, reason=reason, actor=actor, now=now)

    return decide_each(session, ids, one)


def redate_all(session: Session, ids: Sequence[int], *, day: date, basis: str, actor: str, now: datetime) -> Decided:
    """Give them another due date, by a paper. Raises BadInput without a basis, or for a past date."""
    if not basis.strip():
        raise BadInput(Text("Cần ghi căn cứ, như số công văn.", "Give the basis, such as the number of a dispatch."))
    a, p, book = table(Assignment), table(Plan), read_rulebook(session)

    def one(assignment_id: int) -> None:
        statement = select_assignments().add_columns(p.c.urgency, p.c.policy_id)
        statement = statement.join(p, p.c.id == a.c.plan_id).where(a.c.id == assignment_id).with_for_update(of=a)
        found = session.connection().execute(statement).one()
        row = object_of(AssignmentOfPlan, found)
        lifecycle.require(session, row, Action.REDATE, now)
        line = move_by_dispatch(session, row, day, basis, book, actor=actor, now=now)
        if line is None:
            raise Conflict(Text("Hạn không thay đổi.", "The due date stays as it is."))
        post(session, [line], read_recipients(session, [line.agency_id]), book, now)

    return decide_each(session, ids, one)
