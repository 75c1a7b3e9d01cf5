"""The audit log: who did what, when; every filter stands in the address, and what is filtered can be taken along."""

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
"""Kinds of actors that a form chooses among; one of them is chosen by following its name in a line."""
MOST_ROWS, MOST_SEEN = 5_000, 500_000
"""What one download holds and looks at; it says when it was cut."""


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
        found = log(session, wanted, after=after, limit=MOST_ROWS, span=MOST_SEEN)
    return csv_response(written(found, ctx.language), f"log-{ctx.today.isoformat()}.csv")


def written(found: Log, language: str) -> Iterator[tuple[Cell, ...]]:
    """The rows of a download, a head first; the last one says so when there would be more."""
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
            f"Cut here: {MOST_ROWS} lines at most. Narrow the filter, or take events before no. {last} by their days."
            if english
            else f"Cắt ở đây: mỗi lần tải nhiều nhất {MOST_ROWS} dòng. Lọc hẹp hơn, hoặc tải các sự kiện trước số "
            f"{last} "
            "theo ngày.",
        )
