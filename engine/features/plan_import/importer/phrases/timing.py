"""The days that words about time mean: a last day, the days of reports that return, or none. Nothing is added to the
words. «trước ngày X» is X − 1 (DOMAIN: the wording stands beside the date), «trước 17 giờ ngày X» is X; a month, a
quarter or a year ends on its last day; of a start with an end the end counts. Cycles without a day have their day asked
for when the plan is activated. What has several meanings, or none, is a doubt for a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from engine.features.plan_import.importer.base.model import Deadline, DeadlineKind, Doubt
from engine.rules.calendar import ONE_DAY, add_months, day_digits
from engine.rules.periods import Cadence, DayOfYear, ReportDays, Weekday, periods
from engine.rules.typed_day import TypedDays
from engine.rules.vietnamese import matching, phrase, spelled
from engine.text import Text

ORDER = ("once", "week", "half_month", "month", "quarter", "half_year", "nine_month", "year", "ad_hoc")
_POINT = re.compile(r"(?P<y>\d{4}|-)-(?:Q(?P<q>[1-4])|(?P<m>\d{2})(?:-(?P<d>\d{2}))?)|(?P<year>\d{4})")
_RANGE = re.compile(
    r"(?<!\w)từ .+ (?:đến|tới|-) | (?:-|đến|tới) (?:hết )?(?:ngày |tháng |quý |năm )*[\divx]|\d{4} ?- ?\d{4}"
)
_BY_HOUR = spelled(r"trước (?:\d{1,2} ?(?:giờ|h|g))")
_NEXT_YEAR = phrase(r"(?:của )?năm (?:sau|kế tiếp|tiếp theo|liền kề)(?!\w)")
_LAST_MONTH = spelled(
    r"(?<!\w)(?:tháng )?cuối(?: cùng)?(?: của)?(?: mỗi)? (?:quý|kỳ)(?!\w)|(?<!\w)tháng cuối(?!\w)|tháng báo cáo"
)
_NEXT_MONTH = spelled(
    r"tháng (?:sau|kế tiếp|tiếp theo|liền kề)(?!\w)|tháng đầu(?: tiên)?(?: của)?(?: mỗi)? (?:quý|kỳ)(?!\w)"
)
_WEEKDAY = spelled(r"thứ (hai|ba|tư|năm|sáu|bảy|[2-7])(?!\w)|(chủ nhật)")
_WEEKDAYS = {
    name: day for n, (name, day) in enumerate(zip(("hai", "ba", "tư", "năm", "sáu", "bảy"), Weekday, strict=False))
}
_WEEKDAYS |= {str(n): day for n, day in zip(range(2, 8), Weekday, strict=False)}
_DAILY = spelled(r"(?:hằng|hàng|mỗi) ngày")
_REPORTS = spelled(r"báo cáo|gửi|tổng hợp")
_VAGUE = spelled(r"(?<!\w)(?:đầu|giữa)(?= (?:tháng|quý|năm) )")
_OCCASION = spelled(r"kỳ họp|năm học|học kỳ")
_ONCE_DONE = spelled(r"sau khi .*(?:ban hành|phê duyệt|thông qua|có hiệu lực)|thời điểm (?:này|trên)")
_AFTER_PERIOD = spelled(
    r"(\d{1,2})(?: \([^()]*\))? ngày,? (?:kể từ |sau )?(?:ngày |khi )?kết thúc (?:tháng|quý|kỳ|năm)"
)
_END_OF = spelled(r"ngày cuối(?: cùng)?(?: của)?(?: mỗi| hằng| hàng)? (?:tháng|quý|kỳ|năm)(?!\w)")
_PART_OF = spelled(r"(?<!\w)(?:đầu|cuối)(?!\w)")
_GOES_ON = phrase(r" ?,?(?: và)? (?:(?:các|những) năm (?:tiếp theo|sau)|trở đi)(?!\w)")
_LONG_TERM = spelled(r"\d+(?: \([^()]*\))? (?:ngày|tuần|tháng)")
_FROM_ISSUE = spelled(
    r"(?P<n>\d{1,3})(?: \([^()]*\))? (?P<unit>ngày|tuần|tháng)(?: ?,? (?:kể )?từ) (?:ngày |khi )?(?:được )?"
    r"(?:ký |ban hành |ký ban hành |phê duyệt )+(?:kế hoạch|chương trình|quyết định|văn bản|chỉ thị)(?: số [^ ]+)? này"
)
_UNKNOWN_YEAR = 2000

_NO_WORDS = Text("văn bản không nêu thời hạn: không báo cáo riêng", "the document names no time: no report of its own")
_NO_DATE = Text("lời về thời gian không cho ra một ngày", "the words about time give no day")
_BEFORE_FIRST = Text(
    "«trước ngày 01 của tháng cuối» là ngày cuối của tháng trước: đặt lại ngày gửi",
    "“before the 1st of the last month” is the last day of the month before: set the day of the report",
)
_SEVERAL = Text(
    "văn bản nêu nhiều ngày ({days}), mới hỏi ngày đầu: nên tách thành nhiều nhiệm vụ",
    "the document names several days ({days}), only the first is asked for: part the duty",
)
_DIFFERENT = Text(
    "văn bản nêu nhiều ngày báo cáo ({days}), chưa hỏi theo ngày nào: nên tách thành nhiều nhiệm vụ",
    "the document names several days of reports ({days}), none is asked for yet: part the duty",
)
_UNREAL = Text("ngày không có thật", "there is no such day")
_NO_MONTH = Text("văn bản nêu ngày nhưng không nêu tháng", "the document names a day, but no month")
_NO_YEAR = Text("văn bản không ghi năm, lấy năm {year}", "the document gives no year, {year} is taken")
_PASSED = Text("ngày văn bản nêu đã qua khi ban hành", "the day was over when the plan was issued")
_NOT_A_DAY = Text(
    "«đầu», «giữa» không phải một ngày: mới lấy ngày cuối", "beginning or middle is no day: the last is taken"
)
_UNCOUNTED = Text("hệ thống không có chu kỳ như văn bản nêu", "there is no such cycle here")
_EVERY_DAY = Text("hệ thống không hỏi báo cáo hằng ngày", "reports are not asked for every day")
_BEGINNING = Text(
    "văn bản nêu ngày bắt đầu, không nêu hạn", "the document names the day of the beginning, not the due day"
)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When a duty is due: ``cadence`` of the plan file; ``days``: of a single act and of reports that return; of cycles
    without days the day is asked for. ``wording`` is the document's, empty when it says nothing. ``doubts``: what a
    person has to confirm."""

    cadence: tuple[str, ...]
    wording: str = ""
    days: TypedDays = field(default_factory=TypedDays)
    doubts: tuple[Text, ...] = ()

    def doubts_of(self, citation: str) -> tuple[Doubt, ...]:
        """The doubts as those of a duty; without words about time its code is that of the warning."""
        code = "time" if self.wording else "no_due_date"
        return tuple(Doubt(code, str(doubt), citation) for doubt in self.doubts)


