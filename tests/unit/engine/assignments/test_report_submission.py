"""A submission: partial on purpose, every problem at once, figures checked against the plan's indicators."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.assignments.reports.submission import PromiseChoices, Typed, TypedPromise, read_figures, submission
from engine.files.plan_parts import Indicator
from engine.rules.policy import REASONS
from engine.terms import Outcome


def indicator(code: str, **more: Any) -> Indicator:
    return Indicator.model_validate({"code": code, "text": "x", "name": f"Số {code}", "unit": "count"} | more)


COMMUNES, KEPT = indicator("II.1", max=460), indicator("II.3", part_of="II.1")
RATE, MEDIA = indicator("II.7", unit="percent"), indicator("II.2", asked_of=("IV.15.1",))
CHOICES = PromiseChoices(
    today=date(2021, 6, 17), proposed=date(2021, 7, 1), reasons=REASONS, agencies={"Sở Tài chính": "so-tai-chinh"}
)
INDICATORS = (COMMUNES, KEPT, RATE, MEDIA, indicator("II.9", unit="text"))


def duty(
    number: int, outcome: str = "done", body: str = "Đã làm.", reason: str = "", citation: str = "IV.1.1"
) -> Typed:
    return Typed(assignment_id=number, citation=citation, outcome=outcome, body=body, reason=reason)


def test_only_duties_with_an_outcome_are_submitted() -> None:
    typed = [duty(1), Typed(assignment_id=2, citation="IV.1.2"), duty(3, "not_yet", "", "Chưa có kinh phí.")]
    made = submission(typed, (), {}, CHOICES)
    assert not made.problems
    assert {number: text.outcome for number, text in made.texts.items()} == {1: Outcome.DONE, 3: Outcome.NOT_YET}


def test_every_problem_is_said_at_once_beside_its_field() -> None:
    typed = [duty(1, body=""), duty(2, "partly"), duty(3, "not_yet", body=""), duty(4, "maybe")]
    made = submission(typed, INDICATORS, {"II.1": "nhiều", "II.3": "5"}, CHOICES)
    assert set(made.problems) == {"body-1", "reason-2", "reason-3", "outcome-4", "figure-II.1"}
    assert not made.texts


def unfinished(**promise: str) -> Typed:
    return Typed(assignment_id=1, citation="IV.1.1", outcome="not_yet", reason="Chờ.", promise=TypedPromise(**promise))


def test_a_task_that_is_not_done_is_promised_with_a_day_a_cause_and_the_agency_that_is_waited_for() -> None:
    typed = unfinished(on="30/6/2021", code="phoi-hop", waits_for="Sở Tài chính", owed="Thẩm định dự toán.")
    promise = submission([typed], (), {}, CHOICES).texts[1].promise
    assert (promise.on, promise.reason_code, promise.waits_for, promise.owed) == (
        date(2021, 6, 30),
        "phoi-hop",
        "so-tai-chinh",
        "Thẩm định dự toán.",
    )


@pytest.mark.parametrize(
    ("promise", "field"),
    [
        ({"on": "17/6/2021"}, "promise-1"),
        ({"on": "mai"}, "promise-1"),
        ({"code": "luoi"}, "code-1"),
        ({"code": "phoi-hop"}, "waits-1"),
        ({"code": "phoi-hop", "waits_for": "Sở Không Có"}, "waits-1"),
    ],
)
def test_what_cannot_be_promised_is_said_beside_its_field(promise: dict[str, str], field: str) -> None:
    assert set(submission([unfinished(**promise)], (), {}, CHOICES).problems) == {field}


def test_nothing_is_promised_of_a_task_that_is_done() -> None:
    done = Typed(
        assignment_id=1, citation="IV.1.1", outcome="done", body="Đã làm.", promise=TypedPromise(on="1/1/2020")
    )
    assert not submission([done], (), {}, CHOICES).problems


def test_a_submission_of_nothing_is_a_problem_of_the_whole_form() -> None:
    assert set(submission([Typed(assignment_id=1, citation="IV.1.1")], (), {}, CHOICES).problems) == {"form"}


def test_a_figure_rides_on_the_duty_it_is_asked_of_else_on_the_first() -> None:
    typed = [duty(1), duty(2, citation="IV.15.1")]
    made = submission(typed, INDICATORS, {"II.1": "460", "II.2": "12"}, CHOICES)
    assert made.texts[1].figures == {"II.1": 460}
    assert made.texts[2].figures == {"II.2": 12}


@pytest.mark.parametrize(
    ("code", "typed", "value"),
    [
        ("II.2", "1.234", 1234),
        ("II.2", "12 345", 12345),
        ("II.1", "0", 0),
        ("II.7", "87,5", 87.5),
        ("II.7", "100", 100.0),
        ("II.9", "ba mô hình", "ba mô hình"),
    ],
)
def test_figures_are_read_as_people_write_them(code: str, typed: str, value: object) -> None:
    assert read_figures(INDICATORS, {code: typed}) == ({code: value}, {})


@pytest.mark.parametrize(
    ("code", "typed"),
    [
        ("II.1", "461"),
        ("II.1", "-1"),
        ("II.1", "1.5"),
        ("II.1", "1e3"),
        ("II.1", "٣"),
        ("II.1", "9" * 400),
        ("II.7", "101"),
        ("II.7", "nan"),
        ("II.7", "mười"),
        ("II.2", "1,23"),
    ],
)
def test_a_figure_that_is_none_is_said_to_be_none(code: str, typed: str) -> None:
    values, wrong = read_figures(INDICATORS, {code: typed})
    assert (values, set(wrong)) == ({}, {code})


def test_a_part_is_not_more_than_its_whole() -> None:
    _, wrong = read_figures(INDICATORS, {"II.1": "10", "II.3": "11"})
    assert "«Số II.1» (10)" in wrong["II.3"].vi
    assert read_figures(INDICATORS, {"II.3": "11"})[1] == {}


def test_an_empty_field_is_no_figure() -> None:
    assert read_figures(INDICATORS, {"II.1": "  "}) == ({}, {})


@given(st.text(max_size=40))
def test_any_text_is_either_a_figure_within_bounds_or_a_problem(text: str) -> None:
    values, wrong = read_figures((COMMUNES,), {"II.1": text})
    if "II.1" in values:
        assert 0 <= values["II.1"] <= 460  # type: ignore[operator]
    else:
        assert bool(wrong) == bool(text.strip())
