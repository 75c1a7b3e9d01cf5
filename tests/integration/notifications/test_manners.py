"""Good manners: a cap a person that no plan can break, a weekly pace for what can wait, neutral subjects everywhere."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from ground.databases import reopened_database, sqlite_copy
from ground.factory import (
    Laid,
    agency,
    at,
    contact,
    directory,
    item,
    lay,
    plan_file,
    policy,
    row,
    rows,
    swept,
)
from ground.post import KEY, LetterBox, post_office
from ground.postgres import Ground
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from engine.accounts.signed_links import Purpose, Signer
from engine.assignments.lifecycle import chase
from engine.assignments.outbox import NoticeLine, post
from engine.files.plan_parts import subject_words
from engine.rules.calendar import local_date
from engine.store.database import Database, table
from engine.store.recipients import read_recipients
from engine.store.records import Assignment, Contact, Letter, Notice
from engine.store.rulebook import read_rulebook
from engine.terms import NoticeKind, Role, Urgency
from engine.text import LANGUAGES
from notifications.contract.channel import Fate, Outcome
from notifications.delivery import deliver
from notifications.email.mime import Sender, compose
from notifications.letters.template_check import samples
from notifications.sms.text import MAX_PARTS, measure, plain
from workflows.run.passes import tick

PHONE = "0912345678"
CAP = 3


def busy_plan(duties: int, urgency: Urgency, number: int) -> Any:
    """So many duties for everybody at once, half of them due on the same days."""
    items = [item(n, "so-ban", "cac-huyen", "so-chinh", request=False) for n in range(1, duties + 1)]
    return plan_file(items=tuple(items), urgency=urgency, number=f"{number}/KH-UBND", sms_name=f"KH{number}")


def phones() -> Any:
    """Every body's people have telephones too, so that every channel is in use."""
    bodies = {
        name.replace("-", "_"): agency(name) | {"contacts": [contact(name, role, phone=PHONE) for role in roles]}
        for name, roles in {
            "tinh": (Role.MONITOR, Role.LEADERSHIP),
            "so-chinh": (Role.COORDINATOR, Role.HEAD, Role.MONITOR),
            "so-ban": (Role.COORDINATOR, Role.HEAD),
            "huyen-a": (Role.COORDINATOR, Role.HEAD),
            "huyen-b": (Role.COORDINATOR,),
            "mat-tran": (Role.COORDINATOR,),
        }.items()
    }
    return directory(**bodies)


class Unsteady(LetterBox):
    """A channel that is out of order until it is mended."""

    broken = False

    async def send(self, letter: Any) -> Outcome:
        return Outcome(fate=Fate.RETRY, code="421", reply="try later") if self.broken else await super().send(letter)


def sent_by_day(database: Database, *, urgent: bool) -> Counter[Any]:
    """(contact, channel, local day) -> letters that arrived; those that are not urgent, or all."""
    return Counter(
        (each.contact_id, each.channel, local_date(each.sent_at))
        for each in rows(database, Letter)
        if each.sent_at is not None and (urgent or not each.urgent)
    )


