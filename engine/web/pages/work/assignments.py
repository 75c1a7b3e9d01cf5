"""The list that every number opens, and one assignment with its whole story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from engine.accounts.permissions import Deed, concerned, may
from engine.http.filters import AssignmentId, Assignments, Code, Cursor
from engine.http.request_context import Desk, Visit
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
def listing(visit: Desk, wanted: Assignments, after: Cursor = "") -> Response:
    wanted = replace(wanted, agency_id=visit.within(wanted.agency_id))
    with visit.reading() as (session, today):
        found = list_assignments(session, today, wanted, after=after)
        plans, agencies = plan_choices(session, wanted.plan_id), agency_choices(session)
    return visit.page(
        "assignments.html", today=today, found=found, wanted=wanted, plans=plans, agencies=agencies, after=after
    )


@router.get("/assignments/{assignment_id}")
def show(visit: Desk, assignment_id: AssignmentId, said: Code = "") -> Response:
    return story_page(visit, assignment_id, outcome=said)


def story_page(
    visit: Visit, assignment_id: int, *, outcome: str = "", trouble: Trouble | None = None, status: int = 200
) -> HTMLResponse:
    """The story, with the forms of the deeds that this actor may do in this state."""
    with visit.reading() as (session, today):
        found = story(session, today, assignment_id)
        visit.must(Deed.SEE_ASSIGNMENT, found.row.agency_id)
        agencies = agency_choices(session)
    return visit.page(
        "story.html",
        status,
        today=today,
        story=found,
        row=found.row,
        agencies=agencies,
        picture=timeline(found, today.day, visit.language),
        allowed=allowed(visit, found),
        outcome=outcome,
        trouble=trouble or Trouble(),
        may_amend=visit.may(Deed.AMEND_DUTY, found.head.plan_supervisor_id),
    )


def allowed(visit: Visit, found: Story) -> tuple[str, ...]:
    """The deeds that the state allows and the actor may do."""
    row, open_now = found.row, found.row.state in OPEN_STATES
    possible = {
        Deed.ACCEPT: row.state is State.REPORTED,
        Deed.RETURN: row.state is State.REPORTED,
        Deed.ACKNOWLEDGE: row.state is State.ASSIGNED,
        Deed.REPORT: open_now,
        Deed.CHASE: open_now,
        Deed.DECIDE_EXTENSION: found.waiting_extension is not None,
        Deed.ASK_EXTENSION: open_now and found.waiting_extension is None and (row.due_on or visit.today) > visit.today,
        Deed.DECLINE: open_now,
        Deed.TRANSFER: open_now,
        Deed.CANCEL: open_now,
    }
    return tuple(
        deed.value
        for deed, can in possible.items()
        if can and may(visit.actor, deed, concerned(deed, row.agency_id, row.supervisor_id))
    )
