"""The receiver to try with: it takes what the product signs, and says why it refuses."""

from __future__ import annotations

import base64
import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from notifications.webhooks import signed_headers
from workflows.operation.webhook_listen import receiver, what_is_wrong

BODY = b'{"type": "assignment.opened"}'
SECRET, OTHER = ("whsec_" + base64.b64encode(bytes([n] * 32)).decode() for n in (1, 2))
NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("secret", "age", "body", "why"),
    [
        (SECRET, 0, BODY, ""),
        (OTHER, 0, BODY, "not by this secret"),
        (SECRET, 0, BODY + b" ", "not by this secret"),
        (SECRET, 400, BODY, "older than 300 s"),
    ],
)
def test_it_takes_what_is_signed_now_and_says_why_not(secret: str, age: int, body: bytes, why: str) -> None:
    headers = dict(signed_headers([secret], "webhook:1:test", BODY, NOW - timedelta(seconds=age)))
    said = what_is_wrong(SECRET, headers, body, NOW)
    assert (why in said) if why else not said


def test_no_time_is_refused() -> None:
    assert what_is_wrong(SECRET, {}, BODY, NOW) == "webhook-timestamp?"


def test_it_answers_and_prints(capsys: pytest.CaptureFixture[str]) -> None:
    with receiver(SECRET, 0) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        headers = dict(signed_headers([SECRET], "webhook:1:test", BODY, datetime.now(UTC)))
        answer = httpx.post(f"http://127.0.0.1:{server.server_port}/", content=BODY, headers=headers)
        thread.join(10)
    assert answer.status_code == 204
    assert "assignment.opened" in capsys.readouterr().out
