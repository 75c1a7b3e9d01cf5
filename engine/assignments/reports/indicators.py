"""The consolidated figures of a plan and period: per indicator the values given, who is missing, and the total so far.

The input of one agency is checked by ``engine.assignments.reports.submission``; checked here is what needs all of them:
the total stays within the indicator's bound (460 communes), a part does not exceed its whole, a stated total equals the
sum of its districts. The last is also checked before a total is submitted, as a warning: districts may be late.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlmodel import Session

from engine.assignments import situations
from engine.errors import NotFound
from engine.files.plan_parts import Indicator
from engine.rules.periods import within
from engine.rules.situation import lacks_report
from engine.store.database import table
from engine.store.records import Agency, Assignment, Duty, Plan, Report
from engine.store.stored_rows import members_of_groups, objects
from engine.terms import PlanState, State
from engine.text import Text

Number = int | float
MAX_NAMED_AGENCIES = 4
"""Agencies listed by name in a message; with more, three are named and the others counted."""


@dataclass(frozen=True, slots=True)
class Given:
    """One agency's value of an indicator; None if it has not been reported."""

    agency_id: str
    agency: str
    value: Number | str | None


@dataclass(frozen=True)
class FigureLine:
    """One indicator over all agencies it is asked of. ``total``: by its own rule (sum, last, none; a stated total as
    given), None without values. ``problem``: what is wrong with the total."""

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
        """Sum of the agencies' figures, 0 without any."""
        return self.total if isinstance(self.total, int | float) else 0

    def as_if(self, agency_id: str, value: Number | str) -> FigureLine:
        """The line with this agency's value replaced; unchanged if the indicator is not asked of the agency."""
        given = tuple(replace(each, value=value) if each.agency_id == agency_id else each for each in self.given)
        return replace(self, given=given, total=aggregated(self.indicator, _values(given)))

    @property
    def reached(self) -> float | None:
        """Percentage of the plan's target; None without a target or total."""
        target = self.indicator.target
        if not target or not isinstance(self.total, int | float):
            return None
        return round(100 * self.total / target, 1)


@dataclass(frozen=True, slots=True)
class Owing:
    """An agency that still owes a report; ``period``: the shorter period within, if it owes only that one."""

    id: str
    name: str
    period: str = ""


