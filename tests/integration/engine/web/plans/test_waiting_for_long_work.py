"""Reading a document, loading a plan and activating it answer at once; a page waits for what takes longer and then
shows the same result or the same error, with all that was typed. A second press begins nothing anew, and a process that
is killed in the middle leaves nothing half."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.factory import plan_file, rows, store
from ground.office import NOW, Office, open_office
from httpx import Response
from sqlalchemy import update

from engine.assignments import opening
from engine.features.plan_import.drafts import stored as plan_drafts
from engine.features.plan_import.drafts.model import PlanDraft
from engine.files.yaml_reader import dump
from engine.http.long_work import LongWork, Turn
from engine.store.clock import system_clock
from engine.store.database import Database, table
from engine.store.pending_answers import prune
from engine.store.records import Duty, Event, PendingAnswer, Plan
from engine.terms import EventKind, PlanState

TEXT = """ỦY BAN NHÂN DÂN
TỈNH NGHỆ AN
Số: 9/KH-UBND
Nghệ An, ngày 05 tháng 4 năm 2021
KẾ HOẠCH
CÔNG TÁC NĂM 2021
IV. TỔ CHỨC THỰC HIỆN
1. Sở Y tế
- Khám bệnh trước ngày 30/6/2021.
2. Công an tỉnh
- Tuần tra.
"""
PLAN = dump(plan_file(number="13/KH-UBND"))


class Held(LongWork):
    """Nobody waits for an answer, and no work begins while the gate is closed."""

    def __init__(self) -> None:
        super().__init__(beat=0.05)
        self.gate = threading.Event()
        self.gate.set()
        self.begun = 0

    def is_quick(self, future: Future[Any]) -> bool:
        return False

    def start(self, act: Callable[[], Any], turn: Turn) -> Future[Any]:
        self.begun += 1
        return super().start(lambda: self.gate.wait(60) and act(), turn)


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    """The plan of the factory is loaded."""
    store(database, now=NOW)
    return serve(database, tmp_path)


def serve(database: Database, folder: Path) -> Office:
    """One more web server on the database, as another process would be."""
    office = open_office(Database(database.url.render_as_string(hide_password=False)), folder)
    tools = replace(office.client._transport._tools, work=Held())  # type: ignore[attr-defined]
    office.client._transport._tools = tools  # type: ignore[attr-defined]
    return office


def work_of(office: Office) -> Held:
    return office.client._transport._tools.work  # type: ignore[attr-defined, no-any-return]


def load(office: Office, text: str, do: str = "save") -> Response:
    data = {"token": office.token("/plans/load"), "do": do}
    return office.client.post("/plans/load", data=data, files=[("text", (None, text)), ("x", (None, ""))])


def read(office: Office, raw: bytes, name: str) -> Response:
    data = {"token": office.token("/plans/import")}
    return office.client.post("/plans/import", data=data, files={"document": (name, raw)})


@contextmanager
def held(office: Office) -> Iterator[None]:
    """The work takes long."""
    work_of(office).gate.clear()
    try:
        yield
    finally:
        work_of(office).gate.set()


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


def test_a_document_is_read_once_while_a_page_waits_and_its_review_can_be_opened_again(office: Office) -> None:
    with held(office):
        path = place(read(office, TEXT.encode(), "9.txt"))
        assert place(read(office, TEXT.encode(), "9.txt")) == path
    for _ in range(2):
        answer = awaited(office, path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/plans/drafts/1")
    assert BeautifulSoup(office.get("/plans/drafts/1").text, "lxml").select_one("form#review") is not None
    assert office.get("/plans/drafts/2").status_code == 404


def test_a_correction_made_while_the_plan_is_saved_is_not_lost(office: Office) -> None:
    review = awaited(office, place(read(office, TEXT.encode(), "9.txt"))).headers["location"]
    number, database = int(review.rpartition("/")[2]), office.context.database

    def settle(draft: PlanDraft) -> list[plan_drafts.Correction]:
        own = {"issuer": "tinh", "supervisor": "so-chinh", "short_title": "Kế hoạch 9", "sms_name": "KH9"}
        draft.head = draft.head.model_copy(update=own)
        draft.unknown = []
        for duty in draft.duties:
            duty.owners = ["so-ban"]
        return [plan_drafts.Correction("draft_duty")]

    with database.write() as session:
        plan_drafts.correct_draft(session, number, settle, actor="desk", now=NOW)
    typed = {"token": office.token("/plans/load")}
    with held(office):
        path = place(office.client.post(review, data=typed | {"do": "save"}))
        office.client.post(review, data=typed | {"do": "drop:1"})
    assert awaited(office, path).status_code == 409
    assert office.get(review).status_code == 200
    saved = place(office.client.post(review, data=typed | {"do": "save"}))
    assert awaited(office, saved).headers["location"].endswith("?said=loaded")


def test_enter_in_the_review_only_keeps_what_was_typed(office: Office) -> None:
    """A browser presses the form's first button, wherever on the page it stands."""
    awaited(office, place(read(office, TEXT.encode(), "9.txt")))
    page = BeautifulSoup(office.get("/plans/drafts/1").text, "lxml")
    first = page.select('[form="review"][name=do], form#review button')[0]
    assert (first["value"], first.get("formaction")) == ("keep", None)


