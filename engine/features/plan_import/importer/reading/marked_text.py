"""Text with marks: web pages, Word's «save as web page» among them, read as a stream; and Markdown, as an assistant or
an editor writes it. Both give paragraphs, list marks and tables.

A stream cannot overflow by nesting; nothing that a page links to is fetched.

A text counts as Markdown only with at least two constructs that nothing else has; in any other text every star and
bar is kept, and so is one that marks nothing, such as a footnote «(**)» or «**» alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise, repeat, takewhile
from typing import Any

from lxml import etree

from engine.features.plan_import.importer.base.model import Place
from engine.features.plan_import.importer.reading.pdf import BAR, Block, Grid, Limits, Pages, Table, TextLine, refused
from engine.features.plan_import.importer.reading.word import SHAPES


def _around(sign: str, beside: str = "") -> re.Pattern[str]:
    """A pattern for words of one paragraph between two equal signs. ``beside``: what else may not stand around them."""
    each, whole = re.escape(sign[0]), re.escape(sign)
    before = rf"(?<![\\{each}{beside}]){whole}(?=[^\s)\].,;:/{each}])"
    words = rf"(?:\({whole}\)|(?!{whole})[^\n]|\n(?![ \t]*\n))+?"
    after = rf"(?:(?<=[^\s(\[\\{each}])|(?<=\S )(?={whole}\w)){whole}(?![{each}{beside}])"  # «**Chủ trì: **Sở A», too
    return re.compile(rf"{before}({words}){after}")


_BOLD = _around("**")
_EMPHASES = (_around("***"), _BOLD, _around("*"), *(_around("_" * n, r"\w") for n in (3, 2, 1)))
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\((?:https?:|mailto:|www\.|[#/])[^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(\S.*)")
_CLOSED = re.compile(r"[ \t]#+[ \t]*$")
_ESCAPED_NUMBER = re.compile(r"^[ \t>]*\d{1,3}\\[.)]", re.MULTILINE)
_UNDER_HEADS = re.compile(r"[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*\|)+(?:[ \t]*:?-+:?[ \t]*)?")
_NO_TEXT = re.compile(r"[ \t]*(?:([-_*=])(?:[ \t]*\1){2,}|`{3,}\w*)[ \t]*")  # a ruled line, the fence around a text
_BULLET = re.compile(r"([ \t]*)([-+*])(?=[ \t]+\S)")
_ITEM = re.compile(r"[ \t]*(?P<above>(?:\d{1,2}\.)*)(?P<number>\d{1,2})\\?[.)][ \t]+(?=\S)")
_TITLE = re.compile(r" {0,3}(?:#{1,6}[ \t]+|(?=\*\*))[*_]*")
_BEGINS = re.compile(r"#|\d")
_QUOTED = re.compile(r"^[ \t]*(?:>[ \t]?)+")
_BAR = re.compile(r"(?<!\\)\|")
_BREAK = re.compile(r"<br[ \t]*/?>", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(?:([!-/:-@\[-`{-~])|$)")
_WIDEST = 64


def is_markdown(text: str) -> bool:
    """Whether a text has two signs of Markdown: headings, bold words, links, «1\\.»; a table's heads and the line under
    them are two."""
    lines = text.split("\n")
    heads = sum(BAR in above and _UNDER_HEADS.fullmatch(line) is not None for above, line in pairwise(lines))
    titles = sum(_HEADING.fullmatch(line) is not None for line in lines)
    return 2 * heads + titles + sum(len(sign.findall(text)) for sign in (_BOLD, _LINK, _ESCAPED_NUMBER)) > 1


def read_markdown(text: str) -> Iterator[Block]:
    """The lines and tables of a Markdown text without its signs."""
    text = "\n".join(_enclosed(_QUOTED.sub("", line) for line in text.split("\n")))
    for sign in (*_EMPHASES, _LINK):
        text = sign.sub(r"\1", text)
    lines = list(_told_apart(text.split("\n")))
    n, opens = 0, True
    while n < len(lines):
        if table := _table(lines, n):
            yield table
            n, opens = n + 1 + len(table.rows), True
            continue
        heading = _HEADING.fullmatch(lines[n])
        line = _CLOSED.sub("", heading[1]) if heading else lines[n]
        for part in _BREAK.split(line):
            yield TextLine(_plain(part), Place(line=n + 1), opens=opens or heading is not None)
            opens = True
        n, opens = n + 1, heading is not None


def _told_apart(lines: Iterable[str]) -> Iterator[str]:
    """The lines, those that hold no text empty, with another bullet where a list within a list has the same one."""
    around: list[tuple[int, str]] = []
    blank = True
    for line in lines:
        if _NO_TEXT.fullmatch(line):
            line = ""
        elif found := _BULLET.match(line.expandtabs(4)):
            around = [each for each in around if each[0] < len(found[1])]
            signs = [sign for _, sign in around]
            free = (sign for sign in (found[2], *"-+*") if sign not in signs)
            around.append((len(found[1]), next(free, found[2])))
            line = around[-1][1] + line.lstrip()[1:]
        elif line[:1].strip() and (blank or _BEGINS.match(line)):
            around = []
        blank = not line.strip()
        yield line


def _enclosed(lines: Iterable[str]) -> Iterator[str]:
    """The lines, with «(1)» for «1.» in a list of its own under a numbered heading («### 2. Sở Y tế», «**2. Sở Y
    tế**»)."""
    numbered, last = False, 0
    for line in lines:
        title, item = _TITLE.match(line), _ITEM.match(line)
        number = _ITEM.match(line, title.end()) if title else None
        if number or _HEADING.match(line):
            numbered, last = number is not None, 0
        elif numbered and item and not item["above"] and item["number"] == str(last + 1):
            last += 1
            line = f"({last}) {line[item.end() :]}"
        yield line


def _table(lines: Sequence[str], n: int) -> Table | None:
    """The table whose heads a line holds; None if it holds none."""
    if BAR not in lines[n] or n + 1 == len(lines) or not _UNDER_HEADS.fullmatch(lines[n + 1]):
        return None
    below = takewhile(_BAR.search, (lines[k] for k in range(n + 2, len(lines))))
    rows = [_cells(line) for line in (lines[n], *below)]
    width = max(map(len, rows))
    cells = tuple((*row, *[""] * (width - len(row))) for row in rows) if width <= _WIDEST else ()
    return Table(cells, Place(line=n + 1)) if cells else None


def _cells(line: str) -> list[str]:
    line = line.strip().removeprefix(BAR)
    parts = _BAR.split(line[:-1] if line.endswith(BAR) and not line.endswith(rf"\{BAR}") else line)
    return [_BREAK.sub("\n", _plain(part)).strip() for part in parts]


def _plain(text: str) -> str:
    """A text without escapes: «1\\.» is «1.»."""
    return _ESCAPE.sub(r"\1", text.replace("&nbsp;", " "))


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
