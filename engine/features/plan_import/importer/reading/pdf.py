"""Reads PDF files with a text layer in a child process with limited time and memory. A page description is a program: a
hostile one may run for hours. A PDF of pictures alone is rejected with an explanation.

The output of the readers of every format: lines in reading order, and tables as grids. Frozen dataclasses only.

Limits of documents, and the messages for exceeding them. A document far beyond them is a mistake or an attack.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from engine.errors import BadInput
from engine.features.plan_import.importer.base.model import Doubt, Place
from engine.files.spreadsheet import MAX_DOCUMENT_BYTES, MAX_DOCUMENT_CHARS
from engine.limited_process import CallFailed, LimitExceeded, shared_process
from engine.text import Text


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Maximum sizes, in bytes, characters, items and seconds."""

    file_bytes: int = MAX_DOCUMENT_BYTES
    unpacked_bytes: int = 80_000_000
    part_bytes: int = 40_000_000
    entries: int = 4_000
    characters: int = MAX_DOCUMENT_CHARS
    lines: int = 100_000
    cells: int = 100_000
    pages: int = 800
    pdf_seconds: int = 40
    read_seconds: int = 60


LIMITS = Limits()

_REFUSALS = {
    "size": (
        "lớn quá {0} MB. Hãy bỏ bớt hình ảnh hoặc chỉ gửi phần văn bản",
        "larger than {0} MB. Send the text alone",
    ),
    "unpacked": (
        "giải nén ra quá lớn, có thể là tệp phá hoại. Hãy mở bằng Word và lưu lại",
        "unpacks to far too much; it may be hostile. Open it in Word and save it again",
    ),
    "text": (
        "quá dài (trên {0} dòng hoặc ký tự). Hãy chỉ gửi văn bản kế hoạch",
        "too long (over {0} lines or letters). Send the plan alone",
    ),
    "pages": ("có trên {0} trang. Hãy tách riêng kế hoạch", "has over {0} pages. Send the plan alone"),
    "macros": ("có macro. Hãy lưu lại thành .docx không macro", "holds macros. Save it as .docx without macros"),
    "entities": (
        "có khai báo thực thể XML (DOCTYPE), không bao giờ có trong tệp Word thật. Hãy mở bằng Word và lưu lại",
        "declares XML entities (DOCTYPE), which no real Word file does. Open it in Word and save it again",
    ),
    "broken": (
        "hỏng, không mở được. Hãy mở và lưu lại, hoặc gửi bản khác",
        "is broken. Save it again, or send another copy",
    ),
    "deep": ("lồng nhau quá sâu. Hãy mở bằng Word và lưu lại", "is nested too deeply. Save it again in Word"),
    "old_word": (
        "là tệp Word cũ (.doc) hoặc có mật khẩu. Hãy mở bằng Word, bỏ mật khẩu và lưu thành .docx",
        "is an old Word file (.doc) or has a password. Open it, take off the password, save as .docx",
    ),
    "locked": ("có mật khẩu. Hãy bỏ mật khẩu rồi gửi lại", "has a password. Take off the password"),
    "pictures": (
        "chỉ có hình ảnh, không có lớp chữ. Hãy nhận dạng chữ (OCR) trước, hoặc gửi bản Word",
        "holds only pictures of pages and no text. Run OCR first, or send the Word file",
    ),
    "slow": (
        "đọc quá lâu hoặc tốn quá nhiều bộ nhớ. Hãy gửi bản Word hoặc bản chữ",
        "takes too long or too much memory to read. Send the Word file or the text",
    ),
    "format": (
        "không phải .txt, .html, .docx hay .pdf ({0}). Hãy lưu sang một trong các dạng đó",
        "is not .txt, .html, .docx or .pdf ({0}). Save it as one of these",
    ),
    "several": (
        "có {1} kế hoạch: {0}. Muốn nhập kế hoạch nào? Hãy gửi riêng phần ấy",
        "holds {1} plans: {0}. Which one is it to be? Send its part alone",
    ),
    "empty": ("không có chữ nào. Hãy kiểm tra lại tệp", "holds no text. Check the file"),
}


def refused(name: str, why: str, *details: object) -> BadInput:
    """The error that says why a file is not read and what to do about it."""
    vi, en = (part.format(*details) for part in _REFUSALS[why])
    return BadInput(Text(f"Tệp «{name}» {vi}.", f"The file “{name}” {en}."))


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


@dataclass
class Grid:
    """A table being read: the text of every (row, column) that a cell covers, and where the next cell begins."""

    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    spans: set[tuple[int, int]] = field(default_factory=set)
    row: int = -1
    column: int = 0

    def next_row(self) -> None:
        self.row, self.column = self.row + 1, 0

    def put(self, text: str, down: int = 1, across: int = 1, *, repeats: bool = False) -> None:
        """A cell in the next free place, over so many rows and columns. ``repeats``: it goes on with the cell above."""
        self.row = max(self.row, 0)
        while (self.row, self.column) in self.texts:
            self.column += 1
        covered = [(self.row + r, self.column + c) for r in range(down) for c in range(across)]
        above = (self.row - 1, self.column)
        repeats = repeats and above in self.texts
        self.texts |= dict.fromkeys(covered, self.texts[above] if repeats else text)
        self.spans.update(covered if repeats else covered[1:])

    def table(self, place: Place) -> Table:
        texts = {at: text for at, text in self.texts.items() if at[0] <= self.row}
        width = max((column for _, column in texts), default=-1) + 1
        rows = tuple(tuple(texts.get((r, c), "") for c in range(width)) for r in range(self.row + 1))
        return Table(rows, place, frozenset(self.spans & texts.keys()))


Block = TextLine | Table


@dataclass(frozen=True)
class Pages:
    """A document as read: its blocks in order, and the reader's own warnings."""

    blocks: tuple[Block, ...]
    doubts: tuple[Doubt, ...] = ()

    def texts(self) -> Iterable[str]:
        for block in self.blocks:
            if isinstance(block, TextLine):
                yield block.text
            else:
                yield from (text for row in block.rows for text in row)


def read_pdf(raw: bytes, name: str, limits: Limits) -> Pages:
    """The lines of a PDF with their pages. Raises BadInput."""
    try:
        pages = shared_process("pdf").call(limits.pdf_seconds, page_texts, raw, name, limits.pages)
    except LimitExceeded as error:
        raise refused(name, "slow") from error
    except CallFailed as error:
        raise refused(name, "slow" if "MemoryError" in str(error) else "broken") from error
    if sum(map(str.isalpha, "".join(pages))) < 20 * max(1, len(pages)):
        raise refused(name, "pictures")
    texts = [(number, at, text) for number, page in enumerate(pages, 1) for at, text in enumerate(page.split("\n"), 1)]
    if len(texts) > limits.lines:
        raise refused(name, "text", limits.lines)
    return Pages(tuple(TextLine(text, Place(line=at, page=number)) for number, at, text in texts))


def page_texts(raw: bytes, name: str, most: int) -> list[str]:
    """The text of every page; called in the other process. Raises BadInput, and what pypdf raises of a broken file."""
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it repairs on its way is no message of ours
    reader = pypdf.PdfReader(io.BytesIO(raw))
    if reader.is_encrypted and not reader.decrypt(""):
        raise refused(name, "locked")
    if len(reader.pages) > most:
        raise refused(name, "pages", most)
    return [page.extract_text() for page in reader.pages]
