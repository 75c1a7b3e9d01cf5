"""Real answers of relays, and what becomes of letter, address and channel."""

from __future__ import annotations

import pytest

from notifications.contract.channel import About, Fate
from notifications.email.smtp_replies import Stage, reply_outcome

A, L, C, U = About.ADDRESS, About.LETTER, About.CHANNEL, About.UNCLEAR
REFUSED, RETRY = Fate.REFUSED, Fate.RETRY
ANSWERS = [
    # the mailbox does not exist
    (
        Stage.RCPT,
        550,
        "5.1.1 <a@b.example>: Recipient address rejected: User unknown in virtual mailbox table",
        REFUSED,
        A,
    ),
    (Stage.RCPT, 550, "5.1.1 The email account that you tried to reach does not exist.", REFUSED, A),
    (Stage.RCPT, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", REFUSED, A),
    (Stage.RCPT, 550, "5.1.2 Bad destination system address: host unknown", REFUSED, A),
    (Stage.RCPT, 551, "5.1.6 Mailbox has moved", REFUSED, A),
    (Stage.RCPT, 550, "5.2.1 The email account that you tried to reach is disabled.", REFUSED, A),
    (Stage.RCPT, 550, "No such user here", REFUSED, A),
    (Stage.RCPT, 550, "Unrouteable address", REFUSED, A),
    (Stage.RCPT, 550, "unknown local part", REFUSED, A),
    (Stage.RCPT, 550, "Invalid recipient", REFUSED, A),
    (Stage.RCPT, 550, "RecipNotFound", REFUSED, A),
    (Stage.RCPT, 554, "delivery error: dd This user doesn't have an account", RETRY, U),
    (Stage.RCPT, 550, "Requested action not taken: mailbox unavailable", REFUSED, A),
    (Stage.RCPT, 553, "sorry, that domain does not exist", REFUSED, A),
    (Stage.RCPT, 550, "Hộp thư không tồn tại", REFUSED, A),
    # our way of sending: the reader's address is not to blame
    (Stage.RCPT, 554, "5.7.1 <a@b.example>: Relay access denied", RETRY, C),
    (Stage.RCPT, 550, "relay not permitted", RETRY, C),
    (Stage.RCPT, 550, "5.7.54 SMTP; Unable to relay recipient in non-accepted domain", RETRY, C),
    (Stage.RCPT, 550, "5.7.1 Client does not have permissions to send as this sender", RETRY, C),
    (Stage.RCPT, 553, "5.7.1 <x@y.example>: Sender address rejected: not owned by user x", RETRY, C),
    (Stage.RCPT, 550, "5.7.60 SMTP; Client does not have permissions to send as this sender", RETRY, C),
    (Stage.RCPT, 554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", RETRY, C),
    (Stage.RCPT, 554, "5.7.1 Client host rejected: Access denied", RETRY, C),
    (Stage.RCPT, 550, "5.4.1 Recipient address rejected: Access denied", RETRY, C),
    (Stage.RCPT, 550, "5.4.5 Daily sending limit exceeded", RETRY, C),
    (Stage.RCPT, 550, "5.4.6 Routing loop detected", RETRY, C),
    (Stage.RCPT, 550, "Daily sending quota exceeded", RETRY, C),
    (Stage.RCPT, 550, "5.7.0 Local policy violation", RETRY, C),
    (Stage.RCPT, 550, "5.7.23 SPF validation failed", RETRY, C),
    (Stage.RCPT, 550, "5.7.26 This mail is unauthenticated (DMARC)", RETRY, C),
    (Stage.RCPT, 550, "5.7.705 Access denied, tenant has exceeded threshold", RETRY, C),
    (Stage.RCPT, 550, "5.7.708 Access denied, traffic not accepted from this IP", RETRY, C),
    (Stage.RCPT, 550, "5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup", RETRY, C),
    (Stage.RCPT, 550, "Blocked - see the blacklist at example", RETRY, C),
    (Stage.RCPT, 550, "Your reputation is too low", RETRY, C),
    (Stage.RCPT, 554, "Message rejected due to policy", RETRY, C),
    (Stage.RCPT, 550, "Sender verify failed", RETRY, C),
    (Stage.RCPT, 550, "authentication required", RETRY, C),
    (Stage.RCPT, 550, "Your account has been suspended", RETRY, C),
    (Stage.RCPT, 503, "5.5.1 valid MAIL command precedes RCPT", RETRY, C),
    (Stage.MAIL, 530, "5.7.0 Authentication required", RETRY, C),
    (Stage.MAIL, 530, "5.7.0 Must issue a STARTTLS command first", RETRY, C),
    (Stage.MAIL, 530, "5.7.57 Client was not authenticated to send anonymous mail", RETRY, C),
    (Stage.MAIL, 550, "5.7.1 Sender not allowed", RETRY, C),
    (Stage.MAIL, 550, "5.1.8 Sender address rejected: Domain not found", RETRY, C),
    (Stage.MAIL, 501, "5.1.7 Bad sender address syntax", RETRY, C),
    (Stage.MAIL, 550, "User unknown", RETRY, C),
    (Stage.MAIL, 550, "5.1.1 no such user", RETRY, C),
    (Stage.MAIL, 554, "5.7.1 no", RETRY, C),
    (Stage.MAIL, 552, "5.3.4 Message size exceeds fixed limit", REFUSED, L),
    (Stage.MAIL, 521, "5.3.2 Mail not accepted", RETRY, C),
    (Stage.DATA, 554, "5.7.1 Your message was considered spam", RETRY, C),
    (Stage.DATA, 554, "5.5.1 Error: no valid recipients", RETRY, U),
    (Stage.DOT, 550, "5.7.1 Message contains spam or virus", RETRY, C),
    (Stage.DOT, 554, "5.7.1 [EU123] Message blocked by policy", RETRY, C),
    (Stage.DOT, 550, "5.7.0 DKIM signature required", RETRY, C),
    (Stage.DOT, 550, "High probability of spam", RETRY, C),
    (Stage.DOT, 554, "5.6.0 Message contains invalid header", RETRY, U),
    (Stage.DOT, 554, "Transaction failed", RETRY, U),
    (Stage.DOT, 552, "5.3.4 message too large", REFUSED, L),
    (Stage.DOT, 552, "5.2.3 Message size exceeds maximum", REFUSED, L),
    (Stage.DOT, 550, "5.1.1 User unknown", RETRY, U),
    # full, for now
    (Stage.RCPT, 552, "5.2.2 Mailbox full", RETRY, U),
    (Stage.RCPT, 552, "over quota", RETRY, U),
    (Stage.RCPT, 550, "5.2.2 The mailbox is full", RETRY, U),
    # nobody knows why
    (Stage.RCPT, 550, "Rejected", RETRY, U),
    (Stage.RCPT, 554, "Transaction failed", RETRY, U),
    (Stage.RCPT, 550, "5.0.0 no", RETRY, U),
]


@pytest.mark.parametrize(("stage", "code", "words", "fate", "about"), ANSWERS)
def test_a_refusal_is_about_the_mailbox_the_letter_or_our_way_of_sending(
    stage: Stage, code: int, words: str, fate: Fate, about: About
) -> None:
    outcome = reply_outcome(stage, code, words)
    assert (outcome.fate, outcome.about) == (fate, about)


def test_there_are_sixty_answers() -> None:
    assert len(ANSWERS) >= 60
    assert len({(stage, code, words) for stage, code, words, *_ in ANSWERS}) == len(ANSWERS)
