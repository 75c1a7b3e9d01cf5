"""The second half of a link: difficulties, questions, one extension for several duties, a deputy, the last period's
text; and what an agency helps with. Without an account, by the link of any letter."""

from __future__ import annotations

import asyncio
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.factory import Laid, at, bring_to, item, lay, plan_file, row, rows, told
from ground.office import Office, contact_of, everything, letter_of, open_office, token_in
from ground.post import LetterBox, post_office
from sqlalchemy import update

from engine.accounts.signed_links import Purpose
from engine.agencies.contacts import revoke_links
from engine.store.database import Database, table
from engine.store.recipients import read_recipients
from engine.store.records import Assignment, Contact, Draft, Evidence, Extension, Letter, Promise, Report, ThreadEntry
from engine.terms import EntryKind, Role, State
from notifications.delivery import deliver

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
RULES = {
    "gui-so": {"source": "local", "to": "so-chinh", "due_day": 17},
    "thang": {"source": "local", "to": "so-chinh", "due_day": 20},
}


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    """huyen-a owes IV.1.1 to IV.3.1 by 17 June; it helps so-ban with IV.4.1."""
    items = (*(item(n, "huyen-a") for n in (1, 2, 3)), item(4, "so-ban", coordinating=("huyen-a",)))
    return lay(sqlite_database, now=at("2021-06-01"), plan=plan_file(items=items, report_rules=RULES))


@pytest.fixture
def office(laid: Laid, tmp_path: Path) -> Office:
    return open_office(laid.database, tmp_path, now=at("2021-06-08"))


@pytest.fixture
def link(office: Office, laid: Laid) -> str:
    """The report link of a letter to huyen-a's coordinator."""
    return office.link(Purpose.REPORT, contact_of(laid.database, "huyen-a"), f"{laid.plan_id}:2021-H1")


def send(office: Office, link: str, act: str, files: Any = None, **fields: Any) -> Any:
    page = f"{link}/thread"
    data = {"token": token_in(office.get(page).text), "act": act} | fields
    return office.client.post(page, data=data, files=files)


def words(office: Office, path: str) -> str:
    return " ".join(BeautifulSoup(office.get(path).text, "lxml").get_text(" ").split())


def test_looking_changes_nothing(office: Office, laid: Laid, link: str) -> None:
    before = everything(laid.database)
    assert office.get(f"{link}/thread").status_code == 200
    assert office.get(f"{link}?copy=yes").status_code == 200
    assert everything(laid.database) == before


def test_one_extension_is_asked_for_all_duties_of_the_period_with_one_reason_and_a_file(
    office: Office, laid: Laid, link: str
) -> None:
    page = BeautifulSoup(office.get(f"{link}/thread").text, "lxml")
    ticked = [box["value"] for box in page.select("#extend input[name=id][checked]")]
    assert len(ticked) == 3  # nothing to tick

    answer = send(
        office,
        link,
        "extend",
        {"file-0": ("toi.png", PNG, "image/png")},
        id=ticked,
        until="2021-06-25",
        reason="Chờ số liệu của xã.",
    )

    assert answer.headers["location"] == f"{link}/thread?said=extend&n=3"
    asked = rows(laid.database, Extension)
    assert [(each.until, each.reason, len(each.files)) for each in asked] == [
        (date(2021, 6, 25), "Chờ số liệu của xã.", 1)
    ] * 3
    assert [line[1] for line in told(laid.database) if line[0] == "monitor@so-chinh.example"] == ["extension_asked"] * 3
    assert len({each.id for each in rows(laid.database, Letter, agency_id="so-chinh", role=Role.MONITOR)}) == 1
    again = send(office, link, "extend", id=ticked, until="2021-06-25", reason="Chờ số liệu của xã.")
    assert again.headers["location"] == f"{link}/thread?said=nothing_new"
    assert len(rows(laid.database, Extension)) == 3


def test_an_extension_without_a_reason_keeps_what_was_typed(office: Office, laid: Laid, link: str) -> None:
    answer = send(office, link, "extend", id=["1", "2"], until="2021-06-25", reason="")
    assert answer.status_code in (400, 422)
    page = BeautifulSoup(answer.text, "lxml")
    assert page.title is not None
    assert (page.title.get_text().startswith("Lỗi:"), page.title.get_text().count("Lỗi:")) == (True, 1)
    assert [box["value"] for box in page.select("#extend input[name=id][checked]")] == ["1", "2"]
    assert page.select_one("#extend-until")["value"] == "25/6/2021"  # type: ignore[index]
    assert rows(laid.database, Extension) == []


