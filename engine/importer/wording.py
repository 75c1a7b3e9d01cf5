"""The words of a duty before they are understood: its text with what stands under it, what labels say of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from engine.importer.model import Place
from engine.importer.phrases.agency_lists import NO_BODY
from engine.importer.phrases.labels import Label
from engine.importer.phrases.marks import BULLETS
from engine.importer.phrases.owners import OwnerLine, asked_in
from engine.importer.structure.facts import Facts
from engine.importer.structure.joining import Fact
from engine.importer.structure.outline import Node
from engine.importer.vietnamese import matching, spelled

_LONGEST_TOPIC = 160
ANNOUNCES = spelled(r"(?:sau|nhiệm vụ|nội dung|trách nhiệm|cụ thể) ?:$")
"""How a sentence ends that announces duties; the parts of any other sentence of a dash are its words."""


@dataclass(frozen=True)
class Said:
    """The words of one duty before they are understood: ``intro`` stands over several («Chủ trì …:»);
    ``owner``: who is to do it, if not those of its entry;
    ``level``: 1 for a point of its entry, 2 for one below a point."""

    text: str
    place: Place
    mark: str = ""
    intro: str = ""
    seams: tuple[str, ...] = ()
    facts: Facts = field(default_factory=Facts)
    node: Node | None = None
    owner: OwnerLine | None = None
    level: int = 1


def with_facts_of(said: Said, facts: Iterable[Fact]) -> Said:
    """A duty with what the labelled lines after it say; lines of unknown labels stay with its words."""
    given = list(facts)
    more = "\n".join(fact.line.text for fact in given if fact.label is Label.OTHER)
    return replace(said, facts=Facts.of(given), text=f"{said.text}\n{more}" if more else said.text) if given else said


def mark_text(node: Node) -> str:
    paragraph = node.paragraph
    return paragraph.text[: paragraph.mark.length].strip() if paragraph and paragraph.mark else ""


def said_of(node: Node, text: str, intro: str = "") -> Said:
    """A duty's words with the places where another paragraph may have begun."""
    paragraph = node.paragraph
    seams = tuple(paragraph.text[at:].strip() for at in paragraph.seams) if paragraph else ()
    kept = tuple(seam for seam in seams if seam and seam in text and seam != text)
    return Said(text, node.place, mark_text(node), intro, kept)


def whole(node: Node, *, without: Sequence[Node] = ()) -> str:
    """The text of an entry with all that stands under it, marks kept below it."""
    parts = [node.body]
    for child in node.children:
        if child not in without:
            parts += [each.paragraph.text.strip() for each in child.walk() if each.paragraph is not None]
    return "\n".join(part for part in parts if part)


def is_topic(node: Node, *, told: bool) -> bool:
    """A mark that only announces the marks under it, which begin with verbs: few words, none itself («a) Công tác tuyên
    truyền:»). ``told``: marks beside it begin with verbs, so that it must be known as no duty."""
    if node.mark is None or node.mark.rank in BULLETS or len(node.body) > _LONGEST_TOPIC:
        return False
    below = any(each.opens for each in node.marked())
    if not below or node.body.endswith((".", ";")) or node.opens:
        return False
    return not told or NO_BODY.match(matching(node.body)) is not None


def announced(node: Node) -> OwnerLine | None:
    """Whom a sentence of an entry asks to do the points below it («…, Tổng cục đề nghị các Cục … như sau:»)."""
    told = node.owner or node.doer if ANNOUNCES.search(matching(node.body)) else None
    return told or (None if node.opens else asked_in(node.body))
