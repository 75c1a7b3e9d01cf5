"""The self-audit: nothing is forgotten in silence, and somebody outside hears as long as all is well."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ground.factory import Laid, at, begin, happened, lay, row, rows, store, swept
from ground.office import contact_of
from ground.post import LetterBox, post_office
from ground.web_servers import listening
from sqlalchemy import update

from engine.agencies.preferences import name_deputy
from engine.application.daily_cleanup import prune_bodies
from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.outbox import hold_lines
from engine.assignments.promise_rows import PromiseText
from engine.assignments.reports import evidence
from engine.rules.calendar import DayException, DayKind
from engine.store.database import Database, insert_new, table
from engine.store.recipients import read_recipients, remember_channels
from engine.store.records import Assignment, Contact, Event, Fact, Letter, LetterBody, Notice, Pass, Plan
from engine.terms import EventKind, LetterState, PassName, PlanState, Role, State
from engine.terms import Outcome as Outcome_
from engine.text import Text
from notifications.channel_health import record_outcomes
from notifications.contract.channel import About, Fate, Outcome
from notifications.delivery import deliver
from notifications.inbound.incoming_rows import record
from notifications.inbound.performing import Answer, send_answer
from workflows.checks.audit import STUCK_TOLERANCE, Audit, audit, run_checks
from workflows.checks.record_checks import evidence_lost
from workflows.checks.repair import repair
from workflows.run.passes import act, failures_recorded

NOW = at("2021-04-07", "09:00")
HOUR = timedelta(hours=1)
LEASED = {"leased_by": "another", "lease_until": NOW + HOUR}
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


def test_when_all_is_well_every_count_is_nought(laid: Laid) -> None:
    found = run_checks(laid.database, NOW)
    assert found.clean
    assert (found.findings, found.in_doubt) == ({}, 0)
    assert found.oldest_unsent == min(letter.send_after for letter in rows(laid.database, Letter))


def test_a_letter_that_tells_of_a_deputy_is_no_fault_and_one_to_another_is(laid: Laid) -> None:
    """It names no task, and its key no channel and day: each deputy that was named stopped the ping."""
    coordinator = contact_of(laid.database, "so-ban")
    with laid.database.write() as session:
        name_deputy(
            session,
            coordinator,
            email="phogiup@so-ban.example",
            valid_from=NOW.date(),
            valid_until=NOW.date() + timedelta(days=14),
            actor="cli",
            now=NOW,
        )
    letter = next(each for each in rows(laid.database, Letter) if each.key.startswith("deputy:"))
    assert run_checks(laid.database, NOW).clean
    other = contact_of(laid.database, "huyen-a")
    with laid.database.write() as session:
        m = table(Letter)
        session.connection().execute(update(m).where(m.c.id == letter.id).values(contact_id=other))
    assert run_checks(laid.database, NOW).findings == {"letters_of_another_day": 1}


def test_a_second_answer_that_waits_for_its_hour_is_no_fault_and_one_of_another_channel_is(laid: Laid) -> None:
    """It names no task and no day: the ping stopped whenever somebody wrote twice within an hour."""
    with laid.database.write() as session:
        (writer,) = read_recipients(session, ["so-ban"]).by_role["so-ban", Role.COORDINATOR]
        for number in ("1", "2"):
            incoming = record(session, "email", number, NOW)
            assert incoming is not None
            said = Answer(text=Text.same(number), done=True, open=False)
            send_answer(session, incoming, writer, "email", said, NOW)
    _, waits = (letter for letter in rows(laid.database, Letter) if letter.key.startswith("answer:"))
    assert (waits.send_after, run_checks(laid.database, NOW).clean) == (NOW + HOUR, True)
    with laid.database.write() as session:
        m = table(Letter)
        session.connection().execute(update(m).where(m.c.id == waits.id).values(channel="sms"))
    assert run_checks(laid.database, NOW).findings == {"letters_of_another_day": 1}


def test_a_letter_that_is_held_for_weeks_is_no_fault_and_is_left_alone(laid: Laid) -> None:
    """It was one after a fortnight, and the repair sent it in the quiet time."""
    until = NOW + timedelta(days=20)
    with laid.database.write() as session:
        hold_lines(session, [each.id for each in rows(laid.database, Notice)], until)
    assert (run_checks(laid.database, NOW).clean, repair(laid.database, NOW)["letters"]) == (True, 0)
    assert {each.send_after for each in rows(laid.database, Letter)} == {until}


def test_letters_for_the_day_after_a_long_closing_are_no_fault(database: Database) -> None:
    evening = at("2021-04-07", "22:00")
    closed = (NOW.date() + timedelta(days=n) for n in range(1, 21))
    days = tuple(DayException(day, DayKind.HOLIDAY, "Nghỉ phòng dịch") for day in closed)
    begin(store(database, now=NOW, days=days), now=NOW)
    swept(database, evening)
    assert {each.day for each in rows(database, Letter)} == {date(2021, 4, 28)}
    assert run_checks(database, evening).clean


def test_a_letter_that_a_false_clock_put_off_leaves_on_its_day_again(laid: Laid) -> None:
    """«Now» was the repair's answer, whatever the day of the letter: a Sunday, or before the reader's weekly one."""
    monday, m = at("2021-04-12", "07:30"), table(Letter)
    with laid.database.write() as session:
        session.connection().execute(update(m).values(day=monday.date(), send_after=NOW + timedelta(days=400)))
    repair(laid.database, at("2021-04-10", "10:00"))
    assert {each.send_after for each in rows(laid.database, Letter)} == {monday}


@pytest.mark.parametrize(
    ("model", "values", "finding"),
    [
        (Assignment, {"next_action_at": None, "quiet": None}, "without_next_step"),
        (Assignment, {"next_action_at": NOW - HOUR}, "overdue_looks"),
        (Letter, LONG_AGO, "stuck_letters"),
        (Letter, LONG_AGO | {"state": LetterState.SENDING, "attempts": 3} | LEASED, "stuck_letters"),
        (
            Letter,
            LONG_AGO | {"state": LetterState.SENDING, "send_after": NOW, "leased_by": ""},
            "sending_without_lease",
        ),
        (Letter, {"day": NOW.date() + timedelta(days=1)}, "letters_of_another_day"),
        (Contact, {"email": "", "phone": ""}, "contacts_without_address"),
        (Contact, {"suppressed": {"email": "ai do sua"}}, "suppressed_without_cause"),
        (Plan, {"state": PlanState.ENDED}, "plans_of_another_state"),
        (Plan, {"next_open_at": None}, "openings_forgotten"),
        (Letter, {"send_after": NOW + timedelta(days=400)}, "letters_far_ahead"),
        (Letter, {"state": LetterState.DELIVERED}, "sent_without_record"),
        (Assignment, {"next_action_at": NOW + timedelta(days=800)}, "looks_too_late"),
        (Assignment, {"acted_until": (NOW + timedelta(days=800)).date()}, "looks_too_late"),
        (
            Assignment,
            {"state": State.REPORTED, "next_action_at": None, "done_on": NOW.date()},
            "reported_without_report",
        ),
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
    assert run_checks(laid.database, NOW).findings.get("stuck_letters", 0) == stuck


def test_letters_that_wait_for_the_morning_are_not_stuck(laid: Laid) -> None:
    change(laid, Letter, **LONG_AGO)
    assert audit(laid.database, NOW, may_rest=True).counts["stuck_letters"] == 0
    assert happened(laid.database, kind=EventKind.AUDIT_FAILED) == []


def test_a_single_letter_in_doubt_is_counted_for_a_day_and_alarms_nobody(laid: Laid) -> None:
    with laid.database.write() as session:  # the day of many others that arrived
        letters = table(Letter)
        others = {"day": NOW.date() - timedelta(days=9), "state": LetterState.DELIVERED}
        session.connection().execute(update(letters).values(**others))
    change(laid, Letter, state=LetterState.UNKNOWN, settled_at=NOW)
    with listening() as (url, asked):
        assert audit(laid.database, NOW, url, may_rest=True).counts["unknown_letters"] == 1
    assert asked == ["/ping"]
    assert run_checks(laid.database, NOW + timedelta(days=2)).in_doubt == 0


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
    assert run_checks(database, NOW) == Audit({}, 0, None)


# --- planted faults: green means green --------------------------------------------------------------------------------


def send(laid: Laid, outcome: Outcome, now: Any = NOW) -> None:
    asyncio.run(deliver(laid.database, now, post_office(LetterBox(outcome))))


@pytest.mark.parametrize(
    ("outcome", "finding"),
    [
        (Outcome(fate=Fate.RETRY, code="", reply="connect: refused", about=About.CHANNEL), "late_letters"),
        (Outcome(fate=Fate.REFUSED, code="550", reply="5.1.1 User unknown", about=About.ADDRESS), "channels_down"),
        (Outcome(fate=Fate.UNKNOWN, code="", reply="dot: TimeoutError"), "failed_letters"),
    ],
)
def test_while_no_mail_arrives_nobody_outside_hears_that_all_is_well(
    laid: Laid, outcome: Outcome, finding: str
) -> None:
    """Three hours of a relay that is away, refuses everything, or leaves everything in doubt: 37 of 37 pings before."""
    moment = NOW
    with listening() as (url, asked):
        for _ in range(9):
            moment += timedelta(minutes=20)
            send(laid, outcome, moment)
            audit(laid.database, moment, url)
    assert finding in run_checks(laid.database, moment).findings
    assert len(asked) <= 3  # within the first hour


def test_one_dead_mailbox_of_a_few_letters_is_not_the_way(laid: Laid) -> None:
    """The ping stopped for a whole day, and nobody believed it when the mail really stood still."""
    send(laid, Outcome(fate=Fate.DELIVERED))
    change(laid, Letter, state=LetterState.REFUSED)
    assert "failed_letters" not in run_checks(laid.database, NOW).findings


@pytest.mark.parametrize(
    ("later", "late"),
    [
        (at("2021-04-11", "12:00"), False),  # Sunday
        (at("2021-04-12", "07:45"), False),  # 5 and 45 minutes of sending hours
        (at("2021-04-12", "08:10"), True),
    ],
)
def test_a_letter_put_off_on_friday_evening_is_not_late_on_sunday(laid: Laid, later: datetime, late: bool) -> None:
    friday = at("2021-04-09", "20:55")
    with laid.database.write() as session:
        session.connection().execute(update(table(Letter)).values(send_after=friday, created_at=friday))
    send(laid, Outcome(fate=Fate.RETRY, code="451", reply="4.7.1 Greylisted", about=About.LETTER), friday)
    assert ("late_letters" in run_checks(laid.database, later).findings) is late


def test_a_channel_that_is_down_is_a_finding(laid: Laid) -> None:
    with laid.database.write() as session:
        record_outcomes(session, "email", [Outcome(fate=Fate.RETRY, code="535", reply="bad password")], NOW)
    assert run_checks(laid.database, NOW).findings["channels_down"] == 1


def test_a_gateway_that_was_down_and_is_taken_away_is_none(laid: Laid) -> None:
    with laid.database.write() as session:
        record_outcomes(session, "sms", [Outcome(fate=Fate.RETRY, code="535", reply="bad password")], NOW)
    remember_channels(laid.database, ["email"])
    assert "channels_down" not in run_checks(laid.database, NOW).findings


def test_a_pass_that_failed_is_a_finding_until_it_has_succeeded(laid: Laid) -> None:
    with pytest.raises(RuntimeError), failures_recorded(laid.database, PassName.ACT, NOW):
        raise RuntimeError("a mistake of ours")
    assert row(laid.database, Pass, name="act").error == "RuntimeError: a mistake of ours"
    assert run_checks(laid.database, NOW).findings["failed_passes"] == 1
    act(laid.database, NOW)
    assert "failed_passes" not in run_checks(laid.database, NOW).findings


def test_a_digest_week_in_the_future_is_a_finding(laid: Laid) -> None:
    with laid.database.write() as session:
        insert_new(session, Fact, [{"name": "digest_week", "value": "2023-W10"}])
    assert run_checks(laid.database, NOW).findings == {"digest_in_future": 1}


def test_what_a_false_clock_did_is_undone_by_computing_it_again(laid: Laid) -> None:
    """A clock two years ahead silences a year: everything believes to have acted, the digest's week is of then."""
    before = {each.id: each.next_action_at for each in rows(laid.database, Assignment)}
    with laid.database.write() as session:
        ahead = NOW + timedelta(days=730)
        values = {"acted_until": ahead.date(), "next_action_at": ahead}
        session.connection().execute(update(table(Assignment)).values(**values))
        session.connection().execute(update(table(Letter)).values(send_after=ahead))
        insert_new(session, Fact, [{"name": "digest_week", "value": "2023-W14"}])
    assert set(run_checks(laid.database, NOW).findings) == {"looks_too_late", "letters_far_ahead", "digest_in_future"}
    repaired = repair(laid.database, NOW)
    assert all(repaired[each] for each in ("assignments", "letters", "digests"))
    assert run_checks(laid.database, NOW).clean
    assert set(repair(laid.database, NOW).values()) == {0}
    assert {each.id: each.next_action_at for each in rows(laid.database, Assignment)} == before


