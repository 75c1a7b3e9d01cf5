"""Words about time in a duty: last days, months and quarters, cycles, standing and ad hoc obligations.

Every find carries the sentence that it came from. A date that is not a deadline (of a law, of a letter) is told by
what stands before it: only «trước», «chậm nhất», «đến hết» and the like make a date a last day. Nothing is filled in:
a date without a year stays without one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.importer.model import Deadline, DeadlineKind
from engine.importer.phrases import lexicon as say
from engine.importer.phrases.marks import roman_value
from engine.importer.phrases.names import Prose
from engine.importer.vietnamese import phrase

_DAY = phrase(r"(?:ngày )?(?P<d>\d{1,2}) [/.-] (?P<m>\d{1,2})(?: [/.-] (?P<y>\d{4}))?(?![\d%])")
_WORDED = phrase(r"(?:ngày )?(?P<d>\d{1,2}) tháng (?P<m>\d{1,2})(?: (?:năm|/|,) (?P<y>\d{4}))?(?!\d)")
_ONLY_DAY = phrase(r"ngày (?:mùng |mồng )?(?P<d>\d{1,2})(?! ?[/.-] ?\d)(?!\d)")
_BARE_DAY = phrase(r"(?:ngày )?(?P<d>\d{1,2})(?= (?:hằng|hàng|mỗi|của) (?:tháng|quý|tháng))")
_MONTH = phrase(r"(?:đầu |giữa |cuối |hết )?tháng (?P<m>\d{1,2})(?: (?:/|năm|-) (?P<y>\d{4}))?(?![\d/])")
_QUARTER = phrase(r"(?:đầu |giữa |cuối |hết )?quý (?P<q>iv|i{1,3}|[1-4])(?!\w)(?: (?:/|năm|-) (?P<y>\d{4}))?")
_YEAR = phrase(r"(?:đầu |giữa |cuối |hết )?năm (?P<y>\d{4})(?!\d)")
_LOOSE = phrase(
    r"(?:tết nguyên đán|tết âm lịch|tết|khai giảng|năm học mới|mùa mưa bão|"
    r"năm học(?: \d{4} [-–] \d{4})?|cuối năm học|cuối học kỳ(?: i{1,2})?|"
    r"cuối năm|đầu năm|cuối quý|cuối tháng|6 tháng đầu năm|06 tháng đầu năm)"
)
_EACH = phrase(
    r"(?:,? (?:hằng|hàng|mỗi) (?:tháng|quý|năm)|,? các tháng \d{1,2}(?:, \d{1,2})*(?: và \d{1,2})?|"
    r",? (?:của )?(?:tháng|quý|năm) (?:cuối|đầu|sau|trước(?! ngày| \d)|kế tiếp|tiếp theo|liền kề|báo cáo)"
    r"(?: (?:của )?(?:mỗi )?(?:quý|kỳ báo cáo|kỳ|năm|tháng)(?: sau| kế tiếp| báo cáo)?)?)"
)


def _unnamed(pattern: str) -> str:
    return re.sub(r"\?P<\w+>", "?:", pattern)


_WEEKDAY = phrase(r"(?:ngày )?thứ (?:hai|ba|tư|năm|sáu|bảy|[2-7])(?: (?:hằng|hàng|mỗi) tuần)?")
_DAILY = phrase(r"(?:hằng|hàng|mỗi) (?:ngày|tuần)")
_POINT = "|".join((_WEEKDAY, _WORDED, _DAY, _BARE_DAY, _ONLY_DAY, _MONTH, _QUARTER, _YEAR, _LOOSE, _DAILY))
_POINT_UNNAMED = f"(?:{_unnamed(_POINT)})"
_CUE = phrase(
    r"(?:(?:chậm nhất|muộn nhất|trễ nhất|hạn cuối|thời hạn|hạn chót|hạn)(?: (?:là|vào|đến|trước|hết|ngày nộp|cuối|:))*|"
    r"(?:xong |hoàn thành )?trước(?: thời điểm| thời hạn)?|đến hết|đến trước|đến(?= cuối)|hết|xong trong|xong|"
    r"hoàn thành(?: trong| vào)?)"
)
_HOUR = phrase(r"(?:\d{1,2} (?:giờ|h) ?(?:\d{2} ?(?:phút)?)? ?,? )?")
_MORE = phrase(
    rf"(?: (?:,|và|;|hoặc) (?:trước |đến |hết )?{_unnamed(_DAY)}{_EACH}?| ?(?:,|và) (?:trước |"
    rf"hết )?{_unnamed(_WORDED)}{_EACH}?)"
)
_UNIT = phrase(
    r"(?:0?[369] tháng(?: đầu năm| cuối năm)?|sáu tháng(?: đầu năm| cuối năm)?|ba tháng|chín tháng|0?1 năm|"
    r"một năm|cả năm|"
    r"(?:hằng|hàng|mỗi|từng) (?:ngày|tuần|tháng|quý|năm))"
)
_THEN = phrase(rf"(?:{_UNIT}|đột xuất|tuần|tháng|quý|năm|tổng kết năm|khi có yêu cầu)")


@dataclass(frozen=True)
class _Rule:
    """A kind of words: the pattern, and whether it is really about time where it stands (text, start, end)."""

    kind: DeadlineKind
    pattern: re.Pattern[str]
    holds: Callable[[str, int, int], bool] = lambda text, start, end: True


_BUDGET = re.compile(
    phrase(
        r"(?:ngân sách|dự toán|kế hoạch|chương trình|kinh phí|chi|giáo dục|nhiệm vụ|bình quân|danh mục|mức|vốn|"
        r"tăng)(?: nhà nước)?(?: công tác)? $"
    )
)
_OF_LAW = re.compile(phrase(r"(?:số [^\s,;]{1,40} |/[\wđ-]{1,30} |hiệu lực (?:từ |kể từ )?|ban hành |ký )$"))
_DONE_BY = re.compile(rf"(?<!\w)(?:xong|kết thúc|phấn đấu|đạt|giảm|{say.any_of(say.OPENERS)})(?!\w)")
_MADE = re.compile(phrase(r"(?:xây dựng|ban hành|lập|trình|ký) (?:kế hoạch|chương trình)(?: công tác)? $"))


def _unbudgeted(text: str, start: int, end: int) -> bool:
    """«dự toán hằng năm», «chi thường xuyên» say what money it is, not when."""
    owned = text[end : end + 5].lstrip().startswith("của") and re.search(
        r"kế\s*hoạch|chương\s*trình", text[max(0, start - 60) : start]
    )
    before = text[max(0, start - 40) : start]
    return (_BUDGET.search(before) is None or _MADE.search(before) is not None) and not owned


def _months(text: str, start: int, end: int) -> bool:
    """«6 tháng» is a cycle in a row of cycles, or where reports are spoken of; else it is a length of time."""
    here = text[start:end]
    if not re.match(r"0?[369]\s*tháng|sáu|ba|chín|0?1\s*năm|một|cả", here):
        return _unbudgeted(text, start, end)
    near = text[max(0, start - 60) : start] + text[end : end + 30]
    return bool(
        re.search(r",|và|hoặc|đầu năm|cuối năm", here)
        or re.search(phrase(r"định kỳ|báo cáo|sơ kết|đánh giá|một lần|/ ?lần|1 lần|01 lần"), near)
    )


def _acted(text: str, start: int, end: int) -> bool:
    """«trong năm 2021» is a time for the work only where something is to be done by then."""
    ends = re.match(r"\s*(?:[.;)]|,\s|$)", text[end:]) is not None
    return ends or _DONE_BY.search(text[max(0, start - 60) : start]) is not None


def _undated(text: str, start: int, end: int) -> bool:
    """Not the month of «ngày 26 tháng 4 năm 2014», nor the date of a law."""
    before = text[max(0, start - 50) : start]
    return re.search(r"ngày\s*\d{1,2}\s*$", before) is None and _OF_LAW.search(before) is None


_PAPER = re.compile(
    phrase(
        r"(?:(?<!\w)số [^\s,;]{1,40}|/[\wđ&-]{1,30}|"
        r"(?<!\w)luật(?!\w)[^.;]{0,90}|(?<!\w)(?:nghị định|nghị quyết|quyết định|thông tư|chỉ thị|công văn|"
        r"pháp lệnh|kết luận|hiến pháp|công điện)"
        r"(?!\w)[^.,;]{0,80}|(?:ban hành|có hiệu lực|thông qua)(?: từ| kể từ)?) $"
    )
)


def _event(text: str, start: int, end: int) -> bool:
    """A bare date is the day of the work itself, unless it is the date of a paper or belongs to somebody's act."""
    after = text[end : end + 6].lstrip()
    return _PAPER.search(text[max(0, start - 200) : start]) is None and not after.startswith(("của", "/"))


