"""What an answer asks: sure by a closed grammar, else proposed with the form filled in, else left to a person."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.correspondence.message_acts import Request
from engine.rules.vietnamese import without_marks
from engine.terms import Ask
from notifications.inbound import requests
from notifications.inbound.requests import ReadReply, read_requests

TODAY, DUE = date(2021, 6, 14), date(2021, 6, 17)
OFFICE = ["UBND xã Nậm Cắn"]


def read(text: str, names: list[str] | None = None) -> ReadReply:
    return read_requests(text, TODAY, OFFICE if names is None else names, since=DUE)


def proposed(text: str) -> list[tuple[Ask, date | None]]:
    found = read(text)
    assert found.sure == (), "it acted"
    return [(each.ask, each.on) for each in found.proposed]


ACKNOWLEDGED = (Request(ask=Ask.ACKNOWLEDGE),)
ACKNOWLEDGEMENTS = [
    "Xác nhận",
    "xác nhận đã nhận.",
    "XN",
    "xn!",
    "ack",
    "Đã nhận, cảm ơn",
    "Dạ em xác nhận ạ",
    "Acknowledged. Thanks!",
    "Received",
    "xac nhan da nhan duoc thu",
    "Đơn vị đã nhận./.",
    "UBND xã Nậm Cắn đã nhận nhiệm vụ",
    "Xã đã nhận đủ, trân trọng cảm ơn",
    "Đã nhận, đơn vị sẽ triển khai thực hiện đúng thời hạn",
]


@pytest.mark.parametrize(
    "text",
    [
        *ACKNOWLEDGEMENTS,
        "Kính gửi Sở\nĐơn vị xác nhận đã nhận nhiệm vụ",
        "Kính gửi: Sở Lao động - Thương binh và Xã hội\nDạ vâng.\nĐã nhận\nCảm ơn ạ.",
        "XN\nTrân trọng\nNguyễn Thị A\nPhó Chánh Văn phòng\nĐT: 0238 3000 000",
        "Đã nhận, trân trọng!\nVăn phòng HĐND - UBND huyện",
        "Đã nhận.\nCONFIDENTIALITY NOTICE: this message is for its recipient\nonly and may not be forwarded.",
        "Đã nhận.\nThư này và tệp đính kèm có thể chứa thông tin mật của người nhận.",
    ],
)
def test_a_standard_acknowledgement_is_sure_without_greeting_signature_and_footer(text: str) -> None:
    found = read(text)
    assert (found.sure, found.rest) == (ACKNOWLEDGED, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Đã nhận 02 nhiệm vụ", Request(ask=Ask.ACKNOWLEDGE, count=2)),
        ("Đã nhận cả hai", Request(ask=Ask.ACKNOWLEDGE, count=2)),
        ("Xác nhận IV.2.3", Request(ask=Ask.ACKNOWLEDGE, citations=("IV.2.3",))),
        ("GH 25/6 chờ số liệu của xã", Request(ask=Ask.DAY, on=date(2021, 6, 25), text="chờ số liệu của xã")),
        ("Gia hạn đến 25/6: chờ số liệu", Request(ask=Ask.DAY, on=date(2021, 6, 25), text="chờ số liệu")),
        (
            "GH IV.2.1, IV.2.2 5/7 do chờ xã",
            Request(ask=Ask.DAY, citations=("IV.2.1", "IV.2.2"), on=date(2021, 7, 5), text="do chờ xã"),
        ),
        ("extend 25/6 waiting for figures", Request(ask=Ask.DAY, on=date(2021, 6, 25), text="waiting for figures")),
        ("CHUA 30/6 chờ kinh phí", Request(ask=Ask.NOT_YET, on=date(2021, 6, 30), text="chờ kinh phí")),
        (
            "CHUA IV.16.2 30/6 thiếu người",
            Request(ask=Ask.NOT_YET, citations=("IV.16.2",), on=date(2021, 6, 30), text="thiếu người"),
        ),
        ("GH hết quý II chờ số liệu", Request(ask=Ask.DAY, on=date(2021, 6, 30), text="chờ số liệu")),
        ("KK: thiếu người", Request(ask=Ask.DIFFICULTY, text="thiếu người")),
        ("Khó khăn, vướng mắc: thiếu người\nở hai xã.", Request(ask=Ask.DIFFICULTY, text="thiếu người ở hai xã.")),
        ("Hỏi: nộp ở đâu?", Request(ask=Ask.QUESTION, text="nộp ở đâu")),
        ("TL: đã giao phòng A", Request(ask=Ask.ANSWER, text="đã giao phòng A")),
    ],
)
def test_the_taught_words_are_sure(text: str, expected: Request) -> None:
    assert read(text).sure == (expected,)


def test_several_lines_are_sure_only_if_each_is() -> None:
    assert len(read("XN\nCHUA 30/6 chờ xã; KK: thiếu xe").sure) == 3
    assert read("XN\nCHUA 30/6 chờ xã\nviệc này trùng").sure == ()


LISTS = without_marks(Path(str(requests.__file__)).read_text() + OFFICE[0])


@given(
    st.sampled_from(ACKNOWLEDGEMENTS),
    st.text("abcdefghijklmnopqrstuvwxyzđơưạếộ", min_size=2, max_size=9).filter(
        lambda word: not re.search(rf"\b{without_marks(word)}\b", LISTS)
    ),
    st.integers(0, 30),
)
def test_a_word_of_no_list_before_within_or_behind_a_sure_text_leaves_it_to_a_person(
    sure: str, word: str, place: int
) -> None:
    words = sure.split(" ")
    at = place % (len(words) + 1)
    within = " ".join([*words[:at], word, *words[at:]])
    for changed in (f"{word} {sure}", within, f"{sure} {word}", f"{word}\n{sure}", f"{sure}\n{word}"):
        assert read(changed).sure == (), changed


@given(
    st.sampled_from(["GH 25/6 chờ số liệu", "CHUA IV.2.1 30/6 do thiếu người", "KK: thiếu xe", "Hỏi: nộp ở đâu?"]),
    st.text("abcdefghijklmnopqrstuvwxyzđơưạếộ", min_size=2, max_size=9).filter(
        lambda word: not re.search(rf"\b{without_marks(word)}\b", LISTS)
    ),
)
def test_a_word_before_a_taught_one_leaves_it_to_a_person(sure: str, word: str) -> None:
    """Behind it stand a reason or free words, which are kept as they are."""
    assert read(f"{word} {sure}").sure == ()


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
        "Đã nhận Công văn số 12/BC-UBND ngày 25/6 của Sở Tài chính",
        "Xác nhận hoàn thành nhiệm vụ",
        "Ok không vấn đề gì",
        "Sở đã nhận được báo cáo của huyện chưa?",
        "Không gia hạn nữa, ngày 25/6 đơn vị nộp",
        "Đã được gia hạn đến 25/6 theo Công văn 12/UBND",
        "Không GH 25/6 chờ số liệu",
        "GH 25/6 nhưng nay không cần nữa",
        "GH 25/6 vì chờ số liệu, đã xong rồi",
        "GH 25/6 nộp thuế",
        "GH IV.2.1 25/6, IV.2.2 30/6 vì chờ số liệu",
        "Chưa 30/6 đâu",
        "Chưa đến 30/6 vì chờ số liệu",
        "Khỏi gia hạn đến 30/6 vì đã xong",
        "Sở đồng ý gia hạn đến 30/6 rồi",
        "Thông báo về việc gia hạn đến 30/6 nộp thuế",
        "Việc này không phải của chúng tôi",
        "Không thuộc thẩm quyền của xã là sai",
        "Đã nhận, trừ IV.2.3",
        "Khó khăn, vướng mắc: không có.",
        "KK không",
        "Đã nhận, gửi nhầm rồi",
        "Đơn vị nhầm, đã nhận",
        "Đồng chí Nam báo “đã nhận”",
        "Đã nhắn",
        "UBND xã Kỳ Sơn đã nhận",
        "Huyện báo xã chưa xong, hẹn 30/6 chờ kinh phí",
        "Đã nhận.\nTrân trọng\nGửi nhầm rồi",
        "cảm ơn sở " * 25 + "nhé nhầm",
        "đơn vị chúng tôi " * 2000,
    ],
)
def test_what_says_the_opposite_something_else_or_of_another_paper_acts_on_nothing(text: str) -> None:
    assert read(text).sure == ()


def test_the_office_s_own_names_of_the_directory_may_stand_before_what_it_says_and_no_other() -> None:
    names = ["Sở Tư pháp", "UBND xã Nậm Cắn", "Kho bạc Nhà nước Nghệ An", "Hội Nông dân tỉnh", "Đảng ủy Khối"]
    own = [
        "Ủy ban nhân dân xã Nậm Cắn",
        "Xã Nậm Cắn",
        "Nậm Cắn",
        "SỞ TƯ PHÁP",
        "so tu phap",
        "Kho bạc",
        "Hội",
        "Đảng ủy",
    ]
    for name in (*names, *own):
        assert read(f"{name} đã nhận", names).sure == ACKNOWLEDGED, name
    assert read("UBND xã Kỳ Sơn đã nhận", names).sure == ()


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Xin gia hạn đến ngày 5 tháng 7, chờ quyết toán", [(Ask.DAY, date(2021, 7, 5))]),
        ("Đề nghị Sở cho lùi thời hạn báo cáo từ 17/6 đến 25/6 vì mưa lũ", [(Ask.DAY, date(2021, 6, 25))]),
        ("Xin gia hạn thêm 1 tuần do chờ xã", [(Ask.DAY, date(2021, 6, 24))]),
        ("Chưa xong, hẹn thứ Sáu tuần tới vì chờ xã", [(Ask.NOT_YET, date(2021, 6, 25))]),
        ("Đơn vị sẽ gửi báo cáo trước 17 giờ ngày 25/6", [(Ask.NOT_YET, date(2021, 6, 25))]),
        ("Chưa hoàn thành. Hẹn cuối tháng. Lý do: chờ Bộ.", [(Ask.NOT_YET, date(2021, 6, 30))]),
        ("Đã nhận. Xin gia hạn đến 25/6 vì chờ xã", [(Ask.ACKNOWLEDGE, None), (Ask.DAY, date(2021, 6, 25))]),
        ("Nhiệm vụ này không thuộc thẩm quyền của xã", [(Ask.DECLINE, None)]),
        ("Gửi nhầm cơ quan rồi", [(Ask.DECLINE, None)]),
        ("Xã gặp khó khăn về kinh phí", [(Ask.DIFFICULTY, None)]),
        ("Biểu mẫu lấy ở đâu?", [(Ask.QUESTION, None)]),
        ("Phòng LĐ-TB&XH huyện đã nhận được thư nhắc", [(Ask.ACKNOWLEDGE, None)]),
        ("Xin gia hạn", [(Ask.DAY, None)]),
        ("Khỏi gia hạn", []),
        ("E nhận đc r ạ", [(Ask.ACKNOWLEDGE, None)]),
        ("Ok e", [(Ask.ACKNOWLEDGE, None)]),
        ("Vâng ạ, xã e nắm đc rồi ạ", [(Ask.ACKNOWLEDGE, None)]),
        ("Phòng đã nhận, sẽ gửi kết quả trước 17/6", [(Ask.ACKNOWLEDGE, None)]),
        ("Việc này ko phải của phòng em ạ", [(Ask.DECLINE, None)]),
        ("Xã không được giao nhiệm vụ này", [(Ask.DECLINE, None)]),
        ("Cho em xin đến 25/6", [(Ask.DAY, date(2021, 6, 25))]),
        ("Xin gia hạn thêm 1 tuần so với hạn 17/6", [(Ask.DAY, date(2021, 6, 24))]),
        ("Ko có người làm", [(Ask.DIFFICULTY, None)]),
        ("Rất mong nhận được sự quan tâm của Sở", []),
        ("Tôi nghỉ phép đến hết ngày 24/6", []),
        ("Gọi cho tôi", []),
        ("Chưa nhận được công văn ngày 30/6", []),
        ("Gửi Sở Báo cáo số 45/BC-UBND ngày 24/6/2021", []),
    ],
)
def test_what_is_not_sure_is_proposed_with_its_day(text: str, asks: list[tuple[Ask, date | None]]) -> None:
    assert proposed(text) == asks


def test_a_plain_official_letter_is_one_proposal() -> None:
    """«Nêu trên» is no «nếu»; what is not done yet is the reason of the day, or the difficulty."""
    assert proposed("Văn phòng đã nhận được thông báo nêu trên và sẽ triển khai theo đúng thời hạn.") == [
        (Ask.ACKNOWLEDGE, None)
    ]
    assert proposed("Đơn vị chưa tổng hợp xong số liệu. Kính đề nghị cho gia hạn đến hết ngày 25/6/2021.") == [
        (Ask.DAY, date(2021, 6, 25))
    ]
    assert proposed("Đơn vị gặp khó khăn: kinh phí năm 2021 chưa được phân bổ.") == [(Ask.DIFFICULTY, None)]


def test_a_proposal_has_its_reason_and_its_duties() -> None:
    (found,) = read("Do mưa lũ, xã xin gia hạn mục IV.2.1 đến 25/6.").proposed
    assert (found.text, found.citations) == ("Do mưa lũ", ("IV.2.1",))
    acknowledged, declined = read("Đã nhận IV.2.1, IV.2.2 không thuộc thẩm quyền của xã").proposed
    assert (acknowledged.citations, declined.citations) == (("IV.2.1",), ("IV.2.2",))
    assert read("Xin gia hạn cả 3 nhiệm vụ đến 25/6").proposed[0].every
    two = read("Đề nghị gia hạn IV.2.1 đến 25/6, IV.2.2 đến 30/6 vì chờ xã").proposed
    assert [(each.citations, each.on) for each in two] == [
        (("IV.2.1",), date(2021, 6, 25)),
        (("IV.2.2",), date(2021, 6, 30)),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Gia hạn giúp đơn vị", "ngày xin gia hạn"),
        ("GH 31/2 lý do", "ngày xin gia hạn"),
        ("GH 25/6", "ngày xin gia hạn"),
        ("Xin gia hạn", "ngày xin gia hạn"),
        ("CHUA 31/2 chờ kinh phí", "ngày hẹn hoàn thành"),
        ("CHUA 30/6", "ngày hẹn hoàn thành"),
        ("Chưa xong, xin hẹn tuần sau", "ngày hẹn hoàn thành"),
    ],
)
def test_a_day_or_reason_that_is_missing_is_asked_back_for(text: str, problem: str) -> None:
    found = read(text)
    assert (found.sure, problem in str(found.problem)) == ((), True)


def test_what_only_says_that_a_file_is_sent_asks_nothing_if_one_came() -> None:
    for text in ("Gửi Sở báo cáo 6 tháng đầu năm", "Đã nhận, gửi kèm báo cáo."):
        assert read_requests(text, TODAY, files=True).rest == ""
    assert read_requests("Gửi Sở báo cáo", TODAY).rest == "Gửi Sở báo cáo"


@given(st.text(max_size=300))
def test_no_text_whatever_breaks_the_reading(text: str) -> None:
    for typed in (text, f"GH 25/6 {text}", f"KK: {text}", f"Đã nhận {text}", f"Kính gửi {text}"):
        read(typed)
