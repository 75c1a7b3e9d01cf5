"""A message read: whose words count, and that nothing a stranger sends can break the reading."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.inbound.message import read_mail
from notifications.inbound.own_words import own_words, text_of_html
from notifications.inbound.requests import read_requests

TODAY = date(2021, 6, 14)


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
    assert [(each.name, each.body) for each in files] == [("Báo cáo.pdf", b"."), ("mẫu.doc", b".")]


INNER = (
    "From: b@so.example\nContent-Type: multipart/mixed; boundary=y\n\n--y\nContent-Type: text/plain\n\nXN\n"
    "--y\nContent-Type: application/pdf; name=bc.pdf\nContent-Disposition: attachment\n\n.\n"
    "--y\nContent-Type: message/rfc822\nContent-Disposition: attachment\n\nSubject: z\n\nz\n--y--\n"
)


@pytest.mark.parametrize("head", ["message/rfc822", "application/octet-stream; name=thu.eml"])
def test_an_attached_mail_is_opened_once_for_its_files_and_its_words_are_not_the_writer_s(head: str) -> None:
    """«Đã nhận» of somebody else, forwarded as a file, acted."""
    raw = (
        f"From: a@so.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: {head}\n"
        f"Content-Disposition: attachment\n\n{INNER}\n--x--\n"
    )
    read = read_mail(raw.encode())
    assert (read.own.above, [each.name for each in read.files]) == ("", ["bc.pdf", "message/rfc822"])
    assert "XN" in read.text, "a person may read it"


def test_cells_of_a_table_do_not_run_together() -> None:
    assert text_of_html("<table><tr><td>Đã nhận</td><td>Phòng A</td></tr></table>").split() == [
        "Đã",
        "nhận",
        "Phòng",
        "A",
    ]


def test_an_old_font_under_ascii_keeps_its_bytes() -> None:
    raw = b"From: a@so.example\nContent-Type: text/plain; charset=us-ascii\n\n\xa7\xb7 nh\xcbn"
    assert read_mail(raw).own.above.casefold() == "đã nhận"


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
    assert read_mail(raw.encode()).own.above == "Xác nhận"


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
