"""Spreadsheets as offices have them: which agency, role, mailbox and telephone each row says."""

from __future__ import annotations

import pytest
from offices import sheets as office_sheets
from offices.sheets import xlsx

from engine.files.contact_columns import guess_kind, guess_level, guess_role, stored_role
from engine.files.contact_sheet import ContactSheet, contact_sheet
from engine.files.spreadsheet import parse_tables
from engine.terms import Role

Contact = tuple[str, str, str, str]


def read(raw: bytes, **choices: str) -> ContactSheet:
    return contact_sheet(parse_tables(raw), choices)


def contacts(sheet: ContactSheet) -> list[Contact]:
    found = [[row.values.get(name, "") for name in ("agency", "role", "email", "phone")] for row in sheet.rows]
    return [(agency, role, email, phone) for agency, role, email, phone in found if email or phone]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            office_sheets.departments(),
            [
                ("Sở Nông nghiệp và Môi trường", "head", "pgd.snnmt@tinh.example", "0912000001"),
                ("Sở Nông nghiệp và Môi trường", "coordinator", "vp.snnmt@tinh.example", "0912000002"),
                ("Sở Khoa học và Công nghệ", "coordinator", "cvp.skhcn@tinh.example", "0238 3844 000"),
                ("Ủy ban nhân dân phường Bình Minh", "head", "ct.binhminh@tinh.example", "0912000003"),
            ],
        ),
        (
            office_sheets.side_by_side(),
            [
                ("Sở Xây dựng", "head", "gd.sxd@tinh.example", "0912.000.011"),
                ("Sở Xây dựng", "coordinator", "cv.sxd@tinh.example", ""),
                ("Công an tỉnh", "head", "pgd.cat@tinh.example", ""),
                ("Công an tỉnh", "coordinator", "", "0912000012"),
            ],
        ),
        (
            office_sheets.several_sheets(),
            [
                ("Sở Tài chính", "Người phụ trách", "dm.stc@tinh.example", ""),
                ("UBND xã Tân An", "Người phụ trách", "dm.tanan@tinh.example", ""),
                ("UBND đặc khu Hải Đảo", "head", "ld.haidao@tinh.example", ""),
            ],
        ),
        (
            office_sheets.libre_office(),
            [
                ("Hội Nông dân tỉnh", "coordinator", "dm.hnd@tinh.example", "0912000021"),
                ("Hội Nông dân tỉnh", "coordinator", "vp.hnd@tinh.example", ""),
                ("Ban Thường trực UBMTTQ Việt Nam tỉnh", "coordinator", "dm.mttq@tinh.example", ""),
            ],
        ),
        (
            office_sheets.semicolons(),
            [
                ("Sở Văn hóa, Thể thao và Du lịch", "coordinator", "vt.svhttdl@tinh.example", "0912000031"),
                ("Sở Văn hóa, Thể thao và Du lịch", "head", "gd.svhttdl@tinh.example", ""),
                ("Đài Phát thanh và Truyền hình tỉnh", "head", "pgd.dpttth@tinh.example", ""),
            ],
        ),
        (
            office_sheets.old_windows(),
            [
                ("Sở Nội vụ", "head", "ld.snv@tinh.example", ""),
                ("Ngân hàng Chính sách xã hội tỉnh", "coordinator", "dm.nhcsxh@tinh.example", ""),
            ],
        ),
        (
            office_sheets.without_headings(),
            [
                ("Sở Tư pháp", "coordinator", "dm.stp@tinh.example", "0912000041"),
                ("Thanh tra tỉnh", "coordinator", "dm.tt@tinh.example", "0912000042"),
            ],
        ),
    ],
    ids=["departments", "side by side", "several sheets", "ods", "semicolons", "windows-1258", "no headings"],
)
def test_an_office_s_sheet_is_read_as_it_is(raw: bytes, expected: list[Contact]) -> None:
    assert contacts(read(raw)) == expected


def test_a_word_is_asked_once_and_its_answer_holds_for_every_row() -> None:
    asked = {each.key: (each.meaning, each.rows) for each in read(office_sheets.several_sheets()).words}
    assert asked == {"role:nguoi phu trach": ("", 2), "role:lanh dao": ("head", 1)}
    answered = read(office_sheets.several_sheets(), **{"role:nguoi phu trach": "coordinator"})
    assert [role for _, role, _, _ in contacts(answered)] == ["coordinator", "coordinator", "head"]


