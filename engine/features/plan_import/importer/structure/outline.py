"""The tree of a document: sections, numbered entries, bullets under them, and plain paragraphs where they stand.

Marks of structure («IV.», «1.», «1.2.») enclose by rank. Lists (letters, brackets, bullets) nest in the order in
which their marks are met, since every office has its own. A heading in capitals without a number begins a section.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import takewhile, zip_longest

from engine.features.plan_import.importer.base.model import Place
from engine.features.plan_import.importer.phrases import lexicon as say
from engine.features.plan_import.importer.phrases.agency_lists import closes_plan, doer_in, speaks_to_all
from engine.features.plan_import.importer.phrases.deadlines import is_dated
from engine.features.plan_import.importer.phrases.labels import Label, is_task_title, label_of_column, label_of_line
from engine.features.plan_import.importer.phrases.marks import BULLETS, STRUCTURE, Mark, Rank, is_step, roman_value
from engine.features.plan_import.importer.phrases.name_words import opens_duty
from engine.features.plan_import.importer.phrases.owners import (
    OwnerLine,
    addressees,
    bodies_alone,
    owner_line,
    spelled_out,
)
from engine.features.plan_import.importer.reading.pdf import Table
from engine.features.plan_import.importer.structure.duty_tables import Columns
from engine.features.plan_import.importer.structure.joining import Fact, Paragraph, ended
from engine.rules.vietnamese import is_capital, matching, spelled

_DUTY = say.compiled(say.DUTY_HEADINGS)
_OTHER = say.compiled(say.OTHER_HEADINGS)
_UNNUMBERED = 99


class Theme(Enum):
    """What a heading says about its section: it assigns duties, it assigns none, or neither."""

    DUTIES = 1
    OTHER = 2
    OPEN = 3


@dataclass(kw_only=True)
class Node:
    """A paragraph and what stands under it; a table has no paragraph. Built once, then only read."""

    paragraph: Paragraph | None = None
    children: list[Node] = field(default_factory=list)
    table: Table | None = None
    heading: bool = False
    parent: Node | None = field(default=None, repr=False)
    facts: list[Fact] = field(default_factory=list)
    # What ``sections.survey`` says of it: who is to do it by its first words, or by others; what its heading is about;
    # how many entries below name bodies, whether half of them do, or most of those beside it; which of the points with
    # its kind of mark it is, the columns of a table.
    owner: OwnerLine | None = None
    doer: OwnerLine | None = None
    theme: Theme = Theme.OPEN
    named: int = 0
    gives_duties: bool = False
    among: bool = False
    turn: int = 0
    columns: Columns | None = None

    @property
    def mark(self) -> Mark | None:
        return self.paragraph.mark if self.paragraph else None

    @property
    def body(self) -> str:
        return self.paragraph.body.strip() if self.paragraph else ""

    @property
    def ended(self) -> bool:
        """Whether it ends like a sentence or the entry of a list."""
        return ended(self.body)

    @property
    def opens(self) -> bool:
        """Whether it begins like a duty."""
        return opens_duty(self.body)

    @property
    def announces(self) -> bool:
        return self.body.endswith(":")

    @property
    def place(self) -> Place:
        return self.paragraph.place if self.paragraph else self.table.place if self.table else Place()

    @property
    def label(self) -> str:
        if self.mark is None or self.rank in BULLETS:
            return ""
        return f"({self.mark.label})" if self.mark.rank is Rank.BRACKET else self.mark.label

    @property
    def rank(self) -> Rank | None:
        return self.mark.rank if self.mark else None

    @property
    def leads(self) -> bool:
        """Whether a labelled line says who is to do it."""
        return any(fact.label is Label.LEAD for fact in self.facts)

    @property
    def is_entry(self) -> bool:
        """Whether it names itself who is to do it."""
        return self.owner is not None or self.leads or (self.doer is not None and self.theme is not Theme.OTHER)

    def marked(self) -> list[Node]:
        return [child for child in self.children if child.mark is not None]

    def walk(self) -> Iterator[Node]:
        """This node and all under it, in the document's order, without recursion."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


