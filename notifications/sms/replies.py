"""Parse replies by SMS: ``XN 4821`` acknowledges, ``GH 4821 25/6 lý do`` requests an extension, ``KK 4821 …`` raises a
difficulty, ``HOI 4821 …`` asks, ``TL 4821 …`` answers a question, ``NGUNG`` stops SMS.

Pure. People type with and without diacritics, in capitals, without a space («XN4821»), with the quotation marks of the
help text. Anything else gets one help message of one part. Permissions and the validity of codes are checked elsewhere.

Incoming SMS from the two self-hosted gateways.

Kannel calls a URL (``sms-service``, ``get-url``), gammu-smsd writes files into its inbox. The sender is the number
reported by the network; ``inbound.answers`` matches it to a contact.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qs

from engine.errors import BadInput
from engine.rules.typed_day import read_typed_day
from engine.text import Text
from notifications.sms.gateway import e164

MAX_NEXT_YEAR_LEAD = timedelta(days=183)
MAX_EXTENSION = timedelta(days=366)
"""A later date is rejected as a mistyped year."""
MAX_REASON_CHARS = 300
MAX_SAID_CHARS = 2_000
SAMPLE = 4821
"""The code in the help text; never issued, so that a copied example has no effect."""

_HELP = (
    f"Xac nhan: XN {SAMPLE}. Gia han: GH {SAMPLE} 25/6 ly do. Kho khan: KK {SAMPLE} noi dung. Ngung: NGUNG. "
    "Ma so o tin da nhan."
)
NOT_UNDERSTOOD = Text.same(f"Chua hieu tin nhan. {_HELP}")
_EXTEND_HELP = f"Soan: GH {SAMPLE} 25/6 ly do"
NO_REASON = Text.same(f"Xin gia han can ghi ly do. {_EXTEND_HELP}")
NO_WORDS = Text.same(f"Can ghi noi dung. Soan: KK {SAMPLE} noi dung kho khan")
NO_DATE = Text.same(f"Khong doc duoc ngay xin gia han. {_EXTEND_HELP}")


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """``citations``: of which duties, () for all that the letter names. ``count``: how many the writer says that they
    received, 0 if they do not say."""

    code: str
    citations: tuple[str, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Extend:
    """``reason`` as typed, with diacritics, at most ``MAX_REASON_CHARS`` characters. ``citations``: of which duties, ()
    for the only one."""

    code: str
    until: date
    reason: str
    citations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotYet:
    """A task is not done, with the day that is promised and why. ``citations``: of which duties, () for the only
    one."""

    until: date
    reason: str
    citations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decline:
    """A duty is not the agency's, in the writer's words. ``citations``: which, () for the only one."""

    reason: str
    citations: tuple[str, ...] = ()


class Said(StrEnum):
    """What a reply in free words is: the word that it begins with."""

    DIFFICULTY = "kk"
    QUESTION = "hoi"
    ANSWER = "tl"


@dataclass(frozen=True, slots=True)
class Say:
    """Free words for the thread of an assignment. ``citation``: which duty of the letter, "" for all that it names."""

    code: str
    what: Said
    text: str
    citation: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    pass


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """``answer``: the help message to send; None if the text quotes our own help message (prevents a loop). ``said``:
    the words that were not understood, "" for the whole message."""

    answer: Text | None
    said: str = ""


Reply = Acknowledge | Extend | Say | Stop | NotUnderstood
MailReply = Reply | NotYet | Decline

_CODE = r"(?P<code>[1-9][0-9]{3,4})"
_GAP = r"[\s:.,;-]*"
_ACK = re.compile(rf"(?:xn|xac nhan){_GAP}(?:ma{_GAP})?{_CODE}(?P<rest>.*)")
_EXTEND = re.compile(rf"(?:gh|gia han){_GAP}(?:ma{_GAP})?{_CODE}(?![0-9])(?P<rest>.*)")
_SAY = re.compile(
    rf"(?P<what>kk|kho khan(?:,? vuong mac)?|hoi|tl|tra loi){_GAP}(?:ma{_GAP})?{_CODE}(?![0-9])(?P<rest>.*)"
)
_CITATION = re.compile(r"\s*([ivxlc]+(?:\.[0-9]+){1,2}|bs\.[0-9]+)\b[\s:.,;-]*")
SAID_BY = {"kho khan": Said.DIFFICULTY, "kho khan vuong mac": Said.DIFFICULTY, "tra loi": Said.ANSWER}
_POLITE = re.compile(r"(?:\s|ok|okay|da|vang|nhan|roi|xin|cam on|cam|on|nhe|a|em|anh|chi)*")
DATE = re.compile(
    r"(?:hen )?(?:den |toi |sang )?(?:ngay )?(?:"
    r"(?P<y>20[0-9]{2})-(?P<m>[0-9]{1,2})-(?P<d>[0-9]{1,2})"
    r"|(?P<day>[0-9]{1,2})(?: thang |[/.-])(?P<month>[0-9]{1,2})(?:(?: nam |[/.-])(?P<year>20[0-9]{2}|[0-9]{2}))?"
    r")(?![0-9])"
)
_STOPS = {"ngung", "ngừng", "ngưng", "dừng", "stop"}
"""Compared with diacritics: «đúng» (correct) and «đừng» (do not) have the base letters of «dừng» and must not match."""
_OLD_STOP = "DUNG"
"""The word of earlier messages, taken as it stood there: «Dung» may be «đúng» (correct) and is asked about."""
STOP_HOW = Text.same("De ngung nhan tin nhan, soan: NGUNG")


def read_reply(text: str, today: date) -> Reply:
    """The request in an incoming text. A date without a year is completed from ``today``: this year's, or next year's
    if that is at most half a year ahead. Never raises."""
    typed = normalise(text)
    word = typed.removesuffix(" SMS").removesuffix(" sms")
    if word.casefold() in _STOPS or word == _OLD_STOP:
        return Stop()
    if word.casefold() == _OLD_STOP.casefold():
        return NotUnderstood(STOP_HOW)
    folded = without_marks(typed)
    acknowledgement = _ACK.fullmatch(folded)
    if (
        acknowledgement
        and _POLITE.fullmatch(re.sub(r"[\W_]", " ", acknowledgement["rest"]))
        and not acknowledgement["rest"][:1].isalnum()
    ):
        return Acknowledge(acknowledgement["code"])
    requested = _EXTEND.fullmatch(folded)
    if requested:
        return extension(requested["code"], typed[requested.start("rest") :], requested["rest"], today)
    free = _SAY.fullmatch(folded)
    if free:
        return say(free["code"], free["what"], typed[free.start("rest") :], free["rest"])
    ours = any(without_marks(normalise(words)) in folded for words in (_HELP, _EXTEND_HELP))
    return NotUnderstood(None if ours else NOT_UNDERSTOOD)


def extension(code: str, typed: str, folded: str, today: date) -> Extend | NotUnderstood:
    """Parse what follows «GH 4821»: perhaps a citation, then a date and a reason. ``folded`` is ``typed`` without
    diacritics."""
    start = _begin(folded)
    cited = _CITATION.match(folded, start)
    found = DATE.match(folded, cited.end() if cited else start)
    if not found:
        return NotUnderstood(NO_DATE)
    read = dated(found, typed[found.end() :], today)
    if isinstance(read, Text):
        return NotUnderstood(read)
    return Extend(code, *read, (cited[1].upper(),) if cited else ())


def _begin(folded: str) -> int:
    return len(folded) - len(folded.lstrip(" :.,;-"))


def dated(found: re.Match[str], reason: str, today: date) -> tuple[date, str] | Text:
    """The day that was found in a request and the reason behind it, or what is wrong with them."""
    until = _until(found, today)
    if isinstance(until, Text):
        return until
    reason = reason.strip(" :.,;-")[:MAX_REASON_CHARS].strip()
    if not any(char.isalpha() for char in reason) or without_marks(reason) == "ly do":
        return NO_REASON
    return until, reason


def say(code: str, what: str, typed: str, folded: str) -> Say | NotUnderstood:
    """Parse what follows «KK 4821»: perhaps a citation, then free words. ``folded`` as in ``extension``."""
    word = what.replace(",", "")
    start = _begin(folded)
    found = _CITATION.match(folded, start)
    text = typed[found.end() if found else start :].strip()[:MAX_SAID_CHARS]
    if not any(char.isalpha() for char in text):
        return NotUnderstood(NO_WORDS)
    kind = SAID_BY[word] if word in SAID_BY else Said(word)
    return Say(code, kind, text, found[1].upper() if found else "")


def _until(found: re.Match[str], today: date) -> date | Text:
    """The requested date, or the reason why it is not valid."""
    day, month = int(found["d"] or found["day"]), int(found["m"] or found["month"])
    written = found["y"] or found["year"]
    shown = f"{day}/{month}" + (f"/{written}" if written else "")
    requested = read_typed_day(shown, today)
    later = requested is not None and not written and requested.year > today.year
    if requested and today <= requested <= today + (MAX_NEXT_YEAR_LEAD if later else MAX_EXTENSION):
        return requested
    if not requested or (later and requested.year > today.year + 1):
        return Text.same(f"Ngay {shown} khong co trong lich. {_EXTEND_HELP}")
    passed = later or requested < today
    return Text.same(f"Ngay {shown} {'da qua' if passed else 'qua xa, xem lai nam'}. {_EXTEND_HELP}")


def normalise(text: str) -> str:
    """One line, NFKC, without invisible characters and surrounding punctuation."""
    normalised = unicodedata.normalize("NFKC", text)
    normalised = "".join(" " if unicodedata.category(char) == "Cc" else char for char in normalised)
    visible = "".join(char for char in normalised if unicodedata.category(char) not in ("Cf", "Mn", "Me", "Co", "Cs"))
    return " ".join(visible.replace("–", "-").replace("—", "-").split()).strip(" \"'“”‘’«»<>[](){}.,;:!?*#-")


def without_marks(text: str) -> str:
    """Lower case without diacritics, one character for each character, so that positions match those in ``text``."""
    return "".join(_letter(char) for char in text)


def _letter(char: str) -> str:
    base = unicodedata.normalize("NFD", char)[0].lower()
    return "d" if base == "đ" else base[:1]


def short_codes(key: str, secret: bytes) -> Iterator[str]:
    """Candidate codes for one letter, the same ones each time: eight with 4 digits, then an endless sequence with 5.
    The caller takes the first that is not in use for the recipient.

    Codes never look like a year and are never ``SAMPLE``. A code alone proves nothing: the sender's number must be the
    contact's.
    """
    attempt = 0
    while True:
        digest = hmac.digest(secret, f"sms-code:{key}:{attempt}".encode(), hashlib.sha256)
        low, high = (1000, 10_000) if attempt < 8 else (10_000, 100_000)
        code = low + int.from_bytes(digest[:8], "big") % (high - low)
        if not 1900 <= code < 2100 and code != SAMPLE:
            yield str(code)
        attempt += 1


KANNEL_GET_URL = "from=%p&text=%b&id=%I&coding=%c&charset=%C"
"""Query string for ``get-url``, after the callback URL. ``max-messages = 0`` must be set too: our answer is a letter of
its own, not the HTTP response to Kannel. Not ``%a``: it squeezes spaces byte by byte, which tears UTF-16 apart."""
KANNEL_GROUPS = """\
group = smsbox
bearerbox-host = {bearerbox}
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
http-request-retry = 360
http-queue-delay = 10

