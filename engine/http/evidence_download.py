"""Downloads of uploaded evidence files, for pages and the API."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.assignments.reports.evidence import find, headers, read_file
from engine.http.request_context import RequestContext
from engine.http.uploads import folder_of

Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


def evidence_response(ctx: RequestContext, agency_id: str, digest: str) -> Response:
    """The file as a response. Raises NotFound, NotAllowed."""
    ctx.require(Permission.SEE_EVIDENCE, agency_id)
    with ctx.app.database.read() as session:
        file = find(session, agency_id, digest)
    return Response(read_file(folder_of(ctx), file), headers=headers(file))
