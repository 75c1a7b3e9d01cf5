"""Addresses with a letter's key in them: what we made stands for its key, what anybody else wrote for nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.email.signed_addresses import BOUNCE, REPLY, signed_address, signed_key


@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=20))
def test_a_return_address_stands_for_its_key(key: str, secret: str) -> None:
    address = signed_address(BOUNCE, key, secret, "so.example")
    if address:
        assert signed_key(BOUNCE, address, secret) == key
        assert signed_key(BOUNCE, f"<{address.upper()}>", secret) == key
        assert signed_key(BOUNCE, address, secret + "x") is None
        assert len(address.partition("@")[0]) <= 64
        assert address.isascii()


@pytest.mark.parametrize("key", ["assignment:418:T-3", "letter:12:email:2021-06-17", "digest:2021-W24:1234:email"])
def test_usual_keys_have_a_return_address(key: str) -> None:
    assert signed_key(BOUNCE, signed_address(BOUNCE, key, "khóa", "so.example"), "khóa") == key


def test_a_key_too_long_for_an_address_has_none() -> None:
    assert signed_address(BOUNCE, "assignment:" + "9" * 60, "khóa", "so.example") == ""


@pytest.mark.parametrize("change", [("418", "419"), ("bounce+", "bounce-"), ("@", "%"), ("=54", "=5g"), ("=54", "")])
def test_an_address_that_we_did_not_make_stands_for_nothing(change: tuple[str, str]) -> None:
    address = signed_address(BOUNCE, "assignment:418:T-3", "khóa", "so.example")
    assert signed_key(BOUNCE, address.replace(*change), "khóa") is None


def test_a_return_address_is_no_reply_address() -> None:
    address = signed_address(BOUNCE, "letter:12:email:2021-06-17", "khóa", "so.example")
    assert signed_key(REPLY, address.replace(BOUNCE, REPLY), "another key") is None
    assert signed_key(REPLY, address, "khóa") is None
