"""A real server on a free port of this machine, and Chromium to look at it.

``chromium``  one headless browser a worker
``province``  the shipped directory, policy and calendar, on 7 April 2021, served: ``.url``, ``.database``, ``.clock``
``spring``    plan 188 on Thursday 24 June 2021 (``lived_copy``), served, with its Maildir and accounts for each role
``page``      a new tab of a new visitor, at a desk's width
``come``      visitors of ``spring``: each flow runs on a telephone in Vietnamese and, ``deep``, on a desk in English
"""

from __future__ import annotations

import asyncio
import threading
import time
from asyncio.events import _set_running_loop
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import uvicorn
from browser.visitors import AXE, DESK, PHONE, TALL, Come, Visitor
from fastapi import FastAPI
from ground.databases import closing_database, sqlite_copy
from ground.factory import at
from ground.office import Standing, join
from ground.post import KEY
from ground.postgres import Ground
from ground.province import NOW, aside, lived_copy, load_province, wired
from playwright.sync_api import Browser, Page, expect, sync_playwright

from config.settings import Settings
from engine.accounts.accounts import change, find
from engine.accounts.sign_in import open_session
from engine.accounts.signed_links import Signer
from engine.application.app import make_app
from engine.http.app_context import AppContext
from engine.store.database import Database
from notifications.email import maildir
from workflows.run.system import System
from workflows.server import application
from workflows.serving.runs import tick
from workflows.serving.sending import listen_at
from workflows.simulation.simulation import cached_simulation

CHROMIUM = next(
    (path for path in ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium") if Path(path).exists()),
    "/usr/bin/chromium",
)
"""Debian's headless shell, where it is installed: the same engine without windows, a tab in a quarter of the time."""
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--renderer-process-limit=1",
    "--js-flags=--no-opt --no-maglev --max-lazy --no-flush-bytecode",
]
"""One renderer for all visitors: a process of its own for each costs half a second. The last: a page is looked at for
half a second; optimizing its scripts (axe has 0.5 MB) costs more than it saves."""
PATIENCE = 20_000
"""Milliseconds: a busy machine is no fault."""
EYES = [
    pytest.param((PHONE, "vi"), id="telephone-vi"),
    pytest.param((DESK, "en"), id="desk-en", marks=pytest.mark.deep),
]
AT = {"monitor": "so-ldtbxh", "leadership": "ubnd-tinh", "administrator": "so-ldtbxh"}
"""Where those work who are not of an owner agency."""

expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Served:
    """Pages that answer at an address."""

    url: str
    database: Database
    clock: Standing


@dataclass(frozen=True)
class Spring(Served):
    """The lived province: its letters too."""

    system: System
    folder: Path

    def newest_letter(self, to: str, purpose: str = "") -> str:
        """The HTML of the newest letter to a mailbox that holds a link of this purpose (``l``, ``r``), its links
        leading here. A letter with a sign-in link leaves after the page has answered, so it is waited for."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for each in maildir.letters(self.folder / "maildir", 1_000):
                if each.to == to:
                    html = maildir.read(self.folder / "maildir", each.name).html
                    if f"/{purpose}/" in html or not purpose:
                        return html.replace(self.system.settings.base_url, self.url)
            time.sleep(0.1)
        raise LookupError(to)

    def beats(self) -> None:
        """One tick."""
        aside(lambda: asyncio.run(tick(self.system, self.clock.now)))


@pytest.fixture(scope="session")
def launched() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    """One headless browser a worker, and the event loop of Playwright's synchronous API."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        loop = asyncio.get_running_loop()
        _set_running_loop(None)
        yield browser, loop
        _set_running_loop(loop)
        browser.close()


@pytest.fixture(scope="module")
def chromium(launched: tuple[Browser, asyncio.AbstractEventLoop]) -> Iterator[Browser]:
    """The browser. Its loop counts as running in this thread for the tests of a module: those after start their own."""
    browser, loop = launched
    _set_running_loop(loop)
    yield browser
    _set_running_loop(None)


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
        context = AppContext(
            database=database,
            clock=clock,
            signer=Signer(KEY),
            settings=settings,
            simulate=cached_simulation(database),
            open_desk=True,
        )
        with served(make_app(context)) as url:
            yield Served(url, database, clock)


@pytest.fixture
def spring(ground: Ground, tmp_path: Path) -> Iterator[Spring]:
    with spring_of(ground, tmp_path) as found:
        yield found


@contextmanager
def spring_of(ground: Ground, folder: Path) -> Iterator[Spring]:
    """A copy of the lived province, served."""
    clock = Standing(NOW)
    system = replace(wired(lived_copy(ground, folder)), clock=clock)
    try:
        with served(application(system)) as url:
            yield Spring(url, system.database, clock, system, system.settings.data_dir)
    finally:
        system.database.dispose()


@pytest.fixture(params=EYES)
def come_early(request: pytest.FixtureRequest, chromium: Browser, province: Served) -> Iterator[Come]:
    """Visitors of ``province``."""
    with visitors(chromium, province, *request.param) as coming:
        yield coming


@pytest.fixture(params=EYES)
def come(request: pytest.FixtureRequest, chromium: Browser, spring: Spring) -> Iterator[Come]:
    """``come("monitor")``, ``come("coordinator", "so-xay-dung")`` signed in; ``come()`` as nobody yet."""
    with visitors(chromium, spring, *request.param) as coming:
        yield coming


@contextmanager
def visitors(
    chromium: Browser,
    here: Served,
    width: int,
    language: str,
    *,
    dark: bool = False,
    scripts: bool | None = None,
    axe_everywhere: bool = False,
) -> Iterator[Come]:
    """Visitors who all leave at the end; then nothing may have gone wrong in their browsers. ``axe_everywhere``: for
    walks that look at every page, axe stands in each from its beginning and is not sent to each anew (0.1 s)."""
    came: list[Visitor] = []
    telephone = width == PHONE
    scripted = scripts if scripts is not None else not telephone

    def coming(role: str = "", agency_id: str = "") -> Visitor:
        context = chromium.new_context(
            viewport={"width": width, "height": TALL},
            has_touch=telephone,
            is_mobile=telephone,
            java_script_enabled=scripted,
            locale=f"{language}-VN",
            color_scheme="dark" if dark else "light",
        )
        name, value = "dondoc_language", language
        if role:
            name, value = "dondoc_session", enter(here, role, agency_id or AT[role], language)
        context.add_cookies([{"name": name, "value": value, "url": here.url}])
        if axe_everywhere:
            context.add_init_script(f"if (window === top) {{ {AXE} }}")
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        came.append(Visitor(page, here.url, language, telephone, scripted, width, dark))
        return came[-1]

    yield coming
    faults = [fault for each in came for fault in each.faults]
    for each in came:
        each.page.context.close()
    assert not faults


def enter(here: Served, role: str, agency_id: str, language: str) -> str:
    """The cookie of somebody's session; the account is made when it is first needed."""
    with here.database.write() as session:
        known = find(session, f"{role}@{agency_id}.example")
        if known is not None:
            change(session, known.id, language=language, actor="cli", now=here.clock.now)
    account = known.id if known else join(here.database, role, agency_id, language)
    with here.database.write() as session:
        return open_session(session, account, way="link", device="Chromium", now=here.clock.now)


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address of an application that answers, from a thread, until the end."""
    door = listen_at("127.0.0.1", 0)
    door.listen()  # whoever comes before the thread has begun waits, and is not refused
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        door.close()
