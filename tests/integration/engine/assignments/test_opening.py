"""Opening: duty x owner x period within the horizon, once, with the right body above, by the plan's own dates."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from ground.factory import (
    at,
    begin,
    happened,
    item,
    lay,
    plan_file,
    policy,
    real_plan,
    row,
    rows,
    store,
    swept,
    told,
)
from ground.post import LetterBox, post_office
from sqlalchemy import update

from engine.assignments.opening import Choices, activate, open_due, rehearse
from engine.errors import BadInput, Conflict, NotFound
from engine.files.plan import PlanFile
from engine.files.plan_renewal import PlanYear
from engine.plans.loading import load_plan
from engine.rules.calendar import DayException, DayKind
from engine.rules.periods import Cadence
from engine.store.database import Database, table
from engine.store.records import Assignment, Duty, Event, LadderRecord, Letter, Plan
from engine.terms import EventKind, PastPeriods, PlanState, State
from workflows.run.passes import tick

NOW = at("2021-04-07")


def opened(database: Database, now: str) -> int:
    with database.write() as session:
        return open_due(session, at(now))


def test_nothing_opens_before_the_plan_is_activated(database: Database) -> None:
    store(database, now=NOW)
    assert opened(database, "2021-12-31") == -1
    assert rows(database, Assignment) == []


def test_the_horizon_decides_what_opens_when(database: Database) -> None:
    laid = lay(database, now=NOW)
    assert {each.period for each in rows(database, Assignment)} == {"2021-H1"}
    # the year's reports are due on 17 and 20 December: 92 days before
    assert row(database, Plan, id=laid.plan_id).next_open_at == at("2021-09-16", "07:00")
    assert opened(database, "2021-09-15") == -1
    assert opened(database, "2021-09-16") == 4
    assert opened(database, "2021-09-19") == 1
    assert row(database, Plan, id=laid.plan_id).next_open_at is None


def test_an_assignment_carries_its_dates_its_arithmetic_and_its_ladder(database: Database) -> None:
    laid = lay(database, now=NOW)
    found = row(database, Assignment, id=laid.assignment("IV.4.1", "so-chinh"))
    assert (found.window_start, found.window_end) == (date(2020, 12, 15), date(2021, 6, 14))
    assert (found.nominal_due, found.due_on, found.original_due_on) == (
        date(2021, 6, 20),
        date(2021, 6, 21),
        date(2021, 6, 21),
    )
    assert found.due_why["vi"] == "ngày 20/6/2021 là Chủ nhật, hạn chuyển sang thứ Hai, 21/6/2021"
    assert (found.state, found.opened_on, found.next_action_at) == (State.ASSIGNED, date(2021, 4, 7), NOW)


def test_a_request_has_the_softer_ladder(database: Database) -> None:
    laid = lay(database, now=NOW)
    asked = row(database, Assignment, id=laid.assignment("IV.3.1", "mat-tran"))
    ordered = row(database, Assignment, id=laid.assignment("IV.1.1", "so-ban"))
    names = {each.id: each.body["name"] for each in rows(database, LadderRecord)}
    assert (names[asked.ladder_id], names[ordered.ladder_id]) == ("Đề nghị", "Giao việc")


def test_the_department_supervises_everyone_but_itself(database: Database) -> None:
    lay(database, now=NOW)
    above = {each.agency_id: each.supervisor_id for each in rows(database, Assignment)}
    assert above.pop("so-chinh") == "tinh"
    assert set(above.values()) == {"so-chinh"}


def test_opening_again_changes_nothing(database: Database) -> None:
    laid = lay(database, now=NOW)
    before = (rows(database, Assignment), rows(database, Event))
    with database.write() as session:
        session.connection().execute(update(table(Plan)).values(next_open_at=NOW))
    assert opened(database, "2021-04-08") == 0
    assert (rows(database, Assignment), rows(database, Event)) == before
    assert row(database, Plan, id=laid.plan_id).next_open_at is not None


def test_each_assignment_opened_is_an_event_with_its_due_date(database: Database) -> None:
    laid = lay(database, now=NOW)
    event = row(database, Event, assignment_id=laid.assignment("IV.1.1", "so-ban"))
    assert (event.kind, event.detail, event.at) == (EventKind.OPENED, {"due": "2021-06-17"}, NOW)


def test_several_plans_open_one_after_another(database: Database) -> None:
    first = store(database, now=NOW)
    second = store(database, now=NOW, plan=plan_file(number="13/KH-UBND"))
    with database.write() as session:
        for laid in (first, second):
            activate(session, laid.plan_id, actor="cli:test", now=NOW)
    assert [opened(database, "2021-04-07") for _ in range(3)] == [5, 5, -1]


def test_the_office_chooses_the_cadence_when_it_activates(database: Database) -> None:
    choice = item(1, "so-ban", cadence=["quarter"], cadence_choices=["quarter", "month"])
    plan = plan_file(items=(choice, item(2, "huyen-a")))
    laid = store(database, now=NOW, plan=plan)
    with pytest.raises(BadInput), database.write() as session:
        activate(session, laid.plan_id, actor="cli:test", now=NOW, choices=Choices(cadences={"IV.2.1": Cadence.MONTH}))
    with database.write() as session:
        activate(session, laid.plan_id, actor="cli:test", now=NOW, choices=Choices(cadences={"IV.1.1": Cadence.MONTH}))
        assert load_plan(session, plan, actor="cli:test", now=NOW) == laid.plan_id  # the same document
    opened(database, "2021-04-07")
    assert {each.period for each in rows(database, Assignment, agency_id="so-ban")} == {"2021-04"}
    assert row(database, Duty, citation="IV.1.1").cadence == ["month"]
    assert rows(database, Event, kind=EventKind.PLAN_ACTIVATED)[0].detail["cadences"] == {"IV.1.1": "month"}


def undated() -> PlanFile:
    """A plan that names a cycle and no day."""
    rules = {"hoi-ngay": {"source": "local", "to": "so-chinh", "ask_day": True, "wording": "định kỳ 6 tháng, năm"}}
    return plan_file(items=(item(1, "so-ban", rule="hoi-ngay"),), report_rules=rules)


def test_a_day_that_the_plan_does_not_name_is_chosen_by_the_office_or_it_is_not_activated(database: Database) -> None:
    laid = store(database, now=NOW, plan=undated())
    assert rehearse(database, laid.plan_id, NOW).letters == 0
    with pytest.raises(BadInput, match="1 ngày phải chọn"), database.write() as session:
        activate(session, laid.plan_id, actor="cli:test", now=NOW)
    with database.write() as session:
        activate(session, laid.plan_id, actor="cli:test", now=NOW, choices=Choices(days={"hoi-ngay": "10"}))
        assert load_plan(session, undated(), actor="cli:test", now=NOW) == laid.plan_id  # the same document
    opened(database, "2021-04-07")
    assert [each.due_on for each in rows(database, Assignment)] == [date(2021, 6, 10)]
    rule = row(database, Plan).file["report_rules"]["hoi-ngay"]
    assert (rule["source"], rule["basis"]) == ("local", "Ngày do cơ quan đặt khi kích hoạt: 10")
    assert rows(database, Event, kind=EventKind.PLAN_ACTIVATED)[0].detail["days"] == {"hoi-ngay": "10"}


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ({"hoi-ngay": "hôm nào"}, "Không đọc được ngày"),
        ({"hoi-ngay": "15/6"}, "đủ 2 ngày"),
        ({"gui-so": "3"}, "không hỏi"),
    ],
)
def test_a_day_that_the_rule_cannot_take_is_refused(database: Database, days: dict[str, str], said: str) -> None:
    laid = store(database, now=NOW, plan=undated())
    with pytest.raises(BadInput, match=said), database.write() as session:
        activate(session, laid.plan_id, actor="cli:test", now=NOW, choices=Choices(days=days))


def test_a_plan_is_activated_once_and_an_unknown_one_never(database: Database) -> None:
    laid = lay(database, now=NOW)
    assert row(database, Plan).state is PlanState.ACTIVE
    with pytest.raises(Conflict), database.write() as session:
        activate(session, laid.plan_id, actor="cli:test", now=NOW)
    with pytest.raises(NotFound), database.write() as session:
        activate(session, 99, actor="cli:test", now=NOW)
    assert happened(database).count("plan_activated") == 1


def test_a_single_act_opens_once_without_a_window(database: Database) -> None:
    once = plan_file(items=(item(1, "so-ban", cadence=["once"], rule="mot-lan"),))
    lay(database, now=NOW, plan=once)
    found = row(database, Assignment)
    assert (found.period, found.window_start, found.due_on) == ("once", None, date(2021, 6, 30))


def test_what_is_owed_only_as_it_arises_opens_by_itself_never(database: Database) -> None:
    lay(database, now=NOW, plan=plan_file(items=(item(1, "so-ban", cadence=["ad_hoc"]),)))
    assert rows(database, Assignment) == []


def test_a_plan_of_last_year_activated_today_opens_what_it_owed_and_floods_nobody(database: Database) -> None:
    today = at("2022-03-01")
    lay(database, now=today, past=PastPeriods.OVERDUE)
    assert {each.period for each in rows(database, Assignment)} == {"2021-H1", "2021-Y"}
    swept(database, today)
    assert [swept(database, at(day)).notices for day in ("2022-03-02", "2022-03-03")] == [0, 0]
    first_day = told(database, date(2022, 3, 1))
    assert {rung for _, rung, _ in first_day} == {"open"}
    assert len({mailbox for mailbox, _, _ in first_day}) == 5


def test_the_operators_calendar_moves_a_due_date(database: Database) -> None:
    day_off = DayException(date(2021, 6, 17), DayKind.DAY_OFF, "Hoán đổi", "QĐ 1/QĐ-UBND")
    laid = lay(database, now=NOW, days=(day_off,))
    assert row(database, Assignment, id=laid.assignment("IV.1.1", "so-ban")).due_on == date(2021, 6, 18)


def test_a_shorter_horizon_opens_later(database: Database) -> None:
    lay(database, now=NOW, rules=policy(open_days_before=30))
    assert rows(database, Assignment) == []
    assert row(database, Plan).next_open_at == at("2021-05-18", "07:00")


def test_plan_188_opens_its_first_half_year(database: Database) -> None:
    laid = begin(real_plan(database, now=NOW), now=NOW)
    district = row(database, Assignment, id=laid.assignment("IV.16.1", "ubnd-huyen-que-phong"))
    consolidated = row(database, Assignment, id=laid.assignment("IV.1.1", "so-ldtbxh"))
    assert (district.due_on, district.supervisor_id) == (date(2021, 6, 17), "so-ldtbxh")
    assert (consolidated.due_on, consolidated.supervisor_id) == (date(2021, 6, 21), "ubnd-tinh")


def test_activation_says_the_plans_year_by_the_cadences_that_were_chosen(database: Database) -> None:
    choice = item(1, "so-ban", cadence=["year"], cadence_choices=["year", "month"])
    laid = store(database, now=NOW, plan=plan_file(items=(choice,), issued_on=date(2020, 11, 20)))
    assert rehearse(database, laid.plan_id, NOW).year == PlanYear(2021, "2021-Y", "2021-Y")
    chosen = Choices(cadences={"IV.1.1": Cadence.MONTH})
    assert rehearse(database, laid.plan_id, NOW, chosen).year == PlanYear(2021, "2021-01", "2021-12")


def test_a_plan_of_november_opens_nothing_of_the_year_of_its_issue(database: Database) -> None:
    lay(database, now=at("2020-11-23"), plan=plan_file(issued_on=date(2020, 11, 20)))
    assert rows(database, Assignment) == []
    assert opened(database, "2021-03-17") > 0
    assert {each.period for each in rows(database, Assignment)} == {"2021-H1"}


def test_the_letters_that_activation_announces_are_those_that_the_next_tick_sends(database: Database) -> None:
    """In an office's first week its first digest too: leadership's letter was not announced."""
    laid, now, box = store(database, now=at("2021-06-24", "09:00")), at("2021-06-24", "09:00"), LetterBox()
    would = rehearse(database, laid.plan_id, now, Choices(past=PastPeriods.OVERDUE))
    begin(laid, now=now, past=PastPeriods.OVERDUE)
    asyncio.run(tick(database, now, post_office(box)))
    assert would.overdue == would.past == 5
    assert {"leadership@tinh.example"} < {each.to for each in box.letters}
    assert would.letters == len(rows(database, Letter)) == len(box.letters)
    assert would.people == len({each.to for each in box.letters})


LATE = at("2021-06-28", "09:00")
"""The half-year's reports were due on 17 and 21 June."""


