"""No two folders import each other."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from ground.paths import ROOT

PACKAGES = ("config", "engine", "notifications", "workflows")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[Path]:
    """The folders of ours that a module imports from, but for its own."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES:
            target = ROOT / node.module.replace(".", "/")
            for name in node.names:
                folder = target / name.name if (target / name.name).is_dir() else target
                found.add(folder if folder.is_dir() else folder.parent)
    return found - {path.parent}


def test_no_two_folders_import_each_other() -> None:
    arrows: defaultdict[Path, set[Path]] = defaultdict(set)
    for path in MODULES:
        arrows[path.parent] |= imported(path)
    circles = {tuple(sorted((a, b))) for a in arrows for b in arrows[a] if a in arrows.get(b, ())}
    assert [(str(a.relative_to(ROOT)), str(b.relative_to(ROOT))) for a, b in sorted(circles)] == []
