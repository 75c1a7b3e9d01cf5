"""From a duty section to its items and duties, with every doubt on the way written down.

An item is an entry that names bodies; its duties are the marks under it, or its paragraphs where it has no marks. A
mark's own sub-points belong to it. An entry that names no body is a topic of the entries below it, or a doubt.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from engine.importer.model import Deadline, Doubt, DutyText, ItemText, Owner, Place, SectionText
from engine.importer.phrases import lexicon as say
from engine.importer.phrases.agency_lists import bodies_in
from engine.importer.phrases.deadlines import deadlines_in
from engine.importer.phrases.labels import Label, label_of_line
from engine.importer.phrases.marks import BULLETS, Rank
from engine.importer.phrases.names import Name, Prose, opens_duty
from engine.importer.phrases.owners import Directory, Form, OwnerLine, owner_line, owner_of, unaddressed
from engine.importer.phrases.roles import roles_in
from engine.importer.structure.duty_tables import Row, rows_of
from engine.importer.structure.outline import Node
from engine.importer.structure.sections import Facts, Survey
from engine.importer.vietnamese import matching

_CLOSED = re.compile(r"[.\s]*/\s*\.$")  # «./.» says that the document ends here
_NO_BODY = say.compiled(say.NO_BODIES)
_LONGEST_TOPIC = 160


@dataclass(frozen=True)
class Said:
    """The words of one duty before they are understood: ``intro`` stands over several («Chủ trì …:»)."""

    text: str
    place: Place
    mark: str = ""
    intro: str = ""
    seams: tuple[str, ...] = ()
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True)
class _Entry:
    """An item before its owners are matched: where it stands, and the bodies it names. ``inline``: it may itself be
    its only duty."""

    label: str
    place: Place
    path: tuple[str, ...]
    topic: str
    written: str
    names: Sequence[Name]
    request: bool = False
    inline: bool = False


@dataclass
class _Section:
    """Collects the items of one section."""

    survey: Survey
    directory: Directory
    roman: str
    items: list[ItemText] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    cited: Counter[str] = field(default_factory=Counter)
    unnumbered: int = 0

    # -- walking the tree ------------------------------------------------------------------------------------------

    def visit(self, node: Node, path: tuple[str, ...] = (), topic: str = "") -> None:
        """Every entry under a node, in order."""
        for child in node.children:
            columns = self.survey.columns(child)
            if child.table is not None and columns is not None:
                self._table(list(rows_of(child.table, columns)), path, topic)
            elif child.table is None and label_of_line(child.body) is None:
                self._entry(child, node, path, topic)
        self._gaps(node, path)

    def _entry(self, child: Node, parent: Node, path: tuple[str, ...], topic: str) -> None:
        if child.mark is None and child.body.endswith(":") and not child.children:
            return  # it only introduces what follows
        line = self._owner(child)
        here = (*path, child.label) if child.label else path
        if line is not None:
            self._owned(child, line, path, topic)
        elif self.survey.facts_of(child).lead:
            facts = self.survey.facts_of(child)
            said = Said(_whole(child, drop_labels=True), child.place, facts=facts)
            written = "; ".join(name.text for name in facts.lead)
            self._add(_Entry(child.label, child.place, path, topic, written, facts.lead, inline=True), [said])
        elif self.survey.gives_duties(child) or any(self._owner(each) for each in child.children):
            self.visit(child, here, child.body or topic)
        elif self._unknown_body(child, parent):
            name = re.sub(r"\s*\([^()]{0,200}\)$", "", unaddressed(child.body.split(":")[0]).strip(" ."))
            rest = child.body[len(child.body.split(":")[0]) + 1 :].strip()
            line = OwnerLine(name, (Name(name, 0, len(name)),), False, Form.COLON if rest else Form.ALONE, rest)
            self._owned(child, line, path, topic)
        elif child.mark is not None:
            said_ = child.body[:60] + ("…" if len(child.body) > 60 else "")
            self._doubt(
                "not_assigned", f"«{said_}» không nêu cơ quan thực hiện, không lấy thành nhiệm vụ.", child.place
            )

    def _owner(self, node: Node) -> OwnerLine | None:
        """The owner line of an entry: its own, or behind a clause, a topic with a colon, or an earlier sentence."""
        if node.paragraph is None:
            return None
        line = self.survey.owner(node)
        if line is not None and (
            line.form is not Form.ALONE or node.mark is not None or node.children or len(line.written) < 120
        ):
            return line
        if len(node.body) > 4000:
            return None
        return owner_line(node.body, clauses=True) or _behind_topic(node.body) or _later_sentence(node.body)

    def _owned(self, node: Node, line: OwnerLine, path: tuple[str, ...], topic: str) -> None:
        """An entry with its bodies; or, where all its marks name bodies of their own, the entries below it."""
        here = (*path, node.label) if node.label else path
        entry = _Entry(node.label, node.place, path, topic, line.written, line.names, line.request)
        if self._only_encloses(node):
            if line.rest:
                self._add(entry, [_said(node, line.rest)])
            self.visit(node, here, topic or line.written)
            return
        inline = line.form is Form.INLINE and not node.marked()
        own = [_said(node, line.rest if line.form is Form.COLON else node.body)] if line.rest else []
        self._add(replace(entry, inline=inline), list(self._duties(node, own)))

    def _only_encloses(self, node: Node) -> bool:
        below = node.marked()
        owned = [child for child in below if (line := self.survey.owner(child)) and line.form is not Form.INLINE]
        numbered = bool(below) and below[0].rank is Rank.NUMBER and len(owned) == len(below)
        return numbered or (len(owned) >= 2 and len(owned) >= 0.8 * len(below))

    def _unknown_body(self, node: Node, parent: Node) -> bool:
        """An entry among bodies that looks like one: few words, then a colon or its duties below."""
        if node.mark is None or not self.survey.gives_duties(parent):
            return False
        name = node.body.split(":")[0]
        plain = matching(name)
        short = 3 <= len(name) <= 70 and not name.endswith((";", ",")) and name[:1].isupper()
        alone = ":" in node.body or bool(node.children)
        return short and alone and not opens_duty(Prose.of(name)) and not _NO_BODY.match(plain) and "." not in name[:-1]

    # -- the duties of an item -------------------------------------------------------------------------------------

    def _duties(self, node: Node, own: Sequence[Said]) -> Iterator[Said]:
        """The duties under an entry. Words ending in a colon stand over the marks that follow them."""
        intro = ""
        found: list[Said] = []
        for said in own:
            if said.text.rstrip().endswith(":") and node.children:
                intro = said.text
            else:
                found.append(said)
        for child in node.children:
            if child.table is not None:
                continue
            labelled = label_of_line(child.body)
            if labelled is not None and found and labelled[0] is not Label.LEAD:
                found[-1] = replace(found[-1], facts=_added(found[-1].facts, *labelled))
            elif child.mark is None and child.body.endswith(":") and not child.children:
                intro = child.body
            elif _is_topic(child):
                found += self._duties(child, ())
            else:
                found.append(_said(child, _whole(child), intro=intro if child.mark is not None else ""))
        if not found and intro:
            found.append(_said(node, intro))
        yield from found

    # -- building values -------------------------------------------------------------------------------------------

    def _add(self, entry: _Entry, duties: Sequence[Said]) -> None:
        citation = self._cite(entry.label, entry.path, entry.place)
        owners = tuple(owner_of(name, self.directory) for name in entry.names)
        self._unknown(owners, citation)
        if not duties:
            self._doubt("no_duty", f"Mục {citation} ({entry.written}) không có nhiệm vụ nào.", citation)
        inline = entry.inline and len(duties) == 1
        made = tuple(
            self._duty(said, citation if inline else f"{citation}.{n}", owners) for n, said in enumerate(duties, 1)
        )
        no = citation.removeprefix(f"{self.roman}.") if entry.label else ""
        item = ItemText(no, entry.written, owners, made, entry.place, entry.request, entry.topic, inline)
        self.items.append(item)

    def _cite(self, label: str, path: tuple[str, ...], place: Place) -> str:
        """The item's place in the document: «IV.2», «III.1.2», «(3)» for the third entry that bears no number."""
        parts = [
            part
            for n, part in enumerate(path)
            if not any(after.startswith(f"{part}.") for after in (*path[n + 1 :], label))
        ]
        if not label:
            self.unnumbered += 1
        own = label or f"({self.unnumbered})"
        citation = ".".join(filter(None, (self.roman, *parts, own)))
        if citation in self.cited:
            self._doubt("number_doubled", f"Số {citation} đứng hai lần trong văn bản.", citation)
            self.cited[citation] += 1
            citation = f"{citation}({self.cited[citation]})"
        self.cited[citation] += 1
        return citation

    def _duty(self, said: Said, citation: str, owners: Sequence[Owner]) -> DutyText:
        text = _CLOSED.sub(".", said.text.strip())
        whole = f"{said.intro} {text}" if said.intro else text
        names = tuple(owner.name for owner in owners)
        roles = roles_in(whole, names)
        deadlines = (
            *deadlines_in(whole),
            *(deadlines_in(said.facts.deadline, column=True) if said.facts.deadline else ()),
        )
        if said.seams:
            self._doubt(
                "two_readings",
                f"{citation}: có thể là {len(said.seams) + 1} đoạn riêng; đoạn sau bắt đầu từ «{said.seams[0][:40]}…».",
                citation,
            )
        if not deadlines:
            self._doubt("no_due_date", f"{citation}: văn bản không nêu thời hạn hoặc chu kỳ.", citation)
        given = tuple(name.text for name in said.facts.coordinating)
        lead = roles.lead or "; ".join(name.text for name in said.facts.lead)
        return DutyText(
            citation,
            text,
            said.place,
            said.mark,
            lead,
            tuple(dict.fromkeys((*given, *roles.coordinating))),
            said.facts.monitor,
            said.facts.product,
            _distinct(deadlines),
            roles.reports_to,
        )

    def _table(self, rows: Sequence[Row], path: tuple[str, ...], topic: str) -> None:
        groups: list[list[Row]] = []
        numbers = [row.no for row in rows if row.no and not row.same]
        restarts = len(set(numbers)) < len(numbers)
        for row in rows:
            if row.same and groups:
                groups[-1].append(row)
            else:
                groups.append([row])
        for group in groups:
            first = group[0]
            if not first.owners:
                text = (first.texts or ("",))[0][:60]
                self._doubt("owner_missing", f"«{text}» không có cơ quan chủ trì trong bảng.", first.place)
                continue
            duties = [
                Said(text, row.place, facts=Facts(row.owners, row.coordinating, row.monitor, row.deadline, row.product))
                for row in group
                for text in row.texts
            ]
            written = "; ".join(name.text for name in first.owners)
            here = (*path, first.group) if restarts and first.group else path
            entry = _Entry(first.no, first.place, here, first.topic or topic, written, first.owners)
            self._add(entry, duties)

    # -- doubts ----------------------------------------------------------------------------------------------------

    def _doubt(self, code: str, message: str, place: Place | str) -> None:
        self.doubts.append(Doubt(code, message, str(place)))

    def _unknown(self, owners: Sequence[Owner], citation: str) -> None:
        for owner in owners:
            if not owner.agency:
                self._doubt("unknown_owner", f"Danh bạ không có «{owner.name}».", citation)

    def _gaps(self, node: Node, path: tuple[str, ...]) -> None:
        """Numbers left out between the entries directly under a node."""
        last: Node | None = None
        for child in node.children:
            mark = child.mark
            if mark is None or mark.rank is not Rank.NUMBER:
                continue
            before = last.mark if last else None
            if before is not None and before.depth == mark.depth:
                stem = mark.label.rpartition(".")[0]
                for value in range(before.value + 1, min(mark.value, before.value + 20)):
                    label = f"{stem}.{value}" if stem else str(value)
                    parts = () if stem else path
                    place = ".".join(filter(None, (self.roman, *parts, label)))
                    self._doubt("number_gap", f"Văn bản không có mục {place}.", place)
            last = child


