"""The API's routes under one prefix, with the errors every one of them may answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from engine.api import account, assignments, desk, directory, figures, letter_templates, lists, monitoring, rules


class ProblemField(BaseModel):
    field: str
    what: str


class Problem(BaseModel):
    """An error as RFC 9457 has it: ``detail`` is a sentence for people, ``errors`` names the fields at fault."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemField] = []


def _problem(what: str) -> dict[str, Any]:
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": what, "model": Problem, "content": {"application/problem+json": schema}}


ERRORS: dict[int | str, dict[str, Any]] = {
    400: _problem("What was sent cannot be read"),
    401: _problem("Nobody: no token, no session, or one that has ended"),
    403: _problem("Not allowed"),
    404: _problem("No such thing"),
    409: _problem("The state of the assignment does not allow it, or somebody was first"),
    413: _problem("Longer than 1 MB (an upload: than 14 MB)"),
    415: _problem("Not application/json"),
    422: _problem("A field is wrong; errors names each"),
    503: _problem("The database is out of reach"),
}

router = APIRouter(prefix="/api/v1", responses=ERRORS)
router.include_router(lists.router, tags=["reading"])
router.include_router(account.router, tags=["account"])
router.include_router(desk.router, tags=["desk"])
router.include_router(assignments.router, tags=["writing"])
router.include_router(monitoring.router, tags=["monitoring"])
router.include_router(figures.router, tags=["standing"])
router.include_router(letter_templates.router, tags=["templates"])
router.include_router(rules.router, tags=["rules"])
router.include_router(directory.router, tags=["people"])
