"""The days of reports as people type them, and as they are shown to be typed again."""

from datetime import date

import pytest

from engine.rules.typed_day import read_report_days

SINCE = date(2026, 1, 15)


@pytest.mark.parametrize(
    ("typed", "cadences", "shown", "unread"),
    [
        ("15", ("month",), "15", ()),
        ("ngày 15", ("month",), "15", ()),
        ("10 tháng cuối quý", ("quarter",), "10 tháng cuối", ()),
        ("20 tháng sau", ("month",), "20 tháng sau", ()),
        ("29/11", ("year",), "29/11 hằng năm", ()),
        ("29/11 hằng năm", (), "29/11 hằng năm", ()),
        ("29/11", ("once",), "29/11/2026", ()),
        ("10/01", ("once",), "10/01/2027", ()),
        ("1/6; 15/11", ("half_year",), "01/6 hằng năm; 15/11 hằng năm", ()),
        ("15/01 năm sau", ("year",), "15/01 năm sau", ()),
        ("15, 30", ("half_month",), "15, 30", ()),
        ("15 và 30", ("half_month",), "15, 30", ()),
        ("thứ 6", ("week",), "thứ Sáu", ()),
        ("Chủ nhật", ("week",), "Chủ nhật", ()),
        ("thứ Năm, 17/6/2026", ("once",), "17/6/2026", ()),
        ("31 tháng 1 năm 2027", ("once",), "31/01/2027", ()),
        ("9 tháng cuối; 14/3/2026", ("once", "quarter"), "9 tháng cuối; 14/3/2026", ()),
        ("45", ("month",), "", ("45",)),
        ("5; 15; 25", ("month",), "5", ("15", "25")),
        ("31/11 hằng năm", ("year",), "", ("31/11 hằng năm",)),
        ("", ("year",), "", ()),
    ],
)
def test_days_of_reports_are_read_as_people_type_them(
    typed: str, cadences: tuple[str, ...], shown: str, unread: tuple[str, ...]
) -> None:
    found, left = read_report_days(typed, SINCE, cadences)
    assert (str(found), left) == (shown, unread)
    assert read_report_days(shown, SINCE, cadences)[0] == found
