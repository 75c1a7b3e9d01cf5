"""Files of a report: chosen once, kept whatever becomes of the form, given back only to whoever may see them."""

from __future__ import annotations

import re
import socketserver
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import docx
import pytest
from bs4 import BeautifulSoup
from ground.factory import add_contact, at, begin, bring_to, happened, item, plan_file, row, rows, store
from ground.office import Office, as_role, contact_of, open_office
from httpx import Response

from engine.accounts.signed_links import Purpose
from engine.admin.first_steps import Mark
from engine.assignments.lifecycle import return_report
from engine.assignments.reports import evidence
from engine.store.database import Database
from engine.store.records import Draft, Evidence, Report
from engine.terms import Role, State
from workflows.operation.doctor import scanner

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
PAGE = "/report/so-ban/1/2021-H1"
PDF = b"%PDF-1.7\nb\xc3\xa1o c\xc3\xa1o"
PNG = b"\x89PNG\r\n\x1a\n.."
DONE = {"outcome-1": "done", "body-1": "Đã làm."}
Files = list[tuple[str, tuple[str, bytes]]]


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    """so-ban owns IV.1.1 and IV.2.1 (assignments 1 and 2), due on 17 June."""
    plan = plan_file(items=(item(1, "so-ban"), item(2, "so-ban")))
    begin(store(sqlite_database, now=at("2021-06-01"), plan=plan), now=at("2021-06-01"))
    return open_office(sqlite_database, tmp_path, now=at("2021-06-15"))


def send(office: Office, files: Files, page: str = PAGE, **fields: Any) -> Response:
    """The form as a browser sends it, with an empty part for the other duty's empty file field."""
    sent = [*files, ("file-2", ("", b""))]
    return office.client.post(page, data={"token": office.token(page), **fields}, files=sent)


def lines(page: str, number: int = 1) -> list[str]:
    return [str(each["value"]) for each in BeautifulSoup(page, "lxml").select(f'input[name="kept-{number}"]')]


def chosen(name: str = "Báo cáo.pdf", body: bytes = PDF, number: int = 1) -> tuple[str, tuple[str, bytes]]:
    return f"file-{number}", (name, body)


def test_a_file_goes_with_the_report_of_its_duty_and_lies_by_its_digest(office: Office, tmp_path: Path) -> None:
    answer = send(office, [chosen(), chosen("anh.exe", PNG)], **DONE)
    (report,) = rows(office.context.database, Report)
    assert answer.status_code == 303
    assert [(each["name"], each["size"]) for each in report.files] == [("Báo cáo.pdf", len(PDF)), ("anh.png", len(PNG))]
    digest = report.files[0]["digest"]
    assert (tmp_path / "files" / digest[:2] / digest).read_bytes() == PDF
    assert happened(office.context.database).count("evidence_stored") == 2


def test_the_file_of_a_task_tells_on_paper_who_did_what_and_the_digest_of_each_file(office: Office) -> None:
    send(office, [chosen()], **DONE)
    page = BeautifulSoup(office.get("/assignments/1?as=print").text, "lxml")
    assert page.h1 is not None
    assert " ".join(page.h1.get_text().split()) == "So ban, IV.1.1: hoàn thành đúng hạn"
    told = [" ".join(each.get_text(" ").split()) for each in page.select("tbody tr")]
    digest = rows(office.context.database, Report)[0].files[0]["digest"]
    (line,) = [each for each in told if "SHA-256" in each]
    assert f"SHA-256 {digest}" in line
    assert len(told) == len({*told}), "no act stands twice"


def test_the_file_of_a_task_as_a_document_says_what_its_page_says(office: Office) -> None:
    send(office, [chosen()], **DONE)
    page = BeautifulSoup(office.get("/assignments/1?as=print").text, "lxml")
    answer = office.get("/assignments/1/file.docx")
    document = docx.Document(BytesIO(answer.content))
    assert page.h1 is not None
    assert document.paragraphs[1].text == " ".join(page.h1.get_text(" ").split()).replace(" ,", ",").replace(" :", ":")
    facts = [each.get_text(" ", strip=True) for each in page.select("dt")]
    written = [each.text for each in document.paragraphs]
    assert [fact for fact in facts if not any(each.startswith(f"{fact}: ") for each in written)] == []
    cells = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    assert len(cells) == 1 + len(page.select("tbody tr"))
    assert rows(office.context.database, Report)[0].files[0]["digest"] in "".join(line[4] for line in cells)