def test_a_period_that_is_over_at_activation_has_new_due_dates_and_nobody_is_chased(database: Database) -> None:
    """By default: the due date stood in no document and nobody had been told of it."""
    laid = lay(database, now=LATE)
    found = row(database, Assignment, id=laid.assignment("IV.1.1", "so-ban"))
    assert (found.original_due_on, found.due_on) == (date(2021, 6, 17), date(2021, 7, 5))
    assert found.due_why["vi"] == "giao ngày thứ Hai, 28/6/2021, sau hạn thứ Năm, 17/6/2021: thêm 5 ngày làm việc"
    for day in ("2021-06-28", "2021-06-29", "2021-06-30", "2021-07-01", "2021-07-02", "2021-07-05"):
        swept(database, at(day, "07:00"))
    assert not [line for line in told(database) if line[1].startswith("T+")]
    swept(database, at("2021-07-06", "07:00"))
    assert [line for line in told(database) if line[1] == "T+1"]


def test_a_period_that_is_over_at_activation_may_be_skipped_or_overdue_at_once(database: Database) -> None:
    laid = store(database, now=LATE)
    by_choice = {past: rehearse(database, laid.plan_id, LATE, Choices(past=past)) for past in PastPeriods}
    assert {past: (would.past, would.overdue) for past, would in by_choice.items()} == {
        PastPeriods.SKIP: (5, 0),
        PastPeriods.EXTEND: (5, 0),
        PastPeriods.OVERDUE: (5, 5),
    }
    assert by_choice[PastPeriods.SKIP].assignments == {}
    begin(laid, now=LATE, past=PastPeriods.SKIP)
    opened(database, "2021-09-20")
    opened(database, "2021-09-20")
    assert {each.period for each in rows(database, Assignment)} == {"2021-Y"}
    assert row(database, Event, kind=EventKind.PLAN_ACTIVATED).detail["past"] == "skip"


