"""A second factor: without its code neither a password nor a link opens anything."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from ground.factory import row, rows
from ground.office import NOW, Office, enter, join, open_office
from ground.post import LinkBox, link_post

from engine.accounts.accounts import match_subject
from engine.accounts.api_tokens import make_token
from engine.accounts.second_factor import STEP_SECONDS, WrongCode, propose, prove
from engine.errors import TooOften
from engine.store.database import Database
from engine.store.records import ApiToken, SecondFactor
from engine.store.records import UserSession as StoredSession

GOOD = "mot cau dai de nho 7"
EMAIL = "monitor@so-chinh.example"


def office_of(lived: Database, folder: Path, **settings: object) -> Office:
    return open_office(lived, folder, **settings)


@pytest.fixture
def one(lived: Database, tmp_path: Path) -> Office:
    join(lived, "monitor", "so-chinh", password=GOOD)
    return office_of(lived, tmp_path)


def sign_in(office: Office) -> None:
    assert office.post("/sign-in", page="/sign-in", email=EMAIL, password=GOOD).status_code == 303


def secret_of(page: str) -> str:
    found = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    assert found
    return found[1]


def now_shown(office: Office, secret: str) -> str:
    return pyotp.TOTP(secret).at(office.clock.now)


def set_up(office: Office) -> tuple[str, list[str]]:
    """Set the factor, signed in; its secret and the recovery codes."""
    if office.get("/account/second-factor").status_code != 200:
        sign_in(office)
    page = office.get("/account/second-factor").text
    secret, sealed = secret_of(page), re.search(r'name="sealed" value="([^"]+)"', page)
    assert sealed
    done = office.post(
        "/account/second-factor",
        page="/account/second-factor",
        sealed=sealed[1],
        code=now_shown(office, secret),
        password=GOOD,
    )
    assert done.status_code == 200, done.text
    return secret, re.findall(r"<code>([0-9a-f]{6}-[0-9a-f]{6})</code>", done.text)


def code(office: Office, typed: str) -> int:
    return office.post("/sign-in/code", page="/sign-in/code", code=typed).status_code


def leave(office: Office) -> None:
    office.post("/sign-out", page="/account")
    office.clock.now += timedelta(seconds=STEP_SECONDS)


def test_a_password_alone_opens_nothing_once_there_is_a_factor(one: Office) -> None:
    secret, _ = set_up(one)
    assert one.get("/account").status_code == 200  # this session has just shown it
    leave(one)
    sign_in(one)
    assert one.get("/overdue").headers["location"].startswith("/sign-in?")
    assert one.get("/sign-in?to=/overdue").headers["location"] == "/sign-in/code?to=%2Foverdue"
    assert one.get("/api/v1/board").status_code == 401
    assert one.get("/account/second-factor").status_code == 303
    assert code(one, "000000") == 401
    assert code(one, now_shown(one, secret)) == 303
    assert one.get("/overdue").status_code == 200


def test_a_code_works_once(one: Office) -> None:
    secret, _ = set_up(one)
    leave(one)
    sign_in(one)
    shown = now_shown(one, secret)
    assert code(one, shown) == 303
    one.post("/sign-out", page="/account")
    sign_in(one)
    assert code(one, shown) == 401


def test_a_recovery_code_works_once_in_place_of_the_telephone(one: Office) -> None:
    _, recovery = set_up(one)
    assert len(set(recovery)) == 8
    for expected in (303, 401):
        leave(one)
        sign_in(one)
        assert code(one, recovery[0].upper()) == expected


def test_guessing_is_limited_by_the_account(one: Office) -> None:
    set_up(one)
    leave(one)
    sign_in(one)
    assert [code(one, f"{n:06}") for n in range(7)] == [401] * 5 + [429] * 2


def test_whoever_guesses_elsewhere_keeps_the_owner_out_neither_by_the_app_nor_by_a_recovery_code(one: Office) -> None:
    """A stranger who has the password, on another network and then on the owner's."""
    secret, recovery = set_up(one)
    leave(one)
    sign_in(one)
    for network, tried in (("203.0.113.9", 5), ("203.0.113.10", 5)):
        for n in range(tried + 1):
            with pytest.raises(WrongCode if n < tried else TooOften):
                prove_from(one, network, f"{n:06}")
    assert code(one, now_shown(one, secret)) == 303
    leave(one)
    sign_in(one)
    assert [code(one, f"{n:06}") for n in range(6)] == [401] * 5 + [429]
    assert code(one, now_shown(one, secret)) == 429
    assert code(one, recovery[1]) == 303


