"""What readers were last told: the figures of each weekly digest, by agency, plan and period, kept in the transaction
that claims its week. Its letters are rendered from them, so that all readers of an agency read the same numbers, a
second try too. What has changed is kept figures less kept figures; pages, papers and the API subtract those of the week
before from today's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, tuple_
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.situations import BOX_VALUES, Boxes, box_conditions
from engine.rules.calendar import local_date
from engine.rules.policy import for_role
from engine.rules.words import name_order
from engine.store.data_versions import Topic, depends_on
from engine.store.database import among, insert_new, table
from engine.store.records import Agency, Assignment, Plan, Told
from engine.terms import PlanState, Role, TimeClass

AUDIENCES = (Role.COORDINATOR, Role.MONITOR, Role.LEADERSHIP)
Reader = tuple[Role, str]
"""Whose figures: an audience and its agency, as owner, supervisor or issuer."""
RETENTION = timedelta(weeks=60)
REACH = timedelta(days=366)
"""How far back an owner's digest goes: one year of a plan, but for what was promised."""


@dataclass(frozen=True)
class Figures:
    """The figures of a reader at an instant. ``cells``: by agency, what is counted of each plan and period."""

    at: datetime
    cells: Mapping[str, Sequence[Mapping[str, Any]]]

    @property
    def on(self) -> date:
        return local_date(self.at)

    @property
    def plans(self) -> set[int]:
        return {cell["plan"] for cells in self.cells.values() for cell in cells}

    def of(self, plans: Collection[int], period: str = "") -> Figures:
        """Those of some plans alone, and of one period or all."""
        chosen = (
            (agency, [cell for cell in cells if cell["plan"] in plans and period in ("", cell["period"])])
            for agency, cells in self.cells.items()
        )
        return Figures(self.at, {agency: cells for agency, cells in chosen if cells})

    def of_agency(self, agency_id: str) -> Figures:
        return Figures(self.at, {agency_id: self.cells.get(agency_id, [])})

    @cached_property
    def boxes(self) -> Mapping[str, Boxes]:
        """By agency."""
        return {agency: Boxes(**{name: total[name] for name in BOX_VALUES}) for agency, total in self._totals.items()}

    @cached_property
    def total(self) -> Boxes:
        return Boxes.sum(list(self.boxes.values()))

    def count(self, name: str) -> Counter[str]:
        """By agency: ``promise_past``, unfinished tasks whose promised day is past; of those overdue ``undone_late``,
        with a report, and ``recent``, which an owner's digest lists."""
        return Counter({agency: total[name] for agency, total in self._totals.items()})

    @cached_property
    def _totals(self) -> Mapping[str, Counter[str]]:
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for agency, cells in self.cells.items():
            for cell in cells:
                found[agency].update(cell["counts"])
        return found


@dataclass(frozen=True, kw_only=True)
class _Change:
    was: Boxes
    now: Boxes

    @property
    def done(self) -> int:
        return self.now.done - self.was.done

    @property
    def overdue(self) -> int:
        return self.now.overdue - self.was.overdue


@dataclass(frozen=True, kw_only=True)
class AgencyChange(_Change):
    """Change of an agency's figures since a day. ``broken``: how many more of its promised days have passed."""

    since: date
    id: str
    name: str
    broken: int = 0

    @property
    def newly_overdue(self) -> int:
        """Those finished late count: they had become overdue. Negative where a due date was moved or a task dropped."""
        return self.overdue + self.now.late - self.was.late

    @property
    def size(self) -> int:
        """How much changed, for better or worse."""
        return max(abs(self.done), abs(self.overdue))

    @property
    def worse(self) -> bool:
        """More is overdue; or less is done, as when a report is returned."""
        return self.overdue > 0 or (self.overdue == 0 and self.done < 0)

    @property
    def better(self) -> bool:
        return not self.worse and self.size > 0


@dataclass(frozen=True, kw_only=True)
class Since(_Change):
    """What has changed since the figures of a day: ``was`` what they said in sum, ``agencies`` those whose figures
    differ, the largest changes first; of equal ones what became overdue."""

    on: date
    agencies: tuple[AgencyChange, ...]

    @property
    def better(self) -> tuple[AgencyChange, ...]:
        return tuple(change for change in self.agencies if change.better)

    @property
    def worse(self) -> tuple[AgencyChange, ...]:
        return tuple(change for change in self.agencies if change.worse)


def since(then: Figures | None, now: Figures, names: Mapping[str, str]) -> Since | None:
    """What one digest says otherwise than another, of the plans that the later one counts: the end of a plan in between
    is no change. None if the reader was told nothing of them."""
    was = then.of(now.plans) if then else None
    if was is None or not was.cells:
        return None
    return compared(was.on, was.boxes, now.boxes, names, now.count("promise_past") - was.count("promise_past"))


def compared(
    on: date,
    was: Mapping[str, Boxes],
    now: Mapping[str, Boxes],
    names: Mapping[str, str],
    broken: Mapping[str, int] | None = None,
) -> Since:
    """The boxes of each agency now less those of a day. ``names``: of all agencies."""
    none, broken = Boxes(), broken or {}
    found = [
        AgencyChange(
            since=on,
            id=agency,
            name=names.get(agency, agency),
            was=was.get(agency, none),
            now=now.get(agency, none),
            broken=broken.get(agency, 0),
        )
        for agency in {*was, *now}
    ]
    differ = [each for each in found if each.was != each.now or each.broken]
    agencies = sorted(differ, key=lambda each: (-each.size, -each.overdue, -each.done, name_order(each.name)))
    return Since(on=on, was=Boxes.sum([*was.values()]), now=Boxes.sum([*now.values()]), agencies=tuple(agencies))