@dataclass(frozen=True, kw_only=True)
class _Meant:
    """What one point of the words means: a time of which the last day counts, a day of each year, a number of a month,
    or a weekday; or a doubt."""

    span: tuple[date, date] | None = None
    yearly: DayOfYear | None = None
    number: ReportDays | None = None
    weekday: Weekday | None = None
    doubt: Text | None = None


def timing_of(deadlines: Sequence[Deadline], year: int | None, issued: date | None = None) -> Timing:
    """The timing of one duty: a last day, cycles, or both («trước ngày 15/3/2026; định kỳ 6 tháng»). A duty without
    words about time has no report of its own. ``year``: the one planned, if known; ``issued``: the day of issue."""
    if not deadlines:
        return Timing(cadence=("ad_hoc",), doubts=(_NO_WORDS,))
    cycles = [name for name in ORDER if any(name in each.cadence for each in deadlines)]
    returns = bool(set(cycles) - {"ad_hoc"})
    meant = [found for each in deadlines for found in _meant(each, year, issued, returns=returns)]
    doubts = dict.fromkeys(found.doubt for found in meant if found.doubt)
    last_days = _narrowed(meant)
    several = (_SEVERAL.filled(days=Text.same(", ".join(map(day_digits, last_days)))),) if len(last_days) > 1 else ()
    cycles, days, more = _returning(cycles, meant)
    if not last_days and _is_one_day(cycles, days):
        last_days, cycles, days = [days.on[0].of(year or _UNKNOWN_YEAR)], [], ReportDays()
    cycles += ["once"] if last_days else []
    return Timing(
        cadence=tuple(name for name in ORDER if name in cycles) or ("ad_hoc",),
        wording="; ".join(each.text for each in deadlines),
        days=TypedDays(on=next(iter(last_days), None), days=days),
        doubts=(*doubts, *several, *more),
    )


