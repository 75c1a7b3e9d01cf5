"""Limits of documents, and the messages for exceeding them. A document far beyond them is a mistake or an attack."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import BadInput
from engine.files.spreadsheet import MAX_DOCUMENT_BYTES, MAX_DOCUMENT_CHARS
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
