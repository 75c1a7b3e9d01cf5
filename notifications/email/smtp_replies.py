"""Map SMTP replies and connection errors to outcomes. Pure: (stage, code, text) → Outcome.

Before the final dot the relay cannot have accepted the letter (RFC 5321 §4.1.1.4), so every error there is a retry
unless the reply is permanent. After the dot only a reply decides; without one the fate is ``UNKNOWN``.

Whom a permanent refusal is about: the mailbox, this letter, or our way of sending. Pure.

Only what says that the mailbox does not exist silences an address (RFC 3463: 5.1.1, 5.1.2, 5.1.6, 5.1.10, 5.2.1, or the
known words for it). Policy, relay, sender, quota, reputation and authentication (5.4.x, 5.7.x and their words) are the
channel's; so is everything that is refused before a recipient was named. What says neither is about the letter, and is
believed only when it is said again.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Set
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from aiosmtplib import SMTPResponseException

from engine.enums import complete
from engine.text import Text
from notifications.contract.channel import About, Fate, Outcome
from notifications.email.bounces import status_in

_NO_SUCH_MAILBOX = re.compile(r"(?<![\d.])5\.(1\.(1|2|6|10)|2\.1)(?![\d.])")
_NO_SUCH_MAILBOX_WORDS = re.compile(
    r"user unknown|unknown (user|local part)|no such (user|mailbox|recipient|address|person)|"
    r"user (does not|doesn't) exist|user not found|no mailbox (here|by)|"
    r"mailbox (not found|unavailable|does not exist|doesn't exist|is disabled|is inactive)|"
    r"(recipient|address|account|email|mailbox)( \S+)? (does not|doesn't) exist|invalid (recipient|mailbox)|"
    r"recipnotfound|unrouteable (address|mail domain)|unknown recipient|recipient unknown|not a known user|"
    r"(account|mailbox|user)( \S+)? (is |has been )?(disabled|inactive|deactivated)|"
    r"(host|domain) (unknown|not found|does not exist)|(không|khong) (tồn tại|ton tai)|"
    r"không tìm thấy (hộp thư|người nhận)",
    re.I,
)
_OURS = re.compile(
    r"(?<![\d.])5\.[47]\.\d|relay(ing)? (access )?(denied|not (permitted|allowed))|not permitted to relay|"
    r"unable to relay|"
    r"sender (address )?(rejected|not allowed|denied|verify failed|is not allowed|not owned)|"
    r"not allowed to send|send as|"
    r"sendasdenied|blocked( using)?|black ?list|block ?list|listed (at|in|on|by)|spamhaus|barracuda|reputation|policy|"
    r"(daily|hourly|message|sending|rate|quota)( \S+)? (limit|quota)( \S+)? (exceeded|reached)|limit exceeded|"
    r"too many (messages|recipients|connections)|quota exceeded for sender|authentication (is )?(required|failed)|"
    r"must (authenticate|issue a starttls)|login (required|denied)|not authenticated|client host rejected|"
    r"access denied|"
    r"helo (command )?rejected|spf|dkim|dmarc|reverse dns|ptr record|spam|virus|tls (is )?required|encryption required|"
    r"banned|throttl|suspended|unauthenticated email",
    re.I,
)
_MAILBOX_FULL = re.compile(r"(?<![\d.])5\.2\.2(?![\d.])|over ?quota|mailbox.{0,20}full|full mailbox|đầy", re.I)
_TOO_LARGE = re.compile(r"(?<![\d.])5\.(2\.3|3\.4)(?![\d.])|too (large|big)|exceeds.{0,30}size|message size", re.I)


def about(status: str, words: str, *, named_recipient: bool = True) -> About:
    """``status``: the enhanced code, if there is one; ``words``: the whole answer.

    ``named_recipient``: whether it answers RCPT or is a bounce; not what came before a recipient or after the text."""
    told = f"{status} {words}"
    if _TOO_LARGE.search(told):
        return About.LETTER
    if _MAILBOX_FULL.search(told):
        return About.UNCLEAR
    if not named_recipient:
        return About.CHANNEL if _OURS.search(told) else About.UNCLEAR
    if _NO_SUCH_MAILBOX.search(told) and not re.search(r"(?<![\d.])5\.7\.\d", told):
        return About.ADDRESS
    if _OURS.search(told):
        return About.CHANNEL
    return About.ADDRESS if _NO_SUCH_MAILBOX_WORDS.search(told) else About.UNCLEAR


class Stage(StrEnum):
    """Stage of the SMTP session. ``DOT``: the whole letter was sent, the reply is outstanding."""

    CONNECT = "connect"
    GREETING = "greeting"
    TLS = "tls"
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"


OPENING: Set[Stage] = {Stage.CONNECT, Stage.GREETING, Stage.TLS, Stage.LOGIN}
LETTER: Set[Stage] = {Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.DOT}
_RECEIPT = (Fate.ACCEPTED, Fate.UNKNOWN)  # fates for which a bounce may arrive later
_MAX_REPLY_CHARS = 500


@dataclass(frozen=True)
class _Rule:
    stages: Set[Stage]
    answer: re.Pattern[str]
    fate: Fate
    after: timedelta | None = None


def _rule(stages: Set[Stage], answer: str, fate: Fate, minutes: int = 0) -> _Rule:
    return _Rule(stages, re.compile(answer, re.I), fate, timedelta(minutes=minutes) if minutes else None)


# The first rule that matches "code text" applies.
_RULES = (
    _rule({Stage.DOT}, r"2\d\d ", Fate.ACCEPTED),
    # Too many logins or connections: retrying immediately makes it worse.
    _rule({Stage.LOGIN}, r"4\d\d ", Fate.RETRY, 5),
    _rule(OPENING, r"421 ", Fate.RETRY, 5),
    _rule(LETTER, r"421 ", Fate.RETRY, 1),
    # Refused before any letter was offered: a problem of the settings or the relay, not of the letter.
    _rule(OPENING, r"", Fate.RETRY),
    _rule(LETTER, r"4\d\d ", Fate.RETRY),
    # Not an SMTP reply: only after the dot may the letter have been accepted.
    _rule({Stage.DOT}, r"", Fate.UNKNOWN),
    _rule(LETTER, r"", Fate.RETRY),
)
_WAIT = re.compile(r"\b(?:in|after|wait|for)\s+(\d{1,5})\s*(s|sec|seconds?|m|min|minutes?|h|hours?)\b", re.I)
_UNITS = {"s": 1, "m": 60, "h": 3600}

# Messages that tell the operator what to do, where the relay's reply does not. {where} is host:port.
_ADVICE = complete(
    Stage,
    {
        Stage.CONNECT: Text(
            "Không kết nối được máy chủ thư {where}; kiểm tra địa chỉ, cổng và tường lửa.",
            "The mail relay {where} cannot be reached; check its address, port and firewall.",
        ),
        Stage.GREETING: Text(
            "Máy chủ thư {where} không nhận lời chào; kiểm tra tên máy của ta (hostname).",
            "The mail relay {where} does not accept our greeting; check the setting hostname.",
        ),
        Stage.TLS: Text(
            "Không lập được kết nối TLS tin cậy với {where}, nên chưa gửi gì; kiểm tra chứng thư và ca_file.",
            "No trusted TLS connection to {where}, so nothing was sent; check its certificate and the setting ca_file.",
        ),
        Stage.LOGIN: Text(
            "Máy chủ thư {where} từ chối đăng nhập; sửa tên đăng nhập hoặc mật khẩu trong cài đặt.",
            "The mail relay {where} refuses the login; correct user name and password in the settings.",
        ),
    },
    but=LETTER,
)


def reply_outcome(stage: Stage, code: int, words: str, receipt: str = "") -> Outcome:
    """The outcome of a reply. ``code`` is −1 for a reply that is not SMTP. ``after`` is the wait that the relay asks
    for in its text («try again in 300 seconds»), at most a day, else that of the rule."""
    words = " ".join(words.split())[:_MAX_REPLY_CHARS].encode("utf-8", "replace").decode()
    if stage in LETTER and 500 <= code < 600:
        return _refusal(stage, code, words)
    rule = next(rule for rule in _RULES if stage in rule.stages and rule.answer.match(f"{code} {words}"))
    after = rule.after
    if rule.fate is Fate.RETRY and (asked := _WAIT.search(words)):
        after = timedelta(seconds=min(int(asked[1]) * _UNITS[asked[2][0].lower()], 86400))
    kept_receipt = receipt if rule.fate in _RECEIPT else ""
    return Outcome(fate=rule.fate, code=str(code) if code > 0 else "", reply=words, receipt=kept_receipt, after=after)


def _refusal(stage: Stage, code: int, words: str) -> Outcome:
    """A permanent refusal of a letter: for good where it is the mailbox's or the letter's own, else tried again."""
    sequence = code in (503, 530, 534, 538)  # "log in first", "use TLS first", "bad sequence"
    found = about(status_in(words), f"{code} {words}", named_recipient=stage is Stage.RCPT)
    if sequence or (stage is Stage.MAIL and found is not About.LETTER):
        found = About.CHANNEL  # no recipient was named: it is never the reader's fault
    fate = Fate.REFUSED if found in (About.ADDRESS, About.LETTER) else Fate.RETRY
    return Outcome(fate=fate, code=str(code), reply=words, about=found)


def interrupted(stage: Stage, error: Exception, receipt: str = "") -> Outcome:
    """The outcome of a session that broke off: time-out, disconnect, or a reply that is not SMTP."""
    words = str(error) or type(error).__name__
    fate = Fate.UNKNOWN if stage is Stage.DOT else Fate.RETRY
    return Outcome(
        fate=fate, code="", reply=f"{stage}: {words}"[:_MAX_REPLY_CHARS], receipt=receipt if fate in _RECEIPT else ""
    )


def connect_failed(stage: Stage, where: str, error: Exception) -> Outcome:
    """The outcome when no connection could be opened. Always a retry, with a message that tells the operator what to
    correct, followed by the text of the relay or the operating system."""
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        stage = Stage.TLS
    code, words = (
        (error.code, error.message) if isinstance(error, SMTPResponseException) else (-1, str(error) or "time-out")
    )
    outcome = reply_outcome(stage, code, words)
    message = f"{_ADVICE[stage].filled(where=where)} ({outcome.code} {outcome.reply}".rstrip() + ")"
    return Outcome(
        fate=Fate.RETRY,
        code=outcome.code,
        reply=message.replace("( ", "("),
        receipt="",
        after=outcome.after,
        about=About.CHANNEL,
    )
