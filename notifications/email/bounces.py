"""Bounces: delivery status notifications (RFC 3464), reports in prose, automatic replies.

Pure. A bounce is believed by the signed return address that it was sent to (``signed_addresses``); the Message-ID that
it quotes and the recipient that it names say what it is about, and prove nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from enum import StrEnum


class Severity(StrEnum):
    """``HARD``: the mailbox does not exist. ``SOFT``: delivery failed (full, busy, refused as spam), but the mailbox
    exists. ``DELAYED``: the relay is still trying."""

    HARD = "hard"
    SOFT = "soft"
    DELAYED = "delayed"


@dataclass(frozen=True, slots=True)
class Bounce:
    """``recipients``: the mailboxes that failed, () if the report names none; not that of the letter where somebody
    forwards it. ``status`` is an enhanced status code (RFC 3463) or "". ``message_id`` is that of our letter, "" if the
    report quotes none."""

    severity: Severity
    recipients: tuple[str, ...] = ()
    status: str = ""
    diagnostic: str = ""
    message_id: str = ""


def parse(raw: bytes) -> Bounce | None:
    """Parse a bounce. None if the message does not report a failure or a delay."""
    # Not policy.default: its header parser raises many kinds of error on malformed messages.
    message = message_from_bytes(raw)
    report = next((part for part in message.walk() if part.get_content_type() == "message/delivery-status"), None)
    if report is not None:
        return _delivery_status(message, report)
    if not _from_mail_system(message):
        return None
    found = _prose(message)
    named = found is not None and found.recipients
    return found if named or reports_no_failure(message) else _second_opinion(message) or found


def _second_opinion(message: Message) -> Bounce | None:
    """Of a library that knows the reports of forty old relays, where ours sees none or no mailbox in it."""
    from flufl.bounce import all_failures  # its detectors are not for every process

    try:
        temporary, permanent = all_failures(message)
    except Exception:  # noqa: BLE001 - one of its forty does not expect a message without a text
        return None
    recipients = tuple(sorted(each.decode("utf-8", "replace") for each in permanent or temporary))
    severity = Severity.HARD if permanent else Severity.SOFT
    return Bounce(severity, recipients, message_id=_quoted_message_id(message)) if recipients else None


# --- RFC 3464 -----------------------------------------------------------------------------------------------------


def _delivery_status(message: Message, report: Message) -> Bounce | None:
    """The first failure or delay, and all mailboxes that failed: a letter to one may have gone on to several. Reports
    of success are ignored."""
    payload = report.get_payload()
    blocks = [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else []
    found = [bounce for block in blocks if (bounce := _of_one_recipient(block)) is not None]
    if not found:
        return None
    recipients = tuple(mailbox for bounce in found for mailbox in bounce.recipients)
    return replace(found[0], recipients=recipients, message_id=_quoted_message_id(message))


_FAILURES = ("failed", "failure", "error")
"""RFC 3464 knows the first alone; the others are real relays'."""
_SUCCESSES = frozenset({"delivered", "relayed", "expanded"})


def _action(block: Message) -> str:
    """Its first word: a comment may follow."""
    return re.split(r"[^a-z]", header_value(block, "Action").lower(), maxsplit=1)[0]


def _of_one_recipient(block: Message) -> Bounce | None:
    action = _action(block)
    # Not Original-Recipient, which remains the letter's own mailbox when a copy that went on from there fails.
    recipient = header_value(block, "Final-Recipient") or header_value(block, "Original-Recipient")
    if action not in (*_FAILURES, "delayed") or not recipient:
        return None
    diagnostic = header_value(block, "Diagnostic-Code")
    status = status_in(diagnostic) or status_in(header_value(block, "Status"))
    severity = Severity.DELAYED if action == "delayed" else severity_of(status, diagnostic)
    mailbox = recipient.partition(";")[2].strip().strip("<>") or recipient.strip()
    return Bounce(severity, (mailbox,), status, diagnostic[:500], "")


_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")


def status_in(text: str) -> str:
    """The most specific enhanced status code: generic ones (5.0.0, 5.7.0) are used only if there is no other."""
    codes: list[str] = _STATUS.findall(text)
    return next((code for code in codes if not code.endswith(".0")), codes[0] if codes else "")


