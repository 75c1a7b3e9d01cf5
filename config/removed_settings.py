"""Settings that earlier versions had. Whoever still sets one is told at the start and by ``dondoc doctor``; it has no
effect."""

from __future__ import annotations

from collections.abc import Mapping

from config import DATA

_LINES = (DATA / "removed_settings.txt").read_text(encoding="utf-8").splitlines()[1:]
REMOVED: Mapping[str, tuple[str, str]] = {name: (vi, en) for name, vi, en in (line.split(" | ") for line in _LINES)}
"""Name -> what holds instead, in Vietnamese and in English."""
