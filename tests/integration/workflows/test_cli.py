"""The root commands: set up, run a pass, look at the settings; refusals are one sentence and exit code 2."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from ground.commands import Commands
from ground.factory import CONFIG, at, real_plan, rows

from config.settings import Settings
from engine.assignments.opening import activate
from engine.store.database import Database
from engine.store.records import Agency, Contact, Letter, Plan, PolicyRecord
from engine.terms import LetterState, PassName
from workflows.simulation.examples import EXAMPLES, Example

NOW = ("--at", "2021-06-22T09:00")


@pytest.fixture
def dondoc(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    return Commands(tmp_path, str(sqlite_database.url), monkeypatch, capsys)


@pytest.fixture
def active(sqlite_database: Database) -> Database:
    """Plan 188, active from 7 April 2021, nothing opened yet."""
    laid = real_plan(sqlite_database, now=at("2021-04-07"))
    with sqlite_database.write() as session:
        activate(session, laid.plan_id, actor="cli:test", now=at("2021-04-07"))
    return sqlite_database


def test_one_command_sets_everything_up_and_a_second_time_changes_nothing(dondoc: Commands) -> None:
    dondoc.set(DONDOC_DATABASE_URL=f"sqlite:///{dondoc.folder}/new/dondoc.db")
    assert "ready" in dondoc("init", "--example", "nghe-an-2021").well
    first = dondoc("plan", "load", CONFIG / "plans/188-kh-ubnd-2021.yaml").well
    assert "ready" in dondoc("init").well
    assert dondoc("plan", "load", CONFIG / "plans/188-kh-ubnd-2021.yaml").well == first


def test_init_loads_no_agency_and_a_tick_runs_on_what_it_made(dondoc: Commands, sqlite_database: Database) -> None:
    """Real letters were addressed to the example's mailboxes."""
    dondoc("init")
    assert (rows(sqlite_database, Agency), rows(sqlite_database, Contact)) == ([], [])
    assert rows(sqlite_database, PolicyRecord)
    assert dondoc("once", "tick", *NOW).code == 0


@pytest.mark.parametrize("example", list(Example))
def test_an_example_is_a_directory_with_a_plan_that_it_can_carry_out(
    dondoc: Commands, sqlite_database: Database, example: Example
) -> None:
    dondoc("init", "--example", example.value)
    assert dondoc("plan", "load", EXAMPLES[example].plan).well
    assert "1" in dondoc("plan", "list").well


@pytest.mark.parametrize("name", list(PassName))
def test_each_pass_runs_alone_and_a_second_time_has_nothing_to_do(
    dondoc: Commands, active: Database, name: PassName
) -> None:
    before = {"act": ["open"], "deliver": ["open", "act"], "digest": ["open"]}.get(name.value, [])
    for earlier in before:
        dondoc("once", earlier, *NOW)
    assert dondoc("once", name.value, *NOW).well.startswith(f"{name.value}: ")
    if name is not PassName.AUDIT:
        assert "nothing to do" in dondoc("once", name.value, *NOW).well


def test_a_whole_tick_says_what_each_pass_did_and_the_next_one_nothing(dondoc: Commands, active: Database) -> None:
    said = dondoc("once", "tick", *NOW).well
    assert [line.split(":")[0] for line in said.splitlines()] == ["open", "act", "digest", "deliver"]
    assert dondoc("once", "tick", *NOW).well == ""
    states = {letter.state for letter in rows(active, Letter)}
    assert states == {LetterState.KEPT_HERE}
    assert len(list((dondoc.folder / "maildir" / "new").iterdir())) == len(rows(active, Letter))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("once dance", "Không có lần xử lý «dance»"),
        ("once tick --at soon", "không phải thời điểm"),
        ("once", "PASS"),
        ("dance", "No such command"),
        ("serve --port 99999", "DONDOC_PORT"),
        ("serve --port many", "port"),
        ("prefect deploy", "pool"),
        ("prefect deploy --pool x --every 1", "every"),
    ],
)
def test_what_is_typed_wrong_is_said(dondoc: Commands, words: str, said: str) -> None:
    assert said in dondoc(*words.split()).wrong


def test_without_a_prefect_server_deploying_says_where_none_answers(dondoc: Commands) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        dondoc("init")
        dondoc.set(DONDOC_PREFECT_API_URL=f"http://127.0.0.1:{probe.getsockname()[1]}/api")
        assert "không trả lời" in dondoc("prefect", "deploy", "--pool", "van-phong").wrong


def test_an_office_s_templates_are_checked_where_they_lie(dondoc: Commands) -> None:
    assert "The shipped templates are in use" in dondoc("templates", "check").well
    own = dondoc.folder / "templates" / "vi" / "watch"
    own.mkdir(parents=True)
    (own / "subject.txt").write_text("[Sở] {{ facts.items|length }} việc")
    assert "have no problems" in dondoc("templates", "check").well
    (own / "subject.txt").write_text("[Sở]\n{{ letter.nothing }}")
    ran = dondoc("templates", "check")
    assert (ran.code, ran.err) == (1, "")
    assert f"{own}/subject.txt:2: template: không có tên «nothing»" in ran.out
    assert dondoc("templates", "check", dondoc.folder / "templates").code == 1
    assert "nowhere" in dondoc("templates", "check", "nowhere").wrong


