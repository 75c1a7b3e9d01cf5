"""Handing over: every open assignment of an agency whose functions went elsewhere, with where it would go. First looked
at, then named in a sentence, then done."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Deed
from engine.assignments.handover import HandedOver, Succeeded, hand_over, succeeded
from engine.errors import BadInput, DondocError
from engine.http.filters import AgencyId, Code
from engine.http.forms import Form
from engine.http.request_context import Desk, Posted, Visit
from engine.text import Text

router = APIRouter()
AT_ONCE = 50
"""How many a page asks about; the others follow when these have gone."""


@router.get("/admin/agencies/{agency_id}/handover")
def look(visit: Desk, agency_id: AgencyId, said: Code = "") -> Response:
    return _page(visit, agency_id, outcome=said)


@router.post("/admin/agencies/{agency_id}/handover")
def give(visit: Desk, form: Posted, agency_id: AgencyId) -> Response:
    """First the effect in a sentence; with ``sure``, the deed. What could not move is said, the others move."""
    visit.must(Deed.KEEP_AGENCIES)
    chosen = _chosen(form)
    with visit.reading() as (session, today):
        found = succeeded(session, agency_id, visit.now)
    if not chosen:
        return _page(
            visit, agency_id, trouble=BadInput(Text("Chưa chọn cơ quan nhận cho việc nào.", "Nothing was chosen."))
        )
    if not form.has("sure"):
        moves, merges = _effect(found, chosen)
        return visit.page(
            "admin/handover_sure.html", today=today, found=found, chosen=chosen, moves=moves, merges=merges
        )
    try:
        with visit.writing() as session:
            done = hand_over(session, agency_id, chosen, actor=visit.actor.name, now=visit.now)
    except BadInput as error:
        return _page(visit, agency_id, trouble=error)
    if done.left:
        return _page(visit, agency_id, done=done)
    return visit.go(f"/admin/agencies/{agency_id}/handover", said=f"{len(done.moved)}.{len(done.merged)}")


def _chosen(form: Form) -> dict[int, str]:
    """Assignment -> receiving agency, of the fields ``to-<id>`` that were not left empty."""
    fields = {name.removeprefix("to-"): form.text(name, 64) for name in form.fields if name.startswith("to-")}
    wrong = [name for name in fields if not (name.isascii() and name.isdecimal() and len(name) <= 18)]
    if wrong or len(fields) > AT_ONCE:
        raise BadInput(
            Text("Biểu mẫu không đọc được; hãy mở lại trang bàn giao.", "The form cannot be read; open it again.")
        )
    return {int(name): to for name, to in fields.items() if to}


def _effect(found: Succeeded, chosen: dict[int, str]) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """((name of the receiving body, how many move), …) and the same of those that merge into what it has."""
    names = {each.agency_id: each.agency for each in found.successors}
    moves, merges = Counter[str](), Counter[str]()
    for each in found.proposals:
        to = chosen.get(each.assignment_id, "")
        if to in names:
            (merges if to in each.merges else moves)[names[to]] += 1
    return moves.most_common(), merges.most_common()


def _page(
    visit: Visit,
    agency_id: str,
    *,
    outcome: str = "",
    trouble: DondocError | None = None,
    done: HandedOver | None = None,
) -> Response:
    visit.must(Deed.KEEP_AGENCIES)
    with visit.reading() as (session, today):
        found = succeeded(session, agency_id, visit.now)
    status = 422 if trouble else 409 if done else 200
    moved, _, merged = outcome.partition(".")
    counted = (int(moved), int(merged)) if moved.isdecimal() and merged.isdecimal() else None
    bodies = {each.agency_id: each.agency for each in found.successors}
    return visit.page(
        "admin/handover.html",
        status,
        today=today,
        found=found,
        shown=found.proposals[:AT_ONCE],
        bodies=bodies,
        counted=counted,
        done=done,
        sentence=trouble.said(visit.language) if trouble else "",
    )
