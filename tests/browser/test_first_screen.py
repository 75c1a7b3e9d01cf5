"""The content of each list begins in the upper third of the first screen, at a desk and on a telephone; the filters
take one line, and on a telephone they are folded."""

from __future__ import annotations

import pytest
from browser.conftest import Served, enter
from browser.visitors import DESK, PHONE
from ground.province import MANY
from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
SCREENS = [(DESK, 800), (PHONE, 812)]
LISTS = (
    ("/overdue", "monitor", ".three"),
    ("/assignments", "monitor", "table.list"),
    ("/", "monitor", ".lead"),
    ("/agencies", "monitor", ".three"),
    ("/letters", "monitor", "table.list"),
    ("/plans", "monitor", ".three"),
    ("/accept", "monitor", "form.stack"),
    ("/queue", "monitor", ".queue-rows"),
    ("/papers", "monitor", "main section"),
    ("/search?q=xay+dung", "monitor", ".hits > li"),
    ("/admin/log", "administrator", ".story > li"),
    ("/admin/agencies", "administrator", ".rows > li"),
    ("/leadership", "leadership", ".overview"),
    (f"/agencies/{MANY}", "coordinator", "main section"),
)
MEASURED = """wanted => {
  const first = document.querySelector("main").querySelector(wanted).getBoundingClientRect().top;
  const filters = document.querySelector(".fold");
  const fields = [...document.querySelectorAll(".filters .field, .filters button")];
  const seen = fields.filter(each => each.checkVisibility()).map(each => each.getBoundingClientRect());
  return {first, filters: filters ? filters.getBoundingClientRect().height : 0, shown: seen.length};
}"""


@pytest.mark.parametrize(
    ("language", "width", "height"),
    [
        ("vi", *SCREENS[0]),
        pytest.param("vi", *SCREENS[1], marks=pytest.mark.deep),
        pytest.param("en", *SCREENS[0], marks=pytest.mark.deep),
        pytest.param("en", *SCREENS[1], marks=pytest.mark.deep),
    ],
)
def test_content_begins_in_the_upper_third(
    chromium: Browser, spring: Served, width: int, height: int, language: str
) -> None:
    late = []
    context = chromium.new_context(viewport={"width": width, "height": height}, is_mobile=width == PHONE)
    page = context.new_page()
    for path, role, content in LISTS:
        cookie = enter(spring, role, MANY if role == "coordinator" else _at(role), language)
        context.add_cookies([{"name": "dondoc_session", "value": cookie, "url": spring.url}])
        page.goto(spring.url + path)
        found = page.evaluate(MEASURED, content)
        if found["first"] > height / 3:
            late.append(f"{path} {language}: {found['first']:.0f} of {height / 3:.0f}")
        if found["filters"] > 48 or (width == PHONE and found["shown"]):
            late.append(f"{path} {language}: filters {found['filters']:.0f} high, {found['shown']} shown")
    context.close()
    assert not late, "\n".join(late)


CUT = """() => [...document.querySelectorAll("main .filters select")].map(each => {
  const [pen, style] = [document.createElement("canvas").getContext("2d"), getComputedStyle(each)];
  pen.font = style.font;
  const [said, arrow] = [each.selectedOptions[0].text.trim(), 18];
  const needs = pen.measureText(said).width + parseFloat(style.paddingLeft) + parseFloat(style.paddingRight) + arrow;
  return needs > each.clientWidth ? said : "";
}).filter(each => each)"""


@pytest.mark.parametrize("language", ["vi", "en"])
def test_filters_at_a_desk_say_their_words_whole(chromium: Browser, spring: Served, language: str) -> None:
    context = chromium.new_context(viewport={"width": DESK, "height": 800})
    page = context.new_page()
    cookie = enter(spring, "monitor", _at("monitor"), language)
    context.add_cookies([{"name": "dondoc_session", "value": cookie, "url": spring.url}])
    cut = {}
    for path in ("/letters", "/assignments", "/year", "/incoming"):
        page.goto(spring.url + path)
        cut[path] = page.evaluate(CUT)
    context.close()
    assert not any(cut.values()), cut


def _at(role: str) -> str:
    return "ubnd-tinh" if role == "leadership" else "so-ldtbxh"
