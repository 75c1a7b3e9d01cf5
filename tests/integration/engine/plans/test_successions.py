"""Agencies end and functions move while a plan runs: who owes, who follows, who is written to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from ground.factory import (
    CONFIG,
    Laid,
    agency,
    at,
    begin,
    directory,
    do,
    lay,
    opened,
    plan_file,
    row,
    rows,
    store,
    swept,
    told,
)
from ground.post import LetterBox, post_office
from sqlalchemy import insert, update

from engine.agencies.agencies import succeed
from engine.agencies.directory_loading import load_directory as store_directory
from engine.assignments.lifecycle import ReportText, report
from engine.assignments.reports.indicators import consolidated
from engine.assignments.weekly_digest import overdue
from engine.errors import BadInput, Conflict, NotFound
from engine.files.calendar import load_calendar_file
from engine.files.directory import load_directory
from engine.files.plan import PlanFile, load_plan
from engine.plans.following import Replaced, Reporting, change_supervisor, proposed_replacements, replace_owner
from engine.queries.figures.plan_progress import standing
from engine.queries.time_class import read_today
from engine.queries.work.report_page import report_page
from engine.rules.calendar import ONE_DAY, local_date
from engine.rules.situation import NO_REPORT, Action
from engine.rules.words import period_words
from engine.store.database import Database, table
from engine.store.records import Agency, AgencyGroup, Assignment, Duty, Event, Letter, Plan, Succession
from engine.terms import EventKind, LetterState, Outcome, Quiet, Role, State
from workflows.run import passes

OPENED, NOW = at("2021-04-07"), at("2021-06-24")
BASIS = "Nghị quyết 01/NQ-HĐND"


def test_another_department_follows_what_is_open_and_what_opens_later(database: Database) -> None:
    laid = lay(database, now=OPENED, bodies=directory(so_moi=agency("so-moi", Role.MONITOR, Role.HEAD, parent="tinh")))
    kept = laid.assignment("IV.1.1", "so-ban")
    for action in (Action.REPORT, Action.ACCEPT):
        do(database, action, kept, now=OPENED + timedelta(1))
    with database.write() as session:
        assert change_supervisor(session, laid.plan_id, "so-moi", basis=BASIS, actor="account:1", now=NOW) > 0
    above = {(each.agency_id, each.period): each.supervisor_id for each in rows(database, Assignment)}
    assert above["huyen-a", "2021-H1"] == "so-moi"
    assert above["so-chinh", "2021-H1"] == "so-moi"  # once its own work was followed by the province
    assert above["so-ban", "2021-H1"] == "so-chinh"  # accepted: the department of its time
    assert row(database, Plan).supervisor_id == "so-moi"
    assert row(database, Event, kind=EventKind.SUPERVISOR_CHANGED).detail == {
        "was": "so-chinh",
        "became": "so-moi",
        "on": "2021-06-24",
        "basis": BASIS,
    }
    swept(database, at("2021-06-25", "07:00"))
    monitors = {email for email, *_ in told(database, date(2021, 6, 25)) if email.startswith("monitor")}
    assert monitors == {"monitor@so-moi.example"}


def test_a_queued_line_for_the_former_monitor_is_dropped(database: Database) -> None:
    laid = lay(database, now=OPENED, bodies=directory(so_moi=agency("so-moi", Role.MONITOR, Role.HEAD, parent="tinh")))
    swept(database, at("2021-06-22", "07:00"))
    assert ("monitor@so-chinh.example" in {email for email, *_ in told(database)}) is True
    with database.write() as session:
        change_supervisor(
            session, laid.plan_id, "so-moi", basis=BASIS, actor="account:1", now=at("2021-06-22", "07:10")
        )
    box = LetterBox()
    asyncio.run(passes.deliver(database, at("2021-06-22", "08:00"), post_office(box)))
    (told_of_the_change,) = (each for each in box.letters if each.to == "monitor@so-chinh.example")
    assert told_of_the_change.subject == "Sắp xếp lại tổ chức: thông báo về kế hoạch · KH 12/KH-UBND"
    assert "quá hạn" not in told_of_the_change.text
    assert "coordinator@huyen-a.example" in {each.to for each in box.letters}


@pytest.mark.parametrize(
    ("to", "basis", "error"),
    [
        ("so-chinh", BASIS, BadInput),
        ("khong-co", BASIS, NotFound),
        ("so-moi", " ", BadInput),
        ("khong-ai", BASIS, Conflict),
        ("da-het", BASIS, Conflict),
    ],
)
def test_who_cannot_follow_a_plan_is_said(laid_wide: Laid, to: str, basis: str, error: type[Exception]) -> None:
    with laid_wide.database.write() as session, pytest.raises(error):
        change_supervisor(session, laid_wide.plan_id, to, basis=basis, actor="account:1", now=NOW)
    assert row(laid_wide.database, Plan).supervisor_id == "so-chinh"


@pytest.fixture
def laid_wide(database: Database) -> Laid:
    gone = agency("da-het", Role.MONITOR) | {"names": [{"name": "Đã hết", "until": "2021-05-01"}]}
    more = directory(so_moi=agency("so-moi", Role.MONITOR), khong_ai=agency("khong-ai"), da_het=gone)
    return lay(database, now=OPENED, bodies=more)


def districts_end(
    laid: Laid, name: str = "huyen-a", to: Iterable[str] = ("huyen-b",), on: date = date(2021, 6, 20)
) -> None:
    with laid.database.write() as session:
        for heir in to:
            succeed(session, name, heir, on=on, function="chung", basis=BASIS, actor="cli:x", now=NOW)
        names = [{"name": "Huyen a", "until": (on - ONE_DAY).isoformat()}]
        session.connection().execute(update(table(Agency)).where(table(Agency).c.id == name).values(names=names))


def test_nobody_is_written_to_after_the_last_day_of_their_agency(database: Database) -> None:
    laid = lay(database, now=OPENED)
    districts_end(laid)
    swept(database, at("2021-06-25", "07:00"))
    assert "huyen-a" not in {
        email.partition("@")[2].partition(".")[0] for email, *_ in told(database, date(2021, 6, 25))
    }
    assert ("coordinator@huyen-b.example") in {email for email, *_ in told(database, date(2021, 6, 25))}


def test_the_monitor_of_an_ended_body_reads_who_follows_it_and_not_that_somebody_is_to_be_named(
    database: Database,
) -> None:
    laid = lay(database, now=OPENED)
    districts_end(laid)
    for day in ("2021-06-22", "2021-06-23"):
        swept(database, at(day, "07:00"))
    box = LetterBox()
    asyncio.run(passes.deliver(database, at("2021-06-23", "08:00"), post_office(box)))
    read = [each for each in box.letters if each.to == "monitor@so-chinh.example" and "huyen-a" not in each.to]
    told_of = "\n".join(each.text for each in read)
    assert "đã kết thúc thứ Bảy, 19/6/2021; Huyen b kế thừa" in told_of or "đã kết thúc 19/6/2021" in told_of
    assert "Đề nghị bổ sung đầu mối" not in told_of


def test_one_successor_takes_over_with_the_dates_and_owns_what_opens_later(database: Database) -> None:
    bodies = directory(huyen_c=agency("huyen-c", Role.COORDINATOR, Role.HEAD, parent="tinh"))
    laid = lay(database, now=OPENED, bodies=bodies)
    districts_end(laid, to=["huyen-c"])
    with database.read() as session:
        (proposed,) = proposed_replacements(session, laid.plan_id, NOW)
    assert (proposed.ended.agency_id, proposed.citations, proposed.heirs) == ("huyen-a", ("IV.2.1",), ("huyen-c",))
    later = row(database, Assignment, id=laid.assignment("IV.2.1", "huyen-a")).due_on + timedelta(days=20)
    with database.write() as session:
        due = {"due_on": later, "nominal_due": later}
        session.connection().execute(
            update(table(Assignment)).where(table(Assignment).c.agency_id == "huyen-a").values(due)
        )
    with database.write() as session:
        done = replace_owner(
            session, laid.plan_id, "huyen-a", proposed.heirs, basis=proposed.basis, actor="account:1", now=NOW
        )
        assert proposed_replacements(session, laid.plan_id, NOW) == ()
    assert done == Replaced(moved=1)
    new = row(database, Assignment, id=laid.assignment("IV.2.1", "huyen-c"))
    assert (new.due_on, new.state, new.period) == (later, State.ASSIGNED, "2021-H1")
    assert new.due_why["vi"] == (
        "thay cho Huyen a (kết thúc thứ Bảy, 19/6/2021), theo Nghị quyết 01/NQ-HĐND; hạn giữ nguyên"
    )
    assert row(database, Duty, citation="IV.2.1").owners == ["huyen-c", "huyen-b"]


def test_a_successor_that_owes_the_same_already_owes_it_once(database: Database) -> None:
    laid = lay(database, now=OPENED)
    districts_end(laid, on=date(2021, 6, 10))
    with database.write() as session:
        done = replace_owner(session, laid.plan_id, "huyen-a", ["huyen-b"], basis=BASIS, actor="account:1", now=NOW)
    assert done == Replaced(merged=1)
    assert row(database, Duty, citation="IV.2.1").owners == ["huyen-b"]


def test_what_was_over_before_the_last_day_stays_in_the_figures_and_is_asked_on_a_line_of_its_own(
    database: Database,
) -> None:
    laid = communes(database)
    before = figures_of(database, laid, "2021-H1")
    districts_end(laid, to=["xa-a", "xa-b"])
    with database.write() as session:
        done = replace_owner(
            session, laid.plan_id, "huyen-a", ["xa-a", "xa-b"], basis=BASIS, actor="account:1", now=NOW
        )
    assert done == Replaced(opened=2, kept=1)
    assert figures_of(database, laid, "2021-H1") == before
    old = row(database, Assignment, id=laid.assignment("IV.2.1", "huyen-a"))
    assert (old.state, old.next_action_at, old.quiet) == (State.ASSIGNED, None, Quiet.FOLLOWED)
    assert owed_by(database, "xa-a", "xa-b") == {("xa-a", "2021-H1~210620"), ("xa-b", "2021-H1~210620")}
    assert period_words("2021-H1~210620", "vi") == "6 tháng đầu năm 2021 (sau 20/6/2021)"
    swept(database, at("2021-07-20", "07:00"))
    with database.read() as session:
        assert {each.agency_id for each in overdue(session, date(2021, 7, 20), issuers=["tinh"])} == {
            "so-chinh",
            "so-ban",
            "mat-tran",
            "huyen-b",
            "xa-a",
            "xa-b",
        }


def figures_of(database: Database, laid: Laid, period: str) -> object:
    """Of the day before the acts of these tests: from then on what an ended body owes is asked of nobody."""
    with database.read() as session:
        found = standing(session, date(2021, 6, 23), plan_id=laid.plan_id, period=period)
        return found, consolidated(session, laid.plan_id, period)


@pytest.mark.parametrize(
    ("reporting", "owed"),
    [
        (Reporting.ALL, {("xa-a", "2021-H1~210620"), ("xa-b", "2021-H1~210620")}),
        (Reporting.SEAT, {("xa-b", "2021-H1~210620")}),
        (Reporting.NONE, set()),
    ],
)
def test_one_named_successor_reports_for_the_ended_body_or_all_or_none(
    database: Database, reporting: Reporting, owed: set[tuple[str, str]]
) -> None:
    laid = communes(database)
    districts_end(laid, to=["xa-a", "xa-b"])
    with database.write() as session:
        s = table(Succession)
        session.connection().execute(update(s).where(s.c.to_id == "xa-b").values(seat=True))
        act = {"basis": BASIS, "actor": "account:1", "now": NOW}
        replace_owner(session, laid.plan_id, "huyen-a", ["xa-a", "xa-b"], reporting=reporting, **act)
    assert owed_by(database, "xa-a", "xa-b") == owed
    assert row(database, Duty, citation="IV.2.1").owners == ["xa-a", "xa-b", "huyen-b"]


def test_without_a_known_seat_nobody_reports_alone_for_it(database: Database) -> None:
    laid = communes(database)
    districts_end(laid, to=["xa-a", "xa-b"])
    heirs = ["xa-a", "xa-b"]
    with database.write() as session, pytest.raises(BadInput, match="trụ sở"):
        replace_owner(
            session, laid.plan_id, "huyen-a", heirs, basis=BASIS, reporting=Reporting.SEAT, actor="cli:x", now=NOW
        )


def test_who_only_held_the_place_of_a_group_takes_nothing_over(database: Database) -> None:
    laid = communes(database)
    with database.write() as session:
        held = insert(table(Agency)).values(
            id="xa", level="xa", name="Các xã", short="Các xã", names=[{"name": "Các xã"}], aliases=[]
        )
        session.connection().execute(held)
        group = insert(table(AgencyGroup)).values(id="nhom-xa", name="Các xã", aliases=[], members=["xa-a", "xa-b"])
        session.connection().execute(group)
    districts_end(laid, to=["xa", "xa-a", "xa-b"])
    with database.read() as session:
        assert proposed_replacements(session, laid.plan_id, NOW)[0].heirs == ("xa-a", "xa-b")
    with database.write() as session, pytest.raises(BadInput, match="giữ chỗ"):
        replace_owner(session, laid.plan_id, "huyen-a", ["xa"], basis=BASIS, actor="account:1", now=NOW)


def test_of_several_successors_each_has_its_own_and_time_for_it(database: Database) -> None:
    bodies = directory(
        xa_a=agency("xa-a", Role.COORDINATOR, parent="tinh"), xa_b=agency("xa-b", Role.COORDINATOR, parent="tinh")
    )
    laid = lay(database, now=OPENED, bodies=bodies)
    districts_end(laid, to=["xa-a", "xa-b"])
    with database.write() as session:
        done = replace_owner(
            session, laid.plan_id, "huyen-a", ["xa-a", "xa-b"], basis=BASIS, actor="account:1", now=NOW
        )
    assert done == Replaced(opened=2, kept=1)
    for name in ("xa-a", "xa-b"):
        assert row(database, Assignment, agency_id=name).due_on > local_date(NOW)
    assert row(database, Duty, citation="IV.2.1").owners == ["xa-a", "xa-b", "huyen-b"]


@pytest.mark.parametrize("asked_of", ["cac-huyen", "huyen-a"])
def test_the_figures_of_an_ended_body_are_asked_of_who_follows_it(database: Database, asked_of: str) -> None:
    figure = {
        "code": "II.1",
        "name": "Số xã",
        "text": "Số xã",
        "unit": "count",
        "aggregate": "sum",
        "asked_of": [asked_of],
    }
    bodies = directory(
        xa_a=agency("xa-a", Role.COORDINATOR, parent="tinh"), xa_b=agency("xa-b", Role.COORDINATOR, parent="tinh")
    )
    laid = lay(database, now=OPENED, plan=plan_file(indicators=[figure]), bodies=bodies)
    districts_end(laid, to=["xa-a", "xa-b"])
    with database.write() as session:
        replace_owner(session, laid.plan_id, "huyen-a", ["xa-a", "xa-b"], basis=BASIS, actor="account:1", now=NOW)
    with database.read() as session:
        today = read_today(session, NOW)
        page = report_page(session, today, "xa-a", laid.plan_id, "2021-H1~210620")
        (line,) = consolidated(session, laid.plan_id, "2021-H1~210620").lines
        (of_the_time,) = consolidated(session, laid.plan_id, "2021-H1").lines
    assert [each.code for each in page.indicators] == ["II.1"]
    assert {each.agency_id for each in line.given} == {"xa-a", "xa-b"}
    assert "huyen-a" in {each.agency_id for each in of_the_time.given}


# --- Nghệ An, 1 December 2024 to 1 July 2025: 21 districts, 20, then 130 communes and wards ---------------------------

MERGED, DEPARTMENTS, COMMUNES = date(2024, 12, 1), date(2025, 3, 1), date(2025, 7, 1)
GROUP = "xa-phuong-130"


def nghe_an(database: Database) -> Laid:
    """Plan 188 as if issued for 2025, running since 25 November 2024."""
    now, bodies = at("2024-11-25"), load_directory(CONFIG / "agencies" / "nghe-an-2021.yaml")
    file = load_plan(CONFIG / "plans" / "188-kh-ubnd-2021.yaml", bodies).model_dump(by_alias=True)
    file |= {"number": "1/KH-UBND", "year": 2025, "issued_on": date(2024, 11, 25)}
    calendar = load_calendar_file(CONFIG / "calendars" / "vn.yaml").calendar()
    days = tuple(calendar.exceptions.values())
    return begin(store(database, now=now, plan=PlanFile.model_validate(file), bodies=bodies, days=days), now=now)


def day_of_change(laid: Laid, on: date, supervisor: str = "", communes: bool = False) -> None:
    """What an administrator does that morning: every proposal confirmed, the districts' communes named as a group."""
    now = at(on.isoformat(), "06:30")
    act = {"actor": "account:1", "now": now}
    with laid.database.write() as session:
        if communes:
            later = load_directory(CONFIG / "agencies" / "nghe-an-2025.yaml")
            store_directory(session, later, **act)
        if supervisor:
            change_supervisor(session, laid.plan_id, supervisor, basis=BASIS, **act)
        for each in proposed_replacements(session, laid.plan_id, now):
            heirs = each.heirs if communes else each.heirs[:1]
            replace_owner(session, laid.plan_id, each.ended.agency_id, heirs, basis=each.basis, **act)
        assert proposed_replacements(session, laid.plan_id, now) == ()


