"""Plan 188 as it stands in its document, the periods that follow from it, and a plan file with every mistake."""

from datetime import date
from pathlib import Path

import pytest
from ground.paths import CONFIG

from engine.errors import BadInput, FileRefused
from engine.files.calendar import load_calendar
from engine.files.directory import load_directory
from engine.files.plan import (
    PlanFile,
    cycle_periods,
    directory_mistakes,
    due_periods,
    load_plan,
    loading_mistakes,
    owners_of,
)
from engine.files.plan_parts import RuleSource, subject_words
from engine.files.plan_renewal import PlanYear, plan_year, renew
from engine.files.stored_plan import plan_body
from engine.files.yaml_reader import dump, read
from engine.rules.calendar import WorkCalendar
from engine.rules.periods import Cadence

PATH = CONFIG / "plans/188-kh-ubnd-2021.yaml"
NGHE_AN = load_directory(CONFIG / "agencies/nghe-an-2021.yaml")
PLAN = load_plan(PATH, NGHE_AN)
OWNERS = owners_of(PLAN, NGHE_AN)
VN = load_calendar(CONFIG / "calendars/vn.yaml")

HEAD = """\
schema: dondoc/plan@1
number: 12/KH-UBND
issuer: ubnd-tinh
issued_on: 2021-01-29
year: 2021
title: Kế hoạch
short_title: Kế hoạch 12
sms_name: KH12
supervisor: so-ldtbxh
directory: nghe-an
"""
BODY = """\
report_rules:
  r: {source: local, to: so-ldtbxh, due_day: 17}
sections:
  - roman: IV
    heading: Phân công
    kind: assignments
    items:
      - {no: 1, heading: A, owners: [so-y-te], duties: [{citation: IV.1.1, text: Làm, cadence: [year], rule: r}]}
      - {no: 2, heading: B, owners: [cong-an-tinh], duties: [{citation: IV.2.1, text: Làm, cadence: [month], rule: r}]}
"""


def plan(old: str = "", new: str = "", text: str = HEAD + BODY) -> PlanFile:
    assert old in text
    return read(text.replace(old, new, 1), PlanFile, also=lambda found: directory_mistakes(found, NGHE_AN))


def rounds_of(text: PlanFile, citation: str, calendar: WorkCalendar = VN):
    return due_periods(text, text.duties[citation].duty, calendar)


def test_plan_188_has_fifteen_items_twenty_six_duties_and_two_standing_ones():
    items = [len(section.items) for section in PLAN.sections]
    assert items == [15, 2]
    assert sum(citation.startswith("IV.") for citation in PLAN.duties) == 26
    assert [citation for citation in PLAN.duties if citation.startswith("V.")] == ["V.1", "V.2"]


def test_each_item_of_plan_188_has_the_duties_of_the_document():
    counts = {item.no: len(item.duties) for item in PLAN.sections[0].items}
    assert counts == {1: 6, 2: 4, 3: 1, 4: 1, 5: 2, 6: 1, 7: 1, 8: 1, 9: 1, 10: 1, 11: 1, 12: 1, 13: 1, 15: 1, 16: 3}


def test_number_14_is_reported_missing_and_nothing_is_renumbered():
    assert PLAN.all_gaps == ("IV.14",)
    assert PLAN.undeclared_gaps == ()
    assert PLAN.duties["IV.15.1"].item.heading == "Đài Phát thanh - Truyền hình tỉnh, Báo Nghệ An"


def test_the_texts_are_whole():
    first, last = PLAN.duties["IV.1.1"].duty.text, PLAN.duties["IV.16.3"].duty.text
    assert first.startswith("Hướng dẫn, theo dõi và giám sát")
    assert first.endswith("kết quả thực hiện Kế hoạch này.")
    assert last.endswith("xã, phường, thị trấn lành mạnh không có tệ nạn xã hội.")
    two_sentences = PLAN.duties["IV.6.1"].duty.text
    assert "trong công tác này. Tăng cường công tác kiểm tra" in two_sentences
    assert not any("\n" in placed.duty.text or "  " in placed.duty.text for placed in PLAN.duties.values())


