"""A ladder as a table: when, who, which letter, on which channel; rows are added, removed, moved; the text follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from ground.factory import at, lay, policy, rows
from ground.office import Office, open_office
from httpx import Response

from engine.admin.policy_editor import LADDERS, read_policy
from engine.admin.policy_rows import RungRow, as_rungs, rows_of
from engine.errors import FieldsRefused
from engine.rules.policy import Policy
from engine.store.database import Database
from engine.store.records import PolicyRecord

EDIT = "/admin/policies/default/edit"


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    lay(sqlite_database, now=at("2021-04-07"))
    return open_office(sqlite_database, tmp_path, now=at("2021-06-07", "10:00"))


def fields(page: str) -> dict[str, Any]:
    """What a browser would send of the form."""
    form = BeautifulSoup(page, "lxml").select_one("#policy")
    assert form is not None
    found: dict[str, Any] = {}
    for each in form.select("input, select, textarea"):
        name = str(each["name"])
        if each.name == "select":
            found[name] = next(str(o["value"]) for o in each.select("option") if o.has_attr("selected"))
        elif each.name == "textarea":
            found[name] = each.get_text().lstrip("\n")
        elif each.get("type") != "checkbox":
            found[name] = str(each["value"])
        elif each.has_attr("checked"):
            found.setdefault(name, []).append(str(each["value"]))
    return found


def sent(office: Office, typed: dict[str, Any], do: str) -> Response:
    return office.client.post("/admin/policies", data=typed | {"do": do})


def table(page: str) -> list[Tag]:
    return BeautifulSoup(page, "lxml").select(".rungs tbody tr")


@pytest.mark.parametrize("ladder", LADDERS)
def test_an_untouched_table_changes_nothing(office: Office, ladder: str) -> None:
    typed = fields(office.get(f"{EDIT}?ladder={ladder}").text)
    answer = sent(office, typed, "table")
    assert "không có gì thay đổi" in answer.text


def test_a_changed_row_is_previewed_in_words_and_saved(office: Office) -> None:
    page = office.get(EDIT).text
    typed = fields(page)
    number = next(n for n in range(20) if (typed[f"when-{n}"], typed[f"days-{n}"]) == ("before", "3"))
    preview = sent(office, typed | {f"days-{number}": "5", f"to-{number}": ["coordinator", "head"]}, "table")
    assert "Trước hạn 5 ngày làm việc" in preview.text
    assert "đầu mối, người đứng đầu" in preview.text
    assert sent(office, fields(preview.text) | {"text": fields(preview.text)["text"]}, "save").status_code == 303
    (stored,) = rows(office.context.database, PolicyRecord)
    rungs = Policy.model_validate(stored.body).ladders["order"].rungs
    assert {(each.rung, each.due) for each in rungs} >= {("T-5", -5)}
    assert "T-3" not in {each.rung for each in rungs}


def test_rows_are_added_removed_and_moved_and_nothing_is_saved(office: Office) -> None:
    page = office.get(EDIT).text
    typed, count = fields(page), len(table(page))
    assert len(table(sent(office, typed, "add").text)) == count + 1
    dropped = fields(sent(office, typed, "drop-0").text)
    assert (dropped["when-0"], dropped["days-0"]) == (typed["when-1"], typed["days-1"])
    moved = fields(sent(office, typed, "up-2").text)
    assert (moved["days-1"], moved["days-2"]) == (typed["days-2"], typed["days-1"])
    assert moved["text"] == typed["text"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"days-4": ""}, "days-4"),
        ({"days-4": "ba"}, "days-4"),
        ({"days-4": "121"}, "days-4"),
        ({"to-4": []}, "to-4"),
        ({"when-4": "khi nào"}, "when-4"),
        ({"letter-4": "chase"}, "letter-4"),
        ({"by-4": "bồ câu"}, "by-4"),
    ],
)
def test_what_is_wrong_is_named_by_its_reminder_in_the_summary(
    office: Office, changes: dict[str, Any], field: str
) -> None:
    answer = sent(office, fields(office.get(EDIT).text) | changes, "table")
    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 422
    assert page.title is not None
    assert page.title.text.startswith("Lỗi:")
    link = page.select_one(f'main .wrong a[href="#f-{field}"]')
    assert link is not None
    assert link.text.startswith("Mốc 5:")
    assert page.select_one(f"#f-{field}")
    assert answer.text.count("Mốc 5:") >= 2


def test_two_reminders_on_one_day_are_refused() -> None:
    row = RungRow(when="before", days="3")
    with pytest.raises(FieldsRefused):
        as_rungs([row, row])


@pytest.mark.parametrize("ladder", LADDERS)
def test_rows_read_back_are_the_ladder(ladder: str) -> None:
    shipped = policy().ladders[ladder]  # type: ignore[index]
    assert as_rungs(rows_of(shipped)) == shipped.rungs


def test_the_text_below_still_decides_by_its_own_button(office: Office) -> None:
    typed = fields(office.get(EDIT).text)
    changed = typed["text"].replace("due_soon_days: 3", "due_soon_days: 4")
    assert read_policy(changed).due_soon_days == 4
    assert "4 ngày làm việc trước hạn" in sent(office, typed | {"text": changed}, "preview").text
