"""The automations at a real Prefect server, with ten seconds in place of their own times: whom they call about what."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
from crash.relay import SlowRelay
from ground.factory import at, lay, plan_file, rows
from ground.post import post_office
from ground.serving import AUTH, prefect_serving
from ground.web_servers import served

from engine.store.clock import system_clock
from engine.store.database import Database
from engine.store.records import Letter
from engine.terms import LetterState
from notifications.email.connection import Relay, Security
from notifications.email.mime import Sender
from notifications.email.smtp import Email
from workflows.projection import events
from workflows.projection.prefect_api import PrefectApi
from workflows.projection.projector import Projector
from workflows.run import passes
from workflows.run.prefect_deployments import read, register
from workflows.run.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect
BEGAN, LATER = at("2021-04-07", "09:00"), at("2021-06-16", "09:00")
PATIENCE_SECONDS = 90


def alarms() -> list[dict[str, Any]]:
    """With ten seconds in place of their own times."""
    soon = read()["alarms"]
    for each in soon:
        each["trigger"]["within"] = min(10, each["trigger"]["within"])
    return soon


@dataclass
class Address:
    """Somebody's, for alarms."""

    url: str
    bodies: list[dict[str, str]] = field(default_factory=list)

    def about(self, installation: str) -> list[str]:
        """Which automations have called about one."""
        return sorted(each["name"] for each in self.bodies if each["resource"] == f"dondoc.installation.{installation}")


