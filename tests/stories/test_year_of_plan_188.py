"""The story: plan 188/KH-UBND lives from 7 April 2021 to 31 January 2022, and every letter is accounted for.

Some agencies are punctual, some late, some silent. For the first ten days no relay is configured. One punctual report
is returned in July, one says «chưa làm» in time and is followed in September, one says «một phần» late after a
difficulty that was answered; a newspaper's quarterly report never comes; two deputies stand in, one beside the
coordinator and one instead; for a month the monitor accepts nothing. What must have been said and counted is worked
out here a second time, day by day, with nothing of the engine's: the ladder as DOMAIN §2 writes it, the year's closed
days as published.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ground.databases import POSTGRES_IS_DEEP
from ground.factory import at, real_plan
from ground.office import open_office
from ground.post import LetterBox, post_office
from ground.windows import late_runs
from sqlalchemy import select
from stories.letter_rules import RecordingRenderer, faults_of
from stories.numbers import Numbers

from engine.admin.published_figures import publish_figures
from engine.agencies.preferences import DEPUTY_NAMED, name_deputy
from engine.assignments import lifecycle, opening
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.correspondence import entries
from engine.correspondence.entries import NewEntry
from engine.features.papers.period_report import period_report
from engine.files.plan_parts import subject_words
from engine.queries.figures.plan_progress import standing
from engine.queries.filter_choices import plan_of
from engine.queries.time_class import read_today
from engine.queries.work.report_page import report_page
from engine.rules.calendar import local_date
from engine.rules.words import short_day
from engine.store.database import Database, table
from engine.store.records import Assignment, Contact, Digest, Duty, Event, Letter, Notice, Report, ThreadEntry
from engine.terms import EntryKind, EventKind, LetterState, Outcome, Role, State
from notifications.contract.channel import Fate, Outgoing
from notifications.contract.channel import Outcome as DeliveryOutcome
from notifications.delivery import release_kept
from notifications.letters.facts import LetterFacts
from workflows.run.passes import tick
from workflows.simulation.demo import fast_forward

BEGAN, ENDED = at("2021-04-07", "09:00"), at("2022-01-31", "00:00")
FRONT, LABOUR, PROVINCE = "mttq-tinh", "so-ldtbxh", "ubnd-tinh"
VINH, NOT_YET, PARTLY = "ubnd-tp-vinh", "ubnd-huyen-dien-chau", "ubnd-huyen-quy-hop"
TASK = ("IV.16.1", "2021-H1")
RETURNED_ON, RESUBMITTED_ON, FOLLOWED_ON = date(2021, 7, 5), date(2021, 7, 13), date(2021, 9, 6)
LOOKED_ON = ["2021-06-21", "2021-08-30"]
"""Days on whose morning every number that is a link is followed, on every second of them in English."""
if os.environ.get("DONDOC_TEST_LOOK") == "weekly":  # make year: on every Monday of the year
    LOOKED_ON = [str(date(2021, 4, 19) + timedelta(weeks=n)) for n in range(41)]
RELAY_SET, FIRST_SENT = at("2021-04-17", "09:00"), date(2021, 4, 19)
RAISED_ON, ANSWERED_ON = date(2021, 6, 14), date(2021, 6, 21)
DIFFICULTY, REPLY = "Chưa bố trí được kinh phí.", "Sở đã đề nghị bổ sung."
IDLE = date(2021, 6, 14), date(2021, 7, 14)
IDLE_ENDS = at("2021-07-14", "00:00")
NEWSPAPER = "bao-nghe-an"
COORDINATING = {"IV.1.6": "nhcsxh-tinh", "IV.4.1": LABOUR, "IV.11.1": LABOUR}
BESIDE, INSTEAD = "ubnd-huyen-nam-dan", "ubnd-huyen-do-luong"
DEPUTIES = {BESIDE: (date(2021, 6, 7), date(2021, 6, 18)), INSTEAD: (date(2021, 6, 14), date(2021, 6, 30))}
OUTCOMES = {NOT_YET: Outcome.NOT_YET, PARTLY: Outcome.PARTLY}
DAY = timedelta(days=1)
CLOSED = {
    date(2021, 4, 21),
    date(2021, 4, 30),
    date(2021, 5, 3),
    date(2021, 9, 2),
    date(2021, 9, 3),
    date(2022, 1, 3),
    date(2022, 1, 31),
}
# rung: (working days after opening | from the due date, audience), in the order of the day
ORDER = {
    "open": ("opened", 0, "coordinator"),
    "A+3": ("opened", 3, "coordinator"),
    "A+4": ("opened", 4, "head"),
    "A+5": ("opened", 5, "monitor"),
    "T-10": ("due", -10, "coordinator"),
    "T-3": ("due", -3, "coordinator"),
    "T-1": ("due", -1, "coordinator"),
    "T+1": ("due", 1, "coordinator head"),
    "T+3": ("due", 3, "coordinator head monitor"),
    "T+7": ("due", 7, "coordinator head monitor"),
    "T+15": ("due", 15, "coordinator head monitor director"),
    "T+16": ("due", 16, "leadership"),
}
PROMISED = {name.replace("T", "H"): rung for name, rung in ORDER.items() if name.startswith("T") and rung[1] >= -3}
"""Counted from a promised day, the first time."""
REQUEST = {
    "open": ORDER["open"],
    "A+5": ("opened", 5, "coordinator"),
    "T-10": ORDER["T-10"],
    "T-3": ORDER["T-3"],
    "T+1": ("due", 1, "coordinator"),
    "T+3": ("due", 3, "monitor"),
}


CLAIM = re.compile(
    r"- \S+ (\S+) · [^\n]*\n[^\n]*\n[^\n]*đôn đốc lần (\d+) gửi trong ngày, "
    r"trước đó đã nhắc (\d+) lần, gần nhất ([\d/]+)"
)


def read_day(text: str) -> date:
    day, month, year = map(int, text.split("/"))
    return date(year, month, day)


def mood(agency: str) -> str:
    """Punctual: acknowledges at once, reports three working days before. Late: both only after being asked again and
    after the department was told. Silent: nothing at all. The Front is silent, the Sở late."""
    fixed = {FRONT: "silent", LABOUR: "late", VINH: "punctual", "ubnd-huyen-ky-son": "silent"}
    fixed |= {NOT_YET: "punctual", PARTLY: "late", NEWSPAPER: "silent"}
    return fixed.get(agency) or ("punctual", "late", "silent")[sum(map(ord, agency)) % 3]


@cache
def works(day: date) -> bool:
    return day.weekday() < 5 and day not in CLOSED


def count_on(day: date, days: int) -> date:
    """So many working days on or back, counted one by one."""
    while days:
        day += DAY if days > 0 else -DAY
        days -= works(day) * (1 if days > 0 else -1)
    return day


@dataclass(frozen=True)
class Expected:
    """One line somebody must have been told on a day."""

    day: date
    mailbox_of: str
    role: str
    citation: str
    period: str
    owner: str
    rung: str


@dataclass
class Story:
    """What the year left behind."""

    database: Database
    box: LetterBox
    rows: list[Any]
    reports: dict[int, list[Any]]
    """By assignment, in order."""
    numbers: list[Numbers]
    """Those of the pages and letters of each morning of ``LOOKED_ON``."""
    kept: tuple[int, int]
    """How many letters had left when the relay was set, and how many it was given then."""
    rendered: list[tuple[LetterFacts, Outgoing]]

    def fetch(self, statement: Any) -> list[Any]:
        with self.database.read() as session:
            return list(session.connection().execute(statement))

    def told(self) -> Counter[Expected]:
        n, m, c, a, d = map(table, (Notice, Letter, Contact, Assignment, Duty))
        chosen = (
            select(m.c.sent_at, c.c.agency_id, c.c.role, d.c.citation, a.c.period, a.c.agency_id, n.c.rung)
            .select_from(
                n.join(m, m.c.id == n.c.letter_id)
                .join(c, c.c.id == m.c.contact_id)
                .join(a, a.c.id == n.c.assignment_id)
                .join(d, d.c.id == a.c.duty_id)
            )
            .where(n.c.obsolete == "", m.c.state == LetterState.DELIVERED)
        )
        return Counter(
            Expected(local_date(sent), body, role.value, *rest) for sent, body, role, *rest in self.fetch(chosen)
        )

    def expected(self) -> Counter[Expected]:
        return Counter(line for row in self.rows for line in lines_of(row, self.reports[row.id]))


def lines_of(row: Any, reports: list[Any]) -> list[Expected]:
    """Every line about one assignment: what the ladder says, to the deputy of the day, and nothing before there was a
    relay."""
    found = [line for each in ladder_of(row, reports) for line in to_deputies(each)]
    if special(row) == PARTLY:
        about = row.citation, row.period, PARTLY, ""
        found += [Expected(RAISED_ON, LABOUR, "monitor", *about), Expected(ANSWERED_ON, PARTLY, "coordinator", *about)]
    if row.citation in COORDINATING:
        helper = COORDINATING[row.citation]
        opened = count_on(row.opened_on - DAY, 1)
        reminded = [line.day for line in found if line.rung.startswith("T-") and line.mailbox_of == row.agency_id]
        for day in (opened, *sorted(reminded)[:1]):  # once more, with the owner's first reminder
            found += to_deputies(Expected(day, helper, "coordinator", row.citation, row.period, row.agency_id, ""))
    kept: dict[tuple[str, str, bool], Expected] = {}
    for line in sorted(found, key=lambda each: each.day):
        if line.day < FIRST_SENT:  # one line of them is sent when there is a relay: the latest
            kept[line.mailbox_of, line.role, line.rung == ""] = replace(line, day=FIRST_SENT)
    return [line for line in found if line.day >= FIRST_SENT] + list(kept.values())


def to_deputies(line: Expected) -> list[Expected]:
    """Who reads a coordinator's line: beside them, or instead, a deputy on some days."""
    since, until = DEPUTIES.get(line.mailbox_of, (date.max, date.min))
    if line.role != "coordinator" or not since <= line.day <= until:
        return [line]
    deputy = replace(line, role="deputy")
    return [line, deputy] if line.mailbox_of == BESIDE else [deputy]


