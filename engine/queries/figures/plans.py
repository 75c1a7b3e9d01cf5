"""Plans: the list, and one plan with its duties, gaps, focus areas, indicators and the rules its due dates come
from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select
from sqlmodel import Session

from engine.assignments import situations
from engine.errors import NotFound
from engine.files.plan import PlanFile, due_periods
from engine.queries.figures.board import Counts, counted_columns, summed_columns, total
from engine.queries.filter_choices import sql_order
from engine.queries.paging import DOWNLOAD_ROWS, PER_PAGE, Page, decode, every_row, page
from engine.queries.time_class import Today
from engine.rules.outputs import Output, read_output
from engine.store.data_versions import Topic, depends_on
from engine.store.database import table
from engine.store.records import Agency, Assignment, Duty, Plan
from engine.store.stored_rows import AnyRow, object_of
from engine.terms import PlanState, Urgency
from engine.text import Text


@dataclass(frozen=True, kw_only=True)
class PlanRow:
    id: int
    number: str
    year: int
    issued_on: date
    title: str
    short_title: str
    issuer_id: str
    issuer: str
    state: PlanState
    urgency: Urgency
    duties: int
    counts: Counts
    """Of what is ordered; ``asked`` of what is asked for."""
    asked: Counts


@dataclass(frozen=True, slots=True)
class RuleLine:
    """The rule behind a due date: ``source`` local is shown as «configured», never as coming from the plan."""

    name: str
    source: str
    basis: str
    wording: str
    to: str


@dataclass(frozen=True, slots=True)
class DueLine:
    """One period of a duty: its due date and how it is computed."""

    period: str
    on: date
    why: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class DutyLine:
    id: int
    citation: str
    heading: str
    text: str
    request: bool
    kind: str
    cadence: tuple[str, ...]
    owners: tuple[str, ...]
    coordinating: tuple[str, ...]
    area: str
    repeats: str
    waits_for: tuple[str, ...]
    output: Output | None
    rule: RuleLine | None
    """None for a duty added after the document."""
    rounds: tuple[DueLine, ...]
    counts: Counts

    def due(self, day: date) -> tuple[date, ...]:
        """Since when it is overdue, and what of it is due next; else the round due on a day or after it, or the last;
        none without a due date."""
        coming = [each.on for each in self.rounds if each.on >= day] or [each.on for each in self.rounds[-1:]]
        open_tasks = (self.counts.late_since, self.counts.earliest)
        return tuple(each for each in open_tasks if each) or tuple(sorted(coming)[:1])


@dataclass(frozen=True, kw_only=True)
class PlanPage:
    """``agencies``: id -> name of every agency. ``gaps``: numbers missing in the document, with a note."""

    row: PlanRow
    supervisor: str
    supervisor_id: str
    file: PlanFile
    gaps: Mapping[str, str]
    duties: tuple[DutyLine, ...]
    agencies: Mapping[str, str]


_Duties = ScalarSelect[int]
"""How many duties a plan has."""
SORTS: Mapping[str, Callable[[_Duties, Today], Any]] = {
    "number": lambda duties, today: table(Plan).c.number,
    "issued": lambda duties, today: table(Plan).c.issued_on,
    "duties": lambda duties, today: duties,
    "state": lambda duties, today: table(Plan).c.state,
    "overdue": lambda duties, today: _overdue(today),
}
OWN_SORT = "-issued"


@depends_on(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def list_plans(
    session: Session, today: Today, *, after: str = "", limit: int = PER_PAGE, words: str = "", sort: str = ""
) -> Page[PlanRow]:
    """Newest first, or by one of ``SORTS``, where the cursor is a number of rows; three queries. ``words``: only
    plans whose number or title contains all of these words."""
    p, g, d = table(Plan), table(Agency), table(Duty)
    duties = select(func.count()).where(d.c.plan_id == p.c.id).correlate(p).scalar_subquery()
    named = [
        p.c.number.icontains(each, autoescape=True) | p.c.title.icontains(each, autoescape=True)
        for each in words.split()
    ]
    newest = p.c.issued_on.desc(), p.c.id.desc()
    sorts = {key: [order(duties, today)] for key, order in SORTS.items()}
    statement = _plans(duties).where(*named).order_by(*sql_order(sorts, sort), *newest).limit(limit + 1)
    offset = max(decode(after, int)[0], 0) if after and sort else 0
    if sort:
        statement = statement.offset(offset)
    elif after:
        issued, last = decode(after, date.fromisoformat, int)
        statement = statement.where((p.c.issued_on < issued) | ((p.c.issued_on == issued) & (p.c.id < last)))
    found = session.connection().execute(statement).all()
    counts = _counts(session, today, table(Assignment).c.plan_id.in_([row.id for row in found]))
    rows = [_row(each, counts) for each in found]
    count = select(func.count()).select_from(p.join(g, g.c.id == p.c.issuer_id)).where(*named)
    total = session.connection().scalar(count)
    return page(rows, limit, lambda row: (offset + limit,) if sort else (row.issued_on, row.id), total)


def every_plan(session: Session, today: Today, words: str, sort: str) -> Iterator[PlanRow]:
    """All rows in the list's order."""
    return every_row(lambda after: list_plans(session, today, after=after, limit=DOWNLOAD_ROWS, words=words, sort=sort))


