"""The first administrator: nobody without the set-up code from the server's terminal."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import rows
from ground.office import NOW, Office, join, open_office

from engine.accounts.permissions import ActorRole
from engine.accounts.setup_code import BY_NETWORK, CODE_LIFETIME, issue_setup_code
from engine.store.database import Database
from engine.store.records import Account, Agency, Fact

GOOD = "mot cau dai de nho 7"
ACCOUNT = {"act": "create", "email": "quantri@tinh.example", "agency_id": "tinh", "language": "vi"}


@pytest.fixture
def closed(lived: Database, tmp_path: Path) -> Office:
    """As installed: no account, and no open desk."""
    return open_office(lived, tmp_path, open_desk=False)


def issue(office: Office) -> str:
    with office.context.database.write() as session:
        return issue_setup_code(session, office.clock.now) or ""


def create(office: Office, code: str, password: str = GOOD, **more: str) -> int:
    fields = ACCOUNT | {"code": code, "password": password, "again": password} | more
    return office.post("/setup", page="/setup", **fields).status_code


def test_before_the_first_account_nobody_creates_one_without_the_code(closed: Office, lived: Database) -> None:
    issue(closed)
    body = {"email": "a@b.example", "role": "administrator", "agency_id": "tinh", "password": GOOD}
    assert closed.client.post("/api/v1/accounts", json=body).status_code == 401
    assert closed.post("/admin/add-account", page="/sign-in", **body).status_code == 401
    assert [create(closed, code) for code in ("", "wrong", "%", "setup_code:")] == [403] * 4
    assert rows(lived, Account) == []


def test_the_code_opens_the_form_and_makes_the_first_administrator_once(closed: Office, lived: Database) -> None:
    assert 'href="/setup"' in closed.get("/sign-in").text
    code = issue(closed)
    form = BeautifulSoup(closed.post("/setup", page="/setup", code=code).text, "lxml")
    assert "tinh" in [option["value"] for option in form.select("#f-agency_id option")]

    assert create(closed, code) == 303

    made = rows(lived, Account)[0]
    assert (made.email, made.role) == ("quantri@tinh.example", ActorRole.ADMINISTRATOR)
    assert closed.get("/admin/accounts").status_code == 200
    stranger = open_office(lived, Path(), open_desk=False)
    assert stranger.get("/setup").headers["location"] == "/sign-in"
    again = stranger.post("/setup", page="/sign-in", code=code, **ACCOUNT, password=GOOD, again=GOOD)
    assert again.headers["location"] == "/sign-in"
    assert len(rows(lived, Account)) == 1
    assert "set-up" not in stranger.get("/sign-in?lang=en").text


def test_only_its_digest_is_kept_and_a_second_code_does_not_end_the_first(closed: Office, lived: Database) -> None:
    first, second = issue(closed), issue(closed)
    assert not any(code in f"{fact.name}{fact.value}" for code in (first, second) for fact in rows(lived, Fact))
    assert create(closed, first) == 303
    assert not [fact for fact in rows(lived, Fact) if fact.name.startswith("setup_code")]


def test_a_weak_password_keeps_the_code(closed: Office) -> None:
    code = issue(closed)
    assert [create(closed, code, password) for password in ("short", "", GOOD)] == [422, 422, 303]


def test_a_code_expires(closed: Office, lived: Database) -> None:
    code = issue(closed)
    closed.clock.now = NOW + CODE_LIFETIME + timedelta(seconds=1)
    assert create(closed, code) == 403
    issue(closed)
    assert len([fact for fact in rows(lived, Fact) if fact.name.startswith("setup_code")]) == 1


def test_guessing_is_limited_and_does_not_shut_out_who_has_the_code(closed: Office) -> None:
    """Behind a proxy that names nobody, all share one network."""
    codes = ["x"] * (BY_NETWORK.most + 1) + [issue(closed)]
    assert [create(closed, code) for code in codes] == [403] * BY_NETWORK.most + [429, 303]


def test_no_code_is_issued_once_there_is_an_account(closed: Office, lived: Database) -> None:
    join(lived, "coordinator", "huyen-b")
    assert issue(closed) == ""


def test_in_an_empty_directory_the_first_administrator_names_the_office(
    sqlite_database: Database, tmp_path: Path
) -> None:
    """As after `dondoc init`, which loads no agency."""
    empty = open_office(sqlite_database, tmp_path, open_desk=False)
    code = issue(empty)
    form = BeautifulSoup(empty.post("/setup", page="/setup", code=code).text, "lxml")
    assert form.select_one("#f-agency") is not None
    assert create(empty, code, agency_id="", agency="") == 422
    assert rows(sqlite_database, Agency) == []
    assert create(empty, code, agency_id="", agency="Sở Y tế") == 303
    assert [(made.id, made.name) for made in rows(sqlite_database, Agency)] == [("so-y-te", "Sở Y tế")]
    assert rows(sqlite_database, Account)[0].agency_id == "so-y-te"
    for page in ("/", "/overdue", "/assignments", "/plans", "/admin", "/admin/agencies", "/health", "/plans/import"):
        assert empty.get(page).status_code == 200, page


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("Ủy ban nhân dân tỉnh Nghệ An", "tinh"),
        ("UBND TỈNH CÀ MAU", "tinh"),
        ("Ủy ban nhân dân thành phố Huế", "tinh"),
        ("Văn phòng UBND tỉnh", "so"),
    ],
)
def test_an_office_s_name_says_whether_it_is_the_province(
    sqlite_database: Database, tmp_path: Path, name: str, level: str
) -> None:
    empty = open_office(sqlite_database, tmp_path, open_desk=False)
    assert create(empty, issue(empty), agency_id="", agency=name) == 303
    assert [made.level for made in rows(sqlite_database, Agency)] == [level]
