"""Prefect's picture of our state, on a real server: a run for each open assignment, made from the event log and again
when Prefect's database is lost; events and a table for each plan. Asked as an operator's program would ask."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
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

from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import make_promise
from engine.rules.situation import Action
from engine.store.clock import system_clock
from engine.store.database import Database
from engine.store.records import Assignment, Letter
from engine.terms import State
from workflows.projection.prefect_api import PrefectApi, take_turn
from workflows.projection.projector import Projector
from workflows.projection.shown_runs import ABOVE
from workflows.run.prefect_deployments import prepare
from workflows.run.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect
BASE, OVERDUE = "https://dondoc.example", "https://prefect.example/runs"
OPENED, NOW, LATER = at("2021-06-01"), at("2021-06-07"), at("2021-07-05")


class Seen:
    """What the server shows."""

    def __init__(self, server: PrefectServer) -> None:
        self._url = server.api_url

    def whole(self, picture: Projector) -> list[Any]:
        """The runs of one installation: their keys begin with it."""
        found = self._asked("/flow_runs/filter", flows={"name": {"any_": ["dondoc-duty"]}}, limit=200)
        return [each for each in found if each["idempotency_key"].startswith(f"{picture.installation}:")]

    def runs(self, picture: Projector) -> dict[str, tuple[str, str]]:
        """What a run is of -> type and name of the state."""
        return {
            each["name"].split(" · hạn ")[0]: (each["state_type"], each["state_name"]) for each in self.whole(picture)
        }

    def run(self, name: str, picture: Projector) -> Any:
        """The one of an assignment."""
        (found,) = (each for each in self.whole(picture) if each["name"].startswith(f"{name} "))
        return found

    def delete(self, name: str, picture: Projector) -> None:
        """As a person does it who clicks on the row's button."""
        address = f"{self._url}/flow_runs/{self.run(name, picture)['id']}"
        assert until(lambda: httpx.delete(address, auth=shown(), timeout=60).is_success, bool), "it is too busy"

    def cancel(self, name: str, picture: Projector) -> None:
        state = {"state": {"type": "CANCELLED"}, "force": True}
        self._asked(f"/flow_runs/{self.run(name, picture)['id']}/set_state", **state)

    def log(self, name: str, picture: Projector) -> list[tuple[int, str]]:
        """The level and words of the lines of a run."""
        runs = {"flow_run_id": {"any_": [self.run(name, picture)["id"]]}}
        return [(each["level"], each["message"]) for each in self._asked("/logs/filter", logs=runs)]

    def events(self, resource: str) -> list[dict[str, Any]]:
        found = self._asked("/events/filter", filter={"resource": {"id": [resource]}}, limit=50)["events"]
        return [each for each in found if each["event"].startswith("dondoc.")]

    def table(self, plan_id: int) -> dict[str, Any]:
        """A plan's, the newest version: every installation of these tests has the same plan."""
        key = {"key": {"any_": [f"dondoc-plan-{plan_id}"]}}
        (found,) = self._asked("/artifacts/filter", artifacts=key, sort="CREATED_DESC", limit=1)
        return {**found, "data": json.loads(found["data"])}

    def overdue(self) -> list[str]:
        """What the saved view lists."""
        (view,) = (each for each in self._asked("/saved_searches/filter") if each["name"] == "Quá hạn")
        wanted = {each["property"]: each["value"] for each in view["filters"]}
        after = {"after_": (system_clock() + timedelta(seconds=wanted["range"]["seconds"])).isoformat()}
        asked = {"state": {"name": {"any_": wanted["state"]}}, "tags": {"all_": wanted["tag"]}, "start_time": after}
        return [each["name"] for each in self._asked("/flow_runs/filter", flow_runs=asked, limit=200)]

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

        do_GET = do_PATCH = do_POST = do_PUT = answer

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
    given: dict[str, Any] = {"prepare": lambda api: prepare(api, "", alarms=False)}
    given |= {"base_url": BASE, "overdue": OVERDUE, "installation": f"test_{next(_numbers)}"}
    return Projector(database=laid.database, api_url=server.api_url, auth=AUTH, **given | more)


