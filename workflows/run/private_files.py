"""Keeps the data folder to its owner: the folder is 0700; database, WAL, secret and Maildir are 0600.

``serve`` and ``init`` narrow what is wider; the audit finds what was widened since.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.settings import Settings

UMASK = 0o077
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def too_wide(settings: Settings) -> Iterator[Path]:
    """What group or others may access: the data folder, and its database, secret and Maildir. While the folder is
    closed nobody gets to what is in it, so evidence files are not looked at one by one."""
    folder = settings.data_dir
    paths = [folder, folder / "secret", *folder.glob("dondoc.db*"), *settings.maildir.glob("**/*"), settings.maildir]
    for path in paths:
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            continue  # never made, or delivered meanwhile
        if mode & _OTHERS and not stat.S_ISLNK(mode):
            yield path


def create_privately() -> None:
    """This process creates files for its own user alone from now on: for the start of every command and worker."""
    os.umask(UMASK)


def make_private(settings: Settings) -> int:
    """Narrow what is too wide and keep it so from now on; returns how many paths were too wide."""
    create_privately()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    found = list(too_wide(settings))
    for path in found:
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OTHERS)
    return len(found)
