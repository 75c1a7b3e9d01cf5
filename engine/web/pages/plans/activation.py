"""Activating a plan: a simulation of its whole year, a preview of what would be sent at once, and the activation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.agencies.directory_loading import read_directory
from engine.assignments import opening
from engine.errors import BadInput, Conflict, NotFound
from engine.files.directory import DirectoryFile
from engine.files.plan import PlanFile, due_periods, owners_of
from engine.files.stored_plan import asked_cycles, plan_body, with_days
from engine.files.yaml_reader import dump
from engine.http.filters import Code, PageNumber, SmallId
from engine.http.forms import parse_day
from engine.http.guards.waiting import answered
from engine.http.lists.list_columns import simulated_list
from engine.http.lists.listing import ExportFormat, download
from engine.http.long_work import Progress
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.plans.simulated_year import BUSY_WEEK, SimulatedDay, SimulatedYear
from engine.queries.figures.plans import plan_page
from engine.rules.calendar import WorkCalendar
from engine.rules.periods import Cadence
from engine.terms import PastPeriods, PlanState, Scenario
from engine.text import Text
from engine.web.plan_uploads import plan_download

router = APIRouter(include_in_schema=False)
MAX_SIMULATED_TIME = timedelta(days=800)
MAX_LETTERS, PEOPLE_PER_PAGE = 25, 36
"""Letters of the selected week, and recipients per page."""
MAX_DRAWN, AFTER_DUE, MAX_DAYS = timedelta(days=120), timedelta(days=10), 14
"""How far ahead letters are drawn by day: to the first due date and what follows it, so many days with letters."""
Typed = Annotated[str, Query(max_length=20)]
FIRST_DAY, LAST_DAY = Text("Kích hoạt ngày", "Activated on"), Text("Đến ngày", "Until")


@dataclass(frozen=True)
class ActivationForm:
    """The period and scenario to simulate."""

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
    export_format: ExportFormat = None,
) -> Response:
    """The simulated year: letters by week and person, overloaded people, collisions and moved dates, and one week's
    letters; all letters, or those of the chosen week and agency, as a file."""
    ctx.require(Permission.SEE_PLANS)
    if ctx.app.simulate is None:
        raise NotFound
    with ctx.reading() as (session, today):
        plan = plan_page(session, today, plan_id)
        agencies = read_directory(session).latest_names
    begins, ends = _default_period(plan.file, ctx.today)
    typed, read = {"from": first, "until": until}, partial(parse_day, today=ctx.today)
    try:
        request = ActivationForm(
            scenario,
            read(first, what=FIRST_DAY) if first else begins,
            read(until, what=LAST_DAY) if until else ends,
        )
        _check_period(request)
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
    work, progress = ctx.app.simulate, Progress()

    def simulated() -> SimulatedYear:
        return work(plan.file, request.first, request.last, scenario, progress.tell)

    if export_format:  # it has its turn already (``engine.http.guards.request_limits``)
        year = simulated()
        rows = year.some(week, agency)
        return download(ctx, export_format, simulated_list(plan.row, year), rows, {"agency": year.names})

    def shown(after: RequestContext, result: Callable[[], SimulatedYear]) -> Response:
        year = result()
        weeks, people = year.heat()
        selected = week if week in weeks else next(iter(weeks), "")
        return after.page(
            "simulate.html",
            today=today,
            plan=plan,
            asked=request,
            year=year,
            typed=typed,
            sentence="",
            weeks=weeks,
            people=people,
            page=page,
            per_page=PEOPLE_PER_PAGE,
            bodies=agencies,
            chosen=selected,
            agency=agency,
            letters=year.some(selected, agency),
            most=MAX_LETTERS,
            monday=lambda iso: date.fromisocalendar(int(iso[:4]), int(iso[6:]), 1),
            busy=BUSY_WEEK,
        )

    words = Text("Đang tính thư của cả năm", "Computing the year's letters")
    what = ("simulate", plan_id, request, week, agency, page)
    return answered(ctx, words, what, simulated, shown, progress)


def _default_period(plan: PlanFile, today: date) -> tuple[date, date]:
    """The default period: from today during the plan's year, else from its issue date; to the end of the next
    January."""
    last = date(plan.year + 1, 1, 31)
    return (today if plan.issued_on <= today <= last else plan.issued_on), last


def _check_period(request: ActivationForm) -> None:
    if request.last < request.first:
        raise BadInput(Text("Ngày cuối trước ngày đầu.", "The last day is before the first."))
    if request.last - request.first > MAX_SIMULATED_TIME:
        raise BadInput(
            Text(
                f"Dài quá {MAX_SIMULATED_TIME.days} ngày; hãy chọn khoảng ngắn hơn.",
                f"Longer than {MAX_SIMULATED_TIME.days} days.",
            )
        )


@router.get("/plans/{plan_id}/file.yaml")
def file(ctx: SignedIn, plan_id: SmallId) -> Response:
    """The plan as a file for ``dondoc plan load``."""
    ctx.require(Permission.SEE_PLANS)
    with ctx.reading() as (session, today):
        plan = plan_page(session, today, plan_id)
    return plan_download(plan.row.number, dump(plan.file))


def cadence_field(citation: str) -> str:
    return f"cadence-{citation}"


def day_field(rule: str) -> str:
    return f"day-{rule}"


@dataclass(frozen=True, kw_only=True)
class AskedDay:
    """A day of reports that the document does not name: for which duties, by whom, what was typed, and the due dates
    that follow or what is wrong with it."""

    rule: str
    wording: str
    cycles: tuple[Cadence, ...]
    citations: tuple[str, ...]
    owners: int
    typed: str
    due: tuple[date, ...] = ()
    wrong: Text | None = None

    @property
    def named(self) -> bool:
        return bool(self.typed) and self.wrong is None


def _asked_days(
    plan: PlanFile, directory: DirectoryFile, calendar: WorkCalendar, days: Mapping[str, str]
) -> list[AskedDay]:
    """Of each rule without a day, with what was typed for it."""
    found, owners = [], owners_of(plan, directory)
    for name in plan.days_to_ask:
        duties = [placed.duty for placed in plan.duties.values() if placed.duty.rule == name]
        asked = AskedDay(
            rule=name,
            wording=plan.report_rules[name].wording,
            cycles=asked_cycles(plan, name),
            citations=tuple(duty.citation for duty in duties),
            owners=len({agency for duty in duties for agency in owners[duty.citation]}),
            typed=days.get(name, ""),
        )
        if asked.typed:
            try:
                with_it = PlanFile.model_validate(with_days(plan_body(plan), {name: asked.typed}))
                due = {each.due.on for duty in duties for each in due_periods(with_it, duty, calendar)}
                asked = replace(asked, due=tuple(sorted(due)))
            except BadInput as error:
                asked = replace(asked, wrong=error.text)
        found.append(asked)
    return found


def _chosen(plan: PlanFile, typed: Callable[[str], str]) -> opening.Choices:
    """What is chosen on the form: cadences where the plan leaves a choice, days that it does not name, and what becomes
    of periods already over. Raises BadInput."""
    chosen, past = {}, typed("past") or PastPeriods.EXTEND
    for citation, placed in plan.duties.items():
        value = typed(cadence_field(citation)) if placed.duty.cadence_choices else ""
        if value:
            if value not in placed.duty.cadence_choices:
                raise BadInput(Text("Chu kỳ này không có để chọn.", "There is no such cadence to choose."))
            chosen[citation] = Cadence(value)
    if past not in tuple(PastPeriods):
        raise BadInput(Text("Lựa chọn này không có.", "There is no such choice."))
    days = {name: day for name in plan.days_to_ask if (day := typed(day_field(name)).strip()[:80])}
    return opening.Choices(cadences=chosen, days=days, past=PastPeriods(past))


@router.get("/plans/{plan_id}/activate")
def ask(ctx: SignedIn, plan_id: SmallId) -> Response:
    """Preview of the activation, with the cadences chosen in the address: runs it and rolls it back."""
    ctx.require(Permission.RUN_PLANS)
    with ctx.reading() as (session, today):
        plan, directory = plan_page(session, today, plan_id), read_directory(session)
    if plan.row.state is not PlanState.LOADED:
        return ctx.go(f"/plans/{plan_id}")
    chosen = _chosen(plan.file, lambda name: ctx.request.query_params.get(name, ""))
    asked = _asked_days(plan.file, directory, today.calendar, chosen.days)
    chosen = replace(chosen, days={each.rule: each.typed for each in asked if each.named})
    choices = [placed.duty for placed in plan.file.duties.values() if placed.duty.cadence_choices]

    progress = Progress()

    def rehearsed() -> tuple[opening.Activation, list[SimulatedDay]]:
        would = opening.rehearse(ctx.app.database, plan_id, ctx.now, chosen)
        if ctx.app.simulate is None or chosen.cadences:
            return would, []
        file = PlanFile.model_validate(with_days(plan_body(plan.file), chosen.days))
        last = min(would.first_due or ctx.today, ctx.today + MAX_DRAWN) + AFTER_DUE
        try:
            return would, ctx.app.simulate(file, ctx.today, last, Scenario.SILENT, progress.tell).by_day()
        except Conflict:  # others wait for their years: activation does not
            return would, []

    def shown(after: RequestContext, result: Callable[[], tuple[opening.Activation, list[SimulatedDay]]]) -> Response:
        would, days = result()
        return after.page(
            "activate.html",
            today=today,
            plan=plan,
            would=would,
            days=days[:MAX_DAYS],
            choices=choices,
            chosen=chosen,
            asked=asked,
            open_days=sum(not each.named for each in asked),
            cadence_field=cadence_field,
            day_field=day_field,
            PastPeriods=PastPeriods,
        )

    words = Text("Đang tính những gì sẽ gửi", "Computing what would be sent")
    what = ("rehearse", plan_id, tuple(sorted({**chosen.cadences, **chosen.days}.items())), chosen.past, ctx.now.date())
    return answered(ctx, words, what, rehearsed, shown, progress)


@router.post("/plans/{plan_id}/activate")
def activate(ctx: SignedIn, form: PostedForm, plan_id: SmallId) -> Response:
    ctx.require(Permission.RUN_PLANS)
    with ctx.reading() as (session, today):
        chosen = _chosen(plan_page(session, today, plan_id).file, form.raw)

    def act() -> None:
        with ctx.writing() as session:
            opening.activate(session, plan_id, choices=chosen, **ctx.by)

    def activated(after: RequestContext, result: Callable[[], None]) -> Response:
        result()
        return after.go(f"/plans/{plan_id}", said="activated")

    words = Text("Đang kích hoạt kế hoạch", "Activating the plan")
    return answered(ctx, words, ("activate", plan_id), act, activated)
