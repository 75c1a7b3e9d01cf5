"""An uploaded file back to whoever may see it: pages and the API."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.assignments.evidence import find, headers, read_file
from engine.http.request_context import RequestContext
from engine.http.uploads import folder_of

Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


def given_back(ctx: RequestContext, agency_id: str, digest: str) -> Response:
    ctx.require(Permission.SEE_EVIDENCE, agency_id)
    with ctx.app.database.read() as session:
        kept = find(session, agency_id, digest)
    return Response(read_file(folder_of(ctx), kept), headers=headers(kept))
