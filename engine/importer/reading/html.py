"""Web pages, Word's "save as web page" among them: paragraphs, list marks and tables, read as a stream without a tree.

A stream has no depth to overflow; nothing that a page links to is ever fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from engine.importer.model import Place
from engine.importer.reading.limits import Limits, refused
from engine.importer.reading.pages import Block, Pages, Table, TextLine

_SILENT = frozenset({"script", "style", "head", "title", "xml", "template", "noscript", "svg", "object", "select"})
_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "p div li h1 h2 h3 h4 h5 h6 ul ol table tr td th body pre blockquote center section article header footer main "
        "dd dt dl hr form fieldset caption address figure",
    )
)
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
_DECLARED = re.compile(rb"charset\s*=\s*[\"']?([a-zA-Z0-9-]{3,20})", re.IGNORECASE)
_WORD_LISTS = re.compile(r"<!\[(?:if|endif)[^\]>]{0,60}\]>", re.IGNORECASE)
_VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "col", "area", "base", "embed", "source", "wbr"})
_ORDERED = {"1": "{0}.", "a": "{1})", "A": "{1}.", "i": "{0}.", "I": "{0}."}


def declared_charset(raw: bytes) -> str:
    """What the page itself says its letters are written in."""
    found = _DECLARED.search(raw[:4000])
    return found[1].decode("ascii") if found else ""


def read_page(text: str, name: str, limits: Limits) -> Pages:
    """The blocks of a web page. Raises BadInput for what is too much."""
    target = _Reader(name, limits)
    events: Any = target  # the stubs of lxml also allow bytes, which a parser fed with str never gives
    parser = etree.HTMLParser(target=events, no_network=True, huge_tree=False, remove_comments=True)
    text = _WORD_LISTS.sub("", text).replace("\0", "")
    try:
        for start in range(0, len(text), 1 << 16):
            parser.feed(text[start : start + (1 << 16)])
        parser.close()
    except etree.XMLSyntaxError as error:
        if not target.blocks and not target.text:
            raise refused(name, "broken") from error
    return Pages(tuple(target.finished()))


@dataclass
class _Grid:
    """A table being read. ``taken`` are places that a cell of an earlier row covers: (row, column) → its text."""

    rows: list[list[str]] = field(default_factory=list)
    spans: set[tuple[int, int]] = field(default_factory=set)
    taken: dict[tuple[int, int], str] = field(default_factory=dict)

    def put(self, text: str, down: int, across: int) -> int:
        """A cell in the next free place; how many places it fills."""
        if not self.rows:
            self.rows.append([])
        self._fill()
        r, c = len(self.rows) - 1, len(self.rows[-1])
        for below in range(down):
            for right in range(across):
                self.taken[r + below, c + right] = text
                if below or right:
                    self.spans.add((r + below, c + right))
        self._fill()
        return down * across

    def _fill(self) -> None:
        row, r = self.rows[-1], len(self.rows) - 1
        while (r, len(row)) in self.taken:
            row.append(self.taken.pop((r, len(row))))

    def grid(self, place: Place) -> Table:
        width = max((len(row) for row in self.rows), default=0)
        rows = tuple((*row, *[""] * (width - len(row))) for row in self.rows)
        return Table(rows, place, frozenset((r, c) for r, c in self.spans if r < len(rows) and c < width))


@dataclass
class _Reader:
    """Target of lxml's parser. A table inside a table is read as text of the outer cell."""

    name: str
    limits: Limits
    blocks: list[Block] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    _opens: bool = True
    _silent: int = 0
    _verbatim: int = 0
    _tables: int = 0
    _table_count: int = 0
    _lines: int = 0
    _cells: int = 0
    _grid: _Grid | None = None
    _cell: list[str] | None = None
    _span: tuple[int, int] = (1, 1)
    _lists: list[tuple[str, int]] = field(default_factory=list)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._silent or tag in _SILENT or _HIDDEN.search(attributes.get("style", "")[:400]):
            self._silent += tag not in _VOID
            return
        if tag == "br":
            self._break(opens=False)
        elif tag in _BLOCKS:
            self._break(opens=True)
        if tag in ("ul", "ol"):
            start = attributes.get("start", "1")
            shape = _ORDERED.get(attributes.get("type", "1"), "{0}.") if tag == "ol" else "-"
            self._lists.append((shape, int(start) if start.isdigit() and len(start) < 5 else 1))
        elif tag == "li":
            self.text.append(self._mark())
        elif tag == "pre":
            self._verbatim += 1
        elif tag == "table":
            self._tables += 1
            if self._tables == 1:
                self._grid = _Grid()
        elif tag == "tr" and self._tables == 1 and self._grid is not None:
            self._finish_cell()
            self._grid.rows.append([])
        elif tag in ("td", "th") and self._tables == 1:
            self._finish_cell()
            self._cell = []
            self._span = (_span(attributes.get("rowspan")), _span(attributes.get("colspan")))

    def end(self, tag: str) -> None:
        if self._silent:
            self._silent -= tag not in _VOID
            return
        if tag in _BLOCKS:
            self._break(opens=True)
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag == "pre":
            self._verbatim = max(0, self._verbatim - 1)
        elif tag in ("td", "th") and self._tables == 1:
            self._finish_cell()
        elif tag == "table" and self._tables:
            self._tables -= 1
            if self._tables == 0:
                self._finish_table()

    def data(self, data: str | bytes) -> None:
        if self._silent or isinstance(data, bytes):
            return
        if self._verbatim:
            first, *others = data.split("\n")
            self.text.append(first)
            for other in others:
                self._break(opens=False)
                self.text.append(other)
        else:
            self.text.append(data.replace("\n", " "))

    def comment(self, text: str | bytes) -> None:
        """Comments say nothing."""

    def close(self) -> None:
        """lxml asks for it; the result is taken by ``finished``."""

    def finished(self) -> list[Block]:
        self._break(opens=True)
        self._finish_table()
        return self.blocks

    def _mark(self) -> str:
        if not self._lists:
            return "- "
        shape, number = self._lists[-1]
        self._lists[-1] = (shape, number + 1)
        return shape.format(number, chr(ord("a") + (number - 1) % 26)) + " "

    def _break(self, *, opens: bool) -> None:
        text = "".join(self.text).strip()
        self.text.clear()
        if text and self._cell is not None:
            self._cell.append(text)
        elif text and self._grid is None:
            self._lines += 1
            if self._lines > self.limits.lines:
                raise refused(self.name, "text", self.limits.lines)
            self.blocks.append(TextLine(text, Place(line=self._lines), opens=self._opens))
        self._opens = opens

    def _finish_cell(self) -> None:
        self._break(opens=True)
        if self._cell is None or self._grid is None:
            return
        text, self._cell = "\n".join(self._cell), None
        self._cells += self._grid.put(text, *self._span)
        if self._cells > self.limits.cells:
            raise refused(self.name, "text", self.limits.cells)

    def _finish_table(self) -> None:
        self._finish_cell()
        if self._grid is not None and self._grid.rows:
            self._table_count += 1
            self.blocks.append(self._grid.grid(Place(table=self._table_count)))
        self._grid, self._tables = None, 0


def _span(text: str | None) -> int:
    """A span between 1 and 200; pages in the wild hold worse."""
    return min(max(int(text), 1), 200) if text and text.isdigit() and len(text) < 8 else 1
