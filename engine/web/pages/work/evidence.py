"""Evidence download for users with permission; files are never rendered inside a page."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.http.filters import AgencyId
from engine.http.request_context import SignedIn
from engine.http.uploads import Digest, evidence_response

router = APIRouter(include_in_schema=False)


@router.get("/agencies/{agency_id}/files/{digest}")
def download(ctx: SignedIn, agency_id: AgencyId, digest: Digest) -> Response:
    return evidence_response(ctx, agency_id, digest)
