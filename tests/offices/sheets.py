"""Lists of agencies and contacts as offices keep them, each in its own way. Mailboxes are roles under ``.example``."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from html import escape

from openpyxl import Workbook

Line = Sequence[object]
TONES = {"\N{COMBINING ACUTE ACCENT}", "\N{COMBINING GRAVE ACCENT}", "\N{COMBINING TILDE}"} | {
    "\N{COMBINING HOOK ABOVE}",
    "\N{COMBINING DOT BELOW}",
}


def xlsx(sheets: Mapping[str, Sequence[Line]], merged: Mapping[str, Sequence[str]]) -> bytes:
    book = Workbook()
    assert book.active is not None
    book.remove(book.active)
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(list(line))
        for span in merged.get(name, ()):
            sheet.merge_cells(span)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods(name: str, rows: Sequence[str]) -> bytes:
    """``rows``: each row's cells as XML."""
    spaces = " ".join(
        f'xmlns:{each}="urn:oasis:names:tc:opendocument:xmlns:{each}:1.0"' for each in ("office", "table", "text")
    )
    table = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="{escape(name)}">{table}<table:table-row table:number-rows-repeated="1048000">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("content.xml", content)
    return out.getvalue()


def cell(text: str, *, rows: int = 1, columns: int = 1) -> str:
    spans = f' table:number-rows-spanned="{rows}" table:number-columns-spanned="{columns}"'
    covered = f'<table:covered-table-cell table:number-columns-repeated="{columns - 1}"/>' if columns > 1 else ""
    return f"<table:table-cell{spans}><text:p>{escape(text)}</text:p></table:table-cell>{covered}"


COVERED = "<table:covered-table-cell/>"
EMPTY = "<table:table-cell/>"


def number(value: int) -> str:
    return (
        f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p>'
        "</table:table-cell>"
    )


def windows_1258(text: str) -> bytes:
    """As a Vietnamese Windows writes: tones stand behind their vowels."""
    out = ""
    for char in unicodedata.normalize("NFC", text):
        parts = unicodedata.normalize("NFD", char)
        tones = "".join(each for each in parts if each in TONES)
        vowel = unicodedata.normalize("NFC", "".join(each for each in parts if each not in TONES))
        out += vowel + tones
    return out.encode("cp1258")


