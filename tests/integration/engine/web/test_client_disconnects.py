"""A browser that leaves in the middle of sending: nothing is done, and the log is not filled with what went wrong."""

from __future__ import annotations

import logging
import socket
import time
from pathlib import Path

import pytest
from ground.office import Office, as_role, everything, join, open_office, serving

from engine.http.request_context import BINDING_COOKIE
from engine.store.database import Database

SOON = 10.0
FORM = "application/x-www-form-urlencoded"
FILES = "multipart/form-data; boundary=b"
HALF = {
    FORM: b"token=x&reason=Thi%E1%BA%BFu",
    FILES: b'--b\r\nContent-Disposition: form-data; name="file-1"; filename="a.pdf"\r\n\r\n%PDF-1.7 ',
    "application/json": b'{"reason": "Thi',
}
LINE = "POST %s: client disconnected during upload"
ADDRESSES = [
    ("/assignments/1/return", FORM, LINE % "/assignments/{assignment_id}/{action}"),
    ("/report/huyen-b/1/2021-H1", FILES, LINE % "/report/{agency_id}/{plan_id}/{period}"),
    ("/sign-in", FORM, LINE % "/sign-in"),
    ("/plans/import", FILES, LINE % "/plans/import"),
    ("/api/v1/assignments/1/return", "application/json", ""),
]


def leave_midway(office: Office, path: str, kind: str) -> None:
    """Say that 5,000 bytes come, send a few, and be gone."""
    with serving(office) as (server, port), socket.create_connection(("127.0.0.1", port), SOON) as line:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: 5000\r\n"
            f"Cookie: {office.cookies}\r\n\r\n"
        )
        line.sendall(head.encode() + HALF[kind])
        began = time.monotonic()
        while not server.server_state.tasks and time.monotonic() - began < SOON:
            time.sleep(0.01)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "engine.http.error_pages"]


def troubles(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno > logging.INFO or each.exc_info]


@pytest.mark.parametrize(("path", "kind", "line"), ADDRESSES)
def test_nothing_is_written_and_the_log_has_one_quiet_line_at_most(
    lived: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str, kind: str, line: str
) -> None:
    office = as_role(lived, tmp_path, "administrator", "so-chinh")
    before = everything(lived)
    with caplog.at_level(logging.INFO):
        leave_midway(office, path, kind)
    assert said(caplog) == ([line] if line else [])
    assert troubles(caplog) == []
    assert everything(lived) == before


def test_so_it_is_when_the_session_had_ended(lived: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """There the form is read while another refusal is being answered."""
    join(lived, "administrator", "so-chinh")
    office = open_office(lived, tmp_path)
    office.client.cookies.set(BINDING_COOKIE, "the cookie of the page's form")
    with caplog.at_level(logging.INFO):
        leave_midway(office, "/assignments/1/return", FORM)
    assert said(caplog) == [LINE % "/assignments/{assignment_id}/{action}"]
    assert troubles(caplog) == []


def test_the_key_of_a_letters_link_stays_out_of_the_log(
    lived: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        leave_midway(open_office(lived, tmp_path), "/l/abcdefgh.secret", FORM)
    assert said(caplog) == [LINE % "/l/{token}"]
