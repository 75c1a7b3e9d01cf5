"""The leadership's page, to be read in a minute and printed; what was published at a cut-off; and the year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from engine.accounts.permissions import Deed
from engine.admin.published_figures import freeze, list_published, published, restatements
from engine.errors import BadInput, Conflict, DondocError
from engine.http.filters import Code, PageNumber, PlanId, SmallId
from engine.http.request_context import Desk, Posted, Visit
from engine.queries.figures.plan_progress import changes, standings
from engine.queries.figures.year import year_of
from engine.queries.filter_choices import period_choices, plan_choices
from engine.queries.plans import plan_page
from engine.rules.words import level_name
from engine.text import Text
from engine.views import svg_charts

router = APIRouter()
WEEK = timedelta(days=7)
MOST_CHANGES = 12
MOST_STANDING = 40
"""Agencies on the printed page, worst first; all of them by a link."""
MOST_AGENCIES, MOST_WEEKS = 22, 90
"""Lines of one map, and weeks with something in them: what keeps the page and its table under 50 KB."""
YearNumber = Annotated[int | None, Query(ge=2000, le=2100)]
HalfNumber = Annotated[int | None, Query(ge=1, le=2)]


@dataclass(frozen=True)
class Refused:
    """A form of publishing that was refused: which field is at fault, why, and what had been typed."""

    field: str
    error: DondocError
    typed: Mapping[str, str]


@router.get("/leadership")
def show(visit: Desk, plan: PlanId, period: Code = "", whole: bool = False) -> Response:
    return _page(visit, plan, period, whole=whole)


@router.post("/leadership/freeze")
def publish(visit: Desk, form: Posted) -> Response:
    """From now on the printed number stays; what is learnt later stands beside it."""
    plan_id, period = form.number("plan"), form.raw("period")
    with visit.reading() as (session, today):
        plan = plan_page(session, today, plan_id)
    visit.must(Deed.FREEZE, plan.supervisor_id)
    typed = {name: form.raw(name)[:20] for name in ("period", "cut_off")}
    try:
        _must_be_of_the_plan(visit, plan_id, period)
    except BadInput as error:
        return _page(visit, plan_id, "", Refused("period", error, typed))
    try:
        cut_off = form.day("cut_off")
        with visit.writing() as session:
            made = freeze(session, plan_id, period, cut_off, actor=visit.actor.name, now=visit.now)
    except (BadInput, Conflict) as error:
        return _page(visit, plan_id, period, Refused("cut_off", error, typed))
    return visit.go(f"/leadership/frozen/{made}")


@router.get("/leadership/frozen/{frozen_id}")
def frozen(visit: Desk, frozen_id: SmallId) -> Response:
    """What was printed, as it was printed, and by agency what stands otherwise now."""
    visit.must(Deed.SEE_STANDING)
    with visit.reading() as (session, today):
        found, later = published(session, frozen_id), restatements(session, frozen_id)
    return visit.page(
        "frozen.html",
        today=today,
        found=found,
        later=later,
        rates=svg_charts.rates(found.standing.periods, visit.language),
    )


@router.get("/year")
def year(
    visit: Desk,
    plan: PlanId,
    year: YearNumber = None,
    kind: Code = "",
    half: HalfNumber = None,
    page: PageNumber = 1,
) -> Response:
    """Weeks by agencies, and letters a week: sent and to come. Of many agencies, first a line a kind of body; each kind
    is opened by itself, half a year at a time."""
    visit.must(Deed.SEE_STANDING)
    with visit.reading() as (session, today):
        found = year_of(session, today, year or visit.today.year, plan_id=plan)
        plans = plan_choices(session, plan)
    kinds = [(each, level_name(each, visit.language)) for each in found.kinds]
    chosen = found.of_kind(kind) if kind else found
    folded = not kind and len(found.agencies) > MOST_AGENCIES
    lines = found.by_kind(dict(kinds)) if folded else chosen
    here = lines.agencies[(page - 1) * MOST_AGENCIES : page * MOST_AGENCIES]
    shown = replace(lines, agencies=here)
    if half is None and shown.cells > MOST_WEEKS:
        half = 1 if visit.today.month <= 6 or visit.today.year != found.year else 2
    if half is not None:
        shown = shown.half(half)
    drawn = (svg_charts.letters_per_week(chosen, visit.language), svg_charts.year_map(shown, visit.language))
    return visit.page(
        "year.html",
        today=today,
        year=found,
        plans=plans,
        plan=plan,
        drawn=drawn,
        kinds=kinds,
        kind=kind,
        half=half,
        folded=folded,
        page=page,
        pages=-(-len(lines.agencies) // MOST_AGENCIES),
    )


def _must_be_of_the_plan(visit: Visit, plan_id: int, period: str) -> None:
    with visit.reading() as (session, _):
        known = period_choices(session, plan_id)
    if period and period not in known:
        raise BadInput(
            Text(
                "Kế hoạch này không có kỳ ấy; hãy chọn trong danh sách.",
                "The plan has no such period; choose one of the list.",
            )
        )


def _page(
    visit: Visit, plan_id: int | None, period: str, refused: Refused | None = None, *, whole: bool = False
) -> Response:
    visit.must(Deed.SEE_STANDING)
    with visit.reading() as (session, today):
        stood = standings(session, (visit.today, visit.today - WEEK), plan_id=plan_id, period=period)
        plans = plan_choices(session, plan_id)
        frozen_ones = list_published(session, plan_id)
        chosen = plan_page(session, today, plan_id) if plan_id is not None else None
    now, then = stood.days
    return visit.page(
        "leadership.html",
        refused.error.status if refused else 200,
        today=today,
        now=now,
        then=then,
        changed=changes(then, now)[:MOST_CHANGES],
        plans=plans,
        periods=stood.choices,
        plan=plan_id,
        period_key=period,
        published=frozen_ones,
        rates=svg_charts.rates(now.periods, visit.language),
        last_week=visit.today - WEEK,
        may_freeze=chosen is not None and visit.may(Deed.FREEZE, chosen.supervisor_id),
        refused=refused,
        whole=whole,
        most_agencies=MOST_STANDING,
    )
