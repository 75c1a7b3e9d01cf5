"""The page /api: open to strangers, in both languages, with every error and every operation."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import Laid
from ground.office import NOW, Office, as_role, open_office

from engine.accounts.api_tokens import bearer_of
from engine.accounts.trial_keys import make_trial_key
from engine.api.operations import ERROR_CATALOGUE, GROUPS
from engine.errors import BadInput
from engine.store.database import Database


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
    for group in GROUPS:
        soup = BeautifulSoup(stranger.get(f"/api?lang={language}&group={group}").text, "lxml")
        heads += [each.get_text() for each in soup.select("main h2")]
    paths = stranger.get("/api/v1/openapi.json").json()["paths"]
    name = "x-summary-vi" if language == "vi" else "summary"
    assert sorted(heads) == sorted(found[name] for methods in paths.values() for found in methods.values())


def test_a_group_that_is_none(stranger: Office) -> None:
    assert stranger.get("/api?group=nothing").status_code == 404


def test_the_page_asks_for_no_script(stranger: Office) -> None:
    assert "<script" not in stranger.get("/api").text


@pytest.mark.parametrize(("role", "may_accept"), [("monitor", True), ("coordinator", False)])
def test_the_demonstration_gives_a_key_that_may_what_its_role_may(
    fresh: Laid, tmp_path: Path, role: str, may_accept: bool
) -> None:
    demo = open_office(fresh.database, tmp_path, step=lambda by: None)
    shown = demo.post("/api/trial-key", role=role)
    (key,) = re.findall(r"export DONDOC_KEY=(dondoc_[\w-]+)", shown.text)
    again = re.findall(r"export DONDOC_KEY=(dondoc_[\w-]+)", demo.post("/api/trial-key", role=role).text)
    assert len(again) == 1
    assert again != [key]
    bearer = {"Authorization": f"Bearer {key}"}
    account = demo.client.get("/api/v1/account", headers=bearer).json()
    assert (account["role"], account["email"].endswith("@dondoc.example")) == (role, True)
    assert demo.client.get("/api/v1/plans", headers=bearer).status_code == 200
    refused = demo.client.post("/api/v1/assignments/1/accept", json={}, headers=bearer).status_code
    assert (refused != 403) is may_accept
    assert key not in demo.get("/api").text


def test_an_installation_gives_no_trial_keys(fresh: Laid, tmp_path: Path) -> None:
    office = open_office(fresh.database, tmp_path)
    assert office.post("/api/trial-key", role="monitor").status_code == 404
    assert "trial-key" not in office.get("/api").text


def test_a_trial_key_is_dead_in_the_years_of_an_installation(fresh: Laid) -> None:
    with fresh.database.write() as session:
        key = make_trial_key(session, "monitor", NOW)
        assert bearer_of(session, key, NOW) is not None
        assert bearer_of(session, key, NOW + timedelta(days=31)) is None
        with pytest.raises(BadInput):
            make_trial_key(session, "administrator", NOW)