def test_a_document_that_cannot_be_read_is_refused_as_without_waiting(office: Office) -> None:
    with held(office):
        path = place(read(office, b"%PDF-1.7 broken", "a.pdf"))
    answer = awaited(office, path)
    assert answer.status_code == 400
    said = BeautifulSoup(answer.text, "lxml").select_one('form[action="/plans/import"], .wrong[role=alert]')
    assert said is not None
    assert said.get_text(strip=True)


@pytest.mark.parametrize("do", ["check", "save"])
def test_the_mistakes_of_a_plan_file_stand_beside_the_text_that_was_typed(office: Office, do: str) -> None:
    wrong = re.sub("^number: .*$", "number: [13]", PLAN, flags=re.MULTILINE)
    assert wrong != PLAN
    with held(office):
        path = place(load(office, wrong, do))
    answer = awaited(office, path)
    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 422
    assert "Dòng" in page.select_one(".wrong[role=alert]").get_text()  # type: ignore[union-attr]
    assert page.select_one("textarea#text").get_text() == "\n" + wrong  # type: ignore[union-attr]


def test_a_second_press_loads_a_plan_once(office: Office) -> None:
    with held(office):
        path = place(load(office, PLAN))
        assert place(load(office, PLAN)) == path
    answer = awaited(office, path)
    number = next(row.id for row in rows(office.context.database, Plan) if row.number == "13/KH-UBND")
    assert answer.headers["location"] == f"/plans/{number}?said=loaded"
    assert len(rows(office.context.database, Event, kind=EventKind.PLAN_LOADED)) == 2  # the factory's, and this one


def test_a_second_press_activates_a_plan_once(office: Office) -> None:
    token = office.token("/plans/load")
    with held(office):
        paths = {place(office.client.post("/plans/1/activate", data={"token": token})) for _ in range(2)}
    assert len(paths) == 1
    answer = awaited(office, paths.pop())
    assert answer.headers["location"] == "/plans/1?said=activated"
    assert [row.state for row in rows(office.context.database, Plan)] == [PlanState.ACTIVE]
    assert len(rows(office.context.database, Event, kind=EventKind.PLAN_ACTIVATED)) == 1
    with held(office):
        path = place(office.client.post("/plans/1/activate", data={"token": token}))
    again = awaited(office, path)
    assert again.status_code == 409
    assert "đã được kích hoạt" in again.text


def test_the_preview_of_an_activation_waits_too(office: Office) -> None:
    with held(office):
        path = place(office.get("/plans/1/activate"))
        assert place(office.get("/plans/1/activate")) == path
        assert "Đang tính những gì sẽ gửi" in office.get(path).text
    assert "Kích hoạt" in awaited(office, path).text
    assert [row.state for row in rows(office.context.database, Plan)] == [PlanState.LOADED]


def test_another_server_says_that_it_goes_on_and_then_shows_the_same_answer(office: Office, tmp_path: Path) -> None:
    other = serve(office.context.database, tmp_path)
    with held(office):
        path = place(load(office, PLAN))
        waiting = other.get(path)
        assert waiting.status_code == 202
        assert "Đang lưu kế hoạch" in waiting.text
        assert "Saving the plan" in other.get(f"{path}?lang=en").text
        assert place(load(other, PLAN)) == path
    answer = awaited(other, path)
    assert answer.headers["location"] == awaited(office, path).headers["location"]
    assert answer.headers["location"].endswith("?said=loaded")
    assert (work_of(office).begun, work_of(other).begun) == (1, 0)
    assert len(rows(office.context.database, Event, kind=EventKind.PLAN_LOADED)) == 2


