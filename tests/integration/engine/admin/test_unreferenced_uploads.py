"""Uploaded files that nothing names any more: gone after a month, row first and bytes after; what is named stays."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from ground.factory import Laid, at, happened, lay, rows

from engine.admin import unreferenced_uploads
from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.reports import drafts as report_drafts
from engine.assignments.reports import evidence
from engine.assignments.reports.evidence import StoredFile
from engine.store.database import Database
from engine.store.records import Evidence

NOW = at("2021-06-07")
LATER = NOW + unreferenced_uploads.UPLOAD_RETENTION + timedelta(seconds=1)


@pytest.fixture
def laid(database: Database) -> Laid:
    return lay(database, now=at("2021-04-07"))


def upload(laid: Laid, folder: Path, words: str, *agencies: str, on: datetime = NOW) -> StoredFile:
    """A file of these words, uploaded by each of the agencies; its bytes as old as its rows."""
    kept = evidence.store(folder, name=f"{words}.pdf", body=b"%PDF-1.7 " + words.encode())
    with laid.database.write() as session:
        for agency_id in agencies:
            evidence.keep(session, kept, agency_id=agency_id, actor="account:1", now=on)
    grow_old(path_of(folder, kept), on)
    return kept


def path_of(folder: Path, kept: StoredFile) -> Path:
    return folder / kept.digest[:2] / kept.digest


def grow_old(path: Path, on: datetime) -> None:
    os.utime(path, (on.timestamp(), on.timestamp()))


def forget(laid: Laid, now: datetime = LATER) -> int:
    with laid.database.write() as session:
        return unreferenced_uploads.forget(session, now)


def sweep(laid: Laid, folder: Path, now: datetime = LATER) -> int:
    return unreferenced_uploads.sweep(laid.database, folder, now)


def left(laid: Laid) -> set[tuple[str, str]]:
    return {(each.agency_id, each.name) for each in rows(laid.database, Evidence)}


def report(laid: Laid, *files: StoredFile, agency_id: str = "so-ban") -> int:
    """so-ban's report; returns its assignment."""
    assignment = laid.assignment("IV.1.1" if agency_id == "so-ban" else "IV.2.1", agency_id)
    said = ReportText(body="Đã làm.", files=tuple(each.as_entry for each in files))
    with laid.database.write() as session:
        lifecycle.report(session, assignment, said, actor="account:1", now=NOW)
    return assignment


def test_what_nothing_names_goes_after_a_month_and_is_told_in_the_log(laid: Laid, tmp_path: Path) -> None:
    unnamed, named = upload(laid, tmp_path, "a", "so-ban"), upload(laid, tmp_path, "b", "so-ban")
    report(laid, named)
    assert (forget(laid, LATER - timedelta(seconds=2)), forget(laid), forget(laid)) == (0, 1, 0)
    assert left(laid) == {("so-ban", "b.pdf")}
    assert happened(laid.database, kind="evidence_removed", actor="system") == ["evidence_removed"]
    assert path_of(tmp_path, unnamed).exists()  # the row has gone, the commit is over, and only now
    assert (sweep(laid, tmp_path), sweep(laid, tmp_path)) == (1, 0)
    assert [each.name for each in tmp_path.glob("*/*")] == [named.digest]


def test_a_report_keeps_what_it_named_for_ever_even_one_sent_back_and_sent_again(laid: Laid, tmp_path: Path) -> None:
    first, second = upload(laid, tmp_path, "a", "so-ban"), upload(laid, tmp_path, "b", "so-ban")
    assignment = report(laid, first, second)
    with laid.database.write() as session:
        lifecycle.return_report(session, assignment, reason="Thiếu.", actor="account:2", now=NOW)
    assert forget(laid) == 0
    report(laid)  # the second one names none of them
    assert (forget(laid, at("2031-01-01")), sweep(laid, tmp_path, at("2031-01-01"))) == (0, 0)
    assert len(left(laid)) == 2


def test_a_draft_keeps_what_it_names_as_long_as_it_stands(laid: Laid, tmp_path: Path) -> None:
    kept, other = upload(laid, tmp_path, "a", "so-ban"), upload(laid, tmp_path, "b", "so-ban")
    page = ("so-ban", laid.plan_id, "2021-H1")
    lines = {"kept-1": f"{kept.digest} a.pdf\n{other.digest} b.pdf", "body-1": "Đang làm."}
    with laid.database.write() as session:
        report_drafts.save(session, *page, lines, actor="account:1", now=NOW)
    assert forget(laid) == 0
    with laid.database.write() as session:
        report_drafts.discard(session, *page)
    assert forget(laid) == 2


def test_anothers_report_or_draft_keeps_the_bytes_but_not_ones_own_row(laid: Laid, tmp_path: Path) -> None:
    kept = upload(laid, tmp_path, "a", "so-ban", "huyen-a", "huyen-b")
    report(laid, kept, agency_id="huyen-a")
    with laid.database.write() as session:
        report_drafts.save(
            session, "huyen-b", laid.plan_id, "2021-H1", {"kept-9": f"{kept.digest} a.pdf"}, actor="account:3", now=NOW
        )
    assert (forget(laid), sweep(laid, tmp_path)) == (1, 0)
    assert left(laid) == {("huyen-a", "a.pdf"), ("huyen-b", "a.pdf")}
    assert evidence.read_file(tmp_path, kept)


def test_a_file_uploaded_anew_counts_from_then_row_and_bytes(laid: Laid, tmp_path: Path) -> None:
    kept = upload(laid, tmp_path, "a", "so-ban")
    upload(laid, tmp_path, "b", "so-ban", on=LATER)
    assert upload(laid, tmp_path, "a", "so-ban", on=LATER) == kept
    assert forget(laid, LATER + timedelta(days=29)) == 0
    grow_old(path_of(tmp_path, kept), NOW)
    evidence.store(tmp_path, name="a.pdf", body=b"%PDF-1.7 a")
    assert forget(laid, LATER + timedelta(days=31)) == 2
    assert sweep(laid, tmp_path) == 0  # what was stored a moment ago may be about to get its row


def test_bytes_left_by_a_crash_go_too_and_what_is_not_ours_stays(laid: Laid, tmp_path: Path) -> None:
    kept = upload(laid, tmp_path, "a", "so-ban")
    place = path_of(tmp_path, kept).parent
    crashed = [place / f".{kept.digest}.5e3f", place / f"{kept.digest[:2]}{'0' * 62}"]
    for each in (*crashed, tmp_path / "note.txt"):
        each.write_bytes(b"half")
        grow_old(each, NOW)
    (place / "fresh").write_bytes(b"half")
    assert sweep(laid, tmp_path) == 2
    assert sorted(each.name for each in place.iterdir()) == sorted([kept.digest, "fresh"])
    assert (tmp_path / "note.txt").exists()


def test_a_database_that_knows_of_no_file_is_not_believed(laid: Laid, tmp_path: Path) -> None:
    """The files restored, the database not yet."""
    kept = evidence.store(tmp_path, name="a.pdf", body=b"%PDF-1.7")
    grow_old(path_of(tmp_path, kept), NOW)
    assert sweep(laid, tmp_path) == 0
    assert path_of(tmp_path, kept).exists()


def test_no_folder_yet_is_no_trouble(laid: Laid, tmp_path: Path) -> None:
    upload(laid, tmp_path / "files", "a", "so-ban")
    assert sweep(laid, tmp_path / "elsewhere") == 0
