"""The health page: which version runs; where Prefect's pages are and what they ask for, for administrators."""

from __future__ import annotations

from pathlib import Path

from ground.office import enter, join, open_office

from engine.store.database import Database
from engine.store.version import version_line

COMMAND = "dondoc prefect key"


def test_administrators_are_told_where_prefect_is_and_which_command_opens_it(lived: Database, tmp_path: Path) -> None:
    url = "http://kh0a-ai:kh0a-gi@prefect.example:4200/api"
    account_id = join(lived, "administrator", "so-chinh")
    page = enter(open_office(lived, tmp_path, prefect=True, prefect_api_url=url), account_id).get("/health")
    assert (COMMAND in page.text, "http://prefect.example:4200<" in page.text) == (True, True)
    assert "kh0a" not in page.text


def test_the_local_one_is_named_by_its_port_and_none_by_nothing(lived: Database, tmp_path: Path) -> None:
    page = open_office(lived, tmp_path, prefect=True, port=8199).get("/health").text
    assert "http://127.0.0.1:4199<" in page
    assert (COMMAND in page, f"cat {tmp_path.resolve()}/prefect/key<" in page) == (False, True)
    assert COMMAND not in open_office(lived, tmp_path, prefect=False).get("/health").text


def test_it_says_which_version_and_which_schema_run(lived: Database, tmp_path: Path) -> None:
    office = open_office(lived, tmp_path)
    assert f"Đôn Đốc</span> {version_line('vi')}" in office.get("/health").text
    assert f"Đôn Đốc</span> {version_line('en')}" in office.get("/health?lang=en").text
