"""Questions about one entry and its points: which text is its duty, which is below it, who else is assigned one.
Independent of what was read before. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from engine.features.plan_import.importer.base.model import Deadline
from engine.features.plan_import.importer.phrases.deadlines import deadlines_in
from engine.features.plan_import.importer.phrases.labels import is_task_title
from engine.features.plan_import.importer.phrases.marks import Rank
from engine.features.plan_import.importer.phrases.name_words import opens_duty
from engine.features.plan_import.importer.phrases.owners import Form, OwnerLine
from engine.features.plan_import.importer.phrases.roles import is_role_alone, roles_in
from engine.features.plan_import.importer.structure.facts import Facts
from engine.features.plan_import.importer.structure.outline import Node
from engine.features.plan_import.importer.wording import OF_ITSELF, DutyWords, contents, whole, with_facts_of, words_of
from engine.rules.vietnamese import matching, spelled


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


def is_listed(node: Node) -> bool:
    """Whether an entry stands among bodies, over points that begin like duties."""
    return node.among and any(each.opens for each in node.children)


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
    if matching(node.body).startswith("riêng ") or (line.request and node.mark is None):
        return line
    other = (asked or _is_given(node, line)) and not named & {name.text for name in line.names}
    return line if other else None


def _helps_in(role: str, line: OwnerLine) -> bool:
    """Whether the bodies that a point begins with are the partners of the sentence over it («b) Chủ trì, phối hợp với
    Sở Tài chính:» over «- Sở Tài chính thẩm định …»)."""
    if is_role_alone(role):
        return True
    helping = roles_in(role, ()).coordinating if _ROLE.match(matching(role)) else ()
    return {name.text for name in line.names} <= set(helping)


_ROLE = spelled("(?:chủ trì|phối hợp)(?!\\w)")


def _is_given(node: Node, line: OwnerLine) -> bool:
    """Whether a point gives its work to the bodies that it begins with («1.3. Giao phòng Vật tư …»)."""
    if line.start == 0 and node.parent is not None and _helps_in(node.parent.body, line):
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
