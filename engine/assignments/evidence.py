"""Evidence: files that go with a report. What a file is is read from its bytes, never believed from its name.

Bytes lie once, by SHA-256, under ``data_dir/files/ab/abcdef…``: outside the web root, without a name and without an
ending, never executable; written whole or not at all. They are given back as downloads that no browser runs. What
nothing names goes by ``engine.assignments.unreferenced_uploads``.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
import zipfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import select, update
from sqlmodel import Session

from engine.accounts.rate_limit import Limit, count, must_not_be_too_often
from engine.errors import BadInput, NotFound
from engine.store.atomic_file import atomic_write
from engine.store.database import insert_new, table
from engine.store.event_log import append, event
from engine.store.records import Evidence
from engine.terms import EventKind
from engine.text import Text

MAX_FILE_BYTES = 10_000_000
MAX_FILES = 10
"""Files that one duty's report may carry."""
AN_HOUR = Limit(200, timedelta(hours=1))
"""New files of one agency: the reports of twenty duties with all that they may carry."""
UPLOADS = "evidence"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_PARTS = {
    "word/": (f"{_OFFICE}.wordprocessingml.document", "docx"),
    "xl/": (f"{_OFFICE}.spreadsheetml.sheet", "xlsx"),
    "ppt/": (f"{_OFFICE}.presentationml.presentation", "pptx"),
}
_MACROS = re.compile(r"vbaProject|macrosheets|activeX|\.(?:exe|dll|js|vbs|bat)$", re.IGNORECASE)
TAKEN = "PDF, JPEG, PNG, DOCX, XLSX, PPTX, ODT, ODS"


class FileUnfit(BadInput):
    default = Text("Tệp này không nhận được.", "This file cannot be taken.")

    status = 422


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as a report names it."""

    digest: str
    name: str
    size: int
    media_type: str

    @property
    def as_named(self) -> dict[str, str | int]:
        """What ``lifecycle.ReportText.files`` takes."""
        return {"digest": self.digest, "name": self.name, "size": self.size, "media_type": self.media_type}


def store(folder: Path, *, name: str, body: bytes) -> StoredFile:
    """Check a file and write its bytes; ``folder`` is ``data_dir/files``. The same bytes twice are one file. Before and
    outside the transaction that ``keep``s it: a crash between leaves bytes that nobody names, never a name without
    bytes. Raises FileUnfit."""
    if len(body) > MAX_FILE_BYTES:
        most = MAX_FILE_BYTES // 1_000_000
        raise FileUnfit(Text(f"«{_shown(name)}» lớn hơn {most} MB.", f"“{_shown(name)}” is larger than {most} MB."))
    media_type, ending = _what_it_is(body, name)
    kept = StoredFile(hashlib.sha256(body).hexdigest(), safe_name(name, ending), len(body), media_type)
    path = _path(folder, kept.digest)
    if not _is_there(path, len(body)):
        atomic_write(path, body, 0o600)  # readable by us alone and never executable
    return kept


def _is_there(path: Path, size: int) -> bool:
    """Whether the bytes lie there already. They count as new from now on, so that the upkeep leaves them alone until
    the row is written that names them."""
    try:
        os.utime(path)
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def must_have_room(session: Session, agency_id: str, now: datetime) -> None:
    """Before ``store``: an agency may bring so many new files an hour and no more, or one link in a wrong hand would
    fill the disk. Raises TooOften."""
    must_not_be_too_often(session, UPLOADS, {agency_id: AN_HOUR}, now)


def keep(session: Session, kept: StoredFile, *, agency_id: str, actor: str, now: datetime) -> bool:
    """Note that an agency uploaded a stored file; False when it had before, under whatever name. What counts is when it
    did last: asked in this order, so that the upkeep never takes a row away from under a file that has just come."""
    e = table(Evidence)
    mine = (e.c.digest == kept.digest, e.c.agency_id == agency_id)
    if session.connection().execute(update(e).where(*mine).values(at=now)).rowcount:
        return False
    row = {
        "digest": kept.digest,
        "agency_id": agency_id,
        "size": kept.size,
        "media_type": kept.media_type,
        "name": kept.name,
        "actor": actor,
        "at": now,
    }
    if insert_new(session, Evidence, [row]) == 0:
        return False
    count(session, UPLOADS, (agency_id,), now)
    append(
        session,
        [event(EventKind.EVIDENCE_STORED, now, actor=actor, digest=kept.digest, size=kept.size, agency=agency_id)],
    )
    return True


def find(session: Session, agency_id: str, digest: str) -> StoredFile:
    """A file that this agency uploaded. Raises NotFound, also when only another agency did."""
    found = find_all(session, agency_id, [digest])
    if not found:
        raise NotFound(Text("Không có tệp này.", "There is no such file."))
    return found[digest]


def find_all(session: Session, agency_id: str, digests: Collection[str]) -> dict[str, StoredFile]:
    """Those of several files that this agency uploaded, by digest; one query, none for none."""
    if not digests:
        return {}
    e = table(Evidence)
    chosen = select(e.c.digest, e.c.name, e.c.size, e.c.media_type)
    rows = session.connection().execute(chosen.where(e.c.digest.in_(digests), e.c.agency_id == agency_id))
    return {row.digest: StoredFile(*row) for row in rows}


def read_back(folder: Path, kept: StoredFile) -> bytes:
    """The bytes as they came in. Raises NotFound when they are gone or no longer the same."""
    path = _path(folder, kept.digest)
    body = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(body).hexdigest() != kept.digest:
        raise NotFound(
            Text(
                "Tệp lưu trên máy chủ bị mất hoặc hỏng; hãy báo quản trị viên.",
                "The stored file is lost or damaged; tell the administrator.",
            )
        )
    return body


def headers(kept: StoredFile) -> Mapping[str, str]:
    """Headers for giving a file back: saved, not shown; not guessed at; allowed nothing even if it were opened."""
    plain = unicodedata.normalize("NFD", kept.name.replace("đ", "d").replace("Đ", "D"))
    ascii_name = re.sub(r"[^A-Za-z0-9._ -]", "", plain) or "tep"
    return {
        "content-type": kept.media_type,
        "content-disposition": f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(kept.name, safe='')}",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'",
        "cache-control": "private, no-store",
    }


def safe_name(name: str, ending: str) -> str:
    """A name to show: its last part, without what a file system or a terminal minds, ending as its bytes are."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    clean = "".join(each for each in last if each.isprintable() and each not in '<>:"|?*')
    stem = clean.rsplit(".", 1)[0] if "." in clean else clean
    return f"{stem.strip(' .')[:120] or 'tep'}.{ending}"


