"""Word documents (.docx): paragraphs with their automatic numbers, and tables with their merged cells.

Only three parts of the package are ever unpacked, each within limits; entities, macros and links are never followed.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from engine.importer.model import Place
from engine.importer.reading.limits import Limits, refused
from engine.importer.reading.pages import Block, Pages, Table, TextLine
from engine.importer.reading.word_numbering import Numbering, W, read_numbering, value

_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_WRAPPERS = frozenset(W + name for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag"))
_UNSAID = frozenset(
    {*(W + name for name in ("del", "moveFrom", "instrText", "delText", "pPr")), f"{_COMPATIBILITY}Fallback"}
)
_SIGNS = {W + "tab": " ", W + "br": "\n", W + "cr": "\n", W + "noBreakHyphen": "-"}


def read_word(raw: bytes, name: str, limits: Limits) -> Pages:
    """The blocks of a .docx. Raises BadInput in words for what is broken, hostile, or no Word document."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as package:
            return _read(_Package(package, name, limits))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise refused(name, "broken") from error
    except RuntimeError as error:  # zipfile says so of an encrypted member
        raise refused(name, "locked") from error


@dataclass(frozen=True)
class _Package:
    zip: zipfile.ZipFile
    name: str
    limits: Limits

    def check(self) -> None:
        entries = self.zip.infolist()
        if len(entries) > self.limits.entries or sum(e.file_size for e in entries) > self.limits.unpacked_bytes:
            raise refused(self.name, "unpacked")
        names = {each.filename.lower() for each in entries}
        if any(each.endswith("vbaproject.bin") for each in names):
            raise refused(self.name, "macros")
        if "word/document.xml" not in names:
            raise refused(self.name, "format", "zip")

    def part(self, path: str) -> Any | None:
        """A parsed part of the package (lxml elements are untyped), None if there is none."""
        try:
            with self.zip.open(path) as opened:
                raw = opened.read(self.limits.part_bytes + 1)
        except KeyError:
            return None
        if len(raw) > self.limits.part_bytes:
            raise refused(self.name, "unpacked")
        if b"<!DOCTYPE" in raw[:4000]:
            raise refused(self.name, "entities")
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            root = etree.fromstring(raw, parser)
        except etree.XMLSyntaxError as error:
            raise refused(self.name, "deep" if "depth" in str(error) else "broken") from error
        tree: Any = root.getroottree()
        if tree.docinfo.doctype:
            raise refused(self.name, "entities")
        return root


def _read(package: _Package) -> Pages:
    package.check()
    types = package.part("[Content_Types].xml")
    if types is not None and b"macroEnabled" in etree.tostring(types):
        raise refused(package.name, "macros")
    document = package.part("word/document.xml")
    body = document.find(f"{W}body") if document is not None else None
    if body is None:
        raise refused(package.name, "broken")
    numbers = package.part("word/numbering.xml")
    numbering = read_numbering(numbers) if numbers is not None else Numbering()
    reader = _Reader(package, numbering, _styles(package.part("word/styles.xml")))
    return Pages(tuple(reader.blocks(body)))


_Listed = tuple[str, int]


def _listed(properties: Any) -> _Listed | None:
    """(list id, depth) in the properties of a paragraph or style; list id "" is Word's "no list after all"."""
    found = properties.find(f"{W}numPr") if properties is not None else None
    if found is None:
        return None
    number, shown = value(found, "numId"), value(found, "ilvl", "0")
    return ("" if number == "0" else number), int(shown) if shown.isdigit() and len(shown) < 3 else 0


def _styles(root: Any | None) -> dict[str, _Listed]:
    """Style id -> list, its parents' lists included."""
    own: dict[str, tuple[_Listed | None, str]] = {}
    for style in root.findall(f"{W}style") if root is not None else ():
        own[str(style.get(f"{W}styleId"))] = (_listed(style.find(f"{W}pPr")), value(style, "basedOn"))
    found: dict[str, _Listed] = {}
    for name in own:
        at, seen = name, 0
        while at in own and own[at][0] is None and seen < 12:
            at, seen = own[at][1], seen + 1
        listed = own[at][0] if at in own else None
        if listed is not None:
            found[name] = listed
    return found


