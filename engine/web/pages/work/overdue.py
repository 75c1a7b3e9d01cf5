"""The overdue list, and chasing («đôn đốc») from it, with a preview of the letters."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.assignments.bulk_decisions import MAX_DECISIONS, check_selection
from engine.assignments.lifecycle import chase
from engine.assignments.undo import undoable
from engine.errors import BadInput
from engine.http.access import require_for
from engine.http.filters import Assignments, Code, PageNumber, Sort
from engine.http.forms import Form, clean
from engine.http.lists.list_columns import OVERDUE_LIST
from engine.http.lists.listing import ExportFormat, download, filter_names
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.figures.board import promised_counts
from engine.queries.filter_choices import department_choices, kind_choices, plan_choices
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, list_assignments
from engine.queries.work.overdue import (
    LateAgency,
    every_overdue,
    how_many_overdue,
    overdue,
    preview_chase,
    rows_to_chase,
    telephones,
)
from engine.terms import EventKind, TimeClass
from engine.text import Text
from engine.views.next_step import dates_above, reminder_line, span_of
from engine.web.pages.overview.board import todo_of, told_and_coming
from engine.web.plan_uploads import draftable_plan

router = APIRouter(include_in_schema=False)


@router.get("/overdue")
def show(
    ctx: SignedIn,
    wanted: Assignments,
    export_format: ExportFormat = None,
    page: PageNumber = 1,
    sort: Sort = "",
    said: Code = "",
    n: PageNumber = 1,
) -> Response:
    ctx.require(Permission.SEE_BOARD)
    sort = OVERDUE_LIST.known_order(sort)
    wanted = replace(wanted, request=bool(wanted.request))
    with ctx.reading() as (session, today):
        if export_format:
            rows, names = every_overdue(session, today, wanted, sort), filter_names(session, wanted.plan_id)
            return download(ctx, export_format, OVERDUE_LIST, rows, names)
        asked = ctx.kept(session, how_many_overdue, today, replace(wanted, request=not wanted.request))
        found = ctx.kept(session, overdue, today, wanted, page=page, sort=sort)
        plans = ctx.kept(session, plan_choices, wanted.plan_id)
        kinds = ctx.kept(session, kind_choices, ctx.today, wanted.plan_id)
        departments = ctx.kept(session, department_choices)
        in_reach = _in_reach(ctx, session, today, wanted)
        promises = ctx.kept(session, promised_counts, today, replace(wanted, classes=(TimeClass.OPEN_OVERDUE,)))
        draft_plan = draftable_plan(ctx, session, wanted.plan_id)
        to_do = todo_of(ctx, session, today, replace(wanted, request=None))
        known = tuple(each.id for each in found.agencies if ctx.may(Permission.SEE_CONTACTS, each.id))
        numbers = ctx.kept(session, telephones, today.day, known)
        coming, before = told_and_coming(ctx, session, today, wanted)
    span = span_of(found.agencies, ctx.today)
    shown = [row.assignment for agency in found.agencies for row in agency.rows]
    within_reach = {each.id for each in found.agencies if _may_chase(ctx, each)}
    return ctx.kept_page(
        "overdue.html",
        today=today,
        listing=OVERDUE_LIST,
        overdue=found,
        plans=plans,
        kinds=kinds,
        departments=departments,
        wanted=wanted,
        sort=sort,
        outcome=said,
        n=n,
        within_reach=within_reach,
        draft_plan=draft_plan,
        todo=to_do,
        in_reach=in_reach,
        promises=promises,
        numbers=numbers,
        next_dates=coming,
        before=before,
        span=span,
        duties={(row.plan, row.citation): row for row in shown}.values(),
        dates={"letters": dates_above(found.agencies, span, ctx.language)},
        lines={each.id: reminder_line(each, span, ctx.language) for each in found.agencies},
        asked=filter_parameters(wanted),
        apart=asked,
    )


def filter_parameters(wanted: AssignmentFilter) -> dict[str, object]:
    """The list's filters as query parameters."""
    return {
        "plan": wanted.plan_id,
        "period": wanted.period,
        "kind": wanted.kind,
        "department": wanted.department,
        "supervisor": wanted.supervisor_id,
        "issuer": wanted.issuer,
        "request": "yes" if wanted.request else "",
        "promised": wanted.promised or "",
    }


def _selected_ids(ctx: RequestContext, form: Form, wanted: AssignmentFilter) -> tuple[int, ...]:
    """The ids to chase: ticked assignments; all overdue ones of the list's filters, or of ticked agencies by them; all
    open ones of a plan's period. All but the first only where the user's department is the supervisor."""
    department = ctx.department(Permission.CHASE)
    late = replace(
        wanted,
        supervisor_id=department or wanted.supervisor_id,
        states=(),
        classes=(TimeClass.OPEN_OVERDUE,),
        waiting=None,
        request=bool(wanted.request),
    )
    filters = [replace(late, agency_id=clean(each, 64)) for each in form.every("agency")[:MAX_DECISIONS]]
    if form.has("all"):
        filters = [late]
    if form.has("plan"):
        filters.append(
            AssignmentFilter(
                plan_id=form.number("plan"),
                period=form.text("period", 64),
                finished=False,
                supervisor_id=department,
            )
        )
    ids = form.numbers("id")
    with ctx.reading() as (session, today):
        for each in filters:
            found = list_assignments(session, today, each, limit=MAX_DECISIONS, count=False)
            ids += tuple(row.id for row in found.rows)
    return tuple(dict.fromkeys(ids))


def _in_reach(ctx: RequestContext, session: Session, today: Today, wanted: AssignmentFilter) -> int:
    """How many of the filter's overdue assignments the user may chase at once."""
    if not ctx.may(Permission.CHASE, ctx.actor.agency_id):
        return 0
    department = ctx.department(Permission.CHASE)
    if department and wanted.supervisor_id not in ("", department):
        return 0
    mine = replace(wanted, supervisor_id=department or wanted.supervisor_id)
    return min(ctx.kept(session, how_many_overdue, today, mine), MAX_DECISIONS)


def _may_chase(ctx: RequestContext, agency: LateAgency) -> bool:
    return any(ctx.may(Permission.CHASE, row.assignment.supervisor_id) for row in agency.rows)


@router.post("/overdue/chase")
def ask(ctx: SignedIn, form: PostedForm, wanted: Assignments) -> Response:
    """Without ``sure`` show the letters that would be sent; with it, chase. The URL keeps the list's filters."""
    ids = _selected_ids(ctx, form, wanted)
    if not ids:
        raise BadInput(Text("Chưa chọn việc nào để đôn đốc.", "No assignment was selected."))
    check_selection(ids)
    with ctx.reading() as (session, today):
        rows = rows_to_chase(session, today, ids)
        for row in rows:
            require_for(ctx, Permission.CHASE, row)
    if not form.has("sure"):
        with ctx.app.database.rehearse() as session:
            would = preview_chase(session, today, rows, ctx.actor.name)
        return ctx.page("chase.html", today=today, rows=rows, would=would, asked=filter_parameters(wanted))
    with ctx.writing() as session:
        chased = undoable(
            session,
            EventKind.CHASED,
            ids,
            lambda: sum(chase(session, row.id, **ctx.by) for row in rows),
            place="/overdue",
            **ctx.by,
        )
    return ctx.go("/overdue", said="chased" if chased else "none", n=chased or None, **filter_parameters(wanted))
