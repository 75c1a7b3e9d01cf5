"""Reporting rates per agency and period under DHIS2's metric names, for other systems."""

from __future__ import annotations

from dataclasses import dataclass

from engine.queries.figures.board import Board, Counts
from engine.terms import TimeClass


@dataclass(frozen=True, slots=True)
class Metric:
    """Rates are percentages of the expected reports; None where none are expected."""

    agency_id: str
    agency: str
    period: str
    expected_reports: int
    actual_reports: int
    actual_reports_on_time: int
    reporting_rate: float | None
    reporting_rate_on_time: float | None


def metrics(board: Board) -> tuple[Metric, ...]:
    """One row per agency and period, in the board's order."""
    return tuple(
        _metric(line.id, line.name, period, line.cells[period])
        for line in board.agencies
        for period in board.periods
        if period in line.cells
    )


def _metric(agency_id: str, agency: str, period: str, counts: Counts) -> Metric:
    on_time = counts.by_class.get(TimeClass.DONE_ON_TIME, 0)
    return Metric(
        agency_id,
        agency,
        period,
        counts.expected,
        counts.reported,
        on_time,
        rate(counts.reported, counts.expected),
        rate(on_time, counts.expected),
    )


def rate(part: int, whole: int) -> float | None:
    """A percentage with one decimal."""
    return round(100 * part / whole, 1) if whole else None
