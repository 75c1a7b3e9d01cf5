"""More requests than can be worked on are told to come back; one that is still being sent takes no place."""

from __future__ import annotations

import asyncio

import httpx
from ground.office import Office
from ground.post import KEY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from engine.accounts.signed_links import Signer
from engine.http.guards.request_limits import Concurrency
from engine.http.render import Templates
from engine.http.request_context import Tools
from engine.http.security import FormTokens, SecurityLog


async def test_the_second_of_two_is_told_to_come_back_and_the_third_is_served(office: Office) -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()
    outer = Starlette()
    outer.state.tools = Tools(office.context, Templates(), FormTokens(Signer(KEY)), SecurityLog())

    async def work(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        entered.set()
        await go_on.wait()
        await PlainTextResponse("done")(scope, receive, send)

    limited = Concurrency(work, most=1)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await limited({**scope, "app": outer}, receive, send)

    async def half_sent() -> dict[str, object]:
        await go_on.wait()
        return {"type": "http.disconnect"}

    transport = httpx.ASGITransport(serve)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8188") as client:
        slow = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "headers": [(b"content-length", b"9")],
            "query_string": b"",
        }
        waiting = asyncio.create_task(serve(slow, half_sent, half_sent))  # type: ignore[arg-type]
        first = asyncio.create_task(client.get("/"))
        await entered.wait()
        second = await client.get("/")
        go_on.set()
        answered = (await first).text
        third = await client.get("/")
    await asyncio.gather(waiting, return_exceptions=True)
    assert (second.status_code, second.headers["retry-after"]) == (503, "10")
    assert (answered, third.text) == ("done", "done")
    assert outer.state.tools.security.counts["overloaded"] == 1


async def test_callbacks_of_gateways_wait_where_pages_are_told_to_come_back(office: Office) -> None:
    """Most gateways do not come again: of 300 receipts at once, 99 were lost."""
    all_in, go_on, inside = asyncio.Event(), asyncio.Event(), 0
    outer = Starlette()
    outer.state.tools = Tools(office.context, Templates(), FormTokens(Signer(KEY)), SecurityLog())

    async def work(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal inside
        inside += 1
        if inside == 300:
            all_in.set()
        await go_on.wait()
        await PlainTextResponse("")(scope, receive, send)

    limited = Concurrency(work, most=200)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await limited({**scope, "app": outer}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(serve), base_url="http://127.0.0.1:8188") as client:
        calls = [asyncio.create_task(client.get(f"/callbacks/secret/kannel/receipt?id={n}")) for n in range(300)]
        await all_in.wait()
        page = await client.get("/")
        go_on.set()
        answers = [answer.status_code for answer in await asyncio.gather(*calls)]
    assert (page.status_code, set(answers)) == (503, {200})
