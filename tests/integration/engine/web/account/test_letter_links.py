"""Pages behind links in letters: two taps to acknowledge, refused in words when the link is no longer good."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import Laid, at, do, happened, lay, row, rows, swept
from ground.office import NOW, Office, contact_of, letter_of, open_office, token_in
from ground.post import post_office
from sqlalchemy import update

from engine.accounts.signed_links import Link, Purpose
from engine.agencies import contacts
from engine.rules.situation import Action
from engine.store.database import Database, table
from engine.store.records import Assignment, Contact, Event, Letter, Report
from engine.store.rulebook import read_rulebook
from engine.terms import EventKind, Role, State
from notifications.letters.facts import gather
from workflows.run import passes

HUYEN_B = 3


@pytest.fixture
def link(office: Office, lived: Database) -> str:
    """The acknowledging link of the first letter to huyen-b's coordinator."""
    contact = contact_of(lived, "huyen-b")
    return office.link(Purpose.ACKNOWLEDGE, contact, str(letter_of(lived, contact)))


def press(office: Office, link: str, path: str = "", **fields: str) -> str:
    """Press the page's button; where it leads."""
    answer = office.client.post(link + path, data={"token": token_in(office.get(link).text)} | fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_two_taps_acknowledge_what_the_letter_named(office: Office, lived: Database, link: str) -> None:
    page = office.get(link)
    assert "1 việc chờ xác nhận đã nhận" in page.text
    assert "Việc thứ 2." in page.text

    leads_to = press(office, link)

    assert leads_to == f"{link}?said=acknowledged"
    assert row(lived, Assignment, id=HUYEN_B).state is State.ACKNOWLEDGED
    assert row(lived, Event, assignment_id=HUYEN_B, kind=EventKind.ACKNOWLEDGED).actor.startswith("contact:")


def test_what_is_late_elsewhere_is_named_and_leads_to_its_report(office: Office, lived: Database, link: str) -> None:
    a = table(Assignment)
    with lived.write() as session:
        theirs = {"agency_id": "huyen-b", "period": "2021-Q1", "state": State.ASSIGNED, "due_on": date(2021, 6, 17)}
        session.connection().execute(update(a).where(a.c.id == 5).values(**theirs))
    page = BeautifulSoup(office.get(link).text, "lxml")
    (note,) = page.select(".note.bad a")
    assert " ".join(note.get_text().split()) == "1 việc quý I/2021, 12/KH-UBND: quá hạn 5 ngày làm việc"
    assert office.get(str(note["href"])).status_code == 200


def test_afterwards_it_says_what_comes_next_and_links_to_the_report(office: Office, link: str) -> None:
    page = office.get(press(office, link)).text
    assert "Cảm ơn, đã ghi nhận." in page
    step = "hệ thống gửi thư đôn đốc đến đầu mối, lãnh đạo cơ quan, bộ phận theo dõi của So chinh."
    assert f"Nếu chưa có báo cáo, thứ Hai, 28/6/2021 {step}" in " ".join(BeautifulSoup(page, "lxml").get_text().split())
    report = BeautifulSoup(page, "lxml").select_one('a[href^="/r/"]')
    assert report is not None
    assert office.get(str(report["href"])).status_code == 200


def test_before_the_due_date_the_next_reminder_is_named_by_its_day(office: Office, lived: Database, link: str) -> None:
    a = table(Assignment)
    with lived.write() as session:
        changed = update(a).where(a.c.id == HUYEN_B).values(due_on=date(2021, 7, 30), acted_until=date(2021, 6, 24))
        session.connection().execute(changed)
    assert "Nếu chưa có báo cáo, thứ Sáu, 16/7/2021 hệ thống gửi thư nhắc trước hạn đến đầu mối." in " ".join(
        BeautifulSoup(office.get(press(office, link)).text, "lxml").get_text().split()
    )


def test_pressing_twice_is_friendly_and_changes_nothing(office: Office, lived: Database, link: str) -> None:
    token = token_in(office.get(link).text)
    press(office, link)
    again = office.client.post(link, data={"token": token})
    assert again.headers["location"].endswith("said=already")
    assert "đã được xác nhận từ trước" in office.get(again.headers["location"]).text
    assert happened(lived, assignment_id=HUYEN_B).count("acknowledged") == 1


def test_not_mine_tells_the_monitor_and_leaves_the_state(office: Office, lived: Database, link: str) -> None:
    leads_to = press(office, link, "/decline", id=str(HUYEN_B), reason="Việc của Sở.")
    assert "Đã gửi bộ phận theo dõi xem xét" in office.get(leads_to).text
    assert row(lived, Assignment, id=HUYEN_B).state is State.ASSIGNED
    assert row(lived, Event, assignment_id=HUYEN_B, kind=EventKind.DECLINED).detail == {"reason": "Việc của Sở."}


def test_a_letter_speaks_only_of_its_own_assignments(office: Office, lived: Database, link: str) -> None:
    answer = office.client.post(f"{link}/decline", data={"token": token_in(office.get(link).text), "id": "1"})
    assert answer.status_code == 404
    assert "declined" not in happened(lived, assignment_id=1)


def test_the_page_speaks_the_contacts_language_until_another_is_chosen(
    office: Office, lived: Database, link: str
) -> None:
    c = table(Contact)
    with lived.write() as session:
        session.connection().execute(update(c).values(language="en"))
    assert "1 duty to acknowledge" in office.get(link).text
    assert "1 việc chờ xác nhận" in office.get(f"{link}?lang=vi").text


def change(lived: Database, contact: int, **values: object) -> None:
    c = table(Contact)
    with lived.write() as session:
        session.connection().execute(update(c).where(c.c.id == contact).values(**values))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"links_since": at("2021-06-02")}, "đã bị thu hồi"),
        ({"links_since": at("2021-06-01", "00:00")}, "đã bị thu hồi"),
        ({"valid_until": date(2021, 6, 23)}, "không còn làm đầu mối"),
        ({"valid_from": date(2021, 6, 25)}, "không còn làm đầu mối"),
        ({"email": "", "phone": ""}, "không còn làm đầu mối"),
    ],
)
def test_a_link_is_refused_when_the_person_no_longer_answers(
    office: Office, lived: Database, link: str, values: dict[str, object], words: str
) -> None:
    contact = contact_of(lived, "huyen-b")
    token = token_in(office.get(link).text)
    change(lived, contact, **values)

    for answer in (office.get(link), office.client.post(link, data={"token": token})):
        assert answer.status_code == 403
        assert words in answer.text
    assert office.get(office.link(Purpose.REPORT, contact, "1:2021-H1")).status_code == 403
    assert row(lived, Assignment, id=HUYEN_B).state is State.ASSIGNED


