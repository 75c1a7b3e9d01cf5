"""Owners in a plan file that have ended when it is issued: named, proposed, replaced only as a person chooses."""

from __future__ import annotations

from datetime import date

import pytest
from ground.factory import CONFIG

from engine.errors import BadInput
from engine.files.directory import DirectoryFile, load_directory
from engine.files.plan import PlanFile, load_plan
from engine.files.plan_renewal import ended_among, ended_names, with_successors

ON = date(2026, 3, 2)


def agency(name: str, until: str = "", *to: tuple[str, str, str], level: str = "so") -> dict[str, object]:
    edges = [{"to": each, "on": day, "function": function, "basis": f"NQ {each}"} for each, day, function in to]
    dates = {"until": until} if until else {}
    return {"id": name, "names": [{"name": name.title(), **dates}], "level": level, "successors": edges}


DIRECTORY = DirectoryFile.model_validate(
    {
        "schema": "dondoc/directory@1",
        "id": "thu",
        "name": "Thử",
        "agencies": [
            agency("lao-dong", "2025-02-28", ("noi-vu", "2025-03-01", "lao động"), ("y-te", "2025-03-01", "tệ nạn")),
            agency("thong-tin", "2025-02-28", ("khoa-hoc", "2025-03-01", "chung")),
            agency("noi-vu"),
            agency("y-te"),
            agency("khoa-hoc"),
            agency("huyen-a", "2024-11-30", ("huyen-b", "2024-12-01", "chung"), level="huyen"),
            agency(
                "huyen-b", "2025-06-30", ("xa-1", "2025-07-01", "chung"), ("xa-2", "2025-07-01", "chung"), level="huyen"
            ),
            agency("xa-1", level="xa"),
            agency("xa-2", level="xa"),
            agency("mat", "2025-01-01"),
        ],
        "groups": [
            {"id": "huyen", "name": "UBND các huyện", "levels": ["huyen"]},
            {"id": "xa", "name": "UBND các xã", "levels": ["xa"]},
        ],
    }
)


def test_chains_and_groups_are_followed_to_who_is_there_on_the_plan_s_day() -> None:
    places = {"lao-dong": ("I.1",), "thong-tin": (), "huyen-a": (), "huyen": ("II.1",), "y-te": (), "mat": ()}
    found = {each.id: each for each in ended_among(places, DIRECTORY, ON)}
    assert {name: (each.proposed, each.clear) for name, each in found.items()} == {
        "lao-dong": (("noi-vu", "y-te"), False),  # a person chooses between functions
        "thong-tin": (("khoa-hoc",), True),
        "huyen-a": (("xa",), True),
        "huyen": (("xa",), True),
        "mat": ((), False),
    }
    assert [(heir.id, heir.function) for heir in found["lao-dong"].heirs] == [
        ("noi-vu", "lao động"),
        ("y-te", "tệ nạn"),
    ]
    assert found["huyen-a"].heirs[0].basis == "NQ huyen-b; NQ xa-1"
    assert found["huyen"].ended == ("Huyen-A", "Huyen-B")
    assert (
        found["lao-dong"].text.vi
        == "Lao-Dong, đến hết thứ Sáu, 28/02/2025 → Noi-Vu (lao động, NQ noi-vu); Y-Te (tệ nạn, NQ y-te)"
    )


def test_of_a_day_on_which_they_still_exist_nothing_is_said() -> None:
    assert list(ended_among({"lao-dong": (), "huyen-b": ()}, DIRECTORY, date(2025, 2, 28))) == []
    assert [each.proposed for each in ended_among({"huyen": ()}, DIRECTORY, date(2025, 2, 28))] == [("huyen-b",)]


@pytest.fixture(scope="module")
def plan() -> PlanFile:
    return load_plan(CONFIG / "plans/188-kh-ubnd-2021.yaml").model_copy(update={"issued_on": ON, "year": 2026})


def test_only_what_is_chosen_is_replaced_everywhere_it_stands(plan: PlanFile) -> None:
    directory = load_directory(CONFIG / "agencies/nghe-an-2021.yaml")
    ended = {each.id: each for each in ended_names(plan, directory)}
    assert plan.supervisor in ended
    changed = with_successors(plan, directory, {plan.supervisor: ("so-y-te",)})
    assert changed.supervisor == "so-y-te"
    assert {each.to for each in changed.report_rules.values()} & {plan.supervisor} == set()
    left = {each.id for each in ended_names(changed, directory)}
    assert left == set(ended) - {plan.supervisor}
    assert with_successors(plan, directory, {}) == plan


def test_what_is_not_in_the_directory_and_several_that_follow_the_plan_are_refused(plan: PlanFile) -> None:
    directory = load_directory(CONFIG / "agencies/nghe-an-2021.yaml")
    with pytest.raises(BadInput, match="khong-co"):
        with_successors(plan, directory, {plan.supervisor: ("khong-co",)})
    with pytest.raises(BadInput, match="đúng một cơ quan"):
        with_successors(plan, directory, {plan.supervisor: ("so-y-te", "so-noi-vu")})
