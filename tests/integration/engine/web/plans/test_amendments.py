"""Duties that come after the document: what opens, moves and is told is shown first, then done by a letter's number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.factory import at, happened, row, rows
from ground.office import Office, as_role, enter, everything, join
from sqlalchemy import update

from engine.store.database import Database, table
from engine.store.records import Agency, Assignment, Duty

NEW = "/plans/1/duties/new"
TYPED = {"text": "Rà soát cơ sở.", "owners": ["cac-huyen", "so-ban"], "due": "4/7/2021", "basis": "Công văn 15/SLĐ"}
AMEND = "/duties/2/amend"
CHANGED = {"text": "Việc thứ 2.", "owners": ["huyen-b", "so-ban"], "due-2021-H1": "4/7/2021", "basis": "Công văn 16"}


def words(page: str) -> str:
    return " ".join(BeautifulSoup(page, "lxml").main.get_text(" ").split())  # type: ignore[union-attr]


def hidden(page: str) -> dict[str, Any]:
    """What a preview carries on to the deed."""
    found: dict[str, Any] = {}
    for each in BeautifulSoup(page, "lxml").select("form.actions input[type=hidden]"):
        found.setdefault(str(each["name"]), []).append(str(each["value"]))
    return found


def test_a_preview_shows_the_moved_date_who_owes_it_and_which_letters_follow(office: Office, lived: Database) -> None:
    token, before = office.token(NEW), everything(lived)
    answer = office.client.post(NEW, data={"token": token, "act": "preview", **TYPED})
    said = words(answer.text)
    assert "Giao nhiệm vụ BS.1 cho 3 cơ quan?" in said
    assert "ngày 04/7/2021 là Chủ nhật, hạn chuyển sang thứ Hai, 05/7/2021" in said
    assert len(BeautifulSoup(answer.text, "lxml").select("#letters ~ ul > li")) == 3
    assert everything(lived) == before


def test_what_was_previewed_is_what_is_done(office: Office, lived: Database) -> None:
    preview = office.post(NEW, page=NEW, act="preview", **TYPED)
    answer = office.client.post(NEW, data=hidden(preview.text) | {"act": "do"})
    duty = row(lived, Duty, citation="BS.1")
    assert answer.headers["location"] == "/plans/1?said=duty_added"
    assert (duty.text, duty.added["basis"]) == ("Rà soát cơ sở.", "Công văn 15/SLĐ")
    opened = rows(lived, Assignment, duty_id=duty.id)
    assert {(each.agency_id, str(each.due_on)) for each in opened} == {
        (agency, "2021-07-05") for agency in ("huyen-a", "huyen-b", "so-ban")
    }
    assert "Đã giao nhiệm vụ bổ sung" in words(office.get(answer.headers["location"]).text)


def test_a_fixed_date_stays_on_a_closed_day_and_a_preview_leads_back_to_the_form(office: Office) -> None:
    fixed = office.post(NEW, page=NEW, act="preview", fixed="1", **TYPED)
    assert "Hạn: Chủ nhật, 04/7/2021" in words(fixed.text)
    again = BeautifulSoup(office.client.post(NEW, data=hidden(fixed.text) | {"act": "edit"}).text, "lxml")
    assert again.select_one("#f-text").get_text() == "Rà soát cơ sở."  # type: ignore[union-attr]
    ticked = again.select("input[checked]")
    assert [each["value"] for each in ticked] == ["cac-huyen", "so-ban", "1"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": " "}, "text"),
        ({"text": "x" * 8_001}, "text"),
        ({"basis": ""}, "basis"),
        ({"owners": []}, "owners"),
        ({"due": "31/2/2021"}, "due"),
        ({"due": "1/6/2021"}, "due"),
        ({"reason": "x\x00"}, "reason"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    office: Office, lived: Database, change: dict[str, Any], field: str
) -> None:
    before = happened(lived)
    answer = office.post(NEW, page=NEW, act="do", **(TYPED | change))
    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 422
    assert [each["aria-describedby"] for each in page.select("[aria-invalid=true]")] == [f"f-{field}-said"]
    assert page.select_one(f"#f-{field}-said") is not None
    assert page.select_one("#f-text").get_text() == (TYPED | change)["text"]  # type: ignore[union-attr]
    assert field == "basis" or page.select_one("#f-basis")["value"] == "Công văn 15/SLĐ"  # type: ignore[index]
    assert happened(lived) == before


REPORT = "/plans/1/reports/new"


def test_an_ad_hoc_report_needs_a_date_and_a_paper_and_goes_to_every_owner(office: Office, lived: Database) -> None:
    form = BeautifulSoup(office.get(REPORT).text, "lxml")
    ticked = [str(each["value"]) for each in form.select("input[name=owners][checked]")]
    assert set(ticked) == {"huyen-a", "huyen-b", "mat-tran", "so-ban", "so-chinh"}
    typed = {"owners": ticked, "due": "2/7/2021", "basis": "Công văn 15/SLĐ ngày 20/6/2021"}
    preview = office.post(REPORT, page=REPORT, act="preview", **typed)
    assert "Yêu cầu báo cáo đột xuất BS.1 từ 5 cơ quan?" in words(preview.text)
    answer = office.client.post(REPORT, data=hidden(preview.text) | {"act": "do"})
    assert answer.headers["location"] == "/plans/1?said=report_requested"
    assert "Đã yêu cầu báo cáo đột xuất" in words(office.get(answer.headers["location"]).text)
    duty = row(lived, Duty, citation="BS.1")
    assert duty.text == "Báo cáo đột xuất theo Công văn 15/SLĐ ngày 20/6/2021."
    opened = {each.agency_id: each.request for each in rows(lived, Assignment, duty_id=duty.id)}
    assert opened.pop("mat-tran") is True  # the Front is asked, not ordered
    assert opened == dict.fromkeys(("huyen-a", "huyen-b", "so-ban", "so-chinh"), False)


def test_an_ad_hoc_report_may_be_asked_of_one_agency_in_words_of_its_own(office: Office, lived: Database) -> None:
    form = BeautifulSoup(office.get(f"{REPORT}?agency=huyen-b").text, "lxml")
    assert [each["value"] for each in form.select("input[checked]")] == ["huyen-b"]
    typed = {"owners": "huyen-b", "due": "2/7/2021", "basis": "Công văn 15", "text": "Số hộ phải di dời."}
    office.post(REPORT, page=REPORT, act="do", **typed)
    assert row(lived, Duty, citation="BS.1").text == "Số hộ phải di dời."


@pytest.mark.parametrize("change", [{"due": "1/6/2021"}, {"basis": " "}, {"owners": []}])
def test_an_ad_hoc_report_without_date_paper_or_owner_is_refused_beside_its_field(
    office: Office, lived: Database, change: dict[str, Any]
) -> None:
    before = happened(lived)
    typed = {"owners": ["huyen-b"], "due": "2/7/2021", "basis": "Công văn 15"} | change
    answer = office.post(REPORT, page=REPORT, act="do", **typed)
    wrong = [each["aria-describedby"] for each in BeautifulSoup(answer.text, "lxml").select("[aria-invalid=true]")]
    assert (answer.status_code, wrong) == (422, [f"f-{next(iter(change))}-said"])
    assert happened(lived) == before


def test_an_owner_nobody_knows_is_refused(office: Office) -> None:
    assert office.post(NEW, page=NEW, act="preview", **(TYPED | {"owners": "nowhere"})).status_code == 422


def test_a_change_shows_who_comes_who_goes_and_what_moves(office: Office, lived: Database) -> None:
    token, before = office.token(AMEND), everything(lived)
    said = words(office.client.post(AMEND, data={"token": token, "act": "preview", **CHANGED}).text)
    assert "Thêm chủ trì So ban Thôi chủ trì Huyen a" in said
    assert "thứ Năm, 17/6/2021 → ngày 04/7/2021 là Chủ nhật, hạn chuyển sang thứ Hai, 05/7/2021" in said
    assert "Mở thêm 1, hủy 1, chuyển hạn 2 việc" in said  # huyen-a has reported «một phần»: still unfinished
    assert everything(lived) == before


def test_a_duty_is_changed_as_previewed(office: Office, lived: Database) -> None:
    preview = office.post(AMEND, page=AMEND, act="preview", **CHANGED)
    answer = office.client.post(AMEND, data=hidden(preview.text) | {"act": "do"})
    assert answer.headers["location"] == "/plans/1?said=duty_amended"
    assert row(lived, Duty, id=2).owners == ["huyen-b", "so-ban"]
    moved = rows(lived, Assignment, duty_id=2, agency_id="huyen-b", period="2021-H1")
    assert [str(each.due_on) for each in moved] == ["2021-07-05"]


def test_a_change_of_nothing_is_said(office: Office, lived: Database) -> None:
    stands = {"text": row(lived, Duty, id=2).text, "owners": ["huyen-a", "huyen-b"], "basis": "Công văn 16"}
    answer = office.post(AMEND, page=AMEND, act="preview", **stands)
    assert (answer.status_code, "Không có gì thay đổi" in words(answer.text)) == (422, True)


def test_the_plans_own_monitor_does_it_and_nobody_else(office: Office, lived: Database, tmp_path: Path) -> None:
    token = office.token(NEW)
    enter(office, join(lived, "monitor", "so-ban"))
    assert (office.get(NEW).status_code, office.get(AMEND).status_code) == (403, 403)
    for path, typed in ((NEW, TYPED), (AMEND, CHANGED)):
        assert office.client.post(path, data={"token": token, "act": "do", **typed}).status_code == 403
    assert "/duties/" not in office.get("/plans/1").text
    own = as_role(lived, tmp_path, "monitor", "so-chinh")
    assert (own.get(NEW).status_code, own.get(AMEND).status_code) == (200, 200)
    assert "/duties/2/amend" in own.get("/assignments/2").text
    assert "/plans/1/duties/new" in own.get("/plans/1").text


@pytest.mark.parametrize("path", ["/plans/99/duties/new", "/duties/99/amend", "/duties/x/amend"])
def test_what_does_not_exist_is_said(office: Office, path: str) -> None:
    assert office.get(path).status_code in (404, 422)


# --- bodies that do not exist then ----------------------------------------------------------------------------------


@pytest.fixture
def huyen_a_ends(lived: Database) -> None:
    """At the end of June; a commune begins in July."""
    with lived.write() as session:
        g = table(Agency)
        for name, names in (
            ("huyen-a", {"name": "Huyen a", "until": "2021-06-30"}),
            ("mat-tran", {"name": "Mat tran", "from": "2021-07-01"}),
        ):
            session.connection().execute(update(g).where(g.c.id == name).values(names=[names]))


def test_a_report_is_not_offered_to_bodies_that_do_not_exist(
    office: Office, lived: Database, huyen_a_ends: None
) -> None:
    ticked = [str(each["value"]) for each in BeautifulSoup(office.get(REPORT).text, "lxml").select("input[checked]")]
    assert set(ticked) == {"huyen-a", "huyen-b", "so-ban", "so-chinh"}
    office.clock.now = at("2021-07-01")
    form = BeautifulSoup(office.get(REPORT).text, "lxml")
    assert {str(each["value"]) for each in form.select("input[checked]")} == {
        "huyen-b",
        "mat-tran",
        "so-ban",
        "so-chinh",
    }
    assert form.select('input[name=owners][value="huyen-a"]') == []


@pytest.mark.parametrize("path", [REPORT, NEW])
@pytest.mark.parametrize(("owner", "due"), [("huyen-a", "2/7/2021"), ("mat-tran", "2/7/2021")])
def test_a_body_that_does_not_exist_now_or_at_the_due_date_is_refused_by_name(
    office: Office, lived: Database, huyen_a_ends: None, path: str, owner: str, due: str
) -> None:
    before = happened(lived)
    typed = {"owners": [owner, "so-ban"], "due": due, "basis": "Công văn 15", "text": "Báo cáo nhanh."}
    answer = office.post(path, page=path, act="do", **typed)
    assert answer.status_code == 422
    assert "Có cơ quan không tồn tại trong thời gian" in words(answer.text)
    assert owner.replace("-", " ").capitalize() in words(answer.text)
    assert happened(lived) == before
