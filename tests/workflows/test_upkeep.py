"""The daily upkeep: once a local day, whatever beats, and twice at once only once."""

from __future__ import annotations

from datetime import date

import pytest
from ground.factory import at, directory, happened, row, rows

from engine import bodies, contacts, upkeep
from engine.database import Database
from engine.loading import load_directory
from engine.records import Agency, Contact, Pass
from workflows import passes

NOW = at("2021-06-07")


@pytest.fixture
def laid(database: Database) -> Database:
    """A person whose last day is 7 June, and an agency that is called otherwise from 8 June."""
    with database.write() as session:
        load_directory(session, directory(), actor="cli:test", now=NOW)
        contacts.add(session, "so-ban", "deputy", email="b@so-ban.example", valid_until=date(2021, 6, 7),
                     actor="cli:test", now=NOW)  # fmt: skip
        bodies.rename(session, "so-ban", name="Sở Ban mới", on=date(2021, 6, 8), actor="cli:test", now=NOW)
    return database


def test_when_the_day_has_passed_addresses_go_and_the_new_name_is_borne(laid: Database) -> None:
    assert not any(passes.upkeep(laid, NOW).counts.values())
    report = passes.upkeep(laid, at("2021-06-08", "00:03"))
    assert {name: count for name, count in report.counts.items() if count} == {"contacts": 1, "names": 1}
    assert row(laid, Contact, role="deputy").email == ""
    assert row(laid, Agency, id="so-ban").name == "Sở Ban mới"
    assert row(laid, Pass, name="upkeep").counts["contacts"] == 1


def test_again_on_the_same_day_it_looks_once_and_does_nothing(laid: Database) -> None:
    passes.upkeep(laid, at("2021-06-08", "00:03"))
    with laid.write() as session:
        assert not upkeep.is_owed(session, at("2021-06-08", "23:59"))
        assert upkeep.keep(session, at("2021-06-08", "23:59")) == {}
        assert upkeep.is_owed(session, at("2021-06-09", "00:00"))
    assert happened(laid, kind="contact_changed", actor="system") == ["contact_changed"]


def test_after_a_week_off_one_upkeep_makes_up_for_all(laid: Database) -> None:
    passes.upkeep(laid, NOW)
    assert passes.upkeep(laid, at("2021-06-20")).counts["contacts"] == 1
    assert [each.email for each in rows(laid, Contact, role="deputy")] == [""]
