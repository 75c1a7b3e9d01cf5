"""From a duty section to its items and duties, with every doubt on the way written down.

An item is an entry that names bodies; its duties are the marks under it, or its paragraphs where it has no marks. A
mark's own sub-points belong to it. An entry with a labelled lead («Đơn vị chủ trì: …») is a duty itself, one for each
lead. An entry that names no body is a topic of the entries below it, or is left out with a doubt.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from engine.importer.model import Deadline, Doubt, DutyText, Instruction, ItemText, Owner, Place, SectionText, Use
from engine.importer.phrases.agency_lists import NO_BODY, bodies_in, lead_of, placed_owner
from engine.importer.phrases.deadlines import deadlines_in
from engine.importer.phrases.labels import (
    Label,
    is_task_title,
    label_inside,
    label_of_column,
    label_of_line,
    labels_at_end,
)
from engine.importer.phrases.marks import BULLETS, Rank, body_of
from engine.importer.phrases.names import Prose, begins_name, nameless, opens_duty
from engine.importer.phrases.owners import (
    Directory,
    Form,
    OwnerLine,
    addressees,
    owner_line,
    owner_of,
    split_names,
    unaddressed,
)
from engine.importer.phrases.roles import (
    CARRIED_OUT,
    END,
    asks_all,
    asks_nobody_named,
    has_task,
    is_note,
    is_role_alone,
    roles_in,
    speaks_to_all,
)
from engine.importer.reading.pages import Table
from engine.importer.structure.account import LEAVE, NOBODY, Account
from engine.importer.structure.duty_tables import Columns, Row, rows_of
from engine.importer.structure.facts import Facts, by_lead, label_words
from engine.importer.structure.joining import ended
from engine.importer.structure.outline import Node, Theme, cited, is_part, label_path, under_topic
from engine.importer.structure.sections import is_given, is_order
from engine.importer.vietnamese import matching, spelled
from engine.importer.wording import (
    ANNOUNCES,
    OF_ITSELF,
    DutyWords,
    announced,
    contents,
    distributes,
    is_topic,
    numbered_in,
    split_by_agency,
    timed,
    whole,
    with_facts_of,
    words_of,
)


@dataclass(frozen=True)
class _Entry:
    """An item before its owners are matched: its number in the document, and the bodies it names. ``inline``: it may
    itself be its only duty; ``text``: its words."""

    citation: str
    numbered: bool
    place: Place
    topic: str
    line: OwnerLine
    inline: bool = False
    text: str = ""


@dataclass
class SectionRead:
    """Collects the items of one section. ``roman``: its number with those above it; ``unnumbered``: how many entries
    without a number were met under each number."""

    directory: Directory
    account: Account
    roman: str
    node: Node
    items: list[ItemText] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)
    cited: Counter[str] = field(default_factory=Counter)
    unnumbered: Counter[tuple[str, ...]] = field(default_factory=Counter)

    @property
    def section(self) -> SectionText:
        """What was read; an annex has the words of its heading on the line after its number."""
        heading = self.node.body
        if not heading and self.node.rank is Rank.ANNEX:
            heading = next((child.body for child in self.node.children if child.heading), "")
        return SectionText(heading, self.roman, tuple(self.items), self.node.place)

    @property
    def trusted(self) -> bool:
        """Whether its heading says that it gives duties."""
        return self.node.theme is Theme.DUTIES

    # -- walking the tree ------------------------------------------------------------------------------------------

    def visit(self, node: Node, topic: str = "") -> None:
        """Every entry under a node, in order."""
        asks = [n for n, child in enumerate(node.children) if child.mark is None and addressees(child.body)]
        for n, child in enumerate(node.children):
            if child.table is not None and child.columns is not None:
                self._table(child, child.table, child.columns, topic)
            elif not (self.account.has(child.paragraph) or self._introduces(child, n, asks)):
                self._entry(child, node, topic)
        self._gaps(node)

    def _introduces(self, node: Node, n: int, asks: Sequence[int]) -> bool:
        """Whether a paragraph says why a document without sections gives its duties («Ngày 12/3, … chủ trì họp»)."""
        if node.parent is not self.node or self.items or (node.mark is not None and node.rank not in BULLETS):
            return False
        if self.node.parent is None and node.mark is None:
            return not is_given(node)
        return n <= max(asks, default=-1)

    def _entry(self, child: Node, parent: Node, topic: str) -> None:
        if child.mark is None and child.announces and not child.children:
            self.account.use(child.paragraph, Use.HEADING)
            return  # it only introduces what follows
        line, doer = child.owner, child.doer
        if child.leads:
            self._led(child, topic)
        elif CARRIED_OUT.search(matching(child.body[-80:])) or (
            self._closes(child) and self._is_to_all(child, line or doer)
        ):
            self.instructions += instructions_of(child, line or doer, self.directory, self.account)
        elif line is not None:
            self._owned(child, line, topic)
        elif doer is not None and (doer.alone or (child.announces and child.marked())):
            self._owned(child, replace(doer, form=Form.ALONE, rest=""), topic)
        elif doer is not None and child.ended and any(each.opens for each in child.marked()):
            self._owned(child, replace(doer, form=Form.INLINE, rest=child.body), topic)
        elif doer is not None:
            entry = self._at(child, topic, doer, inline=True)
            text, facts = whole(child), Facts.of([*labels_at_end(child.body).items()])
            if facts.lead and (before := text[: label_inside(text)].rstrip(" (")).endswith((".", ";")):
                text = before
            self._add(entry, [with_facts_of(replace(words_of(child, text), facts=facts, node=child), child.facts)])
        elif begins_name(Prose.of(child.body), 0) and (line := self._unknown_body(child, parent)):
            self._owned(child, line, topic)  # whatever its points ask of another body
        elif child.gives_duties or any(each.is_entry for each in child.walk()):
            self.account.use(child.paragraph, Use.HEADING)
            self.visit(child, child.body or topic)
        elif line := self._unknown_body(child, parent) or (
            placed_owner(child.body)
            if child.among or (self.trusted and (child.mark or self.items or not parent.marked()))
            else None
        ):
            self._owned(child, line, topic)
        elif child.mark is not None:
            words = child.body[:60] + ("…" if len(child.body) > 60 else "")
            message = f"«{words}» không nêu cơ quan thực hiện, không lấy thành nhiệm vụ."
            self._doubt("not_assigned", message, child.place, child.body[:60])
            for each in child.walk():
                self.account.leave_out(each.paragraph, NOBODY)

    def _owned(self, node: Node, line: OwnerLine, topic: str) -> None:
        """An entry with its bodies; or, where all its marks name bodies of their own, or a table below it, those."""
        if any(child.columns for child in node.children):  # «NHIỆM VỤ CỦA CÁC SỞ, NGÀNH» over the table of them
            self.account.use(node.paragraph, Use.HEADING)
            self.visit(node, topic)
            return
        entry = self._at(node, topic, line)
        self.account.use(node.paragraph, Use.OWNER if line.alone else Use.DUTY, entry.citation)
        if self._only_encloses(node, line):
            if ended(line.rest) and not line.rest.endswith(":"):
                self._add(entry, [words_of(node, line.rest)])
            self.visit(node, topic or line.written)
            return
        part = line.inline and node.rank in BULLETS and node.announces and not is_role_alone(line.rest)
        if part and not ANNOUNCES.search(matching(node.body)):
            self._add(replace(entry, inline=True), [replace(words_of(node, whole(node)), node=node)])
            return
        inline = line.inline and not node.marked()
        own = [words_of(node, line.rest if line.form is Form.COLON else node.body)] if line.rest else []
        for fact in node.facts if own else ():
            self.account.use(fact.line, Use.FACT, entry.citation)
        if line.inline:  # «2. Đề nghị UBND xã phối hợp» over points is none of its duties
            own = [replace(said, level=0) for said in own] if node.ended or not node.marked() else []
        alone = inline and node.ended and node.rank is Rank.NUMBER
        if alone and not any(each.is_entry for each in node.children):
            more = [child for child in node.children if child.opens and not speaks_to_all(child.body)]
            more = more if len(more) > 1 else []  # several are a list of theirs
            own += [replace(words_of(child, whole(child)), node=child) for child in more]
            self._add(replace(entry, inline=True), own)  # what follows a whole sentence is none of its words
            for child in node.children:
                if child not in more and (child.opens or is_note(child.body)):
                    self._to_mind(child)
            return
        named = {name.text for name in line.names}
        duties = [replace(said, owner=_another(said, named)) for said in self._duties(node, own)]
        self._add(replace(entry, inline=inline), duties)

    def _led(self, node: Node, topic: str) -> None:
        """A duty for each labelled lead of a node, or for each point of a title; entries below that have leads of their
        own are duties, too."""
        own = [child for child in node.children if child.leads or child.gives_duties]
        text = contents(whole(node, without=own))
        titled = is_task_title(node.body.rstrip(" :"))
        points = [child for child in node.children if titled or child.opens]
        several = not own and 1 < len(points) == len(node.children) and (titled or not node.ended)
        groups = by_lead(node.facts)
        base = self._at(node, topic, OwnerLine("", ()))
        self.account.use(node.paragraph, Use.DUTY, base.citation)
        for n, facts in enumerate(groups, 1):
            citation = base.citation if len(groups) == 1 else f"{base.citation}.{n}"
            names = lead_of(next(fact.value for fact in facts if fact.label is Label.LEAD))[0]
            duties = [words_of(each, whole(each)) for each in points] if several else [words_of(node, text)]
            duties = [with_facts_of(said, facts) for said in duties]
            written = "; ".join(duties[0].facts.lead)
            self._add(replace(base, citation=citation, line=OwnerLine(written, tuple(names)), inline=True), duties)
            for fact in facts:
                self.account.use(fact.line, Use.FACT, citation)
                labelled = label_of_line(body_of(fact.line.body)) is not None or fact.line.body.startswith("(")
                if fact.label in (Label.LEAD, Label.COORDINATING) and not labelled:
                    self._unknown_label(label_words(fact), "chủ trì" if fact.label is Label.LEAD else "phối hợp")
        for child in node.children:
            if child not in own:
                self.account.use_all(child, base.citation)
        self.visit(node, node.body)

    def _only_encloses(self, node: Node, line: OwnerLine) -> bool:
        """Whether the points under an entry name bodies of their own; those of a group («Các phòng thuộc Sở») may do so
        in sentences."""
        below = node.marked()
        group = line.alone and any(name.group for name in line.names)
        lines = [
            found
            for child in below
            if (found := child.owner)
            or (group and (found := child.doer or self._unknown_body(child, node) or placed_owner(child.body)))
        ]
        owned = [each for each in lines if not each.inline or (group and len(lines) == len(below))]
        numbered = bool(below) and below[0].rank is Rank.NUMBER and len(owned) == len(below)
        return numbered or (len(owned) >= 2 and 2 * len(owned) >= len(below))

    def _unknown_body(self, node: Node, parent: Node) -> OwnerLine | None:
        """An entry among bodies that looks like one: few words, then a colon or its duties below. Whatever verbs are in
        it, a line without an end that has duties below it is a name."""
        if node.mark is None or not (self.trusted or (parent.gives_duties and node.among)):
            return None
        before, colon, rest = node.body.partition(":")
        name = re.sub(r"\s*\([^()]{0,200}\)$", "", unaddressed(before).strip(" ."))
        if len(before) > 200 or not before[:1].isupper() or re.search(r"[.]|[;,]$", before):
            return None
        titled = not colon and bool(node.children)
        listed = titled and any(each.opens for each in node.children) and node.among
        verb = opens_duty(before)
        if verb and before[1:].islower() and not self.trusted:
            return None  # «2. Đào tạo», among activities
        few = len(before) <= 70 and ((titled and len(before.split()) <= 10) or not verb)
        if not (listed or ((colon or titled) and few)) or NO_BODY.match(matching(before)) or label_of_line(node.body):
            return None
        names = bodies_in(name) if not few else split_names(name)
        return OwnerLine(name, tuple(names), rest.strip(), Form.COLON if rest.strip() else Form.ALONE)

    # -- instructions to all -------------------------------------------------------------------------------------------

    def _closes(self, node: Node) -> bool:
        above = node.parent or self.node
        titled = above.rank is Rank.NUMBER and not above.owner
        titled = titled and (above.theme is Theme.DUTIES or (node is above.children[0] and is_order(node)))
        handed = node.owner is not None and node.owner.rest == node.body  # one more of those asked before it
        among = handed or (node.followed and not (speaks_to_all(node.body) or asks_nobody_named(node.body)))
        free = node.mark is None or (node is above.children[-1] and _LATER.match(matching(node.body)))
        told = len(above.children) > 1 and asks_all(node.body)
        return bool((self.items and free) or told) and not (node.children or titled or among or under_topic(node))

    def _is_to_all(self, node: Node, line: OwnerLine | None) -> bool:
        """Whether a paragraph after the items speaks to everybody: it says so, or addresses a group."""
        if asks_nobody_named(node.body):
            return True
        if line is None or not line.names:
            return speaks_to_all(node.body)
        many, task = any(name.group for name in line.names), has_task(line.rest)
        if speaks_to_all(node.body):
            return many or not (task or matching(node.body).startswith("giao"))
        return many and not (task or line.alone)

    def _to_mind(self, node: Node) -> None:
        self.account.use(node.paragraph, Use.INSTRUCTION)
        self.instructions.append(_asked(node, ()))

    # -- the duties of an item -------------------------------------------------------------------------------------

    def _duties(self, node: Node, own: Sequence[DutyWords]) -> Iterator[DutyWords]:
        """The duties under an entry. Words ending in a colon stand over the marks that follow them."""
        intro = ""
        found: list[DutyWords] = []
        announcing: list[Node] = []
        for said in own:
            intro = said.text if said.text.endswith(":") and node.children else ""
            found += [] if intro else [with_facts_of(said, node.facts)]
        told = any(child.opens for child in node.marked())
        for child in node.children:
            if child.table is not None:
                continue
            if child.mark is None and child.announces and not child.children:
                intro = child.body
                announcing.append(child)
            elif is_note(child.body):
                self._to_mind(child)
            elif (body := _body_over(child)) is not None:
                self.account.use(child.paragraph, Use.OWNER)
                found.append(DutyWords("", child.place))
                theirs = replace(body, form=Form.INLINE)
                found += (replace(said, level=2, owner=said.owner or theirs) for said in self._duties(child, ()))
            elif is_topic(child, told=told) or _encloses_bodies(child):
                self.account.use(child.paragraph, Use.HEADING)
                found += self._duties(child, ())
            elif child.marked() and (
                (role := is_role_alone(child.body)) or (asked := announced(child)) or distributes(child)
            ):
                self.account.use(child.paragraph, Use.HEADING)
                deep = child.mark is not None
                over = f"{child.body.rstrip(' :.')}:" if role else child.body
                below = timed(list(self._duties(child, [words_of(child, over)])))
                found.append(DutyWords("", child.place, level=deep))
                found += (
                    replace(said, level=1 + deep, owner=said.owner or (None if role else asked)) for said in below
                )
            else:
                closed = child.mark is not None and child.body.endswith(".")
                apart = [each for each in child.children if closed and each.ended]  # no part of a whole sentence
                part = replace(child, children=[each for each in child.children if not (closed and each.ended)])
                for n, each in enumerate((part, *apart)):
                    said = words_of(each, whole(each), intro if child.mark is not None else "")
                    said = replace(said, node=each, level=min(n, 1) + 1)
                    found.append(with_facts_of(said, (fact for under in each.walk() for fact in under.facts)))
        if not found and intro:
            last = announcing.pop() if announcing else None
            found.append(replace(words_of(last or node, intro), node=last))
        for each in announcing:
            self.account.use(each.paragraph, Use.HEADING)
        yield from found

    # -- building values -------------------------------------------------------------------------------------------

    def _at(self, node: Node, topic: str, line: OwnerLine, *, inline: bool = False) -> _Entry:
        """An entry at its place in the document: «IV.2», «III.1.2»; «II.1.2» for the second point that bears no number
        under «1.», «II.(2)» for the second right under «II.»."""
        labels = label_path(node)
        if not node.label:
            n = self.unnumbered[labels] = max(self.unnumbered[labels] + 1, node.turn)
            deep = node.parent is not None and not is_part(node.parent)
            labels = (*labels, str(n) if deep else f"({n})")
        citation = self._unique(self._under(labels))
        return _Entry(citation, bool(node.label), node.place, topic, line, inline, node.body)

    def _under(self, labels: Sequence[str]) -> str:
        """A citation under the section's own number, which may differ from the printed one where that stands twice."""
        own, whole = cited(label_path(self.node)), cited(labels)
        rest = whole.removeprefix(own).removeprefix(".") if own and whole.startswith(f"{own}.") else whole
        return ".".join(filter(None, (self.roman, rest)))

    def _unique(self, citation: str) -> str:
        if citation in self.cited:
            self._doubt("number_doubled", f"Số {citation} đứng hai lần trong văn bản.", citation)
            self.cited[citation] += 1
            citation = f"{citation}({self.cited[citation]})"
        self.cited[citation] += 1
        return citation

    def _add(self, entry: _Entry, duties: Sequence[DutyWords]) -> None:
        citation, line = entry.citation, entry.line
        owners = tuple(owner_of(name, self.directory) for name in line.names)
        for owner in owners:
            if not owner.agency:
                self._doubt("unknown_owner", f"Danh bạ không có «{owner.name}».", citation)
        if not duties:
            words = (entry.text or line.written)[:160]
            self._doubt("no_duty", f"Mục {citation} không có nhiệm vụ nào: «{words}».", citation)
        inline = entry.inline and len(duties) == 1
        named = {name.text for name in line.names}
        parts = [part for said in duties for part in split_by_agency(replace(said, level=0) if inline else said, named)]
        numbered = [*numbered_in(citation, parts)]
        above = deadlines_in(entry.topic)
        made = tuple(self._duty(said, number, owners, above) for said, number in numbered if said.owner is None)
        no = citation.removeprefix(f"{self.roman}.") if entry.numbered or inline else ""
        item = ItemText(no, line.written, owners, made, entry.place, line.request, entry.topic, inline)
        self.items.append(item)
        for said, number in numbered:
            if (other := said.owner) is not None:
                text = other.rest if other.form is Form.COLON and said.text.endswith(other.rest) else said.text
                below = replace(entry, citation=number, line=other, inline=True, place=said.place)
                self._add(below, [replace(said, text=text, owner=None)])

    def _duty(
        self, said: DutyWords, citation: str, owners: Sequence[Owner], above: Sequence[Deadline] = ()
    ) -> DutyText:
        """``above``: the times of the heading, which are those of its duties that name no day."""
        text = END.sub(".", said.text.strip())
        whole = f"{said.intro} {text}" if said.intro else text
        names, facts = tuple(owner.name for owner in owners), said.facts
        roles = roles_in(whole, names)
        helping = (said.intro and roles_in(text, names).coordinating) or roles.coordinating
        told = "\n".join((whole, *facts.details))
        deadlines = (*deadlines_in(told), *(deadlines_in(facts.deadline, column=True) if facts.deadline else ()))
        if not any(each.days for each in deadlines):
            deadlines += tuple(each for each in above if each.days)
        if said.node is not None:
            self.account.use_all(said.node, citation)
        if said.seams:
            parts = f"{len(said.seams) + 1} đoạn riêng; đoạn sau bắt đầu từ «{said.seams[0][:40]}…»"
            self._doubt("two_readings", f"{citation}: có thể là {parts}.", citation, said.seams[0][:40])
        if not deadlines:
            self._doubt("no_due_date", f"{citation}: văn bản không nêu thời hạn hoặc chu kỳ.", citation)
        return DutyText(
            citation,
            text,
            said.place,
            said.mark,
            roles.lead or "; ".join(facts.lead),
            tuple(dict.fromkeys((*facts.coordinating, *helping))),
            facts.monitor,
            facts.product,
            _distinct(deadlines),
            roles.reports_to,
            facts.details,
        )

    def _table(self, node: Node, table: Table, columns: Columns, topic: str) -> None:
        above = [row[columns.at[Label.LEAD]] for row in table.rows[: columns.first]]
        if above and not any(label_of_column(cell) for cell in above):
            self._unknown_label(above[-1])
        groups: list[list[Row]] = []
        rows = [row for row in rows_of(table, columns) if row.texts or row.owners]
        numbers = [row.no for row in rows if row.no and not row.same]
        restarts = len(set(numbers)) < len(numbers)
        for row in rows:
            if not (row.same and groups):
                groups.append([])
            groups[-1].append(row)
            self.account.persons[row.place.key] = row.persons
        for group in groups:
            first = group[0]
            shifted = [text for row in group for text in row.texts if not re.search(r"[^\W\d_]{2}", text)]
            if not first.owners or shifted:
                text = (first.texts or ("",))[0][:60]
                said = "lệch cột, không đọc được" if shifted else "không có cơ quan chủ trì trong bảng"
                self._doubt("row_shifted" if shifted else "owner_missing", f"«{text}» {said}.", first.place)
                for row in group:
                    self.account.use_row(table, row.place.row - 1, Use.LEFT_OUT, reason=NOBODY)
                continue
            duties = [DutyWords(text, row.place, facts=row.facts) for row in group for text in row.texts]
            written = "; ".join(name.text for name in first.owners)
            labels = (*label_path(node), *([first.group] if restarts and first.group else ()))
            self.unnumbered[labels] += not first.no
            labels = (*labels, first.no or f"({self.unnumbered[labels]})")
            citation, topic_ = self._unique(self._under(labels)), first.topic or topic
            self._add(_Entry(citation, bool(first.no), first.place, topic_, OwnerLine(written, first.owners)), duties)
            for row in group:
                self.account.use_row(table, row.place.row - 1, Use.DUTY, citation)
        for r in range(len(table.rows)):
            self.account.use_row(table, r, Use.HEADING)

    # -- doubts ----------------------------------------------------------------------------------------------------

    def _doubt(self, code: str, message: str, place: Place | str, words: str = "") -> None:
        self.doubts.append(Doubt(code, message, str(place), words))

    def _unknown_label(self, label: str, who: str = "chủ trì") -> None:
        self._doubt("unknown_label", f"Nhãn «{label}» chưa biết, đọc là cơ quan {who}.", "cả văn bản")

    def _gaps(self, node: Node) -> None:
        """Numbers left out between the entries directly under a node."""
        marks = [child.mark for child in node.children if child.mark is not None and child.mark.rank is Rank.NUMBER]
        for before, mark in pairwise(marks):
            stem = mark.label.rpartition(".")[0]
            most = 20 if before.depth == mark.depth else 0
            for value in range(before.value + 1, min(mark.value, before.value + most)):
                place = self._under((*label_path(node), f"{stem}.{value}" if stem else str(value)))
                self._doubt("number_gap", f"Văn bản không có mục {place}.", place)


