"""The grid agency × duty: one mark an assignment, agencies by kind, whoever is overdue for longest first.

A duty that only one agency of a kind has is no column: its marks stand together before the columns («nhiệm vụ riêng»).
Requests are blocks of their own, in no order of lateness.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import accumulate, groupby

from sqlalchemy import and_, func, select
from sqlmodel import Session

from engine.assignments import situations
from engine.enums import complete
from engine.queries.time_class import Today, time_class
from engine.queries.work.assignments import AssignmentFilter, conditions, joined
from engine.rules.words import level_rank, name_order
from engine.store.data_versions import Topic, depends_on
from engine.store.database import table
from engine.store.records import Agency, Assignment, Duty, Plan
from engine.store.stored_rows import objects
from engine.terms import TimeClass

MAX_MARKS = 5_000
"""With more assignments than this nobody sees anything in a grid, and the page is too long."""


_LINE_COST, _RUN_COST, _FOLDED_COST = 430, 9, 70
"""Bytes of a line of the board's grid, of each run in it, and of an agency that is only named."""


WIDE_PLACES = 10


class Mark(StrEnum):
    """What is drawn for an assignment, worst first: its time class, or an overdue one's promise for a day to come."""

    OVERDUE = "open_overdue"
    PROMISED = "promised"
    SOON = "due_soon"
    IN_TERM = "open_in_time"
    NO_DEADLINE = "no_deadline"
    LATE = "done_late"
    ON_TIME = "done_on_time"
    NOT_ASKED = "not_asked"


_MARKS = complete(TimeClass, {each: Mark(each.value) for each in TimeClass})
_RANK = {mark: rank for rank, mark in enumerate(Mark)}