def test_a_late_task_is_promised_where_an_extension_comes_too_late(laid: Laid, tmp_path: Path) -> None:
    office = open_office(laid.database, tmp_path, now=at("2021-06-21"))
    link = office.link(Purpose.REPORT, contact_of(laid.database, "huyen-a"), f"{laid.plan_id}:2021-H1")
    page = BeautifulSoup(office.get(f"{link}/thread").text, "lxml")
    assert " ".join(page.h1.get_text().split()) == "Chưa báo cáo được 3 nhiệm vụ quá hạn? Chọn một cách"  # type: ignore[union-attr]
    assert page.select_one("#promise").has_attr("open")  # type: ignore[union-attr]
    assert page.select_one("#extend") is None
    assert len(page.select("#promise input[name=id][checked]")) == 3
    typed = {"promise": "2021-07-12", "code": "phoi-hop", "reason": "Chờ thẩm định."}
    refused = send(office, link, "promise", id=["1", "2"], **typed)
    page = BeautifulSoup(refused.text, "lxml")
    assert page.select_one("#promise-waits-said") is not None
    assert page.select_one("#promise-promise")["value"] == "12/7/2021"  # type: ignore[index]

    answer = send(office, link, "promise", id=["1", "2"], **typed, waits="so-chinh")

    assert answer.headers["location"] == f"{link}/thread?said=promise&n=2"
    made = rows(laid.database, Promise)
    assert [(each.promised_on, each.reason_code, each.waits_for, each.source) for each in made] == [
        (date(2021, 7, 12), "phoi-hop", "so-chinh", "extension")
    ] * 2


def test_without_a_day_nothing_is_promised_and_the_reason_is_told_once(laid: Laid, tmp_path: Path) -> None:
    office = open_office(laid.database, tmp_path, now=at("2021-06-21"))
    link = office.link(Purpose.REPORT, contact_of(laid.database, "huyen-a"), f"{laid.plan_id}:2021-H1")
    assert "để trống là chưa hẹn" in words(office, f"{link}/thread")

    answer = send(office, link, "promise", id=["1", "2"], promise="", reason="Thiếu kinh phí.")

    assert answer.headers["location"] == f"{link}/thread?said=write&n=2"
    assert rows(laid.database, Promise) == []
    made = [(each.assignment_id, each.kind, each.text) for each in rows(laid.database, ThreadEntry)]
    assert made == [(1, EntryKind.DIFFICULTY, "Thiếu kinh phí."), (2, EntryKind.DIFFICULTY, "Thiếu kinh phí.")]
    again = send(office, link, "promise", id=["1", "2"], promise="", reason="Thiếu kinh phí.")
    assert again.headers["location"] == f"{link}/thread?said=nothing_new"


def test_a_difficulty_is_raised_and_its_answer_stands_on_the_page(office: Office, laid: Laid, link: str) -> None:
    answer = send(office, link, "write", kind="difficulty", about="2", text="Thiếu kinh phí.")
    assert answer.headers["location"] == f"{link}/thread?said=write&n=1"
    (entry,) = rows(laid.database, ThreadEntry)
    assert (entry.assignment_id, entry.kind, entry.actor) == (
        2,
        EntryKind.DIFFICULTY,
        f"contact:{contact_of(laid.database, 'huyen-a')}",
    )
    twice = send(office, link, "write", kind="difficulty", about="2", text="Thiếu kinh phí.")
    assert twice.headers["location"] == f"{link}/thread?said=nothing_new"

    story = "/assignments/2"
    assert "chờ trả lời" in words(office, story)
    replied = office.post(f"{story}/answer", page=story, entry=str(entry.id), words="Sẽ bổ sung trong quý III.")
    assert replied.headers["location"] == f"{story}?said=answer"
    again = office.post(f"{story}/answer", page=story, entry=str(entry.id), words="Sẽ bổ sung trong quý III.")
    assert again.headers["location"] == f"{story}?said=nothing_new"
    assert "Sẽ bổ sung trong quý III." in words(office, f"{link}/thread")