def _is_one_day(cycles: Sequence[str], days: ReportDays) -> bool:
    """«báo cáo 6 tháng trước 15/6» returns not."""
    return list(cycles) == ["half_year"] and len(days.on) == 1


def _meant(deadline: Deadline, year: int | None, issued: date | None, *, returns: bool) -> Iterator[_Meant]:
    """``returns``: the duty has a cycle, so that days without a year are those of each."""
    words = matching(deadline.text)
    if deadline.kind in (DeadlineKind.STANDING, DeadlineKind.AD_HOC):
        if _OCCASION.search(words) or _ONCE_DONE.search(words):
            yield _Meant(doubt=_NO_DATE)
        return
    if deadline.kind is DeadlineKind.TERM:
        yield from _term(words, deadline.sentence, issued)
        return
    if _begins(deadline):
        yield _Meant(doubt=_BEGINNING)
        return
    points = _points(deadline, words)
    twice = _HALF_YEARS.fullmatch(" ".join(points)) is not None
    before = "trước" in words and not _BY_HOUR.search(words) and deadline.kind is DeadlineKind.DATE
    if not points:
        yield from _without_points(deadline, words, before=before)
    named = next((found[1] for each in points if (found := re.match(r"(\d{4})-", each))), None)
    returns = returns or twice
    for point in points:
        given = int(named) if named else None
        yield _of_point(point, words, year, issued, given=given, before=before, returns=returns)


def _points(deadline: Deadline, words: str) -> list[str]:
    """The days that the words name; of a range the last."""
    points = [] if _OCCASION.search(words) else [each for each in deadline.days if each]
    return points[-1:] if _RANGE.search(words) else _in_month(points)


_HALF_YEARS = re.compile(r"--0[5-7]-\d\d --1[12]-\d\d")
"""«trước 15/6 và 15/12»: of each year, though «hằng năm» is left out."""


def _in_month(points: Sequence[str]) -> list[str]:
    """Numbers before a date are days of its month («các ngày 18, 19 và 20/11/2026»)."""
    whole = next((each for each in reversed(points) if re.match(r"(?:\d{4}|-)-\d\d-", each)), "")
    return [f"{whole[:-2]}{each[-2:]}" if whole and each.startswith("---") else each for each in points]


def _term(words: str, sentence: str, issued: date | None) -> Iterator[_Meant]:
    """A term from the day of issue is a day, one from the end of a period a day of the next month; one from an event
    is as it arises; else nobody can know."""
    if after := _AFTER_PERIOD.search(words):
        yield _Meant(number=ReportDays(day=int(after[1]), in_next_month=True))
        return
    found = _FROM_ISSUE.search(matching(sentence))
    if found and issued and words[:8] in matching(sentence):
        n = int(found["n"])
        on = (
            add_months(issued, n)
            if found["unit"] == "tháng"
            else issued + timedelta(days=n * (7 if found["unit"] == "tuần" else 1))
        )
        yield _Meant(span=(on, on))
    elif _LONG_TERM.search(words) and not re.search(r"(?:kể\s*)?từ |sau |khi |trước|tiếp", words):
        yield _Meant(doubt=_NO_DATE)


def _without_points(deadline: Deadline, words: str, *, before: bool) -> Iterator[_Meant]:
    """Weekdays; what returns too often or has no count; and words that give no day."""
    named = [_WEEKDAYS.get(found[1], Weekday.SUNDAY) for found in _WEEKDAY.finditer(words)]
    if named and "tháng" not in words:
        weekday = list(Weekday)[list(Weekday).index(named[0]) - 1] if before else named[0]
        yield (
            _Meant(weekday=weekday)
            if len(named) == 1
            else _Meant(doubt=_DIFFERENT.filled(days=Text.same(deadline.text)))
        )
    elif _END_OF.search(words):
        yield _Meant(number=ReportDays(day=31, in_last_month=True))
    elif _DAILY.search(words):
        if _REPORTS.search(matching(deadline.sentence)):
            yield _Meant(doubt=_EVERY_DAY)
    elif deadline.kind is not DeadlineKind.CYCLE or _PART_OF.search(words):
        yield _Meant(doubt=_NO_DATE)
    elif deadline.uncounted:
        yield _Meant(doubt=_UNCOUNTED)


