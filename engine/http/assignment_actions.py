"""Actions on assignments, as a page's form and the API's JSON both ask for them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol, Unpack

from sqlmodel import Session

from engine.accounts.permissions import Acting, Permission, concerned
from engine.assignments.lifecycle import acknowledge
from engine.errors import BadInput
from engine.http.request_context import RequestContext
from engine.queries.time_class import read_today
from engine.queries.work.assignments import AssignmentRow, rows_of
from engine.terms import State
from engine.text import Text

MAX_ACKNOWLEDGED = 200


class Action(Protocol):
    """A function of ``engine.assignments.lifecycle`` with its input: ``partial(lifecycle.cancel, reason=...)``."""

    def __call__(self, session: Session, assignment_id: int, /, **by: Unpack[Acting]) -> object: ...


def require_for(ctx: RequestContext, permission: Permission, row: AssignmentRow) -> None:
    """Raises NotAllowed unless the actor may do this to the assignment, in the agency that the permission concerns."""
    ctx.require(permission, concerned(permission, row.agency_id, row.supervisor_id))


def acknowledge_all(ctx: RequestContext, session: Session, ids: Collection[int]) -> tuple[int, ...]:
    """Acknowledge several assignments in one transaction and return the ids that changed; others are left as they are.
    Raises BadInput for an empty or too long list, NotFound, NotAllowed."""
    if not 0 < len(ids) <= MAX_ACKNOWLEDGED:
        raise BadInput(
            Text(f"Chọn từ 1 đến {MAX_ACKNOWLEDGED} phần việc.", f"Choose from 1 to {MAX_ACKNOWLEDGED} assignments.")
        )
    rows = rows_of(session, read_today(session, ctx.now), ids)
    for row in rows:
        require_for(ctx, Permission.ACKNOWLEDGE, row)
    new = (row.id for row in rows if row.state is State.ASSIGNED)
    return tuple(each for each in new if acknowledge(session, each, **ctx.by))
