"""Web pages, Word's "save as web page" among them: paragraphs, list marks and tables, read as a stream without a tree.

A stream cannot overflow by nesting; nothing that a page links to is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, repeat
from typing import Any

from lxml import etree

from engine.features.plan_import.importer.base.model import Place
from engine.features.plan_import.importer.reading.limits import Limits, refused
from engine.features.plan_import.importer.reading.pdf import Block, Grid, Pages, TextLine
from engine.features.plan_import.importer.reading.word import SHAPES

_SILENT = frozenset({"script", "style", "head", "title", "xml", "template", "noscript", "svg", "object", "select"})
_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "p div li h1 h2 h3 h4 h5 h6 ul ol table tr td th body pre blockquote center section article header footer main "
        "dd dt dl hr form fieldset caption address figure",
    )
)
_VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "col", "area", "base", "embed", "source", "wbr"})
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
_DECLARED = re.compile(rb"charset\s*=\s*[\"']?([a-zA-Z0-9-]{3,20})", re.IGNORECASE)
_WORD_LISTS = re.compile(r"<!\[(?:if|endif)[^\]>]{0,60}\]>", re.IGNORECASE)
_ORDERED = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_CHUNK = 1 << 16


def declared_charset(raw: bytes) -> str:
    """What the page itself says its letters are written in."""
    found = _DECLARED.search(raw[:4000])
    return found[1].decode("ascii") if found else ""


def read_page(text: str, name: str, limits: Limits) -> Pages:
    """The blocks of a web page. Raises BadInput for what is too much."""
    reader: Any = _Reader(name=name, limits=limits)  # the stubs allow bytes, too, which none that is fed str gives
    parser = etree.HTMLParser(target=reader, no_network=True, huge_tree=False, remove_comments=True)
    text = "<html>" + _WORD_LISTS.sub("", text).replace("\0", "")  # a parser that is fed nothing at all raises
    for start in range(0, len(text), _CHUNK):
        parser.feed(text[start : start + _CHUNK])
    parser.close()
    return Pages(tuple(reader.blocks))


@dataclass(kw_only=True)
class _Reader:
    """Target of lxml's parser. A table inside a table is read as text of the outer cell."""

    name: str
    limits: Limits
    blocks: list[Block] = field(default_factory=list)
    _text: list[str] = field(default_factory=list)
    _opens: bool = True
    _silent: int = 0
    _verbatim: int = 0
    _lists: list[Iterator[str]] = field(default_factory=list)
    _lines: int = 0
    _tables: int = 0
    _covered: int = 0
    _depth: int = 0
    _grid: Grid = field(default_factory=Grid)
    _cell: list[str] | None = None
    _size: tuple[int, int] = (1, 1)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._silent or tag in _SILENT or _HIDDEN.search(attributes.get("style", "")[:400]):
            self._silent += tag not in _VOID
            return
        if tag == "br" or tag in _BLOCKS:
            self._break(opens=tag != "br")
        if tag in ("tr", "td", "th"):
            self._start_cell(tag, attributes)
        match tag:
            case "ul":
                self._lists.append(repeat("- "))
            case "ol":
                self._lists.append(_numbers(attributes))
            case "li":
                self._text.append(next(self._lists[-1]) if self._lists else "- ")
            case "pre":
                self._verbatim += 1
            case "table":
                self._depth += 1

    def _start_cell(self, tag: str, attributes: Mapping[str, str]) -> None:
        """A row or cell of the outermost table."""
        if self._depth != 1:
            return
        self._finish_cell()
        if tag == "tr":
            self._grid.next_row()
        else:
            self._cell = []
            self._size = (_span(attributes.get("rowspan")), _span(attributes.get("colspan")))

    def end(self, tag: str) -> None:
        if self._silent:
            self._silent -= tag not in _VOID
            return
        if tag in _BLOCKS:
            self._break(opens=True)
        match tag:
            case "ul" | "ol":
                self._lists.pop()
            case "pre":
                self._verbatim -= 1
            case "td" | "th" if self._depth == 1:
                self._finish_cell()
            case "table":
                self._depth -= 1
                if not self._depth:
                    self._finish_table()

    def data(self, data: str) -> None:
        if self._silent:
            return
        first, *others = data.split("\n") if self._verbatim else [data.replace("\n", " ")]
        self._text.append(first)
        for other in others:
            self._break(opens=False)
            self._text.append(other)

    def close(self) -> None:
        self._break(opens=True)

    def _break(self, *, opens: bool) -> None:
        text = "".join(self._text).strip()
        self._text.clear()
        if text and self._cell is not None:
            self._cell.append(text)
        elif text:
            self._lines += 1
            if self._lines > self.limits.lines:
                raise refused(self.name, "text", self.limits.lines)
            self.blocks.append(TextLine(text, Place(line=self._lines), opens=self._opens))
        self._opens = opens

    def _finish_cell(self) -> None:
        if self._cell is None:
            return
        self._covered += self._size[0] * self._size[1]
        if self._covered > self.limits.cells:
            raise refused(self.name, "text", self.limits.cells)
        self._grid.put("\n".join(self._cell), *self._size)
        self._cell = None

    def _finish_table(self) -> None:
        self._finish_cell()
        if self._grid.texts:
            self._tables += 1
            self.blocks.append(self._grid.table(Place(table=self._tables)))
        self._grid = Grid()


def _numbers(attributes: Mapping[str, str]) -> Iterator[str]:
    """The marks of an ordered list, as a browser counts: «1. », «a) », «IV. »."""
    start, shape = attributes.get("start", ""), _ORDERED.get(attributes.get("type", ""), "decimal")
    end = ") " if shape == "lowerLetter" else ". "
    first = int(start) if start.isdigit() and len(start) < 5 else 1
    return (SHAPES[shape](number) + end for number in count(first))


def _span(text: str | None) -> int:
    """A span between 1 and 200; pages in the wild hold worse."""
    return min(max(int(text), 1), 200) if text and text.isdigit() and len(text) < 8 else 1