@dataclass
class _Reader:
    package: _Package
    numbering: Numbering
    styles: dict[str, _Listed]
    _seen: list[int] = field(default_factory=lambda: [0, 0, 0])  # lines, tables, cells

    def blocks(self, container: Any) -> Iterator[Block]:
        for element in container:
            if element.tag == f"{W}p":
                yield from self._lines(element)
            elif element.tag == f"{W}tbl":
                yield self._table(element)
            elif element.tag in _WRAPPERS:
                yield from self.blocks(element)

    def _lines(self, paragraph: Any) -> Iterator[TextLine]:
        for text in self._paragraphs(paragraph):
            self._seen[0] += 1
            place = Place(line=self._seen[0])
            for n, part in enumerate(text.split("\n")):
                yield TextLine(part, place, opens=n == 0)

    def _paragraphs(self, paragraph: Any, *, in_cell: bool = False) -> Iterator[str]:
        """The paragraph's text with its label, then the texts of boxes anchored in it. In a table's cell a label may
        stand alone: rows that number themselves."""
        boxes: list[Any] = []
        text = self._text(paragraph, boxes)
        label = self._label(paragraph)
        yield f"{label} {text}".strip() if label and (text.strip() or in_cell) else text
        for box in boxes:
            for inner in box.iter(f"{W}p"):
                yield self._text(inner, [])

    def _text(self, paragraph: Any, boxes: list[Any]) -> str:
        parts: list[str] = []
        walk = etree.iterwalk(paragraph, events=("start",))
        for _, element in walk:
            if element.tag in _UNSAID:
                walk.skip_subtree()
            elif element.tag == f"{W}txbxContent":
                boxes.append(element)
                walk.skip_subtree()
            elif element.tag == f"{W}t":
                parts.append(element.text or "")
            elif element.tag in _SIGNS:
                parts.append(_SIGNS[element.tag])
        return "".join(parts)

    def _label(self, paragraph: Any) -> str:
        properties = paragraph.find(f"{W}pPr")
        listed = _listed(properties)
        if listed is None:
            listed = self.styles.get(value(properties, "pStyle"))
        return self.numbering.label(*listed) if listed and listed[0] else ""

    def _table(self, table: Any) -> Table:
        self._seen[1] += 1
        place = Place(table=self._seen[1])
        rows: list[tuple[str, ...]] = []
        spans: set[tuple[int, int]] = set()
        for row in table.iter(f"{W}tr"):
            if _nearest_table(row) is table:
                rows.append(self._row(row, rows[-1] if rows else (), len(rows), spans))
        width = max((len(row) for row in rows), default=0)
        return Table(tuple((*row, *[""] * (width - len(row))) for row in rows), place, frozenset(spans))

    def _row(self, row: Any, above: tuple[str, ...], r: int, spans: set[tuple[int, int]]) -> tuple[str, ...]:
        found: list[str] = []
        for cell in row.iter(f"{W}tc"):
            if _nearest_table(cell) is not _nearest_table(row):
                continue
            properties = cell.find(f"{W}tcPr")
            width = value(properties, "gridSpan", "1")
            text = self._cell(cell)
            if value(properties, "vMerge", "restart") != "restart" and len(found) < len(above):
                text = above[len(found)]
                spans.add((r, len(found)))
            for n in range(min(int(width), 64) if width.isdigit() and len(width) < 4 else 1):
                if n:
                    spans.add((r, len(found)))
                found.append(text)
            self._seen[2] += 1
            if self._seen[2] > self.package.limits.cells or len(found) > 64:
                raise refused(self.package.name, "text", self.package.limits.cells)
        return tuple(found)

    def _cell(self, cell: Any) -> str:
        texts = [
            text for inner in cell.iter(f"{W}p") if not _boxed(inner) for text in self._paragraphs(inner, in_cell=True)
        ]
        return "\n".join(text for text in texts if text.strip())


def _boxed(paragraph: Any) -> bool:
    nearest = next(paragraph.iterancestors(f"{W}txbxContent", f"{W}tc"), None)
    return nearest is not None and nearest.tag == f"{W}txbxContent"


def _nearest_table(element: Any) -> Any:
    return next(element.iterancestors(f"{W}tbl"), None)