def _alone(text: str, start: int, end: int) -> bool:
    """«định kỳ» without saying how often, where the rest of the sentence does not say it either."""
    near = re.split(r"[.;]", text[end : end + 120])[0]
    first = re.search(r"(?:^|[.;,:(+-]|\n|và)\s*$", text[max(0, start - 8) : start]) is not None
    return re.search(_UNIT, near) is None and (first or not re.search(r"\w", near))


def _rule(kind: DeadlineKind, pattern: str, holds: Callable[[str, int, int], bool] = lambda t, s, e: True) -> _Rule:
    return _Rule(kind, re.compile(rf"(?<!\w)(?:{pattern})(?!\w)"), holds)


_RULES = (
    _rule(DeadlineKind.DATE, rf"{_CUE}\s*{_HOUR}(?:{_POINT_UNNAMED}){_EACH}?{_MORE}{{0,4}}", _undated),
    _rule(
        DeadlineKind.DATE,
        rf"vào\s*(?:dịp\s*)?(?:{_unnamed(_WORDED)}|{_unnamed(_DAY)}|{_unnamed(_BARE_DAY)}){_EACH}?{_MORE}{{0,4}}",
    ),
    _rule(
        DeadlineKind.PERIOD,
        phrase(rf"từ (?:{_POINT_UNNAMED}) (?:đến|-|–|tới) (?:hết |cuối )?(?:{_POINT_UNNAMED}|nay)"),
        _undated,
    ),
    _rule(
        DeadlineKind.PERIOD,
        rf"{phrase('(?:trong |vào |từ )?')}{_unnamed(_QUARTER)}{_EACH}?(?:\s*(?:,|và|-|–)\s*(?:quý\s*)?(?:iv|"
        rf"i{{1,3}})(?:\s*(?:/|năm)\s*\d{{4}})?){{0,3}}",
    ),
    _rule(
        DeadlineKind.PERIOD,
        rf"{phrase('(?:trong|vào|từ) ')}{_unnamed(_MONTH)}(?:\s*(?:,|và|-|–|"
        rf"đến)\s*(?:tháng\s*)?\d{{1,2}}(?:/\d{{4}})?(?![\d/])){{0,4}}",
        _undated,
    ),
    _rule(
        DeadlineKind.PERIOD,
        _unnamed(phrase(r"(?:đầu |giữa |cuối )tháng (?P<m>\d{1,2})(?: / (?P<y>\d{4}))?(?![\d/])")),
        _undated,
    ),
    _rule(DeadlineKind.PERIOD, _unnamed(phrase(r"tháng (?P<m>\d{1,2}) ?(?:/|năm) ?(?P<y>\d{4})")), _undated),
    _rule(DeadlineKind.PERIOD, rf"{phrase('(?:trong|vào) ')}{_unnamed(_YEAR)}", _acted),
    _rule(DeadlineKind.PERIOD, rf"{phrase('(?:vào|trong) ')}{_LOOSE}"),
    _rule(DeadlineKind.PERIOD, phrase(r"trong năm(?! \d| học)"), lambda text, start, end: _acted(text, end, end)),
    _rule(
        DeadlineKind.TERM,
        phrase(
            r"(?:trong(?: vòng| thời hạn| thời gian)?|sau|trước|chậm nhất(?: là)?(?: sau)?|"
            r"tối đa(?: là)?(?: không quá)?|không quá) \d{1,3}"
        )
        + phrase(
            r"(?: \([^()]{1,30}\))? (?:giờ|ngày|tuần|tháng)(?: làm việc)?(?: (?:,)? (?:kể )?từ [^,.;:()]{1,80}|"
            r" sau khi [^,.;:()]{1,80})?"
        ),
    ),
    _rule(
        DeadlineKind.CYCLE, phrase(rf"(?:theo |báo cáo )?định kỳ (?:{_THEN})(?: (?:,|và|hoặc|;) (?:{_THEN})){{0,5}}")
    ),
    _rule(DeadlineKind.CYCLE, phrase(rf"{_UNIT}(?: (?:,|và|hoặc|;) (?:{_THEN})){{0,5}}"), _months),
    _rule(
        DeadlineKind.CYCLE,
        phrase(
            r"(?:ít nhất |tối thiểu )?(?:\d{1,2}|một|hai) (?:lần|đợt|kỳ|cuộc|tin|bài|tin bài|chuyên mục|"
            r"chuyên trang|buổi|số|ấn phẩm|lớp|phóng sự) ?(?:/|trong|trên|một|mỗi) ?(?:0?1 |một )?(?:ngày|tuần|"
            r"tháng|quý|năm)"
        ),
        lambda text, start, end: not re.search(r"quá\s*$", text[max(0, start - 8) : start]),
    ),
    _rule(
        DeadlineKind.CYCLE,
        phrase(r"(?:\d{1,2}|một|hai|ba|sáu) (?:tháng|quý|năm|tuần) ?(?:/|một|mỗi)? ?(?:0?1|một)? ?lần"),
    ),
    _rule(DeadlineKind.CYCLE, phrase(r"báo cáo (?:quý|năm|tháng)(?! \d)(?= ?(?:trước|chậm nhất|gửi|[()]|;|$))")),
    _rule(DeadlineKind.CYCLE, r"(?<=[,:] )(?:năm|quý|tháng)(?=\s*\(\s*(?:trước|chậm|gửi))"),
    _rule(DeadlineKind.CYCLE, phrase("định kỳ"), _alone),
    _rule(DeadlineKind.PERIOD, rf"(?:vào )?ngày\s*(?:{_unnamed(_WORDED)}|{_unnamed(_DAY)})", _event),
    _rule(DeadlineKind.STANDING, phrase(r"thường xuyên(?:,? trong năm)?|quanh năm|suốt năm|trong cả năm"), _unbudgeted),
    _rule(
        DeadlineKind.AD_HOC,
        phrase(
            r"đột xuất|khi (?:có|được|xảy ra) (?:yêu cầu|chỉ đạo|tình huống|sự cố|dịch|thiên tai|phát sinh|"
            r"vụ việc)|khi cần thiết|khi cần"
        ),
    ),
    _rule(
        DeadlineKind.AD_HOC, phrase(r"(?:trước|sau) (?:khi (?:kết thúc|hoàn thành|nhập)|mỗi|từng|kỳ) [^,.;:()]{2,60}")
    ),
    _rule(
        DeadlineKind.CYCLE, phrase(r"(?:vào )?(?:ngày|tuần|tháng) (?:đầu|cuối) (?:của |mỗi |hằng )*(?:tháng|quý|năm)")
    ),
)
_LONGEST = 4000
_SENTENCE = re.compile(r"(?<=[.;!?])\s+(?=[^\W\d_a-zđàáảãạăâèéêìíòóôơùúưỳý]|\d|[-+*(\"“])|\n+")
_CADENCES = (
    (
        "month",
        phrase(
            r"cáo tháng|(?:hằng|hàng|mỗi|từng) tháng|định kỳ tháng|[/,] ?tháng|(?:0?1|một) tháng|/tháng|"
            r"và tháng|mỗi tháng"
        ),
    ),
    (
        "quarter",
        phrase(
            r"cáo quý|(?:đầu|cuối|mỗi) quý|(?:hằng|hàng|mỗi|từng) quý|(?:,|và|/|kỳ|hoặc|cuối|của) ?quý|"
            r"0?3 tháng|ba tháng"
        ),
    ),
    ("half_year", phrase(r"0?6 tháng|sáu tháng")),
    ("nine_month", phrase(r"0?9 tháng|chín tháng")),
    (
        "year",
        phrase(r"^năm$|cáo năm|(?:hằng|hàng|mỗi|từng) năm|(?:0?1|một|cả|kết) năm|(?:,|và|/|kỳ|hoặc|quý) ?năm(?! \d)"),
    ),
    ("ad_hoc", phrase(r"đột xuất|khi có yêu cầu")),
)


