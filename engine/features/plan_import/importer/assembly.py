"""The pipeline from lines to an imported plan: head, paragraphs, tree, duty sections, items, account, and text that
may be a duty although it was read as something else. Pure.

Every assignment in a plan is either a duty or reported here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from enum import StrEnum
from itertools import chain, takewhile
from typing import Any

from engine.errors import BadInput
from engine.features.plan_import.importer.base import model
from engine.features.plan_import.importer.base.model import (
    Accounted,
    Deadline,
    Doubt,
    DutyText,
    ImportedPlan,
    Instruction,
    ItemText,
    SectionText,
    Use,
)
from engine.features.plan_import.importer.duties import SectionRead, duties_elsewhere, section_of
from engine.features.plan_import.importer.phrases.agency_lists import VERB, doer_in
from engine.features.plan_import.importer.phrases.deadlines import LONGEST, is_dated
from engine.features.plan_import.importer.phrases.labels import knowing
from engine.features.plan_import.importer.phrases.marks import body_of, lines_of
from engine.features.plan_import.importer.phrases.name_words import Prose, begins_name, opens_duty
from engine.features.plan_import.importer.phrases.owners import (
    Directory,
    NullDirectory,
    addressees,
    is_of_another,
    owner_line,
)
from engine.features.plan_import.importer.phrases.timing import timing_of
from engine.features.plan_import.importer.reading.pdf import Pages, refused
from engine.features.plan_import.importer.structure.account import Account, balance, without_persons
from engine.features.plan_import.importer.structure.duty_tables import with_text_tables
from engine.features.plan_import.importer.structure.facts import planned_year, with_facts
from engine.features.plan_import.importer.structure.header import parts_of
from engine.features.plan_import.importer.structure.joining import joined
from engine.features.plan_import.importer.structure.outline import Node, Theme, cited, label_path, outline, theme_of
from engine.features.plan_import.importer.structure.sections import duty_sections, survey
from engine.files.directory import fold
from engine.rules.vietnamese import matching, spelled
from engine.text import Text

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


def assembled(pages: Pages, name: str, directory: Directory) -> ImportedPlan:
    """The plan of a document. Raises BadInput if nothing in it assigns duties."""
    with knowing(directory.every_name):
        return _assembled(pages, name, directory)


def _assembled(pages: Pages, name: str, directory: Directory) -> ImportedPlan:
    _require_one_plan(pages, name)
    blocks = with_text_tables(pages.blocks)
    parts = parts_of(blocks)
    root = outline(with_facts(joined(parts.body)))
    survey(root, parts.issuer.text)
    account = Account()
    elsewhere = list(_elsewhere(parts.province, directory))
    directory = NullDirectory() if elsewhere else directory
    read = _sections(root, directory, account)
    items = [item for section in read for item in section.items]
    if not any(item.duties for item in items):
        raise _without_duties(name)
    said = list(chain.from_iterable(section.instructions for section in read))
    entries = account.closed(parts, root, blocks)
    surplus = balance(entries, pages.blocks)
    entries = without_persons(entries, account.persons)
    planned = planned_year(parts.title, parts.date, _times(items, said))
    doubts = chain(
        elsewhere,
        pages.doubts,
        _several_plans(pages),
        parts.doubts,
        chain.from_iterable(section.doubts for section in read),
        overlooked(entries, items, said),
        _unbalanced(surplus),
        planned.doubts,
    )
    return ImportedPlan(
        name=name,
        number=parts.number,
        date=parts.date,
        date_words=parts.date_words,
        issuer=parts.issuer,
        title=parts.title,
        recipients=tuple(parts.foot.recipients),
        sections=tuple(
            _with_time_doubts(section.section, planned.year, parts.date) for section in read if section.items
        ),
        warnings=tuple(dict.fromkeys(doubts)),
        instructions=tuple(sorted(said, key=lambda each: each.place.order)),
        account=entries,
        year=planned.year,
        last_year=planned.last_year,
    )


_MOTTO = spelled("(?:cộng hòa xã hội chủ nghĩa|đảng cộng sản) việt nam")
_OWN_NUMBER = re.compile(r"(?i)\s*số\s*:?\s*(\d{1,5}[a-z]?[/-](?:\d{4}/)?(?:KH|CTr|CT|PA|ĐA|HD)\b[\w/-]*)")


def _require_one_plan(pages: Pages, name: str) -> None:
    """Raises BadInput for a file with the heads of several plans, whose duties would all be taken for the first's."""
    lines = [line.text for block in pages.blocks for line in block.lines()]
    if sum(_MOTTO.search(matching(line)) is not None for line in lines if len(line) < 300) < 2:
        return
    found = dict.fromkeys(number[1] for line in lines if (number := _OWN_NUMBER.match(line)))
    if len(found) > 1:
        raise refused(name, "several", ", ".join(found), len(found))


_NUMBER_LINE = re.compile(r"\s*Số\s*:\s*(\d{1,5}[a-z]?[/-](?:\d{4}/)?(?:KH|CTr|CT|PA|ĐA|HD)\b[\w/-]*)")


def _several_plans(pages: Pages) -> Iterator[Doubt]:
    """The heads of a second plan in the file, without the motto by which it would be refused."""
    lines = (line.text for block in pages.blocks for line in block.lines())
    numbers = list(dict.fromkeys(found[1] for line in lines if (found := _NUMBER_LINE.match(line))))
    if len(numbers) > 1:
        said = f"Tệp có số của nhiều kế hoạch ({', '.join(numbers)}): nhập mỗi kế hoạch một tệp."
        yield Doubt("several_plans", said, "cả văn bản")


