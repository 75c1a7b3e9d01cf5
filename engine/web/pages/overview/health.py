"""The health page: a green or red summary, and the figures behind it."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter
from fastapi.responses import Response

from config.settings import Settings
from engine.accounts.permissions import Permission
from engine.http.request_context import SignedIn
from engine.queries.system.health import Health, Trouble, health
from engine.queries.system.webhook_faults import answer, failing
from engine.rules.words import coded

router = APIRouter(include_in_schema=False)


@router.get("/health")
def show(ctx: SignedIn) -> Response:
    ctx.require(Permission.SEE_HEALTH)
    with ctx.reading() as (session, today):
        found, unreachable = health(session, today, live=not ctx.demo), failing(session)
    prefect = _prefect_pages(ctx.app.settings) if ctx.may(Permission.SEE_SETTINGS) else ""
    return ctx.page(
        "health.html",
        today=today,
        health=found,
        more=_more(found, ctx.language),
        failing=unreachable,
        answer=answer,
        prefect=prefect,
        prefect_key=ctx.app.settings.prefect_key_command,
    )


def _more(found: Health, language: str) -> dict[Trouble, str]:
    """What is added to the sentence of each trouble: of the audit, what it found."""
    words = (coded(name, language) for name in found.findings)
    return dict.fromkeys(Trouble, "") | {Trouble.AUDIT: " ".join(f"{each[:1].upper()}{each[1:]}." for each in words)}


def _prefect_pages(settings: Settings) -> str:
    """Where Prefect's pages are, without a password; empty where it is not used."""
    if not settings.prefect:
        return ""
    if not settings.prefect_api_url:
        return f"http://127.0.0.1:{settings.prefect_port}"
    parts = urlsplit(settings.prefect_api_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
