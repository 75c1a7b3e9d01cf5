"""Compiled templates of pages are kept in pytest's cache from one run to the next: compiling them takes 2.3 s of each
worker, reading them 0.04 s. Jinja compares the source of each before it uses it; what else decides how they are
compiled is in the name of the file."""

from __future__ import annotations

import hashlib
import os
import pickle
from importlib.metadata import version
from pathlib import Path

from engine.http import render
from engine.template_cache import compiled

_known: dict[str, bytes] = {}


def read_kept(folder: Path) -> None:
    file = _file(folder)
    if file.exists():
        _known.update(pickle.loads(file.read_bytes()))
        compiled("pages")._bytecode.update(_known)


def keep(folder: Path) -> None:
    """Write them if any was compiled in this process."""
    made = compiled("pages")._bytecode
    if made != _known:
        half = folder / f"{os.getpid()}.new"
        half.write_bytes(pickle.dumps(made))
        half.rename(_file(folder))


def _file(folder: Path) -> Path:
    how = hashlib.sha256(Path(render.__file__).read_bytes() + version("jinja2").encode())
    return folder / f"{how.hexdigest()[:16]}.pickle"
