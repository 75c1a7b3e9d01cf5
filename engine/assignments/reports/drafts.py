"""Drafts of the report page: saved as typed, without validation, and restored when the page is opened again.

One draft per agency, plan and period, because coordinator and deputy fill in the same page; it records who saved it
last. A draft counts nowhere, only its size is checked, and it is deleted when the page is submitted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlmodel import Session

from engine.assignments.reports.evidence import StoredFile
from engine.errors import BadInput, Conflict
from engine.rules.words import short_moment
from engine.store.data_versions import about
from engine.store.database import among, insert_new, table
from engine.store.records import Draft
from engine.store.stored_rows import object_of
from engine.text import Text

MAX_FIELDS, MAX_NAME_CHARS, MAX_FIELD_CHARS, MAX_TOTAL_CHARS = 2_000, 80, 20_000, 400_000
"""Far more than any agency's report needs, and too little to fill a disk."""
KEPT_PREFIX = "kept-"
"""Begins the name of the field with the stored files of an assignment, a line each."""
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """The field values, who saved them and when."""

    fields: Mapping[str, str]
    actor: str
    saved_at: datetime


def kept_line(kept: StoredFile) -> str:
    """A stored file as a line of the form: «digest name»."""
    return f"{kept.digest} {kept.name}"


def save(
    session: Session,
    agency_id: str,
    plan_id: int,
    period: str,
    fields: Mapping[str, str],
    *,
    actor: str,
    now: datetime,
    seen: datetime | None = None,
) -> datetime:
    """Save the fields; empty ones are left out. ``seen``: ``saved_at`` of the draft that the page showed (None: there
    was none). If somebody else saved since, raises Conflict and overwrites nothing."""
    typed = {name: text.replace("\0", "") for name, text in fields.items() if text}
    _check_size(typed)
    drafts = table(Draft)
    page = (drafts.c.agency_id == agency_id, drafts.c.plan_id == plan_id, drafts.c.period == period)
    values = {"body": typed, "actor": actor, "saved_at": now}
    own = drafts.c.actor == actor
    unchanged = own if seen is None else own | (drafts.c.saved_at == seen)
    new_row = {"agency_id": agency_id, "plan_id": plan_id, "period": period, **values}
    with about(session, agency_id):
        saved = session.connection().execute(update(drafts).where(*page, unchanged).values(**values)).rowcount
        saved = saved or insert_new(session, Draft, [new_row])
    if not saved:
        other = restore(session, agency_id, plan_id, period)
        at = short_moment(other.saved_at) if other else ""
        raise Conflict(
            Text(
                f"Lúc {at} một người khác của cơ quan đã lưu bản nháp này; hãy tải lại trang để xem rồi gõ tiếp.",
                f"At {at} another person of the agency saved this draft; reload the page before you continue.",
            )
        )
    return now


def restore(session: Session, agency_id: str, plan_id: int, period: str) -> SavedDraft | None:
    """The saved draft; None if there is none."""
    drafts = table(Draft)
    statement = select(drafts.c.body.label("fields"), drafts.c.actor, drafts.c.saved_at).where(
        drafts.c.agency_id == agency_id, drafts.c.plan_id == plan_id, drafts.c.period == period
    )
    row = session.connection().execute(statement).first()
    return None if row is None else object_of(SavedDraft, row)


def discard(session: Session, agency_id: str, plan_id: int, period: str) -> None:
    """Delete the draft: the page was submitted, or the user starts over."""
    drafts = table(Draft)
    page = (drafts.c.agency_id == agency_id, drafts.c.plan_id == plan_id, drafts.c.period == period)
    with about(session, agency_id):
        session.connection().execute(delete(drafts).where(*page))


def files_named(session: Session, agency_ids: Collection[str]) -> set[tuple[str, str]]:
    """(agency id, digest) of files that the agencies' drafts refer to: any text that may be a digest, whatever the
    format of the field."""
    drafts = table(Draft)
    statement = select(drafts.c.agency_id, drafts.c.body).where(among(session, drafts.c.agency_id, agency_ids))
    return {
        (agency_id, digest)
        for agency_id, body in session.connection().execute(statement)
        for text in body.values()
        for digest in _DIGEST.findall(text)
    }


def _check_size(fields: Mapping[str, str]) -> None:
    long = [name[:MAX_NAME_CHARS] for name, text in fields.items() if len(text) > MAX_FIELD_CHARS]
    if long:
        raise BadInput(
            Text(
                f"Một ô dài quá {MAX_FIELD_CHARS} ký tự; hãy rút gọn hoặc đính kèm tệp.",
                f"A field is longer than {MAX_FIELD_CHARS} characters; shorten it or attach a file.",
            )
        )
    too_much = sum(map(len, fields.values())) > MAX_TOTAL_CHARS or len(fields) > MAX_FIELDS
    if too_much or any(len(name) > MAX_NAME_CHARS for name in fields):
        raise BadInput(Text("Bản nháp quá lớn nên chưa được lưu.", "The draft is too large and was not saved."))
