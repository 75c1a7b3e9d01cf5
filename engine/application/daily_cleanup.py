"""The daily cleanup: deletes what is no longer needed (addresses of people who left, ended sessions, used links, old
idempotency answers, unreferenced files), applies agency names that begin today, publishes the figures of
periods that are over.

Personal data is kept no longer than it serves its purpose (Law 91/2025/QH15). Run by a daily pass; a second run on the
same day does nothing.

Plan documents under review expire here, without a look at their content: the cleanup need not load the importer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlmodel import Session

from engine.accounts import idempotency
from engine.admin import cut_off, unreferenced_uploads
from engine.agencies import agencies, contacts
from engine.assignments import told
from engine.assignments.lifecycle import note_not_asked
from engine.correspondence import handling
from engine.features.webhooks import subscriptions as webhooks
from engine.rules.calendar import local_date
from engine.store import pending_answers
from engine.store.clock import system_clock
from engine.store.data_versions import forget_old_changes
from engine.store.database import Database, table
from engine.store.event_log import append, event
from engine.store.facts import advance_fact, read_fact
from engine.store.records import AnswerCode, Letter, LetterBody, PlanDraft, SignInLink, UndoableAct, UserSession
from engine.terms import EventKind

LAST_CLEANUP_FACT = "last_upkeep"
"""Name of the fact with the local date of the last cleanup."""

SESSION_RETENTION = timedelta(days=90)
"""How long users can see their ended sessions."""
DRAFT_RETENTION = timedelta(days=180)
"""Of a plan document under review, after the last correction."""
UNDO_RETENTION = timedelta(days=1)
BODY_CHUNK_ROWS = 2_000
LINK_RETENTION = timedelta(days=1)
CODE_RETENTION = timedelta(days=30)
"""How long an answer with an expired code is still told that it expired."""


def is_owed(session: Session, now: datetime) -> bool:
    """True if today's cleanup has not run. One query."""
    last_day = read_fact(session, LAST_CLEANUP_FACT)
    return last_day is None or last_day < local_date(now).isoformat()


def run_daily_cleanup(session: Session, now: datetime) -> dict[str, int]:
    """Run the cleanup once per local day: ``delete_expired``, new names. The day is claimed first, so of two concurrent
    passes the second does nothing. Returns counts; empty if it had already run."""
    if not advance_fact(session, LAST_CLEANUP_FACT, local_date(now).isoformat()):
        return {}
    note_not_asked(session, now)
    return {
        **delete_expired(session, now),
        "names": agencies.apply_current_names(session, now),
        "published": cut_off.publish_closed(session, now),
    }


def delete_expired(session: Session, now: datetime) -> dict[str, int]:
    """Delete expired records; returns counts by name. The
    files' bytes are removed by ``unreferenced_uploads`` after this is committed."""
    signed, links, codes = table(UserSession), table(SignInLink), table(AnswerCode)
    acts, connection = table(UndoableAct), session.connection()
    return {
        "contacts": contacts.blank_former_contacts(session, now),
        "senders": handling.forget_senders(session),
        "sessions": connection.execute(delete(signed).where(signed.c.expires_at < now - SESSION_RETENTION)).rowcount,
        "links": connection.execute(delete(links).where(links.c.expires_at < now - LINK_RETENTION)).rowcount,
        "codes": connection.execute(delete(codes).where(codes.c.expires_at < now - CODE_RETENTION)).rowcount,
        "changes": forget_old_changes(session),
        "acts": connection.execute(delete(acts).where(acts.c.until < now - UNDO_RETENTION)).rowcount,
        "told": told.prune(session, now),
        "answers": idempotency.prune(session, now),
        "plan_drafts": prune_drafts(session, now),
        "files": unreferenced_uploads.forget(session, now),
        "webhook_messages": webhooks.prune(session, now),
        "pending_answers": pending_answers.prune(session, system_clock()),
    }


def prune_drafts(session: Session, now: datetime) -> int:
    """Delete the plan documents under review that nobody has corrected for DRAFT_RETENTION; returns how many."""
    d = table(PlanDraft)
    old = session.connection().execute(select(d.c.id, d.c.name).where(d.c.changed_at < now - DRAFT_RETENTION)).all()
    session.connection().execute(delete(d).where(d.c.id.in_([row.id for row in old])))
    details = ({"draft": row.id, "name": row.name, "what": "draft_expired"} for row in old)
    append(session, [event(EventKind.PLAN_DRAFT_ENDED, now) | {"detail": each} for each in details])
    return len(old)


def prune_bodies(database: Database, before: datetime) -> int:
    """Delete the texts of letters of days before ``before``, oldest first, a chunk in each transaction; the letters'
    rows stay. Returns how many. Letters are numbered in the order of their making, so the first text that is kept ends
    the search."""
    bodies, letters = table(LetterBody), table(Letter)
    oldest = (
        select(bodies.c.letter_id, letters.c.day)
        .join(letters, letters.c.id == bodies.c.letter_id)
        .order_by(bodies.c.letter_id)
        .limit(BODY_CHUNK_ROWS)
    )
    pruned = 0
    while True:
        with database.write() as session:
            rows = session.connection().execute(oldest).all()
            ids = [letter_id for letter_id, day in rows if day < local_date(before)]
            if ids:
                session.connection().execute(delete(bodies).where(bodies.c.letter_id.in_(ids)))
        pruned += len(ids)
        if len(ids) < BODY_CHUNK_ROWS:
            return pruned
