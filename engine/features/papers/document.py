"""The parts every paper is built of: page, header, addressees, paragraphs, signature, annex table; and how much of its
page a paper's text takes.

Line spacing may be single to one and a half (Decree 30/2020). LibreOffice and Word agree with the estimate to a line
or two a page, which ``SPARE_LINES`` allows for.

Measurements are those of Decree 30/2020/NĐ-CP, annex I; sizes in points, lengths in millimetres.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import docx
import segno
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Emu, Length, Mm, Pt

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


FONT = "Times New Roman"
PAGE_MM, MARGINS_MM = (210, 297), {"top": 20, "bottom": 20, "left": 30, "right": 20}
LANDSCAPE_MM = 247
NATION, MOTTO = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"
MOTTO_MM = 60.4
"""The motto's width in Times New Roman bold, 14 points: its rule is as long as the line (I.II.1.c)."""
RULE_SHARE = 0.4
"""The rule under the issuer and a report's subject: between a third and a half of the line (I.II.2.b, 5.b)."""
MAX_ONE_LINE = 55
"""Characters of an addressee that fit on the line of «Kính gửi:»."""
CELL_MARGIN_TWIPS = 108
"""Word draws a table this far left of the text, so that cell text aligns; an annex table stays inside the margins."""
COMPACT_MARGIN_TWIPS = 45
CAPS_EM = 0.7
"""Mean width of a bold capital of the font, in ems; the rule may be a sixth longer or shorter."""
LEFT_MM, RIGHT_MM = 60, 100
BLANK = "\u00a0" * 8
LEFT, CENTER, JUSTIFY = WD_ALIGN_PARAGRAPH.LEFT, WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.JUSTIFY


@dataclass(frozen=True)
class AnnexColumn:
    """A column of an annex table; ``centred`` for numbers and days."""

    heading: str
    width_mm: int
    centred: bool = False