def test_the_preview_counts_the_plan_s_own_tasks_and_letters_and_calls_overdue_what_is_past_its_day(
    database: Database,
) -> None:
    """Another plan has letters already, and one of the plan's tasks is due on another day than the others."""
    lay(database, now=at("2021-06-07"), plan=plan_file(number="11/KH-UBND", items=(item(1, "cac-huyen"),)))
    swept(database, at("2021-06-07"))
    items = (item(1, "so-ban"), item(2, "cac-huyen"), item(3, "mat-tran", rule="gui-tinh"))
    now, before = at("2021-06-17", "09:00"), len(rows(database, Letter))
    laid = store(database, now=now, plan=plan_file(items=items))
    would = rehearse(database, laid.plan_id, now)
    assert (would.assignments, would.overdue) == ({"2021-H1": 4}, 0), "three are due today, one on the 21st"
    assert (would.first_due, would.first_due_count) == (date(2021, 6, 17), 3)
    overdue = Choices(past=PastPeriods.OVERDUE)
    assert rehearse(database, laid.plan_id, at("2021-06-18", "09:00"), overdue).overdue == 3
    begin(laid, now=now)
    asyncio.run(tick(database, now, post_office(LetterBox())))
    assert would.letters == would.people == len(rows(database, Letter)) - before > 0
    assert before > 1


