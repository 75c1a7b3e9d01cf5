"""Letters that come back, as real systems write them (folder ``returned``), and the addresses they come back to."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from ground.paths import DATA
from hypothesis import given
from hypothesis import strategies as st

from notifications.email.bounces import Severity, is_auto_reply, parse
from notifications.email.signed_addresses import BOUNCE, signed_key
from notifications.inbound.message import read_mail

RETURNED = DATA / "returned"
OURS = "<48b755347a2528fc76b4aafc294e59f3@so.example>"
HARD, SOFT, DELAYED = Severity.HARD, Severity.SOFT, Severity.DELAYED
BOUNCES = [
    ("postfix", HARD, "gone@elsewhere.example", "5.0.0", OURS),
    ("exchange", HARD, "vanthu2@huyen.example", "5.1.10", OURS),
    ("full", SOFT, "vanthu@huyen.example", "5.2.2", OURS),
    ("delayed", DELAYED, "vanthu@huyen.example", "4.4.1", OURS),
    ("qmail", HARD, "vanthu@huyen.example", "5.1.1", OURS),
    ("exim", HARD, "vanthu@huyen.example", "", OURS),
    ("mdaemon", SOFT, "vanthu@huyen.example", "", OURS),
    ("old_exchange", HARD, "vanthu@huyen.example", "", ""),
]


def returned(name: str) -> bytes:
    return (RETURNED / f"{name}.eml").read_bytes()


@pytest.mark.parametrize(("name", "severity", "recipient", "status", "message_id"), BOUNCES)
def test_a_report_says_whose_letter_failed_and_how(
    name: str, severity: Severity, recipient: str, status: str, message_id: str
) -> None:
    bounce = parse(returned(name))
    assert bounce is not None
    found = (bounce.severity, bounce.recipients, bounce.status, bounce.message_id)
    assert found == (severity, (recipient,), status, message_id)


def test_a_report_in_prose_does_not_name_the_mailbox_that_a_copy_went_on_from() -> None:
    copied = returned("exim").decode().replace("vanthu@huyen.example", "rieng@ngoai.example")
    copied = copied.replace(
        "  rieng@ngoai.example\n", "  rieng@ngoai.example\n    (generated from vanthu@huyen.example)\n"
    )
    for raw in (copied, copied.replace("X-Failed-Recipients", "X-Other")):
        bounce = parse(raw.encode())
        assert bounce is not None
        assert bounce.recipients == ("rieng@ngoai.example",)


@pytest.mark.parametrize("name", [row[0] for row in BOUNCES])
def test_a_report_with_crlf_line_ends_says_the_same(name: str) -> None:
    assert parse(returned(name).replace(b"\n", b"\r\n")) == parse(returned(name))


@pytest.mark.parametrize(
    "action", ["failed (Bad destination mailbox address)", "failure", "error", "Failed", "failed; see below"]
)
def test_a_failure_is_read_in_the_spellings_of_real_relays(action: str) -> None:
    written = returned("postfix").replace(b"Action: failed", f"Action: {action}".encode())
    assert parse(written) == parse(returned("postfix"))


@pytest.mark.parametrize("name", ["delivered", "person", "away"])
def test_what_reports_no_failure_is_no_bounce(name: str) -> None:
    assert parse(returned(name)) is None


OLD_RELAY = b"""Return-Path: <>
From: MAILER-DAEMON@huyen.example
To: don-doc@so.example
Subject: Mail System

