"""In-memory cache of compiled Jinja templates, shared by all environments of the process.

Compiling a page takes twenty times as long as rendering it, and the files of a letter are read by two environments: the
shipped templates and the operator's own.
"""

from __future__ import annotations

from functools import cache

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class Compiled(BytecodeCache):
    """Bytecode by template name. Jinja compares the checksum of the source before it uses an entry."""

    def __init__(self) -> None:
        self._bytecode: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if (code := self._bytecode.get(bucket.key)) is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._bytecode[bucket.key] = bucket.bytecode_to_string()


@cache
def compiled(*made_for: object) -> Compiled:
    """The cache for environments with these settings: bytecode depends on autoescaping and on the sandbox."""
    return Compiled()