def test_settings_are_shown_with_secrets_masked(dondoc: Commands) -> None:
    dondoc.set(
        DONDOC_SECRET="a-secret-word",
        DONDOC_SMTP_PASSWORD="another-one",
        DONDOC_DATABASE_URL="postgresql://dondoc:third-word@127.0.0.1/x?sslpassword=fourth-word",
        DONDOC_BASE_URL="https://admin:fifth-word@dondoc.example",
        DONDOC_PREFECT_API_URL="https://user:sixth-word@prefect.example/api",
        DONDOC_HEARTBEAT_URL="https://ping.example/seventh-word",
        DONDOC_SMS_URL="https://sms.example/eighth-word",
        DONDOC_SMS_USERNAME="ninth-word",
    )
    shown, as_json = dondoc("settings").well, json.loads(dondoc("settings", "--json").well)
    assert set(as_json) == set(Settings.model_fields)
    secrets = (
        "a-secret-word another-one third-word fourth-word fifth-word sixth-word seventh-word eighth-word ninth-word"
    )
    for secret in secrets.split():
        assert secret not in shown
        assert secret not in json.dumps(as_json)
    assert as_json["database_url"] == "postgresql://127.0.0.1/x"


def test_every_wrong_setting_is_named_at_once(dondoc: Commands) -> None:
    dondoc.set(DONDOC_PORT="abc", DONDOC_BASE_URL="ftp://x", DONDOC_KEEP_BODIES_DAYS="0")
    said = dondoc("plan", "list").wrong.splitlines()
    assert [line.partition(":")[0] for line in said] == ["DONDOC_BASE_URL", "DONDOC_PORT", "DONDOC_KEEP_BODIES_DAYS"]


@pytest.mark.parametrize("words", ["init", "once tick", "settings"])
def test_a_data_folder_that_cannot_be_made_is_one_sentence(dondoc: Commands, words: str) -> None:
    dondoc.set(DONDOC_DATA_DIR="/proc/nowhere", DONDOC_DATABASE_URL="")
    if words == "settings":
        assert "/proc/nowhere" in dondoc(*words.split()).well  # looking makes nothing
    else:
        assert "«/proc/nowhere»" in dondoc(*words.split()).wrong


def test_a_mail_folder_that_cannot_be_written_loses_no_letter(dondoc: Commands, active: Database) -> None:
    (dondoc.folder / "maildir").write_text("a file where a folder should be")
    dondoc("once", "open", *NOW)
    dondoc("once", "act", *NOW)
    assert "maildir" in dondoc("once", "deliver", *NOW).wrong
    (dondoc.folder / "maildir").unlink()
    owed = len(rows(active, Letter))
    assert f"kept_here {owed} " in dondoc("once", "deliver", "--at", "2021-06-22T09:10").well
    assert {letter.state for letter in rows(active, Letter)} == {LetterState.KEPT_HERE}


def test_the_plan_s_year_is_foretold_without_a_database(dondoc: Commands) -> None:
    dondoc.set(DONDOC_DATABASE_URL="sqlite:////proc/nowhere/x.db")
    said = dondoc("simulate", CONFIG / "plans/188-kh-ubnd-2021.yaml", "--until", "2021-04-30", "--json").well
    assert json.loads(said.splitlines()[0])
    assert "không phải ngày" in dondoc("simulate", CONFIG / "plans/188-kh-ubnd-2021.yaml", "--until", "x").wrong


def test_as_a_process_it_ends_with_two_and_a_sentence(tmp_path: Path) -> None:
    """The installed command itself, once: everything above runs its function."""
    command = Path(sys.executable).with_name("dondoc")
    done = subprocess.run(
        [command, "plan", "list"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "DONDOC_DATABASE_URL": "postgresql://u:hidden@127.0.0.1:1/x"},
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "hidden" not in done.stderr


def test_nothing_is_touched_by_asking_for_help(dondoc: Commands, sqlite_database: Database) -> None:
    dondoc.set(DONDOC_DATA_DIR="/proc/nowhere")
    for words in ("--help", "once --help", "plan --help", "prefect deploy --help"):
        assert "Usage" in dondoc(*words.split()).well
    assert rows(sqlite_database, Agency) == rows(sqlite_database, Plan) == []


@pytest.mark.parametrize(("typed", "folder"), [("", "demo"), ("1", "demo"), ("2", "demo-nghe-an-2025"), (None, "demo")])
def test_the_demonstration_begins_with_a_choice_where_somebody_sits_at_a_terminal(
    dondoc: Commands, monkeypatch: pytest.MonkeyPatch, typed: str | None, folder: str
) -> None:
    served: list[Settings] = []
    monkeypatch.setattr("workflows.cli._serve", served.append)
    monkeypatch.setattr("workflows.simulation.demo.prepare", lambda system, example: False)
    terminal = io.StringIO("" if typed is None else f"{typed}\n")
    monkeypatch.setattr(terminal, "isatty", lambda: typed is not None, raising=False)
    monkeypatch.setattr(sys, "stdin", terminal)
    said = dondoc("demo").well
    assert [each.data_dir.name for each in served] == [folder]
    assert ("130 xã, phường" in said) is (typed is not None)
