"""One call of a webhook: resolve, check the addresses, connect to the one that was checked, read a little, judge.

The connection goes to the checked address with the host's name in TLS and ``Host``, so a name that resolves otherwise a
moment later (DNS rebinding) leads nowhere else. No redirect is followed, no proxy of the environment is used.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from engine.errors import FieldsRefused
from engine.rules.targets import Allowed, choose, read_target
from notifications.contract.channel import Fate, Outcome

TIMEOUT_SECONDS = 10.0
"""For the whole call: name, connection, answer."""
MAX_REPLY_BYTES, MAX_REPLY_CHARS = 2_000, 200
MAX_WAIT = timedelta(hours=4)
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


@dataclass(frozen=True)
class Sender:
    """``verify``: whose certificates are believed; None: the usual authorities."""

    allowed: Allowed
    resolver: Resolver = resolve
    timeout: float = TIMEOUT_SECONDS
    verify: ssl.SSLContext | None = field(default=None, compare=False)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """The outcome: ACCEPTED for 2xx, REFUSED for 410 (the receiver wants no more), RETRY for anything else. A
        message may come twice; its ``webhook-id`` says so."""
        try:
            async with asyncio.timeout(self.timeout):
                return await self._post(url, headers, body)
        except (TimeoutError, httpx.TimeoutException):
            return Outcome(fate=Fate.RETRY, code="timeout")
        except FieldsRefused:
            return Outcome(fate=Fate.RETRY, code="refused_address")
        except (socket.gaierror, UnicodeError):
            return Outcome(fate=Fate.RETRY, code="unknown_host")
        except httpx.ConnectError as error:
            return Outcome(fate=Fate.RETRY, code="tls" if _is_tls(error) else "unreachable")
        except (httpx.HTTPError, OSError, ValueError):
            return Outcome(fate=Fate.RETRY, code="broken_off")

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        target = read_target(url, self.allowed)
        address = choose(target, self.allowed, await self.resolver(target.host, target.port))
        if address is None:
            return Outcome(fate=Fate.RETRY, code="refused_address")
        host = f"[{address}]" if address.version == 6 else str(address)
        sent = {
            "host": target.authority,
            "content-type": "application/json",
            "user-agent": "dondoc-webhooks",
            "accept-encoding": "identity",
            **headers,
        }
        options: dict[str, Any] = {"trust_env": False, "follow_redirects": False, "timeout": self.timeout}
        if self.verify is not None:
            options["verify"] = self.verify
        async with (
            httpx.AsyncClient(**options) as client,
            client.stream(
                "POST",
                f"{target.scheme}://{host}:{target.port}{target.path}",
                headers=sent,
                content=body,
                extensions={"sni_hostname": target.host},
            ) as response,
        ):
            return _judged(response, await _beginning(response))


def _judged(response: httpx.Response, reply: str) -> Outcome:
    status = response.status_code
    if response.is_success:
        return Outcome(fate=Fate.ACCEPTED, code=str(status), reply=reply)
    if status == 410:
        return Outcome(fate=Fate.REFUSED, code="410", reply=reply)
    wait = response.headers.get("retry-after", "")
    after = min(timedelta(seconds=int(wait)), MAX_WAIT) if wait.isdecimal() and len(wait) < 9 else None
    return Outcome(fate=Fate.RETRY, code=str(status), reply=reply, after=after)


async def _beginning(response: httpx.Response) -> str:
    """The first words of the answer on one printable line; the rest is not read."""
    read = b""
    async for chunk in response.aiter_raw(MAX_REPLY_BYTES):
        read += chunk
        if len(read) >= MAX_REPLY_BYTES:
            break
    text = read[:MAX_REPLY_BYTES].decode("utf-8", "replace")
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:MAX_REPLY_CHARS]


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
