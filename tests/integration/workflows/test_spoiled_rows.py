"""Every column on which an effect depends is spoiled, one at a time, and the audit is asked. The columns come from the
schema: a new one that is found by nothing must be entered in ``UNNOTICED`` with its reason, or get a check."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ground.commands import Commands
from ground.factory import Laid, at, do, laid_once, lay, rows, swept
from ground.office import looking
from ground.post import KEY, LetterBox, post_office
from sqlalchemy import JSON, Boolean, Column, Date, Enum, Integer, Table
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from config.settings import Settings
from engine.admin.cut_off import publish_closed
from engine.agencies import contacts
from engine.application.daily_cleanup import run_daily_cleanup
from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.queries.system.health import health
from engine.rules.calendar import DayException, DayKind
from engine.rules.situation import Action
from engine.store.database import Database, insert_new
from engine.store.event_log import verify
from engine.store.facts import unreadable_facts
from engine.store.records import Assignment, Digest, Fact
from engine.terms import Outcome
from notifications.delivery import deliver
from workflows.checks.audit import audit, counted
from workflows.checks.record_checks import look
from workflows.checks.repair import repair
from workflows.operation.doctor import examine
from workflows.run import passes
from workflows.run.passes import DutiesFailed
from workflows.run.system import compose

NOW = at("2021-06-22", "07:45")
DAYS = (DayException(date(2021, 9, 2), DayKind.HOLIDAY, "Quốc khánh", "BLLĐ 2019, Đ112"),)
IMPOSSIBLE = "impossible"


def office(database: Database) -> Laid:
    """Two months of the small plan: reminders, one report that is done, one that promises, escalations after the 17th;
    the letters of this morning still wait."""
    laid = lay(database, now=at("2021-04-07"), days=DAYS)
    for day in ("2021-04-07", "2021-06-03", "2021-06-14", "2021-06-16"):
        swept(database, at(day, "07:00"))
        asyncio.run(deliver(database, at(day, "07:30"), post_office(LetterBox())))
    for day in ("2021-06-18", "2021-06-21"):
        swept(database, at(day, "07:00"))
        asyncio.run(deliver(database, at(day, "07:30"), post_office(LetterBox())))
    do(database, Action.REPORT, laid.assignment("IV.2.1", "huyen-a"), now=at("2021-06-21", "10:00"))
    promise = PromiseText(on=date(2021, 7, 5), reason_code="kinh-phi", reason="Chưa cấp kinh phí.")
    text = ReportText(outcome=Outcome.NOT_YET, body="Chưa làm.", reason="Chưa cấp kinh phí.", promise=promise)
    with database.write() as session:
        promising = laid.assignment("IV.2.1", "huyen-b")
        lifecycle.report(session, promising, text=text, actor="contact:1", now=at("2021-06-21", "11:00"))
    swept(database, at("2021-06-22", "07:00"), limit=1)
    asyncio.run(deliver(database, at("2021-06-22", "07:30"), post_office(LetterBox())))
    swept(database, at("2021-06-22", "07:00"))
    with database.write() as session:
        run_daily_cleanup(session, at("2021-06-22", "00:10"))
    return laid


def findings(session: Session) -> set[str]:
    """What the audit finds."""
    return {name for name, count in counted(session, NOW).items() if count}


LIVE: dict[str, str] = {
    "assignment": "agency_id = 'so-ban'",
    "letter": "state = 'queued'",
    "notice": "letter_id = (SELECT min(id) FROM letter WHERE state = 'queued')",
    "contact": "agency_id = 'so-ban' AND role = 'coordinator'",
    "delivery": "letter_id = (SELECT max(letter_id) FROM delivery)",
    "fact": "name = 'last_upkeep'",
}
"""The row that is spoiled, where it is not the first: of one on which something still depends."""
EFFECTS = (
    *("assignment", "calendar_day", "contact", "delivery", "duty", "fact", "ladder", "letter", "notice", "plan"),
    *("policy", "promise", "report"),
)


def spoils(column: Column[Any]) -> Iterator[tuple[str, str]]:
    """(what, SQL) of the ways in which a column is spoiled."""
    yield "emptied", "NULL"
    kind = column.type
    if isinstance(kind, Enum):
        yield "another word", "'hong'"
    elif isinstance(kind, (Date, UTCDateTime)):
        wall = "" if isinstance(kind, Date) else " 00:00:00.000000"
        yield "two years back", f"'2019-06-20{wall}'"
        yield "two years ahead", f"'2023-06-20{wall}'"
    elif isinstance(kind, JSON):
        yield "another shape", "'5'"
        yield "nothing in it", "'{}'"
    elif isinstance(kind, Boolean):
        yield "turned", f"1 - {column.name}"
    elif isinstance(kind, Integer):
        yield "nought", "0"
        yield "far too many", "999999"
    else:
        yield "nothing", "''"
        yield "another text", "'hong'"


def spoil(database: Database, of: Table, setting: str, where: str = "") -> set[str]:
    """What the audit finds after a change of one row, which is undone; ``impossible`` where the database refuses it."""
    where = where or LIVE.get(of.name, "true")
    key = next(iter(of.primary_key)).name
    statement = f"UPDATE {of.name} SET {setting} WHERE {key} = (SELECT min({key}) FROM {of.name} WHERE {where})"
    found: set[str] = set()
    with suppress(_Undone, IntegrityError), database.write() as session:
        found = {IMPOSSIBLE}
        session.connection().exec_driver_sql(statement)
        found = findings(session)
        raise _Undone
    return found


class _Undone(Exception):
    """Rolls back what was spoiled."""


ORDER = "only how it is shown, or in which order"
WORDS = "words for people; no pass reads them"
ONCE = "the effects before it have their keys: nothing is said twice, and what is to come is computed from the due date"
OVER = "of a letter or report that is over; what it brought about stands in other rows"
TRIES = "how often a letter is tried; it goes out or ends with a reason all the same"
PERSON = "what one person may choose or an office may set on any day; the change is an event, its absence no proof"
TOLD = "whoever has nobody to write to is told to the department above when the next letter is due"
LATER = "read when a later period opens, from the plan as it was reviewed; the year's page shows it first"
UNNOTICED: dict[str, str] = {
    **dict.fromkeys(("assignment.window_start", "assignment.window_end", "assignment.due_why"), ORDER),
    **dict.fromkeys(
        ("assignment.period", "assignment.request"), "under which heading it is counted; its due date stays"
    ),
    **dict.fromkeys(("assignment.opened_at", "assignment.acknowledged_at", "assignment.accepted_at"), ORDER),
    **dict.fromkeys(("assignment.reported_at", "assignment.reported_on", "assignment.first_due_on"), ORDER),
    "assignment.id": ORDER,
    "assignment.nominal_due": "read when the calendar changes, which shows every day that it moves",
    **dict.fromkeys(("assignment.opened_on", "assignment.acted_until", "assignment.returns"), ONCE),
    "assignment.broken_before": "without a promise nothing reads it; with one it is compared with the promises",
    "assignment.level": "a lower one only lets the next rung say its own",
    "assignment.transferred_from_id": ORDER,
    **dict.fromkeys(("calendar_day.name", "calendar_day.basis"), WORDS),
    **dict.fromkeys(("contact.label", "contact.language", "contact.phone", "contact.proposed"), PERSON),
    **dict.fromkeys(("contact.links_since", "contact.pace", "contact.instead"), PERSON),
    **dict.fromkeys(("contact.valid_from", "contact.valid_until"), TOLD),
    **dict.fromkeys((f"delivery.{name}" for name in ("id", "attempt", "at", "fate", "code", "reply", "receipt")), OVER),
    **dict.fromkeys((f"duty.{name}" for name in ("position", "citation", "heading", "text", "area", "output")), WORDS),
    **dict.fromkeys(
        (f"duty.{name}" for name in ("request", "kind", "cadence", "rule", "owners", "coordinating")), LATER
    ),
    **dict.fromkeys((f"duty.{name}" for name in ("repeats", "waits_for", "added")), LATER),
    **dict.fromkeys(("fact.name", "fact.value"), "the cleanup is run once more; a day to come is found"),
    **dict.fromkeys(("letter.agency_id", "letter.receipt", "letter.sent_at", "letter.settled_at"), OVER),
    **dict.fromkeys(("letter.attempts", "letter.lost_leases", "letter.on_wire", "letter.created_at"), TRIES),
    **dict.fromkeys(("letter.lease_until", "letter.leased_by", "letter.reason"), TRIES),
    "letter.urgent": "urgent letters only go out sooner",
    "letter.digest_week": "says which lines are drawn with it; a letter without lines is found",
    **dict.fromkeys(("notice.id", "notice.rung", "notice.level", "notice.detail"), WORDS),
    "notice.key": "with the rung's event there is no second line",
    "notice.moot": "left out is written when it is sent, from the state of the task",
    **dict.fromkeys((f"plan.{name}" for name in ("number", "title", "short_title", "sms_name")), WORDS),
    **dict.fromkeys(("plan.year", "plan.issued_on", "plan.digest", "plan.followed"), LATER),
    "plan.activated_at": ORDER,
    "plan.next_open_at": "an earlier one lets the next pass look once more; a later one is found",
    "policy.loaded_at": ORDER,
    **dict.fromkeys((f"promise.{name}" for name in ("id", "number", "made_at", "made_on", "actor", "source")), ORDER),
    **dict.fromkeys((f"promise.{name}" for name in ("reason", "reason_code", "owed", "answer", "decided_by")), WORDS),
    **dict.fromkeys(("promise.decided_at", "promise.ended_on"), ORDER),
    **dict.fromkeys((f"report.{name}" for name in ("id", "number", "submitted_at", "actor", "outcome")), OVER),
    **dict.fromkeys((f"report.{name}" for name in ("reason", "reason_code", "body", "figures", "files")), WORDS),
    **dict.fromkeys(("report.returned_reason", "report.returned_code", "report.resubmit_on"), OVER),
    **dict.fromkeys((f"report.{name}" for name in ("paper_number", "paper_on", "paper_key", "output")), WORDS),
}
"""Columns of which a spoiled value is found by nothing and forbidden by nothing, and why that does no harm or cannot be
known from the rows."""
NO_EFFECT = {
    *(
        "account",
        "agency",
        "agency_group",
        "answer_code",
        "api_token",
        "attempt",
        "changed_work",
        "data_version",
        "digest",
        "dispatch_wording",
        "draft",
    ),
    *(
        "event",
        "event_link",
        "evidence",
        "extension",
        "feed",
        "frozen",
        "idempotency_key",
        "incoming",
        "incoming_message",
    ),
    *(
        "letter_body",
        "list_mark",
        "paper_settings",
        "pass",
        "pending_answer",
        "plan_draft",
        "row_seal",
        "saved_view",
        "second_factor",
    ),
    *(
        "sign_in_link",
        "signed_in",
        "succession",
        "tally",
        "tally_change",
        "thread_entry",
        "told",
        "undoable_act",
        "webhook",
        "webhook_message",
    ),
}
"""Tables from which no reminder, letter or level is computed (accounts, links, texts, logs, versions of pages), or that
other tests hold: evidence by digest, the pass that failed. With what was told the next week's letter is compared."""


