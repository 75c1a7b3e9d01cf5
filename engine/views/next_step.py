"""What the next rung of an assignment does, in words: for letters and for the pages that letters open. Pure.

The letters to an agency about what is overdue, as a small line of time. Pure.

A dot is a reminder, a square a chasing («đôn đốc»), a hollow square what comes next, a stroke the due date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from markupsafe import Markup

from engine.queries.work.overdue import LateAgency
from engine.rules.policy import Rung, is_report
from engine.rules.words import day_and_month, short_day
from engine.terms import NoticeKind, Role
from engine.text import Text
from engine.views.svg_charts import DOT, SQUARE, filled, marks

_DEEDS: Mapping[NoticeKind, Text] = {
    NoticeKind.ASSIGNED: Text("thư giao việc", "the assignment"),
    NoticeKind.ACKNOWLEDGE: Text("thư nhắc xác nhận", "a request to acknowledge"),
    NoticeKind.UNACKNOWLEDGED: Text("thông báo chưa xác nhận", "word that it is not acknowledged"),
    NoticeKind.REMINDER: Text("thư nhắc trước hạn", "a reminder before the due date"),
    NoticeKind.OVERDUE: Text("thư báo quá hạn", "word that it is overdue"),
    NoticeKind.ESCALATION: Text("thư đôn đốc", "a chasing letter"),
}
_SOFT_DEED = Text("thư đề nghị thông tin kết quả", "a courtesy reminder")
_TOLD = Text("báo cáo", "a report")


@dataclass(frozen=True, slots=True)
class Bodies:
    """The agencies that a next step may name: the department above the owner, and the issuer of the plan."""

    supervisor: str
    issuer: str


def next_step(rung: Rung, bodies: Bodies, language: str, *, request: bool = False) -> str:
    """What the system does on the day of the rung: «gửi thư báo quá hạn đến đầu mối, lãnh đạo cơ quan»."""
    roles = [_person(role, bodies) for role in rung.to if not (role is Role.DIRECTOR and _without_head(bodies))]
    names = ", ".join(dict.fromkeys(each.said(language) for each in roles))
    if is_report(rung.to):
        return f"reports to {names}" if language == "en" else f"báo cáo {names}"
    deed = _SOFT_DEED if request else _DEEDS.get(rung.kind, _TOLD)
    return f"sends {deed.en} to {names}" if language == "en" else f"gửi {deed.vi} đến {names}"


def _without_head(bodies: Bodies) -> bool:
    """The body above the owner is the issuer itself, which has an office and a leadership."""
    return bodies.supervisor == bodies.issuer


def _person(role: Role, bodies: Bodies) -> Text:
    match role:
        case Role.COORDINATOR | Role.DEPUTY:
            return Text("đầu mối", "the coordinator")
        case Role.HEAD:
            return Text("lãnh đạo cơ quan", "the head of the agency")
        case Role.MONITOR:
            return Text(f"bộ phận theo dõi của {bodies.supervisor}", f"the monitor of {bodies.supervisor}")
        case Role.DIRECTOR:
            return Text(f"lãnh đạo {bodies.supervisor}", f"the head of {bodies.supervisor}")
        case Role.LEADERSHIP:
            return Text(f"lãnh đạo {bodies.issuer}", f"the leadership of {bodies.issuer}")
        case _:
            assert_never(role)


WIDE, TALL, EDGE = 240, 22, 8
MOST_SAID = 4


@dataclass(frozen=True, slots=True)
class Span:
    """The days that all lines of a page share."""

    first: date
    last: date

    def place(self, day: date) -> float:
        share = (day - self.first).days / max((self.last - self.first).days, 1)
        return round(EDGE + (WIDE - 2 * EDGE) * share, 1)


def span_of(agencies: Sequence[LateAgency], today: date) -> Span:
    days = [day for each in agencies for day in (*each.asked, each.since, each.contacts.next_on) if day is not None]
    return Span(min([*days, today]), max([*days, today]))


def reminder_line(agency: LateAgency, span: Span, language: str) -> Markup:
    """An SVG with its days as alternative text."""
    middle, due = TALL / 2, span.place(agency.since)
    parts = [
        filled('<path class="rl-line" d="M{:g} {:g}H{:g}"/>', EDGE, middle, WIDE - EDGE),
        filled('<path class="rl-due" d="M{:g} 2v{:g}"/>', due, TALL - 4),
    ]
    sent = [span.place(day) for day in agency.reminded_on]
    chased = [span.place(day) for day in agency.chased_on]
    coming = [span.place(day) for day in (agency.contacts.next_on,) if day is not None]
    for kind, form, places in (("sent", DOT, sent), ("chased", SQUARE, chased), ("next", SQUARE, coming)):
        if places:
            parts.append(marks(kind, form, places, middle))
    return filled(
        '<svg class="rl" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        WIDE,
        TALL,
        in_words(agency).said(language),
        Markup("").join(parts),
    )


def dates_above(agencies: Sequence[LateAgency], span: Span, language: str) -> Markup:
    """The days of the lines below it, each where it has room: due dates, what comes next, chasers, reminders."""
    due = sorted({each.since for each in agencies})
    coming = sorted({each.contacts.next_on for each in agencies if each.contacts.next_on})
    chased = sorted({day for each in agencies for day in each.chased_on})
    reminded = sorted({day for each in agencies for day in each.reminded_on})
    parts = []
    lines = (due, 10, 60, Text("hạn ", "due ")), ([*coming, *chased, *reminded], 26, 32, Text.same(""))
    for days, top, room, word in lines:
        taken: list[float] = []
        for day in days:
            x = min(max(span.place(day), room / 2), WIDE - room / 2)
            if all(abs(x - other) >= room for other in taken):
                taken.append(x)
                words = f"{word.said(language)}{day_and_month(day)}"
                parts.append(filled('<text x="{:g}" y="{}" text-anchor="middle">{}</text>', x, top, words))
    form = '<svg class="rl above" viewBox="0 0 {} 30" aria-hidden="true">{}</svg>'
    return filled(form, WIDE, Markup("").join(parts))


def in_words(agency: LateAgency) -> Text:
    """«hạn 17/6; đã nhắc 03/6, 14/6; đã gửi đôn đốc 8 lần, từ 22/6 đến 30/8; tiếp theo 08/9»."""
    due = short_day(agency.since)
    parts = [Text(f"hạn {due}", f"due {due}")]
    if agency.reminded_on:
        parts.append(Text.joined(" ", (Text("đã nhắc", "reminded"), _days(agency.reminded_on))))
    if agency.chased_on:
        parts.append(Text.joined(" ", (Text("đã gửi đôn đốc", "chased"), _days(agency.chased_on))))
    if not agency.asked:
        parts.append(Text("chưa có thư nhắc nào gửi đi", "no reminder was sent"))
    if agency.contacts.next_on is not None:
        parts.append(Text("tiếp theo {day}", "next {day}").filled(day=short_day(agency.contacts.next_on)))
    return Text.joined("; ", parts)


def _days(days: Sequence[date]) -> Text:
    """Each of a few; of many how often, the first and the last."""
    if len(days) <= MOST_SAID:
        return Text.same(", ".join(map(short_day, days)))
    first, last = short_day(days[0]), short_day(days[-1])
    return Text(f"{len(days)} lần, từ {first} đến {last}", f"{len(days)} times, from {first} to {last}")