# _HARD: no such mailbox or domain; takes precedence. _SOFT: may be temporary although the code begins with 5. Codes
# are those of RFC 3463; Exchange Online uses 5.4.1 for an unknown recipient.
_HARD = re.compile(
    r"\b5\.1\.\d|\b5\.2\.1\b|\b5\.4\.[14]\b|user unknown|unknown user|no such (user|mailbox|recipient|address)|"
    r"does not exist|doesn't exist|no mailbox|invalid (recipient|mailbox)|RecipNotFound|unrouteable|unknown recipient|"
    r"account (is )?(disabled|inactive)|(host|domain) (unknown|not found)|không tồn tại|khong ton tai|không tìm thấy",
    re.I,
)
_SOFT = re.compile(
    r"\b5\.[347]\.\d|\b552\b|quota|mailbox.{0,20}full|full mailbox|storage|too large|spam|blocked|policy|greylist|"
    r"try again|temporar|hộp thư.{0,20}đầy|hop thu.{0,20}day|vượt.{0,20}dung lượng",
    re.I,
)


def severity_of(status: str, words: str) -> Severity:
    """By the code if it is specific, else by the text; anything else is hard."""
    if status.startswith("4.") or (status.startswith("5.2.") and status != "5.2.1"):
        return Severity.SOFT
    report = f"{status} {words}"
    return Severity.SOFT if _SOFT.search(report) and not _HARD.search(report) else Severity.HARD


# --- Reports in prose (qmail, Exim, old Exchange, MDaemon, web mail) ----------------------------------------------

_SYSTEM = re.compile(r"mailer-daemon|postmaster|mail delivery (system|subsystem)|mdaemon|microsoft exchange", re.I)
_FAILED = re.compile(
    r"undeliver|delivery (has )?(failed|failure|status)|returned mail|failure notice|mail delivery failed|"
    r"could ?n[o']t be (delivered|reached)|did not reach|unable to deliver|wasn't able to deliver|delivery problems|"
    r"permanent error|mailbox.{0,20}full|không gửi được|không chuyển được|thư bị trả lại|hộp thư.{0,20}đầy",
    re.I,
)
_WAITING = re.compile(r"delayed|will (keep|continue)|warning: message|still trying|you do not need to resend", re.I)
# Start of our own letter, quoted below the report.
_COPY = re.compile(
    r"^-+ ?(below this line is a copy|this is a copy of the message|original message|returned message|"
    r"the following is a copy|thư gốc)|^(received|return-path): ",
    re.I | re.M,
)
_MAILBOX = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.I)
_CAME_FROM = re.compile(r"\((generated|expanded) from [^)]*\)", re.I)
"""The mailbox that a copy went on from (Exim, Postfix): it is not the one that failed."""
_MESSAGE_ID = re.compile(r"^[> \t]*message-id:\s*(<[^<>\s]+@[^<>\s]+>)", re.I | re.M)


def _from_mail_system(message: Message) -> bool:
    return (
        header_value(message, "Return-Path") == "<>"
        or "X-Failed-Recipients" in message
        or bool(_SYSTEM.search(header_value(message, "From")))
    )


def _prose(message: Message) -> Bounce | None:
    text = _text(message)
    copy = _COPY.search(text)
    report = text[: copy.start()] if copy else text
    whole = f"{header_value(message, 'Subject')}\n{report}"
    if not (_FAILED.search(whole) or "X-Failed-Recipients" in message):
        return None
    if is_auto_reply(message) and not _STATUS.search(report) and not _SYSTEM.search(header_value(message, "From")):
        return None
    status = status_in(report)
    severity = Severity.DELAYED if _WAITING.search(whole) else severity_of(status, whole)
    lines = [line.strip() for line in report.splitlines() if re.search(r"\b[45]\d\d\b", line) or _SOFT.search(line)]
    found = _MESSAGE_ID.search(text[copy.start() :] if copy else text)
    message_id = _quoted_message_id(message) or (found[1] if found else "")
    return Bounce(severity, _failed_recipients(message, report), status, " ".join(lines)[:500], message_id)


def _failed_recipients(message: Message, report: str) -> tuple[str, ...]:
    ours = {address.lower() for address in sent_to(message)} | {header_value(message, "From").lower()}
    stated = header_value(message, "X-Failed-Recipients").replace(",", " ").split()
    named = stated or _MAILBOX.findall(_MESSAGE_ID.sub("", _CAME_FROM.sub("", report)))
    return tuple(each for each in dict.fromkeys(named) if each.lower() not in ours and not _SYSTEM.search(each))