def instructions_of(
    node: Node, line: OwnerLine | None, directory: Directory, account: Account
) -> Iterator[Instruction]:
    """The instruction that a paragraph to everybody is; none if it only takes leave («Trên đây là Kế hoạch …./.»)."""
    owners = tuple(owner_of(name, directory) for name in line.names) if line else ()
    asked = _asked(node, owners)
    if owners or asked.reports_to or asked.deadlines or _MADE_KNOWN.search(matching(asked.text)):
        account.use(node.paragraph, Use.INSTRUCTION)
        yield asked
    else:
        account.leave_out(node.paragraph, LEAVE)


def _asked(node: Node, owners: tuple[Owner, ...]) -> Instruction:
    text = nameless(node.body)
    reports_to = roles_in(text, tuple(owner.name for owner in owners)).reports_to
    return Instruction(text, node.place, owners, _distinct(deadlines_in(text)), reports_to)


_LATER = spelled(r"(?:trong )?quá trình (?:tổ chức )?(?:thực hiện|triển khai)[^,.;]{0,40},? nếu ")
_MADE_KNOWN = spelled(
    r"(?<!\w)được (?:phổ biến|quán triệt) (?:đến|tới|xuống) .{2,120}?(?:để|thực hiện)|chịu trách nhiệm thi hành"
)


