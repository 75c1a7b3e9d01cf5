"""Accounts kept on pages: no password ever comes back, and the last administrator stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import row, rows
from ground.office import NOW, Office, as_role, enter, join, open_office
from ground.post import LinkBox, link_post
from httpx import Response

from engine.admin.settings_view import entered
from engine.store.database import Database
from engine.store.records import Account, UserSession, Webhook

GIVEN = {"email": "Moi@so-ban.example", "label": "Văn phòng", "role": "head", "agency_id": "so-ban", "language": "vi"}
GOOD = "một câu dài khó đoán"
NEW = "/admin/add-account"


@pytest.fixture
def admin(lived: Database, tmp_path: Path) -> Office:
    """An administrator, signed in: account 1."""
    return as_role(lived, tmp_path, "administrator", "tinh")


def add(office: Office, **more: str) -> Response:
    return office.post(NEW, page=NEW, **GIVEN | more)


def deed(office: Office, account_id: int, what: str, **fields: str) -> Response:
    return office.post(f"/admin/accounts/{account_id}/{what}".rstrip("/"), page="/account", **fields)


def wrong(page: str) -> dict[str, str]:
    soup = BeautifulSoup(page, "lxml")
    return {
        str(each["name"]): soup.find(id=str(each["aria-describedby"])).get_text()  # type: ignore[union-attr]
        for each in soup.select("[aria-invalid=true]")
    }


def test_an_account_is_added_and_its_page_shows_everything_but_the_password(admin: Office, lived: Database) -> None:
    answer = add(admin, password=GOOD)
    page = admin.get(answer.headers["location"]).text
    assert "Đã thêm tài khoản" in page
    assert "có mật khẩu" in page
    assert GOOD not in page
    kept = row(lived, Account, email="moi@so-ban.example")
    assert kept.password not in page
    assert (kept.role, kept.agency_id, kept.active) == ("head", "so-ban", True)


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({"email": "x", "password": "ngắn"}, {"email", "password"}),
        ({"role": "", "agency_id": ""}, {"role", "agency_id"}),
        ({"language": "fr"}, {"language"}),
        ({"label": "Văn\u202ephòng"}, {"label"}),
        ({"email": "a\u200bb@so-ban.example"}, {"email"}),
        ({"label": "a\x00"}, {"label"}),
    ],
)
def test_a_refused_account_says_why_beside_each_field_and_never_shows_the_password(
    admin: Office, lived: Database, more: dict[str, str], fields: set[str]
) -> None:
    answer = add(admin, **{"password": GOOD} | more)
    assert (answer.status_code, set(wrong(answer.text))) == (422, fields)
    assert GOOD not in answer.text
    assert "ngắn" not in answer.text.replace("ngắn gọn", "")
    assert len(rows(lived, Account)) == 1


def test_a_mailbox_has_one_account(admin: Office) -> None:
    add(admin)
    again = add(admin)
    assert (again.status_code, set(wrong(again.text))) == (409, {"email"})


def test_a_new_role_signs_the_person_out(admin: Office, lived: Database) -> None:
    person = join(lived, "monitor", "so-chinh")
    answer = deed(admin, person, "", label="Phòng 1", role="leadership", agency_id="tinh", language="en")
    assert answer.headers["location"].endswith("said=changed")
    kept = row(lived, Account, id=person)
    assert (kept.label, kept.role, kept.agency_id, kept.language) == ("Phòng 1", "leadership", "tinh", "en")


def test_a_password_is_set_and_everything_signed_out(admin: Office, lived: Database, tmp_path: Path) -> None:
    as_role(lived, tmp_path, "monitor", "so-chinh")
    assert deed(admin, 2, "password", password=GOOD).headers["location"].endswith("said=password")
    assert row(lived, UserSession, account_id=2).ended_at is not None
    short = deed(admin, 2, "password", password="1234")
    assert (short.status_code, set(wrong(short.text))) == (422, {"password"})
    assert "1234" not in short.text.replace("123456", "")


def test_signing_out_everywhere_leaves_the_account_itself(admin: Office, lived: Database, tmp_path: Path) -> None:
    other = as_role(lived, tmp_path, "monitor", "so-chinh")
    deed(admin, 2, "sign-out")
    assert other.get("/overdue").status_code == 303
    assert row(lived, Account, id=2).active


def test_a_deactivated_account_is_out_at_once_and_may_come_back(admin: Office, lived: Database, tmp_path: Path) -> None:
    other = as_role(lived, tmp_path, "monitor", "so-chinh")
    assert "Đã khóa tài khoản" in admin.get(deed(admin, 2, "deactivate").headers["location"]).text
    assert other.get("/overdue").status_code == 303
    deed(admin, 2, "reactivate")
    assert row(lived, Account, id=2).active


def test_the_last_administrator_is_neither_deactivated_nor_made_something_else(admin: Office, lived: Database) -> None:
    off = deed(admin, 1, "deactivate")
    other = deed(admin, 1, "", label="", role="head", agency_id="tinh", language="vi")
    assert (off.status_code, other.status_code) == (409, 409)
    assert "quản trị viên cuối cùng" in off.text
    assert "quản trị viên cuối cùng" in wrong(other.text)["role"]
    assert (row(lived, Account, id=1).active, row(lived, Account, id=1).role) == (True, "administrator")


def test_accounts_are_found_without_tones(admin: Office, lived: Database) -> None:
    add(admin)
    found = BeautifulSoup(admin.get("/admin/accounts?q=van phong").text, "lxml")
    assert [each.get_text() for each in found.select(".rows b")] == ["moi@so-ban.example"]
    assert "Không tài khoản nào" in admin.get("/admin/accounts?q=xyz").text


@pytest.mark.parametrize("role", ["head", "monitor", "coordinator", "leadership", "deputy"])
def test_accounts_are_the_administrators_alone(lived: Database, tmp_path: Path, role: str) -> None:
    office = as_role(lived, tmp_path, role, "so-chinh")
    token = office.token("/account")
    assert [office.get(path).status_code for path in ("/admin/accounts", NEW, "/admin/accounts/1")] == [403] * 3
    for path in (
        NEW,
        *(f"/admin/accounts/1{what}" for what in ("", "/password", "/sign-out", "/deactivate", "/reactivate")),
    ):
        assert office.client.post(path, data={"token": token, **GIVEN}).status_code == 403, path
    assert row(lived, Account, id=1).active


def test_what_is_not_there_is_said_in_words(admin: Office) -> None:
    assert admin.get("/admin/accounts/99").status_code == 404
    for what in ("", "password", "sign-out", "deactivate", "reactivate"):
        answer = deed(admin, 99, what, password=GOOD, role="head", agency_id="tinh", language="vi")
        assert answer.status_code == 404, what


def test_the_demonstration_makes_no_account_that_outlives_it(lived: Database, tmp_path: Path) -> None:
    demo = open_office(lived, tmp_path, step=lambda how: None)
    assert add(demo, password=GOOD).status_code == 409
    api = demo.client.post("/api/v1/accounts", json=GIVEN)
    assert (api.status_code, rows(lived, Account)) == (409, [])


LATER = timedelta(minutes=16)
LASTING = {
    NEW: GIVEN,
    "/admin/accounts/2": {"label": "Văn phòng", "role": "administrator", "agency_id": "so-ban", "language": "vi"},
    "/admin/accounts/2/password": {"password": "một câu khác dài khó đoán"},
    "/admin/accounts/2/second-factor/remove": {},
    "/admin/accounts/2/reactivate": {},
    "/admin/webhooks": {"url": "https://esb.tinh.example/x", "event": "assignment.overdue"},
    "/admin/settings/mail": {
        "smtp_host": "relay.evil.example",
        "smtp_port": "587",
        "smtp_security": "starttls",
        "do": "save",
    },
    "/admin/settings/sms": {"sms_gateway": "speedsms", "sms_password": "mat-khau", "do": "save"},
    "/admin/settings/address": {"base_url": "https://dondoc.evil.example"},
}


@pytest.fixture
def left_open(lived: Database, tmp_path: Path) -> tuple[Office, LinkBox]:
    """The browser of an administrator with a password, open for a quarter of an hour; account 2 is a head, 3 another
    administrator."""
    first = join(lived, "administrator", "tinh", password=GOOD)
    join(lived, "head", "so-ban")
    join(lived, "administrator", "so-chinh")
    box = LinkBox()
    office = enter(open_office(lived, tmp_path, links=link_post(box)), first)
    office.clock.now = NOW + LATER
    return office, box


@pytest.mark.parametrize("path", LASTING)
def test_an_open_browser_alone_does_nothing_that_lasts(left_open: tuple[Office, LinkBox], path: str) -> None:
    """It made a lasting administrator without a proof, and only the new one was told."""
    office, box = left_open
    before = kept(office)
    asked = office.post(path, **LASTING[path])
    assert (asked.status_code, 'name="proof"' in asked.text) == (403, True)
    assert "một câu khác" not in asked.text
    wrong_one = office.post(path, **LASTING[path], proof="không phải mật khẩu ấy")
    assert wrong_one.status_code == 403
    assert kept(office) == before
    done = office.post(path, **LASTING[path], proof=GOOD)
    assert done.status_code in (200, 303)
    told = {each.to for each in box.letters if "Người thực hiện: administrator@tinh.example" in each.text}
    assert told >= {"administrator@tinh.example", "administrator@so-chinh.example"}
    office.clock.now += timedelta(minutes=14)
    assert 'name="proof"' not in office.post(path, **LASTING[path]).text, "asked once in a quarter of an hour"


def kept(office: Office) -> object:
    database = office.context.database
    with database.read() as session:
        return (
            str(rows(database, Account)),
            str(rows(database, Webhook)),
            entered(session, office.context.signer).values,
        )


def test_a_browser_s_session_does_no_more_by_the_api(left_open: tuple[Office, LinkBox]) -> None:
    office, _ = left_open
    answer = office.client.post("/api/v1/accounts", json={name: GIVEN[name] for name in ("email", "role", "agency_id")})
    assert answer.status_code == 403
    hook = {"url": "https://esb.tinh.example/x", "label": "", "events": []}
    assert office.client.post("/api/v1/webhooks", json=hook).status_code == 403


def test_an_office_may_ask_a_second_administrator_for_a_new_one(lived: Database, tmp_path: Path) -> None:
    maker, other = join(lived, "administrator", "tinh"), join(lived, "administrator", "so-chinh")
    settings = {"second_administrator": True}
    office = enter(open_office(lived, tmp_path, **settings), maker)
    made = int(add(office, role="administrator").headers["location"].rpartition("/")[2].partition("?")[0])
    assert not row(lived, Account, id=made).active
    alone = deed(office, made, "reactivate")
    assert (alone.status_code, "quản trị viên khác" in alone.text) == (403, True)
    raised = join(lived, "head", "so-ban")
    assert deed(office, raised, "", **GIVEN | {"role": "administrator"}).status_code == 303
    assert not row(lived, Account, id=raised).active
    second = enter(open_office(lived, tmp_path, **settings), other)
    assert deed(second, made, "reactivate").status_code == 303
    assert row(lived, Account, id=made).active


def test_a_closed_administrator_is_opened_again_by_two_where_the_office_asks_for_two(
    lived: Database, tmp_path: Path
) -> None:
    first, other = join(lived, "administrator", "tinh"), join(lived, "administrator", "so-chinh")
    closed = join(lived, "administrator", "so-ban")
    settings = {"second_administrator": True}
    office, second = (enter(open_office(lived, tmp_path, **settings), each) for each in (first, other))
    deed(office, closed, "deactivate")
    asked = deed(office, closed, "reactivate")
    assert "cần một quản trị viên khác" in office.get(asked.headers["location"]).text
    assert deed(office, closed, "reactivate").status_code == 403
    assert not row(lived, Account, id=closed).active
    deed(second, closed, "reactivate")
    assert row(lived, Account, id=closed).active