def test_every_table_is_spoiled_or_brings_nothing_about() -> None:
    assert {*EFFECTS} | NO_EFFECT == {*SQLModel.metadata.tables}
    assert not {*EFFECTS} & NO_EFFECT


@pytest.mark.deep  # every column of every table; each kind of row is found below
@pytest.mark.parametrize("name", EFFECTS)
def test_a_spoiled_column_is_found_refused_or_known_to_do_no_harm(sqlite_database: Database, name: str) -> None:
    laid_once(sqlite_database, "an office in June", office)
    with sqlite_database.read() as session:
        assert findings(session) == set()
    of = SQLModel.metadata.tables[name]
    unnoticed = {
        f"{name}.{column.name}"
        for column in of.c
        # An empty value that may be empty is what most rows have; all others must be noticed.
        for what, sql in spoils(column)
        if not (what == "emptied" and column.nullable) and not _same(sqlite_database, of, column.name, sql)
        if not spoil(sqlite_database, of, f"{column.name} = {sql}")
    }
    assert unnoticed == {each for each in UNNOTICED if each.split(".")[0] == name}


def _same(database: Database, of: Table, column: str, sql: str) -> bool:
    """The row holds that already."""
    where, key = LIVE.get(of.name, "true"), next(iter(of.primary_key)).name
    statement = (
        f"SELECT {column} IS {sql} FROM {of.name} WHERE {key} = (SELECT min({key}) FROM {of.name} WHERE {where})"
    )
    with database.read() as session:
        return bool(session.connection().exec_driver_sql(statement).scalar())


