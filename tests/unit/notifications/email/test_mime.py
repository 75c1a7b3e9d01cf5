"""Messages as any mail reader would read them: the standard library's parser is the judge."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInput
from notifications.contract.channel import Outgoing
from notifications.email.mime import Sender, compose

SENDER = Sender("nhacviec@so.example", "Đôn Đốc – Sở Lao động, Thương binh và Xã hội tỉnh")
MONDAY = datetime(2021, 6, 14, 1, tzinfo=UTC)
VIETNAMESE = st.text("aăâbcdđeêghiklmnoôơpqrstuưvxyàảãáạằẳẵắặầẩẫấậÀẢÃÁẠĐ ,.:;\"'<>@()[]\\=?_-/0123456789", max_size=200)
ANYTHING = st.text(max_size=300)
LINES = st.lists(st.one_of(ANYTHING, VIETNAMESE, st.just("."), st.just("..x"), st.just("x" * 2000)), max_size=8)
BODY = st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\r"])).map(lambda each: each[1].join(each[0]))


def letter(**facts: Any) -> Outgoing:
    usual = {"key": "assignment:418:T-3", "to": "vanthu@huyen.example", "text": "Kính gửi", "at": MONDAY}
    return Outgoing(**(usual | facts))


def read(each: Outgoing, sender: Sender = SENDER) -> EmailMessage:
    return message_from_bytes(compose(each, sender)[1], policy=policy.default)


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def person(each: Outgoing, name: str) -> tuple[str, str]:
    """Display name and mailbox by the older parser: the newer one puts a space between two RFC 2047 words of a name,
    against §6.2 of that RFC."""
    display, mailbox = parseaddr(str(message_from_bytes(compose(each, SENDER)[1], policy=policy.compat32)[name]))
    return str(make_header(decode_header(display))), mailbox


def one_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(BODY, BODY)
def test_bodies_are_read_as_they_were_written(text: str, html: str) -> None:
    message = read(letter(text=text, html=html))
    assert body(message, "plain") == one_line_end(text)
    if html:
        assert body(message, "html") == one_line_end(html)
    assert not any(part.defects for part in message.walk())


@given(st.one_of(VIETNAMESE, ANYTHING))
def test_a_subject_is_read_as_it_was_written_on_one_line(subject: str) -> None:
    message = read(letter(subject=subject))
    shown = subject if subject.isprintable() else re.sub("[\x00-\x1f\x7f]", " ", subject)
    assert str(message["Subject"]) == " ".join(shown.split())
    assert message.keys().count("Subject") == 1


@given(VIETNAMESE)
def test_a_persons_name_is_read_as_it_was_written(name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    found = person(letter(to=f'"{quoted}" <vanthu@huyen.example>'), "To")
    assert found == (" ".join(name.split()), "vanthu@huyen.example")


@given(st.one_of(VIETNAMESE, ANYTHING), BODY, BODY, st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_no_line_is_too_long_and_every_line_ends_in_crlf(subject: str, text: str, html: str, value: str) -> None:
    _, content = compose(letter(subject=subject, text=text, html=html, headers={"X-Note": value}), SENDER)
    lines = content.split(b"\r\n")
    assert lines[-1] == b""
    assert max(map(len, lines)) <= 998
    assert not re.search(rb"[\r\n]", b"".join(lines))
    assert content.isascii()
    assert not any(line.startswith(b".") for line in lines)
    assert all(len(word) <= 75 for word in re.findall(rb"=\?utf-8\?B\?[^?]*\?=", content))


def test_a_message_carries_what_a_relay_and_a_reader_expect() -> None:
    message = read(letter(subject="[KH 188/KH-UBND] 3 nhiệm vụ", html="<p>Kính gửi</p>", headers={"X-Plan": "188"}))
    assert person(letter(), "From") == (SENDER.name, SENDER.mailbox)
    assert message["Date"].datetime == MONDAY
    assert str(message["Date"]) == "Mon, 14 Jun 2021 08:00:00 +0700"
    expected = {"Auto-Submitted": "auto-generated", "Content-Language": "vi", "X-Plan": "188", "MIME-Version": "1.0"}
    assert {name: message[name] for name in expected} == expected
    assert message["Precedence"] is None
    assert message.get_content_type() == "multipart/alternative"


def test_a_letter_without_html_is_one_plain_part() -> None:
    assert read(letter()).get_content_type() == "text/plain"


def test_the_same_key_gives_the_same_message_to_the_byte() -> None:
    first, again = compose(letter(html="<p>x</p>"), SENDER), compose(letter(html="<p>x</p>"), SENDER)
    other, _ = compose(letter(key="assignment:418:T-1"), SENDER)
    assert first == again
    assert re.fullmatch(r"<[0-9a-f]{32}@so\.example>", first[0])
    assert other != first[0]


def test_a_way_out_is_one_click_only_over_https() -> None:
    secure, plain = (read(letter(unsubscribe=f"{scheme}://x.example/u/1")) for scheme in ("https", "http"))
    assert secure["List-Unsubscribe"] == "<https://x.example/u/1>"
    assert secure["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert plain["List-Unsubscribe-Post"] is None


def test_a_reply_to_a_person_may_say_so() -> None:
    thread = " ".join(f"<{number:040}@so.example>" for number in range(40))
    message = read(letter(headers={"Auto-Submitted": "auto-replied", "References": thread}))
    assert message.get_all("Auto-Submitted") == ["auto-replied"]
    assert str(message["References"]).split() == thread.split()


def test_a_header_beyond_ascii_is_encoded() -> None:
    assert str(read(letter(headers={"X-Note": "đầu mối " * 30}))["X-Note"]) == ("đầu mối " * 30).strip()


def test_a_mailbox_beyond_ascii_stands_in_the_header_as_it_is() -> None:
    _, content = compose(letter(to="Đầu mối <đầumối@huyện.example>"), SENDER)
    assert "<đầumối@xn--huyn-nw5a.example>".encode() in content


REFUSED: list[dict[str, Any]] = [
    {"to": "a@b.example\r\nBcc: c@d.example"},
    {"to": "Văn thư\nBcc: c@d.example <a@b.example>"},
    {"headers": {"X-Note": "a\r\nBcc: c@d.example"}},
    {"headers": {"X-Note\r\nBcc": "c@d.example"}},
    {"headers": {"Bcc": "c@d.example"}},
    {"headers": {"content-type": "text/html"}},
    {"headers": {"X-Note": "x" * 1000}},
    {"unsubscribe": "https://x.example/\r\nBcc: c@d.example"},
    {"unsubscribe": "https://x.example/a b"},
    {"language": "vi\r\nBcc: c@d.example"},
    {"at": datetime(2021, 6, 14)},
]


@pytest.mark.parametrize("facts", REFUSED)
def test_what_could_smuggle_a_header_is_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        compose(letter(**facts), SENDER)


def test_a_line_break_in_a_subject_cannot_become_a_header() -> None:
    message = read(letter(subject="Nhắc hạn\r\nBcc: c@d.example\r\n\r\nxấu"))
    assert message["Bcc"] is None
    assert str(message["Subject"]) == "Nhắc hạn Bcc: c@d.example xấu"


@pytest.mark.parametrize("sender", [("không@so.example", ""), ("so.example", ""), ("a@so.example", "x\r\nBcc: y")])
def test_a_sender_that_cannot_be_written_is_a_mistake_in_the_settings(sender: tuple[str, str]) -> None:
    with pytest.raises(BadInput):
        Sender(*sender)


@given(st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)))
def test_the_date_is_the_instant_in_viet_nams_time(naive: datetime) -> None:
    at = naive.replace(tzinfo=UTC, microsecond=0)
    assert read(letter(at=at))["Date"].datetime == at
    assert read(letter(at=at))["Date"].datetime.utcoffset() == timedelta(hours=7)
