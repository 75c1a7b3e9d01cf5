"""The guide: one text for the page, «?» and the manuals; every page of the bar has its paragraph."""

from __future__ import annotations

import re

import pytest
from ground.office import Office
from ground.walk import flat

from engine.application.app import PAGES
from engine.features.guide.pages import DOCS, MANUALS, Manual, guide, manual
from engine.http.navigation import ENTRIES as BAR
from engine.http.navigation import MENU

ENTRIES = [entry for part in guide().parts for entry in part.entries]


@pytest.mark.parametrize("path", [leaf.path for entry in BAR for leaf in entry.leaves] + [leaf.path for leaf in MENU])
def test_every_page_of_the_bar_has_its_paragraph(path: str) -> None:
    assert guide().about(path) is not None


def test_every_page_has_its_paragraph() -> None:
    pages = {each.path for page in PAGES for each in flat(page.router) if "GET" in (each.methods or ())}  # type: ignore[attr-defined]
    without = {path for path in pages if guide().about(re.sub(r"\{\w+\}", "7", path)) is None}
    assert without == {
        *("/api", "/feed/{name}", "/guide", "/guide/pictures/{name}.webp", "/search", "/styleguide"),
        *("/arrived/{key}", "/working/{ticket}"),  # gone in a moment
    }


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("/r/token", "bao-cao"),
        ("/r/token/thread", "hen"),
        ("/report/so-ban/1/2021-H1/thread", "hen"),
        ("/u/token", "nhan-thu"),
        ("/promises", "hen-gia-han"),
        ("/plans/12/figures", "so-lieu"),
        ("/plans/12", "ke-hoach"),
        ("/duties/4/amend", "ke-hoach"),
        ("/admin/contact-sheet", "danh-ba"),
        ("/admin/add-account", "tai-khoan"),
    ],
)
def test_a_page_opens_the_paragraph_that_is_about_it(path: str, entry: str) -> None:
    found = guide().about(path)
    assert found is not None
    assert found.id == entry


def test_the_nearest_paragraph_is_opened() -> None:
    def about(path: str) -> str:
        found = guide().about(path)
        return found.id if found else ""

    assert [about(path) for path in ("/", "/overdue", "/admin/calendar", "/admin", "/report/so-ban/1/2021-H1")] == [
        "bang",
        "qua-han",
        "lich",
        "he-thong",
        "bao-cao",
    ]
    assert about("/nowhere") == ""


def test_each_paragraph_is_whole_in_both_languages_and_named_once() -> None:
    assert len({entry.id for entry in ENTRIES}) == len(ENTRIES)
    for entry in ENTRIES:
        assert len(entry.vi.text) == len(entry.en.text), entry.id
        for said in (entry.vi, entry.en):
            assert all(text.endswith((".", "…")) for text in said.text), entry.id
            assert not re.search(r"\bTODO\b|  ", " ".join(said.text)), entry.id


def test_it_opens_without_signing_in_and_shows_the_page_it_was_asked_from(office: Office) -> None:
    page = office.get("/guide?page=/overdue")
    assert page.status_code == 200
    assert page.text.index("Quá hạn và đôn đốc") < page.text.index("Mục lục")
    assert office.get("/guide?page=/nowhere").status_code == 200
    assert 'href="/guide?page=%2Foverdue"' in office.get("/overdue").text


@pytest.mark.parametrize("each", MANUALS, ids=lambda each: each.path)
def test_the_manuals_are_made_of_it(each: Manual) -> None:
    """`python -m engine.features.guide.pages`"""
    assert (DOCS / each.path).read_text(encoding="utf-8") == manual(each)
