"""Accounts: who may sign in, and what ends with an account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ground.factory import at, directory, happened, row, rows
from ground.hashing import real_hashing

from engine.accounts import accounts, api_tokens, passwords, sign_in
from engine.accounts.accounts import AccountLine
from engine.accounts.passwords import hashed, matches, require_strong_password
from engine.accounts.permissions import ActorRole
from engine.agencies.directory_loading import load_directory
from engine.errors import BadInput, Conflict, NotFound
from engine.store.database import Database
from engine.store.records import Account, Event

NOW = at("2021-06-07")
GOOD = "Sông Lam chảy mãi"


@pytest.fixture
def laid(database: Database) -> Database:
    with database.write() as session:
        load_directory(session, directory(), actor="cli:test", now=NOW)
    return database


def make(database: Database, email: str = "vanphong@so-ban.example", **more: Any) -> int:
    given = {"role": "coordinator", "agency_id": "so-ban", "password": GOOD, "actor": "cli:test", "now": NOW} | more
    with database.write() as session:
        return accounts.create(session, email=email, **given)


def found(database: Database, account_id: int) -> AccountLine:
    with database.read() as session:
        return accounts.account(session, account_id)


def do(database: Database, deed: Any, *given: Any, **more: Any) -> Any:
    with database.write() as session:
        return deed(session, *given, actor="account:9", now=NOW, **more)


def test_a_new_account_acts_for_its_agency_in_its_role_and_keeps_no_password(laid: Database) -> None:
    made = make(laid, " VanPhong@So-Ban.example ")
    line = found(laid, made)
    assert (line.email, line.agency, line.has_password) == ("vanphong@so-ban.example", "So ban", True)
    assert (line.actor.name, line.actor.role) == (f"account:{made}", ActorRole.COORDINATOR)
    assert GOOD not in row(laid, Account, id=made).password


@pytest.mark.parametrize(
    "given",
    [
        {"email": "không phải thư"},
        {"role": "chủ tịch"},
        {"agency_id": "so-khong-co"},
        {"language": "fr"},
        {"password": "ngắn"},
    ],
)
def test_what_cannot_be_an_account_is_said_in_words_and_nothing_is_made(laid: Database, given: dict[str, str]) -> None:
    with pytest.raises(BadInput, match=" / "):
        make(laid, **given)
    assert rows(laid, Account) == []


def test_a_mailbox_has_one_account_however_it_is_written(laid: Database) -> None:
    make(laid)
    with pytest.raises(Conflict):
        make(laid, "VANPHONG@so-ban.example")


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("ngắn", "12 ký tự"),
        ("aaaaaaaaaaaaaaaa", "năm ký tự"),
        ("matkhau2021!", "ai cũng thử"),
        ("Mật khẩu 2021!", "ai cũng thử"),
        ("123456789012", "ai cũng thử"),
        ("password123456", "ai cũng thử"),
        ("P@ssw0rd123456", "ai cũng thử"),
        ("matkhau123456", "ai cũng thử"),
        ("administrator", "ai cũng thử"),
        ("quantrivien123", "ai cũng thử"),
        ("qwertyuiop123", "ai cũng thử"),
        ("anhyeuem123456", "ai cũng thử"),
        ("111222333444", "ai cũng thử"),
        ("vietnamvietnam", "ai cũng thử"),
        ("ubndnghean2025", "ai cũng thử"),
        ("SoXayDung@2025", "ai cũng thử"),
        ("soban2025soban", "ai cũng thử"),
        ("soyte@nghean2026", "ngoài tên cơ quan"),
        ("SoYTe#NgheAn2026!", "ngoài tên cơ quan"),
        ("Sở Bản, Quảng Trị 2026", "ngoài tên cơ quan"),
        ("lao động nghệ an 2026", "ngoài tên cơ quan"),
        (" \u0301" * 8, "năm ký tự"),  # nothing is left of it once tones and spaces are gone
        ("vanphong cua toi", "tên hộp thư"),
        ("x" * 300, "không quá 256"),
    ],
)
def test_a_poor_password_is_refused_with_what_is_wrong(password: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        require_strong_password(password, "vanphong@so-ban.example", ("so-ban", "Sở Bản"))


@pytest.mark.parametrize(
    "password", ["mot cau dai de nho 7", "Sông Lam chảy mãi", "zq8Kf0w!mTr2", "mưa rào cuối hạ" * 17]
)
def test_a_few_unrelated_words_are_a_good_password(password: str) -> None:
    require_strong_password(password, "vanphong@so-ban.example", ("so-ban", "Sở Bản"))


def test_a_new_role_signs_the_person_out(laid: Database) -> None:
    made = make(laid)
    with laid.write() as session:
        key = sign_in.open_session(session, made, way="password", device="", now=NOW)
    do(laid, accounts.change, made, role="head")
    with laid.read() as session:
        assert sign_in.holder_of(session, key, NOW) is None
    assert found(laid, made).role is ActorRole.HEAD


def test_a_label_may_change_without_signing_out(laid: Database) -> None:
    made = make(laid)
    with laid.write() as session:
        key = sign_in.open_session(session, made, way="password", device="", now=NOW)
    do(laid, accounts.change, made, label="Văn phòng")
    with laid.read() as session:
        assert sign_in.holder_of(session, key, NOW) is not None


def test_a_closed_account_loses_sessions_links_and_tokens_at_once(laid: Database) -> None:
    made = make(laid)
    with laid.write() as session:
        cookie = sign_in.open_session(session, made, way="password", device="", now=NOW)
        link = sign_in.request_link(session, email="vanphong@so-ban.example", now=NOW) or ""
        token = api_tokens.make_token(
            session, made, label="máy", scopes=["read"], lasts=timedelta(days=9), actor="account:1", now=NOW
        )
    do(laid, accounts.deactivate, made)
    with laid.write() as session:
        assert sign_in.holder_of(session, cookie, NOW) is None
        assert api_tokens.bearer_of(session, token, NOW) is None
        with pytest.raises(Exception, match="đã dùng"):
            sign_in.open_by_link(session, link, device="", now=NOW)


def test_the_last_administrator_stays(laid: Database) -> None:
    boss = make(laid, "quantri@tinh.example", role="administrator", agency_id="tinh")
    with pytest.raises(Conflict, match="cuối cùng"):
        do(laid, accounts.deactivate, boss)
    make(laid, "quantri2@tinh.example", role="administrator", agency_id="tinh")
    do(laid, accounts.deactivate, boss)
    do(laid, accounts.reactivate, boss)
    assert found(laid, boss).active


def test_every_change_is_an_event_that_names_the_account_and_no_mailbox(laid: Database) -> None:
    made = make(laid)
    do(laid, accounts.set_password, made, "Bến Thủy chiều mưa 2")
    do(laid, accounts.change, made, role="head")
    do(laid, accounts.deactivate, made)
    assert happened(laid, kind="account_changed") == ["account_changed"] * 4
    said = str([each.detail for each in rows(laid, Event)])
    assert "vanphong" not in said
    assert [each.detail["what"] for each in rows(laid, Event, kind="account_changed")] == [
        "created",
        "password",
        "changed",
        "deactivated",
    ]


def test_an_account_nobody_made_is_not_found(laid: Database) -> None:
    with pytest.raises(NotFound):
        do(laid, accounts.deactivate, 77)


def test_single_sign_on_finds_the_account_by_subject_and_binds_it_by_a_verified_mailbox_once(laid: Database) -> None:
    made = make(laid)
    with laid.write() as session:
        claims = {"email": "vanphong@so-ban.example", "now": NOW}
        assert accounts.match_subject(session, "iss|1", verified=False, **claims) is None
        bound = accounts.match_subject(session, "iss|1", verified=True, **claims)
        assert bound is not None
        assert bound.id == made
        assert accounts.match_subject(session, "iss|2", verified=True, **claims) is None
        assert accounts.by_subject(session, "iss|1") == bound
        assert accounts.by_subject(session, "") is None


def test_the_list_costs_one_query_and_shows_closed_ones_last(laid: Database) -> None:
    first = make(laid, "a@so-ban.example")
    make(laid, "b@so-ban.example")
    do(laid, accounts.deactivate, first)
    with laid.read() as session:
        listed = accounts.list_accounts(session)
    assert [each.email for each in listed] == ["b@so-ban.example", "a@so-ban.example"]


def test_a_password_of_nobody_is_hashed_as_dearly_as_anybodys() -> None:
    """So that the time it takes tells nobody whether an address is known."""
    with real_hashing():
        theirs, nobodys = (
            kept.rpartition("$")[0].rpartition("$")[0] for kept in (hashed("x" * 12), passwords._dummy_hash())
        )
    assert theirs == nobodys == "$argon2id$v=19$m=19456,t=2,p=1"
    assert not matches("", "x" * 12)
