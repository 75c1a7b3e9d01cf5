"""The sentence that is the title of the leadership's page."""

from __future__ import annotations

from datetime import date

import pytest

from engine.assignments.situations import Boxes
from engine.assignments.told import Since
from engine.queries.figures.outlook import Behind, Outlook
from engine.queries.figures.plan_progress import Standing
from engine.views.event_sentences import finding

DUE = date(2021, 6, 17)


def behind(name: str, overdue: int, due: date = DUE) -> Behind:
    return Behind(id=name, name=name, level="huyen", overdue=overdue, expected=4, since=due, late=7)


def looked(was: int | None, now: int, *agencies: Behind) -> Outlook:
    """``was``: overdue tasks of the last weekly report; None without one."""
    today = Standing(as_of=date(2021, 6, 28), total=Boxes(late=5, overdue=now), agencies=(), periods=())
    before = None if was is None else Boxes(in_term=5, overdue=was)
    return Outlook(
        now=today,
        since=before and Since(on=date(2021, 6, 21), was=before, now=today.total, agencies=()),
        behind=agencies,
        weeks=(),
        next_dates=(),
    )


@pytest.mark.parametrize(
    ("was", "now", "vi", "en"),
    [
        (69, 21, "Quá hạn giảm từ 69 xuống 21 việc", "Overdue down from 69 to 21"),
        (1, 1200, "Quá hạn tăng từ 1 lên 1.200 việc", "Overdue up from 1 to 1,200"),
        (3, 3, "3 việc quá hạn", "3 overdue"),
        (None, 3, "3 việc quá hạn", "3 overdue"),
        (3, 0, "Hết quá hạn, báo cáo tuần trước 3 việc", "Nothing overdue any more, 3 in the last report"),
        (0, 0, "Không có việc quá hạn", "Nothing overdue"),
    ],
)
def test_it_begins_with_what_changed(was: int | None, now: int, vi: str, en: str) -> None:
    found = finding(looked(was, now))
    assert (found.vi, found.en) == (vi, en)


def test_whoever_is_alone_furthest_behind_is_named() -> None:
    found = finding(looked(3, 3, behind("Huyện A", 2), behind("Huyện B", 1, date(2021, 6, 21))))
    assert found.vi == "3 việc quá hạn; lâu nhất: Huyện A, 2 việc từ 17/6/2021"


def test_a_tie_names_nobody() -> None:
    found = finding(looked(2, 2, behind("Huyện A", 1), behind("Huyện B", 1)))
    assert found.vi == "2 việc quá hạn; lâu nhất: 2 cơ quan, đều có hạn 17/6/2021"


def test_of_a_tie_those_with_most_tasks_are_told() -> None:
    found = finding(looked(9, 9, behind("A", 4), behind("B", 4), behind("C", 1)))
    assert found.vi == "9 việc quá hạn; nhiều nhất: 2 cơ quan, mỗi cơ quan 4 việc"


def test_one_with_more_tasks_than_others_of_that_day_is_named() -> None:
    assert finding(looked(5, 5, behind("A", 4), behind("B", 1))).vi == "5 việc quá hạn; nhiều nhất: A, 4 việc"
