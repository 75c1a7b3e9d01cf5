"""What a list of work says beside its rows: how many tasks each saved view of its reader holds, and how many came into
it since they marked it as seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from engine.accounts.list_marks import seen_until
from engine.http.lists.saved_filters import saved_filter
from engine.http.request_context import RequestContext
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter
from engine.queries.work.list_counts import listed_counts, new_count
from engine.rules.calendar import local_date


@dataclass(frozen=True, kw_only=True)
class ListNews:
    """``counts``: by the id of a saved view; one whose address no longer means anything has none. ``since``: None
    until the reader has marked the list as seen; ``new``: how many came into it since."""

    counts: Mapping[int, int]
    since: datetime | None = None
    new: int = 0

    def holds(self, due_on: date | None) -> bool:
        """Whether a task that is due on this day became overdue since."""
        return self.since is not None and due_on is not None and due_on >= local_date(self.since)


def list_news(
    ctx: RequestContext,
    session: Session,
    today: Today,
    wanted: AssignmentFilter,
    allowed: Callable[[AssignmentFilter], AssignmentFilter],
) -> ListNews:
    """Of the current list. ``wanted``: its filter; ``allowed``: narrows one to what the reader may see."""
    filters = {view.id: saved_filter(session, view.path) for view in ctx.views}
    known = {view_id: allowed(each) for view_id, each in filters.items() if each is not None}
    counts = ctx.kept(session, listed_counts, today, ctx.path, tuple(known.values())) if known else ()
    since = seen_until(session, ctx.actor.name, ctx.path)
    new = new_count(session, today, ctx.path, wanted, since) if since is not None else 0
    return ListNews(counts=dict(zip(known, counts, strict=True)), since=since, new=new)