def label_path(node: Node) -> tuple[str, ...]:
    """The numbers from the outermost down to a node: ("II", "6", "6.1"); an article or annex starts again."""
    labels: list[str] = []
    at: Node | None = node if node.table is None else node.parent
    while at is not None and at.paragraph is not None:
        article, annex = at.label.startswith("Điều"), at.rank is Rank.ANNEX
        if article and labels and (roman_value(labels[-1]) or labels[-1].isupper()):
            break  # the plan after the articles of the decision that issues it
        label = f"PL{at.label}" if annex else at.label
        labels += [label] if label else []
        at = None if annex or article else at.parent
    return tuple(reversed(labels))


def cited(labels: Sequence[str]) -> str:
    """«II.6.1» of ("II", "6", "6.1"): a number that the next one repeats is said once."""
    kept = [
        label for n, label in enumerate(labels) if not any(each.startswith(f"{label}.") for each in labels[n + 1 :])
    ]
    return ".".join(kept)


_Key = tuple[int, int]


def outline(blocks: Iterable[Paragraph | Table]) -> Node:
    """The tree of a document under one root."""
    builder = _Builder()
    waiting = list(blocks)
    for block, following in zip_longest(waiting, waiting[1:]):
        if isinstance(block, Table):
            builder.attach(Node(table=block))
        else:
            builder.add(block, following.mark if isinstance(following, Paragraph) else None)
    _share_facts(builder.root)
    return builder.root


def _share_facts(root: Node) -> None:
    """Labelled lines that speak of more than the point they follow are put to the node above it."""
    for node in reversed(list(root.walk())):
        if not _gather(node):
            _lift(node)


def _titles(node: Node) -> bool:
    """Whether plain paragraphs stand under a «(3)» or «a)» that is a title."""
    return node.rank in (Rank.BRACKET, Rank.LETTER) and not node.ended and not node.marked()


def is_part(node: Node) -> bool:
    """Whether a node is a section of the document, not an entry of one."""
    return node.rank is None or node.rank <= Rank.ROMAN


def under_topic(node: Node) -> bool:
    """Whether a paragraph without a mark stands under a numbered title («1. Về tuyên truyền», «(1) Tuyên truyền»)."""
    above = node.parent
    if node.mark is not None or above is None or above.rank not in (Rank.NUMBER, Rank.BRACKET, Rank.LETTER):
        return False
    if above.ended and not (above.announces or is_step(above.body)):
        return False
    return theme_of(above.body) is Theme.OPEN and owner_line(above.body, headed=True) is None


_TITLED = re.compile(
    r"(?:nội dung|nhiệm vụ|yêu cầu|mục tiêu|thành phần|địa điểm|đối tượng)[^:.;]{0,30}:", re.IGNORECASE
)


def _lift(node: Node) -> None:
    """Labelled lines after the last of several points speak of all of them when no other point says who is to do it."""
    below = node.children
    if node.paragraph is None or node.leads or not _holds_list(node):
        return
    if node.ended and not (len(below) == 1 and matching(below[0].body).startswith("nội dung:")):
        return
    if below[-1].leads and not any(each.leads or doer_in(each.body) for each in below[:-1]):
        node.facts += below[-1].facts
        below[-1].facts = []


def _holds_list(node: Node) -> bool:
    """Whether what stands below a title are its points: several, or one with a title of its own, or one paragraph below
    an entry."""
    below = node.children
    if len(below) != 1:
        return len(below) > 1 and all(each.paragraph is not None and each.rank not in STRUCTURE for each in below)
    return _TITLED.match(below[0].body) is not None or (below[0].mark is None and not is_part(node))


def _gather(node: Node) -> bool:
    """Points that say who does what the first holds, and until when («a) Nhiệm vụ: …» or «1. Nội dung» over points,
    «b) Cơ quan thực hiện:» over a list, «c) Thời gian: …»), become its facts: whether they did."""
    first, *others = node.children or (node,)
    if not (others and _is_task(first)):
        return False
    facts = _facts_in(below for other in others for below in other.walk())
    if Label.LEAD not in facts:
        return False
    node.children = [first]
    first.facts += facts.values()
    return True


