"""The audit log: who did what and when. All filters are in the URL, and the filtered list can be downloaded."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.http.csv_download import Cell, csv_response
from engine.http.filters import Cursor, Logged
from engine.http.request_context import SignedIn
from engine.queries.directory.agencies import agency_choices
from engine.queries.filter_choices import plan_choices
from engine.queries.system.log import Log, log
from engine.rules.words import coded, short_moment
from engine.terms import EventKind
from engine.views.event_sentences import actor_words, said
from engine.views.labels import label

router = APIRouter()
ACTORS = ("system", "account", "contact", "api", "cli", "desk")
"""The kinds of actors offered in the filter; a single actor is chosen by following their name in a line."""
MAX_DOWNLOAD_ROWS, MAX_SCANNED_EVENTS = 5_000, 500_000
"""Limits of a download: rows returned and events read; a truncated file says so."""


@router.get("/admin/log")
def show(ctx: SignedIn, wanted: Logged, after: Cursor = "") -> Response:
    ctx.require(Permission.SEE_LOG)
    with ctx.reading() as (session, today):
        found = log(session, wanted, after=after)
        plans, agencies = plan_choices(session, wanted.plan_id), agency_choices(session)
    kinds = sorted(((each.value, label(each, ctx.language)) for each in EventKind), key=lambda pair: pair[1])
    return ctx.page(
        "admin/log.html",
        today=today,
        found=found,
        wanted=wanted,
        plans=plans,
        agencies=agencies,
        kinds=kinds,
        actors=[(kind, coded(kind, ctx.language)) for kind in ACTORS],
    )


@router.get("/admin/log.csv")
def download(ctx: SignedIn, wanted: Logged, after: Cursor = "") -> Response:
    ctx.require(Permission.SEE_LOG)
    with ctx.app.database.read() as session:
        found = log(session, wanted, after=after, limit=MAX_DOWNLOAD_ROWS, span=MAX_SCANNED_EVENTS)
    return csv_response(csv_rows(found, ctx.language), f"log-{ctx.today.isoformat()}.csv")


def csv_rows(found: Log, language: str) -> Iterator[tuple[Cell, ...]]:
    """The rows of a download after a header row; the last one says when it was truncated."""
    english = language == "en"
    yield (
        ("no.", "when", "who", "actor", "what", "plan", "citation", "agency")
        if english
        else ("số", "lúc", "ai", "mã người làm", "việc gì", "kế hoạch", "nhiệm vụ", "cơ quan")
    )
    for row in found.rows:
        who = actor_words(row.actor, found.people, language)
        yield (row.id, short_moment(row.at), who, row.actor, said(row, language), row.plan, row.citation, row.agency)
    if found.next:
        last = found.rows[-1].id if found.rows else 0
        yield (
            f"Truncated at {MAX_DOWNLOAD_ROWS} lines. Narrow the filter, or download events before no. {last} by date."
            if english
            else f"Cắt ở đây: mỗi lần tải nhiều nhất {MAX_DOWNLOAD_ROWS} dòng. Lọc hẹp hơn, hoặc tải các sự kiện "
            f"trước số {last} theo ngày.",
        )
