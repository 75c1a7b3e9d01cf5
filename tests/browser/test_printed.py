"""What paper shows: Chromium prints each list as PDF, and every citation of the screen is read back from it."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest
from browser.conftest import Spring, spring_of, visitors
from browser.visitors import DESK, Visitor
from ground.postgres import Ground
from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
DAY = re.compile(r"\b\d\d?/\d\d?/\d{4}\b")
CITATION = re.compile(r"\b[IVX]+(?:\.[\w]+)+\b")
BUTTONS = ("Đôn đốc…", "Tiếp nhận các việc", "Trả lại…", "Xem trước", "Đăng xuất", "+1 tuần", "Excel · CSV")


@pytest.fixture(scope="module")
def spring(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spring]:
    """One for all: printing changes nothing."""
    with spring_of(ground, tmp_path_factory.mktemp("printed")) as found:
        yield found


def printed(visitor: Visitor) -> str:
    """The text of the page as it is printed on A4."""
    pdf = visitor.page.pdf(prefer_css_page_size=True)
    return subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()


def test_the_leaderships_page_is_one_sheet(chromium: Browser, spring: Spring) -> None:
    with visitors(chromium, spring, DESK, "vi") as come:
        visitor = come("leadership")
        visitor.goes("/leadership")
        names = visitor.page.locator(".kind-marks th[scope=row]").all_inner_texts()
        paper = printed(visitor)
    assert paper.count("\f") == 1
    assert len(names) > 30
    assert not [each for each in names if each not in " ".join(paper.split())]


def test_the_file_of_an_overdue_task_is_one_sheet_with_its_due_date_among_the_letters(
    chromium: Browser, spring: Spring
) -> None:
    with visitors(chromium, spring, DESK, "vi") as come:
        visitor = come("monitor")
        visitor.goes("/overdue")
        visitor.goes(f"{visitor.page.locator('.codes a').first.get_attribute('href')}?as=print")
        numbers = visitor.page.locator("tbody td.num").all_inner_texts()
        sheet, end = printed(visitor).split("\f")
    said = " ".join(sheet.split())
    lines = [each for each in numbers if each]
    assert lines == [str(n + 1) for n in range(len(lines))]
    assert f"Đủ {len(lines)} dòng" in said
    assert "Hạn báo cáo, chưa có báo cáo" in said
    assert said.index("Nhắc trước hạn") < said.index("Hạn báo cáo, chưa") < said.index("Báo quá hạn")
    assert not end


def test_a_day_is_not_broken_on_paper(chromium: Browser, spring: Spring) -> None:
    with visitors(chromium, spring, DESK, "vi") as come:
        visitor = come("monitor")
        visitor.goes("/assignments?as=print")
        days = Counter(DAY.findall(" ".join(visitor.page.locator("tbody td").all_inner_texts())))
        paper = printed(visitor)
    assert days
    assert not days - Counter(DAY.findall(paper))


REPEAT = "body => { while (body.rows.length < 69) body.append(body.rows[body.rows.length % 17].cloneNode(true)) }"
"""The rows of a list, again and again until they are as many as were overdue in the plan's worst week."""


def test_sixty_nine_rows_take_three_sheets_with_the_heads_on_each(chromium: Browser, spring: Spring) -> None:
    with visitors(chromium, spring, DESK, "vi") as come:
        visitor = come("monitor")
        visitor.goes("/overdue?as=print")
        visitor.page.locator("tbody").evaluate(REPEAT)
        heads = visitor.page.locator("thead th").all_inner_texts()
        *sheets, end = printed(visitor).split("\f")
    assert (len(sheets), end) == (3, "")
    assert len(CITATION.findall(" ".join(sheets))) >= 69
    assert not [head for head in heads for sheet in sheets if " ".join(head.split()) not in " ".join(sheet.split())]


@pytest.mark.parametrize(
    ("path", "who", "rows"),
    [
        ("/overdue", ("monitor",), ".codes a"),
        ("/overdue?as=print", ("monitor",), "tbody td"),
        ("/assignments", ("monitor",), ".what b"),
        ("/assignments?as=print", ("monitor",), "tbody td"),
        ("/accept?as=print", ("monitor",), "tbody td"),
        ("/accept", ("monitor",), ".what b"),
        ("/queue", ("monitor",), ".queue-rows li"),
        ("/agencies/so-xay-dung", ("coordinator", "so-xay-dung"), ".what b"),
        ("/report/so-xay-dung/1/2021-H1", ("coordinator", "so-xay-dung"), "fieldset legend"),
    ],
)
def test_a_list_prints_whole_and_without_buttons(
    chromium: Browser, spring: Spring, path: str, who: tuple[str, ...], rows: str
) -> None:
    with visitors(chromium, spring, DESK, "vi") as come:
        visitor = come(*who)
        visitor.goes(path)
        shown = Counter(CITATION.findall(" ".join(visitor.page.locator(rows).all_inner_texts())))
        paper = printed(visitor)
    assert shown
    assert not shown - Counter(CITATION.findall(paper))
    assert not [each for each in BUTTONS if each in paper]
