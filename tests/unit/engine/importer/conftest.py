"""What the importer's tests read: plan 188's own text, the office's directory, and documents made on the spot."""

from __future__ import annotations

import html
import io
from collections.abc import Callable, Sequence

import docx
import pytest
from ground.paths import CONFIG, DATA

from engine.files.directory import DirectoryFile, load_directory
from engine.importer import ImportedPlan, read_document

LABELLED = DATA / "import"
FILES = LABELLED / "files"
HEAD = "ỦY BAN NHÂN DÂN\nTỈNH AN LẠC\nSố: 1/KH-UBND\nAn Lạc, ngày 02 tháng 3 năm 2022\nKẾ HOẠCH\nCÔNG TÁC NĂM 2022\n"


@pytest.fixture(scope="session")
def text_188() -> str:
    return (DATA / "188-kh-ubnd-2021.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def nghe_an() -> DirectoryFile:
    return load_directory(CONFIG / "agencies" / "nghe-an-2021.yaml")


@pytest.fixture(scope="session")
def plan_188(text_188: str, nghe_an: DirectoryFile) -> ImportedPlan:
    return read_document(text_188.encode(), "188.txt", directory=nghe_an)


@pytest.fixture
def read() -> Callable[[str], ImportedPlan]:
    """Reads the body of a plan; the head of a document is put before it."""
    return lambda body: read_document((HEAD + body).encode(), "plan.txt")


@pytest.fixture
def word() -> Callable[[Sequence[str]], bytes]:
    """A Word document of paragraphs."""

    def made(lines: Sequence[str]) -> bytes:
        document = docx.Document()
        for line in lines:
            document.add_paragraph(line)
        return saved(document)

    return made


@pytest.fixture
def page() -> Callable[[Sequence[str]], bytes]:
    """A web page of paragraphs."""
    return lambda lines: (
        "<html><body>" + "".join(f"<p>{html.escape(line)}</p>" for line in lines) + "</body></html>"
    ).encode()


@pytest.fixture
def saved_word() -> Callable[[object], bytes]:
    """The bytes of a python-docx document."""
    return saved


def saved(document: object) -> bytes:
    file = io.BytesIO()
    document.save(file)  # type: ignore[attr-defined]
    return file.getvalue()
