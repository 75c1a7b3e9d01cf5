"""The files of a report form: those chosen now are stored at once, whatever becomes of the form; those stored before
come back as ticked lines «digest name», and unticking one takes it away. Nothing here counts as reported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.assignments.evidence import (
    MAX_FILES,
    FileUnfit,
    StoredFile,
    enforce_upload_limit,
    find_all,
    keep,
    safe_name,
    store,
)
from engine.errors import BadInput, TooOften
from engine.http.forms import Form, Upload
from engine.http.request_context import RequestContext
from engine.rules.privacy import PRIVATE_WORDS, Private, looks_private
from engine.text import Text

MAX_FORM_PARTS = 500
"""File fields of one form: a browser sends an empty one for each duty."""
CHOSEN, LINE = "file-", "kept-"
GONE = Text("Tệp chọn trước đó không còn; hãy chọn lại.", "A file chosen before is gone; choose it again.")
ACCEPT = ".pdf,.jpg,.jpeg,.png,.docx,.xlsx,.pptx,.odt,.ods"


@dataclass(frozen=True)
class UploadedFiles:
    """``kept`` by assignment; ``problems`` by field: ``file-12``."""

    kept: Mapping[int, tuple[StoredFile, ...]] = field(default_factory=dict)
    problems: Mapping[str, Text] = field(default_factory=dict)

    @property
    def lines(self) -> dict[str, str]:
        """As a draft keeps them, by field."""
        return {f"{LINE}{number}": "\n".join(map(line, files)) for number, files in self.kept.items() if files}


def line(kept: StoredFile) -> str:
    """One stored file as a form carries it along."""
    return f"{kept.digest} {kept.name}"


def folder_of(ctx: RequestContext) -> Path:
    return ctx.app.settings.files


def file_all(ctx: RequestContext, form: Form, agency_id: str, assignment_ids: Iterable[int]) -> UploadedFiles:
    """What stands in the form for these assignments; fit files among those chosen are stored and noted."""
    numbers = tuple(assignment_ids)
    known, problems = read_lines(ctx, agency_id, {n: form.every(f"{LINE}{n}") for n in numbers})
    kept: dict[int, tuple[StoredFile, ...]] = {}
    fresh: list[StoredFile] = []
    full = _no_room(ctx, agency_id) if form.files else None
    for number in numbers:
        if full and f"{CHOSEN}{number}" in form.files:
            kept[number], problems[f"{CHOSEN}{number}"] = known.get(number, ()), full
            continue
        taken, said = _take(folder_of(ctx), form.files.get(f"{CHOSEN}{number}", ()), known.get(number, ()))
        fresh += taken
        kept[number] = _each_once((*known.get(number, ()), *taken))
        if said:
            problems[f"{CHOSEN}{number}"] = Text.joined(" ", said)
    if fresh:
        with ctx.writing() as session:
            for each in fresh:
                keep(session, each, agency_id=agency_id, actor=ctx.actor.name, now=ctx.now)
    return UploadedFiles(kept, problems)


def _no_room(ctx: RequestContext, agency_id: str) -> Text | None:
    """Why nothing more is taken just now: beside the field, so that what was typed stays."""
    with ctx.app.database.read() as session:
        try:
            enforce_upload_limit(session, agency_id, ctx.now)
        except TooOften as error:
            return error.text
    return None


def read_lines(
    ctx: RequestContext, agency_id: str, lines: Mapping[int, Iterable[str]]
) -> tuple[dict[int, tuple[StoredFile, ...]], dict[str, Text]]:
    """Lines as files that the agency did upload, under the names that the lines give them; what is unknown is said."""
    split = {number: [each.partition(" ")[::2] for each in every] for number, every in lines.items()}
    with ctx.app.database.read() as session:
        known = find_all(session, agency_id, {digest for each in split.values() for digest, _ in each})
    kept = {
        number: tuple(_named(known[digest], name) for digest, name in each if digest in known)[:MAX_FILES]
        for number, each in split.items()
    }
    gone = {f"{CHOSEN}{number}": GONE for number, each in split.items() if any(d not in known for d, _ in each)}
    return kept, gone


def _named(kept: StoredFile, name: str) -> StoredFile:
    return replace(kept, name=safe_name(name, kept.name.rpartition(".")[2])) if name else kept


def _take(
    folder: Path, chosen: Iterable[Upload], before: tuple[StoredFile, ...]
) -> tuple[list[StoredFile], list[Text]]:
    """Store what fits, as many as there is room for."""
    taken: list[StoredFile] = []
    said: list[Text] = []
    for upload in chosen:
        name = _last_part(upload.name)
        try:
            if len(before) + len(taken) >= MAX_FILES:
                raise FileUnfit(
                    Text(
                        f"Mỗi việc nhiều nhất {MAX_FILES} tệp; chưa nhận «{name}».",
                        f"{MAX_FILES} files a duty at most; “{name}” is not taken.",
                    )
                )
            _must_not_be_secret(name)
            taken.append(store(folder, name=name, body=upload.body))
        except BadInput as error:
            said.append(error.text)
    return taken, said


def _must_not_be_secret(name: str) -> None:
    if any(each.what is Private.SECRET for each in looks_private(name)):
        vi, en = PRIVATE_WORDS[Private.SECRET]
        raise FileUnfit(Text(f"Tên tệp {vi}.", f"The file's name {en}."))


def _last_part(name: str) -> str:
    """As it may be said: no path, nothing that a terminal or a page minds."""
    return "".join(each for each in re.split(r"[/\\]", name)[-1] if each.isprintable())[:200]


def _each_once(files: Iterable[StoredFile]) -> tuple[StoredFile, ...]:
    return tuple({each.digest: each for each in files}.values())