@pytest.fixture(scope="module")
def address() -> Iterator[Address]:
    found = Address("")

    class Called(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with served(Called) as url:
        found.url = f"{url}/alarm"
        yield found


@pytest.fixture(scope="module")
def api(migrated: Path, address: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectApi]:
    """Of a server with the alarms."""
    with prefect_serving(tmp_path_factory.mktemp("prefect"), migrated) as server, served_api(server) as api:
        for _ in range(2):  # again: renewed, not doubled
            register(api, alarms(), address.url)
        yield api


def served_api(server: PrefectServer) -> PrefectApi:
    return PrefectApi(server.api_url, AUTH, timeout=60)


def until(done: Any) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not done() and time.monotonic() < ends:
        time.sleep(0.2)


def reminded(letter: str, number: int, now: datetime) -> dict[str, Any]:
    told = events._event("dondoc.assignment.reminded", f"{letter}{number}", now, "x", {})
    resource = {"prefect.resource.id": f"dondoc.assignment.{number}", "prefect.resource.name": f"Việc {number}"}
    return told | {"resource": resource | {"dondoc.letter": letter}}


def test_they_call_where_something_is_missing_and_for_the_silent_one_alone(api: PrefectApi, address: Address) -> None:
    now = system_clock()
    api.emit(
        [
            events.of_tick(now, "x"),
            reminded("acknowledge", 1, now),
            reminded("unacknowledged", 2, now),
            events._event("dondoc.digest.made", "w", now, "x", {}),
            events._event(events.CHANNEL_DOWN, "email", now, "x", {}),
            *(events._event(events.LETTER_REFUSED, str(n), now, "x", {}) for n in range(25)),
        ]
    )
    names = sorted(each["name"] for each in alarms())
    until(lambda: len(address.bodies) >= len(names))
    time.sleep(3)  # whoever calls twice would by now
    assert sorted(each["name"] for each in address.bodies) == names
    (silent,) = (each for each in address.bodies if "assignment" in each["resource"])
    assert (silent["resource"], silent["about"]) == ("dondoc.assignment.2", "Việc 2")
    assert "chưa ai xác nhận" in silent["what"]


def test_those_that_are_there_are_left_alone_unless_they_are_renewed(api: PrefectApi, address: Address) -> None:
    """Their times would begin again at each start of serve and each day."""

    def updated() -> list[str]:
        return sorted(each["updated"] for each in api.ask("POST", "/automations/filter", {"limit": 200}))

    before = updated()
    register(api, alarms(), address.url, renew=False)
    assert updated() == before
    register(api, alarms(), address.url)
    assert updated() != before


def shown(picture: Projector, now: datetime) -> None:
    """A pass; made again, as ``serve`` does, where the server is busy (its SQLite locked: 503)."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            picture.run(now)
        except httpx.HTTPStatusError:
            assert time.monotonic() < ends
            time.sleep(0.5)
        else:
            return


def test_a_relay_that_is_killed_a_service_that_stops_and_a_digest_that_is_skipped_call_somebody(
    api: PrefectApi, address: Address, sqlite_database: Database
) -> None:
    """Lived by the real passes and a real SMTP connection; nobody is called while all is well."""
    database = sqlite_database
    laid = lay(database, now=BEGAN, plan=plan_file(urgency="khan"))
    picture = Projector(
        database=laid.database,
        api_url=str(api._http.base_url).rstrip("/"),
        auth=AUTH,
        installation="life",
        base_url="https://dondoc.example",
        own_clock=True,
    )
    shown(picture, BEGAN)
    with SlowRelay(seconds=(0, 0), sample=10**9).running() as relay:
        sender = Sender("nhacviec@so.example", "Đôn Đốc")
        channel = Email(Relay(host="127.0.0.1", port=relay.port, sender=sender, security=Security.NONE, pause=0.0))
        office = replace(post_office(), channels={"email": channel})
        asyncio.run(passes.tick(database, BEGAN, office))
        passes.ticked(database)
        shown(picture, BEGAN)
        assert relay.taken
    assert address.about("life") == []
    asyncio.run(passes.tick(database, LATER, office))  # the relay is gone
    shown(picture, LATER)  # the last sign of life
    until(lambda: len(address.about("life")) >= 3)
    assert any(each.state is LetterState.QUEUED for each in rows(database, Letter))  # what it did not take is kept
    assert address.about("life") == [
        "dondoc: a channel is down",
        "dondoc: a week without its digest",
        "dondoc: no tick for ten minutes",
    ]


def signs(picture: Projector, api: PrefectApi, now: datetime) -> int:
    asked = {
        "filter": {
            "event": {"name": [events.TICK]},
            "resource": {"id": [f"dondoc.installation.{picture.installation}"]},
        }
    }
    shown(picture, now)
    time.sleep(1.5)
    return len(api.ask("POST", "/events/filter", asked)["events"])


@pytest.mark.parametrize("ended", [True, False])
def test_a_tick_that_hangs_or_fails_gives_no_sign_of_life(
    api: PrefectApi, sqlite_database: Database, ended: bool
) -> None:
    """That one had acted once was sign enough."""
    lay(sqlite_database, now=BEGAN)
    if ended:
        passes.ticked(sqlite_database)
    passes.open_assignments(sqlite_database, BEGAN)
    picture = Projector(
        database=sqlite_database,
        api_url=str(api._http.base_url).rstrip("/"),
        auth=AUTH,
        installation=f"signs_{int(ended)}",
        base_url="https://dondoc.example",
        own_clock=True,
    )
    assert signs(picture, api, BEGAN) == int(ended)


def test_of_workers_they_take_runs_that_are_gone_and_run_what_became_late(api: PrefectApi, address: Address) -> None:
    before = len(api.ask("POST", "/automations/filter", {"limit": 200}))
    flow = api.ask("POST", "/flows/", {"name": "dondoc-duty"})["id"]
    deployment = api.ask("POST", "/deployments/", {"name": "x", "flow_id": flow})["id"]
    told = read({"dondoc-duty": deployment}, "x")
    names = register(api, [*told["alarms"], *told["workers"]], "")
    there = {each["name"]: each for each in api.ask("POST", "/automations/filter", {"limit": 200})}
    assert len(there) == len(names) == before + 4
    assert there[names[-1]]["actions"][0]["deployment_id"] == deployment
