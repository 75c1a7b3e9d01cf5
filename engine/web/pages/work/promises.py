"""Promises that wait for an agreement: decide one by the button of its line, or many with one answer. One that stands
is refused from the page of its assignment."""

from __future__ import annotations

from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.assignments.bulk_decisions import MAX_DECISIONS, Decided, decide_promises
from engine.http.filters import Assignments
from engine.http.lists.decision_lists import promise_list
from engine.http.lists.list_download import ExportFormat
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.work.promises import PROMISES, WaitingPromise, every_reason
from engine.terms import EventKind
from engine.text import Text
from engine.web.pages.work.bulk_decisions import CurrentView, DecisionPage, DecisionWords

router = APIRouter(include_in_schema=False)


class PromiseAct(StrEnum):
    AGREE = "agree"
    REFUSE = "refuse"


def _do(session: Session, act: PromiseAct, ids: list[int], answer: DecisionWords, ctx: RequestContext) -> Decided:
    return decide_promises(session, ids, agreed=act is PromiseAct.AGREE, answer=answer.words, **ctx.by)


PAGE: DecisionPage[PromiseAct, WaitingPromise] = DecisionPage(
    template="promises",
    acts=dict.fromkeys(PromiseAct, Permission.DECIDE_EXTENSION),
    waiting=PROMISES.page,
    chosen=PROMISES.chosen,
    can=lambda act, made: made.can_be_agreed if act is PromiseAct.AGREE else made.can_be_refused,
    do=_do,
    words="words",
    kinds={PromiseAct.AGREE: EventKind.PROMISE_AGREED, PromiseAct.REFUSE: EventKind.PROMISE_REFUSED},
    listing=lambda session: promise_list(every_reason(session)),
    whole=PROMISES.every,
    every=lambda session, today, wanted: PROMISES.listed(session, today, wanted, limit=MAX_DECISIONS).rows,
    needed={PromiseAct.REFUSE: Text("Cần ghi lý do không đồng ý.", "Say why it is refused.")},
)


@router.get("/promises")
def show(ctx: SignedIn, wanted: Assignments, looked: CurrentView, export_format: ExportFormat = None) -> Response:
    return PAGE.export(ctx, wanted, export_format) if export_format else PAGE.show(ctx, wanted, looked)


@router.post("/promises")
def decide(ctx: SignedIn, form: PostedForm, wanted: Assignments, looked: CurrentView) -> Response:
    return PAGE.decide(ctx, form, wanted, looked)
