"""The whole way from lines to an imported plan: head, paragraphs, tree, duty sections, items."""

from __future__ import annotations

from collections import Counter

from engine.errors import BadInput
from engine.importer.duties import section_of
from engine.importer.model import Doubt, ImportedPlan, SectionText
from engine.importer.phrases.marks import Rank
from engine.importer.phrases.owners import Directory
from engine.importer.reading.pages import Pages
from engine.importer.structure.header import parts_of
from engine.importer.structure.joining import joined
from engine.importer.structure.outline import Node, outline
from engine.importer.structure.sections import Survey, duty_sections
from engine.importer.structure.text_tables import with_text_tables
from engine.text import Text


def assembled(pages: Pages, name: str, directory: Directory) -> ImportedPlan:
    """The plan of a document that was read. Raises BadInput when nothing in it gives duties to anybody."""
    parts = parts_of(with_text_tables(pages.blocks))
    root = outline(joined(parts.body))
    survey = Survey.of(root)
    sections: list[SectionText] = []
    doubts: list[Doubt] = [*pages.doubts, *parts.header.doubts]
    taken: Counter[str] = Counter()
    for node in duty_sections(root, survey):
        roman = _roman(node, taken)
        section, found = section_of(node, survey, directory, roman, _heading(node))
        if section.items:
            sections.append(section)
            doubts += found
        else:
            taken[roman] -= 1
    if not any(item.duties for section in sections for item in section.items):
        raise BadInput(
            Text(
                f"Văn bản «{name}» không có mục nào giao nhiệm vụ cho cơ quan, như «PHÂN CÔNG NHIỆM VỤ» "
                "hoặc «TỔ CHỨC THỰC HIỆN». Hãy kiểm tra đúng tệp, hoặc chép mục đó vào một tệp văn bản.",
                f"The document “{name}” has no section that assigns duties to agencies. Check that it is "
                "the right file.",
            )
        )
    head = parts.header
    return ImportedPlan(
        name,
        head.number,
        head.date,
        head.date_words,
        head.issuer,
        head.title,
        parts.recipients,
        tuple(sections),
        tuple(dict.fromkeys(doubts)),
    )


def _heading(node: Node) -> str:
    """The words of a section's heading; an annex has them on the line after its number."""
    below = next((child.body for child in node.children if child.heading), "") if node.rank is Rank.ANNEX else ""
    return node.body or below


def _roman(node: Node, taken: Counter[str]) -> str:
    """The number of a section as printed; «PL», «PL2» for annexes; made different where it stands twice."""
    label = f"PL{node.label}" if node.rank is Rank.ANNEX else node.label
    taken[label] += 1
    if taken[label] == 1:
        return label
    return f"{label}-{taken[label]}" if label else f"M{taken[label]}"
