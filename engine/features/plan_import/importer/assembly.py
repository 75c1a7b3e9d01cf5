"""The pipeline from lines to an imported plan: head, paragraphs, tree, duty sections, items, account. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from itertools import chain, takewhile

from engine.errors import BadInput
from engine.features.plan_import.importer.base.model import (
    Deadline,
    Doubt,
    DutyText,
    ImportedPlan,
    Instruction,
    ItemText,
    SectionText,
)
from engine.features.plan_import.importer.duties import SectionRead, duties_elsewhere, section_of
from engine.features.plan_import.importer.overlooked import overlooked
from engine.features.plan_import.importer.phrases.labels import knowing
from engine.features.plan_import.importer.phrases.owners import Directory, NullDirectory
from engine.features.plan_import.importer.phrases.timing import timing_of
from engine.features.plan_import.importer.reading.limits import refused
from engine.features.plan_import.importer.reading.pdf import Pages
from engine.features.plan_import.importer.structure.account import Account, balance, without_persons
from engine.features.plan_import.importer.structure.duty_tables import with_text_tables
from engine.features.plan_import.importer.structure.facts import planned_year, with_facts
from engine.features.plan_import.importer.structure.header import parts_of
from engine.features.plan_import.importer.structure.joining import joined
from engine.features.plan_import.importer.structure.outline import Node, cited, label_path, outline
from engine.features.plan_import.importer.structure.sections import duty_sections, survey
from engine.files.directory import fold
from engine.rules.vietnamese import matching, spelled
from engine.text import Text


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
