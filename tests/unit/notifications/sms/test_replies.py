"""SMS: the code of a letter anywhere in a text, the taught words beside it, and our own words that come back."""

from datetime import date
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.correspondence.message_acts import Request
from engine.terms import Ask
from notifications.inbound.requests import read_requests
from notifications.sms.replies import (
    NO_DATE,
    NO_REASON,
    NOT_UNDERSTOOD,
    SAMPLE,
    asks_to_stop,
    candidate_codes,
    quotes_help,
    short_codes,
    without_code,
)
from notifications.sms.text import Coding, Size, measure

TODAY = date(2021, 6, 17)


def read(text: str, today: date = TODAY):
    """What a text with a code asks."""
    (code,) = candidate_codes(text)
    return read_requests(without_code(text, code), today, taught=True)


@pytest.mark.parametrize(
    "text",
    [
        "XN 2762",
        "xn2762",
        "  Xn   2762  ",
        "«XN 2762»",
        "“XN 2762”.",
        "XN: 2762",
        "XN-2762",
        "Xác nhận 2762",
        "XÁC NHẬN mã 2762 ạ, cảm ơn",
        "XN 2762 ok",
        "ＸＮ　２７６２",
        "X\u200bN 2762",
        "XN\n2762",
        "xn 2762 đã nhận",
        "Đã nhận 2762",
        "2762 xn",
    ],
)
def test_an_acknowledgement_is_read_however_it_is_typed_and_wherever_the_code_stands(text):
    assert {each.ask for each in read(text).sure} == {Ask.ACKNOWLEDGE}


@pytest.mark.parametrize("text", ["XN 2762 không phải của tôi", "XN 2762 25/6", "2762", "XNN 2762"])
def test_what_does_not_plainly_acknowledge_acknowledges_nothing(text):
    assert read(text).sure == ()


@pytest.mark.parametrize("text", ["XN", "XN 276", "XN 276200", "XN 0762", "ngày 2762/2021", "năm 2021", f"XN {SAMPLE}"])
def test_not_every_number_is_a_code(text):
    assert candidate_codes(text) == ()


@pytest.mark.parametrize(
    ("text", "until", "reason"),
    [
        ("GH 2762 25/6 chưa đủ số liệu của xã", date(2021, 6, 25), "chưa đủ số liệu của xã"),
        ("gh2762 25-6-2021: thiếu số liệu.", date(2021, 6, 25), "thiếu số liệu"),
        ("GH 2762 17/6 mất điện", TODAY, "mất điện"),
        ("Gia hạn 2762 đến ngày 25 tháng 6 năm 2021 vì dịch", date(2021, 6, 25), "vì dịch"),
        ("GH 2762 30.06.21 – đợi báo cáo xã", date(2021, 6, 30), "đợi báo cáo xã"),
        ("GH 2762 2021-07-01 họp", date(2021, 7, 1), "họp"),
        ("GH 2762 cuoi thang cho so lieu", date(2021, 6, 30), "cho so lieu"),
    ],
)
def test_an_extension_is_read_with_its_date_and_reason(text, until, reason):
    assert read(text).sure == (Request(ask=Ask.DAY, on=until, text=reason),)


def test_a_promise_is_read_as_the_manual_promises():
    assert read("CHUA 4101 30/6 cho kinh phi").sure == (
        Request(ask=Ask.NOT_YET, on=date(2021, 6, 30), text="cho kinh phi"),
    )


def test_a_date_without_a_year_is_this_years_or_at_most_half_a_year_into_the_next():
    for text, today, on in (
        ("GH 2762 15/1 chờ số liệu", date(2021, 12, 20), date(2022, 1, 15)),
        ("GH 2762 25/12 chờ số liệu", date(2021, 1, 4), date(2021, 12, 25)),
        ("GH 2762 29/2 chờ", date(2023, 11, 10), date(2024, 2, 29)),
    ):
        assert [each.on for each in read(text, today).sure] == [on]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("GH 2762 31/6 chờ", "Ngay 31/6 khong co trong lich."),
        ("GH 2762 29/2 chờ", "Ngay 29/2 khong co trong lich."),
        ("GH 2762 1/6 chờ", "Ngay 1/6 da qua."),
        ("GH 2762 1/6/2021 chờ", "Ngay 1/6/2021 da qua."),
        ("GH 2762 25/6/2031 chờ", "Ngay 25/6/2031 qua xa, xem lai nam."),
        ("GH 2762 25/6", NO_REASON.vi),
        ("GH 2762 25/6 ...", NO_REASON.vi),
        ("GH 2762 25/6 lý do", NO_REASON.vi),
        ("GH 2762 tuần sau", NO_DATE.vi),
        ("GH 2762", NO_DATE.vi),
    ],
)
def test_an_impossible_extension_is_answered_in_words(text, answer):
    found = read(text)
    assert (found.sure, found.problem is not None) == ((), True)
    said = found.problem.vi
    assert said.startswith(answer)
    assert measure(said) == Size(Coding.GSM7, 1, 160 - len(said))


@pytest.mark.parametrize(
    "text", ["DUNG", "dừng", "DỪNG.", "“NGUNG”", "ngừng", "Ngưng", "stop", "Dừng SMS", "du\u031b\u0300ng"]
)
def test_stop_is_read_with_and_without_marks(text):
    assert asks_to_stop(text) is True


@pytest.mark.parametrize("text", ["Đúng", "đúng rồi", "Đừng", "ĐÚNG", "dùng", "dung mot lat", "Dũng"])
def test_a_word_that_loses_its_marks_to_stop_stops_nothing(text):
    assert not asks_to_stop(text)


@pytest.mark.parametrize("text", [NOT_UNDERSTOOD.vi, NO_DATE.vi, NO_REASON.vi, f"Re: {NOT_UNDERSTOOD.vi.upper()}"])
def test_our_own_words_that_come_back_are_known(text):
    assert quotes_help(text)
    assert not quotes_help("XN 2762")


@pytest.mark.parametrize("text", [NOT_UNDERSTOOD.vi, NO_DATE.vi, NO_REASON.vi])
def test_every_answer_is_one_part(text):
    assert measure(text).parts == 1
    assert measure(text).coding is Coding.GSM7


@given(st.text(max_size=50), st.binary(min_size=1, max_size=32))
def test_codes_are_the_same_each_time_and_never_look_like_a_year_or_the_help(key, secret):
    codes = list(islice(short_codes(key, secret), 12))
    assert codes == list(islice(short_codes(key, secret), 12))
    assert {len(code) for code in codes} == {4, 5}
    assert not any(1900 <= int(code) < 2100 or int(code) == SAMPLE for code in codes)
    assert all(candidate_codes(f"XN {code}") == (code,) for code in codes)


def test_codes_of_other_letters_and_other_secrets_differ():
    first = list(islice(short_codes("letter:1:sms:2021-06-17", b"k"), 5))
    assert first != list(islice(short_codes("letter:2:sms:2021-06-17", b"k"), 5))
    assert first != list(islice(short_codes("letter:1:sms:2021-06-17", b"l"), 5))
