"""The tree of a document: sections, numbered entries, bullets under them, and plain paragraphs where they stand.

Marks of structure («IV.», «1.», «1.2.») enclose by rank. Lists (letters, brackets, bullets) nest in the order in
which their marks are met, since every office has its own. A heading in capitals without a number begins a section.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from engine.importer.model import Place
from engine.importer.phrases import lexicon as say
from engine.importer.phrases.marks import STRUCTURE, Mark, Rank
from engine.importer.phrases.owners import Form, owner_line
from engine.importer.reading.pages import Table
from engine.importer.structure.joining import Paragraph, ended
from engine.importer.vietnamese import is_capital, matching

_DUTY = say.compiled(say.DUTY_HEADINGS)
_OTHER = say.compiled(say.OTHER_HEADINGS)
_DUTY_WHOLE = re.compile(
    rf"(?:{say.any_of(say.DUTY_HEADINGS)}(?!\w)[\s,và]*)+(?:kế\s*hoạch|chương\s*trình)?(?: này)?[\s.:]*$"
)
_CLOSER = say.compiled(say.CLOSERS)
_UNNUMBERED = 99


@dataclass
class Node:
    """A paragraph and what stands under it; a table has no paragraph. Built once, then only read."""

    paragraph: Paragraph | None = None
    children: list[Node] = field(default_factory=list)
    table: Table | None = None
    heading: bool = False

    @property
    def mark(self) -> Mark | None:
        return self.paragraph.mark if self.paragraph else None

    @property
    def body(self) -> str:
        return self.paragraph.body.strip() if self.paragraph else ""

    @property
    def place(self) -> Place:
        return self.paragraph.place if self.paragraph else self.table.place if self.table else Place()

    @property
    def label(self) -> str:
        return self.mark.label if self.mark and (self.mark.rank in STRUCTURE or self.mark.rank is Rank.LETTER) else ""

    @property
    def rank(self) -> Rank | None:
        return self.mark.rank if self.mark else None

    def marked(self) -> list[Node]:
        return [child for child in self.children if child.mark is not None]

    def walk(self) -> Iterator[Node]:
        """This node and all under it, in the document's order, without recursion."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


_Key = tuple[int, int]


def outline(blocks: Iterable[Paragraph | Table]) -> Node:
    """The tree of a document under one root."""
    builder = _Builder()
    for block in blocks:
        if isinstance(block, Table):
            builder.attach(Node(table=block))
        else:
            builder.add(block)
    return builder.root


@dataclass
class _Builder:
    root: Node = field(default_factory=Node)
    stack: list[tuple[_Key, Node]] = field(default_factory=list)
    lettered: bool | None = None  # whether «A.» stands inside «I.»; None before the first «A.»

    def add(self, paragraph: Paragraph) -> None:
        node = Node(paragraph)
        key = self._key(node)
        if key is None:
            self.attach(node)
            return
        if key[0] in STRUCTURE:
            while self.stack and (self.stack[-1][0] >= key):
                self.stack.pop()
        else:
            self._pop_to_sibling(key)
        self._top().children.append(node)
        self.stack.append((key, node))

    def attach(self, node: Node) -> None:
        """A plain paragraph or table: under the list entry that announces it with a colon, else under the number."""
        top = self.stack[-1][1] if self.stack else None
        if node.paragraph is not None and self._closes(node.body):
            while self.stack and self.stack[-1][0] >= (Rank.NUMBER, 1):
                self.stack.pop()
        elif top is None or not top.body.endswith(":") or top.children:
            while self.stack and self.stack[-1][0][0] not in STRUCTURE:
                self.stack.pop()
        self._top().children.append(node)

    def _closes(self, text: str) -> bool:
        """Whether a plain paragraph after a list speaks to everybody again («Yêu cầu các sở, ngành …»)."""
        if not self.stack or _CLOSER.match(matching(text)) is None:
            return False
        (rank, _), top = self.stack[-1]
        return rank not in STRUCTURE or bool(top.children) or ended(top.body)

    def _top(self) -> Node:
        return self.stack[-1][1] if self.stack else self.root

    def _pop_to_sibling(self, key: _Key) -> None:
        ranks = []
        for (rank, _), _node in reversed(self.stack):
            if rank in STRUCTURE:
                break
            ranks.append(rank)
        if key[0] in ranks:
            while self.stack[-1][0][0] != key[0]:
                self.stack.pop()
            self.stack.pop()

    def _key(self, node: Node) -> _Key | None:
        if node.mark is not None and node.mark.rank is Rank.CAPITAL:
            if self.lettered is None:
                inside = any(each.rank is Rank.ROMAN for _, each in self.stack)
                self.lettered = inside and node.mark.label == "A"
            return (Rank.ROMAN, 2) if self.lettered else (Rank.CAPITAL, 1)
        if node.mark is not None:
            return node.mark.rank, node.mark.depth
        text = node.body
        if len(text) > 200:
            return None
        owner = owner_line(text)
        if owner is not None and owner.form is Form.ALONE and not owner.start:
            return Rank.NUMBER, _UNNUMBERED
        if is_heading(text):
            node.heading = True
            return Rank.ROMAN, 1
        return None


def is_heading(text: str) -> bool:
    """A heading without a number: capitals, or exactly the name of a duty section."""
    plain = matching(text)
    if is_capital(text):
        return len(text) > 6 and re.search(r"\w{2,}\s+\w{2,}", text) is not None
    return len(text) < 80 and _DUTY_WHOLE.match(plain) is not None and text[:1].isupper()


def is_duty_heading(text: str) -> bool:
    """Whether a heading says that duties are given under it («TỔ CHỨC THỰC HIỆN», «Phân công nhiệm vụ …»)."""
    plain = matching(text)
    return len(text) < 250 and (_DUTY.match(plain) is not None or _mentions(plain))


def _mentions(plain: str) -> bool:
    """«NỘI DUNG VÀ PHÂN CÔNG NHIỆM VỤ», «KẾ HOẠCH PHÂN CÔNG …»: said, though not at the beginning."""
    return re.search(r"(?<!\w)phân\s*công(?:\s*(?:nhiệm\s*vụ|thực\s*hiện|trách\s*nhiệm))?(?!\w)", plain) is not None


def is_other_heading(text: str) -> bool:
    """Whether a heading is of a section that gives no duties («KINH PHÍ», «MỤC TIÊU», «KHẨU HIỆU»)."""
    return _OTHER.match(matching(text)) is not None
