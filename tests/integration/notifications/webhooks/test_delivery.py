"""Events to other systems: written with the event, signed, sent once or again, and nobody waits for anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from ground.databases import closing_database
from ground.factory import Laid, at, bring_to, do, lay, row, rows, swept
from ground.post import leases_run_out
from ground.web_servers import Receiver, receiving
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from engine.accounts.signed_links import Signer
from engine.assignments import lifecycle, weekly_digest
from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import make_promise
from engine.features.webhooks import subscriptions as webhooks
from engine.rules.situation import Action
from engine.rules.targets import Allowed
from engine.store.database import Database, table
from engine.store.event_log import append, event
from engine.store.facts import Hold, hold_letters
from engine.store.records import Duty, Webhook, WebhookMessage
from engine.terms import EventKind, LetterState, State
from engine.views.prometheus import render
from notifications.webhooks import (
    BATCH,
    LEASE,
    MAX_FAILURES,
    Sender,
    WebhookDelivery,
    anything_owed,
    send_owed,
)
from workflows.operation.restore import release

NOW = at("2021-04-07", "08:00")
SIGNER, LOOPBACK = Signer("a key for tests"), Allowed.of("127.0.0.1")
HERE = "https://dondoc.example"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    return lay(sqlite_database, now=NOW)


def hook(database: Database, url: str, *events: str, now: datetime = NOW) -> int:
    with database.write() as session:
        webhook_id, _ = webhooks.add(session, SIGNER, LOOPBACK, url=url, events=events, actor="cli:test", now=now)
    return webhook_id


def sent(database: Database, now: datetime, **more: Any) -> dict[str, int]:
    sender = Sender(LOOPBACK, timeout=more.pop("timeout", 5.0))
    return asyncio.run(send_owed(database, now, WebhookDelivery(sender=sender, signer=SIGNER, base_url=HERE, **more)))


def states(database: Database) -> list[LetterState]:
    return [each.state for each in rows(database, WebhookMessage)]


def test_every_step_of_an_assignment_is_told_with_ids_and_no_word_of_a_person(
    database: Database, receiver: Receiver
) -> None:
    hook(database, receiver.url)
    laid = lay(database, now=NOW)
    assignment = laid.assignment("IV.1.1", "so-ban")
    bring_to(database, State.RETURNED, assignment, now=NOW)
    bring_to(database, State.ACCEPTED, laid.assignment("IV.2.1", "huyen-a"), now=NOW)
    sent(database, NOW)
    told = [each.data for each in receiver.got if each.data["data"].get("assignment_id") == assignment]
    assert [each["type"] for each in told] == ["assignment.opened", "assignment.reported", "assignment.returned"]
    assert told[-1]["data"] == {
        "assignment_id": assignment,
        "plan_id": laid.plan_id,
        "plan": "12/KH-UBND",
        "citation": "IV.1.1",
        "period": "2021-H1",
        "agency_id": "so-ban",
        "state": "returned",
        "due_on": told[-1]["data"]["due_on"],
        "link": f"{HERE}/assignments/{assignment}",
    }
    assert "assignment.accepted" in receiver.types
    everything = b" ".join(each.body for each in receiver.got).decode()
    assert "@" not in everything
    assert "Thiếu số liệu" not in everything


def test_acknowledging_is_told_once(laid: Laid, receiver: Receiver) -> None:
    hook(laid.database, receiver.url, "assignment.acknowledged")
    for _ in range(2):
        do(laid.database, Action.ACKNOWLEDGE, laid.assignment("IV.1.1", "so-ban"), now=NOW)
    sent(laid.database, NOW)
    assert receiver.types == ["assignment.acknowledged"]


def test_what_is_overdue_is_told_once_a_due_date_and_every_escalation(laid: Laid, receiver: Receiver) -> None:
    hook(laid.database, receiver.url, "assignment.overdue", "assignment.escalated")
    for day in ("2021-06-18", "2021-06-22", "2021-06-28"):
        swept(laid.database, at(day))
    sent(laid.database, at("2021-06-28"))
    of = [(each.data["type"], each.data["data"].get("level")) for each in receiver.got if "so-ban" in str(each.body)]
    assert of == [("assignment.overdue", None), ("assignment.escalated", 1), ("assignment.escalated", 2)]


def test_each_reminder_is_told_with_its_rung_and_to_whom_but_not_the_letter_that_assigns(
    laid: Laid, receiver: Receiver
) -> None:
    hook(laid.database, receiver.url, "assignment.reminded", "assignment.escalated")
    for day in ("2021-06-01", "2021-06-14", "2021-06-18", "2021-06-22"):
        swept(laid.database, at(day))
    sent(laid.database, at("2021-06-22"))
    of = [each.data["data"] for each in receiver.got if "so-ban" in str(each.body)]
    told = [(each["rung"], each["letter"], each["audience"], each["level"]) for each in of]
    assert told[-3:] == [
        ("T-3", "reminder", ["coordinator"], 0),
        ("T+1", "overdue", ["coordinator", "head"], 0),
        ("T+3", "escalation", ["coordinator", "head", "monitor"], 1),
    ]
    assert "open" not in [rung for rung, *_ in told]


def test_an_accepted_report_says_whether_its_output_is_there(laid: Laid, receiver: Receiver) -> None:
    with laid.database.write() as session:
        owed = {"what": "Báo cáo", "kind": "document"}
        session.connection().execute(update(table(Duty)).values(output=owed))
    hook(laid.database, receiver.url, "assignment.accepted")
    here = {"actor": "cli", "now": NOW}
    for citation, owner, complete in (("IV.1.1", "so-ban", True), ("IV.2.1", "huyen-a", False)):
        task = laid.assignment(citation, owner)
        do(laid.database, Action.REPORT, task, now=NOW)
        with laid.database.write() as session:
            lifecycle.accept(session, task, complete=complete, reason="Nộp sau.", **here)
    sent(laid.database, NOW)
    assert [each.data["data"]["complete"] for each in receiver.got] == [True, False]
    assert "Nộp sau" not in b" ".join(each.body for each in receiver.got).decode()


def test_a_promise_and_that_it_was_broken_are_told_without_its_words(laid: Laid, receiver: Receiver) -> None:
    hook(laid.database, receiver.url, "assignment.promised", "assignment.promise_broken")
    text = PromiseText(on=date(2021, 7, 12), reason_code="kinh-phi", reason="Chờ dự toán của xã.")
    with laid.database.write() as session:
        task = laid.assignment("IV.1.1", "so-ban")
        make_promise(session, task, text, "extension", actor="contact:1", now=at("2021-06-21"))
    for day in ("2021-06-22", "2021-07-13", "2021-07-14"):
        swept(laid.database, at(day))
    sent(laid.database, at("2021-07-14"))
    told = [(each.data["type"], each.data["data"]["promised_on"]) for each in receiver.got]
    assert told == [("assignment.promised", "2021-07-12"), ("assignment.promise_broken", "2021-07-12")]
    first = receiver.got[0].data["data"]
    assert (first["promise"], first["reason_code"], first["waits"]) == (1, "kinh-phi", False)
    assert "dự toán" not in b" ".join(each.body for each in receiver.got).decode()


def test_a_step_that_was_missed_still_tells_that_it_is_overdue(laid: Laid, receiver: Receiver) -> None:
    hook(laid.database, receiver.url, "assignment.overdue")
    swept(laid.database, at("2021-06-22"))
    sent(laid.database, at("2021-06-22"))
    assert "so-ban" in [each.data["data"]["agency_id"] for each in receiver.got]


def test_a_digest_is_told_once_a_week(laid: Laid, receiver: Receiver) -> None:
    hook(laid.database, receiver.url)
    monday = at("2021-06-21", "08:00")
    for _ in range(2):
        with laid.database.write() as session:
            weekly_digest.make(session, monday)
    sent(laid.database, monday)
    (told,) = [each.data["data"] for each in receiver.got if each.data["type"] == "digest.made"]
    assert told["week"] == "2021-W25"
    assert told["letters"] > 0


def test_without_a_webhook_nothing_is_kept(laid: Laid) -> None:
    assert rows(laid.database, WebhookMessage) == []
    assert not anything_owed(laid.database, NOW)


def test_an_event_that_is_rolled_back_is_not_told(laid: Laid, receiver: Receiver) -> None:
    hook(laid.database, receiver.url)
    with laid.database.rehearse() as session:
        lifecycle.acknowledge(session, laid.assignment("IV.1.1", "so-ban"), actor="contact:1", now=NOW)
    assert rows(laid.database, WebhookMessage) == []


def test_what_fails_is_tried_again_under_the_same_id(laid: Laid) -> None:
    with receiving(500, 200) as receiver:
        hook(laid.database, receiver.url)
        do(laid.database, Action.ACKNOWLEDGE, laid.assignment("IV.1.1", "so-ban"), now=NOW)
        assert sent(laid.database, NOW) == {"retry": 1}
        assert sent(laid.database, NOW) == {}  # its time has not come
        assert sent(laid.database, NOW + timedelta(minutes=5)) == {"accepted": 1}
    first, second = receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    found = row(laid.database, WebhookMessage)
    assert (found.state, found.attempts, found.code, found.reply) == (LetterState.DELIVERED, 2, "200", "ok")


def test_an_address_that_is_down_is_left_alone_and_holds_up_no_other(laid: Laid, receiver: Receiver) -> None:
    with receiving(503) as broken:
        hook(laid.database, broken.url)
        hook(laid.database, receiver.url)
        for agency in ("so-ban", "huyen-a", "huyen-b", "mat-tran"):
            citation = {"so-ban": "IV.1.1", "mat-tran": "IV.3.1"}.get(agency, "IV.2.1")
            do(laid.database, Action.ACKNOWLEDGE, laid.assignment(citation, agency), now=NOW)
        sent(laid.database, NOW)
        assert len(broken.got) == MAX_FAILURES
        assert len(receiver.got) == 4
        assert row(laid.database, Webhook, url=broken.url).down_since is not None
        sent(laid.database, NOW + timedelta(seconds=30))
        assert len(broken.got) == MAX_FAILURES
        sent(laid.database, NOW + timedelta(minutes=2))
        assert len(broken.got) == MAX_FAILURES + 1  # one, to see whether it answers again
        broken.statuses = [200]
        sent(laid.database, NOW + timedelta(hours=2))
    assert len(broken.got) == MAX_FAILURES + 5
    assert row(laid.database, Webhook, url=broken.url).down_since is None


def test_a_slow_receiver_costs_its_time_and_no_more(laid: Laid) -> None:
    with receiving(pause=0.4) as receiver:
        hook(laid.database, receiver.url)
        do(laid.database, Action.ACKNOWLEDGE, laid.assignment("IV.1.1", "so-ban"), now=NOW)
        assert sent(laid.database, NOW, timeout=0.1) == {"retry": 1}
    assert row(laid.database, WebhookMessage).code == "timeout"


def test_no_redirect_is_followed_and_little_is_read(laid: Laid, receiver: Receiver) -> None:
    with receiving(302, reply=b"x" * 1_000_000, headers={"location": receiver.url}) as moved:
        hook(laid.database, moved.url)
        do(laid.database, Action.ACKNOWLEDGE, laid.assignment("IV.1.1", "so-ban"), now=NOW)
        assert sent(laid.database, NOW) == {"retry": 1}
    assert receiver.got == []
    assert row(laid.database, WebhookMessage).reply == "x" * 200


def test_a_receiver_that_is_gone_for_good_is_switched_off(laid: Laid) -> None:
    with receiving(410) as gone:
        hook(laid.database, gone.url)
        for citation, agency in (("IV.1.1", "so-ban"), ("IV.3.1", "mat-tran")):
            do(laid.database, Action.ACKNOWLEDGE, laid.assignment(citation, agency), now=NOW)
        sent(laid.database, NOW)
        assert len(gone.got) == 1
    found = row(laid.database, Webhook)
    assert not found.active
    assert found.down_since is not None


def test_what_is_owed_for_days_is_given_up_and_can_be_sent_again(laid: Laid) -> None:
    with receiving(500) as receiver:
        webhook = hook(laid.database, receiver.url)
        do(laid.database, Action.ACKNOWLEDGE, laid.assignment("IV.1.1", "so-ban"), now=NOW)
        sent(laid.database, NOW)
        later = NOW + timedelta(days=6)
        sent(laid.database, later)
        assert states(laid.database) == [LetterState.EXPIRED]
        receiver.statuses = [200]
        with laid.database.write() as session:
            again = webhooks.send_again(session, webhook, since=NOW, actor="cli:test", now=later)
        assert again == 1
        assert sent(laid.database, later) == {"accepted": 1}
    assert len({each.headers["webhook-id"] for each in receiver.got}) == 1


def test_a_worker_that_died_is_followed_by_another_when_its_lease_has_run_out(laid: Laid, receiver: Receiver) -> None:
    hook(laid.database, receiver.url)
    do(laid.database, Action.ACKNOWLEDGE, laid.assignment("IV.1.1", "so-ban"), now=NOW)
    m = table(WebhookMessage)
    with laid.database.write() as session:
        values = {"state": LetterState.SENDING, "leased_by": "dead", "lease_until": NOW + LEASE, "attempts": 1}
        session.connection().execute(m.update().values(**values))
    assert sent(laid.database, NOW) == {}
    assert sent(laid.database, NOW + LEASE + timedelta(seconds=1)) == {"accepted": 1}


@pytest.mark.postgres
def test_another_machine_whose_clock_is_ahead_does_not_send_what_is_being_sent(
    postgres_url: str, receiver: Receiver
) -> None:
    with closing_database(postgres_url) as database:
        laid = lay(database, now=NOW)
        hook(database, receiver.url)
        do(database, Action.ACKNOWLEDGE, laid.assignment("IV.1.1", "so-ban"), now=NOW)
        m, until = table(WebhookMessage), datetime.now(UTC) + LEASE
        with database.write() as session:
            values = {"state": LetterState.SENDING, "leased_by": "one", "lease_until": until, "attempts": 1}
            session.connection().execute(m.update().values(**values))
        ahead = at("2051-04-07", "08:00")
        assert not anything_owed(database, ahead)
        assert sent(database, ahead, worker="two") == {}
        leases_run_out(database)
        assert sent(database, NOW, worker="two") == {"accepted": 1}


def test_many_messages_go_in_one_pass(laid: Laid, receiver: Receiver) -> None:
    webhook = hook(laid.database, receiver.url)
    with laid.database.write() as session:
        for number in range(3 * BATCH + 1):
            webhooks.send_test(session, webhook, now=NOW - timedelta(seconds=number))
    assert sent(laid.database, NOW) == {"accepted": 3 * BATCH + 1}


def test_the_demonstration_and_a_restored_copy_send_nothing(laid: Laid, receiver: Receiver) -> None:
    webhook = hook(laid.database, receiver.url)
    with laid.database.write() as session:
        webhooks.send_test(session, webhook, now=NOW)
        hold_letters(session, Hold(NOW, NOW))
    assert sent(laid.database, NOW) == {}
    with laid.database.write() as session:
        session.connection().exec_driver_sql("DELETE FROM fact WHERE name = 'restored'")
    assert sent(laid.database, NOW, quiet=True) == {"kept_here": 1}
    assert receiver.got == []


def test_after_a_restore_what_was_owed_is_sent_under_its_id_whatever_becomes_of_the_letters(
    laid: Laid, receiver: Receiver
) -> None:
    webhook = hook(laid.database, receiver.url)
    with laid.database.write() as session:
        webhooks.send_test(session, webhook, now=NOW)
        hold_letters(session, Hold(NOW, NOW))
    (owed,) = [each.key for each in rows(laid.database, WebhookMessage)]
    release(laid.database, NOW, send=False, actor="cli:test")
    sent(laid.database, NOW)
    assert owed in {each.headers["webhook-id"] for each in receiver.got}


def test_metrics_say_which_address_answers_and_what_it_has_not_accepted(laid: Laid, receiver: Receiver) -> None:
    up, down = hook(laid.database, receiver.url), hook(laid.database, "http://127.0.0.1:9/")

    def read(now: datetime) -> dict[tuple[str, str], float]:
        with laid.database.read() as session:
            text = render(session, now, {}).decode()
        samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
        return {(each.name, each.labels["webhook"]): each.value for each in samples if "webhook" in each.labels}

    for each in (up, down):
        with laid.database.write() as session:
            webhooks.send_test(session, each, now=NOW)
    assert read(NOW) == {
        (f"dondoc_webhook_{name}", str(each)): 1 for name in ("up", "messages_owed") for each in (up, down)
    }
    for minute in range(0, 60, 5):
        sent(laid.database, NOW + timedelta(minutes=minute))
    found = read(NOW + timedelta(hours=1))
    assert found["dondoc_webhook_up", str(up)] == 1
    assert not found["dondoc_webhook_messages_owed", str(up)]
    assert not found["dondoc_webhook_up", str(down)]
    assert found["dondoc_webhook_messages_owed", str(down)] == 1


def test_a_new_secret_signs_beside_the_last_for_a_day(laid: Laid, receiver: Receiver) -> None:
    webhook = hook(laid.database, receiver.url)
    stored = row(laid.database, Webhook)
    assert "whsec_" not in stored.secret
    with laid.database.write() as session:
        webhooks.change_secret(session, SIGNER, webhook, actor="cli:test", now=NOW)
        webhooks.send_test(session, webhook, now=NOW)
        webhooks.send_test(session, webhook, now=NOW + timedelta(days=2))
    sent(laid.database, NOW)
    sent(laid.database, NOW + timedelta(days=2))
    assert [len(each.headers["webhook-signature"].split()) for each in receiver.got] == [2, 1]


def test_what_happened_long_ago_is_deleted(laid: Laid, receiver: Receiver) -> None:
    webhook = hook(laid.database, receiver.url)
    with laid.database.write() as session:
        webhooks.send_test(session, webhook, now=NOW)
        webhooks.send_test(session, webhook, now=NOW + timedelta(days=80))
        assert webhooks.prune(session, NOW + timedelta(days=91)) == 1


def test_the_same_event_is_owed_to_a_webhook_once(laid: Laid) -> None:
    hook(laid.database, "https://esb.tinh.example/dondoc")
    assignment = laid.assignment("IV.1.1", "so-ban")
    opened = event(EventKind.OPENED, NOW, assignment_id=assignment, key=f"assignment:{assignment}:opened")
    for _ in range(2):
        with laid.database.write() as session:
            append(session, [opened])
    assert row(laid.database, WebhookMessage).key == f"webhook:1:assignment:{assignment}:opened"
