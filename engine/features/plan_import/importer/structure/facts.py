"""Attaches labelled lines («Đơn vị chủ trì: …», «Thời gian: …») to the paragraph they describe. A run of such lines
belongs to the paragraph before it, whatever mark each has. A second lead in a run begins a second duty of the same
words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from engine.features.plan_import.importer.phrases.agency_lists import VERB, bodies_in, lead_of, unknown_label
from engine.features.plan_import.importer.phrases.deadlines import deadlines_in
from engine.features.plan_import.importer.phrases.labels import Label, label_of_column, label_of_line, labels_in
from engine.features.plan_import.importer.phrases.marks import BULLETS, Rank, is_step
from engine.features.plan_import.importer.phrases.name_words import opens_duty
from engine.features.plan_import.importer.phrases.owners import owner_line
from engine.features.plan_import.importer.phrases.roles import HELPS
from engine.features.plan_import.importer.reading.pages import Table
from engine.features.plan_import.importer.structure.joining import Fact, Paragraph
from engine.rules.vietnamese import matching


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What labelled lines or columns state about a duty besides its text."""

    lead: tuple[str, ...] = ()
    coordinating: tuple[str, ...] = ()
    monitor: str = ""
    deadline: str = ""
    product: str = ""
    details: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: Sequence[tuple[Label, str]]) -> Facts:
        """The facts of labels and their values; the first of a kind wins."""
        found = dict(reversed(told))
        leads, helping = lead_of(found.get(Label.LEAD, ""))
        helping += bodies_in(found.get(Label.COORDINATING, ""))
        return cls(
            lead=tuple(name.text for name in leads),
            coordinating=tuple(name.text for name in helping),
            monitor=found.get(Label.MONITOR, ""),
            deadline=found.get(Label.DEADLINE, ""),
            product=found.get(Label.PRODUCT, ""),
            details=tuple(value for label, value in told if label is Label.DETAIL),
        )


_BRACKETS = re.compile(r"\((?P<said>[^()]{5,400})\)[.;]?")
_SHORT_LABEL = re.compile(r"\w[^:.;]{1,40}:\s*\S")
_Runs = list[tuple[Paragraph | Table, list[Fact]]]


def with_facts(blocks: Iterable[Paragraph | Table]) -> Iterator[Paragraph | Table]:
    """The blocks with every labelled line taken into the paragraph that it follows."""
    runs: _Runs = []
    for block in blocks:
        facts = _facts_after(block, *runs[-1]) if runs else []
        if facts:
            runs[-1][1].extend(facts)
        else:
            runs.append((block, []))
    for block, run in _with_first(runs):
        yield replace(block, facts=_settled(run)) if run and isinstance(block, Paragraph) else block


def _facts_after(block: Paragraph | Table, above: Paragraph | Table, run: Sequence[Fact]) -> Sequence[Fact]:
    """The facts that a block gives of the paragraph above it, after a ``run`` of others; none if it is something
    else."""
    if not (isinstance(block, Paragraph) and isinstance(above, Paragraph)):
        return ()
    facts = facts_of(block, listed=bool(run))
    return [_told(block, above)] if not facts and run and _goes_on(block, run[-1].line) else facts


def _with_first(runs: _Runs) -> _Runs:
    """The runs with the circumstances that stand before their first known label."""
    found: _Runs = []
    for block, run in runs:
        while found and isinstance(block, Paragraph) and any(each.label is Label.LEAD for each in run):
            above, others = found[-1]
            first = facts_of(block, listed=True) if _alike(block, run[0].line) else []
            if not first or others or not isinstance(above, Paragraph):
                break
            block, run = above, [*first, *run]
            found.pop()
        found.append((block, run))
    return found


def _told(paragraph: Paragraph, above: Paragraph) -> Fact:
    """The fact of a label that no table knows. It is more than a circumstance, and stays with the duty's words, where
    its label or what follows is a body or gives work; what is to be done («Nội dung: …») where the title above does
    not say it itself."""
    words, _, value = paragraph.body.partition(":")
    named = owner_line(words.strip()) or owner_line(value.strip()) or opens_duty(value.strip())
    more = not opens_duty(above.body) if label_of_column(words) is Label.TASK else named
    return Fact(Label.OTHER if more else Label.DETAIL, paragraph.body.strip(" .;"), paragraph)