def _shown(name: str) -> str:
    """As a sentence may say it: no path, since a slash would also divide its two languages."""
    return re.split(r"[/\\]", name)[-1][:80]


def _what_it_is(body: bytes, name: str) -> tuple[str, str]:
    """Media type and ending by the bytes. Raises FileUnfit."""
    for begins, kind in _BEGINS.items():
        if body.startswith(begins):
            known = kind(body)
            if known is not None:
                return known
    shown = _shown(name)
    raise FileUnfit(
        Text(
            f"«{shown}» không phải một trong: {TAKEN} (không có macro).",
            f"“{shown}” is none of these; macros are refused.",
        )
    )


def _packed(body: bytes) -> tuple[str, str] | None:
    """An office document inside a zip, without macros or programs; None for any other archive."""
    try:
        with zipfile.ZipFile(BytesIO(body)) as archive:
            names = archive.namelist()
            if any(_MACROS.search(each) for each in names) or len(names) > 5_000:
                return None
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 100:
                return _OPEN.get(archive.read("mimetype").decode("ascii", "replace"))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return None
    if "[Content_Types].xml" not in names:
        return None
    return next((known for part, known in _PARTS.items() if any(each.startswith(part) for each in names)), None)


_OPEN = {
    f"application/vnd.oasis.opendocument.{kind}": (f"application/vnd.oasis.opendocument.{kind}", ending)
    for kind, ending in (("text", "odt"), ("spreadsheet", "ods"))
}
_BEGINS: Mapping[bytes, Callable[[bytes], tuple[str, str] | None]] = {
    b"%PDF-": lambda _: ("application/pdf", "pdf"),
    b"\xff\xd8\xff": lambda _: ("image/jpeg", "jpg"),
    b"\x89PNG\r\n\x1a\n": lambda _: ("image/png", "png"),
    b"PK\x03\x04": _packed,
}


def _path(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / digest