def test_a_refused_form_keeps_the_file_and_the_next_one_sends_it(office: Office) -> None:
    refused = send(office, [chosen()], **{"outcome-1": "done", "body-1": ""})
    assert refused.status_code == 422
    (kept,) = lines(refused.text)
    assert kept.endswith(" Báo cáo.pdf")
    assert send(office, [], **DONE, **{"kept-1": kept}).status_code == 303
    assert [each["name"] for each in row(office.context.database, Report).files] == ["Báo cáo.pdf"]


def test_a_draft_keeps_the_file_and_what_is_left_for_later_keeps_its_own(office: Office) -> None:
    send(office, [chosen(), chosen("hai.pdf", PDF + b"2", 2)], act="draft")
    page = office.get(PAGE).text
    first, second = lines(page)[0], lines(page, 2)[0]
    send(office, [], **DONE, **{"kept-1": first, "kept-2": second})
    assert row(office.context.database, Draft).body == {"kept-2": second}
    assert lines(office.get(PAGE).text, 2) == [second]


def test_an_unticked_file_is_left_out(office: Office) -> None:
    send(office, [chosen(), chosen("anh.png", PNG)], act="draft")
    pdf, _ = lines(office.get(PAGE).text)
    send(office, [], **DONE, **{"kept-1": pdf})
    assert len(row(office.context.database, Report).files) == 1


def test_a_returned_report_comes_back_with_its_files(office: Office) -> None:
    send(office, [chosen()], **DONE)
    with office.context.database.write() as session:
        return_report(session, 1, reason="Thiếu.", actor="desk", now=office.clock.now)
    assert lines(office.get(PAGE).text)[0].endswith(" Báo cáo.pdf")


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("rac.pdf", b"junk", "không phải một trong"),
        ("bao-cao.pdf", b"MZ\x90\x00", "không phải một trong"),
        ("trang.html", b"<html><script>", "không phải một trong"),
        ("rong.pdf", b"", "không phải một trong"),
        ("anh.heic", b"\0\0\0\x18ftypheic" + b"\0" * 20, "ảnh HEIC của điện thoại"),
        ("bc.zip", b"PK\x03\x04" + b"0" * 40, "tệp nén"),
        ("to.pdf", b"%PDF-" + b"0" * 11_000_000, "lớn hơn 10 MB"),
        ("TUYỆT MẬT.pdf", PDF, "văn bản mật"),
        ("../../a / b\u202e<script>.pdf", b"junk", "« b<script>.pdf»"),
    ],
)
def test_what_cannot_be_taken_is_said_beside_its_field_and_nothing_is_lost(
    office: Office, name: str, body: bytes, words: str
) -> None:
    answer = send(office, [chosen(), chosen(name, body)], **DONE)
    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 422
    assert words in page.select_one("#file-1-said").get_text()  # type: ignore[union-attr]
    assert page.select_one("#file-1")["aria-describedby"] == "file-1-said"  # type: ignore[index]
    assert page.select_one("#body-1").get_text() == "Đã làm."  # type: ignore[union-attr]
    assert len(lines(answer.text)) == 1
    assert rows(office.context.database, Report) == []


def test_an_eleventh_file_is_refused_by_name_and_ten_are_kept(office: Office) -> None:
    answer = send(office, [chosen(f"{number}.pdf", PDF + b"%d" % number) for number in range(11)], **DONE)
    assert answer.status_code == 422
    assert "chưa nhận «10.pdf»" in answer.text
    assert len(lines(answer.text)) == 10


@pytest.mark.parametrize("line", ["x", "0" * 64, "", "0" * 64 + " a.pdf", "../../x y"])
def test_a_line_that_names_no_file_of_ours_is_said(office: Office, line: str) -> None:
    answer = send(office, [], **DONE, **{"kept-1": line})
    assert (answer.status_code, "hãy chọn lại" in answer.text) == (422, True)


