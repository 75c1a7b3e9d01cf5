"""Threads: what an owner, the department above and coordinating agencies wrote about an assignment. Read-only.

``difficulties`` is what a consolidated report takes from them: ``engine.features.papers.period_report``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, String, cast, select
from sqlmodel import Session

from engine.assignments import situations
from engine.queries.time_class import Today
from engine.queries.work import assignments
from engine.queries.work.assignment_story import ReportLine
from engine.rules.periods import within
from engine.store.database import among, table
from engine.store.records import Agency, Assignment, Duty, Plan, Promise, Report, ThreadEntry
from engine.store.stored_rows import columns_for, object_of, objects
from engine.terms import COUNTED_STATES, RAISED_KINDS, EntryKind

MAX_COORDINATED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLine:
    """One entry; ``agency`` wrote it, ``owner_id`` owes the assignment."""

    id: int
    assignment_id: int
    plan_id: int
    citation: str
    period: str
    owner_id: str
    agency_id: str
    agency: str
    kind: EntryKind
    text: str
    whole_plan: bool
    expected_on: date | None
    files: Sequence[Mapping[str, object]]
    answers_id: int | None
    answered_at: datetime | None
    actor: str
    at: datetime

    @property
    def waits(self) -> bool:
        """The other side has not answered it."""
        return self.kind in RAISED_KINDS and self.answered_at is None

    @property
    def of_owner(self) -> bool:
        return self.agency_id == self.owner_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A difficulty or an ad hoc report of an agency, with the department's answer, "" while there is none. ``citation``
    is empty when it is about the plan as a whole."""

    agency: str
    citation: str
    kind: EntryKind
    text: str
    at: datetime
    answer: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedHelp:
    """An unfinished task that waits for an agency («chờ cơ quan phối hợp»), as its last promise says."""

    assignment_id: int
    plan: str
    citation: str
    owner: str
    reason: str
    promised_on: date


@dataclass(frozen=True)
class Coordinated:
    """A duty that an agency helps with: the lead's assignment, its last report, and the parts given."""

    row: assignments.AssignmentRow
    last: ReportLine | None
    parts: tuple[EntryLine, ...]


def awaited_of(session: Session, agency_id: str) -> tuple[AwaitedHelp, ...]:
    """What waits for an agency, by the promised day. One query."""
    a, d, p, g, made = table(Assignment), table(Duty), table(Plan), table(Agency), table(Promise)
    statement = (
        select(made.c.assignment_id, p.c.number.label("plan"), d.c.citation, g.c.name.label("owner"))
        .add_columns(made.c.reason, made.c.promised_on)
        .join(a, a.c.id == made.c.assignment_id)
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .join(g, g.c.id == a.c.agency_id)
        .where(made.c.waits_for == agency_id, assignments.last_promise(), situations.owed())
        .order_by(made.c.promised_on, made.c.id)
        .limit(MAX_COORDINATED)
    )
    return tuple(objects(AwaitedHelp, session.connection().execute(statement)))


def entries(session: Session, assignment_ids: Collection[int]) -> tuple[EntryLine, ...]:
    """The threads of some assignments, oldest entry first. One query."""
    t, a = table(ThreadEntry), table(Assignment)
    return _lines(session, among(session, a.c.id, assignment_ids), t.c.id)


def threads_of(session: Session, agency_id: str, plan_id: int) -> tuple[EntryLine, ...]:
    """All that was written about an owner's assignments of a plan, oldest first. One query."""
    t, a = table(ThreadEntry), table(Assignment)
    return _lines(session, (a.c.agency_id == agency_id) & (a.c.plan_id == plan_id), t.c.id)


def _lines(session: Session, where: ColumnElement[bool], *order: ColumnElement[int]) -> tuple[EntryLine, ...]:
    t, a, d, g = table(ThreadEntry), table(Assignment), table(Duty), table(Agency)
    statement = (
        select(
            t.c.id,
            t.c.assignment_id,
            a.c.plan_id,
            d.c.citation,
            a.c.period,
            a.c.agency_id.label("owner_id"),
            t.c.agency_id,
            g.c.name.label("agency"),
            t.c.kind,
            t.c.text,
            t.c.whole_plan,
            t.c.expected_on,
            t.c.files,
            t.c.answers_id,
            t.c.answered_at,
            t.c.actor,
            t.c.at,
        )
        .join(a, a.c.id == t.c.assignment_id)
        .join(d, d.c.id == a.c.duty_id)
        .join(g, g.c.id == t.c.agency_id)
        .where(where)
        .order_by(*order)
    )
    return tuple(objects(EntryLine, session.connection().execute(statement)))


def difficulties(session: Session, plan_id: int, period: str) -> tuple[Raised, ...]:
    """The difficulties and unasked ad hoc reports of a plan's period, and of the periods within it, oldest first, each
    with its answer. One query."""
    a = table(Assignment)
    found = _lines(session, a.c.plan_id == plan_id, table(ThreadEntry).c.id)
    lines = [each for each in found if within(period, each.period)]
    answers = {each.answers_id: each for each in lines if each.kind is EntryKind.ANSWER}
    raised = (each for each in lines if each.kind in (EntryKind.DIFFICULTY, EntryKind.AD_HOC) and each.of_owner)
    return tuple(
        Raised(
            agency=each.agency,
            citation="" if each.whole_plan else each.citation,
            kind=each.kind,
            text=each.text,
            at=each.at,
            answer=answers[each.id].text if each.id in answers else "",
            answered_at=each.answered_at,
        )
        for each in raised
    )


def coordinated(
    session: Session, today: Today, agency_id: str, *, assignment_ids: Collection[int] = ()
) -> tuple[Coordinated, ...]:
    """The assignments that an agency helps with, by due date: of active plans, or those given. Four queries."""
    d, a = table(Duty), table(Assignment)
    stored = select(d.c.id, d.c.coordinating).where(cast(d.c.coordinating, String).contains(f'"{agency_id}"'))
    duties = [row.id for row in session.connection().execute(stored) if agency_id in row.coordinating]
    if not duties:
        return ()
    wanted = assignments.AssignmentFilter(states=COUNTED_STATES, ids=tuple(assignment_ids))
    statement = assignments.joined(select(*assignments.columns(today))).where(
        *assignments.conditions(wanted, today), among(session, a.c.duty_id, duties), a.c.agency_id != agency_id
    )
    found = session.connection().execute(statement.order_by(a.c.due_on, a.c.id).limit(MAX_COORDINATED)).all()
    rows = assignments.from_rows(found)
    ids = [row.id for row in rows]
    last = _last_reports(session, ids)
    parts = [each for each in entries(session, ids) if each.kind is EntryKind.PART and each.agency_id == agency_id]
    return tuple(
        Coordinated(row, last.get(row.id), tuple(each for each in parts if each.assignment_id == row.id))
        for row in rows
    )


def _last_reports(session: Session, assignment_ids: Sequence[int]) -> dict[int, ReportLine]:
    r = table(Report)
    statement = select(r.c.assignment_id, *columns_for(ReportLine, r))
    statement = statement.where(among(session, r.c.assignment_id, assignment_ids)).order_by(r.c.number)
    return {row.assignment_id: object_of(ReportLine, row) for row in session.connection().execute(statement)}
