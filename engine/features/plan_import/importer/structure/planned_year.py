"""The year that a plan is for: by its title, else by the times that its duties name, else by its date of issue.

A plan for next year is issued in the last months of this one; taken for a plan of this year it would ask for nothing.
So the title is looked at first, and a person is asked wherever the year is not that of the issue.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from engine.features.plan_import.importer.base.model import Deadline, Doubt, Found
from engine.files.plan import MOST_YEARS
from engine.rules.calendar import day_digits
from engine.rules.vietnamese import matching, spelled

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
