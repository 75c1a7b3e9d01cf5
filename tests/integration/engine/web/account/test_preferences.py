"""My wishes: fewer letters, a deputy, a calendar; one's own, of contacts that one keeps, or by a letter's link."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import add_contact, happened, row, rows
from ground.office import Office, as_role, contact_of, join, open_office, token_in
from sqlalchemy import update

from engine.accounts.signed_links import Purpose
from engine.store.database import Database, table
from engine.store.records import Contact, Feed
from engine.terms import Role

DEPUTY = {"email": "thay@huyen-b.example", "valid_from": "2021-06-25", "valid_until": "5/7/2021"}


@pytest.fixture
def mine(lived: Database, tmp_path: Path) -> Office:
    """As huyen-b's coordinator."""
    return as_role(lived, tmp_path, "coordinator", "huyen-b")


@pytest.fixture
def me(lived: Database) -> int:
    """The contact that huyen-b's coordinator is, with a telephone."""
    contact = contact_of(lived, "huyen-b")
    change(lived, contact, phone="+84900000001")
    return contact


def change(database: Database, contact: int, **values: object) -> None:
    with database.write() as session:
        session.connection().execute(update(table(Contact)).where(table(Contact).c.id == contact).values(**values))


def wish(office: Office, contact: int, do: str, channel: str = "email") -> str:
    return str(office.post(f"/wishes/{contact}/letters", page="/wishes", do=do, channel=channel).headers["location"])


def words(page: str) -> str:
    return " ".join(BeautifulSoup(page, "lxml").get_text().split())


def test_the_page_is_of_the_contact_whose_mailbox_the_account_has(mine: Office, me: int) -> None:
    page = mine.get("/wishes").text
    assert "coordinator@huyen-b.example" in page
    assert "+84900000001" in page
    assert f'action="/wishes/{me}/letters"' in page


def test_a_channel_is_slowed_stopped_and_resumed(mine: Office, lived: Database, me: int) -> None:
    assert wish(mine, me, "slow") == f"/wishes/{me}?said=slow"
    assert row(lived, Contact, id=me).pace == {"email": "weekly"}
    wish(mine, me, "stop", "sms")
    assert row(lived, Contact, id=me).suppressed == {"sms": "asked"}
    page = words(mine.get(wish(mine, me, "resume", "sms")).text)
    wish(mine, me, "resume")
    assert "Thư được gửi như trước." in page
    assert (row(lived, Contact, id=me).pace, row(lived, Contact, id=me).suppressed) == ({}, {})
    assert happened(lived).count("contact_changed") == 4


def test_the_last_channel_is_not_stopped_and_the_page_says_why(mine: Office, lived: Database, me: int) -> None:
    change(lived, me, phone="")
    page = mine.get("/wishes").text
    assert 'value="stop"' not in page
    assert "kênh duy nhất còn gửi được" in page
    assert "Danh bạ chưa có số" in page
    refused = mine.post(f"/wishes/{me}/letters", page="/wishes", do="stop", channel="email")
    assert (refused.status_code, "không thể dừng" in refused.text) == (409, True)
    assert row(lived, Contact, id=me).suppressed == {}


def test_a_dead_address_is_said_and_not_resumed(mine: Office, lived: Database, me: int) -> None:
    change(lived, me, suppressed={"email": "5.1.1 no such mailbox"})
    page = mine.get("/wishes").text
    assert "bị trả về" in page
    assert "no such mailbox" not in page
    wish(mine, me, "resume")
    assert row(lived, Contact, id=me).suppressed == {"email": "5.1.1 no such mailbox"}


@pytest.mark.parametrize(("do", "channel"), [("", "email"), ("burn", "email"), ("stop", "pigeon"), ("slow", "\x00")])
def test_a_wish_that_is_none_is_refused_in_words(mine: Office, me: int, do: str, channel: str) -> None:
    answer = mine.post(f"/wishes/{me}/letters", page="/wishes", do=do, channel=channel)
    assert (answer.status_code, 'class="wrong"' in answer.text) == (400, True)


def test_a_deputy_is_named_from_to_and_ended(mine: Office, lived: Database, me: int) -> None:
    answer = mine.post(f"/wishes/{me}/deputies", page="/wishes", **DEPUTY)
    deputy = row(lived, Contact, role=Role.DEPUTY)
    page = mine.get(answer.headers["location"]).text
    assert (deputy.agency_id, deputy.valid_from, deputy.valid_until) == ("huyen-b", date(2021, 6, 25), date(2021, 7, 5))
    assert "thứ Hai, 05/7/2021" in words(page)
    ended = mine.post(f"/wishes/{me}/deputies/{deputy.id}/end", page="/wishes").headers["location"]
    assert row(lived, Contact, role=Role.DEPUTY).email == ""
    assert "thay@huyen-b.example" not in mine.get(ended).text


