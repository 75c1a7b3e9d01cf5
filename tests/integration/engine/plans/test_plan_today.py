"""Next year's plan starts from the plan as it is today: what was changed during the year, each a point to confirm."""

from __future__ import annotations

from datetime import date

import pytest
from ground.factory import Laid, agency, at, directory, item, lay, plan_file, rows
from sqlalchemy import update

from engine.agencies.agencies import succeed
from engine.agencies.directory_loading import read_directory
from engine.errors import NotFound
from engine.files.plan import PlanFile
from engine.files.plan_renewal import Point, renew
from engine.files.yaml_reader import read
from engine.plans.amendments import Amendment, NewDuty, add_duty, amend_duty, drop_duty
from engine.plans.following import change_supervisor, replace_owner
from engine.plans.plan_today import plan_today
from engine.rules.calendar import WorkCalendar
from engine.store.database import Database, table
from engine.store.records import Agency, Duty
from engine.terms import Role

OPENED, NOW = at("2021-04-07"), at("2021-06-24")
ACT = {"actor": "account:1", "now": NOW}
FIGURE = {"code": "II.1", "text": "Số xã", "name": "Số xã", "unit": "count", "asked_of": ["cac-huyen"]}


@pytest.fixture
def laid(database: Database) -> Laid:
    bodies = directory(
        xa_a=agency("xa-a", Role.COORDINATOR, parent="tinh"),
        xa_b=agency("xa-b", Role.COORDINATOR, parent="tinh"),
        so_moi=agency("so-moi", Role.MONITOR, parent="tinh"),
    )
    return lay(database, now=OPENED, plan=plan_file(indicators=[FIGURE]), bodies=bodies)


def today(laid: Laid) -> tuple[PlanFile, tuple[Point, ...]]:
    with laid.database.read() as session:
        return plan_today(session, laid.plan_id, read_directory(session))


def duty(laid: Laid, citation: str) -> int:
    return int(next(each.id for each in rows(laid.database, Duty) if each.citation == citation))


def test_a_plan_that_nobody_changed_is_its_file(laid: Laid) -> None:
    file, points = today(laid)
    assert points == ()
    assert file == plan_file(indicators=[FIGURE])


def test_what_was_changed_is_taken_over_and_named(laid: Laid) -> None:
    with laid.database.write() as session:
        for heir in ("xa-a", "xa-b"):
            succeed(session, "huyen-a", heir, on=date(2021, 6, 20), basis="NQ 1", **ACT)
        names = [{"name": "Huyện A", "until": "2021-06-19"}]
        session.connection().execute(update(table(Agency)).where(table(Agency).c.id == "huyen-a").values(names=names))
    with laid.database.write() as session:
        change_supervisor(session, laid.plan_id, "so-moi", basis="QĐ 2", **ACT)
        replace_owner(session, laid.plan_id, "huyen-a", ["xa-a", "xa-b"], basis="NQ 1", **ACT)
        amend_duty(session, duty(laid, "IV.1.1"), Amendment(basis="CV 3", text="Việc đã sửa."), **ACT)
        drop_duty(session, duty(laid, "IV.3.1"), basis="CV 4", **ACT)
        added = NewDuty(text="Việc thêm.", owners=("so-ban",), due=date(2021, 9, 30), basis="CV 5")
        add_duty(session, laid.plan_id, added, **ACT)
    file, points = today(laid)
    assert file.supervisor == "so-moi"
    assert {rule.to for rule in file.report_rules.values()} == {"so-moi", "tinh"}
    assert file.duties["IV.2.1"].owners == ("xa-a", "xa-b", "huyen-b")
    assert file.duties["IV.1.1"].duty.text == "Việc đã sửa."
    assert "IV.3.1" not in file.duties
    assert file.duties["IV.5.1"].duty.text == "Việc thêm."
    assert set(file.indicators[0].asked_of) == {"xa-a", "xa-b", "huyen-b"}
    assert {point.place for point in points} == {"supervisor", "IV.2.1.owners", "IV.1.1", "IV.3.1", "IV.5.1", "II.1"}
    issue = {"year": 2022, "number": "9/KH-UBND", "issued_on": date(2021, 11, 20)}
    with laid.database.read() as session:
        bodies = read_directory(session)
    text, said = renew(file, calendar=WorkCalendar(), directory=bodies, changed=points, **issue)
    new = read(text, PlanFile)
    assert new.report_rules["bo-sung-1"].on == date(2022, 9, 30)
    assert said[: len(points)] == points
    assert "huyen-a" not in {point.place for point in said}  # nothing is asked twice


def test_what_a_dropped_duty_was_waited_for_is_waited_for_no_more(database: Database) -> None:
    items = (item(1, "so-ban"), item(2, "so-chinh", waits_for=("IV.1.1",)))
    laid = lay(database, now=OPENED, plan=plan_file(items=items))
    with database.write() as session:
        drop_duty(session, duty(laid, "IV.1.1"), basis="CV 4", **ACT)
    assert today(laid)[0].duties["IV.2.1"].duty.waits_for == ()


def test_what_stands_behind_a_dropped_duty_moves_up_and_the_plan_can_be_renewed(database: Database) -> None:
    one, two, three = (
        {"text": f"Việc {n}.", "cadence": ["half_year", "year"], "rule": "gui-so", "citation": f"IV.1.{n}"}
        for n in (1, 2, 3)
    )
    several = item(1, "so-ban") | {"duties": [one, two, three | {"repeats": "IV.1.1", "waits_for": ["IV.2.1"]}]}
    figure = FIGURE | {"asked_of": ["IV.1.3"]}
    laid = lay(database, now=OPENED, plan=plan_file(items=(several, item(2, "so-chinh")), indicators=[figure]))
    with database.write() as session:
        drop_duty(session, duty(laid, "IV.1.2"), basis="CV 4", **ACT)
    file, points = today(laid)
    assert [*file.duties] == ["IV.1.1", "IV.1.2", "IV.2.1"]
    moved = file.duties["IV.1.2"].duty
    assert (moved.text, moved.repeats, moved.waits_for) == ("Việc 3.", "IV.1.1", ("IV.2.1",))
    assert file.indicators[0].asked_of == ("IV.1.2",)
    assert [point.vi for point in points if point.place == "IV.1.2"][-1] == "IV.1.3 nay là IV.1.2"
    with database.read() as session:
        bodies = read_directory(session)
    issue = {"year": 2022, "number": "9/KH-UBND", "issued_on": date(2021, 11, 20)}
    text, _ = renew(file, calendar=WorkCalendar(), directory=bodies, changed=points, **issue)
    assert [*read(text, PlanFile).duties] == ["IV.1.1", "IV.1.2", "IV.2.1"]


def test_of_no_plan_there_is_nothing(laid: Laid) -> None:
    with laid.database.read() as session, pytest.raises(NotFound):
        plan_today(session, 99, read_directory(session))
