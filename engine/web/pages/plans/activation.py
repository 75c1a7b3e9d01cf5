"""Before «activate»: the whole year that a plan would cause, and what would be sent at once; then the deed itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.agencies.stored_directory import read_directory
from engine.assignments import opening
from engine.errors import BadInput, NotFound
from engine.files.plan import PlanFile
from engine.files.yaml_reader import dump
from engine.http.filters import Code, PageNumber, SmallId
from engine.http.forms import parse_day
from engine.http.request_context import PostedForm, SignedIn
from engine.plans.simulated_year import BUSY_WEEK, Scenario
from engine.queries.plans import plan_page
from engine.terms import PlanState
from engine.text import Text
from engine.web.pages.plans.import_review import names
from engine.web.pages.plans.imports import plan_download

router = APIRouter()
MAX_SIMULATED_TIME = timedelta(days=800)
MOST_SHOWN, PEOPLE = 25, 36
"""Letters of the chosen week, and recipients on a page."""
Typed = Annotated[str, Query(max_length=20)]


@dataclass(frozen=True)
class ActivationForm:
    """What to live through, as typed."""

    scenario: Scenario
    first: date
    last: date


@router.get("/plans/{plan_id}/simulate")
def simulate(
    ctx: SignedIn,
    plan_id: SmallId,
    first: Annotated[str, Query(alias="from", max_length=20)] = "",
    until: Typed = "",
    scenario: Scenario = Scenario.SILENT,
    week: Code = "",
    agency: Code = "",
    page: PageNumber = 1,
) -> Response:
    """Weeks by people with figures, who gets too much, what collides or rolls, and a week's letters one by one."""
    ctx.require(Permission.SEE_PLANS)
    if ctx.app.simulate is None:
        raise NotFound
    with ctx.reading() as (session, today):
        plan = plan_page(session, today, plan_id)
        bodies = names(read_directory(session))
    begins, ends = _usual(plan.file, ctx.today)
    typed = {"from": first, "until": until}
    try:
        asked = ActivationForm(scenario, parse_day(first) if first else begins, parse_day(until) if until else ends)
        _must_fit(asked)
    except BadInput as error:
        return ctx.page(
            "simulate.html",
            400,
            today=today,
            plan=plan,
            asked=ActivationForm(scenario, begins, ends),
            year=None,
            typed=typed,
            sentence=error.said(ctx.language),
        )
    year = ctx.app.simulate(plan.file, asked.first, asked.last, scenario)
    weeks, people = year.heat()
    chosen = week if week in weeks else next(iter(weeks), "")
    letters = [each for each in year.messages if each.week == chosen and agency in ("", each.agency)]
    return ctx.page(
        "simulate.html",
        today=today,
        plan=plan,
        asked=asked,
        year=year,
        typed=typed,
        sentence="",
        weeks=weeks,
        people=people,
        page=page,
        per_page=PEOPLE,
        bodies=bodies,
        chosen=chosen,
        agency=agency,
        letters=letters,
        most=MOST_SHOWN,
        monday=lambda iso: date.fromisocalendar(int(iso[:4]), int(iso[6:]), 1),
        busy=BUSY_WEEK,
    )


def _usual(plan: PlanFile, today: date) -> tuple[date, date]:
    """From today while the plan's year lasts, else from its issue; to the end of the January after."""
    last = date(plan.year + 1, 1, 31)
    return (today if plan.issued_on <= today <= last else plan.issued_on), last


def _must_fit(asked: ActivationForm) -> None:
    if asked.last < asked.first:
        raise BadInput(Text("Ngày cuối trước ngày đầu.", "The last day is before the first."))
    if asked.last - asked.first > MAX_SIMULATED_TIME:
        raise BadInput(
            Text(
                f"Dài quá {MAX_SIMULATED_TIME.days} ngày; hãy chọn khoảng ngắn hơn.",
                f"Longer than {MAX_SIMULATED_TIME.days} days.",
            )
        )


@router.get("/plans/{plan_id}/file.yaml")
def file(ctx: SignedIn, plan_id: SmallId) -> Response:
    """The plan as a file that ``dondoc plan load`` takes."""
    ctx.require(Permission.SEE_PLANS)
    with ctx.reading() as (session, today):
        plan = plan_page(session, today, plan_id)
    return plan_download(plan.row.number, dump(plan.file))


@router.get("/plans/{plan_id}/activate")
def ask(ctx: SignedIn, plan_id: SmallId) -> Response:
    """What activating would do at once, by the very code that does it, undone again."""
    ctx.require(Permission.RUN_PLANS)
    with ctx.reading() as (session, today):
        plan = plan_page(session, today, plan_id)
    if plan.row.state is not PlanState.LOADED:
        return ctx.go(f"/plans/{plan_id}")
    would = opening.rehearse(ctx.app.database, plan_id, ctx.now)
    return ctx.page("activate.html", today=today, plan=plan, would=would)


@router.post("/plans/{plan_id}/activate")
def activate(ctx: SignedIn, form: PostedForm, plan_id: SmallId) -> Response:
    ctx.require(Permission.RUN_PLANS)
    with ctx.writing() as session:
        opening.activate(session, plan_id, actor=ctx.actor.name, now=ctx.now)
    return ctx.go(f"/plans/{plan_id}", said="activated")
