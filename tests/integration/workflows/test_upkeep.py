"""The daily upkeep: once a local day, whatever beats, and twice at once only once."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from ground.factory import at, directory, happened, row, rows

from engine.agencies import agencies, contacts
from engine.agencies.directory_loading import load_directory
from engine.application import daily_cleanup
from engine.assignments.reports import evidence
from engine.store.database import Database
from engine.store.records import Agency, Contact, Pass
from workflows.run import passes

NOW = at("2021-06-07")


@pytest.fixture
def laid(database: Database) -> Database:
    """A person whose last day is 7 June, and an agency that is called otherwise from 8 June."""
    with database.write() as session:
        load_directory(session, directory(), actor="cli:test", now=NOW)
        contacts.add(
            session,
            "so-ban",
            "deputy",
            email="b@so-ban.example",
            valid_until=date(2021, 6, 7),
            actor="cli:test",
            now=NOW,
        )
        agencies.rename(session, "so-ban", name="Sở Ban mới", on=date(2021, 6, 8), actor="cli:test", now=NOW)
    return database


def test_when_the_day_has_passed_addresses_go_and_the_new_name_is_borne(laid: Database, tmp_path: Path) -> None:
    assert not any(passes.upkeep(laid, NOW, tmp_path).counts.values())
    report = passes.upkeep(laid, at("2021-06-08", "00:03"), tmp_path)
    assert {name: count for name, count in report.counts.items() if count} == {"contacts": 1, "names": 1}
    assert row(laid, Contact, role="deputy").email == ""
    assert row(laid, Agency, id="so-ban").name == "Sở Ban mới"
    assert row(laid, Pass, name="upkeep").counts["contacts"] == 1


def test_again_on_the_same_day_it_looks_once_and_does_nothing(laid: Database, tmp_path: Path) -> None:
    passes.upkeep(laid, at("2021-06-08", "00:03"), tmp_path)
    with laid.write() as session:
        assert not daily_cleanup.is_owed(session, at("2021-06-08", "23:59"))
        assert daily_cleanup.run_daily_cleanup(session, at("2021-06-08", "23:59")) == {}
        assert daily_cleanup.is_owed(session, at("2021-06-09", "00:00"))
    assert happened(laid, kind="contact_changed", actor="system") == ["contact_changed"]


def test_after_a_week_off_one_upkeep_makes_up_for_all(laid: Database, tmp_path: Path) -> None:
    passes.upkeep(laid, NOW, tmp_path)
    assert passes.upkeep(laid, at("2021-06-20"), tmp_path).counts["contacts"] == 1
    assert [each.email for each in rows(laid, Contact, role="deputy")] == [""]


def test_files_that_nothing_names_lose_their_row_and_their_bytes(laid: Database, tmp_path: Path) -> None:
    kept = [evidence.store(tmp_path, name="a.pdf", body=b"%PDF-1.7 " + each) for each in (b"old", b"new")]
    paths = [tmp_path / each.digest[:2] / each.digest for each in kept]
    with laid.write() as session:
        for each, day in zip(kept, ("2021-04-01", "2021-06-01"), strict=True):
            evidence.keep(session, each, agency_id="so-ban", actor="account:1", now=at(day))
    os.utime(paths[0], (at("2021-04-01").timestamp(),) * 2)
    counts = passes.upkeep(laid, NOW, tmp_path).counts
    assert (counts["files"], counts["bytes"]) == (1, 1)
    assert [each.exists() for each in paths] == [False, True]
    assert not any(passes.upkeep(laid, NOW, tmp_path).counts.values())
