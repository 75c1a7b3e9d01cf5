"""Search: what the reader may see, by words. One page for all kinds; ``kind`` shows one of them at length."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from engine.accounts.permissions import Permission, reach_of
from engine.enums import complete
from engine.features.search.queries import Kind, Sight, search
from engine.http.filters import Empty, Typed
from engine.http.request_context import RequestContext, SignedIn

router = APIRouter(include_in_schema=False)
NEEDS: Mapping[Kind, Permission] = complete(
    Kind,
    {
        Kind.AGENCY: Permission.SEE_ASSIGNMENT,
        Kind.CONTACT: Permission.SEE_CONTACTS,
        Kind.PAPER: Permission.SEE_ASSIGNMENT,
        Kind.LETTER: Permission.SEE_LETTERS,
    },
    but=(Kind.PLAN, Kind.DUTY),
)
"""The permission within an agency that opens what is found; plans and duties are open to who may see plans."""


@router.get("/search")
def show(ctx: SignedIn, q: Typed = "", kind: Annotated[Kind | None, Empty, Query()] = None) -> Response:
    with ctx.reading() as (session, today):
        groups = search(session, q, sight_of(ctx), kind)
    return ctx.page("search/search.html", today=today, groups=groups, words=q, only=kind)


def sight_of(ctx: RequestContext) -> Sight:
    """What the reader may find: exactly what they may open."""
    sight: dict[Kind, Collection[str] | None] = {}
    if ctx.may(Permission.SEE_PLANS):
        sight |= {Kind.PLAN: None, Kind.DUTY: None}
    for kind, permission in NEEDS.items():
        if reach_of(ctx.actor, permission) is not None:
            sight[kind] = ctx.agencies_within(permission)
    return sight
