"""Rules under /api/v1: calendar, policies, plan files and plan states, settings. The same actions as the pages.

Files are sent as text (YAML, or JSON, which is YAML too): a rejected one returns 422 with every mistake by line and
field.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Path
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, Field

from engine.accounts.permissions import Permission
from engine.admin.policy_editor import keep, mark_of, policy_text, read_policy
from engine.admin.settings_view import SettingLine, describe_settings
from engine.agencies.directory_loading import read_directory
from engine.api.caller import Call, Caller
from engine.api.models import Body, Day, Needed, Out
from engine.api.operations import BASIS, reads, router_of, writes
from engine.assignments import calendar_change, opening
from engine.assignments.calendar_change import CalendarChange, Move, RungMove
from engine.assignments.opening import Activation
from engine.errors import BadInput, FileRefused
from engine.files.calendar import MAX_BASIS_CHARS, MAX_DAYS, MAX_NAME_CHARS
from engine.files.plan_check import check
from engine.files.plan_renewal import plan_number, renew, require_issue_for
from engine.http.error_pages import answer
from engine.http.filters import Plain, SmallId
from engine.http.forms import clean
from engine.plans import loading
from engine.plans.closing import end
from engine.plans.plan_today import plan_today
from engine.queries.system import policies
from engine.queries.system.policies import DayLine, PolicyLine, calendar_year, known_until, policy_line
from engine.rules.calendar import FIRST_YEAR, LAST_YEAR, DayException, DayKind
from engine.rules.periods import Cadence
from engine.rules.policy import Policy
from engine.terms import PastPeriods, PlanState
from engine.text import Text

router = router_of("rules")
MAX_FILE_CHARS = 900_000
YearPath = Annotated[int, Path(ge=FIRST_YEAR, le=LAST_YEAR)]
PolicyId = Annotated[str, Plain, Path(max_length=64)]
DAY_EXAMPLE = {"day": "2021-09-03", "kind": "holiday", "name": "Nghỉ Quốc khánh", "basis": "Thông báo 2289/TB-LĐTBXH"}
PLAN_EXAMPLE = "schema: dondoc/plan@1\nnumber: 12/KH-UBND\nissuer: ubnd-tinh\n"
POLICY_EXAMPLE = (
    "schema: dondoc/policy@1\nid: default\nname: Chính sách nhắc việc\nladders:\n  order:\n    name: Giao việc\n"
    "    rungs:\n      - {rung: T-3, due: -3, to: [coordinator], kind: reminder}\n"
)


def _clean(text: str) -> str:
    return clean(text, MAX_FILE_CHARS)


FileText = Annotated[str, Field(min_length=1, max_length=MAX_FILE_CHARS), AfterValidator(_clean)]


class TextBody(Body):
    text: FileText


class PolicyText(TextBody):
    """``instead_of``: the ``mark`` of the policy that this replaces; 409 if it has changed since."""

    instead_of: Annotated[str, Field(max_length=64)] = ""


class DayBody(Body):
    day: Day
    kind: DayKind
    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARS), AfterValidator(clean)]
    basis: Annotated[str, Field(max_length=MAX_BASIS_CHARS), AfterValidator(clean)] = ""


class ChangeBody(Body):
    """Days to set, and exceptions to drop, so that the weekday and the public holidays apply again."""

    set: list[DayBody] = Field(default_factory=list, max_length=MAX_DAYS)
    drop: list[Day] = Field(default_factory=list, max_length=MAX_DAYS)

    def change(self) -> CalendarChange:
        entries = (DayException(each.day, each.kind, each.name, each.basis) for each in self.set)
        return CalendarChange(tuple(entries), tuple(dict.fromkeys(self.drop)))


class AgreedBody(ChangeBody):
    """``previewed``: the ``mark`` of a preview; 409 if the result would differ by now."""

    previewed: Annotated[str, Field(max_length=64)] = ""


class CalendarOut(Out):
    """``known``: the year's holidays have been entered; otherwise they are only computed."""

    year: int
    known: bool
    days: list[DayLine]


