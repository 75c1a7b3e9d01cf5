"""The set-up page in a browser: it is there only while there is no account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.conftest import Served, served, visitors
from browser.visitors import DESK, PHONE
from ground.databases import closing_database, sqlite_copy
from ground.factory import at
from ground.office import Standing
from ground.post import KEY
from ground.postgres import Ground
from ground.province import load_province
from playwright.sync_api import Browser, expect

from config.settings import Settings
from engine.accounts.setup_code import issue_setup_code
from engine.accounts.signed_links import Signer
from engine.application.app import make_app
from engine.http.app_context import AppContext

NOW = at("2021-04-07", "10:00")
GOOD = "mot cau dai de nho 7"


@pytest.fixture
def closed(ground: Ground, tmp_path: Path) -> Iterator[tuple[Served, str]]:
    """A province without an account, as installed, and its set-up code."""
    clock = Standing(NOW)
    with closing_database(sqlite_copy(ground, tmp_path)) as database:
        load_province(database, NOW)
        with database.write() as session:
            code = issue_setup_code(session, NOW) or ""
        settings = Settings(_env_file=None, data_dir=tmp_path, secret=KEY)  # type: ignore[call-arg]
        with served(make_app(AppContext(database=database, clock=clock, signer=Signer(KEY), settings=settings))) as url:
            yield Served(url, database, clock), code


@pytest.mark.parametrize(("width", "language"), [(PHONE, "vi"), (DESK, "en")])
def test_the_first_administrator_is_made_with_the_code_from_the_terminal(
    chromium: Browser, closed: tuple[Served, str], width: int, language: str
) -> None:
    here, code = closed
    with visitors(chromium, here, width, language) as come:
        visitor = come()
        page = visitor.page
        page.goto(f"{here.url}/setup")
        assert visitor.looks() == []
        page.fill("#code", code)
        page.click("form.stack button")
        assert visitor.looks() == []
        page.fill("#f-email", "quantri@tinh.example")
        page.select_option("#f-agency_id", "ubnd-tinh")
        page.fill("#f-password", GOOD)
        page.fill("#f-again", GOOD)
        page.click("form.stack button")
        expect(page).to_have_url(re.compile(r"/(\?.*)?$"))
        page.goto(f"{here.url}/admin/accounts")
        expect(page.locator("main")).to_contain_text("quantri@tinh.example")
