"""The settings are shown with their purpose and source; no secret is on the page, whole or in part."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.office import Office, open_office
from ground.people import as_role

from config.settings import Settings
from engine.admin.settings_view import HIDDEN, PURPOSES, describe_settings
from engine.store.database import Database

SECRETS = {
    "smtp_password": "kh0a-cua-thu",
    "imap_password": "kh0a-cua-hop",
    "sms_password": "kh0a-cua-tin",
    "callback_secret": "kh0a-goi-ve",
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


def line(page: str, name: str) -> str:
    found = BeautifulSoup(page, "lxml").find("code", string=name)
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
    assert set(PURPOSES) == set(Settings.model_fields)
    assert set(Settings.model_fields) > HIDDEN
    page = office.get("/admin/settings").text
    for name in Settings.model_fields:
        assert PURPOSES[name][1] in line(page, f"DONDOC_{name.upper()}")


def test_where_a_value_came_from_is_said(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DONDOC_LINK_DAYS", "30")
    office = open_office(sqlite_database, tmp_path, port=9000)
    page = office.get("/admin/settings").text
    assert "30 biến môi trường" in line(page, "DONDOC_LINK_DAYS")
    assert "9000 khi khởi động" in line(page, "DONDOC_PORT")
    assert "20 mặc định" in line(page, "DONDOC_TICK_SECONDS")


@pytest.mark.parametrize(("role", "agency"), [("monitor", "so-chinh"), ("head", "so-ban"), ("leadership", "tinh")])
def test_settings_are_shown_to_administrators_alone(lived: Database, tmp_path: Path, role: str, agency: str) -> None:
    assert as_role(lived, tmp_path, role, agency).get("/admin/settings").status_code == 403