BAN = "agency_id = 'so-ban'"
OWED, LATE = "state = 'queued'", "'2028-01-01 00:00:00.000000'"
KINDS: tuple[tuple[str, str, str, str], ...] = (
    # table, row, what is written, what is found
    ("assignment", BAN, "next_action_at = NULL", "without_next_step"),
    ("assignment", BAN, f"next_action_at = {LATE}", "looks_too_late"),
    ("assignment", BAN, "next_action_at = '2021-06-01 00:00:00.000000'", "overdue_looks"),
    ("assignment", BAN, "acted_until = '2023-01-01'", "looks_too_late"),
    ("assignment", BAN, "acted_until = '2021-06-21', next_action_at = NULL", "without_next_step"),
    ("assignment", BAN, "due_on = '2022-06-17'", "dues_moved_by_nobody"),
    ("assignment", BAN, "due_on = NULL", "dues_moved_by_nobody"),
    ("assignment", BAN, "original_due_on = '2022-06-17'", "dues_moved_by_nobody"),
    ("assignment", BAN, "level = 3", "levels_without_letters"),
    ("assignment", BAN, "promised_on = '2022-06-17'", "promises_differ"),
    ("assignment", "agency_id = 'huyen-b'", "promised_on = '2022-06-17'", "promises_differ"),
    ("assignment", "agency_id = 'huyen-b'", "promised_on = NULL", "promises_differ"),
    ("assignment", BAN, "done_on = '2021-06-21'", "done_without_report"),
    ("assignment", BAN, "done_on = '2021-06-21', next_action_at = NULL", "done_without_report"),
    ("assignment", BAN, "state = 'cancelled'", "dropped_by_nobody"),
    ("assignment", BAN, "state = 'accepted', done_on = '2021-06-21'", "done_without_report"),
    ("assignment", BAN, "state = 'reported', done_on = '2021-06-21'", "reported_without_report"),
    ("assignment", BAN, "state = 'xong'", "impossible_values"),
    ("assignment", BAN, "quiet = 'im'", "impossible_values"),
    ("assignment", BAN, "quiet = 'ladder_ended', next_action_at = NULL", "looks_too_late"),
    ("assignment", BAN, "ladder_id = 77", IMPOSSIBLE),
    ("assignment", BAN, "agency_id = 'khong-co'", IMPOSSIBLE),
    ("plan", "true", "next_open_at = NULL", "openings_forgotten"),
    ("plan", "true", f"next_open_at = {LATE}", "openings_forgotten"),
    ("plan", "true", "state = 'ended'", "plans_of_another_state"),
    ("plan", "true", "state = 'loaded'", "plans_of_another_state"),
    ("plan", "true", "state = 'dang chay'", "impossible_values"),
    ("letter", OWED, "day = '2021-06-21'", "letters_of_another_day"),
    ("letter", OWED, "contact_id = 1", "letters_of_another_day"),
    ("letter", OWED, "key = 'letter'", "letters_of_another_day"),
    ("letter", OWED, f"send_after = {LATE}", "letters_far_ahead"),
    ("letter", OWED, "state = 'sending', created_at = '2021-06-22 00:00:00.000000'", "sending_without_lease"),
    ("letter", OWED, "state = 'sent'", "impossible_values"),
    ("letter", OWED, "state = 'delivered'", "sent_without_record"),
    (
        "notice",
        "letter_id = (SELECT min(id) FROM letter WHERE state = 'queued')",
        "letter_id = 1",
        "letters_without_lines",
    ),
    (
        "notice",
        "letter_id = (SELECT min(id) FROM letter WHERE state = 'queued')",
        "assignment_id = 2",
        "letters_without_lines",
    ),
    ("contact", BAN, "email = '', phone = ''", "contacts_without_address"),
    ("contact", BAN, "email = 'so-ban.example'", "contacts_without_address"),
    ("contact", BAN, """suppressed = '{"email": "?"}'""", "suppressed_without_cause"),
    ("promise", "true", "state = 'giu'", "impossible_values"),
    ("calendar_day", "true", "day = '2021-06-23'", "calendar_differs"),
    ("calendar_day", "true", "kind = 'worked'", "calendar_differs"),
    ("policy", "true", "body = json_set(body, '$.send_at', '20:00')", "policies_differ"),
    ("ladder", "true", "body = json_set(body, '$.rungs', json('[]'))", "policies_differ"),
    ("fact", "name = 'last_upkeep'", "value = '2028-01-01'", "digest_in_future"),
)


