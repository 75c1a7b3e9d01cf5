"""The first administrator, made where nobody can sign in yet."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from ground.factory import at, directory, rows
from typer.testing import CliRunner

from engine.accounts import sign_in
from engine.agencies.directory_loading import load_directory
from engine.cli import assignments
from engine.store.database import Database
from engine.store.records import Account

NOW = at("2021-06-07")
GOOD = "Sông Lam chảy mãi"


@pytest.fixture
def database(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Database:
    monkeypatch.setenv("DONDOC_DATABASE_URL", sqlite_database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("DONDOC_DATA_DIR", str(tmp_path))
    with sqlite_database.write() as session:
        load_directory(session, directory(), actor="cli:test", now=NOW)
    return sqlite_database


def run(*words: str, typed: str = "") -> str:
    app = typer.Typer()
    assignments.add_commands(app)
    done = CliRunner().invoke(app, ["account", *words], input=typed, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_first_administrator_is_asked_for_a_password_and_can_sign_in(database: Database) -> None:
    run(
        "add",
        "quantri@tinh.example",
        "--role",
        "administrator",
        "--agency",
        "tinh",
        "--password",
        typed=f"{GOOD}\n{GOOD}\n",
    )
    assert sign_in.sign_in(database, email="quantri@tinh.example", password=GOOD, ip="", device="", now=NOW)


def test_without_a_password_the_account_signs_in_by_links(database: Database) -> None:
    run("add", "theodoi@so-chinh.example", "--role", "monitor", "--agency", "so-chinh")
    assert rows(database, Account)[0].password == ""


def test_an_account_is_listed_given_a_password_and_closed(database: Database) -> None:
    run("add", "theodoi@so-chinh.example", "--role", "monitor", "--agency", "so-chinh")
    run("password", "theodoi@so-chinh.example", typed=f"{GOOD}\n{GOOD}\n")
    assert "theodoi@so-chinh.example" in run("list")
    assert "0" in run("signout", "theodoi@so-chinh.example")
    run("end", "theodoi@so-chinh.example")
    assert "khóa" in run("list")
