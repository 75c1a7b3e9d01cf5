"""The list of agencies, and one agency's desk."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.assignments.undo import undoable
from engine.http.access import MAX_ACKNOWLEDGED, acknowledge_all
from engine.http.filters import AgencyId, Code, Cursor, PlanId, Sort
from engine.http.lists.list_columns import AGENCY_LIST
from engine.http.lists.listing import ExportFormat, download
from engine.http.request_context import PostedForm, SignedIn
from engine.queries.directory import OWN_SORT, list_agencies
from engine.queries.figures.board import promised_counts
from engine.queries.figures.outlook import Selection, next_chase, told_before
from engine.queries.paging import DOWNLOAD_ROWS, every_row
from engine.queries.work.assignments import AssignmentFilter
from engine.queries.work.conduct import conduct
from engine.queries.work.desk import SECTIONS, desk
from engine.queries.work.overdue import late_of_each, telephones
from engine.queries.work.todo import unreachable
from engine.terms import EventKind
from engine.web.pages.overview.board import told_and_coming
from engine.web.plan_uploads import draftable_plan, drafts_to_sign

router = APIRouter(include_in_schema=False)
Count = Annotated[int, Query(ge=0, le=MAX_ACKNOWLEDGED)]


@router.get("/agencies")
def listing(ctx: SignedIn, export_format: ExportFormat = None, after: Cursor = "", sort: Sort = "") -> Response:
    ctx.require(Permission.SEE_BOARD)
    sort = AGENCY_LIST.known_order(sort)
    order = sort or OWN_SORT
    with ctx.reading() as (session, today):
        if export_format:
            rows = every_row(
                lambda cursor: list_agencies(session, today, after=cursor, limit=DOWNLOAD_ROWS, sort=order)
            )
            return download(ctx, export_format, AGENCY_LIST, rows)
        found = list_agencies(session, today, after=after, sort=order)
        late = ctx.kept(session, late_of_each, today.day)
        coming, before = told_and_coming(ctx, session, today, AssignmentFilter())
        promises = ctx.kept(session, promised_counts, today, AssignmentFilter(request=False))
        lacking = unreachable(session, today, AssignmentFilter())
    return ctx.kept_page(
        "agencies.html",
        today=today,
        listing=AGENCY_LIST,
        found=found,
        sort=sort,
        behind=late,
        before=before,
        next_dates=coming,
        promises=promises,
        lacking=lacking,
    )


@router.get("/agencies/{agency_id}")
def show(
    ctx: SignedIn, agency_id: AgencyId, plan: PlanId, period: Code = "", said: Code = "", n: Count = 0
) -> Response:
    ctx.require(Permission.SEE_ASSIGNMENT, agency_id)
    with ctx.reading() as (session, today):
        found = ctx.kept(session, desk, today, agency_id, plan_id=plan, period=period)
        draft_plan = draftable_plan(ctx, session, plan)
        drafts = drafts_to_sign(ctx, session, plan)
        wanted = AssignmentFilter(plan_id=plan, period=period, agency_id=agency_id)
        done = ctx.kept(session, conduct, today, wanted).total
        promises = ctx.kept(session, promised_counts, today, wanted)
        overdue = ctx.kept(session, late_of_each, today.day).get(agency_id, 0)
        told = told_before(session, Selection(), today.day) if plan is None and not period else None
        before = told.of_agency(agency_id) if told and agency_id in told.cells else None
        numbers = telephones(session, today.day, [agency_id]) if ctx.may(Permission.SEE_CONTACTS, agency_id) else {}
        chase = ctx.kept(session, next_chase, today, Selection(plan, period), agency_id)
    return ctx.kept_page(
        "desk.html",
        today=today,
        desk=found,
        plan=plan,
        period_key=period,
        SECTIONS=SECTIONS,
        outcome=said,
        n=n,
        draft_plan=draft_plan,
        drafts=drafts,
        conduct=done,
        promises=promises,
        chase=chase,
        overdue=overdue,
        before=before if before and (overdue or before.total.overdue) else None,
        number=numbers.get(agency_id),
    )


@router.get("/agencies/{agency_id}/promises")
def late_promises(ctx: SignedIn, agency_id: AgencyId) -> Response:
    """The address of a page that is gone: days are promised from the desk."""
    return ctx.go(f"/agencies/{agency_id}")


@router.post("/agencies/{agency_id}/acknowledge")
def acknowledge_shown(
    ctx: SignedIn, form: PostedForm, agency_id: AgencyId, plan: PlanId, period: Code = ""
) -> Response:
    """Acknowledge all that is shown as new."""
    ctx.require(Permission.ACKNOWLEDGE, agency_id)
    ids = form.numbers("id")
    with ctx.writing() as session:
        changed = undoable(
            session,
            EventKind.ACKNOWLEDGED,
            ids,
            lambda: acknowledge_all(ctx, session, ids),
            place=f"/agencies/{agency_id}",
            **ctx.by,
        )
    return ctx.go(f"/agencies/{agency_id}", said="acknowledged", n=len(changed), plan=plan, period=period)
