"""Links in letters: for one purpose, untouched, until their day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from engine.accounts.signed_links import SIGNING, Link, Purpose, Signer, revocation
from engine.errors import LinkRefused

SIGNER = Signer("a key of this test")
MADE, UNTIL = date(2021, 6, 14), date(2021, 7, 29)


def link(purpose: Purpose = Purpose.REPORT, subject: str = "1:2021-H1") -> Link:
    return Link(purpose=purpose, contact_id=12, subject=subject, made_on=MADE, until=UNTIL)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_link_comes_back_as_it_was_made(purpose: Purpose) -> None:
    assert SIGNER.read(purpose, SIGNER.token(link(purpose)), MADE) == link(purpose)


AT = datetime(2021, 6, 14, 3, 0, 0, 250, tzinfo=UTC)
"""Ten o'clock of the day on which the links of these tests are made."""


def test_a_revocation_ends_the_day_s_earlier_links_and_not_its_later_ones() -> None:
    before, after = link(), replace(link(), since=revocation(AT))
    for made in (before, after):
        assert SIGNER.read(Purpose.REPORT, SIGNER.token(made), MADE) == made
    assert (before.revoked(AT), after.revoked(AT)) == (True, False)
    assert not before.revoked(None)


def test_a_second_revocation_ends_what_was_made_after_the_first() -> None:
    after = replace(link(), since=revocation(AT))
    assert after.revoked(AT + timedelta(minutes=1))
    assert not replace(after, since=revocation(AT + timedelta(minutes=1))).revoked(AT + timedelta(minutes=1))


def test_a_link_that_names_no_revocation_is_told_by_its_day() -> None:
    assert not link().revoked(AT - timedelta(days=1))
    assert link().revoked(AT + timedelta(days=1))


def test_a_link_is_longer_only_for_those_whose_links_were_revoked() -> None:
    assert len(SIGNER.token(link())) < len(SIGNER.token(replace(link(), since=revocation(AT)))) < 120


@pytest.mark.parametrize("other", [each for each in Purpose if each is not Purpose.REPORT])
def test_a_link_for_one_purpose_is_no_key_to_another(other: Purpose) -> None:
    with pytest.raises(LinkRefused):
        SIGNER.read(other, SIGNER.token(link()), MADE)


def test_a_link_works_through_its_last_day_and_says_when_it_ended() -> None:
    token = SIGNER.token(link())
    assert SIGNER.read(Purpose.REPORT, token, UNTIL).until == UNTIL
    with pytest.raises(LinkRefused, match="29/7/2021"):
        SIGNER.read(Purpose.REPORT, token, date(2021, 7, 30))


def test_a_letter_made_twice_holds_the_same_link() -> None:
    assert SIGNER.token(link()) == Signer("a key of this test").token(link())


def test_another_offices_link_is_refused() -> None:
    with pytest.raises(LinkRefused):
        Signer("another key").read(Purpose.REPORT, SIGNER.token(link()), MADE)


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_a_link_changed_in_any_letter_is_refused(at: int, letter: str) -> None:
    token = SIGNER.token(link())
    at %= len(token)
    changed = token[:at] + letter + token[at + 1 :]
    if changed == token:
        return
    with pytest.raises(LinkRefused):
        SIGNER.read(Purpose.REPORT, changed, MADE)


@pytest.mark.parametrize("token", ["", ".", "x.y", "Ễ.ễ", "a" * 10_000, "\x00"])
def test_what_is_no_link_at_all_is_refused(token: str) -> None:
    with pytest.raises(LinkRefused):
        SIGNER.read(Purpose.REPORT, token, MADE)


@pytest.mark.parametrize(
    "body",
    [
        [],
        [1],
        "text",
        {"contact": 1},
        [1, "x", 10**9, 1],
        ["x", "x", 1, 1],
        [None] * 4,
        [1, "x", 1, 1, "x"],
        [1, "x", 1, 1, 1, 1],
    ],
)
def test_a_signed_body_of_another_shape_is_refused(body: object) -> None:
    signed = URLSafeSerializer("a key of this test", salt="dondoc.report", signer_kwargs=SIGNING).dumps(body)
    with pytest.raises(LinkRefused):
        SIGNER.read(Purpose.REPORT, str(signed), MADE)


def test_a_link_signed_with_sha1_is_refused() -> None:
    body = [1, "1:2021-H1", MADE.toordinal(), MADE.toordinal() + 9]
    older = URLSafeSerializer("a key of this test", salt="dondoc.report").dumps(body)
    newer = URLSafeSerializer("a key of this test", salt="dondoc.report", signer_kwargs=SIGNING).dumps(body)
    assert SIGNER.read(Purpose.REPORT, str(newer), MADE).subject == "1:2021-H1"
    with pytest.raises(LinkRefused):
        SIGNER.read(Purpose.REPORT, str(older), MADE)
