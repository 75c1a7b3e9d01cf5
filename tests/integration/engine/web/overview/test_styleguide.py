"""The page of the parts: in the demonstration alone; it shows each class of the style sheets, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from ground.office import open_office
from lxml.html import fromstring

from engine.http.render import WEB_DIR
from engine.store.database import Database

OF_MAIN = {"narrow", "onepage", "printed", "onpaper"}
"""What a whole page is, not a part of one; what paper alone shows."""


def test_it_is_shown_in_the_demonstration_alone(sqlite_database: Database, tmp_path: Path) -> None:
    assert open_office(sqlite_database, tmp_path).get("/styleguide").status_code == 404
    for language in ("vi", "en"):
        page = open_office(sqlite_database, tmp_path, step=lambda how: None).get(f"/styleguide?lang={language}")
        assert page.status_code == 200
        shown = {name for each in fromstring(page.text).find(".//main").iter() for name in each.classes}
        styles = "".join(path.read_text(encoding="utf-8") for path in WEB_DIR.glob("static/*.css"))
        selectors = re.sub(r"\{[^{}]*\}", "{}", re.sub(r"/\*.*?\*/", "", styles, flags=re.S))
        styled = set(re.findall(r"\.([a-z][a-z0-9-]*)", selectors))
        assert shown - styled == set()
        around = {
            name for each in fromstring(page.text).iterdescendants("*") for name in (each.get("class") or "").split()
        }
        assert styled - shown - around == OF_MAIN
