"""Takes the pictures of docs/screenshots anew, from the lived province with something of everything in it:

make screenshots

``record.json`` beside them holds the head and the title of each page as they were; a test compares them with today's.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from browser.conftest import CHROMIUM, FLAGS, Spring, spring_of, visitors
from browser.visitors import PHONE
from ground.paths import ROOT
from ground.postgres import Ground
from ground.province import MANY, NOW, aside, fill
from playwright.sync_api import Browser, sync_playwright

from engine.store.markers import remember_backup
from workflows.run.private_files import make_private
from workflows.serving.runs import run_audit

FOLDER = ROOT / "docs/screenshots"
WIDE, TALL = 1160, 780
PICTURES = (
    ("board", "/", "monitor", "vi", False),
    ("board-en", "/", "monitor", "en", False),
    ("board-phone", "/", "monitor", "vi", True),
    ("overdue", "/overdue", "monitor", "vi", False),
    ("accept", "/accept", "monitor", "vi", False),
    ("assignment", "/assignments/{late}", "monitor", "vi", False),
    ("assignment-phone", "/assignments/{late}", "monitor", "vi", True),
    ("desk-phone", f"/agencies/{MANY}", "coordinator", "vi", True),
    ("acknowledge-phone", "/l/{seen}", "", "vi", True),
    ("report", f"/report/{MANY}/{{plan}}/{{period}}", "coordinator", "vi", False),
    ("leadership", "/leadership?plan={plan}&period={period}", "leadership", "vi", False),
    ("calendar", "/admin/calendar", "administrator", "vi", False),
    ("letters", "/letters/{letter}", "monitor", "vi", False),
    ("letter-phone", "/letters/{letter}/html", "monitor", "vi", True),
    ("guide-phone", "/guide?page=/overdue", "coordinator", "vi", True),
    ("health", "/health", "administrator", "vi", False),
)
"""Name, address, who looks, in which language, on a telephone or at a desk."""


RECORD = FOLDER / "record.json"
HEAD = """() => [document.querySelector('header'), document.querySelector('h1')]
  .map(each => each ? each.innerText.replace(/\\s+/g, ' ').trim() : '')"""


def looked_at(browser: Browser, spring: Spring, names: dict[str, object], folder: Path | None) -> dict[str, list[str]]:
    """The head and the title of each page, by the name of its picture; the pictures themselves go into a folder."""
    heads: dict[str, list[str]] = {}
    for name, address, role, language, phone in PICTURES:
        with visitors(browser, spring, PHONE if phone else WIDE, language) as come:
            someone = come(role, MANY if role == "coordinator" else "")
            someone.page.set_viewport_size({"width": PHONE if phone else WIDE, "height": TALL})
            someone.goes(address.format(**names))
            heads[name] = someone.page.evaluate(HEAD)
            if folder is not None:
                someone.page.screenshot(path=folder / f"{name}.png")
    return heads


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
            heads = looked_at(browser, spring, names, FOLDER)
        browser.close()
    RECORD.write_text(json.dumps(heads, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
