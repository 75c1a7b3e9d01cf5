"""The manual of operating: short pages in two languages, the same commands in both, each command one of ours."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from ground.paths import ROOT
from typer.main import get_command

from workflows.cli import app

DOCS = ROOT / "docs"
ENGLISH = (DOCS / "operating.md", *sorted((DOCS / "operating").glob("*.md")))
VIETNAMESE = (DOCS / "vi/van-hanh.md", *sorted((DOCS / "vi/van-hanh").glob("*.md")))
TWIN = {"en": re.compile(r"\[tiếng Việt\]\(([^)]+)\)"), "vi": re.compile(r"\[English\]\(([^)]+)\)")}
MAX_LINES = 200
OTHERS = tuple((DOCS / en, DOCS / vi) for en, vi in (("retention.md", "vi/luu-giu.md"), ("zalo.md", "vi/zalo.md")))
"""Pages beside the manual that are whole in both languages."""


def name_of(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


def twin_of(page: Path, language: str) -> Path:
    """The page in the other language, named above the first heading of second order."""
    (target,) = TWIN[language].findall(page.read_text().partition("\n## ")[0])
    return page.parent.joinpath(target).resolve()


def typed(page: Path) -> list[str]:
    """What is typed: the indented lines, in order."""
    return re.findall(r"^ {4}(?=\S| {2}\S)(.+)$", page.read_text(), re.MULTILINE)


def contents(page: Path) -> list[Path]:
    """The pages that a table of contents names, in order."""
    targets = re.findall(r"\]\(((?:operating|van-hanh)/[^)#]+)\)", page.read_text().partition("\n## 1 ")[0])
    return [(page.parent / target).resolve() for target in targets]


def test_each_page_has_one_in_the_other_language_which_names_it() -> None:
    assert len(ENGLISH) > 10
    assert {twin_of(page, "en") for page in ENGLISH} == set(VIETNAMESE)
    assert [name_of(page) for page in ENGLISH if twin_of(twin_of(page, "en"), "vi") != page] == []


@pytest.mark.parametrize("page", ENGLISH, ids=name_of)
def test_both_languages_type_the_same_commands_under_as_many_headings(page: Path) -> None:
    twin = twin_of(page, "en")
    assert typed(twin) == typed(page)
    levels = [re.findall(r"^(#+) ", each.read_text(), re.MULTILINE) for each in (page, twin)]
    assert levels[0] == levels[1]
    rows = [len(re.findall(r"^\|", each.read_text(), re.MULTILINE)) for each in (page, twin)]
    assert rows[0] == rows[1]


@pytest.mark.parametrize("page", ENGLISH, ids=name_of)
def test_both_languages_name_the_same_settings_and_codes(page: Path) -> None:
    """In running text, too."""
    texts = [" ".join(each.read_text().split()) for each in (page, twin_of(page, "en"))]
    named = [{*re.findall(r"`([^`]+)`", text)} for text in texts]
    assert named[0] == named[1]


@pytest.mark.parametrize(("english", "vietnamese"), OTHERS, ids=[name_of(each) for each, _ in OTHERS])
def test_pages_beside_the_manual_say_the_same_in_both_languages(english: Path, vietnamese: Path) -> None:
    texts = english.read_text(), vietnamese.read_text()
    for told in (r"^```\n.*?^```", r"(?<!`)`([^`\n]+)`(?!`)", r"^#+ ", r"^\|"):
        first, second = (sorted(re.findall(told, text, re.MULTILINE | re.DOTALL)) for text in texts)
        assert first == second
    assert f"](vi/{vietnamese.name})" in texts[0]
    assert f"](../{english.name})" in texts[1]


def test_the_vietnamese_page_on_webhooks_names_nothing_that_the_other_does_not() -> None:
    english, vietnamese = ((DOCS / name).read_text() for name in ("webhooks.md", "vi/webhook.md"))
    named = set(re.findall(r"`([^`]+)`", vietnamese))
    assert named
    assert {each for each in named if f"`{each}" not in english} == set()


@pytest.mark.parametrize("page", [*ENGLISH, *VIETNAMESE], ids=name_of)
def test_a_page_is_short(page: Path) -> None:
    assert page.read_text().count("\n") <= MAX_LINES


def test_the_contents_name_every_page_in_the_same_order() -> None:
    first, second = contents(ENGLISH[0]), contents(VIETNAMESE[0])
    assert set(first) == set(ENGLISH[1:])
    assert second == [twin_of(page, "en") for page in first]


def test_every_command_of_the_manual_is_one_with_its_options() -> None:
    """Parsed by the real command line, as it would be typed."""
    lines = [line for page in ENGLISH for line in typed(page) if line.startswith("dondoc ")]
    assert len(lines) > 15
    for line in lines:
        words, command = shlex.split(line)[1:], get_command(app)
        while commands := getattr(command, "commands", None):
            command = commands[words.pop(0)]
        command.make_context("dondoc", words)
