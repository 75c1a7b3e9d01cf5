"""Reports to accept or return, one or many at once."""

from __future__ import annotations

from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.assignments.bulk_decisions import MAX_DECISIONS, Decided, accept_reports, return_reports
from engine.http.filters import Assignments
from engine.http.lists.decision_lists import REPORT_LIST
from engine.http.lists.list_download import ExportFormat
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.work.reports_to_accept import (
    WaitingReport,
    every_report_waiting,
    list_reports_waiting,
    reports_chosen,
    reports_waiting,
)
from engine.terms import EventKind
from engine.text import Text
from engine.web.pages.work.bulk_decisions import Answer, CurrentView, DecisionPage

router = APIRouter(include_in_schema=False)


class Act(StrEnum):
    ACCEPT = "accept"
    RETURN = "return"


def _do(session: Session, act: Act, ids: list[int], answer: Answer, ctx: RequestContext) -> Decided:
    if act is Act.ACCEPT:
        return accept_reports(session, ids, complete=answer.ticked, reason=answer.words, **ctx.by)
    return return_reports(session, ids, reason=answer.words, reason_code=answer.code, until=answer.until, **ctx.by)


REPORTS: DecisionPage[Act, WaitingReport] = DecisionPage(
    template="accept",
    acts={Act.ACCEPT: Permission.ACCEPT, Act.RETURN: Permission.RETURN},
    waiting=reports_waiting,
    chosen=reports_chosen,
    can=lambda act, report: report.waits,
    do=_do,
    words="reason",
    kinds={Act.ACCEPT: EventKind.ACCEPTED, Act.RETURN: EventKind.RETURNED},
    listing=lambda _: REPORT_LIST,
    whole=every_report_waiting,
    needed={Act.RETURN: Text("Cần ghi lý do trả lại.", "Give the reason for returning it.")},
    every=lambda session, today, wanted: list_reports_waiting(session, today, wanted, limit=MAX_DECISIONS).rows,
    seen=lambda act, report: act is Act.ACCEPT and report.owed is not None,
)


@router.get("/accept")
def show(ctx: SignedIn, wanted: Assignments, looked: CurrentView, export_format: ExportFormat = None) -> Response:
    return REPORTS.export(ctx, wanted, export_format) if export_format else REPORTS.show(ctx, wanted, looked)


@router.post("/accept")
def decide(ctx: SignedIn, form: PostedForm, wanted: Assignments, looked: CurrentView) -> Response:
    return REPORTS.decide(ctx, form, wanted, looked)
