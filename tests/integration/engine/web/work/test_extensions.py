"""Extensions decided from one list: one by its own button, many with one answer, each asked first."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import row, rows
from ground.office import NOW, Office, as_role, enter, everything, join

from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.store.database import Database
from engine.store.records import Assignment, Extension, Notice
from engine.terms import NoticeKind

MAT_TRAN = 4


def words(page: str) -> str:
    return " ".join(BeautifulSoup(page, "lxml").main.get_text(" ").split())  # type: ignore[union-attr]


def test_each_request_says_what_it_asks_what_stands_and_why(office: Office) -> None:
    said = words(office.get("/extensions").text)
    assert "1 đề nghị gia hạn chờ quyết định; hạn sớm nhất thứ Năm, 17/6/2021" in said
    assert "Xin đến thứ Tư, 30/6/2021 , hạn hiện nay thứ Năm, 17/6/2021" in said
    assert "« Chờ số liệu cơ sở. »" in said


def test_the_button_of_a_line_asks_first_and_changes_nothing(office: Office, lived: Database) -> None:
    token, before = office.token("/extensions"), everything(lived)
    answer = office.client.post("/extensions", data={"token": token, "grant": "1"})
    assert answer.status_code == 200
    assert "Đồng ý gia hạn 1 việc?" in words(answer.text)
    assert len(BeautifulSoup(answer.text, "lxml").select("#letters ~ ul > li")) == 1
    assert everything(lived) == before


@pytest.mark.parametrize(("act", "granted", "due"), [("grant", True, "2021-06-30"), ("refuse", False, "2021-06-17")])
def test_those_chosen_get_one_answer(office: Office, lived: Database, act: str, granted: bool, due: str) -> None:
    answer = office.post("/extensions?plan=1", page="/extensions", act=act, id="1", sure="1", words="Theo lịch họp.")
    decided = row(lived, Extension)
    assert answer.headers["location"] == f"/extensions?plan=1&said={act}&n=1"
    assert (decided.granted, decided.answer) == (granted, "Theo lịch họp.")
    assert str(row(lived, Assignment, id=MAT_TRAN).due_on) == due
    assert len(rows(lived, Notice, kind=NoticeKind.EXTENSION_DECIDED)) == 1
    assert "1 đề nghị" in words(office.get(answer.headers["location"]).text)


def test_what_was_decided_meanwhile_is_left_and_said(office: Office, lived: Database) -> None:
    with lived.write() as session:
        lifecycle.decide_extension(session, 1, granted=False, actor="account:9", now=NOW)
    asked = office.post("/extensions", act="grant", id="1")
    answer = office.post("/extensions", act="grant", id="1", sure="1")
    assert "Không còn gì để quyết định" in words(asked.text)
    assert answer.headers["location"] == "/extensions?said=grant&kept=1"
    assert "1 đề nghị để nguyên" in words(office.get(answer.headers["location"]).text)
    assert row(lived, Extension).granted is False


def test_a_request_whose_report_came_in_is_not_granted_and_nothing_is_half_done(
    office: Office, lived: Database
) -> None:
    with lived.write() as session:
        lifecycle.report(session, MAT_TRAN, ReportText(body="Đã xong."), actor="contact:1", now=NOW)
    assert office.post("/extensions", act="grant", id="1", sure="1").headers["location"].endswith("kept=1")
    assert row(lived, Extension).decided_at is None
    assert office.post("/extensions", act="refuse", id="1", sure="1").headers["location"].endswith("n=1")


@pytest.mark.parametrize("fields", [{"act": "grant"}, {"grant": "x"}, {"act": "maybe", "id": "1"}, {}])
def test_what_cannot_be_read_comes_back_to_the_list(office: Office, fields: dict[str, str]) -> None:
    answer = office.post("/extensions", **fields)
    assert answer.status_code == 400
    assert BeautifulSoup(answer.text, "lxml").select_one(".wrong[role=alert]") is not None


def test_an_answer_that_is_too_long_stands_beside_its_field(office: Office, lived: Database) -> None:
    answer = office.post("/extensions", act="grant", id="1", sure="1", words="x" * 2_001)
    field = BeautifulSoup(answer.text, "lxml").select_one("#words[aria-describedby=words-said]")
    assert answer.status_code == 400
    assert field is not None
    assert len(field.get_text().strip()) == 2_001
    assert row(lived, Extension).decided_at is None


def test_only_the_department_above_decides(office: Office, lived: Database, tmp_path: Path) -> None:
    token = office.token("/extensions")
    enter(office, join(lived, "monitor", "so-ban"))
    assert "Không có đề nghị gia hạn nào" in words(office.get("/extensions").text)
    data = {"token": token, "act": "grant", "id": "1", "sure": "1"}
    assert office.client.post("/extensions", data=data).status_code == 403
    assert as_role(lived, tmp_path, "leadership", "tinh").get("/extensions").status_code == 403
    above = as_role(lived, tmp_path, "monitor", "so-chinh")
    assert above.post("/extensions", page="/extensions", act="grant", id="1", sure="1").status_code == 303