@depends_on(Topic.DIRECTORY)
def agency_names(session: Session) -> dict[str, str]:
    """Of all agencies, by id."""
    g = table(Agency)
    return {row.id: row.name for row in session.connection().execute(select(g.c.id, g.c.name))}


_WHOSE = ("plan_id", "agency_id", "supervisor_id", "period", "request")


def counted(session: Session, now: datetime, past: Collection[int] = ()) -> dict[Reader, Figures]:
    """The figures of active plans but those of ``past``, for every reader. Requests are not the leadership's."""
    issuers = {plan: issuer for plan, issuer in issuers_of_plans(session).items() if plan not in past}
    found: dict[Reader, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in session.connection().execute(_counting(local_date(now), issuers)).mappings():
        counts = {name: number for name, number in row.items() if number and name not in _WHOSE}
        cell = {"plan": row["plan_id"], "period": row["period"], "counts": counts}
        issuer = issuers[row["plan_id"]]
        for role in AUDIENCES:
            if not row["request"] or role is not Role.LEADERSHIP:
                agency = for_role(role, owner=row["agency_id"], supervisor=row["supervisor_id"], issuer=issuer)
                found[role, agency][row["agency_id"]].append(cell)
    return {reader: Figures(now, dict(cells)) for reader, cells in found.items()}


def _counting(today: date, plans: Collection[int]) -> Select[Any]:
    """The tasks of plans counted, by ``_WHOSE``."""
    a = table(Assignment)
    columns = [a.c[name] for name in (*_WHOSE, "due_on", "promised_on")]
    past_promise = and_(situations.owed(), situations.promise_past(today)).label("promise_past")
    counted = situations.counted(), a.c.plan_id.in_(plans)
    each = select(*columns, past_promise, *situations.measured_on(today)).where(*counted).subquery().c
    late = each.time_class == TimeClass.OPEN_OVERDUE
    conditions = {
        **box_conditions(each),
        "promise_past": each.promise_past,
        "undone_late": and_(late, each.stands),
        "recent": and_(late, or_(each.due_on >= today - REACH, each.promised_on.is_not(None))),
    }
    counts = [func.count().filter(condition).label(name) for name, condition in conditions.items()]
    keys = [each[name] for name in _WHOSE]
    return select(*keys, *counts).group_by(*keys).order_by(*keys)


@depends_on(Topic.PLANS)
def issuers_of_plans(session: Session) -> dict[int, str]:
    """The issuer of each active plan."""
    p = table(Plan)
    statement = select(p.c.id, p.c.issuer_id).where(p.c.state == PlanState.ACTIVE)
    return {row.id: row.issuer_id for row in session.connection().execute(statement)}


def keep(session: Session, week: str, figures: Mapping[Reader, Figures], told: Collection[Reader]) -> None:
    """Keep what the readers of ``told`` are told this week, and the figures of every issuer: also of a week in which
    nothing was new to its leadership, pages and the next letter compare with them."""
    kept = [reader for reader in figures if reader in told or reader[0] is Role.LEADERSHIP]
    rows = [
        {"role": role, "agency_id": agency, "occasion": week, "at": found.at, "figures": found.cells}
        for (role, agency), found in ((reader, figures[reader]) for reader in kept)
    ]
    insert_new(session, Told, rows)


def of_week(session: Session, agencies: Iterable[str], week: str) -> dict[Reader, Figures]:
    """What the readers of these agencies are told in a week."""
    t = table(Told)
    return _kept(session, t.c.occasion == week, among(session, t.c.agency_id, sorted(set(agencies))))


def last(session: Session, agencies: Iterable[str], week: str) -> dict[Reader, Figures]:
    """What was last kept for the readers of these agencies before a week."""
    t = table(Told)
    mine = t.c.occasion < week, among(session, t.c.agency_id, sorted(set(agencies)))
    newest = select(t.c.role, t.c.agency_id, func.max(t.c.occasion)).where(*mine).group_by(t.c.role, t.c.agency_id)
    return _kept(session, tuple_(t.c.role, t.c.agency_id, t.c.occasion).in_(newest))


@depends_on(Topic.WORK)
def last_of_all(session: Session, week: str) -> Figures | None:
    """The figures of all issuers in the newest week before one."""
    t = table(Told)
    issuers = t.c.role == Role.LEADERSHIP
    newest = select(func.max(t.c.occasion)).where(issuers, t.c.occasion < week).scalar_subquery()
    kept = list(_kept(session, issuers, t.c.occasion == newest).values())
    cells: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for figures in kept:
        for agency, more in figures.cells.items():
            cells[agency] += more
    return Figures(kept[0].at, cells) if kept else None


def _kept(session: Session, *conditions: ColumnElement[bool]) -> dict[Reader, Figures]:
    t = table(Told)
    rows = session.connection().execute(select(t.c.role, t.c.agency_id, t.c.at, t.c.figures).where(*conditions))
    return {(row.role, row.agency_id): Figures(row.at, row.figures) for row in rows}


def prune(session: Session, now: datetime) -> int:
    t = table(Told)
    return session.connection().execute(delete(t).where(t.c.at < now - RETENTION)).rowcount
