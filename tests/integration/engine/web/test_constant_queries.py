"""Three agencies or twelve: every page sends the same number of statements, whatever stands in its list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from ground.databases import closing_database, sqlite_copy, statements
from ground.factory import agency, at, directory, item, lay, plan_file, policy, rows, swept
from ground.office import NOW, OPENED, Office, as_role, contact_of, join
from ground.postgres import Ground
from ground.walk import survey
from httpx import Response

from engine.admin.published_figures import publish_figures
from engine.agencies import preferences
from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.files.directory import DirectoryFile
from engine.store.database import Database
from engine.store.records import Agency, Assignment, Letter
from engine.terms import LetterState, Role

FEW, MANY = 3, 12
FIRST = ("/agencies/huyen-1", "/assignments?agency=huyen-1", "/accept?period=2021-H1", "/?sort=late&late=1&kind=huyen")
STATIC = ("/static/", "/feeds/")


def province(many: int) -> DirectoryFile:
    """The made-up one with so many districts, each with a coordinator and a head."""
    names = [f"huyen-{n}" for n in range(1, many + 1)]
    bodies = {name.replace("-", "_"): agency(name, Role.COORDINATOR, Role.HEAD, parent="tinh") for name in names}
    made = directory(**bodies).model_dump(by_alias=True)
    made["groups"][0]["members"] = names
    return DirectoryFile.model_validate(made)


def grown(database: Database, folder: Path, many: int) -> Office:
    """Two plans over the province on 24 June: a third reported, a third asked for longer, a third said «not mine»."""
    items = (item(1, "so-ban"), item(2, "cac-huyen"), item(3, "cac-huyen"), item(4, "so-chinh", rule="gui-tinh"))
    for number in (12, 13):
        plan = plan_file(number=f"{number}/KH-UBND", sms_name=f"KH{number}", items=items)
        laid = lay(database, now=OPENED, bodies=province(many), plan=plan, rules=policy())
    then = at("2021-06-10")
    deputy_of = contact_of(database, "huyen-1")
    with database.write() as session:
        for n, each in enumerate(rows_of(database, "2021-H1")):
            who: dict[str, Any] = {"actor": "contact:1", "now": then}
            if n % 3 == 0:
                lifecycle.report(session, each, ReportText(body="Đã làm."), **who)
            elif n % 3 == 1:
                lifecycle.ask_extension(session, each, until=date(2021, 6, 30), reason="Chờ số liệu.", **who)
            else:
                lifecycle.decline(session, each, reason="Việc của nơi khác.", **who)
        publish_figures(session, laid.plan_id, "2021-H1", date(2021, 6, 20), actor="cli", now=NOW)
        preferences.name_deputy(
            session,
            deputy_of,
            email="pho@huyen-1.example",
            phone="",
            label="Cấp phó",
            language="vi",
            valid_from=NOW.date(),
            valid_until=date(2021, 7, 9),
            actor="cli",
            now=NOW,
        )
    while swept(database, NOW).seen:
        pass
    for each in rows(database, Agency):
        join(database, "coordinator", each.id)
    return as_role(database, folder, "administrator", "tinh")


def rows_of(database: Database, period: str) -> list[int]:
    return [each.id for each in rows(database, Assignment, period=period)]


Make = Callable[[int], AbstractContextManager[Office]]


@pytest.fixture
def make(ground: Ground, tmp_path: Path) -> Make:
    @contextmanager
    def making(many: int) -> Iterator[Office]:
        folder = tmp_path / str(many)
        folder.mkdir()
        with closing_database(sqlite_copy(ground, folder)) as database:
            yield grown(database, folder, many)

    return making


def test_every_page_sends_as_many_statements_for_twelve_rows_as_for_three(make: Make) -> None:
    with make(FEW) as few, make(MANY) as many:
        noted = Noted(few.client, few.context, few.clock)
        addresses = [each.filled() for each in survey(noted, *FIRST).addresses if each.method == "GET"]
        asked = [path for path in (*FIRST, *addresses) if not path.startswith(STATIC)]
        counts = {path: (noted.counts[path], _count(many, path)) for path in dict.fromkeys(asked)}
        letters = [len(rows(each.context.database, Letter, state=LetterState.QUEUED)) for each in (few, many)]
    shown = {path: both for path, both in counts.items() if 200 in (both[0][0], both[1][0])}
    assert {path: both for path, both in shown.items() if both[0] != both[1]} == {}
    assert len(shown) > 35
    assert letters[1] > letters[0]


class Noted(Office):
    """Notes of each page its status and how many statements it sent."""

    def get(self, path: str, **more: Any) -> Response:
        with statements(self.context.database) as sent:
            answer = super().get(path, **more)
        self.counts[path] = answer.status_code, len(sent)
        return answer

    @cached_property
    def counts(self) -> dict[str, tuple[int, int]]:
        return {}


def _count(office: Office, path: str) -> tuple[int, int]:
    noted = Noted(office.client, office.context, office.clock)
    noted.get(path)
    return noted.counts[path]
