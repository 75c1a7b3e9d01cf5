"""CSV downloads that spreadsheets open correctly: UTF-8 with a byte order mark, and no cell that runs as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from fastapi.responses import Response

Cell = str | int | float | None
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would evaluate text with such a prefix, which might even call out (OWASP, CSV injection)."""


def csv_bytes(rows: Iterable[Sequence[Cell]]) -> bytes:
    """CSV with a byte order mark. Numbers stay numbers; text that looks like a formula is prefixed with an
    apostrophe."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([_escape_formula(cell) for cell in row] for row in rows)
    return buffer.getvalue().encode("utf-8-sig")


def csv_response(rows: Iterable[Sequence[Cell]], name: str) -> Response:
    """The table as a download response; ``name`` is plain ASCII without quotes."""
    headers = {"content-disposition": f'attachment; filename="{name}"', "x-content-type-options": "nosniff"}
    return Response(csv_bytes(rows), media_type="text/csv; charset=utf-8", headers=headers)


def _escape_formula(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_PREFIXES) else cell
