"""What is done to one assignment from its page. One table of deeds; a refused one shows the page again, with the
reason beside its form and what had been typed still in it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission, concerned, require
from engine.assignments import lifecycle
from engine.errors import BadInput, Conflict, DondocError, NotAllowed, NotFound
from engine.http.filters import AssignmentId
from engine.http.forms import MAX_REASON_CHARS, Form
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.work.assignment_story import assignment_row
from engine.queries.work.todo import waiting_extensions
from engine.text import Text
from engine.web.pages.work.assignments import Trouble, story_page

router = APIRouter()


class Answer(StrEnum):
    GRANTED = "granted"
    REFUSED = "refused"


Doing = Callable[[Session, int, Form, dict[str, Any]], object]


def _transfer(session: Session, assignment_id: int, form: Form, by: dict[str, Any]) -> object:
    to = form.text("to", 64)
    if not to:
        raise BadInput(Text("Chưa chọn cơ quan nhận.", "No receiving agency was chosen."))
    return lifecycle.transfer(session, assignment_id, to_agency=to, reason=form.text("reason", MAX_REASON_CHARS), **by)


def _decide(session: Session, assignment_id: int, form: Form, by: dict[str, Any]) -> None:
    """The request must be this assignment's: the permission was asked about this one."""
    granted = form.choice("answer", Answer) is Answer.GRANTED
    waiting = waiting_extensions(session, [assignment_id]).get(assignment_id)
    if waiting is None:
        raise Conflict(Text("Không còn đề nghị gia hạn nào chờ quyết định.", "No extension request waits any more."))
    lifecycle.decide_extension(session, waiting.id, granted=granted, answer=form.text("words", MAX_REASON_CHARS), **by)


DEEDS: dict[Permission, Doing] = {
    Permission.ACKNOWLEDGE: lambda s, i, form, by: lifecycle.acknowledge(s, i, **by),
    Permission.DECLINE: lambda s, i, form, by: lifecycle.decline(
        s, i, reason=form.text("reason", MAX_REASON_CHARS), **by
    ),
    Permission.ACCEPT: lambda s, i, form, by: lifecycle.accept(s, i, **by),
    Permission.RETURN: lambda s, i, form, by: lifecycle.return_report(
        s, i, reason=form.text("reason", MAX_REASON_CHARS), **by
    ),
    Permission.CHASE: lambda s, i, form, by: lifecycle.chase(s, i, **by),
    Permission.ASK_EXTENSION: lambda s, i, form, by: lifecycle.ask_extension(
        s, i, until=form.day("until"), reason=form.text("reason", MAX_REASON_CHARS), **by
    ),
    Permission.DECIDE_EXTENSION: _decide,
    Permission.CANCEL: lambda s, i, form, by: lifecycle.cancel(
        s, i, reason=form.text("reason", MAX_REASON_CHARS), **by
    ),
    Permission.TRANSFER: _transfer,
}


@router.post("/assignments/{assignment_id}/{deed}")
def do(ctx: SignedIn, form: PostedForm, assignment_id: AssignmentId, deed: str) -> Response:
    wanted = Permission(deed) if deed in tuple(DEEDS) else None
    if wanted is None:
        raise NotFound
    try:
        news = _done(ctx, form, assignment_id, wanted)
    except (NotAllowed, NotFound):
        raise
    except (BadInput, Conflict) as error:
        return _again(ctx, form, assignment_id, wanted, error)
    said = "nothing_new" if news is False else wanted.value
    return ctx.go(f"/assignments/{assignment_id}", said=said)


def _done(ctx: RequestContext, form: Form, assignment_id: int, deed: Permission) -> object:
    with ctx.reading() as (session, today):
        row = assignment_row(session, today, assignment_id)
    require(ctx.actor, deed, concerned(deed, row.agency_id, row.supervisor_id))
    by = {"actor": ctx.actor.name, "now": ctx.now}
    with ctx.writing() as session:
        return DEEDS[deed](session, assignment_id, form, by)


def _again(ctx: RequestContext, form: Form, assignment_id: int, deed: Permission, error: DondocError) -> Response:
    typed = {name: form.raw(name)[:10_000] for name in ("reason", "until", "to", "answer", "words")}
    trouble = Trouble(deed.value, error.said(ctx.language), typed)
    return story_page(ctx, assignment_id, trouble=trouble, status=error.status)
