"""Reads PDF files with a text layer in a child process with limited time and memory. A page description is a program: a
hostile one may run for hours. A PDF of pictures alone is rejected with an explanation.
"""

from __future__ import annotations

import io
import logging

from engine.features.plan_import.importer.base.model import Place
from engine.features.plan_import.importer.reading.limits import Limits, refused
from engine.features.plan_import.importer.reading.pages import Pages, TextLine
from engine.limited_process import CallFailed, LimitExceeded, shared_process


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
