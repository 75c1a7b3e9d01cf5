"""The audit log: who did what and when. All filters are in the URL, and the filtered list can be downloaded."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.http.filters import Cursor, Logged, Sort
from engine.http.lists.list_columns import log_list
from engine.http.lists.list_download import ExportFormat, download, filter_names
from engine.http.request_context import SignedIn
from engine.queries.directory.agencies import agency_choices
from engine.queries.filter_choices import plan_choices
from engine.queries.paging import DOWNLOAD_ROWS, every_row
from engine.queries.system.log import Log, log
from engine.queries.work.assignment_story import Person
from engine.rules.words import coded
from engine.terms import EventKind
from engine.views.labels import label

router = APIRouter(include_in_schema=False)
ACTORS = ("system", "account", "contact", "api", "cli", "desk")
"""The kinds of actors offered in the filter; a single actor is chosen by following their name in a line."""


@router.get("/admin/log")
def show(
    ctx: SignedIn, wanted: Logged, export_format: ExportFormat = None, after: Cursor = "", sort: Sort = ""
) -> Response:
    ctx.require(Permission.SEE_LOG)
    people: dict[str, Person] = {}
    listing = log_list(people)
    sort = listing.known_order(sort)
    oldest_first = sort == "at"
    with ctx.reading() as (session, today):
        if export_format:

            def some(cursor: str) -> Log:
                page = log(session, wanted, after=cursor, limit=DOWNLOAD_ROWS, oldest_first=oldest_first)
                people.update(page.people)
                return page

            names = filter_names(session, wanted.plan_id)
            return download(ctx, export_format, listing, every_row(some), names)
        found = log(session, wanted, after=after, oldest_first=oldest_first)
        plans, agencies = plan_choices(session, wanted.plan_id), agency_choices(session)
    kinds = sorted(((each.value, label(each, ctx.language)) for each in EventKind), key=lambda pair: pair[1])
    return ctx.page(
        "admin/log.html",
        today=today,
        listing=listing,
        found=found,
        wanted=wanted,
        sort=sort,
        plans=plans,
        agencies=agencies,
        kinds=kinds,
        actors=[(kind, coded(kind, ctx.language)) for kind in ACTORS],
    )
