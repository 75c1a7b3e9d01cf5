"""Figures added up as reports come in, checked as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from ground.factory import Laid, at, do, lay, plan_file

from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.reports.indicators import (
    Consolidated,
    FigureLine,
    Given,
    aggregated,
    check_against_parts,
    consolidated,
    doubtful_totals,
)
from engine.errors import NotFound
from engine.files.plan_parts import Indicator
from engine.rules.situation import Action
from engine.store.database import Database
from engine.text import Text

OPENED, NOW = at("2021-04-07"), at("2021-06-16")
INDICATORS = (
    {
        "code": "II.1.a",
        "name": "Số xã",
        "text": "Số xã.",
        "unit": "count",
        "asked_of": ["cac-huyen"],
        "aggregate": "sum",
        "max": 460,
    },
    {
        "code": "II.1",
        "name": "Số xã có truyền thông",
        "text": "Truyền thông.",
        "unit": "count",
        "asked_of": ["cac-huyen"],
        "aggregate": "sum",
        "max": 460,
        "target": 40,
        "part_of": "II.1.a",
    },
    {"code": "II.2", "name": "Tin, bài", "text": "Tin.", "unit": "count", "asked_of": ["IV.1.1"], "aggregate": "last"},
    {"code": "II.3", "name": "Ghi chú", "text": "Ghi chú.", "unit": "text", "asked_of": ["so-ban"]},
    {
        "code": "II.1.b",
        "name": "Toàn tỉnh",
        "text": "Toàn tỉnh.",
        "unit": "count",
        "asked_of": ["IV.4.1"],
        "total_of": "II.1",
    },
)


@pytest.fixture
def laid(database: Database) -> Laid:
    return lay(database, now=OPENED, plan=plan_file(indicators=INDICATORS))


def report(laid: Laid, citation: str, agency_id: str, figures: dict[str, Any], when: Any = NOW) -> int:
    task = laid.assignment(citation, agency_id)
    with laid.database.write() as session:
        lifecycle.report(session, task, ReportText(body="Đã làm.", figures=figures), actor="contact:1", now=when)
    return task


def added_up(laid: Laid) -> Consolidated:
    with laid.database.read() as session:
        return consolidated(session, laid.plan_id, "2021-H1")


def line(found: Consolidated, code: str) -> FigureLine:
    return next(each for each in found.lines if each.indicator.code == code)


def test_before_anybody_reports_everybody_is_missing_and_nothing_is_summed(laid: Laid) -> None:
    found = added_up(laid)
    missing = [(each.total, len(each.missing)) for each in found.lines]
    assert missing == [(None, 2), (None, 2), (None, 1), (None, 1), (None, 1)]
    assert (found.reported, len(found.waiting), len(found.asked), found.complete) == (0, 4, 1, False)


def test_sums_grow_as_reports_come_in_and_say_who_is_missing(laid: Laid) -> None:
    report(laid, "IV.2.1", "huyen-a", {"II.1.a": 20, "II.1": 12})
    found = line(added_up(laid), "II.1")
    assert (found.total, found.reached, found.problem) == (12, 30.0, None)
    assert [each.agency_id for each in found.missing] == ["huyen-b"]
    report(laid, "IV.2.1", "huyen-b", {"II.1.a": 10, "II.1": 8})
    assert line(added_up(laid), "II.1").total == 20
    assert line(added_up(laid), "II.1").missing == ()


def test_a_returned_report_no_longer_counts_and_its_correction_does(laid: Laid) -> None:
    task = report(laid, "IV.2.1", "huyen-a", {"II.1.a": 20, "II.1": 12})
    do(laid.database, Action.RETURN, task, now=NOW)
    assert line(added_up(laid), "II.1").total is None
    report(laid, "IV.2.1", "huyen-a", {"II.1.a": 20, "II.1": 11}, at("2021-06-17"))
    assert line(added_up(laid), "II.1").total == 11


def test_a_sum_beyond_what_there_can_be_is_said(laid: Laid) -> None:
    report(laid, "IV.2.1", "huyen-a", {"II.1.a": 460})
    report(laid, "IV.2.1", "huyen-b", {"II.1.a": 1})
    problem = line(added_up(laid), "II.1.a").problem
    assert problem is not None
    assert "461 lớn hơn mức tối đa 460" in problem.vi


def test_parts_that_outgrow_the_whole_are_said(laid: Laid) -> None:
    report(laid, "IV.2.1", "huyen-a", {"II.1.a": 5})
    report(laid, "IV.2.1", "huyen-b", {"II.1": 6})
    problem = line(added_up(laid), "II.1").problem
    assert problem is not None
    assert "6 lớn hơn «Số xã» (5)" in problem.vi


def test_an_indicator_asked_of_a_duty_is_asked_of_its_owner_alone(laid: Laid) -> None:
    report(laid, "IV.1.1", "so-ban", {"II.2": 7, "II.3": "Chờ số liệu"})
    found = added_up(laid)
    assert [each.agency_id for each in line(found, "II.2").given] == ["so-ban"]
    assert line(found, "II.2").total == 7
    assert (line(found, "II.3").total, line(found, "II.3").given[0].value) == (None, "Chờ số liệu")


def test_a_plan_that_does_not_run_has_no_figures(laid: Laid) -> None:
    with laid.database.read() as session, pytest.raises(NotFound):
        consolidated(session, laid.plan_id + 1, "2021-H1")


def test_the_cost_does_not_grow_with_the_reports(laid: Laid) -> None:
    from sqlalchemy import event

    said: list[str] = []
    event.listen(laid.database.bind, "before_cursor_execute", lambda *given: said.append(given[2]))
    added_up(laid)
    before = len(said)
    report(laid, "IV.2.1", "huyen-a", {"II.1": 1})
    report(laid, "IV.1.1", "so-ban", {"II.2": 1})
    said.clear()
    added_up(laid)
    assert len(said) == before


def parts(*values: int | None) -> FigureLine:
    """The districts' figure, one of each value."""
    indicator = Indicator.model_validate(INDICATORS[1])
    given = tuple(Given(f"h{number}", f"Huyện {number}", value) for number, value in enumerate(values, 1))
    return FigureLine(indicator, given, aggregated(indicator, [value for value in values if value is not None]))


