"""Markdown, as an assistant or an editor writes it: removes its syntax and keeps the lines and tables that it marks. A
text counts as Markdown only with at least two constructs that nothing else has; in any other text every star and bar is
kept, and so is one that marks nothing, such as a footnote «(**)» or «**» alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, takewhile

from engine.features.plan_import.importer.base.model import Place
from engine.features.plan_import.importer.reading.pdf import BAR, Block, Table, TextLine


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
