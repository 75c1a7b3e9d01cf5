"""Renders Jinja templates. A template gets the page's data and the functions of ``vocabulary``; an undefined name is an
error. Sentences are written in both languages side by side: ``_("…", "…")``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote_plus

from jinja2 import FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from engine.accounts.permissions import Permission
from engine.accounts.saved_views import LISTS
from engine.accounts.sign_in import device_words
from engine.enums import complete
from engine.files.plan_parts import RuleSource
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentRow, Promised
from engine.queries.work.ladder_steps import Dropped
from engine.rules import words
from engine.rules.calendar import DayKind, day_digits, local_date, tells_of_move, written
from engine.rules.periods import Cadence
from engine.rules.policy import Skip
from engine.rules.typed_day import PATTERN as DAY_PATTERN
from engine.rules.typed_day import promise_words, read_typed_day, reason_words
from engine.template_cache import FastEnvironment, compiled
from engine.terms import (
    CONTACT_ROLES,
    LetterState,
    NoticeKind,
    Outcome,
    OutputKind,
    PromiseState,
    Role,
    Scenario,
    State,
    TimeClass,
)
from engine.text import Text
from engine.views.event_sentences import actor_words, done_words, said
from engine.views.labels import answers_read_words, label, work_state

T = TypeVar("T")
ENGINE = Path(__file__).parent.parent
WEB_DIR = ENGINE / "web"
TEMPLATE_FOLDERS = (WEB_DIR / "templates", *sorted(ENGINE.glob("features/*/templates")))
"""The pages of the rooms, and of each feature under a folder with its name."""
MAX_FIRST_WORDS = 24
SETS = (
    Cadence,
    DayKind,
    Permission,
    LetterState,
    NoticeKind,
    Outcome,
    OutputKind,
    Promised,
    Role,
    RuleSource,
    Scenario,
    State,
    TimeClass,
)
PROMISE_MARK = complete(
    PromiseState,
    {
        PromiseState.WAITING: "s",
        PromiseState.STANDING: "t",
        PromiseState.KEPT: "d",
        PromiseState.BROKEN: "o",
        PromiseState.REFUSED: "n",
        PromiseState.REPLACED: "n",
    },
)
FATE = complete(
    LetterState,
    {
        LetterState.QUEUED: "t",
        LetterState.SENDING: "t",
        LetterState.ACCEPTED: "d",
        LetterState.DELIVERED: "d",
        LetterState.BOUNCED_SOFT: "s",
        LetterState.UNKNOWN: "s",
        LetterState.BOUNCED_HARD: "o",
        LetterState.REFUSED: "o",
        LetterState.EXPIRED: "o",
        LetterState.KEPT_HERE: "o",
        LetterState.SUPPRESSED: "n",
    },
)
"""The mark (colour and shape) of a letter's delivery state."""
STATIC = {
    "dondoc.css": "text/css; charset=utf-8",
    "plans.css": "text/css; charset=utf-8",
    "rules.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
}

FIELD_NAMES: Mapping[str, Text] = {
    "number": Text("Số và ký hiệu", "Number and sign"),
    "on": Text("Ngày", "Date"),
    "name": Text("Tên", "Name"),
    "short": Text("Tên tắt", "Short name"),
    "id": Text("Mã", "Id"),
    "email": Text("Thư điện tử", "E-mail"),
    "phone": Text("Điện thoại", "Telephone"),
    "label": Text("Chức danh", "Position"),
    "role": Text("Vai trò", "Role"),
    "language": Text("Ngôn ngữ", "Language"),
    "agency": Text("Cơ quan", "Agency"),
    "agency_id": Text("Cơ quan", "Agency"),
    "password": Text("Mật khẩu", "Password"),
    "to": Text("Cơ quan nhận", "Receiving agency"),
    "reason": Text("Lý do, căn cứ", "Reason, basis"),
    "function": Text("Chức năng", "Function"),
    "basis": Text("Căn cứ", "Basis"),
    "text": Text("Nội dung", "Text"),
    "owners": Text("Cơ quan chủ trì", "Owners"),
    "due": Text("Hạn", "Due date"),
    "since": Text("Từ ngày", "From"),
    "valid_from": Text("Từ ngày", "From"),
    "valid_until": Text("Đến hết ngày", "Until"),
    "sign": Text("Ký hiệu công văn", "Sign of dispatches"),
    "report_sign": Text("Tên viết tắt", "Abbreviation"),
    "letterhead": Text("Tệp mẫu", "Form"),
    "url": Text("Địa chỉ nhận", "Address"),
    "events": Text("Sự kiện", "Events"),
    "secret": Text("Bí mật ký tin", "Signing secret"),
}
"""What a form's fields are called in the summary of errors."""


