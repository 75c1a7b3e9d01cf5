"""The directory of an office that knows the bodies of its documents: made of the names that their labels give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from zlib import crc32

from engine.files.directory import DirectoryFile
from engine.rules.vietnamese import squashed


def directory_of(labels: Iterable[Mapping[str, Any]], percent: int = 100) -> DirectoryFile:
    """The owners and the helping bodies of all labels, or about so many of a hundred of them, always the same ones."""
    names = {
        squashed(name): name
        for label in labels
        for duty in label["duties"]
        for name in (*duty["o"], *duty.get("w", ()))
        if crc32(squashed(name).encode()) % 100 < percent
    }
    written = [*names.values()] or ["Cơ quan"]
    agencies = [{"id": f"co-quan-{n}", "names": [{"name": name}], "level": "khac"} for n, name in enumerate(written)]
    head = {"schema": "dondoc/directory@1", "id": "co-quan", "name": "Cơ quan"}
    return DirectoryFile.model_validate(head | {"agencies": agencies})


def asked_for(arguments: Iterable[str]) -> int | None:
    """How many of a hundred names a directory is to know: «--directory» all, «--directory=50» half; None for no
    directory."""
    found = next((each for each in arguments if each.startswith("--directory")), None)
    return int(found.partition("=")[2] or 100) if found else None
