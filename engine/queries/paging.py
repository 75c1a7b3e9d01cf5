"""Keyset pagination: an opaque cursor names the last row of a page, so deep pages cost no more."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from sqlmodel import Session

from engine.errors import BadInput
from engine.text import Text

T = TypeVar("T")
Row = TypeVar("Row", covariant=True)
PER_PAGE = 50
MAX_PAGE_ROWS = 200
MOST_COUNTED = 1_000
"""Where a page says how long a list of letters is: above it «hơn 1.000»."""
DOWNLOAD_ROWS = 500
"""Rows read at a time for a file."""


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page of rows; ``next`` is the cursor of the next page ("" on the last), ``total`` None when not counted."""

    rows: tuple[T, ...]
    next: str = ""
    total: int | None = None


class Paged(Protocol[Row]):
    @property
    def rows(self) -> Sequence[Row]: ...
    @property
    def next(self) -> str: ...


def every_row(read_page: Callable[[str], Paged[Row]]) -> Iterator[Row]:
    """The rows of all pages of a list; ``read_page`` reads the page after a cursor."""
    after = ""
    while True:
        found = read_page(after)
        yield from found.rows
        if not found.next:
            return
        after = found.next


class Numbered(Protocol):
    @property
    def id(self) -> int: ...


Known = TypeVar("Known", bound=Numbered)


def in_order(ids: Sequence[int], read: Callable[[Sequence[int]], Iterable[Known]]) -> list[Known]:
    """The rows with these ids in this order."""
    by_id = {row.id: row for row in read(ids)}
    return [by_id[each] for each in ids]


def streamed(session: Session, statement: Any) -> Iterator[Sequence[Any]]:
    """The rows of a statement, ``DOWNLOAD_ROWS`` at a time: executed once, never all in memory."""
    options = {"yield_per": DOWNLOAD_ROWS}
    return session.connection().execute(statement, execution_options=options).partitions()


def encode(*values: object) -> str:
    raw = json.dumps([value if isinstance(value, int) else str(value) for value in values]).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(cursor: str, *kinds: Callable[[Any], Any]) -> tuple[Any, ...]:
    """The values of a cursor. Raises BadInput for an invalid one."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or len(values) != len(kinds):
            raise ValueError(cursor)
        found = tuple(kind(value) for kind, value in zip(kinds, values, strict=True))
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        raise BadInput(
            Text(
                "Con trỏ trang không đọc được; hãy mở lại danh sách từ đầu.",
                "The page cursor cannot be read; open the list again from its beginning.",
            )
        ) from None
    if any(isinstance(each, int) and not -(2**63) <= each < 2**63 for each in found):
        raise BadInput(Text("Con trỏ trang không đọc được.", "The page cursor cannot be read."))
    return found


def page(rows: Sequence[T], limit: int, key: Callable[[T], tuple[Any, ...]], total: int | None = None) -> Page[T]:
    """A page from up to ``limit + 1`` rows; the extra row shows that there are more."""
    shown = tuple(rows[:limit])
    return Page(shown, encode(*key(shown[-1])) if len(rows) > limit else "", total)
