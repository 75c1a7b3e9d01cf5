"""Compiled templates, kept for the whole process: another environment over the same files finds them ready.

To compile a page takes twenty times as long as to fill it; a letter's files are read by two environments, the shipped
one and the office's.
"""

from __future__ import annotations

from functools import cache

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class Compiled(BytecodeCache):
    """By the name of a template; Jinja looks whether the text is still the one that was compiled."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if (code := self._kept.get(bucket.key)) is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


@cache
def compiled(*made_for: object) -> Compiled:
    """The one for environments of a kind: what they compile depends on escaping and on the sandbox."""
    return Compiled()
