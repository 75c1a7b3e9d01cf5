"""A message read: whose words count, what they ask, and that nothing a stranger sends can break the reading."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.inbound import requests
from notifications.inbound.message import read_mail
from notifications.inbound.own_words import own_words, text_of_html
from notifications.inbound.requests import read_requests
from notifications.sms.replies import Acknowledge, Decline, Extend, MailReply, NotUnderstood, NotYet, without_marks

TODAY = date(2021, 6, 14)


def read(text: str) -> list[MailReply]:
    return list(read_requests(text, TODAY).requests)


@pytest.mark.parametrize(
    "text",
    [
        "Xác nhận",
        "xác nhận đã nhận.",
        "XN",
        "xn!",
        "ack",
        "Đã nhận, cảm ơn",
        "Dạ em xác nhận ạ",
        "Kính gửi Sở\nĐơn vị xác nhận đã nhận nhiệm vụ",
        "Acknowledged. Thanks!",
        "Received",
        "xac nhan da nhan duoc thu",
    ],
)
def test_what_acknowledges(text: str) -> None:
    found = read_requests(text, TODAY)
    assert (found.requests, found.rest) == ((Acknowledge(""),), "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Không xác nhận",
        "Chưa xác nhận được",
        "Tôi sẽ xác nhận sau",
        "Đã nhận nhưng không đồng ý với thời hạn",
        "Xác nhận, nếu Sở đồng ý lùi hạn",
        "Đã nhận?",
        "Đã nhận bàn giao tài sản",
        "Đã nhận được phản ánh của dân",
        "Xác nhận hoàn thành nhiệm vụ",
        "Xác nhận tham dự họp",
        "Ok không vấn đề gì",
        "Sở đã nhận được báo cáo của huyện chưa?",
        "Không gia hạn nữa, ngày 25/6 đơn vị nộp",
        "Đã được gia hạn đến 25/6 theo Công văn 12/UBND",
        "Việc này không thuộc thẩm quyền của Sở nhưng vẫn phối hợp",
        "Nếu không thuộc thẩm quyền của xã thì đề nghị chuyển",
        "Việc này không phải của chúng tôi",
        "Xác nhận giúp tôi hạn là ngày nào?",
        "Đề nghị Sở xác nhận lại hạn",
        "đơn vị chúng tôi " * 2000,
        "Khỏi gia hạn đến 30/6 vì đã xong",
        "Khỏi gia hạn đến 30/6",
        "Sở đồng ý gia hạn đến 30/6 rồi",
        "Sở cho gia hạn đến 30/6 vì chờ số liệu",
        "Thông báo về việc gia hạn đến 30/6 nộp thuế",
        "UBND xã nhận 12 đơn, trong đó 5 đơn không thuộc thẩm quyền",
        "Không thuộc thẩm quyền của xã là sai",
        "Đã nhận, trừ IV.2.3",
        "Đã nhận, gửi nhầm rồi",
        "Đã nhận, khỏi gia hạn đến 30/6 vì xong rồi",
        "Đơn vị nhầm, đã nhận",
        "Xã mất điện đã nhận",
        "Huyện báo xã chưa xong, hẹn 30/6 chờ kinh phí",
        "Chưa đến 30/6 vì chờ số liệu",
        "UBND xã Nậm Cắn đã nhận",
        "cảm ơn sở " * 25 + "nhé nhầm",
    ],
)
def test_what_does_not_acknowledge(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "until", "reason"),
    [
        ("GH 25/6 chờ số liệu của xã", date(2021, 6, 25), "chờ số liệu của xã"),
        ("Gia hạn đến 25/6: chờ số liệu", date(2021, 6, 25), "chờ số liệu"),
        ("Xin gia hạn đến ngày 5 tháng 7, chờ quyết toán", date(2021, 7, 5), "chờ quyết toán"),
        ("extend 25/6 waiting for figures", date(2021, 6, 25), "waiting for figures"),
    ],
)
def test_what_asks_for_an_extension(text: str, until: date, reason: str) -> None:
    assert read(text) == [Extend("", until, reason)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CHUA 30/6 chờ kinh phí", NotYet(date(2021, 6, 30), "chờ kinh phí")),
        ("Chưa thực hiện, hẹn ngày 30/6: chờ kinh phí", NotYet(date(2021, 6, 30), "chờ kinh phí")),
        ("Chưa xong, hẹn đến 30/6/2021 vì chờ xã", NotYet(date(2021, 6, 30), "vì chờ xã")),
        ("CHUA IV.16.2 30/6 thiếu người", NotYet(date(2021, 6, 30), "thiếu người", ("IV.16.2",))),
    ],
)
def test_what_reports_a_task_as_not_done_with_a_promise(text: str, expected: NotYet) -> None:
    assert read(text) == [expected]


SURE = [
    ("", "Đã nhận"),
    ("", "Dạ em đã nhận nhiệm vụ IV.2.1 rồi ạ"),
    ("", "UBND xã Nậm Cắn xác nhận đã nhận 3 nhiệm vụ, cảm ơn Sở"),
    ("", "Đã nhận, sẽ triển khai thực hiện"),
    ("", "Received, thank you"),
    ("Do chờ số liệu, ", "đơn vị đề nghị Sở cho gia hạn IV.2.1 đến hết ngày 25/6/2021"),
    ("Vì mưa lũ, ", "UBND xã xin gia hạn đến 25/6"),
    ("", "Nhiệm vụ IV.2.1 không thuộc thẩm quyền của UBND xã Nậm Cắn"),
    ("", "Không phải nhiệm vụ của đơn vị"),
]
"""Texts that act, behind their reason: whatever stands behind a reason would be part of it."""
OFFICE = ["UBND xã Nậm Cắn"]
LISTS = Path(str(requests.__file__)).read_text()


@pytest.mark.parametrize(("reason", "sure"), SURE)
def test_a_sure_text_acts(reason: str, sure: str) -> None:
    found = read_requests(reason + sure, TODAY, OFFICE)
    assert [type(each) for each in found.requests] in ([Acknowledge], [Extend], [Decline])
    assert found.rest == ""


@given(
    st.sampled_from(SURE),
    st.text("abcdefghijklmnopqrstuvwxyzđơưạếộ", min_size=3, max_size=9).filter(lambda w: without_marks(w) not in LISTS),
    st.integers(0, 30),
)
def test_a_word_of_no_list_before_within_or_behind_a_sure_text_leaves_it_to_a_person(
    text: tuple[str, str], word: str, place: int
) -> None:
    reason, sure = text
    words = sure.split(" ")
    at = place % (len(words) + 1)
    within = reason + " ".join([*words[:at], word, *words[at:]])
    for changed in (f"{word} {reason}{sure}", within, f"{reason}{sure} {word}"):
        asked = read_requests(changed, TODAY, OFFICE).requests
        assert all(isinstance(each, NotUnderstood) for each in asked), changed


def test_the_office_s_own_name_may_stand_before_what_it_says_and_no_other() -> None:
    names = ("Sở Tư pháp", "UBND xã Nậm Cắn")
    for name in (*names, "Ủy ban nhân dân xã Nậm Cắn", "Xã Nậm Cắn", "SỞ TƯ PHÁP", "so tu phap"):
        assert read_requests(f"{name} đã nhận", TODAY, names).requests == (Acknowledge(""),)
    assert read_requests("UBND xã Kỳ Sơn đã nhận", TODAY, names).requests == ()


def test_the_sign_that_ends_an_official_text_changes_nothing() -> None:
    assert read("Đơn vị đã nhận./.") == [Acknowledge("")]
    assert read("Xin gia hạn đến 25/6 vì chờ số liệu./.") == [Extend("", date(2021, 6, 25), "vì chờ số liệu")]


@pytest.mark.parametrize(
    "text", ["CHUA 31/2 chờ kinh phí", "CHUA 30/6", "Chưa xong, hẹn 1/6 chờ xã", "Chưa xong, hẹn 30/6 gặp ở Sở"]
)
def test_a_promise_without_a_day_to_come_or_a_reason_is_asked_back_for(text: str) -> None:
    (found,) = read(text)
    assert isinstance(found, NotUnderstood)
    assert "ngày hẹn hoàn thành" in str(found.answer)


@pytest.mark.parametrize("text", ["Chưa nhận được công văn ngày 30/6", "Chưa rõ nội dung", "Chúng tôi chưa xong"])
def test_not_every_chua_is_a_report(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    "text",
    ["Gia hạn giúp đơn vị", "GH 31/2 lý do", "GH 25/6", "Xin gia hạn", "Xin gia hạn đến 25/6 rồi", "GH 25/6 nộp thuế"],
)
def test_an_extension_without_a_day_or_a_reason_is_asked_back_for(text: str) -> None:
    (found,) = read(text)
    assert isinstance(found, NotUnderstood)
    assert "ngày xin gia hạn" in str(found.answer)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Việc này trùng việc năm trước\nXN\nđề nghị xem lại", "Việc này trùng việc năm trước\nđề nghị xem lại"),
        ("XN\nTrân trọng\nNguyễn Thị A\nPhó Chánh Văn phòng\nĐT: 0238 3000 000", ""),
        ("XN\nTrân trọng.\nPhòng Lao động\nĐề nghị gọi lại", "Đề nghị gọi lại"),
        ("Kính gửi Sở,\nDạ vâng.\nĐã nhận\nCảm ơn ạ.", ""),
        ("GH 25/6 chờ số liệu\nXã Nậm Cắn chưa gửi.", "Xã Nậm Cắn chưa gửi."),
        ("KK: thiếu người\nở hai xã\nTrân trọng\nĐề nghị gọi lại", "Đề nghị gọi lại"),
    ],
)
def test_what_is_said_beside_a_request_is_kept_without_greeting_and_signature(text: str, rest: str) -> None:
    assert read_requests(text, TODAY).rest == rest


def test_attached_files_are_named_and_the_picture_of_a_signature_is_not() -> None:
    raw = (
        "From: a@so.example\nContent-Type: multipart/mixed; boundary=x\n\n"
        "--x\nContent-Type: text/plain; charset=utf-8\n\nXác nhận\n"
        "--x\nContent-Type: image/png; name=logo.png\nContent-ID: <logo>\nContent-Disposition: inline\n\n.\n"
        '--x\nContent-Type: application/pdf; name="=?utf-8?B?QsOhbyBjw6FvLnBkZg==?="\n'
        "Content-Disposition: attachment\n\n.\n"
        "--x\nContent-Type: application/msword\nContent-Disposition: attachment;\n"
        " filename*=UTF-8''m%E1%BA%ABu.doc\n\n.\n"
        "--x\nContent-Type: message/rfc822\nContent-Disposition: attachment\n\nSubject: x\n\ny\n--x--\n"
    )
    files = read_mail(raw.encode()).files
    assert [(each.name, each.body) for each in files] == [
        ("Báo cáo.pdf", b"."),
        ("mẫu.doc", b"."),
        ("message/rfc822", None),
    ]


@pytest.mark.parametrize(
    "quoted",
    [
        "Vào Th 4, 7 thg 4, 2021 lúc 07:30 Đôn Đốc <a@so.example> đã viết:\n> Xác nhận đã nhận",
        "On Wed, Apr 7, 2021 at 7:30 AM Don Doc <a@so.example> wrote:\n> Xác nhận",
        "On Wed, Apr 7, 2021 at 7:30 AM Don Doc\n<a@so.example> wrote:\n> Xác nhận",
        "-----Original Message-----\nXác nhận",
        "________________________________\nFrom: Đôn Đốc\nXác nhận",
        "From: Đôn Đốc <a@so.example>\nXác nhận",
        "Từ: Đôn Đốc <a@so.example>\nXác nhận",
        "-- \nXác nhận",
    ],
)
def test_what_a_mail_program_quotes_is_not_what_the_person_said(quoted: str) -> None:
    assert own_words(f"Ai làm việc này?\n\n{quoted}").above == "Ai làm việc này?"


def test_of_an_html_mail_the_words_outside_the_quotation_count() -> None:
    raw = (
        "From: a@so.example\nContent-Type: text/html; charset=utf-8\n\n"
        "<style>p{}</style><p>X&aacute;c nhận</p><blockquote><p>Không phải lời người viết</p></blockquote>"
    )
    assert read(read_mail(raw.encode()).own.above) == [Acknowledge("")]


HIDDEN = [
    '<p style="display:none">Đã nhận</p>',
    '<p style="color:red; DISPLAY : none !important">Đã nhận</p>',
    '<div style="display:none"><p style="display:block">Đã nhận</p></div>',
    '<p style="visibility:hidden">Đã nhận</p>',
    '<p style="mso-hide:all">Đã nhận</p>',
    "<p hidden>Đã nhận</p>",
    '<p style="font-size:0">Đã nhận</p>',
    '<p style="font-size:12px;font-size:00.0pt">Đã nhận</p>',
    '<p style="font-size:0px">Đã <b>nhận</b></p>',
    '<p style="font-size:.0em">Đã nhận</p>',
    '<p style="max-height:0;overflow:hidden">Đã nhận</p>',
    '<p style="height:0px;overflow:hidden">Đã nhận</p>',
    '<p style="color:#fff">Đã nhận</p>',
    '<p style="color:WHITE;background:#ffffff none repeat">Đã nhận</p>',
    '<font color="#FFFFFF">Đã nhận</font>',
    '<p style="color:rgb(255, 255, 255)">Đã nhận</p>',
    "<!-- Đã nhận -->",
    "<!--[if mso]><p>Đã nhận</p><![endif]-->",
    "<template>Đã nhận</template>",
]


@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_an_html_mail_does_not_show_is_not_read(hidden: str) -> None:
    page = f"<!doctype html><html><body>{hidden}<p>Việc này ai làm?</p></body></html>"
    assert text_of_html(page).strip() == "Việc này ai làm?"


@pytest.mark.parametrize(
    "shown",
    [
        '<p style="display:block;font-size:10.0px">Đã nhận</p>',
        '<table bgcolor="#003366"><tr><td style="color:#fff">Đã nhận</td></tr></table>',
        '<div style="background-color:navy"><p style="color:white">Đã nhận</p></div>',
        '<div style="color:#fff"><p style="color:#333">Đã nhận</p></div>',
        '<div style="font-size:0"><p style="font-size:13px">Đã nhận</p></div>',
        '<div style="visibility:hidden"><p style="visibility:visible">Đã nhận</p></div>',
        '<p style="height:0;margin:0">Đã nhận</p>',
        '<p style="color">Đã nhận</p>',
    ],
)
def test_what_an_html_mail_shows_is_read_whatever_stands_around_it(shown: str) -> None:
    assert text_of_html(shown).strip() == "Đã nhận"


def test_an_html_mail_of_very_many_lines_is_read_line_by_line() -> None:
    page = "<p>Đã nhận</p>" + "<br>x" * 30_000
    assert text_of_html(page).split() == ["Đã", "nhận", *["x"] * 30_000]


def test_a_number_of_tasks_is_read_with_what_is_received() -> None:
    assert read("Đã nhận 02 nhiệm vụ") == [Acknowledge("", (), 2)]
    assert read("Xác nhận nhận đủ ba việc") == [Acknowledge("", (), 3)]


def test_two_days_for_two_tasks_in_one_sentence_are_asked_about() -> None:
    (found,) = read("Gia hạn IV.2.1 đến 25/6, IV.2.2 đến 30/6 vì chờ số liệu")
    assert isinstance(found, NotUnderstood)


def test_what_it_answers_the_nearest_first() -> None:
    raw = b"From: a@so.example\nReferences: <1@x.example> <2@x.example>\nIn-Reply-To: <2@x.example>\n\nx"
    assert read_mail(raw).names == ("<2@x.example>", "<1@x.example>")


@pytest.mark.parametrize("sender", ["", "a@so.example, b@so.example", "no mailbox at all"])
def test_a_message_of_nobody_or_of_several_has_no_sender(sender: str) -> None:
    assert read_mail(f"From: {sender}\n\nXN".encode()).sender == ""


def test_a_message_without_an_id_has_one_made_from_its_bytes() -> None:
    first, second = (read_mail(f"From: a@so.example\n\n{text}".encode()) for text in ("x", "y"))
    assert first.id.startswith("sha256:")
    assert first.id != second.id


@given(st.binary(max_size=400))
def test_whatever_strangers_send_is_read_as_far_as_it_can_be(raw: bytes) -> None:
    for each in (raw, b"From: a@so.example\nContent-Type: text/html; charset=x\n\n" + raw, b"From: " + raw):
        found = read_mail(each)
        assert len(found.id) <= 255
        read_requests(found.own.above, TODAY)
