"""The account of a document: every paragraph and table row with its one use. What no rule has used is left out with a
reason, and listed first if it looks like a duty. ``closed`` checks the sum: all lines of the document are covered, and
no letter of it is there twice or missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.features.plan_import.importer.base.model import Accounted, Use
from engine.features.plan_import.importer.phrases.agency_lists import roles_in
from engine.features.plan_import.importer.phrases.deadlines import LONGEST, is_dated
from engine.features.plan_import.importer.phrases.labels import Label, label_of_line
from engine.features.plan_import.importer.phrases.names import nameless
from engine.features.plan_import.importer.phrases.owners import owner_line
from engine.features.plan_import.importer.reading.pdf import BAR, Block, Table, TextLine
from engine.features.plan_import.importer.structure.duty_tables import persons_of
from engine.features.plan_import.importer.structure.header import Parts
from engine.features.plan_import.importer.structure.joining import Paragraph, is_furniture
from engine.features.plan_import.importer.structure.outline import Node
from engine.rules.vietnamese import squashed

OUTSIDE = "mục này không giao việc cho cơ quan nào"
NOBODY = "không nêu cơ quan thực hiện"
NO_FACT_OF_A_DUTY = "không thuộc nhiệm vụ nào"
AFTER_SIGNATURE = "đứng sau chữ ký"
FURNITURE = "số trang, đường kẻ"
NOT_A_DUTY_TABLE = "bảng không có cột cơ quan chủ trì"
TO_PERSONS = "bảng giao cho người thực hiện, không nêu cơ quan"
NO_DUTY_YET = "nêu cơ quan, chủ trì hoặc ngày mà chưa thành nhiệm vụ"
LEAVE = "lời kết, không giao việc"
UNREAD = "chưa đọc được"
_Key = tuple[int, int]


@dataclass
class Account:
    """What each paragraph and table row is used for, by the (block, row) numbers it covers. The first use counts."""

    used: dict[tuple[_Key, ...], Accounted] = field(default_factory=dict)
    persons: dict[_Key, str] = field(default_factory=dict)  # names in table rows, which are not kept

    def use(self, paragraph: Paragraph | None, use: Use, citation: str = "") -> None:
        if paragraph is not None:
            said = Accounted(
                text=paragraph.text, place=paragraph.place, use=use, citation=citation, covers=paragraph.covers
            )
            self.used.setdefault(said.covers, said)

    def use_all(self, node: Node, citation: str) -> None:
        """A node is a duty with its labelled lines and all under it that has no use yet."""
        for each in node.walk():
            self.use(each.paragraph, Use.DUTY, citation)
            for fact in each.facts:
                self.use(fact.line, Use.FACT, citation)

    def use_row(self, table: Table, row: int, use: Use, citation: str = "", reason: str = "") -> None:
        """A row left out because it names nobody, or persons alone, is a serious loss."""
        text = " | ".join(cell for c, cell in enumerate(table.rows[row]) if (row, c) not in table.spans)
        place = replace(table.place, row=row + 1)
        covers = (place.key,)
        self.used.setdefault(
            covers,
            Accounted(
                text=text,
                place=place,
                use=use,
                citation=citation,
                reason=reason,
                serious=reason in (NOBODY, TO_PERSONS),
                covers=covers,
            ),
        )

    def has(self, paragraph: Paragraph | None) -> bool:
        return paragraph is None or paragraph.covers in self.used

    # -- closing -------------------------------------------------------------------------------------------------------

    def closed(self, parts: Parts, root: Node, blocks: Sequence[Block]) -> tuple[Accounted, ...]:
        """All entries in the document's order, what was left out among them. Lines that no rule has read are reported
        as such; there are none unless a rule has a bug."""
        for node in root.children:  # the words before the first heading say on what the plan rests
            if node.paragraph is None or node.mark is not None or node.heading:
                break
            if not is_dated(node.body):
                self.use(node.paragraph, Use.HEAD)
        for node in root.walk():
            self._leave(node)
        said = [*self.used.values(), *_outside(parts)]
        covered = {key for each in said for key in each.covers}
        said += _uncovered(blocks, covered)
        return tuple(sorted(said, key=lambda each: (each.covers[0], each.place.row)))

    def _leave(self, node: Node) -> None:
        if node.table is not None:
            persons = persons_of(node.table)
            for row in range(len(node.table.rows)):
                reason = TO_PERSONS if row in persons else NOT_A_DUTY_TABLE
                self.use_row(node.table, row, Use.LEFT_OUT, reason=reason)
                self.persons.setdefault((node.table.place.order, row + 1), persons.get(row, ""))
            return
        if node.heading or (node.children and not node.ended):
            self.use(node.paragraph, Use.HEADING)
        self.leave_out(node.paragraph, OUTSIDE, serious=_stands_under_body(node))
        if node.paragraph is not None and (said := self.used[node.paragraph.covers]).use is Use.LEFT_OUT:
            self.used[said.covers] = replace(said, section=_section(node))
        for fact in node.facts:
            self.leave_out(fact.line, NO_FACT_OF_A_DUTY)

    def leave_out(self, paragraph: Paragraph | None, reason: str, *, serious: bool = False) -> None:
        """A paragraph that becomes nothing, and whether it should have. ``serious``: it stands under a body."""
        if paragraph is not None and not self.has(paragraph):
            self.use(paragraph, Use.LEFT_OUT)
            said = replace(self.used[paragraph.covers], reason=reason, serious=serious)
            self.used[said.covers] = judged(said, paragraph.body.strip())


def _stands_under_body(node: Node) -> bool:
    above = node.parent.body if node.parent is not None else ""
    return bool(above) and len(above) < 200 and owner_line(above, headed=True) is not None


def _section(node: Node) -> tuple[str, str]:
    """The number and heading of the outermost numbered section around a node."""
    above = node
    while above.parent is not None and above.parent.paragraph is not None:
        above = above.parent
    return (above.label, above.body) if above is not node else ("", "")


def judged(entry: Accounted, body: str) -> Accounted:
    """An entry left out, with the body that it begins with; serious if that, a lead or a last day stands in it."""
    if len(body) > LONGEST:
        return replace(entry, serious=True)
    line, label = owner_line(body), label_of_line(body)
    serious = entry.serious or line is not None or is_dated(body) or (label is not None and label[0] is Label.LEAD)
    serious = serious or bool(roles_in(body, ()).lead)
    said = line or owner_line(body, clauses=True)
    reason = NO_DUTY_YET if serious and entry.reason == OUTSIDE else entry.reason
    return replace(entry, serious=serious, reason=reason, owner=said.written if said else "")


def _line(line: TextLine, use: Use, reason: str = "", *, serious: bool = False) -> Accounted:
    return Accounted(
        text=line.text, place=line.place, use=use, reason=reason, serious=serious, covers=(line.place.key,)
    )


def _outside(parts: Parts) -> Iterator[Accounted]:
    yield from (_line(line, Use.HEAD) for line in (*parts.head, *parts.foot.named))
    yield from (_line(line, Use.HEAD, "signature") for line in parts.foot.signed)
    yield from (judged(_line(line, Use.LEFT_OUT, AFTER_SIGNATURE), line.text) for line in parts.foot.after)


def _uncovered(blocks: Iterable[Block], covered: set[_Key]) -> Iterator[Accounted]:
    for line in (line for block in blocks for line in block.lines()):
        if line.place.key not in covered and line.text not in (BAR, ""):
            reason = FURNITURE if is_furniture(line.text) else UNREAD
            yield _line(line, Use.LEFT_OUT, reason, serious=reason is UNREAD)


def balance(account: Iterable[Accounted], blocks: Iterable[Block]) -> int:
    """How many letters more the account has than the document: 0 when it is right."""
    read = sum(len(squashed(each.text)) for each in account)
    return read - sum(len(squashed(line.text)) for block in blocks for line in block.lines())


def without_persons(account: Iterable[Accounted], hidden: Mapping[_Key, str]) -> tuple[Accounted, ...]:
    """The account to keep: no text of a signature, nor of what follows it without need, nor persons' names."""
    return tuple(_kept(each, hidden.get(each.covers[0], "")) for each in account)


def _kept(entry: Accounted, hidden: str) -> Accounted:
    if entry.reason == "signature" or (entry.reason == AFTER_SIGNATURE and not entry.serious):
        return replace(entry, text="")
    if hidden:
        pattern = "|".join(re.escape(each) for each in hidden.split("\n") if each.strip())
        return replace(entry, text=re.sub(pattern, "…", entry.text))
    return entry if entry.use in (Use.DUTY, Use.OWNER, Use.FACT) else replace(entry, text=nameless(entry.text))
