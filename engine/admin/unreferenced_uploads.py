"""Removal of uploaded files that nothing refers to: the form was never sent, or the file was deselected. Files of
reports, also of returned ones, of threads, of requests for an extension and of incoming messages are kept for ever;
files of a draft as long as the draft.

Rows are deleted first, in a transaction; bytes afterwards, once no agency's row refers to them. A crash in between
leaves bytes without a row, as an interrupted upload does; the next day's scan of the folder finds both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, select, true
from sqlmodel import Session

from engine.assignments.reports import drafts as report_drafts
from engine.store.database import Database, among, table
from engine.store.event_log import append, event
from engine.store.records import Assignment, Evidence, Extension, IncomingMessage, Report, ThreadEntry
from engine.terms import EventKind

UPLOAD_RETENTION = timedelta(days=30)
"""Since the last upload: time enough to send the form. Bytes without a row are kept as long, because after restoring
last night's backup of the database a newer one may still follow."""


def forget(session: Session, now: datetime) -> int:
    """Delete the rows of files that nothing refers to; returns how many. Logs an event for each."""
    e = table(Evidence)
    old = select(e.c.agency_id, e.c.digest).where(e.c.at < now - UPLOAD_RETENTION)
    unreferenced = {(row[0], row[1]) for row in session.connection().execute(old.except_(*_referenced(session)))}
    unreferenced -= report_drafts.files_named(session, {agency_id for agency_id, _ in unreferenced})
    by_agency: dict[str, list[str]] = defaultdict(list)
    for agency_id, digest in sorted(unreferenced):
        by_agency[agency_id].append(digest)
    return sum(_delete_rows(session, agency_id, digests, now) for agency_id, digests in by_agency.items())


def sweep(database: Database, folder: Path, now: datetime) -> int:
    """Delete old bytes without a row; returns how many files. Runs outside of any transaction: takes the database and
    queries it folder by folder. Deletes nothing if there are no rows at all: that database has not been restored
    yet."""
    e = table(Evidence)
    with database.read() as session:
        if session.connection().scalar(select(e.c.digest).limit(1)) is None:
            return 0
    until, removed = (now - UPLOAD_RETENTION).timestamp(), 0
    for subfolder in sorted(folder.glob("??")):
        old = [path for path in subfolder.iterdir() if _is_old(path, until)]
        with database.read() as session:
            known = _known(session, [path.name for path in old])
        removed += sum(_remove(path, until) for path in old if path.name not in known)
    return removed


def _referenced(session: Session) -> list[Any]:
    """Queries of (agency id, digest): of every file that a report, a request for an extension, an entry of a thread or
    an incoming message refers to; of an entry both for who wrote it and for the owner, whom it was handed to."""
    a, t, m = table(Assignment), table(ThreadEntry), table(IncomingMessage)
    named = [_files_of(session, table(model), a.c.agency_id) for model in (Report, Extension, ThreadEntry)]
    each = _each_file(session, m)
    received = select(m.c.agency_id, each.c.value.op("->>")("digest")).select_from(m).join(each, true())
    return [*named, _files_of(session, t, t.c.agency_id), received.where(m.c.agency_id.is_not(None))]


def _files_of(session: Session, source: Table, agency_id: ColumnElement[str]) -> Any:
    a = table(Assignment)
    each = _each_file(session, source)
    named = select(agency_id, each.c.value.op("->>")("digest")).select_from(source)
    return named.join(a, a.c.id == source.c.assignment_id).join(each, true())


def _each_file(session: Session, source: Table) -> Any:
    postgres = session.connection().dialect.name == "postgresql"
    return (func.json_array_elements if postgres else func.json_each)(source.c.files).table_valued("value")


def _delete_rows(session: Session, agency_id: str, digests: Collection[str], now: datetime) -> int:
    """Checks the time again: a file that has been uploaded again meanwhile is kept."""
    e = table(Evidence)
    own = (e.c.agency_id == agency_id, among(session, e.c.digest, digests), e.c.at < now - UPLOAD_RETENTION)
    deleted = session.connection().execute(delete(e).where(*own).returning(e.c.digest, e.c.size)).all()
    append(
        session,
        [event(EventKind.EVIDENCE_REMOVED, now, digest=row.digest, size=row.size, agency=agency_id) for row in deleted],
    )
    return len(deleted)


def _known(session: Session, digests: Collection[str]) -> set[str]:
    e = table(Evidence)
    return set(session.connection().scalars(select(e.c.digest).where(among(session, e.c.digest, digests))))


def _is_old(path: Path, until: float) -> bool:
    try:
        return path.is_file() and path.stat().st_mtime < until
    except FileNotFoundError:  # an upload has just renamed it
        return False


def _remove(path: Path, until: float) -> bool:
    """Rename it, check its time again, and only then delete it: it may have been uploaded again a moment ago."""
    aside = path.with_name(f".{path.name}.gone")
    path.rename(aside)
    if not _is_old(aside, until):
        aside.rename(path)
        return False
    aside.unlink()
    return True
