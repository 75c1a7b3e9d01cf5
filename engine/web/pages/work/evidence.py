"""Evidence given back: a download to whoever may see it, never shown in the page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from engine.accounts.permissions import Deed
from engine.assignments.evidence import find, headers, read_back
from engine.http.filters import AgencyId
from engine.http.request_context import Desk, Visit
from engine.http.uploads import folder_of

router = APIRouter()
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@router.get("/agencies/{agency_id}/files/{digest}")
def download(visit: Desk, agency_id: AgencyId, digest: Digest) -> Response:
    return given_back(visit, agency_id, digest)


def given_back(visit: Visit, agency_id: str, digest: str) -> Response:
    visit.must(Deed.SEE_EVIDENCE, agency_id)
    with visit.context.database.read() as session:
        kept = find(session, agency_id, digest)
    return Response(read_back(folder_of(visit), kept), headers=headers(kept))
