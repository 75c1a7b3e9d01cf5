"""Figures added up as reports come in: per indicator who has given which value, who is missing, and the sum so far.

What one agency types is checked by ``engine.assignments.report_submission``; here is what only the whole can know: that
the sum stays within the province's bound (460 communes), that parts do not outgrow the whole, that a total equals its
districts. The last is also asked of a total before it is sent, as a doubt and not as a refusal: districts may be late.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from engine.errors import NotFound
from engine.files.plan_parts import Indicator
from engine.store.database import table
from engine.store.records import Agency, AgencyGroup, Assignment, Duty, Plan, Report
from engine.terms import COUNTED_STATES, DONE_STATES, PlanState
from engine.text import Text

Number = int | float
MAX_NAMED_AGENCIES = 4
"""Agencies named in a sentence; of more, three and how many others."""


@dataclass(frozen=True, slots=True)
class Given:
    """One agency's value of an indicator; None while it has not reported it."""

    agency_id: str
    agency: str
    value: Number | str | None


@dataclass(frozen=True)
class FigureLine:
    """One indicator over all that are asked: ``total`` by its own rule (sum, last, none; a total as it was given),
    None while nobody gave it. ``problem`` is what is wrong with the whole, in two languages."""

    indicator: Indicator
    given: tuple[Given, ...]
    total: Number | str | None
    problem: Text | None = None

    @property
    def missing(self) -> tuple[Given, ...]:
        return tuple(each for each in self.given if each.value is None)

    @property
    def known(self) -> int:
        return len(self.given) - len(self.missing)

    @property
    def so_far(self) -> Number:
        """What the agencies' figures add up to, 0 while nobody gave one."""
        return self.total if isinstance(self.total, int | float) else 0

    def as_if(self, agency_id: str, value: Number | str) -> FigureLine:
        """The line as it would be with this value of one agency; the same if it is not asked."""
        given = tuple(replace(each, value=value) if each.agency_id == agency_id else each for each in self.given)
        return replace(self, given=given, total=comes_to(self.indicator, _values(given)))

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
        raise NotFound(Text(f"Không có kế hoạch đang chạy số {plan_id}.", f"There is no running plan {plan_id}."))
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
        (
            each,
            tuple(
                Given(agency, names[agency], values[agency].get(each.code))
                for agency in by_agency
                if is_asked(each, agency, groups, citations[agency])
            ),
        )
        for each in indicators
    ]
    open_ones = {row.agency_id: row.name for row in rows if row.state not in DONE_STATES}
    return Consolidated(plan_id, period, _summed(lines), len(by_agency) - len(open_ones), tuple(open_ones.items()))


def is_asked(
    indicator: Indicator, agency_id: str, groups: Mapping[str, Collection[str]], citations: Collection[str]
) -> bool:
    """Whether an indicator is asked of an agency: by its id, by a group it is in, or by a duty that it owns."""
    return any(
        name == agency_id or name in citations or agency_id in groups.get(name, ()) for name in indicator.asked_of
    )


def comes_to(indicator: Indicator, values: Sequence[Number | str]) -> Number | str | None:
    """What an indicator comes to. ``last``, and a total: the last one given; ``none``: nothing is made of it."""
    if values and (indicator.aggregate == "last" or indicator.total_of is not None):
        return values[-1]
    if not values or indicator.aggregate == "none":
        return None
    numbers = [each for each in values if isinstance(each, int | float)]
    return round(sum(numbers), 6) if numbers else None


