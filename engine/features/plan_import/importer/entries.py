"""Questions about one entry and its points: which text is its duty, which is below it, who else is assigned one.
Independent of what was read before. Pure.

The raw text of a duty: its paragraph with what is below it, and what labels state about it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from engine.features.plan_import.importer.base.model import Deadline, Origin, Place
from engine.features.plan_import.importer.phrases.agency_lists import NO_BODY, is_role_alone
from engine.features.plan_import.importer.phrases.deadlines import deadlines_in, is_dated
from engine.features.plan_import.importer.phrases.labels import Label, is_task_title
from engine.features.plan_import.importer.phrases.marks import BULLETS, Rank, body_of
from engine.features.plan_import.importer.phrases.name_words import opens_duty
from engine.features.plan_import.importer.phrases.owners import (
    Form,
    OwnerLine,
    asked_by,
    asks,
    is_of_another,
    owner_line,
    spelled_out,
)
from engine.features.plan_import.importer.structure.facts import Facts
from engine.features.plan_import.importer.structure.joining import Fact
from engine.features.plan_import.importer.structure.outline import Node
from engine.rules.vietnamese import matching, spelled

_LONGEST_TOPIC = 160
LONGEST_LIST = 2000
"""Characters in which a list of bodies ends."""


@dataclass(frozen=True, kw_only=True)
class DutyWords:
    """The raw text of one duty: ``intro`` introduces several («Chủ trì …:»); ``owner``: who is to do it, if not those
    of its entry; ``level``: 1 for a point of its entry, 2 for one below a point."""

    text: str
    place: Place
    mark: str = ""
    intro: str = ""
    seams: tuple[str, ...] = ()
    parted: bool = False
    facts: Facts = field(default_factory=Facts)
    node: Node | None = None
    owner: OwnerLine | None = None
    level: int = 1


def with_facts_of(said: DutyWords, facts: Iterable[Fact]) -> DutyWords:
    """A duty with what the labelled lines after it say; lines of unknown labels stay with its words."""
    given = list(facts)
    text = "\n".join([said.text, *(fact.line.text for fact in given if fact.label is Label.OTHER)])
    return replace(said, facts=Facts.of([(fact.label, fact.value) for fact in given]), text=text) if given else said


def words_of(node: Node, text: str, intro: str = "") -> DutyWords:
    """A duty's words with the places where another paragraph may have begun."""
    paragraph, mark = node.paragraph, node.mark
    seams = tuple(paragraph.text[at:].strip() for at in paragraph.seams) if paragraph else ()
    kept = tuple(seam for seam in seams if seam and seam in text and seam != text)
    label = paragraph.text[: mark.length].strip() if paragraph and mark else ""
    parted = paragraph is not None and paragraph.parted and text.startswith(node.body)
    return DutyWords(text=text, place=node.place, mark=label, intro=intro, seams=kept, parted=parted)


def whole(node: Node, *, without: Sequence[Node] = ()) -> str:
    """The text of an entry with all that stands under it, marks kept below it."""
    parts = [node.body]
    for child in node.children:
        if child not in without:
            parts += [each.paragraph.text.strip() for each in child.walk() if each.paragraph is not None]
    return "\n".join(part for part in parts if part)


_COUNTED = spelled(r"(?:hoạt động|nhiệm vụ|nội dung|công việc) (?:số )?\d{1,2}(?: ?:)?$")


def contents(text: str) -> str:
    """A labelled duty's words without the label before them («Nội dung: …», «Nhiệm vụ: …») and a title that only counts
    («Hoạt động 1»)."""
    title, _, below = text.partition("\n")
    if below and _COUNTED.match(matching(title)):
        text = body_of(below)
    return text.partition(":")[2].strip() if matching(text[:12]).startswith(("nội dung: ", "nhiệm vụ: ")) else text


def is_topic(node: Node, *, told: bool) -> bool:
    """A mark that only announces the marks under it, which begin with verbs: few words, none itself («a) Công tác tuyên
    truyền:»). ``told``: points beside it begin with verbs, so it must be in the table of words that begin no duty."""
    if node.mark is None or node.mark.rank in BULLETS or len(node.body) > _LONGEST_TOPIC:
        return False
    below = any(each.opens for each in node.marked())
    if not below or node.body.endswith((".", ";")) or node.opens:
        return False
    return not told or NO_BODY.match(matching(node.body)) is not None


