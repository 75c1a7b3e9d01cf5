"""Threads: what is written once, who is told, and what it leaves alone."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ground.factory import Laid, at, bring_to, happened, lay, plan_file, policy, row, rows, told
from ground.office import looking

from engine.assignments.backlog import backlogs
from engine.correspondence import entries
from engine.correspondence.entries import NewEntry
from engine.errors import BadInput, Conflict, ForbiddenMove, NotAllowed
from engine.features.papers.period_report import period_report
from engine.queries.filter_choices import plan_of
from engine.queries.work.assignments import AssignmentFilter, list_assignments
from engine.queries.work.threads import coordinated, difficulties, threads_of
from engine.store.database import Database
from engine.store.records import Assignment, Notice, ThreadEntry
from engine.terms import EntryKind, NoticeKind, State, Waiting

NOW = at("2021-06-08", "09:00")
HARD = NewEntry(EntryKind.DIFFICULTY, "Chưa bố trí được kinh phí.")
ITEMS = (
    {
        "no": 1,
        "heading": "Mục 1",
        "owners": ["so-ban"],
        "duties": [
            {
                "citation": "IV.1.1",
                "text": "Việc thứ nhất.",
                "cadence": ["half_year", "year"],
                "rule": "gui-so",
                "coordinating": ["cac-huyen"],
            }
        ],
    },
    {
        "no": 2,
        "heading": "Mục 2",
        "owners": ["huyen-a"],
        "duties": [{"citation": "IV.2.1", "text": "Việc thứ hai.", "cadence": ["half_year"], "rule": "gui-so"}],
    },
)


@pytest.fixture
def laid(database: Database) -> Laid:
    return lay(database, now=at("2021-06-07"), plan=plan_file(items=ITEMS))


def write(laid: Laid, assignment_id: int, new: NewEntry = HARD, now: Any = NOW) -> bool:
    with laid.database.write() as session:
        return entries.write(session, assignment_id, new, actor="contact:1", now=now)


def answer(laid: Laid, entry_id: int, text: str = "Sở sẽ đề nghị bổ sung.", by: str = "so-chinh") -> bool:
    with laid.database.write() as session:
        return entries.answer(session, entry_id, text, agency_id=by, actor="account:1", now=NOW)


def lines(laid: Laid, kind: NoticeKind) -> list[Any]:
    return rows(laid.database, Notice, kind=kind)


def test_a_difficulty_reaches_the_monitor_once_and_changes_no_state(laid: Laid) -> None:
    task = laid.assignment("IV.2.1", "huyen-a")
    before = row(laid.database, Assignment, id=task)
    assert write(laid, task)
    assert not write(laid, task)  # the form sent twice
    (entry,) = rows(laid.database, ThreadEntry)
    assert (entry.kind, entry.agency_id, entry.answered_at) == (EntryKind.DIFFICULTY, "huyen-a", None)
    assert ("monitor@so-chinh.example", "raised", "IV.2.1 huyen-a") in told(laid.database)
    assert len(lines(laid, NoticeKind.RAISED)) == 1
    assert happened(laid.database, assignment_id=task)[-1] == "difficulty_raised"
    assert row(laid.database, Assignment, id=task) == before


def test_the_same_words_on_another_day_are_said_again(laid: Laid) -> None:
    task = laid.assignment("IV.2.1", "huyen-a")
    assert write(laid, task)
    assert write(laid, task, now=at("2021-06-09", "09:00"))
    assert len(rows(laid.database, ThreadEntry)) == 2


def test_what_waits_for_an_answer_has_an_age_and_leaves_the_backlog_with_it(laid: Laid) -> None:
    task = laid.assignment("IV.2.1", "huyen-a")
    write(laid, task)
    with looking(laid.database, at("2021-06-24")) as (session, today):
        waiting = backlogs(session, ["so-chinh"], today.calendar, today.day, policy())["so-chinh"].raised
        listed = list_assignments(session, today, AssignmentFilter(waiting=Waiting.RAISED))
    assert waiting is not None
    assert (waiting.count, waiting.since, waiting.days, waiting.old) == (1, date(2021, 6, 8), 12, 1)
    assert [each.id for each in listed.rows] == [task]
    assert answer(laid, rows(laid.database, ThreadEntry)[0].id)
    with looking(laid.database, at("2021-06-24")) as (session, today):
        assert backlogs(session, ["so-chinh"], today.calendar, today.day, policy()) == {}


def test_an_answer_is_given_once_by_the_other_side_and_told_in_its_letter(laid: Laid) -> None:
    task = laid.assignment("IV.2.1", "huyen-a")
    write(laid, task)
    entry_id = rows(laid.database, ThreadEntry)[0].id
    with pytest.raises(NotAllowed):
        answer(laid, entry_id, by="huyen-a")
    assert answer(laid, entry_id)
    assert not answer(laid, entry_id)
    with pytest.raises(Conflict):
        answer(laid, entry_id, "Khác.")
    assert len(rows(laid.database, ThreadEntry)) == 2
    (line,) = lines(laid, NoticeKind.ANSWERED)
    assert (line.detail["asked"], line.detail["said"]) == (HARD.text, "Sở sẽ đề nghị bổ sung.")
    assert ("coordinator@huyen-a.example", "answered", "IV.2.1 huyen-a") in told(laid.database)


def test_the_department_asks_and_the_owner_answers(laid: Laid) -> None:
    task = laid.assignment("IV.2.1", "huyen-a")
    with laid.database.write() as session:
        assert entries.ask(session, task, "Đã có kinh phí chưa?", actor="account:1", now=NOW)
        assert not entries.ask(session, task, "Đã có kinh phí chưa?", actor="account:1", now=NOW)
    assert ("coordinator@huyen-a.example", "raised", "IV.2.1 huyen-a") in told(laid.database)
    assert answer(laid, rows(laid.database, ThreadEntry)[0].id, "Đã có.", by="huyen-a")
    assert ("monitor@so-chinh.example", "answered", "IV.2.1 huyen-a") in told(laid.database)


def test_progress_tells_the_monitor_and_is_no_report(laid: Laid) -> None:
    task = laid.assignment("IV.2.1", "huyen-a")
    going = NewEntry(EntryKind.PROGRESS, "Đã rà soát 12 xã.", expected_on=date(2021, 6, 15))
    assert write(laid, task, going)
    (line,) = lines(laid, NoticeKind.PROGRESS)
    assert line.detail["expected"] == "2021-06-15"
    now = row(laid.database, Assignment, id=task)
    assert (now.state, now.first_reported_on, now.outcome) == (State.ASSIGNED, None, None)
    with pytest.raises(BadInput):
        write(laid, task, NewEntry(EntryKind.PROGRESS, "Xong rồi.", expected_on=date(2021, 6, 7)))
    bring_to(laid.database, State.ACCEPTED, task, now=NOW)
    with pytest.raises(ForbiddenMove):
        write(laid, task, NewEntry(EntryKind.PROGRESS, "Vẫn làm."))
    assert write(laid, task, NewEntry(EntryKind.DIFFICULTY, "Vẫn thiếu người."))


def test_secrets_empty_words_and_a_flood_are_refused(laid: Laid) -> None:
    task = laid.assignment("IV.2.1", "huyen-a")
    for text in ("  ", "Theo văn bản MẬT số 1.", "x" * 5_000):
        with pytest.raises(BadInput):
            write(laid, task, NewEntry(EntryKind.QUESTION, text))
    for n in range(entries.MAX_WAITING):
        assert write(laid, task, NewEntry(EntryKind.QUESTION, f"Câu {n}?"))
    with pytest.raises(Conflict):
        write(laid, task, NewEntry(EntryKind.QUESTION, "Câu nữa?"))
    assert not write(laid, task, NewEntry(EntryKind.QUESTION, "Câu 3?"))  # said before, so nothing new


def test_nothing_is_written_about_what_is_no_longer_owed(laid: Laid) -> None:
    task = laid.assignment("IV.2.1", "huyen-a")
    bring_to(laid.database, State.CANCELLED, task, now=NOW)
    with pytest.raises(ForbiddenMove):
        write(laid, task)
    assert rows(laid.database, ThreadEntry) == []


def test_coordinating_agencies_are_told_once_add_their_part_and_are_never_chased(laid: Laid) -> None:
    task = laid.assignment("IV.1.1", "so-ban")
    helped = [line for line in told(laid.database) if line[1] == "coordinates"]
    assert helped == [
        ("coordinator@huyen-a.example", "coordinates", "IV.1.1 so-ban"),
        ("coordinator@huyen-b.example", "coordinates", "IV.1.1 so-ban"),
    ]
    part = NewEntry(EntryKind.PART, "Đã cử 2 cán bộ tham gia.")
    with laid.database.write() as session:
        assert entries.add_part(session, task, "huyen-b", part, actor="contact:9", now=NOW)
        assert not entries.add_part(session, task, "huyen-b", part, actor="contact:9", now=NOW)
        with pytest.raises(NotAllowed):
            entries.add_part(session, task, "mat-tran", part, actor="contact:9", now=NOW)
    assert ("coordinator@so-ban.example", "progress", "IV.1.1 so-ban") in told(laid.database)
    bring_to(laid.database, State.REPORTED, task, now=NOW)
    with looking(laid.database, NOW) as (session, today):
        (seen,) = coordinated(session, today, "huyen-b")
        assert (seen.row.agency_id, seen.last and seen.last.body) == ("so-ban", "Đã làm.")
        assert [each.text for each in seen.parts] == [part.text]
        assert coordinated(session, today, "mat-tran") == ()


def test_the_consolidated_report_names_difficulties_of_the_period_with_their_answers(laid: Laid) -> None:
    task = laid.assignment("IV.2.1", "huyen-a")
    write(laid, task)
    write(laid, task, NewEntry(EntryKind.DIFFICULTY, "Kế hoạch chưa rõ nguồn lực.", whole_plan=True))
    write(laid, task, NewEntry(EntryKind.QUESTION, "Gửi cho ai?"))
    answer(laid, rows(laid.database, ThreadEntry)[0].id)
    with looking(laid.database, NOW) as (session, today):
        found = difficulties(session, laid.plan_id, "2021-H1")
        assert [(each.citation, each.answer) for each in found] == [("IV.2.1", "Sở sẽ đề nghị bổ sung."), ("", "")]
        assert [each.text for each in difficulties(session, laid.plan_id, "2021-Y")] == [each.text for each in found]
        assert difficulties(session, laid.plan_id, "2021-Q3") == ()
        report = period_report(session, today, plan_of(session, laid.plan_id), "2021-H1")
        assert [each.words for each in report.difficulties] == [each.text for each in found]
        assert len(threads_of(session, "huyen-a", laid.plan_id)) == 4
