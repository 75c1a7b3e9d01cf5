"""Compiled templates of pages and letters are kept in pytest's cache from one run to the next: compiling them takes
2.3 s and 0.8 s of each worker, reading them 0.04 s. Jinja compares the source of each before it uses it; what else
decides how they are compiled is in the name of the file. An office's own templates are not kept."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

from ground.paths import ROOT

from engine.http.render import TEMPLATE_FOLDERS
from engine.template_cache import Compiled, FastEnvironment, compiled

HOW = ("engine/template_cache.py", "engine/http/render.py", "notifications/letters/renderer.py")
"""What makes the environments."""
SHIPPED = {
    ("pages",): TEMPLATE_FOLDERS,
    (FastEnvironment, False): (ROOT / "notifications/templates",),
    (FastEnvironment, True): (ROOT / "notifications/templates",),
}

_known: list[dict[str, bytes]] = []


def read_kept(folder: Path) -> None:
    file = _file(folder)
    if file.exists():
        _known[:] = pickle.loads(file.read_bytes())
        for made_for, known in zip(SHIPPED, _known, strict=True):
            compiled(*made_for)._bytecode.update(known)


def keep(folder: Path) -> None:
    """Write them if any was compiled in this process."""
    made = [dict(_shipped(compiled(*made_for), folders)) for made_for, folders in SHIPPED.items()]
    if made != _known:
        half = folder / f"{os.getpid()}.new"
        half.write_bytes(pickle.dumps(made))
        half.rename(_file(folder))


def _shipped(cache: Compiled, folders: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    for folder in folders:
        for path in sorted(folder.rglob("*.*")):
            name = path.relative_to(folder).as_posix()
            for known in (name, name.partition("/")[2]):  # letters leave out their language
                key = cache.get_cache_key(known, str(path))
                if (code := cache._bytecode.get(key)) is not None:
                    yield key, code


def _file(folder: Path) -> Path:
    how = b"".join((ROOT / each).read_bytes() for each in HOW) + version("jinja2").encode()
    return folder / f"{hashlib.sha256(how).hexdigest()[:16]}.pickle"
