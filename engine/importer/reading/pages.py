"""What the readers of every format give: lines in reading order, and tables as grids. Frozen values only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from engine.importer.model import Doubt, Place

BAR = "|"


@dataclass(frozen=True)
class TextLine:
    """One line. ``opens``: the format itself says that a paragraph begins here (a Word paragraph, ``<p>``);
    False for a line of plain text or a PDF, which may be the middle of a sentence. ``gap``: a blank line before."""

    text: str
    place: Place
    opens: bool = False
    gap: bool = False

    def lines(self) -> Iterator[TextLine]:
        """Itself, as a table gives its cells."""
        yield self


@dataclass(frozen=True)
class Table:
    """A grid of texts, line breaks kept; a merged cell stands in every place it covers. ``spans`` holds the
    (row, column) of places that only repeat a cell to their left or above."""

    rows: tuple[tuple[str, ...], ...]
    place: Place
    spans: frozenset[tuple[int, int]] = frozenset()

    def lines(self) -> Iterator[TextLine]:
        """The cells one after another, a bar after each: how a page saved as text shows a table."""
        for r, row in enumerate(self.rows):
            place = replace(self.place, row=r + 1)
            for c, text in enumerate(row):
                if (r, c) not in self.spans:
                    yield from (TextLine(part, place, opens=True) for part in text.split("\n"))
                    yield TextLine(BAR, place)


Block = TextLine | Table


@dataclass(frozen=True)
class Pages:
    """A document as read: its blocks in order, and what the reader itself was in doubt about."""

    blocks: tuple[Block, ...]
    doubts: tuple[Doubt, ...] = ()

    @property
    def length(self) -> int:
        return sum(len(text) for text in self.texts())

    def texts(self) -> Iterable[str]:
        for block in self.blocks:
            if isinstance(block, TextLine):
                yield block.text
            else:
                yield from (text for row in block.rows for text in row)
