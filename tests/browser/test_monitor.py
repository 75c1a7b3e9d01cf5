"""What the monitor does: whom the overdue list names first is chased, once a day, by letters that are shown first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from browser.conftest import Spring
from browser.visitors import Come, within

from engine.assignments.undo import UNDO_TIME
from notifications.email import maildir

pytestmark = pytest.mark.browser


def after_undoing(spring: Spring) -> None:
    """A tick when what was done can be undone no longer, and its letters leave."""
    spring.clock.now += UNDO_TIME + timedelta(minutes=1)
    spring.beats()


def letters(spring: Spring) -> list[tuple[str, str]]:
    return [(each.to, each.subject) for each in maildir.letters(spring.folder / "maildir", 1_000)]


@pytest.mark.deep
def test_the_latest_agency_is_found_from_the_board_and_chased_once_a_day(come: Come, spring: Spring) -> None:
    monitor = come("monitor")
    monitor.goes("/")
    monitor.page.locator(".key a").first.click()
    monitor.arrives("/assignments")
    monitor.goes("/")
    monitor.page.locator("h1 a").click()
    first = monitor.page.locator("main tbody tr").first
    latest = first.get_by_role("rowheader").get_by_role("link").inner_text().split()[-1]

    for box in first.get_by_role("checkbox").all():
        monitor.ticks(box)
    before = letters(spring)
    monitor.presses("Đôn đốc…", "Chase…")
    monitor.sees(latest, latest)
    assert not monitor.looks()
    monitor.presses("Đôn đốc ngay", "Chase now")
    monitor.is_told("Đã đưa", "Put")
    after_undoing(spring)
    assert len(letters(spring)) == len(before) + 1

    for box in monitor.page.locator("main tbody tr").first.get_by_role("checkbox").all():
        monitor.ticks(box)
    monitor.presses("Đôn đốc…", "Chase…")
    monitor.sees("Không có gì để gửi", "Nothing to send")
    monitor.sees("Hôm nay đã đôn đốc, không gửi thêm", "Chased today already, not again")


@pytest.mark.deep
def test_all_that_is_late_is_chased_in_four_taps(
    come: Come, spring: Spring, capsys: pytest.CaptureFixture[str]
) -> None:
    monitor = come("monitor")
    monitor.goes("/")
    before = letters(spring)
    with within(monitor, 4, "chase all", capsys):
        monitor.follows("Quá hạn", "Overdue")
        monitor.ticks(monitor.finds("checkbox", "Chọn tất cả", "Choose all"))
        assert not monitor.looks()
        monitor.presses("Đôn đốc…", "Chase…")
        monitor.presses("Đôn đốc ngay", "Chase now")
    monitor.is_told("Đã đưa 21 việc", "Put 21 assignments")
    after_undoing(spring)
    assert len(letters(spring)) == len(before) + 9
