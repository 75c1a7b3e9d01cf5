"""Importing a plan document: the upload, and the list of documents under review. The file itself is not kept; what was
read of it is, until it is saved as a plan (``import_review``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.agencies.stored_directory import read_directory
from engine.errors import BadInput
from engine.features.plan_import.drafts.stored import make_draft
from engine.features.plan_import.listing import plan_drafts
from engine.http.filters import Code
from engine.http.guards.waiting import answered
from engine.http.request_context import RequestContext, SignedIn
from engine.text import Text
from engine.web.plan_uploads import Upload, digest_of, received

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
    from engine.features.plan_import.importer.limited import read_limited

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
