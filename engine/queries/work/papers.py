"""The facts of a công văn đôn đốc, read from what is overdue now: the numbers of the text are the rows of the annex."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments.chasing import chased
from engine.papers.facts import Dispatch, DutyRow, Issuer, PlanFacts, PriorPaper, initials, place_of, short_committee
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, AssignmentRow, rows
from engine.rules.words import level_rank
from engine.store.database import among, table
from engine.store.records import Agency, Duty, Event, Extension, Plan
from engine.terms import EventKind, Outcome, PlanState, State, TimeClass

MAX_ROWS = 1_000
ANSWER_WORKING_DAYS = 5
HORIZON = timedelta(days=14)
GROUPS = {
    "huyen": "Ủy ban nhân dân các huyện, thành phố, thị xã",
    "so": "Các sở, ban, ngành cấp tỉnh",
    "xa": "Ủy ban nhân dân các xã, phường, thị trấn",
}
"""What agencies of a level are called together."""


@dataclass(frozen=True)
class Draft:
    """What a letter can be made of. ``assignment_ids``: the overdue ones it is about."""

    dispatch: Dispatch
    plan_id: int
    supervisor_id: str
    assignment_ids: tuple[int, ...]
    agencies: tuple[tuple[str, str], ...]
    """(id, name) of the addressees."""


def dispatch_draft(
    session: Session,
    today: Today,
    plan_row: Any,
    agency_ids: Collection[str] = (),
    *,
    request: bool = False,
    period: str = "",
) -> Draft:
    """A plan's draft to some agencies, or to all with something overdue; six queries. An agency with nothing overdue is
    never addressed; the supervisor itself is not an addressee."""
    wanted = AssignmentFilter(plan_id=plan_row.id, period=period, request=request)
    late = _rows(session, today, wanted, TimeClass.OPEN_OVERDUE)
    late = [row for row in late if row.agency_id in agency_ids or not agency_ids]
    late = [row for row in late if row.agency_id != plan_row.supervisor_id]
    addressed = {row.agency_id for row in late}
    soon = [
        row
        for row in _rows(session, today, wanted, TimeClass.DUE_SOON)
        if row.agency_id in addressed and row.due_on is not None and row.due_on <= today.day + HORIZON
    ]
    ids = [row.id for row in late]
    levels, positions, names = _levels(session), _positions(session, plan_row.id), _names(session)
    asked = _extensions(session, ids)

    def order(row: AssignmentRow) -> tuple[Any, ...]:
        return level_rank(levels.get(row.agency_id, "")), row.agency, positions.get(row.duty_id, 0), row.id

    def line(row: AssignmentRow) -> DutyRow:
        return DutyRow(
            row.agency_id,
            row.agency,
            row.citation,
            row.text,
            row.due_on,
            row.original_due_on,
            max(-(today.days_left(row.due_on) or 0), 0),
            row.first_reported_on is not None,
            _status(row),
            "Đã xin gia hạn" if row.id in asked else "",
            GROUPS.get(levels.get(row.agency_id, ""), ""),
        )

    late.sort(key=order)
    issuer = names.get(plan_row.issuer_id, plan_row.issuer_id)
    supervisor = names.get(plan_row.supervisor_id, plan_row.supervisor_id)
    dispatch = Dispatch(
        Issuer(short_committee(issuer), supervisor, initials(supervisor), place_of(issuer)),
        PlanFacts(plan_row.number, plan_row.issued_on, short_committee(issuer), plan_row.title),
        short_committee(issuer),
        tuple(map(line, late)),
        tuple(map(line, sorted(soon, key=order))),
        today.now,
        today.calendar.shift(today.day, ANSWER_WORKING_DAYS),
        max((row.due_on for row in soon if row.due_on), default=today.day),
        max((each.level for each in chased(session, ids).values()), default=0),
        prior_papers(session, ids),
        request,
    )
    agencies = tuple(dict.fromkeys((row.agency_id, row.agency) for row in late))
    return Draft(dispatch, plan_row.id, plan_row.supervisor_id, tuple(ids), agencies)


def plan_of(session: Session, plan_id: int) -> Any:
    """The plan's row, or None."""
    p = table(Plan)
    return session.connection().execute(select(p).where(p.c.id == plan_id)).first()


def active_plans(session: Session) -> tuple[tuple[int, str], ...]:
    """(id, supervisor) of each active plan, newest first."""
    p = table(Plan)
    statement = select(p.c.id, p.c.supervisor_id).where(p.c.state == PlanState.ACTIVE)
    found: Any = session.connection().execute(statement.order_by(p.c.issued_on.desc(), p.c.id))
    return tuple((row[0], row[1]) for row in found)


def prior_papers(session: Session, assignment_ids: Sequence[int]) -> tuple[PriorPaper, ...]:
    """The letters that were recorded about these assignments, oldest first."""
    e = table(Event)
    statement = select(e.c.detail).where(
        among(session, e.c.assignment_id, assignment_ids), e.c.kind == EventKind.PAPER_RECORDED
    )
    found = {(each["on"], each["number"]) for each in session.connection().scalars(statement)}
    return tuple(PriorPaper(number, date.fromisoformat(on)) for on, number in sorted(found))


def _rows(session: Session, today: Today, wanted: AssignmentFilter, which: TimeClass) -> list[AssignmentRow]:
    fields = wanted.__dict__ | {"classes": (which,)}
    return rows(session, today, AssignmentFilter(**fields), MAX_ROWS)


def _status(row: AssignmentRow) -> str:
    if row.state is State.RETURNED:
        return "Báo cáo trả lại"
    if row.outcome in (Outcome.NOT_YET, Outcome.PARTLY):
        return "Đã báo cáo, chưa hoàn thành"
    return "Đã báo cáo" if row.first_reported_on else "Chưa gửi báo cáo"


def _levels(session: Session) -> dict[str, str]:
    g = table(Agency)
    found: Any = session.connection().execute(select(g.c.id, g.c.level))
    return {row[0]: row[1] for row in found}


def _names(session: Session) -> dict[str, str]:
    g = table(Agency)
    found: Any = session.connection().execute(select(g.c.id, g.c.name))
    return {row[0]: row[1] for row in found}


def _positions(session: Session, plan_id: int) -> dict[int, int]:
    d = table(Duty)
    found: Any = session.connection().execute(select(d.c.id, d.c.position).where(d.c.plan_id == plan_id))
    return {row[0]: row[1] for row in found}


def _extensions(session: Session, assignment_ids: Sequence[int]) -> frozenset[int]:
    x = table(Extension)
    statement = select(x.c.assignment_id).where(
        among(session, x.c.assignment_id, assignment_ids), x.c.decided_at.is_(None)
    )
    return frozenset(session.connection().scalars(statement))
