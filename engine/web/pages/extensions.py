"""Extensions to decide in one list: grant or refuse one, or many with one answer; asked first, then done."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response

from engine.access import Deed
from engine.decisions import decide_extensions, must_be_few
from engine.errors import BadInput
from engine.queries.assignments import AssignmentFilter
from engine.queries.board import plan_choices
from engine.queries.extensions import Asked, extensions_chosen, extensions_waiting
from engine.queries.rehearsed import WouldSay, letters_made
from engine.web.filters import Assignments, Code, Count, PageNumber
from engine.web.forms import REASON, Form
from engine.web.visit import Desk, Posted, Visit

router = APIRouter()


class Act(StrEnum):
    GRANT = "grant"
    REFUSE = "refuse"


@router.get("/extensions")
def show(visit: Desk, wanted: Assignments, page: PageNumber = 1, tick: Code = "", said: Code = "", n: Count = 0,
         kept: Count = 0) -> Response:  # fmt: skip
    return _list(visit, wanted, page, tick=tick == "all", outcome=said, n=n, kept=kept)


@router.post("/extensions")
def decide(visit: Desk, form: Posted, wanted: Assignments, page: PageNumber = 1) -> Response:
    """Without ``sure``, what it would do; with it, the deed. The address keeps the list's filters."""
    try:
        act, ids = _chosen(form)
        must_be_few(ids)
    except BadInput as error:
        return _list(visit, wanted, page, sentence=error.said(visit.language))
    with visit.reading() as (session, today):
        rows = extensions_chosen(session, today, ids)
    for row in rows:
        visit.must(Deed.DECIDE_EXTENSION, row.assignment.supervisor_id)
    try:
        answer = form.text("words", REASON)
    except BadInput as error:
        return _ask(visit, form, act, rows, error.said(visit.language))
    if not form.has("sure"):
        return _ask(visit, form, act, rows)
    with visit.writing() as session:
        decided = decide_extensions(session, [row.id for row in rows], granted=act is Act.GRANT, answer=answer,
                                    actor=visit.actor.name, now=visit.now)  # fmt: skip
    return visit.back(said=act.value, n=len(decided.done), kept=len(decided.left))


def _chosen(form: Form) -> tuple[Act, tuple[int, ...]]:
    """The button of one line names its request; the buttons below mean all that are ticked."""
    for act in Act:
        if form.has(act.value):
            return act, (form.number(act.value),)
    return form.choice("act", Act), form.numbers("id")


def _list(
    visit: Visit, wanted: AssignmentFilter, page: int, *, sentence: str = "", tick: bool = False,
    outcome: str = "", n: int = 0, kept: int = 0,
) -> Response:  # fmt: skip
    wanted = replace(wanted, supervisor_id=visit.department(Deed.DECIDE_EXTENSION) or wanted.supervisor_id)
    with visit.reading() as (session, today):
        found = extensions_waiting(session, today, wanted, page=page)
        plans = plan_choices(session)
    return visit.page(
        "extensions.html", 400 if sentence else 200, today=today, found=found, plans=plans,
        wanted=wanted, sentence=sentence, tick=tick, outcome=outcome, n=n, kept=kept,
    )  # fmt: skip


def _ask(visit: Visit, form: Form, act: Act, rows: list[Asked], sentence: str = "") -> Response:
    can = [row for row in rows if (row.can_be_granted if act is Act.GRANT else row.waits)]
    letters = _letters(visit, act, [row.id for row in can]) if can else ()
    with visit.reading() as (_, today):
        return visit.page(
            "extensions_sure.html", 400 if sentence else 200, today=today, act=act, rows=can, letters=letters,
            kept=[row for row in rows if row not in can], typed=form.raw("words")[:10_000], sentence=sentence,
        )  # fmt: skip


def _letters(visit: Visit, act: Act, extension_ids: list[int]) -> tuple[WouldSay, ...]:
    """The answer goes out by letter: which ones is found by doing it and undoing it."""
    with visit.context.database.rehearse() as session:
        return letters_made(
            session, lambda: decide_extensions(session, extension_ids, granted=act is Act.GRANT,
                                               actor=visit.actor.name, now=visit.now)
        )  # fmt: skip
