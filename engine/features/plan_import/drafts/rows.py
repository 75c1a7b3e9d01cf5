"""The rows of a draft's pages, in the document's order: each has some paragraphs and the duties made of them. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from engine.features.plan_import.drafts.model import DraftSection, DutyPlace, PlanDraft
from engine.features.plan_import.importer.base.model import Use

PAGE_BYTES = 40_000
"""Budget for a page's rows, so that the page stays below 50 KB."""
OVERVIEW_BYTES, NAME_BYTES, DOUBT_BYTES = 9_000, 1_100, 450
MIN_BYTES = 5_000
"""Minimum for the rows below the overview, however long that is."""
PARAGRAPH_BYTES, LINE_BYTES, DUTY_BYTES = 170, 650, 900
MIN_RUN = 3
"""How many lines left out one after another may be taken at once."""


@dataclass(kw_only=True)
class ReviewRow:
    """Paragraphs and the duties that begin there. ``run``: the lines that may be taken together, at the first of them.
    ``folded``: paragraphs in which nothing looks like a duty. ``section``: the one that begins here."""

    paragraphs: list[int]
    places: list[DutyPlace] = field(default_factory=list)
    run: tuple[int, ...] = ()
    folded: bool = False
    section: DraftSection | None = None

    def size(self, draft: PlanDraft) -> int:
        """Its bytes on a page, about."""
        lines = [draft.document[n] for n in self.paragraphs]
        size = sum(len(each.text.encode()) + (LINE_BYTES if each.may_be_duty else PARAGRAPH_BYTES) for each in lines)
        for place in self.places:
            owners = sum(len(each.encode()) for each in place.duty.owners)
            size += len(place.duty.text.encode()) + owners + DUTY_BYTES
            size += DOUBT_BYTES * len(place.duty.open_doubts)
        return size


def rows_of(draft: PlanDraft) -> list[ReviewRow]:
    """All rows in the document's order; a duty stands where the first of its paragraphs does."""
    begins = _begins(draft)
    rows = list(_paragraph_rows(draft, begins)) or [ReviewRow(paragraphs=[])]
    firsts = [min(row.paragraphs, default=0) for row in rows]
    for first, place in begins:
        rows[max(bisect_right(firsts, first) - 1, 0)].places.append(place)
    for run in runs_of(draft):
        rows[bisect_right(firsts, run[0]) - 1].run = run
    before: DraftSection | None = None
    for row in rows:
        section = row.places[0].section if row.places else before
        row.section, before = (section if section is not before else None), section
    return rows


def _paragraph_rows(draft: PlanDraft, begins: Sequence[tuple[int, DutyPlace]]) -> Iterator[ReviewRow]:
    for (kind, _), group in groupby(range(len(draft.document)), _kinds(draft)):
        numbers = list(group)
        if kind == "duty":
            yield from (ReviewRow(paragraphs=part) for part in _split(numbers, begins))
        elif kind == "plain":
            yield ReviewRow(paragraphs=numbers, folded=len(numbers) >= MIN_RUN)
        else:
            yield from (ReviewRow(paragraphs=[n]) for n in numbers)


def runs_of(draft: PlanDraft) -> list[tuple[int, ...]]:
    """The lines left out one after another in one section, where there are enough of them to be taken at once."""
    left = draft.left()
    groups = groupby(enumerate(left), lambda each: (each[1] - each[0], draft.document[each[1]].section))
    runs = (tuple(n for _, n in group) for _, group in groups)
    return [run for run in runs if len(run) >= MIN_RUN]


def pages_of(draft: PlanDraft) -> list[list[ReviewRow]]:
    """The rows page by page; the first page also has what is to be settled once for all."""
    doubts = len(draft.other_doubts) + len(draft.duty_doubts())
    overview = OVERVIEW_BYTES + NAME_BYTES * len(draft.open_names()) + DOUBT_BYTES * doubts
    pages: list[list[ReviewRow]] = [[]]
    room = max(PAGE_BYTES - overview, MIN_BYTES)
    for row in rows_of(draft):
        size = row.size(draft)
        if size > room and (pages[-1] or len(pages) == 1):
            pages.append([])
            room = PAGE_BYTES
        pages[-1].append(row)
        room -= size
    return pages


def page_of(pages: Sequence[Sequence[ReviewRow]], *, key: int = 0, paragraph: int = -1) -> int:
    """The number of the page that shows a duty or a paragraph; 0 where none does."""
    for number, rows in enumerate(pages):
        for row in rows:
            if paragraph in row.paragraphs or any(each.duty.key == key for each in row.places):
                return number
    return 0


def _begins(draft: PlanDraft) -> list[tuple[int, DutyPlace]]:
    """Each duty with the first paragraph that it was made of, in the document's order."""
    orders = [each.order for each in draft.document]
    found = []
    for place in draft.places():
        before = max(bisect_right(orders, place.duty.order) - 1, 0)
        found.append((min(place.duty.paragraphs, default=before), place))
    return sorted(found, key=lambda each: each[0])


def _kinds(draft: PlanDraft) -> Callable[[int], tuple[str, object]]:
    """How the page shows a paragraph: as part of a duty, a line that looks like one, a heading, or folded."""
    used, left = draft.used(), set(draft.left())

    def kind(n: int) -> tuple[str, object]:
        each = draft.document[n]
        if n in used:
            return "duty", 0
        if n in left and (each.serious or each.doubted):
            return "line", n
        if each.use in (Use.HEADING, Use.OWNER):
            return "heading", n
        return "plain", each.section

    return kind


def _split(numbers: Sequence[int], begins: Sequence[tuple[int, DutyPlace]]) -> Iterator[list[int]]:
    """Paragraphs of duties one after another, cut where another duty begins."""
    starts = {first for first, _ in begins}
    part: list[int] = []
    for n in numbers:
        if part and n in starts:
            yield part
            part = []
        part.append(n)
    yield part