@pytest.mark.parametrize(("name", "where", "setting", "finding"), KINDS)
def test_each_kind_of_spoiled_row_is_found(
    sqlite_database: Database, name: str, where: str, setting: str, finding: str
) -> None:
    laid_once(sqlite_database, "an office in June", office)
    assert finding in spoil(sqlite_database, SQLModel.metadata.tables[name], setting, where)


@pytest.mark.parametrize(
    ("setting", "repaired"),
    [
        ("acted_until = '2021-06-28', next_action_at = '2021-07-05 00:00:00.000000'", "assignments"),
        ("level = 3", "levels"),
    ],
)
def test_what_can_be_computed_again_is(sqlite_database: Database, setting: str, repaired: str) -> None:
    laid_once(sqlite_database, "an office in June", office)
    before = rows(sqlite_database, Assignment)
    with sqlite_database.write() as session:
        session.connection().exec_driver_sql(f"UPDATE assignment SET {setting} WHERE {BAN}")
    with sqlite_database.read() as session:
        assert findings(session)
    assert repair(sqlite_database, NOW)[repaired] == 1
    assert rows(sqlite_database, Assignment) == before


def test_the_second_urgent_letter_of_a_day_is_no_finding(sqlite_database: Database) -> None:
    laid_once(sqlite_database, "an office in June", office)
    assert spoil(sqlite_database, SQLModel.metadata.tables["letter"], "key = key || ':2'", OWED) == set()