class Paper:
    """A document that is being written from top to bottom."""

    def __init__(self, title: str, author: str, at: datetime) -> None:
        """``title``: neutral, since registers and file lists copy it."""
        self.document = docx.Document()
        self._properties(title, author, at)
        style = self.document.styles["Normal"]
        style.font.name, style.font.size = FONT, Pt(14)
        fonts = style.element.rPr.rFonts
        for script in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
            fonts.set(qn(script), FONT)
        language = OxmlElement("w:lang")
        language.set(qn("w:val"), "vi-VN")
        style.element.rPr.append(language)
        self._page(self.document.sections[0])

    def _properties(self, title: str, author: str, at: datetime) -> None:
        properties = self.document.core_properties
        properties.title, properties.author, properties.comments, properties.last_modified_by = title, author, "", ""
        properties.created = properties.modified = at.replace(tzinfo=None, microsecond=0)
        properties.language = "vi-VN"

    def _page(self, section: Any, *, landscape: bool = False) -> None:
        width, height = reversed(PAGE_MM) if landscape else PAGE_MM
        section.page_width, section.page_height = Mm(width), Mm(height)
        section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
        for side, size in MARGINS_MM.items():
            setattr(section, f"{side}_margin", Mm(size))
        section.header_distance = section.footer_distance = Mm(10)
        section.different_first_page_header_footer = True
        section.header.is_linked_to_previous = False
        number = section.header.paragraphs[0]
        number.alignment = CENTER
        number.text = ""
        for kind, code in (("begin", ""), ("", "PAGE"), ("end", "")):
            run = number.add_run()
            if kind:
                field = OxmlElement("w:fldChar")
                field.set(qn("w:fldCharType"), kind)
            else:
                field = OxmlElement("w:instrText")
                field.text = code
            run._r.append(field)
        restart = OxmlElement("w:pgNumType")
        restart.set(qn("w:start"), "1")
        section._sectPr.append(restart)

    # --- paragraphs ------------------------------------------------------------------------------------------------

    def body(self, text: str, *, heading: bool = False, keep: bool = False) -> None:
        """A justified paragraph whose first line is indented by 1.27 cm."""
        paragraph = self.line(text, where=self.document, bold=heading, align=JUSTIFY, after=6)
        paragraph.paragraph_format.first_line_indent = Mm(12.7)
        paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.MULTIPLE
        paragraph.paragraph_format.line_spacing = USUAL
        paragraph.paragraph_format.keep_with_next = heading or keep

    def centred(
        self, text: str, *, size: float = 14, bold: bool = False, italic: bool = False, after: float = 0
    ) -> None:
        self.line(text, where=self.document, size=size, bold=bold, italic=italic, align=CENTER, after=after)

    def line(
        self,
        text: str,
        *,
        where: Any,
        size: float = 14,
        bold: bool = False,
        italic: bool = False,
        align: WD_ALIGN_PARAGRAPH = LEFT,
        before: float = 0,
        after: float = 0,
        new: bool = True,
    ) -> Any:
        """A paragraph in the document or a cell; ``new`` False writes into the cell's first one."""
        paragraph = where.add_paragraph() if new else where.paragraphs[0]
        run = paragraph.add_run(unicodedata.normalize("NFC", text))
        run.font.size, run.bold, run.italic = Pt(size), bold, italic
        layout = paragraph.paragraph_format
        layout.alignment, layout.space_before, layout.space_after = align, Pt(before), Pt(after)
        layout.line_spacing = 1.0
        return paragraph

    def rule(self, where: Any, length_mm: float, column_mm: float) -> None:
        """A black line of a given length, centred in its column: a border, never underlined text."""
        paragraph = self.line("", where=where, size=2)
        layout = paragraph.paragraph_format
        layout.line_spacing_rule, layout.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(3)
        layout.left_indent = layout.right_indent = Mm(max(column_mm - length_mm, 0) / 2)
        borders, bottom = OxmlElement("w:pBdr"), OxmlElement("w:bottom")
        for name, value in (("val", "single"), ("sz", "6"), ("space", "0"), ("color", "000000")):
            bottom.set(qn(f"w:{name}"), value)
        borders.append(bottom)
        paragraph._p.get_or_add_pPr().append(borders)

    # --- blocks ----------------------------------------------------------------------------------------------------

    def head(self, parent: str, issuer: str, number: str, place_and_date: str, subject: str = "") -> None:
        """The issuer on the left, nation and motto on the right; number and date on one line; «V/v …» for letters."""
        table = self._layout_table((LEFT_MM, RIGHT_MM), rows=3 if subject else 2)
        left, right = table.rows[0].cells
        self.line(parent.upper(), where=left, size=13, align=CENTER, new=False)
        lines = balanced(issuer.upper(), LEFT_MM)
        for each in lines:
            self.line(each, where=left, size=13, bold=True, align=CENTER)
        self.rule(left, RULE_SHARE * max(caps_mm(each, 13) for each in lines), LEFT_MM)
        self.line(NATION, where=right, size=13, bold=True, align=CENTER, new=False)
        self.line(MOTTO, where=right, size=14, bold=True, align=CENTER)
        self.rule(right, MOTTO_MM, RIGHT_MM)
        left, right = table.rows[1].cells
        self.line(number, where=left, size=13, align=CENTER, before=4, new=False)
        self.line(place_and_date, where=right, size=14, italic=True, align=CENTER, before=4, new=False)
        if subject:
            self.line(subject, where=table.rows[2].cells[0], size=12, align=CENTER, before=6, new=False)

    def title(self, kind: str, subject: str) -> None:
        """A report's type name and subject, with the rule under it."""
        self.line(kind, where=self.document, bold=True, align=CENTER, before=14)
        self.centred(re.sub(r"(\d) (tháng|năm)", "\\1\u00a0\\2", subject), bold=True)
        last = min(len(subject) * 0.47 * 14 * 0.3528, TEXT_MM)
        self.rule(self.document, RULE_SHARE * last, TEXT_MM)

    def addressees(self, names: Sequence[str]) -> None:
        """One on the line of «Kính gửi:»; several one a line, dashes in line under the colon (I.II.9.d)."""
        if len(names) == 1 and len(names[0]) <= MAX_ONE_LINE:
            self.line(f"Kính gửi: {names[0]}", where=self.document, align=CENTER, before=14, after=10)
            return
        first = self.line("Kính gửi:", where=self.document, before=14)
        first.paragraph_format.left_indent = Mm(35)
        for number, name in enumerate(names, 1):
            line = self.line(f"- {name}{'.' if number == len(names) else ';'}", where=self.document)
            line.paragraph_format.left_indent, line.paragraph_format.first_line_indent = Mm(57), Mm(-3)
        line.paragraph_format.space_after = Pt(10)

    def sign_off(self, recipients: Sequence[str], unit: str, signer: Sequence[str]) -> None:
        """«Nơi nhận» level with the signer's title; the name is left blank."""
        self.document.paragraphs[-1].paragraph_format.keep_with_next = True
        table = self._layout_table((62, 98), rows=1)
        left, right = table.rows[0].cells
        self.line("Nơi nhận:", where=left, size=12, bold=True, italic=True, before=6, new=False)
        for each in (*recipients, f"Lưu: VT{', ' + unit if unit else ''}"):
            end = "." if each.startswith("Lưu:") else ";"
            self.line(f"- {each}{end}", where=left, size=11)
        for number, each in enumerate(signer):
            self.line(each, where=right, bold=True, align=CENTER, before=6 if not number else 0, new=bool(number))
        name = self.line(BLANK, where=right, bold=True, align=CENTER, before=4 * 14 * 1.15)
        name.paragraph_format.keep_with_next = False
        fill(self.document)

    def annex(self, title: str, note: str, *, landscape: bool, word: str = "Phụ lục", first: bool = False) -> None:
        """Begin an annex on a section of its own, whose pages are numbered from 1 with the first hidden. ``first``: it
        is the whole document."""
        if not first:
            section = self.document.add_section(WD_SECTION.NEW_PAGE)
            for old in section._sectPr.findall(qn("w:pgNumType")):
                section._sectPr.remove(old)
            self._page(section, landscape=landscape)
        width = LANDSCAPE_MM if landscape else TEXT_MM
        self.centred(word, bold=True)
        self.centred(title, bold=True)
        self.centred(note, size=13, italic=True)
        self.rule(self.document, width / 4, width)
        self.document.paragraphs[-1].paragraph_format.space_after = Pt(8)

    def section_heading(self, text: str) -> None:
        paragraph = self.line(text, where=self.document, size=13, bold=True, before=8, after=4)
        paragraph.paragraph_format.keep_with_next = True

    def table(self, columns: Sequence[AnnexColumn], rows: Sequence[Sequence[str]], *, compact: bool = False) -> None:
        """Bordered; the head repeats on every page, rows do not split. ``compact``: 11 points and narrow margins, for
        many columns of numbers."""
        table = self.document.add_table(rows=0, cols=len(columns), style="Table Grid")
        _fix(table, [each.width_mm for each in columns])
        indent = OxmlElement("w:tblInd")
        margin = COMPACT_MARGIN_TWIPS if compact else CELL_MARGIN_TWIPS
        if compact:
            _side_margins(table, margin)
        indent.set(qn("w:w"), str(margin))
        indent.set(qn("w:type"), "dxa")
        table._tbl.tblPr.append(indent)
        for number, values in enumerate(([each.heading for each in columns], *rows)):
            row = table.add_row()
            for kind in ("w:cantSplit", *(("w:tblHeader",) if not number else ())):
                row._tr.get_or_add_trPr().append(OxmlElement(kind))
            for column, cell, value in zip(columns, row.cells, values, strict=True):
                cell.width = Mm(column.width_mm)
                centred = column.centred or not number
                size = 11 if compact else 12
                self.line(value, where=cell, size=size, bold=not number, align=CENTER if centred else LEFT, new=False)

    def end_annex(self) -> None:
        self.line("./.", where=self.document, align=CENTER, before=4)

    def source(self, address: str) -> None:
        """A QR of the page that the paper was drafted from, small and last: who holds the sheet finds its figures. The
        page asks for its own sign-in."""
        if not address:
            return
        picture = io.BytesIO()
        segno.make(address, error="m", micro=False).save(picture, kind="png", scale=6, border=2)
        line = self.line("", where=self.document, before=8)
        line.paragraph_format.keep_together = True
        line.runs[0].add_picture(picture, width=Mm(18))
        text = line.add_run(" Trang số liệu gốc (đăng nhập để xem)")
        text.font.size, text.italic = Pt(9), True

    def save(self) -> bytes:
        """The .docx file."""
        file = io.BytesIO()
        self.document.save(file)
        return file.getvalue()

    def _layout_table(self, widths_mm: Sequence[int], *, rows: int) -> Any:
        """A table without borders and cell margins, whose rows do not split."""
        table = self.document.add_table(rows=rows, cols=len(widths_mm))
        table.alignment = WD_TABLE_ALIGNMENT.LEFT
        _fix(table, widths_mm)
        _side_margins(table, 0)
        for row in table.rows:
            row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
            for cell, width in zip(row.cells, widths_mm, strict=True):
                cell.width = Mm(width)
        return table


def _side_margins(table: Any, twips: int) -> None:
    """The space between a cell's border and its text, left and right."""
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:w"), str(twips))
        edge.set(qn("w:type"), "dxa")
        margins.append(edge)
    table._tbl.tblPr.append(margins)


def _fix(table: Any, widths_mm: Sequence[int]) -> None:
    """A table of fixed layout: the widths of grid and cells are both set, as LibreOffice and Word need it."""
    table.autofit = False
    for column, width in zip(table.columns, widths_mm, strict=True):
        column.width = Emu(Mm(width))


def caps_mm(text: str, size: float) -> float:
    """The width of a line of bold capitals, roughly."""
    return len(text) * CAPS_EM * size * 0.3528


def balanced(text: str, width_mm: float) -> list[str]:
    """The text in as few lines as fit the width, of about equal length, broken between words."""
    words, count = text.replace(" - ", "\u00a0- ").split(" "), 1
    while True:
        lines = _broken(words, len(text) / count)
        if all(caps_mm(line, 13) <= width_mm for line in lines) or count >= len(words):
            return lines
        count += 1


def _broken(words: Sequence[str], most: float) -> list[str]:
    lines, line = [], ""
    for word in words:
        if line and len(line) + 1 + len(word) / 2 > most:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line]
