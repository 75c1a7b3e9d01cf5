"""Each question has one place that answers it; nobody else decides it by a small rule of their own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ground.paths import ROOT

from engine.store.recipients import CHANNELS

PACKAGES = ("engine", "notifications", "workflows")
MODULES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text())
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
}
TEMPLATES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("templates/**/*.*"))


def compared(tree: ast.AST) -> Iterator[tuple[int, list[ast.expr]]]:
    """Line and sides of each comparison; a tuple, list or set counts by what stands in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            yield (
                node.lineno,
                [
                    one
                    for side in sides
                    for one in (side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side])
                ],
            )


def is_member(node: ast.expr, enum: str) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == enum


def test_what_an_outcome_means_is_asked_of_it() -> None:
    """A report that has words for all is done: the one that ticks «all are done» names the outcome it ticks."""
    places = {
        f"{name}:{line}"
        for name, tree in MODULES.items()
        for line, sides in compared(tree)
        if any(is_member(side, "Outcome") for side in sides)
    }
    assert {place.partition(":")[0] for place in places} <= {"engine/web/pages/work/report_parts.py"}


NO_CHANNEL = {
    "engine/accounts/oidc.py": "a claim of the provider",
    "notifications/letters/template_check.py": "a template of that name",
}


def test_what_a_channel_is_like_is_asked_of_its_row() -> None:
    """«By mail, else by SMS» takes every third channel for the other one."""
    places = {
        f"{name}:{line}"
        for name, tree in MODULES.items()
        for line, sides in compared(tree)
        if name not in NO_CHANNEL and any(isinstance(side, ast.Constant) and side.value in CHANNELS for side in sides)
    }
    assert places == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_template_tells_channels_apart(path: Path) -> None:
    found = re.findall(r"""[=!]= *["'](?:email|sms)["']|["']sms["'] *:""", path.read_text(encoding="utf8"))
    assert found == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_template_names_an_outcome(path: Path) -> None:
    assert re.findall(r"""["'](?:partly|not_yet)["']""", path.read_text(encoding="utf8")) == []
