"""«Hồ sơ việc» as a file: what its printed page says, in the paper's letters, to be laid beside other papers."""

from __future__ import annotations

from datetime import datetime

from bs4 import BeautifulSoup, Tag

from engine.features.papers.document import AnnexColumn, Paper

WIDTHS_MM = (10, 24, 58, 34, 34)


def duty_file_docx(page: bytes, author: str, source: str, at: datetime) -> bytes:
    """``page``: the printed page, whose words are the only ones. ``source``: its address, as a QR."""
    main = BeautifulSoup(page, "lxml").select_one("main")
    assert main is not None
    paper = Paper("Hồ sơ việc", author, at)
    for part in main.select("h1, h2, main > p:not(.qr), blockquote, dt, table"):
        words = _words(part)
        if part.name == "h1":
            paper.centred(words, bold=True, after=8)
        elif part.name == "h2":
            paper.body(words, heading=True)
        elif part.name == "table":
            columns = [AnnexColumn(_words(each), mm) for each, mm in zip(part.select("th"), WIDTHS_MM, strict=True)]
            rows = [[_words(cell) for cell in row.select("td")] for row in part.select("tbody tr")]
            paper.table(columns, rows, compact=True)
        else:
            value = part.find_next_sibling("dd") if part.name == "dt" else None
            paper.body(f"{words}: {_words(value)}" if isinstance(value, Tag) else words)
    paper.source(source)
    return paper.save()


def _words(part: Tag) -> str:
    return " ".join(part.get_text(" ").split()).replace(" :", ":").replace(" ;", ";").replace(" ,", ",")