# --- Shared by both -----------------------------------------------------------------------------------------------


def header_values(message: Message, name: str) -> list[str]:
    """All headers with a name, decoded, each on one line; works with any parser policy."""
    found = []
    for each, raw in message.raw_items():
        if each.lower() == name.lower():
            # Unencoded non-ASCII headers violate RFC 5322, but in practice they are UTF-8.
            plain = str(raw).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            try:
                text = str(make_header(decode_header(plain)))
            except (HeaderParseError, LookupError, ValueError):
                text = plain
            found.append(" ".join(text.split()))
    return found


def header_value(message: Message, name: str) -> str:
    return next(iter(header_values(message, name)), "")


def sent_to(message: Message) -> tuple[str, ...]:
    """The recipients, that of the envelope first if the relay recorded it: the To of a report is not reliable."""
    names = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
    values = [value for name in names for value in header_values(message, name)]
    return tuple(dict.fromkeys(address for _, address in getaddresses(values) if address))


def _text(message: Message) -> str:
    """All text parts of a report, including the quoted letter."""
    texts = []
    for part in message.walk():
        if part.get_content_maintype() == "text":
            payload = part.get_payload(decode=True)
            charset = part.get_content_charset("utf-8")
            raw = payload if isinstance(payload, bytes) else b""
            try:
                texts.append(raw.decode(charset, "replace"))
            except (LookupError, ValueError):
                texts.append(raw.decode("utf-8", "replace"))
    return "\n".join(texts).replace("\r\n", "\n")


def _quoted_message_id(message: Message) -> str:
    """The Message-ID of the letter that the report contains in full or as headers only (RFC 3462)."""
    for part in message.walk():
        if part is not message and part.get_content_type() == "text/rfc822-headers":
            payload = part.get_payload(decode=True)
            found = _MESSAGE_ID.search(payload.decode("utf-8", "replace") if isinstance(payload, bytes) else "")
            if found:
                return found[1]
        elif part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                return header_value(inner[0], "Message-ID")
    return ""


# --- Automatic replies --------------------------------------------------------------------------------------------

_AUTOMATIC = re.compile(
    r"^(re: ?)?(automatic reply|auto(matic|mated)?[- :]*(reply|response|re)?:|auto[- ]?(reply|response)|autoreply|"
    r"out of (the )?office|away from (the )?office|on (annual )?leave|vacation|ooo\b|"
    r"(thư )?(tự động trả lời|trả lời tự động)|phản hồi tự động|tự động phản hồi|(tôi )?(đang )?(vắng mặt|nghỉ phép)|"
    r"(tra loi tu dong|tu dong tra loi)|thông báo (vắng mặt|nghỉ phép))",
    re.I,
)
_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Auto-Response", "X-Autoresponder", "X-POST-MessageClass")


def is_auto_reply(message: Message) -> bool:
    """True if the message was generated automatically: out of office, receipts, lists, reports. Such messages are not
    acted on and must not be answered (RFC 3834 §2). Call ``parse`` first: bounces are automatic too."""
    empty_path = header_value(message, "Return-Path") == "<>"
    return _submitted(message) not in ("", "no") or empty_path or _is_report(message) or _says_away(message)


def reports_no_failure(message: Message) -> bool:
    """True of an absence notice and of a report of success; what else comes to a return address, and ``parse`` does not
    know, a person has to read."""
    actions = {_action(part) for part in message.walk() if "Action" in part}
    by_system = _SYSTEM.search(header_value(message, "From")) or "X-Failed-Recipients" in message
    away = _submitted(message) == "auto-replied" or _says_away(message)
    return actions <= _SUCCESSES if actions else away and not by_system and not _is_report(message)


def _submitted(message: Message) -> str:
    return header_value(message, "Auto-Submitted").partition(";")[0].partition("(")[0].strip().lower()


def _is_report(message: Message) -> bool:
    return header_value(message, "Content-Type").lower().startswith("multipart/report")


def _says_away(message: Message) -> bool:
    if any(name in message for name in _HEADERS):
        return True
    if header_value(message, "Precedence").lower() in ("auto_reply", "auto-reply", "bulk", "junk", "list"):
        return True
    return _AUTOMATIC.match(header_value(message, "Subject")) is not None