def ladder_of(row: Any, reports: list[Any]) -> list[Expected]:
    """What the ladder says, walked through day by day: until the first report, and again after a return, or by the day
    that a report of an unfinished task promises, ten working days later."""
    reported = [local_date(each.submitted_at) for each in reports]
    found = walked(row, row.original_due_on, date.min, reported[0] if reported else date.max)
    if special(row) == VINH:
        told = Expected(RETURNED_ON, VINH, "coordinator", row.citation, row.period, VINH, "")
        found += [told, *walked(row, count_on(RETURNED_ON, 5), RETURNED_ON, reported[1])]
    if special(row) in OUTCOMES:
        until = reported[1] if len(reported) > 1 else date.max
        found += walked(row, count_on(reported[0], 10), reported[0], until, PROMISED)
    return found


def special(row: Any) -> str:
    """The agency, if this is the task that it handles in a way of its own."""
    mine = row.agency_id in (VINH, NOT_YET, PARTLY) and (row.citation, row.period) == TASK
    return str(row.agency_id) if mine else ""


def walked(
    row: Any, due_on: date, after: date, until: date, rungs: Mapping[str, tuple[str, int, str]] | None = None
) -> list[Expected]:
    """The lines of one ladder, after a day and until a report is in."""
    first = row.opened_on
    while not works(first):
        first += DAY
    ladder = rungs or (REQUEST if row.request else ORDER)
    dated = {
        name: (count_on(first if base == "opened" else due_on, days), audience)
        for name, (base, days, audience) in ladder.items()
    }
    found = []
    for day in (first + timedelta(days=n) for n in range((ENDED.date() - first).days)):
        latest: dict[str, str] = {}
        for name, (on, audience) in dated.items():
            if on == day and on >= row.opened_on and after < day <= until and still_of_use(row, name, day):
                latest |= dict.fromkeys(audience.split(), name)
        readers = {(body_of(role, row), reader(role, row)): name for role, name in latest.items()}
        found += [
            Expected(day, body, role, row.citation, row.period, row.agency_id, name)
            for (body, role), name in readers.items()
        ]
    return found