def test_links_made_after_the_revocation_work(office: Office, lived: Database, link: str) -> None:
    change(lived, contact_of(lived, "huyen-b"), links_since=at("2021-05-31", "23:59"))
    assert office.get(link).status_code == 200


def test_on_the_day_of_a_revocation_new_letters_links_work_and_older_ones_do_not(
    office: Office, lived: Database, link: str
) -> None:
    contact, noon = contact_of(lived, "huyen-b"), at("2021-06-24", "12:00")
    with lived.write() as session:
        contacts.change(session, contact, email="moi@huyen-b.example", actor="cli", now=noon)
    with lived.read() as session:
        facts = gather(session, [letter_of(lived, contact)], read_rulebook(session), noon)[0]
    letter = post_office().renderer.render(replace(facts, day=noon.date()), noon)
    found = set(re.findall(r"http://[^/]+(/[lr]/[\w.-]+)", letter.text))
    assert {path[:3] for path in found} == {"/l/", "/r/"}
    assert [office.get(path).status_code for path in found] == [200, 200]
    older = office.link(Purpose.ACKNOWLEDGE, contact, str(letter_of(lived, contact)), made_on=noon.date())
    assert [office.get(path).status_code for path in (link, older)] == [403, 403]


def test_an_expired_link_says_when_it_expired(office: Office, lived: Database) -> None:
    contact = contact_of(lived, "huyen-b")
    old = office.link(Purpose.ACKNOWLEDGE, contact, str(letter_of(lived, contact)), until=date(2021, 6, 23))
    answer = office.get(old)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/expired{old}")
    assert "dùng được đến thứ Tư, 23/6/2021" in " ".join(office.get(f"/expired{old}").text.split())
    assert office.post(old).status_code == 403


