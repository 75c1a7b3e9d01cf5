"""Figures added up as reports come in: per indicator who has given which value, who is missing, and the sum so far.

What one agency types is checked by ``engine.submission``; here is what only the whole can know: that the sum stays
within the province's bound (460 communes), that parts do not outgrow the whole, that a total equals its districts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from engine.database import table
from engine.errors import NotFound
from engine.planparts import Indicator
from engine.records import Agency, AgencyGroup, Assignment, Duty, Plan, Report
from engine.submission import Said
from engine.terms import COUNTED_STATES, DONE_STATES, PlanState

Number = int | float


@dataclass(frozen=True, slots=True)
class Given:
    """One agency's value of an indicator; None while it has not reported it."""

    agency_id: str
    agency: str
    value: Number | str | None


@dataclass(frozen=True)
class FigureLine:
    """One indicator over all that are asked: ``total`` by its own rule (sum, last, none), None while nobody gave it.
    ``problem`` is what is wrong with the whole, in two languages."""

    indicator: Indicator
    given: tuple[Given, ...]
    total: Number | str | None
    problem: Said | None = None

    @property
    def missing(self) -> tuple[Given, ...]:
        return tuple(each for each in self.given if each.value is None)

    @property
    def reached(self) -> float | None:
        """Percent of the document's target; None without target or total."""
        target = self.indicator.target
        if not target or not isinstance(self.total, int | float):
            return None
        return round(100 * self.total / target, 1)


@dataclass(frozen=True)
class Consolidated:
    """The figures of a plan and period so far. ``waiting``: agencies with an open assignment, whatever is asked."""

    plan_id: int
    period: str
    lines: tuple[FigureLine, ...]
    reported: int
    waiting: tuple[tuple[str, str], ...]

    @property
    def complete(self) -> bool:
        return not self.waiting


def consolidated(session: Session, plan_id: int, period: str) -> Consolidated:
    """Five queries, whatever is stored. Reports that were returned do not count. Raises NotFound."""
    p = table(Plan)
    plan = (
        session.connection().execute(select(p.c.file).where(p.c.id == plan_id, p.c.state != PlanState.LOADED)).first()
    )
    if plan is None:
        raise NotFound(f"Không có kế hoạch đang chạy số {plan_id}. / There is no running plan {plan_id}.")
    indicators = tuple(Indicator.model_validate(each) for each in plan.file.get("indicators", ()))
    rows = _assignments(session, plan_id, period)
    figures = _figures(session, [row.id for row in rows if row.state in DONE_STATES])
    groups = dict(
        map(tuple, session.connection().execute(select(table(AgencyGroup).c.id, table(AgencyGroup).c.members)))
    )
    by_agency = _by_agency(rows)
    names = {row.agency_id: row.name for row in rows}
    values = {agency: _latest(figures[each] for each in ids if each in figures) for agency, ids in by_agency.items()}
    citations: dict[str, set[str]] = {}
    for row in rows:
        citations.setdefault(row.agency_id, set()).add(row.citation)
    lines = [
        (each, tuple(
            Given(agency, names[agency], values[agency].get(each.code))
            for agency in by_agency if is_asked(each, agency, groups, citations[agency])
        ))
        for each in indicators
    ]  # fmt: skip
    open_ones = {row.agency_id: row.name for row in rows if row.state not in DONE_STATES}
    return Consolidated(plan_id, period, _summed(lines), len(by_agency) - len(open_ones), tuple(open_ones.items()))


def is_asked(
    indicator: Indicator, agency_id: str, groups: Mapping[str, Collection[str]], citations: Collection[str]
) -> bool:
    """Whether an indicator is asked of an agency: by its id, by a group it is in, or by a duty that it owns."""
    return any(
        name == agency_id or name in citations or agency_id in groups.get(name, ()) for name in indicator.asked_of
    )


