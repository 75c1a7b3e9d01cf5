"""Files into the database: twice is once, mistakes change nothing, a plan that runs is not overwritten."""

from __future__ import annotations

from datetime import date

import pytest
from ground.factory import add_contact, at, directory, item, lay, plan_file, policy, real_plan, row, rows, store

from engine.agencies.directory_loading import expand_owners, load_directory, name_on
from engine.assignments import calendar_change
from engine.assignments.calendar_change import CalendarChange
from engine.errors import BadInput, Conflict
from engine.files.plan_parts import DutyEntry
from engine.plans.loading import FileDays, file_days, load_file_days, load_plan
from engine.rules.calendar import DayException, DayKind
from engine.store.database import Database
from engine.store.records import (
    Agency,
    AgencyGroup,
    CalendarDay,
    Contact,
    Duty,
    Event,
    Plan,
    PolicyRecord,
    Succession,
)
from engine.terms import Role

NOW, LATER = at("2021-04-07"), at("2021-05-01")
EVERYTHING = (Agency, AgencyGroup, Contact, Succession, PolicyRecord, CalendarDay, Plan, Duty)


def test_the_same_files_twice_change_nothing(database: Database) -> None:
    store(database, now=NOW)
    before = [rows(database, model) for model in (*EVERYTHING, Event)]
    store(database, now=NOW)
    assert [rows(database, model) for model in (*EVERYTHING, Event)] == before


def test_a_plan_keeps_its_words_and_expands_its_groups(database: Database) -> None:
    laid = store(database, now=NOW)
    plan = row(database, Plan, id=laid.plan_id)
    assert (plan.number, plan.issuer_id, plan.year, plan.sms_name) == ("12/KH-UBND", "tinh", 2021, "KH12")
    duty = row(database, Duty, citation="IV.2.1")
    assert (duty.owners, duty.heading, duty.text) == (["huyen-a", "huyen-b"], "Mục 2", "Việc thứ 2.")
    assert row(database, Duty, citation="IV.3.1").request is True
    assert row(database, Duty, citation="IV.4.1").waits_for == ["IV.1.1", "IV.2.1"]


DUTY = {
    "citation": "IV.2.1",
    "text": "Việc đầy đủ.",
    "cadence": ["month"],
    "rule": "gui-tinh",
    "coordinating": ["so-chinh"],
    "area": "II.1",
    "owners": ["so-ban"],
    "repeats": "IV.1.1",
    "waits_for": ["IV.1.1"],
    "output": {"what": "Quyết định", "kind": "document"},
}
"""A value of every field of a duty in the plan file that is a column, none of which is the default."""
IN_THE_FILE_ALONE = {"cadence_choices": "chosen among at activation, from the file that the plan keeps"}


def test_every_field_of_a_duty_in_the_file_is_a_column_that_is_filled_or_named_here(database: Database) -> None:
    """A mark that loading forgets keeps the column's default, and nothing says so."""
    assert DutyEntry.model_fields.keys() == DUTY.keys() | IN_THE_FILE_ALONE.keys()
    items, areas = (item(1, "so-ban"), item(2, "so-ban", **DUTY)), [{"code": "II.1", "title": "Tài chính"}]
    store(database, now=NOW, plan=plan_file(items=items, focus_areas=areas))
    stored = row(database, Duty, citation=DUTY["citation"])
    assert {name: getattr(stored, name) for name in DUTY} == DUTY


def test_a_plan_that_is_not_active_is_replaced_by_a_new_text(database: Database) -> None:
    first = store(database, now=NOW)
    second = store(database, now=LATER, plan=plan_file(items=(item(1, "so-ban"),)))
    assert second.plan_id == first.plan_id
    assert [each.citation for each in rows(database, Duty)] == ["IV.1.1"]
    assert len(rows(database, Event, kind="plan_loaded")) == 2


def test_an_active_plan_is_not_replaced_but_may_be_loaded_again_unchanged(database: Database) -> None:
    laid = lay(database, now=NOW)
    assert store(database, now=LATER).plan_id == laid.plan_id
    with pytest.raises(Conflict, match="đang thực hiện"):
        store(database, now=LATER, plan=plan_file(items=(item(1, "so-ban"),)))
    assert len(rows(database, Duty)) == 4


def test_numbers_restart_each_january(database: Database) -> None:
    this_year = store(database, now=NOW)
    next_year = store(database, now=NOW, plan=plan_file(year=2022, issued_on=date(2022, 1, 10)))
    assert this_year.plan_id != next_year.plan_id


