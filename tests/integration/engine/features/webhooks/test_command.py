"""Webhooks on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from ground.factory import row
from typer.testing import CliRunner

from engine.store.database import Database
from engine.store.records import Webhook, WebhookMessage
from engine.terms import LetterState
from workflows.cli import app


@pytest.fixture
def run(sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DONDOC_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DONDOC_DATABASE_URL", str(sqlite_database.url))

    def call(*words: str) -> str:
        result = CliRunner().invoke(app, ["webhook", *words], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return call


def test_added_tested_listed_switched_and_removed(run, sqlite_database: Database) -> None:  # type: ignore[no-untyped-def]
    assert "whsec_" in run("add", "https://esb.tinh.example/", "--label", "Trục", "--event", "assignment.reported")
    assert row(sqlite_database, Webhook).events == ["assignment.reported"]
    run("test", "1")
    assert row(sqlite_database, WebhookMessage).state is LetterState.QUEUED
    assert "esb.tinh.example" in run("list")
    assert "0" in run("again", "1", "--since", "2021-06-01")
    assert "whsec_" in run("secret", "1")
    run("switch", "1", "--off")
    assert not row(sqlite_database, Webhook).active
    run("remove", "1")
    assert "esb.tinh.example" not in run("list")
