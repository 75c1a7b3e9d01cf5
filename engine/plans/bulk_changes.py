"""Several assignments transferred, cancelled or given another due date at once: each by the function of the single
act, with its own event, in a savepoint. One that cannot be changed is left, with the reason; a repetition changes
nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import Session

from engine.assignments import lifecycle
from engine.assignments.bulk_decisions import Decided, decide_each
from engine.assignments.measures import is_unfinished
from engine.assignments.outbox import post
from engine.errors import BadInput, Conflict
from engine.plans.amendments import move_by_dispatch, require_existing
from engine.rules.calendar import local_date
from engine.store.database import table
from engine.store.named_rows import object_of
from engine.store.recipients import read_recipients
from engine.store.records import Assignment, Plan
from engine.store.rulebook import read_rulebook
from engine.store.stored_rows import AssignmentOfPlan, select_assignments
from engine.terms import PlanState
from engine.text import Text


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
        statement = select_assignments().add_columns(p.c.urgency, p.c.policy_id, p.c.state.label("plan_state"))
        statement = statement.join(p, p.c.id == a.c.plan_id).where(a.c.id == assignment_id).with_for_update(of=a)
        found = session.connection().execute(statement).one()
        row = object_of(AssignmentOfPlan, found)
        if not is_unfinished(row.state, row.done_on) or found.plan_state is not PlanState.ACTIVE:
            raise Conflict(
                Text("Việc này đã hoàn thành hoặc kế hoạch đã kết thúc.", "It is done, or its plan has ended.")
            )
        line = move_by_dispatch(session, row, day, basis, book, actor=actor, now=now)
        if line is None:
            raise Conflict(Text("Hạn không thay đổi.", "The due date stays as it is."))
        post(session, [line], read_recipients(session, [line.agency_id]), book.calendar, now)

    return decide_each(session, ids, one)
