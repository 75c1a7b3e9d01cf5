"""Tokens of programs: an account's reach, narrowed; shown once, over one day, revocable."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from ground.factory import at, directory, rows

from engine.accounts import accounts, api_tokens, sign_in
from engine.accounts.api_tokens import Scope, scope_of
from engine.accounts.permissions import Permission, may
from engine.agencies.directory_loading import load_directory
from engine.errors import BadInput, NotAllowed, NotFound
from engine.store.database import Database
from engine.store.records import ApiToken

NOW, YEAR = at("2021-06-07"), timedelta(days=365)


@pytest.fixture
def person(database: Database) -> int:
    with database.write() as session:
        load_directory(session, directory(), actor="cli:test", now=NOW)
        return accounts.create(
            session, email="may@so-ban.example", role="coordinator", agency_id="so-ban", actor="cli:test", now=NOW
        )


def make(database: Database, person: int, **more: Any) -> str:
    given = {"label": "Máy chủ báo cáo", "scopes": ["read"], "lasts": YEAR, "actor": f"account:{person}", "now": NOW}
    with database.write() as session:
        return api_tokens.make_token(session, person, **given | more)


def bearer(database: Database, key: str, now: Any = NOW) -> api_tokens.Bearer | None:
    with database.read() as session:
        return api_tokens.bearer_of(session, key, now)


def test_a_token_speaks_for_its_account_s_agency_within_its_scopes(database: Database, person: int) -> None:
    key = make(database, person, scopes=["read", "report"])
    mine = bearer(database, key)
    assert mine is not None
    assert (mine.actor.name, mine.actor.agency_id) == ("api:1", "so-ban")
    mine.require(Permission.REPORT)
    assert may(mine.actor, Permission.REPORT, "so-ban")
    with pytest.raises(NotAllowed, match="decide"):
        mine.require(Permission.ACCEPT)
    assert key not in str(rows(database, ApiToken))


def test_a_token_is_made_for_nothing_that_its_account_s_role_never_may(database: Database, person: int) -> None:
    with pytest.raises(BadInput, match="«administer», «decide»"):
        make(database, person, scopes=["read", "decide", "administer"])
    assert rows(database, ApiToken) == []
    assert make(database, person, scopes=["read", "report"])


def test_every_deed_has_a_scope_and_what_is_unnamed_needs_the_highest() -> None:
    by_scope = {scope: {deed for deed in Permission if scope_of(deed) is scope} for scope in Scope}
    assert all(by_scope.values())
    assert by_scope[Scope.READ] == {deed for deed in Permission if deed.value.startswith("see_")}
    assert Permission.STEP_CLOCK in by_scope[Scope.ADMINISTER]


def test_a_token_is_over_on_its_day(database: Database, person: int) -> None:
    key = make(database, person, lasts=timedelta(days=1))
    assert bearer(database, key, NOW + timedelta(hours=23)) is not None
    assert bearer(database, key, NOW + timedelta(days=1)) is None


def test_a_revoked_token_opens_nothing_and_is_revoked_by_its_holder_alone(database: Database, person: int) -> None:
    key = make(database, person)
    with database.write() as session, pytest.raises(NotFound):
        api_tokens.revoke_token(session, person + 1, 1, actor="account:2", now=NOW)
    with database.write() as session:
        api_tokens.revoke_token(session, person, 1, actor=f"account:{person}", now=NOW)
    assert bearer(database, key) is None
    with database.read() as session:
        assert api_tokens.tokens_of(session, person)[0].revoked_at == NOW


def test_a_token_knows_the_local_day_on_which_it_was_last_used(database: Database, person: int) -> None:
    key, late = make(database, person), at("2021-06-07", "23:59")

    def note(now: Any) -> tuple[date | None, bool]:
        """What is kept then, and whether a later call would have to write."""
        with database.write() as session:
            api_tokens.note_use(session, 1, now)
        with database.read() as session:
            (line,), found = api_tokens.tokens_of(session, person), api_tokens.bearer_of(session, key, now)
        return line.used_on, found is None or found.stale

    assert bearer(database, key).stale  # type: ignore[union-attr]
    assert rows(database, ApiToken)[0].used_on is None  # to look whom it speaks for writes nothing
    assert note(late) == (date(2021, 6, 7), False)
    assert bearer(database, key, late + timedelta(minutes=1)).stale  # type: ignore[union-attr]
    assert note(late + timedelta(minutes=1)) == (date(2021, 6, 8), False)
    assert note(NOW) == (date(2021, 6, 8), False)


@pytest.mark.parametrize(
    "given",
    [{"scopes": []}, {"scopes": ["root"]}, {"label": " "}, {"lasts": timedelta(days=400)}, {"lasts": timedelta(0)}],
)
def test_a_token_needs_a_use_a_scope_and_an_end(database: Database, person: int, given: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        make(database, person, **given)


def test_a_key_that_was_never_made_speaks_for_nobody(database: Database, person: int) -> None:
    assert bearer(database, "dondoc_" + "x" * 43) is None


@pytest.mark.parametrize("act", ["password", "sign_out", "link"])
def test_a_new_password_and_signing_out_everywhere_end_keys(database: Database, person: int, act: str) -> None:
    """Whoever stole a key must not keep it after the owner has locked everybody out."""
    with database.write() as session:
        lasts = timedelta(days=9)
        key = api_tokens.make_token(
            session, person, label="kho", scopes=["read"], lasts=lasts, actor=f"account:{person}", now=NOW
        )
        assert api_tokens.bearer_of(session, key, NOW)
        if act == "password":
            accounts.set_password(session, person, "mot cau dai de nho 7", actor="account:1", now=NOW)
        elif act == "sign_out":
            sign_in.end_sessions(session, person, NOW, but=1)
        else:
            email = accounts.account(session, person).email
            link = sign_in.request_link(session, email=email, now=NOW)
            assert link
            sign_in.reset_by_link(session, link, "mot cau dai de nho 7", device="", now=NOW)
    with database.read() as session:
        assert api_tokens.bearer_of(session, key, NOW) is None


@pytest.mark.parametrize(
    ("changes", "ended"), [({"role": "head"}, True), ({"agency_id": "so-chinh"}, True), ({"label": "Văn phòng"}, False)]
)
def test_a_new_role_or_agency_ends_keys(database: Database, person: int, changes: dict[str, str], ended: bool) -> None:
    """A program that was let in as one office's must not go on as another's."""
    with database.write() as session:
        lasts = timedelta(days=9)
        key = api_tokens.make_token(session, person, label="kho", scopes=["read"], lasts=lasts, actor="cli", now=NOW)
        accounts.change(session, person, actor="account:1", now=NOW, **changes)
        assert (api_tokens.bearer_of(session, key, NOW) is None) is ended
