"""The letters to an agency about what is overdue, as a small line of time. Pure.

A dot is a reminder, a square a chasing («đôn đốc»), a hollow square what comes next, a stroke the due date.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from engine.queries.work.overdue import LateAgency
from engine.rules.words import short_day
from engine.text import Text

WIDE, TALL, EDGE = 240, 22, 8


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
        Markup('<path class="rl-line" d="M{:g} {:g}H{:g}"/>').format(EDGE, middle, WIDE - EDGE),
        Markup('<path class="rl-due" d="M{:g} 2v{:g}"/>').format(due, TALL - 4),
    ]
    for day, escalated in agency.asked.items():
        x = span.place(day)
        if escalated:
            parts.append(Markup('<path class="rl-chased" d="M{:g} {:g}h8v8h-8z"/>').format(x - 4, middle - 4))
        else:
            parts.append(Markup('<circle class="rl-sent" cx="{:g}" cy="{:g}" r="3.5"/>').format(x, middle))
    if agency.contacts.next_on is not None:
        x = span.place(agency.contacts.next_on)
        parts.append(Markup('<path class="rl-next" d="M{:g} {:g}h8v8h-8z"/>').format(x - 4, middle - 4))
    return Markup('<svg class="rl" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDE, TALL, in_words(agency).said(language), Markup("").join(parts)
    )


def in_words(agency: LateAgency) -> Text:
    """«hạn 17/6; đã nhắc 03/6, 14/6; đã gửi đôn đốc 22/6; tiếp theo 08/7»."""
    reminded = [short_day(day) for day, escalated in agency.asked.items() if not escalated]
    chased = [short_day(day) for day, escalated in agency.asked.items() if escalated]
    due = short_day(agency.since)
    parts = [Text(f"hạn {due}", f"due {due}")]
    if reminded:
        parts.append(Text("đã nhắc {days}", "reminded {days}").filled(days=", ".join(reminded)))
    if chased:
        parts.append(Text("đã gửi đôn đốc {days}", "chased {days}").filled(days=", ".join(chased)))
    if not agency.asked:
        parts.append(Text("chưa có thư nhắc nào gửi đi", "no reminder was sent"))
    if agency.contacts.next_on is not None:
        parts.append(Text("tiếp theo {day}", "next {day}").filled(day=short_day(agency.contacts.next_on)))
    return Text.joined("; ", parts)
