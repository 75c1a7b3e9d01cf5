"""Actions on one assignment from its page, from one table of permission -> action. A rejected form shows the page again
with the error and what was typed."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Acting, Permission, concerned, require
from engine.assignments import lifecycle
from engine.correspondence.entries import MAX_TEXT_CHARS, answer, ask
from engine.errors import BadInput, Conflict, DondocError, NotAllowed, NotFound
from engine.http.filters import AssignmentId
from engine.http.forms import MAX_REASON_CHARS, Form
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.time_class import read_today
from engine.queries.work.assignment_story import assignment_row
from engine.queries.work.todo import waiting_extensions
from engine.text import Text
from engine.web.pages.work.assignments import Trouble, story_page

router = APIRouter(include_in_schema=False)


class Answer(StrEnum):
    GRANTED = "granted"
    REFUSED = "refused"


Action = Callable[[Session, int, Form, Acting], object]


def _transfer(session: Session, assignment_id: int, form: Form, by: Acting) -> object:
    to = form.text("to", 64)
    if not to:
        raise BadInput(Text("Chưa chọn cơ quan nhận.", "No receiving agency was chosen."))
    return lifecycle.transfer(session, assignment_id, to_agency=to, reason=form.text("reason", MAX_REASON_CHARS), **by)


def _decide(session: Session, assignment_id: int, form: Form, by: Acting) -> None:
    """Decide the pending request of this assignment, for which the permission was checked."""
    granted = form.choice("answer", Answer) is Answer.GRANTED
    waiting = waiting_extensions(session, [assignment_id]).get(assignment_id)
    if waiting is None:
        raise Conflict(
            Text("Không còn đề nghị gia hạn nào chờ quyết định.", "No extension request is pending any more.")
        )
    lifecycle.decide_extension(session, waiting.id, granted=granted, answer=form.text("words", MAX_REASON_CHARS), **by)


def _answer(session: Session, assignment_id: int, form: Form, by: Acting) -> object:
    """Answer an entry of this assignment's thread on behalf of the department above, or ask its owner something."""
    text = form.text("words", MAX_TEXT_CHARS)
    if not form.has("entry"):
        return ask(session, assignment_id, text, **by)
    row = assignment_row(session, read_today(session, by["now"]), assignment_id)
    return answer(session, form.number("entry"), text, agency_id=row.supervisor_id, **by)


ACTIONS: dict[Permission, Action] = {
    Permission.ACKNOWLEDGE: lambda s, i, form, by: lifecycle.acknowledge(s, i, **by),
    Permission.DECLINE: lambda s, i, form, by: lifecycle.decline(
        s, i, reason=form.text("reason", MAX_REASON_CHARS), **by
    ),
    Permission.ACCEPT: lambda s, i, form, by: lifecycle.accept(s, i, **by),
    Permission.RETURN: lambda s, i, form, by: lifecycle.return_report(
        s, i, reason=form.text("reason", MAX_REASON_CHARS), until=form.day_or_none("until"), **by
    ),
    Permission.CHASE: lambda s, i, form, by: lifecycle.chase(s, i, **by),
    Permission.ASK_EXTENSION: lambda s, i, form, by: lifecycle.ask_extension(
        s, i, until=form.day("until"), reason=form.text("reason", MAX_REASON_CHARS), **by
    ),
    Permission.DECIDE_EXTENSION: _decide,
    Permission.ANSWER: _answer,
    Permission.CANCEL: lambda s, i, form, by: lifecycle.cancel(
        s, i, reason=form.text("reason", MAX_REASON_CHARS), **by
    ),
    Permission.TRANSFER: _transfer,
}


@router.post("/assignments/{assignment_id}/{action}")
def do(ctx: SignedIn, form: PostedForm, assignment_id: AssignmentId, action: str) -> Response:
    permission = Permission(action) if action in tuple(ACTIONS) else None
    if permission is None:
        raise NotFound
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
        row = assignment_row(session, today, assignment_id)
    require(ctx.actor, permission, concerned(permission, row.agency_id, row.supervisor_id))
    by = ctx.by
    with ctx.writing() as session:
        return ACTIONS[permission](session, assignment_id, form, by)


def _again(ctx: RequestContext, form: Form, assignment_id: int, permission: Permission, error: DondocError) -> Response:
    typed = {name: form.raw(name)[:10_000] for name in ("reason", "until", "to", "answer", "words", "entry")}
    trouble = Trouble(permission.value, error.said(ctx.language), typed)
    return story_page(ctx, assignment_id, trouble=trouble, status=error.status)
