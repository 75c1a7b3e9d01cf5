"""Pages for the leadership: the one-page summary for printing, published figures, and the year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.admin.published_figures import (
    Published,
    list_published,
    publish_figures,
    published,
    published_rows,
    restatements,
)
from engine.assignments.chasing import ANSWER_WORKING_DAYS, drafts_waiting
from engine.errors import BadInput, Conflict, DondocError
from engine.http.filters import Code, PlanId, Several, SmallId, Sort, YesNo
from engine.http.lists.list_columns import StandingLine, published_list, standing_list, year_list
from engine.http.lists.listing import ExportFormat, download, filter_names
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.plans.closing import past_plan_ids
from engine.queries.directory import agency_choices, enquiries_of_plan
from engine.queries.figures.board import promised_counts
from engine.queries.figures.grid import grid
from engine.queries.figures.outlook import Selection, next_dates, outlook
from engine.queries.figures.plan_progress import STANDING_SORTS, Standing, standing
from engine.queries.figures.plans import plan_page
from engine.queries.figures.year import year_of
from engine.queries.filter_choices import period_choices, plan_choices, sorted_by_order
from engine.queries.work.assignments import AssignmentFilter
from engine.queries.work.promises import reasons_counted
from engine.queries.work.reports_to_accept import done_unaccepted
from engine.rules.words import level_name, period_words, short_day
from engine.terms import TimeClass, Timing
from engine.text import Text
from engine.views import svg_charts
from engine.views.event_sentences import finding, whom_to_direct
from engine.web.plan_uploads import draftable_plan

router = APIRouter(include_in_schema=False)
OLD_DEFINITIONS = 1
CUT_OFF = Text("Ngày chốt", "Cut-off day")
MAX_BEHIND_SHOWN = 10
MAX_MARKED, MAX_MARKED_LINES = 1_500, 22
"""Tasks up to which each has its mark, and agencies of a kind: what one screen and one sheet hold."""
YearNumber = Annotated[int | None, Query(ge=2000, le=2100)]


@dataclass(frozen=True)
class Refused:
    """A rejected publishing form: the invalid field, the error, and what was typed."""

    field: str
    error: DondocError
    typed: Mapping[str, str]


@router.get("/leadership")
def show(
    ctx: SignedIn,
    plan: PlanId,
    period: Code = "",
    whole: bool = False,
    export_format: ExportFormat = None,
    sort: Sort = "",
) -> Response:
    """One screen; ``whole``: the figures behind it as tables."""
    ctx.require(Permission.SEE_STANDING)
    listing = standing_list()
    sort = listing.known_order(sort)
    if export_format:
        with ctx.reading() as (session, _):
            past = past_plan_ids(session, ctx.today)
            now = standing(session, ctx.today, plan_id=plan, period=period, without=past)
            names = filter_names(session, plan)
            return download(ctx, export_format, listing, _lines(now, sort), names)
    return _figures(ctx, plan, period, sort=sort) if whole or sort else _overview(ctx, plan, period)


@router.post("/leadership/freeze")
def publish(ctx: SignedIn, form: PostedForm) -> Response:
    """Publish figures: they never change; later corrections are shown as restatements."""
    plan_id, period = form.number("plan"), form.raw("period")
    with ctx.reading() as (session, today):
        plan = plan_page(session, today, plan_id)
    ctx.require(Permission.FREEZE, plan.supervisor_id)
    typed = {name: form.raw(name)[:20] for name in ("period", "cut_off")}
    try:
        _check_period(ctx, plan_id, period)
    except BadInput as error:
        return _figures(ctx, plan_id, "", Refused("period", error, typed))
    try:
        cut_off = form.day("cut_off", CUT_OFF, past=True)
        with ctx.writing() as session:
            made = publish_figures(session, plan_id, period, cut_off, **ctx.by)
    except (BadInput, Conflict) as error:
        return _figures(ctx, plan_id, period, Refused("cut_off", error, typed))
    return ctx.go(f"/leadership/frozen/{made}")


@router.get("/leadership/frozen/{frozen_id}")
def frozen(ctx: SignedIn, frozen_id: SmallId, export_format: ExportFormat = None, sort: Sort = "") -> Response:
    """Published figures unchanged, and by agency the differences known since."""
    ctx.require(Permission.SEE_STANDING)
    with ctx.reading() as (session, today):
        found, later = published(session, frozen_id), restatements(session, frozen_id)
    old = found.definitions == OLD_DEFINITIONS
    listing = standing_list(f"so-lieu-chot-{frozen_id}", _title(found), old=old)
    sort = listing.known_order(sort)
    if export_format:
        return download(ctx, export_format, listing, _lines(found.standing, sort))
    return ctx.page(
        "frozen.html",
        today=today,
        listing=listing,
        found=found,
        later=later,
        sort=sort,
        agencies=sorted_by_order(found.standing.agencies, STANDING_SORTS, sort),
    )


@router.get("/leadership/frozen/{frozen_id}/rows")
def frozen_rows(
    ctx: SignedIn,
    frozen_id: SmallId,
    agency: Code = "",
    classes: Annotated[list[TimeClass], Several, Query(alias="class", max_length=6)] = [],  # noqa: B006 - read only
    reporting: Annotated[list[Timing], Several, Query(alias="report", max_length=3)] = [],  # noqa: B006 - read only
    request: YesNo = None,
    undone: bool = False,
    returned: bool = False,
    export_format: ExportFormat = None,
) -> Response:
    """What a number of published figures counts, as it was counted."""
    ctx.require(Permission.SEE_STANDING)
    with ctx.reading() as (session, today):
        found, rows = published(session, frozen_id), published_rows(session, frozen_id)
        names = dict(agency_choices(session))
    shown = [
        row
        for row in rows
        if (not agency or row.agency_id == agency)
        and (not classes or row.time_class in classes)
        and (not reporting or row.reporting in reporting)
        and request in (None, row.request)
        and (not undone or row.undone)
        and (not returned or row.returned)
    ]
    if export_format:
        listing = published_list(frozen_id, _title(found), names)
        return download(ctx, export_format, listing, shown, {"agency": names})
    who = names.get(agency, agency)
    return ctx.page("frozen_rows.html", today=today, found=found, rows=shown, names=names, agency=who)


@router.get("/year")
def year(
    ctx: SignedIn,
    plan: PlanId,
    year: YearNumber = None,
    kind: Code = "",
    export_format: ExportFormat = None,
) -> Response:
    """Letters per week, sent and to come, and what is due."""
    ctx.require(Permission.SEE_STANDING)
    with ctx.reading() as (session, today):
        found = ctx.kept(session, year_of, today, year or ctx.today.year, plan_id=plan)
        plans = ctx.kept(session, plan_choices, plan)
        shown = found.of_kind(kind) if kind else found
        if export_format:
            return download(ctx, export_format, year_list(found.year), shown.lines, filter_names(session, plan))
        coming = ctx.kept(session, next_dates, today, Selection(plan))
    return ctx.kept_page(
        "year.html",
        today=today,
        year=shown,
        plans=plans,
        plan=plan,
        letters=svg_charts.letters_per_week(shown, ctx.language),
        next_dates=coming,
        kinds=[(each, level_name(each, ctx.language)) for each in found.kinds],
        kind=kind,
    )


def _lines(standing: Standing, sort: str = "") -> list[StandingLine]:
    return [(each, False) for each in sorted_by_order(standing.agencies, STANDING_SORTS, sort)] + [
        (each, True) for each in standing.asked
    ]


def _title(found: Published) -> Text:
    """«Số liệu đã chốt 188/KH-UBND, 6 tháng đầu năm 2021, chốt 17/6/2021»."""
    period = period_words(found.period, "vi"), period_words(found.period, "en")
    vi, en = period if found.period else ("mọi kỳ", "every period")
    day = short_day(found.cut_off)
    return Text(f"Số liệu đã chốt {found.plan}, {vi}, chốt {day}", f"Published figures {found.plan}, {en}, as of {day}")


def _check_period(ctx: RequestContext, plan_id: int, period: str) -> None:
    with ctx.reading() as (session, _):
        known = period_choices(session, plan_id)
    if period and period not in known:
        raise BadInput(
            Text(
                "Kế hoạch này không có kỳ ấy; hãy chọn trong danh sách.",
                "The plan has no such period; choose one from the list.",
            )
        )


def _overview(ctx: RequestContext, plan_id: int | None, period: str) -> Response:
    with ctx.reading() as (session, today):
        found = outlook(session, today, plan_id=plan_id, period=period)
        wanted = AssignmentFilter(plan_id=plan_id, period=period, past=False if found.past else None)
        plans = ctx.kept(session, plan_choices, plan_id)
        plan = ctx.kept(session, plan_page, today, plan_id) if plan_id is not None else None
        promises = ctx.kept(session, promised_counts, today, wanted)
        accept = done_unaccepted(session, today, wanted)
        waiting = ctx.kept(session, drafts_waiting, today.day)
        drafts = [each for _, each in waiting if plan_id in (None, each)]
        draft_plan = draftable_plan(ctx, session, plan_id) if drafts else None
        enquiries = ctx.kept(session, enquiries_of_plan, today.day, plan_id)
        marks = None if found.now.total.expected > MAX_MARKED else ctx.kept(session, grid, today, wanted)
    due = sorted({each.due_on for each in found.now.periods if each.due_on is not None})
    return ctx.kept_page(
        "leadership.html",
        today=today,
        outlook=found,
        finding=finding(found),
        to_direct=whom_to_direct(found.behind),
        answer_by=today.calendar.shift(today.day, ANSWER_WORKING_DAYS),
        grid=marks,
        weeks=svg_charts.done_by_week(found.weeks, due, ctx.language) if found.weeks else None,
        promises=promises,
        accept=accept,
        drafts=len(drafts),
        draft_plan=draft_plan,
        enquiries=enquiries,
        plans=plans,
        plan_name=plan.row.number if plan else "",
        periods=found.choices,
        plan=plan_id,
        period_key=period,
        most_behind=MAX_BEHIND_SHOWN,
        most_marked=MAX_MARKED_LINES,
    )


def _figures(
    ctx: RequestContext, plan_id: int | None, period: str, refused: Refused | None = None, *, sort: str = ""
) -> Response:
    with ctx.reading() as (session, today):
        found = outlook(session, today, plan_id=plan_id, period=period)
        wanted = AssignmentFilter(plan_id=plan_id, period=period, past=False if found.past else None)
        publications = ctx.kept(session, list_published, plan_id)
        causes = ctx.kept(session, reasons_counted, today, wanted)
        plan = ctx.kept(session, plan_page, today, plan_id) if plan_id is not None else None
    return ctx.kept_page(
        "leadership_figures.html",
        refused.error.status if refused else 200,
        today=today,
        listing=standing_list(),
        outlook=found,
        finding=finding(found),
        causes=causes,
        plan_name=plan.row.number if plan else "",
        periods=found.choices,
        plan=plan_id,
        period_key=period,
        published=publications,
        may_freeze=plan is not None and ctx.may(Permission.FREEZE, plan.supervisor_id),
        refused=refused,
        sort=sort,
        agencies=sorted_by_order(found.now.agencies, STANDING_SORTS, sort),
    )