def lifetimes(database: Database) -> dict[str, tuple[date, date]]:
    def day(text: str | None, default: date) -> date:
        return date.fromisoformat(text) if text else default

    return {
        each.id: (day(each.names[0].get("from"), date.min), day(each.names[-1].get("until"), date.max))
        for each in rows(database, Agency)
    }


@pytest.mark.deep
def test_nghe_an_from_21_districts_to_130_communes_loses_no_duty_and_writes_to_no_body_that_is_not(
    sqlite_database: Database,
) -> None:
    database, box = sqlite_database, LetterBox()
    laid = nghe_an(database)

    def live(start: date, until: date) -> None:
        """Two ticks every tenth day: what was missed is caught up with."""
        for n in range(0, (until - start).days, 10):
            for wall in ("07:05", "08:00"):
                asyncio.run(passes.tick(database, at((start + timedelta(n)).isoformat(), wall), post_office(box)))

    live(date(2024, 11, 25), MERGED)
    day_of_change(laid, MERGED)
    live(MERGED, DEPARTMENTS)
    day_of_change(laid, DEPARTMENTS, supervisor="so-noi-vu")
    live(DEPARTMENTS, COMMUNES)
    owed = {(each.duty_id, each.period.partition("~")[0]) for each in asked(database)}
    assert owed
    day_of_change(laid, COMMUNES, communes=True)
    live(COMMUNES, date(2025, 7, 20))

    alive = lifetimes(database)
    sent = [each for each in rows(database, Letter) if each.state is not LetterState.SUPPRESSED]
    outside = [
        (each.agency_id, each.day)
        for each in sent
        if not alive[each.agency_id][0] <= each.day <= alive[each.agency_id][1]
    ]
    assert outside == []
    assert {each.agency_id for each in sent} & {each.id for each in rows(database, Agency) if each.level == "xa"}
    now_owed = {(each.duty_id, each.period.partition("~")[0]) for each in asked(database)}
    assert owed <= now_owed
    owners = {each.agency_id for each in asked(database)}
    assert {name for name in owners if alive[name][1] < COMMUNES} == set()
    named = {name for each in rows(database, Duty) for name in each.owners}
    assert {name for name in named if alive[name][1] < COMMUNES} == set()
    assert {each.supervisor_id for each in asked(database)} <= {
        "so-noi-vu",
        "ubnd-tinh",
    }
    monitors = {each.agency_id for each in sent if each.role is Role.MONITOR and each.day > DEPARTMENTS}
    assert "so-ldtbxh" not in monitors


