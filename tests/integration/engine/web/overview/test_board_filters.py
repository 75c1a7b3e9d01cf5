"""The board narrowed: by kind of body, by the department that follows, by lateness, by the number of a plan."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import at, begin, directory, item, lay, plan_file, store
from ground.office import NOW, OPENED, Office, as_role, open_office
from lxml.html import fromstring
from sqlalchemy import update

from engine.queries import filter_choices
from engine.queries.time_class import read_today
from engine.queries.work.assignments import AssignmentFilter, list_assignments
from engine.store.database import Database, table
from engine.store.records import Assignment, Letter
from engine.terms import LetterState, TimeClass


def lines(office: Office, address: str) -> list[str]:
    """The agencies that stand in the matrix."""
    found = fromstring(office.get(address).content.decode()).xpath('//table[@class="matrix"]//th[@scope="row"]')
    return [each.text_content().strip() for each in found]


def counts(office: Office, address: str) -> list[tuple[str, str]]:
    """Each class's number, and the address that it opens."""
    found = fromstring(office.get(address).content.decode()).xpath('//ul[@class="key"]//a')
    return [(each.text, each.get("href")) for each in found]  # type: ignore[misc]


@pytest.fixture
def two_departments(lived: Database) -> Database:
    """A second plan, followed by another department."""
    plan = plan_file(number="30/KH-UBND", sms_name="KH30", supervisor="so-ban")
    begin(store(lived, now=OPENED, plan=plan), now=OPENED)
    return lived


def test_a_kind_of_body_alone_is_counted_and_shown(office: Office) -> None:
    assert lines(office, "/?kind=huyen") == ["Huyen a", "Huyen b"]
    assert len(lines(office, "/")) > 2


@pytest.mark.parametrize(
    "address", ["/?kind=huyen", "/?department=so-ban", "/?kind=so&department=so-chinh", "/?plan=1"]
)
def test_every_number_of_a_narrowed_board_opens_onto_as_many(
    two_departments: Database, tmp_path: Path, address: str
) -> None:
    office = open_office(two_departments, tmp_path)
    for number, opens in counts(office, address):
        said = fromstring(office.get(opens).content.decode()).xpath('string(//p[@class="lead"])')
        assert said.split()[0] == number, opens


def test_only_those_late_for_so_long_stand_in_the_matrix(office: Office) -> None:
    assert lines(office, "/?late=3&sort=late") == ["Huyen a", "Huyen b", "So chinh"]
    assert lines(office, "/?late=7") == []
    assert "Không cơ quan nào khớp" in office.get("/?late=7").text


def test_a_monitor_first_sees_the_plans_of_his_own_department(two_departments: Database, tmp_path: Path) -> None:
    monitor = as_role(two_departments, tmp_path, "monitor", "so-chinh")
    answer = monitor.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?department=so-chinh")
    everything = monitor.get("/?department=all")
    assert everything.status_code == 200
    assert counts(monitor, "/?department=all") != counts(monitor, "/?department=so-chinh")


def test_where_one_department_follows_everything_nobody_is_sent_on(lived: Database, tmp_path: Path) -> None:
    assert as_role(lived, tmp_path, "monitor", "so-chinh").get("/").status_code == 200


@pytest.mark.parametrize("typed", ["12", "12/KH-UBND", "12/kh-ubnd", " 12/KH-UBND (2021) "])
def test_a_plan_is_found_by_the_number_that_people_say(two_departments: Database, tmp_path: Path, typed: str) -> None:
    office = open_office(two_departments, tmp_path)
    assert counts(office, f"/?number={typed}") == counts(office, "/?plan=1")


@pytest.mark.parametrize("typed", ["1", "99", "12/KH-UBND (2020)", "%", "(2021)"])
def test_a_number_that_no_plan_bears_is_said_in_words(office: Office, typed: str) -> None:
    answer = office.get("/", params={"number": typed})
    assert answer.status_code == 404
    assert "Không có kế hoạch nào" in answer.text


def test_of_many_plans_one_types_the_number(
    two_departments: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filter_choices, "MAX_LISTED_PLANS", 1)
    page = fromstring(open_office(two_departments, tmp_path).get("/?plan=1").content.decode())
    assert page.xpath('//select[@name="plan"]') == []
    assert page.xpath('string(//input[@name="number"]/@value)') == "12/KH-UBND (2021)"


def test_an_agency_is_chased_for_all_that_it_is_late_with(lived: Database, tmp_path: Path) -> None:
    office = open_office(lived, tmp_path)
    wanted = AssignmentFilter(agency_id="huyen-b", classes=(TimeClass.OPEN_OVERDUE,))
    with lived.read() as session:
        late = list_assignments(session, read_today(session, NOW), wanted)
    asked = office.post("/overdue/chase", agency="huyen-b")
    shown = fromstring(asked.content.decode()).xpath('//input[@name="id"]/@value')
    assert [int(each) for each in shown] == [row.id for row in late.rows] != []


def test_a_plan_is_found_in_the_list_by_words_of_its_number_or_title(two_departments: Database, tmp_path: Path) -> None:
    office = open_office(two_departments, tmp_path)
    assert "30/KH-UBND" in office.get("/plans?q=30").text
    assert "30/KH-UBND" not in office.get("/plans?q=12/kh").text
    assert "0 kế hoạch khớp" in office.get("/plans?q=không có").text


