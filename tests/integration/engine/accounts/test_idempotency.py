"""An API write sent twice is done once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from ground.factory import at, rows

from engine.accounts import idempotency
from engine.accounts.idempotency import IdempotencyKeyReused, StoredAnswer
from engine.errors import BadInput
from engine.store.database import Database, insert_new
from engine.store.records import Fact, IdempotencyKey

NOW = at("2021-06-07")


def send(database: Database, done: list[int], **more: Any) -> StoredAnswer:
    def deed() -> tuple[int, str]:
        done.append(1)
        return 201, f'{{"n": {len(done)}}}'

    given = {"actor": "api:1", "key": "k-1", "method": "POST", "path": "/api/v1/reports", "body": b"{}", "now": NOW}
    with database.write() as session:
        return idempotency.once(session, action=deed, **given | more)


def test_the_second_time_is_answered_as_the_first_and_does_nothing(database: Database) -> None:
    done: list[int] = []
    first, second = send(database, done), send(database, done)
    assert first == StoredAnswer(201, '{"n": 1}')
    assert second == StoredAnswer(201, '{"n": 1}', again=True)


def test_the_key_of_another_actor_is_another_key_and_no_key_is_none(database: Database) -> None:
    done: list[int] = []
    for more in ({}, {"actor": "api:2"}, {"key": ""}, {"key": ""}):
        assert not send(database, done, **more).again
    assert len(done) == 4


@pytest.mark.parametrize("more", [{"body": b'{"x": 1}'}, {"path": "/api/v1/other"}, {"method": "PUT"}])
def test_a_key_used_for_something_else_is_refused(database: Database, more: dict[str, Any]) -> None:
    done: list[int] = []
    send(database, done)
    with pytest.raises(IdempotencyKeyReused):
        send(database, done, **more)
    assert len(done) == 1


def test_a_deed_that_fails_leaves_no_key_behind(database: Database) -> None:
    def fails() -> tuple[int, str]:
        raise BadInput

    with pytest.raises(BadInput):
        _send_failing(database, fails)
    assert rows(database, IdempotencyKey) == []


def _send_failing(database: Database, deed: Any) -> None:
    with database.write() as session:
        idempotency.once(session, actor="api:1", key="k", method="POST", path="/", body=b"", now=NOW, action=deed)


def test_two_at_the_same_moment_do_it_once(database: Database) -> None:
    answers: list[StoredAnswer] = []
    both = threading.Barrier(2)

    def sender(name: str) -> None:
        both.wait()
        with database.write() as session:

            def deed() -> tuple[int, str]:
                insert_new(session, Fact, [{"name": name, "value": "x"}])
                return 200, name

            answers.append(
                idempotency.once(
                    session, actor="api:1", key="k", method="POST", path="/", body=b"", now=NOW, action=deed
                )
            )

    threads = [threading.Thread(target=sender, args=(name,)) for name in ("a", "b")]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(rows(database, Fact)) == 1
    assert sorted(each.again for each in answers) == [False, True]
    assert len({each.body for each in answers}) == 1


def test_answers_are_forgotten_after_two_days(database: Database) -> None:
    send(database, [])
    with database.write() as session:
        assert idempotency.prune(session, NOW + timedelta(days=2)) == 0
        assert idempotency.prune(session, NOW + timedelta(days=2, seconds=1)) == 1
