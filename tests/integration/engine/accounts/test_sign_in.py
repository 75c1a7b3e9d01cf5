"""Signing in and what follows: sessions that slide and end, links that work once, limits that say when to try again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ground.factory import at, directory, rows
from ground.hashing import real_hashing

from engine.accounts import accounts, sign_in
from engine.accounts.rate_limit import Limit, count, enforce_rate_limit
from engine.accounts.sign_in import MAX_SESSION_TIME, SESSION_IDLE_TIME, SignInRefused
from engine.agencies.directory_loading import load_directory
from engine.errors import LinkRefused, NotFound, TooOften
from engine.store.database import Database
from engine.store.records import Account, Attempt, Event, SignInLink, UserSession

NOW = at("2021-06-07")
EMAIL, GOOD = "vanphong@so-ban.example", "Sông Lam chảy mãi"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def person(database: Database) -> int:
    """The account of so-ban's coordinator."""
    with database.write() as session:
        load_directory(session, directory(), actor="cli:test", now=NOW)
        return accounts.create(
            session, email=EMAIL, role="coordinator", agency_id="so-ban", password=GOOD, actor="cli:test", now=NOW
        )


def enter(database: Database, **more: Any) -> str:
    given = {"email": EMAIL, "password": GOOD, "ip": "10.1.1.1", "device": "Firefox", "now": NOW} | more
    return sign_in.sign_in(database, **given)


def holder(database: Database, key: str, now: Any = NOW) -> sign_in.SessionHolder | None:
    with database.read() as session:
        return sign_in.holder_of(session, key, now)


def test_the_right_password_opens_a_session_whose_cookie_is_kept_nowhere(database: Database, person: int) -> None:
    key = enter(database, email=" VanPhong@so-ban.example")
    mine = holder(database, key)
    assert mine is not None
    assert (mine.account.id, mine.expires_at) == (person, NOW + SESSION_IDLE_TIME)
    assert key not in str(rows(database, UserSession))
    assert rows(database, Event, kind="signed_in")[0].detail == {"way": "password"}


def test_a_wrong_password_and_an_unknown_address_are_told_the_same(database: Database, person: int) -> None:
    said = []
    for given in ({"password": "sai rồi sai rồi"}, {"email": "ai-do@so-ban.example"}, {"password": ""}):
        with pytest.raises(SignInRefused) as refused:
            enter(database, **given)
        said.append(str(refused.value))
    assert len(set(said)) == 1
    assert len(rows(database, Attempt)) == 6  # the address and the network, thrice


def test_after_five_wrong_ones_even_the_right_one_waits_and_is_told_until_when(database: Database, person: int) -> None:
    for n in range(5):
        with pytest.raises(SignInRefused):
            enter(database, password="sai", now=NOW + n * MINUTE)
    with pytest.raises(TooOften, match="sau 08:15") as refused:
        enter(database, now=NOW + 5 * MINUTE)
    assert refused.value.again == NOW + 15 * MINUTE
    assert enter(database, now=NOW + 15 * MINUTE)


def test_an_unknown_address_is_limited_like_a_known_one(database: Database, person: int) -> None:
    for _ in range(5):
        with pytest.raises(SignInRefused):
            enter(database, email="ai-do@so-ban.example")
    with pytest.raises(TooOften):
        enter(database, email="ai-do@so-ban.example")
    assert enter(database)


def test_the_right_password_begins_the_count_of_the_address_anew(database: Database, person: int) -> None:
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(SignInRefused):
                enter(database, password="sai")
        assert enter(database)


def test_one_network_may_not_try_everybody(database: Database, person: int) -> None:
    with database.write() as session:
        for n in range(50):
            count(session, sign_in.SIGN_IN, (f"{n}@so-ban.example", "10.9.9.9"), NOW)
    with pytest.raises(TooOften):
        enter(database, ip="10.9.9.9")
    assert enter(database, ip="10.9.9.8")


def test_what_is_counted_holds_no_address_and_is_pruned_after_a_day(database: Database, person: int) -> None:
    with database.write() as session:
        count(session, "link", (EMAIL, "10.1.1.1"), NOW)
        assert EMAIL not in str(rows(database, Attempt))
    with database.write() as session:
        count(session, "link", (EMAIL,), NOW + timedelta(days=1, minutes=1))
    assert len(rows(database, Attempt)) == 1


def test_a_missing_network_address_is_not_a_shared_one(database: Database) -> None:
    with database.write() as session:
        for _ in range(3):
            count(session, "link", ("",), NOW)
        enforce_rate_limit(session, "link", {"": Limit(1, MINUTE)}, NOW)


def test_a_session_slides_while_it_is_used_and_ends_when_it_is_not(database: Database, person: int) -> None:
    key = enter(database)
    later = NOW + SESSION_IDLE_TIME - MINUTE
    mine = holder(database, key, later)
    assert mine is not None
    assert mine.stale
    with database.write() as session:
        sign_in.slide(session, mine.session_id, later)
    assert holder(database, key, later + SESSION_IDLE_TIME - MINUTE) is not None
    assert holder(database, key, later + SESSION_IDLE_TIME) is None


