"""PDF files with a text layer, read in a process of their own whose time and memory are bounded.

A page description is a program: a hostile one may run for hours. ``read_pdf`` starts this module as a child, gives it
the file, and takes one JSON list of pages back. A PDF that holds only pictures is refused, and the words say so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from engine.importer.model import Place
from engine.importer.reading.limits import Limits, refused
from engine.importer.reading.pages import Pages, TextLine

_LOCKED, _BROKEN, _TOO_MANY = 3, 4, 5


def read_pdf(raw: bytes, name: str, limits: Limits) -> Pages:
    """The lines of a PDF with their pages. Raises BadInput."""
    command = [sys.executable, "-m", __name__, str(limits.pages), str(limits.pdf_seconds), str(limits.pdf_memory)]
    kept = {key: os.environ[key] for key in ("PATH", "PYTHONPATH", "HOME", "LANG") if key in os.environ}
    root = str(Path(__file__).parents[3])
    try:
        done = subprocess.run(
            command, input=raw, capture_output=True, timeout=limits.pdf_seconds + 10, check=False, cwd=root, env=kept
        )
    except subprocess.TimeoutExpired as error:
        raise refused(name, "slow") from error
    if done.returncode == 0:
        return _pages(json.loads(done.stdout), name, limits)
    why = {_LOCKED: "locked", _BROKEN: "broken", _TOO_MANY: "pages"}.get(done.returncode, "slow")
    raise refused(name, why, limits.pages)


def _pages(pages: list[str], name: str, limits: Limits) -> Pages:
    lettered = sum(each.isalpha() for page in pages for each in page)
    if lettered < 20 * max(1, len(pages)):
        raise refused(name, "pictures")
    lines = []
    for number, page in enumerate(pages, 1):
        for at, text in enumerate(page.split("\n"), 1):
            lines.append(TextLine(text, Place(line=at, page=number)))
    if len(lines) > limits.lines:
        raise refused(name, "text", limits.lines)
    return Pages(tuple(lines))


def _child(pages: int, seconds: int, memory: int) -> int:
    """Reads a PDF from standard input; writes its pages as JSON. The exit code says what is wrong."""
    import io
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    import pypdf
    from pypdf.errors import PyPdfError

    try:
        reader = pypdf.PdfReader(io.BytesIO(sys.stdin.buffer.read()))
        if reader.is_encrypted and not reader.decrypt(""):
            return _LOCKED
        if len(reader.pages) > pages:
            return _TOO_MANY
        texts = [page.extract_text() for page in reader.pages]
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError):
        return _BROKEN
    sys.stdout.write(json.dumps(texts))
    return 0


if __name__ == "__main__":
    sys.exit(_child(*map(int, sys.argv[1:4])))
