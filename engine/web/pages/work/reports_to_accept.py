"""Reports taken or sent back, one or many at once."""

from __future__ import annotations

from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Deed
from engine.assignments.bulk_decisions import Decided, accept_reports, return_reports
from engine.http.filters import Assignments
from engine.http.request_context import Desk, Posted, Visit
from engine.queries.work.reports_to_accept import WaitingReport, reports_chosen, reports_waiting
from engine.text import Text
from engine.web.pages.work.bulk_decisions import Looked, Matter

router = APIRouter()


class Act(StrEnum):
    ACCEPT = "accept"
    RETURN = "return"


def _do(session: Session, act: Act, ids: list[int], words: str, visit: Visit) -> Decided:
    if act is Act.ACCEPT:
        return accept_reports(session, ids, actor=visit.actor.name, now=visit.now)
    return return_reports(session, ids, reason=words, actor=visit.actor.name, now=visit.now)


REPORTS: Matter[Act, WaitingReport] = Matter(
    template="accept",
    acts={Act.ACCEPT: Deed.ACCEPT, Act.RETURN: Deed.RETURN},
    waiting=reports_waiting,
    chosen=reports_chosen,
    can=lambda act, report: report.waits,
    do=_do,
    words="reason",
    needed={Act.RETURN: Text("Cần ghi lý do trả lại.", "Give the reason for returning it.")},
)


@router.get("/accept")
def show(visit: Desk, wanted: Assignments, looked: Looked) -> Response:
    return REPORTS.show(visit, wanted, looked)


@router.post("/accept")
def decide(visit: Desk, form: Posted, wanted: Assignments, looked: Looked) -> Response:
    return REPORTS.decide(visit, form, wanted, looked)
