"""Whatever the file is, its blocks: chooses the reader by what the bytes are, and never by the name alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from engine.errors import BadInput
from engine.importer.model import Doubt, Place
from engine.importer.reading.charset import Converted, modern, opened, strange_words
from engine.importer.reading.html import declared_charset, read_page
from engine.importer.reading.limits import LIMITS, Limits, refused
from engine.importer.reading.pages import Pages, Table, TextLine
from engine.importer.reading.pdf import read_pdf
from engine.importer.reading.word import read_word
from engine.importer.vietnamese import clean
from engine.text import Text

_OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PAGE = re.compile(rb"<(?:!doctype html|html|head|body|meta|p|div|table|br|h[1-6]|ul|ol|span)[\s>/]", re.IGNORECASE)
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
    """The document's lines and tables in Unicode. Raises BadInput, in words, for all that cannot be read."""
    raw = _bytes(source, name, limits)
    if not raw.strip():
        raise refused(name, "empty")
    if raw.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _modern(read_word(raw, name, limits), name, limits)
    if b"%PDF-" in raw[:1024]:
        return _modern(read_pdf(raw, name, limits), name, limits)
    if raw.startswith(_OLD_WORD):
        raise refused(name, "old_word")
    for sign, kind in _UNREADABLE:
        if raw.startswith(sign):
            raise refused(name, "format", kind)
    if _PAGE.search(raw[:20_000]) or _PAGE.search(raw[:40_000].replace(b"\0", b"")):
        return _modern(read_page(opened(raw, declared_charset(raw)), name, limits), name, limits)
    return _modern(_lines(opened(raw), name, limits), name, limits)


def _bytes(source: Path | bytes, name: str, limits: Limits) -> bytes:
    """No more than one byte over the limit is ever read."""
    if isinstance(source, bytes):
        raw = source
    else:
        try:
            with source.open("rb") as opened:
                raw = opened.read(limits.file_bytes + 1)
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


def _lines(text: str, name: str, limits: Limits) -> Pages:
    if len(text) > limits.characters or text.count("\n") > limits.lines:
        raise refused(name, "text", limits.lines)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Pages(tuple(TextLine(line, Place(line=n)) for n, line in enumerate(lines, 1)))


def _modern(pages: Pages, name: str, limits: Limits) -> Pages:
    """The same blocks in Unicode, cleaned. The way of writing is judged once, by the whole document."""
    if pages.length > limits.characters or len(pages.blocks) > limits.lines:
        raise refused(name, "text", limits.lines)
    texts = list(pages.texts())
    joined = "\x1e".join(text.replace("\x1e", " ").replace("\n", "\x1f") for text in texts)
    found = _by_line(joined)
    parts = iter(clean(part.replace("\x1f", "\n")).strip() for part in found.text.split("\x1e"))
    blocks = [
        replace(block, text=next(parts))
        if isinstance(block, TextLine)
        else replace(block, rows=tuple(tuple(next(parts) for _ in row) for row in block.rows))
        for block in pages.blocks
    ]
    return _checked(replace(pages, blocks=tuple(blocks)), found.was, name, limits)


def _by_line(joined: str) -> Converted:
    """``modern`` with one line a text, whatever signs divide them."""
    found = modern(joined.replace("\x1e", "\x1e\n"))
    return replace(found, text=found.text.replace("\x1e\n", "\x1e"))


def _checked(pages: Pages, was: str, name: str, limits: Limits) -> Pages:
    if not any(each.isalpha() for text in pages.texts() for each in text):
        raise refused(name, "empty")
    blocks, gap = [], False
    for block in pages.blocks:
        if isinstance(block, TextLine) and not block.text:
            gap = True
            continue
        blocks.append(replace(block, gap=gap) if isinstance(block, TextLine) and gap else block)
        gap = False
    return Pages(tuple(_with_tables(blocks)), (*pages.doubts, *_converted(was), *_strange(pages)))


def _strange(pages: Pages) -> Iterator[Doubt]:
    words = strange_words("\n".join(pages.texts()))
    if words:
        said = ", ".join(f"«{word}»" for word in words[:5])
        message = f"Có chữ không thể là tiếng Việt ({said}): tệp có thể bị đọc sai bảng mã; hãy soát lại chữ."
        yield Doubt("strange_letters", message, "cả văn bản")


def _with_tables(blocks: list[TextLine | Table]) -> list[TextLine | Table]:
    """Word numbers paragraphs and tables apart; a table's place is that of the paragraph before it, too."""
    found: list[TextLine | Table] = []
    line = 0
    for order, block in enumerate(blocks, 1):
        if isinstance(block, TextLine):
            line = block.place.line
        place = replace(block.place, line=block.place.line or line, order=order)
        found.append(replace(block, place=place))
    return found


def _converted(was: str) -> tuple[Doubt, ...]:
    if not was:
        return ()
    message = Text(
        f"Văn bản viết bằng bảng mã cũ {was}, đã chuyển sang Unicode; hãy soát lại chữ.",
        f"The text was written in {was} and has been converted; check the letters.",
    )
    return (Doubt("converted", str(message), "cả văn bản"),)
