"""Attaches labelled lines («Đơn vị chủ trì: …», «Thời gian: …») to the paragraph they describe. A run of such lines
belongs to the paragraph before it, whatever mark each has. A second lead in a run begins a second duty of the same
words.

The year that a plan is for: by its title, else by the times that its duties name, else by its date of issue.

A plan for next year is issued in the last months of this one; taken for a plan of this year it would ask for nothing.
So the title is looked at first, and a person is asked wherever the year is not that of the issue.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from engine.features.plan_import.importer.base.model import Deadline, Doubt, Found
from engine.features.plan_import.importer.phrases.agency_lists import HELPS, VERB, bodies_in, lead_of, unknown_label
from engine.features.plan_import.importer.phrases.deadlines import deadlines_in
from engine.features.plan_import.importer.phrases.labels import Label, label_of_column, label_of_line, labels_in
from engine.features.plan_import.importer.phrases.marks import BULLETS, Rank, is_step
from engine.features.plan_import.importer.phrases.name_words import opens_duty
from engine.features.plan_import.importer.phrases.owners import owner_line
from engine.features.plan_import.importer.reading.pdf import Table
from engine.features.plan_import.importer.structure.joining import Fact, Paragraph
from engine.files.plan import MOST_YEARS
from engine.rules.calendar import day_digits
from engine.rules.vietnamese import matching, spelled


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


_DATED = spelled(r"(?:ngày )?(?<!\d)\d{1,2} (?:tháng|[/.-]) \d{1,2} (?:năm|[/.-]) 20\d\d|\d{1,7} / 20\d\d / [\wđ-]+")
_SPAN = spelled(r"(?<!\d)(?P<first>20\d\d) (?:-|đến(?: năm)?|tới(?: năm)?) (?P<last>20\d\d)(?!\d)")
_YEAR = re.compile(r"(?:năm\s*|(?:quý|tháng)\s*\w{1,3}\s*/\s*|\s(?=20\d\d\W*$))(?P<year>20\d\d)(?!\d)")
_GOAL = spelled(r"(?:đến|tới|tầm nhìn|định hướng|hướng tới|trước) (?:hết )?(?:năm)? $")
_LAW = spelled(r"(?<!\w)(?:luật|hiến pháp|pháp lệnh)(?!\w)[^,;.]{0,80}$")
_SUMS_UP = spelled(r"(?:tổng kết|sơ kết|kết quả|đánh giá|báo cáo|tình hình|rút kinh nghiệm)(?!\w)")
_PLANS = spelled(r"(?:kế hoạch|phương hướng|nhiệm vụ|chương trình|triển khai|mục tiêu|dự toán)(?!\w)")
_AUTUMN = 9
"""The month from which a plan without a year in its title may be the next year's by the times that it names."""


@dataclass(frozen=True)
class PlannedYear:
    """``year``: None where the document names none. ``last_year``: of a programme of several years. ``doubts``:
    questions for a person if the year is not certain."""

    year: int | None
    doubts: tuple[Doubt, ...] = ()
    last_year: int | None = None


@dataclass(frozen=True)
class _Named:
    """A year in a title. ``past``: that of work which the title sums up, or of a law."""

    year: int
    past: bool


def planned_year(title: Found, issued: date | None, times: Iterable[Deadline]) -> PlannedYear:
    """The year by title, times and date. ``times``: the words about time of all duties."""
    plain = _blanked(_DATED, matching(title.text))
    place = str(title.place)
    spans = [(int(each["first"]), int(each["last"])) for each in _SPAN.finditer(plain)]
    named = list(_named(_blanked(_SPAN, plain)))
    if issued is None:
        return _undated([*(each.year for each in named if not each.past), *(first for first, _ in spans)], place)
    single = _single(named, issued.year)
    span = None if single else _span(spans, issued.year)
    by_title = single or (max(span[0], issued.year) if span else None)
    by_times = _by_times(times, issued)
    year = by_title or by_times or issued.year
    last_year = span[1] if span and year < span[1] < year + MOST_YEARS else None
    asked = list(_questions(year, issued, span, by_title, by_times))
    if single == issued.year and any(each.year == single + 1 for each in named):
        asked.append(f"tên văn bản nêu cả năm {single} và năm {single + 1}, lấy năm {single}")
    return _asked(year, asked, place, last_year)


def _questions(
    year: int, issued: date, span: tuple[int, int] | None, by_title: int | None, by_times: int | None
) -> Iterator[str]:
    """What a person is asked about the year, if it is not plainly that of the issue. ``span``: taken from it."""
    where = "theo tên văn bản" if by_title else "theo thời hạn của các nhiệm vụ"
    if span and span[1] > year:
        yield (
            f"giai đoạn {span[0]}-{span[1]}: các kỳ báo cáo của mỗi năm từ {year}; nếu văn bản chỉ giao việc của năm "
            f"{year} thì bỏ năm cuối; ban hành {day_digits(issued)}"
        )
    elif year != issued.year:
        yield f"lấy năm {year} {where}; ban hành {day_digits(issued)}"
    elif by_times:
        yield f"lấy năm {year} {where}; phần lớn thời hạn thuộc năm {by_times}"


def _blanked(pattern: re.Pattern[str], text: str) -> str:
    """The text with blanks for what a pattern finds."""
    return pattern.sub(lambda found: " " * len(found[0]), text)


def _undated(years: Sequence[int], place: str) -> PlannedYear:
    """The first year that the title of a document without a date of issue names."""
    said = [f"lấy năm {year} theo tên văn bản; không đọc được ngày ban hành" for year in years[:1]]
    return _asked(next(iter(years), None), said, place)


def _asked(year: int | None, said: Sequence[str], place: str, last_year: int | None = None) -> PlannedYear:
    return PlannedYear(year, (Doubt("plan_year", "; ".join(said), place),) if said else (), last_year)


def _span(spans: Iterable[tuple[int, int]], issued: int) -> tuple[int, int] | None:
    """The first span of years that has not ended, and begins at the latest in the year after that of issue."""
    return next(((first, last) for first, last in spans if first <= issued + 1 and last >= issued), None)


def _named(title: str) -> Iterator[_Named]:
    """The years of a title, but for those to which something is to last."""
    start = 0
    for found in _YEAR.finditer(title):
        before = title[: found.start("year")]
        words = title[start : found.start()]
        start = found.end()
        if _GOAL.search(before):
            continue
        sums_up = max((each.start() for each in _SUMS_UP.finditer(words)), default=-1)
        plans = max((each.start() for each in _PLANS.finditer(words)), default=-1)
        yield _Named(int(found["year"]), past=sums_up > plans or _LAW.search(words) is not None)


def _single(named: Iterable[_Named], issued: int) -> int | None:
    """The year of issue if the title plans it, else the next one: a title of next year sums up nothing."""
    years = list(named)
    if any(each.year == issued and not each.past for each in years):
        return issued
    return issued + 1 if any(each.year == issued + 1 for each in years) else None


def _by_times(times: Iterable[Deadline], issued: date) -> int | None:
    """The next year, where a plan of the last months names clearly more times of it than of its own year. The January
    after a year is still about that year."""
    if issued.month < _AUTUMN:
        return None
    points = [each for time in times for each in time.days if not each.startswith(f"{issued.year + 1}-01")]
    counts = Counter(int(each[:4]) for each in points if each[:4].isdecimal())
    later, own = counts[issued.year + 1], counts[issued.year]
    return issued.year + 1 if later >= 2 and later > 2 * own else None