def test_two_plans_of_a_number_for_one_year_are_two_if_they_were_issued_in_two(database: Database) -> None:
    early = store(database, now=NOW, plan=plan_file(issued_on=date(2020, 11, 20)))
    late = store(database, now=NOW, plan=plan_file(issued_on=date(2021, 1, 10)))
    assert early.plan_id != late.plan_id
    assert [each.year for each in rows(database, Plan)] == [2021, 2021]


def test_a_plan_loaded_for_the_wrong_year_is_replaced_once_its_year_is_corrected(database: Database) -> None:
    wrong = store(database, now=NOW, plan=plan_file(issued_on=date(2021, 11, 20)))
    right = store(database, now=NOW, plan=plan_file(issued_on=date(2021, 11, 20), year=2022))
    assert (right.plan_id, row(database, Plan, id=right.plan_id).year) == (wrong.plan_id, 2022)


@pytest.mark.parametrize(
    ("plan", "named"),
    [
        (plan_file(items=(item(1, "so-khong-co"),)), "so-khong-co"),
        (plan_file(issuer="tinh-khac"), "tinh-khac"),
        (plan_file(supervisor="so-khac"), "so-khac"),
        (plan_file(policy="nghiem-hon"), "nghiem-hon"),
    ],
)
def test_a_plan_that_names_what_nobody_knows_is_refused_whole(database: Database, plan: object, named: str) -> None:
    with pytest.raises(BadInput, match=named):
        store(database, now=NOW, plan=plan)
    assert rows(database, Plan) == []
    assert rows(database, Agency) == []  # one unit of work


def test_a_directory_renames_and_adds_and_removes_nobody(database: Database) -> None:
    store(database, now=NOW)
    names = [{"name": "Sở Ban", "until": "2021-04-30"}, {"name": "Sở Ban mới", "short": "SBM", "from": "2021-05-01"}]
    with database.write() as session:
        load_directory(session, directory(so_ban={"names": names}, so_moi={}), actor="cli:test", now=LATER)
    renamed = row(database, Agency, id="so-ban")
    assert (renamed.name, renamed.short) == ("Sở Ban mới", "SBM")
    assert name_on(renamed.names, date(2021, 4, 30)) == "Sở Ban"
    assert name_on(renamed.names, date(2021, 5, 1)) == "Sở Ban mới"
    assert len(rows(database, Agency)) == 7


def test_contacts_are_added_and_never_doubled_or_removed(database: Database) -> None:
    store(database, now=NOW)
    mine = add_contact(database, "so-ban", Role.COORDINATOR)
    before = len(rows(database, Contact))
    more = [{"role": "deputy", "email": "deputy@so-ban.example", "from": "2021-05-01"}]
    with database.write() as session:
        load_directory(session, directory(so_ban={"contacts": more}), actor="cli:test", now=LATER)
    assert len(rows(database, Contact)) == before + 1
    assert row(database, Contact, id=mine).email == "coordinator2@so-ban.example"
    assert row(database, Contact, role=Role.DEPUTY).valid_from == date(2021, 5, 1)


def test_bodies_may_stand_in_the_file_before_the_body_above_them(database: Database) -> None:
    store(database, now=NOW, bodies=directory(tinh={"parent": "trung-uong"}, trung_uong={}))
    assert row(database, Agency, id="tinh").parent_id == "trung-uong"


def test_successions_are_kept_with_date_function_and_basis(database: Database) -> None:
    edge = {"to": "so-chinh", "on": "2025-03-01", "basis": "NQ 42/2025", "function": "phòng, chống tệ nạn"}
    for _ in range(2):
        store(database, now=NOW, bodies=directory(so_ban={"successors": [edge]}))
    kept = row(database, Succession)
    assert (kept.from_id, kept.to_id, kept.on) == ("so-ban", "so-chinh", date(2025, 3, 1))
    assert (kept.function, kept.basis) == ("phòng, chống tệ nạn", "NQ 42/2025")


def test_a_policy_is_replaced_by_its_id(database: Database) -> None:
    store(database, now=NOW)
    store(database, now=LATER, rules=policy(name="Nhắc sớm hơn"))
    assert row(database, PolicyRecord).body["name"] == "Nhắc sớm hơn"
    assert len(rows(database, Event, kind="policy_loaded")) == 2


JAN_10, JAN_2, JUNE_17 = date(2026, 1, 10), date(2026, 1, 2), date(2021, 6, 17)


def by_file(database: Database, *days: DayException, drop: bool = False) -> FileDays:
    """The days of a calendar file, loaded as the command does."""
    with database.write() as session:
        found = file_days(session, days, drop=drop)
        load_file_days(session, found, actor="cli:test", now=NOW)
    return found


