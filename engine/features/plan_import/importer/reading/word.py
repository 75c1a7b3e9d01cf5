"""Word documents (.docx): paragraphs with their automatic numbers, and tables with their merged cells.

Only four parts of the package are ever unpacked, each within limits; entities, macros and links are never followed.

Automatic numbers and bullets of a Word document: what Word shows before a paragraph is not in its text.

Reads ``word/numbering.xml`` (ECMA-376 part 1, 17.9) and counts as Word does: a level restarts after a higher one.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from lxml import etree
from lxml.etree import _Element  # the type of a parsed element; lxml gives it no public name

from engine.features.plan_import.importer.base.model import Place
from engine.features.plan_import.importer.reading.pdf import Block, Grid, Limits, Pages, Table, TextLine, refused

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_ROMAN = {1000: "M", 900: "CM", 500: "D", 400: "CD", 100: "C", 90: "XC", 50: "L", 40: "XL", 10: "X", 9: "IX"}
_ROMAN |= {5: "V", 4: "IV", 1: "I"}


def roman(number: int) -> str:
    """4 → IV. Empty for numbers below 1."""
    found = ""
    for value, letters in _ROMAN.items():
        while number >= value and len(found) < 20:
            found, number = found + letters, number - value
    return found


def _letter(number: int) -> str:
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1) if 0 < number < 1000 else ""


SHAPES: Mapping[str, Callable[[int], str]] = {
    "decimal": str,
    "decimalZero": lambda n: f"{n:02d}",
    "upperRoman": roman,
    "lowerRoman": lambda n: roman(n).lower(),
    "upperLetter": lambda n: _letter(n).upper(),
    "lowerLetter": _letter,
    "none": lambda _: "",
}
_BULLETS = {"-": "-", "–": "-", "—": "-", "\uf02d": "-", "+": "+", "*": "*"}


class _Level(NamedTuple):
    shape: str
    text: str
    start: int


class Numbering:
    """The lists that a parsed ``numbering.xml`` declares, if there is one; counts as paragraphs are read in order."""

    def __init__(self, root: _Element | None) -> None:
        abstracts, lists = (root.findall(W + name) if root is not None else () for name in ("abstractNum", "num"))
        self._levels = {
            (str(abstract.get(f"{W}abstractNumId")), whole(level.get(f"{W}ilvl"))): _Level(
                value(level, "numFmt", "decimal"), value(level, "lvlText"), whole(value(level, "start"), 1)
            )
            for abstract in abstracts
            for level in abstract.findall(f"{W}lvl")
        }
        self._abstracts = {str(each.get(f"{W}numId")): value(each, "abstractNumId") for each in lists}
        self._restarts = {
            (str(each.get(f"{W}numId")), whole(change.get(f"{W}ilvl"))): whole(value(change, "startOverride"), 1)
            for each in lists
            for change in each.findall(f"{W}lvlOverride")
            if change.find(f"{W}startOverride") is not None
        }
        self._counts: dict[str, dict[int, int]] = defaultdict(dict)

    def label(self, list_id: str, depth: int) -> str:
        """What stands before the next paragraph of a list at a depth; empty if nothing does."""
        abstract = self._abstracts.get(list_id, "")
        level = self._levels.get((abstract, depth))
        if level is None:
            return ""
        if level.shape == "bullet":
            return _BULLETS.get(level.text.strip(), "•")
        counts = self._counts[abstract]
        following = counts.get(depth, level.start - 1) + 1
        counts[depth] = self._restarts.pop((list_id, depth), following)  # a restart holds once
        for deeper in [each for each in counts if each > depth]:
            del counts[deeper]
        return re.sub(r"%(\d)", lambda found: self._number(abstract, int(found[1]) - 1), level.text).strip()

    def _number(self, abstract: str, depth: int) -> str:
        level = self._levels.get((abstract, depth))
        if level is None:
            return ""
        return SHAPES.get(level.shape, str)(self._counts[abstract].get(depth, level.start))


def value(element: _Element | None, name: str, otherwise: str = "") -> str:
    """The ``w:val`` of an element's child; ``otherwise`` where there is no such child."""
    found = element.find(f"{W}{name}") if element is not None else None
    return str(found.get(f"{W}val") or "") if found is not None else otherwise


def whole(text: str | None, otherwise: int = 0) -> int:
    """The number that an attribute holds; ``otherwise`` where it holds none of up to six digits."""
    return int(text) if text and re.fullmatch(r"\d{1,6}", text) else otherwise


