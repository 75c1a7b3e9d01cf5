"""Converts a duty section to items and duties, recording every doubt.

An item is an entry that names bodies; its duties are the marks under it, or its paragraphs where it has no marks. A
mark's own sub-points belong to it. An entry with a labelled lead («Đơn vị chủ trì: …») is a duty itself, one for each
lead. An entry that names no body is a topic of the entries below it, or is left out with a doubt.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from engine.features.plan_import.importer.base.model import (
    Deadline,
    Doubt,
    DutyText,
    Instruction,
    ItemText,
    Origin,
    Owner,
    Place,
    SectionText,
    Use,
)
from engine.features.plan_import.importer.entries import (
    LONGEST_LIST,
    DutyWords,
    announced,
    another_owner,
    are_few,
    body_over,
    commitments,
    distinct,
    encloses_bodies,
    is_cycle_of_many,
    is_of_many,
    is_topic,
    is_whole_sentence,
    labelled_words,
    numbered_in,
    only_announces,
    own_words,
    sentence_and_rest,
    split_by_agency,
    times_of,
    whole,
    with_facts_of,
    words_of,
)
from engine.features.plan_import.importer.phrases.agency_lists import (
    CARRIED_OUT,
    END,
    NO_BODY,
    asks_all,
    has_task,
    is_role_alone,
    lead_of,
    placed_owner,
    roles_in,
    speaks_to_all,
)
from engine.features.plan_import.importer.phrases.deadlines import deadlines_in
from engine.features.plan_import.importer.phrases.labels import (
    Label,
    label_inside,
    label_of_column,
    label_of_line,
    labels_at_end,
    product_in,
)
from engine.features.plan_import.importer.phrases.marks import BULLETS, Rank, body_of
from engine.features.plan_import.importer.phrases.name_words import Prose, begins_name, opens_duty
from engine.features.plan_import.importer.phrases.names import nameless
from engine.features.plan_import.importer.phrases.owners import (
    Directory,
    Form,
    OwnerLine,
    addressees,
    owner_line,
    owner_of,
    split_names,
    unaddressed,
)
from engine.features.plan_import.importer.reading.pdf import Table
from engine.features.plan_import.importer.structure.account import LEAVE, NOBODY, Account
from engine.features.plan_import.importer.structure.duty_tables import Columns, Row, rows_of
from engine.features.plan_import.importer.structure.facts import Facts, by_lead, label_words
from engine.features.plan_import.importer.structure.joining import Fact, ended
from engine.features.plan_import.importer.structure.outline import Node, Theme, cited, is_part, label_path, under_topic
from engine.features.plan_import.importer.structure.sections import is_given, is_order
from engine.rules.vietnamese import matching, spelled


@dataclass(frozen=True, kw_only=True)
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


@dataclass(kw_only=True)
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
        """Tries the readings of an entry in order; the first that fits is used."""
        if only_announces(child):
            self.account.use(child.paragraph, Use.HEADING)  # it only introduces what follows
        elif child.leads:
            self._led(child, topic)
        elif self._instructs(child):
            self._to_all(child, child.owner or child.doer)
        elif line := self._owner_line(child, parent):
            self._owned(child, line, topic)
        elif child.doer is not None:
            self._done_by(child, child.doer, topic)
        elif child.gives_duties or any(each.is_entry for each in child.walk()):
            self.account.use(child.paragraph, Use.HEADING)
            self.visit(child, child.body or topic)
        elif line := self._likely_owner(child, parent):
            self._owned(child, line, topic)
        elif child.mark is not None:
            self._leave_unassigned(child)

    def _owner_line(self, node: Node, parent: Node) -> OwnerLine | None:
        """The bodies whose entry a node is: those that it begins with, or an unknown one that begins like a
        name, whatever its points ask of another body."""
        if node.owner is None and node.doer is None and begins_name(Prose.of(node.body), 0):
            return self._unknown_body(node, parent)
        return node.owner

    def _likely_owner(self, node: Node, parent: Node) -> OwnerLine | None:
        """The bodies of an entry that names none in a known form, by those beside it or by the section's heading."""
        placed = node.among or (self.trusted and (node.mark or self.items or not parent.marked()))
        return self._unknown_body(node, parent) or (placed_owner(node.body) if placed else None)

    def _done_by(self, node: Node, doer: OwnerLine, topic: str) -> None:
        """A duty whose words say at their end or in their middle who is to do it."""
        entry = self._at(node, topic, doer, inline=True)
        text, facts = whole(node), Facts.of([*labels_at_end(node.body).items()])
        if facts.lead and (before := text[: label_inside(text)].rstrip(" (")).endswith((".", ";")):
            text = before
        self._add(entry, [with_facts_of(replace(words_of(node, text), facts=facts, node=node), node.facts)])

    def _leave_unassigned(self, node: Node) -> None:
        words = node.body[:60] + ("…" if len(node.body) > 60 else "")
        message = f"«{words}» không nêu cơ quan thực hiện, không lấy thành nhiệm vụ."
        self._doubt("not_assigned", message, node.place, node.body[:60])
        for each in node.walk():
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
        else:
            self._own_duties(node, entry)

    def _own_duties(self, node: Node, entry: _Entry) -> None:
        """The duties of an entry's own bodies: its words, and the points below them."""
        line = entry.line
        for fact in node.facts if line.rest else ():
            self.account.use(fact.line, Use.FACT, entry.citation)
        own, inline = own_words(node, line), line.inline and not node.marked()
        if inline and is_whole_sentence(node):
            self._sentence_and_list(node, entry, own)
            return
        named = {name.text for name in line.names}
        duties = [replace(said, owner=another_owner(said, named)) for said in self._duties(node, own)]
        self._add(replace(entry, inline=inline), duties)

    def _sentence_and_list(self, node: Node, entry: _Entry, own: DutyWords | None) -> None:
        """A numbered sentence that is a duty, and what follows it, which is none of its words: several paragraphs that
        begin like duties are a list of theirs, others are to be borne in mind."""
        listed = [child for child in node.children if child.opens and not speaks_to_all(child.body)]
        listed = listed if len(listed) > 1 else []
        more = [replace(words_of(child, whole(child)), node=child) for child in listed]
        self._add(replace(entry, inline=True), [own, *more] if own else more)
        for child in node.children:
            if child not in listed and child.opens:
                self._to_mind(child)

    def _led(self, node: Node, topic: str) -> None:
        """A duty for each labelled lead of a node, or for each point of a title; entries below that have leads of their
        own are duties, too."""
        own = [child for child in node.children if child.leads]
        words = labelled_words(node, own)
        groups = by_lead(node.facts)
        base = self._at(node, topic, OwnerLine(written="", names=()))
        self.account.use(node.paragraph, Use.DUTY, base.citation)
        for n, facts in enumerate(groups, 1):
            citation = base.citation if len(groups) == 1 else f"{base.citation}.{n}"
            names = lead_of(next(fact.value for fact in facts if fact.label is Label.LEAD))[0]
            duties = [with_facts_of(said, facts) for said in words]
            line = OwnerLine(written="; ".join(duties[0].facts.lead), names=tuple(names))
            self._add(replace(base, citation=citation, line=line, inline=True), duties)
            for fact in facts:
                self._use_fact(fact, citation)
        for child in node.children:
            if child not in own:
                self.account.use_all(child, base.citation)
        self.visit(node, node.body)

    def _use_fact(self, fact: Fact, citation: str) -> None:
        """A labelled line of a duty; a label that no table knows is a doubt."""
        self.account.use(fact.line, Use.FACT, citation)
        title = body_of(fact.line.body).partition("\n")[0]
        labelled = label_of_line(title) or label_of_line(f"{title}:") or fact.line.body.startswith("(")
        if fact.label in (Label.LEAD, Label.COORDINATING) and not labelled:
            self._unknown_label(label_words(fact), "chủ trì" if fact.label is Label.LEAD else "phối hợp")

    def _only_encloses(self, node: Node, line: OwnerLine) -> bool:
        """Whether the points under an entry name bodies of their own; those of a group («Các phòng thuộc Sở») may do so
        in sentences."""
        below = node.marked()
        group = line.alone and any(name.group for name in line.names)
        lines = list(filter(None, (self._named_below(child, node, group=group) for child in below)))
        if not (group and len(lines) == len(below)):
            lines = [each for each in lines if not each.inline]
        if below and below[0].rank is Rank.NUMBER and len(lines) == len(below):
            return True
        return len(lines) >= 2 and 2 * len(lines) >= len(below)

    def _named_below(self, node: Node, parent: Node, *, group: bool) -> OwnerLine | None:
        if node.owner or not group:
            return node.owner
        return node.doer or self._unknown_body(node, parent) or placed_owner(node.body)

    def _unknown_body(self, node: Node, parent: Node) -> OwnerLine | None:
        """An entry among bodies that looks like one: few words, then a colon or its duties below. Whatever verbs are in
        it, a line without an end that has duties below it is a name."""
        if node.mark is None or not (self.trusted or (parent.gives_duties and node.among)):
            return None
        before, colon, rest = node.body.partition(":")
        if not self._may_be_name(before) or label_of_line(node.body):
            return None
        if not (are_few(before, titled=not colon) and (colon or node.children)):
            return None
        name = re.sub(r"\s*\([^()]{0,200}\)$", "", unaddressed(before).strip(" ."))
        names = split_names(name)
        return OwnerLine(
            written=name, names=tuple(names), rest=rest.strip(), form=Form.COLON if rest.strip() else Form.ALONE
        )

    def _may_be_name(self, words: str) -> bool:
        """Whether words before a colon or over points may be the name of a body, and no activity («2. Đào tạo»)."""
        if len(words) > 200 or not words[:1].isupper() or re.search(r"[.]|[;,]$", words):
            return False
        activity = opens_duty(words) and words[1:].islower() and not self.trusted
        if ";" in words and any(map(opens_duty, re.split(r";\s*", words))):
            return False  # a sentence
        return not activity and NO_BODY.match(matching(words)) is None

    # -- instructions to all -------------------------------------------------------------------------------------------

    def _instructs(self, node: Node) -> bool:
        """Whether a paragraph asks everybody to carry out the plan, and is no duty of one owner."""
        if CARRIED_OUT.search(matching(node.body[-80:])):
            return True
        return self._closes(node) and self._is_to_all(node, node.owner or node.doer)

    def _closes(self, node: Node) -> bool:
        """Whether a paragraph stands where a plan speaks to everybody: after the items, or last of its points."""
        if node.children or under_topic(node) or self._is_of_those_above(node):
            return False
        above = node.parent or self.node
        free = node.mark is None or (node is above.children[-1] and _LATER.match(matching(node.body)))
        return bool(self.items and free) or (len(above.children) > 1 and asks_all(node.body))

    def _is_of_those_above(self, node: Node) -> bool:
        """Whether a paragraph stands under a numbered title of duties, or goes on with what a body was asked."""
        above = node.parent or self.node
        titled = above.theme is Theme.DUTIES or (node is above.children[0] and is_order(node))
        if titled and above.rank is Rank.NUMBER and not above.owner:
            return True
        return node.owner is not None and node.owner.rest == node.body  # one more of those asked before it

    def _is_to_all(self, node: Node, line: OwnerLine | None) -> bool:
        """Whether a paragraph after the items speaks to everybody: it says so, or addresses a group."""
        if line is None:
            return speaks_to_all(node.body)
        many, task = any(name.group for name in line.names), has_task(line.rest)
        if speaks_to_all(node.body):
            return many or not (task or matching(node.body).startswith("giao"))
        return many and not (task or line.alone)

    def _to_all(self, node: Node, line: OwnerLine | None) -> None:
        """What is asked of everybody: a duty of the group where it comes again and again."""
        if line is not None and is_cycle_of_many(node.body, line):
            self._add(self._at(node, "", line, inline=True), [replace(words_of(node, whole(node)), node=node)])
        else:
            self.commit(node, after=1)
            self.instructions += instructions_of(node, line, self.directory, self.account)

    def commit(self, node: Node, *, after: int = 0) -> None:
        """The sentences of a paragraph, from one place on, that name a body and «chủ trì» or a last day are duties."""
        found = [(at, line) for at, line in commitments(node.body) if at >= after and not (after and is_of_many(line))]
        if not found:
            return
        text = whole(node) if node.announces else node.body
        entry = self._at(Node(parent=node) if node is self.node else node, "", found[0][1], inline=True)
        self.account.use(node.paragraph, Use.DUTY, entry.citation)
        ends = [*(at for at, _ in found[1:]), len(text)]
        for n, ((at, line), end) in enumerate(zip(found, ends, strict=True)):
            said = DutyWords(text=text[at:end].strip(), place=node.place, node=node if node.announces else None)
            self._add(replace(entry, citation=f"{entry.citation}.{n}" if n else entry.citation, line=line), [said])

    def _to_mind(self, node: Node) -> None:
        self.account.use(node.paragraph, Use.INSTRUCTION)
        self.instructions.append(_asked(node, ()))

    # -- the duties of an item -------------------------------------------------------------------------------------

    def _duties(self, node: Node, own: DutyWords | None = None) -> Iterator[DutyWords]:
        """The duties under an entry, after that of its ``own`` words. Words that end in a colon stand
        over the marks that follow them."""
        intro = own.text if own and own.text.endswith(":") and node.children else ""
        found = [with_facts_of(own, node.facts)] if own and not intro else []
        announcing: list[Node] = []
        listed = any(child.opens for child in node.marked())
        for child in node.children:
            if only_announces(child):
                intro = child.body
                announcing.append(child)
            elif child.table is None:
                found += self._point(child, intro, listed=listed)
        if not found and intro:
            last = announcing.pop() if announcing else None
            found = [replace(words_of(last or node, intro), node=last)]
        for each in announcing:
            self.account.use(each.paragraph, Use.HEADING)
        yield from found

    def _point(self, node: Node, intro: str, *, listed: bool) -> Iterator[DutyWords]:
        """The duties of a point under an entry. ``intro``: the words that stand over it; ``listed``: points beside it
        begin with verbs."""
        if (body := body_over(node)) is not None:
            self.account.use(node.paragraph, Use.OWNER)
            yield DutyWords(text="", place=node.place)
            theirs = replace(body, form=Form.INLINE)
            for said in self._duties(node):
                yield replace(said, level=2, owner=said.owner or theirs)
        elif node.marked() and (is_role_alone(node.body) or announced(node)):
            yield from self._points_of_sentence(node)
        elif is_topic(node, told=listed) or encloses_bodies(node):
            self.account.use(node.paragraph, Use.HEADING)
            yield from self._duties(node)
        else:
            yield from sentence_and_rest(node, intro)

    def _points_of_sentence(self, node: Node) -> Iterator[DutyWords]:
        """The duties below a point that gives its role, its partners or its agencies to each of them."""
        asked, deep = announced(node), node.mark is not None
        self.account.use(node.paragraph, Use.OWNER if asked else Use.HEADING)
        yield DutyWords(text="", place=node.place, level=deep)
        for said in self._duties(node, words_of(node, f"{node.body.rstrip(' :.')}:")):
            yield replace(said, level=1 + deep, owner=said.owner or asked)

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
        return _Entry(
            citation=citation,
            numbered=bool(node.label),
            place=node.place,
            topic=topic,
            line=line,
            inline=inline,
            text=node.body,
        )

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
        owners = self._owners(line, citation)
        if not duties:
            words = (entry.text or line.written)[:160]
            self._doubt("no_duty", f"Mục {citation} không có nhiệm vụ nào: «{words}».", citation)
        inline = entry.inline and len(duties) == 1
        numbered = _numbered(entry, [replace(said, level=0) for said in duties] if inline else duties)
        above = deadlines_in(entry.topic)
        item = ItemText(
            no=citation.removeprefix(f"{self.roman}.") if entry.numbered or inline else "",
            owner=line.written,
            owners=owners,
            duties=tuple(self._duty(said, number, owners, above) for said, number in numbered if said.owner is None),
            place=entry.place,
            request=line.request,
            topic=entry.topic,
            inline=inline,
            origin=line.origin,
        )
        self.items.append(item)
        for said, number in numbered:
            if said.owner is not None:
                self._add_of_another(entry, said, said.owner, number)

    def _owners(self, line: OwnerLine, citation: str) -> tuple[Owner, ...]:
        """The bodies of an entry, matched; one that the directory lacks is a doubt."""
        owners = tuple(owner_of(name, self.directory) for name in line.names)
        for owner in owners:
            if not owner.agency:
                self._doubt("unknown_owner", f"Danh bạ không có «{owner.name}».", citation)
        return owners

    def _add_of_another(self, entry: _Entry, said: DutyWords, owner: OwnerLine, number: str) -> None:
        """A duty among those of an entry that is given to another body, as an item of that body's own."""
        text = owner.rest if owner.form is Form.COLON and said.text.endswith(owner.rest) else said.text
        if owner.origin is Origin.HEADING:
            owner = replace(owner, origin=Origin.POINT)
        below = replace(entry, citation=number, line=owner, inline=True, place=said.place)
        self._add(below, [replace(said, text=text, owner=None)])

    def _duty(
        self, said: DutyWords, citation: str, owners: Sequence[Owner], above: Sequence[Deadline] = ()
    ) -> DutyText:
        """``above``: the times of the heading, which are those of its duties that name no day."""
        text = END.sub(".", said.text.strip())
        whole = f"{said.intro.replace('với:', 'với')} {text}" if said.intro else text
        names, facts = tuple(owner.name for owner in owners), said.facts
        roles = roles_in(whole, names)
        helping = (said.intro and roles_in(text, names).coordinating) or roles.coordinating
        deadlines = times_of(whole, facts, above)
        if said.node is not None:
            self.account.use_all(said.node, citation)
        if said.seams:
            parts = f"{len(said.seams) + 1} đoạn riêng; đoạn sau bắt đầu từ «{said.seams[0][:40]}…»"
            self._doubt("two_readings", f"{citation}: có thể là {parts}.", citation, said.seams[0][:40])
        if said.parted:
            self._doubt("two_readings", f"{citation}: có thể cùng một đoạn với nhiệm vụ ở trên.", citation)
        if not deadlines:
            self._doubt("no_due_date", f"{citation}: văn bản không nêu thời hạn hoặc chu kỳ.", citation)
        return DutyText(
            citation=citation,
            text=text,
            place=said.place,
            mark=said.mark,
            lead=roles.lead or "; ".join(facts.lead),
            coordinating=tuple(dict.fromkeys((*facts.coordinating, *helping))),
            monitor=facts.monitor,
            product=product_in(text, facts.product),
            deadlines=distinct(deadlines),
            reports_to=roles.reports_to,
            details=facts.details,
        )

    def _table(self, node: Node, table: Table, columns: Columns, topic: str) -> None:
        """The duties of a table, an item for each row or for the rows of one merged owner."""
        heads = [row[columns.at[Label.LEAD]] for row in table.rows[: columns.first]]
        if heads and not any(map(label_of_column, heads)):
            self._unknown_label(heads[-1])
        rows = [row for row in rows_of(table, columns) if row.texts or row.owners]
        restarts = _restarts(rows)
        for row in rows:
            self.account.persons[row.place.key] = row.persons
        for group in _by_entry(rows):
            if self._leave_rows(table, group):
                continue
            citation = self._add_rows(node, group, topic, restarts=restarts)
            for row in group:
                self.account.use_row(table, row.place.row - 1, Use.DUTY, citation)
        for r in range(len(table.rows)):
            self.account.use_row(table, r, Use.HEADING)

    def _leave_rows(self, table: Table, group: Sequence[Row]) -> bool:
        """Leaves out rows that name nobody, or whose cells stand in the wrong columns: whether it did."""
        shifted = any(not re.search(r"[^\W\d_]{2}", text) for row in group for text in row.texts)
        if group[0].owners and not shifted:
            return False
        text = (group[0].texts or ("",))[0][:60]
        said = "lệch cột, không đọc được" if shifted else "không có cơ quan chủ trì trong bảng"
        self._doubt("row_shifted" if shifted else "owner_missing", f"«{text}» {said}.", group[0].place)
        for row in group:
            self.account.use_row(table, row.place.row - 1, Use.LEFT_OUT, reason=NOBODY)
        return True

    def _add_rows(self, node: Node, group: Sequence[Row], topic: str, *, restarts: bool) -> str:
        """The item of rows with one owner; its citation. ``restarts``: numbers begin again under each heading."""
        first = group[0]
        duties = [DutyWords(text=text, place=row.place, facts=row.facts) for row in group for text in row.texts]
        labels = (*label_path(node), *([first.group] if restarts and first.group else ()))
        self.unnumbered[labels] += not first.no
        citation = self._unique(self._under((*labels, first.no or f"({self.unnumbered[labels]})")))
        line = OwnerLine(written="; ".join(name.text for name in first.owners), names=first.owners)
        self._add(
            _Entry(
                citation=citation, numbered=bool(first.no), place=first.place, topic=first.topic or topic, line=line
            ),
            duties,
        )
        return citation

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
    return Instruction(text, node.place, owners, distinct(deadlines_in(text)), reports_to)