def test_a_link_for_one_purpose_opens_nothing_else(office: Office, lived: Database, link: str) -> None:
    assert office.get(link.replace("/l/", "/r/")).status_code == 403
    assert office.get(link[:-1] + ("A" if link[-1] != "A" else "B")).status_code == 403


@pytest.mark.parametrize("subject", ["", "x", "99999", "1 OR 1=1", "9" * 400])
def test_a_link_about_a_letter_of_somebody_else_or_of_none_is_refused(
    office: Office, lived: Database, subject: str
) -> None:
    mine = contact_of(lived, "huyen-b")
    theirs = str(letter_of(lived, contact_of(lived, "so-ban")))
    assert office.get(office.link(Purpose.ACKNOWLEDGE, mine, theirs)).status_code == 403
    assert office.get(office.link(Purpose.ACKNOWLEDGE, mine, subject)).status_code == 403
    assert office.get(office.link(Purpose.REPORT, mine, subject)).status_code == 403


def test_a_button_needs_the_token_of_its_own_page(office: Office, lived: Database, link: str) -> None:
    others = token_in(office.get("/overdue").text)
    for token in ("", "x", others):
        assert office.client.post(link, data={"token": token}).status_code == 403
    assert row(lived, Assignment, id=HUYEN_B).state is State.ASSIGNED


def test_the_button_works_without_cookies(lived: Database, tmp_path: Path, link: str) -> None:
    fresh = open_office(lived, tmp_path)
    token = token_in(fresh.get(link).text)
    fresh.client.cookies.clear()
    assert fresh.client.post(link, data={"token": token}).status_code == 303


def test_a_monitors_link_acknowledges_nothing_of_other_agencies(office: Office, lived: Database) -> None:
    monitor = contact_of(lived, "so-chinh", Role.MONITOR)
    page = office.get(office.link(Purpose.ACKNOWLEDGE, monitor, str(letter_of(lived, monitor))))
    assert page.status_code == 200
    assert "huyen-b" not in page.text
    assert office.get(office.link(Purpose.REPORT, monitor, "1:2021-H1")).status_code == 403


def test_signed_pages_open_from_anywhere_while_desk_pages_do_not(lived: Database, tmp_path: Path, link: str) -> None:
    outside = open_office(lived, tmp_path, host="https://dondoc.nghean.example", open_desk=False)
    assert outside.get(link).status_code == 200
    assert outside.get("/").headers["location"].startswith("/sign-in")


def test_a_report_is_sent_from_the_link_without_an_account(office: Office, lived: Database) -> None:
    contact = contact_of(lived, "huyen-b")
    link = office.link(Purpose.REPORT, contact, "1:2021-H1")

    leads_to = press(office, link, **{f"outcome-{HUYEN_B}": "done", f"body-{HUYEN_B}": "Đã làm."})

    assert leads_to == f"{link}?said=reported&n=1"
    assert "Đã gửi báo cáo 1 việc" in office.get(leads_to).text
    assert row(lived, Report, assignment_id=HUYEN_B).actor == f"contact:{contact}"


def test_an_unused_link_of_another_key_is_nobodys(office: Office, lived: Database) -> None:
    from engine.accounts.signed_links import Signer

    made = Link(
        purpose=Purpose.ACKNOWLEDGE,
        contact_id=contact_of(lived, "huyen-b"),
        subject="1",
        made_on=date(2021, 6, 1),
        until=date(2021, 7, 30),
    )
    assert office.get(f"/l/{Signer('another key').token(made)}").status_code == 403
    assert len(rows(lived, Event, kind=EventKind.ACKNOWLEDGED)) == 1
    assert office.clock.now == NOW


# --- how long a link lives ----------------------------------------------------------------------------------------


@pytest.fixture
def opened(database: Database) -> Laid:
    """The made-up plan opened on 7 April 2021, due on 17 June; its letters of that day have left."""
    laid = lay(database, now=at("2021-04-07"))
    swept(database, at("2021-04-07"))
    asyncio.run(passes.deliver(database, at("2021-04-07", "08:30"), post_office()))
    return laid


def links(database: Database, day: str, agency: str = "huyen-b") -> list[str]:
    """Paths of the links that stand in the agency's letter of a day, as it was rendered: /l/… and /r/…."""
    contact = contact_of(database, agency)
    (letter,) = rows(database, Letter, contact_id=contact, day=date.fromisoformat(day), channel="email")
    with database.read() as session:
        (facts,) = gather(session, [letter.id], read_rulebook(session), at(day, "08:30"))
    found = re.findall(r"http://[^/]+(/[lr]/[\w.-]+)", post_office().renderer.render(facts, at(day, "08:30")).text)
    return sorted(dict.fromkeys(path for path in found))