NIGHT = at("2021-06-23", "01:05")
REPORTED = "assignment_id = (SELECT min(assignment_id) FROM report)"
REVIEWED = "state = 'accepted', accepted_at = '2021-06-22 00:00:00.000000'"
SENT = "state = 'delivered'"
DELETED = ""
BY_HAND: dict[str, tuple[str, str, str]] = {
    # what a hand does: table, row, what it writes there
    "an outcome turned": ("report", REPORTED, "outcome = 'not_yet'"),
    "a report's text emptied": ("report", REPORTED, "body = ''"),
    "a report moved to another task": ("report", REPORTED, "assignment_id = 1"),
    "accepted without a reviewer": ("assignment", "state = 'reported'", REVIEWED),
    "the ladder of another task": ("assignment", BAN, "ladder_id = (SELECT max(id) FROM ladder)"),
    "opened a year later": ("assignment", BAN, "opened_at = '2022-04-07 01:00:00.000000'"),
    "a supervisor emptied": ("assignment", BAN, "supervisor_id = ''"),
    "an agency's parent emptied": ("agency", "id = 'so-ban'", "parent_id = NULL"),
    "a contact moved to another agency": ("contact", BAN, "agency_id = 'huyen-a'"),
    "the mailbox of a stranger": ("contact", BAN, "email = 'nguoi-la@khac.example'"),
    "a letter to another contact": ("letter", SENT, "contact_id = 2"),
    "a letter's key": ("letter", SENT, "key = 'letter:x'"),
    "a letter's day": ("letter", SENT, "day = '2021-06-02'"),
    "a letter's text emptied": ("letter_body", "true", "text = x''"),
    "a notice deleted": ("notice", f"letter_id IN (SELECT id FROM letter WHERE {SENT})", DELETED),
    "a promise deleted": ("promise", "true", DELETED),
    "a digest deleted": ("digest", "true", DELETED),
    "a duty's text emptied": ("duty", "true", "text = ''"),
    "a duty's owners emptied": ("duty", "true", "owners = '[]'"),
    "an event's detail emptied": ("event", "detail <> '{}'", "detail = '{}'"),
    "an event deleted": ("event", "assignment_id IS NOT NULL", DELETED),
    "another installation": ("fact", "name = 'installation'", "value = '{}'"),
    "published figures deleted and published anew": ("frozen", "true", DELETED),
    "published figures changed": ("frozen", "true", "body = '{}'"),
    "the clock's readings garbled": ("fact", "name = 'clock'", "value = 'garbage'"),
    # beyond the twenty-five
    "a report deleted": ("report", REPORTED, DELETED),
    "a digest of another week": ("digest", "true", "week = '2021-W01'"),
}
UNFOUND = {
    "a letter's text emptied": "whoever got it has it; unpacking the texts of two months each night costs too much"
}


