"""Words: every member of every closed set has a label in both languages; dates and distances as people write them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from ground.factory import at

from engine.queries.work.assignment_story import Person
from engine.queries.work.ladder_steps import EventLine
from engine.rules.calendar import WorkCalendar
from engine.rules.policy import Skip
from engine.rules.words import (
    coded,
    distance,
    late_words,
    level_name,
    level_rank,
    moment,
    name_order,
    period_words,
    rung_words,
)
from engine.terms import EventKind, Outcome, Role, State
from engine.views.event_sentences import _DETAILS, actor_words, said
from engine.views.labels import LABELS, label

CALENDAR = WorkCalendar.of([])


@pytest.mark.parametrize("kind", LABELS, ids=lambda kind: kind.__name__)
def test_every_member_has_a_label_in_both_languages(kind: type) -> None:
    for member in kind:  # type: ignore[attr-defined]
        vi, en = label(member, "vi"), label(member, "en")
        assert vi
        assert en
        assert vi != en, member


@pytest.mark.parametrize(
    ("key", "vi", "en"),
    [
        ("2021-H1", "6 tháng đầu năm 2021", "first half of 2021"),
        ("2021-H2", "6 tháng cuối năm 2021", "second half of 2021"),
        ("2021-Q2", "quý II/2021", "Q2 2021"),
        ("2021-06", "tháng 6/2021", "06/2021"),
        ("2021-9M", "9 tháng năm 2021", "nine months of 2021"),
        ("2021-06A", "nửa đầu tháng 6/2021", "first half of 06/2021"),
        ("2021-06B", "nửa cuối tháng 6/2021", "second half of 06/2021"),
        ("2021-W24", "tuần 14/6–20/6/2021", "week of 14/6–20/6/2021"),
        ("2021-W99", "2021-W99", "2021-W99"),
        ("2021-Y", "năm 2021", "2021"),
        ("once", "một lần", "once"),
        ("hôm nào", "hôm nào", "hôm nào"),
    ],
)
def test_a_period_is_said_in_words(key: str, vi: str, en: str) -> None:
    assert (period_words(key, "vi"), period_words(key, "en")) == (vi, en)


@pytest.mark.parametrize(
    ("days", "vi", "en"),
    [
        (3, "còn 3 ngày làm việc", "3 working days left"),
        (1, "còn 1 ngày làm việc", "1 working day left"),
        (-2, "quá hạn 2 ngày làm việc", "2 working days overdue"),
    ],
)
def test_a_distance_is_said_in_working_days(days: int, vi: str, en: str) -> None:
    today = date(2021, 6, 16)
    due = CALENDAR.shift(today, days)
    assert distance(due, today, days, "vi") == vi
    assert distance(due, today, days, "en") == en


def test_the_edges_of_a_distance_have_words_of_their_own() -> None:
    friday, saturday = date(2021, 6, 18), date(2021, 6, 19)
    assert distance(friday, friday, 0, "vi") == "đến hạn hôm nay"
    assert distance(friday, saturday, 0, "vi") == "vừa quá hạn"
    assert distance(saturday, friday, 0, "vi") == "đến hạn trong kỳ nghỉ này"
    assert distance(None, friday, None, "en") == "no deadline"


def test_late_words_are_empty_for_what_was_on_time() -> None:
    due = date(2021, 6, 17)
    assert late_words(due, due, CALENDAR, "vi") == ""
    assert late_words(due, due + timedelta(days=5), CALENDAR, "vi") == "quá hạn 3 ngày làm việc"


def test_a_moment_is_said_on_the_plans_clock() -> None:
    assert moment(datetime.fromisoformat("2021-06-17T00:30:00+00:00"), "vi") == "07:30 thứ Năm, 17/6/2021"


def test_kinds_of_body_and_codes_nobody_knows_stand_as_they_are() -> None:
    assert (level_name("hop_tac", "vi"), coded("mystery", "en")) == ("hop_tac", "mystery")
    assert level_rank("tinh") < level_rank("huyen") < level_rank("hop_tac")


def line(kind: EventKind, **detail: object) -> EventLine:
    return EventLine(at("2021-06-17"), kind, "system", detail, None)


@pytest.mark.parametrize("kind", EventKind)
def test_every_event_is_a_sentence_with_and_without_its_detail(kind: EventKind) -> None:
    whole = {
        "due": "2021-06-21",
        "was": "2021-06-17",
        "until": "2021-06-30",
        "number": 1,
        "outcome": Outcome.DONE,
        "reason": "x",
        "answer": "y",
        "to": "so-y-te",
        "rung": "T-3",
        "roles": [Role.HEAD],
        "role": Role.HEAD,
    }
    for language in ("vi", "en"):
        assert said(line(kind), language) == label(kind, language)
        assert said(line(kind, **whole), language).startswith(label(kind, language))
    assert set(_DETAILS) <= set(EventKind)


def test_an_event_says_its_detail_in_words() -> None:
    assert said(line(EventKind.RUNG_FIRED, rung="T+1", roles=["coordinator", "head"]), "vi") == (
        "Đến mốc nhắc: quá hạn 1 ngày làm việc, thư tới đầu mối, người đứng đầu"
    )
    skipped = line(EventKind.RUNG_SKIPPED, rung="A+3", reason=Skip.ACKNOWLEDGED.value)
    assert said(skipped, "en") == "Reminder left out: 3 working days without an acknowledgement: acknowledged already"
    assert said(line(EventKind.DECLINED, reason=""), "vi") == "Có ý kiến không thuộc nhiệm vụ của cơ quan"


def test_who_acted_is_said_in_words_too() -> None:
    people = {"contact:3": Person(Role.COORDINATOR, "UBND huyện Nam Đàn"), "agency:x": Person(None, "Sở Y tế")}
    assert actor_words("contact:3", people, "vi") == "đầu mối, UBND huyện Nam Đàn"
    assert actor_words("agency:x", people, "vi") == "Sở Y tế"
    assert actor_words("desk", people, "en") == "the monitor's desk"
    assert actor_words("contact:9", people, "vi") == "liên hệ 9"


def test_labels_of_a_state_differ_from_one_another() -> None:
    assert len({label(state, "vi") for state in State}) == len(State)


@pytest.mark.parametrize(
    ("code", "vi", "en"),
    [
        ("T-3", "trước hạn 3 ngày", "3 days before the due date"),
        ("A+1", "sau 1 ngày chưa xác nhận", "1 day without an acknowledgement"),
    ],
)
def test_rungs_of_an_urgent_plan_are_said_in_days(code: str, vi: str, en: str) -> None:
    assert (rung_words(code, "vi", every_day=True), rung_words(code, "en", every_day=True)) == (vi, en)
    assert rung_words(code, "vi") == vi.replace("ngày", "ngày làm việc")


@pytest.mark.parametrize(
    ("code", "vi"),
    [
        ("T-1", "trước hạn 1 ngày làm việc"),
        ("T+0", "đúng ngày hạn"),
        ("T+1", "quá hạn 1 ngày làm việc"),
        ("H-1", "trước ngày hẹn 1 ngày làm việc"),
        ("H+0", "đúng ngày hẹn"),
        ("H+1", "quá ngày hẹn 1 ngày làm việc"),
    ],
)
def test_a_rung_of_the_day_before_of_the_day_and_of_the_day_after_are_three(code: str, vi: str) -> None:
    assert rung_words(code, "vi") == vi


def test_a_committee_stands_at_the_name_of_its_place() -> None:
    names = ["UBND thành phố Vinh", "UBND huyện Quỳnh Lưu", "UBND huyện Đô Lương", "UBND thị xã Cửa Lò"]
    assert sorted(names, key=name_order) == [names[3], names[2], names[1], names[0]]


def test_tones_count_only_among_equals() -> None:
    names = ["UBND xã Tri Lễ", "UBND xã Tân Phú", "Sở Nông nghiệp và Môi trường", "Sở Nội vụ"]
    assert sorted(names, key=name_order) == [names[3], names[2], names[1], names[0]]
