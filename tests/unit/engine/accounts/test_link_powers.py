"""What a link may do is a closed table: no purpose reaches a permission that changes who gets an agency's letters."""

from __future__ import annotations

import pytest

from engine.accounts.permissions import POWERS, Permission
from engine.accounts.signed_links import Purpose

TABLE = """
acknowledge  acknowledge decline add_part
report       report ask_extension raise see_evidence name_deputy
unsubscribe  set_preferences name_deputy
calendar
deputy       name_deputy
"""


def test_a_link_does_what_its_purpose_names_here_and_nothing_else() -> None:
    written = {purpose: set(powers) for purpose, *powers in map(str.split, TABLE.strip().splitlines())}
    assert {purpose.value: {each.value for each in powers} for purpose, powers in POWERS.items()} == written


@pytest.mark.parametrize("purpose", Purpose)
def test_no_link_keeps_contacts_makes_keys_or_decides(purpose: Purpose) -> None:
    never = {
        Permission.KEEP_CONTACTS,
        Permission.MAKE_TOKEN,
        Permission.MAKE_FEED,
        Permission.ACCEPT,
        Permission.CHASE,
        Permission.SEE_BOARD,
        Permission.SEE_LETTERS,
        Permission.SEE_CONTACTS,
    }
    assert not POWERS[purpose] & never
