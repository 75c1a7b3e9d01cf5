"""The consolidating agency's totals on the report page: what the others add up to, and a question before one that is
not their sum is sent. Never a refusal: districts may be late, and the law wants the report on time."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from ground.factory import Laid, at, lay, plan_file, rows
from ground.office import Office, open_office

from engine.assignments.lifecycle import ReportText
from engine.assignments.lifecycle import report as send_in
from engine.store.database import Database
from engine.store.records import Report

PAGE = "/report/so-chinh/1/2021-H1"
COUNT = {"text": "x", "unit": "count", "max": 460}
PARTS = {"code": "II.3", "name": "Số xã lành mạnh", "asked_of": ["cac-huyen"], "aggregate": "sum"} | COUNT
INDICATORS = (PARTS, {"code": "II.3.b", "name": "Toàn tỉnh", "asked_of": ["IV.4.1"], "total_of": "II.3"} | COUNT)
TOTAL = "figure-II.3.b"
SUM = "Tổng các đơn vị đến nay: "


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    """so-chinh consolidates in IV.4.1; huyen-a has reported 20, huyen-b nothing."""
    laid = lay(sqlite_database, now=at("2021-04-07"), plan=plan_file(indicators=INDICATORS))
    gives(laid, "huyen-a", 20)
    return laid


@pytest.fixture
def office(laid: Laid, tmp_path: Path) -> Office:
    return open_office(laid.database, tmp_path, now=at("2021-06-18"))


def gives(laid: Laid, agency_id: str, value: int) -> None:
    task = laid.assignment("IV.2.1", agency_id)
    with laid.database.write() as session:
        text = ReportText(body="Đã làm.", figures={"II.3": value})
        send_in(session, task, text, actor="contact:1", now=at("2021-06-16"))


def typed(laid: Laid, total: str, **more: str) -> dict[str, str]:
    task = laid.assignment("IV.4.1", "so-chinh")
    return {f"outcome-{task}": "done", f"body-{task}": "Đã tổng hợp.", TOTAL: total} | more


def main(page: str) -> Tag:
    found = BeautifulSoup(page, "lxml").main
    assert found is not None
    return found


def words(page: str) -> str:
    return " ".join(main(page).get_text(" ").split())


def sent(office: Office) -> list[object]:
    return [each.figures.get("II.3.b") for each in rows(office.context.database, Report) if "II.3.b" in each.figures]


def test_beside_a_total_stands_the_sum_so_far_and_of_how_many_agencies(office: Office, laid: Laid) -> None:
    assert f"{SUM}20 (1/2 đơn vị)" in words(office.get(PAGE).text)
    gives(laid, "huyen-b", 12)
    assert f"{SUM}32 (2/2 đơn vị)" in words(office.get(PAGE).text)
    assert "The agencies' sum so far: 32 (2/2 agencies)" in words(office.get(f"{PAGE}?lang=en").text)
    field = main(office.get(PAGE).text).find(id=TOTAL)
    assert isinstance(field, Tag)
    assert field["aria-describedby"] == f"{TOTAL}-sum"


def test_the_districts_are_shown_no_sum_of_others(office: Office) -> None:
    assert SUM not in words(office.get("/report/huyen-b/1/2021-H1").text)


@pytest.mark.parametrize(("others", "total"), [((), "20"), ((12,), "32")])
def test_a_total_that_is_the_sum_as_it_stands_is_sent_without_a_question(
    office: Office, laid: Laid, others: tuple[int, ...], total: str
) -> None:
    for value in others:
        gives(laid, "huyen-b", value)
    assert office.post(PAGE, page=PAGE, **typed(laid, total)).status_code == 303
    assert sent(office) == [int(total)]


def test_a_total_that_differs_is_asked_about_and_then_sent_as_written(office: Office, laid: Laid) -> None:
    gives(laid, "huyen-b", 12)
    asked = office.post(PAGE, page=PAGE, **typed(laid, "33"))
    assert (asked.status_code, sent(office)) == (422, [])
    assert "hãy xem lại 1 số tổng không khớp các đơn vị" in words(asked.text)
    assert "33 khác tổng các đơn vị (32): hơn 1." in main(asked.text).select_one(f'[id="{TOTAL}-said"]').get_text()  # type: ignore[union-attr]
    assert "Tôi đã xem lại: gửi số tổng như đã ghi." in words(asked.text)
    sure = str(main(asked.text).select_one("input[name=sure]")["value"])  # type: ignore[index]
    assert office.post(PAGE, page=PAGE, **typed(laid, "34", sure=sure)).status_code == 422
    assert office.post(PAGE, page=PAGE, **typed(laid, "33", sure=sure)).status_code == 303
    assert sent(office) == [33]


def test_districts_that_are_late_are_named_and_hold_up_nothing(office: Office, laid: Laid) -> None:
    asked = office.post(PAGE, page=PAGE, **typed(laid, "32"))
    assert "32 chưa đối chiếu được: mới 1/2 đơn vị báo, cộng lại 20; còn thiếu Huyen b." in words(asked.text)
    sure = str(main(asked.text).select_one("input[name=sure]")["value"])  # type: ignore[index]
    assert office.post(PAGE, page=PAGE, **typed(laid, "32", sure=sure)).status_code == 303


def test_a_total_and_a_telephone_number_are_two_questions_with_one_box(office: Office, laid: Laid) -> None:
    task = laid.assignment("IV.4.1", "so-chinh")
    asked = words(office.post(PAGE, page=PAGE, **typed(laid, "9", **{f"body-{task}": "Gọi 0912 345 678."})).text)
    assert "1 ô có thể chứa thông tin về cá nhân" in asked
    assert "1 số tổng không khớp các đơn vị" in asked
    assert "Tôi đã xem lại: không có thông tin về cá nhân; gửi số tổng như đã ghi." in asked


def test_the_last_check_of_a_draft_tells_of_it_before_anything_is_sent(office: Office, laid: Laid) -> None:
    assert office.post(PAGE, page=PAGE, act="draft", **typed(laid, "19")).status_code == 303
    page = main(office.get(f"{PAGE}?said=draft").text)
    line = next(each for each in page.select(".checks li") if "II.3.b" in each.get_text())
    assert "xem lại II.3.b: 19 chưa đối chiếu được" in " ".join(line.get_text().split())
    assert line.a is not None
    assert line.a["href"] == f"#{TOTAL}"


def test_what_the_agency_gives_of_the_parts_itself_counts_in_its_own_total(
    sqlite_database: Database, tmp_path: Path
) -> None:
    own = (PARTS | {"asked_of": ["cac-huyen", "so-chinh"]}, INDICATORS[1])
    laid = lay(sqlite_database, now=at("2021-04-07"), plan=plan_file(indicators=own))
    for agency_id in ("huyen-a", "huyen-b"):
        gives(laid, agency_id, 10)
    office = open_office(sqlite_database, tmp_path, now=at("2021-06-18"))
    assert office.post(PAGE, page=PAGE, **typed(laid, "20", **{"figure-II.3": "3"})).status_code == 422
    assert office.post(PAGE, page=PAGE, **typed(laid, "23", **{"figure-II.3": "3"})).status_code == 303