def _settled(run: list[Fact]) -> tuple[Fact, ...]:
    """A run of which one label at most that no table knows says who leads: none beside a known one, else the first that
    is itself a body («Đơn vị đăng cai»), else the first. Beside a known one the first says who helps («Cùng thực
    hiện»), unless a known one does."""
    leads = [each for each in run if each.label is Label.LEAD]
    unknown = [each for each in leads if label_of_line(each.line.body) is None]
    if not unknown:
        return tuple(run)
    lead = helping = ""
    if len(unknown) == len(leads):
        lead = label_words(next((each for each in unknown if owner_line(label_words(each))), unknown[0]))
    elif not any(each.label is Label.COORDINATING for each in run):
        helping = label_words(unknown[0])

    def label(fact: Fact) -> Label:
        if fact not in unknown or label_words(fact) == lead:
            return fact.label
        return Label.COORDINATING if label_words(fact) == helping else Label.OTHER

    return tuple(replace(each, label=label(each)) for each in run)


def label_words(fact: Fact) -> str:
    """The label as it is written."""
    return fact.line.body.partition(":")[0].strip()


def facts_of(paragraph: Paragraph, *, listed: bool = False) -> list[Fact]:
    """The facts that a paragraph consists of; none if it is something else, or if its lead names no body.
    Circumstances alone are facts where they are ``listed`` with others."""
    body = paragraph.body.strip()
    if len(paragraph.text) > 1500 or _is_numbered(paragraph) or is_step(body):
        return []
    found = labels_in(body) or unknown_label(body) or _in_brackets(body)
    alone = not listed and all(label is Label.DETAIL for label, _ in found)
    if alone or any(label is Label.LEAD and not lead_of(value)[0] for label, value in found):
        return []
    return [Fact(label, value, paragraph) for label, value in found]


def _is_numbered(paragraph: Paragraph) -> bool:
    """Whether a paragraph has a number of its own, and not one below another («1.2»)."""
    mark = paragraph.mark
    return mark is not None and mark.rank < Rank.LETTER and mark.depth < 2


def _in_brackets(text: str) -> list[tuple[Label, str]]:
    """The facts of a line in brackets, without labels: «(Sở A chủ trì; Sở B phối hợp; tháng 5)»."""
    found = _BRACKETS.fullmatch(text)
    said = [_fact(part) for part in map(str.strip, found["said"].split(";"))] if found else []
    return said if any(label is Label.LEAD for label, _ in said) else []


def _fact(words: str) -> tuple[Label, str]:
    plain = matching(words)
    if helping := HELPS.search(plain):
        return Label.COORDINATING, words[: helping.start()]
    if VERB.search(plain):
        return Label.LEAD, words
    return (Label.DEADLINE if deadlines_in(words, column=True) else Label.DETAIL), words


def _goes_on(paragraph: Paragraph, before: Paragraph) -> bool:
    """Whether a line among labelled lines is one of a label that no table knows: «Địa điểm: …», marked as they are."""
    bulleted = paragraph.mark is not None and paragraph.mark.rank in (*BULLETS, Rank.LETTER)
    labelled = len(paragraph.body) < 200 and _SHORT_LABEL.match(paragraph.body.strip()) is not None
    return bulleted and labelled and _alike(paragraph, before)


def _alike(paragraph: Paragraph, other: Paragraph) -> bool:
    """Whether two paragraphs have marks of one kind, or none."""
    return (paragraph.mark and paragraph.mark.rank) == (other.mark and other.mark.rank)


def by_lead(facts: Iterable[Fact]) -> list[list[Fact]]:
    """The facts of one paragraph, apart for every lead in it; facts before the first lead stay with it."""
    groups: list[list[Fact]] = [[]]
    for fact in facts:
        led = any(each.label is Label.LEAD for each in groups[-1])
        if fact.label is Label.LEAD and led:
            groups.append([])
        groups[-1].append(fact)
    return groups