def test_owners_are_those_of_the_document():
    counts = {citation: len(owners) for citation, owners in OWNERS.items()}
    assert [counts[f"IV.16.{n}"] for n in (1, 2, 3)] == [21, 21, 21]
    assert (counts["IV.15.1"], counts["V.1"]) == (2, 21)
    assert OWNERS["IV.12.1"] == ("mttq-tinh",)
    assert set(OWNERS["V.2"]) == set(OWNERS["IV.13.1"]) | set(OWNERS["V.1"])


def test_only_the_front_is_asked_rather_than_told():
    assert [citation for citation, placed in PLAN.duties.items() if placed.item.request] == ["IV.12.1"]


def test_the_districts_plan_is_linked_and_the_consolidated_report_waits_for_all_others():
    assert PLAN.duties["V.1"].duty.repeats == "IV.16.1"
    assert set(PLAN.duties["IV.1.1"].duty.waits_for) == set(PLAN.duties) - {"IV.1.1", "V.2"}


def test_six_targets_became_indicators():
    assert {indicator.code.split(".")[1] for indicator in PLAN.indicators} == set("123456")
    kept = next(each for each in PLAN.indicators if each.code == "II.3")
    assert (kept.target, kept.max, kept.part_of) == (323, 460, "II.1.a")


def test_the_departments_totals_are_those_of_the_districts_and_carry_no_target_of_their_own():
    totals = {each.code: each for each in PLAN.indicators if each.total_of}
    by_code = {each.code: each for each in PLAN.indicators}
    assert {code: each.total_of for code, each in totals.items()} == {"II.1.b": "II.1", "II.3.b": "II.3"}
    assert {each.asked_of for each in totals.values()} == {("IV.1.1",)}
    assert {by_code[each.total_of].asked_of for each in totals.values()} == {("huyen-21",)}  # type: ignore[index]
    assert sum(each.target == 323 for each in PLAN.indicators) == 1


def test_names_that_travel_in_letters_and_sms_are_neutral():
    assert subject_words(PLAN.short_title + PLAN.sms_name) == ()
    assert subject_words("Phòng chống MẠI DÂM, hiv và ma tuý") == ("mại dâm", "ma túy", "HIV")
    assert subject_words("KHMAIDAM HIV2021") == ("mại dâm", "HIV")
    assert subject_words("Archive") == ()


def test_agencies_report_by_the_17th_and_the_department_by_the_20th_rolled_to_monday():
    half, year = rounds_of(PLAN, "IV.2.1")
    assert (half.period.key, half.due.on) == ("2021-H1", date(2021, 6, 17))
    assert (year.period.key, year.due.on) == ("2021-Y", date(2021, 12, 17))
    half, year = rounds_of(PLAN, "IV.1.1")
    assert (half.due.nominal, half.due.on, year.due.on) == (date(2021, 6, 20), date(2021, 6, 21), date(2021, 12, 20))


def test_every_due_date_of_plan_188_is_configured_and_none_is_from_the_plan():
    found = [each for citation in PLAN.duties for each in rounds_of(PLAN, citation)]
    assert {each.source for each in found} == {RuleSource.LOCAL}
    assert all("Cấu hình" in each.basis and each.wording for each in found)


def test_a_period_whose_window_closed_before_the_issue_is_not_owed():
    keys = [each.period.key for each in rounds_of(PLAN, "IV.15.1")]
    assert keys == ["2021-Q2", "2021-Q3", "2021-Q4"]


def test_difficulties_are_reported_as_they_arise_and_open_no_round():
    assert rounds_of(PLAN, "V.2") == []
    assert [each.period.key for each in rounds_of(PLAN, "V.1")] == ["2021-H1", "2021-Y"]