# --- only what the ended body still owed --------------------------------------------------------------------------


def communes(database: Database) -> Laid:
    bodies = directory(
        xa_a=agency("xa-a", Role.COORDINATOR, parent="tinh"), xa_b=agency("xa-b", Role.COORDINATOR, parent="tinh")
    )
    return lay(database, now=OPENED, bodies=bodies)


def asked(database: Database) -> list[Assignment]:
    """What somebody is asked for: all that is open but what stays in the figures of ended bodies."""
    return [
        each
        for each in rows(database, Assignment)
        if each.state in NO_REPORT.states and each.quiet is not Quiet.FOLLOWED
    ]


def owed_by(database: Database, *agencies: str) -> set[tuple[str, str]]:
    """(agency, period) of what they owe."""
    return {
        (each.agency_id, each.period)
        for each in rows(database, Assignment)
        if each.agency_id in agencies and each.state in NO_REPORT.states
    }


@pytest.mark.parametrize("heirs", [("xa-a", "xa-b"), ("xa-a",), ("huyen-b",)])
def test_successors_are_not_asked_for_what_the_ended_body_has_reported(
    database: Database, heirs: tuple[str, ...]
) -> None:
    """huyen-b still owes its own report of the half-year, so the period is open with one owner of the duty."""
    laid = communes(database)
    for action in (Action.REPORT, Action.ACCEPT):
        do(database, action, laid.assignment("IV.2.1", "huyen-a"), now=at("2021-06-16"))
    districts_end(laid, to=heirs)
    with database.write() as session:
        done = replace_owner(session, laid.plan_id, "huyen-a", heirs, basis=BASIS, actor="account:1", now=NOW)
    assert done == Replaced()
    assert owed_by(database, "xa-a", "xa-b") == set()
    assert owed_by(database, "huyen-b") == {("huyen-b", "2021-H1")}


