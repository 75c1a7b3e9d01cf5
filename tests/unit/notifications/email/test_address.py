"""Mailboxes as people type them."""

from __future__ import annotations

import pytest

from engine.errors import BadInput
from notifications.email.mime import Address, encoded_words, read_address

READ = {
    "vanthu@huyen.example": Address("vanthu@huyen.example"),
    " vanthu@huyen.example ": Address("vanthu@huyen.example"),
    "<vanthu@huyen.example>": Address("vanthu@huyen.example"),
    "Văn thư <vanthu@huyen.example>": Address("vanthu@huyen.example", "Văn thư"),
    '"Văn thư, phòng 2" <v.t+2@huyen.example>': Address("v.t+2@huyen.example", "Văn thư, phòng 2"),
    '"a \\"b\\" c" <x@huyen.example>': Address("x@huyen.example", 'a "b" c'),
    "x@huyện.example": Address("x@xn--huyn-nw5a.example"),
    "postmaster@localhost": Address("postmaster@localhost"),
}
NONE = [
    "",
    "x",
    "@b.example",
    "a@",
    "a@b.example, c@d.example",
    "a@b@c.example",
    "a b@c.example",
    '"a b"@c.example',
    ".a@b.example",
    "a..b@c.example",
    "a@-b.example",
    "a@b..example",
    "Tên <a@b.example",
    "a@b.example\n",
    "a\x00@b.example",
    "a\u2028@b.example",
    "x" * 65 + "@b.example",
    "a@" + "x." * 200 + "example",
    "a@[127.0.0.1]",
    "a>@b.example",
    "a@b.example>",
    "<a@b.example> x",
]


@pytest.mark.parametrize("written", READ)
def test_a_mailbox_is_read(written: str) -> None:
    assert read_address(written) == READ[written]


@pytest.mark.parametrize("written", NONE)
def test_what_is_no_single_mailbox_is_refused_without_repeating_it(written: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read_address(written)
    assert len(written) < 4 or written not in str(refusal.value)


def test_encoded_words_cut_no_character_in_two() -> None:
    words = encoded_words("Ủy ban nhân dân huyện " * 20)
    assert len(words) > 5
    for word in words:
        assert len(word) <= 75


@pytest.mark.parametrize("first", [14, 20, 40, 76])
def test_every_room_on_the_first_line_is_kept(first: int) -> None:
    assert len(encoded_words("ệ" * 100, first)[0]) <= max(first, 12 + 8)