def _without_duties(name: str) -> BadInput:
    return BadInput(
        Text(
            f"Văn bản «{name}» không có mục nào giao nhiệm vụ cho cơ quan, như «PHÂN CÔNG NHIỆM VỤ» "
            "hoặc «TỔ CHỨC THỰC HIỆN». Hãy kiểm tra đúng tệp, hoặc chép mục đó vào một tệp văn bản.",
            f"The document “{name}” has no section that assigns duties to agencies. Check that it is the right file.",
        )
    )


def _unbalanced(letters: int) -> Iterator[Doubt]:
    """``letters``: how many more were read than the document has."""
    if letters:
        much = f"{'thừa' if letters > 0 else 'thiếu'} {abs(letters)} chữ"
        yield Doubt("unbalanced", f"Bản đọc {much} so với văn bản; hãy so lại với bản gốc.", "cả văn bản")


def _times(items: Iterable[ItemText], said: Iterable[Instruction]) -> Iterator[Deadline]:
    """The words about time of all duties and instructions."""
    yield from (time for item in items for duty in item.duties for time in duty.deadlines)
    yield from (time for each in said for time in each.deadlines)


def _with_time_doubts(section: SectionText, year: int | None, issued: date | None) -> SectionText:
    """A section whose duties carry what a person has to confirm of their times."""

    def with_doubts(duty: DutyText) -> DutyText:
        return replace(duty, doubts=timing_of(duty.deadlines, year, issued).doubts_of(duty.citation))

    items = (replace(item, duties=tuple(map(with_doubts, item.duties))) for item in section.items)
    return replace(section, items=tuple(items))


def _elsewhere(province: str, directory: Directory) -> Iterable[Doubt]:
    """The first warning: the plan is of another province than the directory, whose agencies have the same names."""
    here = directory.name if directory.id else ""
    if province and here and fold(here) not in ("co quan", fold(province)):
        message = (
            f"Kế hoạch của {province.title()}, danh bạ đang dùng là của {here}: không khớp cơ quan nào của tỉnh khác; "
            "hãy dùng danh bạ của tỉnh này, hoặc chọn từng cơ quan."
        )
        yield Doubt("other_province", message, "đầu văn bản")


def _sections(root: Node, directory: Directory, account: Account) -> list[SectionRead]:
    """The sections that give duties, and the parts of others in which sentences do, in the document's order."""
    taken: Counter[str] = Counter()

    def read(node: Node, reader: Callable[[Node, Directory, str, Account], SectionRead]) -> SectionRead:
        label = cited(label_path(node))
        n = taken[label] + 1
        found = reader(node, directory, label if n == 1 else f"{label}-{n}" if label else f"M{n}", account)
        taken[label] += bool(found.items)
        return found

    sections = [read(node, section_of) for node in duty_sections(root)]
    if any(found.items for found in sections):
        preface = takewhile(lambda node: node.mark is None and not node.heading, root.children)
        sections += [read(node, duties_elsewhere) for node in root.children[sum(1 for _ in preface) :]]
    return sorted(sections, key=lambda found: found.node.place.order)


_FIELDS: Mapping[type, str] = {
    model.SectionText: "heading roman source items",
    model.ItemText: "no owner owners origin request topic? source duties",
    model.DutyText: (
        "citation text lead? monitor? product? mark? coordinating reports_to deadlines details doubts source"
    ),
    model.Deadline: "text kind days before cadence sentence",
    model.Instruction: "text owners deadlines reports_to source",
    model.Accounted: "text reason serious source",
    model.Doubt: "code message place words?",
    model.Found: "text",
}
"""The fields written for each type. «?»: null if the document has none. ``source``: its place."""


def as_json(plan: model.ImportedPlan) -> dict[str, Any]:
    """``{"number", "date", "issuer", "title", "sections": […], "warnings": […]}`` with, beside them, ``year``: the one
    planned, ``found``: where each field of the head stands, ``recipients``, ``instructions`` to everybody, what was
    ``left_out``, and the ``account``: how many paragraphs were put to which use. Absent fields are null."""
    head = {"number": plan.number, "date": plan.date_words, "issuer": plan.issuer, "title": plan.title}
    return {
        **{name: found.text or None for name, found in head.items()},
        "date": plan.date.isoformat() if plan.date else None,
        "year": plan.year,
        "last_year": plan.last_year,
        "recipients": list(plan.recipients),
        "found": {name: _fields(each) | _place(each.place) if each else None for name, each in head.items()},
        "sections": _plain(plan.sections),
        "instructions": _plain(plan.instructions),
        "left_out": [_plain(each) for each in plan.left_out if each.text],
        "account": {use.value: sum(each.use is use for each in plan.account) for use in model.Use},
        "warnings": _plain(plan.warnings),
    }


def _plain(value: object) -> object:
    """A value of the model as lists, dicts and texts; an owner of a duty is its name."""
    match value:
        case tuple():
            return [_plain(each) for each in value]
        case StrEnum():
            return value.value
        case model.Owner():
            return value.name
        case model.Place():
            return _place(value)
        case _ if type(value) in _FIELDS:
            return _fields(value)
    return value


def _place(place: model.Place) -> dict[str, int]:
    others = {"page": place.page, "table": place.table, "row": place.row}
    return {"line": place.line} | {name: number for name, number in others.items() if number}


def _fields(value: object) -> dict[str, object]:
    plain: dict[str, object] = {}
    for field in _FIELDS[type(value)].split():
        name = field.rstrip("?")
        found = _plain(getattr(value, "place" if name == "source" else name))
        plain[name] = (found or None) if field.endswith("?") else found
    if isinstance(value, model.ItemText):
        plain["bodies"] = [
            {"name": owner.name, "id": owner.agency or None, "group": owner.group, "members": owner.members or None}
            for owner in value.owners
        ]
    return plain
