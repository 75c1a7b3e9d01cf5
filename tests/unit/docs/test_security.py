"""The inventory of what is sealed and signed has every use that the code has."""

from __future__ import annotations

import re
from pathlib import Path

from engine.accounts import key_ring, second_factor
from engine.admin import settings_view
from engine.features.webhooks import subscriptions
from notifications.email.signed_addresses import REPLY_ADDRESSES, RETURN_ADDRESSES
from notifications.sms import zalo

ROOT = Path(__file__).parents[3]
NAMED = {key_ring.USE, second_factor.USE, settings_view.USE, settings_view.TRIED, subscriptions.USE, zalo.USE}
DERIVED = re.compile(r"""\.(?:secrets?|serializer)\(["']([^"']+)["']\)""")


def test_every_use_of_the_secret_is_in_the_inventory() -> None:
    inventory = (ROOT / "docs/security.md").read_text().partition("## Which key makes what")[2]
    sources = [path for room in ("engine", "notifications", "workflows") for path in (ROOT / room).rglob("*.py")]
    uses = {name for path in sources for name in DERIVED.findall(path.read_text())}
    uses |= NAMED | {REPLY_ADDRESSES, RETURN_ADDRESSES}
    assert {name for name in uses if f"`{name}`" not in inventory} == set()
    sealing = {path.name for path in sources if re.search(r"igner\.seal\(", path.read_text())}
    stored = {"settings_view.py", "subscriptions.py", "second_factor.py", "zalo.py"}
    assert sealing == stored, "another use: name it here, there, and in secret_rotation's _sealed"
