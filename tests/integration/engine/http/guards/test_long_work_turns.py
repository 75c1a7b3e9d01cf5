"""One account's long work waits for its turn without a thread; everybody else is answered meanwhile."""

from __future__ import annotations

import re
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from fastapi.routing import APIRoute
from ground.office import NOW, Office, as_role, enter, join, open_office, serving
from starlette.requests import Request

from engine.application.app import make_app
from engine.http.guards.request_limits import OTHER_PATHS, WAITS_ELSEWHERE, is_long_work
from engine.store.database import Database

ADDRESSES = (
    "/?as=xlsx",
    "/overdue?as=csv",
    "/assignments?as=print",
    "/letters?as=xlsx",
    "/leadership?as=xlsx",
    "/plans?as=csv",
    "/agencies?as=xlsx",
    "/papers/dispatch",
    "/papers/settings/so-chinh",
    "/plans/1/report.docx",
    "/leadership/report.docx",
    "/letters/1",
    "/reorganisation",
    "/admin/calendar/preview",
)
SENT = 60
PATIENCE_SECONDS = 5.0


def asked(path: str, query: str = "", method: str = "GET") -> Request:
    return Request({"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": []})


def test_every_address_that_makes_a_file_is_long_work(office: Office) -> None:
    """By its parameter or by its name; the page of a simulated year takes its turn where it is worked out."""
    routes = [each for each in make_app(office.context).routes if isinstance(each, APIRoute)]
    files = {route.path for route in routes if "as" in {each.alias for each in route.dependant.query_params}}
    papers = {route.path for route in routes if route.path.endswith(".docx")}
    assert len(files) > 15
    assert len(papers) > 3
    assert {path for path in files if not is_long_work(asked(re.sub(r"\{\w+\}", "1", path), "as=csv"))} == set()
    assert not is_long_work(asked("/plans/1/simulate"))
    assert all(is_long_work(asked(re.sub(r"\{\w+\}", "1", path))) for path in papers)
    paths = {re.sub(r"\{[^}]+\}", "1", route.path) for route in routes}
    assert all(any(each.fullmatch(path) for path in paths) for each in (OTHER_PATHS, WAITS_ELSEWHERE))


def test_while_sixty_of_one_account_come_at_once_everybody_else_is_answered(lived: Database, tmp_path: Path) -> None:
    """At every such address in turn, and with connections that send slowly."""
    account_id = join(lived, "administrator", "so-chinh")
    office = enter(open_office(lived, tmp_path), account_id)
    with serving(office) as (server, port), ThreadPoolExecutor(SENT) as threads:
        here = f"http://127.0.0.1:{port}"
        running = server.config.app.state.tools.work.turns.ask(f"account:{account_id}", NOW)  # type: ignore[union-attr]
        assert running.begin()

        def get(number: int) -> int:
            address = ADDRESSES[number % len(ADDRESSES)]
            return httpx.get(f"{here}{address}", headers={"cookie": office.cookies}, timeout=60).status_code

        sent = [threads.submit(get, number) for number in range(SENT)]
        slow = [half_a_form(port, office.cookies) for _ in range(SENT)]
        with httpx.Client(base_url=here, timeout=PATIENCE_SECONDS) as reader:
            while sum(each.done() for each in sent) < SENT - 1:
                assert reader.get("/readyz").status_code == 200
            waited = []
            for path in ("/sign-in", "/readyz", "/l/none", "/callbacks/none/kannel/incoming") * 10:
                began = time.monotonic()
                assert reader.get(path).status_code < 500
                waited.append(time.monotonic() - began)
        running.end()
        statuses = Counter(each.result() for each in sent)
        for each in slow:
            each.close()
    print(f"p99 {sorted(waited)[-1]:.3f} s")
    assert statuses.pop(503) == SENT - 1
    assert sum(statuses.values()) == 1
    assert max(statuses) < 500


def half_a_form(port: int, cookies: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
    head = f"POST /papers/settings/so-chinh HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookies}\r\n"
    client.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 60000\r\n\r\n--x".encode())
    return client


def test_a_stranger_takes_no_turn(lived: Database, tmp_path: Path) -> None:
    as_role(lived, tmp_path, "administrator", "so-chinh")
    office = open_office(lived, tmp_path)
    assert office.get("/overdue?as=csv").status_code == 303
