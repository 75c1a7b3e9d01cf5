"""Groups of agencies and other ways of writing a name, kept on a page: what documents mean by general words."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.databases import statements
from ground.factory import at, row
from ground.office import Office, enter, join

from engine.agencies.directory_loading import read_directory
from engine.agencies.groups import remember_names
from engine.store.database import Database
from engine.store.records import Agency, AgencyGroup

NEW = "/admin/groups/new"
TYPED: dict[str, Any] = {
    "name": "Các sở, ban, ngành",
    "aliases": "các sở,  ban ngành cấp tỉnh\n\nCÁC SỞ, BAN, NGÀNH\nsở, ban, ngành",
    "owners": ["so-ban", "so-chinh"],
}


def wrong(page: str) -> list[str]:
    return [str(each["aria-describedby"]) for each in BeautifulSoup(page, "lxml").select("[aria-invalid=true]")]


def test_a_group_that_is_added_is_what_a_document_means(office: Office, lived: Database) -> None:
    answer = office.post(NEW, page=NEW, **TYPED)
    assert answer.headers["location"] == "/admin/groups?said=saved"
    with lived.read() as session:
        known = read_directory(session)
    found = known.find("các Sở, ban ngành cấp tỉnh")
    assert found == "nhom-cac-so-ban-nganh"
    assert known.members(found) == ("so-ban", "so-chinh")
    assert row(lived, AgencyGroup, id=found).aliases == ["các sở, ban ngành cấp tỉnh", "sở, ban, ngành"]
    listed = BeautifulSoup(office.get("/admin/groups").text, "lxml").select(".rows .what b")
    assert [each.get_text() for each in listed] == ["Các huyện", "Các sở, ban, ngành"]


def test_a_group_is_changed_and_what_runs_keeps_its_owners(office: Office, lived: Database) -> None:
    page = "/admin/groups/cac-huyen"
    shown = BeautifulSoup(office.get(page).text, "lxml")
    assert [each["value"] for each in shown.select("input[name=owners][checked]")] == ["huyen-a", "huyen-b"]
    office.post(page, page=page, name="Các huyện", aliases="UBND các huyện", owners=["huyen-b"])
    group = row(lived, AgencyGroup, id="cac-huyen")
    assert (group.members, group.aliases) == (["huyen-b"], ["UBND các huyện"])
    assert "IV.2.1" in office.get("/agencies/huyen-a").text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "Huyện A"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"aliases": "Mặt trận\nhuyen b"}, "aliases"),
        ({"aliases": "..."}, "aliases"),
        ({"owners": []}, "members"),
        ({"owners": ["nowhere"]}, "members"),
    ],
)
def test_what_would_be_ambiguous_or_empty_is_refused_beside_its_field(
    office: Office, lived: Database, change: dict[str, Any], field: str
) -> None:
    answer = office.post(NEW, page=NEW, **(TYPED | change))
    assert (answer.status_code, wrong(answer.text)) == (422, [f"f-{field}-said"])
    with lived.read() as session:
        assert len(read_directory(session).groups) == 1


def test_an_agency_is_known_by_its_other_names(office: Office, lived: Database) -> None:
    page = "/admin/agencies/so-ban/aliases"
    assert office.post(page, page=page, aliases="Ban Quản lý\nSở Ban (cũ)").status_code == 303
    assert row(lived, Agency, id="so-ban").aliases == ["Ban Quản lý", "Sở Ban (cũ)"]
    taken = office.post(page, page=page, aliases="Huyện B")
    assert (taken.status_code, wrong(taken.text)) == (422, ["f-aliases-said"])
    assert "Ban Quản lý" in office.get("/admin/agencies/so-ban").text


def test_a_group_nobody_knows_is_said_and_others_keep_out(office: Office, lived: Database) -> None:
    assert office.get("/admin/groups/none").status_code == 404
    token = office.token(NEW)
    enter(office, join(lived, "monitor", "so-chinh"))
    assert office.get("/admin/groups").status_code == 403
    assert office.client.post(NEW, data={"token": token, **TYPED}).status_code == 403
    assert (
        office.client.post("/admin/agencies/so-ban/aliases", data={"token": token, "aliases": "x"}).status_code == 403
    )


def test_spellings_met_in_a_document_are_kept_but_none_that_somebody_else_bears(lived: Database) -> None:
    written = {
        "Sở Ban": "so-ban",
        "UBND các huyện": "cac-huyen",
        "Huyện B": "so-chinh",
        "Hội Xa": "nowhere",
        "…": "so-ban",
    }
    for _ in range(2):  # once more changes nothing
        with lived.write() as session:
            remember_names(session, written, actor="an", now=at("2021-06-07", "09:00"))
    with lived.read() as session:
        known = read_directory(session)
    assert [known.find(name) for name in written] == ["so-ban", "cac-huyen", "huyen-b", None, None]
    assert row(lived, AgencyGroup, id="cac-huyen").aliases == ["UBND các huyện"]
    assert row(lived, Agency, id="so-ban").aliases == ["Sở Ban"]
    assert row(lived, Agency, id="so-chinh").aliases == []


def test_the_directory_is_read_once_however_many_spellings_are_kept(lived: Database) -> None:
    def reads(count: int) -> int:
        written = {f"Sở Ban, viết kiểu {count} {n}": "so-ban" for n in range(count)}
        with statements(lived) as sent, lived.write() as session:
            remember_names(session, written, actor="an", now=at("2021-06-07", "09:00"))
        return sum("FROM agency" in each for each in sent)

    assert reads(12) == reads(1)
