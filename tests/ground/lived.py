"""The demonstration's province on Thursday 24 June 2021 at 08:00: plan 188 a week after its half-year reports fell due.

Simulated once per run with the live passes into one folder (database and Maildir); each test gets a copy.
Overdue by then: nine agencies that never responded. Not acknowledged: the same. To be accepted: all other reports.
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
from workflows.simulation.examples import Example
from workflows.system import System, compose

NOW = at("2021-06-24")
SILENT, MANY = "ubnd-huyen-tuong-duong", "ubnd-huyen-yen-thanh"
"""Districts with four overdue assignments, the first with nothing acknowledged."""
ALONE = "so-xay-dung"
"""A department with one assignment, overdue."""
STEPS = ("week", "week", "day", "day", "day")


def wired(folder: Path, *, demo: bool = False) -> System:
    """The System with a data folder, created by the composition root."""
    return compose(Settings(_env_file=None, data_dir=folder, secret=KEY, prefect=False, demo=demo))  # type: ignore[call-arg]


def lived_copy(ground: Ground, folder: Path) -> Path:
    """A copy of the simulated folder at ``folder``/lived."""
    template = ground.folder / "lived"
    with ground.locked("lived.lock"):
        if not template.exists():
            half = ground.folder / "living"
            aside(lambda: _live(half))
            half.rename(template)
    return Path(shutil.copytree(template, folder / "lived"))


def aside(act: Callable[[], object]) -> None:
    """Run in a thread: Playwright's synchronous API keeps an event loop running in this one."""
    with ThreadPoolExecutor(1) as one:
        one.submit(act).result()


def _live(folder: Path) -> None:
    folder.mkdir()
    (folder / "secret").write_text(KEY)  # a demonstration signs with the key of its folder
    system = wired(folder, demo=True)
    try:
        prepare(system, Example.NGHE_AN_2021)
        step = stepper(system)
        for how in STEPS:
            step(how)
        assert system.clock() == NOW
    finally:
        system.database.dispose()
