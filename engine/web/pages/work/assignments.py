"""The list of assignments that all counts link to, and one assignment in full; transferring, cancelling and re-dating
several of the list: what it asks for, then what would happen, then the act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from engine.accounts.permissions import Permission, concerned, may
from engine.assignments.bulk_decisions import Decided, check_selection
from engine.assignments.undo import undoable
from engine.enums import complete
from engine.errors import NotAllowed
from engine.http.filters import AssignmentId, Assignments, Code, Count, Cursor, Sort
from engine.http.forms import MAX_REASON_CHARS, FormFields
from engine.http.lists.list_columns import assignment_list
from engine.http.lists.listing import ExportFormat, FileFormat, download, filter_names
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.plans.closing import cancel_all, redate_all, transfer_all
from engine.queries.directory import agency_choices
from engine.queries.figures.board import board
from engine.queries.figures.outlook import Selection, told_before
from engine.queries.figures.plans import plan_supervisors
from engine.queries.filter_choices import plan_choices
from engine.queries.work.assignment_story import Story, story
from engine.queries.work.assignments import AssignmentFilter, AssignmentRow, every_assignment, list_assignments, rows_of
from engine.queries.work.incoming import messages_about
from engine.queries.work.ladder_steps import PlannedLetter, planned_letters
from engine.queries.work.promises import every_reason
from engine.queries.work.threads import entries
from engine.rules.situation import Action, situation
from engine.terms import EventKind, PlanState
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


SIBLINGS = 7
"""How many unfinished tasks of the same agency stand beside one."""


@dataclass(frozen=True)
class Trouble:
    """A rejected form: which one, why, and what was typed."""

    form: str = ""
    sentence: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)


@router.get("/assignments")
def listing(
    ctx: SignedIn,
    wanted: Assignments,
    export_format: ExportFormat = None,
    after: Cursor = "",
    sort: Sort = "",
    said: Code = "",
    n: Count = 0,
    kept: Count = 0,
) -> Response:
    wanted = replace(wanted, agency_id=ctx.visible_agency(wanted.agency_id))
    with ctx.reading() as (session, today):
        listing = assignment_list(today)
        sort = listing.known_order(sort)
        if export_format:
            rows, names = every_assignment(session, today, wanted, sort), filter_names(session, wanted.plan_id)
            return download(ctx, export_format, listing, rows, names)
        found = ctx.kept(session, list_assignments, today, wanted, after=after, sort=sort)
        plans = ctx.kept(session, plan_choices, wanted.plan_id)
        agencies = ctx.kept(session, agency_choices, wanted.plan_id)
        supervisors = plan_supervisors(session, {row.plan_id for row in found.rows})
        reasons = every_reason(session) if wanted.reason else ()
    changeable = {
        row.id for row in found.rows if any(may_change(ctx, act, row, supervisors[row.plan_id]) for act in BulkAct)
    }
    return ctx.kept_page(
        "assignments.html",
        today=today,
        listing=listing,
        found=found,
        wanted=wanted,
        plans=plans,
        agencies=agencies,
        reasons=reasons,
        after=after,
        sort=sort,
        changeable=changeable,
        outcome=said,
        n=n,
        kept=kept,
    )


@router.get("/assignments/{assignment_id}")
def show(ctx: SignedIn, assignment_id: AssignmentId, export_format: ExportFormat = None, said: Code = "") -> Response:
    """Its page, or on paper its file («Hồ sơ việc»)."""
    template = "duty_file.html" if export_format is FileFormat.PRINT else "story.html"
    return story_page(ctx, assignment_id, outcome=said, template=template)


def story_page(
    ctx: RequestContext,
    assignment_id: int,
    *,
    outcome: str = "",
    trouble: Trouble | None = None,
    status: int = 200,
    template: str = "story.html",
) -> HTMLResponse:
    """The page of one assignment, with forms for the actions open to the user."""
    with ctx.reading() as (session, today):
        found = story(session, today, assignment_id)
        ctx.require(Permission.SEE_ASSIGNMENT, found.row.agency_id)
        agencies = agency_choices(session, on=today.day)
        lines = entries(session, [assignment_id])
        messages = messages_about(session, found.row.agency_id, [assignment_id])
        owed = AssignmentFilter(agency_id=found.row.agency_id, finished=False)
        siblings = list_assignments(session, today, owed, limit=SIBLINGS, count=False).rows
        same = AssignmentFilter(plan_id=found.row.plan_id, citation=found.row.citation, period=found.row.period)
        told = told_before(session, Selection(found.row.plan_id), today.day)
        peers = board(session, today, same) if ctx.may(Permission.SEE_BOARD) else None
    return ctx.kept_page(
        template,
        status,
        today=today,
        story=found,
        row=found.row,
        agencies=agencies,
        lines=lines,
        messages=messages,
        told_on=told and told.on,
        siblings=[each for each in siblings if each.id != assignment_id],
        peers=peers and (peers.asked_total if found.row.request else peers.total),
        allowed=allowed(ctx, found),
        outcome=outcome,
        trouble=trouble or Trouble(),
        may_decide=ctx.may(Permission.DECIDE_EXTENSION, found.row.supervisor_id),
        may_amend=ctx.may(Permission.AMEND_DUTY, found.head.plan_supervisor_id),
    )


def allowed(ctx: RequestContext, found: Story) -> tuple[str, ...]:
    """The actions that are possible now and the user may perform."""
    row, waiting = found.row, found.waiting_extension
    now = situation(row, ctx.today)
    asks = now.box is not None and found.head.plan_state is PlanState.ACTIVE
    later = Action.ASK_EXTENSION in now.may or Action.PROMISE in now.may
    by_permission = {
        Permission.ACCEPT: Action.ACCEPT in now.may,
        Permission.RETURN: Action.RETURN in now.may,
        Permission.ACKNOWLEDGE: Action.ACKNOWLEDGE in now.may,
        Permission.REPORT: Action.REPORT in now.may,
        Permission.CHASE: Action.CHASE in now.may,
        Permission.DECIDE_EXTENSION: waiting is not None,
        Permission.ASK_EXTENSION: later and waiting is None,
        Permission.RAISE: asks,
        Permission.ANSWER: asks,
        Permission.DECLINE: Action.DECLINE in now.may,
        Permission.TRANSFER: Action.TRANSFER in now.may,
        Permission.CANCEL: Action.CANCEL in now.may,
    }
    return tuple(
        permission.value
        for permission, possible_now in by_permission.items()
        if possible_now and may(ctx.actor, permission, concerned(permission, row.agency_id, row.supervisor_id))
    )
