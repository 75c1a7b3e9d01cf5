"""/help: the manual of this version, for administrators alone."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from ground.office import Office, enter, join, open_office

from engine.features.guide.manual import PAGES
from engine.store.database import Database


@pytest.fixture
def administrator(lived: Database, tmp_path: Path) -> Office:
    return enter(open_office(lived, tmp_path), join(lived, "administrator", "so-chinh"))


def test_it_begins_with_the_contents_in_the_reader_s_language(administrator: Office) -> None:
    assert 'href="/help"' in administrator.get("/admin").text
    assert administrator.get("/help").headers["location"] == "/help/vi/van-hanh"
    assert administrator.get("/help?lang=en").headers["location"].startswith("/help/operating")


def test_every_page_is_shown_and_every_link_leads_to_one_or_to_its_chapter(administrator: Office) -> None:
    pages = {name: BeautifulSoup(administrator.get(f"/help/{name}").text, "lxml") for name in PAGES}
    assert len(pages) > 30
    ids = {name: {each["id"] for each in page.select("main [id]")} for name, page in pages.items()}
    broken = []
    for name, page in pages.items():
        assert page.h1 is not None, name
        assert page.h1.get_text(strip=True), name
        assert [head for head in page.select("th") if not head.get_text(strip=True)] == [], name
        for link in page.select("main .stack a"):
            target = urlsplit(str(link["href"]))
            to = target.path.removeprefix("/help/") or name
            if not target.netloc and (to not in PAGES or (target.fragment and unquote(target.fragment) not in ids[to])):
                broken.append((name, link["href"]))
    assert broken == []
    assert "decisions" not in " ".join(PAGES)


def test_what_is_no_page_of_it_is_not_read(administrator: Office) -> None:
    for name in ("../pyproject", "decisions/0001-one-letter-a-day-is-a-key", "operating.md", "%2e%2e/README", "vi"):
        assert administrator.get(f"/help/{name}").status_code == 404


def test_it_is_nobody_else_s(lived: Database, tmp_path: Path) -> None:
    for role, agency in (("coordinator", "so-ban"), ("leadership", "so-chinh")):
        office = enter(open_office(lived, tmp_path), join(lived, role, agency))
        assert office.get("/help/operating").status_code == 403
        assert 'href="/help"' not in office.get("/admin").text
