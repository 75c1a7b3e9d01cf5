"""The spreadsheet of contacts as a file: what is refused, and what a hostile one cannot do."""

from __future__ import annotations

import io
import zipfile

import pytest
from openpyxl import Workbook, load_workbook

from engine.errors import BadInput
from engine.files import contact_sheet
from engine.files.contact_sheet import parse_contact_sheet, read_contact_sheet, write_contact_sheet


def xlsx(*lines: list[object]) -> bytes:
    book = Workbook()
    assert book.active is not None
    for line in lines:
        book.active.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def bomb() -> bytes:
    """50 KB that unpack to a byte more than is allowed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx(["Cơ quan", "Vai trò"]))) as plain, zipfile.ZipFile(out, "w", 8) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
        packed.writestr("xl/worksheets/sheet2.xml", b" " * contact_sheet.MAX_UNPACKED_BYTES)
    return out.getvalue()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "tiêu đề"),
        (b"Ai;La ai\n1;2\n", "«Cơ quan», «Vai trò»"),
        (b"PK\x03\x04 nonsense", "hỏng"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"x" * (contact_sheet.MAX_FILE_BYTES + 1), "5 MB"),
        ("Cơ quan;Vai trò\n".encode() + b"a;b\n" * (contact_sheet.MAX_ROWS + 1), "3000 dòng"),
    ],
)
def test_a_file_that_will_not_do_is_refused_with_the_way_out(raw: bytes, said: str) -> None:
    with pytest.raises(BadInput, match="Hãy tải mẫu") as refused:
        read_contact_sheet(raw)
    assert said in str(refused.value)


def test_a_file_that_unpacks_to_far_too_much_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(BadInput, match="giải nén ra quá lớn"):
        read_contact_sheet(bomb())


def test_headings_may_stand_lower_in_another_order_and_with_other_columns() -> None:
    raw = xlsx(["Danh sách đầu mối"], [], ["Ghi chú", "VAI TRÒ", "Co quan"], ["x", "đầu mối", "Sở Y tế"], [None, None])
    (row,) = parse_contact_sheet(raw)
    assert (row.number, row.values, row.cell("agency")) == (4, {"role": "đầu mối", "agency": "Sở Y tế"}, "C4")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_comes_with_any_usual_separator(separator: str) -> None:
    raw = (
        "\ufeff" + separator.join(("Agency", "Role", "Telephone")) + "\n" + separator.join(("A", "head", "'+849"))
    ).encode()
    (row,) = parse_contact_sheet(raw)
    assert row.values == {"agency": "A", "role": "head", "phone": "+849"}


def test_nothing_that_is_written_is_evaluated() -> None:
    raw = write_contact_sheet([{"agency": "=1+1", "phone": "0912345678"}], {"role": ["đầu mối"]}, "vi")
    sheet = load_workbook(io.BytesIO(raw)).worksheets[0]
    assert (sheet["B2"].data_type, sheet["B2"].value) == ("s", "=1+1")
    assert sheet["G2"].value == "0912345678"
