"""SVG charts, each with the same data as a table. Pure.

No scripts and no inline styles: classes of the site's stylesheet, so charts follow light and dark mode. Nothing is
shown by colour alone: future letters have a dashed edge, due dates are triangles, bars have labels.

Markup made by code: drawings of many shapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

from markupsafe import Markup, escape

from engine.queries.figures.outlook import WeekPoint
from engine.queries.figures.year import Week, Year
from engine.rules.calendar import written
from engine.rules.policy import Ladder, Rung, is_report
from engine.rules.words import day_and_month, short_day
from engine.text import LANGUAGES


def filled(form: str, *values: float | str) -> Markup:
    """``Markup(form).format(*values)`` at a fifth of its cost: text is escaped, markup stays, numbers keep their form.
    ``form`` is written in the code."""
    return Markup(form.format(*(escape(each) if isinstance(each, str) else each for each in values)))


FRAME_WIDTH, PHONE_WIDTH, NARROWEST_BAR, WIDEST_BAR = 1_204, 330, 14, 32
LEFT, NUMBER_ROOM, DUE_ROOM = 40, 22, 84
"""Room for the scale, for a number above a bar, for «hạn 132 việc»."""
FEWEST_WEEKS = 4
"""One point is no line; with fewer weeks than this a change looks steeper than it was."""


@dataclass(frozen=True)
class Table:
    """The chart's data as rows of text; the first cell of each row is its heading."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """``svg`` is safe markup; ``table`` has the same data; ``phone`` is drawn for a telephone, where that differs."""

    svg: Markup
    table: Table
    phone: Markup | str = ""


