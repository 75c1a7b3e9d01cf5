"""The content of letters as it is stored: compressed against words that letters have in common, so that what is left of
a letter is a fifth.

``letter_words_1.txt`` is for good: what was compressed against it can be read with it only (zlib compares a checksum
and fails otherwise). Other words go into another file, and the letters of before keep this one.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path

PLAIN = b"\0"
"""First byte of a text from before texts were compressed; the rest is UTF-8."""
LEVEL, WINDOW_BITS, MEMORY = 3, 13, 7
"""A window of 8 KiB suits a letter: to set up zlib's usual one takes longer than to compress."""


def pack(text: str, like: str = "") -> bytes:
    """Compressed UTF-8. ``like``: a text that is similar and stays at hand, as the text part beside the HTML part."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW_BITS, MEMORY, zlib.Z_DEFAULT_STRATEGY, _dictionary(like))
    return packer.compress(text.encode()) + packer.flush()


def unpack(packed: bytes, like: str = "") -> str:
    """The text; ``like`` as it was packed. Reads what was compressed without any dictionary, too."""
    if packed.startswith(PLAIN):
        return packed[1:].decode()
    unpacker = zlib.decompressobj(zdict=_dictionary(like))
    return (unpacker.decompress(packed) + unpacker.flush()).decode()


def _dictionary(like: str) -> bytes:
    return _words() + like.encode()


@cache
def _words() -> bytes:
    return Path(__file__).with_name("letter_words_1.txt").read_bytes()
