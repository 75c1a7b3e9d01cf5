"""Signing in by a link sent to the mailbox, and a new password by the same link."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import row, rows
from ground.office import NOW, Office, enter, everything, join, open_office
from ground.post import LinkBox, link_post
from httpx import Response

from engine.accounts.accounts import deactivate
from engine.accounts.sign_in import LINK_LIFETIME
from engine.store.database import Database
from engine.store.records import SignInLink, UserSession
from notifications.contract.channel import Fate, Outcome

EMAIL, GOOD = "coordinator@huyen-b.example", "mot cau dai de nho 7"
PHONE = "Mozilla/5.0 (Linux; Android 10) AppleWebKit/537.36 Chrome/91.0 Mobile Safari/537.36"


@pytest.fixture
def box() -> LinkBox:
    return LinkBox()


@pytest.fixture
def office(lived: Database, tmp_path: Path, box: LinkBox) -> Office:
    """One coordinator, of huyen-b, who has no password and is not signed in."""
    join(lived, "coordinator", "huyen-b")
    return open_office(lived, tmp_path, links=link_post(box))


def ask(office: Office, email: str = EMAIL, to: str = "") -> Response:
    return office.post("/sign-in/link", page="/sign-in", email=email, to=to)


def said(answer: Response) -> str:
    found = BeautifulSoup(answer.text, "lxml").select_one(".wrong, .note")
    return found.get_text() if found else ""


def test_a_link_leads_where_the_reader_was_going(office: Office, box: LinkBox) -> None:
    sent = ask(office, to="/plans?after=")
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?said=sent&to=%2Fplans%3Fafter%3D")
    assert box.path.endswith("?to=%2Fplans%3Fafter%3D")
    assert 'name="to" value="/plans?after="' in office.get(box.path).text
    entered = office.post(box.path, page=box.path, to="/plans?after=")
    assert (entered.status_code, entered.headers["location"]) == (303, "/plans?after=")
    assert EMAIL in office.get("/plans").text


def test_a_known_and_an_unknown_address_are_told_the_same(office: Office, box: LinkBox) -> None:
    answers = [ask(office, email) for email in (EMAIL, "khong@huyen-b.example")]
    assert len({(each.status_code, each.headers["location"]) for each in answers}) == 1
    assert [letter.to for letter in box.letters] == [EMAIL]
    assert "Nếu địa chỉ vừa nhập có tài khoản" in office.get(answers[0].headers["location"]).text


def test_a_closed_account_gets_no_link(office: Office, box: LinkBox) -> None:
    join(office.context.database, "administrator", "tinh")
    with office.context.database.write() as session:
        deactivate(session, 1, actor="cli", now=NOW)
    assert ask(office).headers["location"].startswith("/sign-in?said=sent")
    assert box.letters == []


@pytest.mark.parametrize("email", [EMAIL, "khong@huyen-b.example"])
def test_when_letters_cannot_leave_everybody_is_told_so_and_nothing_is_sent(
    office: Office, box: LinkBox, email: str
) -> None:
    box.up = False
    answer = ask(office, email)
    assert (answer.status_code, "đăng nhập bằng mật khẩu" in said(answer)) == (503, True)
    assert f'value="{email}"' in answer.text
    assert box.letters == []


def test_a_letter_that_is_refused_is_logged_without_the_address_or_the_link(
    lived: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    box = LinkBox(Outcome(fate=Fate.REFUSED, code="550", reply=f"no {EMAIL} here"))
    join(lived, "coordinator", "huyen-b")
    answer = ask(open_office(lived, tmp_path, links=link_post(box)))
    assert answer.headers["location"].startswith("/sign-in?said=sent")
    logged = " ".join(record.getMessage() for record in caplog.records)
    assert "refused 550" in logged
    assert EMAIL not in logged
    assert box.path not in logged


def test_looking_at_a_link_signs_nobody_in(office: Office, box: LinkBox) -> None:
    ask(office)
    before = everything(office.context.database)
    for _ in range(2):
        page = office.get(box.path)
        office.client.head(box.path)
    assert EMAIL in page.text
    assert everything(office.context.database) == before
    assert office.get("/account").status_code == 303


def test_a_link_works_once_and_for_a_quarter_of_an_hour(office: Office, box: LinkBox) -> None:
    ask(office)
    token = office.token(box.path)
    assert office.client.post(box.path, data={"token": token}).status_code == 303
    again, looked = office.client.post(box.path, data={"token": token}), office.get(box.path)
    assert (again.status_code, looked.status_code) == (403, 403)
    assert "đã dùng hoặc quá 15 phút" in said(again)
    ask(office)
    office.clock.now = NOW + LINK_LIFETIME
    assert office.get(box.path).status_code == 403


def test_a_link_opened_from_another_site_or_without_its_token_signs_nobody_in(office: Office, box: LinkBox) -> None:
    ask(office)
    token = office.token(box.path)
    far = office.client.post(box.path, data={"token": token}, headers={"origin": "https://evil.example"})
    bare = office.client.post(box.path, data={"token": "x"})
    assert (far.status_code, bare.status_code) == (403, 403)
    assert rows(office.context.database, UserSession) == []


@pytest.mark.parametrize("email", ["", "x", "a@b", "a b@c.example", "a@c.example\x00", "a" * 300 + "@c.example"])
def test_what_is_no_mailbox_is_said_beside_what_was_typed(office: Office, box: LinkBox, email: str) -> None:
    answer = ask(office, email)
    assert 400 <= answer.status_code < 500
    assert said(answer)
    assert rows(office.context.database, SignInLink) == []


def test_the_fourth_link_in_a_quarter_of_an_hour_is_refused_whoever_asks_for_it(office: Office, box: LinkBox) -> None:
    for email in (EMAIL, "khong@huyen-b.example"):
        assert [ask(office, email).status_code for _ in range(4)] == [303, 303, 303, 429]


def test_where_no_post_is_wired_nobody_is_offered_a_link(lived: Database, tmp_path: Path) -> None:
    office = open_office(lived, tmp_path)
    assert "liên kết đăng nhập" not in office.get("/sign-in").text
    assert ask(office).status_code == 404


def test_the_letter_names_the_device_in_our_words_alone(office: Office, box: LinkBox) -> None:
    office.client.headers["user-agent"] = f"{PHONE} https://evil.example click here"
    ask(office)
    letter = box.letters[-1]
    assert "bằng Chrome trên Android" in letter.text
    assert "evil" not in letter.text + letter.html


def test_the_link_begins_with_the_settings_address_whatever_host_is_said(
    lived: Database, tmp_path: Path, box: LinkBox
) -> None:
    join(lived, "coordinator", "huyen-b")
    office = open_office(lived, tmp_path, links=link_post(box, "https://dondoc.example"), host="http://evil.example")
    office.client.headers.update({"x-forwarded-host": "evil.example", "forwarded": "host=evil.example"})
    ask(office)
    assert "https://dondoc.example/sign-in/link/" in box.letters[-1].text
    assert "evil" not in box.letters[-1].text + box.letters[-1].html


def test_a_forgotten_password_is_set_by_the_link_and_signs_out_everywhere_else(office: Office, box: LinkBox) -> None:
    elsewhere = enter(open_office(office.context.database, Path()), 1)
    ask(office)
    answer = office.post(f"{box.path}/password", page=box.path, new=GOOD, again=GOOD, to="/plans")
    assert (answer.status_code, answer.headers["location"]) == (303, "/plans")
    assert (office.get("/account").status_code, elsewhere.get("/account").status_code) == (200, 303)
    signed = elsewhere.post("/sign-in", page="/sign-in", email=EMAIL, password=GOOD)
    assert signed.status_code == 303
    assert office.post(f"{box.path}/password", page="/account", new=GOOD, again=GOOD).status_code == 403


@pytest.mark.parametrize(
    ("new", "again", "why"), [("ngan", "ngan", "dài ít nhất 12"), (GOOD, GOOD + "x", "không giống nhau")]
)
def test_a_password_that_will_not_do_leaves_the_link_unused(
    office: Office, box: LinkBox, new: str, again: str, why: str
) -> None:
    ask(office)
    answer = office.post(f"{box.path}/password", page=box.path, new=new, again=again)
    assert (answer.status_code, why in said(answer)) == (400, True)
    assert row(office.context.database, SignInLink).used_at is None


def test_whoever_was_signed_in_here_before_is_signed_out_on_the_server(office: Office, box: LinkBox) -> None:
    enter(office, join(office.context.database, "head", "huyen-b"))
    with_link = open_office(office.context.database, Path(), links=link_post(box))
    ask(with_link)
    assert "head@huyen-b.example" in office.get(box.path).text
    office.post(box.path, page=box.path)
    assert row(office.context.database, UserSession, account_id=2).ended_at == NOW
    assert EMAIL in office.get("/account").text
