"""The list that every number opens, and one assignment with its whole story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from engine.accounts.permissions import Permission, concerned, may
from engine.http.filters import AssignmentId, Assignments, Code, Cursor
from engine.http.request_context import RequestContext, SignedIn
from engine.queries.directory.agencies import agency_choices
from engine.queries.filter_choices import plan_choices
from engine.queries.work.assignment_story import Story, story
from engine.queries.work.assignments import list_assignments
from engine.terms import OPEN_STATES, State
from engine.views.svg_charts import timeline

router = APIRouter()


@dataclass(frozen=True)
class Trouble:
    """A form that was refused: which one, why, and what had been typed into it."""

    form: str = ""
    sentence: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)


@router.get("/assignments")
def listing(ctx: SignedIn, wanted: Assignments, after: Cursor = "") -> Response:
    wanted = replace(wanted, agency_id=ctx.visible_agency(wanted.agency_id))
    with ctx.reading() as (session, today):
        found = list_assignments(session, today, wanted, after=after)
        plans, agencies = plan_choices(session, wanted.plan_id), agency_choices(session)
    return ctx.page(
        "assignments.html", today=today, found=found, wanted=wanted, plans=plans, agencies=agencies, after=after
    )


@router.get("/assignments/{assignment_id}")
def show(ctx: SignedIn, assignment_id: AssignmentId, said: Code = "") -> Response:
    return story_page(ctx, assignment_id, outcome=said)


def story_page(
    ctx: RequestContext, assignment_id: int, *, outcome: str = "", trouble: Trouble | None = None, status: int = 200
) -> HTMLResponse:
    """The story, with the forms of the deeds that this actor may do in this state."""
    with ctx.reading() as (session, today):
        found = story(session, today, assignment_id)
        ctx.require(Permission.SEE_ASSIGNMENT, found.row.agency_id)
        agencies = agency_choices(session)
    return ctx.page(
        "story.html",
        status,
        today=today,
        story=found,
        row=found.row,
        agencies=agencies,
        picture=timeline(found, today.day, ctx.language),
        allowed=allowed(ctx, found),
        outcome=outcome,
        trouble=trouble or Trouble(),
        may_amend=ctx.may(Permission.AMEND_DUTY, found.head.plan_supervisor_id),
    )


def allowed(ctx: RequestContext, found: Story) -> tuple[str, ...]:
    """The deeds that the state allows and the actor may do."""
    row, open_now = found.row, found.row.state in OPEN_STATES
    possible = {
        Permission.ACCEPT: row.state is State.REPORTED,
        Permission.RETURN: row.state is State.REPORTED,
        Permission.ACKNOWLEDGE: row.state is State.ASSIGNED,
        Permission.REPORT: open_now,
        Permission.CHASE: open_now,
        Permission.DECIDE_EXTENSION: found.waiting_extension is not None,
        Permission.ASK_EXTENSION: open_now
        and found.waiting_extension is None
        and (row.due_on or ctx.today) > ctx.today,
        Permission.DECLINE: open_now,
        Permission.TRANSFER: open_now,
        Permission.CANCEL: open_now,
    }
    return tuple(
        deed.value
        for deed, can in possible.items()
        if can and may(ctx.actor, deed, concerned(deed, row.agency_id, row.supervisor_id))
    )
