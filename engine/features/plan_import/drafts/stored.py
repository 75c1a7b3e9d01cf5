"""Plan documents under review in the database: created from an upload, corrected by users who may load plans, deleted
when saved as a plan or discarded (or expired: ``engine.application.daily_cleanup``). Each of these is an event; no
event contains text of the document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session

from engine.errors import Conflict, NotFound
from engine.features.plan_import.drafts.model import PlanDraft
from engine.store import records
from engine.store.database import table
from engine.store.event_log import append, event
from engine.terms import EventKind
from engine.text import Text

MAX_NUMBER_CHARS = 64


class NoDraft(NotFound):
    default = Text(
        "Bản nháp này không còn: đã lưu thành kế hoạch, đã bỏ, hoặc để quá lâu không soát.",
        "This draft is gone: it was saved as a plan, discarded, or left alone for too long.",
    )


class ChangedMeanwhile(Conflict):
    default = Text(
        "Có người vừa sửa chỗ này. Chưa ghi; nội dung vừa nhập còn dưới đây, lưu lần nữa là thay bản của người ấy.",
        "Somebody has just corrected this. Nothing was saved; what you typed is below, saving again replaces theirs.",
    )


@dataclass(frozen=True, kw_only=True)
class StoredDraft:
    id: int
    draft: PlanDraft
    made_at: datetime
    made_by: str
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True)
class Correction:
    """What a correction was, for its event. ``what``: a code of ``engine.rules.words.CODES``; ``place``: a citation or
    a line of the document."""

    what: str
    place: str = ""


def make_draft(session: Session, draft: PlanDraft, *, actor: str, now: datetime) -> int:
    """Store a draft; returns its id."""
    d = table(records.PlanDraft)
    values = {"name": draft.name, "made_at": now, "made_by": actor, **_values(draft, actor, now)}
    found = session.connection().execute(insert(d).values(**values)).inserted_primary_key
    draft_id = int(found[0]) if found else 0
    append(session, [_event(EventKind.PLAN_DRAFT_MADE, now, actor, {"draft": draft_id, "name": draft.name})])
    return draft_id


def read_draft(session: Session, draft_id: int, *, lock: bool = False) -> StoredDraft:
    """Raises NoDraft."""
    d = table(records.PlanDraft)
    statement = select(d).where(d.c.id == draft_id)
    row = session.connection().execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise NoDraft
    return StoredDraft(
        id=row.id,
        draft=PlanDraft.model_validate(row.state),
        made_at=row.made_at,
        made_by=row.made_by,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
    )


def correct_draft(
    session: Session, draft_id: int, act: Callable[[PlanDraft], Sequence[Correction]], *, actor: str, now: datetime
) -> PlanDraft:
    """Apply a correction to the current draft; ``act`` returns what it changed, if anything. Raises NoDraft and what
    ``act`` raises."""
    draft = read_draft(session, draft_id, lock=True).draft
    done = act(draft)
    if done:
        _store(session, draft_id, draft, actor=actor, now=now)
        about = {"draft": draft_id, "name": draft.name}
        append(session, [_event(EventKind.PLAN_DRAFT_CORRECTED, now, actor, about | asdict(each)) for each in done])
    return draft


def end_draft(session: Session, draft_id: int, *, plan_id: int | None = None, actor: str, now: datetime) -> None:
    """Delete a draft that was saved as a plan or discarded. Raises NoDraft."""
    d = table(records.PlanDraft)
    name = session.connection().scalar(select(d.c.name).where(d.c.id == draft_id))
    if session.connection().execute(delete(d).where(d.c.id == draft_id)).rowcount == 0:
        raise NoDraft
    what = "draft_saved" if plan_id else "draft_discarded"
    detail = {"draft": draft_id, "name": name, "what": what}
    append(session, [_event(EventKind.PLAN_DRAFT_ENDED, now, actor, detail) | {"plan_id": plan_id}])


def _event(kind: EventKind, now: datetime, actor: str, detail: dict[str, Any]) -> dict[str, Any]:
    return event(kind, now, actor=actor) | {"detail": detail}


def _store(session: Session, draft_id: int, draft: PlanDraft, *, actor: str, now: datetime) -> None:
    d = table(records.PlanDraft)
    values = _values(draft, actor, now)
    session.connection().execute(update(d).where(d.c.id == draft_id).values(**values))


def _values(draft: PlanDraft, actor: str, now: datetime) -> dict[str, object]:
    return {
        "state": draft.model_dump(mode="json"),
        "number": draft.head.number[:MAX_NUMBER_CHARS],
        "duties": sum(not each.dropped for each in draft.duties),
        "to_settle": draft.to_settle(),
        "changed_at": now,
        "changed_by": actor,
    }
