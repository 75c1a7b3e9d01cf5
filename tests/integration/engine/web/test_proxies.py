"""Whose word is taken for a visitor's address: the trusted proxies' alone; limits are counted by it."""

from __future__ import annotations

from functools import cache

import httpx
import pytest
from fastapi import FastAPI
from ground.office import NOW, Standing, join, token_in
from ground.post import KEY

from config.settings import Settings
from engine.accounts.rate_limit import count
from engine.accounts.sign_in import BY_NETWORK, SIGN_IN
from engine.accounts.signed_links import Signer
from engine.application.app import make_app
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
    return make_app(AppContext(database=database, clock=Standing(NOW), signer=Signer(KEY), settings=chosen))


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


@pytest.mark.parametrize("path", ["/", "/overdue", "/admin/accounts", "/letters/1"])
@pytest.mark.parametrize("headers", [{}, {"x-forwarded-for": "127.0.0.1"}, {"host": "localhost"}])
async def test_without_an_account_not_even_this_machine_opens_a_page(
    lived: Database, path: str, headers: dict[str, str]
) -> None:
    transport = httpx.ASGITransport(served(lived), client=("127.0.0.1", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8188") as client:
        page, api = await client.get(path, headers=headers), await client.get("/api/v1/board", headers=headers)
    assert (page.status_code, page.headers["location"][:13], api.status_code) == (303, "/sign-in?to=%"[:13], 401)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("127.0.0.1:8188", 200),
        ("localhost", 200),
        ("[::1]:8188", 200),
        ("dondoc.example", 200),
        ("DONDOC.example:443", 200),
        ("dondoc.example.evil.example", 400),
        ("127.0.0.1.evil.example", 400),
        ("192.168.1.4:8188", 400),
        ("dondoc.example@evil.example", 400),
        ("[", 400),
        ("", 400),
    ],
)
async def test_only_the_base_urls_name_and_this_machines_are_answered(lived: Database, name: str, code: int) -> None:
    app = served(lived, base_url="https://dondoc.example")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8188") as client:
        answer = await client.get("/sign-in", headers={"host": name})
        api = await client.get("/api/v1/openapi.json", headers={"host": name})
    assert (answer.status_code, api.status_code) == (code, code)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert code == 200 or "DONDOC_BASE_URL" in answer.text