def still_of_use(row: Any, rung: str, day: date) -> bool:
    """Whether the rung still has a point on the morning of the day."""
    acknowledged = row.acknowledged_at is not None and local_date(row.acknowledged_at) < day
    return not (rung in ("A+3", "A+4", "A+5") and acknowledged)


def body_of(role: str, row: Any) -> str:
    """Whose mailbox a role means: what the Sở itself owes climbs to the province, not to itself."""
    if role == "leadership":
        return PROVINCE
    if role in ("monitor", "director"):
        return PROVINCE if row.agency_id == LABOUR else LABOUR
    return str(row.agency_id)


def reader(role: str, row: Any) -> str:
    """In which role the mailbox is kept: a director is the head of a department; the province has an office instead."""
    if role == "director":
        return "monitor" if row.agency_id == LABOUR else "head"
    return role


def people_act(database: Database, now: datetime) -> None:
    """What the agencies do on a day after its letters have come (07:30); before that the monitor returns a report."""
    today = local_date(now)
    if now < at(today.isoformat(), "07:30"):
        if today == RETURNED_ON:
            monitor_returns(database, now)
        if today in (RAISED_ON, ANSWERED_ON):
            difficulty(database, now)
        return
    if today < FIRST_SENT:
        return  # nobody has been written to
    a, d = table(Assignment), table(Duty)
    with database.write() as session:
        wanted = (a.c.id, a.c.agency_id, a.c.period, a.c.state, a.c.outcome, a.c.returns, a.c.opened_on, a.c.due_on)
        over = a.c.state.in_((State.ACCEPTED, State.CANCELLED, State.TRANSFERRED)) & (a.c.agency_id != NOT_YET)
        going_on = select(*wanted, d.c.citation).join(d, d.c.id == a.c.duty_id).where(~over)
        for row in session.connection().execute(going_on).all():
            character = mood(row.agency_id)
            opened = count_on(row.opened_on - DAY, 1) if not works(row.opened_on) else row.opened_on
            seen = {"punctual": opened, "late": count_on(opened, 3)}.get(character, date.max)
            done = {"punctual": -3, "late": 3}.get(character)
            if row.state is State.ASSIGNED and today >= seen:
                lifecycle.acknowledge(session, row.id, actor=f"agency:{row.agency_id}", now=now)
            if row.state is State.ACKNOWLEDGED and done is not None and today >= count_on(row.due_on, done):
                outcome = OUTCOMES.get(special(row), Outcome.DONE)
                said = ReportText(
                    outcome=outcome,
                    body="Đã thực hiện.",
                    reason="" if outcome is Outcome.DONE else "Chờ kinh phí.",
                    promise=PromiseText(on=None if outcome is Outcome.DONE else count_on(today, 10)),
                )
                lifecycle.report(session, row.id, said, actor="agency", now=now)
            resubmits = row.state is State.RETURNED and today >= RESUBMITTED_ON
            follows = row.state is State.ACCEPTED and special(row) == NOT_YET and today >= FOLLOWED_ON
            if resubmits or (follows and row.outcome is Outcome.NOT_YET):
                lifecycle.report(session, row.id, ReportText(body="Đã xong."), actor="agency", now=now)
            kept = special(row) == VINH and not row.returns
            if row.state is State.REPORTED and not kept and not IDLE[0] <= today < IDLE[1]:
                lifecycle.accept(session, row.id, actor="monitor", now=now)


