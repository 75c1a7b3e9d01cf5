"""Extensions to decide: one granted or refused by the button of its line, many with one answer."""

from __future__ import annotations

from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Deed
from engine.assignments.bulk_decisions import Decided, decide_extensions
from engine.http.filters import Assignments
from engine.http.request_context import Desk, Posted, Visit
from engine.queries.work.extension_requests import Asked, extensions_chosen, extensions_waiting
from engine.web.pages.work.bulk_decisions import Looked, Matter

router = APIRouter()


class Act(StrEnum):
    GRANT = "grant"
    REFUSE = "refuse"


def _do(session: Session, act: Act, ids: list[int], words: str, visit: Visit) -> Decided:
    granted = act is Act.GRANT
    return decide_extensions(session, ids, granted=granted, answer=words, actor=visit.actor.name, now=visit.now)


REQUESTS: Matter[Act, Asked] = Matter(
    template="extensions",
    acts=dict.fromkeys(Act, Deed.DECIDE_EXTENSION),
    waiting=extensions_waiting,
    chosen=extensions_chosen,
    can=lambda act, asked: asked.can_be_granted if act is Act.GRANT else asked.waits,
    do=_do,
    words="words",
)


@router.get("/extensions")
def show(visit: Desk, wanted: Assignments, looked: Looked) -> Response:
    return REQUESTS.show(visit, wanted, looked)


@router.post("/extensions")
def decide(visit: Desk, form: Posted, wanted: Assignments, looked: Looked) -> Response:
    return REQUESTS.decide(visit, form, wanted, looked)