class PreviewOut(Out):
    """``stay``: due dates that would move into the past, and therefore stay. ``agencies``: how many are notified."""

    mark: str
    moves: list[Move]
    rungs: list[RungMove]
    stay: list[Move]
    replaces: list[DayException]
    agencies: int


class PolicyOut(BaseModel):
    id: str
    mark: str
    loaded_at: datetime
    plans: list[int]
    policy: Policy
    text: str

    @classmethod
    def of(cls, line: PolicyLine) -> PolicyOut:
        return cls(
            id=line.id,
            mark=mark_of(line.policy),
            loaded_at=line.loaded_at,
            policy=line.policy,
            plans=[plan_id for plan_id, _ in line.plans],
            text=policy_text(line.policy),
        )


class ReportDue(BaseModel):
    period: str
    nominal: date
    due: date
    why: str
    source: str
    basis: str
    citations: list[str]
    assignments: int


class ReportHeir(BaseModel):
    to: str
    name: str
    function: str
    basis: str


class ReportEnded(BaseModel):
    """An owner (agency or group) that has ended when the plan is issued, and what is proposed in its place."""

    owner: str
    name: str
    until: date
    citations: list[str]
    successors: list[ReportHeir]
    proposed: list[str]


class ReportYear(BaseModel):
    """The year that the plan is for; ``first`` and ``last``: its first and last period, null without any.
    ``last_year``: of a programme of several years."""

    year: int
    first: str | None
    last: str | None
    last_year: int | None = None


class ReportOut(BaseModel):
    """Summary of a plan (``dondoc plan check --json``). ``owners``: citation -> number of owners."""

    number: str
    year: ReportYear
    items: int
    gaps: list[str]
    duties: Mapping[str, int]
    owners: Mapping[str, int]
    assignments: Mapping[str, int]
    due: list[ReportDue]
    warnings: list[str]
    ended: list[ReportEnded] = []


class PlanLoaded(BaseModel):
    id: int


class PlanNow(BaseModel):
    """``left``: assignments that were open when the plan ended, and stay open."""

    id: int
    state: PlanState
    left: int = 0


class RenewBody(Body):
    year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
    number: Annotated[str, Field(min_length=1, max_length=64)]
    issued_on: Day


class PointOut(Out):
    place: str
    vi: str
    en: str


class Draft(BaseModel):
    """The text of the new plan file, and the points to confirm. Nothing is saved."""

    text: str
    confirm: list[PointOut]


# --- the calendar ----------------------------------------------------------------------------------------------------


@router.get("/calendar/{year}")
@reads("Lịch của một năm", "Read a year's calendar")
def get_calendar(caller: Caller, year: YearPath) -> CalendarOut:
    """The days of a year that differ from their weekday's rule."""
    caller.require(Permission.SEE_CALENDAR)
    with caller.reading() as (_, today):
        found = calendar_year(today.calendar, year)
    return CalendarOut.model_validate(found)


@router.post("/calendar/preview")
@writes("Xem trước khi sửa lịch", "Preview a calendar change", set=[DAY_EXAMPLE])
def preview_calendar(caller: Caller, payload: ChangeBody) -> PreviewOut:
    """Preview of a change; nothing is saved."""
    caller.require(Permission.KEEP_CALENDAR)
    with caller.reading() as (session, _):
        return PreviewOut.model_validate(calendar_change.preview(session, payload.change(), caller.now))


@router.post("/calendar", response_model=PreviewOut)
@writes("Sửa lịch", "Change the calendar", set=[DAY_EXAMPLE])
def change_calendar(caller: Caller, payload: AgreedBody) -> Response:
    """Save a change and move the affected dates."""
    caller.require(Permission.KEEP_CALENDAR)
    with caller.writing() as session:
        return caller.once(
            session,
            lambda: PreviewOut.model_validate(
                calendar_change.apply(session, payload.change(), previewed=payload.previewed, **caller.by)
            ),
        )