def difficulty(database: Database, now: datetime) -> None:
    """Raised on one morning, answered on another; said twice, as by a form sent twice."""
    a, d, t = table(Assignment), table(Duty), table(ThreadEntry)
    wanted = a.c.agency_id == PARTLY, d.c.citation == TASK[0], a.c.period == TASK[1]
    with database.write() as session:
        task = session.connection().scalars(select(a.c.id).join(d, d.c.id == a.c.duty_id).where(*wanted)).one()
        raised = session.connection().scalars(select(t.c.id).where(t.c.kind == EntryKind.DIFFICULTY)).first()
        for _ in range(2):
            if local_date(now) == RAISED_ON:
                entries.write(session, task, NewEntry(EntryKind.DIFFICULTY, DIFFICULTY), actor="contact:1", now=now)
            elif raised is not None:
                entries.answer(session, raised, REPLY, agency_id=LABOUR, actor="account:1", now=now)


def monitor_returns(database: Database, now: datetime) -> None:
    a, d = table(Assignment), table(Duty)
    mine = select(a.c.id).join(d, d.c.id == a.c.duty_id).where(a.c.agency_id == VINH, a.c.period == TASK[1])
    with database.write() as session:
        task = session.connection().scalars(mine.where(d.c.citation == TASK[0], a.c.returns == 0)).first()
        if task is not None:
            lifecycle.return_report(session, task, reason="Thiếu số liệu.", actor="monitor", now=now)


class Relay(LetterBox):
    """Keeps every letter on this machine until it is ``set``."""

    set = False

    async def send(self, letter: Outgoing) -> DeliveryOutcome:
        return await super().send(letter) if self.set else DeliveryOutcome(fate=Fate.KEPT_HERE)


def name_deputies(database: Database) -> None:
    c = table(Contact)
    with database.write() as session:
        for agency, (since, until) in DEPUTIES.items():
            chosen = select(c.c.id).where(c.c.agency_id == agency, c.c.role == Role.COORDINATOR)
            coordinator = session.connection().scalars(chosen).one()
            mailbox = f"thay@{agency}.example"
            dates = {"valid_from": since, "valid_until": until, "instead": agency == INSTEAD}
            name_deputy(session, coordinator, email=mailbox, **dates, actor="contact:1", now=BEGAN)


PAGES = (
    "/",
    "/?period=2021-H1&sort=late",
    "/leadership",
    "/leadership?period=2021-H1",
    "/leadership?whole=true",
    "/overdue",
    "/overdue?request=yes",
    "/plans",
    "/plans/1",
    "/agencies",
    *(f"/agencies/{each}" for each in (VINH, NOT_YET, PARTLY, FRONT, LABOUR)),
)


def numbers_of_the_day(
    database: Database, plan_id: int, box: LetterBox, folder: Path, when: datetime, language: str
) -> Numbers:
    """Every number that is a link: on the pages, in figures published for the day, in the letters of the morning."""
    with database.write() as session:
        frozen = publish_figures(session, plan_id, "", when.date(), actor="account:1", now=when)
    found = Numbers(open_office(database, folder, now=when))
    pages = (*PAGES, f"/leadership/frozen/{frozen}")
    found.pages(f"{path}{'&' if '?' in path else '?'}lang={language}" for path in pages)
    walk_letters(found, box, when)
    return found


def walk_letters(found: Numbers, box: LetterBox, when: datetime) -> None:
    for letter in box.letters:
        if local_date(letter.at) == when.date():
            found.walk(letter.to, letter.html)


@pytest.fixture
def story(database: Database, tmp_path: Path) -> Story:
    laid = real_plan(database, now=BEGAN)
    with database.write() as session:
        opening.activate(session, laid.plan_id, actor="cli:test", now=BEGAN)
    name_deputies(database)
    box = Relay()
    renderer = RecordingRenderer()
    office = post_office(box, renderer=renderer)

    numbers: list[Numbers] = []
    looked_on = list(LOOKED_ON)

    def between(now: datetime) -> None:
        """The letters of the morning have left: whoever looks, looks before anybody acts on them."""
        day = str(local_date(now))
        late, overdue = late_runs(database, now)
        assert late == overdue, day
        if box.set and day in looked_on and now >= at(day, "07:30"):
            looked_on.remove(day)
            language = ("vi", "en")[len(numbers) % 2]
            with ThreadPoolExecutor(1) as aside:  # pages have a loop of their own
                look = aside.submit(numbers_of_the_day, database, laid.plan_id, box, tmp_path / day, now, language)
                numbers.append(look.result())
        people_act(database, now)

    def live(since: datetime, until: datetime) -> None:
        asyncio.run(fast_forward(database, since, until, lambda now: tick(database, now, office), between))

    live(BEGAN, RELAY_SET)
    kept = len(box.letters), release_kept(database, RELAY_SET)
    box.set = True
    live(RELAY_SET, ENDED)
    assert len(looked_on) < len(numbers)  # a Monday without a letter is not looked at
    a, d = table(Assignment), table(Duty)
    with database.read() as session:
        rows = session.connection().execute(select(a, d.c.citation, d.c.request).join(d, d.c.id == a.c.duty_id)).all()
        reports = session.connection().execute(select(table(Report)).order_by(table(Report).c.number)).all()
    by_task = {row.id: [each for each in reports if each.assignment_id == row.id] for row in rows}
    return Story(database, box, list(rows), by_task, numbers, kept, renderer.rendered)


