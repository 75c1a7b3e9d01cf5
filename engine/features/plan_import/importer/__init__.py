"""The importer: reads a plan document into the plan that it states, every field with its place and every doubt as a
warning. Public functions: ``read_document`` reads text, web pages, Word and PDF files; ``as_json`` returns the result.
"""

from __future__ import annotations

from pathlib import Path

from engine.features.plan_import.importer.assembly import assembled
from engine.features.plan_import.importer.base.model import Accounted, ImportedPlan, Use
from engine.features.plan_import.importer.output import as_json
from engine.features.plan_import.importer.phrases.owners import Directory, NullDirectory
from engine.features.plan_import.importer.reading.limits import LIMITS, Limits
from engine.features.plan_import.importer.reading.reader import read_pages

__all__ = ["Accounted", "ImportedPlan", "Use", "as_json", "read_document"]


def read_document(
    source: Path | bytes, name: str, *, directory: Directory | None = None, limits: Limits = LIMITS
) -> ImportedPlan:
    """The plan in a file or its bytes. ``name``: the file's name in messages; ``directory`` matches owners to known
    agencies. Raises BadInput for a file that cannot be read, is hostile, or has no section that assigns duties.
    """
    pages = read_pages(source, name, limits)
    return assembled(pages, name, directory or NullDirectory())
