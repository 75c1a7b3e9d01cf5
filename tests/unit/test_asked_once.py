"""Each question has one place that answers it; nobody else decides it by a small rule of their own."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ground.paths import ROOT

from engine.store.recipients import CHANNELS
from engine.terms import State

PACKAGES = ("engine", "notifications", "workflows")
MODULES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text())
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
}
TEMPLATES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("templates/**/*.*"))


STATES_LISTED = rf"""\bstate (?:not )?in \(["'](?:{"|".join(State)})["']"""


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


HOME = (
    "engine/rules/situation.py",
    "engine/assignments/situations.py",
    "engine/assignments/situations.py",
    "engine/rules/policy.py",
    "engine/terms.py",
)
"""Where it is decided what is owed, overdue, done."""
DAYS = ("due_on", "done_on", "promised_on")
DAYS_COMPARED = {
    "engine/admin/cut_off.py": "which periods a day closes, by the index of due dates",
    "engine/admin/published_figures.py": "the timeliness of the first report on the day of the cut-off",
    "engine/assignments/lifecycle.py": "a later day is later than the one before it",
    "engine/assignments/promise_rows.py": "which promises have passed, asked here alone",
    "engine/assignments/promises.py": "a promise is agreed to before its day",
    "engine/assignments/told.py": "how far back a letter reaches",
    "engine/features/feeds.py": "how far back a calendar reaches",
    "engine/plans/amendments.py": "a later day is later than the one before it",
    "engine/queries/figures/outlook.py": "the next due dates, by their index",
    "engine/queries/figures/year.py": "the weeks of a year",
    "engine/queries/work/assignments.py": "the order of a list and its next page; what was done since a day",
    "engine/queries/work/letter_links.py": "how long a link works",
    "engine/rules/typed_day.py": "a typed day lies ahead",
    "engine/rules/words.py": "how far a promised day lies behind the due date",
    "notifications/letters/digests.py": "how far back a letter reaches",
    "notifications/letters/view.py": "the order of lines",
    "workflows/checks/log_checks.py": "what was done of late",
}
"""Modules that compare such a day to answer another question, with that question."""
STATE_LISTS = ("COUNTED_STATES",)


def is_named(node: ast.expr, names: tuple[str, ...]) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr in names) or (isinstance(node, ast.Name) and node.id in names)


def deciding(found: Callable[[ast.AST], bool]) -> set[str]:
    """The modules outside of ``HOME`` with such a node."""
    return {name for name, tree in MODULES.items() if name not in HOME and any(map(found, ast.walk(tree)))}


def test_what_is_overdue_is_asked_of_the_table() -> None:
    def compares_a_day(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Compare)
            and any(isinstance(op, ast.Lt | ast.Gt | ast.LtE | ast.GtE) for op in node.ops)
            and any(is_named(side, DAYS) for side in (node.left, *node.comparators))
        )

    assert deciding(compares_a_day) == set(DAYS_COMPARED)


def test_what_is_unfinished_is_asked_of_the_table() -> None:
    """Not by a list of states."""

    def asks_for_a_list(node: ast.AST) -> bool:
        if isinstance(node, ast.Compare):
            return any(is_named(side, STATE_LISTS) for side in node.comparators)
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return False
        return node.func.attr in ("in_", "not_in") and any(is_named(each, STATE_LISTS) for each in node.args)

    assert deciding(asks_for_a_list) == set()


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
def test_no_template_has_a_list_of_states(path: Path) -> None:
    assert re.findall(STATES_LISTED, path.read_text(encoding="utf8")) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_template_names_an_outcome(path: Path) -> None:
    assert re.findall(r"""["'](?:partly|not_yet)["']""", path.read_text(encoding="utf8")) == []
