"""The web application in tests, accounts that are signed in, and a small plan simulated to 24 June 2021 with data of
every kind.

    office = open_office(database, folder)  the application with a database, the clock stopped at NOW
    office.get("/overdue").text             with an open desk, as in the demonstration; closed where accounts exist
    office.post("/assignments/3/accept")    with the form's token, like a browser
    as_role(database, folder, "monitor", "tinh")  the same, signed in

``live_through`` loads the plan of ``ground.factory`` and simulates people: so-ban has reported on time, huyen-a late;
huyen-b is overdue, was reminded twice and escalated; mat-tran requests an extension; so-chinh declines.
"""

from __future__ import annotations

import asyncio
import socket
from asyncio.events import _set_running_loop
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import uvicorn
from anyio import to_thread
from fastapi import FastAPI
from ground.factory import Laid, at, lay
from ground.incoming.messages import keep_message
from ground.post import KEY, post_office
from httpx import Response
from sqlmodel import Session, SQLModel

from config.settings import DemoSettings, Settings
from engine.accounts.accounts import any_active, create
from engine.accounts.sign_in import open_session
from engine.accounts.signed_links import Link, Purpose, Signer
from engine.application.app import make_app
from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.http.app_context import AppContext
from engine.http.long_work import JobAnswer, LongWork, Progress
from engine.http.render import Templates
from engine.http.request_context import BINDING_COOKIE, Tools, guarded, is_secure
from engine.http.security import FormTokens, SecurityLog
from engine.queries.time_class import Today, read_today
from engine.store.database import Database, table
from engine.store.pending_answers import Begun
from engine.store.records import Contact, Letter
from engine.terms import Outcome, Role, WaitReason
from workflows.run import channel_wiring, passes
from workflows.simulation.demo import fast_forward

OPENED, NOW = at("2021-04-07", "09:00"), at("2021-06-24")
HERE = "http://127.0.0.1:8188"


class Standing:
    """A clock that shows ``now`` until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class InProcess(httpx.BaseTransport):
    """Calls the application in this process, on one event loop for the whole run and in its thread: 2 ms a page instead
    of 30. Requests come one after the other, so none waits for a thread of its own."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def handle_request(self, request: httpx.Request) -> Response:
        application, runner = _served()
        application.state.tools = self._tools
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(to_thread, "run_sync", _run_here)
            return runner.run(self._answer(application, request))

    async def _answer(self, application: FastAPI, request: httpx.Request) -> Response:
        whole = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        answer = await transport.handle_async_request(whole)
        return Response(answer.status_code, headers=answer.headers, content=await answer.aread())


async def _run_here(call: Callable[..., Any], *args: Any, **_: Any) -> Any:
    """What ``anyio.to_thread.run_sync`` does, without a thread: the call sees no running loop and may start its own."""
    loop = asyncio.get_running_loop()
    _set_running_loop(None)
    try:
        return copy_context().run(call, *args)
    finally:
        _set_running_loop(loop)


@dataclass
class Office:
    """The application, called in this process. ``client`` keeps cookies and does not follow redirects."""

    client: httpx.Client
    context: AppContext
    clock: Standing

    def get(self, path: str, **more: Any) -> Response:
        return self.client.get(path, **more)

    def post(self, path: str, *, page: str = "", **fields: Any) -> Response:
        """Send a form with the token of the first form on ``page``; without one, with a token for this client's cookie,
        as any page would have made: to render one for it took a tenth of the time of all tests of pages."""
        data = {"token": self.token(page) if page else self._own_token()} | fields
        return self.client.post(path, data=data)

    @property
    def cookies(self) -> str:
        """The header by which a program of its own is this client."""
        return "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())

    def _own_token(self) -> str:
        name = guarded(BINDING_COOKIE, is_secure(self.context))
        if name not in self.client.cookies:
            self.client.cookies.set(name, FormTokens.fresh_binding())
        return FormTokens(Signer(KEY)).make(self.client.cookies[name])

    def token(self, page: str = "/overdue") -> str:
        """The token of a page's first form."""
        return token_in(self.get(page).text)

    def link(self, purpose: Purpose, contact_id: int, subject: str, **dates: date) -> str:
        """A signed path, as in letters."""
        made = Link(
            purpose=purpose,
            contact_id=contact_id,
            subject=subject,
            made_on=dates.get("made_on", date(2021, 6, 1)),
            until=dates.get("until", date(2021, 7, 30)),
        )
        path = {Purpose.ACKNOWLEDGE: "l", Purpose.UNSUBSCRIBE: "u"}.get(purpose, "r")
        return f"/{path}/{self.context.signer.token(made)}"


