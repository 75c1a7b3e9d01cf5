"""The passes: twice without a second effect, after a week off coalesced, looked at again when a letter leaves."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest
from ground.databases import statements
from ground.factory import (
    Laid,
    at,
    directory,
    do,
    happened,
    item,
    lay,
    plan_file,
    policy,
    real_plan,
    row,
    rows,
    store,
)
from ground.post import LetterBox, post_office
from ground.remembered import once
from sqlalchemy import func, select

from engine.assignments import lifecycle
from engine.assignments.due_work import next_moment
from engine.assignments.opening import activate
from engine.rules.calendar import DayException, DayKind, local_date
from engine.rules.situation import Action
from engine.rules.words import CODES
from engine.store.database import Database, table
from engine.store.records import Assignment, Contact, Digest, Event, Letter, Notice, Pass
from engine.terms import EventKind, LetterState, PassName, Urgency
from notifications.contract.channel import About, Fate, Outcome, Outgoing
from workflows.checks.audit import audit
from workflows.run import passes
from workflows.run.passes import DATABASE_PASSES, PassReport
from workflows.simulation.demo import fast_forward

BEGAN = at("2021-04-07", "09:00")
DAY = timedelta(days=1)


@pytest.fixture
def laid(database: Database) -> Laid:
    """The made-up plan, active, nothing opened yet."""
    return activated(store(database, now=BEGAN))


def activated(laid: Laid, now: datetime = BEGAN) -> Laid:
    with laid.database.write() as session:
        activate(session, laid.plan_id, actor="cli:test", now=now)
    return laid


def ticked(laid: Laid, now: datetime, box: LetterBox | None = None) -> list[PassReport]:
    return asyncio.run(passes.tick(laid.database, now, post_office(box)))


def lived(laid: Laid, start: datetime, until: datetime, box: LetterBox | None = None) -> LetterBox:
    """Tick at every moment something is due."""
    box = box or LetterBox()
    office = post_office(box)
    asyncio.run(fast_forward(laid.database, start, until, lambda now: passes.tick(laid.database, now, office)))
    return box


def lived_until(database: Database, until: datetime) -> tuple[Laid, LetterBox]:
    """The made-up plan lived from its activation to a moment, on an empty database, and the letters of that time. Lived
    once: a longer life begins where the longest shorter one ended."""
    earlier = max((each for each in STAGES if each < until), default=None)

    def fill() -> tuple[int, list[Outgoing]]:
        if earlier is None:
            laid, box = activated(store(database, now=BEGAN)), LetterBox()
        else:
            laid, box = lived_until(database, earlier)
        lived(laid, earlier or BEGAN, until, box)
        return laid.plan_id, box.letters

    plan_id, letters = once(database, ("lived until", until), fill)
    box = LetterBox()
    box.letters = [*letters]
    return Laid(database, plan_id), box


STAGES = [
    at("2021-06-10", "20:00"),
    at("2021-06-14", "20:00"),
    at("2021-06-16", "06:00"),
    at("2021-06-17", "20:00"),
    at("2021-06-20", "06:00"),
    at("2021-06-24", "20:00"),
    at("2021-07-16", "20:00"),
]
"""Moments that several lives come by."""


def everything(database: Database) -> dict[str, list[Any]]:
    """All that the passes write, but for when each pass last ran."""
    return {model.__name__: rows(database, model) for model in (Assignment, Letter, Notice, Event, Digest)}


def on(box: LetterBox, day: str) -> list[str]:
    """The mailboxes written to on a day, sorted."""
    return sorted(letter.to for letter in box.letters if local_date(letter.at).isoformat() == day)


# --- once, and again ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["2021-04-07", "2021-06-16", "2021-06-18", "2021-06-21", "2021-06-22"])
def test_a_tick_twice_in_a_row_has_no_second_effect(database: Database, day: str) -> None:
    if day > "2021-04-07":
        laid, box = lived_until(database, at(day, "06:00"))
    else:
        laid, box = activated(store(database, now=BEGAN)), LetterBox()
    now = at(day, "09:00")
    first = ticked(laid, now, box)
    before, sent = everything(laid.database), len(box.letters)
    assert first
    assert ticked(laid, now, box) == []
    assert ticked(laid, now + timedelta(minutes=1), box) == []
    assert (everything(laid.database), len(box.letters)) == (before, sent)


@pytest.mark.parametrize("name", list(DATABASE_PASSES))
def test_each_pass_alone_twice_in_a_row_has_no_second_effect(database: Database, name: PassName) -> None:
    laid, _ = lived_until(database, at("2021-06-20", "06:00"))
    now = at("2021-06-21", "07:00")
    DATABASE_PASSES[name](laid.database, now)
    before = everything(laid.database)
    assert not any(DATABASE_PASSES[name](laid.database, now).counts.values())
    assert everything(laid.database) == before


def test_the_passes_feed_one_another_in_one_tick(laid: Laid) -> None:
    reports = ticked(laid, BEGAN)
    assert [report.name for report in reports] == ["open", "act", "digest", "deliver"]
    assert reports[0].counts == {"plans": 1, "assignments": 5}
    assert reports[3].counts == {"letters": 5, "delivered": 5}
    assert str(reports[0]).startswith("open: plans 1, assignments 5 (")


def test_everything_that_a_pass_counts_has_words(laid: Laid, tmp_path: Path) -> None:
    """The page of the system shows them; a code without words stood there as it is spelled in the program."""
    reports = [*ticked(laid, BEGAN), passes.upkeep(laid.database, BEGAN, tmp_path, 400 * DAY)]
    reports.append(audit(laid.database, BEGAN))
    assert {report.name for report in reports} >= {PassName.ACT, PassName.UPKEEP, PassName.AUDIT}
    assert [name for report in reports for name in report.counts if name not in CODES] == []


def test_a_tick_with_nothing_due_is_no_report_and_writes_nothing(laid: Laid) -> None:
    ticked(laid, BEGAN)
    before = rows(laid.database, Pass)
    assert ticked(laid, at("2021-04-08", "03:00")) == []
    assert rows(laid.database, Pass) == before


def test_a_tick_asks_once_what_is_due_and_once_more_after_opening(laid: Laid) -> None:
    def asked(now: datetime) -> int:
        with statements(laid.database) as sent:
            assert ticked(laid, now)
        return sum(statement.startswith("SELECT EXISTS") for statement in sent)

    assert asked(BEGAN) == 2
    with laid.database.read() as session:
        later = next_moment(session, BEGAN)
    assert later is not None
    assert asked(later) == 1


def test_the_last_run_of_each_pass_is_kept(laid: Laid) -> None:
    ticked(laid, BEGAN)
    assert {each.name for each in rows(laid.database, Pass)} == {"open", "act", "digest", "deliver"}
    assert row(laid.database, Pass, name="open").counts == {"plans": 1, "assignments": 5}
    assert row(laid.database, Pass, name="open").finished_at == BEGAN


# --- a week off ---------------------------------------------------------------------------------------------------


def test_after_a_week_off_a_person_gets_the_latest_rung_alone_and_the_skipped_ones_say_why(
    sqlite_database: Database,
) -> None:
    light, box = lived_until(sqlite_database, at("2021-06-10", "20:00"))
    ticked(light, at("2021-06-17", "10:00"), box)  # off over T-3 (14/6) and T-1 (16/6)
    assert on(box, "2021-06-17").count("coordinator@so-ban.example") == 1
    mine = light.assignment("IV.1.1", "so-ban")
    assert [each.rung for each in rows(light.database, Notice, assignment_id=mine)][-1] == "T-1"
    skipped = {
        each.detail["rung"]: each.detail
        for each in rows(light.database, Event, assignment_id=mine)
        if each.kind is EventKind.RUNG_SKIPPED
    }
    assert (skipped["T-3"]["reason"], skipped["T-3"]["on"]) == ("overtaken", "2021-06-14")
    assert ticked(light, at("2021-06-17", "10:01"), box) == []


def test_after_a_month_off_the_agency_and_its_head_hear_before_the_department_and_that_before_the_leadership(
    sqlite_database: Database,
) -> None:
    light, box = lived_until(sqlite_database, at("2021-06-10", "20:00"))
    back = at("2021-07-12", "10:00")  # off over T+1, T+3, T+7 and T+15
    lived(light, back, at("2021-07-16", "20:00"), box)
    mine = light.assignment("IV.2.1", "huyen-a")
    heard = [
        (each.detail["rung"], local_date(each.at).isoformat())
        for each in rows(light.database, Event)
        if each.kind is EventKind.RUNG_FIRED and each.assignment_id == mine and each.at >= back
    ]
    assert heard == [("T+1", "2021-07-12"), ("T+7", "2021-07-13"), ("T+15", "2021-07-14"), ("T+16", "2021-07-15")]
    days = Counter((letter.to, local_date(letter.at)) for letter in box.letters)
    assert max(days.values()) == 1


def test_a_plan_activated_long_after_its_dates_floods_nobody(sqlite_database: Database) -> None:
    laid = activated(store(sqlite_database, now=at("2021-08-02")), now=at("2021-08-02"))
    box = LetterBox()
    ticked(laid, at("2021-08-02", "10:00"), box)
    assert max(Counter(letter.to for letter in box.letters).values()) == 1
    assert len({letter.to for letter in box.letters}) == len(box.letters)


def test_the_week_s_digest_comes_late_when_everything_was_down_on_monday(sqlite_database: Database) -> None:
    light, box = lived_until(sqlite_database, at("2021-06-18", "20:00"))
    ticked(light, at("2021-06-24", "08:00"), box)
    assert {each.week for each in rows(light.database, Digest) if each.letter_id} == {"2021-W25"}
    assert "leadership@tinh.example" in on(box, "2021-06-24")
    assert ticked(light, at("2021-06-25", "08:30"), box)[-1].counts.get("digests", 0) == 0


# --- whom and when ------------------------------------------------------------------------------------------------


def test_nobody_gets_two_letters_on_a_day_nor_one_on_a_closed_day(sqlite_database: Database) -> None:
    _, box = lived_until(sqlite_database, at("2021-07-16", "20:00"))
    assert len(box.letters) > 60
    assert max(Counter((letter.to, local_date(letter.at)) for letter in box.letters).values()) == 1
    assert {local_date(letter.at).weekday() for letter in box.letters} <= {0, 1, 2, 3, 4}
    assert date(2021, 4, 21) not in {local_date(letter.at) for letter in box.letters}  # Hùng Kings


def test_real_letters_avoid_the_second_and_third_of_september(sqlite_database: Database) -> None:
    """Lines decided on 1 September after the window leave on Monday the 6th: two holidays and a weekend between."""
    laid = activated(real_plan(sqlite_database, now=at("2021-08-23")), now=at("2021-08-23"))
    lived(laid, at("2021-08-23", "09:00"), at("2021-09-01", "20:00"))
    some = row(sqlite_database, Assignment, id=laid.assignment("IV.16.1", "ubnd-tp-vinh"))
    with sqlite_database.write() as session:
        lifecycle.chase(session, some.id, actor="contact:1", now=at("2021-09-01", "21:30"))
    box = lived(laid, at("2021-09-01", "21:30"), at("2021-09-06", "20:00"))
    assert {local_date(letter.at) for letter in box.letters} == {date(2021, 9, 6)}
    assert any("ubnd-tp-vinh" in letter.to for letter in box.letters)


def test_a_closed_monday_s_digest_comes_on_tuesday(sqlite_database: Database) -> None:
    closed = (DayException(date(2021, 6, 21), DayKind.HOLIDAY, "Nghỉ"),)
    began = at("2021-06-14", "09:00")
    laid = activated(store(sqlite_database, now=began, days=closed), now=began)
    box = lived(laid, began, at("2021-06-22", "20:00"))
    assert on(box, "2021-06-21") == []
    assert "leadership@tinh.example" in on(box, "2021-06-22")
    assert {each.week for each in rows(sqlite_database, Digest) if each.letter_id} == {"2021-W25"}


def test_what_was_only_asked_for_never_reaches_the_leadership(sqlite_database: Database) -> None:
    _, box = lived_until(sqlite_database, at("2021-07-30", "20:00"))
    above = [letter for letter in box.letters if letter.to == "leadership@tinh.example"]
    assert len(above) >= 5
    assert not any("Mat tran" in letter.text + letter.html or "IV.3.1" in letter.text + letter.html for letter in above)
    monitor = [letter for letter in box.letters if letter.to == "monitor@so-chinh.example"]
    assert any("IV.3.1" in letter.text for letter in monitor)


def test_what_the_department_itself_owes_is_told_to_the_body_above(sqlite_database: Database) -> None:
    _, box = lived_until(sqlite_database, at("2021-06-24", "20:00"))
    assert on(box, "2021-06-24").count("monitor@tinh.example") == 1
    (letter,) = [each for each in box.letters if each.to == "monitor@tinh.example" and "2021-06-24" in str(each.at)]
    assert "IV.4.1" in letter.text
    assert "IV.1.1" not in letter.text


@pytest.mark.parametrize(
    ("urgency", "when"), [(Urgency.NORMAL, "2021-04-12 07:30"), (Urgency.HOA_TOC, "2021-04-09 23:00")]
)
def test_an_urgent_plan_s_letters_go_at_night(sqlite_database: Database, urgency: Urgency, when: str) -> None:
    friday_night = at("2021-04-09", "23:00")
    laid = activated(store(sqlite_database, now=friday_night, plan=plan_file(urgency=urgency)), now=friday_night)
    box = lived(laid, friday_night, at("2021-04-12", "12:00"))
    day, _, wall = when.partition(" ")
    assert {letter.at for letter in box.letters if letter.to == "coordinator@so-ban.example"} >= {at(day, wall)}
    assert min(letter.at for letter in box.letters) == at(day, wall)


@pytest.mark.parametrize("urgency", [Urgency.KHAN, Urgency.THUONG_KHAN, Urgency.HOA_TOC])
def test_the_letters_of_an_urgent_plan_activated_on_a_sunday_night_are_out_by_the_next_tick(
    sqlite_database: Database, urgency: Urgency
) -> None:
    sunday, box = at("2021-04-11", "23:10"), LetterBox()
    laid = activated(store(sqlite_database, now=sunday, plan=plan_file(urgency=urgency)), now=sunday)
    ticked(laid, at("2021-04-11", "23:15"), box)
    assert len(box.letters) == len(rows(sqlite_database, Letter)) == 5
    assert {each.rung for each in rows(sqlite_database, Notice)} == {"open"}


def test_a_plan_without_a_mark_waits_for_monday(sqlite_database: Database) -> None:
    sunday, box = at("2021-04-11", "23:10"), LetterBox()
    laid = activated(store(sqlite_database, now=sunday), now=sunday)
    ticked(laid, at("2021-04-11", "23:15"), box)
    assert (box.letters, rows(sqlite_database, Letter)) == ([], [])
    assert next_action(sqlite_database) == {at("2021-04-12", "07:00")}


def test_an_urgent_plan_reminds_on_closed_days_and_its_due_dates_still_roll(sqlite_database: Database) -> None:
    """The half-year is due on Sunday 20/6: that moves to Monday; the reminder of the day before comes on the Sunday."""
    began = at("2021-06-16", "09:00")
    plan = plan_file(items=(item(1, "so-ban", rule="gui-tinh"),), urgency="khan")
    laid = activated(store(sqlite_database, now=began, plan=plan), now=began)
    lived(laid, began, at("2021-06-22", "12:00"))
    (task,) = rows(sqlite_database, Assignment)
    assert task.due_on == date(2021, 6, 21)
    fired = {each.detail["rung"]: each.at for each in rows(sqlite_database, Event, kind=EventKind.RUNG_FIRED)}
    assert fired["A+3"] == at("2021-06-19", "07:00")  # a Saturday
    assert fired["T-1"] == at("2021-06-20", "07:00")  # a Sunday
    assert fired["T+1"] == at("2021-06-22", "07:00")


def next_action(database: Database) -> set[datetime | None]:
    return {each.next_action_at for each in rows(database, Assignment)}


# --- between deciding and sending ---------------------------------------------------------------------------------


def test_what_is_reported_between_deciding_and_sending_is_not_asked_for(sqlite_database: Database) -> None:
    light, box = lived_until(sqlite_database, at("2021-06-16", "07:00"))
    assert on(box, "2021-06-16") == []
    mine = light.assignment("IV.1.1", "so-ban")
    do(light.database, Action.REPORT, mine, now=at("2021-06-16", "07:10"))
    ticked(light, at("2021-06-16", "07:30"), box)
    assert "coordinator@so-ban.example" not in on(box, "2021-06-16")
    contact = row(light.database, Contact, email="coordinator@so-ban.example")
    letter = row(light.database, Letter, contact_id=contact.id, day=date(2021, 6, 16))
    assert (letter.state, letter.reason) == (LetterState.SUPPRESSED, "nothing_left")
    assert [each.obsolete for each in rows(light.database, Notice, letter_id=letter.id)] == ["reported"]


def test_a_granted_extension_makes_the_overdue_line_moot(sqlite_database: Database) -> None:
    light, box = lived_until(sqlite_database, at("2021-06-17", "20:00"))
    mine = light.assignment("IV.1.1", "so-ban")
    with light.database.write() as session:
        asked = lifecycle.ask_extension(
            session, mine, until=date(2021, 6, 30), reason="Chờ số liệu.", actor="contact:1", now=at("2021-06-17")
        )
    ticked(light, at("2021-06-18", "07:00"), box)
    with light.database.write() as session:
        lifecycle.decide_extension(session, asked, granted=True, actor="contact:2", now=at("2021-06-18", "07:10"))
    ticked(light, at("2021-06-18", "07:30"), box)
    (letter,) = [
        each for each in box.letters if each.to == "coordinator@so-ban.example" and each.at == at("2021-06-18", "07:30")
    ]
    assert "quá hạn" not in letter.text.lower()
    assert "30/6/2021" in letter.text
    assert "head@so-ban.example" not in on(box, "2021-06-18")


def test_a_report_sent_back_is_told_that_day_and_a_new_ladder_follows_its_resubmission_date(
    sqlite_database: Database,
) -> None:
    light, box = lived_until(sqlite_database, at("2021-06-14", "20:00"))
    mine = light.assignment("IV.1.1", "so-ban")
    do(light.database, Action.REPORT, mine, now=at("2021-06-15"))
    do(light.database, Action.RETURN, mine, now=at("2021-06-15", "10:00"))
    lived(light, at("2021-06-15", "10:00"), at("2021-06-21", "20:00"), box)  # to be resubmitted by 22 June
    days = [f"2021-06-{day}" for day in range(15, 22)]
    told = [day for day in days if "coordinator@so-ban.example" in on(box, day)]
    assert told == ["2021-06-15", "2021-06-17", "2021-06-21"]


def test_an_agency_without_a_reachable_contact_is_the_monitor_s_business(sqlite_database: Database) -> None:
    laid = activated(store(sqlite_database, now=BEGAN, bodies=directory(huyen_b={"contacts": []})))
    box = LetterBox()
    ticked(laid, BEGAN, box)
    (letter,) = [each for each in box.letters if each.to == "monitor@so-chinh.example"]
    assert "Huyen b" in letter.text
    assert happened(sqlite_database, kind=EventKind.UNREACHABLE) == ["unreachable"]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "ESCALATION_BATCH_ROWS", 100)


def test_more_than_one_batch_is_acted_on_in_one_pass(sqlite_database: Database, small_batches: None) -> None:
    duties = tuple(item(n, "cac-huyen") for n in range(1, 110))
    laid = lay(sqlite_database, now=BEGAN, plan=plan_file(items=duties))
    count = len(rows(sqlite_database, Assignment))
    assert count > passes.ESCALATION_BATCH_ROWS
    report = passes.act(sqlite_database, BEGAN)
    assert report.counts["assignments"] == count
    with laid.database.read() as session:
        left = session.connection().scalar(
            select(table(Assignment).c.id).where(table(Assignment).c.acted_until.is_(None))
        )
    assert left is None


class WatchingBox(LetterBox):
    """Notes with each letter how many assignments were still to be acted on when it was sent."""

    def __init__(self, database: Database, answer: Outcome | None = None) -> None:
        super().__init__(answer)
        self._database = database
        self.left: list[int] = []
        self.opened = 0

    async def __aenter__(self) -> Self:
        self.opened += 1
        return self

    async def send(self, letter: Outgoing) -> Outcome:
        a = table(Assignment)
        with self._database.read() as session:
            left = session.connection().scalar(select(func.count(a.c.id)).where(a.c.acted_until.is_(None)))
        self.left.append(left)
        return await super().send(letter)


@pytest.fixture
def many(database: Database, small_batches: None) -> Laid:
    """Two owners with more duties than a batch each, all due."""
    duties = tuple(item(n, "cac-huyen") for n in range(1, passes.ESCALATION_BATCH_ROWS + 10))
    laid = lay(database, now=BEGAN, plan=plan_file(items=duties))
    passes.digest(database, BEGAN)
    return laid


def test_letters_that_are_complete_leave_while_others_are_still_acted_on(many: Laid) -> None:
    box = WatchingBox(many.database)
    reports = ticked(many, BEGAN, box)
    assert box.left[0] > 0
    assert box.left[-1] == 0
    assert box.opened == 1  # the relay's connections are kept from batch to batch
    to = [letter.to for letter in box.letters]
    assert sorted(to) == sorted(set(to))  # one letter a person, whichever batches its lines were in
    lines = Counter(each.letter_id for each in rows(many.database, Notice))
    assert set(lines.values()) == {len(rows(many.database, Assignment)) // len(to)}
    assert [each.counts["letters"] for each in reports if each.name is PassName.DELIVER] == [len(to)]


def test_a_relay_that_is_down_does_not_hold_up_the_acting(many: Laid) -> None:
    box = WatchingBox(many.database, Outcome(fate=Fate.RETRY, code="connect", about=About.CHANNEL))
    ticked(many, BEGAN, box)
    assert {each.state for each in rows(many.database, Letter)} == {LetterState.QUEUED}
    assert all(each.acted_until is not None for each in rows(many.database, Assignment))


def test_letters_follow_the_policy_s_own_hours(sqlite_database: Database) -> None:
    hours = policy(decide_at="08:00", send_at="09:15", window={"opens": "08:00", "closes": "17:00"})
    laid = activated(store(sqlite_database, now=BEGAN, rules=hours))
    box = lived(laid, BEGAN, at("2021-06-03", "20:00"))
    assert {letter.at for letter in box.letters if local_date(letter.at) == date(2021, 6, 3)} == {
        at("2021-06-03", "09:15")
    }
