"""Answers by SMS: ``XN 4821`` acknowledges, ``GH 4821 25/6 lý do`` asks an extension, ``DUNG`` stops the SMS.

Pure. People type with and without marks, in capitals, «XN4821», with the quotation marks of the help text. What is not
understood gets one helpful answer of one part; who may say so, and whether a code is still good, is decided elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from engine.text import Text

HALF_A_YEAR = timedelta(days=183)
MAX_EXTENSION = timedelta(days=366)
"""No extension reaches further than this: beyond it the year was mistyped."""
REASON_LENGTH = 300
SAMPLE = 4821
"""The code of the help text: never given to anyone, so that a copied example does nothing."""

_HELP = f"Xac nhan: XN {SAMPLE}. Xin gia han: GH {SAMPLE} 25/6 ly do. Ngung nhan SMS: DUNG. Ma so o tin nhan da nhan."
NOT_UNDERSTOOD = Text.same(f"Chua hieu tin nhan. {_HELP}")
_HOW = f"Soan: GH {SAMPLE} 25/6 ly do"
NO_REASON = Text.same(f"Xin gia han can ghi ly do. {_HOW}")
NO_DATE = Text.same(f"Khong doc duoc ngay xin gia han. {_HOW}")


@dataclass(frozen=True, slots=True)
class Acknowledge:
    code: str


@dataclass(frozen=True, slots=True)
class Extend:
    """``reason`` as typed, marks kept, at most ``REASON_LENGTH`` characters."""

    code: str
    until: date
    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    pass


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """``answer`` is what to say back, once; None when the text is our own words come back (never a loop)."""

    answer: Text | None


Reply = Acknowledge | Extend | Stop | NotUnderstood

_CODE = r"(?P<code>[1-9][0-9]{3,4})"
_GAP = r"[\s:.,;-]*"
_ACK = re.compile(rf"(?:xn|xac nhan){_GAP}(?:ma{_GAP})?{_CODE}(?P<rest>.*)")
_EXTEND = re.compile(rf"(?:gh|gia han){_GAP}(?:ma{_GAP})?{_CODE}(?![0-9])(?P<rest>.*)")
_POLITE = re.compile(r"(?:\s|ok|okay|da|vang|nhan|roi|xin|cam on|cam|on|nhe|a|em|anh|chi)*")
_DATE = re.compile(
    r"(?:den |toi |sang )?(?:ngay )?(?:"
    r"(?P<y>20[0-9]{2})-(?P<m>[0-9]{1,2})-(?P<d>[0-9]{1,2})"
    r"|(?P<day>[0-9]{1,2})(?: thang |[/.-])(?P<month>[0-9]{1,2})(?:(?: nam |[/.-])(?P<year>20[0-9]{2}|[0-9]{2}))?"
    r")(?![0-9])"
)
_STOPS = {"dung", "dừng", "stop"}
"""As typed: «đúng» (correct) and «đừng» (do not) lose their marks to the same letters, and must not stop anything."""


def read_reply(text: str, today: date) -> Reply:
    """What an incoming text asks for. ``today`` completes a date without a year: this year's, or next year's when
    that is at most half a year ahead. Never raises."""
    typed = neat(text)
    if typed.casefold().removesuffix(" sms") in _STOPS:
        return Stop()
    folded = without_marks(typed)
    said = _ACK.fullmatch(folded)
    if said and _POLITE.fullmatch(re.sub(r"[\W_]", " ", said["rest"])) and not said["rest"][:1].isalnum():
        return Acknowledge(said["code"])
    asked = _EXTEND.fullmatch(folded)
    if asked:
        return extension(asked["code"], typed[asked.start("rest") :], asked["rest"], today)
    ours = any(without_marks(neat(words)) in folded for words in (_HELP, _HOW))
    return NotUnderstood(None if ours else NOT_UNDERSTOOD)


def extension(code: str, typed: str, folded: str, today: date) -> Extend | NotUnderstood:
    """What follows «GH 4821»: a day and a reason, ``typed`` as it came and ``folded`` without its marks."""
    start = len(folded) - len(folded.lstrip(" :.,;-"))
    found = _DATE.match(folded, start)
    if not found:
        return NotUnderstood(NO_DATE)
    until = _until(found, today)
    if isinstance(until, Text):
        return NotUnderstood(until)
    reason = typed[found.end() :].strip(" :.,;-")[:REASON_LENGTH].strip()
    if not any(char.isalpha() for char in reason) or without_marks(reason) == "ly do":
        return NotUnderstood(NO_REASON)
    return Extend(code, until, reason)


def _until(found: re.Match[str], today: date) -> date | Text:
    """The day asked for, or why there is none."""
    day, month = int(found["d"] or found["day"]), int(found["m"] or found["month"])
    written = found["y"] or found["year"]
    year = int(written) % 100 + 2000 if written else today.year
    asked = _day(year, month, day)
    if asked and today <= asked <= today + MAX_EXTENSION:
        return asked
    following = None if written else _day(year + 1, month, day)
    if following and following <= today + HALF_A_YEAR:
        return following
    shown = f"{day}/{month}" + (f"/{written}" if written else "")
    if not asked:
        return Text.same(f"Ngay {shown} khong co trong lich. {_HOW}")
    return Text.same(f"Ngay {shown} {'da qua' if asked < today else 'qua xa, xem lai nam'}. {_HOW}")


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def neat(text: str) -> str:
    """One line, NFC, no hidden characters, no quotation marks or stops around it."""
    known = unicodedata.normalize("NFKC", text)
    known = "".join(" " if unicodedata.category(char) == "Cc" else char for char in known)
    seen = "".join(char for char in known if unicodedata.category(char) not in ("Cf", "Mn", "Me", "Co", "Cs"))
    return " ".join(seen.replace("–", "-").replace("—", "-").split()).strip(" \"'“”‘’«»<>[](){}.,;:!?*#-")


def without_marks(text: str) -> str:
    """Lower case without marks, character for character, so that places in it are places in ``text``."""
    return "".join(_letter(char) for char in text)


def _letter(char: str) -> str:
    base = unicodedata.normalize("NFD", char)[0].lower()
    return "d" if base == "đ" else base[:1]


def short_codes(key: str, secret: bytes) -> Iterator[str]:
    """Candidate codes for one letter or set of assignments, the same ones each time: eight of 4 digits, then of 5
    without end. The first that no living code of the recipient has is stored; a code is good for one thing.

    None looks like a year or is the one of the help text. A code proves nothing alone: the sender's number must be
    the contact's.
    """
    attempt = 0
    while True:
        digest = hmac.digest(secret, f"sms-code:{key}:{attempt}".encode(), hashlib.sha256)
        low, high = (1000, 10_000) if attempt < 8 else (10_000, 100_000)
        code = low + int.from_bytes(digest[:8], "big") % (high - low)
        if not 1900 <= code < 2100 and code != SAMPLE:
            yield str(code)
        attempt += 1