@contextmanager
def serving(office: Office) -> Iterator[tuple[uvicorn.Server, int]]:
    """The pages behind a real server on loopback, in a thread, and its port. What it logs, the test sees. It ends when
    all that was asked has been answered."""
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    door.listen()
    told = uvicorn.Config(make_app(office.context), log_config=None, log_level="info", lifespan="off")
    server = uvicorn.Server(told)
    thread = Thread(target=server.run, args=([door],))
    thread.start()
    try:
        yield server, door.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10.0)
        door.close()


def token_in(page: str) -> str:
    return page.partition('name="token" value="')[2].partition('"')[0]


def open_office(
    database: Database,
    folder: Path,
    *,
    now: datetime = NOW,
    step: Callable[[str], None] | None = None,
    preview: Any = None,
    simulate: Any = None,
    links: Any = None,
    single_sign_on: Any = None,
    host: str = HERE,
    open_desk: bool | None = None,
    examine: Any = None,
    send_test: Any = None,
    check_settings: Any = None,
    current: Any = None,
    **settings: Any,
) -> Office:
    """The whole application with a database; ``settings`` are those of ``Settings``. ``open_desk`` None: open in the
    demonstration and over a database without accounts."""
    clock = Standing(now)
    if open_desk is None:
        with database.read() as session:
            open_desk = step is not None or not any_active(session)
    if host != HERE:
        settings.setdefault("base_url", host)
    chosen = _settings(DemoSettings if step else Settings, **settings).model_copy(update={"data_dir": folder})
    signer = Signer(KEY)
    preview = preview or partial(channel_wiring.preview_letter, channel_wiring.letter_renderer(chosen, signer))
    context = AppContext(
        database=database,
        clock=clock,
        signer=signer,
        settings=chosen,
        step=step,
        simulate=simulate,
        links=links,
        preview=preview,
        single_sign_on=single_sign_on,
        open_desk=open_desk,
        examine=examine,
        send_test=send_test,
        check_settings=check_settings,
        current=current,
    )
    tools = Tools(context, _templates(), FormTokens(Signer(KEY)), SecurityLog(), PatientWork(patience=PATIENCE_SECONDS))
    return Office(httpx.Client(transport=InProcess(tools), base_url=host), context, clock)


PATIENCE_SECONDS = 120.0


class PatientWork(LongWork):
    """On a busy machine, too, an answer is the answer, and no thread outlives its test, unless the test asks for less
    patience."""

    def keep(
        self,
        database: Database,
        work: Begun,
        future: Future[Any],
        answer: Callable[[], JobAnswer],
        progress: Progress | None = None,
    ) -> Thread:
        thread = super().keep(database, work, future, answer, progress)
        if self.patience == PATIENCE_SECONDS:
            thread.join(PATIENCE_SECONDS)
        return thread


@cache
def _served() -> tuple[FastAPI, asyncio.Runner]:
    """The application and its event loop, created once per run; each Office passes its own database and settings."""
    settings = Settings(_env_file=None, secret=KEY)  # type: ignore[call-arg]
    return make_app(
        AppContext(database=Database("sqlite://"), clock=Standing(NOW), signer=Signer(KEY), settings=settings)
    ), asyncio.Runner()


@cache
def _settings(kind: type[Settings], **settings: Any) -> Settings:
    """Cached: reading settings takes 5 ms, and a run opens hundreds of offices."""
    return kind(_env_file=None, secret=KEY, **settings)  # type: ignore[call-arg]


@cache
def _templates() -> Templates:
    return Templates()


def live_through(database: Database, until: datetime = NOW) -> Laid:
    """The small plan from its opening to ``until``, simulated with the live passes."""
    laid = lay(database, now=OPENED)
    asyncio.run(_live(laid, until))
    return laid


def live_on(database: Database, since: datetime, until: datetime) -> None:
    """The live passes, in which nobody does anything."""
    asyncio.run(_pass(database, since, until))


async def _pass(database: Database, since: datetime, until: datetime) -> None:
    office = post_office()

    async def tick(now: datetime) -> object:
        return await passes.tick(database, now, office)

    await fast_forward(database, since, until, tick)


