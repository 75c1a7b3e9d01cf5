"""The plan whose draft of a dispatch a user may open."""

from __future__ import annotations

from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.http.request_context import RequestContext
from engine.queries.stored_plans import active_plans


def draftable_plan(ctx: RequestContext, session: Session, plan_id: int | None) -> int | None:
    """The plan, or the newest active one, if the user's department follows it and may chase; else None."""
    return next(
        (
            each
            for each, supervisor in ctx.kept(session, active_plans)
            if plan_id in (None, each) and ctx.may(Permission.SEE_PAPERS, supervisor)
        ),
        None,
    )