def _distinct(deadlines: Sequence[Deadline]) -> tuple[Deadline, ...]:
    """Each words once; a bare «định kỳ» only where nothing else says how often."""
    cycles = [each for each in deadlines if each.cadence]
    deadlines = [each for each in deadlines if not cycles or each.text.lower() != "định kỳ"]
    return tuple({each.text.lower(): each for each in reversed(deadlines)}.values())[::-1]


def _added(facts: Facts, label: Label, text: str) -> Facts:
    if label is Label.COORDINATING:
        return replace(facts, coordinating=(*facts.coordinating, *bodies_in(text)))
    if label is Label.DEADLINE:
        return replace(facts, deadline=text)
    if label is Label.PRODUCT:
        return replace(facts, product=text)
    return replace(facts, monitor=text) if label is Label.MONITOR else facts


def _said(node: Node, text: str, intro: str = "") -> Said:
    """A duty's words with the places where another paragraph may have begun."""
    paragraph = node.paragraph
    mark = paragraph.text[: paragraph.mark.length].strip() if paragraph and paragraph.mark else ""
    seams = tuple(paragraph.text[at:].strip() for at in paragraph.seams) if paragraph else ()
    return Said(text, node.place, mark, intro, tuple(seam for seam in seams if seam and seam in text and seam != text))