@dataclass(frozen=True, slots=True)
class Run:
    """``n`` equal marks side by side, the first in place ``at``."""

    mark: Mark
    at: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A duty in a period, which several agencies of the block have; ``done`` of ``expected``."""

    plan_id: int
    citation: str
    period: str
    done: int
    expected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GridLine:
    """``own``: the marks of duties that are no column, worst first; ``cells``: one place a column, those without an
    assignment empty. ``since``: the oldest overdue due date, ``late`` working days ago."""

    id: str
    name: str
    counts: Mapping[Mark, int]
    own: tuple[Run, ...]
    cells: tuple[Run, ...]
    since: date | None
    late: int

    @property
    def overdue(self) -> int:
        """With those that were promised."""
        return self.counts.get(Mark.OVERDUE, 0) + self.counts.get(Mark.PROMISED, 0)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def punctual(self) -> bool:
        return self.counts.get(Mark.ON_TIME, 0) == self.total

    @property
    def cost(self) -> int:
        """Bytes on the board's page."""
        return _FOLDED_COST if self.punctual else _LINE_COST + _RUN_COST * (len(self.own) + len(self.cells))

    @property
    def marks(self) -> tuple[Run, ...]:
        """All marks, worst first, without columns."""
        return runs(mark for mark in Mark for _ in range(self.counts.get(mark, 0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The agencies of a kind: ``late`` with something overdue, ``others``, and ``punctual`` with all done on time.
    ``own``: places that the marks before the columns need. ``left_out``: lines that were cut off."""

    level: str
    request: bool
    columns: tuple[Column, ...]
    own: int
    late: tuple[GridLine, ...]
    others: tuple[GridLine, ...]
    punctual: tuple[GridLine, ...]
    left_out: int = 0

    @property
    def agencies(self) -> int:
        return len(self.late) + len(self.others) + len(self.punctual) + self.left_out

    @property
    def wide(self) -> bool:
        """It takes the width of a page."""
        return len(self.columns) + self.own > WIDE_PLACES

    @property
    def lines(self) -> tuple[GridLine, ...]:
        return self.late + self.others + self.punctual

    def first(self, n: int) -> Block:
        """Only so many lines, the worst first."""
        kept = self.lines[:n]
        of = {each.id for each in kept}
        late, others, punctual = (
            tuple(line for line in lines if line.id in of) for lines in (self.late, self.others, self.punctual)
        )
        cut = len(self.lines) - len(kept)
        return replace(self, late=late, others=others, punctual=punctual, left_out=self.left_out + cut)


@dataclass(frozen=True)
class Grid:
    """``counts``: of all orders."""

    blocks: tuple[Block, ...]
    counts: Mapping[Mark, int]

    def within(self, cost: int) -> Grid:
        """As much as fits in ``cost`` (bytes of a page): who is overdue before anybody else, by turns of each block."""
        places = ((n, at, line) for n, block in enumerate(self.blocks) for at, line in enumerate(block.lines))
        queue = sorted(places, key=lambda place: (not place[2].overdue, place[1]))
        used = accumulate(line.cost for *_, line in queue)
        kept = Counter(n for (n, *_), spent in zip(queue, used, strict=True) if spent <= cost)
        return replace(self, blocks=tuple(block.first(kept[n]) for n, block in enumerate(self.blocks)))

    def side_by_side(self, n: int) -> tuple[tuple[Block, ...], ...]:
        """The blocks in ``n`` columns about equally long, each in the blocks' order."""
        columns: list[list[Block]] = [[] for _ in range(n)]
        for block in sorted(self.blocks, key=lambda block: -block.agencies):
            min(columns, key=lambda column: sum(each.agencies + 2 for each in column)).append(block)
        return tuple(tuple(block for block in self.blocks if block in column) for column in columns if column)

    @property
    def wide(self) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if block.wide)

    @property
    def narrow(self) -> Grid:
        return replace(self, blocks=tuple(block for block in self.blocks if not block.wide))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One assignment."""

    agency_id: str
    name: str
    level: str
    request: bool
    plan_id: int
    duty_id: int
    position: int
    citation: str
    period: str
    due_on: date | None
    time_class: TimeClass
    promised: bool

    @property
    def mark(self) -> Mark:
        found = _MARKS[self.time_class]
        return Mark.PROMISED if found is Mark.OVERDUE and self.promised else found

    @property
    def column(self) -> tuple[str, int, int, int]:
        return self.period, self.plan_id, self.position, self.duty_id


@depends_on(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def grid(session: Session, today: Today, wanted: AssignmentFilter) -> Grid | None:
    """The grid of a filter, in one query; None if it would have more than ``MAX_MARKS``."""
    a, d, p, g = table(Assignment), table(Duty), table(Plan), table(Agency)
    statement = joined(
        select(
            a.c.agency_id,
            g.c.name,
            g.c.level,
            a.c.request,
            p.c.id.label("plan_id"),
            d.c.id.label("duty_id"),
            d.c.position,
            d.c.citation,
            a.c.period,
            a.c.due_on,
            time_class(today).label("time_class"),
            func.coalesce(and_(situations.owed(), situations.promise_ahead(today.day)), False).label("promised"),
        )
    ).where(situations.counted(), *conditions(wanted, today))
    found = session.connection().execute(statement.order_by(a.c.id).limit(MAX_MARKS + 1))
    rows = objects(_Row, found)
    if len(rows) > MAX_MARKS:
        return None
    by_block: dict[tuple[bool, str], list[_Row]] = defaultdict(list)
    for row in rows:
        by_block[bool(row.request), row.level].append(row)
    blocks = [_block(today, request, level, of) for (request, level), of in by_block.items()]
    return Grid(
        tuple(sorted(blocks, key=lambda each: (each.request, level_rank(each.level)))),
        Counter(row.mark for row in rows if not row.request),
    )


def _block(today: Today, request: bool, level: str, rows: Sequence[_Row]) -> Block:
    by_column: dict[tuple[str, int, int, int], list[_Row]] = defaultdict(list)
    by_agency: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        by_column[row.column].append(row)
        by_agency[row.agency_id].append(row)
    shared = {key: n for n, key in enumerate(sorted(key for key, of in by_column.items() if len(of) > 1))}
    lines = sorted((_line(today, of, shared) for of in by_agency.values()), key=_lateness)
    return Block(
        level=level,
        request=request,
        columns=tuple(_column(by_column[key]) for key in shared),
        own=max(sum(run.n for run in line.own) for line in lines),
        late=tuple(line for line in lines if line.overdue),
        others=tuple(line for line in lines if not line.overdue and not line.punctual),
        punctual=tuple(line for line in lines if line.punctual),
    )


def _column(rows: Sequence[_Row]) -> Column:
    one, done = rows[0], sum(row.mark in (Mark.ON_TIME, Mark.LATE) for row in rows)
    return Column(plan_id=one.plan_id, citation=one.citation, period=one.period, done=done, expected=len(rows))


def _line(today: Today, rows: Sequence[_Row], shared: Mapping[tuple[str, int, int, int], int]) -> GridLine:
    cells: list[Mark | None] = [None] * len(shared)
    for row in rows:
        if row.column in shared:
            cells[shared[row.column]] = row.mark
    late = [row.due_on for row in rows if row.time_class is TimeClass.OPEN_OVERDUE and row.due_on is not None]
    since = min(late, default=None)
    return GridLine(
        id=rows[0].agency_id,
        name=rows[0].name,
        counts=Counter(row.mark for row in rows),
        own=runs(_worst_first(row.mark for row in rows if row.column not in shared)),
        cells=runs(cells),
        since=since,
        late=-(today.days_left(since) or 0),
    )


def runs(marks: Iterable[Mark | None]) -> tuple[Run, ...]:
    """Equal marks side by side as one; None is an empty place."""
    found, at = [], 0
    for mark, same in groupby(marks):
        n = len(list(same))
        if mark is not None:
            found.append(Run(mark, at, n))
        at += n
    return tuple(found)


def _worst_first(marks: Iterable[Mark]) -> list[Mark]:
    return sorted(marks, key=_RANK.__getitem__)


def _lateness(line: GridLine) -> tuple[date, int, int, tuple[str, str]]:
    """Longest overdue first, then most overdue; of the others those of whom something is open, then done late."""
    worst = min(_RANK[mark] for mark in line.counts)
    return (line.since or date.max, -line.overdue, worst, name_order(line.name))
