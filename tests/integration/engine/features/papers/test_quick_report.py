"""The leadership's paper: what is done and overdue comes first, and a tie is told as a tie."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from ground.factory import Laid, at, do, item, lay, plan_file
from ground.office import Office, looking, open_office

from engine.assignments.weekly_digest import make
from engine.features.papers.quick_report import quick_report, text_of
from engine.queries.filter_choices import plan_of
from engine.rules.situation import Action
from engine.store.database import Database


@pytest.fixture
def tied(database: Database) -> Laid:
    """Four agencies owe a report by 17 June; on the 24th all are overdue, since the same day."""
    return lay(database, now=at("2021-04-07"), plan=plan_file(items=(*_items(), item(5, "so-chinh"))))


def _items() -> tuple[dict[str, object], ...]:
    return item(1, "so-ban"), item(2, "cac-huyen")


def points(laid: Laid, day: str = "2021-06-24") -> list[str]:
    with looking(laid.database, at(day)) as (session, today):
        return list(text_of(quick_report(session, today, plan_of(session, laid.plan_id), "", whole_plans=False)))


def test_done_and_overdue_with_their_change_lead_the_paper(tied: Laid) -> None:
    with tied.database.write() as session:
        make(session, at("2021-06-14", "07:00"))
    do(tied.database, Action.REPORT, tied.assignment("IV.1.1", "so-ban"), now=at("2021-06-21"))
    first = next(each for each in points(tied) if each.startswith("1."))
    assert first.startswith(
        "1. Đã hoàn thành 01 nhiệm vụ; quá hạn 03. So với báo cáo tuần ngày 14/6/2021: hoàn thành tăng 01, "
        "quá hạn tăng 03. Trong tổng số 04 nhiệm vụ:"
    )


def test_more_agencies_than_are_named_that_are_late_alike_are_told_as_so_many(tied: Laid) -> None:
    (worst,) = [each for each in points(tied) if "Quá hạn lâu nhất" in each]
    assert worst.endswith("Quá hạn lâu nhất: 04 cơ quan, đều có hạn ngày 17/6/2021 (04 nhiệm vụ, 5 ngày làm việc).")


def test_those_that_can_all_be_named_are(tied: Laid) -> None:
    do(tied.database, Action.REPORT, tied.assignment("IV.1.1", "so-ban"), now=at("2021-06-16"))
    (worst,) = [each for each in points(tied) if "Quá hạn lâu nhất" in each]
    assert [name in worst for name in ("Huyen a", "Huyen b", "So chinh", "cơ quan")] == [True, True, True, False]


def lead_of(office: Office) -> Tag:
    found = BeautifulSoup(office.get("/").text, "lxml").select_one(".lead")
    assert found is not None
    return found


def named(lead: Tag) -> list[str]:
    return [each.get_text() for each in lead.select('a[href^="/agencies/"]')]


def test_the_board_names_those_that_are_late_alike_if_they_are_few(tied: Laid, tmp_path: Path) -> None:
    office = open_office(tied.database, tmp_path, now=at("2021-06-24"))
    lead = lead_of(office)
    assert sorted(named(lead)) == ["Huyen a", "Huyen b", "So ban", "So chinh"]
    assert "(mỗi cơ quan 1 việc, quá hạn 5 ngày làm việc)" in " ".join(lead.get_text().split())
    for citation, agency in (("IV.2.1", "huyen-a"), ("IV.2.1", "huyen-b"), ("IV.5.1", "so-chinh")):
        do(tied.database, Action.REPORT, tied.assignment(citation, agency), now=at("2021-06-16"))
    assert named(lead_of(office)) == ["So ban"]


def test_the_board_names_whoever_has_most_of_those_late_since_a_day(database: Database, tmp_path: Path) -> None:
    lay(database, now=at("2021-04-07"), plan=plan_file(items=(*_items(), item(5, "so-ban"))))
    office = open_office(database, tmp_path, now=at("2021-06-24"))
    lead = lead_of(office)
    assert named(lead) == ["So ban"]
    assert "(2 việc, quá hạn 5 ngày làm việc); cùng hạn còn 2 cơ quan." in " ".join(lead.get_text().split())
    assert office.get(str(lead.select("a")[-1]["href"])).status_code == 200


def test_the_board_names_the_first_of_many_that_are_late_alike_and_says_so(database: Database, tmp_path: Path) -> None:
    lay(database, now=at("2021-04-07"), plan=plan_file(items=(*_items(), item(5, "so-chinh"), item(6, "mat-tran"))))
    lead = lead_of(open_office(database, tmp_path, now=at("2021-06-24")))
    words = " ".join(lead.get_text().split())
    assert "và 2 cơ quan ngang nhau (mỗi cơ quan 1 việc, quá hạn 5 ngày làm việc)." in words
    assert named(lead) == ["So ban", "So chinh", "Huyen a"]


def test_the_paper_says_what_comes_next_as_the_page_does(tied: Laid) -> None:
    (coming,) = [each for each in points(tied, "2021-06-16") if "Mốc tới" in each]
    assert "ngày 17/6/2021 đến hạn 6 tháng đầu năm 2021 (04 nhiệm vụ)" in coming
    assert not [each for each in points(tied, "2021-06-16") if "Quá hạn lâu nhất" in each]