@POSTGRES_IS_DEEP
def test_plan_188_lives_its_year_and_every_letter_is_accounted_for(story: Story) -> None:
    counted = Counter(row.citation for row in story.rows if row.period == "2021-H1")
    assert (counted["IV.16.1"], counted["IV.13.1"], counted["V.1"]) == (21, 26, 21)
    assert Counter(row.period for row in story.rows if row.citation == "IV.15.1") == dict.fromkeys(
        ("2021-Q2", "2021-Q3", "2021-Q4"), 2
    )
    every_rung_for_whom_and_when(story)
    no_letter_twice_or_on_a_closed_day(story)
    no_subject_names_the_subject_of_the_plan(story)
    nobody_goes_over_a_head(story)
    a_digest_a_week_to_whom_it_concerns(story)
    every_chasing_that_a_letter_claims_was_sent(story)
    the_dates_are_right(story)
    tasks_and_reports_are_counted_apart(story)
    the_leadership_reads_what_the_board_shows(story)
    what_is_not_done_is_asked_for_again(story)
    a_difficulty_is_answered_and_reported(story)
    what_the_consolidation_waits_for(story)
    what_lies_unaccepted_is_said_with_its_age(story)
    without_a_relay_nothing_is_claimed(story)
    every_letter_keeps_the_rules(story)
    wrong = [wrong for each in story.numbers for wrong in each.wrong]
    assert not wrong, "\n".join(wrong)
    print(f"numbers followed on {len(story.numbers)} days: {sum(each.checked for each in story.numbers)}")
    assert all(each.checked > 30 for each in story.numbers)


def every_letter_keeps_the_rules(story: Story) -> None:
    found = faults_of(story.rendered)
    assert not found.wrong, "\n".join(found.wrong[:20])
    assert {"level", "dates", "overdue first", "returning", "named", "explained once"} <= set(found.about)


def every_rung_for_whom_and_when(story: Story) -> None:
    told, expected = story.told(), story.expected()
    assert not told - expected, f"said without reason: {list(told - expected)[:5]}"
    assert not expected - told, f"owed and never said: {list(expected - told)[:5]}"
    assert len(told) > 1000
    assert max(told.values()) == 1


def no_subject_names_the_subject_of_the_plan(story: Story) -> None:
    assert [each.subject for each in story.box.letters if subject_words(each.subject)] == []


def no_letter_twice_or_on_a_closed_day(story: Story) -> None:
    letters = story.fetch(select(table(Letter)))
    assert {letter.state for letter in letters} <= {LetterState.DELIVERED, LetterState.SUPPRESSED}
    assert len({letter.key for letter in story.box.letters}) == len(story.box.letters)
    assert len(story.box.letters) == sum(letter.state is LetterState.DELIVERED for letter in letters)
    of_deputies = [letter for letter in letters if letter.key.startswith(DEPUTY_NAMED)]  # at once, beside the day's
    assert Counter(letter.agency_id for letter in of_deputies) == dict.fromkeys(DEPUTIES, 2), "coordinator and head"
    daily = [letter for letter in letters if letter.sent_at and not letter.key.startswith(DEPUTY_NAMED)]
    days = Counter((letter.contact_id, local_date(letter.sent_at)) for letter in daily)
    assert max(days.values()) == 1
    assert all(works(day) for _, day in days)
    saying = {
        row.letter_id for row in story.fetch(select(table(Notice).c.letter_id).where(table(Notice).c.obsolete == ""))
    }
    assert all(letter.id in saying or letter.digest_week for letter in daily)


