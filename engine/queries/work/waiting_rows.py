"""What waits for the department beside its task (requests for a later day, promises), earliest due date first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, Table, func, literal, select
from sqlmodel import Session

from engine.assignments.backlog import WAITS
from engine.queries.paging import PER_PAGE, Numbered, Page, decode, page, streamed
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

R = TypeVar("R", bound=Numbered)
ROWS_PER_PAGE = 25


@dataclass(frozen=True)
class WaitingPage(Generic[R]):
    """One page of ``total`` rows. ``periods``: those in which something waits, ignoring the filter."""

    rows: tuple[R, ...]
    total: int
    page: int
    pages: int
    periods: tuple[str, ...]


@dataclass(frozen=True)
class WaitingRows(Generic[R]):
    """``stored``: where they stand, one row each. ``own``: what is read of them. ``line``: what a row says."""

    what: Waiting
    stored: Table
    own: Sequence[Any]
    line: Callable[[AnyRow, AssignmentRow, Today], R]

    def page(self, session: Session, today: Today, wanted: AssignmentFilter, *, page: int = 1) -> WaitingPage[R]:
        """By due date; two queries. A page number past the end gives the last page."""
        a = table(Assignment)
        counted = self._joined(a.c.period, func.count(), func.min(a.c.due_on)).group_by(a.c.period)
        statement = self._waiting(counted, today, replace(wanted, period=""))
        cells = [(row[0], row[1], row[2]) for row in session.connection().execute(statement)]
        total = sum(n for period, n, _ in cells if wanted.period in ("", period))
        pages = -(-total // ROWS_PER_PAGE)
        page = min(page, pages) or 1
        some = self._by_due(today, wanted).offset((page - 1) * ROWS_PER_PAGE).limit(ROWS_PER_PAGE)
        periods = periods_among(((period, due) for period, _, due in cells), wanted)
        return WaitingPage(self._lines(session.connection().execute(some).all(), today), total, page, pages, periods)

    def every(self, session: Session, today: Today, wanted: AssignmentFilter) -> Iterator[R]:
        """All in the order of the page, in constant memory."""
        for some in streamed(session, self._by_due(today, wanted)):
            yield from self._lines(some, today)

    def listed(
        self, session: Session, today: Today, wanted: AssignmentFilter, *, after: str = "", limit: int = PER_PAGE
    ) -> Page[R]:
        """In the order in which they came; two queries."""
        total = how_many(session, today, replace(wanted, waiting=self.what))
        statement = self._waiting(self._all(today), today, wanted).order_by(self.stored.c.id).limit(limit + 1)
        if after:
            statement = statement.where(self.stored.c.id > decode(after, int)[0])
        found = session.connection().execute(statement).all()
        return page(self._lines(found, today), limit, lambda row: (row.id,), total)

    def chosen(self, session: Session, today: Today, ids: Collection[int]) -> list[R]:
        """The rows with these ids, whatever became of them."""
        statement = self._all(today).where(self.stored.c.id.in_(ids))
        statement = statement.order_by(table(Assignment).c.due_on, self.stored.c.id)
        return list(self._lines(session.connection().execute(statement).all(), today))

    def _all(self, today: Today) -> Select[Any]:
        return self._joined(*columns(today), self.stored.c.id.label("own_id"), *self.own)

    def _joined(self, *selected: Any) -> Select[Any]:
        a = table(Assignment)
        return joined(select(*selected)).join(self.stored, self.stored.c.assignment_id == a.c.id)

    def _waiting(self, statement: Select[Any], today: Today, wanted: AssignmentFilter) -> Select[Any]:
        where = conditions(replace(wanted, waiting=None), today)  # what waits is said by the rows themselves
        return statement.where(*where, *WAITS[self.what].conditions)

    def _by_due(self, today: Today, wanted: AssignmentFilter) -> Select[Any]:
        by_due = func.coalesce(table(Assignment).c.due_on, literal(FAR))  # not the column: its index would be walked
        return self._waiting(self._all(today), today, wanted).order_by(by_due, self.stored.c.id)

    def _lines(self, found: Sequence[AnyRow], today: Today) -> tuple[R, ...]:
        return tuple(self.line(row, task, today) for row, task in zip(found, from_rows(found), strict=True))


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


def _line(row: AnyRow, assignment: AssignmentRow, today: Today) -> ExtensionRequest:
    return object_of(ExtensionRequest, row, id=row.own_id, assignment=assignment)


_x = table(Extension)
EXTENSIONS = WaitingRows(Waiting.EXTENSION, _x, (_x.c.asked_at, _x.c.until, _x.c.reason, _x.c.decided_at), _line)
