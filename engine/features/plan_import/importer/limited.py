"""Reads a document in a child process with limited time and memory, for the page and the command line: a long or
hostile document must not block the server or the machine."""

from __future__ import annotations

from pathlib import Path

from engine.features.plan_import.importer import ImportedPlan, read_document
from engine.features.plan_import.importer.phrases.owners import Directory
from engine.features.plan_import.importer.reading.limits import LIMITS, refused
from engine.limited_process import CallFailed, LimitExceeded, shared_process


def read_limited(source: Path | bytes, name: str, directory: Directory) -> ImportedPlan:
    """The plan in a document. Raises BadInput, also if the limits of time or memory are exceeded."""
    try:
        where = source.absolute() if isinstance(source, Path) else source
        return shared_process("import").call(LIMITS.read_seconds, read_document, where, name, directory=directory)
    except (LimitExceeded, CallFailed) as error:
        raise refused(name, "slow") from error
