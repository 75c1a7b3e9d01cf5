"""A report page as typed so far: saved as it stands, right or wrong, and put back when the page is opened again.

One an agency, plan and period, since a coordinator and a deputy fill in the same page; who typed last is said. A draft
is nobody's report: nothing counts, nothing is checked but its size, and it goes when the page is submitted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlmodel import Session

from engine.errors import BadInput, Conflict
from engine.rules.words import short_moment
from engine.store.database import among, insert_new, table
from engine.store.records import Draft
from engine.text import Text

MOST_FIELDS, LONGEST_NAME, LONGEST_FIELD, MOST_TEXT = 2_000, 80, 20_000, 400_000
"""Far more than a report of an agency holds; less than what would fill a disk."""
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """What was typed, by field, and who saved it when."""

    fields: Mapping[str, str]
    actor: str
    saved_at: datetime


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
    """Keep what was typed; empty fields are left out. ``seen`` is the ``saved_at`` of the draft that the page showed
    (None: it showed none): when somebody else saved since, Conflict says who and nothing is overwritten."""
    typed = {name: text.replace("\0", "") for name, text in fields.items() if text}
    _must_fit(typed)
    drafts = table(Draft)
    page = (drafts.c.agency_id == agency_id, drafts.c.plan_id == plan_id, drafts.c.period == period)
    values = {"body": typed, "actor": actor, "saved_at": now}
    mine = drafts.c.actor == actor
    unchanged = mine if seen is None else mine | (drafts.c.saved_at == seen)
    if session.connection().execute(update(drafts).where(*page, unchanged).values(**values)).rowcount:
        return now
    fresh = {"agency_id": agency_id, "plan_id": plan_id, "period": period, **values}
    if insert_new(session, Draft, [fresh]) == 0:
        other = restore(session, agency_id, plan_id, period)
        at = short_moment(other.saved_at) if other else ""
        raise Conflict(
            Text(
                f"Lúc {at} một người khác của cơ quan đã lưu bản nháp này; hãy tải lại trang để xem rồi gõ tiếp.",
                f"At {at} somebody else of the agency saved this draft; reload the page before you go on.",
            )
        )
    return now


def restore(session: Session, agency_id: str, plan_id: int, period: str) -> SavedDraft | None:
    """What was typed so far; None when nothing is kept."""
    drafts = table(Draft)
    chosen = select(drafts.c.body, drafts.c.actor, drafts.c.saved_at).where(
        drafts.c.agency_id == agency_id, drafts.c.plan_id == plan_id, drafts.c.period == period
    )
    row = session.connection().execute(chosen).first()
    return None if row is None else SavedDraft(*row)


def discard(session: Session, agency_id: str, plan_id: int, period: str) -> None:
    """Forget it: the page was submitted, or its owner begins anew."""
    drafts = table(Draft)
    session.connection().execute(
        delete(drafts).where(drafts.c.agency_id == agency_id, drafts.c.plan_id == plan_id, drafts.c.period == period)
    )


def files_named(session: Session, agency_ids: Collection[str]) -> set[tuple[str, str]]:
    """(agency, digest) of the files that drafts of these agencies name: anything in them that may be a digest, however
    their page writes it."""
    drafts = table(Draft)
    chosen = select(drafts.c.agency_id, drafts.c.body).where(among(session, drafts.c.agency_id, agency_ids))
    return {
        (agency_id, digest)
        for agency_id, body in session.connection().execute(chosen)
        for text in body.values()
        for digest in _DIGEST.findall(text)
    }


def _must_fit(fields: Mapping[str, str]) -> None:
    long = [name[:LONGEST_NAME] for name, text in fields.items() if len(text) > LONGEST_FIELD]
    if long:
        raise BadInput(
            Text(
                f"Một ô dài quá {LONGEST_FIELD} ký tự; hãy rút gọn hoặc đính kèm tệp.",
                f"A field is longer than {LONGEST_FIELD} characters; shorten it or attach a file.",
            )
        )
    too_much = sum(map(len, fields.values())) > MOST_TEXT or len(fields) > MOST_FIELDS
    if too_much or any(len(name) > LONGEST_NAME for name in fields):
        raise BadInput(Text("Bản nháp quá lớn nên chưa được lưu.", "The draft is too large and was not saved."))
