"""Finds text that may be a duty although it was read as something else: paragraphs left out, headings, names, parts of
a duty, instructions. Every assignment in a plan is either a duty or reported here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from engine.features.plan_import.importer.base.model import Accounted, Doubt, DutyText, Instruction, ItemText, Use
from engine.features.plan_import.importer.phrases.agency_lists import VERB, doer_in
from engine.features.plan_import.importer.phrases.deadlines import LONGEST, is_dated
from engine.features.plan_import.importer.phrases.marks import body_of, lines_of
from engine.features.plan_import.importer.phrases.name_words import Prose, begins_name, opens_duty
from engine.features.plan_import.importer.phrases.owners import addressees, is_of_another, owner_line
from engine.features.plan_import.importer.structure.outline import Theme, theme_of
from engine.rules.vietnamese import matching, spelled

_NEXT = re.compile(r"[.;]\s+(?=[^\W\d_])")
_ANNOUNCED = spelled(r"(?<!\w)thông báo (?:để|đến|cho|tới) .{2,80}biết")
_SHOWN = 80
_LONGEST_LIST = 240


def overlooked(entries: Sequence[Accounted], items: Iterable[ItemText], said: Iterable[Instruction]) -> Iterator[Doubt]:
    """A doubt for each, grouped by kind, in the document's order."""
    yield from _of_entries(entries)
    open_ = _under_open_headings(entries)
    for asked in said:
        if (_is_of_one(asked) or open_.get(asked.place.order)) and not _ANNOUNCED.search(matching(asked.text)):
            yield _doubt("yêu cầu chung", asked.text, str(asked.place))
    for item in items:
        own = {owner.name for owner in item.owners}
        for duty in item.duties:
            for part in (*_parts(duty.text, own), *_beside(duty, own)):
                yield _doubt(f"một phần của {duty.citation}", part, duty.citation)


def _of_entries(entries: Iterable[Accounted]) -> Iterator[Doubt]:
    """What was left out though it looks like a duty, headings that do."""
    for entry in entries:
        if entry.use is Use.LEFT_OUT and entry.serious:
            message = f"Không lấy thành nhiệm vụ: «{_shown(entry.text)}» ({entry.reason})."
            yield Doubt("left_out", message, str(entry.place), entry.text[:_SHOWN])
        elif _is_title(entry) and _gives_work(entry):
            yield _doubt("tiêu đề", entry.text, str(entry.place))


def _is_title(entry: Accounted) -> bool:
    return entry.use in (Use.HEADING, Use.OWNER) and not entry.place.row


def _gives_work(title: Accounted) -> bool:
    """Whether a heading or a name has a day, or says who does what, and does not lead in («… yêu cầu các phòng:»)."""
    body = body_of(title.text)
    if len(body) > LONGEST or is_dated(body):
        return True
    return title.use is Use.HEADING and doer_in(body) is not None and addressees(body) is None


def _under_open_headings(entries: Iterable[Accounted]) -> Mapping[int, bool]:
    """Block → whether the heading above it says neither that duties are given below it nor that none are."""
    found: dict[int, bool] = {}
    under = False
    for entry in entries:
        if _is_title(entry):
            under = entry.use is Use.HEADING and theme_of(body_of(entry.text)) is Theme.OPEN
        found[entry.place.order] = under
    return found


def _is_of_one(asked: Instruction) -> bool:
    """Whether an instruction names one body, asks for something again and again, or gives something to do and names
    nobody."""
    if any(each.cadence for each in asked.deadlines):
        return True
    if asked.owners:
        return not any(owner.group for owner in asked.owners)
    return matching(asked.text).startswith(("giao ", "yêu cầu ", "đề nghị ")) or opens_duty(asked.text)


def _parts(text: str, own: set[str]) -> list[str]:
    """The parts of a duty's words that are another body's, and those after what may be the names of its own."""
    lines = lines_of(text[:LONGEST])
    parts = (part for line in lines for part in (line, *(line[each.end() :] for each in _NEXT.finditer(line))))
    found = [part for part in parts if is_of_another(owner_line(part) if part[:1].isupper() else None, own)]
    found += [line for line in lines[1:] if line not in found and is_of_another(doer_in(line), own)]
    return found if lines[0] in found else [*found, *_after_names(lines, own)]


def _beside(duty: DutyText, own: set[str]) -> list[str]:
    """The details of a duty that name a day or are another body's."""
    return [each for each in duty.details if is_dated(each) or is_of_another(doer_in(each), own)]


def _after_names(lines: Sequence[str], own: set[str]) -> Sequence[str]:
    """What follows the colon, or the first line, where what may be names stands before a colon."""
    before, colon, rest = lines[0][:_LONGEST_LIST].partition(":")
    named = before.startswith(tuple(own)) or begins_name(Prose.of(before), 0)
    if not (colon and named) or VERB.search(matching(before)):
        return ()
    return [rest.strip()] if rest else lines[1:]


def _shown(text: str) -> str:
    return text[:_SHOWN] + ("…" if len(text) > _SHOWN else "")


def _doubt(read_as: str, text: str, place: str) -> Doubt:
    return Doubt("overlooked", f"Đọc là {read_as}, có thể là nhiệm vụ riêng: «{_shown(text)}».", place, text[:_SHOWN])