def _body_over(node: Node) -> OwnerLine | None:
    """The body that a point names, and nothing else, over points of its own («a) Sở Y tế»)."""
    return node.owner if node.owner and node.owner.alone and node.marked() else None


def _encloses_bodies(node: Node) -> bool:
    """Whether most points of a point are bodies over points of their own («2.2. Trách nhiệm cụ thể»)."""
    below = node.marked()
    return 2 * sum(_body_over(each) is not None for each in below) > len(below)


def _another(said: DutyWords, named: set[str]) -> OwnerLine | None:
    """Who is asked to do a point, or the body that it begins with, where it is none of those of its entry («c) Chủ tịch
    UBND xã chịu …»)."""
    node, asked = said.node, said.owner
    line = asked or (node.owner if node and not node.children else None)
    if node is None or line is None or line.alone or OF_ITSELF.match(matching(line.written)):
        return None
    plain = matching(node.body)
    if plain.startswith("riêng ") or (line.request and node.mark is None):
        return line
    given = plain.startswith("giao ")
    own = given and node.rank is Rank.NUMBER  # «1.3. Giao phòng Vật tư …»
    own = own or (line.written[0].isupper() and (given or not line.start))
    return line if (asked or own) and not named & {name.text for name in line.names} else None


def _distinct(deadlines: Sequence[Deadline]) -> tuple[Deadline, ...]:
    """Each words once; a bare «định kỳ» only where nothing else says when or how often."""
    cycles = [each for each in deadlines if each.cadence or each.days]
    deadlines = [each for each in deadlines if not cycles or each.text.lower() != "định kỳ"]
    return tuple({each.text.lower(): each for each in reversed(deadlines)}.values())[::-1]


def section_of(node: Node, directory: Directory, roman: str, account: Account) -> SectionRead:
    """What a duty section says, with the doubts met and the instructions to all that stood in it. It may have no
    items."""
    found = SectionRead(directory, account, roman, node)
    line = _run_in(node)
    if line is not None:
        entry = found._at(Node(parent=node), "", line, inline=True)
        found._add(entry, [DutyWords(line.rest, node.place, node=node)])
    account.use(node.paragraph, Use.HEADING)
    found.visit(node)
    for each in node.walk() if node.paragraph is not None and found.items else ():
        if not each.heading and (each.ended or not each.children):
            account.leave_out(each.paragraph, NOBODY, serious=True)
    return found


def _run_in(node: Node) -> OwnerLine | None:
    """The duty of a section that runs into its heading: «V. CHẾ ĐỘ BÁO CÁO: Các sở, ngành gửi báo cáo …»."""
    rest = node.body.partition(":")[2].strip()
    line = owner_line(rest, clauses=True) if ended(rest) else None
    return replace(line, rest=rest) if line is not None and not line.alone else None