def prove_from(office: Office, network: str, typed: str) -> None:
    context = office.context
    prove(context.database, context.signer, 1, 1, typed, network=network, now=office.clock.now)


def test_neither_secret_nor_recovery_codes_can_be_read_in_the_database(one: Office, lived: Database) -> None:
    secret, recovery = set_up(one)
    stored = row(lived, SecondFactor, account_id=1)
    assert secret not in stored.secret
    assert not set(recovery) & set(stored.recovery)


def test_an_old_page_or_anothers_sets_nothing(one: Office, lived: Database) -> None:
    sign_in(one)
    page = one.get("/account/second-factor").text
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)
    assert sealed
    one.clock.now += timedelta(minutes=16)
    typed = {"code": now_shown(one, secret_of(page)), "password": GOOD}
    assert one.post("/account/second-factor", page="/account", sealed=sealed[1], **typed).status_code == 400
    assert one.post("/account/second-factor", page="/account", sealed="x", **typed).status_code == 400
    assert (
        one.post("/account/second-factor", page="/account", sealed=sealed[1], code="1", password="x").status_code == 400
    )
    assert rows(lived, SecondFactor) == []


def test_an_office_may_ask_a_role_for_it(lived: Database, tmp_path: Path) -> None:
    join(lived, "monitor", "so-chinh", password=GOOD)
    office = office_of(lived, tmp_path, second_factor_roles="administrator, monitor")
    sign_in(office)
    assert office.get("/overdue").headers["location"] == "/account/second-factor"
    assert office.get("/api/v1/board").status_code == 403
    assert office.get("/account").headers["location"] == "/account/second-factor"
    office.clock.now += timedelta(minutes=1)
    set_up(office)
    assert office.get("/overdue").status_code == 200
    assert office.post("/account/second-factor/remove", page="/account", password=GOOD).status_code == 409


def key_of(lived: Database, account_id: int, *scopes: str) -> str:
    with lived.write() as session:
        lasts = timedelta(days=30)
        return make_token(session, account_id, label="Kho", scopes=scopes, lasts=lasts, actor="cli", now=NOW)


def by_key(office: Office, key: str, path: str = "/api/v1/board") -> int:
    return office.client.get(path, headers={"authorization": f"Bearer {key}"}).status_code


def test_a_role_that_must_have_it_makes_no_key_by_password_alone(lived: Database, tmp_path: Path) -> None:
    join(lived, "administrator", "so-chinh", password=GOOD)
    join(lived, "coordinator", "huyen-b", password=GOOD)
    office = office_of(lived, tmp_path, second_factor_roles="administrator")
    mail = "administrator@so-chinh.example"
    assert office.post("/sign-in", page="/sign-in", email=mail, password=GOOD).status_code == 303
    wanted = {"label": "x", "scope": "administer", "days": "366", "password": GOOD}
    assert office.post("/account/tokens", page="/account/second-factor", **wanted).status_code == 403
    json = {"label": "x", "scopes": ["administer"], "days": 366, "password": GOOD}
    assert office.client.post("/api/v1/account/tokens", json=json).status_code == 403
    assert rows(lived, ApiToken) == []


def test_until_it_is_set_only_its_page_and_signing_out_open(lived: Database, tmp_path: Path) -> None:
    join(lived, "monitor", "so-chinh", password=GOOD)
    office = office_of(lived, tmp_path, second_factor_roles="monitor")
    sign_in(office)
    for path in ("/", "/account", "/accounts", "/account/second-factors"):
        assert office.get(path).headers.get("location", "404") in ("/account/second-factor", "404"), path
    page = "/account/second-factor"
    for path in ("password", "language", "sessions/end-others", "sessions/1/end", "second-factor/remove"):
        assert office.post(f"/account/{path}", page=page, password=GOOD).status_code == 403, path
    assert office.get(page).status_code == 200
    assert office.post("/sign-out", page=page).headers["location"].startswith("/sign-in")
    assert office.get(page).headers["location"].startswith("/sign-in")


