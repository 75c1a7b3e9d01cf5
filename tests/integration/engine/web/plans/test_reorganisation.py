"""The page «sắp xếp lại tổ chức»: nothing is ticked before a person looks, the dry run counts, the act is one press."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from ground.factory import Laid, at, opened, row, rows
from ground.office import Office, open_office
from ground.province import plan_of_2025

from engine.accounts.signed_links import Purpose
from engine.plans.following import Reporting
from engine.plans.reorganisation import Decision, ended_agencies, reorganise
from engine.rules.calendar import local_date
from engine.store.database import Database
from engine.store.records import Assignment, Contact, Duty, Event, Letter
from engine.terms import EventKind

PAGE = "/reorganisation"
JULY = at("2025-07-01", "08:00")


@pytest.fixture
def july(sqlite_database: Database, tmp_path: Path) -> tuple[Laid, Office]:
    """On the morning of 1 July 2025: what ended in December and March has been followed, the half-year is overdue."""
    laid = plan_of_2025(sqlite_database)
    for day in ("2024-12-01", "2025-03-01"):
        with sqlite_database.write() as session:
            found = ended_agencies(session, local_date(at(day)))
            decided = [Decision(agency_id=each.id, reporting=Reporting.ALL) for each in found]
            reorganise(session, decided, actor="cli:test", now=at(day))
    opened(sqlite_database, at("2025-06-02"))
    return laid, open_office(sqlite_database, tmp_path, now=JULY, open_desk=True)


def test_21_districts_become_130_communes_with_three_presses(july: tuple[Laid, Office]) -> None:
    laid, office = july
    shown = office.get(PAGE)
    assert len(shown.content) < 50_000
    keys = re.findall(r'name="looked" value="([^"]+)"', shown.text)
    assert keys == ["250630-bao_chi", "250630-huyen"]
    assert not re.search(r'name="looked"[^>]*checked', shown.text)
    assert "UBND xã Anh Sơn" in shown.text
    assert "UBND các xã, phường" not in shown.text
    before = len(rows(laid.database, Assignment)), len(rows(laid.database, Letter))
    looked = {"looked": keys, "on": "2025-07-01", "reporting-250630-huyen": "seat"}
    preview = office.post(PAGE, **looked)
    assert preview.status_code == 200, re.findall(r"role=.alert.>([^<]+)", preview.text)
    assert len(preview.content) < 50_000
    assert (len(rows(laid.database, Assignment)), len(rows(laid.database, Letter))) == before
    letters = int(re.search(r"<b>(\d+) thư</b>", preview.text)[1])  # type: ignore[index]
    assert letters > 20
    assert "thay cho" in preview.text  # the sample letter
    done = office.post(PAGE, do="act", **looked)
    assert done.headers["location"].endswith("said=done.22.1")
    assert len(row(laid.database, Duty, citation="IV.16.1").owners) == 130
    assert "Mọi cơ quan trong các kế hoạch đang thực hiện đều còn hoạt động" in office.get(PAGE).text
    frozen = [each for each in rows(laid.database, Event) if each.kind is EventKind.FIGURES_FROZEN]
    assert "2025-H1" in {each.detail["period"] for each in frozen}


def test_an_old_link_of_an_ended_district_says_who_follows_it_and_where_the_work_went(
    july: tuple[Laid, Office],
) -> None:
    laid, office = july
    people = [each for each in rows(laid.database, Contact) if each.agency_id == "ubnd-huyen-anh-son"]
    made = {"made_on": date(2025, 6, 2), "until": date(2025, 7, 17)}
    path = office.link(Purpose.REPORT, people[0].id, f"{laid.plan_id}:2025-H1", **made)
    looked = {"looked": ["250630-huyen"], "on": "2025-07-01", "reporting-250630-huyen": "seat"}
    office.post(PAGE, do="act", **looked)
    for now in (JULY, at("2025-09-01", "08:00")):  # while the link would work, and after it
        office.clock.now = now
        told = office.get(path)
        assert told.status_code == 403
        assert "UBND huyện Anh Sơn đã kết thúc ngày 30/6/2025" in told.text
        assert "Cơ quan kế thừa: UBND xã Anh Sơn" in told.text
        assert "UBND xã Anh Sơn (4) báo cáo" in told.text


def test_what_nobody_ticked_is_not_done(july: tuple[Laid, Office]) -> None:
    laid, office = july
    told = office.post(PAGE, do="act", on="2025-07-01")
    assert told.status_code == 422
    assert "Chưa đánh dấu cơ quan nào đã soát" in told.text
    assert len(row(laid.database, Duty, citation="IV.16.1").owners) == 20


def test_a_day_ahead_is_previewed_and_not_done(sqlite_database: Database, tmp_path: Path) -> None:
    plan_of_2025(sqlite_database)
    office = open_office(sqlite_database, tmp_path, now=at("2024-11-26", "08:00"), open_desk=True)
    assert "TX Cửa Lò" not in office.get(PAGE).text
    ahead = office.get(f"{PAGE}?on=2024-12-01").text
    assert "UBND thị xã Cửa Lò" in ahead
    looked = {"looked": "241130-huyen", "on": "2024-12-01"}
    assert "Thực hiện được từ" in office.post(PAGE, **looked).text
    told = office.post(PAGE, do="act", **looked)
    assert told.status_code == 422
    assert "Ngày ấy chưa tới" in told.text