@dataclass(frozen=True)
class Consolidated:
    """The figures of a plan and period so far. ``waiting``: the agencies that owe a report for the period or one within
    it, returned ones included; ``reported``: those that owe none. ``asked``: agencies with requests without news, which
    are in neither."""

    plan_id: int
    period: str
    lines: tuple[FigureLine, ...]
    reported: int
    waiting: tuple[Owing, ...]
    asked: tuple[Owing, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.waiting


def consolidated(session: Session, plan_id: int, period: str) -> Consolidated:
    """Compute the figures, in six queries. Returned reports do not count. Raises NotFound."""
    p = table(Plan)
    plan = (
        session.connection()
        .execute(select(p.c.file, p.c.followed).where(p.c.id == plan_id, p.c.state != PlanState.LOADED))
        .first()
    )
    if plan is None:
        raise NotFound(Text(f"Không có kế hoạch đang thực hiện số {plan_id}.", f"There is no running plan {plan_id}."))
    indicators = tuple(Indicator.model_validate(each) for each in plan.file.get("indicators", ()))
    rows = _assignments(session, plan_id, period)
    figures = _figures(session, [row.id for row in rows if not lacks_report(row.state)])
    groups = asked_groups(session, plan.followed)
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
    waiting, asked = _owing(session, plan_id, period, rows)
    ordered = {row.agency_id for row in rows if not row.request}
    reported = len(ordered - {each.id for each in waiting})
    return Consolidated(plan_id, period, _summed(lines), reported, waiting, asked)


def _owing(
    session: Session, plan_id: int, period: str, rows: Sequence[_Row]
) -> tuple[tuple[Owing, ...], tuple[Owing, ...]]:
    """Who owes a report of what is ordered, for the period or one within it; and of what is only asked for."""
    waiting, asked = (
        {
            row.agency_id: Owing(row.agency_id, row.name)
            for row in rows
            if row.request is request and lacks_report(row.state)
        }
        for request in (False, True)
    )
    for row in _within(session, plan_id, period, {row.duty_id for row in rows}):
        waiting.setdefault(row.agency_id, Owing(row.agency_id, row.name, row.period))
    return tuple(waiting.values()), tuple(asked.values())


def asked_groups(session: Session, followed: Mapping[str, Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    """Group id -> its members, with those who followed them in the plan (``Plan.followed``); an ended agency stands for
    itself and who followed it. One query."""
    members = members_of_groups(session) | {ended: [ended] for ended in followed}
    return {name: _with_heirs(agencies, followed) for name, agencies in members.items()}


def _with_heirs(agencies: Iterable[str], followed: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = list(agencies)
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += followed[each]["by"] if each in followed else ()
    return frozenset(found)


def is_asked(
    indicator: Indicator, agency_id: str, groups: Mapping[str, Collection[str]], citations: Collection[str]
) -> bool:
    """True if an indicator is asked of an agency: by its id, by one of its groups, or by a duty it owns."""
    return any(
        name == agency_id or name in citations or agency_id in groups.get(name, ()) for name in indicator.asked_of
    )


def aggregated(indicator: Indicator, values: Sequence[Number | str]) -> Number | str | None:
    """Aggregate values by the indicator's rule. ``last`` and stated totals: the last value; ``none``: None."""
    if values and (indicator.aggregate == "last" or indicator.total_of is not None):
        return values[-1]
    if not values or indicator.aggregate == "none":
        return None
    numbers = [each for each in values if isinstance(each, int | float)]
    return round(sum(numbers), 6) if numbers else None


def check_against_parts(total: Number, parts: FigureLine) -> Text | None:
    """Compare a stated total with its parts: a message if some are missing or the sum differs, else None. None too if
    the parts are asked of nobody, as in a period on which only the consolidating agency reports."""
    stated, so_far, asked = _written(total), _written(parts.so_far), len(parts.given)
    if parts.missing:
        names = _named([each.agency for each in parts.missing])
        return Text(
            f"{stated} chưa đối chiếu được: mới {parts.known}/{asked} đơn vị báo, cộng lại {so_far}; "
            f"còn thiếu {names.vi}.",
            f"{stated} cannot be checked yet: {parts.known} of {asked} agencies have reported, {so_far} in total; "
            f"missing: {names.en}.",
        )
    difference = total - parts.so_far
    if not asked or abs(difference) < 1e-6:
        return None
    by, more = _written(abs(difference)), Text("hơn", "more") if difference > 0 else Text("kém", "less")
    return Text(
        f"{stated} khác tổng các đơn vị ({so_far}): {more.vi} {by}.",
        f"{stated} is not the sum of the agencies ({so_far}): {by} {more.en}.",
    )


def doubtful_totals(
    values: Mapping[str, Number | str], parts: Mapping[str, FigureLine], agency_id: str
) -> dict[str, Text]:
    """Check the totals that an agency is about to submit (``values``): by code, those that differ from the sum so far.
    ``parts``: by code of the total. The agency's own values of the parts are included."""
    result = {}
    for code, line in parts.items():
        total, own = values.get(code), values.get(line.indicator.code)
        if own is not None:
            line = line.as_if(agency_id, own)
        if isinstance(total, int | float) and abs(total - line.so_far) >= 1e-6:
            result[code] = check_against_parts(total, line)
    return {code: message for code, message in result.items() if message is not None}


@dataclass(frozen=True, slots=True)
class _Row:
    """An assignment as it is stored, with its agency and duty."""

    id: int
    duty_id: int
    agency_id: str
    name: str
    period: str
    state: State
    request: bool
    citation: str


def _assignments(session: Session, plan_id: int, period: str) -> Sequence[_Row]:
    return _read(session, plan_id, table(Assignment).c.period == period)


def _within(session: Session, plan_id: int, period: str, same: Collection[int]) -> list[_Row]:
    """What is owed for a shorter period that falls into this one, of duties that are not owed for this one."""
    a = table(Assignment)
    others = _read(session, plan_id, a.c.period != period, situations.without_report(), ~a.c.request)
    return [row for row in others if row.duty_id not in same and within(period, row.period)]


def _read(session: Session, plan_id: int, *where: ColumnElement[bool]) -> Sequence[_Row]:
    a, d, g = table(Assignment), table(Duty), table(Agency)
    columns = (a.c.id, a.c.duty_id, a.c.agency_id, g.c.name, a.c.period, a.c.state, a.c.request, d.c.citation)
    statement = (
        select(*columns)
        .join(d, d.c.id == a.c.duty_id)
        .join(g, g.c.id == a.c.agency_id)
        .where(a.c.plan_id == plan_id, situations.counted(), *where)
        .order_by(g.c.code, g.c.name, d.c.position)
    )
    return objects(_Row, session.connection().execute(statement))


def _figures(session: Session, assignment_ids: Sequence[int]) -> dict[int, tuple[datetime, Mapping[str, object]]]:
    """Assignment id -> submission time of its latest report, and the latest figures of all that were not returned: a
    later report of an unfinished task may leave out what did not change."""
    r = table(Report)
    statement = select(r.c.assignment_id, r.c.submitted_at, r.c.figures).order_by(r.c.number)
    found: dict[int, tuple[datetime, Mapping[str, object]]] = {}
    for assignment_id, at, figures in session.connection().execute(
        statement.where(r.c.assignment_id.in_(assignment_ids), r.c.returned_at.is_(None))
    ):
        earlier = found[assignment_id][1] if assignment_id in found else {}
        found[assignment_id] = at, {**earlier, **figures}
    return found


def _by_agency(rows: Sequence[_Row]) -> dict[str, list[int]]:
    result: dict[str, list[int]] = {}
    for row in rows:
        result.setdefault(row.agency_id, []).append(row.id)
    return result


def _latest(reports: Iterable[tuple[datetime, Mapping[str, object]]]) -> dict[str, Any]:
    """The latest value by indicator code."""
    values: dict[str, object] = {}
    for _, figures in sorted(reports, key=lambda each: each[0]):
        values |= figures
    return values


def _values(given: Sequence[Given]) -> list[Number | str]:
    return [each.value for each in given if each.value is not None]


def _summed(lines: Sequence[tuple[Indicator, tuple[Given, ...]]]) -> tuple[FigureLine, ...]:
    by_code = {each.code: FigureLine(each, given, aggregated(each, _values(given))) for each, given in lines}
    return tuple(replace(line, problem=_problem(line, by_code)) for line in by_code.values())


def _problem(line: FigureLine, lines: Mapping[str, FigureLine]) -> Text | None:
    indicator, total, whole = line.indicator, line.total, lines.get(line.indicator.part_of or "")
    if not isinstance(total, int | float):
        return None
    if indicator.max is not None and total > indicator.max:
        sum_, most = _written(total), _written(indicator.max)
        return Text(
            f"Tổng {sum_} lớn hơn mức tối đa {most}; có đơn vị báo nhầm.",
            f"The total {sum_} exceeds the maximum ({most}); one of the values is wrong.",
        )
    if indicator.total_of is not None:
        return check_against_parts(total, lines[indicator.total_of])
    if whole is not None and isinstance(whole.total, int | float) and total > whole.total:
        sum_, most, name = _written(total), _written(whole.total), whole.indicator.name
        return Text(f"Tổng {sum_} lớn hơn «{name}» ({most}).", f"The total {sum_} is more than “{name}” ({most}).")
    return None


def _written(number: Number) -> str:
    """All digits, without a decimal point for whole numbers: a message must show what was typed."""
    return f"{number:.15g}"


def _named(agencies: Sequence[str]) -> Text:
    shown = agencies if len(agencies) <= MAX_NAMED_AGENCIES else agencies[: MAX_NAMED_AGENCIES - 1]
    names, others = ", ".join(shown), len(agencies) - len(shown)
    return Text(f"{names} và {others} đơn vị khác", f"{names} and {others} others") if others else Text.same(names)