def test_another_agencys_file_cannot_be_named(office: Office) -> None:
    database = office.context.database
    send(office, [chosen()], **DONE)
    kept = f"{rows(database, Evidence)[0].digest} x.pdf"
    begin(store(database, now=at("2021-06-01"), plan=plan_file(number="13/KH-UBND")), now=at("2021-06-01"))
    page = "/report/huyen-a/2/2021-H1"
    number = re.search(r"outcome-(\d+)", office.get(page).text)[1]  # type: ignore[index]
    answer = send(office, [], page, **{f"outcome-{number}": "done", f"body-{number}": "x", f"kept-{number}": kept})
    assert answer.status_code == 422


def test_a_body_over_thirty_megabytes_is_refused_in_words(office: Office) -> None:
    answer = send(office, [chosen(f"{n}.pdf", PDF + b"0" * 9_900_000) for n in range(4)])
    assert (answer.status_code, "30 MB" in answer.text) == (413, True)
    assert rows(office.context.database, Evidence) == []


def test_a_broken_form_is_refused_in_words(office: Office) -> None:
    token = office.token(PAGE)
    many = office.client.post(PAGE, data={"token": token}, files=[chosen(str(n)) for n in range(501)])
    long = office.client.post(PAGE, data={"token": token, "body-1": "x" * 1_100_000}, files=[chosen()])
    assert [(each.status_code, "Không đọc được biểu mẫu" in each.text) for each in (many, long)] == [(400, True)] * 2


def test_files_are_linked_where_the_report_is_read_and_come_back_as_downloads(office: Office) -> None:
    send(office, [chosen()], **DONE)
    address = f"/agencies/so-ban/files/{rows(office.context.database, Evidence)[0].digest}"
    assert office.get("/assignments/1").text.count(address) == 1  # where it is decided, not once more among the reports
    assert address in office.get(PAGE).text
    answer = office.get(address)
    assert (answer.content, answer.headers["content-type"]) == (PDF, "application/pdf")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize(
    ("role", "agency_id", "status"),
    [
        ("coordinator", "so-ban", 200),
        ("head", "so-ban", 200),
        ("monitor", "so-chinh", 200),
        ("administrator", "tinh", 200),
        ("coordinator", "huyen-a", 403),
        ("leadership", "tinh", 403),
    ],
)
def test_a_file_is_given_to_its_agency_and_the_monitor(
    office: Office, tmp_path: Path, role: str, agency_id: str, status: int
) -> None:
    send(office, [chosen()], **DONE)
    address = f"/agencies/so-ban/files/{rows(office.context.database, Evidence)[0].digest}"
    assert as_role(office.context.database, tmp_path, role, agency_id).get(address).status_code == status


@pytest.mark.parametrize("digest", ["0" * 64, "x", "..%2f..%2fetc%2fpasswd", "A" * 64])
def test_what_is_no_file_is_not_found(office: Office, digest: str) -> None:
    assert office.get(f"/agencies/so-ban/files/{digest}").status_code == 404


def test_a_file_that_was_damaged_is_not_given_out(office: Office, tmp_path: Path) -> None:
    send(office, [chosen()], **DONE)
    digest = rows(office.context.database, Evidence)[0].digest
    (tmp_path / "files" / digest[:2] / digest).write_bytes(b"%PDF-other")
    answer = office.get(f"/agencies/so-ban/files/{digest}")
    assert (answer.status_code, "bị mất hoặc hỏng" in answer.text) == (404, True)


def test_nobodys_files_are_stored(office: Office, tmp_path: Path) -> None:
    as_role(office.context.database, tmp_path, "coordinator", "huyen-a")
    stranger = open_office(office.context.database, tmp_path, host="https://dondoc.example")
    assert stranger.client.post(PAGE, files=[chosen()]).status_code == 401
    assert stranger.client.post("/r/x.y", files=[chosen()]).status_code == 403
    other = as_role(office.context.database, tmp_path, "deputy", "huyen-a")
    assert other.client.post(PAGE, files=[chosen()]).status_code == 403
    assert not (tmp_path / "files").exists()


