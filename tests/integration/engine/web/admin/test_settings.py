"""The settings are shown with their purpose and source; no secret is on the page, whole or in part."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.office import Office, as_role, enter, join, open_office

from config.settings import ABOUT, Settings
from engine.admin.first_steps import CheckLine, well, wrong
from engine.admin.settings_view import OFFICE, describe_settings
from engine.store.database import Database
from engine.text import Text
from workflows.operation import doctor

SECRETS = {
    "smtp_password": "kh0a-cua-thu",
    "imap_password": "kh0a-cua-hop",
    "sms_password": "kh0a-cua-tin",
    "metrics_token": "kh0a-do-dem",
    "sms_url": "https://sms.example/kh0a-dia-chi",
    "sms_username": "kh0a-api",
    "heartbeat_url": "https://nhip.example/kh0a-nhip",
    "database_url": "postgresql://kh0a-nguoi:kh0a-csdl@db.example:5432/dondoc?sslpassword=kh0a-ssl",
    "prefect_api_url": "http://kh0a-ai:kh0a-gi@prefect.example:4200/api",
}


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    return open_office(sqlite_database, tmp_path, **SECRETS)


@cache
def parsed(page: str) -> BeautifulSoup:
    return BeautifulSoup(page, "lxml")


def line(page: str, name: str) -> str:
    found = parsed(page).find("code", string=name)
    return " ".join(found.find_parent("li").get_text(" ").split())  # type: ignore[union-attr]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_secret_is_in_the_page(office: Office, language: str) -> None:
    page = office.get(f"/admin/settings?lang={language}").text
    assert "kh0a" not in page
    assert office.context.settings.signing_key() not in page


def test_a_secret_says_only_whether_it_is_set(office: Office, sqlite_database: Database, tmp_path: Path) -> None:
    bare = open_office(sqlite_database, tmp_path)
    assert "đã đặt, không hiện" in line(office.get("/admin/settings").text, "DONDOC_SMTP_PASSWORD")
    assert "chưa đặt" in line(bare.get("/admin/settings").text, "DONDOC_SMTP_PASSWORD")


def test_an_address_is_shown_without_who_signs_in_and_how(office: Office) -> None:
    page = office.get("/admin/settings").text
    assert "postgresql://db.example:5432/dondoc" in line(page, "DONDOC_DATABASE_URL")
    assert "http://prefect.example:4200/api" in line(page, "DONDOC_PREFECT_API_URL")


def test_an_address_that_cannot_be_read_is_not_shown(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url="kh0a://x:y:z@@@")  # type: ignore[call-arg]
    (found,) = (each for each in describe_settings(settings) if each.name == "DONDOC_DATABASE_URL")
    assert "x:y" not in found.value
    assert "y:z" not in found.value


def test_every_setting_is_there_with_its_purpose_in_both_languages(office: Office) -> None:
    page = office.get("/admin/settings").text
    for name, about in ABOUT.items():
        assert about.vi in line(page, f"DONDOC_{name.upper()}")


def test_where_a_value_came_from_is_said(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DONDOC_KEEP_BODIES_DAYS", "300")
    office = open_office(sqlite_database, tmp_path, port=9000)
    page = office.get("/admin/settings").text
    assert "300 biến môi trường" in line(page, "DONDOC_KEEP_BODIES_DAYS")
    assert "9000 khi khởi động" in line(page, "DONDOC_PORT")
    assert "587 mặc định" in line(page, "DONDOC_SMTP_PORT")


@pytest.mark.parametrize(("role", "agency"), [("monitor", "so-chinh"), ("head", "so-ban"), ("leadership", "tinh")])
def test_settings_are_shown_to_administrators_alone(lived: Database, tmp_path: Path, role: str, agency: str) -> None:
    assert as_role(lived, tmp_path, role, agency).get("/admin/settings").status_code == 403


LINES = (
    well("database", Text.same("SQLite")),
    wrong("contacts", Text("có hộp thư .example", "mailboxes under .example"), Text("Nạp bảng tính.", "Load it.")),
)


def test_what_is_measured_stands_above_with_the_page_where_it_is_put_right(
    sqlite_database: Database, tmp_path: Path
) -> None:
    asked: list[bool] = []

    def examine(connections: bool) -> tuple[CheckLine, ...]:
        asked.append(connections)
        return LINES

    office = open_office(sqlite_database, tmp_path, examine=examine)
    page = BeautifulSoup(office.get("/admin/settings").text, "lxml")
    measured = page.select_one("#measured ~ ul")
    assert measured is not None
    assert page.select_one("h1").get_text(" ", strip=True) == "1 việc nên làm"  # type: ignore[union-attr]
    assert [each.get_text(" ", strip=True) for each in measured.select("li .pill")] == ["nên làm"]
    assert [each.get_text(" ", strip=True)[0] for each in page.select("#measured ~ details li")] == ["✓"]
    assert measured.select_one('a[href="/admin/contact-sheet"]') is not None
    assert "mailboxes under .example" in office.get("/admin/settings?lang=en").text
    assert office.post("/admin/settings/connections", page="/admin/settings").status_code == 200
    assert asked == [False, False, False, True]


def test_what_stops_the_work_comes_first_with_a_colour_and_the_host_s_words_are_folded(
    sqlite_database: Database, tmp_path: Path
) -> None:
    lines = (
        wrong("address", Text.same("http://127.0.0.1"), Text("Đặt DONDOC_BASE_URL.", "Set DONDOC_BASE_URL.")),
        wrong("backup", Text("chưa sao lưu lần nào", "never backed up"), Text("«dondoc backup»", "“dondoc backup”")),
        doctor.wal(tmp_path / "none"),
    )
    office = open_office(sqlite_database, tmp_path, examine=lambda connections: lines, prefect=True)
    for language in ("vi", "en"):
        page = BeautifulSoup(office.get(f"/admin/settings?lang={language}").text, "lxml").select_one("main")
        assert page is not None
        assert [each["class"][1] for each in page.select("#measured ~ ul .pill")] == ["o", "s"]
        assert len(page.select("#office ~ ul > li")) == len(OFFICE) == 10
        assert "WAL" not in page.get_text()
        for each in page.select("details"):
            each.decompose()
        seen = page.get_text()
        assert [word for word in ("DONDOC_", ".env", "Prefect", "dondoc ") if word in seen] == []


def test_a_test_letter_goes_to_one_s_own_mailbox_and_the_answer_is_shown(lived: Database, tmp_path: Path) -> None:
    sent: list[str] = []

    def send_test(to: str, language: str, by: Settings) -> tuple[bool, Text]:
        sent.append(to)
        return False, Text("Bị từ chối (550 no such user)", "It was refused")

    office = open_office(lived, tmp_path, examine=lambda connections: LINES, send_test=send_test, open_desk=False)
    enter(office, join(lived, "administrator", "tinh"))
    answers = [office.post("/admin/settings/test-letter", page="/admin/settings") for _ in range(21)]
    assert [each.status_code for each in answers] == [200] * 20 + [429]
    assert "550 no such user" in answers[0].text
    assert sent == ["administrator@tinh.example"] * 20
    monitor = enter(open_office(lived, tmp_path, send_test=send_test), join(lived, "monitor", "so-chinh"))
    assert monitor.post("/admin/settings/test-letter").status_code == 403


def test_an_administrator_s_empty_board_leads_to_what_is_missing(sqlite_database: Database, tmp_path: Path) -> None:
    assert 'href="/admin/settings"' in open_office(sqlite_database, tmp_path).get("/").text
