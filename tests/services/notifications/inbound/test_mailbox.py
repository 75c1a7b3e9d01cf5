"""The mailbox, against a real Dovecot: fetched once, marked only when done, whatever breaks in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from ground.dovecot import PASSWORD, Dovecot, running_dovecot
from imapclient import IMAPClient

from engine.errors import BadInput, Unavailable
from notifications.email.connection import Security
from notifications.inbound.fetching import Inbox
from notifications.inbound.message import read_mail

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as started:
        yield started


def inbox(dovecot: Dovecot, user: str, password: str = PASSWORD) -> Inbox:
    return Inbox(
        host="127.0.0.1",
        username=user,
        password=password,
        port=dovecot.port,
        security=Security.NONE,
        timeout=10,
    )


def message(number: int) -> bytes:
    return f"From: a@so.example\nMessage-ID: <{number}@so.example>\nSubject: {number}\n\nxin chào {number}\n".encode()


def test_messages_come_once_oldest_first_and_are_marked(dovecot: Dovecot) -> None:
    for number in range(3):
        dovecot.put("once", message(number))
    first = list(inbox(dovecot, "once").messages(NOW))
    assert [b"xin ch\xc3\xa0o %d" % n in raw for n, raw in enumerate(first)] == [True, True, True]
    assert list(inbox(dovecot, "once").messages(NOW)) == []
    assert dovecot.flags("once") == [{b"\\Seen", b"DondocDone"}] * 3


def test_what_we_keep_there_stands_alone_and_is_no_answer_to_read(dovecot: Dovecot) -> None:
    name, box = "<1.key@mark.dondoc>", inbox(dovecot, "kept")
    assert box.kept(name) is None
    dovecot.put("kept", message(1), b"\\Deleted")  # by somebody, in a mail program
    for text in ('{"epoch": "a"}', '{"epoch": "b"}'):
        box.keep(name, "How far letters were sent", text)
        assert box.kept(name) == text
    assert sorted(dovecot.flags("kept"), key=len) == [{b"\\Deleted"}, {b"\\Seen", b"DondocDone"}]
    assert b"epoch" not in b"".join(box.messages(NOW))
    assert b'{"epoch": "b"}' in (box.take_out(name) or b"")
    assert box.kept(name) is None


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


def test_of_a_large_mail_the_text_is_read_below_its_files_and_what_is_too_large_is_left_there(
    dovecot: Dovecot,
) -> None:
    """A PDF above the text hid the text."""
    letter = EmailMessage()
    letter["From"], letter["Message-ID"], letter["Subject"] = "a@so.example", "<9@so.example>", "Báo cáo"
    letter.make_mixed()
    pdf = b"%PDF-1.4" + bytes(range(256)) * 2_000
    for name, body in (("bao-cao.pdf", pdf), ("phim.pdf", b"%PDF-1.4" + bytes(11_000_000))):
        letter.add_attachment(body, maintype="application", subtype="pdf", filename=name)
    text = EmailMessage()
    text.set_content("Đã nhận, gửi báo cáo.")
    letter.attach(text)
    dovecot.put("large", letter.as_bytes())
    (raw,) = inbox(dovecot, "large").messages(NOW)
    found = read_mail(raw)
    assert (found.id, found.subject, found.own.above) == ("<9@so.example>", "Báo cáo", "Đã nhận, gửi báo cáo.")
    assert [(each.name, each.body) for each in found.files] == [("bao-cao.pdf", pdf), ("phim.pdf", None)]
    assert len(raw) < 1_000_000


def test_what_lay_unread_over_tet_is_read(dovecot: Dovecot) -> None:
    dovecot.put("tet", message(1))
    found: list[int] = []
    for now, many in ((NOW + timedelta(days=60), 0), (NOW + timedelta(days=30), 1)):
        assert len(list(inbox(dovecot, "tet").messages(now, found.append))) == many
    assert found == [0, 1]


def test_of_a_huge_message_the_beginning_is_fetched(dovecot: Dovecot) -> None:
    dovecot.put("huge", message(1) + b"x" * 600_000)
    (raw,) = inbox(dovecot, "huge").messages(NOW)
    assert len(raw) == 262_144


def test_a_wrong_password_says_which_setting_to_mend(dovecot: Dovecot) -> None:
    with pytest.raises(BadInput, match="DONDOC_IMAP_PASSWORD"):
        list(inbox(dovecot, "wrong", "not this").messages(NOW))


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
