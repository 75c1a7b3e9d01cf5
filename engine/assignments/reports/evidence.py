"""Evidence: files attached to a report. The type of a file is determined by its bytes, never by its name.

Bytes are stored once, by SHA-256, under ``data_dir/files/ab/abcdef…``: outside the web root, without a name or
extension, never executable, and written atomically. They are served as downloads that no browser runs. Files that
nothing refers to are removed by ``engine.admin.unreferenced_uploads``.
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

from engine.accounts.rate_limit import Limit, count, enforce_rate_limit
from engine.errors import BadInput, NotFound
from engine.store.data_versions import about
from engine.store.database import insert_new, table
from engine.store.event_log import record
from engine.store.high_water import atomic_write
from engine.store.records import Evidence
from engine.store.stored_rows import is_agency, objects
from engine.terms import EventKind
from engine.text import Text

MAX_FILE_BYTES = 10_000_000
MAX_FILES = 10
"""Files per report of one duty."""
UPLOAD_LIMIT = Limit(200, timedelta(hours=1))
"""New files per agency: the reports of twenty duties with the most files that they may have."""
UPLOADS = "evidence"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_PARTS = {
    "word/": (f"{_OFFICE}.wordprocessingml.document", "docx"),
    "xl/": (f"{_OFFICE}.spreadsheetml.sheet", "xlsx"),
    "ppt/": (f"{_OFFICE}.presentationml.presentation", "pptx"),
}
_MACROS = re.compile(r"vbaProject|macrosheets|activeX|\.(?:exe|dll|js|vbs|bat)$", re.IGNORECASE)
ACCEPTED_TYPES = "PDF, JPEG, PNG, DOCX, XLSX, PPTX, ODT, ODS"


class FileUnfit(BadInput):
    default = Text("Tệp này không nhận được.", "This file cannot be accepted.")

    status = 422


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A stored file, as reports refer to it."""

    digest: str
    name: str
    size: int
    media_type: str

    @property
    def as_entry(self) -> dict[str, str | int]:
        """The entry for ``lifecycle.ReportText.files``."""
        return {"digest": self.digest, "name": self.name, "size": self.size, "media_type": self.media_type}


def store(folder: Path, *, name: str, body: bytes) -> StoredFile:
    """Check a file and write its bytes; ``folder`` is ``data_dir/files``. Equal bytes are stored once. Call it before
    and outside the transaction of ``keep``: a crash in between leaves bytes without a row, never a row without bytes.
    Raises FileUnfit."""
    if len(body) > MAX_FILE_BYTES:
        most = MAX_FILE_BYTES // 1_000_000
        raise FileUnfit(Text(f"«{_shown(name)}» lớn hơn {most} MB.", f"“{_shown(name)}” is larger than {most} MB."))
    media_type, extension = _detected_type(body, name)
    stored = StoredFile(hashlib.sha256(body).hexdigest(), safe_name(name, extension), len(body), media_type)
    path = path_of(folder, stored.digest)
    if not _already_stored(path, len(body)):
        atomic_write(path, body, 0o600)  # readable by this user only, not executable
    return stored


def _already_stored(path: Path, size: int) -> bool:
    """True if the bytes are already on disk. Sets their modification time to now, so that the daily cleanup does not
    delete them before their row is written."""
    try:
        os.utime(path)
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def enforce_upload_limit(session: Session, agency_id: str, now: datetime) -> None:
    """Check the agency and its hourly limit of new files, before ``store``; otherwise a single leaked link, or a name
    that nobody bears, could fill the disk. Raises NotFound, TooOften."""
    if not is_agency(session, agency_id):
        raise NotFound(Text("Không có cơ quan này trong danh bạ.", "There is no such agency in the directory."))
    enforce_rate_limit(session, UPLOADS, {agency_id: UPLOAD_LIMIT}, now)


def keep(session: Session, stored: StoredFile, *, agency_id: str, actor: str, now: datetime) -> bool:
    """Record that an agency uploaded a stored file; False if it had before, under any name. The time of the last upload
    is kept, and is updated first, so that the daily cleanup never deletes the row of a file that was just uploaded."""
    with about(session, agency_id):
        return _keep(session, stored, agency_id, actor, now)


def _keep(session: Session, stored: StoredFile, agency_id: str, actor: str, now: datetime) -> bool:
    e = table(Evidence)
    own = (e.c.digest == stored.digest, e.c.agency_id == agency_id)
    if session.connection().execute(update(e).where(*own).values(at=now)).rowcount:
        return False
    row = {
        "digest": stored.digest,
        "agency_id": agency_id,
        "size": stored.size,
        "media_type": stored.media_type,
        "name": stored.name,
        "actor": actor,
        "at": now,
    }
    if insert_new(session, Evidence, [row]) == 0:
        return False
    count(session, UPLOADS, (agency_id,), now)
    record(
        session, EventKind.EVIDENCE_STORED, now, actor=actor, digest=stored.digest, size=stored.size, agency=agency_id
    )
    return True