def test_a_letter_moves_one_round_and_says_so():
    overrides = "overrides: [{period: 2021-Y, due: 2021-12-25, basis: 99/SYT-VP}]"
    (year,) = rounds_of(plan("due_day: 17", f"due_day: 17, {overrides}"), "IV.1.1")
    assert (year.due.nominal, year.due.on, year.basis) == (date(2021, 12, 25), date(2021, 12, 27), "99/SYT-VP")
    assert year.due.why["vi"] == (
        "ngày 25/12/2021 là thứ Bảy, hạn chuyển sang thứ Hai, 27/12/2021 (theo 99/SYT-VP, thay hạn thứ Sáu, 17/12/2021)"
    )


@pytest.mark.parametrize(
    ("rule", "nominal", "on"),
    [
        ("on: 2021-06-20", date(2021, 6, 20), date(2021, 6, 21)),
        ("on: 2021-06-20, roll: false", date(2021, 6, 20), date(2021, 6, 20)),
        ("months_after_issue: 1", date(2021, 2, 28), date(2021, 3, 1)),
    ],
)
def test_a_single_act_is_due_on_its_day_or_so_many_months_after_the_issue(rule, nominal, on):
    text = HEAD + BODY.replace("due_day: 17", rule).replace("[year]", "[once]").replace("[month]", "[ad_hoc]")
    (act,) = rounds_of(plan(text=text), "IV.1.1")
    assert (act.period.key, act.period.cadence) == ("once", Cadence.ONCE)
    assert (act.due.nominal, act.due.on) == (nominal, on)


def asked(rule: str, cadence: str = "[month]") -> list[date]:
    found = plan(
        text=(HEAD + BODY).replace("due_day: 17", rule).replace("[year]", "[ad_hoc]").replace("[month]", cadence)
    )
    return [each.due.nominal for each in rounds_of(found, "IV.2.1")]


@pytest.mark.parametrize(
    ("rule", "cadence", "first", "last", "count"),
    [
        ("due_on: [29/11]", "[year]", date(2021, 11, 29), date(2021, 11, 29), 1),
        ("due_on: [15/01 năm sau]", "[year]", date(2022, 1, 15), date(2022, 1, 15), 1),
        ("due_on: [1/6, 15/11]", "[half_year]", date(2021, 6, 1), date(2021, 11, 15), 2),
        ("due_on: [9/6, 9/12]", "[half_year, year]", date(2021, 6, 9), date(2021, 12, 9), 2),
        ("due_on: [20/3, 20/6, 20/9, 10/12]", "[quarter]", date(2021, 3, 20), date(2021, 12, 10), 4),
        ("due_day: 20, in_next_month: true", "[month]", date(2021, 3, 20), date(2022, 1, 20), 11),
        ("due_days: [15, 30]", "[half_month]", date(2021, 1, 30), date(2021, 12, 30), 23),
        ("weekday: friday", "[week]", date(2021, 1, 29), date(2021, 12, 31), 49),
        ("weekday: friday, due_day: 20", "[week, quarter]", date(2021, 1, 29), date(2021, 12, 31), 53),
    ],
)
def test_a_rule_asks_for_the_days_that_it_names(rule, cadence, first, last, count):
    found = asked(rule, cadence)
    assert (found[0], found[-1], len(found)) == (first, last, count)


def test_a_day_that_the_office_has_yet_to_name_asks_for_nothing_and_the_periods_are_known():
    open_ = plan("due_day: 17", "ask_day: true")
    assert rounds_of(open_, "IV.2.1") == []
    assert len([*cycle_periods(open_, open_.duties["IV.2.1"].duty)]) == 11
    assert [*loading_mistakes(open_, NGHE_AN)] == []


def test_a_day_moved_past_the_one_that_the_plan_names_says_the_plans_words_and_the_law():
    text = plan(
        "source: local, to: so-ldtbxh, due_day: 17",
        "source: plan, to: so-ldtbxh, due_on: [30/10], wording: trước 31/10 hằng năm",
        HEAD + BODY.replace("[month]", "[ad_hoc]"),
    )
    (saturday,) = rounds_of(text, "IV.1.1")
    assert saturday.due.on == date(2021, 11, 1)
    assert saturday.due.why["vi"].startswith(
        "kế hoạch: trước 31/10 hằng năm; ngày 30/10/2021 là thứ Bảy, hạn chuyển sang thứ Hai, 01/11/2021 "
        "(Điều 148 Bộ luật Dân sự)"
    )