def _of_point(
    point: str, words: str, year: int | None, issued: date | None, *, given: int | None, before: bool, returns: bool
) -> _Meant:
    """The meaning of one point. ``given``: a year that the words name; ``returns``: days without a year do."""
    found = _POINT.fullmatch(point)
    if found is None:
        return _of_number(point, words, before=before, returns=returns)
    later, named = _of_next_year(found, words), found["year"] or found["y"].replace("-", "") or given or year
    time = _time_of(found, int(named or _UNKNOWN_YEAR))
    if time is None:
        return _Meant(doubt=_UNREAL)
    if given is None and (returns or later):
        return _Meant(yearly=_day_of_year(*time, before=before, later=later))
    span = (time[0] - ONE_DAY, time[0] - ONE_DAY) if before else time
    if issued is not None and span[1] < issued:
        return _Meant(doubt=_PASSED)
    if _VAGUE.search(words):
        return _Meant(span=span, doubt=_NOT_A_DAY)
    return _Meant(span=span, doubt=None if named else _NO_YEAR.filled(year=_UNKNOWN_YEAR))


def _of_next_year(found: re.Match[str], words: str) -> bool:
    """«15/01 năm sau»."""
    day = rf"0?{int(found['d'] or 0)}\s*(?:[/.-]|tháng)\s*0?{int(found['m'] or 0)}\s*"
    return re.search(day + _NEXT_YEAR, words) is not None


def _time_of(found: re.Match[str], year: int) -> tuple[date, date] | None:
    """The first and the last day of what a point names: a day, a month, a quarter or a year; None if there is none."""
    months = 1 if found["m"] else 3 if found["q"] else 12
    month = int(found["m"] or 3 * int(found["q"] or 0) or 12)
    try:
        first = date(year, month, int(found["d"])) if found["d"] else date(year, month - months + 1, 1)
    except ValueError:
        return None
    return first, first if found["d"] else add_months(first, months) - ONE_DAY


def _day_of_year(first: date, last: date, *, before: bool, later: bool) -> DayOfYear:
    """The end of February is its 29th, so that it is right in leap years, too."""
    day = first - ONE_DAY if before else last
    end_of_february = day.month == 2 and (day + ONE_DAY).month == 3
    return DayOfYear(29 if end_of_february and not (last == first and not before) else day.day, day.month, later)


def _of_number(point: str, words: str, *, before: bool, returns: bool) -> _Meant:
    """A number of a month: of each, of the period's last, or of the month after it."""
    if not point.startswith("---"):
        return _Meant(doubt=_NO_DATE)
    number = int(point[-2:])
    last, following = _LAST_MONTH.search(words) is not None, _NEXT_MONTH.search(words) is not None
    if not 1 <= number <= 31:
        return _Meant(doubt=_UNREAL)
    if not (returns or last or following):
        return _Meant(doubt=_NO_MONTH)
    if before and number == 1 and last:
        return _Meant(doubt=_BEFORE_FIRST)
    if before and number == 1:  # the last day of the month before
        return _Meant(number=ReportDays(day=31, in_last_month=following))
    return _Meant(number=ReportDays(day=number - before, in_last_month=last, in_next_month=following))


def _begins(deadline: Deadline) -> bool:
    """Whether the words name when something begins («từ tháng 5», «năm 2026 và các năm tiếp theo»), not until when."""
    words = matching(deadline.text)
    if _RANGE.search(words) or not deadline.days:
        return False
    said = rf"(?<!\w)từ {re.escape(words)}|{re.escape(words)}{_GOES_ON}"
    inside = words.startswith("từ ") or re.search(_GOES_ON, words) is not None
    return inside or re.search(said, matching(deadline.sentence)) is not None


