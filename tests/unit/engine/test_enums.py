"""A mapping keyed by an enum is complete, or stops when it is imported."""

from __future__ import annotations

from enum import StrEnum

import pytest

from engine.enums import complete


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


def test_a_complete_mapping_is_the_mapping_itself() -> None:
    words = {Colour.RED: "đỏ", Colour.GREEN: "xanh"}
    assert complete(Colour, words) is words


def test_a_member_without_an_entry_is_named() -> None:
    with pytest.raises(TypeError, match=r"no entry for .*GREEN"):
        complete(Colour, {Colour.RED: "đỏ"})


def test_a_member_for_which_no_entry_is_meant_says_so_and_has_none() -> None:
    assert complete(Colour, {Colour.RED: "đỏ"}, but=[Colour.GREEN])
    with pytest.raises(TypeError, match="though none is meant"):
        complete(Colour, {Colour.RED: "đỏ", Colour.GREEN: "xanh"}, but=[Colour.GREEN])
