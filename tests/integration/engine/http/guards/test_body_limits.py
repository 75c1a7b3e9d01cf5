"""How much may be sent is known before it is read: little by strangers, files by known senders where files belong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from ground.office import NOW, Office, as_role, contact_of, open_office

from engine.accounts.accounts import deactivate
from engine.accounts.api_tokens import make_token
from engine.accounts.signed_links import Purpose
from engine.http.guards.request_limits import MAX_FILES_BYTES
from engine.http.security import MAX_BODY_BYTES, MAX_STRANGER_BYTES
from engine.store.database import Database

REPORT = "/report/huyen-b/1/2021-H1"
FORM = {"content-type": "application/x-www-form-urlencoded"}
FILES = {"content-type": "multipart/form-data; boundary=x"}


@pytest.fixture
def stranger(lived: Database, tmp_path: Path) -> Office:
    return open_office(lived, tmp_path, open_desk=False)


@pytest.fixture
def mine(lived: Database, tmp_path: Path) -> Office:
    return as_role(lived, tmp_path, "coordinator", "huyen-b")


def status(office: Office, path: str, size: int, headers: dict[str, str]) -> int:
    return office.client.post(path, content=b"a=" + b"b" * size, headers=headers).status_code


def test_a_stranger_with_a_token_of_ours_is_not_echoed_what_is_long(stranger: Office) -> None:
    """Before, 28 MB cost 413 MB of memory and came back as 142 MB."""
    body = f"token={stranger.token('/sign-in')}&body-3=".encode() + b'"' * 28_000_000
    answer = stranger.client.post(REPORT, content=body, headers=FORM)
    assert answer.status_code == 401
    assert len(answer.content) < MAX_STRANGER_BYTES
    long = stranger.client.post("/sign-in", content=body, headers=FORM)
    assert (long.status_code, "64 KB" in long.text) == (413, True)


@pytest.mark.parametrize("path", [REPORT, "/plans/import", "/sign-in", "/r/x.y", "/api/v1/accounts", "/nothing"])
@pytest.mark.parametrize("headers", [FORM, FILES])
def test_a_stranger_sends_64_kb_anywhere(stranger: Office, path: str, headers: dict[str, str]) -> None:
    forged = headers | {"authorization": "Bearer dondoc_x", "cookie": "dondoc_session=x"}
    assert {status(stranger, path, MAX_STRANGER_BYTES, each) for each in (headers, forged)} <= {413, 404, 401, 403}
    assert status(stranger, path, 1_000, headers) != 413


def test_a_body_of_unknown_length_is_cut_off(stranger: Office) -> None:
    assert stranger.client.post("/sign-in", content=iter([b"b" * 16_384] * 100), headers=FORM).status_code == 413


def test_who_is_signed_in_sends_files_where_files_belong_and_a_megabyte_elsewhere(mine: Office) -> None:
    assert status(mine, REPORT, MAX_BODY_BYTES, FORM) == 413
    assert status(mine, REPORT, MAX_BODY_BYTES, FILES) != 413
    assert status(mine, REPORT, MAX_FILES_BYTES, FILES) == 413
    assert status(mine, "/account/language", MAX_STRANGER_BYTES, FORM) != 413
    assert status(mine, "/account/language", MAX_BODY_BYTES, FILES) == 413


def test_an_api_token_and_a_letters_link_are_known_until_they_end(
    mine: Office, lived: Database, tmp_path: Path
) -> None:
    with lived.write() as session:
        lasts = timedelta(days=1)
        key = make_token(session, 1, label="x", scopes=["report"], lasts=lasts, actor="cli", now=NOW)
    other = open_office(lived, tmp_path)
    bearer = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    link = other.link(Purpose.REPORT, contact_of(lived, "huyen-b"), "1:2021-H1")
    assert status(other, "/api/v1/agencies/huyen-b/evidence", 2_000_000, bearer) != 413
    assert status(other, link, 2_000_000, FILES) != 413
    assert status(other, link[:-1], 2_000_000, FILES) == 403
    with lived.write() as session:
        deactivate(session, 1, actor="cli", now=NOW)
    assert status(other, "/api/v1/agencies/huyen-b/evidence", 2_000_000, bearer) in (401, 413)


def test_text_as_long_as_files_is_refused(mine: Office) -> None:
    part = b'--x\r\ncontent-disposition: form-data; name="body-%d"\r\n\r\n' + b"b" * 900_000 + b"\r\n"
    body = b"".join(part % n for n in range(3)) + b"--x--\r\n"
    assert mine.client.post(REPORT, content=body, headers=FILES).status_code == 413


def test_a_lapsed_session_gets_its_form_back_but_never_a_page_of_over_a_megabyte(mine: Office) -> None:
    token = mine.token(REPORT)
    mine.clock.now = NOW + timedelta(days=2)
    for size, size_back in ((100_000, True), (900_000, False)):
        answer = mine.client.post(
            REPORT, data={"token": token, "body-3": "<" * size}, files=[("file-3", ("a.pdf", b"x"))]
        )
        assert answer.status_code == 401
        assert ("&lt;" * size in answer.text) is size_back
        assert len(answer.content) <= MAX_BODY_BYTES