def _narrowed(meant: Iterable[_Meant]) -> list[date]:
    """The last days, each once; without those of months, quarters and years that another time lies in. Of times that
    follow each other without a gap («quý II, quý III») the last counts."""
    spans = sorted({each.span for each in meant if each.span})
    kept = [(a, z) for a, z in spans if not any((a, z) != other and a <= other[0] and other[1] <= z for other in spans)]
    firsts = {first for first, _ in kept}
    return list(dict.fromkeys(last for _, last in kept if last + ONE_DAY not in firsts))


def _returning(cycles: list[str], meant: Sequence[_Meant]) -> tuple[list[str], ReportDays, list[Text]]:
    """The cycles, their days and what is in doubt of them."""
    yearly = list(dict.fromkeys(each.yearly for each in meant if each.yearly))
    numbers = list(dict.fromkeys(each.number for each in meant if each.number))
    weekdays = list(dict.fromkeys(each.weekday for each in meant if each.weekday))
    cycles = _with_cycle(cycles, yearly, numbers, weekdays)
    if sum(map(bool, (yearly, numbers, weekdays))) > 1 or len(weekdays) > 1:
        return cycles, ReportDays(), [_several_of(numbers, yearly)]
    if weekdays:
        return cycles, ReportDays(weekday=weekdays[0]), []
    if numbers:
        return _on_numbers(cycles, numbers)
    return _on_days_of_year(cycles, yearly) if yearly else (cycles, ReportDays(), [])


def _with_cycle(
    cycles: list[str], yearly: Sequence[DayOfYear], numbers: Sequence[ReportDays], weekdays: Sequence[Weekday]
) -> list[str]:
    """The cycles, with the one that the days stand for where the words name none."""
    if weekdays and "week" not in cycles:
        return [*cycles, "week"]
    named = "month" if numbers else "year" if yearly else ""
    return [*cycles, named] if named and not set(cycles) - {"ad_hoc"} else cycles


def _several_of(numbers: Sequence[ReportDays], yearly: Sequence[DayOfYear]) -> Text:
    return _DIFFERENT.filled(days=Text.same(", ".join([*(f"{each.day:02d}" for each in numbers), *map(str, yearly)])))


def _on_numbers(cycles: list[str], numbers: Sequence[ReportDays]) -> tuple[list[str], ReportDays, list[Text]]:
    """One number of a month, or two of each."""
    plain = not any(each.in_last_month or each.in_next_month for each in numbers)
    if len(numbers) == 2 and plain and set(cycles) <= {"month", "half_month", "ad_hoc"}:
        twice = tuple(sorted(each.day for each in numbers if each.day))
        return [*({"ad_hoc"} & set(cycles)), "half_month"], ReportDays(twice=twice), []
    if len(numbers) == 1 and not {"half_month", "week"} & set(cycles):
        return cycles, numbers[0], []
    return cycles, ReportDays(), [_several_of(numbers, ())]


_TIMES_A_YEAR = {2: "half_year", 4: "quarter"}


def _on_days_of_year(cycles: list[str], yearly: Sequence[DayOfYear]) -> tuple[list[str], ReportDays, list[Text]]:
    longer = [each for each in cycles if each in ("quarter", "half_year", "nine_month", "year")]
    days = sorted(yearly, key=lambda each: (each.next_year, each.month, each.day))
    if longer == ["year"] and (cadence := _TIMES_A_YEAR.get(len(days))):
        longer, cycles = [cadence], [cadence if each == "year" else each for each in cycles]
    asked = [*periods(map(Cadence, longer), date(2021, 1, 1), date(2021, 12, 31))]
    if (
        len(days) == len(asked) and days[0].month * 3 <= 12 // len(asked) and len(days) > 1
    ):  # «05/01, 05/4, 05/7, 05/10»
        days = [*days[1:], replace(days[0], next_year=True)]
    alone = longer == ["half_year"] and len(days) == 1
    if set(cycles) - {*longer, "ad_hoc"} or not (len(days) == len(asked) or alone):
        return cycles, ReportDays(), [_DIFFERENT.filled(days=Text.same(", ".join(map(str, days))))]
    return cycles, ReportDays(on=tuple(days)), []
