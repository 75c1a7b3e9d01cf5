"""What an office does before its first plan runs, measured: address, mail, agencies, contacts, calendar, plan, and who
hears when it stops.

The board shows these steps while no plan runs; ``dondoc doctor`` says three of its lines by them.

One line of what ``dondoc doctor`` and the settings page say about this installation.

The operator's word that mail arrives: once a week a letter with a link goes to their mailbox, where no mailbox is
fetched that could prove it. ``notifications.arrival`` sends it, its page writes the answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from hmac import compare_digest

from sqlmodel import Session

from config.settings import Settings, is_guarded
from engine.accounts.signed_links import Signer
from engine.enums import complete
from engine.errors import LinkRefused
from engine.queries.system.health import SetupState
from engine.rules.calendar import local_date
from engine.rules.words import moment
from engine.store.facts import dated, read_as, read_fact, write_fact
from engine.text import Text


class Mark(StrEnum):
    WELL = "well"
    WRONG = "wrong"
    UNUSED = "unused"
    """Not configured, and nothing depends on it."""


SIGNS = complete(Mark, {Mark.WELL: "✓", Mark.WRONG: "✗", Mark.UNUSED: "–"})


@dataclass(frozen=True, slots=True)
class CheckLine:
    """``name`` is stable, for machines. ``remedy``: what to do, of a line that is wrong."""

    name: str
    mark: Mark
    what: Text
    remedy: Text | None = None

    @property
    def sign(self) -> str:
        return SIGNS[self.mark]


def well(name: str, what: Text) -> CheckLine:
    return CheckLine(name, Mark.WELL, what)


def wrong(name: str, what: Text, remedy: Text) -> CheckLine:
    return CheckLine(name, Mark.WRONG, what, remedy)


def unused(name: str, what: Text) -> CheckLine:
    return CheckLine(name, Mark.UNUSED, what)


Examine = Callable[[bool], tuple[CheckLine, ...]]
"""Examines the installation; with True also relay, mailbox, gateway and Prefect, which takes seconds."""

SHOULD = frozenset(
    {"address", "arrival", "calendar", "contacts", "imap", "pairs", "plan", "activation", "sms", "watch"}
)
"""Lines without which the work still goes on; the others come first."""


def to_do(lines: Sequence[CheckLine]) -> tuple[list[CheckLine], list[CheckLine]]:
    """What must be done, and what should be."""
    wrongs = [line for line in lines if line.remedy]
    return [line for line in wrongs if line.name not in SHOULD], [line for line in wrongs if line.name in SHOULD]


def must_do(examine: Examine | None) -> int:
    """How many lines are wrong without which the work does not go on; 0 where nothing is examined."""
    return len(to_do(examine(False))[0]) if examine else 0


SendTest = Callable[[str, str, Settings], tuple[bool, Text]]
"""Sends a test letter to a mailbox, or a test SMS to a number, in a language, by these settings. Returns whether it was
accepted, and what was answered."""

CheckSettings = Callable[[Settings], None]
"""Raises BadInput where channels cannot be made of these settings. Connects to nothing."""


ANNOUNCED_MONTH = 11
_MONITOR = Text("chưa có nơi giám sát", "no monitor")
_OPERATOR = Text("chưa có hộp thư người vận hành", "no operator's mailbox")
_SECOND_WAY = Text(
    "chưa có đường báo thứ hai (điện thoại người vận hành, cùng cổng tin nhắn hoặc Zalo)",
    "no second way (the operator's telephone, with an SMS gateway or Zalo)",
)


def first_steps(
    settings: Settings, state: SetupState, mail_tried: datetime | None, now: datetime
) -> tuple[CheckLine, ...]:
    """Seven lines. ``mail_tried``: when the relay that is set accepted a test letter."""
    return (
        address_line(settings.base_url),
        _mail(settings, mail_tried),
        _agencies(state),
        _contacts(state),
        calendar_line(state, local_date(now)),
        _plan(state),
        watch_line(settings),
    )


def address_line(base_url: str) -> CheckLine:
    if base_url.startswith("https://"):
        return well("address", Text.same(base_url))
    why = (
        Text("liên kết trong thư chỉ mở được trên máy này", "links in letters open on this machine only")
        if is_guarded(base_url)
        else Text("liên kết trong thư đi qua mạng không mã hóa", "links in letters cross the network in the clear")
    )
    fix = Text(
        "Đặt địa chỉ https mà mọi người mở ở trang Thiết lập, mục Địa chỉ (hoặc DONDOC_BASE_URL).",
        "Set the https address that people open on the page Settings, Address (or DONDOC_BASE_URL).",
    )
    return wrong("address", Text.joined(": ", (Text.same(base_url), why)), fix)


def calendar_line(state: SetupState, today: date) -> CheckLine:
    """The next year's Tết is announced late in this one."""
    needed = (today.year, today.year + 1) if today.month >= ANNOUNCED_MONTH else (today.year,)
    missing = ", ".join(str(year) for year in needed if year not in state.calendar_known)
    if not missing:
        years = ", ".join(map(str, needed))
        return well("calendar", Text(f"lịch nghỉ năm {years} đã nhập", f"holidays of {years} are entered"))
    return wrong(
        "calendar",
        Text(f"chưa nhập lịch nghỉ năm {missing}", f"the holidays of {missing} are not entered"),
        Text("Nhập ở trang Lịch làm việc khi có thông báo.", "Enter them on the page Working calendar."),
    )


