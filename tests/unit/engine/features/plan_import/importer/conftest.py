"""What the importer's tests read: plan 188's own text, the office's directory, and documents made on the spot."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ground.paths import DATA
from ground.plan_documents import nghe_an, page, plan_188, saved, text_188, word

from engine.features.plan_import.importer import ImportedPlan, read_document

__all__ = ["nghe_an", "page", "plan_188", "read", "saved_word", "text_188", "word"]
LABELLED = DATA / "import"
FILES = LABELLED / "files"
HEAD = "ỦY BAN NHÂN DÂN\nTỈNH AN LẠC\nSố: 1/KH-UBND\nAn Lạc, ngày 02 tháng 3 năm 2022\nKẾ HOẠCH\nCÔNG TÁC NĂM 2022\n"


@pytest.fixture
def read() -> Callable[[str], ImportedPlan]:
    """Reads the body of a plan; the head of a document is put before it."""
    return lambda body: read_document((HEAD + body).encode(), "plan.txt")


@pytest.fixture
def saved_word() -> Callable[[object], bytes]:
    """The bytes of a python-docx document."""
    return saved
