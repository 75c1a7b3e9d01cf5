"""Export a simulated year: JSON lines, CSV, iCalendar, HTML with a heat map."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import FileSystemLoader, StrictUndefined

from engine.plans.simulated_year import SimulatedLetter, SimulatedYear
from engine.rules.words import coded
from engine.template_cache import FastEnvironment
from engine.terms import Role
from engine.views.labels import label
from engine.views.spreadsheets import assignment_words, csv_field, letter_words
from workflows.simulation.simulation import as_objects, person_words, summary, week_of_day

if TYPE_CHECKING:
    from icalendar import Event

WORDS = {
    "vi": {
        "title": "Dự kiến thư gửi trong năm (chưa kích hoạt)",
        "heat": "Số thư theo tuần",
        "who": "Người nhận",
        "at": "Lúc",
        "messages": "Từng thư",
        "what": "Nội dung",
        "count": "Phần việc",
        "channel": "Kênh",
        "agency": "Cơ quan",
        "role": "Vai trò",
        "assignments": "Về phần việc",
    },
    "en": {
        "title": "The year before it happens",
        "heat": "Letters per week",
        "who": "Recipient",
        "at": "At",
        "messages": "Every letter",
        "what": "What",
        "count": "Assignments",
        "channel": "Channel",
        "agency": "Agency",
        "role": "Role",
        "assignments": "About",
    },
}


def as_json(year: SimulatedYear, language: str) -> str:
    """One JSON object per line."""
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in as_objects(year))


def as_csv(year: SimulatedYear, language: str) -> str:
    """One row per message, in words; the assignments joined by «; ». Cells are protected against formula injection."""
    words = WORDS[language]
    rows = [[words[each] for each in ("at", "channel", "what", "agency", "role", "assignments")]]
    rows += (
        [
            _moment(each),
            coded(each.channel, language),
            letter_words(each, language),
            year.name(each.agency),
            label(Role(each.role), language),
            "; ".join(assignment_words(year, each_one, language) for each_one in each.assignments),
        ]
        for each in year.messages
    )
    return "\n".join(f"{','.join(map(csv_field, row))}\r" for row in rows)


def _moment(message: SimulatedLetter) -> str:
    return message.at[:16].replace("T", " ")


def as_ics(year: SimulatedYear, language: str) -> str:
    """One calendar entry per message (RFC 5545)."""
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//dondoc//simulation//VI")
    calendar.add("version", "2.0")
    for each in year.messages:
        calendar.add_component(_entry(year, each, language))
    return str(calendar.to_ical(), "utf-8").rstrip("\r\n")


def _entry(year: SimulatedYear, message: SimulatedLetter, language: str) -> Event:
    from icalendar import Event

    at = datetime.fromisoformat(message.at).astimezone(UTC)
    entry = Event()
    entry.add("uid", f"{message.key}@simulation.dondoc.example")
    entry.add("dtstamp", at)
    entry.add("dtstart", at)
    entry.add("dtend", at + timedelta(minutes=5))
    who = f"{year.name(message.agency)} · {label(Role(message.role), language)}"
    entry.add("summary", f"{who}: {letter_words(message, language)}")
    entry.add("description", "\n".join(assignment_words(year, each, language) for each in message.assignments))
    return entry


def as_html(year: SimulatedYear, language: str) -> str:
    """A self-contained page: the summary, a heat map of weeks × recipients with figures, every letter."""
    environment = FastEnvironment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    weeks, people = year.heat()
    rows = [(person_words(year, agency, role, language), counts) for agency, role, counts in people]
    messages = [
        (
            _moment(each),
            person_words(year, each.agency, each.role, language),
            letter_words(each, language),
            len(each.assignments),
        )
        for each in year.messages
    ]
    return environment.get_template("simulation.html").render(
        language=language,
        words=WORDS[language],
        lines=summary(year, language).splitlines(),
        weeks=[week_of_day(week, language) for week in weeks],
        rows=rows,
        messages=messages,
    )


FORMS: dict[str, Callable[[SimulatedYear, str], str]] = {
    "text": summary,
    "json": as_json,
    "csv": as_csv,
    "ics": as_ics,
    "html": as_html,
}
