"""Builds the FastAPI application: pages, signed links, JSON API, static files, error handlers and middleware."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from engine.api import account as account_api
from engine.api import assignments as assignments_api
from engine.api import desk as desk_api
from engine.api import directory as directory_api
from engine.api import incoming as incoming_api
from engine.api import lists as lists_api
from engine.api import monitoring as monitoring_api
from engine.api import rules as rules_api
from engine.api.operations import describe
from engine.application import probes
from engine.features import feeds
from engine.features.guide import manual
from engine.features.guide import pages as guide
from engine.features.papers import pages as papers
from engine.features.papers import settings_page as paper_settings
from engine.features.plan_import import review_pages as import_review
from engine.features.plan_import import upload_pages as imports
from engine.features.search import queries as search
from engine.features.threads import api as threads_api
from engine.features.threads import pages as thread
from engine.features.webhooks import api as webhooks_api
from engine.features.webhooks import pages as webhooks
from engine.http import error_pages
from engine.http.app_context import AppContext
from engine.http.guards import waiting
from engine.http.guards.kept_pages import KeptPages
from engine.http.guards.request_limits import AcceptedHosts, BodyLimits, Concurrency, LongWorkTurns, RequestIds
from engine.http.long_work import LongWork
from engine.http.render import Templates, by_address
from engine.http.request_context import Tools, is_secure
from engine.http.security import FormTokens, Guard, SecurityLog
from engine.store.version import version
from engine.web.pages.account import account, preferences, sign_in
from engine.web.pages.admin import accounts, agencies, calendar, contacts, policies, settings
from engine.web.pages.admin import home as admin_home
from engine.web.pages.overview import api_reference, board, demo, health, leadership, letters
from engine.web.pages.plans import activation, amendments, plan_renewal, plans, reorganisation
from engine.web.pages.work import (
    assignment_actions,
    assignments,
    decisions,
    desk,
    incoming,
    letter_links,
    overdue,
    report,
)

PAGES = (
    board,
    overdue,
    papers,
    paper_settings,
    assignments,
    assignment_actions,
    preferences,
    letters,
    incoming,
    search,
    guide,
    manual,
    desk,
    report,
    thread,
    import_review,
    imports,
    activation,
    reorganisation,
    plan_renewal,
    plans,
    health,
    leadership,
    demo,
    waiting,
    sign_in,
    account,
    letter_links,
    feeds,
    admin_home,
    decisions,
    amendments,
    calendar,
    settings,
    policies,
    agencies,
    contacts,
    accounts,
    webhooks,
    api_reference,
)
API = (
    lists_api.router,
    account_api.router,
    desk_api.router,
    assignments_api.router,
    incoming_api.router,
    monitoring_api.router,
    monitoring_api.figures_router,
    rules_api.router,
    directory_api.router,
    threads_api.router,
    webhooks_api.router,
)
"""In the order in which the document has them."""


def make_app(context: AppContext) -> FastAPI:
    """Create the application. Templates are read once, here."""
    app = FastAPI(
        title="Đôn Đốc",
        version=version(),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        servers=[{"url": context.settings.base_url}],
        contact={"name": "Quản trị của cơ quan chạy máy chủ này / the administrator of the office that runs it"},
        description="Workflow and task assignment for administrative plans. Errors are problem+json (RFC 9457).",
    )
    templates = Templates()
    tokens = FormTokens(context.signer)
    app.state.tools = Tools(context, templates, tokens, SecurityLog(), LongWork())
    files = by_address(templates)

    @app.get("/static/{name}", include_in_schema=False)
    def static(name: str) -> Response:
        asset = files.get(f"/static/{name}")
        if asset is None:
            raise HTTPException(404)
        headers = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(asset.body, media_type=asset.media_type, headers=headers)

    for router in (*(page.router for page in PAGES), *API, probes.router):
        # not include_router: FastAPI would work out every route a second time, at the first request (0.5 s)
        app.router.routes.extend(router.routes)
    describe(app)
    error_pages.install(app)
    app.add_middleware(KeptPages)
    app.add_middleware(LongWorkTurns)
    app.add_middleware(BodyLimits)
    app.add_middleware(Concurrency)
    app.add_middleware(AcceptedHosts)
    app.add_middleware(Guard, secure=is_secure(context))
    if context.settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=context.settings.trusted_proxies)
    app.add_middleware(RequestIds)
    return app
