"""The monitor's work under /api/v1: pending decisions and bulk decisions, duties added after the document, figures.

The leadership's figures under /api/v1: progress of plans on a day, changes, published figures.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import Query
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.admin import published_figures
from engine.admin.published_figures import published, restatements
from engine.api import monitoring_models
from engine.api.caller import Call, Caller
from engine.api.models import Day, Listed
from engine.api.operations import BASIS, reads, router_of, writes
from engine.assignments import bulk_decisions
from engine.assignments.bulk_decisions import Decided
from engine.assignments.reports import indicators
from engine.assignments.told import agency_names, compared
from engine.errors import BadInput, NotFound
from engine.http.access import require_for
from engine.http.filters import Assignments, Code, Cursor, PlanId, SmallId
from engine.plans import amendments
from engine.plans.amendments import NewDuty
from engine.plans.closing import past_plan_ids
from engine.queries.figures import plan_progress as queries
from engine.queries.figures.outlook import Selection, since_told
from engine.queries.figures.plans import plan_page
from engine.queries.filter_choices import main_period, period_choices
from engine.queries.paging import MAX_PAGE_ROWS, PER_PAGE
from engine.queries.time_class import Today, read_today
from engine.queries.work.assignments import AssignmentFilter
from engine.queries.work.conduct import conduct
from engine.queries.work.duty_changes import duty_now, plan_owners
from engine.queries.work.promises import EXTENSIONS, PROMISES, ExtensionRequest, WaitingPromise, reasons_counted
from engine.queries.work.reports_to_accept import WaitingReport, list_reports_waiting, reports_chosen
from engine.rules.calendar import local_date
from engine.text import Text

router = router_of("monitoring")
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE_ROWS)]


@router.get("/reports/waiting")
@reads("Báo cáo chờ tiếp nhận", "List reports that wait", "limit=10")
def list_waiting_reports(
    caller: Caller, wanted: Assignments, after: Cursor = "", limit: Limit = PER_PAGE
) -> Listed[WaitingReport]:
    """Reports that the caller's department may accept or return. ``id`` is the report's id."""
    with caller.reading() as (session, today):
        wanted = _of_the_department(caller, Permission.ACCEPT, wanted)
        return Listed[WaitingReport].of(list_reports_waiting(session, today, wanted, after=after, limit=limit))


@router.get("/extensions")
@reads("Đề nghị gia hạn đang chờ", "List extension requests that wait")
def list_extensions(
    caller: Caller, wanted: Assignments, after: Cursor = "", limit: Limit = PER_PAGE
) -> Listed[ExtensionRequest]:
    """Requests for a later due date pending at the caller's department."""
    with caller.reading() as (session, today):
        wanted = _of_the_department(caller, Permission.DECIDE_EXTENSION, wanted)
        return Listed[ExtensionRequest].of(EXTENSIONS.listed(session, today, wanted, after=after, limit=limit))


@router.post("/reports/accept", response_model=monitoring_models.DecidedOut)
@writes("Tiếp nhận nhiều báo cáo", "Accept several reports", reports=[77, 78])
def accept_reports(caller: Caller, payload: monitoring_models.AcceptManyBody) -> Response:
    """At most 500. Reports decided by someone else or resubmitted since are left, with the reason. If one owes an
    output, it is among ``complete`` or there is a ``reason``."""
    accept = partial(
        bulk_decisions.accept_reports,
        report_ids=payload.reports,
        complete=payload.complete,
        reason=payload.reason,
        **caller.by,
    )
    return _decided(caller, Permission.ACCEPT, reports_chosen, payload.reports, accept)