def total_of(indicator: Indicator, values: Sequence[Number | str]) -> Number | str | None:
    """What an indicator comes to. ``last``: the last one given; ``none``: nothing is made of it."""
    if not values or indicator.aggregate == "none":
        return None
    if indicator.aggregate == "last":
        return values[-1]
    numbers = [each for each in values if isinstance(each, int | float)]
    return round(sum(numbers), 6) if numbers else None


def against_the_parts(indicator: Indicator, total: Number, parts: Sequence[Number | str | None]) -> Said | None:
    """What is wrong when somebody gives a total beside its districts: not all are in, or it is not their sum."""
    known = [each for each in parts if isinstance(each, int | float)]
    if len(known) < len(parts):
        return (f"{indicator.name}: còn {len(parts) - len(known)} đơn vị chưa báo cáo.",
                f"{indicator.name}: {len(parts) - len(known)} agencies have not reported yet.")  # fmt: skip
    if abs(sum(known) - total) < 1e-6:
        return None
    return (f"{indicator.name}: {total:g} khác tổng các đơn vị ({sum(known):g}).",
            f"{indicator.name}: {total:g} is not the agencies' sum ({sum(known):g}).")  # fmt: skip


def _assignments(session: Session, plan_id: int, period: str) -> Sequence[Any]:
    a, d, g = table(Assignment), table(Duty), table(Agency)
    chosen = (
        select(a.c.id, a.c.agency_id, g.c.name, a.c.state, d.c.citation)
        .join(d, d.c.id == a.c.duty_id).join(g, g.c.id == a.c.agency_id)
        .where(a.c.plan_id == plan_id, a.c.period == period, a.c.state.in_(COUNTED_STATES))
        .order_by(g.c.code, g.c.name, d.c.position)
    )  # fmt: skip
    return session.connection().execute(chosen).all()


def _figures(session: Session, assignment_ids: Sequence[int]) -> dict[int, tuple[Any, Mapping[str, Any]]]:
    """Assignment -> when its last report came in, and the figures in it."""
    r = table(Report)
    last = select(r.c.assignment_id, func.max(r.c.number).label("number")).group_by(r.c.assignment_id)
    newest = last.where(r.c.assignment_id.in_(assignment_ids)).subquery()
    chosen = select(r.c.assignment_id, r.c.submitted_at, r.c.figures).join(
        newest, (newest.c.assignment_id == r.c.assignment_id) & (newest.c.number == r.c.number)
    )
    return {row[0]: (row[1], row[2]) for row in session.connection().execute(chosen.where(r.c.returned_at.is_(None)))}


def _by_agency(rows: Sequence[Any]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row.agency_id, []).append(row.id)
    return found


def _latest(reports: Any) -> dict[str, Any]:
    """Code -> the value given last."""
    found: dict[str, Any] = {}
    for _, figures in sorted(reports, key=lambda each: each[0]):
        found |= figures
    return found


def _summed(lines: Sequence[tuple[Indicator, tuple[Given, ...]]]) -> tuple[FigureLine, ...]:
    totals = {each.code: total_of(each, [one.value for one in given if one.value is not None]) for each, given in lines}
    names = {each.code: each.name for each, _ in lines}
    return tuple(
        FigureLine(each, given, totals[each.code], _problem(each, totals, names)) for each, given in lines
    )  # fmt: skip


def _problem(indicator: Indicator, totals: Mapping[str, Any], names: Mapping[str, str]) -> Said | None:
    total, whole = totals[indicator.code], totals.get(indicator.part_of or "")
    if not isinstance(total, int | float):
        return None
    if indicator.max is not None and total > indicator.max:
        most = f"{indicator.max:g}"
        return (f"Tổng {total:g} lớn hơn mức tối đa {most}; có đơn vị báo nhầm.",
                f"The sum {total:g} is more than there can be ({most}); somebody is mistaken.")  # fmt: skip
    if isinstance(whole, int | float) and total > whole:
        name = names[indicator.part_of or ""]
        return (
            f"Tổng {total:g} lớn hơn «{name}» ({whole:g}).",
            f"The sum {total:g} is more than “{name}” ({whole:g}).",
        )
    return None