_ANNOUNCES = spelled(r"(?:sau|nhiệm vụ|nội dung|trách nhiệm|cụ thể) ?:$")


def announced(node: Node) -> OwnerLine | None:
    """Whom a point of an entry asks to do the points below it («a) Sở Y tế chủ trì, phối hợp với các sở thực hiện các
    công việc sau:»)."""
    return node.owner or node.doer if _ANNOUNCES.search(matching(node.body)) else None


_NEXT_SENTENCE = re.compile(r"[.]\s+(?=[^\W\d_])")
OF_ITSELF = re.compile(r"(?:lãnh đạo|thường trực|cơ quan|mỗi|thành viên|viên chức|cán bộ)(?!\w)")
"""How a point begins that speaks of its own entry, or with a verb that is a noun elsewhere."""


def split_by_agency(said: DutyWords, named: set[str]) -> Iterator[DutyWords]:
    """A duty, and apart from it the sentences of its paragraph that begin with other bodies, each with what follows."""
    line = said.text.partition("\n")[0] if said.owner is None and not said.facts.lead else ""
    others = list(_sentences_of_others(line, named))
    if not others:
        yield said
        return
    starts = [at for at, _ in others]
    yield replace(said, text=said.text.replace(line, line[: starts[0]].rstrip(), 1))
    for (at, other), end in zip(others, [*starts[1:], len(line)], strict=True):
        yield DutyWords(text=line[at:end].strip(), place=said.place, owner=other, level=2)


def _sentences_of_others(line: str, named: set[str]) -> Iterator[tuple[int, OwnerLine]]:
    """Where each sentence begins that is another body's than those of the sentence before, with its owner line."""
    for found in _NEXT_SENTENCE.finditer(line):
        rest = line[found.end() : found.end() + LONGEST_LIST]
        other = owner_line(rest)
        if other is None or (opens_duty(rest) and not other.start) or OF_ITSELF.match(matching(rest)):
            continue
        if other.inline and not asks(other) and is_of_another(other, named):
            yield found.end(), other
            named = {name.text for name in other.names}


_IN_THE_PAST = spelled(r"(?<!\w)đã(?!\w)")
_CHIEF = spelled(r"(?<!\w)chủ trì(?!\w)")


def commitments(text: str) -> Iterator[tuple[int, OwnerLine]]:
    """Where each sentence begins that names a body and «chủ trì» or a last day, with its owner line."""
    starts = [0, *(found.end() for found in _NEXT_SENTENCE.finditer(text[:LONGEST_LIST]))]
    for at, end in zip(starts, [*starts[1:], len(text)], strict=True):
        sentence = text[at:end].strip()
        line = owner_line(sentence, clauses=True)
        if line is not None and asks(line):
            line = asked_by(spelled_out(line.written), sentence)
        if line is None or line.alone or _IN_THE_PAST.search(matching(sentence)):
            continue
        if _CHIEF.search(matching(line.rest)) or is_dated(sentence):
            yield at, replace(line, origin=Origin.SENTENCE)


def is_cycle_of_many(text: str, line: OwnerLine | None) -> bool:
    """Whether a group is asked for something again and again («… các sở, ngành hằng năm báo cáo»). What comes weekly
    is how a closing instruction is kept to, and stays in it."""
    returns = (set(each.cadence) - {"week", "half_month"} for each in deadlines_in(text))
    return line is not None and is_of_many(line) and any(returns)


def is_of_many(line: OwnerLine) -> bool:
    return any(name.group for name in line.names)


def numbered_in(citation: str, duties: Sequence[DutyWords]) -> Iterator[tuple[DutyWords, str]]:
    """The duties of an entry with their numbers; points that only announce others are counted and are none."""
    n = k = 0
    for said in duties:
        n, k = (n, k + 1) if said.level > 1 else (n + said.level, 0)
        if said.text:
            yield said, ".".join([citation, *(str(each) for each in (n, k) if each)])


def only_announces(node: Node) -> bool:
    """Whether a paragraph only introduces what follows it."""
    return node.mark is None and node.announces and not node.children


def body_over(node: Node) -> OwnerLine | None:
    """The body that a point names, and nothing else, over points of its own («a) Sở Y tế»)."""
    return node.owner if node.owner and node.owner.alone and node.marked() else None


