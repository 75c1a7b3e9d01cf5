"""The overdue list, and «đôn đốc» from it: what would be said is shown before anything is sent."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.access import Deed, must
from engine.decisions import MOST_AT_ONCE, must_be_few
from engine.errors import BadInput
from engine.lifecycle import chase
from engine.queries.assignments import AssignmentFilter, list_assignments
from engine.queries.chasing import rows_to_chase, what_chasing_says
from engine.queries.choices import plan_choices
from engine.queries.overdue import LateAgency, overdue
from engine.terms import OPEN_STATES
from engine.web.filters import Code, PageNumber, PlanId
from engine.web.forms import Form
from engine.web.visit import Desk, Posted, Visit

router = APIRouter()


@router.get("/overdue")
def show(visit: Desk, plan: PlanId, period: Code = "", agency: Code = "", page: PageNumber = 1,
         said: Code = "", n: PageNumber = 1) -> Response:  # fmt: skip
    visit.must(Deed.SEE_BOARD)
    wanted = AssignmentFilter(plan_id=plan, period=period, agency_id=agency)
    with visit.reading() as (session, today):
        found = overdue(session, today, wanted, page=page)
        plans = plan_choices(session, plan)
    return visit.page("overdue.html", today=today, overdue=found, plans=plans, plan=plan, outcome=said, n=n,
                      may_chase=any(_may_chase(visit, each) for each in found.agencies))  # fmt: skip


def _owed(visit: Visit, form: Form) -> tuple[int, ...]:
    """The open assignments of a plan and period that the visitor's department is above."""
    if not form.has("plan"):
        return ()
    wanted = AssignmentFilter(plan_id=form.number("plan"), period=form.text("period", 64), states=OPEN_STATES,
                              supervisor_id=visit.department(Deed.CHASE))  # fmt: skip
    with visit.reading() as (session, today):
        found = list_assignments(session, today, wanted, limit=MOST_AT_ONCE, count=False)
    return tuple(row.id for row in found.rows)


def _may_chase(visit: Visit, agency: LateAgency) -> bool:
    return any(visit.may(Deed.CHASE, row.assignment.supervisor_id) for row in agency.rows)


@router.post("/overdue/chase")
def ask(visit: Desk, form: Posted) -> Response:
    """First the letters that would be sent; with ``sure``, the deed. Of those ticked, or of all that a plan's period
    still waits for."""
    ids = form.numbers("id") or _owed(visit, form)
    if not ids:
        raise BadInput("Chưa chọn việc nào để đôn đốc. / Nothing was chosen to be chased.")
    must_be_few(ids)
    with visit.reading() as (session, today):
        rows = rows_to_chase(session, today, ids)
        for row in rows:
            must(visit.actor, Deed.CHASE, row.supervisor_id)
    if not form.has("sure"):
        with visit.context.database.rehearse() as session:
            would = what_chasing_says(session, today, rows, visit.actor.name)
        return visit.page("chase.html", today=today, rows=rows, would=would)
    with visit.writing() as session:
        chased = sum(chase(session, row.id, actor=visit.actor.name, now=visit.now) for row in rows)
    return visit.go("/overdue", said="chased", n=chased) if chased else visit.go("/overdue", said="none")
