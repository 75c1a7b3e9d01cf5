"""Several assignments are transferred, cancelled or re-dated at once: asked, previewed, done; each by its own event."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.factory import rows
from ground.office import Office, as_role, everything

from engine.store.database import Database
from engine.store.records import Assignment, Event
from engine.terms import EventKind, State

BULK = "/assignments/bulk"
LIST = "/assignments?finished=no"
FIELDS: dict[str, dict[str, str]] = {
    "cancel": {"reason": "Kế hoạch đã điều chỉnh"},
    "transfer": {"to": "so-ban", "reason": "Quyết định 12/QĐ"},
    "redate": {"on": "30/9/2021", "reason": "Công văn 88/UBND"},
}
KINDS = {"cancel": EventKind.CANCELLED, "transfer": EventKind.TRANSFERRED, "redate": EventKind.DUE_MOVED}


def chosen(office: Office) -> list[str]:
    """The ticked ones: those of two districts that can be changed, of the first half-year."""
    database = office.context.database
    open_now = [
        each
        for each in rows(database, Assignment)
        if each.state in (State.ASSIGNED, State.ACKNOWLEDGED) and each.agency_id.startswith("huyen")
    ]
    one_each = {each.agency_id: str(each.id) for each in open_now}
    return list(one_each.values())


def post(office: Office, act: str, ids: list[str], **fields: str) -> Any:
    return office.post(BULK, page=LIST, act=act, id=ids, **fields)


def happened(database: Database, kind: EventKind) -> int:
    return sum(each.kind is kind for each in rows(database, Event))


@pytest.mark.parametrize("act", FIELDS)
def test_it_is_asked_then_previewed_then_done_once_each(office: Office, act: str) -> None:
    database, ids = office.context.database, chosen(office)
    ids = ids[:1] if act == "transfer" else ids
    before, events = everything(database), happened(database, KINDS[act])
    asked = BeautifulSoup(post(office, act, ids).text, "lxml")
    assert asked.select_one("button[name=look]")
    previewed = BeautifulSoup(post(office, act, ids, look="1", **FIELDS[act]).text, "lxml")
    assert previewed.select_one("button[name=sure]")
    assert [each["value"] for each in previewed.select("input[name=id]")] == ids
    assert everything(database) == before
    done = post(office, act, ids, sure="1", **FIELDS[act])
    assert done.status_code == 303
    assert f"said={act}" in done.headers["location"]
    assert f"n={len(ids)}" in done.headers["location"]
    assert happened(database, KINDS[act]) - events == len(ids)
    after = everything(database)
    again = post(office, act, ids, sure="1", **FIELDS[act])
    assert "kept=" in again.headers["location"]
    assert everything(database) == after


def test_a_new_due_date_keeps_the_first_and_names_its_basis(office: Office) -> None:
    ids = chosen(office)
    post(office, "redate", ids, sure="1", **FIELDS["redate"])
    moved = [each for each in rows(office.context.database, Assignment) if str(each.id) in ids]
    assert {each.due_on for each in moved} == {date(2021, 9, 30)}
    assert {each.original_due_on for each in moved} != {date(2021, 9, 30)}
    assert all("Công văn 88/UBND" in each.due_why["vi"] for each in moved)


@pytest.mark.parametrize(
    ("act", "fields", "field"),
    [
        ("cancel", {"reason": " "}, "reason"),
        ("transfer", {"reason": "Vì vậy"}, "to"),
        ("transfer", {"to": "khong-co", "reason": "Vì vậy"}, "reason"),
        ("redate", {"reason": "Công văn", "on": "hôm qua"}, "on"),
        ("redate", {"reason": "Công văn", "on": "1/1/2021"}, "reason"),
    ],
)
def test_what_is_missing_is_said_beside_its_field_and_in_the_summary(
    office: Office, act: str, fields: dict[str, str], field: str
) -> None:
    answer = post(office, act, chosen(office), look="1", **fields)
    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 422
    assert page.title is not None
    assert page.title.text.startswith("Lỗi:")
    assert page.select_one(f"#f-{field}[aria-invalid=true]")
    summary = page.select_one("main .wrong[autofocus][tabindex]")
    assert summary is not None
    assert summary.select_one(f'a[href="#f-{field}"]')


def test_those_that_can_no_longer_be_changed_are_left_and_named(office: Office) -> None:
    database = office.context.database
    reported = next(each for each in rows(database, Assignment) if each.state is State.REPORTED)
    ids = [*chosen(office), str(reported.id)]
    page = post(office, "cancel", ids, look="1", **FIELDS["cancel"]).text
    assert "Để nguyên" in page
    done = post(office, "cancel", ids, sure="1", **FIELDS["cancel"])
    assert f"n={len(ids) - 1}&kept=1" in done.headers["location"]


@pytest.mark.parametrize(
    ("role", "agency"), [("coordinator", "huyen-b"), ("leadership", "tinh"), ("monitor", "so-ban")]
)
@pytest.mark.parametrize("act", FIELDS)
def test_it_is_for_those_who_may_change_one(
    lived: Database, tmp_path: Path, office: Office, role: str, agency: str, act: str
) -> None:
    ids, before = chosen(office), everything(lived)
    someone = as_role(lived, tmp_path, role, agency)
    assert "box-tick" not in someone.get(LIST).text
    page = "/account"
    answer = someone.post(BULK, page=page, act=act, id=ids, sure="1", **FIELDS[act])
    assert answer.status_code == 403
    kept = everything(lived)
    assert kept["assignment"] == before["assignment"]
    assert kept["notice"] == before["notice"]
