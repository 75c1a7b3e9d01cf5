"""Templates into pages. A template sees one page's facts, the visitor's language and the words below; a name that it
misspells is an error. Every sentence stands in both languages side by side: ``_("…", "…")``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from engine.accounts.devices import device_words
from engine.accounts.permissions import Permission
from engine.files.plan_parts import RuleSource
from engine.queries.time_class import Today
from engine.queries.work.ladder_steps import Dropped
from engine.rules import words
from engine.rules.calendar import DayKind, written
from engine.rules.periods import Cadence
from engine.rules.policy import Skip
from engine.template_cache import compiled
from engine.terms import LetterState, NoticeKind, Outcome, Role, State, TimeClass
from engine.text import Text
from engine.views.event_sentences import actor_words, said
from engine.views.labels import label

HERE = Path(__file__).parent.parent / "web"
MAX_QUOTED_WORDS = 24
SETS = (Cadence, DayKind, Permission, LetterState, NoticeKind, Outcome, Role, RuleSource, State, TimeClass)
FATE = {
    LetterState.QUEUED: "t",
    LetterState.SENDING: "t",
    LetterState.ACCEPTED: "d",
    LetterState.DELIVERED: "d",
    LetterState.BOUNCED_SOFT: "s",
    LetterState.UNKNOWN: "s",
    LetterState.BOUNCED_HARD: "o",
    LetterState.REFUSED: "o",
    LetterState.EXPIRED: "o",
    LetterState.SUPPRESSED: "n",
}
"""The mark (colour and shape) of a letter's fate."""
STATIC = {
    "dondoc.css": "text/css; charset=utf-8",
    "plans.css": "text/css; charset=utf-8",
    "rules.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


# What the page says once a deed is done.
SAID: Mapping[str, tuple[str, str]] = {
    "acknowledge": ("Đã ghi nhận xác nhận.", "The acknowledgement is recorded."),
    "decline": ("Đã báo cho bộ phận theo dõi; trạng thái giữ nguyên.", "The monitor is told; the state stays."),
    "accept": ("Đã tiếp nhận báo cáo.", "The report is accepted."),
    "return": (
        "Đã trả lại; đầu mối sẽ nhận lý do trong thư kế tiếp.",
        "Returned; the coordinator gets the reason in the next letter.",
    ),
    "chase": (
        "Đã đưa một dòng đôn đốc vào thư kế tiếp của đầu mối.",
        "A chasing line is in the coordinator's next letter.",
    ),
    "ask_extension": ("Đã gửi đề nghị gia hạn.", "The extension request is sent."),
    "decide_extension": (
        "Đã trả lời đề nghị gia hạn; đầu mối sẽ nhận thư.",
        "The request is decided; the coordinator will be told.",
    ),
    "cancel": ("Đã hủy phần việc; không thư nào nhắc nữa.", "Cancelled; no letter speaks of it again."),
    "transfer": (
        "Đã chuyển giao; cơ quan nhận được nhắc từ đầu.",
        "Transferred; the receiving agency is reminded from the beginning.",
    ),
}


@dataclass(frozen=True)
class Static:
    """A file whose address holds its hash, so that browsers may keep it for ever."""

    address: str
    body: bytes
    media_type: str


class Templates:
    """Compiled templates and the addresses of the static files. Made once, with the application."""

    def __init__(self) -> None:
        self.static = {name: _static(name, media_type) for name, media_type in STATIC.items()}
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=compiled("pages"),
        )
        self._environment.filters["cap"] = lambda text: text[:1].upper() + text[1:]
        self._environment.globals |= {
            "url": url,
            "first_words": first_words,
            "short_day": words.short_day,
            "short_at": words.short_moment,
            "static": {name: each.address for name, each in self.static.items()},
            "pairs": pairs,
            "FATE": FATE,
        } | {kind.__name__: kind for kind in SETS}

    def render(self, name: str, language: str, today: Today | None = None, **facts: Any) -> str:
        return self._environment.get_template(name).render(**vocabulary(language, today), **facts)


