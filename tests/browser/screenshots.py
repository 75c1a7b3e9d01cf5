"""Takes the pictures of docs/screenshots and of the guide anew, from the lived province with something of everything:

make screenshots

``record.json`` beside them holds the head and the title of each page as they were; a test compares them with today's.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from browser.conftest import CHROMIUM, FLAGS, Spring, spring_of, visitors
from browser.visitors import PHONE
from ground.paths import ROOT
from ground.postgres import Ground
from ground.province import MANY, NOW, aside, fill
from playwright.sync_api import Browser, Page, sync_playwright

from engine.features.guide.pages import PICTURES as PICTURES_OF_GUIDE
from engine.store.facts import remember_backup
from engine.text import LANGUAGES
from workflows.run.private_files import make_private
from workflows.serving.runs import run_audit

FOLDER = ROOT / "docs/screenshots"
RECORD = FOLDER / "record.json"
WIDE, TALL, TALL_IN_GUIDE = 1160, 780, 560
WEBP_QUALITY = 45
HEAD = """() => {
  document.querySelectorAll('.trouble').forEach(each => each.remove());  // whether the machine is well is no part of it
  const said = location.pathname === '/health' ? [] : [document.querySelector('h1')];
  return [document.querySelector('header'), ...said].map(
    each => each ? each.innerText.replace(/\\s+/g, ' ').trim() : '');
}"""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A picture of an address, and who looks; its ending says of what kind."""

    address: str
    role: str
    path: Path
    language: str = "vi"
    wide: int = WIDE
    tall: int = TALL


def _of_documents() -> Iterator[Shot]:
    for name, address, role in (
        ("board", "/", "monitor"),
        ("overdue", "/overdue", "monitor"),
        ("accept", "/accept", "monitor"),
        ("assignment", "/assignments/{late}", "monitor"),
        ("report", f"/report/{MANY}/{{plan}}/{{period}}", "coordinator"),
        ("leadership", "/leadership?plan={plan}&period={period}", "leadership"),
        ("calendar", "/admin/calendar", "administrator"),
        ("letters", "/letters/{letter}", "monitor"),
        ("health", "/health", "administrator"),
    ):
        yield Shot(address=address, role=role, path=FOLDER / f"{name}.png")
    yield Shot(address="/", role="monitor", path=FOLDER / "board-en.png", language="en")
    for name, address, role in (
        ("board", "/", "monitor"),
        ("assignment", "/assignments/{late}", "monitor"),
        ("desk", f"/agencies/{MANY}", "coordinator"),
        ("acknowledge", "/l/{seen}", ""),
        ("letter", "/letters/{letter}/html", "monitor"),
        ("guide", "/guide?page=/overdue", "coordinator"),
    ):
        yield Shot(address=address, role=role, path=FOLDER / f"{name}-phone.png", wide=PHONE)


def _of_the_guide() -> Iterator[Shot]:
    """On a telephone, in both languages."""
    for name, address, role in (
        ("letter", "/letters/{letter}/html", "monitor"),
        ("acknowledge", "/l/{seen}", ""),
        ("report", f"/report/{MANY}/{{plan}}/{{period}}", "coordinator"),
        ("board", "/", "monitor"),
        ("overdue", "/overdue", "monitor"),
        ("accept", "/accept", "monitor"),
        ("leadership", "/leadership", "leadership"),
        ("health", "/health", "administrator"),
    ):
        for language in LANGUAGES:
            path = PICTURES_OF_GUIDE / f"{name}-{language}.webp"
            yield Shot(address=address, role=role, path=path, language=language, wide=PHONE, tall=TALL_IN_GUIDE)


SHOTS = (*_of_documents(), *_of_the_guide())


def looked_at(
    browser: Browser, spring: Spring, names: dict[str, object], *, taking: bool = False
) -> dict[str, list[str]]:
    """The head and the title of each page, by its picture; the pictures are made anew if they are taken."""
    heads: dict[str, list[str]] = {}
    for shot in SHOTS:
        with visitors(browser, spring, shot.wide, shot.language) as come:
            someone = come(shot.role, MANY if shot.role == "coordinator" else "")
            someone.page.set_viewport_size({"width": shot.wide, "height": shot.tall})
            someone.goes(shot.address.format(**names))
            heads[shot.path.name] = someone.page.evaluate(HEAD)
            if taking:
                shot.path.write_bytes(_taken(someone.page, shot.path.suffix.removeprefix(".")))
    return heads


def _taken(page: Page, kind: str) -> bytes:
    """What is to be seen. As WebP it is a quarter of a PNG."""
    told = {"format": kind, **({"quality": WEBP_QUALITY} if kind == "webp" else {})}
    return b64decode(page.context.new_cdp_session(page).send("Page.captureScreenshot", told)["data"])


def main() -> None:
    with TemporaryDirectory() as made, sync_playwright() as playwright:
        ground = Ground(Path(made) / "ground", os.getpid())
        ground.folder.mkdir()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with spring_of(ground, Path(made)) as spring:
            names = fill(spring.system)
            make_private(spring.system.settings)
            with spring.system.database.write() as session:
                remember_backup(session, NOW)
            aside(lambda: run_audit(spring.system))
            PICTURES_OF_GUIDE.mkdir(exist_ok=True)
            heads = looked_at(browser, spring, names, taking=True)
        browser.close()
    RECORD.write_text(json.dumps(heads, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