_LATER = spelled(r"(?:trong )?quá trình (?:tổ chức )?(?:thực hiện|triển khai)[^,.;]{0,40},? nếu ")
_MADE_KNOWN = spelled(
    r"(?<!\w)được (?:phổ biến|quán triệt) (?:đến|tới|xuống) .{2,120}?(?:để|thực hiện)|chịu trách nhiệm thi hành"
)


def _numbered(entry: _Entry, duties: Sequence[DutyWords]) -> list[tuple[DutyWords, str]]:
    """The duties of an entry with their numbers, those of other bodies in its sentences apart."""
    named = {name.text for name in entry.line.names}
    return [*numbered_in(entry.citation, [part for said in duties for part in split_by_agency(said, named)])]


def _restarts(rows: Iterable[Row]) -> bool:
    """Whether the numbers of a table begin again under its headings."""
    numbers = [row.no for row in rows if row.no and not row.same]
    return len(set(numbers)) < len(numbers)


def _by_entry(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each entry: one, or several where the cell of the owner is merged."""
    groups: list[list[Row]] = []
    for row in rows:
        if not (row.same and groups):
            groups.append([])
        groups[-1].append(row)
    return groups


def section_of(node: Node, directory: Directory, roman: str, account: Account) -> SectionRead:
    """What a duty section says, with the doubts met and the instructions to all that stood in it. It may have no
    items."""
    found = SectionRead(directory=directory, account=account, roman=roman, node=node)
    line = _run_in(node)
    if line is not None:
        entry = found._at(Node(parent=node), "", line, inline=True)
        found._add(entry, [DutyWords(text=line.rest, place=node.place, node=node)])
    account.use(node.paragraph, Use.HEADING)
    found.visit(node)
    for each in node.walk() if node.paragraph is not None and found.items else ():
        if not each.heading and (each.ended or not each.children):
            account.leave_out(each.paragraph, NOBODY, serious=True)
    return found


def duties_elsewhere(top: Node, directory: Directory, roman: str, account: Account) -> SectionRead:
    """What a part of a document gives whose heading gives nothing: sentences that name a body and «chủ trì» or a last
    day, paragraphs to everybody («VI. KINH PHÍ … Trên đây là Kế hoạch …», «Điều 3. … chịu trách nhiệm thi hành …»)."""
    found = SectionRead(directory=directory, account=account, roman=roman, node=top)
    for node in top.walk():
        free = (node.mark is None and not node.heading and not node.children) or node.rank is Rank.PART
        if account.has(node.paragraph):
            continue
        if free and speaks_to_all(node.body):
            found._to_all(node, owner_line(node.body, clauses=True) if len(node.body) < 2 * LONGEST_LIST else None)
        elif not (node.heading or speaks_to_all(node.body) or (node.children and not node.ended)):
            found.commit(node)
    return found


def _run_in(node: Node) -> OwnerLine | None:
    """The duty of a section that runs into its heading: «V. CHẾ ĐỘ BÁO CÁO: Các sở, ngành gửi báo cáo …»."""
    rest = node.body.partition(":")[2].strip()
    line = owner_line(rest, clauses=True) if ended(rest) else None
    return replace(line, rest=rest) if line is not None and not line.alone else None
