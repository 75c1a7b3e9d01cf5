"""The documents are true: every setting, command, state and dependency is in its document; what they name exists."""

from __future__ import annotations

import re
import tomllib

import pytest
import typer
from ground.paths import ROOT
from sqlmodel import SQLModel
from typer.main import get_command

from engine.store import records as _records  # noqa: F401  (fills SQLModel.metadata)
from engine.terms import State, WebhookEvent
from workflows.cli import app

README = (ROOT / "README.md").read_text()
COMMANDS = (ROOT / "docs/commands.md").read_text()
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
DOCUMENTS = {
    each.relative_to(ROOT).as_posix(): each.read_text() for each in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
}
MODULES = {
    each.relative_to(ROOT).as_posix(): each.read_text()
    for package in ("config", "engine", "notifications", "workflows", "tests")
    for each in (ROOT / package).rglob("*.py")
}
NAMED_FILE = re.compile(r"(?<![\w/.*{<>-])([\w-][\w./-]*\.(?:py|md|ya?ml|html|toml|css|lock))(?![\w/*])")
OWN = {"FILE.yaml", "my-agencies.yaml", "one_file.py", "plan.yaml", "plan-2026.yaml"}
"""Names that stand for a file of the reader's."""
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
    """The commands that docs/commands.md names, `dondoc load a|b` meaning both."""
    named: set[str] = set()
    for told in re.findall(r"dondoc ([a-z][^`)]*)", COMMANDS.replace("\\|", "|")):
        words = told.split()
        for first in words[0].split("|"):
            named.add(f"dondoc {first}")
            for second in words[1].split("|") if len(words) > 1 else ():
                named.add(f"dondoc {first} {second}")
    return named


def test_every_table_says_how_long_its_rows_are_kept() -> None:
    said = re.findall(r"`([a-z_]+)`", (ROOT / "docs/retention.md").read_text())
    assert {each.name for each in SQLModel.metadata.sorted_tables} - set(said) == set()


def test_every_event_of_webhooks_has_its_row() -> None:
    said = set(re.findall(r"^- `([a-z_.]+)`:", DOCUMENTS["docs/webhooks.md"], re.MULTILINE))
    assert said == set(WebhookEvent)


def test_every_command_is_documented() -> None:
    missing = [each for each in commands(get_command(app)) if each not in named_commands()]
    assert not missing


def test_every_state_is_documented() -> None:
    assert all(f"`{state}`" in ARCHITECTURE for state in State)


def test_every_dependency_earns_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = [re.split(r"[\[<>=~]", each)[0] for each in project["dependencies"]]
    table = README[README.index("| dependency |") :]
    assert [name for name in names if not re.search(rf"\| .*\b{re.escape(name)}\b.*\|", table)] == []


def test_every_file_that_documents_and_docstrings_name_exists() -> None:
    """By its name or by the end of its path: «policy.py», «crash/run.py». The change log tells of files that went."""
    there = {each.relative_to(ROOT).as_posix() for each in ROOT.rglob("*") if not {".venv", "build"} & {*each.parts}}
    ends = {each.split("/", n)[-1] for each in there for n in range(each.count("/") + 1)}
    texts = {name: text for name, text in DOCUMENTS.items() if name != "CHANGELOG.md"}
    texts |= {
        name: "\n".join(re.findall(r'""".*?"""|# .*?$', text, re.DOTALL | re.MULTILINE))
        for name, text in MODULES.items()
    }
    missing = {
        f"{name}: {found}"
        for name, text in texts.items()
        for found in NAMED_FILE.findall(text)
        if found.removeprefix("./") not in ends | OWN
    }
    assert missing == set()


def test_a_decision_is_at_most_forty_lines_and_those_that_are_named_exist() -> None:
    decisions = {name: text.count("\n") for name, text in DOCUMENTS.items() if name.startswith("docs/decisions/")}
    assert len(decisions) > 10
    assert {name for name, lines in decisions.items() if lines > 40} == set()
    texts = "\n".join([*DOCUMENTS.values(), *MODULES.values(), (ROOT / "pyproject.toml").read_text()])
    named = set(re.findall(r"decisions?[ /](\d{4})\b", texts, re.IGNORECASE))
    assert named <= {name.rpartition("/")[2][:4] for name in decisions}


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md", "SECURITY.md"])
def test_every_file_that_a_document_names_exists(name: str) -> None:
    """`engine/rules/periods.py`, `notifications/templates/vi/`: ten changes are placed by them."""
    named = set(re.findall(r"`((?:config|engine|notifications|workflows|tests|docs)/[\w./-]*)`", DOCUMENTS[name]))
    assert named or name == "SECURITY.md"
    assert [each for each in sorted(named) if not (ROOT / each).exists()] == []


def test_every_module_that_the_architecture_names_exists() -> None:
    """Of `engine.assignments.lifecycle` and `engine.rules.policy.decide`, the longest part that is a file."""
    for name in sorted(set(re.findall(r"\b((?:engine|notifications|workflows)(?:\.[a-z_]+)+)", ARCHITECTURE))):
        path = ROOT / name.replace(".", "/")
        above = path.parent.with_suffix(".py")
        assert path.is_dir() or path.with_suffix(".py").exists() or f"def {path.name}" in above.read_text(), name


def test_every_room_stands_in_the_drawing() -> None:
    for package in ("engine", "notifications", "workflows"):
        rooms = {each.parent.name for each in (ROOT / package).glob("*/__init__.py")}
        drawing = ARCHITECTURE[: ARCHITECTURE.index("## The way of one duty")]
        assert [room for room in sorted(rooms) if not re.search(rf"\b{room}\b", drawing)] == []


def test_every_make_target_that_a_document_names_exists() -> None:
    texts = "\n".join(text for name, text in DOCUMENTS.items() if name != "CHANGELOG.md")
    named = set(re.findall(r"(?:`|^ {4}(?:.* && )?)make ([a-z][a-z-]*)", texts, re.MULTILINE))
    assert len(named) > 8
    assert named <= set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))


def test_the_command_line_says_what_it_is_in_both_languages() -> None:
    assert isinstance(app, typer.Typer)
    assert "/" in str(app.info.help)


def test_every_test_that_the_promises_name_exists() -> None:
    named = set(re.findall(r"`((?:unit|integration|services)/[^`{]+)`", DOCUMENTS["docs/security.md"]))
    assert len(named) > 15
    assert not [path for path in named if not (ROOT / "tests" / path).exists()]
