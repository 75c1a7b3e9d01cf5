"""«Sắp xếp lại tổ chức»: Nghệ An on 1 March and on 1 July 2025, in one act each."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from ground.factory import Laid, at, do, opened, row, rows
from ground.province import plan_of_2025
from sqlalchemy import select

from engine.assignments.handover import agencies_with_work_left
from engine.errors import Conflict
from engine.plans.following import Reporting
from engine.plans.reorganisation import Decision, EndedAgency, Reorganised, ended_agencies, reorganise
from engine.queries.figures.board import board
from engine.queries.figures.plan_progress import standing
from engine.queries.time_class import read_today
from engine.queries.work.assignments import AssignmentFilter
from engine.queries.work.overdue import overdue
from engine.queries.work.todo import unreachable
from engine.rules.calendar import local_date
from engine.rules.situation import Action
from engine.store.database import Database, table
from engine.store.records import AgencyGroup, Assignment, Contact, Duty, Event, Letter, Notice, Plan
from engine.terms import EventKind, NoticeKind, Quiet, State, TimeClass

MARCH, JULY = at("2025-03-01", "06:30"), at("2025-07-01", "06:30")
DISTRICTS = 20


@pytest.fixture
def province(sqlite_database: Database) -> Laid:
    laid = plan_of_2025(sqlite_database)
    act(laid, at("2024-12-01", "06:30"))
    return laid


def ended(laid: Laid, now: datetime) -> dict[str, EndedAgency]:
    with laid.database.read() as session:
        return {each.id: each for each in ended_agencies(session, local_date(now))}


def act(laid: Laid, now: datetime, reporting: Reporting = Reporting.SEAT) -> Reorganised:
    """Every ended agency decided about; where nobody has the seat, all report."""
    found = ended(laid, now)
    decisions = [
        Decision(agency_id=each.id, reporting=reporting if each.seat else Reporting.ALL) for each in found.values()
    ]
    with laid.database.write() as session:
        return reorganise(session, decisions, actor="account:1", now=now)


def test_each_department_is_followed_by_function_and_the_plan_by_who_has_its_subject(province: Laid) -> None:
    labour = ended(province, MARCH)["so-ldtbxh"]
    (share,) = labour.plans
    assert share.follows
    assert {heir.agency_id for heirs in share.duties.values() for heir in heirs} == {"so-y-te"}
    act(province, MARCH)
    database = province.database
    assert row(database, Plan).supervisor_id == "so-y-te"
    owners = {each.citation: each.owners for each in rows(database, Duty)}
    assert owners["IV.1.1"] == ["so-y-te"]
    assert owners["IV.8.1"] == ["so-tu-phap"]
    assert not {"so-ldtbxh", "so-du-lich"} & {name for names in owners.values() for name in names}
    assert ended(province, MARCH) == {}
    with database.read() as session:
        n, c = table(AgencyGroup), table(Contact)
        members = session.connection().scalars(select(n.c.members).where(n.c.id == "so-ban-nganh-doan-the-tinh")).one()
        last = session.connection().scalars(select(c.c.valid_until).where(c.c.agency_id == "so-ldtbxh")).all()
    assert "so-ldtbxh" not in members
    assert set(last) == {date(2025, 2, 28)}


def test_districts_are_followed_by_their_own_communes_and_one_of_each_reports_what_was_missing(province: Laid) -> None:
    act(province, MARCH)
    opened(province.database, at("2025-06-02"))
    database = province.database
    reported = province.assignment("IV.16.1", "ubnd-huyen-anh-son", "2025-H1")
    for action in (Action.REPORT, Action.ACCEPT):
        do(database, action, reported, now=at("2025-06-16"))
    before, late_before = published(province), unfinished_of_each(province)
    found = ended(province, JULY)
    districts = [each for each in found.values() if each.level == "huyen"]
    assert len(districts) == DISTRICTS
    assert sum(len(each.heirs) for each in districts) == 130
    done = act(province, JULY)
    assert done.agencies == DISTRICTS + 2  # the station and the newspaper became one
    assert published(province) == before
    assert unfinished_of_each(province) == late_before
    late = [each for each in rows(database, Assignment) if each.quiet is Quiet.FOLLOWED]
    instead = [each for each in rows(database, Assignment) if each.period.endswith("~250701")]
    assert done.work.kept == len(late)
    communes = [each for each in instead if each.agency_id.startswith(("ubnd-xa", "ubnd-phuong"))]
    districts_late = [each for each in late if each.agency_id.startswith("ubnd-")]
    assert len(communes) == len(districts_late)
    assert "ubnd-xa-anh-son" in {each.agency_id for each in communes}  # the seat, of what Anh Sơn still owed
    anh_son = {"ubnd-xa-anh-son", "ubnd-xa-yen-xuan", "ubnd-xa-nhan-hoa"}
    assert {each.agency_id for each in communes} & anh_son == {"ubnd-xa-anh-son"}
    assert row(database, Assignment, id=reported).state is State.ACCEPTED
    assert all(each.due_on > local_date(JULY) for each in instead)
    owners = row(database, Duty, citation="IV.16.1").owners
    assert len(owners) == 130
    assert "ubnd-cap-xa" not in owners
    with database.read() as session:  # nobody is asked to hand over, or to name a coordinator for, what only counts
        assert agencies_with_work_left(session, JULY) == ()
        today = read_today(session, JULY)
        assert not [each for each in unreachable(session, today, AssignmentFilter()) if each.agency_id in found]
        listed = overdue(session, today, AssignmentFilter(plan_id=province.plan_id))
        assert not {each.id for each in listed.agencies} & set(found)
    acts = [each for each in rows(database, Event) if each.kind is EventKind.REORGANISED]
    assert "1678/NQ-UBTVQH15" in acts[-1].detail["basis"]


def test_who_is_asked_first_months_later_reads_whom_it_follows(province: Laid) -> None:
    act(province, MARCH)
    act(province, JULY)
    opened(province.database, at("2025-10-01"))
    first = [each for each in rows(province.database, Assignment) if each.agency_id == "ubnd-xa-yen-xuan"]
    assert first
    assert {each.due_why["vi"].partition(";")[0] for each in first} == {
        "thay cho UBND huyện Anh Sơn (kết thúc thứ Hai, 30/6/2025), theo Nghị quyết 1678/NQ-UBTVQH15, 16/6/2025"
    }


def test_the_department_of_a_plan_is_told_who_ended_and_both_departments_that_it_changed(province: Laid) -> None:
    opened(province.database, at("2025-02-01"))
    act(province, MARCH)
    told = [each for each in rows(province.database, Notice) if each.kind is NoticeKind.REORGANISED]
    assert {each.detail["what"].partition(":")[0] for each in told} == {"follows", "ended"}
    follows = next(each for each in told if each.detail["what"] == "follows")
    assert (follows.detail["was"], follows.detail["became"]) == ("Sở Lao động - Thương binh và Xã hội", "Sở Y tế")
    assert {row(province.database, Letter, id=each.letter_id).agency_id for each in told} == {"so-y-te"}


def published(laid: Laid) -> object:
    """The first half-year as it stood at its end."""
    with laid.database.read() as session:
        return standing(session, local_date(JULY) - timedelta(1), plan_id=laid.plan_id, period="2025-H1")


def unfinished_of_each(laid: Laid) -> dict[str, int]:
    """By agency, what it owes of the first half-year on the day of the act, asked for or no longer."""
    with laid.database.read() as session:
        today = read_today(session, JULY)
        found = board(session, today, AssignmentFilter(plan_id=laid.plan_id, period="2025-H1"))
    late = TimeClass.OPEN_OVERDUE, TimeClass.NOT_ASKED
    return {line.id: sum(line.total.by_class.get(each, 0) for each in late) for line in found.agencies}


def test_nothing_moves_for_an_agency_that_goes_on_or_that_nobody_follows(province: Laid) -> None:
    with province.database.write() as session, pytest.raises(Conflict):
        reorganise(session, [Decision(agency_id="so-y-te", reporting=Reporting.ALL)], actor="account:1", now=MARCH)
    with province.database.write() as session, pytest.raises(Conflict):
        reorganise(session, [], actor="account:1", now=MARCH + timedelta(1))
