"""Contacts from a spreadsheet: what is exported comes back unchanged, and a changed cell is a changed contact."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from ground.factory import at, rows
from ground.province import load_province
from ground.typed_days import WITH_YEAR
from openpyxl import load_workbook

from engine.agencies.contact_import import Comparison, RowFate, apply, choices, compare, exported
from engine.errors import Conflict
from engine.files.contact_sheet import SheetRow, contact_sheet, write_contact_sheet
from engine.files.spreadsheet import parse_tables
from engine.store.database import Database
from engine.store.records import Agency, Contact
from engine.terms import Role

NOW = at("2021-06-24")
HEAD = "Số;Cơ quan;Loại cơ quan;Vai trò;Chức danh, phòng;Hộp thư;Điện thoại;Từ ngày;Đến ngày\n"
NEW = ";Sở Y tế;;đầu mối;Phòng Nghiệp vụ Y;nvy@so-y-te.invalid;0912 345 678;;\n"


@pytest.fixture
def province(database: Database) -> Database:
    load_province(database, NOW)
    return database


def read(raw: bytes) -> tuple[SheetRow, ...]:
    return contact_sheet(parse_tables(raw), {}).rows


def workbook(database: Database, language: str = "vi") -> bytes:
    with database.read() as session:
        return write_contact_sheet(list(exported(session, NOW, language)), choices(language), language)


def edited(raw: bytes, change: Callable[[Any], None]) -> tuple[SheetRow, ...]:
    book = load_workbook(io.BytesIO(raw))
    change(book.worksheets[0])
    out = io.BytesIO()
    book.save(out)
    return read(out.getvalue())


def looked_at(database: Database, sheet: tuple[SheetRow, ...]) -> Comparison:
    with database.read() as session:
        return compare(session, sheet, NOW, {})


def loaded(database: Database, sheet: tuple[SheetRow, ...]) -> Comparison:
    mark = looked_at(database, sheet).mark
    with database.write() as session:
        return apply(session, sheet, choices={}, previewed=mark, actor="cli:test", now=NOW)


def csv(*lines: str) -> tuple[SheetRow, ...]:
    return read((HEAD + "".join(lines)).encode())


@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_is_exported_comes_back_as_no_change(province: Database, language: str) -> None:
    found = looked_at(province, read(workbook(province, language)))
    assert {row.fate for row in found.rows} <= {RowFate.SAME, RowFate.EMPTY}
    assert found.count(RowFate.SAME) == len(rows(province, Contact))
    assert not found.applicable


def test_two_changed_cells_are_exactly_two_changes_and_a_changed_telephone_changes(province: Database) -> None:
    """«Đã nạp» was said and nothing had happened."""
    before = {each.id: each for each in rows(province, Contact)}

    def change(sheet: Any) -> None:
        sheet["G5"] = 912345678  # Excel drops the zero of what is typed as a number
        sheet["F9"] = "daumoi.moi@nghean.invalid"

    found = loaded(province, edited(workbook(province), change))
    assert (found.count(RowFate.CHANGED), found.count(RowFate.NEW), found.count(RowFate.WRONG)) == (2, 0, 0)
    after = {each.id: each for each in rows(province, Contact)}
    changed = [
        after[key] for key in before if (before[key].email, before[key].phone) != (after[key].email, after[key].phone)
    ]
    assert sorted((each.phone, each.email) for each in changed)[1][0] == "0912345678"
    assert "daumoi.moi@nghean.invalid" in {each.email for each in changed}
    assert len(changed) == 2


def test_a_row_without_a_number_is_new_and_a_last_day_that_has_passed_ends(province: Database) -> None:
    coordinator = next(
        each for each in rows(province, Contact) if (each.agency_id, each.role) == ("so-y-te", Role.COORDINATOR)
    )
    leaving = f"{coordinator.id};Sở Y tế;;đầu mối;Đầu mối;{coordinator.email};;;23/6/2021\n"
    found = loaded(province, csv(leaving, NEW))
    assert [row.fate for row in found.rows] == [RowFate.ENDED, RowFate.NEW]
    stored = {each.email: each for each in rows(province, Contact)}
    assert stored["nvy@so-y-te.invalid"].phone == "0912345678"
    assert next(each for each in rows(province, Contact) if each.id == coordinator.id).email == ""
    assert looked_at(province, csv(NEW)).rows[0].fate is RowFate.SAME


def test_an_unknown_agency_with_its_kind_is_added_with_an_id_of_the_program(sqlite_database: Database) -> None:
    """An empty directory, as after `dondoc init`."""
    sheet = csv(
        ";UBND xã Anh Sơn;Xã, phường, thị trấn;coordinator;;daumoi@anhson.invalid;;;\n",
        ";UBND xã Anh Sơn;xa;người đứng đầu;;chutich@anhson.invalid;;;\n",
    )
    assert looked_at(sqlite_database, sheet).new_agencies == ("UBND xã Anh Sơn",)
    loaded(sqlite_database, sheet)
    assert [(each.id, each.level) for each in rows(sqlite_database, Agency)] == [("ubnd-xa-anh-son", "xa")]
    assert {each.agency_id for each in rows(sqlite_database, Contact)} == {"ubnd-xa-anh-son"}


@pytest.mark.parametrize("way", WITH_YEAR)
def test_a_day_in_a_sheet_is_read_as_one_that_is_typed(province: Database, way: str) -> None:
    line = f';Sở Y tế;;đầu mối;;moi@so-y-te.invalid;;"{way}";\n'
    loaded(province, csv(line))
    assert [each.valid_from for each in rows(province, Contact, email="moi@so-y-te.invalid")] == [date(2021, 6, 17)]


@pytest.mark.parametrize(
    ("line", "cell", "said"),
    [
        (";Sở Y tê tỉnh;;đầu mối;;a@b.invalid;;;\n", "B2", "Sở Y tế"),
        (";;;đầu mối;;a@b.invalid;;;\n", "B2", "ghi tên cơ quan"),
        (";Sở Khác;Sởở;đầu mối;;a@b.invalid;;;\n", "C2", "không có loại này"),
        (";Sở Y tế;;đầu mooi;;a@b.invalid;;;\n", "D2", "đầu mối"),
        (";Sở Y tế;;đầu mối;;không phải;;;\n", "F2", ""),
        (";Sở Y tế;;đầu mối;;a@b.invalid;12;;\n", "G2", "0912"),
        (";Sở Y tế;;đầu mối;;a@b.invalid;;31/2/2021;\n", "H2", "17/6/2021"),
        (";Sở Y tế;;đầu mối;;a@b.invalid;;2/2/2021;1/2/2021\n", "I2", "trước"),
        ("99999;Sở Y tế;;đầu mối;;a@b.invalid;;;\n", "A2", "không có đầu mối số này"),
        ("1;Sở Y tế;;đầu mối;;a@b.invalid;;;\n", "A2", "không đổi được"),
        (NEW + NEW, "F3", "trùng với dòng 2"),
    ],
)
def test_what_is_wrong_is_named_by_its_cell_and_the_rest_is_loaded(
    province: Database, line: str, cell: str, said: str
) -> None:
    sheet = csv(line, ";Sở Tư pháp;;người đứng đầu;;khac@so-tu-phap.invalid;;;\n")
    found = looked_at(province, sheet)
    assert [problem.cell for row in found.rows for problem in row.problems] == [cell]
    assert said in next(problem for row in found.rows for problem in row.problems).what.vi
    before = {each.id for each in rows(province, Contact)}
    loaded(province, sheet)
    added = {each.email for each in rows(province, Contact) if each.id not in before}
    assert added == {"khac@so-tu-phap.invalid"} | ({"nvy@so-y-te.invalid"} if line == NEW + NEW else set())


def test_what_changed_since_the_preview_is_looked_at_again(province: Database) -> None:
    mark = looked_at(province, csv(NEW)).mark
    loaded(province, csv(NEW))
    with province.write() as session, pytest.raises(Conflict):
        apply(session, csv(NEW), choices={}, previewed=mark, actor="cli:test", now=NOW)


def test_those_who_left_are_not_exported_and_an_agency_without_a_coordinator_has_a_line(province: Database) -> None:
    with province.write() as session:
        later = NOW + timedelta(days=1)
        sheet = csv(
            f"{rows(province, Contact)[2].id};Sở LĐ-TB&XH;;đầu mối;;{rows(province, Contact)[2].email};;;1/6/2021\n"
        )
        apply(
            session, sheet, choices={}, previewed=compare(session, sheet, later, {}).mark, actor="cli:test", now=later
        )
    found = looked_at(province, read(workbook(province)))
    empty = [row.agency for row in found.rows if row.fate is RowFate.EMPTY]
    assert "Sở Lao động - Thương binh và Xã hội" in empty