def test_another_ministrys_window_moves_the_round():
    window = "window: {start_day: 1, end_day: 0, basis: Thông tư}"
    found = rounds_of(plan("due_day: 17", f"due_day: 5, {window}"), "IV.2.1")
    assert [each.due.nominal for each in found][:2] == [date(2021, 2, 5), date(2021, 3, 5)]


def test_a_report_before_the_tenth_of_the_last_month_is_due_in_that_month():
    words = "due_day: 9, in_last_month: true, wording: trước ngày 10 của tháng cuối quý"
    quarters = plan(text=(HEAD + BODY).replace("due_day: 17", words).replace("[month]", "[quarter]"))
    found = rounds_of(quarters, "IV.2.1")
    assert [each.due.nominal for each in found] == [date(2021, month, 9) for month in (3, 6, 9, 12)]
    assert [each.due.nominal for each in rounds_of(quarters, "IV.1.1")] == [date(2021, 12, 9)]


def test_a_report_that_was_due_before_the_plan_was_issued_is_not_owed():
    words = "due_day: 9, in_last_month: true"
    text = (
        (HEAD + BODY).replace("due_day: 17", words).replace("[month]", "[quarter]").replace("2021-01-29", "2021-06-10")
    )
    assert [each.period.key for each in rounds_of(plan(text=text), "IV.2.1")] == ["2021-Q3", "2021-Q4"]


NEXT = HEAD.replace("2021-01-29", "2020-11-20") + BODY


def test_a_plan_of_november_for_the_next_year_owes_that_years_reports_and_none_of_its_own() -> None:
    found = plan(text=NEXT)
    months = [each.period.key for each in rounds_of(found, "IV.2.1")]
    assert months == [f"2021-{month:02d}" for month in range(1, 13)]
    assert [each.period.key for each in rounds_of(found, "IV.1.1")] == ["2021-Y"]
    assert plan_year(found) == PlanYear(2021, "2021-01", "2021-Y")


def test_a_plan_says_its_year_with_its_first_and_its_last_period() -> None:
    quarters = plan(text=NEXT.replace("[month]", "[quarter]"))
    said = plan_year(quarters).text
    assert said.vi == "Kế hoạch của năm 2021: kỳ đầu quý I/2021, kỳ cuối năm 2021"
    assert said.en == "Plan of 2021: first period Q1 2021, last period 2021"
    events = plan(text=NEXT.replace("[month]", "[ad_hoc]").replace("[year]", "[ad_hoc]"))
    assert plan_year(events).text.vi == "Kế hoạch của năm 2021, không có báo cáo định kỳ"


