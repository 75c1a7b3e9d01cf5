"""``plan import``, ``plan diff`` and ``plan renew`` as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ground.factory import CONFIG
from ground.paths import DATA
from typer.testing import CliRunner, Result

from engine.errors import BadInput
from engine.files.plan import PlanFile, load_plan
from engine.files.yaml_reader import read
from workflows.cli import app

PLAN = CONFIG / "plans/188-kh-ubnd-2021.yaml"
TEXT = DATA / "188-kh-ubnd-2021.txt"


@pytest.fixture(autouse=True)
def nothing_is_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["plan", *map(str, words)])


def test_import_prints_a_draft_that_loads_and_says_its_doubts_beside_it() -> None:
    done = run("import", TEXT)
    assert read(done.stdout, PlanFile).number == "188/KH-UBND"
    assert "! IV.14: Văn bản không có mục IV.14." in done.stderr
    assert "17 mục, 28 nhiệm vụ" in done.stderr


def test_import_writes_to_a_file(tmp_path: Path) -> None:
    done = run("import", TEXT, "-o", tmp_path / "plan.yaml")
    assert done.stdout == ""
    assert len(load_plan(tmp_path / "plan.yaml").duties) == 28


def test_import_as_json_has_the_keys_that_are_promised() -> None:
    found = json.loads(run("import", TEXT, "--json").stdout)
    assert {"number", "date", "issuer", "title", "sections", "warnings"} <= found.keys()
    item = found["sections"][0]["items"][11]
    assert {"no", "owner", "owners", "request", "duties"} <= item.keys()
    assert item["request"] is True
    assert {"citation", "text", "lead", "coordinating", "deadlines", "source"} <= item["duties"][0].keys()
    assert all({"code", "message", "place", "words"} == each.keys() for each in found["warnings"])


@pytest.mark.parametrize("words", ["Không giao việc cho ai.", ""])
def test_import_refuses_a_text_that_gives_no_duties(words: str, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text(words)
    assert isinstance(run("import", tmp_path / "note.txt").exception, BadInput)


def test_a_file_that_is_not_there_is_told_by_name() -> None:
    refused = run("import", "nothing.txt").exception
    assert isinstance(refused, BadInput)
    assert "nothing.txt" in str(refused)


def test_renew_then_diff_tells_what_a_new_year_changes(tmp_path: Path) -> None:
    made = run("renew", PLAN, "--year", 2022, "--number", "25/KH-UBND", "-o", tmp_path / "new.yaml")
    told = run("diff", PLAN, tmp_path / "new.yaml")
    assert "XÁC NHẬN" not in made.stdout
    assert "! IV.7.1: lời văn giữ nguyên, có nêu «2021»" in made.stderr
    assert "hạn kỳ Y: thứ Sáu, 17/12/2021 → thứ Hai, 19/12/2022" in told.stdout
    plain = json.loads(run("diff", PLAN, tmp_path / "new.yaml", "--json").stdout)
    assert {each["citation"] for each in plain["duties"]} >= {"IV.1.2", "IV.16.1"}