def test_an_office_s_own_ends_of_a_session_are_shorter(database: Database, person: int) -> None:
    key, hour = enter(database), timedelta(hours=1)
    with database.read() as session:
        assert sign_in.holder_of(session, key, NOW + hour - MINUTE, hour) is not None
        assert sign_in.holder_of(session, key, NOW + hour, hour) is None
        assert sign_in.holder_of(session, key, NOW + hour, most=hour) is None


def test_within_ten_minutes_nothing_needs_to_be_written(database: Database, person: int) -> None:
    mine = holder(database, enter(database), NOW + 9 * MINUTE)
    assert mine is not None
    assert not mine.stale


def test_however_much_it_is_used_a_session_ends_after_a_fortnight(database: Database, person: int) -> None:
    key, now = enter(database), NOW
    while (mine := holder(database, key, now)) is not None:
        with database.write() as session:
            sign_in.slide(session, mine.session_id, now)
        now += SESSION_IDLE_TIME - MINUTE
    assert NOW + MAX_SESSION_TIME - SESSION_IDLE_TIME < now < NOW + MAX_SESSION_TIME + SESSION_IDLE_TIME


def test_a_person_sees_his_sessions_and_ends_one_or_all_the_others(database: Database, person: int) -> None:
    keys = [enter(database, device=name, now=NOW + n * MINUTE) for n, name in enumerate(("điện thoại", "máy", "nhà"))]
    with database.write() as session:
        listed = sign_in.sessions_of(session, person, NOW + 3 * MINUTE)
        assert [each.device for each in listed] == ["nhà", "máy", "điện thoại"]
        sign_in.end_session(session, person, listed[2].id, NOW)
        assert sign_in.end_sessions(session, person, NOW, but=listed[0].id) == 1
    assert [holder(database, key) is not None for key in keys] == [False, False, True]


def test_nobody_ends_another_s_session(database: Database, person: int) -> None:
    key = enter(database)
    mine = holder(database, key)
    assert mine is not None
    with database.write() as session, pytest.raises(NotFound):
        sign_in.end_session(session, person + 1, mine.session_id, NOW)
    assert holder(database, key) is not None


def ask(database: Database, email: str = EMAIL, now: Any = NOW) -> str | None:
    with database.write() as session:
        return sign_in.request_link(session, email=email, now=now)


def use(database: Database, key: str, now: Any = NOW) -> str:
    with database.write() as session:
        return sign_in.open_by_link(session, key, device="", now=now)


def test_a_link_signs_in_once(database: Database, person: int) -> None:
    key = ask(database) or ""
    assert key not in str(rows(database, SignInLink))
    assert holder(database, use(database, key)) is not None
    with pytest.raises(LinkRefused):
        use(database, key)


def test_a_link_is_over_after_a_quarter_of_an_hour(database: Database, person: int) -> None:
    key = ask(database) or ""
    with pytest.raises(LinkRefused, match="15 phút"):
        use(database, key, NOW + 15 * MINUTE)


def test_a_newer_link_leaves_the_older_one_alone(database: Database, person: int) -> None:
    """Anybody may ask for a link to somebody's mailbox; that ended the one that the person was about to use."""
    first, second = ask(database) or "", ask(database) or ""
    assert holder(database, use(database, first)) is not None
    assert holder(database, use(database, second)) is not None


def test_a_network_is_counted_also_where_the_address_is_limited(database: Database, person: int) -> None:
    """Tries at an address that was limited already were free."""
    for n in range(sign_in.BY_NETWORK[sign_in.SIGN_IN].most):
        with pytest.raises(SignInRefused if n < 5 else TooOften):
            enter(database, password="sai", ip="10.9.9.9")
    with pytest.raises(TooOften):
        enter(database, email="ai-khac@so-ban.example", password="sai", ip="10.9.9.9")


def test_what_was_right_is_given_back_to_the_network(database: Database, person: int) -> None:
    for _ in range(3):
        enter(database, ip="10.9.9.9")
    assert rows(database, Attempt) == []


def test_an_address_without_account_gets_no_link_and_is_counted_too(database: Database, person: int) -> None:
    for _ in range(3):
        assert ask(database, "ai-do@so-ban.example") is None
    with pytest.raises(TooOften):
        ask(database, "ai-do@so-ban.example")


def test_a_key_that_was_never_made_opens_nothing(database: Database, person: int) -> None:
    for key in ("", "x", "ị" * 100_000, "\ud800"):
        assert holder(database, key) is None
        with pytest.raises(LinkRefused):
            use(database, key)


def test_a_password_kept_with_weaker_settings_is_hashed_anew_when_it_is_used(database: Database, person: int) -> None:
    from argon2 import PasswordHasher
    from sqlalchemy import update

    from engine.store.database import table

    weak = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(GOOD)
    with database.write() as session:
        session.connection().execute(update(table(Account)).values(password=weak))
    with real_hashing():
        enter(database)
    assert "m=19456" in rows(database, Account)[0].password
