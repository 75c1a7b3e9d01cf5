"""The page «Thư đến»: who sees which message, and one button for each thing that may be done because of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.factory import Laid, at, item, lay, plan_file, row, rows
from ground.incoming.messages import keep_message
from ground.office import Office, as_role, contact_of, open_office, token_in
from sqlalchemy import update

from engine.assignments.reports import evidence
from engine.correspondence.received_files import blank_settled, forget_senders
from engine.store.database import Database, table
from engine.store.records import (
    Assignment,
    Contact,
    Draft,
    Event,
    Evidence,
    Extension,
    IncomingMessage,
    Promise,
    ThreadEntry,
)
from engine.terms import EventKind, State, WaitReason

NOW = at("2021-06-08")


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    return lay(sqlite_database, now=at("2021-04-07"))


@pytest.fixture
def office(laid: Laid, tmp_path: Path) -> Office:
    return open_office(laid.database, tmp_path, now=NOW)


def wrote(laid: Laid, text: str = "Đề nghị hướng dẫn.", agency: str = "so-ban", **more: Any) -> int:
    task = laid.assignment("IV.1.1" if agency == "so-ban" else "IV.2.1", agency)
    known: dict[str, Any] = {"about": [task], "supervisor_id": "so-chinh", "waits": WaitReason.NOT_UNDERSTOOD}
    with laid.database.write() as session:
        return keep_message(session, agency, text, now=NOW, **(known | more))


def press(office: Office, message: int, act: str, **fields: Any) -> Any:
    page = f"/incoming/{message}"
    return office.client.post(page, data={"token": token_in(office.get(page).text), "act": act} | fields)


def words(office: Office, path: str) -> str:
    return " ".join(BeautifulSoup(office.get(path).text, "lxml").get_text(" ").split())


def test_what_waits_stands_first_with_its_reason(office: Office, laid: Laid) -> None:
    wrote(laid, "Chờ xem", waits=WaitReason.LEFT_OVER)
    wrote(laid, "Đã nhận đủ", waits=None)
    page = words(office, "/incoming")
    assert page.index("Chờ xem") < page.index("Đã nhận đủ")
    assert "Còn nội dung khác cần xem" in page
    assert "Đã nhận đủ" not in words(office, "/incoming?waiting=yes")


@pytest.mark.parametrize(
    ("role", "agency", "seen"),
    [
        ("coordinator", "so-ban", {"của sở"}),
        ("monitor", "so-chinh", {"của sở", "của huyện"}),
        ("monitor", "tinh", set()),
        ("administrator", "tinh", {"của sở", "của huyện", "không rõ ai"}),
    ],
)
def test_a_message_is_seen_by_who_wrote_it_and_by_the_department_that_reads_it(
    laid: Laid, tmp_path: Path, role: str, agency: str, seen: set[str]
) -> None:
    ids = {"của sở": wrote(laid, "của sở"), "của huyện": wrote(laid, "của huyện", "huyen-a")}
    with laid.database.write() as session:
        ids["không rõ ai"] = keep_message(session, None, "không rõ ai", now=NOW, waits=WaitReason.FAILED)
    visitor = as_role(laid.database, tmp_path, role, agency)
    listed = words(visitor, "/incoming")
    assert {text for text in ids if text in listed} == seen
    assert {text for text, number in ids.items() if visitor.get(f"/incoming/{number}").status_code == 200} == seen


def test_the_leadership_has_no_such_page(laid: Laid, tmp_path: Path) -> None:
    visitor = as_role(laid.database, tmp_path, "leadership", "tinh")
    assert visitor.get("/incoming").status_code == 403
    assert visitor.get(f"/incoming/{wrote(laid)}").status_code == 403


def test_a_department_acknowledges_for_an_agency_whose_words_were_not_understood(laid: Laid, tmp_path: Path) -> None:
    message, monitor = wrote(laid, "Xã nhận cả rồi nhé"), as_role(laid.database, tmp_path, "monitor", "so-chinh")
    assert press(monitor, message, "acknowledge").status_code == 303
    assert row(laid.database, Assignment, id=laid.assignment("IV.1.1", "so-ban")).state is State.ACKNOWLEDGED
    kept = row(laid.database, IncomingMessage)
    assert (kept.done[0]["act"], kept.settled_at is not None, kept.waits) == ("acknowledged", True, "not_understood")
    assert row(laid.database, Event, kind=EventKind.ACKNOWLEDGED).actor == kept.settled_by
    assert "Xác nhận đã nhận IV.1.1." in words(monitor, f"/incoming/{message}")


def test_in_term_a_day_is_an_extension_and_behind_the_due_date_a_promise(laid: Laid, tmp_path: Path) -> None:
    message, office = wrote(laid), open_office(laid.database, tmp_path, now=NOW)
    press(office, message, "day", until="2021-06-25", reason="chờ số liệu")
    assert row(laid.database, Extension).until == date(2021, 6, 25)
    late = open_office(laid.database, tmp_path, now=at("2021-06-21"))
    press(late, wrote(laid, "hẹn", "huyen-a"), "day", until="2021-06-30", reason="chờ xe")
    assert row(laid.database, Promise).promised_on == date(2021, 6, 30)


def test_a_day_without_a_reason_is_refused_and_keeps_what_was_typed(office: Office, laid: Laid) -> None:
    message = wrote(laid)
    answer = press(office, message, "day", until="2021-06-25", reason="")
    assert (answer.status_code >= 400, 'value="25/6/2021"' in answer.text) == (True, True)
    assert row(laid.database, IncomingMessage).settled_at is None


def test_a_difficulty_stands_in_the_thread_of_the_duty(office: Office, laid: Laid) -> None:
    press(office, wrote(laid), "difficulty", text="Chưa có biểu mẫu.")
    assert (row(laid.database, ThreadEntry).kind, row(laid.database, ThreadEntry).text) == (
        "difficulty",
        "Chưa có biểu mẫu.",
    )


def test_a_file_is_attached_to_the_draft_of_the_chosen_report(office: Office, laid: Laid, tmp_path: Path) -> None:
    stored = evidence.store(tmp_path / "files", name="bc.pdf", body=b"%PDF-1.4")
    with laid.database.write() as session:
        evidence.keep(session, stored, agency_id="so-ban", actor="mail", now=NOW)
    file = {**stored.as_entry, "paper_number": "45/BC-UBND", "paper_on": "14/6/2021"}
    message = wrote(laid, "Gửi báo cáo", files=[file], waits=WaitReason.FILES)
    assert "45/BC-UBND" in words(office, f"/incoming/{message}")
    assert press(office, message, "attach").status_code == 303
    task = laid.assignment("IV.1.1", "so-ban")
    assert row(laid.database, Draft).body == {
        f"kept-{task}": f"{stored.digest} bc.pdf",
        "paper-number": "45/BC-UBND",
        "paper-on": "14/6/2021",
    }
    assert row(laid.database, Evidence).agency_id == "so-ban"


def test_a_duty_that_is_not_the_agency_s_is_declined_in_its_words(office: Office, laid: Laid) -> None:
    press(office, wrote(laid, "Sai cơ quan rồi"), "decline")
    assert row(laid.database, Event, kind=EventKind.DECLINED).detail["reason"] == "Sai cơ quan rồi"


def test_a_message_that_needs_nothing_is_put_aside(office: Office, laid: Laid) -> None:
    message = wrote(laid, "Cảm ơn Sở")
    assert press(office, message, "aside").status_code == 303
    kept = row(laid.database, IncomingMessage)
    assert (kept.done[-1]["act"], kept.settled_by) == ("set_aside", "desk")
    assert "Đã xem, không phải xử lý" not in str(BeautifulSoup(office.get(f"/incoming/{message}").text, "lxml").button)


def test_of_several_duties_some_are_chosen(sqlite_database: Database, tmp_path: Path) -> None:
    plan = plan_file(items=(item(1, "so-ban"), item(2, "so-ban")))
    laid = lay(sqlite_database, now=at("2021-04-07"), plan=plan)
    office = open_office(laid.database, tmp_path, now=NOW)
    tasks = [laid.assignment(citation, "so-ban") for citation in ("IV.1.1", "IV.2.1")]
    message = wrote(laid, about=tasks)
    assert press(office, message, "acknowledge").status_code == 400
    press(office, message, "acknowledge", id=str(tasks[1]))
    states = [row(laid.database, Assignment, id=task).state for task in tasks]
    assert states == [State.ASSIGNED, State.ACKNOWLEDGED]


def test_the_message_stands_in_the_thread_and_at_the_assignment(office: Office, laid: Laid) -> None:
    wrote(laid, "Đã nhận, sẽ gửi sớm")
    task = laid.assignment("IV.1.1", "so-ban")
    for page in (f"/report/so-ban/{laid.plan_id}/2021-H1/thread", f"/assignments/{task}"):
        assert "Đã nhận, sẽ gửi sớm" in words(office, page)


def test_board_and_health_say_how_many_wait(office: Office, laid: Laid) -> None:
    wrote(laid)
    wrote(laid, "nữa")
    assert "2 thư đến chờ xem" in words(office, "/")
    assert "2 thư đến chờ xem" in words(office, "/health")
    assert len(rows(laid.database, IncomingMessage)) == 2


def test_the_mailbox_of_a_writer_who_has_left_is_removed_with_their_address(laid: Laid) -> None:
    me = contact_of(laid.database, "so-ban")
    wrote(laid, contact_id=me)
    with laid.database.write() as session:
        assert forget_senders(session) == 0
        c = table(Contact)
        session.connection().execute(update(c).where(c.c.id == me).values(email="", phone=""))
        assert forget_senders(session) == 1
    assert row(laid.database, IncomingMessage).sender == ""


def test_the_text_goes_with_those_of_letters_but_not_while_somebody_waits_for_it(laid: Laid) -> None:
    wrote(laid, "chờ xem")
    wrote(laid, "đã xong", waits=None)
    with laid.database.write() as session:
        assert blank_settled(session, at("2021-06-01")) == 0
        assert blank_settled(session, at("2022-12-01")) == 1
    assert [each.own_text for each in rows(laid.database, IncomingMessage)] == ["chờ xem", ""]