def test_a_deputy_form_keeps_what_was_typed_and_says_what_is_wrong_beside_each_field(mine: Office, me: int) -> None:
    typed = DEPUTY | {"email": "không phải", "valid_until": "hôm nào", "label": "Văn phòng"}
    answer = mine.post(f"/wishes/{me}/deputies", page="/wishes", **typed)
    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 422
    assert {each["id"] for each in page.select("[aria-invalid=true]")} == {"d-email", "d-valid_until"}
    assert page.select_one("#d-label")["value"] == "Văn phòng"  # type: ignore[index]
    assert page.select_one("details[open] #d-email-said")


@pytest.mark.parametrize(
    ("dates", "status"),
    [
        ({"valid_until": "2021-06-01", "valid_from": "2021-05-01"}, 400),
        ({"valid_until": "2023-06-01"}, 400),
        ({"valid_until": "2021-06-24"}, 422),
        ({"email": "coordinator@huyen-b.example\r\nBcc: x@y.example"}, 422),
    ],
)
def test_days_that_cannot_be_are_refused(
    mine: Office, lived: Database, me: int, dates: dict[str, str], status: int
) -> None:
    assert mine.post(f"/wishes/{me}/deputies", page="/wishes", **DEPUTY | dates).status_code == status
    assert rows(lived, Contact, role=Role.DEPUTY) == []


@pytest.mark.parametrize(
    ("role", "agency_id", "allowed"),
    [
        ("head", "huyen-b", True),
        ("administrator", "tinh", True),
        ("deputy", "huyen-b", False),
        ("coordinator", "huyen-a", False),
        ("head", "huyen-a", False),
        ("monitor", "so-chinh", False),
    ],
)
def test_only_whoever_keeps_the_agencys_contacts_sets_anothers_wishes(
    lived: Database, tmp_path: Path, me: int, role: str, agency_id: str, allowed: bool
) -> None:
    theirs = as_role(lived, tmp_path, role, agency_id)
    answers = [
        theirs.get(f"/wishes/{me}"),
        theirs.post(f"/wishes/{me}/letters", page="/account", do="slow", channel="email"),
        theirs.post(f"/wishes/{me}/deputies", page="/account", **DEPUTY),
        theirs.post("/agencies/huyen-b/feeds", page="/account", whose="mine", contact=str(me)),
    ]
    assert [answer.status_code for answer in answers] == ([200, 303, 303, 200] if allowed else [403] * 4)
    assert row(lived, Contact, id=me).pace == ({"email": "weekly"} if allowed else {})


def test_a_deputy_names_no_deputy(lived: Database, tmp_path: Path) -> None:
    mine = as_role(lived, tmp_path, "deputy", "huyen-b")
    contact = add_contact(lived, "huyen-b", Role.DEPUTY, email="deputy@huyen-b.example")
    assert "Cử người thay" not in mine.get("/wishes").text
    assert mine.post(f"/wishes/{contact}/deputies", page="/wishes", **DEPUTY).status_code == 403


def test_an_account_that_is_no_contact_is_told_so_and_may_have_the_agencys_calendar(
    lived: Database, tmp_path: Path
) -> None:
    mine = as_role(lived, tmp_path, "deputy", "huyen-b")
    page = mine.get("/wishes").text
    assert "không trùng hộp thư" in page
    assert "Tạo lịch chung" in page
    assert 'value="mine"' not in page


def test_the_desk_itself_is_led_to_the_people_of_an_agency(office: Office, me: int) -> None:
    assert "Ai nhận thư" in office.get("/wishes").text
    assert f'href="/wishes/{me}"' in office.get("/agencies/huyen-b").text
    assert office.get(f"/wishes/{me}").status_code == 200
    assert office.get("/wishes/9999").status_code == 404


def made(office: Office, whose: str, me: int) -> str:
    """The address that the page shows once, as a path of the server."""
    page = office.post("/agencies/huyen-b/feeds", page="/wishes", whose=whose, contact=str(me)).text
    return re.search(r'readonly value="http://127\.0\.0\.1:\d+(/feed/[^"]+\.ics)"', page)[1]  # type: ignore[index]


def test_a_calendar_is_made_shown_once_and_revoked(mine: Office, lived: Database, me: int) -> None:
    agency, own = made(mine, "agency", me), made(mine, "mine", me)
    page = mine.get("/wishes").text
    assert mine.get(agency).headers["content-type"].startswith("text/calendar")
    assert (agency in page, own in page) == (False, False)
    assert "Lịch của riêng tôi" in page
    for feed in rows(lived, Feed):
        mine.post(f"/agencies/huyen-b/feeds/{feed.id}/revoke", page="/wishes")
    assert [mine.get(path).status_code for path in (agency, own)] == [404, 404]
    assert "Chưa tạo địa chỉ lịch nào" in mine.get("/wishes").text


