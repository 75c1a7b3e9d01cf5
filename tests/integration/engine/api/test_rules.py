"""The rules by the API: looked at, previewed, changed once; refused in words, and to everybody but administrators."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ground.factory import at, lay, plan_file, policy, row, rows, store
from ground.office import Office, as_role, everything, open_office
from httpx import Response

from engine.admin.policy_editor import policy_text
from engine.files.yaml_reader import dump
from engine.store.database import Database
from engine.store.records import Assignment, CalendarDay, Plan, PolicyRecord
from engine.terms import PlanState

STORM: dict[str, Any] = {"set": [{"day": "2021-06-17", "kind": "day_off", "name": "Bão", "basis": "12/CĐ"}]}


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    lay(sqlite_database, now=at("2021-04-07"))
    return open_office(sqlite_database, tmp_path, now=at("2021-06-07", "10:00"), smtp_password="kh0a-cua-thu")


def post(office: Office, path: str, once: str = "", **body: Any) -> Response:
    headers = {"idempotency-key": once} if once else {}
    return office.client.post(f"/api/v1/{path}", json=body, headers=headers)


def put(office: Office, text: str, name: str = "default", **more: Any) -> Response:
    return office.client.put(f"/api/v1/policies/{name}", json={"text": text, **more})


def test_a_replaced_policy_is_answered_as_it_is_read(office: Office) -> None:
    """It was answered with other names: «format» for «schema»."""
    read = office.get("/api/v1/policies/default").json()
    assert put(office, read["text"]).json() == read


def test_a_year_of_the_calendar_says_whether_its_days_are_known(office: Office) -> None:
    found = office.get("/api/v1/calendar/2021").json()
    assert (found["year"], found["known"]) == (2021, False)
    assert {
        key: next(each for each in found["days"] if each["day"] == "2021-09-02")[key]
        for key in ("day", "kind", "entered")
    } == {"day": "2021-09-02", "kind": "holiday", "entered": False}


def test_a_change_is_previewed_and_then_does_just_that_once(office: Office) -> None:
    before = everything(office.context.database)
    seen = post(office, "calendar/preview", **STORM).json()
    assert everything(office.context.database) == before
    first, again = (post(office, "calendar", "k1", **STORM, previewed=seen["mark"]) for _ in range(2))
    assert (first.status_code, again.content) == (200, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert first.json() == seen
    assert (len(seen["moves"]), seen["agencies"]) == (4, 4)
    assert seen["moves"][0]["due"] == "2021-06-18"
    assert row(office.context.database, CalendarDay).name == "Bão"


def test_a_stale_preview_changes_nothing(office: Office) -> None:
    seen = post(office, "calendar/preview", **STORM).json()
    post(office, "calendar", set=[{"day": "2021-06-18", "kind": "holiday", "name": "Lễ"}])
    answer = post(office, "calendar", **STORM, previewed=seen["mark"])
    assert (answer.status_code, len(rows(office.context.database, CalendarDay))) == (409, 1)


def test_a_policy_is_put_by_its_text_with_the_mark_of_the_one_it_replaces(office: Office) -> None:
    found = office.get("/api/v1/policies/default").json()
    text = found["text"].replace("send_at: 07:30", "send_at: 08:15")
    answer = put(office, text, instead_of=found["mark"])
    assert (answer.status_code, answer.json()["policy"]["send_at"]) == (200, "08:15:00")
    assert put(office, found["text"], instead_of=found["mark"]).status_code == 409
    assert row(office.context.database, PolicyRecord).body["send_at"] == "08:15:00"
    assert [each["id"] for each in office.get("/api/v1/policies").json()] == ["default"]


def test_a_policy_is_taken_as_json_too(office: Office) -> None:
    assert put(office, policy(id="khac").model_dump_json(by_alias=True), "khac").status_code == 200


def test_the_mistakes_of_a_text_are_told_by_line_and_field(office: Office) -> None:
    answer = put(office, policy_text(policy()).replace("channels: [email]", "channels: [mail]"))
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert problem["field"].endswith(": channels[0]")
    assert problem["what"].startswith("không có kênh «mail»")


def test_a_plan_is_checked_loaded_rehearsed_activated_and_ended(sqlite_database: Database, tmp_path: Path) -> None:
    store(sqlite_database, now=at("2021-04-07"))
    office = open_office(sqlite_database, tmp_path, now=at("2021-04-07", "10:00"))
    text = dump(plan_file(number="13/KH-UBND"))
    assert post(office, "plans/check", text=text).json()["assignments"] == {"2021-H1": 5, "2021-Y": 5}
    assert [post(office, "plans", "k1", text=text).json() for _ in range(2)] == [{"id": 2}, {"id": 2}]
    would = office.get("/api/v1/plans/2/activation").json()
    assert (would["assignments"], would["letters"]) == ({"2021-H1": 5}, 5)
    assert would["year"] == {"year": 2021, "first": "2021-H1", "last": "2021-Y", "last_year": None}
    assert post(office, "plans/2/activate").json() == {"id": 2, "state": "active", "left": 0}
    assert post(office, "plans/2/activate").status_code == 409
    ended = post(office, "plans/2/end", reason="Ban hành kế hoạch khác.")
    assert ended.json() == {"id": 2, "state": "ended", "left": 0}
    assert row(sqlite_database, Plan, id=2).state is PlanState.ENDED


def test_next_years_draft_is_given_with_what_to_confirm_and_nothing_is_saved(office: Office) -> None:
    said = {"year": 2022, "number": "25/KH-UBND", "issued_on": "2022-01-20"}
    found = post(office, "plans/1/renewal", **said).json()
    assert post(office, "plans/check", text=found["text"]).status_code == 200
    assert {"place", "vi", "en"} == set(found["confirm"][0])
    assert len(rows(office.context.database, Plan)) == 1


def test_a_plan_whose_periods_are_over_is_refused_at_its_year(office: Office) -> None:
    text = dump(plan_file(number="13/KH-UBND", issued_on=date(2021, 12, 20)))
    for path in ("plans/check", "plans"):
        answer = post(office, path, text=text)
        assert answer.status_code == 422
        (problem,) = answer.json()["errors"]
        assert problem["field"].endswith(": year")
        assert "year: 2022" in problem["what"]


def test_settings_are_given_without_secrets(office: Office) -> None:
    answer = office.get("/api/v1/settings")
    assert "kh0a" not in answer.text
    (found,) = (each for each in answer.json() if each["name"] == "DONDOC_SMTP_PASSWORD")
    assert (found["value"], found["hidden"], found["is_set"]) == ("", True, True)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "calendar", {}, 400),
        ("POST", "calendar/preview", {"set": [{"day": "x"}]}, 422),
        ("POST", "calendar", {"set": [{"day": "2021-06-17", "kind": "storm", "name": "Bão"}]}, 422),
        ("POST", "calendar", {"set": [{"day": "2021-06-17", "kind": "holiday", "name": ""}]}, 422),
        ("POST", "calendar", {"set": STORM["set"] * 2}, 400),
        ("POST", "calendar", {"drop": ["9999-01-01"]}, 400),
        ("GET", "calendar/1999", None, 404),
        ("GET", "policies/none", None, 404),
        ("PUT", "policies/khac", {"text": policy_text(policy())}, 400),
        ("PUT", "policies/default", {"text": ""}, 422),
        ("PUT", "policies/default", {"text": "- 1"}, 422),
        ("POST", "plans", {"text": "x: ["}, 422),
        ("POST", "plans/check", {"text": "schema: dondoc/plan@1"}, 422),
        ("POST", "plans", {"text": "x\x00"}, 400),
        ("POST", "plans/99/activate", {}, 404),
        ("POST", "plans/1/activate", {}, 409),
        ("POST", "plans/1/end", {"reason": ""}, 422),
        ("POST", "plans/99/end", {"reason": "x"}, 404),
        ("GET", "plans/99/activation", None, 404),
        ("POST", "plans/1/renewal", {"year": 2021, "number": "25/KH-UBND", "issued_on": "2021-01-20"}, 400),
        ("POST", "plans/1/renewal", {"year": 2022, "number": "25", "issued_on": "2022-01-20"}, 400),
    ],
)
def test_what_cannot_be_done_is_a_problem_and_changes_nothing(
    office: Office, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    before = everything(office.context.database)
    answer = office.client.request(method, f"/api/v1/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert everything(office.context.database) == before


CALLS: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("GET", "calendar/2021", None),
    ("POST", "calendar/preview", STORM),
    ("POST", "calendar", STORM),
    ("GET", "policies", None),
    ("GET", "policies/default", None),
    ("PUT", "policies/default", {"text": "x"}),
    ("POST", "plans/check", {"text": "x"}),
    ("POST", "plans", {"text": "x"}),
    ("GET", "plans/1/activation", None),
    ("POST", "plans/1/activate", {}),
    ("POST", "plans/1/end", {"reason": "x"}),
    ("GET", "settings", None),
    ("POST", "plans/1/renewal", {"year": 2022, "number": "25/KH-UBND", "issued_on": "2022-01-20"}),
)


@pytest.mark.parametrize(("role", "agency"), [("monitor", "so-chinh"), ("head", "so-ban"), ("leadership", "tinh")])
def test_the_rules_are_the_administrators_alone(office: Office, tmp_path: Path, role: str, agency: str) -> None:
    somebody = as_role(office.context.database, tmp_path, role, agency)
    before = rows(office.context.database, Assignment)
    for method, path, body in CALLS:
        assert somebody.client.request(method, f"/api/v1/{path}", json=body).status_code == 403, path
    assert rows(office.context.database, Assignment) == before