def test_a_plan_whose_periods_are_all_over_when_it_is_issued_is_refused_with_the_remedy(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text((HEAD + BODY).replace("issued_on: 2021-01-29", "issued_on: 2021-12-20"))
    with pytest.raises(FileRefused) as refused:
        load_plan(file)
    (problem,) = refused.value.problems
    assert problem.field == "year"
    assert "không kỳ báo cáo nào thuộc năm 2021" in problem.what.vi
    assert "year: 2022" in problem.fix.vi
    file.write_text(file.read_text().replace("[year]", "[ad_hoc]").replace("[month]", "[ad_hoc]"))
    assert load_plan(file).year == 2021  # it asks for no periodic report, so nothing is lost


@pytest.mark.parametrize(
    ("old", "new", "field", "fix"),
    [
        ("year: 2021", "year: 2020", "year", "2021"),
        ("year: 2021", "year: 2023", "year", "2021"),
        ("number: 12/KH-UBND", "number: KH12", "number", "188/KH-UBND"),
        ("short_title: Kế hoạch 12", "short_title: KH phòng chống ma tuý", "short_title", "trung tính"),
        ("sms_name: KH12", "sms_name: HIV2021", "sms_name", "trung tính"),
        ("sms_name: KH12", "sms_name: KẾ HOẠCH", "sms_name", "11"),
        ("sms_name: KH12", "sms_name: KEHOACH12345", "sms_name", "11"),
        ("issuer: ubnd-tinh", "issuer: ubnd-tin", "issuer", "ubnd-tinh"),
        ("supervisor: so-ldtbxh", "supervisor: huyen-21", "supervisor", "dùng một trong"),
        ("directory: nghe-an", "directory: ha-tinh", "directory", "nghe-an"),
        ("owners: [so-y-te]", "owners: [so-yte]", "sections[0].items[0].owners[0]", "so-y-te"),
        ("to: so-ldtbxh", "to: so-ldtb", "report_rules.r.to", "so-ldtbxh"),
        ("citation: IV.2.1", "citation: IV.3.1", "sections[0].items[1].duties[0].citation", "IV.2.1"),
        ("citation: IV.2.1", "citation: IV.1.1", "sections[0].items[1].duties[0].citation", "IV.2.1"),
        ("no: 2", "no: 1", "sections[0].items[1].no", "thứ tự"),
        ("rule: r}", "rule: rr}", "sections[0].items[0].duties[0].rule", "«r»"),
        ("rule: r}", "rule: r, area: III.1}", "sections[0].items[0].duties[0].area", "xóa"),
        ("rule: r}", "rule: r, repeats: IV.2.2}", "sections[0].items[0].duties[0].repeats", "IV.2.1"),
        ("rule: r}", "rule: r, repeats: IV.1.1}", "sections[0].items[0].duties[0].repeats", "xóa"),
        ("rule: r}", "rule: r, waits_for: [IV.9.1]}", "sections[0].items[0].duties[0].waits_for[0]", "IV"),
        ("rule: r}", "rule: r, coordinating: [bo-y-te]}", "sections[0].items[0].duties[0].coordinating[0]", "so-y-te"),
        ("rule: r}", "rule: r, owners: [nobody]}", "sections[0].items[0].duties[0].owners[0]", "dùng một trong"),
        ("cadence: [year]", "cadence: [yearly]", "sections[0].items[0].duties[0].cadence[0]", "year"),
        ("cadence: [year]", "cadence: [once]", "sections[0].items[0].duties[0].rule", "months_after_issue"),
        ("due_day: 17", "due_day: 32", "report_rules.r.due_day", "sửa"),
        (", due_day: 17", "", "sections[0].items[0].duties[0].rule", "due_day"),
        ("due_day: 17", "due_day: 17, wording: trước ngày 17/12", "report_rules.r.due_day", "16"),
        ("due_day: 17", "due_on: [30/11], wording: trước 30/11", "report_rules.r.due_on", "hôm trước"),
        ("due_day: 17", "due_on: [31/11]", "report_rules.r.due_on[0]", "30/11"),
        ("due_day: 17", "due_day: 17, due_on: [30/11]", "report_rules.r.due_on", "giữ một"),
        ("due_day: 17", "due_day: 17, ask_day: true", "report_rules.r.ask_day", "giữ một"),
        ("due_day: 17", "in_next_month: true", "report_rules.r.in_next_month", "xóa"),
        ("due_day: 17", "due_on: [30/11]", "sections[0].items[1].duties[0].rule", "12"),
        ("[month]", "[week]", "sections[0].items[1].duties[0].rule", "weekday"),
        ("[month]", "[half_month]", "sections[0].items[1].duties[0].rule", "due_days"),
        ("due_day: 17", "due_day: 17, on: 2021-05-05, months_after_issue: 2", "report_rules.r.on", "giữ một"),
        ("report_rules:", "gaps: [{citation: IV.2}]\nreport_rules:", "gaps[0].citation", "xóa"),
        (
            "report_rules:",
            "indicators: [{code: II.1, text: a, name: b, unit: percent, aggregate: sum}]\nreport_rules:",
            "indicators[0].aggregate",
            "part_of",
        ),
        (
            "report_rules:",
            "indicators: [{code: II.1, text: a, name: b, unit: count, part_of: II.2}]\nreport_rules:",
            "indicators[0].part_of",
            "xóa",
        ),
        (
            "report_rules:",
            "indicators: [{code: II.1, text: a, name: b, unit: text, asked_of: [IV.1.2]}]\nreport_rules:",
            "indicators[0].asked_of[0]",
            "IV.1.1",
        ),
        (
            "report_rules:",
            "indicators: [{code: II.1, text: a, name: b, unit: count, min: 2, max: 1}]\nreport_rules:",
            "indicators[0].max",
            "đổi lại",
        ),
    ],
)
def test_mistakes_in_a_plan_are_told_where_they_stand_and_how_to_mend_them(old, new, field, fix):
    with pytest.raises(FileRefused) as refused:
        plan(old, new)
    assert any(each.field == field and fix in str(each.fix) for each in refused.value.problems)


PARTS = "{code: II.1, text: a, name: b, unit: count, aggregate: sum, asked_of: [huyen-21]}"


def with_total(more: str, parts: str = PARTS) -> PlanFile:
    """A plan whose II.1.b is given beside the districts' II.1; ``more`` is what else its entry says."""
    indicators = f"indicators:\n  - {parts}\n  - {{code: II.1.b, text: a, name: b, {more}}}\nreport_rules:"
    return plan("report_rules:", indicators)


@pytest.mark.parametrize("asked_of", ["so-ldtbxh", "IV.1.1"])
def test_a_total_is_asked_of_one_body_by_its_id_or_by_its_duty(asked_of):
    found = with_total(f"unit: count, asked_of: [{asked_of}], total_of: II.1, max: 460")
    assert found.indicators[1].total_of == "II.1"


@pytest.mark.parametrize(
    ("more", "field", "what", "fix"),
    [
        ("unit: count, asked_of: [IV.1.1], total_of: II.2", "total_of", "không có chỉ tiêu «II.2»", "II.1"),
        ("unit: count, asked_of: [IV.1.1], total_of: II.1.b", "total_of", "tổng của chính mình", "xóa"),
        ("unit: percent, asked_of: [IV.1.1], total_of: II.1", "unit", "khác đơn vị tính", "unit: count"),
        ("unit: count, asked_of: [IV.1.1], total_of: II.1, aggregate: sum", "aggregate", "không có aggregate", "II.1"),
        ("unit: count, asked_of: [IV.1.1], total_of: II.1, part_of: II.1", "part_of", "không có part_of riêng", "II.1"),
        ("unit: count, asked_of: [IV.1.1], total_of: II.1, target: 3", "target", "không có target riêng", "II.1"),
        ("unit: count, total_of: II.1", "asked_of", "một đơn vị báo", "tổng hợp"),
        ("unit: count, asked_of: [so-y-te, IV.1.1], total_of: II.1", "asked_of", "một đơn vị báo", "tổng hợp"),
        ("unit: count, asked_of: [huyen-21], total_of: II.1", "asked_of", "hỏi 21 đơn vị", "tổng hợp"),
    ],
)
def test_a_total_that_makes_no_sense_is_refused_where_it_stands(more, field, what, fix):
    with pytest.raises(FileRefused) as refused:
        with_total(more)
    (told,) = refused.value.problems
    assert (told.field, told.line) == (f"indicators[1].{field}", 13)
    assert what in str(told.what)
    assert fix in str(told.fix)


@pytest.mark.parametrize(
    "parts",
    [
        PARTS.replace("aggregate: sum", "aggregate: last"),
        PARTS.replace(", aggregate: sum", ""),
        PARTS.replace("count, aggregate: sum", "text"),
    ],
)
def test_only_a_count_that_is_added_up_has_a_total(parts):
    unit = "text" if "text," in parts.partition("unit: ")[2][:6] else "count"
    with pytest.raises(FileRefused, match="không phải số đếm được cộng"):
        with_total(f"unit: {unit}, asked_of: [IV.1.1], total_of: II.1", parts)


def test_totals_of_each_other_or_of_a_total_are_refused():
    with pytest.raises(FileRefused) as refused:
        with_total(
            "unit: count, asked_of: [IV.1.1], total_of: II.1",
            "{code: II.1, text: a, name: b, unit: count, asked_of: [IV.1.1], total_of: II.1.b}",
        )
    assert [(each.field, "đã là số tổng" in str(each.what)) for each in refused.value.problems] == [
        ("indicators[0].total_of", True),
        ("indicators[1].total_of", True),
    ]


def test_a_plan_without_totals_is_stored_as_before_there_were_any():
    (stored,) = plan_body(plan("report_rules:", f"indicators: [{PARTS}]\nreport_rules:"))["indicators"]
    assert "total_of" not in stored


@pytest.mark.parametrize("key", ["2021-H3", "2020-H1", "2021"])
def test_an_override_of_a_period_that_cannot_be_is_refused(key):
    with pytest.raises(FileRefused, match="overrides"):
        plan("due_day: 17", f"due_day: 17, overrides: [{{period: {key}, due: 2021-06-20, basis: x}}]")


def test_duties_that_wait_for_each_other_are_refused():
    first = BODY.replace("rule: r}", "rule: r, waits_for: [IV.2.1]}", 1)
    with pytest.raises(FileRefused, match="chờ nhau"):
        plan(text=HEAD + first.replace("[month], rule: r", "[month], rule: r, waits_for: [IV.1.1]"))


def test_a_jump_in_the_numbers_that_nobody_declared_is_a_gap_and_no_error():
    found = plan(text=HEAD + BODY.replace("no: 2", "no: 4").replace("IV.2.1", "IV.4.1"))
    assert found.undeclared_gaps == ("IV.2", "IV.3")


def test_an_owner_that_the_directory_lacks_is_an_error_with_the_nearest_name():
    text = (HEAD + BODY).replace("[so-y-te]", "[so-yte]")
    with pytest.raises(BadInput, match="«so-y-te»"):
        owners_of(read(text, PlanFile), NGHE_AN)


def test_a_plan_is_written_and_read_back_equal():
    assert read(dump(PLAN), PlanFile) == PLAN
    assert PlanFile.model_validate(PLAN.model_dump(mode="json", by_alias=True)) == PLAN


SEVERAL = NEXT.replace("year: 2021", "year: 2021\nlast_year: 2023", 1)


def test_a_programme_of_several_years_owes_the_reports_of_each() -> None:
    found = plan(text=SEVERAL.replace("[month]", "[quarter]"))
    assert [each.period.key for each in rounds_of(found, "IV.1.1")] == ["2021-Y", "2022-Y", "2023-Y"]
    assert len(rounds_of(found, "IV.2.1")) == 12
    assert plan_year(found).text.vi == "Kế hoạch của các năm 2021–2023: kỳ đầu quý I/2021, kỳ cuối năm 2023"


@pytest.mark.parametrize("last", [2021, 2020, 2036])
def test_the_last_year_comes_after_the_first_and_within_the_longest_programme(last: int) -> None:
    with pytest.raises(FileRefused, match="last_year"):
        plan(text=SEVERAL.replace("last_year: 2023", f"last_year: {last}"))


def test_a_programme_is_renewed_for_as_many_years() -> None:
    found = plan(text=SEVERAL)
    text, _ = renew(found, year=2024, number="25/KH-UBND", issued_on=date(2023, 11, 20), calendar=WorkCalendar())
    renewed = read(text, PlanFile)
    assert (renewed.year, renewed.last_year) == (2024, 2026)


def test_a_day_before_the_data_closes_is_said_with_the_day_on_which_it_does() -> None:
    words = "due_day: 9, in_last_month: true, wording: trước ngày 10 của tháng cuối quý"
    found = rounds_of(plan(text=(HEAD + BODY).replace("due_day: 17", words).replace("[month]", "[quarter]")), "IV.2.1")
    said = "thứ Tư, 09/6/2021 (kỳ số liệu đến 14/6/2021: báo số liệu có đến ngày gửi)"
    assert said in [each.due.why["vi"] for each in found]
    assert all("kỳ số liệu" not in each.due.why["vi"] for each in rounds_of(plan(), "IV.2.1"))
