"""``/healthz`` and ``/readyz``: for balancers and containers. Without signing in, cheap, and without facts: whether all
is well is on the page Health, in the audit and in ``dondoc doctor``. And what browsers and password keepers ask of
every address: where a weakness is reported (RFC 9116), where a password is changed, what not to list, the icon."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

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


@router.get("/robots.txt", include_in_schema=False)
def robots() -> Response:
    """Nothing here is for a search engine."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


@router.get("/favicon.ico", include_in_schema=False)
def icon(request: Request) -> Response:
    return RedirectResponse(_icon(request))


@router.get("/manifest.webmanifest", include_in_schema=False)
def manifest(request: Request) -> Response:
    """How the address is called on a telephone's home screen."""
    icons = [{"src": _icon(request), "sizes": "any", "type": "image/svg+xml"}]
    names = {"name": "Đôn Đốc", "short_name": "Đôn Đốc", "lang": "vi", "start_url": "/", "display": "browser"}
    return JSONResponse({**names, "icons": icons}, media_type="application/manifest+json")


@router.get("/.well-known/change-password", include_in_schema=False)
def change_password() -> Response:
    return RedirectResponse("/account#password", 302)


def _icon(request: Request) -> str:
    return tools_of(request).templates.static["icon.svg"].address
