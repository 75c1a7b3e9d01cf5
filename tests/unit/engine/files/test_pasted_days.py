"""A pasted list of days: what is read of it, and how a line that cannot be is told."""

from __future__ import annotations

from datetime import date

import pytest
from ground.typed_days import WITH_YEAR

from engine.files.calendar import read_days
from engine.rules.calendar import DayException, DayKind, WorkCalendar

CALENDAR = WorkCalendar.of([DayException(date(2026, 1, 10), DayKind.WORKED, "Làm bù")])


@pytest.mark.parametrize(
    ("line", "kind", "name", "basis"),
    [
        ("2/9/2026 nghỉ Quốc khánh", DayKind.HOLIDAY, "Quốc khánh", ""),
        (
            "02/09/2026: nghỉ lễ Quốc khánh (Bộ luật Lao động, Điều 112).",
            DayKind.HOLIDAY,
            "Quốc khánh",
            "Bộ luật Lao động, Điều 112",
        ),
        ("- 2026-08-31 nghỉ hoán đổi với thứ Bảy 22/8", DayKind.DAY_OFF, "Hoán đổi với thứ Bảy 22/8", ""),
        ("27/4/2026 nghỉ bù Giỗ Tổ", DayKind.DAY_OFF, "Nghỉ bù Giỗ Tổ", ""),
        ("22/8/2026 làm bù ngày 31/8 (12/TB)", DayKind.WORKED, "Làm bù ngày 31/8", "12/TB"),
        ("1/5/2026 holiday Labour Day", DayKind.HOLIDAY, "Labour Day", ""),
    ],
)
def test_a_line_says_what_kind_of_day_it_is_its_name_and_its_basis(
    line: str, kind: DayKind, name: str, basis: str
) -> None:
    found = read_days(line, CALENDAR)
    assert found.problems == ()
    assert [(each.kind, each.name, each.basis) for each in found.set] == [(kind, name, basis)]


@pytest.mark.parametrize("way", [way.strip() for way in WITH_YEAR if not way.startswith("Thursday")])
def test_a_line_begins_with_a_day_as_people_write_it(way: str) -> None:
    found = read_days(f"{way} nghỉ Quốc tang", WorkCalendar())
    assert [(each.day, each.name) for each in found.set] == [(date(2021, 6, 17), "Quốc tang")]


def test_a_span_is_every_day_of_it() -> None:
    found = read_days("14/2/2026 - 22/2/2026 nghỉ Tết Bính Ngọ\n\n# ghi chú\n10/1/2026 bỏ", CALENDAR)
    assert [each.day.day for each in found.set] == list(range(14, 23))
    assert {each.name for each in found.set} == {"Tết Bính Ngọ"}
    assert found.drop == (date(2026, 1, 10),)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("nghỉ Quốc khánh 2/9/2026", "không bắt đầu bằng một ngày"),
        ("30/2/2026 nghỉ Gì đó", "không phải ngày có thật"),
        ("2/9/1926 nghỉ Gì đó", "không phải ngày có thật"),
        ("2/9/2026 Quốc khánh", "không rõ nghỉ hay làm bù"),
        ("2/9/2026 nghỉ", "không có tên"),
        ("5/9/2026 - 1/9/2026 nghỉ Ngược", "khoảng ngày ngược"),
        ("1/1/2026 - 1/1/2027 nghỉ Cả năm", "dài quá một tháng"),
        ("3/9/2026 làm bù", "vốn là ngày làm việc"),
        ("3/9/2026 bỏ", "chưa được nhập"),
        ("2/9/2026 nghỉ " + "x" * 200, "dài quá"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_by_its_number(line: str, what: str) -> None:
    (problem,) = read_days(f"1/9/2026 nghỉ Quốc khánh\n{line}", CALENDAR).problems
    assert problem.line == 2
    assert what.replace("không có tên", "thiếu tên ngày") in str(problem.what)


def test_a_day_that_stands_twice_is_told_with_its_first_line() -> None:
    (problem,) = read_days("1/9/2026 nghỉ Quốc khánh\n1/9/2026 - 2/9/2026 nghỉ Quốc khánh", CALENDAR).problems
    assert "đã có ở dòng 1" in str(problem.what)
