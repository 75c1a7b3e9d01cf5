"""Fixtures of the importer's tests: plan 188's own text and what is read in it, Word documents made on the spot; and
what the importer found, as the tests compare it.
"""

from __future__ import annotations

import html
import io
from collections.abc import Callable, Sequence

import docx
import pytest
from ground.paths import CONFIG, DATA

from engine.features.plan_import.importer import ImportedPlan, read_document
from engine.files.directory import DirectoryFile, load_directory

NOBODY = DirectoryFile.model_construct(format="dondoc/directory@1", id="", name="", agencies=(), groups=())
"""A directory without agencies."""


class Everybody(DirectoryFile):
    """Knows every name by one id."""

    def find(self, name: str) -> str:
        return "co-quan"

    def members(self, name: str) -> tuple[str, ...]:
        return (name,) if name == "co-quan" else ()


EVERYBODY = Everybody.model_construct(format="dondoc/directory@1", id="x", name="", agencies=(), groups=())


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
def word() -> Callable[[Sequence[str]], bytes]:
    """A Word document of paragraphs."""

    def made(lines: Sequence[str]) -> bytes:
        document = docx.Document()
        for line in lines:
            document.add_paragraph(line)
        return saved(document)

    return made


def saved(document: object) -> bytes:
    file = io.BytesIO()
    document.save(file)  # type: ignore[attr-defined]
    return file.getvalue()


@pytest.fixture
def page() -> Callable[[Sequence[str]], bytes]:
    """A web page of paragraphs."""
    return lambda lines: (
        "<html><body>" + "".join(f"<p>{html.escape(line)}</p>" for line in lines) + "</body></html>"
    ).encode()


def found(plan: ImportedPlan) -> list[tuple[str, list[str], list[str]]]:
    """Of each item its number, its owners and its duties' words."""
    return [
        (item.no, [owner.name for owner in item.owners], [duty.text for duty in item.duties]) for item in plan.items
    ]


def said(plan: ImportedPlan) -> list[tuple[str, list[str], str]]:
    """Of each duty its citation, its owners and its words."""
    return [
        (duty.citation, [*(each.name for each in item.owners)], duty.text)
        for item in plan.items
        for duty in item.duties
    ]


def owned(plan: ImportedPlan) -> list[tuple[str, list[str]]]:
    """Of each duty its citation and its owners."""
    return [(citation, owners) for citation, owners, _ in said(plan)]
