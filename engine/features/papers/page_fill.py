"""How much of its page a paper's text takes, estimated from the mean width of the font's letters: so that no page is
left with two lines and a signature. Line spacing may be single to one and a half (Decree 30/2020). LibreOffice and Word
agree with the estimate to a line or two a page, which ``SPARE_LINES`` allows for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from docx.shared import Length

PAGE_POINTS = 257 / 25.4 * 72
"""Of text on an A4 page between margins of 20 mm."""
MEAN_EM, BOLD_EM = 0.435, 0.47
"""Mean width of a letter of Times New Roman in Vietnamese text, in ems."""
LINE_EM = 1.15
"""Height of a single line of the font, in ems."""
USUAL, CLOSER = 1.15, (1.1, 1.05, 1.0)
"""Line spacings of the text."""
LEAST_LINES = 5
"""Of text above a signature that begins a page."""
SPARE_LINES = 1.5
TEXT_MM = 160
"""Between margins of 30 and 20 mm."""


@dataclass(frozen=True)
class _Block:
    """A paragraph or a row: ``lines`` of ``height`` points each, with ``around`` above and below. ``spaced``: its
    height follows the line spacing."""

    lines: int
    height: float
    around: float
    spaced: bool

    def points(self, spacing: float) -> float:
        return self.around + self.lines * self.height * (spacing if self.spaced else 1)


def fill(document: Any) -> None:
    """With the signature as the last block so far: if it all but fits on one page, with its lines closer together it
    does; on whatever page the signature stands, enough lines of text stand above it."""
    blocks = _blocks(document)
    fitting = (each for each in (USUAL, *CLOSER) if _points(blocks, each) <= PAGE_POINTS)
    spacing = next(fitting, USUAL)
    lines = 0
    for paragraph in reversed(document.paragraphs):
        layout = paragraph.paragraph_format
        if layout.line_spacing != USUAL:
            break
        if lines < LEAST_LINES:
            layout.keep_with_next = True
        lines += _of_paragraph(paragraph, TEXT_MM).lines
        layout.line_spacing = spacing


def _points(blocks: Sequence[_Block], spacing: float) -> float:
    return sum(each.points(spacing) for each in blocks) + SPARE_LINES * 14 * LINE_EM * spacing


def _blocks(document: Any) -> list[_Block]:
    body = document.element.body
    paragraphs = {each._p: each for each in document.paragraphs}
    tables = {each._tbl: each for each in document.tables}
    found: list[_Block] = []
    for element in body.iterchildren():
        if element in paragraphs:
            found.append(_of_paragraph(paragraphs[element], TEXT_MM))
        elif element in tables:
            found += [_of_row(row) for row in tables[element].rows]
    return found


def _of_row(row: Any) -> _Block:
    heights = []
    for cell in row.cells:
        width = (cell.width or Length(0)).mm or TEXT_MM
        parts = [_of_paragraph(each, width) for each in cell.paragraphs]
        heights.append(sum(each.points(1) for each in parts))
    return _Block(lines=1, height=max(heights), around=0, spaced=False)


def _of_paragraph(paragraph: Any, width_mm: float) -> _Block:
    layout, runs = paragraph.paragraph_format, paragraph.runs
    size = next((run.font.size.pt for run in runs if run.font.size), 14)
    bold = any(run.bold for run in runs)
    left = sum(length.mm for length in (layout.left_indent, layout.right_indent) if length)
    first = layout.first_line_indent.mm if layout.first_line_indent and layout.first_line_indent > 0 else 0
    letters = len(paragraph.text) * size * (BOLD_EM if bold else MEAN_EM) * 25.4 / 72
    lines = max(-(-int(letters + first) // max(int(width_mm - left), 1)), 1)
    exact = isinstance(layout.line_spacing, Length)
    around = sum(each.pt for each in (layout.space_before, layout.space_after) if each)
    height = layout.line_spacing.pt if exact else size * LINE_EM
    return _Block(lines=lines, height=height, around=around, spaced=layout.line_spacing == USUAL)
