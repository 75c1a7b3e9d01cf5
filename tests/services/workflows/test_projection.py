"""Prefect's picture of our state, on a real server: a run for each open assignment, made from the event log and again
when Prefect's database is lost; events and a table for each plan. Asked as an operator's program would ask."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
from ground.databases import closing_database, sqlite_copy
from ground.factory import Laid, at, bring_to, do, lay, rows, swept
from ground.postgres import Ground
from ground.serving import AUTH, free_port, prefect_serving, shown
from ground.web_servers import served

from engine.rules.situation import Action
from engine.store.database import Database
from engine.store.records import Assignment, Letter
from engine.terms import State
from workflows.projection.prefect_api import PrefectApi, take_turn
from workflows.projection.projector import Projector
from workflows.run.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect
OPENED, NOW, LATER = at("2021-06-01"), at("2021-06-07"), at("2021-07-05")


class Seen:
    """What the server shows."""

    def __init__(self, server: PrefectServer) -> None:
        self._url = server.api_url

    def runs(self, picture: Projector) -> dict[str, tuple[str, str]]:
        """Name -> type and name of the state, of one installation's runs: their keys begin with it."""
        found = self._asked("/flow_runs/filter", flows={"name": {"any_": ["dondoc-duty"]}}, limit=200)
        return {
            each["name"]: (each["state_type"], each["state_name"])
            for each in found
            if each["idempotency_key"].startswith(f"{picture.installation}:")
        }

    def delete(self, name: str, picture: Projector) -> None:
        """As a person does it who clicks on the row's button."""
        (found,) = (
            each
            for each in self._asked("/flow_runs/filter", flow_runs={"name": {"any_": [name]}})
            if each["idempotency_key"].startswith(f"{picture.installation}:")
        )
        address = f"{self._url}/flow_runs/{found['id']}"
        assert until(lambda: httpx.delete(address, auth=shown(), timeout=60).is_success, bool), "it is too busy"

    def events(self, resource: str) -> list[dict[str, Any]]:
        found = self._asked("/events/filter", filter={"resource": {"id": [resource]}}, limit=50)["events"]
        return [each for each in found if each["event"].startswith("dondoc.")]

    def tables(self) -> dict[str, list[dict[str, str]]]:
        return {each["key"]: json.loads(each["data"]) for each in self._asked("/artifacts/latest/filter")}

    def _asked(self, path: str, **body: Any) -> Any:
        return httpx.post(f"{self._url}{path}", json=body, auth=shown(), timeout=60).raise_for_status().json()


@contextmanager
def refusing(server: PrefectServer, name: str) -> Iterator[tuple[str, set[str]]]:
    """The server's API as one whose answer to what names a run in ``refused`` is 500."""
    refused = {name}

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"] or 0))
            if any(each in body.decode() for each in refused):
                self.send_error(500)
                return
            headers = {each: self.headers[each] for each in ("authorization", "content-type") if self.headers[each]}
            there = f"{server.api_url}{self.path}"
            found = httpx.request(self.command, there, content=body, headers=headers, timeout=60)
            self.send_response(found.status_code)
            self.end_headers()
            self.wfile.write(found.content)

        do_GET = do_PATCH = do_POST = answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with served(Handler) as url:
        yield url, refused


def until(ask: Callable[[], Any], true: Callable[[Any], bool], seconds: float = 30) -> Any:
    began = time.monotonic()
    while not true(found := ask()) and time.monotonic() - began < seconds:
        time.sleep(0.2)
    return found


