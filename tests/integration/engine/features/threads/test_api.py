"""Threads by the API: the same acts as the pages', each once, each within its permission."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ground.factory import row, rows
from ground.office import Office, enter, join, open_office
from httpx import Response

from engine.store.database import Database
from engine.store.records import Extension, Promise, Report, ThreadEntry
from engine.terms import EntryKind

HUYEN_A, HUYEN_B = 2, 3


def post(office: Office, path: str, **body: Any) -> Response:
    return office.client.post(f"/api/v1/{path}", json=body)


def as_caller(database: Database, folder: Path, role: str, agency: str) -> Office:
    return enter(open_office(database, folder), join(database, role, agency))


def test_a_difficulty_is_written_read_and_answered_once(office: Office, lived: Database) -> None:
    said = {"kind": "difficulty", "text": "Thiếu người.", "whole_plan": True}
    first = post(office, f"assignments/{HUYEN_B}/entries", **said).json()
    assert (first["news"], [each["text"] for each in first["entries"]]) == (True, ["Thiếu người."])
    assert post(office, f"assignments/{HUYEN_B}/entries", **said).json()["news"] is False
    entry = first["entries"][0]["id"]
    answered = post(office, f"assignments/{HUYEN_B}/entries/{entry}/answer", text="Đã rõ.").json()
    assert [each["kind"] for each in answered["entries"]] == ["difficulty", "answer"]
    assert post(office, f"assignments/{HUYEN_B}/entries/{entry}/answer", text="Khác.").status_code == 409
    assert post(office, f"assignments/{HUYEN_A}/entries/{entry}/answer", text="Đã rõ.").status_code == 404
    assert len(office.client.get(f"/api/v1/assignments/{HUYEN_B}/entries").json()) == 2
    (told,) = office.client.get("/api/v1/plans/1/difficulties/2021-H1").json()
    assert (told["citation"], told["answer"]) == ("", "Đã rõ.")


@pytest.mark.parametrize(
    ("role", "agency", "path", "body", "status"),
    [
        ("coordinator", "huyen-b", f"assignments/{HUYEN_B}/entries", {"kind": "question", "text": "Hỏi?"}, 200),
        ("coordinator", "huyen-a", f"assignments/{HUYEN_B}/entries", {"kind": "question", "text": "Hỏi?"}, 403),
        ("monitor", "so-chinh", f"assignments/{HUYEN_B}/entries", {"kind": "question", "text": "Hỏi?"}, 403),
        ("monitor", "so-chinh", f"assignments/{HUYEN_B}/question", {"text": "Hỏi?"}, 200),
        ("coordinator", "huyen-b", f"assignments/{HUYEN_B}/question", {"text": "Hỏi?"}, 403),
        ("coordinator", "huyen-b", f"assignments/{HUYEN_A}/part", {"agency": "huyen-b", "text": "Phần."}, 403),
        ("coordinator", "huyen-b", f"assignments/{HUYEN_B}/entries", {"kind": "answer", "text": "Hỏi?"}, 422),
    ],
)
def test_each_side_writes_its_own(
    lived: Database, tmp_path: Path, role: str, agency: str, path: str, body: dict[str, Any], status: int
) -> None:
    office = as_caller(lived, tmp_path, role, agency)
    assert post(office, path, **body).status_code == status
    assert len(rows(lived, ThreadEntry)) == (status == 200)


def test_one_extension_for_several_and_only_of_one_agency(office: Office, lived: Database) -> None:
    year = {"until": "2022-01-20", "reason": "Chờ số liệu."}
    before = len(rows(lived, Extension))
    answer = post(office, "assignments/extension", ids=[HUYEN_B], **year)
    assert (answer.json()["asked"], answer.json()["left"]) == ([HUYEN_B], {})  # overdue by now: a promise
    assert row(lived, Promise, assignment_id=HUYEN_B).source == "extension"
    assert post(office, "assignments/extension", ids=[HUYEN_A, HUYEN_B], **year).status_code == 422
    assert len(rows(lived, Extension)) == before


def test_a_report_carries_its_paper(office: Office, lived: Database) -> None:
    body = {"outcome": "done", "body": "Đã làm.", "paper_number": "12/BC-UBND", "paper_on": "2021-06-21"}
    assert post(office, f"assignments/{HUYEN_B}/report", **body).status_code == 200
    assert row(lived, Report, assignment_id=HUYEN_B).paper_key == "12/bc-ubnd"
    wrong = post(office, f"assignments/{HUYEN_A}/report", **body | {"paper_number": "BC"})
    assert [each["field"] for each in wrong.json()["errors"]] == ["paper-number"]
    assert EntryKind.PART not in {each.kind for each in rows(lived, ThreadEntry)}
