"""The backup, the audit and the digests as Prefect's deployments call them, by parameters that a person types."""

from __future__ import annotations

from pathlib import Path

import pytest
from ground.factory import Laid, lay, rows
from ground.serving import install

from config.settings import Settings
from engine.store.clock import system_clock
from engine.store.database import Database
from engine.store.records import Event
from engine.terms import EventKind, PassName
from workflows.operation import daily_work
from workflows.run import passes
from workflows.run.system import System, compose


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    return lay(sqlite_database, now=system_clock())


@pytest.fixture
def system(laid: Laid, tmp_path: Path) -> System:
    url = str(laid.database.url)
    told = install(url, tmp_path)
    given = {"data_dir": tmp_path, "database_url": url, "secret": told["DONDOC_SECRET"]}
    return compose(Settings(_env_file=None, **given))  # type: ignore[arg-type]


def test_a_backup_is_proved_unless_told_otherwise(system: System, tmp_path: Path) -> None:
    said = daily_work.backup(system, to=str(tmp_path / "copies"))
    assert "comes back whole" in said
    made = Path(said.partition(":")[0])
    assert (made / "manifest.json").is_file()


def test_an_audit_that_finds_something_is_no_success(system: System, laid: Laid) -> None:
    assert daily_work.audit(system).startswith("audit: ")
    passes.record_failure(laid.database, PassName.DIGEST, RuntimeError("no"), system_clock())
    with pytest.raises(daily_work.FindingsLeft, match="failed"):
        daily_work.audit(system)
    assert rows(system.database, Event, kind=EventKind.AUDIT_FAILED)


def test_a_digest_that_is_not_owed_is_not_made(system: System) -> None:
    first, again = daily_work.digest(system), daily_work.digest(system)
    assert again.startswith("digest: nothing to do")
    assert first
