"""Importing a plan document: the upload, and the list of documents under review. The file itself is not kept; what was
read of it is, until it is saved as a plan (``import_review``).

The plan documents under review: who began them, who corrected them last, and how far they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import and_, func, select
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.agencies.directory_loading import read_directory
from engine.errors import BadInput
from engine.features.plan_import.drafts.stored import make_draft
from engine.http.filters import Code
from engine.http.guards.waiting import answered
from engine.http.request_context import RequestContext, SignedIn
from engine.queries.work.assignment_story import Person, people_of
from engine.store.database import table
from engine.store.records import Plan, PlanDraft
from engine.store.stored_rows import objects
from engine.text import Text
from engine.web.plan_uploads import Upload, digest_of, received

MAX_DRAFTS = 200


@dataclass(frozen=True, kw_only=True)
class DraftLine:
    """``to_settle``: open questions. ``plan_id``: a plan of the same number that was stored since it was begun."""

    id: int
    name: str
    number: str
    duties: int
    to_settle: int
    made_at: datetime
    made_by: str
    changed_at: datetime
    changed_by: str
    plan_id: int | None


def plan_drafts(session: Session) -> tuple[list[DraftLine], Mapping[str, Person]]:
    """Most recently corrected first, with the actors' names. Two queries, plus those for the names."""
    d, p = table(PlanDraft), table(Plan)
    loaded = select(p.c.number, func.max(p.c.id).label("plan_id")).group_by(p.c.number).subquery()
    columns = [column for column in d.c if column.name != "state"]
    statement = (
        select(*columns, loaded.c.plan_id)
        .outerjoin(loaded, and_(loaded.c.number == d.c.number, d.c.number != ""))
        .order_by(d.c.changed_at.desc(), d.c.id.desc())
        .limit(MAX_DRAFTS)
    )
    lines = objects(DraftLine, session.connection().execute(statement))
    return lines, people_of(session, {actor for each in lines for actor in (each.made_by, each.changed_by)})


router = APIRouter(include_in_schema=False)
READING = Text("Đang đọc văn bản", "Reading the document")


@router.get("/plans/import")
def ask(ctx: SignedIn, said: Code = "") -> Response:
    ctx.require(Permission.LOAD_PLAN)
    return _form(ctx, outcome=said)


@router.post("/plans/import")
def receive(ctx: SignedIn, upload: Annotated[Upload, Depends(received)]) -> Response:
    """Keep what a document says for its review; a rejected document shows the form again, with the reason."""
    from engine.features.plan_import.drafts.reading import draft_of
    from engine.features.plan_import.importer import read_limited

    def read() -> int:
        if not upload.raw.strip():
            raise BadInput(Text("Chưa chọn tệp, hoặc tệp trống.", "No file was chosen, or it is empty."))
        with ctx.reading() as (session, _):
            directory = read_directory(session)
        draft = draft_of(read_limited(upload.raw, upload.name, directory), directory)
        with ctx.writing() as session:
            return make_draft(session, draft, **ctx.by)

    def shown(after: RequestContext, result: Callable[[], int]) -> Response:
        try:
            return after.go(f"/plans/drafts/{result()}")
        except BadInput as error:
            return _form(after, error.said(after.language), error.status)

    return answered(ctx, READING, ("import", upload.name, digest_of(upload.raw)), read, shown)


def _form(ctx: RequestContext, sentence: str = "", status: int = 200, outcome: str = "") -> Response:
    with ctx.reading() as (session, today):
        drafts, people = plan_drafts(session)
    return ctx.page(
        "plan_import/import.html", status, today=today, sentence=sentence, drafts=drafts, people=people, outcome=outcome
    )
