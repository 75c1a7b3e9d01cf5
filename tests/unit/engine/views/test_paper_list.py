"""A list on paper says once what all rows say, and leaves no row longer than two lines."""

from __future__ import annotations

from datetime import date

from engine.text import Text
from engine.views.spreadsheets import PAPER_WIDTH, Cell, Kind, Sheet, SheetColumn, paper_list

Row = dict[str, Cell]
JUNE, JULY = date(2021, 6, 17), date(2021, 7, 8)
LONG = "Chủ trì, phối hợp với các cơ quan liên quan " * 20


def column(name: str, kind: Kind = Kind.TEXT, width: int = 14, *, on_paper: bool = True) -> SheetColumn[Row]:
    return SheetColumn(Text(name, name), lambda row, _: row.get(name), kind, width, on_paper)


COLUMNS = (
    column("Cơ quan", width=34),
    column("Nội dung", width=60),
    column("Hạn", Kind.DAY),
    column("Hạn gốc", Kind.DAY),
    column("Đã hẹn ngày", Kind.DAY),
    column("Trạng thái"),
    column("Số lần", Kind.NUMBER),
    column("Mã", Kind.NUMBER, on_paper=False),
)


def listed(*rows: Row) -> Sheet[Row]:
    return Sheet(Text("Quá hạn", "Overdue"), "Quá hạn.", COLUMNS, rows)


def row(agency: str, due: date = JUNE, **more: Cell) -> Row:
    return {"Cơ quan": agency, "Nội dung": "Việc.", "Hạn": due, "Hạn gốc": due, "Trạng thái": "mới giao", **more}


def headings(*rows: Row) -> list[str]:
    return [each.heading for each in paper_list(listed(*rows), "vi", 100).columns]


def test_what_all_rows_say_stands_above_them_once() -> None:
    found = paper_list(listed(row("A"), row("B", JULY)), "vi", 100)
    assert list(found.common) == [("Nội dung", "Việc."), ("Trạng thái", "mới giao")]
    assert [each.heading for each in found.columns] == ["Cơ quan", "Hạn · Hạn gốc"]
    assert list(found.rows) == [("A", "17/6/2021"), ("B", "08/7/2021")]


def test_an_extended_due_date_brings_its_first_one_back() -> None:
    assert headings(row("A"), row("B", Hạn=JULY)) == ["Cơ quan", "Hạn"]
    assert headings(row("A", JULY), row("B", Hạn=JULY)) == ["Cơ quan", "Hạn gốc"]
    assert headings(row("A", JULY), row("B"), row("C", Hạn=JULY)) == ["Cơ quan", "Hạn", "Hạn gốc"]


def test_numbers_that_are_equal_by_chance_are_not_one_column() -> None:
    two = (column("Lần một", Kind.NUMBER), column("Lần hai", Kind.NUMBER))
    counted: list[Row] = [{"Lần một": 1, "Lần hai": 1}, {"Lần một": 2, "Lần hai": 2}]
    sheet = Sheet(Text("A", "A"), "A.", two, counted)
    assert [each.heading for each in paper_list(sheet, "vi", 100).columns] == ["Lần một", "Lần hai"]


def test_one_row_has_its_table_and_none_has_its_heads() -> None:
    assert headings(row("A")) == ["Cơ quan", "Nội dung", "Hạn · Hạn gốc", "Trạng thái"]
    assert headings() == ["Cơ quan", "Nội dung", "Hạn", "Hạn gốc", "Đã hẹn ngày", "Trạng thái", "Số lần"]
    same = paper_list(listed(row("A"), row("A")), "vi", 100)
    assert ([each.heading for each in same.columns], len(same.rows)) == (["Cơ quan"], 2)


def test_a_long_text_is_cut_at_a_word_and_the_sheet_says_so() -> None:
    found = paper_list(listed(row("A", **{"Nội dung": LONG}), row("B")), "vi", 100)
    assert found.cut
    (_, text, *_), _ = found.rows
    assert text.endswith("\u00a0…")
    assert text.removesuffix("\u00a0…") in LONG
    assert len(text) < 2 * PAPER_WIDTH
    assert not paper_list(listed(row("A"), row("B")), "vi", 100).cut


def test_the_columns_fill_the_sheet_and_days_are_not_broken() -> None:
    found = paper_list(listed(row("A", **{"Số lần": 3, "Nội dung": LONG}), row("B", JULY)), "vi", 100)
    assert 99.5 < sum(each.share for each in found.columns) < 100.5
    assert [each.heading for each in found.columns if each.whole] == ["Cơ quan", "Hạn · Hạn gốc", "Số lần"]


def test_what_paper_does_not_hold_is_said_below() -> None:
    found = paper_list(listed(*(row(str(n)) for n in range(5))), "vi", 3)
    assert len(found.rows) == 3
    assert "3" in found.more
    assert not paper_list(listed(*(row(str(n)) for n in range(3))), "vi", 3).more
