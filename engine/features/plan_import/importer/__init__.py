"""The importer: reads a plan document into the plan that it states, every field with its place and every doubt as a
warning. Public functions: ``read_document`` reads text, web pages, Word and PDF files; ``read_limited`` does so in a
child process, for the page and the command line; ``as_json`` returns the result.
"""

from __future__ import annotations

from pathlib import Path

from engine.features.plan_import.importer.assembly import as_json, assembled
from engine.features.plan_import.importer.base.model import Accounted, ImportedPlan, Use
from engine.features.plan_import.importer.phrases.owners import Directory, NullDirectory
from engine.features.plan_import.importer.reading.pdf import LIMITS, Limits, refused
from engine.features.plan_import.importer.reading.reader import read_pages
from engine.limited_process import CallFailed, LimitExceeded, shared_process

__all__ = ["Accounted", "ImportedPlan", "Use", "as_json", "read_document", "read_limited"]


def read_document(
    source: Path | bytes, name: str, *, directory: Directory | None = None, limits: Limits = LIMITS
) -> ImportedPlan:
    """The plan in a file or its bytes. ``name``: the file's name in messages; ``directory`` matches owners to known
    agencies. Raises BadInput for a file that cannot be read, is hostile, or has no section that assigns duties.
    """
    pages = read_pages(source, name, limits)
    return assembled(pages, name, directory or NullDirectory())


def read_limited(source: Path | bytes, name: str, directory: Directory) -> ImportedPlan:
    """The plan in a document, read with limited time and memory: a long or hostile document must not block the server
    or the machine. Raises BadInput, also if the limits are exceeded."""
    try:
        where = source.absolute() if isinstance(source, Path) else source
        return shared_process("import").call(LIMITS.read_seconds, read_document, where, name, directory=directory)
    except (LimitExceeded, CallFailed) as error:
        raise refused(name, "slow") from error
