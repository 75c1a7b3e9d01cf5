"""The spreadsheet of contacts as a file: what is refused, and what a hostile one cannot do."""

from __future__ import annotations

import io
import zipfile

import pytest
from openpyxl import Workbook, load_workbook

from engine.errors import BadInput
from engine.files import spreadsheet
from engine.files.contact_sheet import (
    MAX_ROWS,
    SheetRow,
    contact_sheet,
    read_contact_sheet,
    write_contact_sheet,
    write_wrong_rows,
)
from engine.files.spreadsheet import parse_tables


def xlsx(*lines: list[object]) -> bytes:
    book = Workbook()
    assert book.active is not None
    for line in lines:
        book.active.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rows(raw: bytes) -> tuple[SheetRow, ...]:
    return contact_sheet(parse_tables(raw), {}).rows


def bomb() -> bytes:
    """50 KB that unpack to a byte more than is allowed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx(["Cơ quan", "Vai trò"]))) as plain, zipfile.ZipFile(out, "w", 8) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
        packed.writestr("xl/worksheets/sheet2.xml", b" " * spreadsheet.MAX_UNPACKED_BYTES)
    return out.getvalue()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "tiêu đề"),
        (b"Ai;La ai\n1;2\n", "«Cơ quan» và «Hộp thư»"),
        (b"PK\x03\x04 nonsense", "hỏng"),
        (b"PK\x05\x06" + bytes(18), "hỏng"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "lưu lại thành .xlsx"),
        (b"x" * (spreadsheet.MAX_FILE_BYTES + 1), "5 MB"),
        ("Cơ quan;Vai trò\n".encode() + b"a;b\n" * (MAX_ROWS + 1), "3000 dòng"),
    ],
)
def test_a_file_that_will_not_do_is_refused_with_the_way_out(raw: bytes, said: str) -> None:
    with pytest.raises(BadInput, match="Hãy tải mẫu") as refused:
        read_contact_sheet(raw, {})
    assert said in str(refused.value)


def test_a_file_that_unpacks_to_far_too_much_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(BadInput, match="giải nén ra quá lớn"):
        read_contact_sheet(bomb(), {})


def test_headings_may_stand_lower_in_another_order_and_with_other_columns() -> None:
    raw = xlsx(["Danh sách đầu mối"], [], ["Ghi chú", "VAI TRÒ", "Co quan"], ["x", "đầu mối", "Sở Y tế"], [None, None])
    (row,) = rows(raw)
    assert (row.number, row.values["agency"], row.cell("agency"), row.cell("role")) == (4, "Sở Y tế", "C4", "B4")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_comes_with_any_usual_separator(separator: str) -> None:
    raw = (
        "\ufeff" + separator.join(("Agency", "Role", "Telephone")) + "\n" + separator.join(("A", "head", "'+849"))
    ).encode()
    (row,) = rows(raw)
    assert [row.values[field] for field in ("agency", "role", "phone")] == ["A", "head", "+849"]


def test_nothing_that_is_written_is_evaluated() -> None:
    raw = write_contact_sheet([{"agency": "=1+1", "phone": "0912345678"}], {"role": ["đầu mối"]}, "vi")
    sheet = load_workbook(io.BytesIO(raw)).worksheets[0]
    assert (sheet["B2"].data_type, sheet["B2"].value) == ("s", "=1+1")
    assert sheet["G2"].value == "0912345678"


def test_wrong_rows_come_back_as_they_stood_with_the_reason_and_are_read_again() -> None:
    raw = "TT;Đơn vị;Lãnh đạo;Email\n7;Sở Y tế;=1+1;không phải\n8;Sở A;;a@b.example\n".encode()
    sheet = contact_sheet(parse_tables(raw), {})
    back = write_wrong_rows(sheet, [(sheet.rows[0], "D2: viết như …")], "vi")
    (table,) = parse_tables(back)
    assert table.rows == (
        ("TT", "Đơn vị", "Lãnh đạo", "Email", "Lý do chưa nhận"),
        ("7", "Sở Y tế", "=1+1", "không phải", "D2: viết như …"),
    )
    (row,) = rows(back)
    assert (row.values["agency"], row.values["email"]) == ("Sở Y tế", "không phải")


def test_a_workbook_that_claims_a_million_rows_is_read_to_its_last_row() -> None:
    book = Workbook()
    assert book.active is not None
    book.active["A1"], book.active["B1"], book.active["A2"], book.active["B2"] = (
        "Cơ quan",
        "Email",
        "Sở Y tế",
        "a@b.example",
    )
    book.active["A1048576"].number_format = "@"
    out = io.BytesIO()
    book.save(out)
    assert len(rows(out.getvalue())) == 1
