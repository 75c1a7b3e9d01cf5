"""Facts about a relay that cannot be true together are refused at the start, not at the first letter."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import BadInput
from notifications.email.connection import Relay, Security
from notifications.email.mime import Sender

SENDER = Sender("nhacviec@so.example", "Đôn Đốc")
MISTAKES: list[dict[str, Any]] = [
    {"host": ""},
    {"host": "mail.so.example\r\nEHLO x"},
    {"host": "mail..so.example"},
    {"host": "x" * 64 + ".example"},
    {"hostname": "a b"},
    {"port": 0},
    {"port": 65536},
    {"timeout": 0},
    {"connections": 0},
    {"per_minute": -1},
    {"username": "a", "security": Security.NONE},
    {"bounce_domain": "tra.so.example"},
    {"bounce_secret": "x"},
]


@pytest.mark.parametrize("facts", MISTAKES)
def test_a_relay_that_cannot_be_is_refused_in_words(facts: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"\. / .*\."):
        Relay(**({"host": "mail.so.example", "sender": SENDER} | facts))


@pytest.mark.parametrize("host", ["mail.so.example", "127.0.0.1", "::1", "localhost", "mail_1"])
def test_usual_hosts_are_taken(host: str) -> None:
    assert Relay(host=host, sender=SENDER).security is Security.STARTTLS


def test_a_password_may_go_in_the_clear_to_this_machine_only() -> None:
    assert Relay(host="127.0.0.1", sender=SENDER, security=Security.NONE, username="a", password="b").username == "a"


def test_secrets_are_not_shown() -> None:
    shown = repr(Relay(host="h", sender=SENDER, password="mật", bounce_domain="b.example", bounce_secret="khóa"))
    assert "mật" not in shown
    assert "khóa" not in shown
