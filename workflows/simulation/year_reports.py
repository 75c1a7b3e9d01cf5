"""Export a simulated year: JSON lines, CSV, iCalendar, HTML with a heat map."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from engine.plans.simulated_year import SimulatedLetter, SimulatedYear
from workflows.simulation.simulation import as_objects, summary

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
    },
    "en": {
        "title": "The year before it happens",
        "heat": "Letters per week",
        "who": "Recipient",
        "at": "At",
        "messages": "Every letter",
        "what": "What",
        "count": "Assignments",
    },
}


def as_json(year: SimulatedYear, language: str) -> str:
    """One JSON object per line."""
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in as_objects(year))


def as_csv(year: SimulatedYear, language: str) -> str:
    """One row per message; the assignments joined by «; ». Cells are protected against formula injection."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["at", "channel", "kind", "rung", "agency", "role", "assignments", "key"])
    for each in year.messages:
        assignments = "; ".join(each.assignments)
        cells = (each.at, each.channel, each.kind, each.rung, each.agency, each.role, assignments, each.key)
        writer.writerow(map(_cell, cells))
    return out.getvalue().rstrip("\n")


def _cell(text: str) -> str:
    """Prefix a text that starts like a formula with an apostrophe, so that spreadsheets do not evaluate it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def as_ics(year: SimulatedYear, language: str) -> str:
    """One calendar entry per message (RFC 5545)."""
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//dondoc//simulation//VI")
    calendar.add("version", "2.0")
    for each in year.messages:
        calendar.add_component(_entry(each))
    return str(calendar.to_ical(), "utf-8").rstrip("\r\n")


def _entry(message: SimulatedLetter) -> Event:
    from icalendar import Event

    at = datetime.fromisoformat(message.at).astimezone(UTC)
    entry = Event()
    entry.add("uid", f"{message.key}@simulation.dondoc.example")
    entry.add("dtstamp", at)
    entry.add("dtstart", at)
    entry.add("dtend", at + timedelta(minutes=5))
    entry.add("summary", f"{message.agency} · {message.role}: {message.kind} {message.rung}")
    entry.add("description", "\n".join(message.assignments))
    return entry


def as_html(year: SimulatedYear, language: str) -> str:
    """A self-contained page: the summary, a heat map of weeks × recipients with figures, every letter."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, undefined=StrictUndefined
    )
    weeks, people = year.heat()
    rows = [(f"{agency} · {role}", counts) for agency, role, counts in people]
    return environment.get_template("simulation.html").render(
        language=language,
        words=WORDS[language],
        lines=summary(year, language).splitlines(),
        weeks=weeks,
        rows=rows,
        messages=year.messages,
    )


FORMS: dict[str, Callable[[SimulatedYear, str], str]] = {
    "text": summary,
    "json": as_json,
    "csv": as_csv,
    "ics": as_ics,
    "html": as_html,
}
