"""Requests for a later due date that wait for the department's decision, earliest due date first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, literal, select
from sqlmodel import Session

from engine.assignments.backlog import WAITS
from engine.queries.paging import PER_PAGE, Page, decode, page, streamed
from engine.queries.time_class import Today
from engine.queries.work.assignments import (
    FAR,
    AssignmentFilter,
    AssignmentRow,
    columns,
    conditions,
    from_rows,
    how_many,
    joined,
    periods_among,
)
from engine.store.database import table
from engine.store.records import Assignment, Extension
from engine.store.stored_rows import AnyRow, object_of
from engine.terms import Waiting

ROWS_PER_PAGE = 25


@dataclass(frozen=True, kw_only=True)
class ExtensionRequest:
    """One request with its assignment; ``assignment.due_on`` is the present due date."""

    id: int
    asked_at: datetime
    until: date
    reason: str
    decided_at: datetime | None
    assignment: AssignmentRow

    @property
    def waits(self) -> bool:
        return self.decided_at is None

    @property
    def can_be_granted(self) -> bool:
        """False once the assignment is reported, cancelled or transferred: there is no due date left to move."""
        return self.waits and self.assignment.unfinished


@dataclass(frozen=True)
class ExtensionsWaiting:
    """One page of ``total`` requests. ``periods``: periods with pending requests, ignoring the filter."""

    rows: tuple[ExtensionRequest, ...]
    total: int
    page: int
    pages: int
    periods: tuple[str, ...] = ()


def extensions_waiting(session: Session, today: Today, wanted: AssignmentFilter, *, page: int = 1) -> ExtensionsWaiting:
    """By due date; two queries. A page number past the end gives the last page."""
    cells = _counted(session, today, replace(wanted, waiting=None, period=""))
    total = sum(cell.n for cell in cells if wanted.period in ("", cell.period))
    pages = -(-total // ROWS_PER_PAGE)
    page = min(page, pages) or 1
    statement = _by_due(today, wanted)
    found = session.connection().execute(statement.offset((page - 1) * ROWS_PER_PAGE).limit(ROWS_PER_PAGE))
    periods = periods_among(((cell.period, cell.due) for cell in cells), wanted)
    return ExtensionsWaiting(tuple(_lines(found.all())), total, page, pages, periods)


def every_extension_waiting(session: Session, today: Today, wanted: AssignmentFilter) -> Iterator[ExtensionRequest]:
    """All in the order of the page, in constant memory."""
    for some in streamed(session, _by_due(today, wanted)):
        yield from _lines(some)


def _by_due(today: Today, wanted: AssignmentFilter) -> Any:
    a, x = table(Assignment), table(Extension)
    wanted = replace(wanted, waiting=None)  # implied by the join
    by_due = func.coalesce(a.c.due_on, literal(FAR))  # not the column: its index would be walked for a few requests
    statement = _select_requests(today).where(*conditions(wanted, today), *WAITS[Waiting.EXTENSION].conditions)
    return statement.order_by(by_due, x.c.id)


def list_extensions_waiting(
    session: Session, today: Today, wanted: AssignmentFilter, *, after: str = "", limit: int = PER_PAGE
) -> Page[ExtensionRequest]:
    """In the order of the requests; two queries."""
    x = table(Extension)
    total = how_many(session, today, replace(wanted, waiting=Waiting.EXTENSION))
    statement = _select_requests(today).where(
        *conditions(replace(wanted, waiting=None), today), *WAITS[Waiting.EXTENSION].conditions
    )
    if after:
        statement = statement.where(x.c.id > decode(after, int)[0])
    rows = _lines(session.connection().execute(statement.order_by(x.c.id).limit(limit + 1)).all())
    return page(rows, limit, lambda row: (row.id,), total)


def extensions_chosen(session: Session, today: Today, extension_ids: Collection[int]) -> list[ExtensionRequest]:
    """The requests with these ids, pending or decided."""
    a, x = table(Assignment), table(Extension)
    statement = _select_requests(today).where(x.c.id.in_(extension_ids)).order_by(a.c.due_on, x.c.id)
    return _lines(session.connection().execute(statement).all())


def _counted(session: Session, today: Today, wanted: AssignmentFilter) -> Sequence[Any]:
    """Pending requests per period."""
    a, x = table(Assignment), table(Extension)
    statement = select(a.c.period, func.count().label("n"), func.min(a.c.due_on).label("due"))
    statement = joined(statement).join(x, x.c.assignment_id == a.c.id)
    statement = statement.where(*conditions(wanted, today), *WAITS[Waiting.EXTENSION].conditions).group_by(a.c.period)
    return session.connection().execute(statement).all()


def _select_requests(today: Today) -> Any:
    a, x = table(Assignment), table(Extension)
    extension_columns = (x.c.id.label("extension_id"), x.c.asked_at, x.c.until, x.c.reason, x.c.decided_at)
    return joined(select(*columns(today), *extension_columns)).join(x, x.c.assignment_id == a.c.id)


def _lines(rows: Sequence[AnyRow]) -> list[ExtensionRequest]:
    return [
        object_of(ExtensionRequest, row, id=row.extension_id, assignment=assignment)
        for row, assignment in zip(rows, from_rows(rows), strict=True)
    ]
