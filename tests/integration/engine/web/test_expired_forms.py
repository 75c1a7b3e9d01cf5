"""A form posted after the session has ended comes back whole, and only a form of our own page does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.factory import row, rows
from ground.office import Office, as_role, enter
from httpx import Response

from engine.accounts.accounts import find
from engine.store.database import Database
from engine.store.records import Assignment, Report
from engine.terms import State

PAGE = "/report/huyen-b/1/2021-H1"
TYPED = {"outcome-3": "done", "body-3": "Đã mở 12 lớp.\n\nCho <b>400</b> người.", "reason-3": "", "seen": ""}
PDF = b"%PDF-1.7 x"


@pytest.fixture
def mine(lived: Database, tmp_path: Path) -> Office:
    """As huyen-b's coordinator."""
    return as_role(lived, tmp_path, "coordinator", "huyen-b")


def signed_out(office: Office, page: str = PAGE) -> str:
    """The token of a page that stood open while the session ended."""
    token = office.token(page)
    del office.client.cookies["dondoc_session"]
    return token


def resend(office: Office, page: Response) -> Response:
    """Press «Gửi lại» on the page as a browser does."""
    form = BeautifulSoup(page.text, "lxml").form
    assert form is not None
    fields: dict[str, Any] = {str(each["name"]): each["value"] for each in form.select("input")}
    fields |= {str(each["name"]): each.get_text().removeprefix("\n") for each in form.select("textarea")}
    return office.client.post(str(form["action"]), data=fields)


def test_what_was_typed_comes_back_and_is_sent_once_signed_in_again(mine: Office, lived: Database) -> None:
    token = signed_out(mine)
    page = mine.client.post(PAGE, data=TYPED | {"token": token}, files=[("file-3", ("a.pdf", PDF))])
    assert page.status_code == 401
    assert page.headers["www-authenticate"]
    assert "a.pdf" in page.text
    assert "<b>400" not in page.text
    assert row(lived, Assignment, id=3).state is State.ASSIGNED
    with lived.read() as session:
        account = find(session, "coordinator@huyen-b.example")
    assert account is not None
    assert resend(enter(mine, account.id), page).headers["location"] == f"{PAGE}?said=reported&n=1"
    assert row(lived, Report, assignment_id=3).body == TYPED["body-3"]


def test_the_page_may_be_sent_again_and_again_without_signing_in(mine: Office) -> None:
    token = signed_out(mine)
    page = mine.client.post(f"{PAGE}?lang=en", data=TYPED | {"token": token, "act": "draft"})
    again = resend(mine, page)
    assert "Not sent: you were signed out" in page.text
    assert (again.status_code, "Cho &lt;b&gt;400" in again.text, 'value="draft"' in again.text) == (401, True, True)


def test_every_form_of_words_comes_back(mine: Office, lived: Database) -> None:
    token = signed_out(mine, "/assignments/3")
    page = mine.client.post("/assignments/3/decline", data={"token": token, "reason": "Việc của Sở."})
    assert (page.status_code, 'value="Việc của Sở."' in page.text) == (401, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"cookie": ""},
        {"content-type": "text/plain"},
    ],
)
def test_what_another_site_made_a_browser_post_gets_no_good_token(mine: Office, headers: dict[str, str]) -> None:
    token = signed_out(mine)
    answer = mine.client.post(PAGE, data=TYPED | {"token": token}, headers=headers)
    assert (answer.status_code, "<form" in answer.text) == (401, False)


@pytest.mark.parametrize("fields", [{}, {"token": "x"}, {"token": "", "body-3": "x"}])
def test_a_form_without_our_token_is_only_refused(mine: Office, fields: dict[str, str]) -> None:
    signed_out(mine)
    answer = mine.client.post(PAGE, data={"body-3": "x"} | fields)
    assert (answer.status_code, "<form" in answer.text) == (401, False)


def test_a_password_never_comes_back(mine: Office) -> None:
    token = signed_out(mine, "/account")
    typed = {"token": token, "old": "cũ cũ cũ cũ", "new": "mới mới mới mới", "again": "mới mới mới mới"}
    answer = mine.client.post("/account/password", data=typed)
    assert (answer.status_code, "mới" in answer.text, "<form" in answer.text) == (401, False, False)


def test_a_broken_form_is_only_refused(mine: Office, lived: Database) -> None:
    signed_out(mine)
    kinds = {"content-type": "multipart/form-data; boundary=x"}
    answers = [mine.client.post(PAGE, content=body, headers=kinds) for body in (b"--x\r\nbroken", b"", b"\xff" * 100)]
    assert {answer.status_code for answer in answers} == {401}
    assert rows(lived, Report, assignment_id=3) == []


def test_a_program_gets_a_problem_document(mine: Office) -> None:
    signed_out(mine)
    answer = mine.client.post("/api/v1/assignments/3/acknowledge", json={})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
