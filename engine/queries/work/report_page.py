"""The report page: all duties of one agency in one plan and period, with the figures requested.

What an agency reports at once: a plan's duties of a period first, then what it owes in other plans, as long as one
page holds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments.reports.indicators import FigureLine, asked_groups, consolidated, is_asked
from engine.assignments.reports.submission import PromiseChoices
from engine.errors import NotFound
from engine.files.plan_parts import Indicator
from engine.queries.filter_choices import plan_of
from engine.queries.time_class import Today
from engine.queries.work.assignment_story import ReportLine, waited_for
from engine.queries.work.assignments import AssignmentFilter, AssignmentRow, columns, conditions, from_rows, joined
from engine.queries.work.desk import OwedReport, agency_name, owed
from engine.queries.work.promises import promise_choices
from engine.rules.outputs import Output, read_output
from engine.rules.situation import is_ahead, is_past, lacks_report
from engine.rules.words import name_order
from engine.store.database import table
from engine.store.records import Agency, Assignment, Duty, Report
from engine.store.stored_rows import StoredPlan, columns_for, object_of
from engine.terms import COUNTED_STATES
from engine.text import Text

FOR_ALL = "all"
"""The end of the names of a promise's fields, on a page that has them once for all duties."""
MAX_PROMISED_APART = 12
"""With the fields of a promise for each of more duties a page is longer than 50 KB."""


@dataclass(frozen=True, kw_only=True)
class ReportItem:
    """One duty on the report page with its last report, if any."""

    row: AssignmentRow
    heading: str
    due_why: Mapping[str, str]
    source: str
    basis: str
    last: ReportLine | None
    output: Output | None = None
    """What is owed beside the work."""
    coordinating: tuple[str, ...] = ()
    waits_for: tuple[AssignmentRow, ...] = ()
    """The reports that this one consolidates."""

    @property
    def missing(self) -> tuple[AssignmentRow, ...]:
        """Those of ``waits_for`` that are not in."""
        return tuple(row for row in self.waits_for if row.reported_on is None)

    @property
    def open(self) -> bool:
        """A report is owed."""
        return lacks_report(self.row.state)

    @property
    def reportable(self) -> bool:
        """A report is owed, or the one that is in leaves the task unfinished and may be followed by another."""
        return self.row.unfinished

    def late_on(self, day: date) -> bool:
        """It is not done and its due date has passed: a later day is promised, no extension can be asked for."""
        return self.reportable and is_past(self.row.due_on, day)


@dataclass(frozen=True, kw_only=True)
class ReportPage:
    """``figures``: the agency's latest value of each indicator in this period, from reports not returned. ``parts``:
    for the code of a requested total, the figure it sums, from the other agencies' reports."""

    agency_id: str
    agency: str
    plan_id: int
    plan: str
    plan_title: str
    short_title: str
    period: str
    items: tuple[ReportItem, ...]
    indicators: tuple[Indicator, ...]
    figures: Mapping[str, object]
    parts: Mapping[str, FigureLine]
    choices: PromiseChoices
    """What is chosen from where a task is not done; ``agencies`` is empty."""
    helpers: tuple[str, ...]
    """The names of the agencies that coordinate in the page's duties."""
    promised_apart: bool = True
    """Each unfinished duty has a promise of its own; on a longer page one holds for all that are sent together."""
    shown: frozenset[int] | None = None
    """The assignments that are asked for on one sheet of several; None: all."""

    @property
    def asked(self) -> tuple[ReportItem, ...]:
        """What may be reported here and now."""
        return tuple(
            each for each in self.items if each.reportable and (self.shown is None or each.row.id in self.shown)
        )

    def figures_of(self, citation: str) -> tuple[Indicator, ...]:
        """The figures that are stored with a duty, by its citation; "": those that no duty here asks for."""
        return tuple(each for each in self.indicators if self._place(each) == citation)

    def _place(self, indicator: Indicator) -> str:
        return next((item.row.citation for item in self.asked if item.row.citation in indicator.asked_of), "")

    def promise_field(self, assignment_id: int) -> str:
        """The end of the names of the fields of a duty's promise."""
        return str(assignment_id) if self.promised_apart else FOR_ALL

    @property
    def done(self) -> int:
        return sum(not item.open for item in self.items)

    def extendable(self, day: date) -> bool:
        """An extension of some duty may still be asked for."""
        return any(each.reportable and is_ahead(each.row.due_on, day) for each in self.items)

    def late(self, day: date) -> bool:
        """A later day of some duty can be promised."""
        return any(each.late_on(day) for each in self.items)

    @property
    def due_on(self) -> date | None:
        return min((item.row.due_on for item in self.items if item.open and item.row.due_on), default=None)