Here is your list of failed recipients
<vanthu@huyen.example>
Here is your returned mail
"""


def test_a_report_in_no_words_that_we_know_is_read_by_who_knows_old_relays() -> None:
    bounce = parse(OLD_RELAY)
    assert bounce is not None
    assert (bounce.severity, bounce.recipients) == (HARD, ("vanthu@huyen.example",))


def test_an_absence_notice_that_names_a_colleague_is_no_bounce() -> None:
    away = OLD_RELAY.replace(b"From: MAILER-DAEMON", b"From: vanthu").replace(b"Mail System", b"Out of office")
    assert parse(away.replace(b"Here is your list", b"Xin hoi, vanthu2@huyen.example, giup")) is None
    assert parse(OLD_RELAY.replace(b"Return-Path: <>\nFrom: MAILER-DAEMON", b"From: vanthu")) is None


def test_a_report_names_the_addresses_it_came_to_once() -> None:
    bounce = parse(returned("postfix"))
    assert bounce is not None
    assert [signed_key(BOUNCE, address, "khóa") for address in read_mail(returned("postfix")).sent_to] == [
        "assignment:418:T-3"
    ]


NAMES = ["To", "From", "Subject", "Return-Path", "Message-ID", "Auto-Submitted", "Content-Type", "Delivered-To"]
NAMES += ["Content-Transfer-Encoding", "Precedence"]
PIECES = [*'<>@"([:;=\\\x00 aé', "\r\n ", "=?utf-8?B?", "=?x?q?", "?="]
PIECES += ["multipart/report; boundary=x", "message/rfc822", "text/plain; charset=", "message/delivery-status"]
HEADS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.lists(st.sampled_from(PIECES), max_size=10).map("".join)), max_size=4
)
BODY = "\r\nundeliverable\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\na: b\r\n\r\nAction: failed\r\n--x--"


@given(HEADS)
def test_nothing_that_a_stranger_writes_can_trip_it(heads: list[tuple[str, str]]) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in [("From", "mailer-daemon@x.example"), *heads])
    raw = (lines + BODY).encode()
    parse(raw)
    is_auto_reply(message_from_bytes(raw))


SEVERITIES = [
    ("550 5.7.1 message blocked as spam", SOFT),
    ("550 5.4.1 Recipient address rejected: Access denied", HARD),
    ("554 5.4.7 delivery time expired", SOFT),
    ("550 5.7.1 user unknown", HARD),
    ("554 delivery error: dd This user doesn't have a mailbox here, account is disabled", HARD),
    ("552 mailbox is full", SOFT),
    ("550 Tài khoản không tồn tại", HARD),
    ("451 4.7.1 try again later", SOFT),
    ("550 nothing that we know", HARD),
]


@pytest.mark.parametrize(("words", "severity"), SEVERITIES)
def test_severity_follows_the_exact_code_then_the_words(words: str, severity: Severity) -> None:
    raw = returned("full").replace(
        b"smtp; 552 5.2.2 <vanthu@huyen.example> Quota exceeded (mailbox for user is full)", b"smtp; " + words.encode()
    )
    bounce = parse(raw)
    assert bounce is not None
    assert bounce.severity is severity


# --- Automatic replies ----------------------------------------------------------------------------------------------

AUTOMATIC = [
    {"Auto-Submitted": "auto-replied"},
    {"Auto-Submitted": "auto-generated; type=x"},
    {"X-Autoreply": "yes"},
    {"Precedence": "bulk"},
    {"Return-Path": "<>"},
    {"Subject": "Automatic reply: Nhắc hạn"},
    {"Subject": "Out of Office: Nhắc hạn"},
    {"Subject": "Trả lời tự động: Nhắc hạn"},
    {"Subject": "Thư trả lời tự động"},
    {"Subject": "Tự động trả lời: Nhắc hạn"},
    {"Subject": "Vắng mặt: công tác đến 20/6"},
    {"Subject": "Thông báo nghỉ phép"},
]
BY_HAND = [
    {"Subject": "Re: Nhắc hạn"},
    {"Subject": "Re: Nhắc hạn", "Auto-Submitted": "no"},
    {"Subject": "Báo cáo tự động hóa", "Return-Path": "<vanthu@huyen.example>"},
    {"Subject": ""},
]


def with_head(head: dict[str, str]) -> EmailMessage:
    message = EmailMessage()
    for name, value in head.items():
        message[name] = value
    return message_from_bytes(message.as_bytes(), policy=policy.default)


@pytest.mark.parametrize("head", AUTOMATIC)
def test_a_machine_is_told_from_a_person(head: dict[str, str]) -> None:
    assert is_auto_reply(with_head(head))


@pytest.mark.parametrize("head", BY_HAND)
def test_a_person_is_not_taken_for_a_machine(head: dict[str, str]) -> None:
    assert not is_auto_reply(with_head(head))


def test_an_absence_notice_on_file_is_automatic() -> None:
    assert is_auto_reply(message_from_bytes(returned("away"), policy=policy.default))
    assert not is_auto_reply(message_from_bytes(returned("person"), policy=policy.default))
