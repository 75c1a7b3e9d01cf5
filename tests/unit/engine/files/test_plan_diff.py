"""What an amended plan changes, and for whom."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ground.factory import CONFIG, ISSUED, ITEMS, directory, item, plan_file

from engine.files.calendar import load_calendar
from engine.files.directory import load_directory
from engine.files.plan import PlanFile, load_plan
from engine.files.plan_diff import Change, DueChange, PlanDiff, compare
from engine.rules.calendar import WorkCalendar

CALENDAR = WorkCalendar()


def changed(*items: Any, **settings: Any) -> PlanDiff:
    return compare(plan_file(), plan_file(items=items or ITEMS, **settings), directory(), CALENDAR)


def test_a_plan_against_itself_changes_nothing() -> None:
    found = changed()
    assert (found.duties, found.settings, found.agencies) == ((), (), ())
    assert "không thay đổi" in found.text()


def test_a_new_duty_concerns_its_owners_alone() -> None:
    found = changed(*ITEMS, item(5, "huyen-a", text="Lập danh sách cơ sở kinh doanh."))
    (duty,) = found.duties
    assert (duty.citation, duty.changes, found.agencies) == ("IV.5.1", {Change.ADDED}, ("huyen-a",))  # type: ignore
    assert "IV.5.1: nhiệm vụ mới" in found.text()


def test_a_duty_taken_out_is_told_to_those_who_owned_it() -> None:
    found = changed(ITEMS[0], ITEMS[2], item(4, "so-chinh", rule="gui-tinh"))
    gone = next(duty for duty in found.duties if Change.REMOVED in duty.changes)
    assert (gone.was, gone.now, gone.owners_removed) == ("IV.2.1", "", ("huyen-a", "huyen-b"))


def test_a_duty_with_another_number_is_moved_and_not_new() -> None:
    found = changed(ITEMS[0], ITEMS[1], ITEMS[2], item(7, "so-chinh", rule="gui-tinh", text="Việc thứ 4."))
    (duty,) = found.duties
    assert (duty.was, duty.now, duty.changes) == ("IV.4.1", "IV.7.1", {Change.MOVED})  # type: ignore[comparison-overlap]
    assert "đổi số, từ IV.4.1" in found.text()


def test_a_duty_with_other_words_is_reworded_and_shows_both() -> None:
    was = plan_file(items=(item(1, "so-ban", text="Tổ chức tuyên truyền, tập huấn cho cán bộ cấp xã."),))
    now = plan_file(items=(item(1, "so-ban", text="Tổ chức tuyên truyền, tập huấn cho cán bộ cấp huyện, cấp xã."),))
    found = compare(was, now, directory(), CALENDAR)
    assert [duty.changes for duty in found.duties] == [{Change.REWORDED}]
    assert "+ Tổ chức tuyên truyền, tập huấn cho cán bộ cấp huyện, cấp xã." in found.text()


def test_another_owner_concerns_who_comes_and_who_goes_and_nobody_else() -> None:
    found = changed(ITEMS[0], item(2, "huyen-a", "mat-tran"), *ITEMS[2:])
    (duty,) = found.duties
    assert (duty.owners_added, duty.owners_removed) == (("mat-tran",), ("huyen-b",))
    assert set(found.agencies) == {"mat-tran", "huyen-b"}
    assert "thôi chủ trì" in found.text()


def test_due_dates_and_cycles_are_compared_as_they_fall() -> None:
    found = changed(item(1, "so-ban", rule="gui-tinh", cadence=["half_year"]), *ITEMS[1:])
    (duty,) = found.duties
    assert duty.changes == {Change.DUE, Change.CADENCE}
    assert duty.due[0] == DueChange("2021-H1", date(2021, 6, 17), date(2021, 6, 21))
    assert DueChange("2021-Y", date(2021, 12, 17), None) in duty.due


def test_between_years_only_days_that_fall_otherwise_count() -> None:
    now = plan_file(year=2022, issued_on=ISSUED.replace(year=2022), number="9/KH-UBND")
    found = compare(plan_file(), now, directory(), CALENDAR)
    fallen = {(duty.citation, each.period) for duty in found.duties for each in duty.due}
    assert ("IV.1.1", "Y") in fallen, "17/12/2022 is a Saturday"
    assert ("IV.1.1", "H1") not in fallen, "17/6 is a working day in both years"


def test_what_the_plan_itself_is_called_is_compared_too() -> None:
    assert changed(supervisor="tinh").settings == (("supervisor", "so-chinh", "tinh"),)


def test_a_figure_that_becomes_a_total_says_of_which() -> None:
    parts = {"code": "II.1", "text": "x", "name": "Số xã", "unit": "count", "aggregate": "sum", "target": 40}
    total = {"code": "II.1.b", "text": "x", "name": "Toàn tỉnh", "unit": "count", "asked_of": ["IV.4.1"]}
    was, now = (plan_file(indicators=(parts, total | more)) for more in ({}, {"total_of": "II.1"}))
    assert compare(was, now, directory(), CALENDAR).settings == (
        ("indicators II.1.b", "Toàn tỉnh", "Toàn tỉnh = Σ II.1"),
    )


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_json_and_the_text_name_the_same_bodies(language: str) -> None:
    found = changed(item(1, "mat-tran"), *ITEMS[1:])
    plain = found.json()
    assert plain["agencies"] == {"so-ban": ["IV.1.1"], "mat-tran": ["IV.1.1"]}
    assert all(found.names[each] in found.text(language) for each in plain["agencies"])


def test_the_real_plan_without_a_body_tells_exactly_that_body() -> None:
    bodies = load_directory(CONFIG / "agencies/nghe-an-2021.yaml")
    was = load_plan(CONFIG / "plans/188-kh-ubnd-2021.yaml", bodies)
    plain = was.model_dump(by_alias=True)
    plain["sections"][0]["items"][9]["owners"] = ["so-van-hoa-the-thao"]
    found = compare(was, PlanFile.model_validate(plain), bodies, load_calendar(CONFIG / "calendars/vn.yaml"))
    assert set(found.agencies) == {"so-du-lich", "so-van-hoa-the-thao"}