def test_another_server_leads_to_the_review_and_its_form_is_accepted(office: Office, tmp_path: Path) -> None:
    other = serve(office.context.database, tmp_path)
    with held(office):
        path = place(read(office, TEXT.encode(), "9.txt"))
    other.client.cookies.update(office.client.cookies)
    review = awaited(other, path).headers["location"]
    english = BeautifulSoup(other.get(f"{review}?lang=en").text, "lxml")
    assert english.html["lang"] == "en"  # type: ignore[index]
    hidden = english.select("form#review input[type=hidden][name]")
    fields = {str(each["name"]): str(each.get("value", "")) for each in hidden}
    again = other.client.post(review, data=fields | {"do": "keep"})
    assert again.status_code == 303, again.text[:400]


def test_an_error_is_shown_by_another_server_too(office: Office, tmp_path: Path) -> None:
    other = serve(office.context.database, tmp_path)
    with other.context.database.write() as session:
        opening.activate(session, 1, actor="desk", now=NOW)
    token = office.token("/plans/load")
    with held(office):
        path = place(office.client.post("/plans/1/activate", data={"token": token}))
    answer = awaited(other, path)
    assert answer.status_code == 409
    assert "đã được kích hoạt" in answer.text
    assert "already" in other.get(f"{path}?lang=en").text


def test_a_server_that_died_is_noticed_by_its_heartbeat_and_the_work_can_be_begun_again(
    office: Office, tmp_path: Path
) -> None:
    other = serve(office.context.database, tmp_path)
    work_of(office).beat = 60  # one more sign of life would come in a minute
    with held(office):
        path = place(load(office, PLAN))
        work_of(other).stale = timedelta(0)
        answer = other.get(path)
        assert answer.status_code == 409
        assert "đã dừng giữa chừng" in answer.text
        assert "hãy mở lại trang trước" in answer.text.lower()
        assert place(load(other, PLAN)) == path
        work_of(other).stale = timedelta(minutes=1)
        assert awaited(other, path).headers["location"].endswith("said=loaded")
    assert work_of(other).begun == 1
    assert awaited(office, path).headers["location"].endswith("said=loaded")  # the late one changes nothing


def test_work_that_goes_on_beats(office: Office) -> None:
    with held(office):
        place(load(office, PLAN))
        first = rows(office.context.database, PendingAnswer)[0].beat_at
        until = time.monotonic() + 20
        while rows(office.context.database, PendingAnswer)[0].beat_at == first and time.monotonic() < until:
            time.sleep(0.02)
        assert rows(office.context.database, PendingAnswer)[0].beat_at > first


def test_only_who_asked_may_read_the_answer_and_after_a_day_it_is_gone(office: Office) -> None:
    database = office.context.database
    with held(office):
        path = place(read(office, TEXT.encode(), "9.txt"))
    assert awaited(office, path).status_code == 303
    with database.write() as session:
        session.connection().execute(update(table(PendingAnswer)).values(owner="account:7"))
    assert office.get(path).status_code == 404
    with database.write() as session:
        assert prune(session, system_clock() + timedelta(hours=23)) == 0
        assert prune(session, system_clock() + timedelta(hours=25)) == 1
    assert rows(database, PendingAnswer) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from engine.files.plan import PlanFile
from engine.files.yaml_reader import read
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

work()
"""


@pytest.mark.parametrize("act", ["load", "activate"])
def test_a_process_that_is_killed_in_the_middle_leaves_nothing_half(
    office: Office, database: Database, tmp_path: Path, act: str
) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN)
    before = len(rows(database, Duty)), len(rows(database, Event))
    command = [sys.executable, "-c", KILLED, database.url.render_as_string(hide_password=False), act, str(file)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert [row.state for row in rows(database, Plan)] == [PlanState.LOADED]
    assert (len(rows(database, Duty)), len(rows(database, Event))) == before
    with held(office):
        path = place(load(office, PLAN))
    assert awaited(office, path).headers["location"].endswith("said=loaded")
