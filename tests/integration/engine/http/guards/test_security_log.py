"""The security log: what was refused and what changed, with no secret, no path and no address that somebody typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from ground.office import Office, as_role, join, open_office
from ground.post import LinkBox, link_post

from engine.store.database import Database

GOOD, EMAIL = "mot cau dai de nho 7", "coordinator@huyen-b.example"


@pytest.fixture
def box() -> LinkBox:
    return LinkBox()


@pytest.fixture
def one(lived: Database, tmp_path: Path, box: LinkBox) -> Office:
    """One coordinator, of huyen-b, who has a password and is not signed in."""
    join(lived, "coordinator", "huyen-b", password=GOOD)
    return open_office(lived, tmp_path, links=link_post(box))


def sign_in(office: Office, password: str = GOOD, email: str = EMAIL) -> None:
    office.post("/sign-in", page="/sign-in", email=email, password=password)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "dondoc.security"]


def test_a_refused_sign_in_is_a_line_without_what_was_typed(one: Office, caplog: pytest.LogCaptureFixture) -> None:
    sign_in(one, "sai mat khau", email="mat-khau-go-nham@huyen-b.example")
    (line,) = lines(caplog)
    assert line.startswith("event=sign_in_refused method=POST route=/sign-in network=")
    assert "mat khau" not in caplog.text
    assert "go-nham" not in caplog.text


def test_the_sixth_try_is_a_limit_in_the_log_and_in_the_counters(one: Office, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(6):
        sign_in(one, "sai")
    assert lines(caplog)[-1].startswith("event=rate_limited")


def test_a_forged_link_is_logged_by_its_route_and_not_by_its_path(
    one: Office, caplog: pytest.LogCaptureFixture
) -> None:
    one.get("/l/WzEsIjEiXQ.notasignature")
    (line,) = lines(caplog)
    assert "event=link_refused method=GET route=/l/{token}" in line
    assert "notasignature" not in caplog.text


def test_the_third_wrong_link_of_an_hour_is_an_alarm_of_its_own(one: Office, caplog: pytest.LogCaptureFixture) -> None:
    for n in range(5):
        one.get(f"/r/WzEsIjEiXQ.guess{n}")
    assert [line.split()[0] for line in lines(caplog)].count("event=links_tried") == 1
    assert "guess" not in caplog.text


def test_a_refused_page_names_the_account(lived: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    office = as_role(lived, tmp_path, "coordinator", "huyen-b")
    assert office.get("/admin/accounts").status_code == 403
    assert "event=access_refused method=GET route=/admin/accounts" in lines(caplog)[-1]


def test_another_host_is_logged(one: Office, caplog: pytest.LogCaptureFixture) -> None:
    one.client.get("/sign-in", headers={"host": "la.example"})
    assert lines(caplog)[0].startswith("event=host_refused")


def test_the_owner_is_told_of_a_new_browser_once(one: Office, box: LinkBox) -> None:
    sign_in(one)
    sign_in(one)
    (letter,) = box.letters
    assert letter.to == EMAIL
    assert "trình duyệt chưa từng dùng" in letter.text
    assert "người quản trị" in letter.html
    assert "/sign-in/link" not in letter.text


def test_the_owner_is_told_of_a_new_password_and_a_new_key(one: Office, box: LinkBox) -> None:
    sign_in(one)
    box.letters.clear()
    new = "mot cau khac con dai hon 8"
    one.post("/account/password", page="/account", old=GOOD, new=new, again=new)
    one.post("/account/tokens", page="/account", label="kho", days="30", scope="read", password=new)
    assert [("mật khẩu mới" in each.text, "khóa mới" in each.text) for each in box.letters] == [
        (True, False),
        (False, True),
    ]
