"""The page «Thư đến»: who sees which message, and one button for each thing that may be done because of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.factory import Laid, at, bring_to, item, lay, plan_file, row, rows
from ground.incoming.messages import keep_message
from ground.office import Office, as_role, contact_of, open_office, token_in
from sqlalchemy import update

from engine.assignments.reports import evidence
from engine.assignments.undo import UNDO_TIME
from engine.correspondence.handling import blank_settled, forget_senders
from engine.correspondence.message_acts import Request
from engine.store.database import Database, table
from engine.store.records import (
    Assignment,
    Contact,
    Draft,
    Event,
    Evidence,
    Extension,
    Incoming,
    IncomingMessage,
    Letter,
    Promise,
    Report,
    ThreadEntry,
)
from engine.terms import AnswerRead, Ask, EventKind, State, WaitReason
from engine.views import prometheus

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


def record(office: Office, message: int, ask: Ask, **fields: Any) -> Any:
    """What the form «Sửa» sends."""
    typed = {f"{name}-0": value for name, value in fields.items()}
    return press(office, message, "record", **{"ask-0": ask.value}, **typed)


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
    assert record(monitor, message, Ask.ACKNOWLEDGE).status_code == 303
    assert row(laid.database, Assignment, id=laid.assignment("IV.1.1", "so-ban")).state is State.ACKNOWLEDGED
    kept = row(laid.database, IncomingMessage)
    assert (kept.done[0]["act"], kept.settled_at is not None, kept.waits) == ("acknowledged", True, "not_understood")
    assert row(laid.database, Event, kind=EventKind.ACKNOWLEDGED).actor == kept.settled_by
    assert "Xác nhận đã nhận IV.1.1." in words(monitor, f"/incoming/{message}")


def test_in_term_a_day_is_an_extension_and_behind_the_due_date_a_promise(laid: Laid, tmp_path: Path) -> None:
    message, office = wrote(laid), open_office(laid.database, tmp_path, now=NOW)
    record(office, message, Ask.DAY, until="2021-06-25", text="chờ số liệu")
    assert row(laid.database, Extension).until == date(2021, 6, 25)
    late = open_office(laid.database, tmp_path, now=at("2021-06-21"))
    record(late, wrote(laid, "hẹn", "huyen-a"), Ask.DAY, until="2021-06-30", text="chờ xe")
    assert row(laid.database, Promise).promised_on == date(2021, 6, 30)


# --- the queue ------------------------------------------------------------------------------------------------------


def proposal(laid: Laid, said: str = "Xã đã nhận rồi nhé", agency: str = "so-ban", **more: Any) -> int:
    """A message that was read as an acknowledgement, or as ``more`` says."""
    task = laid.assignment("IV.1.1" if agency == "so-ban" else "IV.2.1", agency)
    asks = Request(**({"ask": Ask.ACKNOWLEDGE, "ids": (task,)} | more))
    contact = contact_of(laid.database, agency)
    return wrote(laid, said, agency, waits=WaitReason.PROPOSED, proposed=[asks], contact_id=contact)


def letter_to_writer(laid: Laid) -> list[str]:
    return [each.detail["problem"][0] for each in rows(laid.database, Incoming) if "problem" in each.detail]


def test_what_was_read_is_recorded_by_one_press_and_the_writer_is_told(office: Office, laid: Laid) -> None:
    first, second = proposal(laid), proposal(laid, "Huyện nhận được rồi", "huyen-a")
    opened = BeautifulSoup(office.get("/incoming/waiting").text, "lxml")
    assert [each["value"] for each in opened.select("[autofocus]")] == ["confirm"], "Enter"
    answer = press(office, first, "confirm")
    assert f"open={second}" in answer.headers["location"], "the next is opened"
    kept = row(laid.database, IncomingMessage, incoming_id=first)
    assert (kept.handled, kept.settled_by, kept.done[0]["act"]) == (AnswerRead.CONFIRMED, "desk", "acknowledged")
    assert row(laid.database, Assignment, id=laid.assignment("IV.1.1", "so-ban")).state is State.ACKNOWLEDGED
    assert letter_to_writer(laid) == ["Bộ phận theo dõi đã ghi nhận: xác nhận đã nhận IV.1.1."]
    (letter,) = [each for each in rows(laid.database, Letter) if each.key == f"answer:email:{first}"]
    assert letter.send_after == NOW + UNDO_TIME
    assert "open=" not in press(office, second, "confirm").headers["location"]


def test_what_lacks_a_duty_or_a_day_has_no_such_button_and_its_form_is_open(office: Office, laid: Laid) -> None:
    message = proposal(laid, "Xin gia hạn vì chờ xã", ask=Ask.DAY, text="chờ xã")
    page = BeautifulSoup(office.get("/incoming/waiting").text, "lxml")
    assert page.select_one("button[value=confirm]") is None
    assert [each["name"] for each in page.select("[autofocus]")] == ["ask-0"]
    assert press(office, message, "confirm").status_code == 400
    record(office, message, Ask.DAY, until="2021-06-25", text="chờ xã")
    kept = row(laid.database, IncomingMessage)
    assert (kept.handled, row(laid.database, Extension).until) == (AnswerRead.CORRECTED, date(2021, 6, 25))


def test_sixty_proposals_are_done_in_at_most_a_hundred_presses_without_a_mouse(
    sqlite_database: Database, tmp_path: Path
) -> None:
    plan = plan_file(items=tuple(item(n, "so-ban") for n in range(1, 61)))
    laid = lay(sqlite_database, now=at("2021-04-07"), plan=plan)
    office = open_office(laid.database, tmp_path, now=NOW)
    for n in range(1, 61):
        task = laid.assignment(f"IV.{n}.1", "so-ban")
        proposal(laid, f"Xã nhận việc {n} rồi", ids=(task,))
    presses, page = 1, office.get("/incoming/waiting")
    while (button := BeautifulSoup(page.text, "lxml").select_one("button[autofocus]")) is not None:
        form = button.find_parent("form")
        assert form is not None
        fields = {each["name"]: each.get("value", "") for each in form.select("input[name]")}
        page = office.client.post(form["action"], data=fields | {"act": button["value"]}, follow_redirects=True)
        presses += 1
    assert presses <= 100
    assert {each.state for each in rows(laid.database, Assignment) if each.period == "2021-H1"} == {State.ACKNOWLEDGED}


def test_several_that_were_read_are_recorded_at_once_and_others_are_left(office: Office, laid: Laid) -> None:
    ids = [proposal(laid), proposal(laid, "Huyện nhận được rồi", "huyen-a"), wrote(laid, "Gọi lại cho tôi")]
    page = office.get("/incoming/waiting?tick=yes").text
    ticked = BeautifulSoup(page, "lxml").select("input[name=message][checked]")
    assert [int(each["value"]) for each in ticked] == ids[:2]
    data = {"token": token_in(page), "message": [str(each) for each in ids]}
    answer = office.client.post("/incoming/waiting", data=data)
    assert "n=2" in answer.headers["location"]
    assert "kept=1" in answer.headers["location"]
    assert [each.settled_at is None for each in rows(laid.database, IncomingMessage)] == [False, False, True]


def test_a_question_is_answered_where_it_stands(office: Office, laid: Laid) -> None:
    message = proposal(laid, "Nộp ở đâu?", ask=Ask.QUESTION, text="Nộp ở đâu?")
    press(office, message, "confirm", answer="Nộp ở trang báo cáo.")
    asked, answered = rows(laid.database, ThreadEntry)
    assert (asked.kind, answered.text, answered.answers_id) == ("question", "Nộp ở trang báo cáo.", asked.id)


@pytest.mark.parametrize(
    "asks",
    [
        {"ask": Ask.ACKNOWLEDGE},
        {"ask": Ask.DAY, "on": date(2021, 6, 25), "text": "chờ xã"},
        {"ask": Ask.NOT_YET, "on": date(2021, 6, 30), "text": "chờ xã"},
        {"ask": Ask.DECLINE, "text": "không thuộc thẩm quyền"},
        {"ask": Ask.DIFFICULTY, "text": "thiếu người"},
    ],
)
def test_what_was_misread_is_taken_back_days_later_and_waits_again(
    laid: Laid, tmp_path: Path, asks: dict[str, Any]
) -> None:
    task = laid.assignment("IV.1.1", "so-ban")
    before = row(laid.database, Assignment, id=task)
    message = proposal(laid, "Xã nhận cả rồi", **({"ids": (task,)} | asks))
    assert press(open_office(laid.database, tmp_path, now=NOW), message, "confirm").status_code == 303
    later = open_office(laid.database, tmp_path, now=at("2021-06-10"))
    assert "Hiểu sai" in words(later, f"/incoming/{message}")
    assert press(later, message, "misread").status_code == 303
    after = row(laid.database, Assignment, id=task)
    assert (after.state, after.acknowledged_at, after.due_on) == (before.state, None, before.due_on)
    for nothing in (Extension, Promise, Report, ThreadEntry):
        assert rows(laid.database, nothing) == []
    assert row(laid.database, Event, kind=EventKind.UNDONE).assignment_id == task
    kept = row(laid.database, IncomingMessage)
    assert (kept.waits, kept.settled_at, kept.done, kept.handled) == ("proposed", None, [], AnswerRead.TAKEN_BACK)
    assert "đã được thu hồi" in letter_to_writer(laid)[-1]
    assert "cần quyết định" not in words(later, "/")


def test_health_says_how_well_answers_are_read(office: Office, laid: Laid) -> None:
    """A figure of a test set says nothing about the answers of this office."""
    wrote(laid, "Đã nhận", waits=None)
    confirmed, dropped, misread = proposal(laid), proposal(laid, "Nhận nhé"), proposal(laid, "Ừ", "huyen-a")
    press(office, confirmed, "confirm")
    press(office, dropped, "aside")
    press(office, misread, "confirm")
    press(office, misread, "misread")
    press(office, misread, "aside")
    said = "Trong 30 ngày qua có 4 thư trả lời: ghi nhận ngay 1; xác nhận đúng như hệ thống đọc 1; không ghi nhận 1; "
    assert f"{said}hiểu sai, thu hồi 1." in words(office, "/health")
    with laid.database.read() as session:
        assert b'dondoc_answers_read{read="taken_back"} 1.0' in prometheus.render(session, NOW, {})


def test_what_was_built_on_is_not_taken_back(office: Office, laid: Laid) -> None:
    message, task = proposal(laid), laid.assignment("IV.1.1", "so-ban")
    press(office, message, "confirm")
    bring_to(laid.database, State.REPORTED, task, now=NOW)
    assert press(office, message, "misread").status_code == 409
    assert row(laid.database, IncomingMessage).settled_at is not None


def test_a_day_without_a_reason_is_refused_and_keeps_what_was_typed(office: Office, laid: Laid) -> None:
    message = wrote(laid)
    answer = record(office, message, Ask.DAY, until="2021-06-25", text="")
    assert (answer.status_code >= 400, 'value="25/6/2021"' in answer.text) == (True, True)
    assert row(laid.database, IncomingMessage).settled_at is None


def test_a_difficulty_stands_in_the_thread_of_the_duty(office: Office, laid: Laid) -> None:
    record(office, wrote(laid), Ask.DIFFICULTY, text="Chưa có biểu mẫu.")
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
    assert record(office, message, Ask.ATTACH).status_code == 303
    task = laid.assignment("IV.1.1", "so-ban")
    assert row(laid.database, Draft).body == {
        f"kept-{task}": f"{stored.digest} bc.pdf",
        "paper-number": "45/BC-UBND",
        "paper-on": "14/6/2021",
    }
    assert row(laid.database, Evidence).agency_id == "so-ban"


def test_a_duty_that_is_not_the_agency_s_is_declined_in_its_words(office: Office, laid: Laid) -> None:
    record(office, wrote(laid, "Sai cơ quan rồi"), Ask.DECLINE, text="Sai cơ quan rồi")
    assert row(laid.database, Event, kind=EventKind.DECLINED).detail["reason"] == "Sai cơ quan rồi"


def test_a_message_that_needs_nothing_is_put_aside(office: Office, laid: Laid) -> None:
    message = wrote(laid, "Cảm ơn Sở")
    assert press(office, message, "aside").status_code == 303
    kept = row(laid.database, IncomingMessage)
    assert (kept.done[-1]["act"], kept.settled_by) == ("set_aside", "desk")
    assert 'value="aside"' not in office.get(f"/incoming/{message}").text


def test_of_several_duties_some_are_chosen(sqlite_database: Database, tmp_path: Path) -> None:
    plan = plan_file(items=(item(1, "so-ban"), item(2, "so-ban")))
    laid = lay(sqlite_database, now=at("2021-04-07"), plan=plan)
    office = open_office(laid.database, tmp_path, now=NOW)
    tasks = [laid.assignment(citation, "so-ban") for citation in ("IV.1.1", "IV.2.1")]
    message = wrote(laid, about=tasks)
    assert record(office, message, Ask.ACKNOWLEDGE).status_code == 400
    record(office, message, Ask.ACKNOWLEDGE, id=str(tasks[1]))
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
