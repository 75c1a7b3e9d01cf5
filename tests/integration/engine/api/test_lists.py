"""The API shows what the pages show: lists with cursors, one assignment with its story."""

from __future__ import annotations

import re

import pytest
from ground.office import Office

READ = (
    "plans",
    "plans/1",
    "assignments",
    "assignments/1",
    "board",
    "overdue",
    "letters",
    "letters/1",
    "agencies",
    "agencies/huyen-b",
    "health",
)


def got(office: Office, path: str) -> object:
    answer = office.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("path", READ)
def test_every_reading_answers_with_json(office: Office, path: str) -> None:
    answer = office.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json()


def test_a_list_goes_on_by_its_cursor_to_the_end(office: Office) -> None:
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = got(office, f"assignments?limit=2&after={cursor}")
        found += [each["id"] for each in page["items"]]  # type: ignore[index]
        cursor = page["next"]  # type: ignore[index]
    assert found == [1, 2, 3, 4, 5]
    assert page["total"] == 5  # type: ignore[index]


def test_assignments_are_filtered_as_on_the_pages(office: Office) -> None:
    page = got(office, "assignments?class=open_overdue&supervisor=so-chinh")
    assert [each["agency_id"] for each in page["items"]] == ["huyen-a", "huyen-b", "mat-tran"]  # type: ignore[index]


def test_a_filter_that_there_is_not_is_refused_and_not_passed_over(office: Office) -> None:
    """A misspelt filter gave everything."""
    answer = office.get("/api/v1/assignments?clas=open_overdue")
    assert answer.status_code == 400
    assert "«clas»" in answer.json()["detail"] or "“clas”" in answer.json()["detail"]
    assert "class" in answer.json()["detail"]


def test_what_the_caller_has_is_not_sent_again(office: Office) -> None:
    first = office.get("/api/v1/assignments?limit=2")
    again = office.get("/api/v1/assignments?limit=2", headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = office.get("/api/v1/assignments?limit=3", headers={"if-none-match": first.headers["etag"]})
    assert other.status_code == 200


def test_a_letter_s_message_id_is_not_shown(office: Office) -> None:
    """With it an answer or a bounce could be made to look like its reader's."""
    (attempt,) = got(office, "letters/1")["attempts"]  # type: ignore[index]
    assert set(attempt) == {"attempt", "at", "fate", "code", "reply"}


def test_one_assignment_comes_with_its_ladder_events_and_letters(office: Office) -> None:
    story = got(office, "assignments/5")
    assert story["head"]["due_why"]["en"] == "20/6/2021 is closed (Sunday), so it moves to Monday, 21/6/2021"  # type: ignore[index]
    assert {rung["state"] for rung in story["rungs"]} >= {"fired", "next"}  # type: ignore[index]
    assert [each["agency_id"] for each in story["waits_for"]] == ["so-ban", "huyen-a", "huyen-b"]  # type: ignore[index]


def test_the_board_counts_by_class_and_by_agency(office: Office) -> None:
    board = got(office, "board?period=2021-H1")
    assert board["total"]["by_class"] == {"done_on_time": 1, "open_overdue": 3}  # type: ignore[index]
    assert board["asked_total"]["by_class"] == {"open_overdue": 1}  # type: ignore[index]
    huyen_b = next(line for line in board["agencies"] if line["agency_id"] == "huyen-b")  # type: ignore[index]
    assert huyen_b["periods"]["2021-H1"]["worst"] == "open_overdue"


def test_the_document_is_openapi_3_1_and_names_every_problem(office: Office) -> None:
    document = got(office, "openapi.json")
    assert re.match(r"3\.1", document["openapi"])  # type: ignore[index]
    for path, operations in document["paths"].items():  # type: ignore[index]
        assert path.startswith("/api/v1/")
        for operation in operations.values():
            assert "application/problem+json" in operation["responses"]["404"]["content"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("assignments/999", 404, "There is no assignment 999."),
        ("plans/999", 404, "There is no plan 999."),
        ("letters/999", 404, "There is no letter 999."),
        ("nothing", 404, "There is nothing at this address"),
        ("assignments?limit=0", 422, "limit: is too small"),
        ("assignments?state=lost", 422, "state.0: is not a usable value"),
        ("assignments?after=%21", 400, "The page cursor cannot be read"),
        ("letters?day=monday", 422, "day: must be a date"),
    ],
)
def test_every_error_is_a_problem_in_words(office: Office, path: str, status: int, words: str) -> None:
    answer = office.get(f"/api/v1/{path}{'&' if '?' in path else '?'}lang=en")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert words in problem["detail"]
    assert problem["status"] == status
    assert set(problem) >= {"type", "title", "status", "detail"}
