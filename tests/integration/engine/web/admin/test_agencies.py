"""The directory by hand: found by any way of writing a name, kept in words, refused beside the field."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import row, rows
from ground.office import NOW, Office, as_role
from httpx import Response

from engine.agencies.agencies import add_agency
from engine.store.database import Database
from engine.store.records import Agency, Succession


def words(page: str) -> str:
    return " ".join(BeautifulSoup(page, "lxml").main.get_text(" ").split())  # type: ignore[union-attr]


def listed(office: Office, q: str) -> list[str]:
    page = BeautifulSoup(office.get("/admin/agencies", params={"q": q}).text, "lxml")
    return [each.get_text() for each in page.select(".rows .what b")]


def rename(office: Office, **more: str) -> Response:
    given = {"name": "Ban Mới", "short": "", "on": "2021-07-01"} | more
    return office.post("/admin/agencies/so-ban/names", page="/admin/agencies/so-ban", **given)


@pytest.mark.parametrize(("q", "count"), [("huyen", 2), ("HUYỆN A", 1), ("mat tran", 1), ("không có", 0), ("", 6)])
def test_an_agency_is_found_however_its_name_is_typed(office: Office, q: str, count: int) -> None:
    assert len(listed(office, q)) == count


def test_an_agency_is_found_by_the_name_it_no_longer_bears(office: Office) -> None:
    rename(office, on="2021-06-01")
    assert listed(office, "so ban") == ["Ban Mới"]
    assert "So ban" in words(office.get("/admin/agencies", params={"q": "so ban"}).text)


def test_a_long_directory_goes_page_by_page(office: Office, lived: Database) -> None:
    with lived.write() as session:
        for number in range(60):
            add_agency(session, f"xa-{number}", name=f"UBND xã {number}", level="xa", actor="desk", now=NOW)
    page = BeautifulSoup(office.get("/admin/agencies").text, "lxml")
    following = office.get(str(page.select_one(".more a")["href"])).text  # type: ignore[index]
    assert len(page.select(".rows > li")) == 50
    assert len(BeautifulSoup(following, "lxml").select(".rows > li")) == 16


def test_an_agency_is_added_and_its_page_says_what_comes_next(office: Office, lived: Database) -> None:
    answer = office.post(
        "/admin/add-agency",
        page="/admin/add-agency",
        id="so-moi",
        name="Sở Mới",
        level="so",
        parent="tinh",
        since="2021-07-01",
        groups="cac-huyen",
    )
    assert answer.headers["location"] == "/admin/agencies/so-moi?said=added"
    assert "Tiếp theo hãy thêm đầu mối" in office.get(answer.headers["location"]).text
    assert row(lived, Agency, id="so-moi").parent_id == "tinh"


def test_a_refused_agency_comes_back_with_what_was_typed_and_why_beside_each_field(office: Office) -> None:
    answer = office.post("/admin/add-agency", page="/admin/add-agency", id="Sở Mới", name="", level="", since="mai")
    page = BeautifulSoup(answer.text, "lxml")
    wrong = {each["name"]: each["aria-describedby"] for each in page.select("[aria-invalid=true]")}
    assert answer.status_code == 422
    assert set(wrong) == {"since"}
    again = office.post("/admin/add-agency", page="/admin/add-agency", id="Sở Mới", name="", level="", since="")
    page = BeautifulSoup(again.text, "lxml")
    assert {each["name"] for each in page.select("[aria-invalid=true]")} == {"id", "name", "level"}
    assert page.select_one("#f-id")["value"] == "Sở Mới"  # type: ignore[index]
    assert all(page.find(id=each["aria-describedby"]) for each in page.select("[aria-invalid=true]"))


def test_the_same_id_again_is_refused_beside_the_id(office: Office) -> None:
    answer = office.post("/admin/add-agency", page="/admin/add-agency", id="so-ban", name="X", level="so")
    assert answer.status_code == 409
    assert "đã có trong danh bạ" in BeautifulSoup(answer.text, "lxml").find(id="f-id-said").get_text()  # type: ignore[union-attr]


def test_a_new_name_shows_beside_the_old_one_until_its_day_comes(office: Office, lived: Database) -> None:
    assert rename(office).headers["location"].endswith("said=renamed")
    assert "sắp có hiệu lực" in office.get("/admin/agencies/so-ban").text
    assert row(lived, Agency, id="so-ban").name == "So ban"


def test_a_succession_is_recorded_shown_on_both_pages_and_taken_back(office: Office, lived: Database) -> None:
    answer = office.post(
        "/admin/agencies/so-ban/succession",
        page="/admin/agencies/so-ban/succession",
        to="so-chinh",
        on="1/6/2021",
        function="",
        basis="Nghị quyết 27/NQ-HĐND",
    )
    assert "chưa chuyển" in office.get(answer.headers["location"]).text
    assert "Nhận từ So ban" in words(office.get("/admin/agencies/so-chinh").text)
    assert row(lived, Succession).on == date(2021, 6, 1)
    office.post("/admin/agencies/so-ban/succession/1/withdraw", page="/admin/agencies/so-ban")
    assert rows(lived, Succession) == []


def test_a_succession_onto_itself_is_refused_in_words(office: Office) -> None:
    answer = office.post(
        "/admin/agencies/so-ban/succession", page="/admin/agencies/so-ban/succession", to="so-ban", on="", basis=""
    )
    assert answer.status_code == 422
    assert "Cần ghi ngày" in answer.text
    answer = office.post(
        "/admin/agencies/so-ban/succession",
        page="/admin/agencies/so-ban/succession",
        to="so-ban",
        on="2021-06-01",
        basis="NQ",
    )
    assert "không kế thừa chính mình" in answer.text


@pytest.mark.parametrize(
    ("role", "agency", "own", "other", "everything"),
    [
        ("administrator", "tinh", 200, 200, 200),
        ("monitor", "so-chinh", 200, 200, 200),
        ("head", "so-ban", 200, 403, 303),
        ("coordinator", "so-ban", 200, 403, 303),
        ("leadership", "tinh", 403, 403, 403),
    ],
)
def test_contacts_are_seen_by_their_own_agency_and_by_who_watches_all(
    lived: Database, tmp_path: Path, role: str, agency: str, own: int, other: int, everything: int
) -> None:
    office = as_role(lived, tmp_path, role, agency)
    assert office.get(f"/admin/agencies/{agency}").status_code == own
    assert office.get("/admin/agencies/huyen-b").status_code == other
    assert office.get("/admin/agencies").status_code == everything


@pytest.mark.parametrize("role", ["head", "monitor", "coordinator"])
def test_nobody_but_the_administrator_changes_the_directory(lived: Database, tmp_path: Path, role: str) -> None:
    office = as_role(lived, tmp_path, role, "so-ban")
    page = office.get("/admin/agencies/so-ban").text
    token = office.token("/account")
    assert "/names" not in page
    assert "succession" not in page
    for path in (
        "add-agency",
        "agencies/so-ban/names",
        "agencies/so-ban/succession",
        "agencies/so-ban/succession/1/withdraw",
    ):
        assert office.client.post(f"/admin/{path}", data={"token": token}).status_code == 403, path


@pytest.mark.parametrize("path", ["/admin/agencies/ai-do", "/admin/agencies/ai-do/succession", "/admin/contacts/999"])
def test_what_is_not_there_is_said_in_words(office: Office, path: str) -> None:
    assert office.get(path).status_code == 404
