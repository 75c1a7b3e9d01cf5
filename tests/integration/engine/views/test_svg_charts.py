"""Pictures are well-formed, say what their tables say, and need neither script nor colour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from ground.factory import Laid, at, begin, do, lay, plan_file, real_plan, swept
from lxml import etree
from sqlalchemy import event, update

from engine.queries.figures.outlook import WeekPoint
from engine.queries.figures.year import AgencyYear, Week, Year, year_of
from engine.queries.time_class import read_today
from engine.rules.situation import Action
from engine.store.database import Database, table
from engine.store.records import Letter
from engine.terms import LetterState
from engine.views import svg_charts
from engine.views.svg_charts import Picture

OPENED, NOW = at("2021-04-07"), at("2021-06-16")


def the_year(database: Database, plan_id: int | None = None, now: Any = NOW) -> Year:
    with database.read() as session:
        return year_of(session, read_today(session, now), 2021, plan_id=plan_id)


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    made = lay(sqlite_database, now=OPENED)
    swept(sqlite_database, at("2021-06-02", "07:00"))
    with sqlite_database.write() as session:
        session.connection().execute(update(table(Letter)).values(state=LetterState.DELIVERED))
    swept(sqlite_database, at("2021-06-14", "07:00"))
    return made


def drawn(laid: Laid, language: str = "vi") -> dict[str, Picture]:
    with laid.database.read() as session:
        today = read_today(session, NOW)
        year = year_of(session, today, 2021)
    points = [WeekPoint(date(2021, 6, day), done, 134) for day, done in ((14, 4), (21, 62), (28, 111))]
    return {
        "letters": svg_charts.letters_per_week(year, language),
        "weeks": svg_charts.done_by_week(points, [date(2021, 6, 17)], language),
    }


def test_a_week_before_anything_was_due_is_no_week_of_nothing_done() -> None:
    points = [
        WeekPoint(date(2021, 6, day), done, due) for day, done, due in ((14, 0, 0), (21, 62, 134), (28, 111, 134))
    ]
    line = svg_charts.done_by_week(points, (), "vi").svg.partition('polyline points="')[2].partition('"')[0]
    assert len(line.split()) == 2


def test_the_weeks_begin_with_the_first_that_had_anything_due_and_are_four_at_least() -> None:
    def title(empty: int, full: int) -> str:
        days = [date(2021, 4, 5) + timedelta(weeks=n) for n in range(empty + full)]
        points = [WeekPoint(day, 0, 134 if n >= empty else 0) for n, day in enumerate(days)]
        return svg_charts.done_by_week(points, (), "vi").table.caption

    titles = [title(10, 2), title(5, 7), title(0, 12), title(12, 0)]
    assert titles == [f"Tỷ lệ hoàn thành, {n} tuần" for n in (4, 7, 12, 4)]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_picture_is_well_formed_titled_and_free_of_script_and_style(laid: Laid, language: str) -> None:
    ids = []
    pictures = drawn(laid, language).values()
    for picture, svg in [(each, svg) for each in pictures for svg in (each.svg, each.phone) if svg]:
        root = etree.fromstring(svg)
        assert root.get("role") == "img"
        title, text = root[0], root[1]
        assert (title.tag, text.tag) == ("title", "desc")
        assert root.get("aria-labelledby") == f"{title.get('id')} {text.get('id')}"
        assert title.text == picture.table.caption
        ids += [title.get("id"), text.get("id")]
        for each in root.iter():
            assert each.tag != "script"
            assert not [name for name in each.attrib if name == "style" or name.startswith("on") or name == "fill"]
    assert len(set(ids)) == len(ids)


def test_every_table_is_whole(laid: Laid) -> None:
    for picture in drawn(laid).values():
        assert picture.table.rows
        assert {len(row) for row in picture.table.rows} == {len(picture.table.head)}


def test_the_table_of_the_weeks_adds_up_to_the_year(laid: Laid) -> None:
    total = the_year(laid.database).total.values()
    rows = drawn(laid)["letters"].table.rows
    counted = [sum(int(row[column]) for row in rows) for column in (1, 2, 3)]
    assert counted == [sum(getattr(week, what) for week in total) for what in ("sent", "to_come", "due")]
    assert all(counted)


def test_the_share_of_each_week_is_written_in_words(laid: Laid) -> None:
    assert drawn(laid)["weeks"].table.rows[-1][1:] == ("82,8%", "111", "134")
    assert drawn(laid, "en")["weeks"].table.rows[-1][1] == "82.8%"


def placed(svg: str) -> list[tuple[float, str]]:
    """Where the numbers above the bars stand, from left to right."""
    shown = etree.fromstring(svg).findall(".//{*}text[@class='pic-soft'][@text-anchor='middle']")
    return [(float(each.get("x", "")), each.text or "") for each in shown]


def a_year(*letters: int) -> Year:
    mondays = tuple(date(2021, 1, 4) + timedelta(weeks=n) for n in range(52))
    weeks = {monday: Week(to_come=n) for monday, n in zip(mondays, letters, strict=False) if n}
    return Year(2021, mondays, mondays[0], (AgencyYear("a", "A", "so", weeks),), True)


def test_a_telephone_s_year_is_no_wider_than_a_telephone(laid: Laid) -> None:
    year = the_year(laid.database)
    for each in (year, a_year(*range(1, 53))):
        root = etree.fromstring(svg_charts.letters_per_week(each, "vi").phone)
        assert float(root.get("width", "")) <= 343
        right = [float(rect.get("x")) + float(rect.get("width")) for rect in root.findall(".//{*}rect")]
        assert right
        assert max(right) <= float(root.get("width", ""))


def test_numbers_stand_at_peaks_that_have_room_and_not_at_quiet_weeks() -> None:
    picture = svg_charts.letters_per_week(a_year(12, 12, 100, 220, 160, 12, 12, 13, 12, 70, *[12] * 42), "vi")
    assert [n for _, n in placed(picture.svg)] == ["100", "220", "160", "70"]
    on_a_telephone = placed(str(picture.phone))
    assert [n for _, n in on_a_telephone] == ["220", "70"]
    assert on_a_telephone[1][0] - on_a_telephone[0][0] >= 22


def test_nothing_yet_is_a_picture_too(sqlite_database: Database) -> None:
    picture = svg_charts.letters_per_week(the_year(sqlite_database), "vi")
    etree.fromstring(picture.svg)
    assert picture.table.rows == ()


# --- the year itself -------------------------------------------------------------------------------------------------


def test_weeks_hold_what_was_sent_what_is_due_and_what_will_be_sent(database: Database) -> None:
    laid = lay(database, now=OPENED)
    swept(database, at("2021-06-14", "07:00"))
    so_ban = next(each for each in the_year(database, laid.plan_id).agencies if each.id == "so-ban")
    june_14, june_21 = date(2021, 6, 14), date(2021, 6, 21)
    assert so_ban.weeks[june_14].due == so_ban.weeks[june_14].open == 1
    assert so_ban.weeks[june_14].to_come >= 1
    assert june_21 in so_ban.weeks or so_ban.weeks[june_14].to_come >= 2


def test_rounds_that_have_not_opened_are_foreseen_with_their_due_dates(database: Database) -> None:
    laid = lay(database, now=OPENED)
    year = the_year(database, laid.plan_id)
    december = date(2021, 12, 13)
    assert year.foreseen
    assert year.total[december].due == 4  # IV.1.1, IV.2.1 twice, IV.3.1 on Friday the 17th
    assert year.total[december].to_come > 0


def test_what_is_reported_sends_nothing_more(database: Database) -> None:
    laid = lay(database, now=OPENED)
    before = the_year(database).total[date(2021, 6, 14)]
    do(database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=NOW)
    after = the_year(database).total[date(2021, 6, 14)]
    assert (after.due, after.open) == (before.due, before.open - 1)
    assert after.to_come < before.to_come


def test_another_plan_s_year_is_its_own(database: Database) -> None:
    first = lay(database, now=OPENED)
    second = lay(database, now=OPENED, plan=plan_file(number="13/KH-UBND"))
    both, one = the_year(database), the_year(database, first.plan_id)
    week = date(2021, 6, 14)
    assert both.total[week].due == 2 * one.total[week].due
    assert the_year(database, second.plan_id).total[week].due == one.total[week].due


def counted(database: Database, look: Callable[[], object]) -> int:
    said: list[str] = []

    def note(*given: Any) -> None:
        said.append(given[2])

    event.listen(database.bind, "before_cursor_execute", note)
    look()
    event.remove(database.bind, "before_cursor_execute", note)
    return len(said)


def test_the_cost_is_nine_questions_however_much_there_is(database: Database) -> None:
    laid = begin(real_plan(database, now=OPENED), now=OPENED)
    few = counted(database, lambda: the_year(database, laid.plan_id))
    swept(database, at("2021-06-14", "07:00"))
    assert counted(database, lambda: the_year(database, laid.plan_id)) == few


def test_the_first_and_last_days_of_a_year_lie_in_its_weeks(sqlite_database: Database) -> None:
    mondays = the_year(sqlite_database).mondays
    assert mondays[0] <= date(2021, 1, 1) <= mondays[0] + timedelta(days=6)
    assert mondays[-1] <= date(2021, 12, 31)
    assert Week(1, 2, 3, 4) + Week(1, 1, 1, 1) == Week(2, 3, 4, 5)
