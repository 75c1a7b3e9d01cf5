"""``/healthz`` and ``/readyz``: for balancers and containers. Without signing in, cheap, and without facts: whether all
is well is on the page Health, in the audit and in ``dondoc doctor``. And where a weakness is reported (RFC 9116)."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from engine.errors import DondocError
from engine.http.request_context import tools_of

router = APIRouter()
_NO_STORE = {"cache-control": "no-store"}


@router.get("/healthz", include_in_schema=False)
async def alive() -> Response:
    """The process answers. Asks nothing else: a database that is away is no reason to restart it."""
    return PlainTextResponse("ok\n", headers=_NO_STORE)


@router.get("/readyz", include_in_schema=False)
def ready(request: Request) -> Response:
    """The database answers and has this version's schema."""
    try:
        stored, newest = tools_of(request).context.database.schema_versions()
    except DondocError:
        stored, newest = "", "?"
    well = stored == newest
    return PlainTextResponse("ready\n" if well else "not ready\n", 200 if well else 503, headers=_NO_STORE)


@router.get("/.well-known/security.txt", include_in_schema=False)
def security_txt(request: Request) -> Response:
    """The mailbox to which people answer letters: whoever runs this installation reads it."""
    context = tools_of(request).context
    settings, until = context.settings_now, context.clock() + timedelta(days=365)
    lines = (
        f"Contact: mailto:{settings.reply_to or settings.mail_from}",
        f"Expires: {until:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: vi, en",
        f"Canonical: {settings.base_url}/.well-known/security.txt",
    )
    return PlainTextResponse("\n".join(lines) + "\n", headers=_NO_STORE)