def report_page(session: Session, today: Today, agency_id: str, plan_id: int, period: str) -> ReportPage:
    """Eight queries, two more for each duty that consolidates, five more with a requested total. Raises NotFound when
    the agency has nothing in that plan and period."""
    name, _ = agency_name(session, agency_id)
    plan = plan_of(session, plan_id)
    items = _items(session, today, plan, agency_id, period)
    if not items:
        raise NotFound(
            Text(
                "Cơ quan này không có việc phải báo cáo trong kế hoạch và kỳ ấy.",
                "This agency has nothing to report in that plan and period.",
            )
        )
    requested = _requested(session, plan, agency_id, [item.row.citation for item in items])
    return ReportPage(
        agency_id=agency_id,
        agency=name,
        plan_id=plan_id,
        plan=plan.number,
        plan_title=plan.title,
        short_title=plan.short_title,
        period=period,
        items=items,
        indicators=requested,
        figures=_figures(items),
        parts=_parts(session, plan_id, period, requested),
        choices=promise_choices(session, today, plan.policy_id),
        helpers=_helpers(session, items),
        promised_apart=len(items) <= MAX_PROMISED_APART,
    )


def _items(session: Session, today: Today, plan: StoredPlan, agency_id: str, period: str) -> tuple[ReportItem, ...]:
    a, d = table(Assignment), table(Duty)
    wanted = AssignmentFilter(plan_id=plan.id, period=period, agency_id=agency_id, states=COUNTED_STATES)
    more = (d.c.heading, a.c.due_why, d.c.rule, d.c.waits_for, d.c.coordinating, d.c.output)
    statement = joined(select(*columns(today), *more)).where(*conditions(wanted, today))
    found = session.connection().execute(statement.order_by(d.c.position)).all()
    rows = from_rows(found)
    last = _last_reports(session, [row.id for row in rows])
    rules = plan.file.get("report_rules", {})
    items = []
    for row, extra in zip(rows, found, strict=True):
        rule = rules.get(extra.rule, {})
        items.append(
            ReportItem(
                row=row,
                heading=extra.heading,
                due_why=extra.due_why,
                source=rule.get("source", ""),
                basis=rule.get("basis", ""),
                last=last.get(row.id),
                output=read_output(extra.output),
                coordinating=tuple(extra.coordinating),
                waits_for=waited_for(session, today, plan.id, period, extra.waits_for) if extra.waits_for else (),
            )
        )
    return tuple(items)


def _last_reports(session: Session, assignment_ids: Sequence[int]) -> dict[int, ReportLine]:
    r = table(Report)
    statement = select(r.c.assignment_id, *columns_for(ReportLine, r))
    statement = statement.where(r.c.assignment_id.in_(assignment_ids)).order_by(r.c.number)
    return {row.assignment_id: object_of(ReportLine, row) for row in session.connection().execute(statement)}


@dataclass(frozen=True)
class PreviousReports:
    """What the agency last reported about the page's duties for an earlier period: by duty, and the figures."""

    period: str = ""
    reports: Mapping[int, ReportLine] = field(default_factory=dict)
    figures: Mapping[str, object] = field(default_factory=dict)


