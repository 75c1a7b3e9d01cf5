"""What waits for the department: all in one list, then reports, requests for a later day, promises. One is decided by
the button of its line, many with one answer. A promise that stands is refused from the page of its assignment."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.assignments.bulk_decisions import (
    MAX_DECISIONS,
    Decided,
    accept_reports,
    decide_extensions,
    decide_promises,
    return_reports,
)
from engine.http.filters import Assignments
from engine.http.lists.decision_lists import EXTENSION_LIST, REPORT_LIST, promise_list
from engine.http.lists.listing import ExportFormat
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.work.assignments import AssignmentFilter
from engine.queries.work.promises import EXTENSIONS, PROMISES, ExtensionRequest, WaitingPromise, every_reason
from engine.queries.work.reports_to_accept import (
    WaitingReport,
    every_report_waiting,
    list_reports_waiting,
    reports_chosen,
    reports_waiting,
)
from engine.queries.work.todo import waiting_lines
from engine.terms import EventKind
from engine.text import Text
from engine.web.pages.work.bulk_decisions import CurrentView, DecisionPage, DecisionWords

router = APIRouter(include_in_schema=False)


class ReportAct(StrEnum):
    ACCEPT = "accept"
    RETURN = "return"


class ExtensionAct(StrEnum):
    GRANT = "grant"
    REFUSE = "refuse"


class PromiseAct(StrEnum):
    AGREE = "agree"
    REFUSE = "refuse"


def _reports(session: Session, act: ReportAct, ids: list[int], answer: DecisionWords, ctx: RequestContext) -> Decided:
    if act is ReportAct.ACCEPT:
        return accept_reports(session, ids, complete=answer.ticked, reason=answer.words, **ctx.by)
    return return_reports(session, ids, reason=answer.words, reason_code=answer.code, until=answer.until, **ctx.by)


def _extensions(
    session: Session, act: ExtensionAct, ids: list[int], answer: DecisionWords, ctx: RequestContext
) -> Decided:
    return decide_extensions(session, ids, granted=act is ExtensionAct.GRANT, answer=answer.words, **ctx.by)


def _promises(session: Session, act: PromiseAct, ids: list[int], answer: DecisionWords, ctx: RequestContext) -> Decided:
    return decide_promises(session, ids, agreed=act is PromiseAct.AGREE, answer=answer.words, **ctx.by)


REPORT_PAGE: DecisionPage[ReportAct, WaitingReport] = DecisionPage(
    template="accept",
    acts={ReportAct.ACCEPT: Permission.ACCEPT, ReportAct.RETURN: Permission.RETURN},
    waiting=reports_waiting,
    chosen=reports_chosen,
    can=lambda act, report: report.waits,
    do=_reports,
    words="reason",
    kinds={ReportAct.ACCEPT: EventKind.ACCEPTED, ReportAct.RETURN: EventKind.RETURNED},
    listing=lambda _: REPORT_LIST,
    whole=every_report_waiting,
    needed={ReportAct.RETURN: Text("Cần ghi lý do trả lại.", "Give the reason for returning it.")},
    every=lambda session, today, wanted: list_reports_waiting(session, today, wanted, limit=MAX_DECISIONS).rows,
    seen=lambda act, report: act is ReportAct.ACCEPT and report.owed is not None,
)
EXTENSION_PAGE: DecisionPage[ExtensionAct, ExtensionRequest] = DecisionPage(
    template="extensions",
    acts=dict.fromkeys(ExtensionAct, Permission.DECIDE_EXTENSION),
    waiting=EXTENSIONS.page,
    chosen=EXTENSIONS.chosen,
    can=lambda act, asked: asked.can_be_granted if act is ExtensionAct.GRANT else asked.waits,
    do=_extensions,
    words="words",
    kinds={ExtensionAct.GRANT: EventKind.EXTENSION_GRANTED, ExtensionAct.REFUSE: EventKind.EXTENSION_REFUSED},
    listing=lambda _: EXTENSION_LIST,
    whole=EXTENSIONS.every,
    every=lambda session, today, wanted: EXTENSIONS.listed(session, today, wanted, limit=MAX_DECISIONS).rows,
)
PROMISE_PAGE: DecisionPage[PromiseAct, WaitingPromise] = DecisionPage(
    template="promises",
    acts=dict.fromkeys(PromiseAct, Permission.DECIDE_EXTENSION),
    waiting=PROMISES.page,
    chosen=PROMISES.chosen,
    can=lambda act, made: made.can_be_agreed if act is PromiseAct.AGREE else made.can_be_refused,
    do=_promises,
    words="words",
    kinds={PromiseAct.AGREE: EventKind.PROMISE_AGREED, PromiseAct.REFUSE: EventKind.PROMISE_REFUSED},
    listing=lambda session: promise_list(every_reason(session)),
    whole=PROMISES.every,
    every=lambda session, today, wanted: PROMISES.listed(session, today, wanted, limit=MAX_DECISIONS).rows,
    needed={PromiseAct.REFUSE: Text("Cần ghi lý do không đồng ý.", "Say why it is refused.")},
)


@router.get("/queue")
def everything(ctx: SignedIn) -> Response:
    """A line an agency and kind; each is decided on the page of its kind."""
    wanted = AssignmentFilter(supervisor_id=ctx.department(Permission.ACCEPT))
    with ctx.reading() as (session, today):
        found = ctx.kept(session, waiting_lines, today, wanted)
    return ctx.kept_page("queue.html", today=today, found=found)


def _serve(path: str, page: DecisionPage[Any, Any]) -> None:
    @router.get(path)
    def show(ctx: SignedIn, wanted: Assignments, looked: CurrentView, export_format: ExportFormat = None) -> Response:
        return page.export(ctx, wanted, export_format) if export_format else page.show(ctx, wanted, looked)

    @router.post(path)
    def decide(ctx: SignedIn, form: PostedForm, wanted: Assignments, looked: CurrentView) -> Response:
        return page.decide(ctx, form, wanted, looked)


_serve("/accept", REPORT_PAGE)
_serve("/extensions", EXTENSION_PAGE)
_serve("/promises", PROMISE_PAGE)
