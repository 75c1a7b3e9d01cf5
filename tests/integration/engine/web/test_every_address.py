"""Every address of the whole application as an attacker tries it: forms without their token, calls from another site,
answers without their guards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from ground.office import NOW, Standing, everything, join
from ground.post import KEY

from config.settings import Settings
from engine.accounts.sign_in import open_session
from engine.store.database import Database
from workflows.run.system import compose
from workflows.server import application

FAR = {"origin": "https://evil.example"}
A_YEAR = "/plans/{plan_id}/simulate"
"""Lives through a plan's year: seconds, and nothing of its own to see here."""
BY_THEIR_OWN_SECRET = {"/u/{token}", "/callbacks/{secret}/speedsms", "/expired/{place}/{token}"}
"""Called by machines that cannot read a form: one-click unsubscribing (RFC 8058) by a signed link, a gateway by the
secret in its address. And a page that only the holder of a signed link can find."""


@pytest.fixture(scope="module")
def lived(copy_of_lived: Callable[[], Database]) -> Database:
    return copy_of_lived()


@pytest.fixture(scope="module")
def whole(lived: Database, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The application as `dondoc serve` has it, over the lived plan; an administrator has an account. One for the
    module, since its routes are made ready at the first call: nothing that is asked here changes anything."""
    join(lived, "administrator", "tinh")
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("whole"), secret=KEY)  # type: ignore[call-arg]
    return application(replace(compose(settings), database=lived, clock=Standing(NOW)))


def routes(found: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """(method, path) of everything that is served, however routers are nested."""
    for each in found:
        inner = getattr(each, "original_router", None)
        if inner is not None:
            yield from routes(inner.routes, prefix + each.include_context.prefix)
        else:
            yield from ((method, prefix + each.path) for method in each.methods or ())


def filled(path: str) -> str:
    given = {"agency_id": "huyen-b", "period": "2021-H1", "action": "cancel", "language": "vi", "kind": "duties"}
    return re.sub(r"{(\w+)(:\w+)?}", lambda name: given.get(name[1], "1"), path)


def posts(app: FastAPI) -> list[str]:
    return sorted({path for method, path in routes(app.routes) if method == "POST"})


def browser(app: FastAPI, database: Database) -> httpx.AsyncClient:
    """As an administrator's, signed in."""
    with database.write() as session:
        key = open_session(session, 1, way="link", device="", now=NOW)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8188", cookies={"dondoc_session": key})


async def test_no_form_of_the_whole_application_is_taken_without_its_token(whole: FastAPI, lived: Database) -> None:
    forms = [path for path in posts(whole) if not path.startswith("/api/")]
    assert len(forms) > 50
    async with browser(whole, lived) as client:
        assert (await client.get("/account")).status_code == 200
        before = everything(lived)
        for path in forms:
            for token in ({}, {"token": "x"}):
                answer = await client.post(filled(path), data={"reason": "x", "sure": "1", **token})
                refused = (403, 404) if path in BY_THEIR_OWN_SECRET else (403,)
                assert answer.status_code in refused, path
    assert everything(lived) == before


async def test_no_call_of_the_api_is_taken_from_another_sites_page(whole: FastAPI, lived: Database) -> None:
    """As a form, which needs no leave of ours; and as JSON, should a browser ever ask for none."""
    calls = [path for path in posts(whole) if path.startswith("/api/")]
    assert len(calls) > 20
    async with browser(whole, lived) as client:
        before = everything(lived)
        for path in calls:
            form = await client.post(filled(path), data={"reason": "x"}, headers=FAR)
            plain = await client.post(filled(path), content="{}", headers=FAR | {"content-type": "text/plain"})
            json = await client.post(filled(path), json={}, headers=FAR)
            assert {form.status_code, plain.status_code, json.status_code} <= {403, 415}, path
            assert "access-control-allow-origin" not in json.headers
    assert everything(lived) == before


async def test_every_answer_of_the_whole_application_carries_the_guards(whole: FastAPI, lived: Database) -> None:
    looked = sorted({path for method, path in routes(whole.routes) if method == "GET"} - {A_YEAR})
    assert len(looked) > 60
    async with browser(whole, lived) as client:
        for path in [*map(filled, looked), "/nothing", "/static/nothing", "//evil.example", "/sign-in/"]:
            answer = await client.get(path)
            assert answer.status_code < 500, path
            assert answer.headers["x-content-type-options"] == "nosniff", path
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy, path
            assert "frame-ancestors 'none'" in policy or (path.endswith("/html") and "frame-ancestors" in policy), path
            assert "script-src" not in policy, path
            assert answer.headers["referrer-policy"] == "no-referrer", path
            assert answer.headers["cache-control"].startswith("no-store") or path.startswith("/static"), path


async def test_what_is_opened_by_nobody_is_not_shown_to_nobody(whole: FastAPI) -> None:
    """Without a session: a page leads to signing in, the API says 401, what is left is open to all by intent."""
    by_intent = {
        "/static/{name}",
        "/sign-in",
        "/sign-in/code",
        "/setup",
        "/sign-in/link/{key}",
        "/sign-in/sso",
        "/sign-in/sso/return",
        "/l/{token}",
        "/r/{token}",
        "/expired/{place}/{token}",
        "/u/{token}",
        "/d/{token}",
        "/arrived/{key}",
        "/feed/{name}",
        "/metrics",
        "/healthz",
        "/readyz",
        "/.well-known/security.txt",
        "/.well-known/change-password",
        "/robots.txt",
        "/favicon.ico",
        "/manifest.webmanifest",
        "/api/v1/openapi.json",
        "/api",
        "/guide",
        "/guide/pictures/{name}.webp",
    }
    transport = httpx.ASGITransport(whole, raise_app_exceptions=False, client=("203.0.113.9", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8188") as client:
        for path in {path for method, path in routes(whole.routes) if method == "GET"} - by_intent:
            if path.startswith("/r/"):
                continue  # by the signed link alone
            answer = await client.get(filled(path))
            led = answer.headers.get("location", "").startswith("/sign-in?to=")
            gateway = path.startswith("/callbacks/") and answer.status_code in (403, 404)
            assert gateway or answer.status_code == 401 or (answer.status_code, led) == (303, True), path


async def test_on_https_browsers_are_told_to_stay_there(lived: Database, tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, secret=KEY, base_url="https://dondoc.example")  # type: ignore[call-arg]
    app = application(replace(compose(settings), database=lived))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://dondoc.example") as client:
        answer = await client.get("/sign-in")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
