"""«Tất cả»: all that waits for the department on one page, a line an agency and kind, the longest waiting first."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import Laid, at, item, lay, plan_file
from ground.incoming.messages import keep_message
from ground.office import Office, enter, join, looking, open_office
from sqlalchemy import update

from engine.accounts.permissions import TABLE, Permission
from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import make_promise
from engine.correspondence.entries import NewEntry, write
from engine.queries.work import todo as module
from engine.queries.work.assignments import AssignmentFilter
from engine.queries.work.todo import MESSAGES, waiting_counts, waiting_lines
from engine.store.database import Database, table
from engine.store.records import IncomingMessage
from engine.terms import EntryKind, Waiting, WaitReason

OWNERS = ("so-ban", "huyen-a", "huyen-b")
NOW = at("2021-06-25")


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    """Each of three agencies owes IV.1.1 to IV.5.1 by 17 June."""
    items = tuple(item(number, *OWNERS) for number in range(1, 6))
    return lay(sqlite_database, now=at("2021-06-01"), plan=plan_file(items=items))


@pytest.fixture
def waiting(laid: Laid) -> Laid:
    """Of every kind something waits."""
    by = {"actor": "contact:1"}

    def task(number: int, agency: str) -> int:
        return laid.assignment(f"IV.{number}.1", agency)

    with laid.database.write() as session:
        lifecycle.ask_extension(
            session, task(1, "huyen-a"), until=date(2021, 7, 9), reason="Chờ.", now=at("2021-06-14"), **by
        )
        for number in (1, 2):
            lifecycle.report(session, task(number, "so-ban"), ReportText(), now=at("2021-06-15", "09:00"), **by)
        lifecycle.report(session, task(3, "so-ban"), ReportText(), now=at("2021-06-22", "09:00"), **by)
        lifecycle.report(session, task(1, "huyen-b"), ReportText(), now=at("2021-06-16", "09:00"), **by)
        lifecycle.decline(session, task(2, "huyen-b"), reason="Việc của sở khác.", now=at("2021-06-17"), **by)
        for words in ("Có tính bài đăng lại không?", "Còn biểu mẫu cũ?"):
            write(session, task(3, "huyen-b"), NewEntry(EntryKind.QUESTION, words), now=at("2021-06-18"), **by)
        far = PromiseText(on=date(2021, 9, 30), reason="Chờ kinh phí.", reason_code="kinh-phi")
        make_promise(session, task(4, "huyen-b"), far, "extension", now=at("2021-06-21"), **by)
        known = {"about": [1], "supervisor_id": "so-chinh", "waits": WaitReason.NOT_UNDERSTOOD}
        for words, day in (("Huyện sẽ cố gắng.", "2021-06-23"), ("Huyện vẫn cố gắng.", "2021-06-24")):
            keep_message(session, "huyen-a", words, now=at(day), **known)
    return laid


@pytest.fixture
def office(waiting: Laid, tmp_path: Path) -> Office:
    return open_office(waiting.database, tmp_path, now=NOW)


def lines(office: Office, path: str = "/queue") -> list[tuple[str, ...]]:
    page = BeautifulSoup(office.get(path).text, "lxml")
    return [
        tuple(" ".join(each.get_text(" ").split()) for each in line.find_all(recursive=False)[1:])
        for line in page.select(".queue-rows li")
    ]


def test_each_agency_and_kind_has_a_line_the_longest_waiting_first(office: Office) -> None:
    found = lines(office)
    assert [(line[1], line[2], line[3]) for line in found] == [
        ("xin gia hạn IV.1.1 đến 09/7/2021", "đã chờ 9 ngày", "gia hạn"),
        ("3 việc (1 sau hạn): IV.1.1, IV.2.1, IV.3.1", "đã chờ 8 ngày", "báo cáo"),
        ("1 việc đúng hạn: IV.1.1", "đã chờ 7 ngày", "báo cáo"),
        ("IV.2.1: « Việc của sở khác. »", "đã chờ 6 ngày", "không thuộc"),
        ("IV.3.1: « Có tính bài đăng lại không? »", "đã chờ 5 ngày", "câu hỏi"),
        ("hẹn 30/9/2021 cho IV.4.1", "đã chờ 4 ngày", "lời hẹn"),
        ("2 thư: « Huyện sẽ cố gắng. »", "đã chờ 2 ngày", "thư trả lời"),
    ]


def test_its_title_is_the_finding_in_both_languages(office: Office) -> None:
    def title(path: str) -> str:
        return " ".join(BeautifulSoup(office.get(path).text, "lxml").h1.get_text(" ").split())  # type: ignore[union-attr]

    assert title("/queue") == (
        "4 báo cáo, 2 thư trả lời, 1 đề nghị gia hạn, 1 lời hẹn, 1 câu hỏi, 1 việc báo không thuộc nhiệm vụ "
        "chờ xử lý, của 3 cơ quan; lâu nhất 9 ngày làm việc"
    )
    assert title("/queue?lang=en") == (
        "4 reports, 2 answers, 1 request for a later day, 1 promise, 1 question, 1 task declined waiting, of 3 "
        "agencies; the oldest for 9 working days"
    )


def test_of_reports_alone_the_title_says_that_they_are_to_accept(laid: Laid, tmp_path: Path) -> None:
    with laid.database.write() as session:
        lifecycle.report(session, 1, ReportText(), actor="contact:1", now=NOW)
    page = BeautifulSoup(open_office(laid.database, tmp_path, now=NOW).get("/queue").text, "lxml")
    said = " ".join(page.h1.get_text(" ").split())  # type: ignore[union-attr]
    assert said == "1 báo cáo của 1 cơ quan chờ tiếp nhận; gửi hôm nay"


def test_a_line_opens_the_page_of_its_kind_narrowed_to_the_agency(office: Office) -> None:
    page = BeautifulSoup(office.get("/queue").text, "lxml")
    links = [str(each["href"]) for each in page.select(".queue-rows a")]
    assert links == [
        "/extensions?agency=huyen-a",
        "/accept?agency=so-ban",
        "/accept?agency=huyen-b",
        "/assignments?waiting=declined&agency=huyen-b",
        "/assignments?waiting=raised&agency=huyen-b",
        "/promises?agency=huyen-b",
        "/incoming/waiting?open=1",
    ]
    assert [office.get(link).status_code for link in links] == [200] * 7


@pytest.mark.parametrize("department", ["", "so-chinh", "tinh"])
def test_its_numbers_are_those_of_the_tabs(waiting: Laid, department: str) -> None:
    wanted = AssignmentFilter(supervisor_id=department)
    with looking(waiting.database, NOW) as (session, today):
        found, counts = waiting_lines(session, today, wanted), waiting_counts(session, today, wanted)
    assert found.counts == {kind: n for kind, n in counts.items() if n}
    of_lines = Counter[str]()
    for row in found.rows:
        of_lines[row.kind] += row.n
    assert of_lines == found.counts


def test_in_a_year_that_was_lived_too(lived: Database) -> None:
    for department in ("", "so-chinh", "tinh"):
        wanted = AssignmentFilter(supervisor_id=department)
        with looking(lived) as (session, today):
            found, counts = waiting_lines(session, today, wanted), waiting_counts(session, today, wanted)
        assert found.counts == {kind: n for kind, n in counts.items() if n}


def test_the_entry_leads_to_it_and_the_tabs_stand_in_its_order(office: Office) -> None:
    page = BeautifulSoup(office.get("/queue").text, "lxml")
    (entry,) = (each for each in page.select("#pages a") if "Chờ xử lý" in each.get_text())
    assert (entry["href"], entry.get("aria-current"), entry.b.get_text()) == ("/queue", "page", "10")  # type: ignore[union-attr]
    assert [" ".join(each.get_text(" ").split()) for each in page.select(".under a")] == [
        "Tất cả",
        "Báo cáo 4",
        "Thư trả lời 2",
        "Gia hạn 1",
        "Lời hẹn 1",
        "Câu hỏi 1",
        "Không thuộc nhiệm vụ 1",
    ]


def test_each_sees_what_they_decide(waiting: Laid, tmp_path: Path) -> None:
    def of(role: str, agency: str) -> Office:
        return enter(open_office(waiting.database, tmp_path, now=NOW), join(waiting.database, role, agency))

    assert len(lines(of("monitor", "so-chinh"))) == 7
    assert lines(of("monitor", "so-ban")) == []
    assert [of(role, "so-ban").get("/queue").status_code for role in ("leadership", "coordinator")] == [403, 403]


def test_whoever_accepts_decides_every_other_kind_as_far() -> None:
    """What the page shows is asked with one permission."""
    others = (Permission.DECIDE_EXTENSION, Permission.ANSWER, Permission.HANDLE_MESSAGES)
    for row in TABLE.values():
        if Permission.ACCEPT in row:
            assert [row[each] for each in others] == [row[Permission.ACCEPT]] * 3


def test_it_is_bounded_and_says_what_it_leaves_out(
    waiting: Laid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_LINES", 2)
    office = open_office(waiting.database, tmp_path, now=NOW)
    assert len(lines(office)) == 2
    said = BeautifulSoup(office.get("/queue").text, "lxml").main
    assert "… còn 2 cơ quan; " in " ".join(said.get_text(" ").split())  # type: ignore[union-attr]
    assert "4 báo cáo" in said.get_text()  # type: ignore[union-attr]


def test_a_day_is_said_if_all_ask_for_it(laid: Laid, tmp_path: Path) -> None:
    by = {"actor": "contact:1", "now": at("2021-06-14")}
    with laid.database.write() as session:
        for number, agency, day in ((1, "so-ban", 9), (2, "so-ban", 9), (1, "huyen-a", 9), (2, "huyen-a", 12)):
            task = laid.assignment(f"IV.{number}.1", agency)
            lifecycle.ask_extension(session, task, until=date(2021, 7, day), reason="Chờ.", **by)
    said = {line[1] for line in lines(open_office(laid.database, tmp_path, now=NOW))}
    assert said == {"xin gia hạn IV.1.1, IV.2.1 đến 09/7/2021", "xin gia hạn IV.1.1, IV.2.1"}


def test_a_writer_who_is_not_known_stands_by_the_mailbox(laid: Laid, tmp_path: Path) -> None:
    with laid.database.write() as session:
        for sender in ("a@khac.example", "b@khac.example"):
            kept = keep_message(session, None, f"Xin hỏi, {sender}.", now=NOW, waits=WaitReason.NOT_UNDERSTOOD)
            m = table(IncomingMessage)
            session.connection().execute(update(m).where(m.c.incoming_id == kept).values(sender=sender))
    office = open_office(laid.database, tmp_path, now=NOW)
    assert [line[0] for line in lines(office)] == ["a@khac.example", "b@khac.example"]


def test_the_reports_of_ticked_agencies_are_accepted_after_a_look(office: Office) -> None:
    page = BeautifulSoup(office.get("/queue").text, "lxml")
    ticks = [str(each["value"]) for each in page.select(".queue-rows input")]
    assert sorted(ticks) == ["huyen-b", "so-ban"], "only reports are accepted by the line"
    shown = office.post("/accept", page="/queue", act="accept", agency="so-ban")
    assert shown.status_code == 200
    asked = BeautifulSoup(shown.text, "lxml")
    ids = [str(each["value"]) for each in asked.select("form input[name=id]")]
    assert len(ids) == 3, "nothing is decided yet"
    done = office.post("/accept", page="/queue", act="accept", id=ids, sure="1")
    assert done.headers["location"] == "/accept?said=accept&n=3"
    nothing = office.post("/accept", page="/queue", act="accept")
    assert (nothing.status_code, "chưa chọn" in nothing.text.lower()) == (400, True)


def test_where_nothing_waits_it_says_what_will(laid: Laid, tmp_path: Path) -> None:
    office = open_office(laid.database, tmp_path, now=NOW)
    said = " ".join(BeautifulSoup(office.get("/queue").text, "lxml").main.get_text(" ").split())  # type: ignore[union-attr]
    assert said.startswith("Không có gì chờ xử lý Báo cáo, thư trả lời,")
    assert lines(office) == []


def test_every_kind_has_its_words(office: Office) -> None:
    assert len({line[3] for line in lines(office)}) == len({*Waiting, MESSAGES}) == 6
