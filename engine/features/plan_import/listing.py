"""The plan documents under review: who began them, who corrected them last, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlmodel import Session

from engine.queries.work.assignment_story import Person, people_of
from engine.store.database import table
from engine.store.named_rows import objects
from engine.store.records import Plan, PlanDraft

MAX_DRAFTS = 200


@dataclass(frozen=True, kw_only=True)
class DraftLine:
    """``to_settle``: open questions. ``plan_id``: a plan of the same number that was stored since it was begun."""

    id: int
    name: str
    number: str
    duties: int
    to_settle: int
    made_at: datetime
    made_by: str
    changed_at: datetime
    changed_by: str
    plan_id: int | None


def plan_drafts(session: Session) -> tuple[list[DraftLine], Mapping[str, Person]]:
    """Most recently corrected first, with the actors' names. Two queries, plus those for the names."""
    d, p = table(PlanDraft), table(Plan)
    loaded = select(p.c.number, func.max(p.c.id).label("plan_id")).group_by(p.c.number).subquery()
    columns = [column for column in d.c if column.name != "state"]
    statement = (
        select(*columns, loaded.c.plan_id)
        .outerjoin(loaded, and_(loaded.c.number == d.c.number, d.c.number != ""))
        .order_by(d.c.changed_at.desc(), d.c.id.desc())
        .limit(MAX_DRAFTS)
    )
    lines = objects(DraftLine, session.connection().execute(statement))
    return lines, people_of(session, {actor for each in lines for actor in (each.made_by, each.changed_by)})
