"""A list as XLSX and CSV: first line, real days and numbers, and text that runs nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from engine.text import Text
from engine.views.spreadsheets import Cell, Kind, Sheet, SheetColumn, write_csv, write_xlsx

Row = tuple[Cell, Cell, Cell, Cell]
COLUMNS: Sequence[SheetColumn[Row]] = (
    SheetColumn(Text("Nội dung", "Duty"), lambda row, _: row[0], width=40),
    SheetColumn(Text("Hạn", "Due"), lambda row, _: row[1], Kind.DAY),
    SheetColumn(Text("Gửi lúc", "Sent at"), lambda row, _: row[2], Kind.MOMENT),
    SheetColumn(Text("Số", "No."), lambda row, _: row[3], Kind.NUMBER),
)
FORMULAS = ["=1+1", "+84", "-x", "@a", "\tx", '=HYPERLINK("http://x.example")']
ROW: Row = ("Việc thứ 1.", date(2021, 6, 17), datetime(2021, 6, 17, 0, 30, tzinfo=UTC), 2.5)


def sheet(*rows: Row) -> Sheet[Row]:
    return Sheet(Text("Quá hạn: thử/1", "Overdue"), "=Quá hạn. Tính đến hôm nay", COLUMNS, rows)


def as_xlsx(*rows: Row, language: str = "vi", most: int = 100) -> Worksheet:
    file = io.BytesIO()
    write_xlsx(sheet(*rows), language, file, most)
    page = load_workbook(file).active
    assert isinstance(page, Worksheet)
    return page


def as_csv(*rows: Row, language: str = "vi", most: int = 100) -> list[list[str]]:
    file = io.BytesIO()
    write_csv(sheet(*rows), language, file, most)
    return list(csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig"), newline="")))


def values(page: Worksheet) -> list[list[Any]]:
    return [list(row) for row in page.iter_rows(values_only=True)]


def test_the_first_line_says_what_it_is_and_the_second_holds_the_headings() -> None:
    page = as_xlsx(ROW)
    assert page["A1"].value == "=Quá hạn. Tính đến hôm nay"
    assert page["A1"].data_type == "s"
    assert values(page)[1] == ["Nội dung", "Hạn", "Gửi lúc", "Số"]
    assert (page.freeze_panes, page.auto_filter.ref) == ("A3", "A2:D2")
    assert page.column_dimensions["A"].width == 40


def test_days_moments_and_numbers_are_real_ones_in_local_time() -> None:
    page = as_xlsx(ROW)
    assert values(page)[2] == ["Việc thứ 1.", datetime(2021, 6, 17), datetime(2021, 6, 17, 7, 30), 2.5]
    assert page["B3"].number_format == "DD/MM/YYYY"
    assert as_csv(ROW)[2] == ["Việc thứ 1.", "2021-06-17", "2021-06-17 07:30", "2.5"]


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_looks_like_a_formula_runs_nothing(text: str) -> None:
    cell = as_xlsx((text, None, None, -5))["A3"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", True)
    assert as_csv((text, None, None, -5))[2] == [f"'{text}", "", "", "-5"]


def test_text_that_xml_cannot_hold_does_not_spoil_the_workbook() -> None:
    page = as_xlsx(("a\x00b\x0bc<&>\ud800 «ế»", None, None, None))
    assert page["A3"].value == "abc<&> «ế»"


def test_a_list_that_was_cut_says_so() -> None:
    assert "nhiều nhất 2 dòng" in values(as_xlsx(ROW, ROW, ROW, most=2))[-1][0]
    assert "at most 2 lines" in as_csv(ROW, ROW, ROW, language="en", most=2)[-1][0]
    assert len(values(as_xlsx(ROW, ROW, most=2))) == 4


def test_rows_are_taken_one_at_a_time() -> None:
    held: list[int] = []

    def row(number: int) -> Row:
        held.append(number)
        return ("x", None, None, number)

    rows = map(row, range(1_000_000))
    file = io.BytesIO()
    write_xlsx(Sheet(Text.same("x"), "x", COLUMNS, rows), "vi", file, 50)
    assert len(held) == 51
