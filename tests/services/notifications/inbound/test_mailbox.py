"""The mailbox, against a real Dovecot: fetched once, marked only when done, whatever breaks in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from ground.dovecot import PASSWORD, Dovecot, running_dovecot
from imapclient import IMAPClient

from engine.errors import BadInput, Unavailable
from notifications.email.relay import Security
from notifications.inbound.mailbox import Inbox

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as started:
        yield started


def inbox(dovecot: Dovecot, user: str, password: str = PASSWORD, **more: str) -> Inbox:
    return Inbox(
        host="127.0.0.1",
        username=user,
        password=password,
        port=dovecot.port,
        security=Security.NONE,
        timeout=10,
        **more,
    )  # type: ignore[arg-type]


def message(number: int) -> bytes:
    return f"From: a@so.example\nMessage-ID: <{number}@so.example>\nSubject: {number}\n\nxin chào {number}\n".encode()


def test_messages_come_once_oldest_first_and_are_marked(dovecot: Dovecot) -> None:
    for number in range(3):
        dovecot.put("once", message(number))
    first = list(inbox(dovecot, "once").messages(NOW))
    assert [b"xin ch\xc3\xa0o %d" % n in raw for n, raw in enumerate(first)] == [True, True, True]
    assert list(inbox(dovecot, "once").messages(NOW)) == []
    assert dovecot.flags("once") == [{b"\\Seen", b"DondocDone"}] * 3


def test_a_crash_between_fetching_and_marking_brings_the_same_message_again(dovecot: Dovecot) -> None:
    for number in range(2):
        dovecot.put("crash", message(number))
    fetched = inbox(dovecot, "crash").messages(NOW)
    next(fetched)
    fetched.close()  # type: ignore[attr-defined]
    assert dovecot.flags("crash") == [set(), set()]
    assert len(list(inbox(dovecot, "crash").messages(NOW))) == 2


def test_what_somebody_has_read_with_a_mail_program_is_fetched_all_the_same(dovecot: Dovecot) -> None:
    dovecot.put("read", message(1), b"\\Seen")
    assert len(list(inbox(dovecot, "read").messages(NOW))) == 1


def test_of_a_huge_message_the_beginning_is_fetched(dovecot: Dovecot) -> None:
    dovecot.put("huge", message(1) + b"x" * 600_000)
    (raw,) = inbox(dovecot, "huge").messages(NOW)
    assert len(raw) == 262_144


def test_a_wrong_password_says_which_setting_to_mend(dovecot: Dovecot) -> None:
    with pytest.raises(BadInput, match="imap_password"):
        list(inbox(dovecot, "wrong", "not this").messages(NOW))


def test_a_folder_that_is_not_there_says_which_setting_to_mend(dovecot: Dovecot) -> None:
    with pytest.raises(BadInput, match="imap_folder"):
        list(inbox(dovecot, "folder", folder="Nowhere").messages(NOW))


def test_a_server_out_of_reach_loses_nothing_and_says_so() -> None:
    with pytest.raises(Unavailable, match="read later"):
        list(
            Inbox(host="127.0.0.1", username="x", password="y", port=1, security=Security.NONE, timeout=2).messages(NOW)
        )


def test_a_connection_that_breaks_in_the_middle_keeps_what_is_not_done(dovecot: Dovecot) -> None:
    for number in range(3):
        dovecot.put("breaks", message(number))
    fetched = inbox(dovecot, "breaks").messages(NOW)
    next(fetched)
    next(fetched)
    with IMAPClient("127.0.0.1", port=dovecot.port, ssl=False, timeout=10) as other:
        other.login("breaks", PASSWORD)
        other.select_folder("INBOX")
        other.delete_messages(other.search("ALL")[1:])
        other.expunge()
    assert len([*fetched]) == 0
    assert dovecot.flags("breaks") == [{b"\\Seen", b"DondocDone"}]


def test_a_password_never_crosses_the_network_in_the_clear() -> None:
    with pytest.raises(BadInput, match="in the clear"):
        Inbox(host="imap.so.example", username="x", password="y", security=Security.NONE)
