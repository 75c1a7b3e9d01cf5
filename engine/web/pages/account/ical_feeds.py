"""A calendar by its secret address: whoever knows it reads it, so it says nothing that a letter would not."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.agencies.ical_feeds import feed, reader_of
from engine.errors import NotFound
from engine.http.request_context import Unauthenticated

router = APIRouter()
MAX_ADDRESS_CHARS = 200


@router.get("/feed/{name}")
def show(ctx: Unauthenticated, name: str) -> Response:
    """RFC 5545; asked for again and again by calendar programs, and never changed by that."""
    key, dot, ending = name.rpartition(".")
    if not dot or ending != "ics" or len(key) > MAX_ADDRESS_CHARS:
        raise NotFound
    with ctx.app.database.read() as session:
        reader = reader_of(session, key, ctx.now)
        body = feed(session, reader, ctx.now, base_url=ctx.app.settings.base_url)
    told = {"content-disposition": 'inline; filename="don-doc.ics"', "x-robots-tag": "noindex"}
    return Response(body, media_type="text/calendar; charset=utf-8", headers=told)
