"""«Đã xem»: what is in a list now is not new to its reader any more."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.list_marks import mark_seen
from engine.accounts.saved_views import kept_path
from engine.errors import BadInput
from engine.http.request_context import PostedForm, SignedIn
from engine.queries.work.list_counts import NARROWED
from engine.text import Text

router = APIRouter(include_in_schema=False)


@router.post("/seen")
def seen(ctx: SignedIn, form: PostedForm) -> Response:
    """``list``: the address of the list, with its filter, to which the reader comes back."""
    address = kept_path(form.text("list", 400))
    path = address.partition("?")[0]
    if path not in NARROWED:
        raise BadInput(Text("Danh sách này không đánh dấu được.", "This list cannot be marked."))
    with ctx.writing() as session:
        mark_seen(session, ctx.actor.name, path, ctx.now)
    return ctx.go(address)
