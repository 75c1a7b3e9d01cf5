"""Converts the words about time in a duty to the cadence and report rule of a plan file, without adding to them. Each
reading records whether it comes from the document (``source: plan``) or from the office's defaults, and what a person
has to confirm: what was added to the words, and the days named that a plan file cannot hold. «trước ngày X» is X − 1
(DOMAIN: the wording stands beside the date).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from engine.features.plan_import.importer.base.model import Deadline, DeadlineKind, Doubt
from engine.features.plan_import.importer.reading.word import roman
from engine.rules.calendar import ONE_DAY, day_digits
from engine.rules.periods import Cadence, ReportDays, periods
from engine.rules.vietnamese import matching, spelled
from engine.text import Text

ORDER = ("once", "month", "quarter", "half_year", "nine_month", "year", "ad_hoc")
_POINT = re.compile(r"(?P<y>\d{4}|-)-(?:Q(?P<q>[1-4])|(?P<m>\d{2})(?:-(?P<d>\d{2}))?)")
_DAY = re.compile(r"-(?:\d{2}|-)-\d{2}$")
_RANGE = re.compile(r"(?i)(?<!\w)từ .+ đến ")
_LAST_MONTH = spelled(r"(?<!\w)(?:tháng )?cuối(?: cùng)?(?: của)?(?: mỗi)? (?:quý|kỳ)(?!\w)|(?<!\w)tháng cuối(?!\w)")
_LAST_MONTHS = {"quarter": (3, 6, 9, 12), "half_year": (6, 12), "nine_month": (9,), "year": (12,)}
_USUAL_DAY = 16  # of a cycle's last month, where the document names none; the common rule has 17
_UNKNOWN_YEAR = 2000
_LEAP_YEAR = 2024
"""The year in which the days of cycles are compared: it has every day."""
_MOST_DAYS = 4

_NO_WORDS = Text("văn bản không nêu thời hạn: không báo cáo riêng", "the document names no time: no report of its own")
_NO_DATE = Text("lời về thời gian không cho ra một ngày", "the words about time give no day")
_NO_REPORT_DAY = Text(
    "văn bản nêu chu kỳ nhưng không nêu ngày gửi", "the document names a cycle, but no day of the report"
)
_BEFORE_FIRST = Text(
    "«trước ngày 01 của tháng cuối» là ngày cuối của tháng trước: đặt lại ngày gửi",
    "“before the 1st of the last month” is the last day of the month before: set the day of the report",
)
_UNASKED = Text(
    "mốc văn bản nêu mà chưa đặt được: {lost}; đang đặt {asked}",
    "named by the document, but not asked for: {lost}; the report is due on {asked}",
)
_SEVERAL = Text("văn bản nêu nhiều mốc, mới lấy mốc đầu", "the document names several days, only the first is taken")
_UNREAL = Text("ngày không có thật", "there is no such day")
_ADDED_YEAR = Text("văn bản không ghi năm, lấy năm {year}", "the document gives no year, {year} is taken")
_END_OF_TIME = Text(
    "lấy ngày cuối của thời gian nêu trong văn bản", "the last day of the time that the document names is taken"
)
_BEGINNING = Text(
    "văn bản nêu ngày bắt đầu, không nêu hạn", "the document names the day of the beginning, not the due day"
)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When a duty is due: ``cadence`` of the plan file; ``on`` for a single act; ``due_day`` for cycles. ``wording`` is
    the document's, empty when it says nothing and the default is meant. ``doubts``: what a person has to confirm.
    ``in_last_month``: the day is one of the period's last month, by the document's words."""

    cadence: tuple[str, ...]
    wording: str = ""
    on: date | None = None
    due_day: int | None = None
    doubts: tuple[Text, ...] = ()
    in_last_month: bool = False

    def doubts_of(self, citation: str) -> tuple[Doubt, ...]:
        """The doubts as those of a duty; without words about time its code is that of the warning."""
        code = "time" if self.wording else "no_due_date"
        return tuple(Doubt(code, str(doubt), citation) for doubt in self.doubts)


