"""Extension requests: decide one by the button of its line, or many with one answer."""

from __future__ import annotations

from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.assignments.bulk_decisions import MAX_DECISIONS, Decided, decide_extensions
from engine.http.filters import Assignments
from engine.http.lists.decision_lists import EXTENSION_LIST
from engine.http.lists.list_download import ExportFormat
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.work.waiting_rows import EXTENSIONS, ExtensionRequest
from engine.terms import EventKind
from engine.web.pages.work.bulk_decisions import CurrentView, DecisionPage, DecisionWords

router = APIRouter(include_in_schema=False)


class ExtensionAct(StrEnum):
    GRANT = "grant"
    REFUSE = "refuse"


def _do(session: Session, act: ExtensionAct, ids: list[int], answer: DecisionWords, ctx: RequestContext) -> Decided:
    granted = act is ExtensionAct.GRANT
    return decide_extensions(session, ids, granted=granted, answer=answer.words, **ctx.by)


REQUESTS: DecisionPage[ExtensionAct, ExtensionRequest] = DecisionPage(
    template="extensions",
    acts=dict.fromkeys(ExtensionAct, Permission.DECIDE_EXTENSION),
    waiting=EXTENSIONS.page,
    chosen=EXTENSIONS.chosen,
    can=lambda act, asked: asked.can_be_granted if act is ExtensionAct.GRANT else asked.waits,
    do=_do,
    words="words",
    kinds={ExtensionAct.GRANT: EventKind.EXTENSION_GRANTED, ExtensionAct.REFUSE: EventKind.EXTENSION_REFUSED},
    listing=lambda _: EXTENSION_LIST,
    whole=EXTENSIONS.every,
    every=lambda session, today, wanted: EXTENSIONS.listed(session, today, wanted, limit=MAX_DECISIONS).rows,
)


@router.get("/extensions")
def show(ctx: SignedIn, wanted: Assignments, looked: CurrentView, export_format: ExportFormat = None) -> Response:
    return REQUESTS.export(ctx, wanted, export_format) if export_format else REQUESTS.show(ctx, wanted, looked)


@router.post("/extensions")
def decide(ctx: SignedIn, form: PostedForm, wanted: Assignments, looked: CurrentView) -> Response:
    return REQUESTS.decide(ctx, form, wanted, looked)