@settings(
    max_examples=settings().max_examples // 4,  # half a second each
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(
    plans=[(4, Urgency.HOA_TOC), (2, Urgency.NORMAL)],
    moments=[(4, False), (6, False), (8, True), (9, False), (30, False)],
    begun="2021-06-10",
)
@given(
    plans=st.lists(
        st.tuples(st.integers(1, 10), st.sampled_from([Urgency.NORMAL, Urgency.NORMAL, Urgency.HOA_TOC])),
        min_size=1,
        max_size=3,
    ),
    moments=st.lists(st.tuples(st.integers(0, 71), st.booleans()), max_size=9),
    begun=st.sampled_from(["2021-04-07", "2021-06-10", "2021-06-18"]),
)
def test_no_plan_however_large_breaks_the_cap_of_a_person(
    ground: Ground, worker_folder: Path, plans: list[tuple[int, Urgency]], moments: list[tuple[int, bool]], begun: str
) -> None:
    """Plans of any size and urgency begin together; at any hour of three days somebody chases every duty, and the
    channels break down and are mended again."""
    with reopened_database(sqlite_copy(ground, worker_folder / "capped")) as database:
        now, mail, sms = at(begun, "06:00"), Unsteady(), Unsteady()
        sms.name = "sms"
        rules = policy(channels=("email", "sms"), urgent_per_day=CAP)
        for number, (duties, urgency) in enumerate(plans, 21):
            lay(database, now=now, plan=busy_plan(duties, urgency, number), rules=rules, bodies=phones())
        office = replace(post_office(mail), channels={"email": mail, "sms": sms})
        for hour, broken in sorted({*moments, (2, False), (26, True), (50, False)}):
            mail.broken = sms.broken = broken
            asyncio.run(tick(database, now + timedelta(hours=hour), office))
            chase_all(database, now + timedelta(hours=hour))
            asyncio.run(tick(database, now + timedelta(hours=hour), office))
        hurried = any(urgency is not Urgency.NORMAL for _, urgency in plans)
        assert max(sent_by_day(database, urgent=False).values(), default=1) == 1
        assert 1 <= max(sent_by_day(database, urgent=True).values()) <= (CAP if hurried else 1)


def chase_all(database: Database, now: Any) -> None:
    with database.write() as session:
        for each in session.connection().scalars(select(table(Assignment).c.id)).all():
            chase(session, each, actor="cli:test", now=now)


def test_urgent_news_of_the_afternoon_does_not_wait_for_tomorrow_while_the_cap_allows(
    sqlite_database: Database,
) -> None:
    laid = lay(sqlite_database, now=at("2021-04-07"), plan=plan_file(urgency=Urgency.HOA_TOC))
    sent = []
    for hour in ("08:00", "10:00", "12:00", "14:00"):
        moment, box = at("2021-04-07", hour), LetterBox()
        line = NoticeLine(
            effect=f"effect:{hour}",
            assignment_id=laid.assignment("IV.1.1", "so-ban"),
            agency_id="so-ban",
            role=Role.COORDINATOR,
            kind=NoticeKind.CHASE,
            policy=policy(),
            urgent=True,
        )
        with sqlite_database.write() as session:
            post(session, [line], read_recipients(session, ["so-ban"]), read_rulebook(session), moment)
        asyncio.run(deliver(sqlite_database, moment, post_office(box)))
        sent.append(len(box.letters))
    assert sent == [1, 1, 1, 0]  # three a day by policy; the fourth goes on the next


def test_an_urgent_line_hurries_the_letter_that_was_waiting_for_the_morning(sqlite_database: Database) -> None:
    laid = lay(sqlite_database, now=at("2021-04-07"))
    calm = NoticeLine(
        effect="effect:calm",
        assignment_id=laid.assignment("IV.1.1", "so-ban"),
        agency_id="so-ban",
        role=Role.COORDINATOR,
        kind=NoticeKind.CHASE,
        policy=policy(),
    )
    for line in (calm, replace(calm, effect="effect:urgent", urgent=True)):
        with sqlite_database.write() as session:
            post(
                session, [line], read_recipients(session, ["so-ban"]), read_rulebook(session), at("2021-04-08", "06:00")
            )
    letter = row(sqlite_database, Letter)
    assert (letter.urgent, letter.send_after) == (True, at("2021-04-08", "06:00"))


def test_after_an_outage_of_days_a_person_gets_one_letter_with_everything(sqlite_database: Database) -> None:
    laid = lay(sqlite_database, now=at("2021-04-07"))
    for day in ("2021-06-03", "2021-06-14", "2021-06-16"):
        swept(laid.database, at(day))
    box = LetterBox()
    asyncio.run(deliver(laid.database, at("2021-06-16"), post_office(box)))
    mine = row(laid.database, Contact, email="coordinator@so-ban.example").id
    letters = rows(laid.database, Letter, contact_id=mine)
    assert [each.reason for each in letters] == ["merged", "merged", ""]
    assert len([each for each in box.letters if each.to == "coordinator@so-ban.example"]) == 1
    assert {each.day for each in letters if each.sent_at} == {date(2021, 6, 16)}


# --- a weekly pace --------------------------------------------------------------------------------------------------


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    laid = lay(sqlite_database, now=at("2021-04-07"))
    swept(sqlite_database, at("2021-04-07"))
    return laid


def told_on(laid: Laid, *days: str) -> list[tuple[str, str]]:
    """(day, kind) of the lines for so-ban's coordinator, decided on these days."""
    for day in days:
        swept(laid.database, at(day))
    mine = row(laid.database, Contact, email="coordinator@so-ban.example").id
    letters = {each.id: each.day for each in rows(laid.database, Letter, contact_id=mine)}
    return [
        (letters[each.letter_id].isoformat(), each.kind.value)
        for each in rows(laid.database, Notice)
        if each.letter_id in letters and each.kind is not NoticeKind.ASSIGNED
    ]


def test_reminders_of_a_reader_who_asked_for_it_come_on_the_week_s_day(laid: Laid) -> None:
    with laid.database.write() as session:
        session.connection().execute(update(table(Contact)).values(pace={"email": "weekly"}))
    assert told_on(laid, "2021-06-03") == [("2021-06-07", "reminder")]  # Thursday's waits for Monday


def test_what_is_late_never_waits(laid: Laid) -> None:
    with laid.database.write() as session:
        session.connection().execute(update(table(Contact)).values(pace={"email": "weekly"}))
    assert ("2021-06-18", "overdue") in told_on(laid, "2021-06-18")


@pytest.mark.parametrize(
    "kind", [NoticeKind.OVERDUE, NoticeKind.ESCALATION, NoticeKind.CHASE, NoticeKind.RETURNED], ids=str
)
def test_a_policy_cannot_allow_to_stop_what_is_late_or_sent_back(kind: NoticeKind) -> None:
    with pytest.raises(ValueError, match="may_stop"):
        policy(may_stop=(kind,))


def test_a_letter_that_can_wait_says_how_to_slow_it_down_and_others_do_not(laid: Laid) -> None:
    box = LetterBox()
    asyncio.run(deliver(laid.database, at("2021-04-07"), post_office(box)))
    assert {each.unsubscribe for each in box.letters} == {""}
    told_on(laid, "2021-06-03")
    asyncio.run(deliver(laid.database, at("2021-06-03"), post_office(box)))
    (reminder,) = [each for each in box.letters if each.unsubscribe and "so-ban" in each.to]
    token = reminder.unsubscribe.rpartition("/u/")[2]
    link = Signer(KEY).read(Purpose.UNSUBSCRIBE, token, at("2021-06-03").date())
    assert link.subject == "email"
    assert reminder.unsubscribe in reminder.text
    assert f'href="{reminder.unsubscribe}"' in reminder.html
    secure = replace(reminder, unsubscribe=reminder.unsubscribe.replace("http://", "https://"))
    _, raw = compose(secure, Sender("nhacviec@so.example"))
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in raw


# --- neutral words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["duties", "watch", "leadership", "answer"])
def test_no_subject_names_the_subject_and_no_html_fetches_anything(language: str, kind: str) -> None:
    stationery = post_office().renderer
    for facts in samples(language, kind):
        letter = stationery.render(facts, at("2021-06-16"))
        assert subject_words(letter.subject) == ()
        assert not any(each in letter.html for each in ("<img", "<link", "src=", "url("))
        assert "prefers-color-scheme:dark" in letter.html
        assert len(letter.text) > 60


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sms_names_the_subject_or_takes_more_than_two_parts(language: str) -> None:
    stationery = post_office().renderer
    for facts in samples(language, "sms"):
        text = stationery.render(facts, at("2021-06-16")).text
        assert (subject_words(text), 0 < measure(plain(text)).parts <= MAX_PARTS) == ((), True)