# --- policies --------------------------------------------------------------------------------------------------------


@router.get("/policies")
@reads("Các chính sách nhắc việc", "List reminder policies")
def list_policies(caller: Caller) -> list[PolicyOut]:
    """All policies, without paging: there are few."""
    caller.require(Permission.SEE_POLICIES)
    with caller.reading() as (session, _):
        return [PolicyOut.of(line) for line in policies.list_policies(session)]


@router.get("/policies/{policy_id}")
@reads("Một chính sách", "Read a policy")
def get_policy(caller: Caller, policy_id: PolicyId) -> PolicyOut:
    """Its steps, days and hours."""
    caller.require(Permission.SEE_POLICIES)
    with caller.reading() as (session, _):
        return PolicyOut.of(policy_line(session, policy_id))


@router.put("/policies/{policy_id}", response_model=PolicyOut)
@writes("Thay chính sách", "Replace a policy", text=POLICY_EXAMPLE)
def replace_policy(caller: Caller, policy_id: PolicyId, payload: PolicyText) -> Response:
    """Make this the current policy of its id. Open assignments keep the ladder they were opened with."""
    caller.require(Permission.KEEP_POLICIES)
    try:
        found = read_policy(payload.text)
    except FileRefused as refused:
        return _refused(caller, refused)
    if found.id != policy_id:
        raise BadInput(
            Text(f"Nội dung ghi id «{found.id}», không phải «{policy_id[:64]}».", "The text has another id.")
        )
    with caller.writing() as session:

        def done() -> PolicyOut:
            keep(session, found, instead_of=payload.instead_of, **caller.by)
            return PolicyOut.of(policy_line(session, policy_id))

        return caller.once(session, done)


# --- plans -----------------------------------------------------------------------------------------------------------


@router.post("/plans/check", response_model=ReportOut)
@writes("Thử tệp kế hoạch", "Check a plan file", text=PLAN_EXAMPLE)
def check_plan(caller: Caller, payload: TextBody) -> Response | ReportOut:
    """Check a plan file; nothing is saved."""
    caller.require(Permission.LOAD_PLAN)
    try:
        with caller.reading() as (session, today):
            plan = loading.read_plan(session, payload.text)
            report: Any = check(plan, read_directory(session, contacts=True), today.calendar).json()
    except FileRefused as refused:
        return _refused(caller, refused)
    return ReportOut(**report)


@router.post("/plans", response_model=PlanLoaded)
@writes("Nạp tệp kế hoạch", "Load a plan file", text=PLAN_EXAMPLE)
def load_plan(caller: Caller, payload: TextBody) -> Response:
    """Store a plan file. Nothing opens until it is activated; until then a changed text replaces it."""
    caller.require(Permission.LOAD_PLAN)
    try:
        with caller.writing() as session:

            def done() -> PlanLoaded:
                plan = loading.read_plan(session, payload.text)
                return PlanLoaded(id=loading.load_plan(session, plan, **caller.by))

            return caller.once(session, done)
    except FileRefused as refused:
        return _refused(caller, refused)


@router.get("/plans/{plan_id}/activation")
@reads("Xem trước khi kích hoạt", "Rehearse the activation")
def rehearse_activation(caller: Caller, plan_id: SmallId, past: PastPeriods = PastPeriods.EXTEND) -> Activation:
    """What activating would open and send at once: runs the activation and rolls it back. ``past``: as it would be
    activated with."""
    caller.require(Permission.RUN_PLANS)
    return opening.rehearse(caller.app.database, plan_id, caller.now, opening.Choices(past=past))