def _overdue(today: Today) -> ScalarSelect[int]:
    """How many assignments of an active plan are overdue; requests are not counted."""
    p, a = table(Plan), table(Assignment)
    late = select(func.count()).where(a.c.plan_id == p.c.id, situations.overdue(today.day), ~a.c.request)
    return late.correlate(p).scalar_subquery()


@depends_on(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def plan_page(session: Session, today: Today, plan_id: int) -> PlanPage:
    """Five queries. Raises NotFound."""
    p, d, g = table(Plan), table(Duty), table(Agency)
    count = select(func.count()).where(d.c.plan_id == plan_id).scalar_subquery()
    plan_row = (
        session.connection()
        .execute(_plans(count).add_columns(p.c.file, p.c.supervisor_id).where(p.c.id == plan_id))
        .first()
    )
    if plan_row is None:
        raise NotFound(Text(f"Không có kế hoạch số {plan_id}.", f"There is no plan {plan_id}."))
    file = PlanFile.model_validate(plan_row.file)
    agencies: dict[str, str] = {row[0]: row[1] for row in session.connection().execute(select(g.c.id, g.c.name))}
    counts = _counts(session, today, table(Assignment).c.plan_id == plan_id)
    rows = session.connection().execute(select(d).where(d.c.plan_id == plan_id).order_by(d.c.position))
    duties = tuple(_duty(row, file, today, _counted(counts, row.id)) for row in rows)
    notes = {gap.citation: gap.note for gap in file.gaps}
    gaps = {citation: notes.get(citation, "") for citation in file.all_gaps}
    row = _row(plan_row, counts)
    supervisor = agencies.get(plan_row.supervisor_id, plan_row.supervisor_id)
    return PlanPage(
        row=row,
        supervisor=supervisor,
        supervisor_id=plan_row.supervisor_id,
        file=file,
        gaps=gaps,
        duties=duties,
        agencies=agencies,
    )


def _plans(duties: ScalarSelect[int]) -> Select[*tuple[Any, ...]]:
    p, g = table(Plan), table(Agency)
    return select(
        p.c.id,
        p.c.number,
        p.c.year,
        p.c.issued_on,
        p.c.title,
        p.c.short_title,
        p.c.issuer_id,
        g.c.name.label("issuer"),
        p.c.state,
        p.c.urgency,
        duties.label("duties"),
    ).join(g, g.c.id == p.c.issuer_id)


_Counts = dict[tuple[int, int, bool], Counts]


def _row(row: AnyRow, counts: _Counts) -> PlanRow:
    orders, asked = _totals(counts, row.id)
    return object_of(PlanRow, row, counts=orders, asked=asked)


def _counts(session: Session, today: Today, where: ColumnElement[bool]) -> _Counts:
    """(plan, duty, asked for) -> counts."""
    a, p = table(Assignment), table(Plan)
    counted = select(a.c.plan_id, a.c.duty_id, *counted_columns(today.thresholds)).join(p, p.c.id == a.c.plan_id)
    each = counted.where(where, situations.counted()).subquery()
    keys = (each.c.plan_id, each.c.duty_id, each.c.request)
    found = session.connection().execute(select(*keys, *summed_columns(each)).group_by(*keys)).mappings()
    return {(row["plan_id"], row["duty_id"], bool(row["request"])): Counts.of(row) for row in found}


def _totals(counts: _Counts, plan_id: int) -> tuple[Counts, Counts]:
    """Of what a plan orders, and of what it asks for."""
    orders, asked = (
        total([each for (plan, _, asked_for), each in counts.items() if plan == plan_id and asked_for is request])
        for request in (False, True)
    )
    return orders, asked


def _counted(counts: _Counts, duty_id: int) -> Counts:
    return total([each for (_, duty, _), each in counts.items() if duty == duty_id])


def _duty(row: AnyRow, file: PlanFile, today: Today, counts: Counts) -> DutyLine:
    rule = file.report_rules.get(row.rule)
    line = RuleLine(row.rule, rule.source.value, rule.basis, rule.wording, rule.to) if rule else None
    placed = file.duties.get(row.citation)
    areas = {area.code: area.title for area in file.focus_areas}
    due = due_periods(file, placed.duty, today.calendar) if placed else []
    return object_of(
        DutyLine,
        row,
        cadence=tuple(row.cadence),
        owners=tuple(row.owners),
        coordinating=tuple(row.coordinating),
        area=f"{row.area} {areas.get(row.area, '')}".strip() if row.area else "",
        repeats=row.repeats or "",
        waits_for=tuple(row.waits_for),
        output=read_output(row.output),
        rule=line,
        rounds=tuple(DueLine(each.period.key, each.due.on, each.due.why) for each in due),
        counts=counts,
    )


def plan_supervisors(session: Session, plan_ids: Collection[int]) -> dict[int, str]:
    """The department that supervises each plan."""
    p = table(Plan)
    found = session.connection().execute(select(p.c.id, p.c.supervisor_id).where(p.c.id.in_(plan_ids)))
    return {row.id: row.supervisor_id for row in found}