@router.post("/reports/return", response_model=monitoring_models.DecidedOut)
@writes("Trả lại nhiều báo cáo", "Return several reports", reports=[77], reason="Đề nghị bổ sung số liệu cấp xã.")
def return_reports(caller: Caller, payload: monitoring_models.ReturnBody) -> Response:
    """Return all with one reason, which is sent to the coordinators, and one date by which to resubmit."""
    send_back = partial(
        bulk_decisions.return_reports,
        report_ids=payload.reports,
        reason=payload.reason,
        reason_code=payload.reason_code,
        until=payload.until,
        **caller.by,
    )
    return _decided(caller, Permission.RETURN, reports_chosen, payload.reports, send_back)


@router.post("/extensions/decide", response_model=monitoring_models.DecidedOut)
@writes("Quyết định nhiều đề nghị gia hạn", "Decide several extensions", extensions=[5], granted=True, answer="Đồng ý.")
def decide_extensions(caller: Caller, payload: monitoring_models.ExtensionsBody) -> Response:
    """Decide all with one answer. Requests already decided, or whose report is in, are left with the reason."""
    decide = partial(
        bulk_decisions.decide_extensions,
        extension_ids=payload.extensions,
        granted=payload.granted,
        answer=payload.answer,
        **caller.by,
    )
    return _decided(caller, Permission.DECIDE_EXTENSION, EXTENSIONS.chosen, payload.extensions, decide)


@router.get("/promises")
@reads("Lời hẹn chờ đồng ý", "List promises that wait")
def list_promises(
    caller: Caller, wanted: Assignments, after: Cursor = "", limit: Limit = PER_PAGE
) -> Listed[WaitingPromise]:
    """Promises about unfinished tasks that wait for the caller's department: they lie too far ahead, or are one too
    many."""
    with caller.reading() as (session, today):
        wanted = _of_the_department(caller, Permission.DECIDE_EXTENSION, wanted)
        return Listed[WaitingPromise].of(PROMISES.listed(session, today, wanted, after=after, limit=limit))


@router.post("/promises/decide", response_model=monitoring_models.DecidedOut)
@writes("Quyết định nhiều lời hẹn", "Decide several promises", promises=[7], agreed=False, answer="Việc gấp.")
def decide_promises(caller: Caller, payload: monitoring_models.PromisesBody) -> Response:
    """Agree to all, or refuse all with one reason; one that stands may be refused too. Those that were decided, or have
    ended, are left with the reason."""
    decide = partial(
        bulk_decisions.decide_promises,
        promise_ids=payload.promises,
        agreed=payload.agreed,
        answer=payload.answer,
        **caller.by,
    )
    return _decided(caller, Permission.DECIDE_EXTENSION, PROMISES.chosen, payload.promises, decide)


@router.post("/plans/{plan_id}/duties", response_model=monitoring_models.DutyAdded)
@writes(
    "Bổ sung nhiệm vụ",
    "Add a duty",
    text="Báo cáo nhanh tình hình địa bàn.",
    owners=["so-van-hoa-the-thao"],
    due="2021-07-15",
    basis=BASIS,
)
def add_duty(caller: Caller, plan_id: SmallId, payload: monitoring_models.DutyBody) -> Response:
    """Add a duty after the document: opens at once, owed once, numbered BS.n."""
    return _add(caller, plan_id, lambda session: payload.duty())


@router.post("/plans/{plan_id}/reports", response_model=monitoring_models.DutyAdded)
@writes("Yêu cầu báo cáo đột xuất", "Request an ad hoc report", due="2021-07-15", basis=BASIS)
def request_report(caller: Caller, plan_id: SmallId, payload: monitoring_models.ReportRequestBody) -> Response:
    """Ask for an ad hoc report (V.1 of a plan): opens at once as a duty BS.n; without ``owners`` from every owner."""
    return _add(caller, plan_id, lambda session: payload.duty(plan_owners(session, plan_id, local_date(caller.now))))


