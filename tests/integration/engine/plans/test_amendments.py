"""Duties that come after the document, and duties that a letter changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from ground.factory import (
    Laid,
    at,
    bring_to,
    do,
    item,
    lay,
    opened,
    plan_file,
    report_partly,
    row,
    rows,
    store,
    swept,
    told,
)

from engine.assignments import calendar_change
from engine.assignments.opening import open_due
from engine.errors import BadInput, Conflict, ForbiddenMove, NotFound
from engine.plans import amendments
from engine.plans.amendments import Amended, Amendment, NewDuty
from engine.queries.figures.plans import plan_page
from engine.queries.time_class import read_today
from engine.queries.work.assignment_story import story
from engine.rules.calendar import DayException, DayKind
from engine.rules.outputs import Output
from engine.rules.situation import Action
from engine.store.database import Database
from engine.store.records import Assignment, Contact, Duty, Event, Letter, Notice
from engine.terms import NoticeKind, OutputKind, State

OPENED, NOW = at("2021-04-07"), at("2021-06-07")
NEW = NewDuty(
    text="Báo cáo nhanh tình hình.", owners=("so-ban", "cac-huyen"), due=date(2021, 6, 20), basis="35/UBND-VX"
)


@pytest.fixture
def laid(database: Database) -> Laid:
    return lay(database, now=OPENED)


def add(laid: Laid, new: NewDuty = NEW) -> int:
    with laid.database.write() as session:
        return amendments.add_duty(session, laid.plan_id, new, actor="account:1", now=NOW)


def amend(laid: Laid, citation: str, **more: Any) -> Amended:
    duty = row(laid.database, Duty, citation=citation)
    change = Amendment(**{"basis": "40/UBND-VX"} | more)
    with laid.database.write() as session:
        return amendments.amend_duty(session, duty.id, change, actor="account:1", now=NOW)


def test_an_added_duty_opens_for_every_owner_with_its_date_rolled_and_its_letter_named(laid: Laid) -> None:
    duty = row(laid.database, Duty, id=add(laid))
    assert (duty.citation, duty.kind, duty.added["basis"]) == ("BS.1", "added", "35/UBND-VX")
    opened = rows(laid.database, Assignment, duty_id=duty.id)
    assert [(each.agency_id, each.due_on, each.period) for each in opened] == [
        (name, date(2021, 6, 21), "once") for name in ("so-ban", "huyen-a", "huyen-b")
    ]
    assert "20/6/2021 là Chủ nhật" in opened[0].due_why["vi"]
    assert row(laid.database, Event, kind="duty_added").detail["owners"] == ["so-ban", "huyen-a", "huyen-b"]


def test_the_owners_hear_of_it_with_the_next_pass_and_it_is_reported_as_any_other(laid: Laid) -> None:
    add(laid)
    swept(laid.database, NOW)
    assert ("coordinator@so-ban.example", "BS.1 so-ban") in {(who, what) for who, _, what in told(laid.database)}
    task = laid.assignment("BS.1", "so-ban", "once")
    do(laid.database, Action.REPORT, task, now=NOW)
    assert row(laid.database, Assignment, id=task).state is State.REPORTED


def test_added_duties_are_numbered_in_turn_and_pages_show_them(laid: Laid) -> None:
    add(laid)
    add(laid, NewDuty(text="Việc khác.", owners=("so-ban",), due=date(2021, 6, 20), basis="36/UBND-VX", fixed=True))
    with laid.database.read() as session:
        today = read_today(session, NOW)
        page = plan_page(session, today, laid.plan_id)
        told_of = story(session, today, laid.assignment("BS.2", "so-ban", "once"))
    assert [duty.citation for duty in page.duties][-2:] == ["BS.1", "BS.2"]
    assert told_of.row.due_on == date(2021, 6, 20)


def test_a_changed_calendar_moves_an_added_duty_too_unless_it_is_fixed(laid: Laid) -> None:
    add(laid)
    add(laid, NewDuty(text="Việc khác.", owners=("so-ban",), due=date(2021, 6, 21), basis="36/UBND-VX", fixed=True))
    storm = calendar_change.CalendarChange((DayException(date(2021, 6, 21), DayKind.DAY_OFF, "Nghỉ bão"),))
    with laid.database.write() as session:
        seen = calendar_change.apply(session, storm, actor="account:1", now=NOW)
    assert {move.citation for move in seen.moves} == {"BS.1", "IV.4.1"}


@pytest.mark.parametrize(
    "new",
    [
        NewDuty(text=" ", owners=("so-ban",), due=date(2021, 6, 20), basis="35"),
        NewDuty(text="x" * 8_001, owners=("so-ban",), due=date(2021, 6, 20), basis="35"),
        NewDuty(text="Việc.", owners=("so-ban",), due=date(2021, 6, 20), basis=""),
        NewDuty(text="Việc.", owners=(), due=date(2021, 6, 20), basis="35"),
        NewDuty(text="Việc.", owners=("so-khong-co",), due=date(2021, 6, 20), basis="35"),
        NewDuty(text="Việc.", owners=("so-ban",), due=date(2021, 6, 4), basis="35"),
    ],
)
def test_what_cannot_be_a_duty_is_said_and_nothing_is_added(laid: Laid, new: NewDuty) -> None:
    with pytest.raises(BadInput, match=" / "):
        add(laid, new)
    assert rows(laid.database, Duty, kind="added") == []


def test_nothing_is_added_to_a_plan_that_does_not_run(database: Database) -> None:
    with pytest.raises(ForbiddenMove):
        add(store(database, now=OPENED))


def test_a_new_text_shows_and_what_it_said_before_stays_in_the_event(laid: Laid) -> None:
    assert amend(laid, "IV.1.1", text="Việc đã sửa.") == Amended()
    assert row(laid.database, Duty, citation="IV.1.1").text == "Việc đã sửa."
    detail = row(laid.database, Event, kind="duty_amended").detail
    assert (detail["was"], detail["became"]) == ({"text": "Việc thứ 1."}, {"text": "Việc đã sửa."})


def test_a_new_owner_gets_the_open_rounds_and_one_left_out_is_told_why(laid: Laid) -> None:
    done = amend(laid, "IV.1.1", owners=("huyen-a",))
    assert (done.opened, done.cancelled) == (1, 1)
    fresh = row(laid.database, Assignment, id=laid.assignment("IV.1.1", "huyen-a"))
    old = row(laid.database, Assignment, id=laid.assignment("IV.1.1", "so-ban"))
    assert (fresh.due_on, fresh.window_end, fresh.state) == (date(2021, 6, 17), date(2021, 6, 14), State.ASSIGNED)
    assert old.state is State.CANCELLED
    assert ("coordinator@so-ban.example", "cancelled", "IV.1.1 so-ban") in told(laid.database)


def test_what_an_owner_has_reported_stays_when_he_is_left_out(laid: Laid) -> None:
    bring_to(laid.database, State.REPORTED, laid.assignment("IV.1.1", "so-ban"), now=NOW)
    assert amend(laid, "IV.1.1", owners=("huyen-a",)) == Amended()


def test_an_owner_left_out_after_a_report_that_is_not_accepted_is_asked_no_more_and_the_new_one_is(laid: Laid) -> None:
    was = laid.assignment("IV.1.1", "so-ban")
    report_partly(laid.database, was, now=NOW, promised=date(2021, 6, 25))
    done = amend(laid, "IV.1.1", owners=("huyen-a",))
    assert (done.opened, done.cancelled) == (1, 1)
    left = row(laid.database, Assignment, id=was)
    assert (left.state, left.next_action_at) == (State.CANCELLED, None)
    assert row(laid.database, Assignment, id=laid.assignment("IV.1.1", "huyen-a")).state is State.ASSIGNED


def test_a_letter_moves_the_open_ones_of_a_period_and_says_its_number(laid: Laid) -> None:
    bring_to(laid.database, State.REPORTED, laid.assignment("IV.2.1", "huyen-a"), now=NOW)
    assert amend(laid, "IV.2.1", due={"2021-H1": date(2021, 6, 26)}).moved == 1
    moved = row(laid.database, Assignment, id=laid.assignment("IV.2.1", "huyen-b"))
    assert (moved.due_on, moved.original_due_on, moved.nominal_due) == (
        date(2021, 6, 28),
        date(2021, 6, 17),
        date(2021, 6, 26),
    )
    assert "40/UBND-VX" in moved.due_why["vi"]
    assert ("coordinator@huyen-b.example", "due_moved", "IV.2.1 huyen-b") in told(laid.database)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"text": "Việc thứ 1."},
        {"text": " "},
        {"basis": " ", "text": "Khác."},
        {"owners": ()},
        {"due": {"2021-H2": date(2021, 7, 1)}},
        {"due": {"2021-H1": date(2021, 6, 1)}},
    ],
)
def test_an_amendment_that_changes_nothing_or_cannot_be_is_refused(laid: Laid, more: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        amend(laid, "IV.1.1", **more)
    assert rows(laid.database, Event, kind="duty_amended") == []


def test_an_unknown_duty_is_not_found(laid: Laid) -> None:
    with laid.database.write() as session, pytest.raises(NotFound):
        amendments.amend_duty(session, 999, Amendment(basis="40"), actor="account:1", now=NOW)


def test_future_rounds_open_for_the_owners_of_then(database: Database) -> None:
    laid = lay(database, now=OPENED, plan=plan_file(items=(item(1, "so-ban"),)))
    amend(laid, "IV.1.1", owners=("huyen-b",))

    with database.write() as session:
        open_due(session, at("2021-12-01"))
    (year,) = rows(database, Assignment, period="2021-Y")
    assert year.agency_id == "huyen-b"


def lines(laid: Laid, kind: NoticeKind) -> list[tuple[str, dict[str, Any]]]:
    contacts = {each.id: each.email for each in rows(laid.database, Contact)}
    letters = {each.id: contacts[each.contact_id] for each in rows(laid.database, Letter)}
    return [(letters[each.letter_id], each.detail) for each in rows(laid.database, Notice, kind=kind)]


def test_changed_words_are_told_to_whoever_still_owes_it_with_the_old_and_the_new(laid: Laid) -> None:
    bring_to(laid.database, State.REPORTED, laid.assignment("IV.2.1", "huyen-b"), now=NOW)
    amend(laid, "IV.2.1", text="Việc khác hẳn.")
    detail = {"was": "Việc thứ 2.", "became": "Việc khác hẳn.", "basis": "40/UBND-VX"}
    assert lines(laid, NoticeKind.AMENDED) == [("coordinator@huyen-a.example", detail)]


def test_a_moved_date_says_by_which_letter(laid: Laid) -> None:
    amend(laid, "IV.1.1", due={"2021-H1": date(2021, 6, 30)})
    ((_, detail),) = lines(laid, NoticeKind.DUE_MOVED)
    assert detail["basis"] == "40/UBND-VX"


def test_a_dropped_duty_is_cancelled_told_and_opens_no_more(laid: Laid) -> None:
    bring_to(laid.database, State.REPORTED, laid.assignment("IV.2.1", "huyen-b"), now=NOW)
    duty = row(laid.database, Duty, citation="IV.2.1")
    with laid.database.write() as session:
        assert amendments.drop_duty(session, duty.id, basis="41/UBND-VX", actor="account:1", now=NOW) == 1
    states = {each.agency_id: each.state for each in rows(laid.database, Assignment, duty_id=duty.id)}
    assert states == {"huyen-a": State.CANCELLED, "huyen-b": State.REPORTED}
    assert [mailbox for mailbox, _ in lines(laid, NoticeKind.CANCELLED)] == ["coordinator@huyen-a.example"]
    assert row(laid.database, Event, kind="duty_dropped").detail["cancelled"] == 1
    opened(laid.database, at("2021-10-01"))
    with laid.database.write() as session, pytest.raises(Conflict):
        amendments.drop_duty(session, duty.id, basis="41/UBND-VX", actor="account:1", now=NOW)
    assert {each.period for each in rows(laid.database, Assignment, duty_id=duty.id)} == {"2021-H1"}


def test_a_dropped_duty_with_a_report_that_is_not_accepted_is_chased_by_nobody(laid: Laid) -> None:
    task = laid.assignment("IV.1.1", "so-ban")
    report_partly(laid.database, task, now=NOW, promised=date(2021, 6, 25))
    with laid.database.write() as session:
        duty = row(laid.database, Duty, citation="IV.1.1")
        assert amendments.drop_duty(session, duty.id, basis="41/UBND-VX", actor="account:1", now=NOW) == 1
    day = date(2021, 6, 8)
    while day <= date(2021, 7, 20):
        swept(laid.database, at(day.isoformat(), "07:00"))
        day += timedelta(days=1)
    about = [each for each in told(laid.database) if each[2] == "IV.1.1 so-ban"]
    assert about == [("coordinator@so-ban.example", "cancelled", "IV.1.1 so-ban")]


DECISION = Output("Quyết định phê duyệt", OutputKind.DOCUMENT)


def test_a_changed_output_is_told_as_changed_words_are_and_may_be_taken_away(laid: Laid) -> None:
    amend(laid, "IV.2.1", output=DECISION)
    assert row(laid.database, Duty, citation="IV.2.1").output == {"what": "Quyết định phê duyệt", "kind": "document"}
    said = {"basis": "40/UBND-VX", "output_was": "", "output": "Quyết định phê duyệt"}
    assert lines(laid, NoticeKind.AMENDED) == [
        ("coordinator@huyen-a.example", said),
        ("coordinator@huyen-b.example", said),
    ]
    with pytest.raises(BadInput, match="Không có gì thay đổi"):
        amend(laid, "IV.2.1", output=DECISION)
    amend(laid, "IV.2.1", output=Output("", OutputKind.DOCUMENT))
    assert row(laid.database, Duty, citation="IV.2.1").output is None


def test_an_added_duty_says_what_is_owed_on_its_page_and_its_plans(laid: Laid) -> None:
    add(laid, replace(NEW, output=DECISION))
    with laid.database.read() as session:
        today = read_today(session, NOW)
        assert plan_page(session, today, laid.plan_id).duties[-1].output == DECISION
        assert story(session, today, laid.assignment("BS.1", "so-ban", "once")).head.output == DECISION
