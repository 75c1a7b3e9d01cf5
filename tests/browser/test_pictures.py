"""The pictures of the documents show the pages of today: the head and the title of each are as they were taken."""

from __future__ import annotations

import json

from browser.conftest import Spring
from browser.screenshots import FOLDER, PICTURES, RECORD, looked_at
from ground.province import fill
from playwright.sync_api import Browser


def test_heads_and_titles_are_those_of_the_pictures(chromium: Browser, spring: Spring) -> None:
    """Else: make screenshots, and look at them."""
    assert {path.stem for path in FOLDER.glob("*.png")} == {name for name, *_ in PICTURES}
    assert looked_at(chromium, spring, fill(spring.system), None) == json.loads(RECORD.read_text(encoding="utf-8"))
