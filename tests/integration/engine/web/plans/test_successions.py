"""The page where a running plan follows its agencies."""

from __future__ import annotations

from datetime import date

import pytest
from ground.factory import row, rows
from ground.office import NOW, Office
from sqlalchemy import update

from engine.agencies.agencies import succeed
from engine.store.database import Database, table
from engine.store.records import Agency, Duty, Plan

PAGE = "/plans/1/successions"


def end(lived: Database) -> None:
    with lived.write() as session:
        succeed(session, "huyen-a", "huyen-b", on=date(2021, 6, 20), basis="NQ 1", actor="cli:x", now=NOW)
        names = [{"name": "Huyện A cũ", "until": "2021-06-19"}]
        session.connection().execute(update(table(Agency)).where(table(Agency).c.id == "huyen-a").values(names=names))


def test_an_ended_owner_is_named_with_its_successor_and_replaced_once_confirmed(
    office: Office, lived: Database
) -> None:
    end(lived)
    shown = office.get(PAGE).text
    assert "Huyện A cũ" in shown
    assert "NQ 1" in shown
    assert "huyen-a" in row(lived, Duty, citation="IV.2.1").owners
    told = office.post(PAGE, page=PAGE, do="replace", ended="huyen-a", **{"to-huyen-a": "huyen-b"})
    assert told.headers["location"].endswith("said=replaced.1")
    assert row(lived, Duty, citation="IV.2.1").owners == ["huyen-b"]
    assert "Huyện A cũ" not in office.get(PAGE).text


def test_another_department_is_chosen_with_its_basis(office: Office, lived: Database) -> None:
    told = office.post(PAGE, page=PAGE, do="follow", to="so-ban", basis="NQ 2")
    assert "said=follow." in told.headers["location"]
    assert row(lived, Plan).supervisor_id == "so-ban"


@pytest.mark.parametrize(
    "fields", [{"to": "so-ban", "basis": ""}, {"to": "", "basis": "NQ"}, {"to": "khong", "basis": "NQ"}]
)
def test_what_cannot_be_is_said_on_the_page_and_changes_nothing(
    office: Office, lived: Database, fields: dict[str, str]
) -> None:
    told = office.post(PAGE, page=PAGE, do="follow", **fields)
    assert told.status_code == 422
    assert 'role="alert"' in told.text
    assert row(lived, Plan).supervisor_id == "so-chinh"
    assert rows(lived, Plan)
