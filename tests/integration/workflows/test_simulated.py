"""Seeded runs of several machines with clocks, relays and a database that fail (``tests/simulated``): what must hold
does; and without one of four cures a run finds what the cure is for."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from ground.postgres import Ground
from simulated.cures import Cure, without
from simulated.invariants import wrongs
from simulated.script import Script, drawn, pessimistic, read, shortened
from simulated.simulation import Simulator

ORDINARY, DEEP = range(2), range(2, 60)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    logging.disable(logging.CRITICAL)  # hundreds of planted faults, each told
    with closing(Simulator(tmp_path_factory.mktemp("simulated"))) as made:
        yield made
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def on_postgres(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    logging.disable(logging.CRITICAL)
    with closing(Simulator(tmp_path_factory.mktemp("simulated"), ground.postgres())) as made:
        yield made
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", ORDINARY)
def test_whatever_the_seed_plants_nothing_is_lost_doubled_or_falsely_overdue(simulator: Simulator, seed: int) -> None:
    ran, wrong = simulator.run(drawn(seed))
    assert wrong == [], str(ran.script)
    assert sum(len(relay.taken) for relay in ran.relays.values()) > 60


@pytest.mark.deep
@pytest.mark.parametrize("seed", DEEP)
def test_so_it_is_with_sixty_seeds(simulator: Simulator, seed: int) -> None:
    ran, wrong = simulator.run(drawn(seed))
    assert wrong == [], str(ran.script)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(5))
def test_so_it_is_in_a_fortnight_in_which_everything_comes_together(simulator: Simulator, seed: int) -> None:
    ran, wrong = simulator.run(pessimistic(seed))
    assert wrong == [], str(ran.script)
    assert ran.faults.total() > 20


@pytest.mark.deep
@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(10))
def test_so_it_is_on_machines_of_their_own_with_one_postgresql(on_postgres: Simulator, seed: int) -> None:
    ran, wrong = on_postgres.run(drawn(seed, postgres=True))
    assert wrong == [], str(ran.script)


@pytest.mark.deep
def test_a_seed_goes_the_same_way_twice(simulator: Simulator) -> None:
    script = replace(read("9: host0@300:die email@1300:dead/3600 clock0@90000:reboot/7200/63072000"), days=2)
    first, second = simulator.run(script)[0], simulator.run(script)[0]
    assert first.relays["email"].taken == second.relays["email"].taken
    assert first.steps == second.steps


def test_a_log_that_was_changed_or_made_again_is_found(simulator: Simulator) -> None:
    ran, wrong = simulator.run(replace(read("9: database@1200:away/60"), days=0))
    assert wrong == []
    assert len(ran.account.heads) > 0
    for change, found in (
        ("UPDATE event SET actor = 'x' WHERE id = 5", "event 5 is not as it was logged"),
        ("DELETE FROM event_link", "the log is another"),
    ):
        with ran.watch.write() as session:
            session.connection().exec_driver_sql(change)
        assert found in " | ".join(wrongs(ran))


def test_a_snapshot_of_all_there_is_sends_a_morning_once_more_and_loses_nothing(simulator: Simulator) -> None:
    """Nothing that is left there knows better; the same of the database alone is held, as below."""
    ran, wrong = simulator.run(replace(read("13: disk0@1200:snapshot/11400"), days=1))
    assert wrong == []
    assert max(Counter(copy.key for copy in ran.relays["email"].taken).values()) == 2


def test_a_script_is_read_as_it_is_printed() -> None:
    for seed in range(50):
        script = drawn(seed)
        assert read(str(script)) == script


def test_what_a_failure_does_not_need_is_left_out() -> None:
    script = read("1: host0@1:die host1@2:stall email@3:dead/60")

    def fails(tried: Script) -> bool:
        return any(each.what == "stall" for each in tried.planted)

    assert str(shortened(script, fails)) == "1: host1@2:stall"


@pytest.mark.parametrize(
    ("cure", "script", "days", "found"),
    [
        # Two years ahead at a start, for two hours of the day after the plan was activated: a Monday of its own year.
        # The letters are held all the same, as those of a start after a silent working day.
        (Cure.START, "5: clock0@97200:reboot/7200/63158400", 2, "h off is believed"),
        # Two days ahead at a start, on Wednesday the 16th: a Friday by its own clock, the day after the due date.
        pytest.param(Cure.SILENCE, "5: clock0@529200:reboot/7200/172800", 7, "is overdue", marks=pytest.mark.deep),
        # A copy of twenty past seven, laid in place of the file at half past ten.
        (Cure.MARK, "13: database@1200:put_back/11400", 1, "2 copies, 0 times on the wire"),
    ],
)
def test_without_a_cure_a_seed_finds_what_it_is_for(
    simulator: Simulator, cure: Cure, script: str, days: int, found: str
) -> None:
    short = replace(read(script), days=days)
    assert simulator.run(short)[1] == []
    with without(cure):
        assert found in " | ".join(simulator.run(short)[1])


@pytest.mark.postgres
def test_without_one_clock_for_leases_a_seed_finds_letters_sent_twice(on_postgres: Simulator) -> None:
    """Clocks go on six minutes while letters are on the wire of a slow relay: by such a clock a lease has ended."""
    script = "3: email@1500:slow/3600 clock0@1865:jump/7200/360 clock1@1865:jump/7200/360"
    short = replace(read(script, postgres=True), hosts=2, days=0)
    with without(Cure.LEASES):
        assert "2 copies, 0 times on the wire" in " | ".join(on_postgres.run(short)[1])
    with without(Cure.GUARD):  # one clock for leases is enough
        assert "copies" not in " | ".join(on_postgres.run(short)[1])
