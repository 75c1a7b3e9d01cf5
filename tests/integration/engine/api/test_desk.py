"""The desk under /api/v1: what a program of an agency may do, and that it reaches no other agency."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ground.factory import add_contact, row, rows
from ground.office import NOW, Office, contact_of, join
from httpx import Response

from engine.accounts.api_tokens import make_token, scopes_of
from engine.accounts.permissions import ActorRole
from engine.store.database import Database
from engine.store.records import Assignment, Contact, Evidence, Feed, Report
from engine.terms import Role, State

PDF = b"%PDF-1.7\nb\xc3\xa1o c\xc3\xa1o"
HUYEN_B = 3
DEPUTY = {"email": "thay@huyen-b.example", "valid_from": "2021-06-25", "valid_until": "2021-07-05"}


class Program:
    """A program with a token of somebody's account."""

    def __init__(self, office: Office, role: str, agency_id: str, *scopes: str) -> None:
        database = office.context.database
        account = join(database, role, agency_id)
        held = scopes or [each for each in ("read", "report") if each in scopes_of(ActorRole(role))]
        with database.write() as session:
            self.key = make_token(
                session,
                account,
                label="Kho",
                scopes=held,
                lasts=timedelta(days=30),
                actor="cli",
                now=NOW,
            )
        self.delivery = office

    def get(self, path: str) -> Response:
        return self.delivery.get(f"/api/v1/{path}", headers={"authorization": f"Bearer {self.key}"})

    def post(self, path: str, once: str = "", **body: Any) -> Response:
        headers = {"authorization": f"Bearer {self.key}"} | ({"idempotency-key": once} if once else {})
        return self.delivery.client.post(f"/api/v1/{path}", json=body, headers=headers)

    def upload(
        self, body: bytes = PDF, name: str = "Báo cáo.pdf", agency_id: str = "huyen-b", once: str = ""
    ) -> Response:
        content = base64.b64encode(body).decode()
        return self.post(f"agencies/{agency_id}/evidence", once, name=name, content=content)


@pytest.fixture
def mine(office: Office) -> Program:
    return Program(office, "coordinator", "huyen-b")


@pytest.fixture
def theirs(office: Office) -> Program:
    return Program(office, "coordinator", "huyen-a")


@pytest.fixture
def me(lived: Database) -> int:
    return contact_of(lived, "huyen-b")


def test_a_file_is_uploaded_named_in_a_report_and_given_back(mine: Program, lived: Database) -> None:
    told = mine.upload().json()
    answer = mine.post(f"assignments/{HUYEN_B}/report", outcome="done", body="Đã làm.", files=[told["digest"]] * 2)
    assert answer.status_code == 200, answer.text
    (named,) = row(lived, Report, assignment_id=HUYEN_B).files
    assert named == {key: told[key] for key in ("digest", "name", "size", "media_type")}
    back = mine.get(f"agencies/huyen-b/evidence/{told['digest']}")
    assert (back.content, back.headers["content-type"]) == (PDF, "application/pdf")


def test_a_whole_submission_names_files_duty_by_duty(mine: Program, lived: Database) -> None:
    duty = {"assignment": HUYEN_B, "outcome": "done", "body": "x", "files": [mine.upload().json()["digest"]]}
    page = {"agency": "huyen-b", "plan": 1, "period": "2021-H1"}
    unknown = mine.post("reports", **page, duties=[duty | {"files": ["0" * 64]}])
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, f"files-{HUYEN_B}")
    assert mine.post("reports", **page, duties=[duty]).status_code == 200
    assert len(row(lived, Report, assignment_id=HUYEN_B).files) == 1


