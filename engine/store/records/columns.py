"""Column types shared by the tables, among them the text of letters, which is stored compressed, and the naming
convention of constraints.

``letter_words_1.txt`` is for good: what was compressed against it can be read with it only (zlib compares a checksum
and fails otherwise). Other words go into another file, and the letters of before keep this one.
"""

import zlib
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Enum, Integer, LargeBinary, TypeDecorator
from sqlmodel import SQLModel

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


SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
BigId = BigInteger().with_variant(Integer(), "sqlite")


class Words(Enum):
    """Words of a StrEnum. One that a hand has left in a row and that is none of them is read as it is, so that it
    spoils nothing but what asks for it; the audit counts it (``impossible_values``). It cannot be written."""

    cache_ok = True

    def _object_value_for_elem(self, elem: str) -> Any:
        return self._object_lookup.get(elem, elem)


def by_value(
    kind: type[StrEnum], *, nullable: bool = False, index: bool = False, default: StrEnum | None = None
) -> Any:
    """A column for a StrEnum, stored by value as text, so that a new member needs no migration. ``default``: of
    rows that are written without it."""
    stored = Words(
        kind,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        create_constraint=False,
        length=32,
        validate_strings=True,
    )
    server_default = None if default is None else default.value
    return Column(stored, nullable=nullable, index=index, server_default=server_default)


def json_column(*, nullable: bool = False, default: object = None) -> Any:
    return Column(JSON(none_as_null=nullable), nullable=nullable, default=default)


class PackedText(TypeDecorator[str]):
    """Text that is compressed in the database (``engine.store.records.columns``)."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: object) -> bytes | None:
        return None if value is None else pack(value)

    def process_result_value(self, value: bytes | None, dialect: object) -> str | None:
        return None if value is None else unpack(value)
