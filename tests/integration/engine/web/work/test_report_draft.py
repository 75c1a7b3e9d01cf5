"""The report page as typed so far: saved, put back, never overwritten unread; and what looks private is asked about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ground.factory import at, begin, item, plan_file, rows, store
from ground.office import Office, enter, join, open_office

from engine.store.database import Database
from engine.store.records import Draft, Report

PAGE = "/report/so-ban/1/2021-H1"
PHONE = "Liên hệ 0912 345 678 để biết thêm."


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    """so-ban owns IV.1.1 and IV.2.1 (assignments 1 and 2), due on 17 June."""
    plan = plan_file(items=(item(1, "so-ban"), item(2, "so-ban")))
    begin(store(sqlite_database, now=at("2021-06-01"), plan=plan), now=at("2021-06-01"))
    return open_office(sqlite_database, tmp_path, now=at("2021-06-15"))


def send(office: Office, **fields: str) -> object:
    seen = re.search(r'name="seen" value="([^"]*)"', office.get(PAGE).text)
    typed = {name.replace("_", "-"): text for name, text in fields.items()}
    return office.post(PAGE, page=PAGE, **({"seen": seen[1]} if seen else {}), **typed)


def saved(office: Office, **fields: str) -> object:
    return send(office, act="draft", **fields)


def test_a_draft_is_kept_right_or_wrong_and_put_back(office: Office) -> None:
    answer = saved(office, outcome_1="partly", body_1="Mới được", reason_2="dở dang")
    page = office.get(PAGE).text
    assert answer.headers["location"] == f"{PAGE}?said=draft"  # type: ignore[attr-defined]
    assert "Mới được</textarea>" in page
    assert "dở dang</textarea>" in page
    assert re.search(r'name="outcome-1" value="partly" checked', page)
    assert rows(office.context.database, Report) == []


def test_a_sent_report_takes_its_draft_along_what_is_left_for_later_stays(office: Office) -> None:
    saved(office, outcome_1="done", body_1="Xong.")
    send(office, outcome_1="done", body_1="Xong.", body_2="Đang làm dở")
    assert [each.body for each in rows(office.context.database, Draft)] == [{"body-2": "Đang làm dở"}]
    send(office, outcome_2="done", body_2="Xong nốt.")
    assert rows(office.context.database, Draft) == []


def test_a_colleagues_later_draft_is_not_overwritten_unread(office: Office, tmp_path: Path) -> None:
    database = office.context.database
    accounts = [join(database, role, "so-ban") for role in ("coordinator", "deputy")]
    first, second = (enter(open_office(database, tmp_path, now=office.clock.now), each) for each in accounts)
    token, early = second.token(PAGE), {"act": "draft", "seen": "", "body-1": "Của tôi"}
    saved(first, body_1="Của đồng nghiệp")
    answer = second.client.post(PAGE, data=early | {"token": token})
    assert answer.status_code == 409
    assert "Của tôi</textarea>" in answer.text
    assert "một người khác của cơ quan đã lưu" in answer.text
    assert saved(second, body_1="Sau khi xem").status_code == 303  # type: ignore[attr-defined]
    assert [each.body for each in rows(database, Draft)] == [{"body-1": "Sau khi xem"}]


def test_a_text_that_looks_private_is_asked_about_and_sent_once_confirmed(office: Office) -> None:
    asked = send(office, outcome_1="done", body_1=PHONE)
    mark = re.search(r'name="sure" value="([^"]+)"', asked.text)  # type: ignore[attr-defined]
    assert asked.status_code == 422  # type: ignore[attr-defined]
    assert "giống số điện thoại" in asked.text  # type: ignore[attr-defined]
    assert mark is not None
    other = send(office, outcome_1="done", body_1=PHONE + " Và 0987 654 321.", sure=mark[1])
    assert other.status_code == 422  # type: ignore[attr-defined]
    assert send(office, outcome_1="done", body_1=PHONE, sure=mark[1]).status_code == 303  # type: ignore[attr-defined]


@pytest.mark.parametrize("act", ["draft", "send"])
def test_a_secret_document_is_kept_nowhere(office: Office, act: str) -> None:
    answer = send(office, act=act, outcome_1="done", body_1="Văn bản đóng dấu MẬT số 1.", sure="1")
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert "văn bản mật" in answer.text  # type: ignore[attr-defined]
    assert rows(office.context.database, Draft) == rows(office.context.database, Report) == []


def test_a_draft_too_large_or_with_a_broken_moment_is_answered_in_words(office: Office) -> None:
    long = office.post(PAGE, page=PAGE, act="draft", **{"body-1": "x" * 20_001})
    broken = office.post(PAGE, page=PAGE, act="draft", seen="hôm qua", **{"body-1": "x"})
    assert (long.status_code, broken.status_code) == (400, 303)
    assert "Một ô dài quá" in long.text