async def _live(laid: Laid, until: datetime) -> None:
    moment = OPENED
    for day, act in sorted(_acts(laid).items()):
        if at(day, "15:00") <= until:
            await _pass(laid.database, moment, at(day, "15:00"))
            moment = at(day, "15:00")
            act(moment)
    await _pass(laid.database, moment, until)


def _acts(laid: Laid) -> dict[str, Callable[[datetime], None]]:
    """The actions of people, by day."""
    so_ban, huyen_a, mat_tran, so_chinh = (
        laid.assignment(citation, agency)
        for citation, agency in (
            ("IV.1.1", "so-ban"),
            ("IV.2.1", "huyen-a"),
            ("IV.3.1", "mat-tran"),
            ("IV.4.1", "so-chinh"),
        )
    )

    def do(act: Callable[..., Any], assignment: int, agency: str, now: datetime, **words: Any) -> None:
        with laid.database.write() as session:
            act(session, assignment, actor=f"contact:{contact_of(laid.database, agency)}", now=now, **words)

    def wrote(assignment: int, agency: str, text: str, now: datetime, **more: Any) -> None:
        with laid.database.write() as session:
            keep_message(session, agency, text, about=[assignment], supervisor_id="so-chinh", now=now, **more)

    done, partly = (
        ReportText(body="Đã làm xong."),
        ReportText(
            outcome=Outcome.PARTLY,
            body="Một phần.",
            reason="Còn hai xã.",
            promise=PromiseText(on=date(2021, 7, 6)),
        ),
    )
    return {
        "2021-04-08": lambda now: do(lifecycle.acknowledge, so_ban, "so-ban", now),
        "2021-06-10": lambda now: do(lifecycle.report, so_ban, "so-ban", now, text=done),
        "2021-06-14": lambda now: do(
            lifecycle.ask_extension, mat_tran, "mat-tran", now, until=date(2021, 6, 30), reason="Chờ số liệu cơ sở."
        ),
        "2021-06-15": lambda now: do(lifecycle.decline, so_chinh, "so-chinh", now, reason="Việc của Văn phòng."),
        "2021-06-16": lambda now: wrote(so_ban, "so-ban", "Đã nhận.", now),
        "2021-06-18": lambda now: wrote(
            huyen_a, "huyen-a", "Đề nghị hướng dẫn biểu mẫu.", now, waits=WaitReason.NOT_UNDERSTOOD
        ),
        "2021-06-22": lambda now: do(lifecycle.report, huyen_a, "huyen-a", now, text=partly),
    }


@contextmanager
def looking(database: Database, now: datetime = NOW) -> Iterator[tuple[Session, Today]]:
    """A read session and its Today, the first arguments of every query. A snapshot: later writes are not visible."""
    with database.read() as session:
        yield session, read_today(session, now)


def contact_of(database: Database, agency_id: str, role: Role = Role.COORDINATOR) -> int:
    c = table(Contact)
    with database.read() as session:
        chosen = c.select().where(c.c.agency_id == agency_id, c.c.role == role)
        return int(session.connection().execute(chosen).one().id)


def letter_of(database: Database, contact_id: int) -> int:
    """The first letter to a contact."""
    m = table(Letter)
    with database.read() as session:
        return int(session.connection().execute(m.select().where(m.c.contact_id == contact_id)).first().id)  # type: ignore[union-attr]


def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, to check that nothing was changed."""
    with database.read() as session:
        return {
            name: sorted((tuple(row) for row in session.connection().execute(each.select())), key=repr)
            for name, each in SQLModel.metadata.tables.items()
        }


def join(database: Database, role: str, agency_id: str, language: str = "vi", *, password: str = "") -> int:
    """Create an account with the mailbox of its role; returns its id."""
    with database.write() as session:
        return create(
            session,
            email=f"{role}@{agency_id}.example",
            role=role,
            agency_id=agency_id,
            language=language,
            password=password,
            actor="cli",
            now=NOW,
        )


def enter(office: Office, account_id: int, cookie: str = "dondoc_session") -> Office:
    """Open a session for the account and set its cookie."""
    with office.context.database.write() as session:
        key = open_session(session, account_id, way="link", device="Firefox", now=office.clock.now)
    office.client.cookies.set(cookie, key)
    return office


def as_role(database: Database, folder: Path, role: str, agency_id: str) -> Office:
    account_id = join(database, role, agency_id)
    return enter(open_office(database, folder), account_id)
