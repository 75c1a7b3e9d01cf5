"""The API does what the pages do, by the same deeds: each once, each refused in words when it cannot be."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ground.factory import row, rows
from ground.office import Office
from httpx import Response
from sqlalchemy import update
from sqlmodel import SQLModel

from engine.store.database import Database, table
from engine.store.records import Assignment, Duty, Event, Extension, Promise, Report
from engine.terms import EventKind, State

SO_BAN, HUYEN_A, HUYEN_B, MAT_TRAN, SO_CHINH = 1, 2, 3, 4, 5


def post(office: Office, path: str, **body: Any) -> Response:
    return office.client.post(f"/api/v1/{path}", json=body)


def everything(database: Database) -> list[str]:
    with database.read() as session:
        tables = SQLModel.metadata.sorted_tables
        return [repr(sorted(session.connection().execute(table.select()).all(), key=repr)) for table in tables]


@pytest.mark.parametrize(
    ("assignment", "deed", "body", "state"),
    [
        (HUYEN_B, "acknowledge", {}, "acknowledged"),
        (HUYEN_B, "decline", {"reason": "Không phải."}, "assigned"),
        (SO_BAN, "accept", {}, "accepted"),
        (SO_BAN, "return", {"reason": "Thiếu."}, "returned"),
        (HUYEN_B, "report", {"outcome": "done", "body": "Đã làm."}, "reported"),
        (HUYEN_B, "cancel", {"reason": "Nhập nhầm."}, "cancelled"),
        (HUYEN_B, "chase", {}, "assigned"),
        (MAT_TRAN, "extension/decision", {"granted": False, "answer": "Không."}, "assigned"),
        (HUYEN_B, "transfer", {"to": "so-ban", "reason": "Sáp nhập."}, "transferred"),
    ],
)
def test_each_deed_answers_with_the_assignment_as_it_then_stands(
    office: Office, lived: Database, assignment: int, deed: str, body: dict[str, Any], state: str
) -> None:
    answer = post(office, f"assignments/{assignment}/{deed}", **body)

    assert answer.status_code == 200, answer.text
    assert answer.json()["assignment"]["state"] == state
    assert row(lived, Assignment, id=assignment).state == state
    assert rows(lived, Event, assignment_id=assignment)[-1].actor in ("api", "system")


def test_a_return_may_name_its_date_and_one_before_the_due_date_is_refused(office: Office, lived: Database) -> None:
    refused = post(office, f"assignments/{SO_BAN}/return", reason="Thiếu.", until="2021-06-24")
    returned = post(office, f"assignments/{SO_BAN}/return", reason="Thiếu.", until="2021-07-08").json()["assignment"]
    assert (refused.status_code, "Hạn bổ sung phải sau" in refused.text) == (400, True)
    assert (returned["due_on"], returned["first_due_on"], returned["returns"]) == ("2021-07-08", "2021-06-17", 1)


def test_acknowledging_again_is_no_news(office: Office) -> None:
    assert [post(office, f"assignments/{HUYEN_B}/acknowledge").json()["news"] for _ in range(2)] == [True, False]
    assert [post(office, f"assignments/{SO_CHINH}/chase").json()["news"] for _ in range(2)] == [True, False]


def test_a_transfer_names_the_new_assignment(office: Office, lived: Database) -> None:
    became = post(office, f"assignments/{HUYEN_B}/transfer", to="so-ban", reason="Sáp nhập.").json()["became"]
    assert row(lived, Assignment, id=became).agency_id == "so-ban"


def test_an_extension_is_asked_for_before_the_due_date(office: Office, lived: Database) -> None:
    with lived.write() as session:
        a = table(Assignment)
        session.connection().execute(update(a).where(a.c.id == HUYEN_B).values(due_on=date(2021, 7, 15)))
    answer = post(office, f"assignments/{HUYEN_B}/extension", until="2021-07-30", reason="Chờ số liệu.")
    assert answer.status_code == 200
    assert row(lived, Extension, assignment_id=HUYEN_B).until == date(2021, 7, 30)


def test_an_unfinished_task_is_promised(office: Office, lived: Database) -> None:
    said = {"outcome": "not_yet", "reason": "Chờ dự toán.", "reason_code": "phoi-hop"}
    refused = post(office, f"assignments/{HUYEN_B}/report", **said, waits_for="khong-co")
    assert [each["field"] for each in refused.json()["errors"]] == [f"waits-{HUYEN_B}"]
    answer = post(
        office,
        f"assignments/{HUYEN_B}/report",
        **said,
        waits_for="so-chinh",
        promised_on="2021-07-30",
        owed="Phân bổ.",
    )
    assert answer.status_code == 200, answer.text
    made = rows(lived, Promise, assignment_id=HUYEN_B)[-1]
    assert (made.promised_on, made.reason_code, made.waits_for, made.owed) == (
        date(2021, 7, 30),
        "phoi-hop",
        "so-chinh",
        "Phân bổ.",
    )


def test_of_a_late_task_a_later_day_is_a_promise(office: Office, lived: Database) -> None:
    answer = post(office, f"assignments/{HUYEN_B}/extension", until="2021-07-30", reason="Chờ.", reason_code="kinh-phi")
    assert answer.status_code == 200, answer.text
    made = rows(lived, Promise, assignment_id=HUYEN_B)[-1]
    assert (made.promised_on, made.source, made.reason_code) == (date(2021, 7, 30), "extension", "kinh-phi")
    assert not rows(lived, Extension, assignment_id=HUYEN_B)


def test_a_difficulty_that_asks_for_time_carries_a_promise(office: Office, lived: Database) -> None:
    body = {"kind": "difficulty", "text": "Chưa có kinh phí.", "promised_on": "2021-07-30", "reason_code": "kinh-phi"}
    assert post(office, f"assignments/{HUYEN_B}/entries", **body, whole_plan=True).status_code == 422
    assert post(office, f"assignments/{HUYEN_B}/entries", **body).status_code == 200
    made = rows(lived, Promise, assignment_id=HUYEN_B)[-1]
    assert (made.source, made.reason, made.reason_code) == ("difficulty", "Chưa có kinh phí.", "kinh-phi")


def test_a_whole_period_is_submitted_at_once_or_not_at_all(office: Office, lived: Database) -> None:
    duty = {"assignment": HUYEN_B, "outcome": "partly", "body": "Một phần.", "reason": "Còn hai xã."}
    page = {"agency": "huyen-b", "plan": 1, "period": "2021-H1"}

    refused = post(office, "reports", **page, duties=[duty, {"assignment": SO_CHINH, "outcome": "done", "body": "x"}])
    taken = post(office, "reports", **page, duties=[duty])

    assert refused.status_code == 422
    assert [each["field"] for each in refused.json()["errors"]] == [f"assignment-{SO_CHINH}"]
    assert (taken.status_code, taken.json()) == (200, {"assignments": [HUYEN_B], "warnings": {}})
    assert [each.assignment_id for each in rows(lived, Report)][-1] == HUYEN_B


@pytest.mark.parametrize(
    ("deed", "body", "status"),
    [
        ("accept", {}, 409),
        ("return", {"reason": ""}, 422),
        ("return", {"reason": "   "}, 400),
        ("return", {}, 422),
        ("report", {"outcome": "done"}, 422),
        ("report", {"outcome": "not_yet"}, 422),
        ("report", {"outcome": "perhaps"}, 422),
        ("report", {"outcome": "done", "body": "x", "figures": {"II.99": 3}}, 422),
        ("report", {"outcome": "done", "body": "x\x00y"}, 400),
        ("report", {"outcome": "done", "body": "x" * 10_001}, 422),
        ("extension", {"until": "9999-12-31", "reason": "x"}, 400),
        ("extension", {"until": "soon", "reason": "x"}, 422),
        ("extension", {"until": "2021-06-20", "reason": "x"}, 400),
        ("extension/decision", {"granted": True}, 409),
        ("extension/decision", {"granted": "perhaps"}, 422),
        ("transfer", {"to": "nowhere", "reason": "x"}, 400),
        ("transfer", {"to": "huyen-b", "reason": "x"}, 400),
        ("cancel", {"reason": "x", "more": 1}, 422),
        ("cancel", {"reason": ["x"]}, 422),
        ("explode", {}, 404),
    ],
)
def test_what_cannot_be_done_is_a_problem_and_changes_nothing(
    office: Office, lived: Database, deed: str, body: dict[str, Any], status: int
) -> None:
    before = everything(lived)

    answer = post(office, f"assignments/{HUYEN_B}/{deed}", **body)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["detail"]
    assert everything(lived) == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b'{"reason": NaN}',
        b'{"reason": "\\ud800"}',
        b"\xff\xfe",
        b'{"reason":' + b"[" * 50_000,
        b"9" * 5000,
    ],
)
def test_a_body_that_is_no_json_object_is_a_problem(office: Office, lived: Database, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = office.client.post(f"/api/v1/assignments/{HUYEN_B}/cancel", content=content, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) in (
        (422, "application/problem+json"),
        (400, "application/problem+json"),
    )
    assert row(lived, Assignment, id=HUYEN_B).state is State.ASSIGNED


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "application/json", "sec-fetch-site": "cross-site"}, 403),
        ({"content-type": "application/json", "origin": "https://evil.example"}, 403),
    ],
)
def test_another_site_cannot_write_through_a_browser(
    office: Office, lived: Database, headers: dict[str, str], status: int
) -> None:
    answer = office.client.post(f"/api/v1/assignments/{SO_BAN}/accept", content=b"{}", headers=headers)
    assert answer.status_code == status
    assert row(lived, Assignment, id=SO_BAN).state is State.REPORTED


def test_a_body_over_a_megabyte_is_refused(office: Office) -> None:
    answer = post(office, f"assignments/{HUYEN_B}/cancel", reason="x" * 1_100_000)
    assert (answer.status_code, answer.json()["status"]) == (413, 413)


def test_reading_a_deeds_address_does_nothing(office: Office, lived: Database) -> None:
    before = everything(lived)
    for deed in ("acknowledge", "accept", "cancel", "chase"):
        assert office.get(f"/api/v1/assignments/{HUYEN_B}/{deed}").status_code == 405
    assert everything(lived) == before
    assert not rows(lived, Event, kind=EventKind.CANCELLED)


def test_a_report_gives_its_output_and_is_accepted_as_complete_or_with_a_reason(
    office: Office, lived: Database
) -> None:
    with lived.write() as session:
        owed = {"what": "Quyết định", "kind": "document"}
        session.connection().execute(update(table(Duty)).values(output=owed))
    done = {"outcome": "done", "body": "Đã làm."}
    refused = post(office, f"assignments/{HUYEN_B}/report", output={"said": "quyết định"}, **done)
    assert (refused.status_code, "output-3" in refused.text) == (422, True)
    output = {"said": "12/QĐ-UBND", "on": "2021-06-10"}
    assert post(office, f"assignments/{HUYEN_B}/report", output=output, **done).status_code == 200
    assert rows(lived, Report)[-1].output == {"number": "12/QĐ-UBND", "on": "2021-06-10"}
    waiting = office.get("/api/v1/reports/waiting").json()["items"]
    assert waiting[-1]["owed"] == owed
    assert waiting[-1]["given"]["number"] == "12/QĐ-UBND"
    assert post(office, f"assignments/{HUYEN_B}/accept").status_code == 400
    assert post(office, f"assignments/{HUYEN_B}/accept", complete=True).status_code == 200
    one = {"reports": [1], "reason": "Đã có bản giấy."}
    assert post(office, "reports/accept", **one).json()["done"] == [1]
    assert [each.output_complete for each in rows(lived, Report)] == [False, None, True]
