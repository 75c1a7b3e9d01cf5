"""Which parts of a document give duties, and which entries in them name who is to do them.

A section is judged by what stands in it: labelled leads («Đơn vị chủ trì: …»), a duty table, or entries of which half
at least begin with a body. Its heading decides only where it says so («TỔ CHỨC THỰC HIỆN», «MỤC TIÊU»).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.importer.phrases.agency_lists import doer_in
from engine.importer.phrases.deadlines import is_dated
from engine.importer.phrases.labels import Label, label_of_line
from engine.importer.phrases.marks import Rank
from engine.importer.phrases.owners import Form, OwnerLine, owner_line
from engine.importer.structure.duty_tables import Columns, columns_of, continued
from engine.importer.structure.joining import ended
from engine.importer.structure.outline import Node, Theme, theme_of, under_topic
from engine.importer.vietnamese import matching

_LONGEST_TASK = 2000
_ABOUT = re.compile(r"đối\s*với(?!\w)")


@dataclass
class Survey:
    """What is known of every node, found once: its owner line, its theme, and how much of it names bodies."""

    owners: dict[int, OwnerLine | None] = field(default_factory=dict)
    doers: dict[int, OwnerLine | None] = field(default_factory=dict)
    themes: dict[int, Theme] = field(default_factory=dict)
    named: dict[int, int] = field(default_factory=dict)
    half: dict[int, bool] = field(default_factory=dict)
    tables: dict[int, Columns] = field(default_factory=dict)
    beside: dict[tuple[int, Rank | None], tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Node) -> Survey:
        found = cls()
        last: Columns | None = None
        nodes = list(root.walk())
        for node in nodes:
            if node.table is not None:
                columns = columns_of(node.table) or (continued(node.table, last) if last else None)
                if columns is not None:
                    found.tables[id(node)] = last = columns
        for node in reversed(nodes):
            found._count(node)
        return found

    def owner(self, node: Node) -> OwnerLine | None:
        return self.owners.get(id(node))

    def doer(self, node: Node) -> OwnerLine | None:
        """Who is to do a task by its words, where it does not begin with them."""
        return self.doers.get(id(node))

    def theme(self, node: Node) -> Theme:
        return self.themes.get(id(node), Theme.OPEN)

    def columns(self, node: Node) -> Columns | None:
        return self.tables.get(id(node))

    def is_entry(self, node: Node) -> bool:
        """Whether a node itself names who is to do it."""
        told = self.doer(node) is not None and self.theme(node) is not Theme.OTHER
        return self.owner(node) is not None or node.leads or told

    def gives_duties(self, node: Node) -> bool:
        """Whether half of the entries under a node, or a table there, name bodies."""
        return self.half.get(id(node), False)

    def among(self, node: Node) -> bool:
        """Whether most entries beside a node, of its kind of mark, name bodies."""
        if node.parent is None:
            return False
        key = id(node.parent), node.rank
        if key not in self.beside:
            entries = [each for each in node.parent.children if each.rank is node.rank]
            self.beside[key] = sum(self.owner(each) is not None for each in entries), len(entries)
        owned, all_ = self.beside[key]
        return 2 * (owned - (self.owner(node) is not None)) >= all_ - 1 > 0

    def _count(self, node: Node) -> None:
        """Called for children before parents."""
        if node.paragraph is not None:
            theme = self.themes[id(node)] = theme_of(node.body)
            headed = bool(node.children) and not ended(node.body)
            label = label_of_line(node.body)
            body = label[1] if label and label[0] is Label.LEAD else node.body
            line = self.owners[id(node)] = owner_line(body, headed=headed) if theme is not Theme.OTHER else None
            if line is None and not headed and len(node.body) < _LONGEST_TASK and not node.leads:
                self.doers[id(node)] = doer_in(node.body)
        entries = [child for child in node.children if self._counts(child)]
        good = [child for child in entries if self.is_entry(child) or self.half.get(id(child), False)]
        about = sum(_ABOUT.match(matching(child.body[:12])) is not None for child in entries)
        tables = sum(id(child) in self.tables for child in node.children)
        self.named[id(node)] = sum(self.named.get(id(child), 0) or self.is_entry(child) for child in good) + 2 * tables
        self.half[id(node)] = bool(tables) or (
            len(good) > 0 and 2 * len(good) >= len(entries) and 2 * about < len(good)
        )

    def _counts(self, node: Node) -> bool:
        """An entry has a mark, labelled leads, is a body alone on its line, or a paragraph under a topic."""
        owner = self.owner(node)
        alone = owner is not None and (owner.form is Form.ALONE or under_topic(node))
        return node.mark is not None or node.heading or node.leads or alone


def duty_sections(root: Node, survey: Survey) -> list[Node]:
    """The nodes whose children give duties, outermost first, in the document's order; possibly the root itself."""
    found = list(_sections(root, survey))
    if found:
        return found
    return [root] if survey.gives_duties(root) and survey.named[id(root)] >= 2 else []


def _sections(node: Node, survey: Survey) -> Iterator[Node]:
    for child in node.children:
        if child.table is not None:
            continue
        line, theme = survey.owner(child), survey.theme(child)
        entry = line is not None and not (line.form is Form.ALONE and line.start and survey.gives_duties(child))
        several = survey.gives_duties(child) and survey.named[id(child)] >= 2
        dated = any(survey.is_entry(each) and _is_dated(each) for each in child.marked())
        titled = theme is Theme.DUTIES and _is_section_rank(child) and (child.children or ":" in child.body)
        full = theme is Theme.OPEN and bool(child.children) and (several or dated or _has_leads(child))
        full = full or any(_is_order(each) for each in child.marked())
        if not entry and (titled or full):
            yield child
        else:
            yield from _sections(child, survey)
    if node.paragraph is None and any(survey.columns(child) for child in node.children):
        yield node


def _is_dated(node: Node) -> bool:
    return any(is_dated(each.body) for each in (node, *node.children))


def _is_order(node: Node) -> bool:
    """Whether an entry gives a body a last day, whatever stands above it («Giao Sở Y tế lập dự toán trước ngày …»)."""
    line = owner_line(node.body) if not node.children else None
    return line is not None and line.start > 0 and line.form is not Form.ALONE and is_dated(node.body)


def _has_leads(node: Node) -> bool:
    return any(child.leads for child in node.children)


def _is_section_rank(node: Node) -> bool:
    return node.heading or (node.rank is not None and node.rank <= Rank.LETTER)
