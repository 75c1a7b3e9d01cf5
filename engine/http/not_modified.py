"""What a reader has is not sent again (RFC 9110, 13.1.2): calendars are asked for each hour, lists by other systems."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from fastapi import Response


def unless_known(asked: Mapping[str, str], response: Response) -> Response:
    """The response with an ETag of its body; 304 and no body where the request ``asked`` with that. ``asked``: its
    headers."""
    etag = f'"{sha256(response.body).hexdigest()[:32]}"'
    response.headers["etag"] = etag
    known = {each.strip().removeprefix("W/") for each in asked.get("if-none-match", "").split(",")}
    if response.status_code != 200 or not known & {etag, "*"}:
        return response
    kept = {name: value for name, value in response.headers.items() if name not in ("content-length", "content-type")}
    return Response(status_code=304, headers=kept)
