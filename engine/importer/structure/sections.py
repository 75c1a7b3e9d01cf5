"""Which parts of a document give duties, and which entries in them name who is to do them.

By what they are and not by their number: a heading that says so («TỔ CHỨC THỰC HIỆN»), or entries of which half at
least begin with a body. Sections about aims, money or slogans give none, whatever they mention.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.importer.phrases.agency_lists import bodies_in
from engine.importer.phrases.labels import Label, label_of_line
from engine.importer.phrases.marks import Rank
from engine.importer.phrases.names import Name
from engine.importer.phrases.owners import Form, OwnerLine, owner_line
from engine.importer.structure.duty_tables import Columns, columns_of, continued
from engine.importer.structure.joining import ended
from engine.importer.structure.outline import Node, is_duty_heading, is_other_heading


@dataclass(frozen=True)
class Facts:
    """What the labelled lines under an entry say («Cơ quan chủ trì: …»)."""

    lead: tuple[Name, ...] = ()
    coordinating: tuple[Name, ...] = ()
    monitor: str = ""
    deadline: str = ""
    product: str = ""


@dataclass
class Survey:
    """What is known of every node, found once: its owner line, its labelled facts, and how much of it names bodies."""

    owners: dict[int, OwnerLine | None] = field(default_factory=dict)
    facts: dict[int, Facts] = field(default_factory=dict)
    named: dict[int, int] = field(default_factory=dict)
    half: dict[int, bool] = field(default_factory=dict)
    tables: dict[int, Columns] = field(default_factory=dict)

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

    def facts_of(self, node: Node) -> Facts:
        return self.facts.get(id(node), Facts())

    def columns(self, node: Node) -> Columns | None:
        return self.tables.get(id(node))

    def is_entry(self, node: Node) -> bool:
        """Whether a node itself names who is to do it."""
        return self.owner(node) is not None or bool(self.facts_of(node).lead)

    def gives_duties(self, node: Node) -> bool:
        """Whether half of the entries under a node, or a table there, name bodies."""
        return self.half.get(id(node), False)

    def _count(self, node: Node) -> None:
        """Called for children before parents."""
        if node.paragraph is not None:
            headed = bool(node.children) and not ended(node.body)
            self.owners[id(node)] = owner_line(node.body, headed=headed) if not is_other_heading(node.body) else None
        facts = _facts(node)
        if facts:
            self.facts[id(node)] = facts
        entries = [child for child in node.children if self._counts(child)]
        good = [child for child in entries if self.is_entry(child) or self.half.get(id(child), False)]
        tables = sum(id(child) in self.tables for child in node.children)
        self.named[id(node)] = sum(self.named.get(id(child), 0) or self.is_entry(child) for child in good) + 2 * tables
        self.half[id(node)] = bool(tables) or (len(good) > 0 and 2 * len(good) >= len(entries))

    def _counts(self, node: Node) -> bool:
        """An entry has a mark, or is a body alone on its line."""
        owner = self.owner(node)
        return node.mark is not None or node.heading or (owner is not None and owner.form is Form.ALONE)


def _facts(node: Node) -> Facts | None:
    """The labelled lines directly under a node; the first of a kind wins."""
    found: dict[Label, str] = {}
    for child in node.children:
        parts = label_of_line(child.body) if child.paragraph else None
        if parts:
            found.setdefault(*parts)
    if not found:
        return None
    return Facts(
        tuple(bodies_in(found.get(Label.LEAD, ""))),
        tuple(bodies_in(found.get(Label.COORDINATING, ""))),
        found.get(Label.MONITOR, ""),
        found.get(Label.DEADLINE, ""),
        found.get(Label.PRODUCT, ""),
    )


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
        line = survey.owner(child)
        entry = line is not None and not (line.form is Form.ALONE and line.start and survey.gives_duties(child))
        if not entry and _is_section_rank(child) and is_duty_heading(child.body):
            yield child
        elif is_other_heading(child.body) and not entry:
            continue
        elif not entry and child.children and survey.gives_duties(child) and survey.named[id(child)] >= 2:
            yield child
        else:
            yield from _sections(child, survey)
    if node.paragraph is None and any(survey.columns(child) for child in node.children):
        yield node


def _is_section_rank(node: Node) -> bool:
    return node.heading or (node.rank is not None and node.rank <= Rank.LETTER)
