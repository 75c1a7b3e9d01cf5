"""Transferring, cancelling and re-dating several assignments of the list: what it asks for, then what would happen and
the letters that follow, then the act."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.assignments.acts.undo import undoable
from engine.assignments.bulk_decisions import Decided, check_selection
from engine.enums import complete
from engine.errors import NotAllowed
from engine.http.filters import Assignments
from engine.http.forms import MAX_REASON_CHARS, FormFields
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.plans.closing import cancel_all, redate_all, transfer_all
from engine.queries.directory.agencies import agency_choices
from engine.queries.figures.plans import plan_supervisors
from engine.queries.work.assignments import AssignmentRow, rows_of
from engine.queries.work.ladder_steps import PlannedLetter, planned_letters
from engine.terms import EventKind
from engine.text import Text

router = APIRouter(include_in_schema=False)
ADDRESS = "/assignments/bulk"


class BulkAct(StrEnum):
    TRANSFER = "transfer"
    CANCEL = "cancel"
    REDATE = "redate"


NEEDS = complete(
    BulkAct,
    {
        BulkAct.TRANSFER: Permission.TRANSFER,
        BulkAct.CANCEL: Permission.CANCEL,
        BulkAct.REDATE: Permission.AMEND_DUTY,
    },
)
"""As for one: the department above transfers and cancels, the plan's supervisor sets dates."""


def may_change(ctx: RequestContext, act: BulkAct, row: AssignmentRow, plan_supervisor: str) -> bool:
    return row.unfinished and ctx.may(NEEDS[act], _department(act, row, plan_supervisor))


@router.post(ADDRESS)
def change(ctx: SignedIn, form: PostedForm, wanted: Assignments) -> Response:
    """Without ``look`` ask for what is needed; with it show the effect; with ``sure`` act. The URL keeps the list."""
    act = form.choice("act", BulkAct)
    ids = form.numbers("id")
    check_selection(ids)
    with ctx.reading() as (session, today):
        rows = rows_of(session, today, ids)
        supervisors = plan_supervisors(session, {row.plan_id for row in rows})
        agencies = agency_choices(session, on=today.day)
    if any(not ctx.may(NEEDS[act], _department(act, row, supervisors[row.plan_id])) for row in rows):
        raise NotAllowed
    typed = FormFields.of(form, "to", "reason", "on", whole="reason")
    if not form.has("look") and not form.has("sure"):
        return _page(ctx, act, rows, agencies, typed)
    values = _values(act, typed)

    def once(session: Session) -> Decided:
        by = ctx.by
        if act is BulkAct.TRANSFER:
            return transfer_all(session, ids, **values, **by)
        if act is BulkAct.CANCEL:
            return undoable(
                session,
                EventKind.CANCELLED,
                ids,
                lambda: cancel_all(session, ids, **values, **by),
                place="/assignments",
                **by,
            )
        return redate_all(session, ids, **values, **by)

    def action() -> tuple[Decided, Sequence[PlannedLetter]]:
        if form.has("sure"):
            with ctx.writing() as session:
                return once(session), ()
        outcome: list[Decided] = []
        with ctx.app.database.rehearse() as session:
            letters = planned_letters(session, lambda: outcome.append(once(session)))
        return outcome[0], letters

    result = typed.do(action)
    if result is None:
        return _page(ctx, act, rows, agencies, typed)
    decided, letters = result
    if form.has("sure"):
        here = ctx.here(said=act.value, n=str(len(decided.done)), kept=str(len(decided.left)))
        return ctx.go(here.replace(ADDRESS, "/assignments", 1))
    return _page(ctx, act, rows, agencies, typed, decided=decided, letters=letters)


def _department(act: BulkAct, row: AssignmentRow, plan_supervisor: str) -> str:
    return plan_supervisor if act is BulkAct.REDATE else row.supervisor_id


def _values(act: BulkAct, typed: FormFields) -> dict[str, Any]:
    """What the act needs, read from the form; errors stand beside their fields."""
    reason = typed.needed_words("reason", Text("Nêu lý do, căn cứ.", "Give the reason or the basis."), MAX_REASON_CHARS)
    if act is BulkAct.CANCEL:
        return {"reason": reason}
    if act is BulkAct.REDATE:
        return {"basis": reason, "day": typed.needed_day("on")}
    to = typed.text("to", 64)
    if not to:
        typed.refuse({"to": Text("Chọn cơ quan nhận.", "Choose the receiving agency.")})
    return {"reason": reason, "to_agency": to}


def _page(
    ctx: RequestContext,
    act: BulkAct,
    rows: Sequence[AssignmentRow],
    agencies: Sequence[tuple[str, str]],
    typed: FormFields,
    *,
    decided: Decided | None = None,
    letters: Sequence[PlannedLetter] = (),
) -> Response:
    with ctx.reading() as (_, today):
        return ctx.page(
            "bulk_change.html",
            typed.status,
            today=today,
            act=act,
            rows=rows,
            agencies=agencies,
            typed=typed,
            decided=decided,
            letters=letters,
            back=ctx.here().replace(ADDRESS, "/assignments", 1),
        )