group = sms-service
keyword = default
catch-all = yes
concatenation = true
max-messages = 0
get-url = "{address}"
"""
"""The groups of kannel.conf by which it hands on what people answer. A call that is not taken, since the server is busy
or restarts, is made again every ten seconds for an hour; without ``http-request-retry`` the message is lost."""
UCS2 = "2"
"""Kannel's ``coding`` of a message with diacritics: its bytes are UTF-16, whatever the other messages are."""
FILE_SETTLE_TIME = timedelta(seconds=10)
"""A message of several parts is several files; they are read when the newest is this old."""
_FILE = re.compile(r"(?P<id>IN\d{8}_\d{6}_\d+_(?P<sender>[^_/]+))_(?P<part>\d+)\.txt")


@dataclass(frozen=True, slots=True)
class Incoming:
    """``id``: the gateway's unique id, by which duplicates are recognised. ``sender``: E.164, or the name reported by
    the network if it is not a mobile number (a service, a bank); then ``answerable`` is False."""

    id: str
    sender: str
    text: str
    answerable: bool


def incoming(id: str, sender: str, text: str) -> Incoming:
    text = text.replace("\0", "")  # gammu-smsd pads UTF-16 with zeros, which PostgreSQL rejects
    try:
        return Incoming(id, e164(sender), text, answerable=True)
    except BadInput:
        return Incoming(id, sender[:32], text, answerable=False)


