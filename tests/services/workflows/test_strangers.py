"""Who holds something that is not theirs any more, at the product as it is served: a forwarded letter, the letter of
somebody who left, a stolen password where a second factor is asked for, the key of a role that was changed."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from datetime import timedelta
from email import policy
from pathlib import Path

import httpx
import pytest
from ground.factory import row, rows
from ground.office import token_in
from ground.serving import owing, serving, wait_for_letters

from engine.accounts import accounts
from engine.accounts.api_tokens import make_token
from engine.agencies import contacts
from engine.rules.calendar import local_date
from engine.store.clock import system_clock
from engine.store.database import Database
from engine.store.records import Account, ApiToken, Contact, SecondFactor
from engine.terms import Role

PASSWORD, STRANGER = "mot cau dai de nho 7", "nguoi-la@elsewhere.example"
WHOSE = "coordinator@huyen-a.example"


@pytest.fixture
def served(sqlite_database: Database, tmp_path: Path) -> Iterator[tuple[Database, Path, str]]:
    """A database with letters that have left, and the address at which it is served to accounts alone."""
    database = owing(sqlite_database)
    with database.write() as session:
        accounts.create(
            session,
            email="administrator@tinh.example",
            role="administrator",
            agency_id="tinh",
            password=PASSWORD,
            actor="cli",
            now=system_clock(),
        )
    with serving(str(database.url), tmp_path, DONDOC_SECOND_FACTOR_ROLES="administrator") as (_, address, _):
        wait_for_letters(database)
        yield database, tmp_path / "maildir" / "new", address


def letters_to(maildir: Path, mailbox: str) -> list[str]:
    read = (email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(maildir.iterdir()))
    return [each.get_body(("plain",)).get_content() for each in read if each["to"] == mailbox]  # type: ignore[union-attr]


def link_in(maildir: Path, mailbox: str, purpose: str) -> str:
    found: list[str] = [
        link for text in letters_to(maildir, mailbox) for link in re.findall(rf"https?://[^/\s]+(/{purpose}/\S+)", text)
    ]
    return found[0]


def opens(browser: httpx.Client, path: str) -> int:
    """The status of a page; 401 where it leads to signing in."""
    answer = browser.get(path)
    return 401 if answer.headers.get("location", "").startswith("/sign-in") else answer.status_code


def test_whoever_holds_what_is_not_theirs_gets_nowhere(served: tuple[Database, Path, str]) -> None:
    database, maildir, address = served
    report = link_in(maildir, WHOSE, "r")
    now = system_clock()
    with httpx.Client(base_url=address) as stranger:
        assert stranger.get(report).status_code == 200
        day = local_date(now)
        typed = {
            "token": token_in(stranger.get(f"{report}/thread").text),
            "act": "deputy",
            "email": STRANGER,
            "valid_from": day.isoformat(),
            "valid_until": (day + timedelta(days=20)).isoformat(),
        }
        assert stranger.post(f"{report}/thread", data=typed).status_code == 303
        assert row(database, Contact, email=STRANGER).proposed
        assert [opens(stranger, each) for each in ("/", "/overdue", "/account", "/admin", "/plans")] == [401] * 5
        assert [stranger.get(f"/api/v1/{each}").status_code for each in ("board", "plans", "directory")] == [401] * 3

        with database.write() as session:
            for each in rows(database, Contact, agency_id="huyen-a", role=Role.COORDINATOR):
                contacts.leave_now(session, each.id, actor="cli", now=now)
        refused = [stranger.get(each).status_code for each in (report, f"{report}/thread")]
        assert refused == [403] * 2

        thief = {"token": token_in(stranger.get("/sign-in").text), "email": "administrator@tinh.example"}
        assert stranger.post("/sign-in", data=thief | {"password": PASSWORD}).status_code == 303
        for path in ("/overdue", "/admin/accounts", "/account", "/admin/settings"):
            assert stranger.get(path).headers["location"] == "/account/second-factor"
        made = stranger.post("/account/tokens", data={"label": "x", "scope": "administer", "days": "366"})
        assert made.status_code in (303, 403)
        assert (rows(database, ApiToken), rows(database, SecondFactor)) == ([], [])

    with database.write() as session:
        clerk = accounts.create(
            session, email="clerk@so-ban.example", role="coordinator", agency_id="so-ban", actor="cli", now=now
        )
        lasts = timedelta(days=30)
        key = make_token(session, clerk, label="Kho", scopes=["read"], lasts=lasts, actor="cli", now=now)
    with httpx.Client(base_url=address, headers={"authorization": f"Bearer {key}"}) as program:
        assert program.get("/api/v1/plans").status_code == 200
        with database.write() as session:
            accounts.change(session, clerk, role="head", actor="cli", now=system_clock())
        assert program.get("/api/v1/plans").status_code == 401

    assert letters_to(maildir, STRANGER) == []
    assert row(database, Account, email="administrator@tinh.example").active
