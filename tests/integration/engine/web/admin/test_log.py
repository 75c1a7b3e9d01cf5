"""The log on its page: each line in words, its filters in the address, and exported as a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import rows
from ground.office import Office, as_role, everything

from engine.store.database import Database
from engine.store.records import Event


def lines(office: Office, path: str) -> list[str]:
    page = BeautifulSoup(office.get(path).text, "lxml")
    return [" ".join(each.get_text(" ").split()) for each in page.select(".story > li")]


def test_a_line_says_what_happened_by_whom_when_and_leads_to_the_assignment(office: Office) -> None:
    (line,) = lines(office, "/admin/log?kind=declined")
    assert "Có ý kiến không thuộc nhiệm vụ của cơ quan: «Việc của Văn phòng.»" in line
    assert "15:00 15/6/2021" in line
    assert "đầu mối, So chinh" in line
    page = BeautifulSoup(office.get("/admin/log?kind=declined").text, "lxml")
    assert page.select_one('.story a[href^="/assignments/"]') is not None


def test_what_administrators_do_is_told_in_words(office: Office) -> None:
    page = "/admin/agencies/so-ban/contacts/add"
    office.post(page, page=page, role="head", email="moi@so-ban.example", language="vi")
    office.post("/admin/agencies/so-ban/names", page="/admin/agencies/so-ban", name="Ban Mới", on="2021-06-01")
    shown = lines(office, "/admin/log?agency=so-ban&from=2021-06-24")
    assert any("ghi tên mới, so-ban" in line for line in shown)
    assert any("thêm, liên hệ số" in line for line in shown)
    assert not any("moi@so-ban.example" in line for line in shown)


def test_every_page_of_the_log_follows_the_one_before(office: Office, lived: Database) -> None:
    seen, path = 0, "/admin/log"
    while path:
        page = BeautifulSoup(office.get(path).text, "lxml")
        seen += len(page.select(".story > li"))
        more = page.select_one(".actions a.button")
        path = str(more["href"]) if more else ""
    assert seen == len(rows(lived, Event))


@pytest.mark.parametrize(
    "path",
    [
        "/admin/log?kind=x",
        "/admin/log?plan=x",
        "/admin/log?from=x",
        "/admin/log?from=1900-01-01",
        "/admin/log?after=x",
        "/admin/log?to=9999-12-31",
        "/admin/log?as=csv&kind=x",
        "/admin/log?actor=%00",
    ],
)
def test_a_hostile_address_is_answered_in_words(office: Office, path: str) -> None:
    assert office.get(path).status_code in (400, 422)


def test_what_matches_nothing_says_so_and_looking_changes_nothing(office: Office, lived: Database) -> None:
    before = everything(lived)
    assert "Không có việc nào hợp" in office.get("/admin/log?actor=contact:999&agency=x").text
    assert everything(lived) == before


@pytest.mark.parametrize("role", ["head", "monitor", "coordinator", "leadership"])
def test_the_log_is_the_administrators_alone(lived: Database, tmp_path: Path, role: str) -> None:
    office = as_role(lived, tmp_path, role, "so-chinh")
    assert [office.get(path).status_code for path in ("/admin/log", "/admin/log?as=csv")] == [403, 403]
