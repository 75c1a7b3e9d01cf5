"""Uploaded files that nothing names: of a form that was never sent, or unticked before it was. What a report names is
kept for ever, a returned one too; what a draft names, as long as the draft.

Rows go first, in a transaction; bytes after it, once no agency's row names them. A crash between the two leaves bytes
without a row, as an upload that broke off does: the next day's look at the folder finds either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select, true
from sqlmodel import Session

from engine.assignments import report_drafts
from engine.store.database import Database, among, table
from engine.store.event_log import append, event
from engine.store.records import Assignment, Evidence, Report
from engine.terms import EventKind

UPLOAD_RETENTION = timedelta(days=30)
"""After it was uploaded last: time enough to send the form that it was chosen in. Bytes without a row wait as long: a
database restored from last night's copy may be followed by a newer one."""


def forget(session: Session, now: datetime) -> int:
    """Remove the rows of files that nothing names; returns how many. Each is an event."""
    e = table(Evidence)
    old = select(e.c.agency_id, e.c.digest).where(e.c.at < now - UPLOAD_RETENTION)
    unnamed = {(row[0], row[1]) for row in session.connection().execute(old.except_(_reported(session)))}
    unnamed -= report_drafts.files_named(session, {agency_id for agency_id, _ in unnamed})
    by_agency: dict[str, list[str]] = defaultdict(list)
    for agency_id, digest in sorted(unnamed):
        by_agency[agency_id].append(digest)
    return sum(_forget(session, agency_id, digests, now) for agency_id, digests in by_agency.items())


def sweep(database: Database, folder: Path, now: datetime) -> int:
    """Remove old bytes that no row names; returns how many files. Outside of any transaction: takes the database, and
    asks it folder by folder. Where no row is known at all nothing is removed: that is a database that has not been
    restored yet."""
    e = table(Evidence)
    with database.read() as session:
        if session.connection().scalar(select(e.c.digest).limit(1)) is None:
            return 0
    until, removed = (now - UPLOAD_RETENTION).timestamp(), 0
    for place in sorted(folder.glob("??")):
        old = [path for path in place.iterdir() if _is_old(path, until)]
        with database.read() as session:
            known = _known(session, [path.name for path in old])
        removed += sum(_remove(path, until) for path in old if path.name not in known)
    return removed


def _reported(session: Session) -> Any:
    """(agency, digest) of every file that a report names."""
    a, r = table(Assignment), table(Report)
    postgres = session.connection().dialect.name == "postgresql"
    each = (func.json_array_elements if postgres else func.json_each)(r.c.files).table_valued("value")
    named = select(a.c.agency_id, each.c.value.op("->>")("digest")).select_from(r)
    return named.join(a, a.c.id == r.c.assignment_id).join(each, true())


def _forget(session: Session, agency_id: str, digests: Collection[str], now: datetime) -> int:
    """Looks at the time again: one that has been uploaded anew meanwhile stays."""
    e = table(Evidence)
    mine = (e.c.agency_id == agency_id, among(session, e.c.digest, digests), e.c.at < now - UPLOAD_RETENTION)
    gone = session.connection().execute(delete(e).where(*mine).returning(e.c.digest, e.c.size)).all()
    append(
        session,
        [event(EventKind.EVIDENCE_REMOVED, now, digest=row.digest, size=row.size, agency=agency_id) for row in gone],
    )
    return len(gone)


def _known(session: Session, digests: Collection[str]) -> set[str]:
    e = table(Evidence)
    return set(session.connection().scalars(select(e.c.digest).where(among(session, e.c.digest, digests))))


def _is_old(path: Path, until: float) -> bool:
    try:
        return path.is_file() and path.stat().st_mtime < until
    except FileNotFoundError:  # an upload has just given it its name
        return False


def _remove(path: Path, until: float) -> bool:
    """Put aside, looked at again, and only then gone: the same bytes may have been uploaded a moment ago."""
    aside = path.with_name(f".{path.name}.gone")
    path.rename(aside)
    if not _is_old(aside, until):
        aside.rename(path)
        return False
    aside.unlink()
    return True