def test_a_calendar_that_has_not_changed_is_not_sent_again(mine: Office, me: int) -> None:
    """Phones ask every quarter of an hour."""
    feed = made(mine, "mine", me)
    first = mine.get(feed)
    again = mine.client.get(feed, headers={"if-none-match": f'W/{first.headers["etag"]}, "other"'})
    other = mine.client.get(feed, headers={"if-none-match": '"other"'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert (other.status_code, other.content) == (200, first.content)


def test_making_ones_calendar_anew_ends_the_old_address(mine: Office, me: int) -> None:
    old, new = made(mine, "mine", me), made(mine, "mine", me)
    assert (mine.get(old).status_code, mine.get(new).status_code) == (404, 200)


def test_anothers_calendar_is_neither_shown_nor_revoked(mine: Office, lived: Database, tmp_path: Path, me: int) -> None:
    made(mine, "mine", me)
    colleague = as_role(lived, tmp_path, "deputy", "huyen-b")
    assert "Lịch của riêng tôi" not in colleague.get("/wishes").text
    assert colleague.post("/agencies/huyen-b/feeds/1/revoke", page="/wishes").status_code == 403
    assert colleague.post("/agencies/huyen-a/feeds", page="/wishes", whose="agency").status_code == 403
    assert colleague.post("/agencies/huyen-b/feeds/99/revoke", page="/wishes").status_code == 404


@pytest.fixture
def link(office: Office, lived: Database, me: int) -> str:
    """The address that stands in huyen-b's letters as List-Unsubscribe."""
    return office.link(Purpose.UNSUBSCRIBE, me, "email")


def test_by_the_link_of_a_letter_its_reader_slows_stops_and_resumes(
    office: Office, lived: Database, link: str, me: int
) -> None:
    page = office.get(link).text
    assert "Nhận ít hơn: mỗi tuần một lần" in page
    assert "Cử người thay" not in page
    for do, channel in (("slow", "email"), ("stop", "sms")):
        answer = office.client.post(link, data={"token": token_in(page), "do": do, "channel": channel})
        assert answer.headers["location"] == f"{link}?said={do}"
    assert row(lived, Contact, id=me).pace == {"email": "weekly"}
    assert row(lived, Contact, id=me).suppressed == {"sms": "asked"}
    refused = office.client.post(link, data={"token": token_in(page), "do": "stop", "channel": "email"})
    assert (refused.status_code, "không thể dừng" in refused.text) == (409, True)


def test_one_click_slows_the_letters_and_looking_does_not(office: Office, lived: Database, link: str, me: int) -> None:
    assert office.get(link).status_code == 200
    assert row(lived, Contact, id=me).pace == {}
    office.client.cookies.clear()
    answers = [office.client.post(link, data={"List-Unsubscribe": "One-Click"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert row(lived, Contact, id=me).pace == {"email": "weekly"}
    assert happened(lived).count("contact_changed") == 1


def test_a_link_made_for_something_else_or_a_form_without_its_token_slows_nothing(
    office: Office, lived: Database, link: str, me: int
) -> None:
    for path in (office.link(Purpose.REPORT, me, "email").replace("/r/", "/u/"), "/u/x.y"):
        assert office.client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 403
        assert office.get(path).status_code == 403
    assert office.client.post(link, data={"do": "slow", "channel": "email"}).status_code == 403
    assert row(lived, Contact, id=me).pace == {}


def test_the_acknowledging_page_leads_to_fewer_letters(office: Office, lived: Database, me: int) -> None:
    from ground.office import letter_of

    page = office.get(office.link(Purpose.ACKNOWLEDGE, me, str(letter_of(lived, me)))).text
    leads_to = re.search(r'href="(/u/[^"]+)"', page)[1]  # type: ignore[index]
    assert office.get(leads_to).status_code == 200


def test_every_face_of_the_page_is_whole_in_english(mine: Office, lived: Database, me: int, link: str) -> None:
    for path in ("/wishes", link):
        page = BeautifulSoup(mine.get(path, headers={"cookie": f"dondoc_language=en; {_cookies(mine)}"}).text, "lxml")
        for marked in page.select('[lang="vi"], .brand, title'):
            marked.decompose()
        assert not re.search(r"[ăđơưạảấầẩẫậắằặẹẻẽếềểễệ]", page.get_text())


def _cookies(office: Office) -> str:
    return "; ".join(f"{name}={value}" for name, value in office.client.cookies.items())


def test_two_accounts_of_one_office_have_each_their_own(lived: Database, tmp_path: Path, me: int) -> None:
    head = as_role(lived, tmp_path, "head", "huyen-b")
    assert join(lived, "coordinator", "huyen-b")
    assert f"/wishes/{me}/" not in head.get("/wishes").text
    assert open_office(lived, tmp_path).get("/wishes").status_code == 303
