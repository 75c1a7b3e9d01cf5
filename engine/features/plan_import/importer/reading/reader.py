"""The blocks of a file of any supported format: the reader is chosen by content, not by the file name alone."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from engine.errors import BadInput
from engine.features.plan_import.importer.base.model import Doubt, Place
from engine.features.plan_import.importer.reading.marked_text import (
    declared_charset,
    is_markdown,
    read_markdown,
    read_page,
)
from engine.features.plan_import.importer.reading.pdf import (
    LIMITS,
    Block,
    Limits,
    Pages,
    Table,
    TextLine,
    read_pdf,
    refused,
)
from engine.features.plan_import.importer.reading.word import read_word
from engine.rules.vietnamese import clean, modern, opened, strange_words
from engine.text import Text

_OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PAGE = re.compile(rb"<(?:!doctype html|html|head|body|meta|p|div|table|h[1-6]|ul|ol|span)[\s>/]", re.IGNORECASE)
_BREAK = re.compile(rb"<br[\s>/]", re.IGNORECASE)
_UNREADABLE = (
    (b"{\\rtf", "rtf"),
    (b"\x89PNG", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF8", "gif"),
    (b"Rar!", "rar"),
    (b"7z\xbc\xaf", "7z"),
    (b"\x1f\x8b", "gz"),
    (b"II*\0", "tif"),
    (b"MZ", "exe"),
)


def read_pages(source: Path | bytes, name: str, limits: Limits = LIMITS) -> Pages:
    """The document's lines and tables in Unicode. Raises BadInput for everything that cannot be read."""
    raw = _bytes(source, name, limits)
    if not raw.strip():
        raise refused(name, "empty")
    return _modern(_read(raw, name, limits), name, limits)


def _read(raw: bytes, name: str, limits: Limits) -> Pages:
    """The blocks as stored, by the reader that matches the content."""
    if raw.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return read_word(raw, name, limits)
    if b"%PDF-" in raw[:1024]:
        return read_pdf(raw, name, limits)
    if raw.startswith(_OLD_WORD):
        raise refused(name, "old_word")
    if kind := next((kind for sign, kind in _UNREADABLE if raw.startswith(sign)), ""):
        raise refused(name, "format", kind)
    begins = raw[:40_000].replace(b"\0", b"")
    if _PAGE.search(begins):
        return read_page(opened(raw, declared_charset(raw)), name, limits)
    return _read_text(opened(raw), name, limits, broken=_BREAK.search(begins) is not None)


def _read_text(text: str, name: str, limits: Limits, *, broken: bool) -> Pages:
    """Plain text or Markdown. ``broken``: it has the line breaks of a web page, though no more of one."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > limits.characters or text.count("\n") > limits.lines:
        raise refused(name, "text", limits.lines)
    if is_markdown(text):
        return Pages(tuple(read_markdown(text)))
    if broken:
        return read_page(text, name, limits)
    return Pages(tuple(TextLine(line, Place(line=n)) for n, line in enumerate(text.split("\n"), 1)))


def _bytes(source: Path | bytes, name: str, limits: Limits) -> bytes:
    """Reads at most one byte more than the limit."""
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
            raw = file.read(limits.file_bytes + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BadInput(
            Text(
                f"Không mở được tệp «{name}»: {why}. Hãy xem lại đường dẫn.",
                f"The file “{name}” cannot be opened; check the path.",
            )
        ) from error
    if len(raw) > limits.file_bytes:
        raise refused(name, "size", limits.file_bytes // 1_000_000)
    return raw


_SEPARATED = str.maketrans("\x1e\x1f\n", "  \x1f")
"""All texts change their way of writing as one, in which U+001E ends a text and U+001F a line; a document has none."""


def _modern(pages: Pages, name: str, limits: Limits) -> Pages:
    """The same blocks in Unicode, cleaned, without blank lines. The way of writing is judged once, by the whole
    document."""
    if sum(map(len, pages.texts())) > limits.characters or len(pages.blocks) > limits.lines:
        raise refused(name, "text", limits.lines)
    found = modern("\x1e\n".join(text.translate(_SEPARATED) for text in pages.texts()))
    parts = (_cleaned(part.replace("\x1f", "\n")) for part in found.text.split("\x1e\n"))
    read = Pages(tuple(_placed(pages.blocks, parts)))
    text = "\n".join(read.texts())
    if not any(map(str.isalpha, text)):
        raise refused(name, "empty")
    return replace(read, doubts=tuple(_doubts(text, found.was)))


def _placed(blocks: Iterable[Block], texts: Iterator[str]) -> Iterator[Block]:
    """The blocks with their texts, numbered, without blank lines; a table, which Word numbers apart, stands at the
    paragraph before it, too."""
    order, line, gap = 1, 0, False
    for block in blocks:
        place = replace(block.place, order=order)
        if isinstance(block, Table):
            rows = tuple(tuple(clean(next(texts)).strip() for _ in row) for row in block.rows)
            yield replace(block, rows=rows, place=replace(place, line=place.line or line))
        elif text := next(texts):
            line = place.line
            yield replace(block, text=text, place=place, gap=gap)
        gap = isinstance(block, TextLine) and not text
        order += not gap


def _cleaned(text: str) -> str:
    """A text clean but for its tabs, which may divide the cells of a table."""
    return "\t".join(clean(part).strip() for part in text.split("\t")).rstrip()


def _doubts(text: str, was: str) -> Iterator[Doubt]:
    if was:
        message = f"Văn bản viết bằng bảng mã cũ {was}, đã chuyển sang Unicode; hãy soát lại chữ."
        yield Doubt("converted", message, "cả văn bản")
    if words := strange_words(text):
        said = ", ".join(f"«{word}»" for word in words[:5])
        message = f"Có chữ không thể là tiếng Việt ({said}): tệp có thể bị đọc sai bảng mã; hãy soát lại chữ."
        yield Doubt("strange_letters", message, "cả văn bản")
