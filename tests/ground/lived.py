"""The demonstration's province on Thursday 24 June 2021 at 08:00: plan 188 a week after its half-year reports fell due.

Lived once a run, by the passes that run live, into one folder (database and Maildir); each test gets a copy.
Late by then: nine bodies that never answered. Not acknowledged: the same. Waiting to be accepted: all other reports.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ground.factory import at
from ground.post import KEY
from ground.postgres import Ground

from config.settings import Settings
from workflows.simulation.demo import prepare, stepper
from workflows.system import System, compose

NOW = at("2021-06-24")
SILENT, MANY = "ubnd-huyen-tuong-duong", "ubnd-huyen-yen-thanh"
"""Districts with four assignments that are late, the first with nothing acknowledged."""
ALONE = "so-xay-dung"
"""A department with one assignment, late."""
STEPS = ("week", "week", "day", "day", "day")


def wired(folder: Path, *, demo: bool = False) -> System:
    """The system over a folder, as the composition root makes it."""
    return compose(Settings(_env_file=None, data_dir=folder, secret=KEY, prefect=False, demo=demo))  # type: ignore[call-arg]


def lived_copy(ground: Ground, folder: Path) -> Path:
    """A copy of the lived folder, as ``folder``/lived."""
    template = ground.folder / "lived"
    with ground.locked():
        if not template.exists():
            half = ground.folder / "living"
            aside(lambda: _live(half))
            half.rename(template)
    return Path(shutil.copytree(template, folder / "lived"))


def aside(act: Callable[[], object]) -> None:
    """In a thread: while Playwright's synchronous face is open, an event loop runs in this one."""
    with ThreadPoolExecutor(1) as one:
        one.submit(act).result()


def _live(folder: Path) -> None:
    folder.mkdir()
    system = wired(folder, demo=True)
    try:
        prepare(system)
        step = stepper(system)
        for how in STEPS:
            step(how)
        assert system.clock() == NOW
    finally:
        system.database.dispose()
