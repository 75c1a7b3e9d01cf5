"""The API's routes under one prefix, with the errors that each of them may return."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from engine.api import (
    account,
    assignments,
    desk,
    directory,
    figures,
    lists,
    monitoring,
    rules,
)


class ProblemField(BaseModel):
    field: str
    what: str


class Problem(BaseModel):
    """An error by RFC 9457: ``detail`` is a sentence for people, ``errors`` names the invalid fields."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemField] = []


def _problem(what: str) -> dict[str, Any]:
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": what, "model": Problem, "content": {"application/problem+json": schema}}


ERRORS: dict[int | str, dict[str, object]] = {
    400: _problem("The request cannot be read"),
    401: _problem("Not signed in: no token, no session, or an expired one"),
    403: _problem("Not allowed"),
    404: _problem("Not found"),
    409: _problem("The state of the assignment does not allow it, or it was changed meanwhile"),
    413: _problem("Larger than 1 MB (uploads: 14 MB)"),
    415: _problem("Not application/json"),
    422: _problem("A field is invalid; errors names each"),
    429: _problem("Tried too often; Retry-After says for how long to wait"),
    503: _problem("The database is unavailable"),
}

_ROUTERS: tuple[tuple[APIRouter, str], ...] = (
    (lists.router, "reading"),
    (account.router, "account"),
    (desk.router, "desk"),
    (assignments.router, "writing"),
    (monitoring.router, "monitoring"),
    (figures.router, "standing"),
    (rules.router, "rules"),
    (directory.router, "people"),
)
"""The operations of the rooms, with the heading under which the reference shows them."""


def api_router(*features: tuple[APIRouter, str]) -> APIRouter:
    """The whole API; ``features``: the operations of what hangs on the rooms, with their headings."""
    router = APIRouter(prefix="/api/v1", responses=ERRORS)
    for operations, heading in (*_ROUTERS, *features):
        router.include_router(operations, tags=[heading])
    return router
