"""Events told to other systems, by the Standard Webhooks scheme.

Claim messages with a lease, send, settle: as letters, but each address by itself.

An address that does not answer is left alone after a few failures, longer each time; the others are not held up by it,
and mail knows nothing of either. Messages of one address go one after the other, those that failed later again.

One call of a webhook: resolve, check the addresses, connect to the one that was checked, read a little, judge.

The connection goes to the checked address with the host's name in TLS and ``Host``, so a name that resolves otherwise a
moment later (DNS rebinding) leads nowhere else. No redirect is followed, no proxy of the environment is used.

The signature of the Standard Webhooks scheme (standardwebhooks.com): HMAC-SHA256 over id, time and body. Pure.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import and_, or_, select, update

from engine.accounts.signed_links import SealBroken, Signer
from engine.errors import FieldsRefused
from engine.features.webhooks.subscriptions import NO_TROUBLE, current_secrets, secret_bytes
from engine.rules.targets import Allowed, choose, read_target
from engine.store.clock import lease_clock
from engine.store.database import Database, table
from engine.store.facts import hold
from engine.store.high_water import HighWater
from engine.store.records import WEBHOOK_OWED, Webhook, WebhookMessage
from engine.store.stored_rows import columns_for, object_of, objects
from engine.terms import LetterState, WebhookEvent
from notifications.contract.channel import Fate, Outcome
from notifications.settlement import retry_at

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


def signed_headers(secrets: Iterable[str], message_id: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """The three headers. With two secrets (a change within the last day) there is a signature by each; a receiver
    accepts any."""
    timestamp = str(int(now.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.digest(secret_bytes(each), signed, hashlib.sha256)).decode() for each in secrets
    ]
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": " ".join(signatures)}


log = logging.getLogger(__name__)
BATCH = 10
"""Messages of one address claimed at once; each may take the sender's whole time, and the lease outlasts them all."""
LEASE = timedelta(minutes=5)
PASS_SECONDS = 20.0
"""Nothing further of an address is sent in a pass that has taken this long."""
AT_ONCE = 8
"""Addresses that are called at the same time."""
MAX_FAILURES = 3
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class WebhookDelivery:
    """What the pass works with. ``quiet``: the demonstration, which keeps every message here."""

    sender: Sender
    signer: Signer
    base_url: str
    worker: str = "worker"
    give_up: timedelta = timedelta(days=5)
    quiet: bool = False
    stop: threading.Event = field(default_factory=threading.Event, compare=False)
    mark: HighWater | None = None


async def send_owed(database: Database, now: datetime, delivery: WebhookDelivery) -> dict[str, int]:
    """Send what is owed to every address that is not left alone. Returns counts by outcome."""
    if delivery.mark is not None:
        delivery.mark.observe(database, now)
    with database.read() as session:
        ids = () if hold(session) is not None else session.connection().scalars(_callable(database, now)).all()
    counts: dict[str, int] = {}
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(webhook_id: int) -> None:
        async with slots:
            await _send_to(database, webhook_id, now, delivery, counts)

    await asyncio.gather(*(one(each) for each in ids))
    return counts


def anything_owed(database: Database, now: datetime) -> bool:
    """One short query."""
    with database.read() as session:
        return session.connection().scalar(_callable(database, now).limit(1)) is not None


def _callable(database: Database, now: datetime) -> Any:
    """The active addresses with something owed that are not left alone now."""
    w, m = table(Webhook), table(WebhookMessage)
    owed = select(m.c.id).where(m.c.webhook_id == w.c.id, *_claimable(database, now)).exists()
    rests = and_(w.c.retry_at.is_not(None), w.c.retry_at > now)
    return select(w.c.id).where(w.c.active, ~rests, owed).order_by(w.c.id)


def _claimable(database: Database, now: datetime) -> tuple[Any, ...]:
    m = table(WebhookMessage)
    free = or_(m.c.state == LetterState.QUEUED, m.c.lease_until < lease_clock(database.dialect, now))
    return WEBHOOK_OWED, m.c.send_after <= now, free


async def _send_to(
    database: Database, webhook_id: int, began_at: datetime, delivery: WebhookDelivery, counts: dict[str, int]
) -> None:
    began = time.monotonic()
    while not delivery.stop.is_set():
        now = began_at + timedelta(seconds=time.monotonic() - began)
        webhook, claimed = _claim(database, webhook_id, now, delivery)
        if webhook is None or not claimed:
            return
        up, sent = webhook.down_since is None, 0
        for each in claimed:
            outcome = await _attempt(webhook, each, delivery, now)
            up = _settle(database, webhook_id, each, outcome, now, delivery)
            counts[outcome.fate.value] = counts.get(outcome.fate.value, 0) + 1
            sent += 1
            if not up or delivery.stop.is_set() or time.monotonic() - began > PASS_SECONDS:
                break
        _release(database, [each.id for each in claimed[sent:]], delivery)
        if not up or sent < len(claimed):
            return


@dataclass(frozen=True, slots=True, kw_only=True)
class _Webhook:
    """An address as it is stored."""

    url: str
    secret: str
    last_secret: str | None
    last_secret_until: datetime | None
    failures: int
    down_since: datetime | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    """A message as it is stored."""

    id: int
    key: str
    kind: WebhookEvent
    payload: Mapping[str, Any]
    attempts: int
    owed_at: datetime


