"""Run ``dondoc`` commands in this process: arguments in; exit code, stdout and stderr back.

ran = Commands(folder, url, monkeypatch, capsys)("plan", "list")
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import typer.main
import typer.testing
from ground.post import KEY

from workflows.cli import main


@dataclass(frozen=True)
class Ran:
    """The result of a command. ``well`` asserts success and returns stdout; ``wrong`` asserts exit code 2 with an error
    message and returns it."""

    code: int
    out: str
    err: str

    @property
    def well(self) -> str:
        assert self.code == 0, self.err
        assert not self.err, self.err
        return self.out

    @property
    def wrong(self) -> str:
        assert self.code == 2, (self.code, self.out, self.err)
        assert self.err.strip()
        assert "Traceback" not in self.err
        assert not self.out
        return self.err


class Commands:
    """``dondoc`` with its own data folder and database, and without Prefect, which would end this process."""

    def __init__(
        self,
        folder: Path,
        url: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        secret: str = KEY,
    ) -> None:
        self.folder, self.patch, self.capsys = folder, monkeypatch, capsys
        for name in [name for name in os.environ if name.startswith("DONDOC_")]:
            monkeypatch.delenv(name)
        self.set(DONDOC_DATA_DIR=str(folder), DONDOC_DATABASE_URL=url, DONDOC_SECRET=secret)
        self.set(DONDOC_PREFECT="false", COLUMNS="200")
        monkeypatch.chdir(folder)

    def set(self, **settings: str) -> None:
        for name, value in settings.items():
            self.patch.setenv(name, value)

    def __call__(self, *words: object) -> Ran:
        assert "workflows.run.flows" not in sys.modules
        self.patch.setattr(sys, "argv", ["dondoc", *map(str, words)])
        self.capsys.readouterr()
        before = os.umask(0o022)
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            os.umask(before)  # a command sets it for its whole process, which here is that of the tests
        out, err = self.capsys.readouterr()
        return Ran(ended.value.code or 0, out, err)  # type: ignore[arg-type]


def share_command_tree() -> None:
    """The tree of all commands and their options is built once for a process: Typer builds it for each command, 50 ms;
    of the tests of ``engine/cli`` and of the passes that is 3 s of 20."""
    tree = cache(typer.main.get_command)
    setattr(typer.main, "get_command", tree)  # noqa: B010  (what dondoc itself calls)
    setattr(typer.testing, "_get_command", tree)  # noqa: B010  (what CliRunner calls)
