"""Undo what one has just decided: the button that a list offers for ten minutes, or until the day ends."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.assignments.acts.undo import kept_act, undo
from engine.http.contact_access import require_for
from engine.http.filters import SmallId
from engine.http.request_context import PostedForm, SignedIn
from engine.queries.work.assignments import rows_of
from engine.terms import EventKind

router = APIRouter(include_in_schema=False)
NEEDS: Mapping[EventKind, Permission] = {
    EventKind.ACCEPTED: Permission.ACCEPT,
    EventKind.RETURNED: Permission.RETURN,
    EventKind.ACKNOWLEDGED: Permission.ACKNOWLEDGE,
    EventKind.CHASED: Permission.CHASE,
    EventKind.CANCELLED: Permission.CANCEL,
    EventKind.EXTENSION_GRANTED: Permission.DECIDE_EXTENSION,
    EventKind.EXTENSION_REFUSED: Permission.DECIDE_EXTENSION,
    EventKind.PROMISE_AGREED: Permission.DECIDE_EXTENSION,
    EventKind.PROMISE_REFUSED: Permission.DECIDE_EXTENSION,
}
"""What one must still be allowed to do in order to undo it."""


@router.post("/undo/{act_id}")
def take_back(ctx: SignedIn, form: PostedForm, act_id: SmallId) -> Response:
    with ctx.reading() as (session, today):
        kept = kept_act(session, act_id, ctx.actor.name)
        for row in rows_of(session, today, kept.assignment_ids):
            require_for(ctx, NEEDS[kept.kind], row)
    with ctx.writing() as session:
        decided = undo(session, act_id, **ctx.by)
    return ctx.go(kept.place, said="undone", n=len(decided.done) or None, kept=len(decided.left) or None)