def against_the_parts(total: Number, parts: FigureLine) -> Text | None:
    """What is wrong when somebody gives a total beside its districts: not all are in, or it is not their sum. Nothing
    where nobody is asked for the parts, as in a period that only the consolidating agency reports on."""
    stated, so_far, asked = _written(total), _written(parts.so_far), len(parts.given)
    if parts.missing:
        names = _named([each.agency for each in parts.missing])
        return Text(
            f"{stated} chưa đối chiếu được: mới {parts.known}/{asked} đơn vị báo, cộng lại {so_far}; "
            f"còn thiếu {names.vi}.",
            f"{stated} cannot be checked yet: {parts.known} of {asked} agencies have given it, {so_far} in all; "
            f"missing: {names.en}.",
        )
    difference = total - parts.so_far
    if not asked or abs(difference) < 1e-6:
        return None
    by, more = _written(abs(difference)), Text("hơn", "more") if difference > 0 else Text("kém", "less")
    return Text(
        f"{stated} khác tổng các đơn vị ({so_far}): {more.vi} {by}.",
        f"{stated} is not the agencies' sum ({so_far}): {by} {more.en}.",
    )


def doubtful_totals(
    values: Mapping[str, Number | str], parts: Mapping[str, FigureLine], agency_id: str
) -> dict[str, Text]:
    """By code, of the totals that an agency is about to give (``values``), those that are not the sum as it stands.
    ``parts``: by code of the total. What the agency gives of the parts themselves counts with the rest."""
    found = {}
    for code, line in parts.items():
        total, own = values.get(code), values.get(line.indicator.code)
        if own is not None:
            line = line.as_if(agency_id, own)
        if isinstance(total, int | float) and abs(total - line.so_far) >= 1e-6:
            found[code] = against_the_parts(total, line)
    return {code: said for code, said in found.items() if said is not None}


def _assignments(session: Session, plan_id: int, period: str) -> Sequence[Any]:
    a, d, g = table(Assignment), table(Duty), table(Agency)
    chosen = (
        select(a.c.id, a.c.agency_id, g.c.name, a.c.state, d.c.citation)
        .join(d, d.c.id == a.c.duty_id)
        .join(g, g.c.id == a.c.agency_id)
        .where(a.c.plan_id == plan_id, a.c.period == period, a.c.state.in_(COUNTED_STATES))
        .order_by(g.c.code, g.c.name, d.c.position)
    )
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


def _values(given: Sequence[Given]) -> list[Number | str]:
    return [each.value for each in given if each.value is not None]


def _summed(lines: Sequence[tuple[Indicator, tuple[Given, ...]]]) -> tuple[FigureLine, ...]:
    found = {each.code: FigureLine(each, given, comes_to(each, _values(given))) for each, given in lines}
    return tuple(replace(line, problem=_problem(line, found)) for line in found.values())


def _problem(line: FigureLine, lines: Mapping[str, FigureLine]) -> Text | None:
    indicator, total, whole = line.indicator, line.total, lines.get(line.indicator.part_of or "")
    if not isinstance(total, int | float):
        return None
    if indicator.max is not None and total > indicator.max:
        sum_, most = _written(total), _written(indicator.max)
        return Text(
            f"Tổng {sum_} lớn hơn mức tối đa {most}; có đơn vị báo nhầm.",
            f"The sum {sum_} is more than there can be ({most}); somebody is mistaken.",
        )
    if indicator.total_of is not None:
        return against_the_parts(total, lines[indicator.total_of])
    if whole is not None and isinstance(whole.total, int | float) and total > whole.total:
        sum_, most, name = _written(total), _written(whole.total), whole.indicator.name
        return Text(f"Tổng {sum_} lớn hơn «{name}» ({most}).", f"The sum {sum_} is more than “{name}” ({most}).")
    return None


def _written(number: Number) -> str:
    """Whole numbers whole, however long: what is said must be what was typed."""
    return f"{number:.15g}"


def _named(agencies: Sequence[str]) -> Text:
    shown = agencies if len(agencies) <= MAX_NAMED_AGENCIES else agencies[: MAX_NAMED_AGENCIES - 1]
    names, others = ", ".join(shown), len(agencies) - len(shown)
    return Text(f"{names} và {others} đơn vị khác", f"{names} and {others} others") if others else Text.same(names)
