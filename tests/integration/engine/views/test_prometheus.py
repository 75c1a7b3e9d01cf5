"""What Prometheus reads is what the database says, whoever is asked."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from ground.factory import Laid, at, lay, swept
from ground.post import LetterBox, post_office
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, update

from engine.queries.system.letters import LetterCounts, count_letters
from engine.store.database import Database, table
from engine.store.facts import add_waits, place
from engine.store.records import Fact, Letter, Pass
from engine.terms import LetterState
from engine.views.prometheus import render
from notifications.contract.channel import Fate, Outcome
from workflows.run import passes

NOW = at("2021-04-07", "08:00")


@pytest.fixture
def laid(database: Database) -> Laid:
    laid = lay(database, now=NOW)
    swept(database, NOW)
    return laid


def read(laid: Laid, now: object = NOW) -> dict[tuple[str, ...], float]:
    with laid.database.read() as session:
        text = render(session, now, {"sign_in_refused": 3}).decode()  # type: ignore[arg-type]
    return {
        (sample.name.removeprefix("dondoc_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_letters_are_counted_by_channel_and_fate_and_the_oldest_unsent_has_its_age(laid: Laid) -> None:
    found = read(laid)
    assert (found["letters", "email", "queued"], found["letters_due",], found["oldest_unsent_seconds",]) == (5, 5, 1800)
    assert read(laid, NOW + timedelta(hours=2))["oldest_unsent_seconds",] == 9000  # since 07:30
    with laid.database.write() as session:
        session.connection().execute(update(table(Letter)).values(state=LetterState.DELIVERED))
    found = read(laid)
    assert (found["letters", "email", "delivered"], found["letters_due",], found["oldest_unsent_seconds",]) == (5, 0, 0)


def test_how_long_letters_waited_is_added_up_from_pass_to_pass(laid: Laid) -> None:
    """Due at half past seven: four minutes later five are accepted at once; then, of three, one after two hours."""
    late = at("2021-04-07", "07:34")
    for _ in range(2):
        asyncio.run(passes.deliver(laid.database, late, post_office()))
    found = read(laid)
    assert found["letter_wait_seconds_count",] == 5
    assert [found["letter_wait_seconds_bucket", le] for le in ("120", "300", "+Inf")] == [0, 5, 5]
    with laid.database.write() as session:
        add_waits(session, {place(0.4): 2, place(7200): 1}, 7200.8)
    found = read(laid)
    assert [found["letter_wait_seconds_bucket", le] for le in ("1", "60", "300", "+Inf")] == [2, 2, 7, 8]
    assert found["letter_wait_seconds_sum",] > 5 * 240 + 7200


def test_a_letter_that_was_put_off_counts_from_when_it_was_made(laid: Laid) -> None:
    grey = LetterBox(Outcome(fate=Fate.RETRY, code="451"))
    asyncio.run(passes.deliver(laid.database, at("2021-04-07", "07:30"), post_office(grey)))
    assert read(laid)["letter_wait_seconds_count",] == 0
    asyncio.run(passes.deliver(laid.database, at("2021-04-07", "11:00"), post_office()))
    found = read(laid)
    assert [found["letter_wait_seconds_bucket", le] for le in ("3600", "14400")] == [0, 5]


def test_assignments_are_counted_by_time_class(laid: Laid) -> None:
    now, late = read(laid), read(laid, at("2021-06-18"))
    assert [now["assignments", "open_in_time", kind] for kind in ("order", "request")] == [4, 1]
    assert [late["assignments", "open_overdue", kind] for kind in ("order", "request")] == [3, 1]
    assert late["assignments", "done_on_time", "order"] == 0


def test_a_channel_is_up_until_it_is_down(laid: Laid) -> None:
    assert read(laid)["channel_up", "email"] == 1
    with laid.database.write() as session:
        down = '{"failures": 5, "down_since": "2021-04-07T01:00:00+00:00", "why": ""}'
        session.connection().execute(insert(table(Fact)).values(name="channel:email", value=down))
    assert read(laid)["channel_up", "email"] == 0


def test_each_pass_tells_when_it_last_did_something_and_what(laid: Laid) -> None:
    with laid.database.write() as session:
        session.add(Pass(name="act", started_at=NOW, finished_at=NOW, counts={"rungs": 7}))
    found = read(laid)
    assert found["pass_finished_timestamp_seconds", "act"] == NOW.timestamp()
    assert (found["pass_last_found", "act", "rungs"], found["pass_failed", "act"]) == (7, 0)


def test_the_proof_of_a_week_leaves_out_what_had_lost_its_point(laid: Laid) -> None:
    fates = [
        LetterState.ACCEPTED,
        LetterState.DELIVERED,
        LetterState.BOUNCED_HARD,
        LetterState.UNKNOWN,
        LetterState.SUPPRESSED,
    ]
    with laid.database.write() as session:
        for number, fate in enumerate(fates, 1):
            session.connection().execute(update(table(Letter)).where(table(Letter).c.id == number).values(state=fate))
    with laid.database.read() as session:
        assert count_letters(session, NOW.date(), NOW.date() + timedelta(days=1)) == LetterCounts(4, 3, 1, 1)
        assert count_letters(session, NOW.date() - timedelta(days=7), NOW.date()) == LetterCounts()


def test_security_events_are_counters(laid: Laid) -> None:
    assert read(laid)["security_events_total", "sign_in_refused"] == 3