def previous_reports(session: Session, page: ReportPage) -> PreviousReports:
    """Of the last period before the page's in which one of its duties was reported. One query."""
    a, r = table(Assignment), table(Report)
    duties = {item.row.duty_id for item in page.items}
    due = [item.row.original_due_on for item in page.items if item.row.original_due_on is not None]
    if not due:
        return PreviousReports()
    statement = (
        select(a.c.duty_id, a.c.period, *columns_for(ReportLine, r))
        .join(a, a.c.id == r.c.assignment_id)
        .where(
            a.c.agency_id == page.agency_id,
            a.c.duty_id.in_(duties),
            a.c.period != page.period,
            a.c.original_due_on < min(due),
            r.c.returned_at.is_(None),
        )
        .order_by(a.c.original_due_on, r.c.submitted_at, r.c.id)
    )
    rows = session.connection().execute(statement).all()
    if not rows:
        return PreviousReports()
    period = rows[-1].period
    lines = {row.duty_id: object_of(ReportLine, row) for row in rows if row.period == period}
    figures: dict[str, object] = {}
    for line in sorted(lines.values(), key=lambda each: each.submitted_at):
        figures |= line.figures
    return PreviousReports(period, lines, figures)


def _helpers(session: Session, items: Sequence[ReportItem]) -> tuple[str, ...]:
    ids = {agency_id for item in items for agency_id in item.coordinating if item.reportable}
    if not ids:
        return ()
    g = table(Agency)
    return tuple(sorted(session.connection().scalars(select(g.c.name).where(g.c.id.in_(ids))), key=name_order))


def _requested(session: Session, plan: StoredPlan, agency_id: str, citations: Sequence[str]) -> tuple[Indicator, ...]:
    """The plan's indicators requested from the agency, a group of it, who it followed, or a duty on the page."""
    groups = asked_groups(session, plan.followed)
    indicators = (Indicator.model_validate(each) for each in plan.file.get("indicators", ()))
    return tuple(each for each in indicators if is_asked(each, agency_id, groups, citations))


def _parts(session: Session, plan_id: int, period: str, requested: Sequence[Indicator]) -> dict[str, FigureLine]:
    totals = {each.code: each.total_of for each in requested if each.total_of is not None}
    if not totals:
        return {}
    lines = {line.indicator.code: line for line in consolidated(session, plan_id, period).lines}
    return {code: lines[of] for code, of in totals.items() if lines[of].given}


def _figures(items: Sequence[ReportItem]) -> dict[str, object]:
    """The latest value of each figure; after a return, the corrected one."""
    reports: list[tuple[datetime, Mapping[str, object]]] = [
        (item.last.submitted_at, item.last.figures) for item in items if item.last is not None
    ]
    found: dict[str, object] = {}
    for _, figures in sorted(reports, key=lambda each: each[0]):
        found |= figures
    return found


SHEET_BYTES = 44_000
"""What the parts of a sheet may take: with the frame around them a page stays below 50 KB."""
PART_BYTES, ITEM_BYTES, PROMISE_BYTES, OUTPUT_BYTES, FIGURE_BYTES = 1_100, 1_520, 1_330, 650, 330
"""Measured on pages without texts; each text is counted by its own length."""
MAX_BESIDE = 12
"""Other plans on one sheet."""


@dataclass(frozen=True)
class SheetLayout:
    """How a page was laid out when its form was sent: the plans and periods after the first, and whether each duty had
    a promise of its own; None: the form does not say."""

    beside: tuple[tuple[int, str], ...]
    promised_apart: bool | None


@dataclass(frozen=True, kw_only=True)
class ReportSheet:
    """``parts``: one for each plan and period, the one that was asked for first. ``later``: what is owed in other plans
    and did not fit. ``page`` of ``pages``: the first part alone is divided."""

    parts: tuple[ReportPage, ...]
    later: tuple[OwedReport, ...]
    page: int = 1
    pages: int = 1

    @property
    def first(self) -> ReportPage:
        return self.parts[0]

    @property
    def finished(self) -> tuple[ReportItem, ...]:
        """The duties of the first part of which nothing is left to report; on its last sheet."""
        return tuple(each for each in self.first.items if not each.reportable) if self.page == self.pages else ()


