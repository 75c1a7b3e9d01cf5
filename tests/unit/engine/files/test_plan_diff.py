"""What an amended plan changes, and for whom."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
from ground.factory import CONFIG, ISSUED, ITEMS, directory, item, plan_file

from engine.files.base_model import FileModel
from engine.files.calendar import load_calendar
from engine.files.changed_fields import Detail
from engine.files.directory import load_directory
from engine.files.plan import PlanFile, load_plan
from engine.files.plan_diff import DueChange, PlanChange, PlanDiff, compare
from engine.files.plan_parts import DutyEntry, Indicator, ItemEntry, ReportRule, Section
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
    assert (duty.citation, duty.changes, found.agencies) == ("IV.5.1", {PlanChange.ADDED}, ("huyen-a",))  # type: ignore
    assert "IV.5.1: nhiệm vụ mới" in found.text()


def test_a_duty_taken_out_is_told_to_those_who_owned_it() -> None:
    found = changed(ITEMS[0], ITEMS[2], item(4, "so-chinh", rule="gui-tinh"))
    gone = next(duty for duty in found.duties if PlanChange.REMOVED in duty.changes)
    assert (gone.was, gone.now, gone.owners_removed) == ("IV.2.1", "", ("huyen-a", "huyen-b"))


def test_a_duty_with_another_number_is_moved_and_not_new() -> None:
    found = changed(ITEMS[0], ITEMS[1], ITEMS[2], item(7, "so-chinh", rule="gui-tinh", text="Việc thứ 4."))
    (duty,) = found.duties
    assert (duty.was, duty.now) == ("IV.4.1", "IV.7.1")
    assert duty.changes == {PlanChange.MOVED, PlanChange.DETAIL}
    assert duty.details == (Detail("waits_for", "IV.1.1, IV.2.1", ""), Detail("item.heading", "Mục 4", "Mục 7"))
    assert "đổi số, từ IV.4.1" in found.text()


def test_a_duty_with_other_words_is_reworded_and_shows_both() -> None:
    was = plan_file(items=(item(1, "so-ban", text="Tổ chức tuyên truyền, tập huấn cho cán bộ cấp xã."),))
    now = plan_file(items=(item(1, "so-ban", text="Tổ chức tuyên truyền, tập huấn cho cán bộ cấp huyện, cấp xã."),))
    found = compare(was, now, directory(), CALENDAR)
    assert [duty.changes for duty in found.duties] == [{PlanChange.REWORDED}]
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
    assert duty.changes == {PlanChange.DUE, PlanChange.CADENCE, PlanChange.DETAIL}
    assert duty.details == (Detail("report.to", "So chinh", "Tinh"),)
    assert duty.due[0] == DueChange("2021-H1", date(2021, 6, 17), date(2021, 6, 21))
    assert DueChange("2021-Y", date(2021, 12, 17), None) in duty.due


OTHERWISE: dict[type[FileModel], dict[str, Any]] = {
    DutyEntry: {
        "citation": "IV.1.2",
        "text": "Việc khác hẳn, viết lại từ đầu đến cuối.",
        "cadence": ["quarter"],
        "rule": "gui-tinh",
        "coordinating": ["mat-tran"],
        "area": "II.1",
        "owners": ["huyen-a"],
        "repeats": "IV.2.1",
        "waits_for": ["IV.2.1"],
        "cadence_choices": ["half_year", "year"],
        "output": {"what": "Quyết định", "kind": "document"},
    },
    ItemEntry: {"no": None, "heading": "Mục khác", "owners": ["huyen-a"], "request": True, "duties": None},
    Section: {"roman": None, "heading": "Phần khác", "kind": "standing", "items": None},
    ReportRule: {
        "source": "plan",
        "basis": "QĐ 5",
        "to": "tinh",
        "due_day": 18,
        "roll": False,
        "wording": "trước ngày 18",
        "window": {"start_day": 1, "end_day": 0, "basis": "Thông tư"},
        "overrides": [{"period": "2021-H1", "due": date(2021, 6, 25), "basis": "CV 12"}],
        "year_covers_h2": False,
        "on": date(2021, 5, 5),
        "months_after_issue": 3,
        "in_last_month": True,
        "in_next_month": True,
        "due_on": ["01/06", "15/11"],
        "due_days": [10, 25],
        "weekday": "monday",
        "ask_day": True,
    },
    PlanFile: {
        "format": None,
        "number": "13/KH-UBND",
        "issuer": "so-chinh",
        "issued_on": date(2021, 4, 8),
        "year": 2022,
        "last_year": 2023,
        "title": "Kế hoạch khác",
        "short_title": "Kế hoạch 13",
        "sms_name": "KH13",
        "supervisor": "tinh",
        "urgency": "khan",
        "policy": "nghiem",
        "directory": "khac",
        "gaps": [{"citation": "IV.2"}],
        "focus_areas": [{"code": "II.2", "title": "Khác"}],
        "indicators": [],
        "report_rules": None,
        "sections": None,
    },
    Indicator: {
        "code": "II.9",
        "text": "Khác",
        "name": "Số khác",
        "unit": "text",
        "asked_of": ["so-ban"],
        "aggregate": "last",
        "min": 1.0,
        "max": 9.0,
        "target": 7.0,
        "part_of": "II.8",
        "total_of": "II.7",
    },
}
"""Another value for every field of the plan file; None where the fields below it, or the citation, are compared."""


INSTEAD_OF_A_DAY: Mapping[str, Any] = {
    "due_on": {"due_on": ["01/06", "15/12"]},
    "due_days": {"due_days": [15, 30]},
    "weekday": {"weekday": "friday"},
    "ask_day": {},
}


@pytest.mark.parametrize("model", OTHERWISE, ids=lambda model: model.__name__)
def test_every_field_of_the_plan_file_is_named_here(model: type[FileModel]) -> None:
    assert OTHERWISE[model].keys() == model.model_fields.keys()


@pytest.mark.parametrize(
    ("model", "field"),
    [(model, field) for model, fields in OTHERWISE.items() for field, value in fields.items() if value is not None],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
def test_no_field_of_the_plan_file_changes_without_being_seen(model: type[FileModel], field: str) -> None:
    """Two plans that differ in one field alone, of a kind of duty that the field concerns."""
    cadence = {
        "on": ["once"],
        "months_after_issue": ["once"],
        "in_last_month": ["quarter"],
        "due_days": ["half_month"],
        "weekday": ["week"],
    }.get(field, ["half_year", "year"])
    rules: dict[str, Any] = {
        "gui-so": {"source": "local", "to": "so-chinh", "due_day": 9 if field == "in_last_month" else 17},
        "gui-tinh": {"source": "local", "to": "so-chinh", "due_day": 20},
    }
    if "once" in cadence:
        rules["gui-so"] |= {"on": date(2021, 4, 10)} if field == "on" else {"months_after_issue": 2}
    if field in INSTEAD_OF_A_DAY:
        rules["gui-so"] |= {"due_day": None, **INSTEAD_OF_A_DAY[field]}
    if field == "roll":
        rules["gui-so"]["due_day"] = 20
    indicator = {"code": "II.1", "text": "x", "name": "Số xã", "unit": "count"}
    items = item(1, "so-ban", cadence=cadence), item(2, "so-ban")
    plain = plan_file(items=items, report_rules=rules).model_dump(by_alias=True)
    plain["indicators"] = [indicator]
    changed = deepcopy(plain)
    section = changed["sections"][0]
    at = {
        PlanFile: changed,
        Section: section,
        ItemEntry: section["items"][0],
        DutyEntry: section["items"][0]["duties"][0],
        ReportRule: changed["report_rules"]["gui-so"],
        Indicator: changed["indicators"][0],
    }[model]
    at[field] = OTHERWISE[model][field]
    was, now = PlanFile.model_validate(plain), PlanFile.model_validate(changed)
    found = compare(was, now, directory(), CALENDAR)
    assert found.duties or found.settings
    assert "không thay đổi" not in found.text()


def test_what_a_duty_waits_for_and_its_focus_area_are_told_with_both_values() -> None:
    area = {"focus_areas": [{"code": "II.1", "title": "Một"}]}
    was = plan_file(items=ITEMS, **area)
    waiting = item(4, "so-chinh", rule="gui-tinh", waits_for=("IV.1.1",))
    now = plan_file(items=(item(1, "so-ban", area="II.1"), *ITEMS[1:3], waiting), **area)
    found = compare(was, now, directory(), CALENDAR)
    assert [(duty.citation, duty.details) for duty in found.duties] == [
        ("IV.1.1", (Detail("area", "", "II.1"),)),
        ("IV.4.1", (Detail("waits_for", "IV.1.1, IV.2.1", "IV.1.1"),)),
    ]
    assert "IV.1.1: trọng tâm: — → II.1" in found.text()
    assert "IV.4.1: chờ nhiệm vụ: IV.1.1, IV.2.1 → IV.1.1" in found.text()
    assert "waits for: IV.1.1, IV.2.1 → IV.1.1" in found.text("en")
    assert set(found.agencies) == {"so-ban", "so-chinh"}
    assert found.json()["duties"][0]["details"] == [{"field": "area", "before": "", "after": "II.1"}]


def test_a_duty_that_waits_for_a_renumbered_one_waits_for_the_same() -> None:
    was = plan_file(items=(item(1, "so-ban"), item(4, "so-chinh", waits_for=("IV.1.1",))))
    first = item(2, "so-ban", text="Việc thứ 1.")
    now = plan_file(items=(first, item(4, "so-chinh", waits_for=("IV.2.1",))))
    found = compare(was, now, directory(), CALENDAR)
    assert [duty.citation for duty in found.duties] == ["IV.2.1"]


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
