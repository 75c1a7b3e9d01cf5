"""While no plan runs, the first page says what is done and what is to be done; each tick is measured."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from ground.factory import at, real_plan
from ground.office import Office, as_role, enter, join, open_office

from engine.agencies.agencies import add_agency
from engine.agencies.contacts import add
from engine.store.database import Database
from engine.store.facts import remember_mail_tried
from engine.terms import Role

NOW = at("2026-11-29", "09:00")
WHO = {"actor": "cli:test", "now": NOW}
TITLES = ["Địa chỉ của hệ thống", "Thư đi", "Danh bạ cơ quan", "Đầu mối nhận thư", "Lịch nghỉ", "Kế hoạch"]
TITLES += ["Ai được báo khi hệ thống ngừng"]


@pytest.fixture
def empty(sqlite_database: Database) -> Database:
    with sqlite_database.write() as session:
        add_agency(session, "van-phong", name="Văn phòng UBND tỉnh", level="so", **WHO)
    return sqlite_database


def office_of(database: Database, folder: Path, **settings: object) -> Office:
    account = join(database, "administrator", "van-phong")
    host = str(settings.pop("host", "http://127.0.0.1:8188"))
    return enter(open_office(database, folder, now=NOW, host=host, **settings), account)  # type: ignore[arg-type]


def steps(office: Office) -> list[Tag]:
    return BeautifulSoup(office.get("/").text, "lxml").select("ol li")


def ticked(office: Office) -> str:
    return "".join(each.get_text(strip=True)[0] for each in steps(office))


def test_an_empty_installation_shows_seven_steps_and_the_next_one_s_page(empty: Database, tmp_path: Path) -> None:
    office = office_of(empty, tmp_path)
    found = steps(office)
    names = [each.select_one("b").get_text()[2:].partition(". ")[2] for each in found]  # type: ignore[union-attr]
    assert (names, ticked(office)) == (TITLES, "✗✗✗✗✗✗✗")
    assert "http://127.0.0.1:8188" in found[0].get_text()
    page = BeautifulSoup(office.get("/").text, "lxml").select_one("main")
    assert page is not None
    assert page.h1.get_text(strip=True).endswith("tiếp theo: địa chỉ của hệ thống")  # type: ignore[union-attr]
    assert "DONDOC_" not in page.get_text()
    primary = [each["href"] for each in BeautifulSoup(office.get("/").text, "lxml").select("ol a.button:not(.quiet)")]
    assert primary == ["/admin/settings/address"]
    assert "Getting started" in office.get("/?lang=en").text


def test_each_tick_is_what_is_there(empty: Database, tmp_path: Path) -> None:
    office = office_of(empty, tmp_path, smtp_host="smtp.tinh.example")
    assert ticked(office) == "✗✗✗✗✗✗✗"
    assert "chưa gửi thử" in steps(office)[1].get_text()
    with empty.write() as session:
        remember_mail_tried(session, "smtp.khac.example", NOW)
    assert ticked(office) == "✗✗✗✗✗✗✗"
    with empty.write() as session:
        remember_mail_tried(session, "smtp.tinh.example", NOW - timedelta(hours=1))
        add_agency(session, "so-y-te", name="Sở Y tế", level="so", **WHO)
    assert ticked(office) == "✗✓✓✗✗✗✗"
    assert "08:00" in steps(office)[1].get_text()
    with empty.write() as session:
        add(session, "so-y-te", Role.COORDINATOR, email="dm@so-y-te.gov.invalid", **WHO)
    assert "1 cơ quan chưa có đầu mối" in steps(office)[3].get_text()
    with empty.write() as session:
        add(session, "van-phong", Role.COORDINATOR, email="dm@van-phong.gov.invalid", **WHO)
    assert ticked(office) == "✗✓✓✓✗✗✗"


@pytest.mark.parametrize(
    ("without", "said"),
    [
        ("", ""),
        ("heartbeat_url", "nơi giám sát"),
        ("operator_email", "hộp thư người vận hành"),
        ("operator_phone", "điện thoại người vận hành"),
        ("sms_gateway", "điện thoại người vận hành"),
    ],
)
def test_without_a_monitor_an_operator_and_a_second_way_to_them_it_stays_red(
    empty: Database, tmp_path: Path, without: str, said: str
) -> None:
    told = {
        "heartbeat_url": "https://monitor.example/1",
        "operator_email": "vanhanh@tinh.example",
        "operator_phone": "+84912000000",
        "sms_gateway": "kannel",
        "sms_url": "http://127.0.0.1:13013/cgi-bin/sendsms",
    }
    office = office_of(empty, tmp_path, **{name: value for name, value in told.items() if name != without})
    last = steps(office)[-1].get_text(" ", strip=True)
    assert last.startswith("✗" if without else "✓")
    assert said in last


def test_in_november_the_calendar_of_the_next_year_is_asked_for_too(empty: Database, tmp_path: Path) -> None:
    office = office_of(empty, tmp_path)
    assert "2026, 2027" in steps(office)[4].get_text()


def test_a_saved_plan_is_to_be_activated(sqlite_database: Database, tmp_path: Path) -> None:
    real_plan(sqlite_database, now=at("2021-03-01"))
    office = as_role(sqlite_database, tmp_path, "administrator", "ubnd-tinh")
    last = BeautifulSoup(office.get("/").text, "lxml").select("ol li")[5]
    assert "chưa kích hoạt" in last.get_text()
    assert last.select_one("a[href='/plans']") is not None


def test_who_cannot_set_anything_up_is_not_led(empty: Database, tmp_path: Path) -> None:
    page = as_role(empty, tmp_path, "monitor", "van-phong").get("/").text
    assert "Bắt đầu" not in page
    assert "Chưa có việc nào được mở" in page


def test_where_a_plan_runs_the_board_stands(lived: Database, tmp_path: Path) -> None:
    assert "Bắt đầu" not in as_role(lived, tmp_path, "administrator", "tinh").get("/").text