# The confirmation message of each action.
SAID: Mapping[str, tuple[str, str]] = {
    "acknowledge": ("Đã ghi nhận xác nhận.", "The acknowledgement is recorded."),
    "decline": (
        "Đã báo cho bộ phận theo dõi; trạng thái giữ nguyên.",
        "The monitor has been notified; the state is unchanged.",
    ),
    "accept": ("Đã tiếp nhận báo cáo.", "The report is accepted."),
    "return": (
        "Đã trả lại; đầu mối sẽ nhận lý do trong thư kế tiếp.",
        "Returned; the coordinator gets the reason in the next letter.",
    ),
    "ask_extension": ("Đã gửi đề nghị gia hạn.", "The extension request is sent."),
    "answer": (
        "Đã gửi; đầu mối đọc trong thư kế tiếp.",
        "Sent; the coordinator reads it in the next letter.",
    ),
    "cancel": ("Đã hủy việc; không thư nào nhắc nữa.", "Cancelled; no more letters about it will be sent."),
    "transfer": (
        "Đã chuyển giao; cơ quan nhận được nhắc từ đầu.",
        "Transferred; the receiving agency is reminded from the beginning.",
    ),
}


@dataclass(frozen=True)
class Static:
    """A static file. Its address contains its hash, so browsers may cache it for ever."""

    address: str
    body: bytes
    media_type: str


QUOTED = re.compile("([“«][^”»]*[”»])")
ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


OWN_LANGUAGE = '<html lang="vi"'


class Templates:
    """Compiled templates and static file addresses. Created once per application."""

    def __init__(self) -> None:
        self.static = {name: _static(name, media_type) for name, media_type in STATIC.items()}
        self._environment = FastEnvironment(
            loader=FileSystemLoader(TEMPLATE_FOLDERS),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=compiled("pages"),
        )
        self._environment.filters["quoted"] = quoted
        self._environment.filters["cap"] = lambda text: text[:1].upper() + text[1:]
        self._environment.globals |= {
            "url": url,
            "first_words": first_words,
            "short_day": words.short_day,
            "day_and_month": words.day_and_month,
            "tells_of_move": tells_of_move,
            "short_at": words.short_moment,
            "static": {name: each.address for name, each in self.static.items()},
            "pairs": pairs,
            "day_value": day_value,
            "DAY_PATTERN": DAY_PATTERN,
            "FATE": FATE,
            "PROMISE_MARK": PROMISE_MARK,
            "CONTACT_ROLES": CONTACT_ROLES,
            "SAVED_LISTS": LISTS,
            "FIELD_NAMES": FIELD_NAMES,
        } | {kind.__name__: kind for kind in SETS}

    def render(self, name: str, language: str, today: Today | None = None, **facts: object) -> str:
        page = self._environment.get_template(name).render(**vocabulary(language, today), **facts)
        if language != "vi":
            return page
        # In an English page it says what is not English; a Vietnamese one, said at its beginning, need not repeat it.
        head, html, rest = page.partition(OWN_LANGUAGE)
        return head + html + rest.replace(' lang="vi"', "")


def vocabulary(language: str, today: Today | None) -> dict[str, Any]:
    """The functions of a language that templates use. ``left``: working days from the page's day to a due date, in
    words."""

    def localized(render_words: Callable[[Any, str], str]) -> Callable[[Any], str]:
        return lambda value: render_words(value, language)

    return {
        "_": lambda vi, en: en if language == "en" else vi,
        "many": partial(_many, language),
        "language": language,
        "num": localized(words.number_words),
        "rung_words": partial(words.rung_words, language=language),
        "work_state": lambda row: work_state(row.state, row.time_class, language),
        "label": localized(label),
        "device": localized(device_words),
        "code": localized(words.coded),
        "level": localized(words.level_name),
        "day": localized(written),
        "local_date": local_date,
        "at": localized(words.moment),
        "period": localized(words.period_words),
        "said": localized(said),
        "answers_read_words": answers_read_words,
        "done_words": lambda done: done_words(done).said(language),
        "why": localized(_skip_reason),
        "in_language": localized(in_language),
        "promised": _promised(language, today),
        "near": lambda at: words.near_moment(at, today.day if today else date.min, language),
        "reason_words": lambda code, reasons: reason_words(code, reasons).said(language),
        "said_words": {deed: both[language == "en"] for deed, both in SAID.items()},
        "who": lambda actor, people: actor_words(actor, people, language),
        "today": today,
        "left": _left(language, today),
        "late": _late(language, today),
    }