def watch_line(settings: Settings) -> CheckLine:
    """Whether a fault reaches somebody: another service that misses our calls, the operator, and the operator by a
    second way where mail is what fails."""
    telephone = bool(settings.operator_phone and (settings.sms_gateway or settings.zalo_app_id))
    ways = (
        (bool(settings.heartbeat_url), _MONITOR),
        (bool(settings.operator_email), _OPERATOR),
        (telephone, _SECOND_WAY),
    )
    missing = [words for there, words in ways if not there]
    if not missing:
        return well(
            "watch",
            Text(
                f"nơi giám sát được gọi 5 phút một lần; lỗi báo tới {settings.operator_email} và điện thoại",
                f"a monitor is called every five minutes; faults go to {settings.operator_email} and a telephone",
            ),
        )
    return wrong(
        "watch",
        Text.joined(
            "; ", (Text("khi hệ thống ngừng, chưa chắc có người biết", "nobody may hear when it stops"), *missing)
        ),
        Text(
            "Đặt DONDOC_HEARTBEAT_URL, DONDOC_OPERATOR_EMAIL, DONDOC_OPERATOR_PHONE trong tệp .env rồi khởi động lại.",
            "Set DONDOC_HEARTBEAT_URL, DONDOC_OPERATOR_EMAIL, DONDOC_OPERATOR_PHONE in .env and restart.",
        ),
    )


def _mail(settings: Settings, tried: datetime | None) -> CheckLine:
    if settings.keeps_letters:
        return wrong(
            "smtp",
            Text("chưa đặt máy chủ thư đi: thư chỉ nằm trên máy này", "no relay: letters stay on this machine"),
            Text("Nhập tài khoản thư của cơ quan và gửi thư thử.", "Enter the office's mail account and send a test."),
        )
    where = Text.same(f"{settings.smtp_host}:{settings.smtp_port}")
    if tried is None:
        return wrong(
            "smtp",
            Text.joined(": ", (where, Text("chưa gửi thử", "not tried yet"))),
            Text("Gửi một thư thử tới hộp thư của mình.", "Send a test letter to your own mailbox."),
        )
    at = Text(moment(tried, "vi"), moment(tried, "en"))
    return well(
        "smtp", Text("{where} đã nhận thư thử, {at}", "{where} accepted a test letter, {at}").filled(where=where, at=at)
    )


