"""The files of a report form: those chosen now are stored at once, whatever becomes of the form; those stored before
come back as ticked lines «digest name», and unticking one takes it away. Nothing here counts as reported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.assignments.evidence import MOST_FILES, FileUnfit, Kept, find_all, keep, must_have_room, safe_name, store
from engine.errors import BadInput, TooOften
from engine.http.forms import Form, Upload
from engine.http.request_context import Visit
from engine.rules.privacy import SAID, Private, looks_private
from engine.text import Text

MOST_PARTS = 500
"""File fields of one form: a browser sends an empty one for each duty."""
CHOSEN, LINE = "file-", "kept-"
GONE = Text("Tệp chọn trước đó không còn; hãy chọn lại.", "A file chosen before is gone; choose it again.")
ACCEPT = ".pdf,.jpg,.jpeg,.png,.docx,.xlsx,.pptx,.odt,.ods"


@dataclass(frozen=True)
class Filed:
    """``kept`` by assignment; ``problems`` by field: ``file-12``."""

    kept: Mapping[int, tuple[Kept, ...]] = field(default_factory=dict)
    problems: Mapping[str, Text] = field(default_factory=dict)

    @property
    def lines(self) -> dict[str, str]:
        """As a draft keeps them, by field."""
        return {f"{LINE}{number}": "\n".join(map(line, files)) for number, files in self.kept.items() if files}


def line(kept: Kept) -> str:
    """One stored file as a form carries it along."""
    return f"{kept.digest} {kept.name}"


def folder_of(visit: Visit) -> Path:
    return visit.context.settings.files


def file_all(visit: Visit, form: Form, agency_id: str, assignment_ids: Iterable[int]) -> Filed:
    """What stands in the form for these assignments; fit files among those chosen are stored and noted."""
    numbers = tuple(assignment_ids)
    known, problems = read_lines(visit, agency_id, {n: form.every(f"{LINE}{n}") for n in numbers})
    kept: dict[int, tuple[Kept, ...]] = {}
    fresh: list[Kept] = []
    full = _no_room(visit, agency_id) if form.files else None
    for number in numbers:
        if full and f"{CHOSEN}{number}" in form.files:
            kept[number], problems[f"{CHOSEN}{number}"] = known.get(number, ()), full
            continue
        taken, said = _take(folder_of(visit), form.files.get(f"{CHOSEN}{number}", ()), known.get(number, ()))
        fresh += taken
        kept[number] = _each_once((*known.get(number, ()), *taken))
        if said:
            problems[f"{CHOSEN}{number}"] = Text.joined(" ", said)
    if fresh:
        with visit.writing() as session:
            for each in fresh:
                keep(session, each, agency_id=agency_id, actor=visit.actor.name, now=visit.now)
    return Filed(kept, problems)


def _no_room(visit: Visit, agency_id: str) -> Text | None:
    """Why nothing more is taken just now: beside the field, so that what was typed stays."""
    with visit.context.database.read() as session:
        try:
            must_have_room(session, agency_id, visit.now)
        except TooOften as error:
            return error.text
    return None


def read_lines(
    visit: Visit, agency_id: str, lines: Mapping[int, Iterable[str]]
) -> tuple[dict[int, tuple[Kept, ...]], dict[str, Text]]:
    """Lines as files that the agency did upload, under the names that the lines give them; what is unknown is said."""
    split = {number: [each.partition(" ")[::2] for each in every] for number, every in lines.items()}
    with visit.context.database.read() as session:
        known = find_all(session, agency_id, {digest for each in split.values() for digest, _ in each})
    kept = {
        number: tuple(_named(known[digest], name) for digest, name in each if digest in known)[:MOST_FILES]
        for number, each in split.items()
    }
    gone = {f"{CHOSEN}{number}": GONE for number, each in split.items() if any(d not in known for d, _ in each)}
    return kept, gone


def _named(kept: Kept, name: str) -> Kept:
    return replace(kept, name=safe_name(name, kept.name.rpartition(".")[2])) if name else kept


def _take(folder: Path, chosen: Iterable[Upload], before: tuple[Kept, ...]) -> tuple[list[Kept], list[Text]]:
    """Store what fits, as many as there is room for."""
    taken: list[Kept] = []
    said: list[Text] = []
    for upload in chosen:
        name = _last_part(upload.name)
        try:
            if len(before) + len(taken) >= MOST_FILES:
                raise FileUnfit(
                    Text(
                        f"Mỗi việc nhiều nhất {MOST_FILES} tệp; chưa nhận «{name}».",
                        f"{MOST_FILES} files a duty at most; “{name}” is not taken.",
                    )
                )
            _must_not_be_secret(name)
            taken.append(store(folder, name=name, body=upload.body))
        except BadInput as error:
            said.append(error.text)
    return taken, said


def _must_not_be_secret(name: str) -> None:
    if any(each.what is Private.SECRET for each in looks_private(name)):
        vi, en = SAID[Private.SECRET]
        raise FileUnfit(Text(f"Tên tệp {vi}.", f"The file's name {en}."))


def _last_part(name: str) -> str:
    """As it may be said: no path, nothing that a terminal or a page minds."""
    return "".join(each for each in re.split(r"[/\\]", name)[-1] if each.isprintable())[:200]


def _each_once(files: Iterable[Kept]) -> tuple[Kept, ...]:
    return tuple({each.digest: each for each in files}.values())
