"""Replies by SMS: what the help text teaches, the codes of letters, «NGUNG». What an answer asks is read by
``inbound.requests``, as that of a mail.

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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

from engine.errors import BadInput
from engine.rules.vietnamese import without_marks
from engine.text import Text
from notifications.sms.gateway import e164

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


_CANDIDATE = re.compile(r"(?<![0-9])(?<![0-9][/.-])[1-9][0-9]{3,4}(?![0-9]|[/.-][0-9])")
_STOPS = {"ngung", "ngừng", "ngưng", "dừng", "stop"}
"""Compared with diacritics: «đúng» (correct) and «đừng» (do not) have the base letters of «dừng» and must not match."""
_OLD_STOP = "DUNG"
"""The word of earlier messages, taken as it stood there: «Dung» may be «đúng» (correct) and is asked about."""
STOP_HOW = Text.same("De ngung nhan tin nhan, soan: NGUNG")


def asks_to_stop(text: str) -> bool | None:
    """None where it is not sure: it is asked back."""
    word = normalise(text).removesuffix(" SMS").removesuffix(" sms")
    if word.casefold() in _STOPS or word == _OLD_STOP:
        return True
    return None if word.casefold() == _OLD_STOP.casefold() else False


def quotes_help(text: str) -> bool:
    """Our own words come back: a program answers, and is not answered again."""
    folded = without_marks(normalise(text))
    return any(without_marks(normalise(words)) in folded for words in (_HELP, _EXTEND_HELP))


def candidate_codes(text: str) -> tuple[str, ...]:
    """What could be the code of a letter, anywhere in a text. A year is none."""
    found = dict.fromkeys(_CANDIDATE.findall(unicodedata.normalize("NFKC", text)))
    return tuple(each for each in found if not 1900 <= int(each) < 2100 and int(each) != SAMPLE)


def without_code(text: str, code: str) -> str:
    """The words beside the code: «XN 4821» is «XN», «Đã nhận mã 4821» «Đã nhận»."""
    normal = unicodedata.normalize("NFKC", text)
    gap = r"[\s:.,;-]*"
    return re.sub(rf"{gap}(?:\bm[ãa]\b)?{gap}(?<![0-9]){code}(?![0-9]){gap}", " ", normal, count=1, flags=re.I)


def normalise(text: str) -> str:
    """One line, NFKC, without invisible characters and surrounding punctuation."""
    normalised = unicodedata.normalize("NFKC", text)
    normalised = "".join(" " if unicodedata.category(char) == "Cc" else char for char in normalised)
    visible = "".join(char for char in normalised if unicodedata.category(char) not in ("Cf", "Mn", "Me", "Co", "Cs"))
    return " ".join(visible.replace("–", "-").replace("—", "-").split()).strip(" \"'“”‘’«»<>[](){}.,;:!?*#-")


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