def _agencies(state: SetupState) -> CheckLine:
    if state.agencies > 1:  # the office itself is there from the first account on
        return well(
            "agencies", Text(f"{state.agencies} cơ quan trong danh bạ", f"agencies in the directory: {state.agencies}")
        )
    return wrong(
        "agencies",
        Text("danh bạ chưa có cơ quan nào khác", "no other agency is in the directory"),
        Text("Tải lên danh sách đang có (.xlsx, .ods, .csv).", "Upload the list that you have (.xlsx, .ods, .csv)."),
    )


def _contacts(state: SetupState) -> CheckLine:
    missing, example = len(state.without_coordinator), state.example_contacts
    if example:
        what = Text(f"{example} đầu mối có hộp thư .example", f"contacts with a mailbox under .example: {example}")
    elif not state.contacts:
        what = Text("chưa có đầu mối nào", "there is no contact")
    elif missing:
        what = Text(f"{missing} cơ quan chưa có đầu mối", f"agencies without a coordinator: {missing}")
    else:
        return well(
            "contacts",
            Text(f"{state.contacts} đầu mối, không cơ quan nào thiếu", f"contacts: {state.contacts}; none is missing"),
        )
    return wrong(
        "contacts", what, Text("Bổ sung vào bảng tính rồi tải lên.", "Add them to the spreadsheet, upload it.")
    )


def _plan(state: SetupState) -> CheckLine:
    if state.active_plans:
        return well(
            "plan", Text(f"{state.active_plans} kế hoạch đang thực hiện", f"active plans: {state.active_plans}")
        )
    if state.loaded_plans:
        return wrong(
            "plan",
            Text("đã lưu kế hoạch, chưa kích hoạt", "a plan is saved and not activated"),
            Text("Xem dự kiến thư trong năm, rồi kích hoạt.", "Look at the year ahead, then activate it."),
        )
    return wrong(
        "plan",
        Text("chưa có kế hoạch đang thực hiện", "no plan is running"),
        Text("Đưa văn bản kế hoạch vào (.docx, .pdf).", "Bring the plan's document in (.docx, .pdf)."),
    )


FACT = "weekly_letter"
KEY_CHARS = 32
"""Of 64: 128 random bits are enough."""


@dataclass(frozen=True, kw_only=True)
class WeeklyLetter:
    """The last one. ``week``: ISO week; ``tried_at``, ``accepted_at``, ``confirmed_at``: ISO instants.
    ``waits_since``: day of the first letter since the last confirmed one; empty when this one is confirmed."""

    week: str = ""
    tried_at: str = ""
    accepted_at: str = ""
    confirmed_at: str = ""
    waits_since: str = ""

    @property
    def confirmed(self) -> datetime | None:
        return datetime.fromisoformat(self.confirmed_at) if self.confirmed_at else None


def read_weekly_letter(session: Session) -> WeeklyLetter:
    instants = ("tried_at", "accepted_at", "confirmed_at", "waits_since")
    return read_as(read_fact(session, FACT), lambda kept: dated(WeeklyLetter(**kept), *instants), WeeklyLetter())


def write_weekly_letter(session: Session, letter: WeeklyLetter) -> None:
    write_fact(session, FACT, json.dumps(asdict(letter)))


def arrival_keys(signer: Signer, week: str) -> list[str]:
    """What stands in the link of a week's letter, the first of them: known to its reader alone."""
    return [each[:KEY_CHARS] for each in signer.secrets(f"arrival:{week}")]


def find_weekly_letter(session: Session, signer: Signer, key: str) -> WeeklyLetter:
    """The letter that a link belongs to. Raises LinkRefused if there is a newer one, or never was such a letter."""
    letter = read_weekly_letter(session)
    typed = key.encode("utf-8", "replace")
    known = arrival_keys(signer, letter.week) if letter.week else []
    if not any(compare_digest(each.encode(), typed) for each in known):
        raise LinkRefused
    return letter


def confirm_arrival(session: Session, signer: Signer, key: str, now: datetime) -> None:
    """Somebody has the letter before them. Idempotent. Raises LinkRefused."""
    letter = find_weekly_letter(session, signer, key)
    if not letter.confirmed_at:
        write_weekly_letter(session, replace(letter, confirmed_at=now.isoformat(), waits_since=""))