def test_by_the_link_in_a_letter_files_go_up_and_come_back(office: Office) -> None:
    link = office.link(Purpose.REPORT, contact_of(office.context.database, "so-ban"), "1:2021-H1")
    kept = lines(send(office, [chosen()], link, **{"outcome-1": "done", "body-1": ""}).text)
    assert send(office, [], link, **DONE, **{"kept-1": kept[0]}).status_code == 303
    page = BeautifulSoup(office.get(link).text, "lxml")
    address = str(page.select_one(".files a")["href"])  # type: ignore[index]
    assert address.startswith(f"{link}/files/")
    assert office.get(address).content == PDF
    strange = office.link(
        Purpose.REPORT, add_contact(office.context.database, "huyen-a", Role.COORDINATOR), "1:2021-H1"
    )
    assert office.get(address.replace(link, strange)).status_code == 404


def test_what_is_reported_takes_no_more_files(office: Office) -> None:
    bring_to(office.context.database, State.REPORTED, 1, now=office.clock.now)
    send(office, [chosen()], **{"outcome-2": "done", "body-2": "x"})
    assert rows(office.context.database, Evidence) == []


def test_the_size_limit_is_the_one_that_is_said() -> None:
    assert (evidence.MAX_FILE_BYTES, evidence.MAX_FILES) == (10_000_000, 10)


def test_when_an_agency_has_brought_too_much_the_reason_stands_beside_the_field(office: Office) -> None:
    with office.context.database.write() as session:
        for number in range(evidence.UPLOAD_LIMIT.most):
            kept = evidence.StoredFile(f"{number:064}", "a.pdf", 1, "application/pdf")
            evidence.keep(session, kept, agency_id="so-ban", actor="x", now=office.clock.now)
    answer = send(office, [chosen()], **DONE)
    assert (answer.status_code, "hãy thử lại sau" in answer.text, "Đã làm.</textarea>" in answer.text) == (
        422,
        True,
        True,
    )
    assert send(office, [], **DONE).status_code == 303


class Clamd(socketserver.StreamRequestHandler):
    """clamd's INSTREAM as its manual describes it: chunks behind their length in network order, until one of none."""

    def handle(self) -> None:
        assert self.rfile.read(10) == b"zINSTREAM\0"
        body = b""
        while length := int.from_bytes(self.rfile.read(4), "big"):
            body += self.rfile.read(length)
        said = b"stream: Eicar-Test-Signature FOUND" if EICAR in body else b"stream: OK"
        self.wfile.write((b"INSTREAM size limit exceeded. ERROR" if len(body) > 500_000 else said) + b"\0")


@pytest.fixture(scope="module")
def clamd() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Clamd) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def downloaded(office: Office, clamd: str, body: bytes) -> Response:
    with office.context.database.write() as session:
        stored = evidence.store(office.context.settings.files, name="a.pdf", body=body)
        evidence.keep(session, stored, agency_id="so-ban", actor="cli", now=office.clock.now)
    folder = office.context.settings.data_dir
    scanning = open_office(office.context.database, folder, now=office.clock.now, clamd=clamd)
    return scanning.get(f"/agencies/so-ban/files/{stored.digest}")


@pytest.mark.parametrize(
    ("body", "status"),
    [(PDF, 200), (PDF + b"x" * 200_000, 200), (PDF + EICAR, 403), (PDF + b"x" * 600_000, 503)],
    ids=["clean", "clean, of several chunks", "harmful", "longer than clamd takes"],
)
def test_a_file_is_given_out_once_the_office_s_scanner_has_passed_it(
    office: Office, clamd: str, body: bytes, status: int
) -> None:
    answer = downloaded(office, clamd, body)
    assert answer.status_code == status
    assert (answer.content == body) is (status == 200)


def test_while_the_scanner_is_away_a_file_is_held_and_not_lost(office: Office, clamd: str, tmp_path: Path) -> None:
    for nobody in ("127.0.0.1:1", str(tmp_path / "no.ctl"), "no address"):
        answer = downloaded(office, nobody, PDF)
        assert (answer.status_code, "tạm giữ" in answer.text) == (503, True)
    assert downloaded(office, clamd, PDF).content == PDF
    assert (scanner(clamd).mark, scanner("127.0.0.1:1").mark) == (Mark.WELL, Mark.WRONG)