def sentences(text: str) -> list[tuple[int, str]]:
    """The sentences of a text with where each begins."""
    starts = [0, *(found.end() for found in _SENTENCE.finditer(text))]
    ends = [*(found.start() for found in _SENTENCE.finditer(text)), len(text)]
    return [(start, text[start:end].strip()) for start, end in zip(starts, ends, strict=True)]


def deadlines_in(text: str, *, column: bool = False) -> tuple[Deadline, ...]:
    """The words about time in a text, in its order, none twice. ``column``: the text is the cell of a deadline column,
    where a bare date or year is one."""
    prose = Prose.of(text)
    found = sorted(_matches(prose.plain), key=lambda each: (each[0], -each[1]))
    parts = sentences(text)
    starts = [start for start, _ in parts]
    taken, kept = 0, []
    for start, end, kind in found:
        if start < taken:
            continue
        taken = end
        sentence = parts[max(0, bisect_right(starts, start) - 1)][1]
        kept.append(_deadline(text[start:end], prose.plain[start:end], kind, sentence))
    if column and not kept:
        bare = text.strip()
        dated = re.sub(r"(?<![\d/.-])(?=20\d\d(?!\d))", "năm ", prose.plain)
        return (_deadline(bare, dated, DeadlineKind.PERIOD, bare),) if re.search(r"\w", bare) else ()
    return tuple(kept)


