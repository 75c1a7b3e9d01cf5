"""The overdue list, and «đôn đốc» from it: what would be said is shown before anything is sent."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission, require
from engine.assignments.bulk_decisions import MAX_DECISIONS, check_selection
from engine.assignments.lifecycle import chase
from engine.errors import BadInput
from engine.http.filters import Assignments, Code, PageNumber
from engine.http.forms import Form, clean
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.filter_choices import department_choices, kind_choices, plan_choices
from engine.queries.work.assignments import AssignmentFilter, list_assignments
from engine.queries.work.chase_preview import rows_to_chase, what_chasing_says
from engine.queries.work.overdue import LateAgency, overdue
from engine.terms import OPEN_STATES, TimeClass
from engine.text import Text

router = APIRouter()


@router.get("/overdue")
def show(ctx: SignedIn, wanted: Assignments, page: PageNumber = 1, said: Code = "", n: PageNumber = 1) -> Response:
    ctx.require(Permission.SEE_BOARD)
    with ctx.reading() as (session, today):
        found = overdue(session, today, wanted, page=page)
        plans, kinds = plan_choices(session, wanted.plan_id), kind_choices(session)
        departments = department_choices(session)
    within_reach = {each.id for each in found.agencies if _may_chase(ctx, each)}
    return ctx.page(
        "overdue.html",
        today=today,
        overdue=found,
        plans=plans,
        kinds=kinds,
        departments=departments,
        wanted=wanted,
        outcome=said,
        n=n,
        within_reach=within_reach,
        asked=asked(wanted),
    )


def asked(wanted: AssignmentFilter) -> dict[str, object]:
    """The filters of this list as parameters of an address."""
    return {"plan": wanted.plan_id, "period": wanted.period, "kind": wanted.kind, "department": wanted.department}


def _chosen(ctx: RequestContext, form: Form, wanted: AssignmentFilter) -> tuple[int, ...]:
    """Those ticked; all that are overdue, by the list's filters, of agencies ticked whole; all that a plan's period
    still waits for. Of what is not ticked one by one, those that the visitor's department is above."""
    above = ctx.department(Permission.CHASE)
    late = replace(wanted, supervisor_id=above, states=(), classes=(TimeClass.OPEN_OVERDUE,), waiting=None)
    wholes = [replace(late, agency_id=clean(each, 64)) for each in form.every("agency")[:MAX_DECISIONS]]
    if form.has("plan"):
        wholes.append(
            AssignmentFilter(
                plan_id=form.number("plan"), period=form.text("period", 64), states=OPEN_STATES, supervisor_id=above
            )
        )
    ids = form.numbers("id")
    with ctx.reading() as (session, today):
        for whole in wholes:
            found = list_assignments(session, today, whole, limit=MAX_DECISIONS, count=False)
            ids += tuple(row.id for row in found.rows)
    return tuple(dict.fromkeys(ids))


def _may_chase(ctx: RequestContext, agency: LateAgency) -> bool:
    return any(ctx.may(Permission.CHASE, row.assignment.supervisor_id) for row in agency.rows)


@router.post("/overdue/chase")
def ask(ctx: SignedIn, form: PostedForm, wanted: Assignments) -> Response:
    """First the letters that would be sent; with ``sure``, the deed. The address keeps the list's filters."""
    ids = _chosen(ctx, form, wanted)
    if not ids:
        raise BadInput(Text("Chưa chọn việc nào để đôn đốc.", "Nothing was chosen to be chased."))
    check_selection(ids)
    with ctx.reading() as (session, today):
        rows = rows_to_chase(session, today, ids)
        for row in rows:
            require(ctx.actor, Permission.CHASE, row.supervisor_id)
    if not form.has("sure"):
        with ctx.app.database.rehearse() as session:
            would = what_chasing_says(session, today, rows, ctx.actor.name)
        return ctx.page("chase.html", today=today, rows=rows, would=would, asked=asked(wanted))
    with ctx.writing() as session:
        chased = sum(chase(session, row.id, actor=ctx.actor.name, now=ctx.now) for row in rows)
    return ctx.go("/overdue", said="chased" if chased else "none", n=chased or None, **asked(wanted))