def _is_task(node: Node) -> bool:
    """Whether a point says what is to be done, and not who does it."""
    title, _, words = node.body.partition(":")
    told = not is_part(node) and is_task_title(title) and (words or node.children)
    return bool(told) and not any(each.leads for each in node.walk())


def _facts_in(nodes: Iterable[Node]) -> dict[Label, Fact]:
    """What labelled points say. None where anything else is said, such as the work of one more agency."""
    found: dict[Label, Fact] = {}
    last: Label | None = None
    for node in nodes:
        labelled = _label_and_value(node.body.strip(" .;"), last)
        if labelled is None or node.paragraph is None:
            return {}
        for fact in (Fact(*labelled, node.paragraph), *node.facts):
            before, last = found.get(fact.label), fact.label
            found[fact.label] = _both(before, fact) if before else fact
    return found


_LISTED = frozenset({Label.LEAD, Label.COORDINATING, Label.MONITOR, Label.DEADLINE, Label.PRODUCT})
_PART = spelled("(?:chủ trì|phối hợp|là |làm |đầu mối|thực hiện|tham gia|theo chức năng)")
"""How a line goes on after its agency where it says only what the agency's part is."""


def _label_and_value(words: str, before: Label | None) -> tuple[Label, str] | None:
    """The label and the value of a line. One without a label goes on with the label ``before`` it, unless it gives
    work."""
    line, own = owner_line(words), label_of_line(words) or label_of_line(f"{words}:")
    if own is None and line is None and label_of_column(words) is Label.LEAD:
        return Label.TASK, ""  # «Cơ quan chủ trì, phối hợp» over both
    if own or before not in _LISTED:
        return own
    return None if _gives_work(words, line) else (before, words)


def _gives_work(words: str, line: OwnerLine | None) -> bool:
    if line is None or line.alone:
        return opens_duty(words)
    return is_dated(words) or _PART.match(matching(line.rest)) is None


def _both(fact: Fact, more: Fact) -> Fact:
    """A fact whose value goes on in another paragraph."""
    line, other = fact.line, more.line
    line = replace(line, text=f"{line.text}\n{other.text}", covers=(*line.covers, *other.covers))
    return Fact(fact.label, "; ".join(filter(None, (fact.value, more.value))), line)


