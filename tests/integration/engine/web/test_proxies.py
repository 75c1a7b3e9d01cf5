"""Whose word is taken for a visitor's address: the trusted proxies' alone; limits are counted by it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from ground.office import NOW, Office, Standing, open_office, token_in
from ground.people import join
from ground.post import KEY

from config.settings import Settings
from engine.accounts.rate_limit import count
from engine.accounts.sign_in import BY_NETWORK, SIGN_IN
from engine.accounts.signed_links import Signer
from engine.app import make_app
from engine.http.app_context import AppContext
from engine.http.security import network_of
from engine.store.database import Database

FLOODED, OTHER = "203.0.113.9", "203.0.113.10"
PROXY = "10.0.0.2"


@pytest.fixture
def flooded(lived: Database) -> Database:
    """The network FLOODED has tried to sign in too often."""
    join(lived, "coordinator", "huyen-b", password="mot cau dai de nho 7")
    with lived.write() as session:
        for n in range(BY_NETWORK[SIGN_IN].most):
            count(session, SIGN_IN, (f"{n}@so-ban.example", FLOODED), NOW)
    return lived


@cache
def served(database: Database, **settings: str) -> FastAPI:
    """The application takes most of a second to make: tests with the same settings share it with their database."""
    chosen = Settings(_env_file=None, secret=KEY, **settings)  # type: ignore[call-arg]
    return make_app(AppContext(database, Standing(NOW), Signer(KEY), chosen))


async def status(database: Database, peer: str, headers: dict[str, str], trusted: str) -> int:
    """What a right password is answered when it comes from a peer with these headers."""
    transport = httpx.ASGITransport(served(database, trusted_proxies=trusted), client=(peer, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8188") as client:
        token = token_in((await client.get("/sign-in")).text)
        fields = {"token": token, "email": "coordinator@huyen-b.example", "password": "mot cau dai de nho 7"}
        return (await client.post("/sign-in", data=fields, headers=headers)).status_code


@pytest.mark.parametrize(
    ("peer", "said", "trusted", "code"),
    [
        (FLOODED, "", PROXY, 429),
        (FLOODED, OTHER, PROXY, 429),
        (PROXY, FLOODED, PROXY, 429),
        (PROXY, OTHER, PROXY, 303),
        (PROXY, f"{OTHER}, {FLOODED}", PROXY, 429),
        (PROXY, f"{FLOODED}, {OTHER}, 10.0.0.3", "10.0.0.0/8", 303),
        (PROXY, FLOODED, "", 303),
        (PROXY, "<script>", PROXY, 303),
    ],
)
async def test_limits_are_counted_by_the_address_that_a_trusted_proxy_names(
    flooded: Database, peer: str, said: str, trusted: str, code: int
) -> None:
    headers = {"x-forwarded-for": said} if said else {}
    assert await status(flooded, peer, headers, trusted) == code


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
        ("", ""),
        ("x" * 99, "x" * 60),
    ],
)
def test_an_ipv6_visitor_is_his_whole_network(host: str, network: str) -> None:
    assert network_of(host) == network


@pytest.mark.parametrize(
    ("peer", "name", "listening", "code"),
    [
        ("127.0.0.1", "localhost", "127.0.0.1", 200),
        ("::1", "[::1]:8188", "::1", 200),
        ("192.168.1.4", "192.168.1.4:8188", "192.168.1.4", 200),
        ("192.168.1.9", "192.168.1.4:8188", "192.168.1.4", 303),
        ("203.0.113.9", "localhost", "0.0.0.0", 303),
        ("203.0.113.9", "127.0.0.1:8188", "0.0.0.0", 303),
        ("127.0.0.1", "dondoc.evil.example", "0.0.0.0", 303),
    ],
)
async def test_the_desk_is_open_on_the_machine_alone_whatever_name_is_said(
    lived: Database, peer: str, name: str, listening: str, code: int
) -> None:
    transport = httpx.ASGITransport(served(lived, host=listening), client=(peer, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8188") as client:
        assert (await client.get("/overdue", headers={"host": name})).status_code == code


def test_no_proxy_opens_the_desk(lived: Database, tmp_path: Path) -> None:
    office: Office = open_office(lived, tmp_path)
    assert office.get("/overdue", headers={"x-forwarded-for": "127.0.0.1"}).status_code == 303