def test_a_question_of_the_department_is_answered_from_the_link(office: Office, laid: Laid, link: str) -> None:
    office.post("/assignments/1/answer", page="/assignments/1", words="Đã giao đơn vị nào?")
    assert "Đã giao đơn vị nào?" in words(office, f"{link}/thread")
    (entry,) = rows(laid.database, ThreadEntry)
    done = send(office, link, "answer", entry=str(entry.id), text="Phòng Lao động.")
    assert done.headers["location"] == f"{link}/thread?said=answer&n=1"
    assert "Phòng Lao động." in words(office, "/assignments/1")


def test_progress_is_shown_to_the_monitor_and_counts_nowhere(office: Office, laid: Laid, link: str) -> None:
    send(office, link, "write", kind="progress", about="1", text="Đã xong 9/12 xã.", expected="2021-06-14")
    assert "Dự kiến xong thứ Hai, 14/6/2021" in words(office, "/assignments/1")
    assert row(laid.database, Assignment, id=1).state is State.ASSIGNED
    refused = send(office, link, "write", kind="progress", about="plan", text="Đang làm.")
    assert refused.status_code == 400


def test_a_telephone_number_is_asked_about_and_a_secret_refused(office: Office, laid: Laid, link: str) -> None:
    personal = {"kind": "question", "about": "1", "text": "Gọi ông A 0912 345 678 được không?"}
    warned = send(office, link, "write", **personal)
    assert warned.status_code == 422
    sure = BeautifulSoup(warned.text, "lxml").select_one("input[name=sure]")
    assert sure is not None
    assert rows(laid.database, ThreadEntry) == []
    send(office, link, "write", sure=str(sure["value"]), **personal)
    assert len(rows(laid.database, ThreadEntry)) == 1
    secret = send(office, link, "write", kind="question", about="1", text="Theo công văn MẬT.")
    assert len(rows(laid.database, ThreadEntry)) == 1
    assert secret.status_code in (400, 422)


DEPUTY = {"email": "thay@huyen-a.example", "valid_from": "2021-06-09", "valid_until": "2021-06-20"}


def test_the_report_page_promises_a_deputy_to_those_alone_who_may_name_one(office: Office, link: str) -> None:
    for path, named in ((link, True), ("/report/huyen-a/1/2021-H1", False)):
        assert ("cử người thay" in words(office, path)) is named, path
        assert ("Cử người thay" in words(office, f"{path}/thread")) is named, path


def test_a_deputy_is_named_from_the_link_beside_the_coordinator(office: Office, laid: Laid, link: str) -> None:
    done = send(office, link, "deputy", **DEPUTY)
    assert done.headers["location"] == f"{link}/thread?said=deputy&n=1"
    deputy = row(laid.database, Contact, email="thay@huyen-a.example")
    assert (deputy.role, deputy.agency_id, deputy.instead) == (Role.DEPUTY, "huyen-a", False)
    wrong = send(office, link, "deputy", email="không phải", valid_from="", valid_until="")
    assert wrong.status_code == 422
    assert len(BeautifulSoup(wrong.text, "lxml").select("#deputy .said")) == 3


@pytest.mark.parametrize("more", [{"letters": "instead"}, {"valid_until": "2021-07-09"}])
def test_a_link_makes_nobody_the_only_recipient_nor_one_for_long(
    office: Office, laid: Laid, link: str, more: dict[str, str]
) -> None:
    """The holder of a forwarded letter was the agency's only recipient for a year, untold."""
    assert send(office, link, "deputy", **DEPUTY | more).status_code == 400
    assert rows(laid.database, Contact, role=Role.DEPUTY) == []


def asked(office: Office, laid: Laid, words: str = "làm người thay") -> dict[str, Any]:
    """Mailbox -> the letter about the proposed deputy."""
    box = LetterBox()
    asyncio.run(deliver(laid.database, office.clock(), post_office(box)))
    return {each.to: each for each in box.letters if words in each.text}


def answered(office: Office, letter: Any, do: str) -> Any:
    [address] = re.findall(r"http://127\.0\.0\.1:8188(/d/\S+)", letter.text)
    page = office.get(address)
    return office.client.post(address, data={"token": token_in(page.text), "do": do})


def written_to(laid: Laid) -> list[str]:
    with laid.database.read() as session:
        found = read_recipients(session, ["huyen-a"]).on("huyen-a", Role.COORDINATOR, date(2021, 6, 10))
    return [each.email for each in found]


