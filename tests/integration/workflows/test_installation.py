"""Nothing runs where database, secret and evidence files do not belong together, and nothing is made there."""

from __future__ import annotations

from pathlib import Path

import pytest
from ground.factory import at, lay
from ground.post import KEY
from typer.testing import CliRunner

from config.settings import DemoSettings, Settings
from engine.errors import Unavailable
from engine.store.database import Database
from workflows.cli import app
from workflows.run.installation import MARK, establish, installation_id, require_installation
from workflows.run.system import compose


def settings_of(folder: Path, url: str = "", secret: str = KEY, files: Path | None = None) -> Settings:
    return Settings(_env_file=None, data_dir=folder, database_url=url, secret=secret, files_dir=files)  # type: ignore


def address(database: Database) -> str:
    return database.bind.url.render_as_string(hide_password=False)


@pytest.fixture
def installed(database: Database, tmp_path: Path) -> Settings:
    settings = settings_of(tmp_path / "one", address(database))
    assert establish(compose(settings)) == installation_id(database)
    return settings


def refusal(settings: Settings) -> str:
    with pytest.raises(Unavailable) as refused:
        require_installation(settings)
    return str(refused.value)


def test_what_init_made_runs_and_making_it_again_changes_nothing(installed: Settings, database: Database) -> None:
    before = installation_id(database)
    require_installation(installed)
    assert establish(compose(installed)) == before
    require_installation(installed)


@pytest.mark.parametrize("size", [None, 0])
def test_a_missing_or_empty_database_file_is_refused_and_nothing_is_made(tmp_path: Path, size: int | None) -> None:
    """An unmounted volume made a new database, a new secret and a green ping."""
    if size is not None:
        (tmp_path / "dondoc.db").touch()
    before = sorted(tmp_path.rglob("*"))
    assert "dondoc init" in refusal(settings_of(tmp_path, secret=""))
    assert sorted(tmp_path.rglob("*")) == before


LOOKING = (
    "doctor --no-connections",
    "release",
    "clock",
    "repair",
    "callbacks",
    "send-test --to x@y.example",
    "plan list",
)


@pytest.mark.parametrize("words", LOOKING)
def test_a_command_that_looks_makes_nothing_where_nothing_was_set_up(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They left a database and a secret, for which «restore» then refused."""
    monkeypatch.setenv("DONDOC_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)
    assert "dondoc init" in str(CliRunner().invoke(app, words.split()).exception)
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


def test_a_database_in_which_nothing_was_set_up_is_refused(database: Database, tmp_path: Path) -> None:
    assert "dondoc init" in refusal(settings_of(tmp_path, address(database)))


def test_an_installation_of_an_earlier_version_runs(database: Database, tmp_path: Path) -> None:
    lay(database, now=at("2021-06-02"))
    require_installation(settings_of(tmp_path, address(database)))


def test_a_second_server_with_a_secret_of_its_own_is_refused(installed: Settings, tmp_path: Path) -> None:
    """Half of all links were refused by the other server."""
    other = settings_of(tmp_path / "two", installed.database_url, secret="another secret, of a second folder")
    assert "DONDOC_SECRET" in refusal(other)
    assert "DONDOC_SECRET" in refusal(settings_of(tmp_path / "two", installed.database_url, secret=""))
    assert not (tmp_path / "two").exists()


def test_evidence_files_must_be_those_of_the_installation(installed: Settings, tmp_path: Path) -> None:
    assert "DONDOC_FILES_DIR" in refusal(settings_of(tmp_path / "two", installed.database_url))
    require_installation(settings_of(tmp_path / "two", installed.database_url, files=installed.files))


def test_init_on_another_server_of_an_installation_makes_nothing(
    installed: Settings, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal said «run dondoc init», and init made a folder of files of its own, with which the server ran."""
    lay(database, now=at("2021-06-02"))
    for name, value in {"DATA_DIR": str(tmp_path / "two"), "DATABASE_URL": installed.database_url}.items():
        monkeypatch.setenv(f"DONDOC_{name}", value)
    monkeypatch.chdir(tmp_path)
    for secret in (KEY, ""):
        monkeypatch.setenv("DONDOC_SECRET", secret)
        assert isinstance(CliRunner().invoke(app, ["init"]).exception, Unavailable)
        assert not (tmp_path / "two").exists()
        assert "dondoc init" not in refusal(settings_of(tmp_path / "two", installed.database_url, secret=secret))


def test_init_that_was_killed_in_between_is_completed(
    installed: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (installed.files / MARK).unlink()
    for name, value in {"DATA_DIR": str(installed.data_dir), "DATABASE_URL": installed.database_url}.items():
        monkeypatch.setenv(f"DONDOC_{name}", value)
    monkeypatch.setenv("DONDOC_SECRET", KEY)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["init"], catch_exceptions=False).exit_code == 0
    require_installation(installed)


def test_a_demonstration_is_asked_for_nothing(tmp_path: Path) -> None:
    require_installation(DemoSettings(_env_file=None, data_dir=tmp_path))  # type: ignore[call-arg]
