"""The demonstration: its clock moves everything, and it reaches nobody outside."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from ground.factory import at, lay, row

from config.settings import DemoSettings
from engine.application import daily_cleanup
from engine.queries.system.health import health
from engine.queries.time_class import read_today
from engine.store.clock import DemoClock
from engine.store.records import Pass
from workflows.run.system import System, compose
from workflows.simulation.demo import stepper

BEGAN = at("2021-06-07")


@pytest.fixture
def system(tmp_path: Path) -> System:
    settings = DemoSettings(_env_file=None, data_dir=tmp_path, prefect=False)  # type: ignore[call-arg]
    made = compose(settings)
    made.database.upgrade()
    lay(made.database, now=BEGAN)
    DemoClock(made.database).set(BEGAN)
    return made


def test_a_step_moves_the_self_audit_the_cleanup_and_health_along(system: System) -> None:
    step = stepper(system)
    for _ in range(2):
        step("week")
    now = BEGAN + timedelta(days=14)
    assert system.clock() == now
    assert row(system.database, Pass, name="audit").finished_at == now
    with system.database.read() as session:
        assert not daily_cleanup.is_owed(session, now)
        assert health(session, read_today(session, now), live=False).findings.keys() <= {"open_files"}
    system.database.dispose()