@pytest.fixture(scope="module")
def server(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with prefect_serving(tmp_path_factory.mktemp("prefect"), migrated) as server:
        yield server


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    return lay(sqlite_database, now=OPENED)


_numbers = iter(range(1000))


def projector(laid: Laid, server: PrefectServer, **more: Any) -> Projector:
    """Of an installation that this server has not met."""
    given = {"base_url": "https://dondoc.example", "most": 2000, "installation": f"test_{next(_numbers)}"}
    return Projector(database=laid.database, api_url=server.api_url, auth=AUTH, **given | more)


def test_every_open_assignment_is_a_run_and_its_state_follows_what_people_do(laid: Laid, server: PrefectServer) -> None:
    picture, seen = projector(laid, server, own_clock=True), Seen(server)
    assert picture.run(OPENED).runs == 5
    first_shown = seen.runs(picture)
    assert set(first_shown.values()) == {("SCHEDULED", "Đã giao")}
    assert "12/KH-UBND IV.2.1 · Huyen a · 6 tháng đầu năm 2021" in first_shown
    of = {row.agency_id + str(row.duty_id): row.id for row in rows(laid.database, Assignment)}
    assert picture.run(OPENED).runs == 0
    first, second, third, fourth, fifth = sorted(of.values())
    bring_to(laid.database, State.ACKNOWLEDGED, first, now=NOW)
    bring_to(laid.database, State.REPORTED, second, now=NOW)
    bring_to(laid.database, State.RETURNED, third, now=NOW)
    bring_to(laid.database, State.ACCEPTED, fourth, now=NOW)
    do(laid.database, Action.CANCEL, fifth, now=NOW)
    done = picture.run(NOW)
    assert (done.runs, done.tables) == (5, 1)
    assert sorted(seen.runs(picture).values()) == sorted(
        [
            ("RUNNING", "Đã xác nhận"),
            ("PENDING", "Chờ tiếp nhận"),
            ("SCHEDULED", "AwaitingRetry"),
            ("COMPLETED", "Completed"),
            ("CANCELLED", "Đã hủy"),
        ]
    )
    picture.run(LATER)  # the due date and the resubmission date have passed, and nothing else has happened
    late = [state for state in seen.runs(picture).values() if state == ("SCHEDULED", "Late")]
    assert len(late) == 2


def test_a_run_that_somebody_deleted_in_prefect_s_pages_is_made_again(laid: Laid, server: PrefectServer) -> None:
    """A button on each row of its pages; it stopped every later pass."""
    picture, seen = projector(laid, server, own_clock=True), Seen(server)
    picture.run(OPENED)
    before = seen.runs(picture)
    deleted, other = laid.assignment("IV.2.1", "huyen-a"), laid.assignment("IV.2.1", "huyen-b")
    seen.delete("12/KH-UBND IV.2.1 · Huyen a · 6 tháng đầu năm 2021", picture)
    for assignment in (deleted, other):
        bring_to(laid.database, State.REPORTED, assignment, now=NOW)
    assert picture.run(NOW).runs == 2
    after = seen.runs(picture)
    assert after.keys() == before.keys()
    assert [after[name] for name in sorted(after) if " IV.2.1 " in name] == [("PENDING", "Chờ tiếp nhận")] * 2
    assert picture.run(NOW).runs == 0


def test_a_run_that_prefect_does_not_take_holds_up_no_other_and_is_tried_again(
    laid: Laid, server: PrefectServer, caplog: pytest.LogCaptureFixture
) -> None:
    name = "12/KH-UBND IV.2.1 · Huyen a · 6 tháng đầu năm 2021"
    picture, seen = projector(laid, server, own_clock=True), Seen(server)
    with refusing(server, name) as (url, refused):
        picture.api_url = url
        assert picture.run(OPENED).runs == 4
        assert picture.run(OPENED).runs == 0
        assert name not in seen.runs(picture)
        refused.clear()
        assert picture.run(OPENED).runs == 1
    assert seen.runs(picture)[name] == ("SCHEDULED", "Đã giao")
    assert [name in each for each in caplog.messages] == [True]


def test_where_somebody_edits_how_far_it_is_everything_is_shown_anew(laid: Laid, server: PrefectServer) -> None:
    picture = projector(laid, server, own_clock=True)
    picture.run(OPENED)
    with PrefectApi(server.api_url, AUTH) as api:
        api.set_value(f"dondoc_{picture.installation}", "x")
    assert picture.run(OPENED).runs == 5


def test_prefect_itself_turns_an_assignment_late_at_the_end_of_its_due_day(laid: Laid, server: PrefectServer) -> None:
    picture, seen = projector(laid, server), Seen(server)
    picture.run(OPENED)  # of 2021: by the server's own clock long ago
    states = until(lambda: set(seen.runs(picture).values()), lambda found: found == {("SCHEDULED", "Late")})
    assert states == {("SCHEDULED", "Late")}


def test_events_name_owner_and_supervisor_once_whoever_tells_them_again(laid: Laid, server: PrefectServer) -> None:
    picture, seen = projector(laid, server, own_clock=True), Seen(server)
    picture.run(OPENED)
    assignment = laid.assignment("IV.2.1", "huyen-a")
    do(laid.database, Action.ACKNOWLEDGE, assignment, now=NOW)
    picture.run(NOW)
    again = projector(laid, server, own_clock=True, installation=picture.installation)
    again.run(NOW)  # as another process, which looks back
    resource = f"dondoc.assignment.{assignment}"
    found = until(lambda: seen.events(resource), bool)
    time.sleep(1.5)
    assert [each["event"] for each in seen.events(resource)].count("dondoc.assignment.acknowledged") == 1
    assert {each["prefect.resource.role"]: each["prefect.resource.id"] for each in found[0]["related"]} == {
        "plan": f"dondoc.plan.{laid.plan_id}",
        "duty": f"dondoc.duty.{row_of(laid, assignment).duty_id}",
        "owner": "dondoc.agency.huyen-a",
        "supervisor": "dondoc.agency.so-chinh",
    }


def row_of(laid: Laid, assignment: int) -> Any:
    return next(each for each in rows(laid.database, Assignment) if each.id == assignment)


def test_a_plan_has_a_table_with_the_oldest_first(laid: Laid, server: PrefectServer) -> None:
    picture, seen = projector(laid, server, own_clock=True), Seen(server)
    picture.run(OPENED)
    do(laid.database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=NOW)
    picture.run(NOW)
    table = seen.tables()[f"dondoc-plan-{laid.plan_id}"]
    assert len(table) == 5
    assert {"nhiệm vụ": "IV.1.1", "trạng thái": "Chờ tiếp nhận"}.items() <= table[-1].items()
    assert table[0]["trạng thái"] == "Scheduled"


def letters_of(database: Database, lived: Callable[[], None]) -> list[tuple[str, str, str]]:
    """Key, contact and state of every letter after three passes, with ``lived`` between them."""
    for now in (OPENED, NOW, LATER):
        while swept(database, now).seen:
            pass
        lived()
    return sorted((each.key, str(each.contact_id), each.state) for each in rows(database, Letter))


def test_what_prefect_lost_is_shown_again_and_no_letter_changes(
    laid: Laid, ground: Ground, migrated: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Prefect's database is deleted in the middle of a life, whose letters are those of the same life without it."""
    with closing_database(sqlite_copy(ground, tmp_path)) as other:
        plain = letters_of(lay(other, now=OPENED).database, lambda: None)
    picture = Projector(
        database=laid.database,
        api_url=f"http://127.0.0.1:{free_port()}/api",
        auth=AUTH,
        installation="lost",
        base_url="https://dondoc.example",
        most=2000,
        own_clock=True,
    )
    seen: list[set[str]] = []

    def lived() -> None:
        """A server with an empty database each time, and none at all the second time."""
        if len(seen) == 1:
            seen.append(set())
            with pytest.raises(httpx.HTTPError):
                picture.run(NOW)
            return
        with prefect_serving(tmp_path_factory.mktemp("lost"), migrated) as server:
            picture.api_url = server.api_url
            picture.run(NOW)
            seen.append(set(Seen(server).runs(picture)))

    assert letters_of(laid.database, lived) == plain
    assert len(plain) > 5
    assert seen[0] == seen[2] != set()


def test_of_a_plan_with_too_many_a_run_stands_for_a_duty(laid: Laid, server: PrefectServer) -> None:
    picture, seen = projector(laid, server, own_clock=True, most=3), Seen(server)
    picture.run(OPENED)
    assert len(seen.runs(picture)) == 4
    assert seen.runs(picture)["12/KH-UBND IV.2.1 · 2 cơ quan · 6 tháng đầu năm 2021"] == ("SCHEDULED", "Đã giao")
    do(laid.database, Action.REPORT, laid.assignment("IV.2.1", "huyen-a"), now=NOW)
    picture.run(NOW)
    assert seen.runs(picture)["12/KH-UBND IV.2.1 · 2 cơ quan · 6 tháng đầu năm 2021"] == ("SCHEDULED", "Đã giao")
    do(laid.database, Action.REPORT, laid.assignment("IV.2.1", "huyen-b"), now=NOW)
    picture.run(NOW)
    assert seen.runs(picture)["12/KH-UBND IV.2.1 · 2 cơ quan · 6 tháng đầu năm 2021"] == ("PENDING", "Chờ tiếp nhận")


def test_one_of_two_has_its_turn(database: Database) -> None:
    assert take_turn(database, "one")
    assert not take_turn(database, "other")
    assert take_turn(database, "one")


def test_automations_call_where_something_is_missing_and_for_the_silent_one_alone(server: PrefectServer) -> None:
    words = [Path(__file__).with_name("alarmed.py"), server.api_url, server.home]
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    called = {each["name"]: each["resource"] for each in told["called"]}
    assert len(told["called"]) == len(called) == 5
    assert set(called) == set(told["names"])
    (silent,) = (resource for resource in called.values() if "assignment" in resource)
    assert silent == "dondoc.assignment.1"


def test_a_relay_that_is_killed_a_service_that_stops_and_a_digest_that_is_skipped_call_somebody(
    server: PrefectServer, sqlite_database: Database
) -> None:
    """Lived by the real passes and a real SMTP connection; nobody is called while all is well."""
    words = [
        Path(__file__).with_name("alarmed_life.py"),
        sqlite_database.url.database,
        server.api_url,
        server.home,
    ]
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["taken"] > 0
    assert told["before"] == []
    assert told["owed"] > 0  # what the relay did not take is kept
    assert told["called"] == [
        "dondoc: a channel is down",
        "dondoc: a week without its digest",
        "dondoc: no tick for ten minutes",
    ]