def test_a_proposed_deputy_gets_nothing_until_coordinator_or_head_agrees_by_a_letter_of_their_own(
    office: Office, laid: Laid, link: str
) -> None:
    send(office, link, "deputy", **DEPUTY)
    assert written_to(laid) == ["coordinator@huyen-a.example"]
    letters = asked(office, laid)
    assert set(letters) == {"coordinator@huyen-a.example", "head@huyen-a.example"}
    said = "thay@huyen-a.example được đề nghị làm người thay từ thứ Tư, 09/6/2021 đến hết Chủ nhật, 20/6/2021"
    assert said in letters["head@huyen-a.example"].text
    assert answered(office, letters["head@huyen-a.example"], "agree").headers["location"].endswith("?said=agreed")
    assert written_to(laid) == ["coordinator@huyen-a.example", "thay@huyen-a.example"]


def test_a_refused_deputy_is_gone_and_stands_in_the_security_log(
    office: Office, laid: Laid, link: str, caplog: pytest.LogCaptureFixture
) -> None:
    send(office, link, "deputy", **DEPUTY)
    letters = asked(office, laid)
    with caplog.at_level("INFO", logger="dondoc.security"):
        done = answered(office, letters["coordinator@huyen-a.example"], "refuse")
    assert done.headers["location"].endswith("?said=refused")
    assert [each.email for each in rows(laid.database, Contact, role=Role.DEPUTY)] == [""]
    assert "event=deputy_refused" in caplog.text
    told = asked(office, laid, "không phải do cơ quan cử")
    assert set(told) == {"monitor@so-chinh.example"}
    assert (
        "Huyen a báo: người thay vừa được đề nghị qua liên kết trong thư gửi đầu mối"
        in told["monitor@so-chinh.example"].text
    )
    assert "Thu hồi liên kết" in told["monitor@so-chinh.example"].text
    answered(office, letters["head@huyen-a.example"], "agree")  # too late: nobody is there any more
    assert written_to(laid) == ["coordinator@huyen-a.example"]


def test_the_forwarded_link_itself_cannot_agree_and_stops_no_channel(office: Office, laid: Laid, link: str) -> None:
    """It proposes; the page of preferences behind the same letter lists, ends and slows."""
    send(office, link, "deputy", **DEPUTY)
    who = contact_of(laid.database, "huyen-a")
    deputy = row(laid.database, Contact, email="thay@huyen-a.example")
    for purpose in (Purpose.REPORT, Purpose.UNSUBSCRIBE, Purpose.ACKNOWLEDGE):
        token = office.link(purpose, who, str(deputy.id)).rpartition("/")[2]
        assert office.get(f"/d/{token}").status_code in (403, 404, 410)
    with laid.database.write() as session:
        session.connection().execute(
            update(table(Contact)).where(table(Contact).c.id == who).values(phone="0912345678")
        )
    page = office.link(Purpose.UNSUBSCRIBE, who, "email")
    stopped = office.client.post(
        page, data={"token": token_in(office.get(page).text), "do": "stop", "channel": "email"}
    )
    assert stopped.status_code == 409
    assert row(laid.database, Contact, id=who).suppressed == {}


def test_revoking_a_contact_s_links_ends_the_deputies_named_by_them(office: Office, laid: Laid, link: str) -> None:
    send(office, link, "deputy", **DEPUTY)
    with laid.database.write() as session:
        revoke_links(session, contact_of(laid.database, "huyen-a"), actor="cli", now=office.clock())
    assert [each.email for each in rows(laid.database, Contact, role=Role.DEPUTY)] == [""]


def test_the_page_says_whom_to_call(office: Office, link: str) -> None:
    assert "monitor@so-chinh.example" in words(office, f"{link}/thread")


def test_another_agencys_duties_and_a_link_for_something_else_are_refused(
    office: Office, laid: Laid, link: str
) -> None:
    theirs = laid.assignment("IV.4.1", "so-ban")
    assert send(office, link, "write", kind="question", about=str(theirs), text="Hỏi?").status_code == 404
    assert send(office, link, "extend", id=[str(theirs)], until="2021-06-25", reason="Chờ.").status_code == 404
    letter = office.link(Purpose.ACKNOWLEDGE, contact_of(laid.database, "huyen-a"), "1").replace("/l/", "/r/")
    assert office.get(f"{letter}/thread").status_code in (403, 404, 410)
    data = {"token": "nothing", "act": "write", "kind": "question", "about": "1", "text": "Hỏi?"}
    assert office.client.post(f"{link}/thread", data=data).status_code == 403