def test_a_plan_that_forgot_its_periods_and_a_letter_that_nobody_sends_are_put_right(laid: Laid) -> None:
    change(laid, Plan, next_open_at=None)
    change(laid, Letter, state=LetterState.SENDING, created_at=NOW - HOUR)
    repaired = repair(laid.database, NOW)
    assert (repaired["openings"], repaired["leases"]) == (1, 1)
    assert set(run_checks(laid.database, NOW).findings) <= {"stuck_letters"}  # until the next pass sends it
    assert rows(laid.database, Letter)[0].lost_leases == 1


def test_a_task_waits_for_the_day_that_its_promise_names(laid: Laid) -> None:
    assignment, promised = laid.assignment("IV.1.1", "so-ban"), NOW.date() + timedelta(days=30)
    promise = PromiseText(on=promised, reason_code="kinh-phi", reason="Chưa cấp kinh phí.")
    text = ReportText(outcome=Outcome_.NOT_YET, body="Chưa làm.", reason="Chưa cấp kinh phí.", promise=promise)
    with laid.database.write() as session:
        lifecycle.report(session, assignment, text=text, actor="contact:1", now=NOW)
    promised = row(laid.database, Assignment, id=assignment).promised_on  # a working day
    with laid.database.write() as session:
        a = table(Assignment)
        wrong = update(a).where(a.c.id == assignment).values(promised_on=promised + timedelta(days=300))
        session.connection().execute(wrong)
    assert run_checks(laid.database, NOW).findings["promises_differ"] == 1
    assert repair(laid.database, NOW)["promises"] == 1
    assert row(laid.database, Assignment, id=assignment).promised_on == promised


