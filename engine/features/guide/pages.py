"""/guide: open to everybody, since whoever has a letter may ask what to do with it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from engine.accounts.permissions import ActorRole
from engine.errors import NotFound
from engine.features.guide.reading import guide, pictures
from engine.http.request_context import Anyone

router = APIRouter(include_in_schema=False)
MINE = {ActorRole.HEAD: ActorRole.COORDINATOR, ActorRole.DEPUTY: ActorRole.COORDINATOR}
"""Who reads another role's part first."""


@router.get("/guide")
def show(ctx: Anyone, page: Annotated[str, Query(max_length=200)] = "") -> Response:
    """The paragraph of the page that it was opened from, then the reader's part, then the others."""
    book, mine = guide(), MINE.get(ctx.actor.role, ctx.actor.role)
    parts = sorted(book.parts, key=lambda part: part.of is not mine)
    return ctx.page("guide/guide.html", here=book.about(page) if page else None, parts=parts, glossary=book.glossary)


@router.get("/guide/pictures/{name}.webp")
def picture(name: Annotated[str, Path(max_length=40)]) -> Response:
    found = pictures().get(name)
    if found is None:
        raise NotFound
    return Response(found, media_type="image/webp", headers={"cache-control": "public, max-age=86400"})
