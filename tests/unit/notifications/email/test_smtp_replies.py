"""What answers mean, as a table: the rules alone, without a relay."""

from __future__ import annotations

import ssl
from datetime import timedelta

import pytest
from aiosmtplib import SMTPConnectError

from notifications.contract.channel import Fate
from notifications.email.smtp_replies import OPENING, Stage, connect_failed, interrupted, reply_outcome

A, R, N, U = Fate.ACCEPTED, Fate.RETRY, Fate.REFUSED, Fate.UNKNOWN
TABLE = [
    (Stage.DOT, 250, "2.0.0 ok", A),
    (Stage.DOT, 251, "ok", A),
    (Stage.DOT, 451, "4.7.1 later", R),
    (Stage.DOT, 550, "5.7.1 spam", R),
    (Stage.DOT, 554, "5.3.4 too large", N),
    (Stage.DOT, 552, "5.2.3 message exceeds limit", N),
    (Stage.DOT, -1, "Malformed SMTP response line: HTTP/1.1", U),
    (Stage.DOT, 150, "?", U),
    (Stage.DATA, -1, "Malformed SMTP response line: HTTP/1.1", R),
    (Stage.DATA, 554, "5.5.1 no valid recipients", R),
    (Stage.RCPT, 550, "5.1.1 no such user", N),
    (Stage.RCPT, 553, "5.1.3 bad address", R),
    (Stage.RCPT, 554, "5.7.1 relay access denied", R),
    (Stage.RCPT, 552, "mailbox full", R),
    (Stage.RCPT, 554, "5.2.2 mailbox full", R),
    (Stage.RCPT, 452, "4.5.3 too many recipients", R),
    (Stage.RCPT, 450, "4.2.1 busy", R),
    (Stage.MAIL, 530, "5.7.0 authentication required", R),
    (Stage.MAIL, 538, "5.7.11 encryption required", R),
    (Stage.MAIL, 503, "5.5.1 bad sequence", R),
    (Stage.MAIL, 553, "5.7.1 sender address rejected: not owned by user", R),
    (Stage.CONNECT, 554, "5.7.1 no service for you", R),
    (Stage.GREETING, 550, "bad name", R),
    (Stage.LOGIN, 535, "5.7.8 bad credentials", R),
    (Stage.LOGIN, 534, "5.7.9 application password required", R),
]


@pytest.mark.parametrize(("stage", "code", "words", "fate"), TABLE)
def test_an_answer_has_one_fate(stage: Stage, code: int, words: str, fate: Fate) -> None:
    outcome = reply_outcome(stage, code, words, "<x@y>")
    assert outcome.fate is fate
    assert outcome.receipt == ("<x@y>" if fate in (A, U) else "")


@pytest.mark.parametrize("stage", sorted(set(Stage) - {Stage.DOT}))
@pytest.mark.parametrize("code", range(100, 600, 50))
def test_before_the_dot_nothing_is_accepted_or_in_doubt(stage: Stage, code: int) -> None:
    assert reply_outcome(stage, code, "words").fate in (R, N)
    assert interrupted(stage, OSError("gone")).fate is R


def test_silence_after_the_dot_is_in_doubt() -> None:
    outcome = interrupted(Stage.DOT, TimeoutError(), "<x@y>")
    assert (outcome.fate, outcome.receipt, outcome.reply) == (U, "<x@y>", "dot: TimeoutError")


WAITS = {
    "4.2.0 Greylisted, please try again in 300 seconds": timedelta(seconds=300),
    "4.7.1 try again in 5 minutes": timedelta(minutes=5),
    "retry after 60s": timedelta(seconds=60),
    "wait 2 hours": timedelta(hours=2),
    "in 99999 hours": timedelta(days=1),
    "4.7.1 please come back later": None,
    "mailbox in 5 models": None,
}


@pytest.mark.parametrize("words", WAITS)
def test_the_wait_that_is_asked_for_is_understood(words: str) -> None:
    assert reply_outcome(Stage.RCPT, 450, words).after == WAITS[words]


def test_too_many_connections_wait_longer_than_a_busy_relay() -> None:
    assert reply_outcome(Stage.CONNECT, 421, "too many connections").after == timedelta(minutes=5)
    assert reply_outcome(Stage.LOGIN, 454, "too many logins").after == timedelta(minutes=5)
    assert reply_outcome(Stage.MAIL, 421, "shutting down").after == timedelta(minutes=1)


def test_an_answer_is_kept_on_one_line_and_short() -> None:
    outcome = reply_outcome(Stage.RCPT, 550, "5.1.1 no\n5.1.1 such \udcff user " + "x" * 900)
    assert outcome.code == "550"
    assert outcome.reply.startswith("5.1.1 no 5.1.1 such ? user")
    assert len(outcome.reply) == 500


@pytest.mark.parametrize("stage", sorted(OPENING))
def test_what_keeps_a_line_from_opening_is_told_with_what_to_mend(stage: Stage) -> None:
    outcome = connect_failed(stage, "mail.example:587", OSError("no route"))
    assert outcome.fate is R
    assert outcome.reply.count("mail.example:587") == 2
    assert outcome.reply.endswith("(no route)")


def test_a_certificate_at_fault_is_named_wherever_it_shows() -> None:
    error = SMTPConnectError("no")
    error.__cause__ = ssl.SSLCertVerificationError("hostname mismatch")
    assert "ca_file" in connect_failed(Stage.CONNECT, "mail.example:465", error).reply