def test_what_narrows_a_list_is_said_and_can_be_dropped_one_by_one(office: Office) -> None:
    address = (
        "/assignments?kind=huyen&period=2021-H1&class=open_overdue&class=due_soon&waiting=declined&department=so-chinh"
    )
    page = fromstring(office.get(address).content.decode())
    said = [each.text_content() for each in page.xpath("//main/p[b and a]")]
    assert [each.partition(":")[0].strip() for each in said] == [
        "Kỳ",
        "Loại cơ quan",
        "Cơ quan theo dõi",
        "Đang chờ",
        "Thời hạn",
    ]
    first = page.xpath("//main/p[b and a]/a/@href")[0]  # type: ignore[index]
    assert "period" not in first  # type: ignore[operator]
    assert "kind=huyen" in first  # type: ignore[operator]
    kept = {
        each.get("name"): each.get("value") for each in page.xpath('//form[@class="filters"]//input[@type="hidden"]')
    }
    assert kept == {"period": "2021-H1", "kind": "huyen", "department": "so-chinh", "waiting": "declined"}


def test_a_monitor_who_changes_the_language_keeps_it_on_the_way_to_his_plans(
    two_departments: Database, tmp_path: Path
) -> None:
    answer = as_role(two_departments, tmp_path, "monitor", "so-chinh").get("/?lang=en")
    assert answer.headers["location"] == "/?lang=en&department=so-chinh"


@pytest.mark.parametrize(
    "address", ["/accept?kind=huyen&department=so-chinh", "/extensions?kind=mat&department=so-chinh"]
)
def test_what_waits_keeps_the_boards_filters(office: Office, address: str) -> None:
    page = fromstring(office.get(address).content.decode())
    assert len(page.xpath("//main/p[b and a]")) == 2
    kept = [each.get("name") for each in page.xpath('//form[@method="get"]//input[@type="hidden"]')]
    assert kept == ["kind", "department"]
    assert page.xpath('//input[@name="id"]')


def test_the_board_says_in_red_what_was_kept_on_this_machine(office: Office, lived: Database) -> None:
    assert "để lại trên máy chủ" not in office.get("/").text
    with lived.write() as session:
        session.connection().execute(update(table(Letter)).values(state=LetterState.KEPT_HERE))
    page = office.get("/").text
    assert "thư để lại trên máy chủ, chưa gửi cho ai: chưa cài máy chủ thư đi." in " ".join(page.split())
    assert 'href="/letters?state=kept_here"' in page


def test_the_board_counts_what_is_promised_and_what_is_past_and_is_filtered_by_it(
    office: Office, lived: Database
) -> None:
    """huyen-a reported «một phần» on 22 June: promised for 6 July."""

    def numbers() -> dict[str, str]:
        page = fromstring(office.get("/").content.decode())
        return {
            which: str(page.xpath(f'string(//a[contains(@href, "promised={which}")])'))
            for which in ("standing", "past")
        }

    def opened(which: str) -> str:
        listed = office.get(f"/assignments?promised={which}&request=no&finished=no").content.decode()
        return str(fromstring(listed).xpath('string(//p[@class="lead"])').split()[0])

    assert numbers() == {"standing": "1", "past": ""}
    assert opened("standing") == "1"
    assert lines(office, "/?promised=standing") == ["Huyen a"]
    assert lines(office, "/?promised=past") == []
    a = table(Assignment)
    with lived.write() as session:
        session.connection().execute(
            a.update().where(a.c.promised_on.is_not(None)).values(promised_on=date(2021, 6, 23))
        )
    assert numbers() == {"standing": "", "past": "1"}
    assert lines(office, "/?promised=past") == ["Huyen a"]


def test_the_grid_has_a_row_an_agency_and_its_cells_are_no_links(office: Office) -> None:
    page = BeautifulSoup(office.get("/").text, "lxml")
    rows = page.select(".grid tbody tr")
    assert rows
    for row in rows:
        assert row.th is not None
        assert row.th.a is not None
        assert any(words in row.th.get_text() for words in ("quá hạn", "hoàn thành", "trong hạn"))
        assert not row.select("td:not(.num) a")
        assert row.select("svg.marks path")


def test_the_band_says_what_to_do_what_comes_next_and_what_was_promised(office: Office) -> None:
    page = BeautifulSoup(office.get("/").text, "lxml")
    now, following, promised = page.select(".three > section")
    assert "2 báo cáo chờ tiếp nhận" in " ".join(now.get_text(" ").split())
    assert [each["href"] for each in now.select("a.button")] == ["/accept"]
    assert "/2021" in following.get_text()
    assert promised.get_text(" ", strip=True) == "Lời hẹn 1 đã hẹn"


def test_the_figures_stand_folded_below_the_grid_and_open_when_they_are_sorted(office: Office) -> None:
    assert BeautifulSoup(office.get("/").text, "lxml").select("details#matrix:not([open]) table.matrix")
    assert BeautifulSoup(office.get("/?sort=late").text, "lxml").select("details#matrix[open] table.matrix")


def test_a_board_of_130_communes_and_28_duties_is_under_50_kb(sqlite_database: Database, tmp_path: Path) -> None:
    communes = directory(**{f"xa_{n:03}": {"parent": "tinh"} for n in range(130)})
    items = tuple(item(n, *(f"xa-{commune:03}" for commune in range(130))) for n in range(1, 29))
    made = lay(sqlite_database, now=at("2021-04-07"), bodies=communes, plan=plan_file(items=items))
    with sqlite_database.write() as session:  # no two neighbours alike: as many runs as there can be
        a = table(Assignment)
        done = {"done_on": date(2021, 6, 16), "first_reported_on": date(2021, 6, 16), "state": "reported"}
        session.connection().execute(a.update().where(a.c.id % 2 == 0).values(**done))
    office = open_office(made.database, tmp_path, now=at("2021-06-24"))
    answer = office.get("/")
    page = BeautifulSoup(answer.text, "lxml")
    assert len(answer.content) < 50_000
    assert len(page.select(".grid thead a")) == 28
    assert len(page.select(".grid tbody tr")) >= 25
    assert "cơ quan khác, trong bảng số" in page.get_text()
