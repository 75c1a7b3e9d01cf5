"""On an English page what is Vietnamese says so, also in lists to choose from: a screen reader changes its voice."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.office import open_office

from engine.store.database import Database

CHOSEN = {
    "/letters": "agency",
    "/assignments": "agency",
    "/admin/log": "agency",
    "/admin/add-agency": "parent",
    "/assignments/3": "to",
}


@pytest.mark.parametrize("page", CHOSEN)
def test_names_of_agencies_among_options_are_vietnamese_and_the_rest_is_not(
    lived: Database, tmp_path: Path, page: str
) -> None:
    answer = open_office(lived, tmp_path).get(f"{page}?lang=en")
    select = BeautifulSoup(answer.text, "lxml").select_one(f"select[name={CHOSEN[page]}]")
    assert select is not None
    first, *names = select.select("option")
    assert names
    assert first.get("lang", select.get("lang", "en")) == "en"
    assert {each.get("lang", select.get("lang")) for each in names} == {"vi"}