def _whole(node: Node, *, drop_labels: bool = False) -> str:
    """The text of an entry with all that stands under it, marks kept below it."""
    parts = [node.body]
    for child in node.walk():
        if child is not node and child.paragraph is not None:
            if drop_labels and label_of_line(child.body) is not None:
                continue
            parts.append(child.paragraph.text.strip())
    return "\n".join(part for part in parts if part)


def _is_topic(node: Node) -> bool:
    """A mark that only announces the marks under it: no verb, few words («a) Công tác tuyên truyền:»)."""
    below = node.marked()
    if node.mark is None or node.mark.rank in BULLETS or len(below) < 1 or len(node.body) > _LONGEST_TOPIC:
        return False
    return not opens_duty(Prose.of(node.body)) and not node.body.endswith((".", ";"))


def _behind_topic(text: str) -> OwnerLine | None:
    """«Công tác tuyên truyền: Sở Thông tin và Truyền thông chủ trì …»."""
    colon = re.match(r"[^:.]{3,120}:\s*", text)
    if colon is None:
        return None
    line = owner_line(text[colon.end() :], clauses=True)
    return replace(line, start=line.start + colon.end()) if line and line.form is Form.INLINE else None


_ADDRESSED = re.compile(rf"(?<=[.;])\s+(?={say.any_of((*say.REQUESTS, *say.ORDERS))}(?!\w))")


def _later_sentence(text: str) -> OwnerLine | None:
    """«Kế hoạch này được … . Yêu cầu các sở, ban, ngành …»: an order in a later sentence."""
    plain = matching(text)
    for found in list(_ADDRESSED.finditer(plain))[:20]:
        line = owner_line(text[found.end() :])
        if line is not None and line.form is not Form.ALONE:
            return replace(line, start=line.start + found.end())
    return None


def section_of(
    node: Node, survey: Survey, directory: Directory, roman: str, heading: str
) -> tuple[SectionText, list[Doubt]]:
    """The items of a duty section and the doubts met. The section may turn out to have none."""
    found = _Section(survey, directory, roman)
    found.visit(node)
    return SectionText(heading, roman, tuple(found.items), node.place), found.doubts
