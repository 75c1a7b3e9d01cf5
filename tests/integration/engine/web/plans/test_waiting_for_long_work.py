"""Reading a document, loading a plan and activating it answer at once; a page waits for what takes longer and then
shows the same result or the same error, with all that was typed. A second press begins nothing anew, and a process that
is killed in the middle leaves nothing half."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import plan_file, rows, store
from ground.office import NOW, Office, open_office
from ground.paths import DATA
from httpx import Response

from engine.files.yaml_reader import dump
from engine.store.database import Database
from engine.store.records import Duty, Event, Plan
from engine.terms import EventKind, PlanState

TEXT = DATA / "188-kh-ubnd-2021.txt"
PLAN = dump(plan_file(number="13/KH-UBND"))


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    """The plan of the factory is loaded; nobody waits for an answer."""
    store(sqlite_database, now=NOW)
    office = open_office(sqlite_database, tmp_path)
    office.client._transport._tools.work.patience = 0  # type: ignore[attr-defined]
    return office


def load(office: Office, text: str, do: str = "save") -> Response:
    data = {"token": office.token("/plans/load"), "do": do}
    return office.client.post("/plans/load", data=data, files=[("text", (None, text)), ("x", (None, ""))])


def read(office: Office, raw: bytes, name: str) -> Response:
    data = {"token": office.token("/plans/import")}
    return office.client.post("/plans/import", data=data, files={"document": (name, raw)})


@contextmanager
def held(database: Database) -> Iterator[None]:
    """Somebody else writes meanwhile, so what writes takes long."""
    with database.write() as session:
        session.connection()
        yield


def place(answer: Response) -> str:
    """The address of the page that waits."""
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/working/")
    return answer.headers["location"]


def awaited(office: Office, path: str) -> Response:
    """What the waiting page shows in the end; it asks for itself until then."""
    until = time.monotonic() + 60
    while (answer := office.get(path)).status_code == 202 and time.monotonic() < until:
        assert answer.headers["refresh"] == f"1; url={path}"
        time.sleep(0.02)
    return answer


def test_a_document_is_read_while_a_page_waits_and_the_review_can_be_opened_again(office: Office) -> None:
    path = place(read(office, TEXT.read_bytes(), "188.txt"))
    for _ in range(2):
        answer = awaited(office, path)
        assert answer.status_code == 200
        assert BeautifulSoup(answer.text, "lxml").select_one("form#review") is not None


def test_a_document_that_cannot_be_read_is_refused_as_without_waiting(office: Office) -> None:
    answer = awaited(office, place(read(office, b"%PDF-1.7 broken", "a.pdf")))
    assert answer.status_code == 400
    said = BeautifulSoup(answer.text, "lxml").select_one('form[action="/plans/import"], .wrong[role=alert]')
    assert said is not None
    assert said.get_text(strip=True)


@pytest.mark.parametrize("do", ["check", "save"])
def test_the_mistakes_of_a_plan_file_stand_beside_the_text_that_was_typed(office: Office, do: str) -> None:
    wrong = re.sub("^number: .*$", "number: [13]", PLAN, flags=re.MULTILINE)
    assert wrong != PLAN
    answer = load(office, wrong, do)
    if answer.status_code == 303:  # unless it was as quick as that
        answer = awaited(office, place(answer))
    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 422
    assert "Dòng" in page.select_one(".wrong[role=alert]").get_text()  # type: ignore[union-attr]
    assert page.select_one("textarea#text").get_text() == "\n" + wrong  # type: ignore[union-attr]


def test_a_second_press_loads_a_plan_once(office: Office) -> None:
    with held(office.context.database):
        path = place(load(office, PLAN))
        assert place(load(office, PLAN)) == path
    answer = awaited(office, path)
    number = next(row.id for row in rows(office.context.database, Plan) if row.number == "13/KH-UBND")
    assert answer.headers["location"] == f"/plans/{number}?said=loaded"
    assert len(rows(office.context.database, Event, kind=EventKind.PLAN_LOADED)) == 2  # the factory's, and this one


def test_a_second_press_activates_a_plan_once(office: Office) -> None:
    token = office.token("/plans/load")
    with held(office.context.database):
        paths = {place(office.client.post("/plans/1/activate", data={"token": token})) for _ in range(2)}
    assert len(paths) == 1
    answer = awaited(office, paths.pop())
    assert answer.headers["location"] == "/plans/1?said=activated"
    assert [row.state for row in rows(office.context.database, Plan)] == [PlanState.ACTIVE]
    assert len(rows(office.context.database, Event, kind=EventKind.PLAN_ACTIVATED)) == 1
    with held(office.context.database):
        path = place(office.client.post("/plans/1/activate", data={"token": token}))
    again = awaited(office, path)
    assert again.status_code == 409
    assert "đã được kích hoạt" in again.text


def test_the_preview_of_an_activation_waits_too(office: Office) -> None:
    assert "Kích hoạt" in awaited(office, "/plans/1/activate").text
    assert [row.state for row in rows(office.context.database, Plan)] == [PlanState.LOADED]


def test_after_a_restart_the_page_says_that_nothing_is_left_half(
    office: Office, sqlite_database: Database, tmp_path: Path
) -> None:
    with held(sqlite_database):
        path = place(load(office, PLAN))
    answer = open_office(sqlite_database, tmp_path).get(path)
    assert answer.status_code == 404
    assert "Không có gì lưu dở dang" in answer.text


KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from engine.files.plan import PlanFile
from engine.files.yaml_reader import read
from engine.http.guards.long_work import LongWork
from engine.plans import loading
from engine.store.database import Database
from datetime import datetime, timezone
from engine.assignments import opening

database, act = Database(sys.argv[1]), sys.argv[2]
needle = {"load": "insert into duty", "activate": "insert into event"}[act]

@event.listens_for(database.bind, "after_cursor_execute")
def struck(connection, cursor, statement, *_):
    if statement.lower().startswith(needle):
        os.kill(os.getpid(), signal.SIGKILL)

def work():
    now = datetime(2021, 6, 24, 1, tzinfo=timezone.utc)
    with database.write() as session:
        if act == "load":
            loading.load_plan(session, read(Path(sys.argv[3]).read_text(), PlanFile), actor="cli", now=now)
        else:
            opening.activate(session, 1, actor="cli", now=now)

LongWork().run(act, work)
"""


@pytest.mark.parametrize("act", ["load", "activate"])
def test_a_process_that_is_killed_in_the_middle_leaves_nothing_half(
    office: Office, sqlite_database: Database, tmp_path: Path, act: str
) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN)
    before = len(rows(sqlite_database, Duty)), len(rows(sqlite_database, Event))
    command = [sys.executable, "-c", KILLED, str(sqlite_database.bind.url), act, str(file)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert [row.state for row in rows(sqlite_database, Plan)] == [PlanState.LOADED]
    assert (len(rows(sqlite_database, Duty)), len(rows(sqlite_database, Event))) == before
    with held(sqlite_database):
        path = place(load(office, PLAN))
    assert awaited(office, path).headers["location"].endswith("said=loaded")
