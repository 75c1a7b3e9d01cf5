"""The documents are true: every setting, command, state and dependency is in the README, and what it names exists."""

from __future__ import annotations

from ground.paths import ROOT

import re
import tomllib
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from config.settings import Settings
from engine.terms import State
from workflows.cli import app

README = (ROOT / "README.md").read_text()
VIETNAMESE = (ROOT / "README.vi.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def commands(group: object, prefix: str = "dondoc") -> list[str]:
    """Every command as it is typed."""
    found = []
    for name, command in getattr(group, "commands", {}).items():
        path = f"{prefix} {name}"
        found += commands(command, path) if getattr(command, "commands", None) else [path]
    return found


def named_commands() -> set[str]:
    """The commands that the README names, `dondoc load a|b` meaning both."""
    named: set[str] = set()
    for told in re.findall(r"dondoc ([a-z][^`)]*)", README.replace("\\|", "|")):
        words = told.split()
        for first in words[0].split("|"):
            named.add(f"dondoc {first}")
            for second in words[1].split("|") if len(words) > 1 else ():
                named.add(f"dondoc {first} {second}")
    return named


def test_every_command_is_in_the_readme() -> None:
    missing = [each for each in commands(get_command(app)) if each not in named_commands()]
    assert not missing


def test_every_setting_is_in_the_readme_with_its_meaning() -> None:
    rows = {name: rest for name, rest in re.findall(r"\| `DONDOC_([A-Z_]+)` \|(.*)\|", README)}
    assert set(rows) == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        assert (field.description or "") in rows[name.upper()]


def test_every_state_is_in_the_readme() -> None:
    assert all(f"`{state}`" in README for state in State)


def test_every_dependency_earns_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = [re.split(r"[\[<>=~]", each)[0] for each in project["dependencies"]]
    table = README[README.index("| dependency |") :]
    assert [name for name in names if not re.search(rf"\| .*\b{re.escape(name)}\b.*\|", table)] == []


@pytest.mark.parametrize("text", [README, VIETNAMESE], ids=["en", "vi"])
def test_what_the_readme_points_at_exists(text: str) -> None:
    targets = [each for each in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in each]
    assert targets
    assert [each for each in targets if not (ROOT / each).exists()] == []


@pytest.mark.parametrize("text", [README, VIETNAMESE], ids=["en", "vi"])
def test_every_make_target_that_is_told_of_exists(text: str) -> None:
    told = set(re.findall(r"\bmake ([a-z][a-z-]*)", "\n".join(re.findall(r"`[^`]+`|^ {4}.*$", text, re.MULTILINE))))
    assert told
    assert told <= set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))


def test_no_file_names_a_package_registry() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"https?://|index-url", lock)


def test_the_command_line_says_what_it_is_in_both_languages() -> None:
    assert isinstance(app, typer.Typer)
    assert "/" in str(app.info.help)