def find(session: Session, agency_id: str, digest: str) -> StoredFile:
    """A file that this agency uploaded. Raises NotFound, also if only another agency uploaded it."""
    files = find_all(session, agency_id, [digest])
    if not files:
        raise NotFound(Text("Không có tệp này.", "There is no such file."))
    return files[digest]


def find_all(session: Session, agency_id: str, digests: Collection[str]) -> dict[str, StoredFile]:
    """The given files that this agency uploaded, by digest; one query, or none if ``digests`` is empty."""
    if not digests:
        return {}
    e = table(Evidence)
    statement = select(e.c.digest, e.c.name, e.c.size, e.c.media_type)
    rows = session.connection().execute(statement.where(e.c.digest.in_(digests), e.c.agency_id == agency_id))
    return {file.digest: file for file in objects(StoredFile, rows)}


def read_file(folder: Path, stored: StoredFile) -> bytes:
    """The bytes of a stored file. Raises NotFound if they are missing or their digest differs."""
    path = path_of(folder, stored.digest)
    body = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(body).hexdigest() != stored.digest:
        raise NotFound(
            Text(
                "Tệp lưu trên máy chủ bị mất hoặc hỏng; hãy báo quản trị viên.",
                "The stored file is lost or damaged; tell the administrator.",
            )
        )
    return body


def headers(stored: StoredFile) -> Mapping[str, str]:
    """Response headers of a download: saved instead of displayed, no type sniffing, sandboxed if opened anyway."""
    plain = unicodedata.normalize("NFD", stored.name.replace("đ", "d").replace("Đ", "D"))
    ascii_name = re.sub(r"[^A-Za-z0-9._ -]", "", plain) or "tep"
    return {
        "content-type": stored.media_type,
        "content-disposition": f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(stored.name, safe='')}",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'",
        "cache-control": "private, no-store",
    }


def safe_name(name: str, extension: str) -> str:
    """A display name: the last path component, without special characters, with the detected type's extension."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    clean = "".join(each for each in last if each.isprintable() and each not in '<>:"|?*')
    stem = clean.rsplit(".", 1)[0] if "." in clean else clean
    return f"{stem.strip(' .')[:120] or 'tep'}.{extension}"


def _shown(name: str) -> str:
    """The name for use in messages: no path, because a slash also separates the two languages."""
    return re.split(r"[/\\]", name)[-1][:80]


def _detected_type(body: bytes, name: str) -> tuple[str, str]:
    """Media type and extension, by the bytes. Raises FileUnfit."""
    for signature, detect in _SIGNATURES.items():
        if body.startswith(signature):
            detected = detect(body)
            if detected is not None:
                return detected
    shown = _shown(name)
    for signature, remedy in _NAMED.items():
        if body[:16].find(signature) in (0, 4):
            raise FileUnfit(Text(f"«{shown}» {remedy.vi}", f"“{shown}” {remedy.en}"))
    raise FileUnfit(
        Text(
            f"«{shown}» không phải một trong: {ACCEPTED_TYPES} (không có macro).",
            f"“{shown}” is not one of: {ACCEPTED_TYPES}; macros are refused.",
        )
    )


def _office_type(body: bytes) -> tuple[str, str] | None:
    """The type of an office document in a zip, without macros or programs; None for any other archive."""
    try:
        with zipfile.ZipFile(BytesIO(body)) as archive:
            names = archive.namelist()
            if any(_MACROS.search(each) for each in names) or len(names) > 5_000:
                return None
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 100:
                return _OPEN_DOCUMENT.get(archive.read("mimetype").decode("ascii", "replace"))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return None
    if "[Content_Types].xml" not in names:
        return None
    return next((kind for part, kind in _PARTS.items() if any(each.startswith(part) for each in names)), None)


_OPEN_DOCUMENT = {
    f"application/vnd.oasis.opendocument.{kind}": (f"application/vnd.oasis.opendocument.{kind}", extension)
    for kind, extension in (("text", "odt"), ("spreadsheet", "ods"))
}
_HEIC = Text("là ảnh HEIC của điện thoại; đề nghị gửi ảnh JPEG hoặc PDF.", "is a HEIC picture; send it as JPEG or PDF.")
_NAMED: Mapping[bytes, Text] = {
    b"ftyphei": _HEIC,
    b"ftypmif1": _HEIC,
    b"PK\x03\x04": Text(
        "là tệp nén, hoặc có macro; đề nghị gửi từng tệp, không nén.",
        "is an archive, or has macros; send its files one by one.",
    ),
}
"""What people send and we do not keep, with what to do instead."""
_SIGNATURES: Mapping[bytes, Callable[[bytes], tuple[str, str] | None]] = {
    b"%PDF-": lambda _: ("application/pdf", "pdf"),
    b"\xff\xd8\xff": lambda _: ("image/jpeg", "jpg"),
    b"\x89PNG\r\n\x1a\n": lambda _: ("image/png", "png"),
    b"PK\x03\x04": _office_type,
}


def path_of(folder: Path, digest: str) -> Path:
    """Where the bytes of a file lie."""
    return folder / digest[:2] / digest
