"""No cache grows with the views: what is kept for a page that is made again is found again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from ground.caches import entries
from ground.factory import rows
from ground.office import Office, enter, join, open_office
from sqlalchemy import update

from engine.accounts.signed_links import Purpose
from engine.store.database import Database, table
from engine.store.records import Assignment, Letter

VIEWS = 6


def test_views_of_the_same_pages_leave_every_cache_as_it_was(lived: Database, tmp_path: Path) -> None:
    """Each look at a letter's link or a task list left a statement for ever, each at a link or a task a ladder."""
    office = enter(open_office(lived, tmp_path), join(lived, "monitor", "so-chinh"))
    seen: list[dict[str, int]] = []
    for _ in range(VIEWS):
        look_at_everything(office)
        seen.append(entries())
    assert len(seen[0]) > 40
    warm, last = seen[1], seen[-1]
    assert {name: (warm.get(name, 0), n) for name, n in last.items() if n != warm.get(name, 0)} == {}


def look_at_everything(office: Office) -> None:
    """A minute later and after somebody has written: none of the pages is one that was kept."""
    database = office.context.database
    office.clock.now += timedelta(minutes=1)
    with database.write() as session:
        session.connection().execute(update(table(Assignment)).values(level=table(Assignment).c.level))
    letters = [each for each in rows(database, Letter) if each.contact_id]
    links = [office.link(Purpose.ACKNOWLEDGE, each.contact_id or 0, str(each.id)) for each in letters[:5]]
    tasks = [f"/assignments/{each.id}" for each in rows(database, Assignment)]
    pages = ["/", "/overdue", "/assignments", "/assignments?agency=huyen-b", "/agencies/huyen-b", "/letters"]
    for path in (*links, *tasks, *pages, "/accept", "/leadership", "/year", "/plans/1", "/sign-in"):
        answer = office.get(path)
        assert answer.status_code in (200, 303), path
