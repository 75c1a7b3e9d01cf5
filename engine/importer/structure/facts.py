"""Labelled lines («Đơn vị chủ trì: …», «Thời gian: …») put to the paragraph they speak of.

A run of such lines belongs to the paragraph before it, whatever mark each has. A second lead in a run begins a second
duty of the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from engine.importer.phrases.agency_lists import bodies_in, lead_of, unknown_label
from engine.importer.phrases.labels import Label, label_of_line, labels_at_end, labels_in
from engine.importer.phrases.marks import BULLETS, Rank
from engine.importer.phrases.owners import owner_line
from engine.importer.reading.pages import Table
from engine.importer.structure.joining import Fact, Paragraph


@dataclass(frozen=True)
class Facts:
    """What labelled lines or columns say of a duty beside its words."""

    lead: tuple[str, ...] = ()
    coordinating: tuple[str, ...] = ()
    monitor: str = ""
    deadline: str = ""
    product: str = ""

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> Facts:
        """The first of a kind wins."""
        found: dict[Label, str] = {}
        for fact in facts:
            found.setdefault(fact.label, fact.value)
        leads, helping = lead_of(found.get(Label.LEAD, ""))
        helping += bodies_in(found.get(Label.COORDINATING, ""))
        return cls(
            tuple(name.text for name in leads),
            tuple(name.text for name in helping),
            found.get(Label.MONITOR, ""),
            found.get(Label.DEADLINE, ""),
            found.get(Label.PRODUCT, ""),
        )

    @classmethod
    def inside(cls, text: str) -> Facts:
        """What labels at the end of a text say."""
        found = labels_at_end(text)
        return cls(monitor=found.get(Label.MONITOR, ""), deadline=found.get(Label.DEADLINE, ""))


_SHORT_LABEL = re.compile(r"\w[^:.;]{1,40}:\s*\S")


def with_facts(blocks: Iterable[Paragraph | Table]) -> Iterator[Paragraph | Table]:
    """The blocks with every labelled line taken into the paragraph that it follows."""
    runs: list[tuple[Paragraph | Table, list[Fact]]] = []
    for block in blocks:
        if isinstance(block, Paragraph) and runs and isinstance(runs[-1][0], Paragraph):
            run = runs[-1][1]
            facts = facts_of(block)
            if facts or (run and _goes_on(block, run[-1].line)):
                run += facts or [Fact(Label.OTHER, block.body.strip(), block)]
                continue
        runs.append((block, []))
    for block, run in runs:
        yield replace(block, facts=_settled(run)) if run and isinstance(block, Paragraph) else block


def _settled(run: list[Fact]) -> tuple[Fact, ...]:
    """A run of which one label at most that no table knows says who leads: none beside a known one, else the first that
    is itself a body («Đơn vị đăng cai»), else the first. Beside a known one the first says who helps («Cùng thực
    hiện»), unless a known one does."""
    leads = [each for each in run if each.label is Label.LEAD]
    unknown = [each for each in leads if label_of_line(each.line.body) is None]
    named = next((each for each in unknown if owner_line(label_words(each))), unknown[0] if unknown else None)
    lead = label_words(named) if named and len(unknown) == len(leads) else ""
    helped = lead or any(each.label is Label.COORDINATING for each in run)
    helping = "" if helped or not unknown else label_words(unknown[0])

    def label(fact: Fact) -> Label:
        if fact not in unknown or label_words(fact) == lead:
            return fact.label
        return Label.COORDINATING if label_words(fact) == helping else Label.OTHER

    return tuple(replace(each, label=label(each)) for each in run)


def label_words(fact: Fact) -> str:
    """The label as it is written."""
    return fact.line.body.partition(":")[0].strip()


def facts_of(paragraph: Paragraph) -> list[Fact]:
    """The facts that a paragraph consists of; none if it is something else, or if its lead names no body."""
    mark = paragraph.mark
    numbered = mark is not None and mark.rank < Rank.LETTER and mark.depth < 2
    if numbered or len(paragraph.text) > 1500:
        return []
    found = labels_in(paragraph.body.strip()) or unknown_label(paragraph.body.strip())
    if not found or any(label is Label.LEAD and not lead_of(value)[0] for label, value in found):
        return []
    return [Fact(label, value, paragraph) for label, value in found]


def _goes_on(paragraph: Paragraph, before: Paragraph) -> bool:
    """Whether a line among labelled lines is one of a label that no table knows: «Địa điểm: …», marked as they are."""
    mark, other = paragraph.mark, before.mark
    same = (mark.rank if mark else None) == (other.rank if other else None)
    bulleted = mark is not None and mark.rank in (*BULLETS, Rank.LETTER)
    return same and bulleted and len(paragraph.body) < 200 and _SHORT_LABEL.match(paragraph.body.strip()) is not None


def by_lead(facts: Iterable[Fact]) -> list[list[Fact]]:
    """The facts of one paragraph, apart for every lead in it; facts before the first lead stay with it."""
    groups: list[list[Fact]] = [[]]
    for fact in facts:
        led = any(each.label is Label.LEAD for each in groups[-1])
        if fact.label is Label.LEAD and led:
            groups.append([])
        groups[-1].append(fact)
    return groups