def departments() -> bytes:
    """Letterhead, a title, parts, an agency merged over two contacts, telephones as numbers, a total below."""
    lines: list[Line] = [
        ["UBND TỈNH", None, None, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
        ["VĂN PHÒNG", None, None, "Độc lập - Tự do - Hạnh phúc"],
        [],
        ["DANH SÁCH CÁN BỘ ĐẦU MỐI CÁC CƠ QUAN, ĐƠN VỊ"],
        ["(Kèm theo Công văn của Văn phòng UBND tỉnh)"],
        [],
        ["STT", "Tên cơ quan, đơn vị", "Họ và tên", "Chức vụ", "Điện thoại", "Thư điện tử công vụ", "Ghi chú"],
        ["I", "SỞ, BAN, NGÀNH"],
        [1, "Sở Nông nghiệp và Môi trường", None, "Phó Giám đốc", 912000001, "pgd.snnmt@tinh.example", None],
        [None, None, None, "Chuyên viên Văn phòng", 912000002, "vp.snnmt@tinh.example", "nhận thư"],
        [2, "Sở Khoa học và Công nghệ", None, "Chánh Văn phòng", "0238 3844 000", "cvp.skhcn@tinh.example", None],
        [],
        ["II", "ỦY BAN NHÂN DÂN CÁC XÃ, PHƯỜNG"],
        [3, "Ủy ban nhân dân phường Bình Minh", None, "Chủ tịch", 912000003, "ct.binhminh@tinh.example", None],
        ["Tổng số: 3 cơ quan"],
    ]
    merged = ["A1:C1", "D1:G1", "A4:G4", "A5:G5", "B8:G8", "A9:A10", "B9:B10", "B13:G13"]
    return xlsx({"Danh sách": lines}, {"Danh sách": merged})


def side_by_side() -> bytes:
    """Head and coordinator of each agency in one row, under headings in two lines."""
    lines: list[Line] = [
        ["DANH BẠ LIÊN HỆ"],
        ["TT", "Đơn vị", "Lãnh đạo phụ trách", None, None, "Cán bộ đầu mối", None, None],
        [None, None, "Chức vụ", "ĐT di động", "Email", "Chức vụ", "ĐT di động", "Email"],
        [
            1,
            "Sở Xây dựng",
            "Giám đốc",
            "0912.000.011",
            "gd.sxd@tinh.example",
            "Chuyên viên",
            None,
            "cv.sxd@tinh.example",
        ],
        [2, "Công an tỉnh", "Phó Giám đốc", None, "pgd.cat@tinh.example", "Đội trưởng", 912000012, None],
    ]
    return xlsx({"Sheet1": lines}, {"Sheet1": ["A1:H1", "A2:A3", "B2:B3", "C2:E2", "F2:H2"]})


def several_sheets() -> bytes:
    heads: Line = ["Số TT", "Cơ quan/Đơn vị", "Vai trò", "Địa chỉ email"]
    return xlsx(
        {
            "Bìa": [["PHỤ LỤC"], ["Danh sách đầu mối"]],
            "Sở ngành": [heads, [1, "Sở Tài chính", "Người phụ trách", "dm.stc@tinh.example"]],
            "Xã phường": [
                ["DANH SÁCH CẤP XÃ"],
                heads,
                [1, "UBND xã Tân An", "Người phụ trách", "dm.tanan@tinh.example"],
                [2, "UBND đặc khu Hải Đảo", "Lãnh đạo", "ld.haidao@tinh.example"],
            ],
        },
        {},
    )


def libre_office() -> bytes:
    return ods(
        "Trang 1",
        [
            cell("Danh sách đầu mối đoàn thể", columns=4),
            "".join(map(cell, ("TT", "Tên đơn vị", "Số điện thoại", "Hộp thư điện tử"))),
            cell("1", rows=2) + cell("Hội Nông dân tỉnh", rows=2) + number(912000021) + cell("dm.hnd@tinh.example"),
            COVERED + COVERED + EMPTY + cell("vp.hnd@tinh.example"),
            cell("2") + cell("Ban Thường trực UBMTTQ Việt Nam tỉnh") + EMPTY + cell("dm.mttq@tinh.example"),
        ],
    )


def semicolons() -> bytes:
    """CSV of Excel with a mark and semicolons; cells that were merged are empty below."""
    return (
        "Danh sách cơ quan, đơn vị báo cáo;;;;\r\n"
        "STT;Cơ quan, đơn vị;Chức danh;Điện thoại;E-mail\r\n"
        "1;Sở Văn hóa, Thể thao và Du lịch;Văn thư;912000031;vt.svhttdl@tinh.example\r\n"
        ";;Giám đốc;;gd.svhttdl@tinh.example\r\n"
        "\r\n"
        "2;Đài Phát thanh và Truyền hình tỉnh;Phó Giám đốc;;pgd.dpttth@tinh.example\r\n"
    ).encode("utf-8-sig")


def old_windows() -> bytes:
    return windows_1258(
        "Số thứ tự,Tên cơ quan,Phân công,Thư điện tử\r\n"
        "1,Sở Nội vụ,Lãnh đạo phụ trách,ld.snv@tinh.example\r\n"
        "2,Ngân hàng Chính sách xã hội tỉnh,Đầu mối,dm.nhcsxh@tinh.example\r\n"
    )


def without_headings() -> bytes:
    """«Unicode text» of Excel: UTF-16 with tabs."""
    return ("Sở Tư pháp\tdm.stp@tinh.example\t0912000041\r\nThanh tra tỉnh\tdm.tt@tinh.example\t0912000042\r\n").encode(
        "utf-16"
    )


def communes_alone() -> bytes:
    """Agencies without contacts."""
    names: list[Line] = [[n, f"UBND xã Đồng {n}"] for n in range(1, 131)]
    return xlsx({"Xã": [["STT", "Tên đơn vị"], *names, [None, "Nơi nhận: như trên"]]}, {})
