"""Parse an incoming e-mail: sender, the letters it replies to, whether it is automatic, and what it requests.

Pure, and never raises: malformed messages are parsed as far as possible. Only the writer's own text counts, without
the quoted letter below it, and only a line that consists of a single request is understood.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from itertools import takewhile
from urllib.parse import unquote

from engine.text import Text
from notifications.email.bounces import Bounce, header_value, header_values, is_auto_reply, parse, sent_to
from notifications.sms.replies import (
    Acknowledge,
    Extend,
    MailReply,
    NotUnderstood,
    NotYet,
    extension,
    normalise,
    not_yet,
    say,
    without_marks,
)

MAX_TEXT_CHARS = 20_000
"""Characters of a message that are processed."""
MAX_LINE_CHARS = 200
MAX_TOKENS = 40
MAX_REQUEST_LINES = 6
"""Lines of the writer's own text that are searched for a request: it comes first, at most after a greeting."""
MAX_FILE_NAMES, MAX_FILE_NAME_CHARS = 5, 80
HELP = Text(
    "Hệ thống chưa nhận biết được nội dung trả lời nên chưa ghi nhận.",
    "Your reply was not understood, so nothing was done.",
)
NO_PROMISE = Text(
    "Không đọc được ngày hẹn hoàn thành hoặc lý do; ghi như: CHUA 30/6 lý do.",
    "The promised day or the reason could not be read; write it like: CHUA 30/6 reason.",
)
NO_DATE = Text(
    "Không đọc được ngày xin gia hạn hoặc lý do.", "The date or the reason of the extension could not be read."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """``id``: its Message-ID, else a hash of its bytes. ``sender``: one mailbox in lower case, "" if there is none or
    more than one. ``names``: the Message-IDs that it replies to, the nearest first. ``sent_to``: the addresses that it
    was sent to. ``tokens``: what looks like a signed link of ours, anywhere in it. ``authentication``: its topmost
    Authentication-Results. ``files``: the names of attached files, which are not kept."""

    id: str
    sender: str
    text: str
    names: tuple[str, ...] = ()
    automatic: bool = False
    bounce: Bounce | None = None
    sent_to: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    authentication: str = ""
    files: tuple[str, ...] = ()


def read_mail(raw: bytes) -> Mail:
    message = message_from_bytes(raw.replace(b"\0", b""))
    senders = {address.lower() for _, address in getaddresses(header_values(message, "From")) if "@" in address}
    own = header_value(message, "Message-ID")
    return Mail(
        id=own[:255] if own else f"sha256:{hashlib.sha256(raw).hexdigest()}",
        sender=senders.pop() if len(senders) == 1 else "",
        text=own_text(_text(message)[:MAX_TEXT_CHARS]),
        names=_names(message),
        automatic=is_auto_reply(message),
        bounce=parse(raw),
        sent_to=sent_to(message),
        tokens=_tokens(message),
        authentication=header_value(message, "Authentication-Results"),
        files=_files(message),
    )


_ID = re.compile(r"<[^<>\s]+@[^<>\s]+>")


def _names(message: Message) -> tuple[str, ...]:
    answered = _ID.findall(header_value(message, "In-Reply-To"))
    thread = _ID.findall(header_value(message, "References"))
    return tuple(dict.fromkeys([*answered, *reversed(thread)]))[:20]


_TOKEN = re.compile(r"Wz[A-Za-z0-9_-]{20,200}\.[A-Za-z0-9_-]{27}(?![A-Za-z0-9_-])")


def _tokens(message: Message) -> tuple[str, ...]:
    """Signed links anywhere in the text or HTML, also where a mail filter has wrapped them in links of its own."""
    texts = [_decoded(part) for part in message.walk() if part.get_content_type() in ("text/plain", "text/html")]
    found = [token for text in texts for token in (*_TOKEN.findall(text), *_TOKEN.findall(unquote(text)))]
    return tuple(dict.fromkeys(found))[:MAX_TOKENS]


def _text(message: Message) -> str:
    """The plain text body, else the text of the HTML body without quotations. Attachments are ignored."""
    bodies: dict[str, str] = {}
    for part in message.walk():
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html") and kind not in bodies and not part.get_filename():
            bodies[kind] = _decoded(part)
    if bodies.get("text/plain", "").strip():
        return bodies["text/plain"].replace("\r\n", "\n")
    from bs4 import BeautifulSoup  # importing takes 0.2 s, which most processes need not spend

    soup = BeautifulSoup(bodies.get("text/html", ""), "lxml")
    for quoted in soup.select("blockquote, .gmail_quote, style, script, title"):
        quoted.decompose()
    return soup.get_text("\n")


def _files(message: Message) -> tuple[str, ...]:
    """Names of attached files. A picture that the text shows, as in a signature, is none."""
    names = []
    for part in message.walk():
        shown = part.get_content_maintype() == "image" and "Content-ID" in part
        name = " ".join(str(_file_name(part)).split())
        if name and not shown:
            names.append(name if len(name) <= MAX_FILE_NAME_CHARS else f"{name[:MAX_FILE_NAME_CHARS]}…")
    return tuple(dict.fromkeys(names))[:MAX_FILE_NAMES]


def _file_name(part: Message) -> str:
    """The name of an attached file; without one, as a forwarded mail, its type. Empty for text."""
    try:
        name = part.get_filename("")
        if name:
            return str(make_header(decode_header(name)))
    except (HeaderParseError, LookupError, ValueError):
        return part.get_content_type()
    return part.get_content_type() if part.get_content_disposition() == "attachment" else ""


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    try:
        return raw.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")


# Start of the quoted letter below the writer's text: Gmail, Outlook, Thunderbird, Zimbra, mobile phones.
_QUOTE = re.compile(
    r"^(>|-{2,} ?(original message|thư gốc|tin nhắn gốc|forwarded)|_{8,}|on .{5,120} wrote:|vào .{5,120} (đã )?viết:|"
    r"(from|từ|người gửi): .+@|sent from my |được gửi từ |gửi từ )",
    re.I,
)
_SPLIT_QUOTE = re.compile(r"^(on|vào) .{5,160}$", re.I)


def own_text(text: str) -> str:
    """The writer's own text, without the quoted letter and the signature."""
    kept: list[str] = []
    lines = [line.replace("\xa0", " ").strip() for line in text.split("\n")]
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        wrapped = _SPLIT_QUOTE.match(line) and re.search(r"(wrote|viết):$", following, re.I)
        if _QUOTE.match(line) or wrapped or line in ("--", "-- "):
            break
        kept.append(line)
    return "\n".join(kept).strip()


_POLITE = (
    r"(?:da|vang|ok|okay|xin|toi|em|minh|chung toi|don vi|co quan|phong|don vi chung toi|da|duoc|roi|nhe|a|ah|"
    r"cam on|tran trong|thanks?|thank you|hi|hello|kinh gui|we|i|hereby|yes)"
)
_ACK = re.compile(
    rf"(?:{_POLITE}[\s,.!;:-]*)*"
    r"(?:xn|ack|xac nhan(?: (?:da|duoc))*(?: nhan)?(?: duoc)?(?: (?:thu|nhiem vu|van ban|thong tin))?|"
    r"da nhan(?: duoc)?(?: (?:thu|nhiem vu|van ban|thong tin))?|acknowledged?|confirm(?:ed)?|received|noted)"
    rf"(?:[\s,.!;:-]*{_POLITE})*[\s,.!;:-]*"
)
_EXTEND = re.compile(r"(?:xin |de nghi |cho )*(?:gh|gia han|extend(?: to| until)?|extension(?: to| until)?)\b[\s:.,-]*")


_NOT_YET = re.compile(r"(?:bao cao )?chua(?: (?:xong|thuc hien|hoan thanh)(?: xong)?)?\b(?:[\s:.,-]*(?:hen|xin hen))?")
_SAY = re.compile(r"(?P<what>kk|kho khan(?:,? vuong mac)?|hoi|tl|tra loi)\s*:\s*(?=\S)|(?P<short>kk|tl)\s+(?=\S)")
_CLOSING = re.compile(r"(?:tran trong|kinh thu|thanks|regards|best regards|yours)\b.{0,40}")
_GREETING = re.compile(r"(?:kinh gui|kinh chao|kinh thua|xin chao|chao|dear|hi|hello)\b.{0,80}")
_COURTESY = re.compile(rf"(?:{_POLITE}[\s,.!;:-]*)+")
_SIGNATURE_WORDS = 8
# Below the closing these words tell something that is said from a name, a position or a telephone number.
_SAYS = re.compile(
    r"\b(?:khong|chua|xin|de nghi|kho khan|vuong|gia han|bao cao|gui|kem|chuyen|tham quyen|nhung|tuy nhien|se|can|duoc|"
    r"not|but|please|will|cannot)\b"
)


def read_mail_reply(text: str, today: date) -> tuple[MailReply, str]:
    """The request in the writer's own text, and what else they say, without greeting and signature: the first line that
    consists of nothing but a request, or that begins with «KK», «Hỏi:» or «TL:» and goes on in free words, or with
    «CHUA» and a day. «Không xác nhận» and «tôi sẽ xác nhận sau khi hỏi lại» mean something else and are not understood.
    Codes are empty: the Message-ID identifies the letter."""
    lines = [line for line in text.split("\n") if line.strip()]
    for number, line in enumerate(lines[:MAX_REQUEST_LINES]):
        typed = normalise(line)
        folded = without_marks(typed)
        before, after = lines[:number], lines[number + 1 :]
        if len(folded) <= MAX_LINE_CHARS and _ACK.fullmatch(folded):
            return Acknowledge(""), _other_words(before, after)
        request = _EXTEND.match(folded)
        if request:
            found = extension("", typed[request.end() :], folded[request.end() :], today)
            return found if isinstance(found, Extend) else NotUnderstood(NO_DATE), _other_words(before, after)
        promised = _promised(typed, folded, today)
        if promised is not None:
            return promised, _other_words(before, after)
        free = _SAY.match(folded)
        if free:
            more = list(takewhile(_goes_on, after))
            whole = " ".join(normalise(each) for each in [line, *more])
            said = say("", free["what"] or free["short"], whole[free.end() :], without_marks(whole)[free.end() :])
            return said, _other_words(before, after[len(more) :])
    return NotUnderstood(HELP), ""


def _promised(typed: str, folded: str, today: date) -> NotYet | NotUnderstood | None:
    """The report of a line that a task is not done, with its day; None if the line is none."""
    begins = _NOT_YET.match(folded)
    found = not_yet(typed[begins.end() :], folded[begins.end() :], today) if begins else None
    return NotUnderstood(NO_PROMISE) if isinstance(found, NotUnderstood) else found


def _goes_on(line: str) -> bool:
    """Whether a line still belongs to what is said, and not to the closing with its signature."""
    return not _CLOSING.fullmatch(without_marks(normalise(line)))


def _other_words(before: list[str], after: list[str]) -> str:
    """The lines that say something, one line each."""
    kept, closed = [], False
    for line in (*before, *after):
        folded = without_marks(normalise(line))
        closed = closed or bool(_CLOSING.fullmatch(folded))
        signed = len(folded.split()) <= _SIGNATURE_WORDS and not _SAYS.search(folded)
        courtesy = not folded or _COURTESY.fullmatch(folded) or _CLOSING.fullmatch(folded)
        if not (courtesy or _GREETING.fullmatch(folded) or (closed and signed)):
            kept.append(line.strip())
    return "\n".join(kept)