@pytest.mark.parametrize(
    ("total", "values", "said"),
    [
        (30, (20, 10), None),
        (31, (20, 10), Text("31 khác tổng các đơn vị (30): hơn 1.", "31 is not the sum of the agencies (30): 1 more.")),
        (
            1234567,
            (1234568,),
            Text(
                "1234567 khác tổng các đơn vị (1234568): kém 1.",
                "1234567 is not the sum of the agencies (1234568): 1 less.",
            ),
        ),
        (
            30,
            (20, None),
            Text(
                "30 chưa đối chiếu được: mới 1/2 đơn vị báo, cộng lại 20; còn thiếu Huyện 2.",
                "30 cannot be checked yet: 1 of 2 agencies have reported, 20 in total; missing: Huyện 2.",
            ),
        ),
        (
            0,
            (None,) * 6,
            Text(
                "0 chưa đối chiếu được: mới 0/6 đơn vị báo, cộng lại 0; còn thiếu Huyện 1, Huyện 2, Huyện 3 "
                "và 3 đơn vị khác.",
                "0 cannot be checked yet: 0 of 6 agencies have reported, 0 in total; missing: Huyện 1, Huyện 2, "
                "Huyện 3 and 3 others.",
            ),
        ),
        (30, (), None),
    ],
)
def test_a_total_is_held_against_its_parts(total: int, values: tuple[int | None, ...], said: Any) -> None:
    assert check_against_parts(total, parts(*values)) == said


@pytest.mark.parametrize(
    ("values", "doubtful"),
    [
        ({"II.1.b": 20}, False),
        ({"II.1.b": 21}, True),
        ({}, False),
        ({"II.1.b": 25, "II.1": 5}, False),
        ({"II.1.b": 20, "II.1": 5}, True),
        ({"II.1.b": "hai mươi"}, False),
    ],
)
def test_a_total_about_to_be_given_is_doubted_when_it_is_not_the_sum_as_it_stands(
    values: dict[str, Any], doubtful: bool
) -> None:
    assert bool(doubtful_totals(values, {"II.1.b": parts(20, None)}, "h2")) is doubtful


def test_a_given_total_stands_as_given_and_is_held_against_the_districts(laid: Laid) -> None:
    report(laid, "IV.4.1", "so-chinh", {"II.1.b": 20})
    report(laid, "IV.2.1", "huyen-a", {"II.1": 12})
    waiting = line(added_up(laid), "II.1.b")
    assert (waiting.total, waiting.problem and waiting.problem.vi) == (
        20,
        "20 chưa đối chiếu được: mới 1/2 đơn vị báo, cộng lại 12; còn thiếu Huyen b.",
    )
    task = report(laid, "IV.2.1", "huyen-b", {"II.1": 8})
    assert line(added_up(laid), "II.1.b").problem is None
    do(laid.database, Action.RETURN, task, now=NOW)
    report(laid, "IV.2.1", "huyen-b", {"II.1": 9}, at("2021-06-17"))
    wrong = line(added_up(laid), "II.1.b").problem
    assert wrong == Text("20 khác tổng các đơn vị (21): kém 1.", "20 is not the sum of the agencies (21): 1 less.")


def test_percentages_are_never_added_up() -> None:
    share = Indicator.model_validate(INDICATORS[0] | {"unit": "percent", "aggregate": "last"})
    assert aggregated(share, [50.0, 80.0]) == 80.0
    assert aggregated(share, []) is None
