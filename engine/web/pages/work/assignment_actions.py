"""Actions on one assignment from its page, from one table of permission -> action: a rejected form shows the page
again with what was typed; undoing what one has just decided; its evidence as a download, never rendered inside a
page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Unpack

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Acting, Permission
from engine.assignments import lifecycle
from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import ask_for_day
from engine.assignments.undo import kept_act, undo, undoable
from engine.correspondence.entries import MAX_TEXT_CHARS, answer, ask
from engine.errors import BadInput, Conflict, DondocError, FieldsRefused, NotAllowed, NotFound
from engine.http.access import Action, require_for
from engine.http.filters import AgencyId, AssignmentId, SmallId
from engine.http.forms import MAX_REASON_CHARS, RESUBMITTED_BY, Form, asked_again
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.http.uploads import Digest, evidence_response
from engine.queries.time_class import read_today
from engine.queries.work.assignment_story import assignment_row
from engine.queries.work.assignments import rows_of
from engine.terms import EventKind
from engine.text import Text
from engine.web.pages.work.assignments import Trouble, story_page

router = APIRouter(include_in_schema=False)
LATER_DAY = Text("Ngày đề nghị", "The day asked for")


def _transfer(form: Form) -> Action:
    to = form.text("to", 64)
    if not to:
        raise BadInput(Text("Chưa chọn cơ quan nhận.", "No receiving agency was chosen."))
    return partial(lifecycle.transfer, to_agency=to, reason=_reason(form))


def _answer(form: Form) -> Action:
    """Answer an entry of the assignment's thread on behalf of the department above, or ask its owner something."""
    text = form.text("words", MAX_TEXT_CHARS)
    if not form.has("entry"):
        return partial(ask, text=text)
    entry_id = form.number("entry")

    def answer_entry(session: Session, assignment_id: int, **by: Unpack[Acting]) -> object:
        row = assignment_row(session, read_today(session, by["now"]), assignment_id)
        return answer(session, entry_id, text, agency_id=row.supervisor_id, **by)

    return answer_entry


def _reason(form: Form) -> str:
    return form.text("reason", MAX_REASON_CHARS)


def _later_day(form: Form) -> PromiseText:
    return PromiseText(on=form.day("until", LATER_DAY), reason=_reason(form), reason_code=form.text("code", 32))


ACTIONS: Mapping[Permission, Callable[[Form], Action]] = {
    Permission.ACKNOWLEDGE: lambda form: lifecycle.acknowledge,
    Permission.DECLINE: lambda form: partial(lifecycle.decline, reason=_reason(form)),
    Permission.ACCEPT: lambda form: partial(lifecycle.accept, complete=form.has("complete"), reason=_reason(form)),
    Permission.RETURN: lambda form: partial(
        lifecycle.return_report,
        reason=_reason(form),
        reason_code=form.text("code", 32),
        until=form.day_or_none("until", RESUBMITTED_BY),
    ),
    Permission.ASK_EXTENSION: lambda form: partial(ask_for_day, text=_later_day(form)),
    Permission.ANSWER: _answer,
    Permission.CANCEL: lambda form: partial(lifecycle.cancel, reason=_reason(form)),
    Permission.TRANSFER: _transfer,
}


UNDOABLE: Mapping[Permission, EventKind] = {
    Permission.ACCEPT: EventKind.ACCEPTED,
    Permission.ACKNOWLEDGE: EventKind.ACKNOWLEDGED,
}
"""Done by one button, without a word: until the day ends it can be undone. The others ask for a reason first."""


@router.post("/assignments/{assignment_id}/{action}")
def do(ctx: SignedIn, form: PostedForm, assignment_id: AssignmentId, action: str) -> Response:
    permission = Permission(action) if action in tuple(ACTIONS) else None
    if permission is None:
        raise NotFound
    with ctx.reading() as (_, today):
        again = asked_again(form, ("until",), today.calendar)
    if again is not None:
        return _again(ctx, again.form, assignment_id, permission, FieldsRefused(again.said))
    try:
        result = _run(ctx, form, assignment_id, permission)
    except (NotAllowed, NotFound):
        raise
    except (BadInput, Conflict) as error:
        return _again(ctx, form, assignment_id, permission, error)
    outcome = "nothing_new" if result is False else permission.value
    return ctx.go(f"/assignments/{assignment_id}", said=outcome)


def _run(ctx: RequestContext, form: Form, assignment_id: int, permission: Permission) -> object:
    with ctx.reading() as (session, today):
        require_for(ctx, permission, assignment_row(session, today, assignment_id))
    action = ACTIONS[permission](form)
    with ctx.writing() as session:
        if permission not in UNDOABLE:
            return action(session, assignment_id, **ctx.by)
        return undoable(
            session,
            UNDOABLE[permission],
            [assignment_id],
            lambda: action(session, assignment_id, **ctx.by),
            place=f"/assignments/{assignment_id}",
            **ctx.by,
        )


def _again(ctx: RequestContext, form: Form, assignment_id: int, permission: Permission, error: DondocError) -> Response:
    typed = {name: form.raw(name)[:10_000] for name in ("reason", "until", "to", "answer", "words", "entry", "code")}
    trouble = Trouble(permission.value, error.said(ctx.language), typed)
    return story_page(ctx, assignment_id, trouble=trouble, status=error.status)


NEEDS: Mapping[EventKind, Permission] = {
    EventKind.ACCEPTED: Permission.ACCEPT,
    EventKind.RETURNED: Permission.RETURN,
    EventKind.ACKNOWLEDGED: Permission.ACKNOWLEDGE,
    EventKind.CHASED: Permission.CHASE,
    EventKind.CANCELLED: Permission.CANCEL,
    EventKind.EXTENSION_GRANTED: Permission.DECIDE_EXTENSION,
    EventKind.EXTENSION_REFUSED: Permission.DECIDE_EXTENSION,
    EventKind.PROMISE_AGREED: Permission.DECIDE_EXTENSION,
    EventKind.PROMISE_REFUSED: Permission.DECIDE_EXTENSION,
}
"""What one must still be allowed to do in order to undo it."""


@router.post("/undo/{act_id}")
def take_back(ctx: SignedIn, form: PostedForm, act_id: SmallId) -> Response:
    with ctx.reading() as (session, today):
        kept = kept_act(session, act_id, ctx.actor.name)
        for row in rows_of(session, today, kept.assignment_ids):
            require_for(ctx, NEEDS[kept.kind], row)
    with ctx.writing() as session:
        decided = undo(session, act_id, **ctx.by)
    return ctx.go(kept.place, said="undone", n=len(decided.done) or None, kept=len(decided.left) or None)


@router.get("/agencies/{agency_id}/files/{digest}")
def download(ctx: SignedIn, agency_id: AgencyId, digest: Digest) -> Response:
    return evidence_response(ctx, agency_id, digest)
