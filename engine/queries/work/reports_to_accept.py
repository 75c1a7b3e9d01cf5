"""Reports waiting to be accepted or returned, by agency, the longest waiting first, with their content."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlmodel import Session

from engine.assignments.lifecycle import standing_report
from engine.assignments.told import agency_names
from engine.queries.paging import PER_PAGE, Page, decode, page, streamed
from engine.queries.time_class import Today
from engine.queries.work.assignments import (
    AssignmentFilter,
    AssignmentRow,
    columns,
    conditions,
    from_rows,
    how_many,
    joined,
    periods_among,
)
from engine.rules.outputs import GivenOutput, Output, read_given, read_output
from engine.rules.words import name_order
from engine.store.data_versions import Topic, ask, by_agency, of_agencies
from engine.store.database import table, unindexed
from engine.store.records import Assignment, Duty, Plan, Report
from engine.store.stored_rows import AnyRow, object_of
from engine.terms import Outcome, State, Waiting

ROWS_PER_PAGE = 25


@dataclass(frozen=True, kw_only=True)
class WaitingReport:
    """A report with its assignment. ``figures``: (code, indicator name, value); ``files``: name, size and digest of
    each."""

    id: int
    number: int
    submitted_at: datetime
    actor: str
    outcome: str
    body: str
    reason: str
    figures: tuple[tuple[str, str, object], ...]
    files: tuple[Mapping[str, object], ...]
    owed: Output | None
    """What its duty owes beside the work, of a report that says the task is done."""
    given: GivenOutput | None
    superseded: bool
    """A later report has taken its place since."""
    assignment: AssignmentRow

    @property
    def waits(self) -> bool:
        return self.assignment.state is State.REPORTED and not self.superseded


@dataclass(frozen=True)
class WaitingAgency:
    """``total`` reports, of which ``rows`` are shown; the first was submitted at ``since``."""

    id: str
    name: str
    total: int
    since: datetime
    rows: tuple[WaitingReport, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WaitingReports:
    """One page of agencies; ``total`` reports of ``agency_count`` agencies, waiting since ``since``. ``periods``:
    periods with waiting reports, ignoring the filter."""

    agencies: tuple[WaitingAgency, ...]
    total: int
    agency_count: int
    since: datetime | None
    page: int
    pages: int
    periods: tuple[str, ...] = ()


def reports_waiting(session: Session, today: Today, wanted: AssignmentFilter, *, page: int = 1) -> WaitingReports:
    """Two queries besides what is kept: this page's reports, names of their figures. A page holds as many agencies as
    have ``ROWS_PER_PAGE`` reports together, at least one; a page number past the end gives the last page."""
    wanted = replace(wanted, waiting=Waiting.ACCEPT)
    known = ask(session, waiting_of_each, today, replace(wanted, period=""))
    found = _by_agency(known, wanted.period, ask(session, agency_names))
    pages = _paginate(found)
    page = min(page, len(pages)) or 1
    shown = pages[page - 1] if pages else []
    rows = _rows(session, today, wanted, [each.id for each in shown])
    agencies = tuple(replace(each, rows=tuple(rows[each.id])) for each in shown)
    since = found[0].since if found else None
    return WaitingReports(
        agencies=agencies,
        total=sum(each.total for each in found),
        agency_count=len(found),
        since=since,
        page=page,
        pages=len(pages),
        periods=periods_among(((each.period, each.due) for each in chain(*known.values())), wanted),
    )


def list_reports_waiting(
    session: Session, today: Today, wanted: AssignmentFilter, *, after: str = "", limit: int = PER_PAGE
) -> Page[WaitingReport]:
    """All in one list, the longest waiting first; three queries."""
    a, r, wanted = table(Assignment), table(Report), replace(wanted, waiting=Waiting.ACCEPT)
    statement = joined(select(*columns(today), *_report_columns())).join(r, r.c.assignment_id == a.c.id)
    statement = statement.where(*conditions(wanted, today), *standing_report(a.c.id)).order_by(r.c.id).limit(limit + 1)
    if after:
        statement = statement.where(r.c.id > decode(after, int)[0])
    rows = _reports(session, session.connection().execute(statement).all())
    return page(rows, limit, lambda row: (row.id,), how_many(session, today, wanted))


def every_report_waiting(session: Session, today: Today, wanted: AssignmentFilter) -> Iterator[WaitingReport]:
    """All in the order of the page, in constant memory: the agency that waits longest first, then its reports."""
    a, r, wanted = table(Assignment), table(Report), replace(wanted, waiting=Waiting.ACCEPT)
    known = ask(session, waiting_of_each, today, replace(wanted, period=""))
    found = _by_agency(known, wanted.period, ask(session, agency_names))
    if not found:
        return
    place = case({each.id: n for n, each in enumerate(found)}, value=a.c.agency_id, else_=len(found))
    statement = joined(select(*columns(today), *_report_columns())).join(r, and_(*standing_report(a.c.id)))
    statement = statement.where(*conditions(wanted, today))
    for some in streamed(session, statement.order_by(place, a.c.reported_at, a.c.id)):
        yield from _reports(session, some)


def reports_chosen(session: Session, today: Today, report_ids: Collection[int]) -> list[WaitingReport]:
    """The reports with these ids, waiting or decided, by agency."""
    a, r = table(Assignment), table(Report)
    statement = joined(select(*columns(today), *_report_columns())).join(r, r.c.assignment_id == a.c.id)
    rows = session.connection().execute(statement.where(r.c.id.in_(report_ids)).order_by(a.c.due_on, a.c.id))
    return sorted(_reports(session, rows.all()), key=lambda each: name_order(each.assignment.agency))


@dataclass(frozen=True, slots=True)
class WaitingPeriod:
    """The reports of an agency and a period that wait: how many, when the first came, the first due date."""

    period: str
    n: int
    first: datetime
    due: date | None


@by_agency(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def waiting_of_each(
    session: Session, today: Today, wanted: AssignmentFilter, *, agencies: Collection[str] | None = None
) -> Mapping[str, Sequence[WaitingPeriod]]:
    """What waits to be accepted of each agency, by period. One query."""
    a, p = table(Assignment), table(Plan)
    first, due = func.min(a.c.reported_at).label("first"), func.min(a.c.due_on).label("due")
    counted = select(a.c.agency_id, a.c.period, func.count().label("n"), first, due)
    counted = counted.join(p, p.c.id == a.c.plan_id).group_by(unindexed(a.c.agency_id), a.c.period)
    counted = counted.where(*conditions(wanted, today), *of_agencies(a.c.agency_id, agencies)).order_by(a.c.period)
    found: dict[str, list[WaitingPeriod]] = defaultdict(list)
    for row in session.connection().execute(counted):
        found[row.agency_id].append(object_of(WaitingPeriod, row))
    return dict(found)


def done_unaccepted(session: Session, today: Today, wanted: AssignmentFilter) -> int:
    """How many tasks are done by a report that nobody has accepted; requests are not counted."""
    done = replace(wanted, request=False, finished=True, waiting=Waiting.ACCEPT)
    return sum(each.n for each in chain(*ask(session, waiting_of_each, today, done).values()))


def _by_agency(
    known: Mapping[str, Sequence[WaitingPeriod]], period: str, names: Mapping[str, str]
) -> list[WaitingAgency]:
    """Agencies with their totals, the longest waiting first. ``period``: empty for all."""
    found = []
    for agency_id, periods in known.items():
        if chosen := [each for each in periods if period in ("", each.period)]:
            total, since = sum(each.n for each in chosen), min(each.first for each in chosen)
            found.append(WaitingAgency(agency_id, names[agency_id], total, since))
    return sorted(found, key=lambda each: (each.since, name_order(each.name)))


def _paginate(agencies: Sequence[WaitingAgency]) -> list[list[WaitingAgency]]:
    pages: list[list[WaitingAgency]] = []
    room = 0
    for each in agencies:
        if each.total > room:
            pages.append([])
            room = ROWS_PER_PAGE
        pages[-1].append(each)
        room -= each.total
    return pages


def _rows(
    session: Session, today: Today, wanted: AssignmentFilter, agency_ids: Sequence[str]
) -> dict[str, list[WaitingReport]]:
    """The longest waiting reports of each agency."""
    a, r = table(Assignment), table(Report)
    rank = func.row_number().over(partition_by=a.c.agency_id, order_by=(a.c.reported_at, a.c.id)).label("rank")
    ranked = joined(select(a.c.id, rank)).where(*conditions(wanted, today), a.c.agency_id.in_(agency_ids)).subquery()
    statement = joined(select(*columns(today), *_report_columns())).join(ranked, ranked.c.id == a.c.id)
    statement = statement.join(r, and_(*standing_report(a.c.id)))
    statement = statement.where(ranked.c.rank <= ROWS_PER_PAGE).order_by(a.c.reported_at, a.c.id)
    found: dict[str, list[WaitingReport]] = defaultdict(list)
    for each in _reports(session, session.connection().execute(statement).all()):
        found[each.assignment.agency_id].append(each)
    return found


def _report_columns() -> list[Any]:
    r = table(Report)
    return [
        r.c.id.label("report_id"),
        r.c.number.label("nth"),
        r.c.submitted_at,
        r.c.actor,
        r.c.outcome.label("report_outcome"),
        r.c.body,
        r.c.reason,
        r.c.figures,
        r.c.files,
        r.c.superseded_at,
        r.c.output.label("given_output"),
        table(Duty).c.output.label("owed_output"),
    ]


def _reports(session: Session, rows: Sequence[AnyRow]) -> list[WaitingReport]:
    names = _names(session, {row.plan_id for row in rows if row.figures})
    return [
        object_of(
            WaitingReport,
            row,
            id=row.report_id,
            number=row.nth,
            outcome=row.report_outcome,
            figures=tuple((code, names.get((row.plan_id, code), ""), value) for code, value in row.figures.items()),
            files=tuple(row.files),
            owed=read_output(row.owed_output) if Outcome(row.report_outcome).ends else None,
            given=read_given(row.given_output),
            superseded=row.superseded_at is not None,
            assignment=assignment,
        )
        for row, assignment in zip(rows, from_rows(rows), strict=True)
    ]


def _names(session: Session, plan_ids: Collection[int]) -> Mapping[tuple[int, str], str]:
    """(plan, code) -> the indicator's name."""
    p = table(Plan)
    statement = select(p.c.id, p.c.file["indicators"]).where(p.c.id.in_(plan_ids))
    rows = session.connection().execute(statement)
    return {(row[0], each["code"]): each["name"] for row in rows for each in row[1] or ()}
