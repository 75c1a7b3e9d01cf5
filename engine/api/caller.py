"""Who calls the API. Until there are tokens: a program on this very machine, as the pages' desk is."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from engine.access import Actor, ActorRole
from engine.errors import NotAllowed
from engine.web.security import same_origin
from engine.web.visit import Desk, Visit

API = Actor("api", "", "", ActorRole.ADMINISTRATOR)


def _caller(request: Request, visit: Desk) -> Visit:
    """A write must say that it is JSON, which no form of another site can, and come from no other site."""
    if request.method not in ("GET", "HEAD"):
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise HTTPException(415)
        if not same_origin(request.headers, visit.context.settings.base_url):
            raise NotAllowed("Yêu cầu từ trang khác bị từ chối. / A request from another site is refused.")
    return replace(visit, actor=API)


Caller = Annotated[Visit, Depends(_caller)]
