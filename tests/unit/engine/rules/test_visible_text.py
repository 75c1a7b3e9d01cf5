"""Names are what they look like."""

from __future__ import annotations

import pytest

from engine.errors import BadInput
from engine.rules.vietnamese import require_visible


@pytest.mark.parametrize("name", ["Sở Y tế", "UBND H. Quế Phong", "Văn phòng – Tổ 1 (a/b)", "So\u0300 Y te\u0302", ""])
def test_a_name_that_can_be_seen_is_kept(name: str) -> None:
    assert require_visible(name) == name


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\ufeff", "\u00ad", "\u2028", "\x00", "\U000e0041"])
def test_a_hidden_character_is_refused(hidden: str) -> None:
    with pytest.raises(BadInput):
        require_visible(f"Sở Y{hidden} tế")
