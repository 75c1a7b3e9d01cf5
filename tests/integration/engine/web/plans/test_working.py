"""The year ahead takes long: the page says that it is computed and asks again by itself, then shows it."""

from __future__ import annotations

import threading
import time
from datetime import date
from pathlib import Path

import pytest
from ground.office import open_office

from engine.files.plan import PlanFile
from engine.plans.simulated_year import SimulatedYear, TellShare
from engine.store.database import Database
from engine.terms import Scenario


@pytest.mark.parametrize(("language", "words"), [("vi", "Đang tính"), ("en", "Computing")])
def test_the_page_answers_at_once_and_asks_again_until_it_is_done(
    lived: Database, tmp_path: Path, language: str, words: str
) -> None:
    gate, computed = threading.Event(), []

    def slow(plan: PlanFile, first: date, last: date, scenario: Scenario, tell: TellShare) -> SimulatedYear:
        computed.append(plan.number)
        tell(0.43)
        gate.wait(20)
        return SimulatedYear((), (), 0, 0)

    office = open_office(lived, tmp_path, simulate=slow)
    office.client._transport._tools.work.patience = 0.05  # type: ignore[attr-defined]
    path = f"/plans/1/simulate?lang={language}"
    first = office.get(path)
    place = first.headers["location"]
    assert place.startswith("/working/")
    assert office.get(path).headers["location"] == place
    waiting = office.get(place)
    assert waiting.status_code == 202
    assert words in waiting.text
    assert waiting.headers["refresh"] == f"1; url={place}"
    until = time.monotonic() + 10
    while "43%" not in (waiting := office.get(place)).text and time.monotonic() < until:
        time.sleep(0.05)
    assert '<progress aria-label="' in waiting.text
    assert 'value="43" max="100"' in waiting.text
    assert "http-equiv" not in waiting.text
    gate.set()
    until = time.monotonic() + 10
    while (answer := office.get(place)).status_code == 202 and time.monotonic() < until:
        pass
    assert answer.status_code == 200
    assert "refresh" not in answer.headers
    assert 'action="/plans/1/simulate"' in answer.text
    assert "chưa kích hoạt" not in answer.text, "the plan runs"
    assert computed == ["12/KH-UBND"]


def test_a_step_of_the_demonstration_that_takes_long_says_so_and_comes_back(lived: Database, tmp_path: Path) -> None:
    gate, stepped = threading.Event(), []

    def step(by: str) -> None:
        gate.wait(20)
        stepped.append(by)

    office = open_office(lived, tmp_path, step=step)
    office.client._transport._tools.work.patience = 0.05  # type: ignore[attr-defined]
    answer = office.post("/demo/step", page="/overdue", by="week", back="/overdue")
    assert answer.headers["location"].startswith("/working/")
    waiting = office.get(answer.headers["location"])
    assert waiting.status_code == 202
    assert "refresh" in waiting.headers
    gate.set()
    until = time.monotonic() + 10
    while (waiting := office.get(answer.headers["location"])).status_code == 202 and time.monotonic() < until:
        pass
    assert waiting.headers["location"] == "/overdue"
    assert stepped == ["week"]