def _add(caller: Call, plan_id: int, duty: Callable[[Session], NewDuty]) -> Response:
    with caller.writing() as session:
        plan = plan_page(session, read_today(session, caller.now), plan_id)
        caller.require(Permission.ADD_DUTY, plan.supervisor_id)

        def done() -> monitoring_models.DutyAdded:
            duty_id = amendments.add_duty(session, plan_id, duty(session), **caller.by)
            return monitoring_models.DutyAdded(duty=duty_id, citation=duty_now(session, duty_id).citation)

        return caller.once(session, done)


@router.post("/duties/{duty_id}/amend", response_model=monitoring_models.AmendedOut)
@writes("Sửa nhiệm vụ", "Amend a duty", basis=BASIS, text="Báo cáo tình hình địa bàn, kèm số liệu xã.")
def amend_duty(caller: Caller, duty_id: SmallId, payload: monitoring_models.AmendBody) -> Response:
    """Only the given fields change. Returns how many assignments opened, were cancelled, or got another due date."""
    with caller.writing() as session:
        caller.require(Permission.AMEND_DUTY, duty_now(session, duty_id).supervisor_id)

        def done() -> monitoring_models.AmendedOut:
            amended = amendments.amend_duty(session, duty_id, payload.change(), **caller.by)
            return monitoring_models.AmendedOut.model_validate(amended)

        return caller.once(session, done)


@router.get("/plans/{plan_id}/figures")
@reads("Tổng hợp số liệu", "Read the consolidated figures")
def get_figures(caller: Caller, plan_id: SmallId, period: Code = "") -> monitoring_models.ConsolidatedOut:
    """Sums so far with each agency's value; by default of the plan's latest main period."""
    caller.require(Permission.SEE_FIGURES)
    with caller.reading() as (session, _):
        found = indicators.consolidated(session, plan_id, period or main_period(session, plan_id))
    return monitoring_models.ConsolidatedOut.model_validate(found, context=caller.language)


def _of_the_department(caller: Call, permission: Permission, wanted: AssignmentFilter) -> AssignmentFilter:
    return replace(wanted, supervisor_id=caller.department(permission) or wanted.supervisor_id)


def _decided(
    caller: Call,
    permission: Permission,
    chosen: Callable[[Session, Today, Collection[int]], Sequence[WaitingReport | ExtensionRequest | WaitingPromise]],
    ids: list[int],
    decide: Callable[..., Decided],
) -> Response:
    """Check the caller's permission for each row, then decide them, in one transaction."""
    with caller.writing() as session:
        for row in chosen(session, read_today(session, caller.now), ids):
            require_for(caller, permission, row.assignment)
        return caller.once(session, lambda: monitoring_models.DecidedOut.of(decide(session), caller.language))


figures_router = router_of("standing")
AsOf = Annotated[Day | None, Query()]


@figures_router.get("/standing")
@reads("Tiến độ tại một ngày", "Read the progress on a day", "as_of=2021-06-17")
def get_standing(caller: Caller, plan: PlanId, as_of: AsOf = None, period: Code = "") -> monitoring_models.StandingOut:
    """Progress on a day by what is known now; today by default. Without a plan: of the active plans that are not past
    their last date."""
    caller.require(Permission.SEE_STANDING)
    with caller.reading() as (session, _):
        past = past_plan_ids(session, caller.today)
        found = queries.standing(session, as_of or caller.today, plan_id=plan, period=period, without=past)
        return monitoring_models.StandingOut.model_validate(found)


@figures_router.get("/standing/changes")
@reads("Thay đổi giữa hai ngày", "List changes between two days", "since=2021-06-16")
def list_standing_changes(
    caller: Caller, plan: PlanId, since: AsOf = None, until: AsOf = None, period: Code = ""
) -> list[monitoring_models.ChangeOut]:
    """Agencies whose figures differ between two days. Without ``since``: from what the weekly digest of the week before
    told, as on the page «Lãnh đạo»; 404 if nothing was told then."""
    caller.require(Permission.SEE_STANDING)
    last = until or caller.today
    with caller.reading() as (session, _):
        chosen = Selection(plan, period, past_plan_ids(session, caller.today))
        now = queries.standing(session, last, **chosen._asdict())
        if since is None:
            found = since_told(session, chosen, now)
        else:
            then = queries.standing(session, since, **chosen._asdict())
            found = compared(since, then.boxes, now.boxes, agency_names(session))
    if found is None:
        raise NotFound(
            Text("Chưa có báo cáo tuần trước để so sánh.", "There is no earlier weekly report to compare with.")
        )
    return [monitoring_models.ChangeOut.model_validate(each) for each in found.agencies]


