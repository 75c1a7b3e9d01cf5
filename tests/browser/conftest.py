"""A real server on a free port of this machine, and Chromium to look at it.

``chromium``  one headless browser a session
``province``  the shipped directory, policy and calendar, on 7 April 2021, served: ``.url``, ``.database``, ``.clock``
``page``      a new tab of a new visitor, at a desk's width
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from ground.databases import closing_database, sqlite_copy
from ground.factory import at
from ground.office import Standing
from ground.post import KEY
from ground.postgres import Ground
from playwright.sync_api import Browser, Page, sync_playwright

from config.settings import Settings
from engine.database import Database
from engine.links import Signer
from engine.web.app import make_app
from engine.web.context import Context
from workflows.demo import load_province
from workflows.simulate import foresee

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


@dataclass(frozen=True)
class Served:
    """Pages that answer at an address."""

    url: str
    database: Database
    clock: Standing


# By module: while Playwright's synchronous face is open an event loop runs in this thread, and no test after could
# start one of its own.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="vi-VN")
    yield context.new_page()
    context.close()


@pytest.fixture
def province(ground: Ground, tmp_path: Path) -> Iterator[Served]:
    clock = Standing(at("2021-04-07", "10:00"))
    with closing_database(sqlite_copy(ground, tmp_path)) as database:
        load_province(database, clock.now)
        settings = Settings(_env_file=None, data_dir=tmp_path, secret=KEY)  # type: ignore[call-arg]
        context = Context(database, clock, Signer(KEY), settings, simulate=foresee(database))
        yield from served(context, database, clock)


def served(context: Context, database: Database, clock: Standing) -> Iterator[Served]:
    """Serve in a thread until the test is over."""
    door = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(make_app(context), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{door.getsockname()[1]}", database, clock)
    finally:
        server.should_exit = True
        thread.join()
        door.close()
