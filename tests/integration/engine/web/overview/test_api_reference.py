"""The page /api: open to strangers, in both languages, with every error and every operation."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.office import Office, as_role, open_office

from engine.api.operations import ERROR_CATALOGUE, GROUPS
from engine.store.database import Database
from engine.store.version import version, version_line


@pytest.fixture
def stranger(lived: Database, tmp_path: Path) -> Office:
    as_role(lived, tmp_path, "administrator", "tinh")  # there are accounts, so nobody is let in without one
    return open_office(lived, tmp_path)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_page_names_every_error_and_every_group(stranger: Office, language: str) -> None:
    page = BeautifulSoup(stranger.get(f"/api?lang={language}").text, "lxml").get_text(" ")
    for error in ERROR_CATALOGUE:
        assert f"{error.status} {error.meaning.said(language)}" in " ".join(page.split())
        assert error.remedy.said(language) in page
    for words in GROUPS.values():
        assert words.said(language) in page


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_operation_stands_in_its_group(stranger: Office, language: str) -> None:
    heads: list[str] = []
    examples: list[str] = []
    for group in GROUPS:
        soup = BeautifulSoup(stranger.get(f"/api?lang={language}&group={group}").text, "lxml")
        heads += [head.get_text() for head in soup.select("main h2")]
        examples += [example.get_text() for example in soup.select("main pre")]
    paths = stranger.get("/api/v1/openapi.json").json()["paths"]
    name = "x-summary-vi" if language == "vi" else "summary"
    operations = [found for methods in paths.values() for found in methods.values()]
    assert sorted(heads) == sorted(found[name] for found in operations)
    assert sorted(examples) == sorted(found["x-codeSamples"][0]["source"] for found in operations)


def test_a_group_that_is_none(stranger: Office) -> None:
    assert stranger.get("/api?group=nothing").status_code == 404


def test_the_page_asks_for_no_script(stranger: Office) -> None:
    assert "<script" not in stranger.get("/api").text


def test_it_says_which_version_and_which_schema_run(stranger: Office) -> None:
    assert version_line("vi") in stranger.get("/api").text
    assert stranger.get("/api/v1/openapi.json").json()["info"]["version"] == version()
