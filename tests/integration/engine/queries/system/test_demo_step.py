"""What a step of the demonstration's clock did, counted from letters and events."""

from __future__ import annotations

from datetime import timedelta

from ground.factory import rows
from ground.office import NOW, OPENED
from sqlmodel import Session

from engine.queries.system.health import step_news
from engine.queries.time_class import Today
from engine.store.records import Event, Letter, Notice
from engine.terms import EventKind


def test_a_step_counts_the_letters_that_left_their_lines_and_the_reports(
    laid: object, seen: tuple[Session, Today]
) -> None:
    database = laid.database  # type: ignore[attr-defined]
    news = step_news(seen[0], OPENED - timedelta(days=1), NOW)
    sent = {each.id for each in rows(database, Letter) if each.sent_at}
    lines = [each for each in rows(database, Notice) if each.letter_id in sent and not each.obsolete]
    assert news.letters == len(sent) > 0
    assert sum(n for _, _, n in news.lines) == len(lines) > 0
    assert news.reports == len(rows(database, Event, kind=EventKind.REPORTED)) > 0


def test_nothing_happens_in_no_time(seen: tuple[Session, Today]) -> None:
    news = step_news(seen[0], NOW, NOW)
    assert (news.letters, news.lines, news.reports) == (0, (), 0)
