"""Nobody is shown a link or a form that he would be refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.office import NOW, Office, as_role, contact_of, letter_of
from lxml import html

from engine.admin.published_figures import publish_figures
from engine.store.database import Database

Walked = Callable[[str, str], dict[str, str]]
PEOPLE = [
    ("coordinator", "huyen-b"),
    ("deputy", "huyen-b"),
    ("head", "huyen-b"),
    ("monitor", "so-chinh"),
    ("monitor", "tinh"),
    ("monitor", "so-ban"),
    ("leadership", "tinh"),
    ("administrator", "so-chinh"),
]


def walk(office: Office) -> dict[str, str]:
    """Address -> page, of everything that can be reached by links from where one begins: every path once, and once more
    for each filter that pages of its kind are linked with."""
    seen: dict[str, str] = {}
    home = office.get("/").headers.get("location", "/")
    todo, known = [(home, "")], {home}
    while todo:
        path, shown_on = todo.pop(0)
        answer = office.get(path)
        assert answer.status_code in (200, 303), f"{path}, shown on {shown_on}"
        seen[path] = answer.text if "text/html" in answer.headers.get("content-type", "") else ""
        for link in html.fromstring(seen[path] or "<html>").xpath("//a/@href"):
            href = str(link).partition("#")[0]
            found = {href.partition("?")[0], *_filters(href)}
            if href.startswith("/") and "lang=" not in href and not found <= known:
                known |= found
                todo.append((href, path))
    return seen


def _filters(href: str) -> set[str]:
    """Each filter of an address, the same for all things of one kind, whatever their ids."""
    path, _, query = href.partition("?")
    shape = re.sub(r"/(\d[\w-]*|(so|huyen|mat)-\w+|tinh)(?=/|$)", "/*", path)
    return {f"{shape}?{name}" for name in re.findall(r"(\w+)=", query)}


@pytest.fixture(scope="module")
def walked(copy_of_lived: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """What each finds by links; walked once. All look at one database: looking changes nothing that others see."""
    database = copy_of_lived()
    with database.write() as session:
        publish_figures(session, 1, "", NOW.date(), actor="desk", now=NOW)

    @cache
    def walking(role: str, agency: str) -> dict[str, str]:
        return walk(as_role(database, tmp_path_factory.mktemp("walked"), role, agency))

    return walking


@pytest.mark.parametrize(("role", "agency"), PEOPLE)
def test_every_link_that_one_is_shown_opens(walked: Walked, role: str, agency: str) -> None:
    seen = walked(role, agency)
    assert len(seen) > 8
    assert next(iter(seen)) == ("/agencies/huyen-b" if agency == "huyen-b" else "/"), "where one begins"


def test_who_only_looks_is_shown_no_form_that_decides(walked: Walked) -> None:
    deciding = re.compile(r"/(accept|extensions|overdue|assignments|plans|duties|leadership|report|admin)\b")
    for role, agency in (("leadership", "tinh"), ("monitor", "so-ban")):
        for path, page in walked(role, agency).items():
            forms = html.fromstring(page or "<html>").xpath("//form[@method='post']/@action")
            assert not [each for each in forms if deciding.match(each)], (role, path)


def test_the_overdue_list_offers_chasing_to_the_department_above_alone(lived: Database, tmp_path: Path) -> None:
    def ticks(role: str, agency: str) -> list[str]:
        page = BeautifulSoup(as_role(lived, tmp_path, role, agency).get("/overdue").text, "lxml")
        return [str(each["value"]) for each in page.select("input[name=agency]")]

    assert ticks("leadership", "tinh") == ticks("monitor", "so-ban") == []
    above, province, anybody = (ticks("monitor", "so-chinh"), ticks("monitor", "tinh"), ticks("administrator", "tinh"))
    assert (len(above), sorted(above + province)) == (2, sorted(anybody))


def test_a_monitor_sees_letters_and_contacts_of_the_agencies_that_the_department_follows(
    lived: Database, tmp_path: Path
) -> None:
    """A monitor of a department that follows no plan read every mailbox and letter of the province."""
    letter = letter_of(lived, contact_of(lived, "huyen-a"))
    theirs = (
        f"/letters/{letter}",
        f"/letters/{letter}/html",
        "/admin/agencies/huyen-a",
        "/agencies/huyen-a/files/" + "0" * 64,
    )
    api = (f"/api/v1/letters/{letter}", "/api/v1/directory/huyen-a")
    follows, looks = as_role(lived, tmp_path, "monitor", "so-chinh"), as_role(lived, tmp_path, "monitor", "so-ban")
    assert [looks.get(path).status_code for path in (*theirs, *api)] == [403] * 6
    assert [follows.get(path).status_code for path in (*theirs, *api)] == [200, 200, 200, 404, 200, 200]
    listed = {each["agency_id"] for each in looks.get("/api/v1/letters?limit=200").json()["items"]}
    assert listed == {"so-ban"}
    assert "huyen-a" not in looks.get("/letters").text
    assert [each["id"] for each in looks.get("/api/v1/directory").json()["items"]] == ["so-ban"]


def test_the_leadership_sees_figures_and_no_mailboxes(lived: Database, tmp_path: Path, walked: Walked) -> None:
    office = as_role(lived, tmp_path, "leadership", "tinh")
    seen = [page for path, page in walked("leadership", "tinh").items() if path != "/account"]
    assert not [page for page in seen if "coordinator@" in page or "monitor@" in page]
    assert office.get("/api/v1/letters").status_code == office.get("/api/v1/directory/huyen-a").status_code == 403


@pytest.mark.parametrize(("role", "shown"), [("monitor", False), ("administrator", True)])
def test_the_key_of_a_letter_is_for_whoever_reads_the_log(
    lived: Database, tmp_path: Path, role: str, shown: bool
) -> None:
    letter = letter_of(lived, contact_of(lived, "huyen-b"))
    page = as_role(lived, tmp_path, role, "so-chinh").get(f"/letters/{letter}").text
    assert ("Mã thư" in page, "Gửi lúc" in page) == (shown, True)
