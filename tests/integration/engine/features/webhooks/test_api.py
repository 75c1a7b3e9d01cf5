"""Webhooks by the API: the same rules as the page."""

from __future__ import annotations

from ground.factory import rows
from ground.office import Office

from engine.store.database import Database
from engine.store.records import Webhook

PATH, URL = "/api/v1/webhooks", "https://esb.tinh.example/dondoc"


def test_a_webhook_from_its_making_to_its_end(office: Office, lived: Database) -> None:
    made = office.client.post(PATH, json={"url": URL, "label": "Trục", "events": ["assignment.reported"]})
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    assert office.client.post(PATH, json={"url": URL}).status_code == 409
    one = f"{PATH}/{made.json()['id']}"
    assert "secret" not in office.get(PATH).json()["items"][0]
    changed = office.client.put(one, json={"url": URL + "/2", "events": []}).json()
    assert (changed["url"], changed["events"], changed["active"]) == (URL + "/2", [], True)
    assert office.client.post(f"{one}/test", json={}).status_code == 202
    (message,) = office.get(f"{one}/messages").json()["items"]
    assert (message["kind"], message["state"]) == ("test", "queued")
    assert office.client.post(f"{one}/switch", json={"active": False}).json()["active"] is False
    assert office.client.post(f"{one}/again", json={"since": "2021-06-01"}).json() == {"queued": 0}
    assert office.client.post(f"{one}/secret", json={}).json()["secret"] != made.json()["secret"]
    assert office.client.post(f"{one}/remove", json={}).status_code == 204
    assert rows(lived, Webhook) == []


def test_an_address_inside_is_refused_with_its_field(office: Office) -> None:
    answer = office.client.post(PATH, json={"url": "https://169.254.169.254/latest"})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["url"]


def test_a_receivers_own_secret_must_be_one(office: Office) -> None:
    answer = office.client.post(PATH, json={"url": URL, "secret": "whsec_abc"})
    assert [each["field"] for each in answer.json()["errors"]] == ["secret"]