def by_hand(database: Database, of: str, where: str, setting: str) -> str:
    """«table row» of what was changed, as ``sqlite3`` does, which asks for no foreign key."""
    key = next(iter(SQLModel.metadata.tables[of].primary_key)).name
    with closing(sqlite3.connect(str(database.url.database))) as connection, connection:
        row = connection.execute(f"SELECT {key} FROM {of} WHERE {where} ORDER BY {key}").fetchone()
        change = f"UPDATE {of} SET {setting}" if setting else f"DELETE FROM {of}"
        assert connection.execute(f"{change} WHERE {key} = ?", row).rowcount == 1
    return f"{of} {row[0]}"


def sealed_office(database: Database) -> None:
    """With a digest and what a machine writes, looked at once; figures are published."""
    laid_once(database, "an office in June", office)
    with database.write() as session:
        insert_new(session, Fact, [{"name": "installation", "value": '{"id": "x"}'}, {"name": "clock", "value": "[]"}])
        contact = session.connection().exec_driver_sql("SELECT min(id) FROM contact").scalar_one()
        insert_new(session, Digest, [{"contact_id": contact, "week": "2021-W24", "letter_id": None, "at": NOW}])
    assert look(database, NOW) == []


def found_by_night(database: Database) -> list[str]:
    """By ``dondoc audit rows``, ``dondoc audit log`` and the audit's look at facts."""
    with database.read() as session:
        event = verify(session.connection()).event
        facts = [f"fact {name}" for name in unreadable_facts(session)]
    return [*look(database, NIGHT), *([f"event {event}"] if event else []), *facts]


def test_there_are_twenty_five_kinds_and_two_more() -> None:
    assert (len(BY_HAND), len(UNFOUND)) == (27, 1)


