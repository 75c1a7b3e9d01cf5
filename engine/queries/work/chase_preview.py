"""Preview of chasing («đôn đốc»): which letters would be sent to whom. Runs the real action in a session that is rolled
back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments.lifecycle import chase
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, AssignmentRow, columns, conditions, from_rows, joined
from engine.queries.work.rehearsal import PlannedLetter, planned_letters
from engine.store.database import table
from engine.store.records import Assignment, Notice
from engine.terms import NoticeKind


@dataclass(frozen=True)
class ChasePreview:
    """``chased_today``: already chased today; ``unreachable``: no contact can be reached. Chasing these sends
    nothing."""

    letters: tuple[PlannedLetter, ...]
    chased_today: tuple[AssignmentRow, ...]
    unreachable: tuple[AssignmentRow, ...]

    @property
    def assignments(self) -> int:
        return len({each for letter in self.letters for each in letter.assignment_ids})


def rows_to_chase(session: Session, today: Today, ids: Sequence[int]) -> list[AssignmentRow]:
    """The selected assignments whose tasks are unfinished."""
    statement = joined(select(*columns(today))).where(*conditions(AssignmentFilter(ids=tuple(ids)), today))
    rows = from_rows(session.connection().execute(statement.order_by(table(Assignment).c.due_on)).all())
    return [row for row in rows if row.unfinished]


def preview_chase(session: Session, today: Today, rows: Sequence[AssignmentRow], actor: str) -> ChasePreview:
    """Chase in a session that is rolled back, and return the resulting letters."""
    chased_before = _chased(session, rows, today)

    def chase_all() -> None:
        for row in rows:
            chase(session, row.id, actor=actor, now=today.now)

    letters = planned_letters(session, chase_all)
    reached = chased_before.union(*(letter.assignment_ids for letter in letters))
    return ChasePreview(
        letters,
        tuple(row for row in rows if row.id in chased_before),
        tuple(row for row in rows if row.id not in reached),
    )


def _chased(session: Session, rows: Sequence[AssignmentRow], today: Today) -> set[int]:
    """The assignments that were chased today."""
    n = table(Notice)
    effects = {f"assignment:{row.id}:chase:{today.day.isoformat()}" for row in rows}
    statement = select(n.c.assignment_id, n.c.key).where(
        n.c.assignment_id.in_([row.id for row in rows]), n.c.kind == NoticeKind.CHASE
    )
    found = session.connection().execute(statement)
    return {assignment_id for assignment_id, key in found if key.rsplit(":", 2)[0] in effects}
