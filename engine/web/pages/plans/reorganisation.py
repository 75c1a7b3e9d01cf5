"""«Sắp xếp lại tổ chức»: agencies that running plans still name after their last day, together where they ended on one
day; and one plan with its agencies: owners that have ended, each with who took over, another department that
follows it.

Named first, confirmed one by one or all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.admin import reorganisation
from engine.agencies.agencies import MAX_BASIS_CHARS
from engine.agencies.directory_loading import read_directory
from engine.assignments.handover import Successor
from engine.errors import BadInput, DondocError
from engine.http.filters import Code, SmallId
from engine.http.forms import Form, parse_day
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.plans import following
from engine.plans.following import Replacement, Reporting
from engine.plans.reorganisation import Decision, EndedAgency, ended_agencies
from engine.queries.figures.plans import plan_page
from engine.rules.calendar import instant
from engine.store.recipients import WHOLE
from engine.terms import Role
from engine.text import Text

router = APIRouter(include_in_schema=False)


@router.get("/plans/{plan_id}/successions")
def show_successions(ctx: SignedIn, plan_id: SmallId, said: Code = "") -> Response:
    return _successions_page(ctx, plan_id, outcome=said)


@router.post("/plans/{plan_id}/successions")
def confirm(ctx: SignedIn, form: PostedForm, plan_id: SmallId) -> Response:
    """``do=follow``: another department follows the plan. Else the ticked owners (``ended``) are replaced by what is
    chosen for each (``to-<id>``); all of them or none."""
    ctx.require(Permission.RUN_PLANS)
    try:
        with ctx.writing() as session:
            if form.raw("do") == "follow":
                basis, to = form.text("basis", MAX_BASIS_CHARS), form.text("to", 64)
                count = following.change_supervisor(session, plan_id, to, basis=basis, **ctx.by)
                return ctx.go(f"/plans/{plan_id}/successions", said=f"follow.{count}")
            proposed = {
                each.ended.agency_id: each for each in following.proposed_replacements(session, plan_id, ctx.now)
            }
            ticked = [each for each in form.every("ended") if each in proposed]
            for name in ticked:
                heirs = form.text(f"to-{name}", 64)
                basis = _basis(form, proposed[name])
                chosen = [heirs] if heirs else proposed[name].heirs
                following.replace_owner(session, plan_id, name, chosen, basis=basis, **ctx.by)
    except DondocError as error:
        return _successions_page(ctx, plan_id, trouble=error)
    return ctx.go(f"/plans/{plan_id}/successions", said=f"replaced.{len(ticked)}")


def _basis(form: Form, proposed: Replacement) -> str:
    return form.text("basis", MAX_BASIS_CHARS) or proposed.basis[:MAX_BASIS_CHARS]


def _successions_page(
    ctx: RequestContext, plan_id: int, *, outcome: str = "", trouble: DondocError | None = None
) -> Response:
    ctx.require(Permission.RUN_PLANS)
    with ctx.reading() as (session, today):
        found = following.proposed_replacements(session, plan_id, ctx.now)
        plan, directory = plan_page(session, today, plan_id), read_directory(session)
    levels = {each.id: each.level for each in directory.agencies}
    kind, _, count = outcome.partition(".")
    return ctx.page(
        "plan_successions.html",
        422 if trouble else 200,
        today=today,
        plan=plan,
        found=found,
        names=directory.latest_names,
        departments=[name for name in levels if levels[name] == levels.get(plan.supervisor_id)],
        groups=directory.groups,
        outcome=kind,
        count=int(count) if count.isdecimal() else 0,
        sentence=trouble.said(ctx.language) if trouble else "",
        max_basis=MAX_BASIS_CHARS,
    )


PAGE = "/reorganisation"
START_OF_DAY = time(7)
"""Local time for which a day ahead is previewed."""
SHOWN_OWED = 60
"""Lines of the dry run that are shown; the numbers are of all."""
NOTHING_CHOSEN = Text(
    "Chưa đánh dấu cơ quan nào đã soát. Hãy xem từng dòng rồi đánh dấu.", "Nothing is ticked. Look at each, then tick."
)


@dataclass(frozen=True, slots=True)
class Step:
    """Duties of one ended agency that go to the same agencies."""

    citations: tuple[str, ...]
    plan: str
    heirs: tuple[Successor, ...]


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """Agencies of one level that ended on one day; ``key`` stands for them in the form."""

    key: str
    level: str
    last_day: date
    agencies: tuple[EndedAgency, ...]
    known: bool
    """The directory says who follows each."""

    @property
    def heirs(self) -> int:
        return len({heir.agency_id for each in self.agencies for heir in each.heirs})

    @property
    def asked(self) -> int:
        return sum(each.asked for each in self.agencies)

    @property
    def inferred(self) -> bool:
        return any(each.inferred for each in self.agencies)

    @property
    def divided(self) -> bool:
        return any(each.divided for each in self.agencies)

    @property
    def seated(self) -> bool:
        """Each that is divided has a known seat."""
        return all(each.seat for each in self.agencies if each.divided)

    @property
    def proposed(self) -> Reporting:
        return Reporting.SEAT if self.divided and self.seated else Reporting.ALL

    @property
    def bases(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.basis for each in self.agencies))


def steps_of(agency: EndedAgency) -> tuple[Step, ...]:
    found: dict[tuple[str, tuple[Successor, ...]], list[str]] = {}
    for share in agency.plans:
        for citation, heirs in share.duties.items():
            found.setdefault((share.number, heirs), []).append(citation)
    return tuple(Step(tuple(citations), plan, heirs) for (plan, heirs), citations in found.items())


@router.get(PAGE)
def show(ctx: SignedIn, on: Code = "", said: Code = "") -> Response:
    """``on``: a day ahead, for which only the dry run is possible."""
    ctx.require(Permission.RUN_PLANS)
    return _page(ctx, _day(ctx, on), outcome=said)


@router.post(PAGE)
def act(ctx: SignedIn, form: PostedForm) -> Response:
    """The dry run of what is ticked; with ``do=act``, the act itself."""
    ctx.require(Permission.RUN_PLANS)
    day = _day(ctx, form.raw("on"))
    try:
        decisions = _decisions(ctx, form, day)
        if form.raw("do") != "act":
            return _dry_run(ctx, form, decisions, day)
        if day > ctx.today:
            raise BadInput(Text("Ngày ấy chưa tới; mới xem trước được.", "The day has not come; it can be previewed."))
        with ctx.writing() as session:
            done, _ = reorganisation.reorganise(session, decisions, **ctx.by)
    except DondocError as error:
        return _page(ctx, day, ticked=form.every("looked"), trouble=error)
    return ctx.go(PAGE, said=f"done.{done.agencies}.{done.plans}")


def _day(ctx: RequestContext, text: str) -> date:
    """Today, or a later day that is asked for."""
    return max(ctx.today, parse_day(text, ctx.today)) if text.strip() else ctx.today


def _moment(ctx: RequestContext, day: date) -> datetime:
    return ctx.now if day == ctx.today else instant(day, START_OF_DAY)


def _decisions(ctx: RequestContext, form: Form, day: date) -> list[Decision]:
    ticked = form.every("looked")
    with ctx.reading() as (session, _):
        bundles = [each for each in _bundles(ended_agencies(session, day)) if each.key in ticked and each.known]
    if not bundles:
        raise BadInput(NOTHING_CHOSEN)
    basis = form.text("basis", MAX_BASIS_CHARS)
    return [
        Decision(agency_id=agency.id, reporting=_reporting(form, bundle), basis=basis)
        for bundle in bundles
        for agency in bundle.agencies
    ]


def _reporting(form: Form, bundle: Bundle) -> Reporting:
    name = f"reporting-{bundle.key}"
    return form.choice(name, Reporting) if form.raw(name) else bundle.proposed


def _bundles(agencies: Sequence[EndedAgency]) -> tuple[Bundle, ...]:
    """Those of which the directory does not say who follows stand apart."""
    found: dict[tuple[date, str, bool], list[EndedAgency]] = {}
    for each in agencies:
        known = bool(each.successors) and all(heirs for share in each.plans for heirs in share.duties.values())
        found.setdefault((each.last_day, each.level, known), []).append(each)
    return tuple(
        Bundle(
            key=f"{last_day:%y%m%d}-{level}{'' if known else '-x'}",
            level=level,
            last_day=last_day,
            agencies=tuple(some),
            known=known,
        )
        for (last_day, level, known), some in sorted(found.items(), key=lambda each: each[0])
    )


def _page(
    ctx: RequestContext,
    day: date,
    *,
    ticked: Sequence[str] = (),
    outcome: str = "",
    trouble: DondocError | None = None,
) -> Response:
    with ctx.reading() as (session, today):
        bundles = _bundles(ended_agencies(session, day))
    kind, *counts = outcome.split(".")
    return ctx.page(
        "reorganisation.html",
        422 if trouble else 200,
        today=today,
        on=day,
        bundles=bundles,
        steps_of=steps_of,
        ticked=ticked,
        reporting=Reporting,
        outcome=kind,
        counts=[int(each) for each in counts if each.isdecimal()],
        sentence=trouble.said(ctx.language) if trouble else "",
        max_basis=MAX_BASIS_CHARS,
    )


def _dry_run(ctx: RequestContext, form: Form, decisions: Sequence[Decision], day: date) -> Response:
    now, actor = _moment(ctx, day), ctx.actor.name
    with ctx.app.database.rehearse() as session:
        would = reorganisation.dry_run(session, decisions, actor=actor, now=now)
        owing = {each.agency for each in would.owed}
        to_owners = (each for each in would.letters if each.agency in owing and each.role is Role.COORDINATOR)
        first = next((each for each in to_owners if each.channel in WHOLE), None)
        sample = ctx.app.preview(session, first.letter_id, now) if ctx.app.preview and first else None
    return ctx.page(
        "reorganisation_sure.html",
        on=day,
        possible=day == ctx.today,
        would=would,
        owed=would.owed[:SHOWN_OWED],
        more=len(would.owed[SHOWN_OWED:]),
        addressee=first,
        sample=sample,
        kept={name: form.every(name) for name in form.fields if name not in ("token", "do")},
    )