def test_a_monthly_duty_has_one_period_open_ahead(database: Database) -> None:
    """On 7 April the report of April is open, and from its own month on that of May; not those of three months."""
    lay(database, now=NOW, plan=plan_file(items=(item(1, "so-ban", cadence=["month"]), item(2, "huyen-a"))))
    assert {each.period for each in rows(database, Assignment)} == {"2021-04", "2021-H1"}
    opened(database, "2021-04-16")
    assert {each.period for each in rows(database, Assignment)} == {"2021-04", "2021-05", "2021-H1"}


def test_activation_on_a_sunday_says_what_leaves_on_monday_morning(database: Database) -> None:
    """«Nothing leaves today» was all it said, and an office thought that nothing would."""
    laid, now, box = store(database, now=at("2021-05-09", "09:00")), at("2021-05-09", "09:00"), LetterBox()
    would = rehearse(database, laid.plan_id, now)
    assert would.next is not None
    assert (would.letters, would.next.at) == (0, at("2021-05-10", "07:30"))
    begin(laid, now=now)
    for moment in (now, at("2021-05-10", "07:00"), would.next.at - timedelta(minutes=1)):
        asyncio.run(tick(database, moment, post_office(box)))
        assert box.letters == []
    asyncio.run(tick(database, would.next.at, post_office(box)))
    assert would.next.letters == len(box.letters) > 0
    assert would.next.people == len({each.to for each in box.letters})


def test_activation_after_the_window_says_what_leaves_on_the_next_working_day(database: Database) -> None:
    laid, now = store(database, now=at("2021-05-14", "21:30")), at("2021-05-14", "21:30")
    would = rehearse(database, laid.plan_id, now)
    assert would.next is not None
    assert (would.letters, would.next.at) == (0, at("2021-05-17", "07:30"))
    assert would.next.letters > 0


def test_what_leaves_at_once_is_told_from_what_leaves_next(database: Database) -> None:
    laid, now = store(database, now=at("2021-05-12", "09:00")), at("2021-05-12", "09:00")
    would = rehearse(database, laid.plan_id, now)
    assert would.letters > 0
    assert would.next is not None
    assert would.next.at > now