def _many(language: str, count: int, vi: str, one: str, more: str = "") -> str:
    """A number with its noun; Vietnamese has no plural, English has: «3 việc», "1 line", "3 lines"."""
    number = words.number_words(count, language)
    if language != "en":
        return f"{number} {vi}"
    return f"{number} {one if count == 1 else more or one + 's'}"


def _skip_reason(reason: str, language: str) -> str:
    """Why a rung sent nothing."""
    return label(Skip(reason) if reason in tuple(Skip) else Dropped(reason), language)


def in_language(words_: Text | str, language: str) -> str:
    """A Text in the given language; of a free note «tiếng Việt / English», the matching half."""
    if isinstance(words_, Text):
        return words_.said(language)
    vi, slash, en = words_.partition(" / ")
    return en if language == "en" and slash else vi


def pairs(values: Iterable[T], words_of: Callable[[T], str]) -> list[tuple[str, str]]:
    """(value, words) of each value: the options of a select."""
    return [(str(value), words_of(value)) for value in values]


def _left(language: str, today: Today | None) -> Any:
    def left(due_on: date | None) -> str:
        assert today is not None
        return words.distance(due_on, today.day, today.days_left(due_on), language)

    return left


def _promised(language: str, today: Today | None) -> Any:
    """The promise of an unfinished assignment, in words; it must have one."""

    def promised(row: AssignmentRow) -> str:
        assert today is not None
        found = promise_words(row.promised_on, row.promises, today.day)
        return found.said(language) if found else ""

    return promised


def _late(language: str, today: Today | None) -> Any:
    """How late something was done; empty when on time."""

    def late(due_on: date | None, on: date) -> str:
        assert today is not None
        return "" if due_on is None else words.late_words(due_on, on, today.calendar, language)

    return late


def url(path: str, /, **parameters: object) -> str:
    """A URL with query parameters; empty ones are left out, sequences are repeated."""
    query = "&".join(
        f"{_encoded(name)}={_encoded(str(each))}"
        for name, value in parameters.items()
        if value not in (None, "", (), False)
        for each in (value if isinstance(value, list | tuple) else (value,))
    )
    return f"{path}?{query}" if query else path


_encoded = lru_cache(maxsize=2048)(quote_plus)
"""A page links to the same agencies and periods hundreds of times."""


@pass_context
def quoted(context: Context, sentence: str) -> str:
    """Marks what people wrote as Vietnamese within an English sentence, for screen readers."""
    if context["language"] != "en":
        return sentence
    parts = QUOTED.split(sentence)
    return Markup("").join(
        Markup('<span lang="vi">{}</span>').format(part) if number % 2 else part for number, part in enumerate(parts)
    )


def first_words(text: str, most: int = MAX_FIRST_WORDS) -> str:
    all_words = text.split()
    return " ".join(all_words[:most]).rstrip(";,.") + "\u00a0…" if len(all_words) > most else text


def day_value(value: date | str | None) -> str:
    """What a field for a day begins with: a date in digits; what was typed, unchanged but for an ISO date, which
    drafts of older versions hold."""
    if isinstance(value, str) and ISO_DAY.fullmatch(value):
        value = read_typed_day(value, None) or value
    return day_digits(value) if isinstance(value, date) else value or ""


def changed(query: Iterable[tuple[str, str]], **changes: str) -> dict[str, Any]:
    """Query parameters with some changed."""
    result: dict[str, list[str]] = {}
    for name, value in query:
        result.setdefault(name, []).append(value)
    return result | dict(changes)


def _static(name: str, media_type: str) -> Static:
    body = (WEB_DIR / "static" / name).read_bytes()
    stem, _, ending = name.partition(".")
    return Static(f"/static/{stem}-{hashlib.sha256(body).hexdigest()[:12]}.{ending}", body, media_type)


def by_address(templates: Templates) -> Mapping[str, Static]:
    return {each.address: each for each in templates.static.values()}