_PARAGRAPH, _TABLE, _ROW, _CELL, _BOX, _TEXT = (f"{W}{name}" for name in ("p", "tbl", "tr", "tc", "txbxContent", "t"))
_WRAPPERS = frozenset(W + name for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag"))
_UNSAID = frozenset(
    {
        *(W + name for name in ("del", "moveFrom", "instrText", "delText", "pPr")),
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
    }
)
_SIGNS = {W + "tab": "\t", W + "br": "\n", W + "cr": "\n", W + "noBreakHyphen": "-"}
_WIDEST, _DEEPEST_STYLE = 64, 12


def read_word(raw: bytes, name: str, limits: Limits) -> Pages:
    """The blocks of a .docx. Raises BadInput for files that are broken, hostile, or no Word document."""
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
        types = self.part("[Content_Types].xml")
        if types is not None and b"macroEnabled" in etree.tostring(types):
            raise refused(self.name, "macros")

    def part(self, path: str) -> _Element | None:
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
            root: _Element = etree.fromstring(raw, parser)
        except etree.XMLSyntaxError as error:
            raise refused(self.name, "deep" if "depth" in str(error) else "broken") from error
        if root.getroottree().docinfo.doctype:  # type: ignore[attr-defined]  # the stubs lack it
            raise refused(self.name, "entities")
        return root


def _read(package: _Package) -> Pages:
    package.check()
    document = package.part("word/document.xml")
    body = document.find(f"{W}body") if document is not None else None
    if body is None:
        raise refused(package.name, "broken")
    styles = package.part("word/styles.xml")
    listed = {
        str(style.get(f"{W}styleId")): (_listed(style.find(f"{W}pPr")), value(style, "basedOn"))
        for style in (styles.findall(f"{W}style") if styles is not None else ())
    }
    numbering = Numbering(package.part("word/numbering.xml"))
    reader = _Reader(name=package.name, limits=package.limits, numbering=numbering, styles=listed)
    return Pages(tuple(reader.blocks(body)))


_Listed = tuple[str, int]


def _listed(properties: _Element | None) -> _Listed | None:
    """(list id, depth) in the properties of a paragraph or style; list id "" is Word's "no list after all"."""
    found = properties.find(f"{W}numPr") if properties is not None else None
    if found is None:
        return None
    number = value(found, "numId")
    return "" if number == "0" else number, whole(value(found, "ilvl"))


def _inside(container: _Element, *tags: str) -> Iterator[_Element]:
    """The elements of some kinds in a container, also those that an insertion or a content control wraps."""
    for element in container:
        if element.tag in tags:
            yield element
        elif element.tag in _WRAPPERS:
            yield from _inside(element, *tags)


def _said(element: _Element) -> Iterator[_Element]:
    """What stands in an element, in order: nothing deleted or said twice, and of a text box only that it is there."""
    walk = etree.iterwalk(element, events=("start",))
    for _, each in walk:
        if each.tag == _BOX or each.tag in _UNSAID:
            walk.skip_subtree()
        if each.tag not in _UNSAID:
            yield each


def _text(elements: Iterable[_Element]) -> str:
    return "".join((each.text or "") if each.tag == _TEXT else _SIGNS.get(each.tag, "") for each in elements)


@dataclass(kw_only=True)
class _Reader:
    """``styles``: the list of a style's own, and the style that it is based on."""

    name: str
    limits: Limits
    numbering: Numbering
    styles: Mapping[str, tuple[_Listed | None, str]]
    _lines: int = 0
    _tables: int = 0
    _cells: int = 0

    def blocks(self, body: _Element) -> Iterator[Block]:
        for element in _inside(body, _PARAGRAPH, _TABLE):
            if element.tag == _TABLE:
                yield self._table(element)
                continue
            for text in self._paragraphs(element):
                self._lines += 1
                for n, part in enumerate(text.split("\n")):
                    yield TextLine(part, Place(line=self._lines), opens=n == 0)

    def _paragraphs(self, paragraph: _Element, *, in_cell: bool = False) -> Iterator[str]:
        """The paragraph's text with its label, then the texts of boxes anchored in it. In a table's cell a label may
        stand alone: rows that number themselves."""
        said = list(_said(paragraph))
        text, label = _text(said), self._label(paragraph.find(f"{W}pPr"))
        yield f"{label} {text}".strip() if label and (text.strip() or in_cell) else text
        for box in said:
            if box.tag == _BOX:
                yield from (_text(_said(inner)) for inner in box.iter(_PARAGRAPH))

    def _label(self, properties: _Element | None) -> str:
        """What Word shows before a paragraph: of its own list, else of its style's, else of a style below that one."""
        listed, style = _listed(properties), value(properties, "pStyle")
        for _ in range(_DEEPEST_STYLE):
            if listed is not None or style not in self.styles:
                break
            listed, style = self.styles[style]
        return self.numbering.label(*listed) if listed else ""

    def _table(self, table: _Element) -> Table:
        grid = Grid()
        for row in _inside(table, _ROW):
            grid.next_row()
            for cell in _inside(row, _CELL):
                properties = cell.find(f"{W}tcPr")
                goes_on = value(properties, "vMerge", "restart") != "restart"
                across = min(max(whole(value(properties, "gridSpan"), 1), 1), _WIDEST)
                grid.put(self._cell(cell), across=across, repeats=goes_on)
                self._cells += across
                if self._cells > self.limits.cells or grid.column + across > _WIDEST:
                    raise refused(self.name, "text", self.limits.cells)
        self._tables += 1
        return grid.table(Place(table=self._tables))

    def _cell(self, cell: _Element) -> str:
        """The text of a cell, that of tables inside it too."""
        inside = (each for each in _said(cell) if each.tag == _PARAGRAPH)
        return "\n".join(t for each in inside for t in self._paragraphs(each, in_cell=True) if t.strip())