def report_sheet(
    session: Session,
    today: Today,
    agency_id: str,
    plan_id: int,
    period: str,
    *,
    page: int = 1,
    layout: SheetLayout | None = None,
) -> ReportSheet:
    """The queries of a report page for each part, and one. ``layout``: that of a form that was sent; None: what fits.
    Raises NotFound when the agency has nothing in that plan and period."""
    first = report_page(session, today, agency_id, plan_id, period)
    chunks = tuple(_divided(first))
    page = min(page, len(chunks))
    parts = [first if len(chunks) == 1 else _cut(first, chunks[page - 1], page)]
    apart = layout.promised_apart if layout is not None else None
    if apart is None:
        apart = _fits(parts, promised_apart=True)
    others = tuple(
        each for each in owed(session, agency_id) if each.open and (each.plan_id, each.period) != (plan_id, period)
    )
    if layout is not None:
        parts += _named(session, today, agency_id, layout.beside)
    elif page == len(chunks):
        for each in others[:MAX_BESIDE]:
            more = [*parts, report_page(session, today, agency_id, each.plan_id, each.period)]
            if not _fits(more, promised_apart=apart):
                break  # those after it stay in the order of the desk
            parts = more
    taken = {(part.plan_id, part.period) for part in parts}
    return ReportSheet(
        parts=tuple(replace(part, promised_apart=apart) for part in parts),
        later=tuple(each for each in others if (each.plan_id, each.period) not in taken),
        page=page,
        pages=len(chunks),
    )


def _named(session: Session, today: Today, agency_id: str, beside: Sequence[tuple[int, str]]) -> Iterator[ReportPage]:
    """Those in which the agency has something."""
    for plan_id, period in dict.fromkeys(beside[:MAX_BESIDE]):
        try:
            yield report_page(session, today, agency_id, plan_id, period)
        except NotFound:
            continue


def _fits(parts: Sequence[ReportPage], *, promised_apart: bool) -> bool:
    duties = sum(len(part.asked) for part in parts)
    if promised_apart and duties > MAX_PROMISED_APART:
        return False
    return sum(map(_part_bytes, parts)) + duties * promised_apart * PROMISE_BYTES <= SHEET_BYTES


def _divided(page: ReportPage) -> Iterator[tuple[ReportItem, ...]]:
    """The duties of each sheet of a plan that one cannot hold; at least one, if empty."""
    chunk: list[ReportItem] = []
    left = SHEET_BYTES - PART_BYTES - _figure_bytes(page)
    for item in page.asked:
        size = _item_bytes(item)
        if chunk and size > left:
            yield tuple(chunk)
            chunk, left = [], SHEET_BYTES - PART_BYTES
        chunk.append(item)
        left -= size
    yield tuple(chunk)


def _cut(page: ReportPage, chunk: Sequence[ReportItem], number: int) -> ReportPage:
    """The part with these duties alone. A figure stands where its duty does, others on the first sheet."""
    shown = frozenset(item.row.id for item in chunk)
    citations = {item.row.citation for item in page.asked if item.row.id not in shown}
    here = {item.row.citation for item in chunk}
    indicators = tuple(
        each
        for each in page.indicators
        if here.intersection(each.asked_of) or (number == 1 and not citations.intersection(each.asked_of))
    )
    return replace(page, shown=shown, indicators=indicators)


def _part_bytes(page: ReportPage) -> int:
    return PART_BYTES + _figure_bytes(page) + sum(_item_bytes(item) for item in page.asked)


def _figure_bytes(page: ReportPage) -> int:
    return sum(FIGURE_BYTES + len(each.name.encode()) for each in page.indicators)


def _item_bytes(item: ReportItem) -> int:
    row, last = item.row, item.last
    texts = [row.text, item.due_why.get("vi", "")]
    texts += (
        [last.body, last.reason, last.returned_reason or "", *(str(each["name"]) for each in last.files)]
        if last
        else []
    )
    return ITEM_BYTES + (OUTPUT_BYTES if item.output else 0) + sum(len(text.encode()) for text in texts)
