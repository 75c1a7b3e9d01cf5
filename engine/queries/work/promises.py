"""What waits for the department beside its task, requests for a later day and promises, earliest due date first; what
a promise about a late task is chosen from, and the conduct of promises."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, Table, func, literal, select
from sqlmodel import Session

from engine.assignments.backlog import WAITS
from engine.assignments.promise_rows import promises_in, proposed_day
from engine.assignments.reports.submission import PromiseChoices
from engine.queries.directory import agencies_named
from engine.queries.paging import PER_PAGE, Numbered, Page, decode, page, streamed
from engine.queries.time_class import Today
from engine.queries.work.assignments import (
    FAR,
    AssignmentFilter,
    AssignmentRow,
    causes,
    columns,
    conditions,
    from_rows,
    how_many,
    joined,
    periods_among,
)
from engine.rules.policy import Reason
from engine.rules.typed_day import reason_words
from engine.store.data_versions import Topic, ask, by_agency, depends_on, of_agencies
from engine.store.database import table, unindexed
from engine.store.records import Assignment, Extension, Plan, Promise
from engine.store.rulebook import read_policies
from engine.store.stored_rows import AnyRow, object_of
from engine.terms import PromiseState, Waiting
from engine.text import Text

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


@dataclass(frozen=True, kw_only=True)
class WaitingPromise:
    """A promise with its assignment, waiting or not any more. ``agreeable``: its day is still to come."""

    id: int
    number: int
    made_at: datetime
    promised_on: date
    reason_code: str
    waits_for: str | None
    reason: str
    owed: str
    state: PromiseState
    agreeable: bool
    assignment: AssignmentRow

    @property
    def can_be_agreed(self) -> bool:
        return self.state is PromiseState.WAITING and self.agreeable and self.assignment.unfinished

    @property
    def can_be_refused(self) -> bool:
        return self.state in (PromiseState.WAITING, PromiseState.STANDING) and self.assignment.unfinished


def waiting_days(session: Session, assignment_ids: Collection[int]) -> dict[int, date]:
    """By assignment, the promised day that waits for an agreement."""
    p = table(Promise)
    statement = select(p.c.assignment_id, p.c.promised_on)
    statement = statement.where(p.c.assignment_id.in_(assignment_ids), promises_in(PromiseState.WAITING))
    return {row.assignment_id: row.promised_on for row in session.connection().execute(statement)}


def every_reason(session: Session) -> tuple[Reason, ...]:
    """The reasons of every policy, each code once."""
    found = {each.code: each for policy in read_policies(session).values() for each in policy.reasons}
    return tuple(found.values())


@dataclass(frozen=True)
class ReasonCount:
    """``tasks``: unfinished tasks whose last promise, or the return of their last report, gives this reason."""

    code: str
    words: Text
    tasks: int


@depends_on(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def reasons_counted(session: Session, today: Today, wanted: AssignmentFilter) -> tuple[ReasonCount, ...]:
    """Of the unfinished tasks of a plan, a period, a department; most first. Requests are counted only if the filter
    asks for them."""
    found: Counter[str] = Counter()
    for of_agency in ask(session, causes_of_each, today, wanted).values():
        found.update(of_agency)
    if not found:
        return ()
    reasons = every_reason(session)
    lines = (ReasonCount(code, reason_words(code, reasons), tasks) for code, tasks in found.items())
    return tuple(sorted(lines, key=lambda each: (-each.tasks, each.words.vi)))


@by_agency(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def causes_of_each(
    session: Session, today: Today, wanted: AssignmentFilter, *, agencies: Collection[str] | None = None
) -> Mapping[str, Mapping[str, int]]:
    """By agency and code of the reason, how many of its tasks are unfinished for it."""
    a, p, cause = table(Assignment), table(Plan), causes()
    wanted = replace(wanted, finished=False, request=bool(wanted.request))
    counted = (
        select(a.c.agency_id, cause.c.code, func.count())
        .join(a, a.c.id == cause.c.assignment_id)
        .join(p, p.c.id == unindexed(a.c.plan_id))  # by the few causes, not by agencies and plans
        .where(*conditions(wanted, today), *of_agencies(a.c.agency_id, agencies))
        .group_by(unindexed(a.c.agency_id), cause.c.code)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for agency_id, code, tasks in session.connection().execute(counted):
        found[agency_id][code] = tasks
    return dict(found)


def promise_choices(session: Session, today: Today, policy_id: str, named: Collection[str] = ()) -> PromiseChoices:
    """What a promise is chosen from, by a policy. ``named``: what was typed for agencies. One query, two with names."""
    policy = read_policies(session)[policy_id]
    return PromiseChoices(
        today=today.day,
        proposed=proposed_day(policy, today.calendar, today.day),
        reasons=policy.late_reasons,
        agencies=agencies_named(session, named),
    )


def _promise_line(row: AnyRow, assignment: AssignmentRow, today: Today) -> WaitingPromise:
    return object_of(
        WaitingPromise,
        row,
        id=row.own_id,
        promised_on=row.asked_on,
        state=row.promise_state,
        agreeable=row.asked_on > today.day,
        assignment=assignment,
    )


_w = table(Promise).c
_SAID = (_w.number, _w.made_at, _w.promised_on.label("asked_on"), _w.reason_code, _w.waits_for, _w.reason, _w.owed)
PROMISES = WaitingRows(Waiting.PROMISE, table(Promise), (*_SAID, _w.state.label("promise_state")), _promise_line)
