"""Reporting rates per agency and period under DHIS2's metric names, for other systems; beside them the tasks done."""

from __future__ import annotations

from dataclasses import dataclass

from engine.assignments.measures import rate
from engine.queries.figures.board import Board, Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """Rates are percentages of the expected reports; None where none are expected. ``asked``: of requests, not orders.
    ``reports_returned``: in, and sent back since; ``tasks_done``: those whose report says so."""

    agency_id: str
    agency: str
    period: str
    expected_reports: int
    actual_reports: int
    actual_reports_on_time: int
    reporting_rate: float | None
    reporting_rate_on_time: float | None
    reports_returned: int
    tasks_done: int
    asked: bool


def metrics(board: Board) -> tuple[Metric, ...]:
    """One row per agency and period, in the board's order; those of requests last."""
    return tuple(
        _metric(line.id, line.name, period, line.cells[period], asked)
        for lines, asked in ((board.agencies, False), (board.asked, True))
        for line in lines
        for period in board.periods
        if period in line.cells
    )


def _metric(agency_id: str, agency: str, period: str, counts: Counts, asked: bool) -> Metric:
    found = counts.measures
    return Metric(
        agency_id=agency_id,
        agency=agency,
        period=period,
        expected_reports=counts.expected,
        actual_reports=found.reported,
        actual_reports_on_time=found.on_time,
        reporting_rate=rate(found.reported, counts.expected),
        reporting_rate_on_time=rate(found.on_time, counts.expected),
        reports_returned=found.returned,
        tasks_done=found.done,
        asked=asked,
    )
