"""Somebody at a browser: goes to pages, follows links, presses buttons, types. On a telephone with JavaScript off,
since the pages need none; at a desk with it on, since axe is a script. What the browser complains of is a fault.

    she = come("monitor")                        signed in, at the width and in the language of the test
    she.follows("Quá hạn", "Overdue")            what is named is named in both languages
    she.is_told("Đã đưa", "Put")
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, Locator, Page, Response, expect

PHONE, DESK, TALL = 375, 1280, 800
NARROWEST = 320
"""A page enlarged to 400 % on a desk, and the smallest telephone: WCAG 1.4.10."""
AXE = Axe().axe_script
RULES = {"resultTypes": ["violations"], "iframes": False, "preload": False}
"""Not in frames: a letter's runs nothing. No style sheet is fetched: the rules that read them are experimental."""
LOOK = """async ([known, options, whole]) => {
  if (!window.axe) return null;
  const fresh = new Map(), old = new Set(known.split(" ")), ids = new Set(), doubled = [];
  for (const {id} of document.querySelectorAll("[id]")) ids.has(id) ? doubled.push(id) : ids.add(id);
  const states = ["type", "role", "aria-current", "disabled", "readonly", "open", "lang"];
  const visit = (element, around) => {
    const states_of = states.map(name => element.hasAttribute(name) ? name + element.getAttribute(name) : "");
    let kind = around;
    for (const letter of [element.tagName, element.className, ...states_of].join(" ")) {
      kind = (kind * 31 + letter.codePointAt(0)) % 70368744177643;
    }
    const written = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim().length > 1);
    if (written || element.matches("input, select, textarea")) {
      const name = kind.toString(36);
      if (!old.has(name) && !fresh.has(name) && element.checkVisibility()) fresh.set(name, element);
    }
    for (const inner of element.children) visit(inner, kind);
  };
  visit(document.body, document.documentElement.lang.length);
  for (const element of fresh.values()) element.dataset.fresh = "";
  const words = /^(href|value|title|alt|action|placeholder|aria-label)$/;
  const without_repeats = element => {
    let shape = element.tagName;
    for (const {name, value} of element.attributes) {
      shape += " " + name + (words.test(name) ? "" : value.replace(/[0-9]+/g, "0"));
    }
    for (const node of element.childNodes) if (node.nodeType === 3 && node.data.trim()) shape += "w";
    const shapes = new Map();
    for (const inner of [...element.children]) {
      const found = without_repeats(inner), times = (shapes.get(found) || 0) + 1;
      shapes.set(found, times);
      if (times < 3 || !inner.matches("tr, li, option")) shape += "(" + found + ")";
      else inner.remove();
    }
    return shape;
  };
  if (document.body.getElementsByTagName("*").length > 250) without_repeats(document.body);
  axe.configure({rules: [{id: "color-contrast", selector: "[data-fresh]"}]});
  const wrong = doubled.map(id => ({id: "doubled id", nodes: [{html: id}]}));
  if (!whole && !fresh.size) return {kinds: [], violations: wrong};
  const rules = {"color-contrast": {enabled: fresh.size > 0}};
  const found = await axe.run(document, {...options, ...(whole ? {rules} : {runOnly: ["color-contrast"]})});
  return {kinds: [...fresh.keys()], violations: [...wrong, ...found.violations]};
}"""
"""Contrast of the first visible element of each kind not yet ``known`` in which a word stands; all other rules if
``whole``; null where axe is not there. A kind is what styles reach an element by: its tag, classes and states and those
of all around it. Of rows of one shape axe is shown the first two: it reads no words."""
CONTRAST = "options => axe.run(document, {...options, runOnly: ['color-contrast']}).then(found => found.violations)"
"""Of the same elements again."""
SIDEWAYS = "document.scrollingElement.scrollWidth > document.documentElement.clientWidth"
"""Not ``innerWidth``: a telephone zooms out until a page that is too wide fits into it."""
SEEN = """wanted => {
  const on = document.activeElement, look = getComputedStyle(on), at = on.getBoundingClientRect();
  const top = document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2);
  const clear = top && (on.contains(top) || top.contains(on));
  return {what: on.outerHTML.slice(0, 80), there: on === wanted, clear: Boolean(clear),
          ring: look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2};
}"""
WORKING_MILLISECONDS = 300
LOADING = "Failed to load resource"
"""What Chromium writes of every answer that is an error; a refused form is one."""