def nobody_goes_over_a_head(story: Story) -> None:
    about_the_front = [line for line in story.told() if line.owner == FRONT]
    assert {(line.mailbox_of, line.role) for line in about_the_front} == {(FRONT, "coordinator"), (LABOUR, "monitor")}
    above_the_sở = [line for line in story.told() if line.owner == LABOUR and line.role in ("monitor", "leadership")]
    assert {line.mailbox_of for line in above_the_sở} == {PROVINCE}
    no_leader_hears_before_the_head_of_the_department(story)
    district = [line for line in story.told() if line.owner == "ubnd-huyen-ky-son" and line.period == "2021-H1"]
    said = {(line.rung, line.role): (line.day, line.mailbox_of) for line in district if line.citation == "IV.16.1"}
    assert said[("T+1", "head")] == (date(2021, 6, 18), "ubnd-huyen-ky-son")
    assert said[("T+3", "monitor")] == (date(2021, 6, 22), LABOUR)
    assert said[("T+7", "monitor")] == (date(2021, 6, 28), LABOUR)
    chased = [(rung, role) for rung in ("T+3", "T+7", "T+15") for role in ("coordinator", "head")]
    assert {said[each][1] for each in chased if each != ("T+15", "head")} == {"ubnd-huyen-ky-son"}
    assert said[("T+16", "leadership")] == (date(2021, 7, 9), PROVINCE)
    front = [letter for letter in story.box.letters if "lanhdao@ubnd-tinh" in letter.to]
    assert front
    assert not any("Mặt trận" in letter.text for letter in front)


def no_leader_hears_before_the_head_of_the_department(story: Story) -> None:
    told = story.told()
    directors = {
        line for line in told if line.rung in ("T+15", "H+15") and (line.mailbox_of, line.role) == (LABOUR, "head")
    }
    leaders = {line for line in told if line.role == "leadership"}
    day_of = {(line.citation, line.period, line.owner): line.day for line in directors}
    for line in leaders:
        if line.owner != LABOUR:
            assert line.day == count_on(day_of[line.citation, line.period, line.owner], 1)


def every_chasing_that_a_letter_claims_was_sent(story: Story) -> None:
    """«đôn đốc lần n» and «đã nhắc n lần, gần nhất …» in a letter, against the letters that were really sent."""
    escalates = {f"{anchor}{days}" for anchor in "TH" for days in ("+3", "+7", "+15")}
    asks = escalates | {"T-10"} | {f"{anchor}{days}" for anchor in "TH" for days in ("-3", "-1", "+1")}
    days: dict[tuple[str, str, str], set[date]] = {}
    levels: dict[tuple[str, str, str], set[date]] = {}
    for line in story.told():
        if line.mailbox_of == line.owner:
            key = (line.citation, line.period, line.owner)
            days.setdefault(key, set()).update({line.day} if line.rung in asks else ())
            levels.setdefault(key, set()).update({line.day} if line.rung in escalates else ())
    ever_escalated = set().union(*levels.values())
    for letter in story.box.letters:
        claimed = {read_day(each) for each in re.findall(r"đã gửi đôn đốc lần \d+ ngày ([\d/]+)", letter.text)}
        assert claimed <= {day for day in ever_escalated if day <= local_date(letter.at)}, letter
    claims = 0
    mailboxes = {row.email: row for row in story.fetch(select(table(Contact)))}
    for letter in story.box.letters:
        day, owner = local_date(letter.at), mailboxes[letter.to]
        if owner.role is Role.LEADERSHIP or owner.role is Role.MONITOR:
            continue
        for citation, nth, times, last in CLAIM.findall(letter.text):
            keys = [key for key in days if key[0] == citation and key[2] == owner.agency_id]
            before = {key: {each for each in days[key] if each < day} for key in keys}
            sent = [key for key in keys if len({each for each in levels[key] if each <= day}) == int(nth)]
            assert any(len(before[key]) == int(times) and max(before[key]) == read_day(last) for key in sent), letter
            claims += 1
    assert claims > 50


def a_digest_a_week_to_whom_it_concerns(story: Story) -> None:
    m, c, g = table(Letter), table(Contact), table(Digest)
    sent = story.fetch(select(g.c.week, g.c.letter_id, c.c.agency_id, c.c.role).join(c, c.c.id == g.c.contact_id))
    assert max(Counter((week, agency, role) for week, _, agency, role in sent).values()) == 1
    monitor = {week for week, letter, agency, role in sent if letter and (agency, role) == (LABOUR, "monitor")}
    assert "2021-W24" not in monitor  # Monday 14 June: nothing is overdue yet
    assert {"2021-W25", "2021-W26"} <= monitor
    mondays = story.fetch(select(m.c.day).where(m.c.digest_week.is_not(None)).distinct())
    moved = {day for (day,) in mondays if day.weekday() != 0}
    assert moved == {date(2022, 1, 4)}  # Monday 3 January 2022 is a day off in lieu
    punctual = [letter for week, letter, agency, _ in sent if agency == "ubnd-tp-vinh"]
    assert punctual
    assert not any(punctual)
    empty = story.fetch(select(table(Event).c.id).where(table(Event).c.kind == EventKind.DIGEST_EMPTY))
    assert len(empty) == sum(letter is None for _, letter, _, _ in sent)


def the_dates_are_right(story: Story) -> None:
    (consolidated,) = [row for row in story.rows if (row.citation, row.period) == ("IV.1.1", "2021-H1")]
    assert (consolidated.nominal_due, consolidated.due_on) == (date(2021, 6, 20), date(2021, 6, 21))
    assert consolidated.due_why["vi"] == "ngày 20/6/2021 là Chủ nhật, hạn chuyển sang thứ Hai, 21/6/2021"
    assert not any(date(2021, 9, 2) <= local_date(letter.at) <= date(2021, 9, 3) for letter in story.box.letters)
    late = [row for row in story.rows if mood(row.agency_id) == "silent"]
    assert all(row.level == (0 if row.request else 3) for row in late if row.period == "2021-H1")


