"""What documents refer to exists: links with their headings, pictures, settings, commands with their options."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from ground.paths import ROOT
from typer.main import get_command

from config.settings import Settings
from workflows.cli import app

DOCUMENTS = {
    each.relative_to(ROOT).as_posix(): each.read_text() for each in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
}
LINK = re.compile(r"\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"|<a [^>]*href=\"([^\"]+)\"")
OF_TODAY = {name: text for name, text in DOCUMENTS.items() if name != "CHANGELOG.md"}
"""The change log tells of settings and commands that went."""
OTHERS_OWN = {"TEST_EXAMPLES", "TEST_LOOK", "FAILED_URL"}
"""Read by the tests alone; by packaging/dondoc-failed.service."""


commands = cache(lambda: get_command(app))


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings: lower case, no punctuation, hyphens for spaces."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", each).strip().lower() for each in headings]
    return {re.sub(r"[^\w\- ]", "", each).replace(" ", "-") for each in plain}


def missing_targets(name: str) -> list[str]:
    found = []
    for link in ("".join(groups) for groups in LINK.findall(DOCUMENTS[name])):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent.joinpath(path).resolve() if path else ROOT / name
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            found.append(link)
    return found


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_what_a_document_links_to_or_shows_exists(name: str) -> None:
    assert missing_targets(name) == []


def test_headings_become_the_anchors_that_github_makes() -> None:
    assert anchors("# 9 Kiểm tra: hệ thống\n## `serve`, and [more](README.md)\n```\n# no\n```\n") == {
        "9-kiểm-tra-hệ-thống",
        "serve-and-more",
    }


@pytest.mark.parametrize("name", sorted(OF_TODAY))
def test_every_setting_that_a_document_names_exists(name: str) -> None:
    named = set(re.findall(r"\bDONDOC_([A-Z0-9_]*[A-Z0-9])\b(?!_?…)", OF_TODAY[name]))
    assert named - {each.upper() for each in Settings.model_fields} - OTHERS_OWN == set()


def code_of(text: str) -> list[str]:
    """What stands between backticks, and the lines of code."""
    spans = re.findall(r"`([^`]+)`", re.sub(r"```", "", text))
    return [*spans, *re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)]


def unknown_words(line: str) -> list[str]:
    """Of «dondoc plan load FILE --json», the names of commands and options that there are not."""
    words = line.replace("\\|", "|").split("…")[0].split()[1:]
    command: Any = commands()
    while words and getattr(command, "commands", None):
        names = words.pop(0).split("|")
        if unknown := [name for name in names if re.match("[a-z]", name) and name not in command.commands]:
            return unknown
        command = command.commands.get(names[0])
    params = getattr(command, "params", ())
    options = {"--help", "--version"}.union(*((*each.opts, *each.secondary_opts) for each in params))
    return [each for word in words for each in re.findall(r"(?<![\w-])--[a-z][a-z-]*", word) if each not in options]


@pytest.mark.parametrize("name", sorted(OF_TODAY))
def test_every_command_that_a_document_names_exists_with_its_options(name: str) -> None:
    lines = [line for line in code_of(OF_TODAY[name]) if re.match(r"dondoc( |$)", line)]
    assert {line: unknown for line in lines if (unknown := unknown_words(line))} == {}


def test_the_commands_that_documents_name_are_found() -> None:
    assert sum(line.startswith("dondoc ") for text in OF_TODAY.values() for line in code_of(text)) > 100
    assert unknown_words("dondoc plan lode FILE") == ["lode"]
    assert unknown_words("dondoc db copy --too URL") == ["--too"]
    assert unknown_words("dondoc release [--send\\|--drop]") == []
