"""Tables as files that a spreadsheet opens as they are meant: UTF-8 said so, and no cell that runs as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from fastapi.responses import Response

Cell = str | int | float | None
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so would be reckoned by a spreadsheet, and might call out (OWASP, CSV injection)."""


def spreadsheet(rows: Iterable[Sequence[Cell]]) -> bytes:
    """CSV with a byte order mark; numbers stay numbers, a text that looks like a formula becomes one that is read."""
    written = io.StringIO(newline="")
    csv.writer(written).writerows([_harmless(cell) for cell in row] for row in rows)
    return written.getvalue().encode("utf-8-sig")


def attached(rows: Iterable[Sequence[Cell]], name: str) -> Response:
    """The table as a download; ``name`` is plain ASCII without quotes."""
    headers = {"content-disposition": f'attachment; filename="{name}"', "x-content-type-options": "nosniff"}
    return Response(spreadsheet(rows), media_type="text/csv; charset=utf-8", headers=headers)


def _harmless(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
