"""Acknowledges several assignments in one transaction; used by the agency desk and the API."""

from __future__ import annotations

from collections.abc import Collection

from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.assignments.lifecycle import acknowledge
from engine.errors import BadInput
from engine.http.request_context import RequestContext
from engine.queries.time_class import read_today
from engine.queries.work.assignments import rows_of
from engine.terms import State
from engine.text import Text

MAX_ACKNOWLEDGED = 200


def acknowledge_all(ctx: RequestContext, session: Session, ids: Collection[int]) -> tuple[int, ...]:
    """Acknowledge several assignments in one transaction and return the ids that changed; others are left as they are.
    Raises BadInput for an empty or too long list, NotFound, NotAllowed."""
    if not 0 < len(ids) <= MAX_ACKNOWLEDGED:
        raise BadInput(
            Text(f"Chọn từ 1 đến {MAX_ACKNOWLEDGED} phần việc.", f"Choose from 1 to {MAX_ACKNOWLEDGED} assignments.")
        )
    rows = rows_of(session, read_today(session, ctx.now), ids)
    for row in rows:
        ctx.require(Permission.ACKNOWLEDGE, row.agency_id)
    actor, now = ctx.actor.name, ctx.now
    new = (row.id for row in rows if row.state is State.ASSIGNED)
    return tuple(each for each in new if acknowledge(session, each, actor=actor, now=now))
