"""An office uploads the list it has, as it is: two pages, and its agencies and contacts are there."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from ground.factory import rows
from ground.office import Office, as_role
from offices import sheets

from engine.agencies.contact_import import kept_choices
from engine.files.directory import fold
from engine.store.database import Database
from engine.store.records import Agency, Contact

PAGE = "/admin/contact-sheet"


@pytest.fixture
def office(lived: Database, tmp_path: Path) -> Office:
    return as_role(lived, tmp_path, "administrator", "tinh")


def uploaded(office: Office, raw: bytes) -> BeautifulSoup:
    files = {"sheet": ("danh-sach", raw, "application/octet-stream")}
    answer = office.client.post(PAGE, data={"token": office.token(PAGE)}, files=files)
    assert len(answer.content) < 50_000
    return BeautifulSoup(answer.text, "lxml")


def fields(page: BeautifulSoup, **chosen: str) -> dict[str, str]:
    """What a browser sends of the form, with some selects chosen otherwise."""
    form = page.select_one(f'form[action="{PAGE}/load"]')
    assert isinstance(form, Tag)
    sent = {str(each["name"]): str(each.get("value", "")) for each in form.select("input[name]")}
    for select in form.select("select"):
        option = select.select_one("option[selected]") or select.select_one("option")
        assert option is not None
        sent[str(select["name"])] = str(option["value"])
    assert set(chosen) <= set(sent)
    return sent | chosen


@pytest.mark.parametrize(
    ("raw", "answers", "contacts", "agencies"),
    [
        (sheets.departments(), {}, 4, 3),
        (sheets.side_by_side(), {}, 4, 2),
        (sheets.several_sheets(), {"role:nguoi phu trach": "coordinator"}, 3, 3),
        (sheets.libre_office(), {}, 3, 2),
        (sheets.semicolons(), {}, 3, 2),
        (sheets.old_windows(), {}, 2, 2),
        (sheets.without_headings(), {}, 2, 2),
        (sheets.communes_alone(), {}, 0, 130),
    ],
    ids=[
        "departments",
        "side by side",
        "several sheets",
        "ods",
        "semicolons",
        "windows-1258",
        "no headings",
        "agencies alone",
    ],
)
def test_a_list_is_loaded_in_two_pages(
    office: Office, lived: Database, raw: bytes, answers: dict[str, str], contacts: int, agencies: int
) -> None:
    before = len(rows(lived, Contact)), len(rows(lived, Agency))
    sent = fields(uploaded(office, raw), **answers)
    if answers:  # a word that nobody can know is asked once, and what it means is looked at before it is saved
        sent = fields(BeautifulSoup(office.client.post(f"{PAGE}/read", data=sent).text, "lxml"))
    answer = office.client.post(f"{PAGE}/load", data=sent)
    assert (answer.status_code, answer.headers.get("location")) == (303, "/admin/agencies?said=sheet_loaded")
    after = len(rows(lived, Contact)), len(rows(lived, Agency))
    assert (after[0] - before[0], after[1] - before[1]) == (contacts, agencies)
    assert "Tiếp theo" in office.get("/admin/agencies?said=sheet_loaded").text


def test_what_was_said_of_a_sheet_is_known_for_the_next_one(office: Office, lived: Database) -> None:
    head = "Nơi nhận;Việc;Hòm thư;Hộp thư\n"
    first = uploaded(office, f"{head}tinh;Thường trực;x;a@stp.example\n".encode())
    alert = first.select_one("[role=alert]")
    assert alert is not None
    assert "không có dòng tiêu đề" in alert.get_text()
    sent = fields(
        first,
        **{"column:noi nhan": "agency", "column:viec": "role", "column:hom thu": "-", "column:hop thu": "email"},
    )
    asked = BeautifulSoup(office.client.post(f"{PAGE}/read", data=sent).text, "lxml")
    sent = fields(asked, **{"role:thuong truc": "coordinator"})
    looked = BeautifulSoup(office.client.post(f"{PAGE}/read", data=sent).text, "lxml")
    assert office.client.post(f"{PAGE}/load", data=fields(looked)).status_code == 303
    again = uploaded(office, f"{head}tinh;Thường trực;x;b@snv.example\n".encode())
    assert office.client.post(f"{PAGE}/load", data=fields(again)).status_code == 303
    assert {"a@stp.example", "b@snv.example"} <= {each.email for each in rows(lived, Contact)}


def test_what_was_only_guessed_is_not_kept(office: Office, lived: Database) -> None:
    """A column of names that was taken for posts must not leave the names in the database."""
    page = uploaded(office, "Đơn vị;Chức vụ;Hộp thư\nSở Tư pháp;Người thứ nhất;a@stp.example\n".encode())
    assert office.client.post(f"{PAGE}/load", data=fields(page)).status_code == 303
    with lived.read() as session:
        assert not [key for key in kept_choices(session) if key.startswith(("column:", "role:"))]


def test_a_sheet_that_no_form_can_carry_is_refused_at_once(office: Office) -> None:
    notes = random.Random(1)
    rows_ = [f"Sở Tư pháp;m{n}@stp.example;{';'.join(notes.randbytes(140).hex() for _ in '123')}" for n in range(2_900)]
    answer = office.client.post(
        PAGE,
        data={"token": office.token(PAGE)},
        files={"sheet": ("a.csv", "\n".join(["Đơn vị;Hộp thư;Ghi chú;Lý do;Fax", *rows_]).encode())},
    )
    assert (answer.status_code, "Bảng dài quá" in answer.text) == (400, True)


def test_what_is_read_otherwise_than_it_was_shown_is_shown_before_it_is_saved(office: Office, lived: Database) -> None:
    before = rows(lived, Contact)
    sent = fields(uploaded(office, sheets.old_windows()), **{"role:lanh dao phu trach": "monitor"})
    answer = office.client.post(f"{PAGE}/load", data=sent)
    assert (answer.status_code, "chưa lưu gì" in answer.text) == (409, True)
    assert rows(lived, Contact) == before


@pytest.mark.parametrize("name", ["Huyen b tỉnh Nghệ An", "Huyne b"])
def test_a_misspelt_name_of_the_directory_is_no_new_agency_unless_a_person_says_so(
    office: Office, lived: Database, name: str
) -> None:
    """«Huyen b» is there; nobody is to be written to twice. But communes have names that differ by a letter."""
    page = uploaded(office, f"Cơ quan;Hộp thư\n{name};a@b.example\n".encode())
    assert "A2: danh bạ không có cơ quan này" in page.get_text()
    before = {each.id for each in rows(lived, Agency)}
    assert office.client.post(f"{PAGE}/load", data=fields(page)).status_code == 200
    assert {each.id for each in rows(lived, Agency)} == before
    sent = fields(page, **{f"kind:{fold(name)}": "huyen"})
    shown = BeautifulSoup(office.client.post(f"{PAGE}/read", data=sent).text, "lxml")
    assert office.client.post(f"{PAGE}/load", data=fields(shown)).status_code == 303
    assert name in {each.name for each in rows(lived, Agency)}


@pytest.mark.parametrize("name", ["Huyen c", "Huyen 3", "Hội Huyen b"])
def test_another_name_is_another_agency(office: Office, lived: Database, name: str) -> None:
    page = uploaded(office, f"Cơ quan;Hộp thư\n{name};a@b.example\n".encode())
    assert office.client.post(f"{PAGE}/load", data=fields(page)).status_code == 303
    assert name in {each.name for each in rows(lived, Agency)}


def test_what_cannot_be_stored_is_a_row_that_comes_back(office: Office, lived: Database) -> None:
    long, hidden = f"Sở {'x' * 210}", "Sở\u200b Xây\u00a0dựng\ufeff"
    page = uploaded(office, f"Cơ quan;Hộp thư\n{long};a@b.example\n{hidden};c@d.example\n".encode())
    assert "A2: tên dài nhất 200 ký tự" in page.get_text()
    assert office.client.post(f"{PAGE}/load", data=fields(page)).status_code == 200
    assert "Sở Xây dựng" in {each.name for each in rows(lived, Agency)}


def test_a_kind_that_is_not_to_be_added_is_left_out(office: Office, lived: Database) -> None:
    page = uploaded(office, "Cơ quan;Hộp thư\nHội Làm vườn;a@b.example\nHội Sinh vật cảnh;c@d.example\n".encode())
    sent = fields(page, **{"kind:hoi": "-"})
    shown = BeautifulSoup(office.client.post(f"{PAGE}/read", data=sent).text, "lxml")
    assert "chưa nhận được 2" in " ".join(shown.get_text().split())
    assert "Hội Làm vườn" not in {each.name for each in rows(lived, Agency)}
