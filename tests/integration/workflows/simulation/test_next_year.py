"""Plan 188 is renewed for 2026 on the command line, its ended owners replaced as confirmed, and lives its year with the
directory of two levels."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ground.commands import Commands
from ground.factory import CONFIG
from ground.remembered import once

from engine.files.directory import load_directory
from engine.files.plan import load_plan
from engine.store.database import Database

PLAN = CONFIG / "plans/188-kh-ubnd-2021.yaml"
DIRECTORIES = CONFIG / "agencies/nghe-an-2021.yaml", CONFIG / "agencies/nghe-an-2025.yaml"
NEXT = ("--year", "2026", "--number", "25/KH-UBND", "--issued", "2026-03-02")


@pytest.fixture
def dondoc(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    commands = Commands(tmp_path, str(sqlite_database.url), monkeypatch, capsys)
    once(
        sqlite_database, "both directories", lambda: [commands("load", "directory", each).well for each in DIRECTORIES]
    )
    return commands


def renewed(dondoc: Commands, *succeed: str) -> tuple[Path, str]:
    """The file, and what is said beside it."""
    file = dondoc.folder / "plan-2026.yaml"
    ran = dondoc("plan", "renew", PLAN, *NEXT, *(each for word in succeed for each in ("--succeed", word)), "-o", file)
    assert ran.code == 0, ran.err
    return file, ran.err


def test_nobody_is_replaced_unless_it_is_said(dondoc: Commands) -> None:
    file, said = renewed(dondoc)
    assert load_plan(file).supervisor == "so-ldtbxh"
    assert "Sở Y tế (phòng, chống tệ nạn xã hội, Nghị định 42/2025/NĐ-CP" in said
    one, said = renewed(dondoc, "so-du-lich=so-van-hoa-the-thao-du-lich")
    owners = {name for placed in load_plan(one).duties.values() for name in placed.owners}
    assert "so-du-lich" not in owners
    assert {"so-ldtbxh", "huyen-21"} < owners
    assert "IV.10: đề mục vẫn ghi «Sở Du lịch», tên đã hết" in said


@pytest.mark.parametrize(
    ("succeed", "said"),
    [
        ("so-y-te=so-noi-vu", "so-ldtbxh, so-van-hoa-the-thao"),
        ("so-du-lich", "viết CŨ=MỚI hoặc all"),
        ("so-du-lich=so-la", "Danh bạ không có «so-la»"),
        ("all", "chọn đúng một cơ quan thay"),
    ],
)
def test_what_cannot_be_confirmed_is_told_and_nothing_is_written(dondoc: Commands, succeed: str, said: str) -> None:
    file = dondoc.folder / "plan-2026.yaml"
    assert said in dondoc("plan", "renew", PLAN, *NEXT, "--succeed", succeed, "-o", file).wrong
    assert not file.exists()


@pytest.mark.deep
@pytest.mark.parametrize(("scenario", "until"), [("silent", "2026-06-18"), ("punctual", "2026-07-03")])
def test_the_plan_of_2026_lives_its_half_year_with_130_communes(dondoc: Commands, scenario: str, until: str) -> None:
    file, _ = renewed(dondoc, "so-ldtbxh=so-y-te", "all")
    told: list[dict[str, Any]] = [
        json.loads(line)
        for line in dondoc("simulate", file, "--scenario", scenario, "--until", until, "--json").out.splitlines()
    ]
    letters = [each for each in told if "agency" in each]
    old, new = map(load_directory, DIRECTORIES)
    communes = set(new.members("xa-phuong-130"))
    written_to = {each["agency"] for each in letters}
    assert len(communes) == 130
    assert communes < written_to
    ended = {each.id for each in old.agencies if (each.names[-1].until or date.max) < date(2026, 3, 2)}
    assert len(ended) > 25
    assert written_to & ended == set()
    assert {"so-y-te", "so-van-hoa-the-thao-du-lich", "bao-ptth", "mttq-tinh"} < written_to
    days = sorted(each["at"][:10] for each in letters)
    assert days[0] <= "2026-03-03"
    assert days[-1] >= min(until, "2026-06-17")
    people = {(each["agency"], each["role"], each["channel"], each["at"][:10]) for each in letters}
    assert len(people) == len(letters), "nobody gets two letters a day"
