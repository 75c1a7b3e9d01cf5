"""The data folder is its owner's: made so, found when it is not, and narrowed at the next start."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from ground.commands import Commands

from config.settings import Settings
from engine.store.database import Database
from workflows.run.private_files import make_private, too_wide


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """The usual umask, under which files are readable by everybody, and restored afterwards."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def dondoc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(tmp_path, "", monkeypatch, capsys, secret="")


def modes(folder: Path) -> dict[str, int]:
    return {str(each.relative_to(folder)): stat.S_IMODE(each.stat().st_mode) for each in folder.rglob("*")}


def test_what_init_makes_is_read_by_its_owner_alone(dondoc: Commands, tmp_path: Path) -> None:
    dondoc.set(DONDOC_DATA_DIR=str(tmp_path / "var"))
    assert dondoc("init").code == 0
    made = modes(tmp_path)
    assert made["var"] == 0o700
    assert {"var/dondoc.db", "var/secret"} <= set(made)
    assert not [name for name, mode in made.items() if mode & 0o077]


def test_what_was_widened_is_a_finding_and_is_narrowed_at_the_next_start(dondoc: Commands, tmp_path: Path) -> None:
    folder = tmp_path / "var"
    dondoc.set(DONDOC_DATA_DIR=str(folder))
    dondoc("init")
    (folder / "maildir" / "new").mkdir(parents=True, exist_ok=True)
    letter = folder / "maildir" / "new" / "1.letter"
    letter.write_text("x")
    for path, mode in ((folder, 0o755), (folder / "dondoc.db", 0o644), (folder / "secret", 0o640), (letter, 0o604)):
        path.chmod(mode)
    settings = Settings(_env_file=None, data_dir=folder)  # type: ignore[call-arg]
    assert set(too_wide(settings)) >= {folder, folder / "dondoc.db", folder / "secret", letter}
    assert "open_files" in dondoc("once", "audit").out

    assert make_private(settings) >= 4

    assert list(too_wide(settings)) == []
    assert stat.S_IMODE(letter.stat().st_mode) == 0o600


def test_sqlite_s_files_beside_the_database_are_private_too(tmp_path: Path) -> None:
    """The write-ahead log holds what the database holds."""
    settings = Settings(_env_file=None, data_dir=tmp_path / "var")  # type: ignore[call-arg]
    make_private(settings)
    database = Database(settings.database)
    database.upgrade()
    made = modes(settings.data_dir)
    database.dispose()
    assert {"dondoc.db", "dondoc.db-wal", "dondoc.db-shm"} <= set(made)
    assert not [name for name, mode in made.items() if mode & 0o077]


def test_every_command_creates_for_its_own_user_alone(dondoc: Commands, tmp_path: Path) -> None:
    dondoc.set(DONDOC_DATA_DIR=str(tmp_path / "var"))
    dondoc("once", "tick")
    assert not [name for name, mode in modes(tmp_path).items() if mode & 0o077]
