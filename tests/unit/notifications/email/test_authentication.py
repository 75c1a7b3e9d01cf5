"""Authentication-Results: believed of the named relay alone, and only for the domain of the From line."""

from __future__ import annotations

import pytest

from notifications.inbound.message import is_authenticated

SENDER = "coordinator@so-ban.example"
PASSES = [
    "mx.so.example; dmarc=pass header.from=so-ban.example",
    "mx.so.example 1; spf=fail smtp.mailfrom=x.example; dmarc=pass (p=none dis=none) header.from=so-ban.example",
    "mx.so.example; spf=pass smtp.mailfrom=coordinator@so-ban.example",
    "MX.so.example; dmarc=none header.from=so-ban.example; dkim=pass (2048-bit key) header.d=so-ban.example header.s=a",
    "mx.so.example; dkim=pass header.i=@so-ban.example",
]
FAILS = [
    "",
    "mx.so.example; none",
    "mx.la.example; dmarc=pass header.from=so-ban.example",
    "mx.so.example.la.example; dmarc=pass header.from=so-ban.example",
    "mx.so.example; dmarc=fail header.from=so-ban.example; spf=pass smtp.mailfrom=so-ban.example",
    "mx.so.example; dmarc=pass header.from=la.example",
    "mx.so.example; spf=pass smtp.mailfrom=la.example; dkim=pass header.d=la.example",
    "mx.so.example; dkim=pass header.d=example",
    "mx.so.example; dkim=pass header.d=la.so-ban.example",
    'mx.so.example; spf=fail reason="x; dmarc=pass header.from=so-ban.example"',
    "mx.so.example; spf=fail (x; dmarc=pass header.from=so-ban.example)",
    'mx.so.example; spf=fail smtp.mailfrom="; dmarc=pass header.from=so-ban.example',
    "mx.so.example; x-dmarc=pass header.from=so-ban.example",
]


@pytest.mark.parametrize("results", PASSES)
def test_what_the_relay_confirmed_passes(results: str) -> None:
    assert is_authenticated(results, "mx.so.example", SENDER)


@pytest.mark.parametrize("results", FAILS)
def test_anything_else_does_not(results: str) -> None:
    assert not is_authenticated(results, "mx.so.example", SENDER)