@dataclass
class _Builder:
    root: Node = field(default_factory=Node)
    stack: list[tuple[_Key, Node]] = field(default_factory=list)
    lettered: bool | None = None  # whether «A.» stands inside «I.»; None before the first «A.»

    def add(self, paragraph: Paragraph, following: Mark | None) -> None:
        node = Node(paragraph=paragraph, facts=list(paragraph.facts))
        listed = following is not None and following.rank not in STRUCTURE
        key = self._key(node, headed=listed and not ended(paragraph.text))
        if key is None:
            self.attach(node, following)
            return
        if key[0] in STRUCTURE:
            while self.stack and (self.stack[-1][0] >= key):
                self.stack.pop()
        else:
            self._pop_to_sibling(key)
        self._put(node)
        self.stack.append((key, node))

    def attach(self, node: Node, following: Mark | None = None) -> None:
        """A plain paragraph or table: under the list entry that announces it with a colon, else under the number; one
        that closes the list under its letter where the next letter follows."""
        top = self.stack[-1][1] if self.stack else None
        if node.paragraph is not None and self._closes(node.body):
            while self.stack and self.stack[-1][0] >= (Rank.NUMBER, 1):
                self.stack.pop()
        elif top is None or not (_titles(top) or (top.announces and not top.children)):
            self._leave_lists(following.rank if following is not None and not node.announces else None)
        self._put(node)

    def _leave_lists(self, goes_on: Rank | None) -> None:
        """Closes the open lists, up to the one whose points go on: between the points of «a)» it is under «a)»."""
        lists = [rank for (rank, _), _ in self.stack if rank not in STRUCTURE]
        kept = lists.index(goes_on) if goes_on in BULLETS and goes_on in lists[1:] else 0
        while self.stack and len(lists) > kept:
            lists.pop()
            self.stack.pop()

    def _put(self, node: Node) -> None:
        node.parent = self.stack[-1][1] if self.stack else self.root
        node.parent.children.append(node)

    def _closes(self, text: str) -> bool:
        """Whether a plain paragraph after a list speaks to everybody again («Yêu cầu các sở, ngành …»)."""
        if not self.stack:
            return False
        (rank, _), top = self.stack[-1]
        if top.children and under_topic(top.children[0]):
            return closes_plan(text)
        if rank in STRUCTURE and not top.marked():
            return speaks_to_all(text) and (bool(top.children) or (top.ended and not top.announces))
        return speaks_to_all(text) or self._names_another(text)

    def _names_another(self, text: str) -> bool:
        """Whether a paragraph after a list begins with another body than the entry of the list."""
        entry = next((node for (rank, _), node in reversed(self.stack) if rank in STRUCTURE), None)
        own = owner_line(entry.body, headed=True) if entry else None
        other = owner_line(text, clauses=True) if own and len(text) < 4000 else None
        if own is None or other is None or other.alone:
            return False
        named = {spelled_out(name.text) for name in own.names} & {spelled_out(name.text) for name in other.names}
        return not named or len(other.names) > len(own.names)

    def _pop_to_sibling(self, key: _Key) -> None:
        lists = takewhile(lambda each: each[0][0] not in STRUCTURE, reversed(self.stack))
        if key[0] in [rank for (rank, _), _ in lists]:
            while self.stack.pop()[0][0] != key[0]:
                pass

    def _key(self, node: Node, *, headed: bool) -> _Key | None:
        """Where a paragraph stands by its mark, or as a body alone or a heading; None for any other without a mark."""
        mark, text = node.mark, node.body
        if mark is not None:
            return self._key_of_capital(mark) if mark.rank is Rank.CAPITAL else (mark.rank, mark.depth)
        if len(text) > 200:
            return None
        owner = bodies_alone(text, headed=headed)
        if owner is not None and not owner.start and addressees(text) is None:
            return Rank.NUMBER, _UNNUMBERED
        step = is_step(text) and not ended(text)
        node.heading = step or is_heading(text)
        if step:
            return Rank.NUMBER, 0
        return (Rank.ROMAN, 1) if node.heading else None

    def _key_of_capital(self, mark: Mark) -> _Key:
        """«A.» encloses «I.», or stands inside it where the first «A.» does."""
        if self.lettered is None:
            self.lettered = mark.label == "A" and any(each.rank is Rank.ROMAN for _, each in self.stack)
        return (Rank.ROMAN, 2) if self.lettered else (Rank.CAPITAL, 1)


def is_heading(text: str) -> bool:
    """A heading without a number: capitals, or exactly the name of a duty section."""
    if is_capital(text):
        return len(text) > 6 and re.search(r"\w{2,}\s+\w{2,}", text) is not None
    return len(text) < 80 and say.DUTY_HEADING.fullmatch(matching(text)) is not None and text[:1].isupper()


_OTHER_INSIDE = spelled(
    r"(?<!\w)(?:tiêu chí|tiêu chuẩn|khen thưởng|thi đua|xét tặng|khẩu hiệu|mục tiêu|chỉ tiêu)(?!\w)"
)


def theme_of(text: str) -> Theme:
    """Words about duties count anywhere in a heading and before words about aims, money or rewards."""
    plain = matching(text)
    title = is_capital(text) or (len(text) < 100 and not ended(text))
    anywhere = title and len(text) < 250
    if (len(text) < 250 and _DUTY.match(plain)) or (anywhere and _DUTY.search(plain)):
        return Theme.DUTIES
    if anywhere and _OTHER_INSIDE.search(plain):
        return Theme.OTHER
    given = not title and plain.startswith("căn cứ ")  # «Căn cứ số vốn được giao, UBND xã phân bổ …»
    return Theme.OTHER if _OTHER.match(plain) and not given else Theme.OPEN
