"""Files of a report form. Files chosen now are stored at once, even if the form is rejected; files stored earlier are
carried along. A clamd of the office sees them before anybody downloads them.

A file is looked at each time, with the signatures of that moment. What cannot be looked at is held: it stays stored and
is given out once clamd answers.

Files chosen now are stored at once, even if the form is rejected; files stored earlier come back as ticked lines
«digest name», and unticking a line removes the file. Storing a file does not report anything. A stored one is
downloaded by pages and the API.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from fastapi import Path as InPath
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.assignments.reports import evidence
from engine.assignments.reports.drafts import KEPT_PREFIX, kept_line
from engine.errors import BadInput, NotAllowed, TooOften, Unavailable
from engine.http.forms import Form, Upload
from engine.http.request_context import RequestContext
from engine.rules.privacy import PRIVATE_WORDS, Private, looks_private
from engine.text import Text

CHUNK_BYTES = 65_536
TIMEOUT_SECONDS = 20.0
MAX_REPLY_BYTES = 1_000
_LENGTH = struct.Struct(">I")


class Infected(NotAllowed):
    default = Text(
        "Máy quét mã độc của cơ quan báo tệp này có hại nên không tải xuống được; đề nghị báo cơ quan đã gửi.",
        "The office's scanner says that this file is harmful, so it is not given out; tell the agency that sent it.",
    )


class ScannerAway(Unavailable):
    default = Text(
        "Chưa quét mã độc được nên tệp tạm giữ trên máy chủ, không mất; đề nghị thử lại sau ít phút hoặc báo quản trị "
        "viên.",
        "The file could not be scanned, so it is held on the server and not lost; try again in a few minutes, or tell "
        "the administrator.",
    )


def require_clean(clamd: str, body: bytes) -> None:
    """``clamd``: «host:port», or the path of its socket; empty: nothing is scanned. Raises Infected, ScannerAway."""
    if not clamd:
        return
    try:
        reply = _reply_to(clamd, body)
    except (OSError, ValueError) as error:
        raise ScannerAway from error
    if reply.endswith("FOUND"):
        raise Infected
    if not reply.endswith("OK"):  # such as «INSTREAM size limit exceeded. ERROR»
        raise ScannerAway


def _reply_to(clamd: str, body: bytes) -> str:
    """What clamd says of the bytes. Raises OSError, or ValueError for an address that is none."""
    with closing(_connected(clamd)) as scanner:
        scanner.sendall(b"zINSTREAM\0")
        for start in range(0, len(body), CHUNK_BYTES):
            chunk = body[start : start + CHUNK_BYTES]
            scanner.sendall(_LENGTH.pack(len(chunk)) + chunk)
        scanner.sendall(_LENGTH.pack(0))
        reply = b""
        while not reply.endswith(b"\0") and len(reply) < MAX_REPLY_BYTES and (part := scanner.recv(MAX_REPLY_BYTES)):
            reply += part
    return reply.rstrip(b"\0\n").decode("utf-8", "replace")


def _connected(clamd: str) -> socket.socket:
    if not clamd.startswith("/"):
        host, _, port = clamd.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), timeout=TIMEOUT_SECONDS)
    scanner = socket.socket(socket.AF_UNIX)
    try:
        scanner.settimeout(TIMEOUT_SECONDS)
        scanner.connect(clamd)
    except OSError:
        scanner.close()
        raise
    return scanner


MAX_FORM_PARTS = 500
"""File fields of one form: a browser sends an empty one for each duty."""
FILE_PREFIX = "file-"
GONE = Text("Tệp chọn trước đó không còn; hãy chọn lại.", "A file chosen before is gone; choose it again.")
Digest = Annotated[str, InPath(pattern=r"^[0-9a-f]{64}$")]
ACCEPT = ".pdf,.jpg,.jpeg,.png,.docx,.xlsx,.pptx,.odt,.ods"


@dataclass(frozen=True)
class UploadedFiles:
    """``kept`` by assignment; ``problems`` by field: ``file-12``."""

    kept: Mapping[int, tuple[evidence.StoredFile, ...]] = field(default_factory=dict)
    problems: Mapping[str, Text] = field(default_factory=dict)

    @property
    def lines(self) -> dict[str, str]:
        """The kept files by field, as a draft stores them."""
        return {
            f"{KEPT_PREFIX}{number}": "\n".join(map(kept_line, files)) for number, files in self.kept.items() if files
        }


def folder_of(ctx: RequestContext) -> Path:
    return ctx.app.settings.files


def store_uploads(ctx: RequestContext, form: Form, agency_id: str, assignment_ids: Iterable[int]) -> UploadedFiles:
    """The files of these assignments: those kept from before and those chosen now, which are stored and recorded."""
    ids = tuple(assignment_ids)
    with ctx.app.database.read() as session:
        known, problems = read_lines(session, agency_id, {n: form.every(f"{KEPT_PREFIX}{n}") for n in ids})
    kept: dict[int, tuple[evidence.StoredFile, ...]] = {}
    fresh: list[evidence.StoredFile] = []
    full = _quota_problem(ctx, agency_id) if form.files else None
    for number in ids:
        if full and f"{FILE_PREFIX}{number}" in form.files:
            kept[number], problems[f"{FILE_PREFIX}{number}"] = known.get(number, ()), full
            continue
        stored, errors = _store_chosen(
            folder_of(ctx), form.files.get(f"{FILE_PREFIX}{number}", ()), known.get(number, ())
        )
        fresh += stored
        kept[number] = _unique((*known.get(number, ()), *stored))
        if errors:
            problems[f"{FILE_PREFIX}{number}"] = Text.joined(" ", errors)
    if fresh:
        with ctx.writing() as session:
            for each in fresh:
                evidence.keep(session, each, agency_id=agency_id, **ctx.by)
    return UploadedFiles(kept, problems)


def _quota_problem(ctx: RequestContext, agency_id: str) -> Text | None:
    """Why the agency cannot upload more now, as a field error so that the rest of the form is kept; None if it can."""
    with ctx.app.database.read() as session:
        try:
            evidence.enforce_upload_limit(session, agency_id, ctx.now)
        except TooOften as error:
            return error.text
    return None


def read_lines(
    session: Session, agency_id: str, lines: Mapping[int, Iterable[str]]
) -> tuple[dict[int, tuple[evidence.StoredFile, ...]], dict[str, Text]]:
    """Resolve lines to files that the agency uploaded, under the names in the lines; (files, problems of unknown
    ones)."""
    split = {number: [each.partition(" ")[::2] for each in every] for number, every in lines.items()}
    known = evidence.find_all(session, agency_id, {digest for each in split.values() for digest, _ in each})
    kept = {
        number: tuple(_renamed(known[digest], name) for digest, name in each if digest in known)[: evidence.MAX_FILES]
        for number, each in split.items()
    }
    gone = {f"{FILE_PREFIX}{number}": GONE for number, each in split.items() if any(d not in known for d, _ in each)}
    return kept, gone


def _renamed(kept: evidence.StoredFile, name: str) -> evidence.StoredFile:
    return replace(kept, name=evidence.safe_name(name, kept.name.rpartition(".")[2])) if name else kept


def _store_chosen(
    folder: Path, chosen: Iterable[Upload], kept: tuple[evidence.StoredFile, ...]
) -> tuple[list[evidence.StoredFile], list[Text]]:
    """Store the files that pass the checks, up to the limit; (stored files, error messages)."""
    stored: list[evidence.StoredFile] = []
    errors: list[Text] = []
    for upload in chosen:
        name = _display_name(upload.name)
        try:
            if len(kept) + len(stored) >= evidence.MAX_FILES:
                raise evidence.FileUnfit(
                    Text(
                        f"Mỗi việc nhiều nhất {evidence.MAX_FILES} tệp; chưa nhận «{name}».",
                        f"At most {evidence.MAX_FILES} files a duty; “{name}” was not accepted.",
                    )
                )
            _refuse_secret(name)
            stored.append(evidence.store(folder, name=name, body=upload.body))
        except BadInput as error:
            errors.append(error.text)
    return stored, errors


def _refuse_secret(name: str) -> None:
    if any(each.what is Private.SECRET for each in looks_private(name)):
        vi, en = PRIVATE_WORDS[Private.SECRET]
        raise evidence.FileUnfit(Text(f"Tên tệp {vi}.", f"The file's name {en}."))


def _display_name(name: str) -> str:
    """The file name without its path and unprintable characters, at most 200 characters."""
    return "".join(each for each in re.split(r"[/\\]", name)[-1] if each.isprintable())[:200]


def _unique(files: Iterable[evidence.StoredFile]) -> tuple[evidence.StoredFile, ...]:
    return tuple({each.digest: each for each in files}.values())


def evidence_response(ctx: RequestContext, agency_id: str, digest: str) -> Response:
    """A stored file as a response. Raises NotFound, NotAllowed, Unavailable while it cannot be scanned."""
    ctx.require(Permission.SEE_EVIDENCE, agency_id)
    with ctx.app.database.read() as session:
        file = evidence.find(session, agency_id, digest)
    body = evidence.read_file(folder_of(ctx), file)
    require_clean(ctx.app.settings.clamd, body)
    return Response(body, headers=evidence.headers(file))