def a_difficulty_is_answered_and_reported(story: Story) -> None:
    monitor = [each for each in story.box.letters if "theodoi@so-ldtbxh" in each.to and DIFFICULTY in each.text]
    assert [local_date(each.at) for each in monitor] == [RAISED_ON]
    assert f"Khó khăn, vướng mắc: “{DIFFICULTY}”" in monitor[0].text
    told = [each for each in story.box.letters if REPLY in each.text]
    assert [(local_date(each.at), each.to) for each in told] == [(ANSWERED_ON, f"daumoi@{PARTLY}.nghean.example")]
    with story.database.read() as session:
        report = period_report(session, read_today(session, at("2021-07-12", "07:45")), plan_of(session, 1), TASK[1])
    raised = [(each.citation, each.words, each.answer) for each in report.difficulties if each.answer]
    assert raised == [(TASK[0], DIFFICULTY, REPLY)]
    assert "Báo Nghệ An (quý II/2021)" in report.missing


def what_the_consolidation_waits_for(story: Story) -> None:
    (sum_up,) = (row for row in story.rows if (row.citation, row.period) == ("IV.1.1", "2021-H1"))
    expected = {
        row.id
        for row in story.rows
        if row.citation != "IV.1.1" and row.period in ("2021-H1", "2021-Q2") and not row.citation.startswith("V.2")
    }
    with story.database.read() as session:
        page = report_page(session, read_today(session, ENDED), LABOUR, sum_up.plan_id, "2021-H1")
    (item,) = (each for each in page.items if each.row.id == sum_up.id)
    assert {row.id for row in item.waits_for} == expected
    missing = {(row.agency_id, row.period) for row in item.missing}
    assert (NEWSPAPER, "2021-Q2") in missing
    assert {row.id for row in item.missing} == {each for each in expected if not story.reports[each]}


def what_lies_unaccepted_is_said_with_its_age(story: Story) -> None:
    """For a month nothing is accepted: every letter to the monitor counts what lies there, from the reports alone."""
    said = re.compile(r"([\d.]+) báo cáo chờ tiếp nhận, lâu nhất từ thứ [^,]+, ([\d/]+) \((\d+) ngày làm việc\)")
    others = [row for row in story.rows if row.agency_id != LABOUR]
    checked = 0
    for letter in story.box.letters:
        day = local_date(letter.at)
        if "theodoi@so-ldtbxh" not in letter.to or not IDLE[0] < day <= IDLE[1]:
            continue
        waiting = [
            local_date(each.submitted_at)
            for row in others
            for each in story.reports[row.id]
            if IDLE[0] <= local_date(each.submitted_at) < day
            and not (each.returned_at and local_date(each.returned_at) <= day)
        ]
        ((count, since, days),) = said.findall(letter.text)
        oldest = min(waiting)
        worked = sum(works(oldest + DAY * n) for n in range(1, (day - oldest).days + 1))
        assert (int(count), read_day(since), int(days)) == (len(waiting), oldest, worked), letter
        checked += 1
    assert checked > 5
    accepted_on = min(local_date(row.accepted_at) for row in others if row.accepted_at and row.accepted_at >= IDLE_ENDS)
    mondays = {IDLE[0] + 7 * DAY * n for n in range(1, 10)}
    expected = {day for day in mondays if day <= accepted_on and count_on(day, -10) > IDLE[0]}
    heads = [each for each in story.box.letters if "lanhdao@so-ldtbxh" in each.to and "đã chờ quá 10" in each.text]
    assert {local_date(each.at) for each in heads} == expected


def without_a_relay_nothing_is_claimed(story: Story) -> None:
    left, released = story.kept
    assert left == 0
    assert released > 100
    assert min(local_date(each.at) for each in story.box.letters) == FIRST_SENT
    first = [each for each in story.box.letters if local_date(each.at) == FIRST_SENT]
    daily = [each for each in first if not each.key.startswith(DEPUTY_NAMED)]
    assert len({each.to for each in daily}) == len(daily)
    assert not any("đã nhắc" in each.text or "lần thứ" in each.text for each in first)


# --- what is counted, worked out from the reports alone ---------------------------------------------------------------


def box_of(row: Any, reports: list[Any], day: date, known: date = date.max) -> str:
    """The box of a task on a day, by the reports and returns known on another."""
    sent = [each for each in reports if local_date(each.submitted_at) <= known]
    back = [each for each in sent if each.returned_at and local_date(each.returned_at) <= known]
    due_on = count_on(local_date(back[-1].returned_at), 5) if back else row.original_due_on
    done = [local_date(each.submitted_at) for each in sent if each.outcome == "done" and each not in back]
    if done and done[0] <= day:
        late = done[0] > due_on or local_date(sent[0].submitted_at) > row.original_due_on
        return "late" if late else "on_time"
    return "overdue" if due_on < day else "in_term"


