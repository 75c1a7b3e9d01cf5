"""The monitor's work under /api/v1: pending decisions and bulk decisions, duties added after the document, figures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import Query
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.api.caller import Call, Caller
from engine.api.models import Listed
from engine.api.monitoring_models import (
    AcceptManyBody,
    AmendBody,
    AmendedOut,
    ConsolidatedOut,
    DecidedOut,
    DutyAdded,
    DutyBody,
    ExtensionsBody,
    PromisesBody,
    ReportRequestBody,
    ReturnBody,
)
from engine.api.operations import BASIS, reads, router_of, writes
from engine.assignments import bulk_decisions
from engine.assignments.bulk_decisions import Decided
from engine.assignments.reports import indicators
from engine.http.access import require_for
from engine.http.filters import Assignments, Code, Cursor, SmallId
from engine.plans import amendments
from engine.plans.amendments import NewDuty
from engine.queries.figures.plans import plan_page
from engine.queries.filter_choices import main_period
from engine.queries.paging import MAX_PAGE_ROWS, PER_PAGE
from engine.queries.time_class import Today, read_today
from engine.queries.work.assignments import AssignmentFilter
from engine.queries.work.duty_changes import duty_now, plan_owners
from engine.queries.work.promises import EXTENSIONS, PROMISES, ExtensionRequest, WaitingPromise
from engine.queries.work.reports_to_accept import WaitingReport, list_reports_waiting, reports_chosen
from engine.rules.calendar import local_date

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


@router.post("/reports/accept", response_model=DecidedOut)
@writes("Tiếp nhận nhiều báo cáo", "Accept several reports", reports=[77, 78])
def accept_reports(caller: Caller, payload: AcceptManyBody) -> Response:
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


@router.post("/reports/return", response_model=DecidedOut)
@writes("Trả lại nhiều báo cáo", "Return several reports", reports=[77], reason="Đề nghị bổ sung số liệu cấp xã.")
def return_reports(caller: Caller, payload: ReturnBody) -> Response:
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


@router.post("/extensions/decide", response_model=DecidedOut)
@writes("Quyết định nhiều đề nghị gia hạn", "Decide several extensions", extensions=[5], granted=True, answer="Đồng ý.")
def decide_extensions(caller: Caller, payload: ExtensionsBody) -> Response:
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


@router.post("/promises/decide", response_model=DecidedOut)
@writes("Quyết định nhiều lời hẹn", "Decide several promises", promises=[7], agreed=False, answer="Việc gấp.")
def decide_promises(caller: Caller, payload: PromisesBody) -> Response:
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


@router.post("/plans/{plan_id}/duties", response_model=DutyAdded)
@writes(
    "Bổ sung nhiệm vụ",
    "Add a duty",
    text="Báo cáo nhanh tình hình địa bàn.",
    owners=["so-van-hoa-the-thao"],
    due="2021-07-15",
    basis=BASIS,
)
def add_duty(caller: Caller, plan_id: SmallId, payload: DutyBody) -> Response:
    """Add a duty after the document: opens at once, owed once, numbered BS.n."""
    return _add(caller, plan_id, lambda session: payload.duty())


@router.post("/plans/{plan_id}/reports", response_model=DutyAdded)
@writes("Yêu cầu báo cáo đột xuất", "Request an ad hoc report", due="2021-07-15", basis=BASIS)
def request_report(caller: Caller, plan_id: SmallId, payload: ReportRequestBody) -> Response:
    """Ask for an ad hoc report (V.1 of a plan): opens at once as a duty BS.n; without ``owners`` from every owner."""
    return _add(caller, plan_id, lambda session: payload.duty(plan_owners(session, plan_id, local_date(caller.now))))


def _add(caller: Call, plan_id: int, duty: Callable[[Session], NewDuty]) -> Response:
    with caller.writing() as session:
        plan = plan_page(session, read_today(session, caller.now), plan_id)
        caller.require(Permission.ADD_DUTY, plan.supervisor_id)

        def done() -> DutyAdded:
            duty_id = amendments.add_duty(session, plan_id, duty(session), **caller.by)
            return DutyAdded(duty=duty_id, citation=duty_now(session, duty_id).citation)

        return caller.once(session, done)


@router.post("/duties/{duty_id}/amend", response_model=AmendedOut)
@writes("Sửa nhiệm vụ", "Amend a duty", basis=BASIS, text="Báo cáo tình hình địa bàn, kèm số liệu xã.")
def amend_duty(caller: Caller, duty_id: SmallId, payload: AmendBody) -> Response:
    """Only the given fields change. Returns how many assignments opened, were cancelled, or got another due date."""
    with caller.writing() as session:
        caller.require(Permission.AMEND_DUTY, duty_now(session, duty_id).supervisor_id)

        def done() -> AmendedOut:
            amended = amendments.amend_duty(session, duty_id, payload.change(), **caller.by)
            return AmendedOut.model_validate(amended)

        return caller.once(session, done)


@router.get("/plans/{plan_id}/figures")
@reads("Tổng hợp số liệu", "Read the consolidated figures")
def get_figures(caller: Caller, plan_id: SmallId, period: Code = "") -> ConsolidatedOut:
    """Sums so far with each agency's value; by default of the plan's latest main period."""
    caller.require(Permission.SEE_FIGURES)
    with caller.reading() as (session, _):
        found = indicators.consolidated(session, plan_id, period or main_period(session, plan_id))
    return ConsolidatedOut.model_validate(found, context=caller.language)


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
        return caller.once(session, lambda: DecidedOut.of(decide(session), caller.language))
