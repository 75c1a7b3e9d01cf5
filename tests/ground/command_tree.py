"""The tree of all commands and their options is built once for a process: Typer builds it for each command (50 ms)."""

from __future__ import annotations

from functools import cache

import typer.main
import typer.testing


def share_command_tree() -> None:
    tree = cache(typer.main.get_command)
    setattr(typer.main, "get_command", tree)  # noqa: B010  (what dondoc itself calls)
    setattr(typer.testing, "_get_command", tree)  # noqa: B010  (what CliRunner calls)
