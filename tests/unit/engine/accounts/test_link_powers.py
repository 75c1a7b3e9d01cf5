"""What a link may do is a closed table: no purpose reaches a permission that changes who gets an agency's letters."""

from __future__ import annotations

import pytest

from engine.accounts.link_powers import POWERS
from engine.accounts.permissions import Permission
from engine.accounts.signed_links import Purpose

OF_A_READER = {
    Permission.ACKNOWLEDGE,
    Permission.DECLINE,
    Permission.REPORT,
    Permission.ASK_EXTENSION,
    Permission.RAISE,
    Permission.ADD_PART,
    Permission.SEE_EVIDENCE,
    Permission.SET_PREFERENCES,
    Permission.NAME_DEPUTY,
}


def test_links_do_what_a_reader_of_the_letter_does_and_nothing_else() -> None:
    assert set().union(*POWERS.values()) == OF_A_READER


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
