"""One text in every format that an office sends: the importer reads the same plan from each, a PDF among them."""

from __future__ import annotations

import html
import io
from pathlib import Path

import docx
import pytest
from ground.paths import DATA
from services.libreoffice import as_pdf

from engine.features.plan_import.importer import ImportedPlan, read_document
from engine.rules.vietnamese import squashed

OWN = sorted((DATA / "import" / "own").glob("*.txt"))


def read_as(plan: ImportedPlan) -> list[tuple[object, ...]]:
    return [
        (duty.citation, squashed(duty.text), [owner.name for owner in item.owners], [d.text for d in duty.deadlines])
        for item in plan.items
        for duty in item.duties
    ]


def word(text: str) -> bytes:
    document, out = docx.Document(), io.BytesIO()
    for line in text.splitlines():
        document.add_paragraph(line)
    document.save(out)
    return out.getvalue()


def page(text: str) -> bytes:
    """As Word saves a web page: windows-1252, the letters beyond it as entities."""
    lines = "".join(f"<p>{html.escape(line, quote=False)}</p>" for line in text.splitlines())
    head = '<meta http-equiv=Content-Type content="text/html; charset=windows-1252">'
    return f"<html><head>{head}</head><body>{lines}</body></html>".encode("cp1252", errors="xmlcharrefreplace")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The PDF that LibreOffice makes of each as a Word document: lines wrapped, pages numbered by place."""
    folder = tmp_path_factory.mktemp("printed")
    documents = [folder / f"{path.stem}.docx" for path in OWN]
    for path, document in zip(OWN, documents, strict=True):
        document.write_bytes(word(path.read_text(encoding="utf-8")))
    return {pdf.stem: pdf.read_bytes() for pdf in as_pdf(*documents)}


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_every_format_of_a_plan_gives_the_same_duties(path: Path, printed: dict[str, bytes]) -> None:
    text = path.read_text(encoding="utf-8")
    wanted = read_as(read_document(text.encode(), "plan.txt"))
    assert len(wanted) >= 25
    assert read_as(read_document(word(text), "plan.docx")) == wanted
    assert read_as(read_document(page(text), "plan.htm")) == wanted
    assert read_as(read_document(printed[path.stem], "plan.pdf")) == wanted
