"""Contacts: an agency's head keeps his own, the administrator any; what is wrong is said beside its field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.factory import happened, row, rows
from ground.office import Office, as_role, contact_of
from httpx import Response

from engine.store.database import Database, table
from engine.store.records import Contact
from engine.terms import Role

ADD = "/admin/agencies/so-ban/contacts/add"
GIVEN = {
    "role": "deputy",
    "label": "Phòng Tổng hợp",
    "email": "Tonghop@so-ban.example",
    "phone": "0912 345 678",
    "language": "vi",
    "valid_from": "",
    "valid_until": "",
}


def add(office: Office, **more: str) -> Response:
    return office.post(ADD, page=ADD, **GIVEN | more)


def wrong(page: str) -> dict[str, str]:
    soup = BeautifulSoup(page, "lxml")
    return {
        str(each["name"]): soup.find(id=str(each["aria-describedby"])).get_text()  # type: ignore[union-attr]
        for each in soup.select("[aria-invalid=true]")
    }


def test_a_contact_is_added_and_stands_on_the_agencys_page(office: Office) -> None:
    answer = add(office)
    page = office.get(answer.headers["location"]).text
    assert "Đã thêm đầu mối" in page
    assert "tonghop@so-ban.example · 0912345678" in page


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({"email": "x", "phone": "gọi sau"}, {"email", "phone"}),
        ({"email": "", "phone": ""}, {"email"}),
        ({"role": "boss"}, {"role"}),
        ({"valid_until": "2021-06-01", "valid_from": "2021-06-02"}, {"valid_until"}),
        ({"valid_from": "mai"}, {"valid_from"}),
        ({"language": "fr"}, {"language"}),
        ({"label": "x\x00"}, {"label"}),
    ],
)
def test_a_refused_contact_comes_back_with_the_reason_beside_each_field(
    office: Office, lived: Database, more: dict[str, str], fields: set[str]
) -> None:
    answer = add(office, **more)
    assert answer.status_code == 422
    assert set(wrong(answer.text)) == fields
    assert "Phòng Tổng hợp" in answer.text or "label" in more
    assert len(rows(lived, Contact, role=Role.DEPUTY)) == 0


def test_the_same_mailbox_twice_is_refused_beside_the_mailbox(office: Office, lived: Database) -> None:
    add(office)
    again = add(office)
    assert (again.status_code, set(wrong(again.text))) == (409, {"email"})
    assert len(rows(lived, Contact, role=Role.DEPUTY)) == 1


def test_a_changed_address_begins_with_a_clean_record(office: Office, lived: Database) -> None:
    who = contact_of(lived, "so-ban")
    with lived.write() as session:
        c = table(Contact)
        session.connection().execute(c.update().where(c.c.id == who).values(suppressed={"email": "asked"}))
    assert "người nhận đã xin ngừng" in office.get("/admin/agencies/so-ban").text
    path = f"/admin/contacts/{who}"
    office.post(path, page=path, email="moi@so-ban.example", phone="", label="", language="vi")
    assert (row(lived, Contact, id=who).email, row(lived, Contact, id=who).suppressed) == ("moi@so-ban.example", {})


def test_a_last_day_is_kept_and_a_wrong_one_is_said_beside_it(office: Office, lived: Database) -> None:
    who = contact_of(lived, "so-ban")
    path = f"/admin/contacts/{who}"
    nothing = office.post(f"{path}/last-day", page=path, on="")
    assert (nothing.status_code, set(wrong(nothing.text))) == (422, {"on"})
    office.post(f"{path}/last-day", page=path, on="2021-07-31")
    assert row(lived, Contact, id=who).valid_until.isoformat() == "2021-07-31"
    assert row(lived, Contact, id=who).email != ""


def test_whoever_has_left_is_masked_and_cannot_be_changed_back(office: Office, lived: Database) -> None:
    who = contact_of(lived, "so-ban")
    mailbox, path = row(lived, Contact, id=who).email, f"/admin/contacts/{who}"
    answer = office.post(f"{path}/left", page=path)
    page = office.get(answer.headers["location"]).text
    assert mailbox not in page
    assert "địa chỉ đã xóa" in page
    assert "<form" not in BeautifulSoup(office.get(path).text, "lxml").main.decode()  # type: ignore[union-attr]
    again = office.post(path, page="/admin/agencies/so-ban/contacts/add", email=mailbox, language="vi")
    assert (again.status_code, row(lived, Contact, id=who).email) == (409, "")


@pytest.mark.parametrize(
    ("role", "agency", "own", "other"),
    [
        ("administrator", "tinh", 303, 303),
        ("head", "so-ban", 303, 403),
        ("coordinator", "so-ban", 403, 403),
        ("monitor", "so-chinh", 403, 403),
        ("deputy", "so-ban", 403, 403),
        ("leadership", "tinh", 403, 403),
    ],
)
def test_a_head_keeps_his_own_agencys_contacts_and_the_administrator_anybodys(
    lived: Database, tmp_path: Path, role: str, agency: str, own: int, other: int
) -> None:
    office = as_role(lived, tmp_path, role, agency)
    token = office.token("/account")

    def write(path: str, **fields: Any) -> int:
        return office.client.post(path, data={"token": token, **fields}).status_code

    for place, expected in ((agency, own), ("huyen-b", other)):
        assert write(f"/admin/agencies/{place}/contacts/add", **GIVEN) == expected
        who = next(each.id for each in rows(lived, Contact, agency_id=place))
        assert write(f"/admin/contacts/{who}", email="a@b.example", language="vi") == expected
        assert write(f"/admin/contacts/{who}/last-day", on="2021-07-31") == expected
        assert write(f"/admin/contacts/{who}/left") == expected
        assert office.get(f"/admin/contacts/{who}").status_code == (200 if expected == 303 else 403)


def test_every_change_is_an_event_with_who_did_it(office: Office, lived: Database) -> None:
    add(office)
    assert happened(lived, kind="contact_changed", actor="desk") == ["contact_changed"]