def from_kannel(query: bytes) -> Incoming:
    """The message of a Kannel request, from its query string as it came: the bytes of ``text`` are in the character set
    that ``charset`` or ``coding`` names. Raises BadInput if parameters of ``KANNEL_GET_URL`` are missing."""
    pairs = parse_qs(query.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    given = {name: values[0].encode("latin-1") for name, values in pairs.items()}
    id, sender = (given.get(name, b"").decode("utf-8", "replace") for name in ("id", "from"))
    if not id or not sender:
        raise BadInput(
            Text(
                "Kannel gọi thiếu id hoặc from; sửa get-url.", "Kannel called without id or from; correct its get-url."
            )
        )
    coding, charset = (given.get(name, b"").decode("latin-1") for name in ("coding", "charset"))
    return incoming(
        id[:160], sender, _decoded(given.get("text", b""), charset or ("UTF-16BE" if coding == UCS2 else ""))
    )


def _decoded(text: bytes, charset: str) -> str:
    """Kannel names ``UTF-8``, ``UTF-16BE``, or for 8-bit messages ``8-BIT``, which says nothing: read as UTF-8."""
    try:
        return text.decode(charset, "replace")
    except (LookupError, UnicodeError):  # «undefined» and «idna» are character sets that raise
        return text.decode("utf-8", "replace")


def kannel_groups(address: str, *, bearerbox: str = "127.0.0.1", sendsms: int = 13013) -> str:
    """``address``: of the callback, with ``KANNEL_GET_URL``."""
    return KANNEL_GROUPS.format(address=address, bearerbox=bearerbox, sendsms=sendsms)


def from_gammu(inbox: Path, now: datetime) -> list[tuple[Incoming, list[Path]]]:
    """Complete messages in the inbox, oldest first, each with its files. The caller removes the files after storing the
    message."""
    messages: dict[str, list[tuple[int, Path]]] = {}
    for path in sorted(inbox.glob("IN*.txt")):
        match = _FILE.fullmatch(path.name)
        if match:
            messages.setdefault(match["id"], []).append((int(match["part"]), path))
    complete = []
    for id, parts in messages.items():
        paths = [path for _, path in sorted(parts)]
        if all(datetime.fromtimestamp(path.stat().st_mtime, UTC) <= now - FILE_SETTLE_TIME for path in paths):
            sender = id.rpartition("_")[2]
            complete.append((incoming(id, sender, "".join(_text(path.read_bytes()) for path in paths)), paths))
    return complete


def _text(raw: bytes) -> str:
    """Decode a file: InboxFormat ``unicode`` is UTF-16 with a BOM, ``standard`` uses the daemon's locale."""
    return raw.decode("utf-16" if raw[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8", "replace")