def test_the_last_periods_text_and_figures_are_copied_and_nothing_is_saved(
    sqlite_database: Database, tmp_path: Path
) -> None:
    figures = [{"code": "II.1", "text": "x", "name": "Số tin", "unit": "count", "asked_of": ["huyen-a"]}]
    rules = {"gui-so": RULES["thang"]}
    plan = plan_file(items=(item(1, "huyen-a", cadence=["month"]),), report_rules=rules, indicators=figures)
    laid = lay(sqlite_database, now=at("2021-05-24"), plan=plan)
    office = open_office(laid.database, tmp_path, now=at("2021-06-08"))
    periods = {each.period: each.id for each in rows(laid.database, Assignment)}
    first, second = sorted(periods)[:2]
    page = f"/report/huyen-a/{laid.plan_id}/{first}"
    number = periods[first]
    office.post(
        page,
        page=page,
        **{f"outcome-{number}": "done", f"body-{number}": "Đã phát 4 tin.", "figure-II.1": "4"},
        **{"paper-number": "45/BC - UBND", "paper-on": "2021-06-07"},
    )
    sent = row(laid.database, Report)
    assert (sent.paper_number, sent.paper_on, sent.paper_key) == ("45/BC - UBND", date(2021, 6, 7), "45/bc-ubnd")
    assert "45/BC - UBND" in words(office, f"/assignments/{number}")

    following = f"/report/huyen-a/{laid.plan_id}/{second}"
    assert "Chép nội dung, số liệu kỳ trước" in words(office, following)
    copied = BeautifulSoup(office.get(f"{following}?copy=yes").text, "lxml")
    assert copied.select_one(f"#body-{periods[second]}").get_text() == "Đã phát 4 tin."  # type: ignore[union-attr]
    assert copied.select_one('[name="figure-II.1"]')["value"] == "4"  # type: ignore[index]
    assert copied.select_one(f'[name="outcome-{periods[second]}"][checked]')["value"] == ""  # type: ignore[index]
    assert rows(laid.database, Draft) == []


@pytest.mark.parametrize(
    ("number", "on", "field"),
    [("UBND", "", "paper-number"), ("", "2021-06-07", "paper-number"), ("45/BC", "hôm qua", "paper-on")],
)
def test_a_paper_that_cannot_be_read_is_said_beside_its_box(
    office: Office, link: str, number: str, on: str, field: str
) -> None:
    fields = {"outcome-1": "done", "body-1": "Đã làm.", "paper-number": number, "paper-on": on}
    answer = office.client.post(link, data={"token": token_in(office.get(link).text)} | fields)
    assert answer.status_code == 422
    assert BeautifulSoup(answer.text, "lxml").select_one(f"#{field}-said") is not None


def test_a_coordinating_agency_sees_the_lead_and_hands_over_its_part(office: Office, laid: Laid) -> None:
    contact = contact_of(laid.database, "huyen-a")
    letter = office.link(Purpose.ACKNOWLEDGE, contact, str(letter_of(laid.database, contact)))
    assert "Cơ quan phối hợp thực hiện" in words(office, letter)
    helped = laid.assignment("IV.4.1", "so-ban")
    token = token_in(office.get(letter).text)
    part = {"token": token, "id": str(helped), "text": "Đã cử 2 cán bộ."}
    done = office.client.post(f"{letter}/part", data=part, files={"file-0": ("ds.png", PNG, "image/png")})
    assert done.headers["location"] == f"{letter}?said=part"
    assert office.client.post(f"{letter}/part", data=part | {"id": "1"}).status_code == 404
    assert {each.agency_id for each in rows(laid.database, Evidence)} == {"huyen-a", "so-ban"}
    bring_to(laid.database, State.REPORTED, helped, now=at("2021-06-08"))
    assert "Đã làm." in words(office, letter)
    assert "Đã cử 2 cán bộ." in words(office, f"/assignments/{helped}")
    assert "Nhiệm vụ phối hợp" in words(office, "/agencies/huyen-a/coordinated")
    assert not [line for line in told(laid.database) if line[2] == "IV.4.1 so-ban" and "huyen-a" in line[0]][1:]
