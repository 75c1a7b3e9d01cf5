"""The web application out of its parts: pages, signed links, the JSON API, static files, errors, guards."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from engine.api.routes import router as api
from engine.web import failures
from engine.web.context import Context
from engine.web.pages import (
    accepting,
    account,
    agencies,
    ahead,
    assignments,
    board,
    deeds,
    demo,
    duties,
    evidence,
    extensions,
    feeds,
    figures,
    health,
    imports,
    leadership,
    letters,
    overdue,
    plans,
    report,
    signed,
    signin,
    sso,
    wishes,
    wording,
)
from engine.web.pages.admin import calendar, people, policies, renewing, settings
from engine.web.pages.admin import home as admin_home
from engine.web.render import Templates, by_address
from engine.web.security import FormTokens, Guard
from engine.web.visit import Tools, is_secure

VERSION = "0.1.0"
PAGES = (
    board,
    overdue,
    assignments,
    deeds,
    evidence,
    wishes,
    letters,
    agencies,
    report,
    imports,
    ahead,
    renewing,
    plans,
    health,
    leadership,
    demo,
    signin,
    sso,
    account,
    signed,
    feeds,
    admin_home,
    accepting,
    extensions,
    duties,
    figures,
    calendar,
    settings,
    policies,
    wording,
    people,
)


def make_app(context: Context) -> FastAPI:
    """The whole of what is served. Reads templates and the signing key once."""
    app = FastAPI(
        title="Đôn Đốc", version=VERSION, docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json",
        description="Workflow and task assignment for administrative plans. Errors are problem+json (RFC 9457).",
    )  # fmt: skip
    templates = Templates()
    app.state.tools = Tools(context, templates, FormTokens(context.settings.signing_key()))
    files = by_address(templates)

    @app.get("/static/{name}", include_in_schema=False)
    def static(name: str) -> Response:
        found = files.get(f"/static/{name}")
        if found is None:
            raise HTTPException(404)
        kept = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(found.body, media_type=found.media_type, headers=kept)

    for page in PAGES:
        app.include_router(page.router, include_in_schema=False)
    app.include_router(api)
    failures.install(app)
    app.add_middleware(Guard, secure=is_secure(context))
    if context.settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=context.settings.trusted_proxies)
    return app
