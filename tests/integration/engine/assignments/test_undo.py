"""What was decided is undone: everything is as it was, the letters have lost its lines, the log has both; and what was
built on stays. On both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from ground.factory import Laid, row, rows
from ground.office import NOW
from ground.post import post_office
from sqlalchemy import select, update
from sqlmodel import Session, SQLModel

from engine.assignments import lifecycle
from engine.assignments.bulk_decisions import accept_reports, decide_extensions, decide_promises, return_reports
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import make_promise
from engine.assignments.undo import UNDO_TIME, undo, undoable, undoable_acts
from engine.errors import Conflict, NotFound
from engine.store.database import Database, table
from engine.store.records import Assignment, Event, Extension, Letter, Notice, Promise, Report
from engine.store.rulebook import read_rulebook
from engine.terms import EventKind, LetterState, State
from notifications.letters.facts import gather
from workflows.run import passes

WHO, PLACE = "account:1", "/accept"
BY: dict[str, Any] = {"actor": WHO, "now": NOW}
SO_BAN, HUYEN_A, HUYEN_B, MAT_TRAN = 1, 2, 3, 4
SOON = NOW + timedelta(minutes=9)


def accept(session: Session) -> object:
    return accept_reports(session, [1, 2], **BY)


def send_back(session: Session) -> object:
    return return_reports(session, [1, 2], reason="Thiếu số liệu.", **BY)


def grant(session: Session) -> object:
    return decide_extensions(session, [1], granted=True, **BY)


def refuse(session: Session) -> object:
    return decide_extensions(session, [1], granted=False, answer="Không.", **BY)


def chase(session: Session) -> object:
    return lifecycle.chase(session, HUYEN_B, **BY)


def cancel(session: Session) -> object:
    lifecycle.cancel(session, HUYEN_B, reason="Nhập nhầm.", **BY)
    return None


def acknowledge(session: Session) -> object:
    return lifecycle.acknowledge(session, HUYEN_B, **BY)


def agree(session: Session) -> object:
    return decide_promises(session, [2], agreed=True, **BY)


ACTS: Mapping[EventKind, tuple[Callable[[Session], object], tuple[int, ...]]] = {
    EventKind.ACCEPTED: (accept, (SO_BAN, HUYEN_A)),
    EventKind.RETURNED: (send_back, (SO_BAN, HUYEN_A)),
    EventKind.EXTENSION_GRANTED: (grant, (MAT_TRAN,)),
    EventKind.EXTENSION_REFUSED: (refuse, (MAT_TRAN,)),
    EventKind.CHASED: (chase, (HUYEN_B,)),
    EventKind.CANCELLED: (cancel, (HUYEN_B,)),
    EventKind.ACKNOWLEDGED: (acknowledge, (HUYEN_B,)),
    EventKind.PROMISE_AGREED: (agree, (HUYEN_B,)),
}
TOLD = {*ACTS} - {EventKind.ACCEPTED, EventKind.ACKNOWLEDGED}
"""Kinds of act from which a letter follows."""
every_act = pytest.mark.parametrize("kind", ACTS)


@pytest.fixture
def laid(fresh: Laid) -> Laid:
    """A promise of huyen-b waits for an agreement, too."""
    text = PromiseText(on=date(2021, 12, 30), reason="Chờ hướng dẫn.")
    with fresh.database.write() as session:
        make_promise(session, HUYEN_B, text, "extension", actor="contact:1", now=NOW - timedelta(hours=1))
    return fresh


def did(laid: Laid, kind: EventKind) -> int:
    """Do it so that it can be undone; returns the id of the act."""
    act, ids = ACTS[kind]
    with laid.database.write() as session:
        undoable(session, kind, ids, lambda: act(session), place=PLACE, **BY)
        (offered,) = undoable_acts(session, WHO, PLACE, NOW)
    assert (offered.kind, offered.count) == (kind, len(ids))
    return offered.id


def take_back(database: Database, act_id: int, now: Any = SOON) -> tuple[int, ...]:
    with database.write() as session:
        return undo(session, act_id, actor=WHO, now=now).done


def stored(database: Database, *tables: type[SQLModel]) -> list[Any]:
    with database.read() as session:
        return [
            [dict(each) for each in session.connection().execute(select(table(t)).order_by(table(t).c.id)).mappings()]
            for t in tables
        ]


def told(database: Database, notice_ids: set[int]) -> set[str]:
    """The kinds of these lines that their letters would say now."""
    with database.read() as session:
        n = table(Notice)
        letters = [*session.connection().scalars(select(n.c.letter_id).where(n.c.id.in_(notice_ids)).distinct())]
        found = gather(session, letters, read_rulebook(session), NOW)
        return {item.kind for letter in found for item in letter.items}


@every_act
def test_everything_is_as_it_was_and_the_log_has_both(laid: Laid, kind: EventKind) -> None:
    tables = (Assignment, Report, Extension, Promise)
    before, events = stored(laid.database, *tables), len(rows(laid.database, Event))
    act_id = did(laid, kind)
    changed = kind is not EventKind.CHASED
    assert (stored(laid.database, *tables) != before) is changed
    assert take_back(laid.database, act_id) == ACTS[kind][1]
    assert stored(laid.database, *tables) == before
    new = [(each.kind, each.assignment_id, each.detail.get("of")) for each in rows(laid.database, Event)[events:]]
    ids = ACTS[kind][1]
    assert new == [(kind, one, None) for one in ids] + [(EventKind.UNDONE, one, kind.value) for one in ids]


@every_act
def test_a_second_time_changes_nothing(laid: Laid, kind: EventKind) -> None:
    act_id = did(laid, kind)
    take_back(laid.database, act_id)
    events = len(rows(laid.database, Event))
    assert take_back(laid.database, act_id) == ()
    assert len(rows(laid.database, Event)) == events


@every_act
def test_what_would_be_sent_waits_ten_minutes_and_loses_its_line(laid: Laid, kind: EventKind) -> None:
    before = {each.id for each in rows(laid.database, Notice)}
    act_id = did(laid, kind)
    new = {each.id: each for each in rows(laid.database, Notice) if each.id not in before}
    assert bool(new) is (kind in TOLD)
    letters = {each.id: each for each in rows(laid.database, Letter)}
    assert all(letters[each.letter_id].send_after >= NOW + UNDO_TIME for each in new.values())
    kinds = {each.kind for each in new.values()}
    assert kinds <= told(laid.database, set(new))
    take_back(laid.database, act_id)
    assert not kinds & told(laid.database, set(new))
    assert {each.obsolete for each in rows(laid.database, Notice) if each.id in new} <= {"undone"}


@every_act
def test_what_was_undone_can_be_done_once_more_and_is_told(laid: Laid, kind: EventKind) -> None:
    take_back(laid.database, did(laid, kind))
    before = {each.id for each in rows(laid.database, Notice)}
    did(laid, kind)
    assert bool({each.id for each in rows(laid.database, Notice)} - before) is (kind in TOLD)


def test_the_delivery_pass_leaves_the_letter_for_ten_minutes(laid: Laid) -> None:
    before = {each.id for each in rows(laid.database, Notice)}
    did(laid, EventKind.CHASED)
    held = {each.letter_id for each in rows(laid.database, Notice) if each.id not in before}
    asyncio.run(passes.tick(laid.database, NOW + timedelta(minutes=5), post_office()))
    assert {each.state for each in rows(laid.database, Letter) if each.id in held} == {LetterState.QUEUED}
    asyncio.run(passes.tick(laid.database, NOW + timedelta(minutes=11), post_office()))
    assert LetterState.QUEUED not in {each.state for each in rows(laid.database, Letter) if each.id in held}


def test_a_letter_that_has_left_is_not_taken_back(laid: Laid) -> None:
    act_id = did(laid, EventKind.EXTENSION_GRANTED)
    m = table(Letter)
    with laid.database.write() as session:
        session.connection().execute(update(m).values(state=LetterState.ACCEPTED))
    with pytest.raises(Conflict, match="Thư đã gửi"):
        take_back(laid.database, act_id)
    assert row(laid.database, Extension).granted is True


def test_what_something_was_built_on_is_left_and_the_others_are_put_back(laid: Laid) -> None:
    act_id = did(laid, EventKind.RETURNED)
    with laid.database.write() as session:
        lifecycle.report(session, SO_BAN, ReportText(body="Đã bổ sung."), actor="contact:1", now=SOON)
    assert take_back(laid.database, act_id) == (HUYEN_A,)
    states = {each.id: each.state for each in rows(laid.database, Assignment)}
    assert (states[SO_BAN], states[HUYEN_A]) == (State.REPORTED, State.REPORTED)
    assert row(laid.database, Report, assignment_id=HUYEN_A).returned_at is None


def test_when_all_was_built_on_nothing_is_undone_and_it_says_why(laid: Laid) -> None:
    act_id = did(laid, EventKind.ACKNOWLEDGED)
    with laid.database.write() as session:
        lifecycle.report(session, HUYEN_B, ReportText(body="Xong."), actor="contact:1", now=SOON)
    for _ in range(2):
        with pytest.raises(Conflict, match=r"đã thay đổi|thao tác khác"):
            take_back(laid.database, act_id)


@pytest.mark.parametrize(
    ("kind", "minutes", "possible"),
    [
        (EventKind.RETURNED, 9, True),
        (EventKind.RETURNED, 10, False),
        (EventKind.ACCEPTED, 15 * 60, True),
        (EventKind.ACCEPTED, 16 * 60, False),
    ],
)
def test_ten_minutes_for_what_is_written_and_the_day_for_what_is_not(
    laid: Laid, kind: EventKind, minutes: int, possible: bool
) -> None:
    act_id, then = did(laid, kind), NOW + timedelta(minutes=minutes)
    with laid.database.read() as session:
        assert bool(undoable_acts(session, WHO, PLACE, then)) is possible
    if possible:
        assert take_back(laid.database, act_id, then) == ACTS[kind][1]
    else:
        with pytest.raises(Conflict, match="hết thời gian"):
            take_back(laid.database, act_id, then)


def test_an_act_is_undone_by_who_did_it(laid: Laid) -> None:
    act_id = did(laid, EventKind.ACCEPTED)
    with pytest.raises(NotFound), laid.database.write() as session:
        undo(session, act_id, actor="account:2", now=SOON)
    with laid.database.read() as session:
        assert not undoable_acts(session, "account:2", PLACE, NOW)
        assert not undoable_acts(session, WHO, "/extensions", NOW)


def test_an_act_that_does_nothing_offers_nothing(laid: Laid) -> None:
    did(laid, EventKind.CHASED)
    with laid.database.write() as session:
        undoable(session, EventKind.CHASED, [HUYEN_B], lambda: chase(session), place="/overdue", **BY)
        assert not undoable_acts(session, WHO, "/overdue", NOW)
