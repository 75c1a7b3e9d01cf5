"""The engine's commands on real input and on bad input: one clear sentence and exit code 2, and nothing half done."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from ground.commands import Commands
from ground.factory import CONFIG, Laid, at, happened, lay, row, rows, swept
from sqlalchemy import update

from engine.store.database import Database, table
from engine.store.records import (
    Agency,
    Assignment,
    CalendarDay,
    Contact,
    Duty,
    Event,
    Plan,
    PolicyRecord,
    Promise,
    Report,
)
from engine.terms import EventKind, PlanState, State

PLAN = CONFIG / "plans" / "188-kh-ubnd-2021.yaml"
DIRECTORY, POLICY, CALENDAR = (
    CONFIG / "agencies/nghe-an-2021.yaml",
    CONFIG / "policies/default.yaml",
    CONFIG / "calendars/vn.yaml",
)
DAY = ("--at", "2021-04-07T09:00")
CLOSED = "postgresql://dondoc:secret-word@127.0.0.1:1/dondoc"


@pytest.fixture
def dondoc(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    """The command line over an empty, migrated database."""
    return Commands(tmp_path, str(sqlite_database.url), monkeypatch, capsys)


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    laid = lay(sqlite_database, now=at("2021-04-07"))
    swept(sqlite_database, at("2021-04-07"))
    return laid


@pytest.fixture
def province(dondoc: Commands) -> Commands:
    """The same, with the directory, policy and calendar that ship."""
    for what, file in (("directory", DIRECTORY), ("policy", POLICY), ("calendar", CALENDAR)):
        assert dondoc("load", what, file).well
    return dondoc


# --- files --------------------------------------------------------------------------------------------------------


def test_files_are_loaded_and_loading_again_changes_nothing(province: Commands, sqlite_database: Database) -> None:
    tables = (Agency, Contact, PolicyRecord, CalendarDay)
    before = {model: len(rows(sqlite_database, model)) for model in tables}
    province("load", "directory", DIRECTORY)
    assert province("load", "calendar", CALENDAR).well == ("Lịch không thay đổi. / The calendar stays as it is.\n")
    assert province("load", "policy", POLICY).well
    assert {model: len(rows(sqlite_database, model)) for model in tables} == before
    assert before[Agency] >= 60


def test_a_closed_day_from_a_file_moves_due_dates_as_on_the_page_after_asking(
    dondoc: Commands, laid: Laid, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = dondoc.folder / "lich.yaml"
    file.write_text(
        "schema: dondoc/calendar@1\nid: vn\nname: Lịch\nknown_until: 2021\n"
        "days: [{day: 2021-06-17, kind: holiday, name: Nghỉ}]\n"
    )
    before = {each.due_on for each in rows(laid.database, Assignment)}
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    asked = dondoc("load", "calendar", file, "--at", "2021-06-01T09:00")
    assert (asked.code, "4 hạn chuyển: thứ Năm, 17/6/2021 → thứ Sáu, 18/6/2021" in asked.out) == (1, True)
    assert {each.due_on for each in rows(laid.database, Assignment)} == before
    saved = dondoc("load", "calendar", file, "--yes", "--at", "2021-06-01T09:00").well
    assert "Đã thêm 1, sửa 0, bỏ 0 ngày; chuyển 4 hạn, báo 4 cơ quan." in saved
    moved = [each.due_on for each in rows(laid.database, Assignment, period="2021-H1")]
    assert (moved.count(date(2021, 6, 18)), len(happened(laid.database, kind=EventKind.DUE_MOVED))) == (4, 4)


def test_a_day_taken_out_of_a_file_is_named_and_dropped_where_that_is_asked(dondoc: Commands, laid: Laid) -> None:
    file = dondoc.folder / "lich.yaml"
    head = "schema: dondoc/calendar@1\nid: vn\nname: Lịch\nknown_until: 2021\n"
    both = "{day: 2021-06-16, kind: day_off, name: Nghỉ}, {day: 2021-06-17, kind: holiday, name: Nghỉ}"
    at = ("--at", "2021-06-01T09:00")
    file.write_text(f"{head}days: [{both}]\n")
    dondoc("load", "calendar", file, "--yes", *at)
    file.write_text(f"{head}days: [{both.partition('}, ')[0]}, basis: 12/CĐ}}]\n")
    said = dondoc("load", "calendar", file, "--yes", *at).well
    assert "Sẽ sửa 1 ngày: 16/6/2021." in said
    assert "Tệp không còn 1 ngày đã nạp: 17/6/2021. Chưa bỏ; thêm --drop để bỏ." in said
    assert {each.due_on for each in rows(laid.database, Assignment, period="2021-H1")} >= {date(2021, 6, 18)}
    said = dondoc("load", "calendar", file, "--yes", "--drop", *at).well
    assert "Sẽ bỏ 1 ngày: 17/6/2021." in said
    assert "Đã thêm 0, sửa 0, bỏ 1 ngày; chuyển 4 hạn, báo 4 cơ quan." in said
    assert [each.day for each in rows(laid.database, CalendarDay)] == [date(2021, 6, 16)]


def bad_files(folder: Path) -> dict[str, Path]:
    """Every way in which a file cannot be read."""
    (folder / "broken.yaml").write_text("a: [1,\n b: }")
    (folder / "binary.yaml").write_bytes(b"\x00\xff\xfe\x80")
    (folder / "empty.yaml").write_text("")
    (folder / "list.yaml").write_text("- 1\n- 2\n")
    (folder / "wrong.yaml").write_text("schema: dondoc/plan@1\nnumber: 188\ncolour: red\n")
    names = ("missing.yaml", "broken.yaml", "binary.yaml", "empty.yaml", "list.yaml", "wrong.yaml")
    return {name: folder / name for name in names} | {"a folder": folder, "no end": Path("/dev/zero")}


READING = ("plan check", "plan load", "plan import", "load directory", "load policy", "load calendar", "simulate")


@pytest.mark.parametrize("words", READING)
def test_a_file_that_cannot_be_read_is_named_with_what_to_do(
    dondoc: Commands, sqlite_database: Database, words: str
) -> None:
    for name, file in bad_files(dondoc.folder).items():
        if words == "plan import" and file.suffix == ".yaml" and name != "missing.yaml":
            continue  # any text may be a document; that none is found in it is the importer's own matter
        said = dondoc(*words.split(), file).wrong
        assert file.name in said, name
        assert "→" in said or "/" in said
    assert rows(sqlite_database, Plan) == rows(sqlite_database, Agency) == []


@pytest.mark.parametrize("words", ["plan diff", "plan renew"])
def test_so_is_the_second_of_two_files(dondoc: Commands, words: str) -> None:
    more = (
        (PLAN, "missing.yaml") if words == "plan diff" else ("missing.yaml", "--year", 2022, "--number", "25/KH-UBND")
    )
    assert "missing.yaml" in dondoc(*words.split(), *more).wrong


# --- plans --------------------------------------------------------------------------------------------------------


def test_a_plan_is_loaded_shown_rehearsed_and_activated_once(province: Commands, sqlite_database: Database) -> None:
    for _ in range(2):
        said = province("plan", "load", PLAN, *DAY).well
        assert said.startswith("Đã nạp kế hoạch số 1. / Loaded plan 1.\n")
        assert "Tiếp theo: «dondoc plan activate 1»" in said
    assert "188/KH-UBND" in province("plan", "list").well
    said = province("plan", "activate", 1, "--yes", *DAY).well
    assert "would open: 2021-H1: 131, 2021-Q2: 2" in said
    assert "53 thư" in said
    assert "Kế hoạch của năm 2021: kỳ đầu quý II/2021, kỳ cuối năm 2021 / Plan of 2021" in said
    assert rows(sqlite_database, Assignment) == []  # the pass opens them
    assert row(sqlite_database, Plan).state is PlanState.ACTIVE
    assert "đã được kích hoạt rồi" in province("plan", "activate", 1, "--yes").wrong
    said = province("plan", "load", PLAN).well  # the same text once more is no change
    assert "already" not in said
    assert "Tiếp theo" not in said


def test_activating_asks_first_and_no_means_no(
    province: Commands, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    province("plan", "load", PLAN, *DAY)
    for answer, code in (("n\n", 1), ("", 1), ("y\n", 0)):
        assert row(sqlite_database, Plan).state is PlanState.LOADED
        monkeypatch.setattr("sys.stdin", StringIO(answer))
        assert province("plan", "activate", 1, *DAY).code == code
    assert row(sqlite_database, Plan).state is PlanState.ACTIVE


def test_an_unknown_plan_is_said_to_be_unknown(province: Commands) -> None:
    assert province("plan", "activate", 99, "--yes").wrong == "Không có kế hoạch số 99. / There is no plan 99.\n"
    assert "PLAN" in province("plan", "activate", "x", "--yes").wrong


def test_a_plan_without_its_directory_is_refused_whole(dondoc: Commands, sqlite_database: Database) -> None:
    assert "nạp danh bạ trước" in dondoc("plan", "load", PLAN).wrong
    assert rows(sqlite_database, Plan) == []


# --- assignments --------------------------------------------------------------------------------------------------


def test_an_assignment_goes_its_whole_way(dondoc: Commands, laid: Laid) -> None:
    mine = laid.assignment("IV.1.1", "so-ban")
    when = ("--at", "2021-06-01T10:00")
    assert "Acknowledged" in dondoc("assignment", "acknowledge", mine, *when).well
    assert "Already acknowledged" in dondoc("assignment", "acknowledge", mine, *when).well
    assert (
        "Extension request 1"
        in dondoc("assignment", "extend", mine, "--until", "2021-06-25", "--reason", "Lũ", "--grant", *when).well
    )
    assert "Report 1" in dondoc("assignment", "report", mine, "--body", "Đã làm", *when).well
    assert dondoc("assignment", "return", mine, "--reason", "Thiếu số liệu", *when).well
    assert "Report 2" in dondoc("assignment", "report", mine, "--outcome", "partly", "--reason", "Chờ", *when).well
    assert "Accepted" in dondoc("assignment", "accept", mine, *when).well
    found = row(laid.database, Assignment, id=mine)
    assert (found.state, found.due_on.isoformat(), found.original_due_on.isoformat()) == (
        State.ACCEPTED,
        "2021-06-25",
        "2021-06-17",
    )
    assert {each.actor.partition(":")[0] for each in rows(laid.database, Event, assignment_id=mine)} >= {"cli"}


def test_an_unfinished_task_is_promised(dondoc: Commands, laid: Laid) -> None:
    mine = laid.assignment("IV.1.1", "so-ban")
    promise = ("--promise", "2021-06-30", "--reason-code", "phoi-hop", "--waits-for", "so-chinh", "--owed", "Hai xã")
    said = ("--outcome", "not_yet", "--reason", "Chờ", "--at", "2021-06-01T10:00")
    assert "Report 1" in dondoc("assignment", "report", mine, *said, *promise).well
    made = row(laid.database, Promise, assignment_id=mine)
    assert (made.promised_on.isoformat(), made.reason_code, made.waits_for, made.owed) == (
        "2021-06-30",
        "phoi-hop",
        "so-chinh",
        "Hai xã",
    )


def test_a_report_gives_the_output_that_is_owed(dondoc: Commands, laid: Laid) -> None:
    mine = laid.assignment("IV.1.1", "so-ban")
    paper = ("--output", "45/BC-UBND", "--output-on", "2021-05-31", "--at", "2021-06-01T10:00")
    assert "owes no output" in dondoc("assignment", "report", mine, *paper).wrong
    with laid.database.write() as session:
        session.connection().execute(update(table(Duty)).values(output={"what": "Báo cáo", "kind": "document"}))
    assert "12/QĐ-UBND" in dondoc("assignment", "report", mine, "--output", "báo cáo").wrong
    assert "Report 1" in dondoc("assignment", "report", mine, *paper).well
    assert row(laid.database, Report, assignment_id=mine).output == {"number": "45/BC-UBND", "on": "2021-05-31"}


def test_assignments_are_cancelled_transferred_and_listed(dondoc: Commands, laid: Laid) -> None:
    mine = laid.assignment("IV.1.1", "so-ban")
    other = laid.assignment("IV.2.1", "huyen-a")
    assert dondoc("assignment", "cancel", other, "--reason", "Nhập nhầm").well
    assert "Transferred" in dondoc("assignment", "transfer", mine, "--to", "huyen-b", "--reason", "Sáp nhập").well
    listed = dondoc("assignment", "list", "--period", "2021-H1").well.splitlines()
    assert len(listed) == 6
    assert len(dondoc("assignment", "list", "--agency", "huyen-a").well.splitlines()) == 1
    assert "None yet." in dondoc("assignment", "list", "--agency", "nobody").well
    assert len(dondoc("assignment", "list", "--limit", "2").well.splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("acknowledge 999", "Không có việc số 999"),
        ("acknowledge một", "ASSIGNMENT"),
        ("accept 1", "Không thể tiếp nhận"),
        ("return 1 --reason x", "Không thể trả lại"),
        ("extend 1 --until 25/6/2021 --reason x", "không phải ngày"),
        ("extend 1 --until 2021-06-01 --reason x --at 2021-04-08", "Hạn mới phải sau"),
        ("extend 1 --until 2021-06-30 --reason x --at 2021-07-01", "Ngày hẹn phải sau"),
        ("report 1 --outcome partly", "cần ghi lý do"),
        ("report 1 --outcome perfect", "perfect"),
        ("transfer 1 --to nowhere --reason x", "Danh bạ chưa có: nowhere"),
        ("acknowledge 1 --at tomorrow", "không phải thời điểm"),
        ("list --limit 0", "limit"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_changes(dondoc: Commands, laid: Laid, words: str, said: str) -> None:
    before = [rows(laid.database, model) for model in (Assignment, Event)]
    assert said in dondoc("assignment", *words.split()).wrong
    assert [rows(laid.database, model) for model in (Assignment, Event)] == before


@pytest.mark.parametrize("deed", ["cancel 1", "return 1", "transfer 1 --to huyen-b", "extend 1 --until 2021-06-30"])
def test_a_deed_that_needs_a_reason_says_so(dondoc: Commands, laid: Laid, deed: str) -> None:
    assert "Cần ghi" in dondoc("assignment", *deed.split(), "--reason", " ", *DAY).wrong


def test_links_of_a_contact_are_revoked(dondoc: Commands, laid: Laid) -> None:
    assert dondoc("links", "revoke", 3, *DAY).well
    assert row(laid.database, Contact, id=3).links_since == at("2021-04-07", "09:00")
    assert happened(laid.database, kind=EventKind.LINKS_REVOKED) == ["links_revoked"]
    assert "Không có liên hệ số 999" in dondoc("links", "revoke", 999).wrong


# --- the database -------------------------------------------------------------------------------------------------

ALL = (
    "plan list",
    f"plan load {PLAN}",
    "plan activate 1 --yes",
    "assignment list",
    "assignment acknowledge 1",
    f"load directory {DIRECTORY}",
    f"load policy {POLICY}",
    f"load calendar {CALENDAR}",
    "db upgrade",
    "links revoke 1",
    "account list",
    "once tick",
    "once open",
    "once act",
    "once digest",
    "once deliver",
    "once audit",
    "init",
)


@pytest.mark.parametrize("words", ALL)
def test_a_database_out_of_reach_is_one_sentence_without_the_password(dondoc: Commands, words: str) -> None:
    dondoc.set(DONDOC_DATABASE_URL=CLOSED)
    said = dondoc(*words.split()).wrong
    assert "Không dùng được cơ sở dữ liệu" in said
    assert "Check DONDOC_DATABASE_URL" in said
    assert "secret-word" not in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("no url at all", "cannot be read"),
        ("mysql://dondoc@localhost/dondoc", "mysql"),
        ("sqlite:////proc/nowhere/dondoc.db", "/proc/nowhere"),
        ("sqlite:////proc", "no database at /proc"),
    ],
)
def test_a_database_that_cannot_be_is_one_sentence(dondoc: Commands, url: str, said: str) -> None:
    dondoc.set(DONDOC_DATABASE_URL=url)
    assert said in dondoc("plan", "list").wrong


def test_a_file_that_is_no_database_is_one_sentence_and_stays_as_it_is(dondoc: Commands) -> None:
    junk = dondoc.folder / "junk.db"
    junk.write_text("this is a letter to a friend, " * 100)
    dondoc.set(DONDOC_DATABASE_URL=f"sqlite:///{junk}")
    for words in ("plan list", "db upgrade", "once tick"):
        assert "not a database" in dondoc(*words.split()).wrong
    assert junk.read_text().startswith("this is a letter")


def test_without_a_schema_the_way_out_is_named_and_works(dondoc: Commands) -> None:
    dondoc.set(DONDOC_DATABASE_URL=f"sqlite:///{dondoc.folder}/fresh.db")
    assert "dondoc init" in dondoc("plan", "list").wrong
    assert not (dondoc.folder / "fresh.db").exists()
    with closing(sqlite3.connect(dondoc.folder / "fresh.db")) as other:
        other.execute("CREATE TABLE something_else (id INTEGER)")
    assert "dondoc db upgrade" in dondoc("plan", "list").wrong
    assert dondoc("db", "upgrade").well
    assert dondoc("db", "upgrade").well
    assert dondoc("plan", "list").well == "Chưa có mục nào. / None yet.\n"


@pytest.mark.parametrize("room", ["plan", "assignment", "account", "webhook"])
def test_every_list_is_given_as_json_too_and_an_empty_one_says_so(province: Commands, room: str) -> None:
    plain, rows = province(room, "list").well, json.loads(province(room, "list", "--json").well)
    if rows:
        assert len(plain.splitlines()) == len(rows)
        assert {"id"} <= rows[0].keys()
    else:
        assert "None yet." in plain


def test_a_reader_is_not_kept_waiting_by_a_writer(dondoc: Commands, laid: Laid) -> None:
    with laid.database.write():
        assert len(dondoc("assignment", "list").well.splitlines()) == 5
