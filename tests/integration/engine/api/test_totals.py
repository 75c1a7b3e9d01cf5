"""A total by the API: taken as it is given, with a warning where it is not the districts' sum; and shown in figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ground.factory import Laid, at, lay, plan_file
from ground.office import Office, open_office

from engine.store.database import Database

COUNT = {"text": "x", "unit": "count", "max": 460}
INDICATORS = (
    {"code": "II.3", "name": "Số xã", "asked_of": ["cac-huyen"], "aggregate": "sum"} | COUNT,
    {"code": "II.3.b", "name": "Toàn tỉnh", "asked_of": ["IV.4.1"], "total_of": "II.3"} | COUNT,
)


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    return lay(sqlite_database, now=at("2021-04-07"), plan=plan_file(indicators=INDICATORS))


@pytest.fixture
def office(laid: Laid, tmp_path: Path) -> Office:
    return open_office(laid.database, tmp_path, now=at("2021-06-16"))


def post(office: Office, path: str, **body: Any) -> Any:
    answer = office.client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def district(office: Office, laid: Laid, agency_id: str, value: int) -> Any:
    return post(
        office,
        f"assignments/{laid.assignment('IV.2.1', agency_id)}/report",
        outcome="done",
        body="Đã làm.",
        figures={"II.3": value},
    )


def whole(laid: Laid, value: int) -> dict[str, Any]:
    duty = {"assignment": laid.assignment("IV.4.1", "so-chinh"), "outcome": "done", "body": "Đã tổng hợp."}
    return {"agency": "so-chinh", "plan": 1, "period": "2021-H1", "duties": [duty], "figures": {"II.3.b": value}}


def test_a_total_that_is_the_sum_is_taken_without_a_word(office: Office, laid: Laid) -> None:
    assert district(office, laid, "huyen-a", 20)["warnings"] == {}
    district(office, laid, "huyen-b", 10)
    assert post(office, "reports", **whole(laid, 30))["warnings"] == {}


def test_a_total_that_is_not_the_sum_is_taken_and_warned_of(office: Office, laid: Laid) -> None:
    district(office, laid, "huyen-a", 20)
    task = laid.assignment("IV.4.1", "so-chinh")
    made = post(office, f"assignments/{task}/report?lang=en", outcome="done", body="x", figures={"II.3.b": 21})
    assert made["assignment"]["state"] == "reported"
    assert made["warnings"] == {
        "figure-II.3.b": ("21 cannot be checked yet: 1 of 2 agencies have reported, 20 in total; missing: Huyen b.")
    }


def test_the_figures_of_a_plan_say_what_is_a_total_and_what_is_wrong_with_it(office: Office, laid: Laid) -> None:
    district(office, laid, "huyen-a", 20)
    district(office, laid, "huyen-b", 10)
    made = post(office, "reports", **whole(laid, 29))
    found = {each["code"]: each for each in office.get("/api/v1/plans/1/figures").json()["figures"]}
    assert (found["II.3"]["total_of"], found["II.3"]["problem"]) == (None, None)
    assert (found["II.3.b"]["total_of"], found["II.3.b"]["total"]) == ("II.3", 29)
    assert found["II.3.b"]["problem"] == made["warnings"]["figure-II.3.b"] == "29 khác tổng các đơn vị (30): kém 1."