def _claim(
    database: Database, webhook_id: int, now: datetime, delivery: WebhookDelivery
) -> tuple[_Webhook | None, Sequence[_Message]]:
    """Up to a batch; one message while the address is down, to see whether it answers again."""
    w, m = table(Webhook), table(WebhookMessage)
    with database.write() as session:
        run = session.connection().execute
        found = run(select(*columns_for(_Webhook, w)).where(w.c.id == webhook_id, w.c.active)).first()
        if found is None:
            return None, ()
        webhook = object_of(_Webhook, found)
        most = BATCH
        if webhook.down_since is not None:
            most, too_old = 1, (m.c.webhook_id == webhook_id, WEBHOOK_OWED, m.c.owed_at < now - delivery.give_up)
            run(update(m).where(*too_old).values(state=LetterState.EXPIRED, settled_at=now, code=webhook.why))
        oldest = select(*columns_for(_Message, m)).where(m.c.webhook_id == webhook_id, *_claimable(database, now))
        oldest = oldest.order_by(m.c.send_after, m.c.id).limit(most).with_for_update(skip_locked=True)
        rows = objects(_Message, run(oldest))
        run(
            update(m)
            .where(m.c.id.in_([each.id for each in rows]))
            .values(
                state=LetterState.SENDING,
                attempts=m.c.attempts + 1,
                lease_until=lease_clock(database.dialect, now) + LEASE,
                leased_by=delivery.worker,
            )
        )
    return webhook, rows


async def _attempt(webhook: _Webhook, message: _Message, delivery: WebhookDelivery, now: datetime) -> Outcome:
    if delivery.quiet:
        return Outcome(fate=Fate.KEPT_HERE, code="demo")
    try:
        secrets = current_secrets(delivery.signer, webhook, now)
    except SealBroken:
        return Outcome(fate=Fate.RETRY, code="no_secret")
    body = body_of(message.kind, message.payload, delivery.base_url)
    return await delivery.sender.post(webhook.url, signed_headers(secrets, message.key, body, now), body)


def body_of(kind: WebhookEvent, payload: Mapping[str, Any], base_url: str) -> bytes:
    """The JSON that is signed and sent: what was frozen, and where a person with an account can look."""
    data = payload["data"]
    page = f"/assignments/{data['assignment_id']}" if "assignment_id" in data else "/letters?digest=true"
    link = {} if kind is WebhookEvent.TEST else {"link": base_url + page}
    whole = {**payload, "data": {**data, **link}}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _settle(
    database: Database, webhook_id: int, message: _Message, outcome: Outcome, now: datetime, delivery: WebhookDelivery
) -> bool:
    """Write the outcome and the address's health, where the lease is still ours. True while the address works."""
    w, m = table(Webhook), table(WebhookMessage)
    attempts = message.attempts + 1
    state, after, settled = LetterState.QUEUED, now, None
    if outcome.fate in (Fate.ACCEPTED, Fate.KEPT_HERE):
        state = LetterState.DELIVERED if outcome.fate is Fate.ACCEPTED else LetterState.KEPT_HERE
        settled = now
    elif outcome.fate is Fate.REFUSED:
        state, settled = LetterState.REFUSED, now
    else:
        after = retry_at(now, message.key, attempts, outcome.after)
        if after - message.owed_at > delivery.give_up:
            state, settled = LetterState.EXPIRED, now
    with database.write() as session:
        run = session.connection().execute
        changed = run(
            update(m)
            .where(m.c.id == message.id, m.c.state == LetterState.SENDING, m.c.leased_by == delivery.worker)
            .values(
                state=state,
                send_after=after,
                settled_at=settled,
                tried_at=now,
                code=outcome.code,
                reply=outcome.reply,
                lease_until=None,
                leased_by="",
            )
        )
        row = run(select(*columns_for(_Webhook, w)).where(w.c.id == webhook_id).with_for_update()).first()
        if changed.rowcount == 0 or row is None:
            return False
        values = _health(object_of(_Webhook, row), outcome, now)
        run(update(w).where(w.c.id == webhook_id).values(**values))
    if outcome.fate is Fate.RETRY:
        log.warning("webhook %d: %s", webhook_id, outcome.code)
    return values.get("down_since") is None and values.get("active", True)


def _health(webhook: _Webhook, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """The address's health after an outcome: down after a few failures, off when it says that it is gone for good."""
    if outcome.fate in (Fate.ACCEPTED, Fate.KEPT_HERE):
        return dict(NO_TROUBLE)
    failures = webhook.failures + 1
    values: dict[str, object] = {"failures": failures, "why": outcome.code, "down_since": webhook.down_since}
    if outcome.fate is Fate.REFUSED:
        return values | {"active": False, "down_since": webhook.down_since or now}
    if failures >= MAX_FAILURES:
        pause = min(FIRST_PAUSE * 2 ** min(failures - MAX_FAILURES, 12), LONGEST_PAUSE)
        values |= {"down_since": webhook.down_since or now, "retry_at": now + max(pause, outcome.after or pause)}
    return values


def _release(database: Database, ids: Sequence[int], delivery: WebhookDelivery) -> None:
    """Give back what was claimed and not tried."""
    if not ids:
        return
    m = table(WebhookMessage)
    with database.write() as session:
        session.connection().execute(
            update(m)
            .where(m.c.id.in_(ids), m.c.state == LetterState.SENDING, m.c.leased_by == delivery.worker)
            .values(state=LetterState.QUEUED, attempts=m.c.attempts - 1, lease_until=None, leased_by="")
        )
