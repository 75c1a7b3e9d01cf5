"""A step of a policy is edited in its place: when, who, which letter; what would change for whom comes before it is
saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from ground.factory import at, lay, policy, rows
from ground.office import Office, open_office
from httpx import Response

from engine.admin.policy_editor import LADDERS, RungRow, as_rung, row_of, with_rung
from engine.errors import FieldsRefused
from engine.rules.policy import Policy
from engine.store.database import Database
from engine.store.records import Assignment, LadderRecord, PolicyRecord

PAGE = "/admin/policies/default"
CHASED = {"ladder": "order", "step": "T+3"}


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    lay(sqlite_database, now=at("2021-04-07"))
    return open_office(sqlite_database, tmp_path, now=at("2021-06-07", "10:00"))


def opened(office: Office, asked: dict[str, Any]) -> Response:
    return office.client.get(PAGE, params=asked)


def typed(page: str) -> dict[str, Any]:
    """What a browser would ask for by the open step's form."""
    form = BeautifulSoup(page, "lxml").select_one("#step form[method=get]")
    assert form is not None
    found: dict[str, Any] = {}
    for each in form.select("input, select"):
        name = str(each["name"])
        if each.name == "select":
            found[name] = next(str(o["value"]) for o in each.select("option") if o.has_attr("selected"))
        elif each.get("type") != "checkbox":
            found[name] = str(each["value"])
        elif each.has_attr("checked"):
            found.setdefault(name, []).append(str(each["value"]))
    return found | {"do": "look"}


def looked(office: Office, asked: dict[str, Any], **changes: Any) -> Response:
    return opened(office, typed(opened(office, asked).text) | changes)


def saved(office: Office, page: str, **more: str) -> Response:
    form = BeautifulSoup(page, "lxml").select_one("form#policy")
    assert form is not None
    fields = {str(each["name"]): str(each["value"]) for each in form.select("input")}
    return office.client.post("/admin/policies", data=fields | {"do": "save"} | more)


def note(page: str) -> str:
    found = BeautifulSoup(page, "lxml").select_one("#step .note")
    return " ".join(found.get_text(" ").split()) if isinstance(found, Tag) else ""


def stored(office: Office, ladder: str = "order") -> list[str]:
    (row,) = rows(office.context.database, PolicyRecord)
    return [each.rung for each in Policy.model_validate(row.body).ladders[ladder].rungs]  # type: ignore[index]


def test_a_step_says_what_would_change_for_whom_before_it_is_saved(office: Office) -> None:
    before = stored(office)
    page = looked(office, CHASED, days="5").text
    said = note(page)
    assert "3 việc, hạn thứ Sáu, 17/12/2021 : thư chuyển từ thứ Tư, 22/12/2021 sang thứ Sáu, 24/12/2021" in said
    assert "5 việc đang mở : giữ các mốc đã có" in said
    assert stored(office) == before
    assert saved(office, page).headers["location"] == f"{PAGE}?said=saved.0"
    assert stored(office) == [{"T+3": "T+5"}.get(each, each) for each in before]


def test_nothing_is_saved_that_was_not_shown(office: Office) -> None:
    assert not BeautifulSoup(opened(office, CHASED).text, "lxml").select("form#policy")
    assert not BeautifulSoup(looked(office, CHASED).text, "lxml").select("form#policy")


def test_others_read_the_letter_of_the_same_day(office: Office) -> None:
    said = note(looked(office, CHASED, to=["coordinator"]).text)
    assert "vẫn thư ngày thứ Tư, 22/12/2021, đổi người nhận" in said


def test_a_step_is_added_in_its_place(office: Office) -> None:
    page = looked(office, {"ladder": "order"}, days="5", when="after", letter="overdue").text
    assert "thêm thư ngày thứ Sáu, 24/12/2021" in note(page)
    saved(office, page)
    assert stored(office)[8:11] == ["T+3", "T+5", "T+7"]


def test_a_step_is_removed(office: Office) -> None:
    page = opened(office, CHASED | {"do": "drop"}).text
    assert "không còn thư ngày thứ Tư, 22/12/2021" in note(page)
    saved(office, page)
    assert "T+3" not in stored(office)


def test_open_tasks_follow_a_step_only_where_that_is_ticked(office: Office) -> None:
    page = looked(office, CHASED, days="5").text
    assert "Chuyển theo mốc mới 4 việc chưa được nhắc lần nào" in note(page)
    answer = saved(office, page, move="1")
    assert answer.headers["location"] == f"{PAGE}?said=saved.4"
    ladders = {each.id: str(each.body) for each in rows(office.context.database, LadderRecord)}
    now = {each.duty_id: ladders[each.ladder_id] for each in rows(office.context.database, Assignment)}
    assert any("T+5" in each for each in now.values())


def test_an_edit_over_somebody_elses_is_not_saved(office: Office) -> None:
    mine = looked(office, CHASED, days="5").text
    saved(office, looked(office, CHASED, days="4").text)
    assert saved(office, mine).status_code == 409
    assert "T+4" in stored(office)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"days": ""}, "days"),
        ({"days": "ba"}, "days"),
        ({"days": "121"}, "days"),
        ({"days": "7"}, "days"),
        ({"to": []}, "to"),
        ({"when": "khi nào"}, "when"),
        ({"letter": "chase"}, "letter"),
        ({"by": "bồ câu"}, "by"),
        ({"ladder": "request", "to": ["leadership"]}, "to"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(office: Office, changes: dict[str, Any], field: str) -> None:
    answer = looked(office, CHASED, **changes)
    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 422
    assert page.title is not None
    assert page.title.text.startswith("Lỗi:")
    assert page.select_one(f'main .wrong a[href="#f-{field}"]')
    assert page.select_one(f"#f-{field}[aria-invalid]")
    assert not page.select("form#policy")


@pytest.mark.parametrize("ladder", LADDERS)
def test_rows_read_back_are_the_ladder(ladder: str) -> None:
    shipped = policy().ladders[ladder]  # type: ignore[index]
    assert tuple(as_rung(row_of(rung)) for rung in shipped.rungs) == shipped.rungs


def test_two_steps_on_one_day_are_refused() -> None:
    with pytest.raises(FieldsRefused):
        with_rung(policy(), "order", "", RungRow(when="before", days="3"))
