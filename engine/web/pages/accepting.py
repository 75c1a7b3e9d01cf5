"""Reports taken or sent back, many at once: first a page that names the effect, then the deed. What somebody else
decided meanwhile is left out, and said."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response

from engine.access import Deed
from engine.decisions import accept_reports, must_be_few, return_reports
from engine.errors import BadInput
from engine.queries.accepting import WaitingReport, reports_chosen, reports_waiting
from engine.queries.assignments import AssignmentFilter
from engine.queries.board import plan_choices
from engine.queries.rehearsed import WouldSay, letters_made
from engine.web.filters import Assignments, Code, Count, PageNumber
from engine.web.forms import REASON, Form
from engine.web.visit import Desk, Posted, Visit

router = APIRouter()


class Act(StrEnum):
    ACCEPT = "accept"
    RETURN = "return"


@router.get("/accept")
def show(visit: Desk, wanted: Assignments, page: PageNumber = 1, tick: Code = "", said: Code = "", n: Count = 0,
         kept: Count = 0) -> Response:  # fmt: skip
    return _list(visit, wanted, page, tick=tick == "all", outcome=said, n=n, kept=kept)


@router.post("/accept")
def decide(visit: Desk, form: Posted, wanted: Assignments, page: PageNumber = 1) -> Response:
    """Without ``sure``, what it would do; with it, the deed. The address keeps the list's filters."""
    try:
        act, ids = form.choice("act", Act), form.numbers("id")
        must_be_few(ids)
    except BadInput as error:
        return _list(visit, wanted, page, sentence=error.said(visit.language))
    with visit.reading() as (session, today):
        rows = reports_chosen(session, today, ids)
    for row in rows:
        visit.must(Deed(act.value), row.assignment.supervisor_id)
    sentence = _fault(visit, form, act) if form.has("sure") else ""
    if form.has("sure") and not sentence:
        return _do(visit, act, [row.id for row in rows], form.text("reason", REASON))
    return _ask(visit, form, act, rows, sentence)


def _list(
    visit: Visit, wanted: AssignmentFilter, page: int, *, sentence: str = "", tick: bool = False,
    outcome: str = "", n: int = 0, kept: int = 0,
) -> Response:  # fmt: skip
    wanted = replace(wanted, supervisor_id=visit.department(Deed.ACCEPT) or wanted.supervisor_id)
    with visit.reading() as (session, today):
        found = reports_waiting(session, today, wanted, page=page)
        plans = plan_choices(session)
    return visit.page("accept.html", 400 if sentence else 200, today=today, found=found, plans=plans,
                      wanted=wanted, sentence=sentence, tick=tick, outcome=outcome, n=n, kept=kept)  # fmt: skip


def _fault(visit: Visit, form: Form, act: Act) -> str:
    """What is wrong with the reason that was typed."""
    try:
        if form.text("reason", REASON) or act is Act.ACCEPT:
            return ""
        raise BadInput("Cần ghi lý do trả lại. / Give the reason for returning it.")
    except BadInput as error:
        return error.said(visit.language)


def _ask(visit: Visit, form: Form, act: Act, rows: list[WaitingReport], sentence: str) -> Response:
    waiting = [row for row in rows if row.waits]
    letters = _letters(visit, [row.id for row in waiting]) if waiting and act is Act.RETURN else ()
    with visit.reading() as (_, today):
        return visit.page(
            "accept_sure.html", 400 if sentence else 200, today=today, act=act, waiting=waiting, letters=letters,
            kept=[row for row in rows if not row.waits], typed=form.raw("reason")[:10_000], sentence=sentence,
        )  # fmt: skip


def _letters(visit: Visit, report_ids: list[int]) -> tuple[WouldSay, ...]:
    """Sending back writes letters: which ones is found by doing it and undoing it."""
    with visit.context.database.rehearse() as session:
        return letters_made(
            session, lambda: return_reports(session, report_ids, reason="?", actor=visit.actor.name, now=visit.now)
        )


def _do(visit: Visit, act: Act, ids: list[int], reason: str) -> Response:
    with visit.writing() as session:
        if act is Act.ACCEPT:
            decided = accept_reports(session, ids, actor=visit.actor.name, now=visit.now)
        else:
            decided = return_reports(session, ids, reason=reason, actor=visit.actor.name, now=visit.now)
    return visit.back(said=act.value, n=len(decided.done), kept=len(decided.left))
