"""Reports taken or sent back many at once: asked first, each authorised, and nothing decided twice."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.factory import happened, row, rows
from ground.office import NOW, Office, as_role, enter, everything, join

from engine.assignments import lifecycle
from engine.store.database import Database, table
from engine.store.records import Agency, Assignment, Duty, Notice, Report
from engine.terms import NoticeKind, State
from engine.web.pages.work import decisions

SO_BAN, HUYEN_A = 1, 2
BOTH = {"id": ["1", "2"]}
"""The reports of so-ban and huyen-a."""
SHEET = {"name": "bang-so-lieu.xlsx", "digest": "0" * 64, "size": 2048, "media_type": "application/octet-stream"}


def words(page: str) -> str:
    return " ".join(BeautifulSoup(page, "lxml").main.get_text(" ").split())  # type: ignore[union-attr]


def state(lived: Database, assignment: int) -> State:
    found: State = row(lived, Assignment, id=assignment).state
    return found


def test_what_waits_is_listed_by_agency_with_what_was_said(office: Office) -> None:
    page = office.get("/accept").text
    said = words(page)
    assert "2 báo cáo của 2 cơ quan chờ tiếp nhận; lâu nhất từ" in said
    assert said.index("Đã làm xong.") < said.index("Một phần.")
    assert "Lý do: Còn hai xã." in said
    assert len(BeautifulSoup(page, "lxml").select("input[name=id]")) == 2


def test_agencies_that_wait_equally_long_stand_as_vietnamese_sorts_on_page_file_and_form(
    office: Office, lived: Database
) -> None:
    """«Đoàn» before «Ea»; by code point it was behind."""
    a, g = table(Assignment), table(Agency)
    with lived.write() as session:
        session.connection().execute(a.update().where(a.c.id.in_((SO_BAN, HUYEN_A))).values(reported_at=NOW))
        for key, name in (("so-ban", "Ea Súp"), ("huyen-a", "Đoàn Hùng")):
            session.connection().execute(g.update().where(g.c.id == key).values(name=name))
    asked = office.post("/accept", page="/accept", act="accept", **BOTH).text
    for said in (words(office.get("/accept").text), office.get("/accept?as=csv").text, words(asked)):
        assert said.index("Đoàn Hùng") < said.index("Ea Súp")


def test_nothing_is_counted_again_while_nothing_has_changed(office: Office, lived: Database, counting: Any) -> None:
    office.get("/accept")
    with counting(lived) as sent:
        assert "2 báo cáo của 2 cơ quan" in words(office.get("/accept?page=1").text)
    assert not [each for each in sent if "GROUP BY" in each and "assignment" in each]


def test_figures_are_named_by_their_indicator_and_files_by_their_name(office: Office, lived: Database) -> None:
    r = table(Report)
    with lived.write() as session:
        session.connection().execute(r.update().where(r.c.id == 1).values(figures={"I.1": 12}, files=[SHEET]))
    said = words(office.get("/accept").text)
    assert "I.1 12" in said
    assert "bang-so-lieu.xlsx" in said


def test_filters_stand_in_the_address(office: Office) -> None:
    assert "1 báo cáo của 1 cơ quan" in words(office.get("/accept?agency=huyen-a&plan=1&period=2021-H1").text)
    assert "Không có báo cáo nào chờ tiếp nhận" in words(office.get("/accept?period=2021-Y").text)
    assert "2 báo cáo" in words(office.get("/accept?page=99").text)


def test_the_filter_offers_the_periods_of_which_something_waits_and_the_one_that_was_asked_for(office: Office) -> None:
    def offered(address: str) -> list[str]:
        page = BeautifulSoup(office.get(address).text, "lxml")
        return [str(each["value"]) for each in page.select("#f-period option")]

    assert offered("/accept") == offered("/accept?plan=1&period=2021-H1") == ["", "2021-H1"]
    assert offered("/accept?period=2021-Y") == ["", "2021-H1", "2021-Y"]
    assert offered("/extensions?period=2021-Y") == ["", "2021-H1", "2021-Y"]
    assert offered("/accept?supervisor=tinh") == offered("/extensions?supervisor=tinh") == [""]


def test_all_on_the_page_are_ticked_by_a_link(office: Office) -> None:
    link = BeautifulSoup(office.get("/accept?plan=1").text, "lxml").select_one("form[method=post] p a")
    assert link is not None
    assert len(BeautifulSoup(office.get(str(link["href"])).text, "lxml").select("input[name=id][checked]")) == 2


def test_who_only_looks_is_shown_nothing_to_do_on_the_board(lived: Database, tmp_path: Path) -> None:
    for role, agency, shown in (("leadership", "tinh", 0), ("monitor", "so-ban", 0), ("monitor", "so-chinh", 2)):
        page = BeautifulSoup(as_role(lived, tmp_path, role, agency).get("/").text, "lxml")
        assert len(page.select('main a[href^="/accept"]')) == bool(shown)
        assert (page.select_one("#todo") is None) == (role == "leadership")


def test_accepting_asks_first_and_changes_nothing(office: Office, lived: Database) -> None:
    token, before = office.token("/accept"), everything(lived)
    answer = office.client.post("/accept", data={"token": token, "act": "accept", **BOTH})
    assert (answer.status_code, "Tiếp nhận 2 báo cáo?" in words(answer.text)) == (200, True)
    assert everything(lived) == before


def test_what_was_chosen_is_accepted_and_the_filters_are_kept(office: Office, lived: Database) -> None:
    answer = office.post("/accept?plan=1", page="/accept?plan=1", act="accept", sure="1", **BOTH)
    assert answer.headers["location"] == "/accept?plan=1&said=accept&n=2"
    assert {state(lived, SO_BAN), state(lived, HUYEN_A)} == {State.ACCEPTED}
    assert "Đã tiếp nhận 2 báo cáo" in words(office.get(answer.headers["location"]).text)


def test_returning_shows_the_letters_that_follow_and_asks_for_a_reason(office: Office, lived: Database) -> None:
    asked = office.post("/accept", page="/accept", act="return", **BOTH)
    refused = office.post("/accept", page="/accept", act="return", sure="1", reason=" ", **BOTH)
    assert "Trả lại 2 báo cáo?" in words(asked.text)
    assert len(BeautifulSoup(asked.text, "lxml").select("#letters ~ ul > li")) == 2
    assert refused.status_code == 400
    field = BeautifulSoup(refused.text, "lxml").select_one("#reason[aria-invalid=true]")
    assert field is not None
    assert field["aria-describedby"] == "reason-said"
    assert state(lived, SO_BAN) is State.REPORTED


def test_one_resubmission_date_may_be_chosen_for_all_of_them(office: Office, lived: Database) -> None:
    chosen = {"act": "return", "sure": "1", "reason": "Thiếu số liệu."} | BOTH
    refused = office.post("/accept", page="/accept", until="2021-06-01", **chosen)
    assert (refused.status_code, "Hạn bổ sung phải sau" in refused.text) == (400, True)
    assert state(lived, SO_BAN) is State.REPORTED
    office.post("/accept", page="/accept", until="2021-07-08", **chosen)
    assert [each.resubmit_on for each in rows(lived, Report)] == [date(2021, 7, 8)] * 2


def test_one_reason_goes_back_with_all_of_them(office: Office, lived: Database) -> None:
    answer = office.post("/accept", page="/accept", act="return", sure="1", reason="Thiếu số liệu.", **BOTH)
    assert answer.headers["location"] == "/accept?said=return&n=2"
    assert [each.returned_reason for each in rows(lived, Report)] == ["Thiếu số liệu."] * 2
    assert len(rows(lived, Notice, kind=NoticeKind.RETURNED)) == 2


def test_what_somebody_else_decided_meanwhile_is_left_out_and_said(office: Office, lived: Database) -> None:
    with lived.write() as session:
        lifecycle.return_report(session, HUYEN_A, reason="Thiếu.", actor="account:9", now=NOW)
    asked = words(office.post("/accept", page="/accept", act="accept", **BOTH).text)
    answer = office.post("/accept", page="/accept", act="accept", sure="1", **BOTH)
    assert "Tiếp nhận 1 báo cáo?" in asked
    assert "Để nguyên, vì đã có người quyết định trước" in asked
    assert answer.headers["location"] == "/accept?said=accept&n=1&kept=1"
    assert "1 báo cáo để nguyên" in words(office.get(answer.headers["location"]).text)


def test_a_later_report_than_the_one_that_was_read_is_not_accepted_by_it(office: Office, lived: Database) -> None:
    with lived.write() as session:
        lifecycle.return_report(session, SO_BAN, reason="Thiếu.", actor="account:9", now=NOW)
        said = lifecycle.ReportText(body="Bản khác.")
        lifecycle.report(session, SO_BAN, said, actor="contact:1", now=NOW)
    answer = office.post("/accept", page="/accept", act="accept", sure="1", id=["1"])
    assert answer.headers["location"] == "/accept?said=accept&kept=1"
    assert state(lived, SO_BAN) is State.REPORTED


@pytest.mark.parametrize(
    "fields",
    [
        {"act": "accept"},
        {"act": "explode", "id": "1"},
        {"act": "accept", "id": "x"},
        {"id": "1"},
        {"act": "accept", "id": [str(each) for each in range(1, 502)]},
    ],
)
def test_what_cannot_be_read_comes_back_to_the_list_with_a_sentence(
    office: Office, lived: Database, fields: dict[str, str]
) -> None:
    before = happened(lived)
    answer = office.post("/accept", page="/accept", **fields)
    assert answer.status_code == 400
    assert BeautifulSoup(answer.text, "lxml").select_one(".wrong[role=alert]") is not None
    assert happened(lived) == before


def test_a_monitor_sees_and_decides_what_his_department_is_above(lived: Database, tmp_path: Path) -> None:
    office = as_role(lived, tmp_path, "monitor", "so-chinh")
    assert "2 báo cáo của 2 cơ quan" in words(office.get("/accept").text)
    assert office.post("/accept", page="/accept", act="accept", sure="1", **BOTH).status_code == 303


def test_another_departments_monitor_sees_none_and_may_decide_none(office: Office, lived: Database) -> None:
    token = office.token("/accept")
    enter(office, join(lived, "monitor", "so-ban"))
    assert "Không có báo cáo nào" in words(office.get("/accept").text)
    for sure in ({}, {"sure": "1"}):
        data = {"token": token, "act": "accept", **sure, **BOTH}
        assert office.client.post("/accept", data=data).status_code == 403
    assert state(lived, SO_BAN) is State.REPORTED


@pytest.mark.parametrize(("role", "agency"), [("leadership", "tinh"), ("coordinator", "so-ban"), ("head", "so-chinh")])
def test_who_decides_nothing_does_not_open_the_page(lived: Database, tmp_path: Path, role: str, agency: str) -> None:
    office = as_role(lived, tmp_path, role, agency)
    assert office.get("/accept").status_code == 403


def owes(lived: Database, citation: str = "IV.1.1") -> None:
    with lived.write() as session:
        duty = table(Duty)
        owed = {"what": "Quyết định phê duyệt", "kind": "document"}
        session.connection().execute(duty.update().where(duty.c.citation == citation).values(output=owed))


def test_the_output_is_shown_and_ticked_or_its_lack_needs_a_reason(office: Office, lived: Database) -> None:
    owes(lived)
    asked = office.post("/accept", act="accept", **BOTH)
    assert "Sản phẩm phải có: Quyết định phê duyệt (văn bản) · báo cáo chưa nêu" in words(asked.text)
    ticks = BeautifulSoup(asked.text, "lxml").select("input[name=complete]")
    assert [(each["value"], each["form"]) for each in ticks] == [("1", "decide")]
    refused = office.post("/accept", act="accept", sure="1", **BOTH)
    assert (refused.status_code, "Cần ghi lý do tiếp nhận khi chưa đủ sản phẩm" in refused.text) == (400, True)
    assert state(lived, HUYEN_A) is State.REPORTED
    office.post("/accept", act="accept", sure="1", complete="1", **BOTH)
    assert [each.output_complete for each in rows(lived, Report)] == [True, None]


def test_a_return_of_several_carries_the_code_that_was_chosen(office: Office, lived: Database) -> None:
    asked = office.post("/accept", act="return", **BOTH)
    codes = [each["value"] for each in BeautifulSoup(asked.text, "lxml").select("select[name=code] option")]
    assert "thieu-san-pham" in codes
    office.post("/accept", act="return", sure="1", reason="Thiếu.", code="thieu-san-pham", **BOTH)
    assert [each.returned_code for each in rows(lived, Report)] == ["thieu-san-pham"] * 2


def test_all_of_a_filter_are_those_that_it_selects_when_they_are_chosen(office: Office, lived: Database) -> None:
    asked = office.post("/accept?agency=huyen-a", act="accept", all="1")
    assert "Tiếp nhận 1 báo cáo?" in words(asked.text)
    both = BeautifulSoup(office.post("/accept", act="accept", all="1").text, "lxml")
    assert [each["value"] for each in both.select("input[name=id]")] == ["1", "2"]
    assert state(lived, SO_BAN) is State.REPORTED
    done = office.post(
        "/accept", act="accept", sure="1", id=[str(each["value"]) for each in both.select("input[name=id]")]
    )
    assert done.headers["location"] == "/accept?said=accept&n=2"


def test_of_more_than_are_shown_those_whose_output_is_to_be_seen_wait(
    office: Office, lived: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    owes(lived)
    owes(lived, "IV.2.1")
    with lived.write() as session:
        session.connection().execute(table(Report).update().values(outcome="done"))
    monkeypatch.setattr(decisions, "SHOWN", 1)
    asked = office.post("/accept", act="accept", all="1")
    assert "Lần này chưa quyết định: 1 báo cáo phải xem sản phẩm" in words(asked.text)
    assert len(BeautifulSoup(asked.text, "lxml").select("input[name=id]")) == 1