def is_dated(text: str) -> bool:
    """Whether a text names a last day; one that is no paragraph any more is not looked through."""
    return len(text) <= _LONGEST and any(each.kind is DeadlineKind.DATE for each in deadlines_in(text))


def _matches(plain: str) -> Iterator[tuple[int, int, DeadlineKind]]:
    for rule in _RULES:
        for found in rule.pattern.finditer(plain):
            if rule.holds(plain, found.start(), found.end()):
                yield found.start(), found.end(), rule.kind


def _deadline(text: str, plain: str, kind: DeadlineKind, sentence: str) -> Deadline:
    words = _ACT.sub("", re.sub(r"\s+", " ", text).strip(" ,;:"))
    repeats = kind in (DeadlineKind.CYCLE, DeadlineKind.AD_HOC) or _REPEATS.search(plain) is not None
    cadence = tuple(name for name, pattern in _CADENCES if repeats and re.search(pattern, plain))
    before = re.search(r"(?<!\w)trước(?!\w)", plain) is not None and kind is DeadlineKind.DATE
    return Deadline(words, kind, sentence, _days(plain) if kind in _DATED else (), before, cadence)


_ACT = re.compile(r"^(?:(?:hoàn\s*thành|xong)\s+)(?=\w)", re.IGNORECASE)
_REPEATS = re.compile(r"(?<!\w)(?:hằng|hàng|mỗi|định\s*kỳ|cuối\s*quý|đầu\s*quý)(?!\w)")
_DATED = (DeadlineKind.DATE, DeadlineKind.PERIOD)
_SHAPES: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (_WORDED, lambda found: _iso(found["y"], found["m"], found["d"])),
    (_DAY, lambda found: _iso(found["y"], found["m"], found["d"])),
    (_QUARTER, lambda found: f"{found['y'] or '-'}-Q{_quarter(found['q'])}"),
    (_MONTH, lambda found: f"{found['y'] or '-'}-{int(found['m']):02d}"),
    (_YEAR, lambda found: found["y"]),
    (_BARE_DAY, lambda found: f"---{int(found['d']):02d}"),
    (_ONLY_DAY, lambda found: f"---{int(found['d']):02d}"),
)
_ANY_POINT = re.compile("|".join(rf"(?<![\d/])(?:{_unnamed(pattern)})" for pattern, _ in _SHAPES))


def _iso(year: str | None, month: str, day: str) -> str:
    return f"{year or '-'}-{int(month):02d}-{int(day):02d}"


def _quarter(text: str) -> int:
    return int(text) if text.isdigit() else roman_value(text.upper())


def _days(plain: str) -> tuple[str, ...]:
    """The points in time that the words name, in their order."""
    days = []
    for point in _ANY_POINT.finditer(plain):
        found = next((shape(m) for pattern, shape in _SHAPES if (m := re.match(pattern, plain[point.start() :]))), "")
        days.append(found)
    return tuple(days)
