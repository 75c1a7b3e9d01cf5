"""Whom a permanent refusal is about: the mailbox, this letter, or our way of sending. Pure.

Only what says that the mailbox does not exist silences an address (RFC 3463: 5.1.1, 5.1.2, 5.1.6, 5.1.10, 5.2.1, or the
known words for it). Policy, relay, sender, quota, reputation and authentication (5.4.x, 5.7.x and their words) are the
channel's; so is everything that is refused before a recipient was named. What says neither is about the letter, and is
believed only when it is said again.
"""

from __future__ import annotations

import re

from notifications.contract.channel import About

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
