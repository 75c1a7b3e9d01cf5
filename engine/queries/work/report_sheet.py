"""What an agency reports at once: a plan's duties of a period first, then what it owes in other plans, as long as one
page holds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session

from engine.errors import NotFound
from engine.queries.time_class import Today
from engine.queries.work.desk import OwedReport, owed
from engine.queries.work.report_page import MAX_PROMISED_APART, ReportItem, ReportPage, report_page

SHEET_BYTES = 44_000
"""What the parts of a sheet may take: with the frame around them a page stays below 50 KB."""
PART_BYTES, ITEM_BYTES, PROMISE_BYTES, OUTPUT_BYTES, FIGURE_BYTES = 1_100, 1_520, 1_330, 650, 330
"""Measured on pages without texts; each text is counted by its own length."""
MAX_BESIDE = 12
"""Other plans on one sheet."""


@dataclass(frozen=True)
class SheetLayout:
    """How a page was laid out when its form was sent: the plans and periods after the first, and whether each duty had
    a promise of its own; None: the form does not say."""

    beside: tuple[tuple[int, str], ...]
    promised_apart: bool | None


@dataclass(frozen=True, kw_only=True)
class ReportSheet:
    """``parts``: one for each plan and period, the one that was asked for first. ``later``: what is owed in other plans
    and did not fit. ``page`` of ``pages``: the first part alone is divided."""

    parts: tuple[ReportPage, ...]
    later: tuple[OwedReport, ...]
    page: int = 1
    pages: int = 1

    @property
    def first(self) -> ReportPage:
        return self.parts[0]

    @property
    def finished(self) -> tuple[ReportItem, ...]:
        """The duties of the first part of which nothing is left to report; on its last sheet."""
        return tuple(each for each in self.first.items if not each.reportable) if self.page == self.pages else ()


def report_sheet(
    session: Session,
    today: Today,
    agency_id: str,
    plan_id: int,
    period: str,
    *,
    page: int = 1,
    layout: SheetLayout | None = None,
) -> ReportSheet:
    """The queries of a report page for each part, and one. ``layout``: that of a form that was sent; None: what fits.
    Raises NotFound when the agency has nothing in that plan and period."""
    first = report_page(session, today, agency_id, plan_id, period)
    chunks = tuple(_divided(first))
    page = min(page, len(chunks))
    parts = [first if len(chunks) == 1 else _cut(first, chunks[page - 1], page)]
    apart = layout.promised_apart if layout is not None else None
    if apart is None:
        apart = _fits(parts, promised_apart=True)
    others = tuple(
        each for each in owed(session, agency_id) if each.open and (each.plan_id, each.period) != (plan_id, period)
    )
    if layout is not None:
        parts += _named(session, today, agency_id, layout.beside)
    elif page == len(chunks):
        for each in others[:MAX_BESIDE]:
            more = [*parts, report_page(session, today, agency_id, each.plan_id, each.period)]
            if not _fits(more, promised_apart=apart):
                break  # those after it stay in the order of the desk
            parts = more
    taken = {(part.plan_id, part.period) for part in parts}
    return ReportSheet(
        parts=tuple(replace(part, promised_apart=apart) for part in parts),
        later=tuple(each for each in others if (each.plan_id, each.period) not in taken),
        page=page,
        pages=len(chunks),
    )


def _named(session: Session, today: Today, agency_id: str, beside: Sequence[tuple[int, str]]) -> Iterator[ReportPage]:
    """Those in which the agency has something."""
    for plan_id, period in dict.fromkeys(beside[:MAX_BESIDE]):
        try:
            yield report_page(session, today, agency_id, plan_id, period)
        except NotFound:
            continue


def _fits(parts: Sequence[ReportPage], *, promised_apart: bool) -> bool:
    duties = sum(len(part.asked) for part in parts)
    if promised_apart and duties > MAX_PROMISED_APART:
        return False
    return sum(map(_part_bytes, parts)) + duties * promised_apart * PROMISE_BYTES <= SHEET_BYTES


def _divided(page: ReportPage) -> Iterator[tuple[ReportItem, ...]]:
    """The duties of each sheet of a plan that one cannot hold; at least one, if empty."""
    chunk: list[ReportItem] = []
    left = SHEET_BYTES - PART_BYTES - _figure_bytes(page)
    for item in page.asked:
        size = _item_bytes(item)
        if chunk and size > left:
            yield tuple(chunk)
            chunk, left = [], SHEET_BYTES - PART_BYTES
        chunk.append(item)
        left -= size
    yield tuple(chunk)


def _cut(page: ReportPage, chunk: Sequence[ReportItem], number: int) -> ReportPage:
    """The part with these duties alone. A figure stands where its duty does, others on the first sheet."""
    shown = frozenset(item.row.id for item in chunk)
    citations = {item.row.citation for item in page.asked if item.row.id not in shown}
    here = {item.row.citation for item in chunk}
    indicators = tuple(
        each
        for each in page.indicators
        if here.intersection(each.asked_of) or (number == 1 and not citations.intersection(each.asked_of))
    )
    return replace(page, shown=shown, indicators=indicators)


def _part_bytes(page: ReportPage) -> int:
    return PART_BYTES + _figure_bytes(page) + sum(_item_bytes(item) for item in page.asked)


def _figure_bytes(page: ReportPage) -> int:
    return sum(FIGURE_BYTES + len(each.name.encode()) for each in page.indicators)


def _item_bytes(item: ReportItem) -> int:
    row, last = item.row, item.last
    texts = [row.text, item.due_why.get("vi", "")]
    texts += (
        [last.body, last.reason, last.returned_reason or "", *(str(each["name"]) for each in last.files)]
        if last
        else []
    )
    return ITEM_BYTES + (OUTPUT_BYTES if item.output else 0) + sum(len(text.encode()) for text in texts)