@figures_router.get("/reasons")
@reads("Nguyên nhân chưa hoàn thành", "Count why tasks are not finished")
def list_reasons(caller: Caller, wanted: Assignments) -> list[monitoring_models.ReasonOut]:
    """Unfinished tasks by the reason code of their last promise, or of the return of their last report, most first, of
    a plan, period or department."""
    caller.require(Permission.SEE_STANDING)
    with caller.reading() as (session, today):
        found = reasons_counted(session, today, wanted)
    return [
        monitoring_models.ReasonOut(reason_code=each.code, reason=each.words.said(caller.language), tasks=each.tasks)
        for each in found
    ]


@figures_router.get("/conduct")
@reads("Giữ hẹn, sản phẩm, thời gian xử lý", "Read promises kept, outputs and time taken", "plan=1")
def get_how_work_is_done(caller: Caller, wanted: Assignments) -> monitoring_models.ConductOfAllOut:
    """Promises kept, outputs complete at acceptance, and medians of working days to acknowledge, to report and to
    accept, of a plan, period or agency; by agency and department."""
    caller.require(Permission.SEE_STANDING)
    with caller.reading() as (session, today):
        return monitoring_models.ConductOfAllOut.model_validate(conduct(session, today, wanted))


@figures_router.post("/plans/{plan_id}/freeze", response_model=monitoring_models.PublishedOut)
@writes("Công bố số liệu", "Publish figures", cut_off="2021-06-17")
def publish_figures(caller: Caller, plan_id: SmallId, payload: monitoring_models.FreezeBody) -> Response:
    """Publish a plan's figures for a day; published figures never change."""
    with caller.writing() as session:
        plan = plan_page(session, read_today(session, caller.now), plan_id)
        caller.require(Permission.FREEZE, plan.supervisor_id)
        if payload.period and payload.period not in period_choices(session, plan_id):
            raise BadInput(Text("Kế hoạch này không có kỳ ấy.", "The plan has no such period."))

        def done() -> monitoring_models.PublishedOut:
            made = published_figures.publish_figures(session, plan_id, payload.period, payload.cut_off, **caller.by)
            return monitoring_models.PublishedOut.model_validate(published(session, made))

        return caller.once(session, done)


@figures_router.get("/published")
@reads("Các số liệu đã công bố", "List published figures")
def list_published(caller: Caller, plan: PlanId) -> list[monitoring_models.PublishedOut]:
    """Newest first."""
    caller.require(Permission.SEE_STANDING)
    with caller.reading() as (session, _):
        return [
            monitoring_models.PublishedOut.model_validate(each)
            for each in published_figures.list_published(session, plan)
        ]


@figures_router.get("/published/{frozen_id}")
@reads("Một lần công bố", "Read published figures")
def get_published(caller: Caller, frozen_id: SmallId) -> monitoring_models.PublishedDetail:
    """Published figures unchanged, and by agency the differences known since."""
    caller.require(Permission.SEE_STANDING)
    with caller.reading() as (session, _):
        found, later = published(session, frozen_id), restatements(session, frozen_id)
    return monitoring_models.PublishedDetail(
        published=monitoring_models.PublishedOut.model_validate(found),
        standing=monitoring_models.StandingOut.model_validate(found.standing),
        restatements=[monitoring_models.RestatementOut.model_validate(each) for each in later],
    )
