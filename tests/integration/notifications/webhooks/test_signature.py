"""The verifier that docs/webhooks.md shows, against what is really sent."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from ground.factory import at
from ground.paths import CONFIG
from ground.web_servers import Received, receiving

from engine.accounts.signed_links import Signer
from engine.features.webhooks import subscriptions as webhooks
from engine.features.webhooks.subscriptions import new_secret, secret_bytes
from engine.rules.targets import Allowed
from engine.store.database import Database
from notifications.webhooks import Sender, WebhookDelivery, send_owed, signed_headers

NOW = at("2021-04-07")
DOCUMENT = CONFIG.parent / "docs" / "webhooks.md"


def documented() -> Callable[..., bool]:
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, str(DOCUMENT), "exec"), names)
    verified: Callable[..., bool] = names["verified"]
    return verified


@pytest.fixture
def message(sqlite_database: Database) -> tuple[str, Received]:
    signer, allowed = Signer("a key for tests"), Allowed.of("127.0.0.1")
    with receiving() as receiver:
        with sqlite_database.write() as session:
            webhook_id, secret = webhooks.add(session, signer, allowed, url=receiver.url, actor="cli:test", now=NOW)
            webhooks.send_test(session, webhook_id, now=NOW)
        asyncio.run(
            send_owed(
                sqlite_database,
                NOW,
                WebhookDelivery(sender=Sender(allowed), signer=signer, base_url="https://x.example"),
            )
        )
    return secret, receiver.got[0]


def test_the_documented_verifier_accepts_a_real_message(message: tuple[str, Received]) -> None:
    secret, got = message
    assert documented()(secret, got.headers, got.body, now=NOW.timestamp() + 200)


def test_the_documented_verifier_refuses_what_was_changed(message: tuple[str, Received]) -> None:
    secret, got = message
    verified, now = documented(), NOW.timestamp()
    assert not verified(secret, got.headers, got.body + b" ", now=now)
    assert not verified(new_secret(), got.headers, got.body, now=now)
    assert not verified(secret, {**got.headers, "webhook-id": "webhook:1:other"}, got.body, now=now)
    assert not verified(secret, got.headers, got.body, now=now + 301)


def test_the_schemes_own_example() -> None:
    """The vector of the Standard Webhooks reference libraries."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    when = at("2021-02-25").fromtimestamp(1614265330, tz=at("2021-02-25").tzinfo)
    headers = signed_headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", body, when)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_id_holds_no_full_stop(message: tuple[str, Received]) -> None:
    assert "." not in message[1].headers["webhook-id"]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!", "whsec_" + base64.b64encode(b"short").decode(), "abc"])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match=r"whsec_|base64"):
        secret_bytes(secret)
