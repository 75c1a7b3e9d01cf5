"""Files that go with a report: known by their bytes, kept once, out of reach of anything that would run them."""

from __future__ import annotations

import hashlib
import io
import stat
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ground.factory import at, directory, happened

from engine.agencies.directory_loading import load_directory
from engine.assignments.reports import evidence
from engine.assignments.reports.evidence import FileUnfit, safe_name
from engine.errors import NotFound, TooOften
from engine.store.database import Database

NOW = at("2021-06-07")
PDF = b"%PDF-1.7\nb\xc3\xa1o c\xc3\xa1o"


def packed(parts: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return out.getvalue()


DOCX = packed({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})
XLSX = packed({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<w/>"})
ODS = packed({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<o/>"})


@pytest.mark.parametrize(
    ("body", "name", "kept"),
    [
        (PDF, "bao-cao.exe", "bao-cao.pdf"),
        (b"\xff\xd8\xff\xe0 anh", "Ảnh 1.JPEG", "Ảnh 1.jpg"),
        (b"\x89PNG\r\n\x1a\n..", "../../etc/passwd", "passwd.png"),
        (DOCX, "Báo cáo.docx", "Báo cáo.docx"),
        (XLSX, "C:\\Users\\x\\so lieu.xls", "so lieu.xlsx"),
        (ODS, "a\u202ecod.ods", "acod.ods"),
        (PDF, " .. ", "tep.pdf"),
    ],
)
def test_a_file_is_what_its_bytes_say_and_its_name_is_made_harmless(
    tmp_path: Path, body: bytes, name: str, kept: str
) -> None:
    assert evidence.store(tmp_path, name=name, body=body).name == kept


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"MZ\x90\x00",
        b"<html><script>",
        b"<svg xmlns='x'/>",
        b"#!/bin/sh",
        b"PK\x03\x04 hong",
        packed({"a.txt": b"x"}),
        packed({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"", "word/vbaProject.bin": b"x"}),
        packed({"[Content_Types].xml": b"<Types/>", "word/a.exe": b"x"}),
        packed({"mimetype": b"application/epub+zip"}),
    ],
)
def test_what_is_not_a_document_or_could_run_is_refused_and_not_written(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(FileUnfit, match="bao-cao"):
        evidence.store(tmp_path, name="bao-cao.pdf", body=body)
    assert list(tmp_path.iterdir()) == []


def test_a_file_too_large_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(FileUnfit, match="10 MB"):
        evidence.store(tmp_path, name="to.pdf", body=PDF + b"0" * evidence.MAX_FILE_BYTES)


def test_the_same_bytes_are_one_file_without_name_ending_or_right_to_run(tmp_path: Path) -> None:
    first = evidence.store(tmp_path, name="a.pdf", body=PDF)
    second = evidence.store(tmp_path, name="b.pdf", body=PDF)
    digest = hashlib.sha256(PDF).hexdigest()
    assert first.digest == second.digest == digest
    (path,) = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert path == tmp_path / digest[:2] / digest
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert evidence.read_file(tmp_path, first) == PDF


def test_bytes_cut_short_by_a_crash_are_written_anew(tmp_path: Path) -> None:
    kept = evidence.store(tmp_path, name="a.pdf", body=PDF)
    path = tmp_path / kept.digest[:2] / kept.digest
    path.write_bytes(PDF[:3])
    with pytest.raises(NotFound, match="hỏng"):
        evidence.read_file(tmp_path, kept)
    evidence.store(tmp_path, name="a.pdf", body=PDF)
    assert evidence.read_file(tmp_path, kept) == PDF


def test_a_file_is_given_back_as_a_download_that_nothing_runs(tmp_path: Path) -> None:
    given = evidence.headers(evidence.store(tmp_path, name='Báo "cáo"\r\nX: đ.pdf', body=PDF))
    assert given["content-disposition"].startswith("attachment; filename=\"Bao caoX d.pdf\"; filename*=UTF-8''B%C3%A1o")
    assert (given["x-content-type-options"], given["content-type"]) == ("nosniff", "application/pdf")
    assert "sandbox" in given["content-security-policy"]
    assert not any(each in value for value in given.values() for each in "\r\n")


def test_an_agency_finds_its_own_files_and_never_learns_of_another_s(database: Database, tmp_path: Path) -> None:
    kept = evidence.store(tmp_path, name="a.pdf", body=PDF)

    def note(agency_id: str) -> Any:
        with database.write() as session:
            return evidence.keep(session, kept, agency_id=agency_id, actor="account:1", now=NOW)

    with database.write() as session:
        load_directory(session, directory(), actor="cli:test", now=NOW)
    assert note("huyen-a")
    assert not note("huyen-a")
    with database.read() as session:
        assert evidence.find(session, "huyen-a", kept.digest) == kept
        with pytest.raises(NotFound):
            evidence.find(session, "huyen-b", kept.digest)
    assert note("huyen-b")
    assert happened(database, kind="evidence_stored") == ["evidence_stored"] * 2


def test_a_name_is_cut_not_refused() -> None:
    assert safe_name("x" * 500 + ".pdf", "pdf") == "x" * 120 + ".pdf"


def test_an_agency_brings_so_many_new_files_an_hour(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        load_directory(session, directory(), actor="cli", now=NOW)
        for number in range(evidence.UPLOAD_LIMIT.most):
            kept = evidence.StoredFile(f"{number:064}", "a.pdf", 1, "application/pdf")
            evidence.enforce_upload_limit(session, "so-ban", NOW)
            assert evidence.keep(session, kept, agency_id="so-ban", actor="x", now=NOW)
        assert not evidence.keep(session, kept, agency_id="so-ban", actor="x", now=NOW)
        with pytest.raises(TooOften):
            evidence.enforce_upload_limit(session, "so-ban", NOW)
        evidence.enforce_upload_limit(session, "huyen-a", NOW)
        evidence.enforce_upload_limit(session, "so-ban", NOW + timedelta(hours=1, seconds=1))