def on_page(database: Database, change: CalendarChange) -> None:
    with database.write() as session:
        calendar_change.apply(session, change, actor="account:1", now=NOW)


def kinds(database: Database) -> dict[date, DayKind]:
    return {each.day: each.kind for each in rows(database, CalendarDay)}


def test_days_the_operator_edited_are_not_overwritten_by_the_file_but_named(database: Database) -> None:
    by_file(database, DayException(JAN_10, DayKind.WORKED, "Làm bù", "CV 15/2025"))
    on_page(database, CalendarChange((DayException(JAN_10, DayKind.DAY_OFF, "Nghỉ", "CV 20"),)))
    found = by_file(database, DayException(JAN_10, DayKind.WORKED, "Làm bù", "CV 15/2025"), drop=True)
    assert (found.kept, kinds(database)) == ((JAN_10,), {JAN_10: DayKind.DAY_OFF})
    on_page(database, CalendarChange(drop=(JAN_10,)))
    found = by_file(database, DayException(JAN_10, DayKind.WORKED, "Làm bù", "CV 15/2025"))
    assert (found.kept, kinds(database)) == ((JAN_10,), {})


def test_a_day_that_the_file_changed_is_changed(database: Database) -> None:
    by_file(database, DayException(JAN_10, DayKind.WORKED, "Làm bù"))
    found = by_file(database, DayException(JAN_10, DayKind.WORKED, "Làm bù", "CV 15/2025"))
    assert (found.changed, row(database, CalendarDay).basis) == ((JAN_10,), "CV 15/2025")
    found = by_file(database, DayException(JAN_10, DayKind.HOLIDAY, "Nghỉ"))
    assert (found.changed, kinds(database)) == ((JAN_10,), {JAN_10: DayKind.HOLIDAY})
    assert by_file(database, DayException(JAN_10, DayKind.HOLIDAY, "Nghỉ")) == FileDays(CalendarChange())


def test_a_day_that_the_file_no_longer_has_is_named_and_dropped_where_that_is_asked(database: Database) -> None:
    own = DayException(date(2026, 3, 3), DayKind.DAY_OFF, "Nghỉ bão")
    earlier = DayException(date(2025, 1, 2), DayKind.DAY_OFF, "Nghỉ")
    worked, swapped = DayException(JAN_10, DayKind.WORKED, "Làm bù"), DayException(JAN_2, DayKind.DAY_OFF, "Hoán đổi")
    by_file(database, earlier, worked, swapped)
    on_page(database, CalendarChange((own,)))
    found = by_file(database, worked)
    assert (found.missing, set(kinds(database))) == ((JAN_2,), {earlier.day, own.day, JAN_10, JAN_2})
    found = by_file(database, worked, drop=True)
    assert (found.change.drop, set(kinds(database))) == ((JAN_2,), {earlier.day, own.day, JAN_10})


def test_a_changed_file_moves_due_dates_with_an_event_each(database: Database) -> None:
    lay(database, now=NOW)
    by_file(database, DayException(JUNE_17, DayKind.DAY_OFF, "Nghỉ"))
    assert len(rows(database, Event, kind="due_moved")) == 4
    by_file(database, DayException(date(2021, 6, 16), DayKind.DAY_OFF, "Nghỉ"), drop=True)
    assert len(rows(database, Event, kind="due_moved")) == 8


def test_owners_are_expanded_each_once_in_order(database: Database) -> None:
    store(database, now=NOW)
    with database.read() as session:
        assert expand_owners(session, ["huyen-b", "cac-huyen", "so-ban"]) == ("huyen-b", "huyen-a", "so-ban")
        with pytest.raises(BadInput, match="khong-co"):
            expand_owners(session, ["khong-co"])


def test_plan_188_comes_whole_from_its_files(database: Database) -> None:
    laid = real_plan(database, now=NOW)
    duties = rows(database, Duty, plan_id=laid.plan_id)
    section_iv = [each.citation for each in duties if each.kind == "assignments"]
    assert len(section_iv) == 26
    assert not any(citation.startswith("IV.14.") for citation in section_iv)
    assert [len(each.owners) for each in duties if each.citation == "IV.16.1"] == [21]
    with database.write() as session:
        assert load_plan(session, _again(database), actor="cli:test", now=LATER) == laid.plan_id


def _again(database: Database) -> object:
    from engine.files.plan import PlanFile

    return PlanFile.model_validate(row(database, Plan).file)