@pytest.mark.parametrize("kind", BY_HAND)
def test_a_hand_in_the_database_is_found_the_night_after_by_table_and_row(sqlite_database: Database, kind: str) -> None:
    sealed_office(sqlite_database)
    assert found_by_night(sqlite_database) == []
    row = by_hand(sqlite_database, *BY_HAND[kind])
    if "published anew" in kind:
        with sqlite_database.write() as session:
            assert publish_closed(session, NIGHT) == 1
    for _ in ("the night after", "until somebody says why"):
        assert found_by_night(sqlite_database) == ([] if kind in UNFOUND else [row])


def test_the_command_names_row_and_cure_until_somebody_says_why(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sealed_office(sqlite_database)
    row = by_hand(sqlite_database, *BY_HAND["an outcome turned"])
    address = sqlite_database.url.render_as_string(hide_password=False)
    dondoc = Commands(tmp_path, address, monkeypatch, capsys)
    said = dondoc("audit", "rows")
    assert (said.code, f"{row}: khác lần trước" in said.out, "bản sao lưu" in said.out) == (1, True, True)
    with sqlite_database.read() as session:
        assert "rows_differ" in findings(session)
    dondoc("audit", "rows", "--accept")
    assert "Không có dòng nào khác" in dondoc("audit", "rows").well


def test_a_year_of_acts_is_explained_by_its_events(database: Database) -> None:
    laid = laid_once(database, "an office in June", office)
    assert look(database, NOW) == []
    do(database, Action.ACCEPT, laid.assignment("IV.2.1", "huyen-a"), now=at("2021-06-22", "09:00"))
    do(database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=at("2021-06-22", "09:00"))
    with database.write() as session:
        contacts.change(session, 4, email="moi@so-ban.example", actor="account:1", now=NOW)
    swept(database, at("2021-06-23", "07:00"))
    asyncio.run(deliver(database, at("2021-06-23", "07:30"), post_office(LetterBox())))
    assert look(database, at("2021-06-24", "01:00")) == []


NO_WORDS = [
    (of.name, f"{column.name} = 'hong'")
    for of in SQLModel.metadata.sorted_tables
    for column in of.c
    if isinstance(column.type, Enum)
]
BODIES = [
    ("ladder", "body = '5'"),
    ("ladder", "body = 'hong'"),
    ("ladder", "body = '{}'"),
    ("policy", "body = '5'"),
    ("policy", "body = 'hong'"),
    ("policy", "body = '{}'"),
    ("calendar_day", "kind = 'hong'"),
]


@pytest.mark.parametrize(("name", "setting"), [*NO_WORDS, *BODIES])
def test_whatever_a_row_holds_every_way_out_ends_and_the_rest_is_done(
    sqlite_database: Database, tmp_path: Path, name: str, setting: str
) -> None:
    """One garbled row of the rules ended the tick, the audit and the repair for all."""
    database, box = sqlite_database, LetterBox()
    laid_once(database, "an office in June", office)
    key, where = next(iter(SQLModel.metadata.tables[name].primary_key)).name, LIVE.get(name, "true")
    with database.write() as session:
        first = f"(SELECT min({key}) FROM {name} WHERE {where})"
        session.connection().exec_driver_sql(f"UPDATE {name} SET {setting} WHERE {key} = {first}")
    with suppress(DutiesFailed):
        asyncio.run(passes.tick(database, NOW, post_office(box)))
    audit(database, NOW)
    assert {"early", "search", "digests"} <= {done for done, count in repair(database, NOW).items() if count >= 0}
    with looking(database, NOW) as (session, today):
        health(session, today)
    address = database.url.render_as_string(hide_password=False)
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url=address, secret=KEY, prefect=False)  # type: ignore[call-arg]
    assert len(examine(compose(settings), connections=False)) > 10
    assert box.letters or name == "policy", "by whose hours letters leave"
