"""Agencies, contacts, accounts and the log by API: the pages' deeds, the same access, each write once for its key."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ground.factory import happened, row, rows
from ground.office import NOW, Office, as_role, contact_of, everything, join, open_office
from httpx import Response

from engine.agencies.agencies import succeed
from engine.store.database import Database
from engine.store.records import Account, Agency, Assignment, Contact, Succession
from engine.terms import State

AGENCY = {"id": "so-moi", "name": "Sở Mới", "level": "so", "parent": "tinh", "groups": ["cac-huyen"]}
CONTACT = {"role": "deputy", "email": "moi@so-ban.example", "phone": "0912 345 678"}
ADMIN = {"email": "quantri@tinh.example", "role": "administrator", "agency_id": "tinh"}


def post(office: Office, path: str, key: str = "", **body: Any) -> Response:
    return office.client.post(f"/api/v1/{path}", json=body, headers={"idempotency-key": key} if key else {})


def fields(answer: Response) -> set[str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return {each["field"] for each in answer.json()["errors"]}


def test_the_directory_is_searched_without_tones_and_read_whole(office: Office) -> None:
    found = office.get("/api/v1/directory?q=huyện a").json()
    assert [each["id"] for each in found["items"]] == ["huyen-a"]
    entry = office.get("/api/v1/directory/huyen-a").json()
    assert entry["names"][0]["name"] == "Huyen a"
    assert {each["role"] for each in entry["contacts"]} == {"coordinator", "head"}


def test_an_agency_is_added_renamed_and_succeeded(office: Office, lived: Database) -> None:
    assert post(office, "directory", **AGENCY).json()["agency"]["groups"] == ["Các huyện"]
    renamed = post(office, "directory/so-moi/names", name="Sở Mới hơn", on="2021-06-01").json()["agency"]
    assert [each["name"] for each in renamed["names"]] == ["Sở Mới hơn", "Sở Mới"]
    went = post(office, "directory/so-moi/succession", to="so-ban", on="2021-06-01", basis="NQ 27").json()["agency"]
    assert went["went_to"][0]["function"] == "chung"
    post(office, f"directory/so-moi/succession/{went['went_to'][0]['id']}/withdraw")
    assert rows(lived, Succession) == []
    assert len(happened(lived, kind="agency_changed", actor="api")) == 4


def test_the_same_key_does_it_once_and_answers_the_same(office: Office, lived: Database) -> None:
    first, again = post(office, "directory", "k1", **AGENCY), post(office, "directory", "k1", **AGENCY)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert again.headers["idempotency-replayed"] == "true"
    first, again = (post(office, "accounts", "k2", **ADMIN | {"password": "một câu dài khó đoán"}) for _ in range(2))
    assert first.status_code == 200
    assert len(rows(lived, Account)) == 1


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        ("directory", AGENCY | {"id": "Sở Mới", "level": ""}, {"id", "level"}),
        ("directory/so-ban/names", {"name": " ", "on": "2021-06-01"}, {"name"}),
        ("directory/so-ban/succession", {"to": "so-ban", "on": "2021-06-01", "basis": "NQ"}, {"to"}),
        ("directory/so-ban/contacts", CONTACT | {"email": "x", "phone": "gọi sau"}, {"email", "phone"}),
        ("accounts", ADMIN | {"agency_id": "ai-do", "password": "ngắn"}, {"agency_id", "password"}),
        ("directory/so-ban/handover", {"choices": {}}, {"choices"}),
    ],
)
def test_a_refused_write_names_each_field(
    office: Office, lived: Database, path: str, body: dict[str, Any], wrong: set[str]
) -> None:
    before = everything(lived)
    answer = post(office, path, **body)
    assert (answer.status_code, fields(answer)) == (422, wrong)
    assert everything(lived) == before


def test_handing_over_is_looked_at_first_and_done_once(office: Office, lived: Database) -> None:
    with lived.write() as session:
        succeed(session, "huyen-b", "so-ban", on=date(2021, 6, 1), basis="NQ 27", actor="desk", now=NOW)
    dry = office.get("/api/v1/directory/huyen-b/handover").json()
    (proposal,) = dry["proposals"]
    assert proposal["chosen"]["agency_id"] == "so-ban"
    choices = {str(proposal["assignment_id"]): "so-ban"}
    done = post(office, "directory/huyen-b/handover", choices=choices).json()
    again = post(office, "directory/huyen-b/handover", choices=choices).json()
    assert (list(done["moved"]), done["left"]) == (list(choices), {})
    assert (again["moved"], list(again["left"])) == ({}, list(choices))
    assert row(lived, Assignment, id=proposal["assignment_id"]).state is State.TRANSFERRED


def test_a_contact_is_added_changed_given_a_last_day_and_gone(office: Office, lived: Database) -> None:
    made = post(office, "directory/so-ban/contacts", **CONTACT).json()["contact"]
    path = f"contacts/{made['id']}"
    changed = post(office, path, phone="0987 654 321").json()["contact"]
    assert (changed["email"], changed["phone"]) == ("moi@so-ban.example", "0987654321")
    assert post(office, f"{path}/last-day", on="2021-07-31").json()["contact"]["valid_until"] == "2021-07-31"
    assert post(office, f"{path}/left").json()["contact"]["email"] == ""
    assert row(lived, Contact, id=made["id"]).phone == ""


def test_an_account_answers_everything_but_its_password(office: Office, lived: Database) -> None:
    made = post(office, "accounts", **ADMIN | {"password": "một câu dài khó đoán"})
    assert made.json()["account"]["has_password"] is True
    assert "câu dài" not in made.text
    assert row(lived, Account, id=1).password not in made.text


def test_accounts_are_changed_and_the_last_administrator_stays(lived: Database, tmp_path: Path) -> None:
    office = as_role(lived, tmp_path, "administrator", "tinh")
    other = join(lived, "monitor", "so-chinh")
    assert post(office, f"accounts/{other}", label="Phòng 1").json()["account"]["role"] == "monitor"
    for deed in ("password", "sign-out", "deactivate", "reactivate"):
        body = {"password": "một câu dài khó đoán"} if deed == "password" else {}
        answer = post(office, f"accounts/{other}/{deed}", **body).json()["account"]
        assert answer["active"] is (deed != "deactivate"), deed
    for path, body in (("accounts/1/deactivate", {}), ("accounts/1", {"role": "head"})):
        assert post(office, path, **body).status_code == 409
    assert [each["id"] for each in office.get("/api/v1/accounts?q=so chinh").json()["items"]] == [other]
    assert post(office, "accounts/99/sign-out").status_code == 404


def test_the_log_goes_page_by_page_and_is_never_counted(office: Office) -> None:
    first = office.get("/api/v1/log?limit=3").json()
    second = office.get(f"/api/v1/log?limit=3&after={first['next']}").json()
    ids = [each["id"] for each in first["items"] + second["items"]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 6
    (declined,) = office.get("/api/v1/log?kind=declined&agency=so-chinh").json()["items"]
    assert declined["citation"] == "IV.4.1"


@pytest.mark.parametrize(
    ("role", "agency", "own", "other", "rest"),
    [
        ("administrator", "tinh", True, True, True),
        ("head", "so-ban", True, False, False),
        ("coordinator", "so-ban", False, False, False),
        ("monitor", "so-chinh", False, False, False),
        ("leadership", "tinh", False, False, False),
    ],
)
def test_access_is_the_pages_access(
    lived: Database, tmp_path: Path, role: str, agency: str, own: bool, other: bool, rest: bool
) -> None:
    office = as_role(lived, tmp_path, role, agency)

    def refused(path: str, **body: Any) -> bool:
        return post(office, path, **body).status_code == 403

    for place, may in ((agency, own), ("huyen-b", other)):
        who = next(each.id for each in rows(lived, Contact, agency_id=place))
        assert refused(f"directory/{place}/contacts", **CONTACT) is not may
        assert refused(f"contacts/{who}", label="x") is not may
        assert refused(f"contacts/{who}/last-day", on="2021-07-31") is not may
        assert refused(f"contacts/{who}/left") is not may
    assert refused("directory", **AGENCY) is not rest
    assert refused("directory/so-ban/names", name="X", on="2021-06-01") is not rest
    assert refused("directory/so-ban/succession", to="tinh", on="2021-06-01", basis="NQ") is not rest
    assert refused("directory/so-ban/succession/1/withdraw") is not rest
    assert refused("directory/so-ban/handover", choices={"1": "so-ban"}) is not rest
    assert refused("accounts", **ADMIN) is not rest
    for deed in ("", "/password", "/sign-out", "/reactivate"):
        assert refused(f"accounts/1{deed}", **({"password": "x"} if deed == "/password" else {})) is not rest
    for path in ("accounts", "accounts/1", "log", "directory/so-ban/handover"):
        assert (office.get(f"/api/v1/{path}").status_code == 403) is not rest, path


def test_nobody_signed_in_reads_nothing(lived: Database, tmp_path: Path) -> None:
    nobody = open_office(lived, tmp_path, open_desk=False)
    contact = contact_of(lived, "so-ban")
    assert nobody.get("/api/v1/directory").status_code == 401
    assert post(nobody, f"contacts/{contact}/left").status_code == 401
    assert row(lived, Agency, id="so-ban").name == "So ban"