def test_a_key_of_a_role_that_must_have_it_waits_for_it(lived: Database, tmp_path: Path) -> None:
    join(lived, "monitor", "so-chinh", password=GOOD)
    key = key_of(lived, 1, "read")
    office = office_of(lived, tmp_path, second_factor_roles="monitor")
    refused = office.client.get("/api/v1/board", headers={"authorization": f"Bearer {key}"})
    assert (refused.status_code, "lớp xác thực thứ hai" in refused.json()["detail"]) == (403, True)
    assert row(lived, ApiToken).used_on is None
    set_up(office)
    assert by_key(office, key) == 200


def test_a_key_of_single_sign_on_or_of_another_role_needs_none_of_ours(lived: Database, tmp_path: Path) -> None:
    join(lived, "monitor", "so-chinh", password=GOOD)
    join(lived, "coordinator", "huyen-b", password=GOOD)
    sso, other = key_of(lived, 1, "read"), key_of(lived, 2, "read")
    with lived.write() as session:
        match_subject(session, "https://issuer.example|1", email=EMAIL, verified=True, now=NOW)
    office = office_of(lived, tmp_path, second_factor_roles="monitor")
    assert by_key(office, sso) == 200
    assert by_key(office, other, "/api/v1/account") == 200


def test_the_owner_removes_it_with_the_password(one: Office, lived: Database) -> None:
    set_up(one)
    assert one.post("/account/second-factor/remove", page="/account", password="x").status_code == 400
    assert one.post("/account/second-factor/remove", page="/account", password=GOOD).status_code == 303
    assert rows(lived, SecondFactor) == []


def test_an_administrator_removes_it_and_signs_the_account_out(one: Office, lived: Database, tmp_path: Path) -> None:
    set_up(one)
    join(lived, "administrator", "so-chinh", password=GOOD)
    admin = office_of(lived, tmp_path)
    admin.post("/sign-in", page="/sign-in", email="administrator@so-chinh.example", password=GOOD)
    assert "Lớp xác thực thứ hai" in admin.get("/admin/accounts/1").text
    admin.post("/admin/accounts/1/second-factor/remove", page="/admin/accounts/1")
    assert rows(lived, SecondFactor) == []
    assert all(each.ended_at for each in rows(lived, StoredSession, account_id=1))


def test_the_first_factor_of_an_account_waits_for_its_mailbox(lived: Database, tmp_path: Path) -> None:
    """Whoever had the password alone set the factor on their own telephone and locked the owner out."""
    join(lived, "monitor", "so-chinh", password=GOOD)
    box = LinkBox()
    office = office_of(lived, tmp_path, second_factor_roles="monitor", links=link_post(box))
    sign_in(office)
    page = office.get("/account/second-factor").text
    assert "Gửi liên kết tới hộp thư" in page
    assert not re.search(r"<code>[A-Z2-7]{32}</code>", page)
    sealed = propose(office.context.signer, 1, EMAIL, office.clock.now)
    typed = {"sealed": sealed.sealed, "code": now_shown(office, sealed.secret), "password": GOOD}
    assert office.post("/account/second-factor", **typed).status_code == 400
    assert rows(lived, SecondFactor) == []
    office.post("/sign-in/link", email=EMAIL, to="/account/second-factor")
    assert office.post(box.path, to="/account/second-factor").headers["location"] == "/account/second-factor"
    set_up(office)
    assert len(rows(lived, SecondFactor)) == 1


def test_accounts_that_lack_a_factor_their_role_must_have_are_listed(lived: Database, tmp_path: Path) -> None:
    join(lived, "monitor", "so-chinh", password=GOOD)
    admin = enter(office_of(lived, tmp_path, second_factor_roles="monitor"), join(lived, "administrator", "tinh"))
    for path in ("/health", "/admin/accounts"):
        assert "1 tài khoản thuộc vai trò phải có lớp xác thực thứ hai chưa đặt" in " ".join(
            admin.get(path).text.split()
        )