@dataclass
class Visitor:
    """One tab of one person."""

    page: Page
    url: str
    language: str = "vi"
    telephone: bool = False
    scripts: bool = True
    width: int = DESK
    dark: bool = False
    faults: list[str] = field(default_factory=list)
    taps: int = 0
    """How often a link, button, box or folded part was touched."""

    def __post_init__(self) -> None:
        self.page.on("request", self._asked)
        self.page.on("console", lambda said: self._wrote(said.type, said.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.url, "file:", "data:")):
            self.faults.append(f"asked {request.url}")

    def _wrote(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith(LOADING):
            self.faults.append(text)

    def words(self, vi: str, en: str) -> str:
        return en if self.language == "en" else vi

    def arrives(self, path: str) -> None:
        """At a page whose address is this, whatever its parameters."""
        expect(self.page).to_have_url(re.compile(f"^{re.escape(self.url + path)}([?#].*)?$"))

    def goes(self, path: str) -> None:
        answer = self.loads(path)
        assert answer.ok, f"{path} answered {answer.status}"

    def loads(self, path: str) -> Response:
        """The answer when long work is done: until then it is 202, or none where the page asked again by itself."""
        answer = self._loaded(path)
        while answer is None or answer.status == 202:
            self.page.wait_for_timeout(WORKING_MILLISECONDS)  # asked again and again, the work would take longer
            answer = self._loaded(path)
        return answer

    def _loaded(self, path: str) -> Response | None:
        try:
            return self.page.goto(f"{self.url}{path}")
        except Error as error:
            if "ERR_ABORTED" not in error.message:
                raise
            return self.page.goto(f"{self.url}{path}")  # the page before refreshed itself in between

    def follows(self, vi: str, en: str, *, inside: Locator | None = None) -> None:
        self._act(self.finds("link", vi, en, inside=inside))

    def presses(self, vi: str, en: str, *, inside: Locator | None = None) -> None:
        self._act(self.finds("button", vi, en, inside=inside))

    def opens(self, vi: str, en: str) -> None:
        """A folded part."""
        self._act(self.page.locator("summary", has_text=self.words(vi, en)).first)

    def types(self, vi: str, en: str, text: str, *, inside: Locator | None = None) -> None:
        (inside or self.page).get_by_label(self.words(vi, en)).first.fill(text)

    def chooses(self, vi: str, en: str) -> None:
        self._act(self.page.locator("label.radio", has_text=self.words(vi, en)).first)

    def ticks(self, box: Locator) -> None:
        self._act(box)
        expect(box).to_be_checked()

    def finds(self, role: Any, vi: str, en: str, *, inside: Locator | None = None) -> Locator:
        """The first such thing whose name begins so."""
        name = re.compile("^" + re.escape(self.words(vi, en)))
        return (inside or self.page).get_by_role(role, name=name).first

    def sees(self, vi: str, en: str) -> None:
        expect(self.page.locator("main")).to_contain_text(self.words(vi, en))

    def is_told(self, vi: str, en: str) -> None:
        expect(self.page.get_by_role("status").first).to_contain_text(self.words(vi, en))

    def is_refused(self, vi: str, en: str) -> None:
        expect(self.page.get_by_role("alert").first).to_contain_text(self.words(vi, en))

    def tabs_to(self, role: Any, vi: str, en: str, *, most: int = 60) -> int:
        """By the Tab key alone, each step seen: the ring is drawn and nothing covers what has the focus. How many."""
        self.page.wait_for_load_state("load")  # words stand there before the style sheet that draws the ring
        wanted = self.finds(role, vi, en).element_handle()
        for step in range(1, most + 1):
            self.page.keyboard.press("Tab")
            seen = self.page.evaluate(SEEN, wanted)
            assert seen["ring"], f"no ring around {seen['what']}"
            assert seen["clear"], f"{seen['what']} is covered"
            if seen["there"]:
                return step
        raise AssertionError(f"{most} steps do not reach {vi}")

    def _act(self, on: Locator) -> None:
        self.taps += 1
        if self.telephone:
            on.tap()
        else:
            on.click()

    def looks(self) -> list[str]:
        """What is wrong with the page as it stands: what axe finds, what scrolls sideways, what the browser said. Not
        axe without scripts: it waits for a timer, and none would come."""
        self.page.wait_for_load_state("load")  # a page that is still arriving has no width
        found = self.axe(set()) if self.scripts else []
        return [*found, *self._sideways(), *self.faults]

    def looks_both_ways(self, kinds: set[str], *, whole: bool) -> list[str]:
        """The same in light and dark, and at both widths: it ends at the other one, where the next page begins.
        ``kinds``: those of elements whose contrast has been looked at, which grow. ``whole``: axe's other rules too."""
        known = len(kinds)
        found = self._sideways() + self.axe(kinds, whole=whole)
        if len(kinds) > known:
            self.dark = not self.dark
            self.page.emulate_media(color_scheme="dark" if self.dark else "light")
            found += _named(self.page.evaluate(CONTRAST, RULES))
        self.width = DESK if self.width == PHONE else PHONE
        found += self._sideways_at(NARROWEST)
        return [*found, *self._sideways_at(self.width), *self.faults]

    def axe(self, kinds: set[str], *, whole: bool = True) -> list[str]:
        asked = [" ".join(kinds), RULES, whole]
        seen = self.page.evaluate(LOOK, asked)
        if seen is None:
            self.page.evaluate(AXE)
            seen = self.page.evaluate(LOOK, asked)
        kinds.update(seen["kinds"])
        return _named(seen["violations"])

    def _sideways_at(self, width: int) -> list[str]:
        self.page.set_viewport_size({"width": width, "height": TALL})
        return [f"{each} at {width}" for each in self._sideways()]

    def _sideways(self) -> list[str]:
        return ["scrolls sideways"] if self.page.evaluate(SIDEWAYS) else []


def _named(violations: list[dict[str, Any]]) -> list[str]:
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in violations]


Come = Callable[..., Visitor]


@contextmanager
def within(who: Visitor, most: int, what: str, out: pytest.CaptureFixture[str]) -> Iterator[None]:
    """The work in the block takes at most so many touches."""
    before = who.taps
    yield
    taken = who.taps - before
    with out.disabled():
        print(f"\n  {what}: {taken} of {most} taps", end="")
    assert 0 < taken <= most