def vocabulary(language: str, today: Today | None) -> dict[str, Any]:
    """The words of a language as templates use them. ``left`` is the distance of a due date from the page's day."""

    def spoken_by(words_of: Callable[[Any, str], str]) -> Callable[[Any], str]:
        return lambda value: words_of(value, language)

    return {
        "_": lambda vi, en: en if language == "en" else vi,
        "many": partial(_many, language),
        "language": language,
        "num": spoken_by(words.number_words),
        "label": spoken_by(label),
        "device": spoken_by(device_words),
        "code": spoken_by(words.coded),
        "level": spoken_by(words.level_name),
        "day": spoken_by(written),
        "at": spoken_by(words.moment),
        "period": spoken_by(words.period_words),
        "said": spoken_by(said),
        "why": spoken_by(_why),
        "in_language": spoken_by(in_language),
        "said_words": {deed: both[language == "en"] for deed, both in SAID.items()},
        "who": lambda actor, people: actor_words(actor, people, language),
        "today": today,
        "left": _left(language, today),
        "late": _late(language, today),
    }


def _many(language: str, count: int, vi: str, one: str, more: str = "") -> str:
    """A number with its noun; Vietnamese has no plural, English has: «3 việc», "1 line", "3 lines"."""
    said_count = words.number_words(count, language)
    if language != "en":
        return f"{said_count} {vi}"
    return f"{said_count} {one if count == 1 else more or one + 's'}"


def _why(reason: str, language: str) -> str:
    """Why a rung said nothing."""
    return label(Skip(reason) if reason in tuple(Skip) else Dropped(reason), language)


def in_language(words_: Text | str, language: str) -> str:
    """A Text in the reader's language; of an office's own note («tiếng Việt / English») the half that is theirs."""
    if isinstance(words_, Text):
        return words_.said(language)
    vi, slash, en = words_.partition(" / ")
    return en if language == "en" and slash else vi


def pairs(values: Iterable[Any], words_of: Callable[[Any], str]) -> list[tuple[str, str]]:
    """(value, words) of each: what a form chooses among."""
    return [(str(value), words_of(value)) for value in values]


def _left(language: str, today: Today | None) -> Any:
    def left(due_on: date | None) -> str:
        assert today is not None
        return words.distance(due_on, today.day, today.days_left(due_on), language)

    return left


def _late(language: str, today: Today | None) -> Any:
    """How late something was done: empty when it was on time."""

    def late(due_on: date | None, on: date) -> str:
        assert today is not None
        return "" if due_on is None else words.late_words(due_on, on, today.calendar, language)

    return late


def url(path: str, /, **parameters: Any) -> str:
    """An address with its parameters; empty ones are left out, several values of one are repeated."""
    said_ones = {name: value for name, value in parameters.items() if value not in (None, "", (), False)}
    query = urlencode({name: _plain(value) for name, value in said_ones.items()}, doseq=True)
    return f"{path}?{query}" if query else path


def _plain(value: Any) -> Any:
    return [str(each) for each in value] if isinstance(value, list | tuple) else str(value)


def first_words(text: str, most: int = MAX_QUOTED_WORDS) -> str:
    found = text.split()
    return " ".join(found[:most]).rstrip(";,.") + "\u00a0…" if len(found) > most else text


def changed(query: Iterable[tuple[str, str]], **changes: str) -> dict[str, Any]:
    """The parameters of an address with some changed."""
    kept: dict[str, list[str]] = {}
    for name, value in query:
        kept.setdefault(name, []).append(value)
    return kept | dict(changes)


def _static(name: str, media_type: str) -> Static:
    body = (HERE / "static" / name).read_bytes()
    stem, _, ending = name.partition(".")
    return Static(f"/static/{stem}-{hashlib.sha256(body).hexdigest()[:12]}.{ending}", body, media_type)


def by_address(templates: Templates) -> Mapping[str, Static]:
    return {each.address: each for each in templates.static.values()}