def test_successors_owe_the_period_that_the_ended_body_still_owed_alone(database: Database) -> None:
    laid = communes(database)
    for action in (Action.REPORT, Action.ACCEPT):
        do(database, action, laid.assignment("IV.2.1", "huyen-b"), now=at("2021-06-16"))
    districts_end(laid, to=["xa-a", "xa-b"])
    with database.write() as session:
        replace_owner(session, laid.plan_id, "huyen-a", ["xa-a", "xa-b"], basis=BASIS, actor="account:1", now=NOW)
    assert owed_by(database, "xa-a", "xa-b") == {("xa-a", "2021-H1~210620"), ("xa-b", "2021-H1~210620")}


def test_a_later_period_opens_with_the_successors_and_no_earlier_one_does(database: Database) -> None:
    laid = communes(database)
    for action in (Action.REPORT, Action.ACCEPT):
        do(database, action, laid.assignment("IV.2.1", "huyen-a"), now=at("2021-06-16"))
    districts_end(laid, to=["xa-a", "xa-b"])
    with database.write() as session:
        replace_owner(session, laid.plan_id, "huyen-a", ["xa-a", "xa-b"], basis=BASIS, actor="account:1", now=NOW)
    opened(database, at("2021-10-01"))
    assert owed_by(database, "xa-a", "xa-b") == {("xa-a", "2021-Y"), ("xa-b", "2021-Y")}


def test_a_task_that_the_ended_body_left_unfinished_is_its_successors_and_no_longer_its_own(
    database: Database,
) -> None:
    laid = communes(database)
    task = laid.assignment("IV.2.1", "huyen-a")
    with database.write() as session:
        unfinished = ReportText(outcome=Outcome.PARTLY, body="Đã làm 3 xã.", reason="Chờ kinh phí.")
        report(session, task, unfinished, actor="contact:1", now=at("2021-06-16"))
    do(database, Action.ACCEPT, task, now=at("2021-06-17"))
    districts_end(laid, to=["xa-a", "xa-b"])
    with database.write() as session:
        replace_owner(session, laid.plan_id, "huyen-a", ["xa-a", "xa-b"], basis=BASIS, actor="account:1", now=NOW)
    assert owed_by(database, "xa-a", "xa-b") == {("xa-a", "2021-H1~210620"), ("xa-b", "2021-H1~210620")}
    kept = row(database, Assignment, id=task)
    assert (kept.state, kept.outcome, kept.next_action_at) == (State.ACCEPTED, Outcome.PARTLY, None)
