"""Settings handed on to a process that begins in another folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import read_settings, settings_environment


def test_what_stands_in_the_file_is_read_in_any_other_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Flow runs of a worker looked for the database in `var` of a temporary folder."""
    (tmp_path / ".env").write_text("DONDOC_DATA_DIR=data\nDONDOC_MAIL_FROM='a b@tinh.example'\nDONDOC_PORT=9001\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DONDOC_PORT", "9002")
    here = read_settings()
    handed_on = settings_environment(here)
    assert handed_on["DONDOC_DATA_DIR"] == str(tmp_path / "data")
    monkeypatch.chdir(tmp_path / "elsewhere")
    for name, value in handed_on.items():
        monkeypatch.setenv(name, value)
    assert read_settings().model_copy(update={"data_dir": Path("data")}) == here
    assert here.port == 9002
