"""Handover: the open assignments of an agency whose functions went elsewhere, with the proposed receiver of each.
Previewed, confirmed, then done."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.assignments.handover import HandedOver, Succeeded, hand_over, succeeded
from engine.errors import BadInput, DondocError
from engine.http.filters import AgencyId, Code
from engine.http.forms import Form
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.text import Text

router = APIRouter(include_in_schema=False)
MAX_HANDOVERS = 50
"""Assignments per page; the others follow once these are handed over."""


@router.get("/admin/agencies/{agency_id}/handover")
def look(ctx: SignedIn, agency_id: AgencyId, said: Code = "") -> Response:
    return _page(ctx, agency_id, outcome=said)


@router.post("/admin/agencies/{agency_id}/handover")
def give(ctx: SignedIn, form: PostedForm, agency_id: AgencyId) -> Response:
    """Without ``sure``, show the effect; with it, hand over. Assignments that cannot move are listed, the others
    move."""
    ctx.require(Permission.KEEP_AGENCIES)
    choices = _choices(form)
    with ctx.reading() as (session, today):
        found = succeeded(session, agency_id, ctx.now)
    if not choices:
        return _page(
            ctx, agency_id, trouble=BadInput(Text("Chưa chọn cơ quan nhận cho việc nào.", "Nothing was chosen."))
        )
    if not form.has("sure"):
        moves, merges = _effect(found, choices)
        return ctx.page(
            "admin/handover_sure.html", today=today, found=found, chosen=choices, moves=moves, merges=merges
        )
    try:
        with ctx.writing() as session:
            done = hand_over(session, agency_id, choices, **ctx.by)
    except BadInput as error:
        return _page(ctx, agency_id, trouble=error)
    if done.left:
        return _page(ctx, agency_id, done=done)
    return ctx.go(f"/admin/agencies/{agency_id}/handover", said=f"{len(done.moved)}.{len(done.merged)}")


def _choices(form: Form) -> dict[int, str]:
    """Assignment id -> receiving agency, from the non-empty fields ``to-<id>``."""
    fields = {name.removeprefix("to-"): form.text(name, 64) for name in form.fields if name.startswith("to-")}
    wrong = [name for name in fields if not (name.isascii() and name.isdecimal() and len(name) <= 18)]
    if wrong or len(fields) > MAX_HANDOVERS:
        raise BadInput(
            Text("Biểu mẫu không đọc được; hãy mở lại trang bàn giao.", "The form cannot be read; open it again.")
        )
    return {int(name): to for name, to in fields.items() if to}


def _effect(found: Succeeded, choices: dict[int, str]) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """((receiving agency's name, number of moves), …), and the same for assignments that merge with existing ones."""
    names = {each.agency_id: each.agency for each in found.successors}
    moves, merges = Counter[str](), Counter[str]()
    for each in found.proposals:
        to = choices.get(each.assignment_id, "")
        if to in names:
            (merges if to in each.merges else moves)[names[to]] += 1
    return moves.most_common(), merges.most_common()


def _page(
    ctx: RequestContext,
    agency_id: str,
    *,
    outcome: str = "",
    trouble: DondocError | None = None,
    done: HandedOver | None = None,
) -> Response:
    ctx.require(Permission.KEEP_AGENCIES)
    with ctx.reading() as (session, today):
        found = succeeded(session, agency_id, ctx.now)
    status = 422 if trouble else 409 if done else 200
    moved, _, merged = outcome.partition(".")
    counts = (int(moved), int(merged)) if moved.isdecimal() and merged.isdecimal() else None
    agencies = {each.agency_id: each.agency for each in found.successors}
    return ctx.page(
        "admin/handover.html",
        status,
        today=today,
        found=found,
        shown=found.proposals[:MAX_HANDOVERS],
        bodies=agencies,
        counted=counts,
        done=done,
        sentence=trouble.said(ctx.language) if trouble else "",
    )