def counted_on(story: Story, day: date, known: date = date.max) -> Counter[str]:
    """Ordered tasks by box, and their reports."""
    counted: Counter[str] = Counter()
    for row in story.rows:
        if row.request or row.opened_on > day:
            continue
        counted[box_of(row, story.reports[row.id], day, known)] += 1
        first = [local_date(each.submitted_at) for each in story.reports[row.id][:1]]
        counted["reported"] += any(sent <= day for sent in first)
        counted["reported_on_time"] += any(sent <= min(day, row.original_due_on) for sent in first)
    return counted


def tasks_and_reports_are_counted_apart(story: Story) -> None:
    for day in (date(2021, 6, 18), date(2021, 6, 30), date(2021, 7, 12), date(2021, 7, 31), date(2021, 12, 31)):
        with story.database.read() as session:
            found = standing(session, day)
        expected = counted_on(story, day)
        assert {name: getattr(found.total, name) for name in expected} == expected, day
        assert FRONT not in {each.id for each in found.agencies}
        assert [each.id for each in found.asked] == [FRONT]
    (vinh,) = (row for row in story.rows if special(row) == VINH)
    boxes = {day: box_of(vinh, story.reports[vinh.id], day) for day in (RETURNED_ON, date(2021, 7, 14))}
    assert boxes == {RETURNED_ON: "in_term", date(2021, 7, 14): "late"}  # one day after 12 July
    assert story.reports[vinh.id][0].resubmit_on == date(2021, 7, 12)


def the_leadership_reads_what_the_board_shows(story: Story) -> None:
    letters = {local_date(each.at): each.text for each in story.box.letters if "lanhdao@ubnd-tinh" in each.to}
    subjects = {local_date(each.at): each.subject for each in story.box.letters if "lanhdao@ubnd-tinh" in each.to}
    words = {
        "on_time": "Hoàn thành đúng hạn: ",
        "late": "Hoàn thành quá hạn: ",
        "in_term": "Đang thực hiện, trong hạn: ",
        "overdue": "Đang thực hiện, quá hạn: ",
    }
    for monday in (date(2021, 6, 28), date(2021, 7, 12), date(2021, 9, 6)):
        counted = counted_on(story, monday, monday - DAY)
        text = letters[monday]
        said = {name: int(text.partition(words_)[2].split()[0]) for name, words_ in words.items()}
        assert said == {name: counted[name] for name in words}, monday
        first_line = next(line for line in text.splitlines() if "kính báo cáo Lãnh đạo" in line)
        week_before = monday - 7 * DAY
        before = counted_on(story, week_before, week_before - DAY)
        done, was = (each["on_time"] + each["late"] for each in (counted, before))
        overdue, fewer = counted["overdue"], before["overdue"]
        assert f"đã hoàn thành {done} trong " in first_line, monday
        assert re.search(rf"; {overdue} việc của \d+ cơ quan quá hạn", first_line), monday
        since = f"So với báo cáo tuần {short_day(week_before)}: "
        since += f"hoàn thành {then_now(was, done)}, quá hạn {then_now(fewer, overdue)}"
        assert since in text, monday
        said_first = rf": {overdue} việc quá hạn.*, {moved(overdue - fewer)}; hoàn thành {done}, {moved(done - was)}"
        assert re.search(said_first, subjects[monday]), monday


def moved(change: int) -> str:
    return f"tăng {change}" if change > 0 else f"giảm {-change}" if change else "không đổi"


def then_now(was: int, now: int) -> str:
    return f"{was} → {now}" if was != now else f"{now} (không đổi)"


def what_is_not_done_is_asked_for_again(story: Story) -> None:
    """After «chưa làm» of 14 June its coordinator is reminded of the promised day, and chased behind it; the digests
    of the summer say what the report says."""
    told = sorted(
        (line.day, line.rung)
        for line in story.told()
        if (line.owner, line.citation, line.period) == (NOT_YET, *TASK)
        and line.day > date(2021, 6, 14)
        and line.role == "coordinator"
    )
    rungs = {"H-3": -3, "H-1": -1, "H+1": 1, "H+3": 3, "H+7": 7, "H+15": 15}
    assert told == [(count_on(date(2021, 6, 28), days), rung) for rung, days in rungs.items()]
    summer = [letter for letter in story.box.letters if local_date(letter.at) == date(2021, 8, 2)]
    for to, words_ in ((NOT_YET, "đã báo cáo: chưa thực hiện"), (PARTLY, "đã báo cáo: hoàn thành một phần")):
        assert any(to in letter.to and words_ in letter.text for letter in summer), to
    said = ("đã báo cáo: chưa thực hiện", "đã báo cáo: hoàn thành một phần")
    assert any(LABOUR in letter.to and all(words in letter.text for words in said) for letter in summer)
    (vinh,) = [
        letter for letter in story.box.letters if VINH in letter.to and local_date(letter.at) == date(2021, 7, 9)
    ]
    assert "Đã báo cáo đúng hạn ngày 14/6/2021, đề nghị bổ sung chậm nhất thứ Hai, 12/7/2021" in vinh.text