def encloses_bodies(node: Node) -> bool:
    """Whether most points of a point are bodies over points of their own («2.2. Trách nhiệm cụ thể»)."""
    below = node.marked()
    return 2 * sum(body_over(each) is not None for each in below) > len(below)


def are_few(words: str, *, titled: bool) -> bool:
    """Whether words are as few as a name has; over points (``titled``) there may be a verb in it."""
    return len(words) <= 70 and ((titled and len(words.split()) <= 10) or not opens_duty(words))


def another_owner(said: DutyWords, named: set[str]) -> OwnerLine | None:
    """Who is asked to do a point, or the body that it begins with, where it is none of those of its entry («c) Chủ tịch
    UBND xã chịu …»)."""
    node, asked = said.node, said.owner
    if node is None:
        return None
    line = asked or (None if node.children else node.owner)
    if line is None or line.alone or OF_ITSELF.match(matching(line.written)):
        return None
    if matching(node.body).startswith("riêng "):
        return line
    other = (asked or _is_given(node, line)) and not named & {name.text for name in line.names}
    return line if other else None


def _is_given(node: Node, line: OwnerLine) -> bool:
    """Whether a point gives its work to the bodies that it begins with («1.3. Giao phòng Vật tư …»), and they are no
    partners of the words over it («b) Chủ trì, phối hợp với Sở Tài chính:» over «- Sở Tài chính thẩm định …»)."""
    if line.start == 0 and node.parent is not None and is_role_alone(node.parent.body):
        return False
    given = matching(node.body).startswith("giao ")
    return (given and node.rank is Rank.NUMBER) or (line.written[0].isupper() and (given or not line.start))


def is_whole_sentence(node: Node) -> bool:
    """Whether a numbered entry is a sentence by itself, and nothing below it names bodies."""
    numbered = node.ended and node.rank is Rank.NUMBER
    return numbered and not any(each.is_entry for each in node.children)


def own_words(node: Node, line: OwnerLine) -> DutyWords | None:
    """The duty that an entry's own words are; «2. Đề nghị UBND xã phối hợp» over points is none."""
    if not line.rest or (line.inline and node.marked() and not node.ended):
        return None
    said = words_of(node, line.rest if line.form is Form.COLON else node.body)
    return replace(said, level=0) if line.inline else said


def labelled_words(node: Node, own: Sequence[Node]) -> list[DutyWords]:
    """The words that labelled leads speak of: those of a node, or of each of its points where it is their title.
    ``own``: the points with leads of their own."""
    titled = is_task_title(node.body.rstrip(" :"))
    points = [child for child in node.children if titled or child.opens]
    if not own and 1 < len(points) == len(node.children) and (titled or not node.ended):
        return [words_of(each, whole(each)) for each in points]
    return [words_of(node, contents(whole(node, without=own)))]


def sentence_and_rest(node: Node, intro: str) -> Iterator[DutyWords]:
    """The duty that a point is; what is no part of its whole sentence are duties below it."""
    closed = node.mark is not None and node.body.endswith(".")
    rest = [each for each in node.children if closed and each.ended]
    part = replace(node, children=[each for each in node.children if not (closed and each.ended)])
    for n, each in enumerate((part, *rest)):
        said = words_of(each, whole(each), intro if node.mark is not None else "")
        said = replace(said, node=each, level=min(n, 1) + 1)
        yield with_facts_of(said, (fact for under in each.walk() for fact in under.facts))


def times_of(words: str, facts: Facts, above: Sequence[Deadline]) -> Sequence[Deadline]:
    """The times of a duty by its words and labels, and of its heading where none of these names a day."""
    said = deadlines_in("\n".join((words, *facts.details)))
    labelled = deadlines_in(facts.deadline, column=True) if facts.deadline else ()
    found = (*said, *labelled)
    return found if any(each.days for each in found) else (*found, *(each for each in above if each.days))


def distinct(deadlines: Sequence[Deadline]) -> tuple[Deadline, ...]:
    """Removes duplicates; keeps a bare «định kỳ» only if nothing else says when or how often."""
    cycles = [each for each in deadlines if each.cadence or each.days]
    deadlines = [each for each in deadlines if not cycles or each.text.lower() != "định kỳ"]
    return tuple({each.text.lower(): each for each in reversed(deadlines)}.values())[::-1]
