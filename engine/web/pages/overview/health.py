"""The health page: a green or red summary, and the figures behind it.

The page behind the link of the weekly test letter: one button, no account. Opening it confirms nothing, since mail
scanners follow links.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.accounts.second_factor import accounts_without
from engine.accounts.secret_keys import MAX_KEY_CHARS
from engine.admin.first_steps import confirm_arrival, find_weekly_letter, must_do
from engine.http.request_context import NOBODY, Fields, SignedIn, Unauthenticated
from engine.queries.system.health import Health, Trouble, health
from engine.queries.system.log import answer, failing
from engine.rules.words import coded
from engine.store.facts import last_backup
from engine.store.machines import machines
from engine.store.version import version_line

router = APIRouter(include_in_schema=False)


@router.get("/health")
def show(ctx: SignedIn) -> Response:
    ctx.require(Permission.SEE_HEALTH)
    with ctx.reading() as (session, today):
        found, unreachable = health(session, today, live=not ctx.demo), failing(session)
        hosts = () if ctx.demo else machines(session, today.now)
        asked = ctx.app.settings.needs_second_factor if ctx.may(Permission.SEE_ACCOUNTS) else frozenset[str]()
        lacking, backup = accounts_without(session, asked), last_backup(session)
    settings = ctx.app.settings
    return ctx.page(
        "health.html",
        today=today,
        version=version_line(ctx.language),
        health=found,
        must=must_do(ctx.app.examine) if ctx.may(Permission.SEE_SETTINGS) else 0,
        more=_more(found, ctx.language),
        failing=unreachable,
        machines=hosts,
        answer=answer,
        lacking=lacking,
        backup=backup,
        prefect=settings if settings.prefect and ctx.may(Permission.SEE_SETTINGS) else None,
    )


def _more(found: Health, language: str) -> dict[Trouble, str]:
    """What is added to the sentence of each trouble: of the audit, what it found."""
    words = (coded(name, language) for name in found.findings)
    return dict.fromkeys(Trouble, "") | {Trouble.AUDIT: " ".join(f"{each[:1].upper()}{each[1:]}." for each in words)}


Key = Annotated[str, Path(max_length=MAX_KEY_CHARS)]


@router.get("/arrived/{key}")
def show_arrival(ctx: Unauthenticated, key: Key) -> Response:
    with ctx.app.database.read() as session:
        letter = find_weekly_letter(session, ctx.app.signer, key)
    return replace(ctx, binding=key, actor=NOBODY).page("arrival.html", confirmed_at=letter.confirmed)


@router.post("/arrived/{key}")
def confirm(ctx: Unauthenticated, form: Fields, key: Key) -> Response:
    ctx.tools.tokens.check(form.raw("token"), key)
    with ctx.writing() as session:
        confirm_arrival(session, ctx.app.signer, key, ctx.now)
    return ctx.go(ctx.path, lang=ctx.request.query_params.get("lang", ""))
