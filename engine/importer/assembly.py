"""The whole way from lines to an imported plan: head, paragraphs, tree, duty sections, items."""

from __future__ import annotations

from engine.errors import BadInput
from engine.importer.duties import section_of
from engine.importer.header import parts_of
from engine.importer.joining import joined
from engine.importer.marks import Rank
from engine.importer.model import Doubt, ImportedPlan, SectionText
from engine.importer.outline import Node, outline
from engine.importer.owners import Directory
from engine.importer.pages import Pages
from engine.importer.sections import Survey, duty_sections
from engine.importer.texttables import with_text_tables


def assembled(pages: Pages, name: str, directory: Directory) -> ImportedPlan:
    """The plan of a document that was read. Raises BadInput when nothing in it gives duties to anybody."""
    parts = parts_of(with_text_tables(pages.blocks))
    root = outline(joined(parts.body))
    survey = Survey.of(root)
    sections: list[SectionText] = []
    doubts: list[Doubt] = [*pages.doubts, *parts.header.doubts]
    for node in duty_sections(root, survey):
        roman = _roman(node, {section.roman for section in sections})
        section, found = section_of(node, survey, directory, roman, _heading(node))
        if section.items:
            sections.append(section)
            doubts += found
    if not any(item.duties for section in sections for item in section.items):
        raise BadInput(
            f"Văn bản «{name}» không có mục nào giao nhiệm vụ cho cơ quan (như «PHÂN CÔNG NHIỆM VỤ», «TỔ CHỨC THỰC HIỆN»). "
            "Hãy kiểm tra đúng tệp, hoặc chép mục đó vào một tệp văn bản. "
            f"/ The document “{name}” has no section that assigns duties to agencies. Check that it is the right file."
        )
    head = parts.header
    return ImportedPlan(
        name, head.number, head.date, head.date_words, head.issuer, head.title, parts.recipients, tuple(sections),
        tuple(dict.fromkeys(doubts)),
    )  # fmt: skip


def _heading(node: Node) -> str:
    """The words of a section's heading; an annex has them on the line after its number."""
    below = next((child.body for child in node.children if child.heading), "") if node.rank is Rank.ANNEX else ""
    return node.body or below


def _roman(node: Node, taken: set[str]) -> str:
    """The number of a section as printed; «PL», «PL2» for annexes; made different where it stands twice."""
    label = node.label
    if node.mark is not None and node.mark.rank is Rank.ANNEX:
        label = f"PL{label}"
    if label not in taken or not label:
        return label if label or "" not in taken else _free("M", taken)
    return _free(f"{label}-", taken)


def _free(stem: str, taken: set[str]) -> str:
    return next(f"{stem}{n}" for n in range(2, 100_000) if f"{stem}{n}" not in taken)