def timing_of(deadlines: Sequence[Deadline], year: int | None) -> Timing:
    """The timing of one duty: a last day, cycles, or both («trước ngày 15/3/2026; định kỳ 6 tháng»). A duty without
    words about time has no report of its own. ``year``: the one planned, if known."""
    year = year or _UNKNOWN_YEAR
    cadence = tuple(name for name in ORDER if any(name in each.cadence for each in deadlines))
    days = _days(deadlines)
    if not set(cadence) - {"ad_hoc"}:
        return _single(days, year, cadence, deadlines)
    cycles = _cycles(deadlines, cadence)
    single = [(each, point) for each, point in days if _is_single(each, point)]
    if not single:
        return cycles
    once = _single(single, year, cadence, deadlines)
    due_day = cycles.due_day or (_USUAL_DAY if once.on else None)
    return replace(cycles, cadence=once.cadence, on=once.on, due_day=due_day, doubts=(*once.doubts, *cycles.doubts))


def _wording(deadlines: Iterable[Deadline]) -> str:
    return "; ".join(each.text for each in deadlines)


def _cycles(deadlines: Sequence[Deadline], cadence: tuple[str, ...]) -> Timing:
    """The cycles that words name, and the day on which each is reported, where they name one."""
    days = [(each, point) for each, point in _days(deadlines) if not _is_single(each, point)]
    named = _reported(days)
    timing = Timing(
        cadence=cadence,
        wording=_wording(deadlines),
        due_day=_day_of_month(*named[0]) if named else None,
        in_last_month=lies_in_last_month(deadlines, [name for name in cadence if name != "ad_hoc"]),
    )
    return replace(timing, doubts=(*_doubts_of_day(named, timing), *_unasked(days, timing)))


def _doubts_of_day(named: _Points, timing: Timing) -> Iterator[Text]:
    if not named:
        yield _NO_REPORT_DAY
    elif timing.in_last_month and named[0][1] == "---01" and named[0][0].before:
        yield _BEFORE_FIRST


def _unasked(days: _Points, timing: Timing) -> Iterator[Text]:
    """The days that words name, but for which no report is asked."""
    asked = _asked(timing)
    lost = dict.fromkeys(_said(*each) for each in days if not _is_asked(*each, timing, asked))
    if lost:
        yield _UNASKED.filled(lost=Text.joined(", ", lost), asked=_said_asked(timing, asked))


def _asked(timing: Timing) -> list[date]:
    """The days of a year for which the reports of cycles are asked."""
    closing = periods(map(Cadence, timing.cadence), date(_LEAP_YEAR, 1, 1), date(_LEAP_YEAR, 12, 31))
    day = timing.due_day or _USUAL_DAY
    days = ReportDays(day=day, in_last_month=timing.in_last_month)
    return [on for each in closing if (on := days.nominal(each)) is not None]


def _is_asked(deadline: Deadline, point: str, timing: Timing, asked: Iterable[date]) -> bool:
    """Whether one of the days asked is the day that a point names, or lies in its month or quarter."""
    found = _POINT.fullmatch(point)
    if found is None:  # a day of each month, or a year
        return not point.startswith("---") or _day_of_month(deadline, point) == timing.due_day
    months = {int(found["m"])} if found["m"] else {3 * int(found["q"]) - n for n in range(3)}
    if not found["d"]:
        return any(each.month in months for each in asked)
    try:
        day = date(_LEAP_YEAR, int(found["m"]), int(found["d"])) - (ONE_DAY if deadline.before else timedelta())
    except ValueError:
        return False
    return any((each.month, each.day) == (day.month, day.day) for each in asked)


def _day_of_month(deadline: Deadline, point: str) -> int:
    day = int(point[-2:])
    return day - 1 or 31 if deadline.before else day


def _said(deadline: Deadline, point: str) -> Text:
    """A point as people write it: «trước 30/11», «ngày 15», «tháng 5», «quý III»."""
    found = _POINT.fullmatch(point)
    if found is None:
        said = Text(f"ngày {point[-2:]}", f"day {point[-2:]}")
    elif found["q"]:
        said = Text(f"quý {roman(int(found['q']))}", f"quarter {roman(int(found['q']))}")
    elif found["d"]:
        said = Text.same(f"{found['d']}/{found['m'] if found['m'] < '03' else int(found['m'])}")
    else:
        said = Text(f"tháng {int(found['m'])}", f"month {int(found['m'])}")
    return Text(f"trước {said.vi}", f"before {said.en}") if deadline.before else said


