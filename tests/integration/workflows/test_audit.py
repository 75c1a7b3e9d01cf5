"""The self-audit: nothing is forgotten in silence, and somebody outside hears as long as all is well."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ground.factory import Laid, at, happened, lay, row, rows, swept
from sqlalchemy import update

from engine.store.database import Database, table
from engine.store.records import Assignment, Event, Letter, Pass
from engine.terms import EventKind, LetterState
from workflows.audit import STUCK_TOLERANCE, Audit, audit, run_checks

NOW = at("2021-04-07", "09:00")
HOUR = timedelta(hours=1)
LONG_AGO = {"send_after": NOW - HOUR, "created_at": NOW - HOUR}


@pytest.fixture
def laid(database: Database) -> Laid:
    """Opened and acted on: five letters wait for 07:30 to have passed."""
    laid = lay(database, now=NOW)
    swept(database, NOW)
    return laid


def change(laid: Laid, model: type, **values: Any) -> None:
    first = rows(laid.database, model)[0]
    with laid.database.write() as session:
        session.connection().execute(update(table(model)).where(table(model).c.id == first.id).values(**values))


@contextmanager
def listening(status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """A web server on loopback, and the paths that it was asked for."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/ping", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_when_all_is_well_every_count_is_nought(laid: Laid) -> None:
    found = run_checks(laid.database, NOW)
    assert found.clean
    assert (found.without_next_step, found.overdue_looks, found.stuck_letters, found.unknown_letters) == (0, 0, 0, 0)
    assert found.oldest_unsent == min(letter.send_after for letter in rows(laid.database, Letter))


@pytest.mark.parametrize(
    ("model", "values", "finding"),
    [
        (Assignment, {"next_action_at": None, "quiet": None}, "without_next_step"),
        (Assignment, {"next_action_at": NOW - HOUR}, "overdue_looks"),
        (Letter, LONG_AGO, "stuck_letters"),
        (Letter, LONG_AGO | {"state": LetterState.SENDING, "attempts": 3}, "stuck_letters"),
    ],
)
def test_what_is_forgotten_is_found_and_an_event_a_day(
    laid: Laid, model: type, values: dict[str, Any], finding: str
) -> None:
    with laid.database.write() as session:
        session.connection().execute(update(table(Letter)).values(send_after=NOW))
    change(laid, model, **values)
    report = audit(laid.database, NOW)
    audit(laid.database, NOW + timedelta(minutes=5))
    assert report.counts == dict.fromkeys(report.counts, 0) | {finding: 1}
    assert happened(laid.database, kind=EventKind.AUDIT_FAILED) == ["audit_failed"]
    assert row(laid.database, Event, key=f"audit:{finding}:2021-04-07").detail == {"finding": finding, "count": 1}
    audit(laid.database, NOW + timedelta(days=1))
    assert "audit:" in rows(laid.database, Event)[-1].key


@pytest.mark.parametrize(
    ("values", "stuck"),
    [
        ({"send_after": NOW - STUCK_TOLERANCE + timedelta(minutes=1)}, 0),  # a relay may be slow
        ({"created_at": NOW}, 0),  # made at nine, dated 07:30
        ({"attempts": 2}, 0),  # waits for its next try
        ({"state": LetterState.UNKNOWN, "settled_at": NOW}, 0),
        ({"state": LetterState.EXPIRED}, 0),
    ],
)
def test_what_rightly_waits_or_is_over_is_not_stuck(laid: Laid, values: dict[str, Any], stuck: int) -> None:
    with laid.database.write() as session:
        session.connection().execute(update(table(Letter)).values(send_after=NOW))
    change(laid, Letter, **LONG_AGO | values)
    assert run_checks(laid.database, NOW).stuck_letters == stuck


def test_letters_that_wait_for_the_morning_are_not_stuck(laid: Laid) -> None:
    change(laid, Letter, **LONG_AGO)
    assert audit(laid.database, NOW, may_rest=True).counts["stuck_letters"] == 0
    assert happened(laid.database, kind=EventKind.AUDIT_FAILED) == []


def test_letters_in_doubt_are_counted_for_a_day_and_alarm_nobody(laid: Laid) -> None:
    change(laid, Letter, state=LetterState.UNKNOWN, settled_at=NOW)
    with listening() as (url, asked):
        assert audit(laid.database, NOW, url, may_rest=True).counts["unknown_letters"] == 1
    assert asked == ["/ping"]
    assert run_checks(laid.database, NOW + timedelta(days=2)).unknown_letters == 0


def test_somebody_outside_hears_of_it_only_while_all_is_well(laid: Laid) -> None:
    with listening() as (url, asked):
        audit(laid.database, NOW, url, may_rest=True)
        assert asked == ["/ping"]
        change(laid, Assignment, next_action_at=None, quiet=None)
        audit(laid.database, NOW, url)
        assert asked == ["/ping"]


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/ping", "http://nowhere.invalid/ping"])
def test_an_ear_that_is_deaf_stops_nothing(laid: Laid, address: str, caplog: pytest.LogCaptureFixture) -> None:
    report = audit(laid.database, NOW, address, may_rest=True)
    assert not any(report.counts.values())
    assert "the heartbeat URL did not answer" in caplog.text


def test_an_ear_that_answers_with_an_error_is_told_of_in_the_log(laid: Laid, caplog: pytest.LogCaptureFixture) -> None:
    with listening(503) as (url, asked):
        audit(laid.database, NOW, url, may_rest=True)
    assert asked == ["/ping"]
    assert "did not answer" in caplog.text


def test_the_last_audit_is_kept_for_the_health_page(laid: Laid) -> None:
    audit(laid.database, NOW)
    audit(laid.database, NOW + HOUR)
    assert row(laid.database, Pass, name="audit").finished_at == NOW + HOUR


def test_an_empty_database_is_clean(database: Database) -> None:
    assert run_checks(database, NOW) == Audit(0, 0, 0, 0, None)
