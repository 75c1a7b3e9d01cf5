"""The pictures of the documents show the pages of today: the head and the title of each are as they were taken."""

from __future__ import annotations

import json

from browser.conftest import Spring
from browser.screenshots import RECORD, SHOTS, looked_at
from ground.province import fill
from playwright.sync_api import Browser

from engine.features.guide.pages import guide, pictures
from engine.text import LANGUAGES


def test_heads_and_titles_are_those_of_the_pictures(chromium: Browser, spring: Spring) -> None:
    """Else: make screenshots, and look at them."""
    there = {
        path
        for folder in {shot.path.parent for shot in SHOTS}
        for path in folder.iterdir()
        if path.suffix in (".png", ".webp")
    }
    assert {shot.path for shot in SHOTS} == there
    now = looked_at(chromium, spring, fill(spring.system))
    assert now == json.loads(RECORD.read_text(encoding="utf-8"))


def test_each_picture_of_the_guide_is_there_in_both_languages() -> None:
    entries = [entry for part in guide().parts for entry in part.entries if entry.picture]
    assert {f"{entry.picture}-{each}" for entry in entries for each in LANGUAGES} == set(pictures())