def _said_asked(timing: Timing, asked: Sequence[date]) -> Text:
    if timing.due_day is None:
        return Text("ngày chung của kế hoạch", "the plan's common day")
    if len(asked) > _MOST_DAYS:
        return Text(f"ngày {timing.due_day:02d} hằng tháng", f"day {timing.due_day:02d} of each month")
    return Text.same(", ".join(day_digits(each).rpartition("/")[0] for each in sorted(asked)))


_Points = Sequence[tuple[Deadline, str]]


def _days(deadlines: Sequence[Deadline]) -> _Points:
    return [(each, point) for each in deadlines for point in _points(each)]


def _is_single(deadline: Deadline, point: str) -> bool:
    """A last day of its own, beside the cycles."""
    return not deadline.cadence and re.match(r"\d{4}-", point) is not None


def _reported(days: _Points) -> _Points:
    """The days on which cycles are reported."""
    return [(each, point) for each, point in days if not _is_single(each, point) and _DAY.search(point)]


def lies_in_last_month(deadlines: Sequence[Deadline], cycles: Sequence[str]) -> bool:
    """Whether the days on which cycles are reported lie in the last month of their periods: «ngày 10 của tháng cuối
    quý», or «trước 15/6 và 15/12» of half-years and years."""
    named = _reported(_days(deadlines))
    if not named:
        return False
    if _LAST_MONTH.search(matching(named[0][0].text)):
        return True
    months = {int(point[2:4]) for _, point in named if not point.startswith("---")}
    return bool(months) and months <= {month for cycle in cycles for month in _LAST_MONTHS.get(cycle, ())}


def _points(deadline: Deadline) -> tuple[str, ...]:
    """The days named; of a time «từ … đến …» the last."""
    return deadline.days[-1:] if _RANGE.search(deadline.text) else deadline.days


def _single(days: _Points, year: int, cadence: tuple[str, ...], deadlines: Sequence[Deadline]) -> Timing:
    """A last day, where one can be read; else nothing regular."""
    wording = _wording(deadlines)
    for each, point in days:
        on, doubts = _day(each, point, year)
        if on is not None:
            doubts = [*doubts, _SEVERAL] if len(days) > 1 else doubts
            return Timing(cadence=("once", *cadence), wording=wording, on=on, doubts=tuple(doubts))
    if cadence:
        return Timing(cadence=cadence, wording=wording)
    if not deadlines:
        return Timing(cadence=("ad_hoc",), doubts=(_NO_WORDS,))
    return Timing(cadence=("ad_hoc",), wording=wording, doubts=() if _is_standing(deadlines) else (_NO_DATE,))


def _is_standing(deadlines: Iterable[Deadline]) -> bool:
    """Whether a duty without a day is one of always («thường xuyên»), and no cycle is named beside it."""
    kinds = {each.kind for each in deadlines}
    return DeadlineKind.STANDING in kinds and DeadlineKind.CYCLE not in kinds


def _day(deadline: Deadline, point: str, year: int) -> tuple[date | None, list[Text]]:
    """The last day that a point means, and what was added to read it so."""
    found = _POINT.fullmatch(point)
    if found is None:
        return None, []
    of = int(found["y"]) if found["y"] != "-" else year
    month = int(found["m"]) if found["m"] else 3 * int(found["q"])
    try:
        day = date(of, month, int(found["d"] or 1))
    except ValueError:
        return None, [_UNREAL]
    doubts = [_ADDED_YEAR.filled(year=year)] if found["y"] == "-" else []
    doubts += [] if found["d"] else [_END_OF_TIME]
    doubts += [_BEGINNING] if _begins(deadline) else []
    if not found["d"]:
        day = date(of + month // 12, month % 12 + 1, 1)
    return (day - ONE_DAY if deadline.before or not found["d"] else day), doubts


def _begins(deadline: Deadline) -> bool:
    """Whether the words name when something begins («từ tháng 5»), not until when."""
    if deadline.text.lower().startswith("từ ") and not _RANGE.search(deadline.text):
        return True
    return re.search(rf"(?<!\w)từ {re.escape(deadline.text)}", deadline.sentence) is not None