def test_an_impossible_value_in_one_row_ends_one_check_and_not_the_audit(laid: Laid) -> None:
    with laid.database.write() as session:
        m = table(Letter)
        session.connection().execute(update(m).values(send_after=NOW + timedelta(days=400)))
        session.connection().exec_driver_sql("UPDATE contact SET suppressed = '5' WHERE id = 1")
    found = run_checks(laid.database, NOW).findings
    assert found["unreadable_rows"] == 1
    assert found["letters_far_ahead"] > 0


def test_evidence_that_is_gone_or_altered_is_a_finding(laid: Laid, tmp_path: Path) -> None:
    with laid.database.write() as session:
        for body in (b"%PDF-1.4 one", b"%PDF-1.4 two", b"%PDF-1.4 three"):
            stored = evidence.store(tmp_path, name="a.pdf", body=body)
            evidence.keep(session, stored, agency_id="so-ban", actor="contact:1", now=NOW)
    assert evidence_lost(laid.database, tmp_path) == 0
    first, second, _ = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    first.unlink()
    second.chmod(0o600)
    second.write_bytes(second.read_bytes()[::-1])
    assert evidence_lost(laid.database, tmp_path) == 2


def test_the_texts_of_old_letters_go_and_their_rows_stay(laid: Laid) -> None:
    send(laid, Outcome(fate=Fate.DELIVERED))
    assert rows(laid.database, LetterBody)
    assert prune_bodies(laid.database, NOW) == 0
    count = len(rows(laid.database, LetterBody))
    assert prune_bodies(laid.database, NOW + timedelta(days=1)) == count
    assert (rows(laid.database, LetterBody), len(rows(laid.database, Letter))) == ([], count)
