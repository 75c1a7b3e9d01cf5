"""The search page: a box in the head of every page, and nothing that its reader could not open."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.office import Office, as_role

from engine.store.database import Database


def links(office: Office, words: str) -> list[str]:
    page = BeautifulSoup(office.get("/search", params={"q": words}).text, "lxml")
    return [str(each["href"]) for each in page.select("main .hits .what > a")]


def test_the_box_in_the_head_of_a_page_leads_to_the_duty(lived: Database, tmp_path: Path) -> None:
    office = as_role(lived, tmp_path, "monitor", "so-chinh")
    form = BeautifulSoup(office.get("/overdue").text, "lxml").select_one("header form[role=search]")
    assert form is not None
    assert form["action"] == "/search"
    assert links(office, "viec thu 2")[0].startswith("/assignments?plan=1&duty=IV.2.1")


@pytest.mark.parametrize(
    ("role", "agency"),
    [("coordinator", "huyen-b"), ("head", "huyen-b"), ("monitor", "so-chinh"), ("leadership", "tinh")],
)
@pytest.mark.parametrize("words", ["huyen", "so-ban", "coordinator", "IV.1.1", "KH", "thu"])
def test_what_is_found_opens(lived: Database, tmp_path: Path, role: str, agency: str, words: str) -> None:
    office = as_role(lived, tmp_path, role, agency)
    for path in links(office, words):
        assert office.get(path.partition("#")[0]).status_code == 200, path


def test_contacts_and_letters_are_found_by_those_who_may_see_them(lived: Database, tmp_path: Path) -> None:
    def kinds(role: str, agency: str) -> set[str]:
        office = as_role(lived, tmp_path, role, agency)
        found = links(office, "coordinator@huyen-a.example") + links(office, "12/KH-UBND")
        return {"/".join(path.split("?")[0].split("/")[1:-1]) for path in found}

    assert kinds("monitor", "so-chinh") >= {"admin/agencies", "letters"}
    for role, agency in (("leadership", "tinh"), ("coordinator", "huyen-b")):
        assert not kinds(role, agency) & {"admin/agencies", "letters"}
