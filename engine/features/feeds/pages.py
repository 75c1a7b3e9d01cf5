"""Calendar feeds at secret addresses: anyone with the address can read the feed, so it holds no more than a letter
would."""

from __future__ import annotations

from hashlib import sha256

from fastapi import APIRouter
from fastapi.responses import Response

from engine.agencies.feed_addresses import reader_of
from engine.errors import NotFound
from engine.features.feeds.ical import feed
from engine.http.request_context import Unauthenticated

router = APIRouter(include_in_schema=False)
MAX_ADDRESS_CHARS = 200


@router.get("/feed/{name}")
def show(ctx: Unauthenticated, name: str) -> Response:
    """The feed (RFC 5545). Calendar programs poll it; reading changes nothing. What has not changed is not sent again
    (RFC 9110, 13.1.2)."""
    key, dot, ending = name.rpartition(".")
    if not dot or ending != "ics" or len(key) > MAX_ADDRESS_CHARS:
        raise NotFound
    with ctx.app.database.read() as session:
        reader = reader_of(session, key, ctx.now)
        body = feed(session, reader, ctx.now, base_url=ctx.app.settings.base_url)
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"content-disposition": 'inline; filename="don-doc.ics"', "x-robots-tag": "noindex", "etag": etag}
    headers["cache-control"] = "private, no-cache"
    known = {each.strip().removeprefix("W/") for each in ctx.request.headers.get("if-none-match", "").split(",")}
    if known & {etag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)
