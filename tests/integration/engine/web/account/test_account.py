"""One's own account: keys for programs, shown once, and the language. Sessions and password are in test_signin."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import row, rows
from ground.office import NOW, Office, as_role, enter, join, open_office

from engine.accounts.api_tokens import make_token
from engine.store.database import Database
from engine.store.records import Account, ApiToken


@pytest.fixture
def mine(lived: Database, tmp_path: Path) -> Office:
    """As huyen-b's coordinator."""
    return as_role(lived, tmp_path, "coordinator", "huyen-b")


def make(office: Office, **fields: object) -> str:
    """Make a key by the page; the page that answers."""
    given = {"label": "Kho số liệu", "scope": ["read", "report"], "days": "90"} | fields
    answer = office.post("/account/tokens", page="/account", **given)
    assert answer.status_code == 200, answer.text
    return answer.text


def key_in(page: str) -> str:
    found = BeautifulSoup(page, "lxml").select_one("code.secret")
    return found.get_text() if found else ""


def test_a_key_is_shown_once_and_works_at_once(mine: Office, lived: Database, tmp_path: Path) -> None:
    key = key_in(make(mine))
    assert key
    assert key not in mine.get("/account").text
    assert "chưa dùng lần nào" in mine.get("/account").text
    program = open_office(lived, tmp_path)
    answer = program.get("/api/v1/assignments", headers={"authorization": f"Bearer {key}"})
    assert {each["agency_id"] for each in answer.json()["items"]} == {"huyen-b"}
    assert "dùng lần cuối thứ Năm, 24/6/2021" in mine.get("/account").text
    assert "last used Thursday, 24/6/2021" in mine.get("/account?lang=en").text


def test_keys_are_listed_with_what_they_may_do_and_until_when(mine: Office) -> None:
    make(mine)
    shown = BeautifulSoup(mine.get("/account").text, "lxml").select_one("#keys .rows")
    assert shown is not None
    text = shown.get_text()
    assert "Kho số liệu" in text
    assert "Xem; Xác nhận, báo cáo, xin gia hạn" in text
    assert "22/9/2021" in text


def test_a_revoked_key_is_refused_and_folded_away(mine: Office, lived: Database, tmp_path: Path) -> None:
    key = key_in(make(mine))
    answer = mine.post("/account/tokens/1/revoke", page="/account")
    assert answer.headers["location"] == "/account?said=revoked"
    program = open_office(lived, tmp_path)
    assert program.get("/api/v1/plans", headers={"authorization": f"Bearer {key}"}).status_code == 401
    assert "1 khóa đã thu hồi hoặc hết hạn" in mine.get("/account").text
    assert mine.post("/account/tokens/1/revoke", page="/account").status_code == 404


def test_nobody_revokes_anothers_key(mine: Office, lived: Database) -> None:
    other = join(lived, "head", "huyen-b")
    with lived.write() as session:
        make_token(session, other, label="x", scopes=["read"], lasts=timedelta(days=1), actor="cli", now=NOW)
    assert mine.post("/account/tokens/1/revoke", page="/account").status_code == 404
    assert row(lived, ApiToken, id=1).revoked_at is None


@pytest.mark.parametrize(
    "fields",
    [
        {"label": " "},
        {"scope": []},
        {"scope": ["everything"]},
        {"days": "9999"},
        {"days": "x"},
        {"days": ""},
        {"label": "a\x00"},
        {"label": "a" * 121},
    ],
)
def test_a_key_that_cannot_be_made_says_why_and_keeps_what_was_typed(mine: Office, fields: dict[str, object]) -> None:
    given = {"token": mine.token("/account"), "label": "Kho số liệu", "scope": "report", "days": "366"} | fields
    answer = mine.client.post("/account/tokens", data=given)
    page = BeautifulSoup(answer.text, "lxml")
    assert (answer.status_code, bool(page.select_one("#key-why"))) == (422, True)
    assert page.select_one("#key-label[aria-invalid=true]")
    if "label" not in fields:
        assert page.select_one("#key-label")["value"] == "Kho số liệu"  # type: ignore[index]
    assert rows(mine.context.database, ApiToken) == []


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        ("coordinator", ["read", "report"]),
        ("head", ["read", "report", "administer"]),
        ("monitor", ["read", "decide"]),
        ("leadership", ["read"]),
        ("administrator", ["read", "report", "decide", "administer"]),
    ],
)
def test_only_what_the_account_can_do_is_offered(lived: Database, tmp_path: Path, role: str, scopes: list[str]) -> None:
    page = BeautifulSoup(as_role(lived, tmp_path, role, "tinh").get("/account").text, "lxml")
    assert [each["value"] for each in page.select("[name=scope]")] == scopes


def test_the_language_of_pages_and_letters_is_ones_own_to_choose(mine: Office, lived: Database) -> None:
    answer = mine.post("/account/language", page="/account", language="en")
    assert answer.headers["location"] == "/account?said=language&lang=en"
    assert "now speak English" in mine.get(answer.headers["location"]).text
    assert row(lived, Account, id=1).language == "en"
    assert mine.post("/account/language", page="/account", language="fr").status_code in (400, 422)


def test_pages_of_errors_speak_ones_own_language_too(mine: Office) -> None:
    assert "Không tìm thấy" in mine.get("/assignments/99999").text
    mine.post("/account/language", page="/account", language="en")
    assert "Nothing here" in mine.get("/assignments/99999").text


def test_an_unattended_browser_makes_no_key_and_no_first_password(mine: Office, lived: Database) -> None:
    mine.clock.now += timedelta(minutes=16)
    form = {"label": "Kho số liệu", "scope": ["read"], "days": "90"}
    assert "15 phút" in mine.post("/account/tokens", page="/account", **form).text
    new = "mot cau khac con dai hon 8"
    assert "15 phút" in mine.post("/account/password", page="/account", new=new, again=new).text
    api = mine.client.post("/api/v1/account/tokens", json={"label": "x", "scopes": ["read"], "days": 9})
    assert (api.status_code, rows(lived, ApiToken)) == (400, [])


def test_who_has_a_password_gives_it_for_a_key(lived: Database, tmp_path: Path) -> None:
    account = join(lived, "coordinator", "huyen-b", password="mot cau dai de nho 7")
    office = enter(open_office(lived, tmp_path), account)
    form = {"label": "Kho số liệu", "scope": ["read"], "days": "90", "page": "/account"}
    assert "không đúng" in office.post("/account/tokens", **form, password="sai").text
    assert key_in(office.post("/account/tokens", **form, password="mot cau dai de nho 7").text)
    assert len(rows(lived, ApiToken)) == 1


def test_administrators_see_every_key_with_its_owner_scope_and_last_use(
    mine: Office, lived: Database, tmp_path: Path
) -> None:
    key = key_in(make(mine))
    open_office(lived, tmp_path).get("/api/v1/assignments", headers={"authorization": f"Bearer {key}"})
    page = as_role(lived, tmp_path, "administrator", "tinh").get("/admin/accounts").text
    section = BeautifulSoup(page.partition('id="keys"')[2], "lxml").get_text(" ")
    for shown in ("Kho số liệu", "coordinator@huyen-b.example", "Xem, Báo cáo", "dùng lần cuối thứ Năm, 24/6/2021"):
        assert shown in section
    assert key not in page
