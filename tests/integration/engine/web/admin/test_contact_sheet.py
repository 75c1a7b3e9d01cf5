"""The page: the template, a preview that changes nothing, and the confirmation."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from ground.commands import Commands
from ground.factory import rows
from ground.office import Office, as_role, everything
from httpx import Response

from engine.files.spreadsheet import parse_tables
from engine.store.database import Database
from engine.store.records import Contact

PAGE = "/admin/contact-sheet"
SHEET = "Cơ quan;Vai trò;Hộp thư;Điện thoại\n{agency};đầu mối;moi@huyen.invalid;0912345678\n"


def typed(form: Tag) -> dict[str, str]:
    """What a browser sends of a form."""
    fields = {str(each["name"]): str(each.get("value", "")) for each in form.select("input[name]")}
    for select in form.select("select"):
        chosen = select.select_one("option[selected]") or select.select_one("option")
        fields[str(select["name"])] = str(chosen["value"]) if chosen else ""
    return fields


def upload(office: Office, text: str) -> Response:
    return office.client.post(
        PAGE, data={"token": office.token(PAGE)}, files={"sheet": ("dau-moi.csv", text.encode(), "text/csv")}
    )


@pytest.fixture
def office(lived: Database, tmp_path: Path) -> Office:
    return as_role(lived, tmp_path, "administrator", "tinh")


def test_the_template_comes_back_by_the_page_as_no_change(office: Office) -> None:
    template = office.get(f"{PAGE}/template.xlsx")
    assert template.headers["cache-control"] == "no-store"
    files = {"sheet": ("dau-moi.xlsx", template.content, "application/octet-stream")}
    page = office.client.post(PAGE, data={"token": office.token(PAGE)}, files=files).text
    assert "Không có gì thay đổi" in page


def test_a_preview_changes_nothing_and_the_confirmation_does_what_was_shown(office: Office, lived: Database) -> None:
    name = BeautifulSoup(office.get("/admin/agencies/huyen-b").text, "lxml").select_one("h1").get_text()  # type: ignore[union-attr]
    before = everything(lived)
    page = upload(office, SHEET.format(agency=name))
    assert everything(lived) == before
    assert "Thêm 1 " in " ".join(page.text.split())
    form = BeautifulSoup(page.text, "lxml").select_one(f'form[action="{PAGE}/load"]')
    assert form is not None
    fields = typed(form)
    assert office.client.post(f"{PAGE}/load", data=fields).status_code == 303
    assert "moi@huyen.invalid" in {each.email for each in rows(lived, Contact)}
    again = office.client.post(f"{PAGE}/load", data=fields)
    assert (again.status_code, "hãy xem lại" in again.text) == (409, True)


def test_a_wrong_cell_is_shown_and_nothing_but_wrong_rows_cannot_be_confirmed(office: Office) -> None:
    page = upload(office, SHEET.format(agency="Ai Đó")).text
    assert "A2: danh bạ không có cơ quan này" in page
    assert "Lưu các thay đổi này" not in page
    assert upload(office, "").status_code == 400
    assert office.post(f"{PAGE}/load", page=PAGE, rows="forged").status_code == 400


def test_good_rows_are_taken_and_wrong_ones_come_back_as_a_spreadsheet(office: Office, lived: Database) -> None:
    text = SHEET.format(agency="huyen-b") + "huyen-b;đầu mối;không phải;\n"
    form = BeautifulSoup(upload(office, text).text, "lxml").select_one(f'form[action="{PAGE}/load"]')
    assert form is not None
    fields = typed(form)
    back = office.client.post(f"{PAGE}/wrong.xlsx", data=fields)
    assert (back.status_code, back.headers["cache-control"]) == (200, "no-store")
    (table,) = parse_tables(back.content)
    assert [row[:3] for row in table.rows] == [("Cơ quan", "Vai trò", "Hộp thư"), ("huyen-b", "đầu mối", "không phải")]
    assert table.rows[1][-1].startswith("C3: ")
    page = office.client.post(f"{PAGE}/load", data=fields)
    assert (page.status_code, "Những dòng dưới đây chưa nhận được" in page.text) == (200, True)
    assert "moi@huyen.invalid" in {each.email for each in rows(lived, Contact)}


def test_the_preview_of_a_province_s_contacts_is_a_page_and_shows_what_is_wrong_first(office: Office) -> None:
    head = "Cơ quan;Vai trò;Hộp thư;Điện thoại"
    lines = [f"Huyen b;đầu mối;hop-thu-thu-{n}@huyen-b.nghean.example;09123{n:05}" for n in range(399)]
    page = upload(office, "\n".join([head, *lines, "Ai Đó;đầu mối;moi@so.example;"]))
    shown = BeautifulSoup(page.text, "lxml")
    assert len(page.content) < 50_000
    assert "Ai Đó" in shown.select(".rows:not(.plain) li")[0].get_text()
    assert "… và 320 dòng nữa" in shown.get_text()
    assert "Thêm 399 " in " ".join(shown.get_text().split())


@pytest.mark.parametrize(("role", "agency"), [("head", "huyen-b"), ("monitor", "so-chinh")])
def test_telephone_numbers_of_everybody_are_for_administrators_alone(
    lived: Database, tmp_path: Path, role: str, agency: str
) -> None:
    office = as_role(lived, tmp_path, role, agency)
    assert [office.get(f"{PAGE}{more}").status_code for more in ("", "/template.xlsx")] == [403, 403]


def test_the_command_shows_asks_and_loads(
    lived: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dondoc = Commands(tmp_path, str(lived.url), monkeypatch, capsys)
    file = tmp_path / "dau-moi.csv"
    file.write_text(SHEET.format(agency="Ai Đó"))
    wrong = tmp_path / "sai.xlsx"
    ran = dondoc("load", "contacts", file, "--wrong", wrong)
    assert ran.code == 2
    assert "A2:" in ran.out
    assert parse_tables(wrong.read_bytes())[0].rows[1][0] == "Ai Đó"
    file.write_text(SHEET.replace("{agency}", "huyen-b"))
    said = dondoc("load", "contacts", file, "--yes").well
    assert "Đã thêm 1" in said
    assert "0912345678" not in said
    assert "Nothing would change" in dondoc("load", "contacts", file, "--yes").well
