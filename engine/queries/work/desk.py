"""An agency's desk: returned, overdue, due soon and new assignments, and the reports owed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Select, and_, case, func, literal, select
from sqlmodel import Session

from engine.assignments import situations
from engine.errors import NotFound
from engine.queries.time_class import Thresholds, Today, time_class
from engine.queries.work.assignments import FAR, AssignmentFilter, AssignmentRow, conditions, rows_with_ids
from engine.queries.work.threads import AwaitedHelp, awaited_of
from engine.store.data_versions import Topic, ask, by_agency, depends_on, is_read
from engine.store.database import table
from engine.store.records import Agency, Assignment, Contact, Plan
from engine.store.stored_rows import objects
from engine.terms import COUNTED_STATES, PlanState, Role, State, TimeClass
from engine.text import Text

SHOWN_ROWS = {"new": 20, "reported": 5, "accepted": 5}
SHORT_LIST_ROWS = 12
"""How many rows of a section, and of the reports owed, are shown: the page must load quickly on a phone. New
assignments are acknowledged here, so more of them are shown."""
_OPEN = (State.ASSIGNED, State.ACKNOWLEDGED)
SECTIONS: dict[str, tuple[tuple[State, ...], tuple[TimeClass, ...], bool | None]] = {
    "returned": ((State.RETURNED,), (), None),
    "overdue": (_OPEN, (TimeClass.OPEN_OVERDUE,), None),
    "soon": (_OPEN, (TimeClass.DUE_SOON,), None),
    "unfinished": ((State.REPORTED, State.ACCEPTED), (), False),
    "new": ((State.ASSIGNED,), (TimeClass.OPEN_IN_TIME, TimeClass.NO_DEADLINE), None),
    "in_time": ((State.ACKNOWLEDGED,), (TimeClass.OPEN_IN_TIME, TimeClass.NO_DEADLINE), None),
    "reported": ((State.REPORTED,), (), True),
    "accepted": ((State.ACCEPTED,), (), True),
    "not_asked": (COUNTED_STATES, (TimeClass.NOT_ASKED,), None),
}
"""Sections, most urgent first: states, classes, whether the task is finished. Every counted assignment is in exactly
one, that nobody is asked for in the last; ``unfinished`` are those whose report says «một phần» or «chưa làm»."""


_SAID_BESIDE = attrgetter(
    "plan_id", "period", "due_on", "state", "level", "outcome", "done_on", "promised_on", "promise_waits"
)


@dataclass(frozen=True)
class DeskSection:
    name: str
    rows: tuple[AssignmentRow, ...]
    total: int

    @property
    def alike(self) -> bool:
        """Several, all of them shown, of which all but number and words can be said once."""
        return self.total == len(self.rows) > 1 and len({_SAID_BESIDE(row) for row in self.rows}) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedReport:
    """One report page: the assignments of a plan and period, how many are open, and their first due date."""

    plan_id: int
    plan: str
    period: str
    expected: int
    open: int
    due_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyContact:
    """A contact of the agency and whether letters reach them, without the address."""

    id: int
    role: Role
    label: str
    valid_from: date | None
    valid_until: date | None
    has_email: bool
    has_phone: bool


@dataclass(frozen=True, kw_only=True)
class AgencyDesk:
    id: str
    name: str
    level: str
    contacts: tuple[AgencyContact, ...]
    owed: tuple[OwedReport, ...]
    """The first ``SHORT_LIST_ROWS``; ``owed_open`` report pages in total have something open."""
    owed_open: int
    sections: tuple[DeskSection, ...]
    awaited: tuple[AwaitedHelp, ...]
    """What other agencies wait for it to help with."""


def agency_name(session: Session, agency_id: str) -> tuple[str, str]:
    """Name and level. Raises NotFound."""
    g = table(Agency)
    found = session.connection().execute(select(g.c.name, g.c.level).where(g.c.id == agency_id)).first()
    if found is None:
        raise NotFound(Text("Không có cơ quan này trong danh bạ.", "There is no such agency in the directory."))
    return found.name, found.level


@depends_on(Topic.PLANS, Topic.WORK, Topic.REMINDERS, Topic.DIRECTORY, Topic.LETTERS, Topic.LOG)
def desk(session: Session, today: Today, agency_id: str, *, plan_id: int | None = None, period: str = "") -> AgencyDesk:
    """Raises NotFound."""
    name, level = agency_name(session, agency_id)
    wanted = AssignmentFilter(plan_id=plan_id, period=period, agency_id=agency_id)
    reports = ask(session, owed_by, agency_id).get(agency_id, ())
    open_count = sum(1 for each in reports if each.open)
    return AgencyDesk(
        id=agency_id,
        name=name,
        level=level,
        contacts=_contacts(session, agency_id),
        owed=reports[:SHORT_LIST_ROWS],
        owed_open=open_count,
        sections=ask(session, sections_of, today, wanted).get(agency_id, ()),
        awaited=awaited_of(session, agency_id),
    )


@by_agency(Topic.PLANS, Topic.WORK, Topic.REMINDERS, Topic.DIRECTORY, Topic.LETTERS, Topic.LOG)
def sections_of(
    session: Session, today: Today, wanted: AssignmentFilter, *, agencies: Collection[str] | None = None
) -> Mapping[str, tuple[DeskSection, ...]]:
    """Of the filter's agency. All of its assignments are put into their sections in one pass, by due date; what a list
    shows is read of the few that are shown."""
    if not is_read(wanted.agency_id, agencies):
        return {}
    first: dict[str, list[int]] = {section: [] for section in SECTIONS}
    totals: Counter[str] = Counter()
    for id_, section in session.connection().execute(_placed(today.thresholds, wanted)):
        totals[section] += 1
        if len(first[section]) < SHOWN_ROWS.get(section, SHORT_LIST_ROWS):
            first[section].append(id_)
    shown = rows_with_ids(session, today, [id_ for ids in first.values() for id_ in ids])
    by_id = {row.id: row for row in shown}
    found = (DeskSection(section, tuple(by_id[id_] for id_ in first[section]), totals[section]) for section in SECTIONS)
    return {wanted.agency_id: tuple(found)}


@lru_cache(maxsize=64)
def _placed(today: Thresholds, wanted: AssignmentFilter) -> Select[Any]:
    """(id, section) of each assignment that belongs to one, by due date."""
    a, p = table(Assignment), table(Plan)
    klass, done = time_class(today), a.c.done_on.is_not(None)
    section = case(
        *(
            (
                and_(
                    a.c.state.in_(states),
                    *([klass.in_(classes)] if classes else []),
                    *([] if finished is None else [done if finished else ~done]),
                ),
                name,
            )
            for name, (states, classes, finished) in (("not_asked", SECTIONS["not_asked"]), *SECTIONS.items())
        )
    )
    placed = select(a.c.id, section.label("section")).join(p, p.c.id == a.c.plan_id)
    placed = placed.where(*conditions(wanted, today), section.is_not(None))
    return placed.order_by(func.coalesce(a.c.due_on, literal(FAR)), a.c.id)


@by_agency(Topic.PLANS, Topic.WORK)
def owed_by(
    session: Session, agency_id: str, *, agencies: Collection[str] | None = None
) -> Mapping[str, tuple[OwedReport, ...]]:
    return {agency_id: owed(session, agency_id)} if is_read(agency_id, agencies) else {}


def owed(session: Session, agency_id: str) -> tuple[OwedReport, ...]:
    """The agency's report pages of active plans, those with something open first, by due date."""
    a, p = table(Assignment), table(Plan)
    open_count = case((situations.without_report(), 1), else_=0)
    due = func.min(case((situations.without_report(), a.c.due_on)))
    statement = (
        select(
            a.c.plan_id,
            p.c.number.label("plan"),
            a.c.period,
            func.count().label("expected"),
            func.sum(open_count).label("open"),
            due.label("due_on"),
        )
        .join(p, p.c.id == a.c.plan_id)
        .where(
            a.c.agency_id == agency_id,
            p.c.state == PlanState.ACTIVE,
            situations.counted(),
        )
        .group_by(a.c.plan_id, p.c.number, a.c.period)
    )
    found = objects(OwedReport, session.connection().execute(statement))
    return tuple(sorted(found, key=lambda row: (row.open == 0, row.due_on or date.max, row.plan, row.period)))


def _contacts(session: Session, agency_id: str) -> tuple[AgencyContact, ...]:
    c = table(Contact)
    statement = select(
        c.c.id,
        c.c.role,
        c.c.label,
        c.c.valid_from,
        c.c.valid_until,
        (c.c.email != "").label("has_email"),
        (c.c.phone != "").label("has_phone"),
    )
    found = session.connection().execute(statement.where(c.c.agency_id == agency_id).order_by(c.c.id))
    return tuple(objects(AgencyContact, found))