def statuses(laid: Laid, folder: Path, day: str, paths: list[str]) -> list[int]:
    office = open_office(laid.database, folder, now=at(day))
    return [office.get(path).status_code for path in paths]


def left_on(laid: Laid, day: str) -> None:
    swept(laid.database, at(day, "07:00"))
    asyncio.run(passes.deliver(laid.database, at(day, "08:00"), post_office()))


def test_the_links_of_the_newest_letter_work_until_the_next_one_comes(opened: Laid, tmp_path: Path) -> None:
    """Letters open 92 days ahead, and nothing is sent until ten working days before the due date."""
    first = links(opened.database, "2021-04-07")
    assert [path[:3] for path in first] == ["/l/", "/r/"]
    assert statuses(opened, tmp_path, "2021-06-02", first) == [200, 200]  # 56 days
    office = open_office(opened.database, tmp_path, now=at("2021-06-02"))
    assert press(office, first[0]).endswith("said=acknowledged")
    followed = BeautifulSoup(office.get(first[0]).text, "lxml").select('a[href^="/r/"], a[href^="/u/"]')
    assert {office.get(str(each["href"])).status_code for each in followed} == {200}


def test_a_link_dies_as_before_once_a_newer_letter_has_left(opened: Laid, tmp_path: Path) -> None:
    first = links(opened.database, "2021-04-07")
    do(opened.database, Action.ACKNOWLEDGE, opened.assignment("IV.2.1", "huyen-b"), now=at("2021-04-08"))
    left_on(opened, "2021-06-03")
    assert statuses(opened, tmp_path, "2021-06-04", first) == [303, 303]
    newest = [path for path in links(opened.database, "2021-06-03") if path.startswith("/r/")]
    assert statuses(opened, tmp_path, "2021-06-04", newest) == [200]
    office = open_office(opened.database, tmp_path, now=at("2021-06-04"))
    assert "Thư mới nhất có đường dẫn còn dùng được" in office.get(f"/expired{first[0]}").text


def test_a_newer_letter_that_has_not_left_takes_no_letters_place(opened: Laid, tmp_path: Path) -> None:
    first = links(opened.database, "2021-04-07")
    swept(opened.database, at("2021-06-03", "07:00"))
    assert statuses(opened, tmp_path, "2021-06-03", first) == [200, 200]


def test_a_link_lives_fifteen_days_past_the_due_date_of_what_is_done_and_on_with_what_is_not(
    opened: Laid, tmp_path: Path
) -> None:
    done, owed = links(opened.database, "2021-04-07"), links(opened.database, "2021-04-07", "huyen-a")
    do(opened.database, Action.REPORT, opened.assignment("IV.2.1", "huyen-b"), now=at("2021-04-09"))
    assert statuses(opened, tmp_path, "2021-07-02", [*done, *owed]) == [200, 200, 200, 200]
    assert statuses(opened, tmp_path, "2021-07-03", [*done, *owed]) == [303, 303, 200, 200]


def test_a_revoked_link_of_the_newest_letter_is_dead(opened: Laid, tmp_path: Path) -> None:
    first = links(opened.database, "2021-04-07")
    change(opened.database, contact_of(opened.database, "huyen-b"), links_since=at("2021-05-01"))
    assert statuses(opened, tmp_path, "2021-06-02", first) == [403, 403]


def test_a_long_report_is_taken_behind_a_link_of_the_newest_letter(opened: Laid, tmp_path: Path) -> None:
    report_link = links(opened.database, "2021-04-07")[-1]
    office = open_office(opened.database, tmp_path, now=at("2021-06-02"), open_desk=False)
    task = opened.assignment("IV.2.1", "huyen-b")
    said = {f"outcome-{task}": "done", f"body-{task}": "Đã làm. " * 500}
    data = {"token": token_in(office.get(report_link).text)} | said
    sent = office.client.post(report_link, data=data, files={f"files-{task}": ("a.txt", b"x" * 100_000)})
    assert sent.status_code != 413, sent.text
    assert sent.status_code != 403, sent.text