def test_a_column_holds_what_a_person_says() -> None:
    raw = xlsx({"A": [["Đơn vị", "Liên hệ", "Hộp thư"], ["Sở Y tế", "b@tinh.example", "a@tinh.example"]]}, {})
    assert contacts(read(raw)) == [("Sở Y tế", "coordinator", "a@tinh.example", "")]
    chosen = read(raw, **{"column:lien he": "email"})
    assert contacts(chosen) == [("Sở Y tế", "coordinator", "b@tinh.example", "")]
    assert contacts(read(raw, **{"column:hop thu": "-"})) == []


def test_parts_totals_and_signatures_are_no_agencies() -> None:
    for raw, names in ((office_sheets.departments(), 4), (office_sheets.communes_alone(), 130)):
        assert len(read(raw).rows) == names


def test_a_cell_is_named_with_its_sheet_where_several_are_read() -> None:
    assert [row.cell("email") for row in read(office_sheets.several_sheets()).rows] == [
        "Sở ngành!D2",
        "Xã phường!D3",
        "Xã phường!D4",
    ]


def test_names_of_persons_and_notes_are_in_no_column() -> None:
    (layout,) = read(office_sheets.departments()).layouts
    assert [each.text for each in layout.headings if not each.field] == ["STT", "Họ và tên", "Ghi chú"]


@pytest.mark.parametrize(
    ("name", "beginning", "level"),
    [
        ("Sở Y tế", "Sở", "so"),
        ("UBND xã Tân An", "UBND xã", "xa"),
        ("Ủy ban nhân dân phường Bình Minh", "Ủy ban nhân dân phường", "xa"),
        ("UBND TP. Vinh", "UBND TP.", "huyen"),
        ("UBND tỉnh", "UBND tỉnh", "tinh"),
        ("Tỉnh đoàn", "Tỉnh đoàn", "doan_the"),
        ("Hội Liên hiệp Phụ nữ tỉnh", "Hội", "doan_the"),
        ("Bộ Chỉ huy Quân sự tỉnh", "Bộ Chỉ huy", "luc_luong"),
        ("Ủy ban MTTQ Việt Nam tỉnh", "Ủy ban MTTQ", "mat_tran"),
        ("Bảo hiểm xã hội tỉnh", "Bảo hiểm xã hội", "so"),
        ("Báo và Phát thanh, Truyền hình", "Báo", "bao_chi"),
        ("Ngân hàng Nhà nước", "Ngân hàng", "ngan_hang"),
        ("Trung tâm Xúc tiến", "Trung tâm Xúc tiến", ""),
    ],
)
def test_a_name_tells_the_kind_of_agency(name: str, beginning: str, level: str) -> None:
    assert guess_kind(name) == (beginning, level)


@pytest.mark.parametrize(
    ("word", "level"), [("Khối sở, ngành", "so"), ("Cấp xã", "xa"), ("phường", "xa"), ("Hội", "doan_the"), ("lạ", "")]
)
def test_a_word_for_a_kind_is_understood(word: str, level: str) -> None:
    assert guess_level(word) == level


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("Lãnh đạo phụ trách", "head"),
        ("Phó Chủ tịch UBND", "head"),
        ("Chánh Văn phòng", "coordinator"),
        ("Phó Trưởng phòng", "coordinator"),
        ("Cán bộ theo dõi", "coordinator"),
        ("Người theo dõi, đôn đốc", "monitor"),
        ("Người thay đầu mối", "deputy"),
        ("Khách mời", None),
    ],
)
def test_a_word_for_a_role_is_understood(word: str, role: str | None) -> None:
    assert guess_role(word) == role


@pytest.mark.parametrize("word", ["theo dõi, đôn đốc", "bộ phận theo dõi", "monitor"])
def test_a_role_is_known_by_its_word_of_the_version_before(word: str) -> None:
    assert stored_role(word) is Role.MONITOR
    assert stored_role("Lãnh đạo") is stored_role("lãnh đạo cơ quan ban hành") is Role.LEADERSHIP