def letters_per_week(year: Year, language: str) -> Picture:
    """Bar chart by week: letters sent, and stacked on top the expected ones with a dashed edge. Drawn as wide as a
    desk's page, and once more as wide as a telephone; a number stands where it has room and tells something."""
    say, drawn = _Say(language), year.trimmed()
    total, count = drawn.total, len(drawn.mondays)
    title = say(f"Số thư mỗi tuần, năm {year.year}", f"Letters a week, {year.year}")
    sent, coming = sum(each.sent for each in total.values()), sum(each.to_come for each in total.values())
    highest = max((week.sent + week.to_come for week in total.values()), default=0) or 1
    text = say(
        f"Đã gửi {sent}, sẽ gửi {coming} nếu chưa báo cáo; nhiều nhất {highest} thư một tuần. Tam giác: tuần có hạn.",
        f"{sent} sent, {coming} to come if nothing is reported; at most {highest} a week. Triangle: something is due.",
    )
    rows = tuple(
        (_week_name(monday, language), str(week.sent), str(week.to_come), str(week.due))
        for monday, week in total.items()
        if week != Week()
    )
    head = (say("Tuần", "Week"), say("Đã gửi", "Sent"), say("Sẽ gửi", "To come"), say("Đến hạn", "Due"))
    side = max(NARROWEST_BAR, min(WIDEST_BAR, (FRAME_WIDTH - LEFT - 8) // count))
    narrow = min(WIDEST_BAR, (PHONE_WIDTH - LEFT - 8) / count)
    fills = " fill" if LEFT + count * side > FRAME_WIDTH * 2 / 3 else ""
    return Picture(
        _weeks("letters-per-week", title, text, drawn, side, language, fills),
        Table(title, head, rows),
        _weeks("letters-per-week-phone", title, text, drawn, narrow, language, " phone"),
    )


def _weeks(name: str, title: str, text: str, year: Year, side: float, language: str, kind: str) -> Markup:
    """The bars, each of them ``side`` wide."""
    say, base, tall, wide = _Say(language), 200, 140, LEFT + len(year.mondays) * side
    counts, due = zip(*((week.sent + week.to_come, week.due) for week in year.total.values()), strict=True)
    highest = max(counts) or 1
    parts = [
        *_months(year, LEFT, base + 38, side, language),
        _line(LEFT, base, wide, base, "pic-rule"),
        _text(LEFT - 6, base - tall + 10, str(highest), "pic-soft", anchor="end"),
        _text(LEFT - 6, base, "0", "pic-soft", anchor="end"),
    ]
    for n, (monday, week) in enumerate(year.total.items()):
        x = LEFT + n * side
        parts += _week_bar(week, x, base, side, tall / highest, _week_words(monday, week, say))
        if counts[n] > highest / 10 and _is_peak(counts, n, NUMBER_ROOM / side):
            top = base - tall / highest * counts[n] - 4
            parts.append(_text(x + side / 2, top, str(counts[n]), "pic-soft", anchor="middle"))
        if week.due > max(due) / 4 and _is_peak(due, n, DUE_ROOM / side):
            named = say(f"hạn {week.due} việc", f"{week.due} due")
            parts.append(_text(min(x + side / 2, wide + 8 - DUE_ROOM / 2), 14, named, "pic-label", anchor="middle"))
        if monday == year.this_week:
            off, anchor = (-4, "end") if x > wide * 2 / 3 else (4, "start")
            parts.append(_line(x + side, 22, x + side, base, "pic-today"))
            parts.append(_text(x + side + off, 32, say("tuần này", "this week"), "pic-soft", anchor=anchor))
    return _svg(name, (wide + 8, base + 44), title, text, parts, kind)


def _is_peak(counts: Sequence[int], n: int, room: float) -> bool:
    """The first of the greatest among its neighbours within so many bars."""
    start = max(n - ceil(room) + 1, 0)
    near = counts[start : n + ceil(room)]
    return start + near.index(max(near)) == n


def _week_bar(week: Week, x: float, base: float, side: float, scale: float, words: str) -> Iterator[Markup]:
    """What was sent and will be sent in a week, and the triangle of what is due."""
    sent, coming = scale * week.sent, scale * week.to_come
    if week.sent:
        yield _rect(x + 1, base - sent, side - 2, sent, "pic-sent", words)
    if week.to_come:
        yield _rect(x + 1, base - sent - coming, side - 2, coming, "pic-come", words)
    if week.due:
        yield _triangle(x + side / 2, base + 2, words)


def done_by_week(points: Sequence[WeekPoint], due: Sequence[date], language: str) -> Picture:
    """Line of the share of tasks done, week by week, from 0 to 100 %; a broken vertical line at each of ``due`` that
    lies among the weeks. It begins with the first week that had anything due, and has FEWEST_WEEKS at least."""
    say = _Say(language)
    empty = next((n for n, each in enumerate(points) if each.due), len(points))
    points = points[max(min(empty, len(points) - FEWEST_WEEKS), 0) :]
    left, top, long, tall = 32, 16, 330, 84
    first, days = points[0].day, max((points[-1].day - points[0].day).days, 1)

    def place(day: date) -> float:
        return left + long * (day - first).days / days

    def height(rate: float | None) -> float:
        return top + tall * (1 - (rate or 0) / 100)

    parts = []
    for share in (0, 50, 100):
        parts.append(_line(left, height(share), left + long, height(share), "pic-grid"))
        parts.append(_text(left - 6, height(share) + 4, str(share), "pic-soft", anchor="end"))
    for day in due:
        if first < day <= points[-1].day:
            parts.append(_line(place(day), top - 8, place(day), top + tall, "pic-today"))
            name = f"{say('hạn', 'due')} {day_and_month(day)}"
            parts.append(_text(place(day) - 5, top - 4, name, "pic-label", anchor="end"))
    judged = [each for each in points if each.rate is not None] or points[-1:]
    line = " ".join(f"{place(each.day):g},{height(each.rate):g}" for each in judged)
    area = f"{place(judged[0].day):g},{top + tall} {line} {left + long},{top + tall}"
    parts.append(filled('<polygon points="{}" class="pic-area"/><polyline points="{}" class="pic-line"/>', area, line))
    last = points[-1]
    parts.append(filled('<circle cx="{:g}" cy="{:g}" r="4.5" class="pic-sent"/>', left + long, height(last.rate)))
    parts.append(_text(left + long + 9, height(last.rate) + 5, _percent(last.rate, language), "pic-end"))
    for n, each in enumerate(points):
        kind = "pic-soft" if n in (0, len(points) - 1) else "pic-soft wide-only"
        if n % 3 == 0 or len(points) < 8 or n == len(points) - 1:
            parts.append(_text(place(each.day), top + tall + 18, day_and_month(each.day), kind, anchor="middle"))
    title = say(f"Tỷ lệ hoàn thành, {len(points)} tuần", f"Share of tasks done, {len(points)} weeks")
    rows = tuple(
        (written(each.day, language), _percent(each.rate, language), str(each.done), str(each.due)) for each in points
    )
    text = "; ".join(f"{short_day(each.day)}: {rate}" for each, (_, rate, *_rest) in zip(points, rows, strict=True))
    head = (say("Đến ngày", "By"), say("Tỷ lệ", "Share"), say("Xong", "Done"), say("trong số đến hạn", "of those due"))
    return Picture(_svg("weeks", (left + long + 62, top + tall + 26), title, text, parts), Table(title, head, rows))


def ladder_line(ladder: Ladder, language: str) -> Markup:
    """The steps of a ladder in their order and the due date among them, not to scale: a dot reminds, a square chases.
    The table below it has the same in words."""
    say, side, middle = _Say(language), 92, 32
    early = [rung for rung in ladder.rungs if (rung.due or 0) <= 0]
    steps = [*early, None, *(rung for rung in ladder.rungs if rung not in early)]
    wide, due = side * len(steps), side * (len(early) + 0.5)
    parts = [_line(side / 2, middle, wide - side / 2, middle, "rl-line"), _line(due, 20, due, 44, "rl-due")]
    parts.append(_text(due, 14, say("hạn", "due"), "pic-label", anchor="middle"))
    for n, rung in enumerate(steps):
        if rung is not None:
            x, chases = side * (n + 0.5), rung.level > 0 and not is_report(rung.to)
            parts.append(marks("chased", SQUARE, [x], middle) if chases else marks("sent", DOT, [x], middle))
            parts.append(_text(x, 58, _offset(rung, say), "pic-soft", anchor="middle"))
            if chases:
                parts.append(_text(x, 14, say("lần", "level") + f" {rung.level}", "pic-label", anchor="middle"))
    title = say("Các mốc theo thứ tự; bảng dưới nói từng mốc", "The steps in their order; the table has each")
    return _svg("rungs", (wide, 64), title, "", parts)


def _offset(rung: Rung, say: _Say) -> str:
    days = rung.due or rung.opened or 0
    if days < 0:
        return say(f"trước {-days}", f"{-days} before")
    if days == 0:
        return say("giao", "assigned") if rung.due is None else say("đúng hạn", "on the day")
    return say(f"sau {days}", f"{days} after")


# --- words -----------------------------------------------------------------------------------------------------------


class _Say:
    """Chooses the text in the page's language."""

    def __init__(self, language: str) -> None:
        self._at = LANGUAGES.index(language)

    def __call__(self, vi: str, en: str) -> str:
        return (vi, en)[self._at]


def _week_name(monday: date, language: str) -> str:
    week = monday.isocalendar().week
    sunday = monday + timedelta(days=6)
    head = "Week" if language == "en" else "Tuần"
    return f"{head} {week}, {day_and_month(monday)}–{day_and_month(sunday)}"


def _week_words(monday: date, week: Week, say: _Say) -> str:
    """The tooltip of a bar, also read by screen readers."""
    language = LANGUAGES[0] if say("vi", "en") == "vi" else LANGUAGES[1]
    parts = [_week_name(monday, language)]
    if week.sent:
        parts.append(say(f"đã gửi {week.sent} thư", f"{week.sent} letters sent"))
    if week.to_come:
        parts.append(say(f"sẽ gửi {week.to_come} thư", f"{week.to_come} letters to come"))
    if week.due:
        parts.append(say(f"{week.due} việc đến hạn, {week.open} chưa báo cáo", f"{week.due} due, {week.open} open"))
    return "; ".join(parts)


def _percent(value: float | None, language: str) -> str:
    text = "–" if value is None else f"{value:g}%"
    return text if language == "en" else text.replace(".", ",")


# --- shapes ----------------------------------------------------------------------------------------------------------


def _svg(
    name: str, size: tuple[float, float], title: str, text: str, parts: Iterable[Markup], kind: str = ""
) -> Markup:
    """An SVG element in its natural size; ``kind``: more of its classes. Wide ones need a scrolling container,
    because scaled-down numbers are illegible."""
    return filled(
        '<svg class="picture{6}" viewBox="0 0 {0:g} {1:g}" width="{0:g}" height="{1:g}" role="img" '
        'aria-labelledby="{2}-t {2}-d" focusable="false"><title id="{2}-t">{3}</title>'
        '<desc id="{2}-d">{4}</desc>{5}</svg>',
        *size,
        name,
        title,
        text,
        Markup("").join(parts),
        kind,
    )


def _titled(words: str) -> Markup:
    return filled("<title>{}</title>", words) if words else Markup("")


def _rect(x: float, y: float, wide: float, tall: float, kind: str, words: str = "") -> Markup:
    inside = filled(">{}</rect>", _titled(words)) if words else Markup("/>")
    numbers = (round(each, 1) for each in (x, y, wide, tall))
    return filled('<rect x="{:g}" y="{:g}" width="{:g}" height="{:g}" class="{}"{}', *numbers, kind, inside)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    numbers = (round(each, 1) for each in (x1, y1, x2, y2))
    return filled('<line x1="{:g}" y1="{:g}" x2="{:g}" y2="{:g}" class="{}"/>', *numbers, kind)


def _text(x: float, y: float, text: str, kind: str, *, anchor: str = "start") -> Markup:
    return filled(
        '<text x="{:g}" y="{:g}" text-anchor="{}" class="{}">{}</text>', round(x, 1), round(y, 1), anchor, kind, text
    )


DOT, SQUARE = "M{:g} {:g}h0", "M{:g} {:g}m-4 -4h8v8h-8z"
"""Parts of a path; a dot is a line of no length with round ends."""


def marks(kind: str, form: str, places: Iterable[float], y: float) -> Markup:
    """What was ``sent``, ``chased``, or comes ``next``, on a line of steps."""
    return filled('<path class="rl-{}" d="{}"/>', kind, "".join(form.format(x, y) for x in places))


def _triangle(x: float, y: float, words: str) -> Markup:
    return filled('<path d="M{:g} {:g}l4 7h-8z" class="pic-due">{}</path>', round(x, 1), round(y, 1), _titled(words))


def _months(year: Year, left: float, y: float, side: float, language: str) -> Iterator[Markup]:
    """Month names at the first Monday of each month."""
    for n, monday in enumerate(year.mondays):
        if monday.day <= 7 and monday.year == year.year:
            name = f"{monday:%b}" if language == "en" else f"T{monday.month}"
            yield _text(left + n * side, y - 12, name, "pic-soft")