class ActivateBody(Body):
    """``cadences``: citation -> the cadence chosen, where the plan leaves a choice (``cadence_choices``). ``days``:
    rule -> the day of its reports, like «17» or «15/6; 15/12», where the document names none (``ask_day``). ``past``:
    periods whose due date has passed are not asked for (``skip``), asked for with a new due date (``extend``), or
    ``overdue`` at once."""

    cadences: dict[Annotated[str, Field(max_length=32)], Cadence] = Field(default_factory=dict, max_length=100)
    days: dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=80)]] = Field(
        default_factory=dict, max_length=100
    )
    past: PastPeriods = PastPeriods.EXTEND


@router.post("/plans/{plan_id}/activate", response_model=PlanNow)
@writes("Kích hoạt kế hoạch", "Activate a plan", cadences={})
def activate_plan(caller: Caller, plan_id: SmallId, payload: ActivateBody) -> Response:
    """Opens its periods; its first letters leave on the next working day. Missing cycles and days are chosen here."""
    caller.require(Permission.RUN_PLANS)
    with caller.writing() as session:

        def done() -> PlanNow:
            choices = opening.Choices(cadences=payload.cadences, days=payload.days, past=payload.past)
            opening.activate(session, plan_id, choices=choices, **caller.by)
            return PlanNow(id=plan_id, state=PlanState.ACTIVE)

        return caller.once(session, done)


class EndPlanBody(Body):
    reason: Needed


@router.post("/plans/{plan_id}/end", response_model=PlanNow)
@writes("Kết thúc kế hoạch", "End a plan", reason=BASIS)
def end_plan(caller: Caller, plan_id: SmallId, payload: EndPlanBody) -> Response:
    """Nothing more opens and nobody is reminded; open assignments stay and may still be reported."""
    caller.require(Permission.RUN_PLANS)
    with caller.writing() as session:

        def done() -> PlanNow:
            left = end(session, plan_id, reason=payload.reason, **caller.by)
            return PlanNow(id=plan_id, state=PlanState.ENDED, left=left)

        return caller.once(session, done)


@router.post("/plans/{plan_id}/renewal")
@writes("Dự thảo kế hoạch năm sau", "Draft next year's plan", year=2022, number="05/KH-UBND", issued_on="2022-01-12")
def renew_plan(caller: Caller, plan_id: SmallId, payload: RenewBody) -> Draft:
    """Draft of next year's plan file, with dates moved by the calendar."""
    caller.require(Permission.LOAD_PLAN)
    with caller.reading() as (session, today):
        directory = read_directory(session)
        plan, changed = plan_today(session, plan_id, directory)
    if payload.year <= plan.final_year:
        raise BadInput(Text(f"Năm phải sau {plan.final_year}.", f"The year must come after {plan.final_year}."))
    require_issue_for(payload.issued_on, payload.year)
    text, points = renew(
        plan,
        year=payload.year,
        number=plan_number(payload.number),
        issued_on=payload.issued_on,
        calendar=today.calendar,
        known_until=known_until(today.calendar, payload.year),
        directory=directory,
        changed=changed,
    )
    return Draft(text=text, confirm=[PointOut.model_validate(point) for point in points])


# --- settings --------------------------------------------------------------------------------------------------------


@router.get("/settings")
@reads("Các thiết lập", "List the settings")
def list_settings(caller: Caller) -> list[SettingLine]:
    """Every setting with its purpose and source; secret values are never included."""
    caller.require(Permission.SEE_SETTINGS)
    return list(describe_settings(caller.app.settings_now))


def _refused(caller: Call, refused: FileRefused) -> Response:
    """All mistakes by line and field."""
    index = 1 if caller.language == "en" else 0
    problems = [
        {
            "field": f"{each.line}: {each.field}",
            "what": Text.joined(" → ", (each.what, each.fix)).said(caller.language),
        }
        for each in refused.problems
    ]
    texts = ("Văn bản có lỗi; chưa lưu gì.", "The text has mistakes; nothing is saved.")
    return answer(caller.request, refused.status, texts[index], problems)
