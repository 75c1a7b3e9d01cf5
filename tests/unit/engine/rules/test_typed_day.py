"""A day as people type it, and the days that are offered to them."""

from __future__ import annotations

import re
from datetime import date

import pytest
from ground.typed_days import READ, WITH_YEAR

from engine.errors import BadInput
from engine.rules.calendar import WorkCalendar, day_digits, written
from engine.rules.typed_day import PATTERN, days_in, iso_day, likely_days, read_typed_day

TODAY = date(2021, 6, 15)
DAY = date(2021, 6, 17)


@pytest.mark.parametrize("text", READ)
def test_a_day_is_read_as_people_write_it(text: str) -> None:
    assert read_typed_day(text, TODAY) == DAY
    assert re.fullmatch(PATTERN, text), "the browser would refuse it"


@pytest.mark.parametrize("text", [written(DAY), written(DAY, "en"), day_digits(DAY), DAY.isoformat()])
def test_what_a_page_shows_can_be_pasted(text: str) -> None:
    assert read_typed_day(text, date(2030, 1, 1)) == DAY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hôm nay",
        "31/2/2021",
        "32/1/2021",
        "17/13",
        "17/6/1021",
        "17/6/2021 8:00",
        "17//6",
        "6",
        "20210617",
        "1/2/3/4",
    ],
)
def test_what_is_no_day_is_not_guessed(text: str) -> None:
    assert read_typed_day(text, TODAY) is None


@pytest.mark.parametrize(
    ("text", "coming", "last"),
    [
        ("15/6", date(2021, 6, 15), date(2021, 6, 15)),
        ("16/6", date(2021, 6, 16), date(2020, 6, 16)),
        ("14/6", date(2022, 6, 14), date(2021, 6, 14)),
        ("29/2", date(2024, 2, 29), date(2020, 2, 29)),
    ],
)
def test_without_a_year_it_is_the_next_such_day_or_the_last(text: str, coming: date, last: date) -> None:
    assert read_typed_day(text, TODAY) == coming
    assert read_typed_day(text, TODAY, past=True) == last


@pytest.mark.parametrize(
    ("text", "day"), [("cuối tháng", "2021-06-30"), ("thứ Sáu tuần tới", "2021-06-25"), ("Hết quý II", "2021-06-30")]
)
def test_a_form_reads_a_day_in_words_and_reports_that_return_do_not(text: str, day: str) -> None:
    assert str(read_typed_day(text, TODAY, words=True)) == day
    assert re.fullmatch(PATTERN, text), "the browser would refuse it"
    assert read_typed_day(text, TODAY) is None
    assert read_typed_day(f"{text} nhé", TODAY, words=True) is None


@pytest.mark.parametrize("text", sorted({*READ} - {*WITH_YEAR}))
def test_without_a_day_to_count_from_a_year_is_needed(text: str) -> None:
    assert read_typed_day(text, None) is None


@pytest.mark.parametrize("text", ["17/6/2021", "20210617", "2021-W24-4", "2021-6-17", "2021-02-30", " 2021-06-17", ""])
def test_a_program_writes_a_day_in_one_way(text: str) -> None:
    assert iso_day("2021-06-17") == DAY
    with pytest.raises(BadInput):
        iso_day(text)


def test_likely_days_are_working_days_in_order_each_once() -> None:
    calendar = WorkCalendar.of(())
    assert [(day, words.vi) for day, words in likely_days(TODAY, calendar)] == [
        (date(2021, 6, 16), "ngày làm việc kế tiếp"),
        (date(2021, 6, 18), "sau 3 ngày làm việc"),
        (date(2021, 6, 22), "sau 5 ngày làm việc"),
        (date(2021, 6, 29), "sau 10 ngày làm việc"),
        (date(2021, 6, 30), "cuối tháng 6"),
        (date(2021, 7, 30), "cuối tháng 7"),
    ]
    assert date(2021, 6, 30) not in dict(likely_days(date(2021, 6, 30), calendar))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("cuối tháng", ["2021-06-30"]),
        ("cuối tháng sau", ["2021-07-31"]),
        ("đến hết tháng 7", ["2021-07-31"]),
        ("thứ Sáu tuần tới", ["2021-06-25"]),
        ("đến thứ Sáu nhé", ["2021-06-18"]),
        ("Chủ nhật tuần này", ["2021-06-20"]),
        ("xin thêm 1 tuần", ["2021-06-24"]),
        ("them hai tuan", ["2021-07-01"]),
        ("trong 5 ngày làm việc", ["2021-06-22"]),
        ("2 tuần nữa", ["2021-06-29"]),
        ("hết quý II", ["2021-06-30"]),
        ("cuối quý 3", ["2021-09-30"]),
        ("cuối năm", ["2021-12-31"]),
        ("mồng 5 tháng 7", ["2021-07-05"]),
        ("ngày 25", ["2021-06-25"]),
        ("ngày 5 tháng sau", ["2021-07-05"]),
        ("17 giờ ngày 25/6", ["2021-06-25"]),
        ("hạn mới: 30/6", ["2021-06-30"]),
        ("từ 17/6 đến 25/6", ["2021-06-17", "2021-06-25"]),
        ("30.6.21 hoặc 1-7-2021", ["2021-06-30", "2021-07-01"]),
        ("thứ Sáu, 25/6", ["2021-06-25"]),
        ("ngày mai", ["2021-06-16"]),
    ],
)
def test_days_in_words_are_found_in_a_text_relative_to_the_day_on_which_it_was_written(
    text: str, days: list[str]
) -> None:
    """«Thêm 1 tuần» is counted from the due date."""
    assert [str(each.on) for each in days_in(text, TODAY, since=DAY)] == days


@pytest.mark.parametrize(
    "text",
    [
        "tuần sau",
        "vài ngày nữa",
        "đầu tháng 7",
        "31/6",
        "1/6",
        "25/6/2031",
        "2/3 số xã",
        "3.5 tỷ",
        "IV.2.1",
        "12/BC-UBND",
        "0238 3000 000",
        "nhiệm vụ thứ hai",
        "cuối quý sau",
    ],
)
def test_what_is_past_or_not_certain_is_no_day(text: str) -> None:
    assert days_in(text, TODAY) == ()