def test_true_is_not_the_id_1(mine: Program, lived: Database) -> None:
    duty = {"assignment": True, "outcome": "done", "body": "x"}
    whole = mine.post("reports", agency="huyen-b", plan=True, period="2021-H1", duties=[duty])
    several = mine.post("assignments/acknowledge", ids=[True])
    assert (whole.status_code, several.status_code) == (422, 422)
    assert {each["field"] for each in whole.json()["errors"]} == {"plan", "duties.0.assignment"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "a.pdf", "content": "!!!"}, 422),
        ({"name": "", "content": ""}, 422),
        ({"content": "eA=="}, 422),
        ({"name": "a.pdf", "content": base64.b64encode(b"MZ").decode()}, 422),
        ({"name": "a\x00.pdf", "content": ""}, 422),
        ({"name": "../x / y.pdf", "content": "eA=="}, 422),
        ({"name": "a.pdf", "content": base64.b64encode(b"%PDF-" + b"0" * 10_000_000).decode()}, 422),
        ({"name": "a.pdf", "content": "A" * 14_000_000}, 413),
    ],
)
def test_what_is_no_fit_file_is_a_problem_and_nothing_is_kept(
    mine: Program, lived: Database, tmp_path: Path, body: dict[str, str], status: int
) -> None:
    answer = mine.post("agencies/huyen-b/evidence", **body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["detail"]
    assert rows(lived, Evidence) == []
    assert not (tmp_path / "files").exists()


def test_evidence_of_an_agency_that_there_is_not_is_refused_before_a_byte_is_written(
    office: Office, lived: Database, tmp_path: Path
) -> None:
    administrator = Program(office, "administrator", "so-chinh")
    answer = administrator.upload(agency_id="huyen-khong-co")
    assert (answer.status_code, "danh bạ" in answer.json()["detail"]) == (404, True)
    part = {"token": office._own_token(), "id": "1"}
    page = "/agencies/huyen-khong-co/coordinated"
    assert office.client.post(page, data=part, files={"file-0": ("a.pdf", PDF)}).status_code == 404
    assert rows(lived, Evidence) == []
    assert not (tmp_path / "files").exists()


def test_a_file_sent_twice_is_kept_once_and_answered_alike(mine: Program, lived: Database) -> None:
    first, again = mine.upload(once="k1"), mine.upload(once="k1")
    assert (first.content, again.headers["idempotency-replayed"]) == (again.content, "true")
    assert mine.upload().json()["news"] is False
    assert len(rows(lived, Evidence)) == 1


def test_another_agencys_files_are_out_of_reach(mine: Program, theirs: Program) -> None:
    digest = mine.upload().json()["digest"]
    assert theirs.upload(agency_id="huyen-a").json()["digest"] == digest  # the same bytes of two agencies
    other = mine.upload(PDF + b"2").json()["digest"]
    assert theirs.get(f"agencies/huyen-b/evidence/{other}").status_code == 403
    assert theirs.get(f"agencies/huyen-a/evidence/{other}").status_code == 404
    assert theirs.upload(agency_id="huyen-b").status_code == 403


def test_a_monitor_reads_evidence_and_uploads_none(office: Office, mine: Program) -> None:
    digest = mine.upload().json()["digest"]
    monitor = Program(office, "monitor", "so-chinh")
    assert monitor.get(f"agencies/huyen-b/evidence/{digest}").content == PDF
    assert monitor.upload().status_code == 403


def test_a_token_to_read_uploads_nothing(office: Office) -> None:
    assert Program(office, "head", "huyen-b", "read").upload().status_code == 403


def test_several_are_acknowledged_at_once_or_none(mine: Program, lived: Database) -> None:
    other = row(lived, Assignment, agency_id="so-chinh").id
    assert mine.post("assignments/acknowledge", ids=[HUYEN_B, other]).status_code == 403
    assert row(lived, Assignment, id=HUYEN_B).state is State.ASSIGNED
    news = [mine.post("assignments/acknowledge", ids=[HUYEN_B]).json()["acknowledged"] for _ in range(2)]
    assert news == [[HUYEN_B], []]
    assert mine.post("assignments/acknowledge", ids=[99_999]).status_code == 404
    assert mine.post("assignments/acknowledge", ids=[]).status_code == 422


def test_ones_wishes_are_read_and_set(mine: Program, lived: Database, me: int) -> None:
    found = mine.get("wishes").json()
    assert (found["contact"]["id"], found["may_wait"]) == (me, ["reminder"])
    answer = mine.post(f"contacts/{me}/wishes", channel="email", do="slow").json()
    assert [each["weekly"] for each in answer["channels"] if each["name"] == "email"] == [True]
    refused = mine.post(f"contacts/{me}/wishes", channel="email", do="stop")
    assert (refused.status_code, row(lived, Contact, id=me).suppressed) == (409, {})
    assert mine.post(f"contacts/{me}/wishes", channel="pigeon", do="stop").status_code == 422


def test_a_deputy_is_named_and_ended(mine: Program, lived: Database, me: int) -> None:
    named = mine.post(f"contacts/{me}/deputies", "k1", **DEPUTY)
    again = mine.post(f"contacts/{me}/deputies", "k1", **DEPUTY)
    (deputy,) = named.json()["deputies"]
    assert (named.status_code, again.content) == (200, named.content)
    assert mine.post(f"contacts/{me}/deputies", **DEPUTY | {"email": "x"}).status_code == 422
    ended = mine.post(f"contacts/{me}/deputies/{deputy['id']}/end")
    assert (ended.json()["deputies"], row(lived, Contact, role=Role.DEPUTY).email) == ([], "")


def test_anothers_wishes_and_deputies_are_out_of_reach(office: Office, theirs: Program, me: int) -> None:
    answers = [
        theirs.get(f"contacts/{me}/wishes"),
        theirs.post(f"contacts/{me}/wishes", channel="email", do="slow"),
        theirs.post(f"contacts/{me}/deputies", **DEPUTY),
        theirs.post(f"contacts/{me}/deputies/1/end"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert Program(office, "head", "huyen-b", "read", "report", "administer").get(f"contacts/{me}/wishes").is_success
    assert theirs.get("contacts/9999/wishes").status_code == 404


def test_an_account_that_is_no_contact_has_no_wishes(office: Office) -> None:
    assert Program(office, "deputy", "huyen-b").get("wishes").status_code == 404


def test_why_an_address_is_dead_stays_here(mine: Program, lived: Database) -> None:
    add_contact(lived, "huyen-b", Role.DEPUTY, suppressed={"email": "550 5.1.1 relay.example"})
    assert "relay.example" not in mine.get("wishes").text


def test_calendars_are_made_listed_and_revoked(mine: Program, theirs: Program, lived: Database, me: int) -> None:
    made = [mine.post("agencies/huyen-b/feeds", contact=contact).json()["address"] for contact in (None, me)]
    assert [each["contact"] for each in mine.get("agencies/huyen-b/feeds").json()] == [None, me]
    assert theirs.get("agencies/huyen-b/feeds").status_code == 403
    assert theirs.post("agencies/huyen-b/feeds").status_code == 403
    assert theirs.post("agencies/huyen-a/feeds", contact=me).status_code == 403
    assert theirs.post("agencies/huyen-b/feeds/1/revoke").status_code == 403
    paths = ["/feed/" + each.partition("/feed/")[2] for each in made]
    assert [mine.delivery.get(path).status_code for path in paths] == [200, 200]
    for feed in rows(lived, Feed):
        assert mine.post(f"agencies/huyen-b/feeds/{feed.id}/revoke").json() == {"revoked": feed.id}
    assert [mine.delivery.get(path).status_code for path in paths] == [404, 404]