def test_every_open_assignment_is_a_run_and_its_state_follows_what_people_do(laid: Laid, server: PrefectServer) -> None:
    picture, seen = projector(laid, server, own_clock=True), Seen(server)
    assert picture.run(OPENED).runs == 5
    first_shown = seen.runs(picture)
    assert set(first_shown.values()) == {("SCHEDULED", "Đã giao")}
    assert "12/KH-UBND IV.2.1 · Huyen a" in first_shown
    of = {row.agency_id + str(row.duty_id): row.id for row in rows(laid.database, Assignment)}
    assert picture.run(OPENED).runs == 0
    first, second, third, fourth, fifth = sorted(of.values())
    bring_to(laid.database, State.ACKNOWLEDGED, first, now=NOW)
    bring_to(laid.database, State.REPORTED, second, now=NOW)
    bring_to(laid.database, State.RETURNED, third, now=NOW)
    bring_to(laid.database, State.ACCEPTED, fourth, now=NOW)
    do(laid.database, Action.CANCEL, fifth, now=NOW)
    assert picture.run(NOW).runs == 5
    assert sorted(seen.runs(picture).values()) == sorted(
        [
            ("RUNNING", "Đã xác nhận"),
            ("COMPLETED", "Chờ tiếp nhận"),
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
    seen.delete("12/KH-UBND IV.2.1 · Huyen a", picture)
    for assignment in (deleted, other):
        bring_to(laid.database, State.REPORTED, assignment, now=NOW)
    assert picture.run(NOW).runs == 2
    after = seen.runs(picture)
    assert after.keys() == before.keys()
    assert [after[name] for name in sorted(after) if " IV.2.1 " in name] == [("COMPLETED", "Chờ tiếp nhận")] * 2
    assert picture.run(NOW).runs == 0


def test_once_a_day_what_somebody_changed_by_hand_is_mended(laid: Laid, server: PrefectServer) -> None:
    """A run that was cancelled was in no list of what is late until its owner reported."""
    picture, seen = projector(laid, server, own_clock=True), Seen(server)
    picture.run(OPENED)
    before, logs = seen.runs(picture), seen.log("12/KH-UBND IV.2.1 · Huyen b", picture)
    seen.cancel("12/KH-UBND IV.2.1 · Huyen a", picture)
    seen.delete("12/KH-UBND IV.2.1 · Huyen b", picture)
    assert picture.run(OPENED).runs == 0
    assert picture.run(OPENED + timedelta(days=1)).runs == 2
    assert seen.runs(picture) == before
    assert seen.log("12/KH-UBND IV.2.1 · Huyen b", picture) == logs != []


def test_a_run_says_what_is_to_be_done_by_whom_until_when_and_what_follows(laid: Laid, server: PrefectServer) -> None:
    picture, seen = projector(laid, server, own_clock=True), Seen(server)
    picture.run(OPENED)
    run = seen.run("12/KH-UBND IV.2.1 · Huyen a", picture)
    assert run["name"] == "12/KH-UBND IV.2.1 · Huyen a · hạn 17/6/2021 · Việc thứ 2."
    assert run["state"]["message"] == "chờ Huyen a báo cáo đến hết thứ Năm, 17/6/2021"
    assignment = laid.assignment("IV.2.1", "huyen-a")
    ladder = run["parameters"].pop("lịch nhắc")
    assert run["parameters"] == {
        "assignment": assignment,
        "nhiệm vụ": "Việc thứ 2.",
        "hạn": "thứ Năm, 17/6/2021",
        "đã hẹn": "",
        "cơ quan": "Huyen a",
        "theo dõi": "So chinh",
        "kỳ": "6 tháng đầu năm 2021",
        "trang": f"{BASE}/assignments/{assignment}",
    }
    assert "18/6/2021: gửi thư báo quá hạn đến đầu mối, lãnh đạo cơ quan" in ladder
    assert "22/6/2021: gửi thư đôn đốc đến đầu mối, lãnh đạo cơ quan, bộ phận theo dõi của So chinh" in ladder
    with laid.database.write() as session:
        make_promise(
            session, assignment, PromiseText(on=date(2021, 6, 25), reason="Chờ."), "letter", actor="account:1", now=NOW
        )
    picture.run(NOW)
    run = seen.run("12/KH-UBND IV.2.1 · Huyen a", picture)
    assert run["name"].startswith("12/KH-UBND IV.2.1 · Huyen a · hạn 17/6/2021, hẹn 25/6/2021 · ")
    assert (run["state_name"], run["parameters"]["đã hẹn"]) == ("AwaitingRetry", "thứ Sáu, 25/6/2021")


def lived(laid: Laid, until: datetime) -> None:
    """The passes at 07:00 of each day from the opening."""
    now = OPENED
    while now <= until:
        while swept(laid.database, now).seen:
            pass
        now += timedelta(days=1)


def test_its_log_tells_the_whole_story_once_whoever_tells_it_again(laid: Laid, server: PrefectServer) -> None:
    picture, seen = projector(laid, server, own_clock=True), Seen(server)
    picture.run(OPENED)
    lived(laid, at("2021-06-30"))
    name = "12/KH-UBND IV.2.1 · Huyen a"
    picture.run(at("2021-06-30"))
    story = seen.log(name, picture)
    words = [f"{logging.getLevelName(level)} {message}" for level, message in story]
    assert words[0].startswith("INFO Mở việc: hạn thứ Năm, 17/6/2021")
    assert "WARNING Đến mốc nhắc: quá hạn 1 ngày làm việc, thư tới đầu mối, người đứng đầu" in words
    assert any(each.startswith("ERROR Đến mốc nhắc: quá hạn 3 ngày làm việc, thư tới ") for each in words)
    again = projector(laid, server, own_clock=True, installation=picture.installation)
    again.run(at("2021-06-30"))  # another process, which looks back
    with PrefectApi(server.api_url, AUTH) as api:
        cursor = api.value(f"dondoc_{picture.installation}")
        api.set_value(f"dondoc_{picture.installation}", {**cursor, "event": 0})  # as if it had not been moved
    again.run(at("2021-06-30"))
    again.run(at("2021-07-01"))  # and once a day
    assert seen.log(name, picture) == story
    bring_to(laid.database, State.REPORTED, laid.assignment("IV.2.1", "huyen-a"), now=LATER)
    again.run(LATER)
    added = seen.log(name, picture)[len(story) :]
    assert [message.partition(":")[0] for _, message in added][-1] == "Gửi báo cáo"


def test_what_is_overdue_stays_in_the_list_that_prefect_shows_first_and_is_all_in_its_view(
    laid: Laid, server: PrefectServer
) -> None:
    """The list shows what was expected within a week, and nothing moves a run there; an acknowledged one stood at its
    acknowledgement."""
    picture, seen = projector(laid, server), Seen(server)
    picture.run(OPENED)
    ids = {each["id"] for each in seen.whole(picture)}
    bring_to(laid.database, State.ACKNOWLEDGED, laid.assignment("IV.2.1", "huyen-a"), now=NOW)
    now = system_clock()
    while {name for _, name in seen.runs(picture).values()} != {"Late"}:
        picture.run(now)
    late = seen.whole(picture)
    shown = {each["name"] for each in late if listed(each)}
    assert shown == {each["name"] for each in late} == set(seen.overdue()) & {each["name"] for each in late}
    assert ids != {each["id"] for each in late}


def listed(run: dict[str, Any]) -> bool:
    """Whether Prefect's page Runs shows it as it opens, half a minute from now at the latest."""
    since = datetime.fromisoformat(run["start_time"] or run["expected_start_time"])
    return system_clock() - timedelta(days=7) <= since <= system_clock() + ABOVE


def test_a_run_that_prefect_does_not_take_holds_up_no_other_and_is_tried_again(
    laid: Laid, server: PrefectServer, caplog: pytest.LogCaptureFixture
) -> None:
    name = "12/KH-UBND IV.2.1 · Huyen a"
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


def test_where_somebody_edits_how_far_it_is_everything_is_gone_through_anew(laid: Laid, server: PrefectServer) -> None:
    picture, seen = projector(laid, server, own_clock=True), Seen(server)
    picture.run(OPENED)
    before = seen.runs(picture)
    seen.delete("12/KH-UBND IV.2.1 · Huyen a", picture)
    with PrefectApi(server.api_url, AUTH) as api:
        api.set_value(f"dondoc_{picture.installation}", "x")
    assert picture.run(OPENED).runs == 1
    assert seen.runs(picture) == before


def test_prefect_itself_turns_an_assignment_late_at_the_end_of_its_due_day(laid: Laid, server: PrefectServer) -> None:
    picture, seen = projector(laid, server), Seen(server)
    picture.run(OPENED)  # of 2021: by the server's own clock long ago
    states = until(lambda: set(seen.runs(picture).values()), lambda found: found == {("SCHEDULED", "Late")}, 90)
    assert states == {("SCHEDULED", "Late")}


def test_events_name_owner_and_supervisor_once_whoever_tells_them_again(laid: Laid, server: PrefectServer) -> None:
    picture, seen = projector(laid, server, own_clock=True), Seen(server)
    picture.run(OPENED)
    assignment = laid.assignment("IV.2.1", "huyen-a")
    do(laid.database, Action.ACKNOWLEDGE, assignment, now=NOW)
    picture.run(NOW)
    again = projector(laid, server, own_clock=True, installation=picture.installation)
    again.run(NOW)  # as another process, which looks back
    run = f"prefect.flow-run.{seen.run('12/KH-UBND IV.2.1 · Huyen a', picture)['id']}"

    def found() -> list[dict[str, str]]:
        """What the events are related to that tell of it, of this installation's run: by role."""
        told = seen.events(f"dondoc.assignment.{assignment}")
        related = [
            {other["prefect.resource.role"]: other["prefect.resource.id"] for other in each["related"]}
            for each in told
            if each["event"] == "dondoc.assignment.acknowledged"
        ]
        return [each for each in related if each.get("flow-run") == run]

    until(found, bool)
    time.sleep(1.5)
    assert found() == [
        {
            "plan": f"dondoc.plan.{laid.plan_id}",
            "duty": f"dondoc.duty.{row_of(laid, assignment).duty_id}",
            "owner": "dondoc.agency.huyen-a",
            "supervisor": "dondoc.agency.so-chinh",
            "flow-run": run,
        }
    ]


def test_reminders_are_events_too_and_say_which_rung_to_whom(laid: Laid, server: PrefectServer) -> None:
    picture, seen = projector(laid, server, own_clock=True), Seen(server)
    picture.run(OPENED)
    lived(laid, at("2021-06-30"))
    picture.run(at("2021-06-30"))
    assignment = laid.assignment("IV.2.1", "huyen-a")
    run = seen.run("12/KH-UBND IV.2.1 · Huyen a", picture)["id"]

    def told() -> dict[str, Any]:
        found = seen.events(f"dondoc.assignment.{assignment}")
        mine = [each for each in found if each["related"][-1]["prefect.resource.id"].endswith(run)]
        return {f"{each['event'].rpartition('.')[2]} {each['payload'].get('rung')}": each["payload"] for each in mine}

    payloads = until(told, lambda found: "escalated T+3" in found)
    assert payloads["reminded T-3"]["letter"] == "reminder"
    assert payloads["escalated T+3"] == payloads["escalated T+3"] | {
        "level": 1,
        "letter": "escalation",
        "audience": ["coordinator", "head", "monitor"],
        "due_on": "2021-06-17",
    }


def row_of(laid: Laid, assignment: int) -> Any:
    return next(each for each in rows(laid.database, Assignment) if each.id == assignment)


def test_a_plan_has_a_table_with_the_oldest_first_that_is_never_staler_than_its_pause(
    laid: Laid, server: PrefectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What changed within the pause was dropped; and after Prefect's database was lost there was no table at all."""
    picture, seen = projector(laid, server, own_clock=True), Seen(server)
    assert picture.run(OPENED).tables == 1
    do(laid.database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=NOW)
    assert [picture.run(NOW).tables for _ in range(2)] == [0, 0]
    assert seen.table(laid.plan_id)["data"][-1]["trạng thái"] == "Scheduled"
    monkeypatch.setattr("workflows.projection.projector.TABLE_PAUSE_SECONDS", 0.0)
    assert [picture.run(NOW).tables for _ in range(2)] == [1, 0]
    table = seen.table(laid.plan_id)
    assert len(table["data"]) == 5
    assert {"nhiệm vụ": "IV.1.1", "trạng thái": "Chờ tiếp nhận"}.items() <= table["data"][-1].items()
    assert table["data"][0]["trạng thái"] == "Scheduled"
    assert f"[0 quá hạn]({OVERDUE})" in table["description"]


def test_a_table_that_is_cut_says_how_many_it_leaves_out(
    laid: Laid, server: PrefectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.projection.projector.MAX_TABLE_ROWS", 2)
    projector(laid, server, own_clock=True).run(OPENED)
    table = Seen(server).table(laid.plan_id)
    assert len(table["data"]) == 2
    assert "không hiện 3 việc" in table["description"]


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


def test_where_too_many_are_open_only_what_is_overdue_or_due_soon_gets_a_run_and_it_is_followed_to_its_end(
    laid: Laid, server: PrefectServer
) -> None:
    """Of all plans together: a province has a thousand of them, each below the limit."""
    picture, seen = projector(laid, server, own_clock=True, most=3), Seen(server)
    assert picture.run(OPENED).runs == 0
    assert picture.run(at("2021-06-16")).runs == len(seen.runs(picture)) == 5  # due on the next day
    for assignment in (laid.assignment("IV.2.1", "huyen-a"), laid.assignment("IV.1.1", "so-ban")):
        bring_to(laid.database, State.ACCEPTED, assignment, now=at("2021-06-16"))
    picture.run(at("2021-06-16"))
    assert Counter(seen.runs(picture).values()) == {("SCHEDULED", "Đã giao"): 3, ("COMPLETED", "Completed"): 2}


def test_one_of_two_has_its_turn(database: Database) -> None:
    assert take_turn(database, "one")
    assert not take_turn(database, "other")
    assert take_turn(database, "one")
