"""Webhooks on pages: a secret is shown once, what became of each message stands in words, and mail stays green."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from ground.factory import row, rows
from ground.office import NOW, Office, as_role
from ground.web_servers import receiving

from engine.queries.system.health import Trouble, health
from engine.queries.time_class import read_today
from engine.rules.targets import Allowed
from engine.store.database import Database
from engine.store.records import Webhook, WebhookMessage
from engine.terms import LetterState
from notifications.webhooks import MAX_FAILURES, Sender, WebhookDelivery, send_owed

LIST, URL = "/admin/webhooks", "https://esb.tinh.example/dondoc"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")


@pytest.fixture
def admin(lived: Database, tmp_path: Path) -> Office:
    return as_role(lived, tmp_path, "administrator", "tinh")


def add(office: Office, url: str = URL, **more: str) -> str:
    answer = office.post(LIST, page=LIST, url=url, label="Trục LGSP", **more)
    assert answer.status_code == 200, answer.text[-2000:]
    return answer.text


def send(office: Office) -> None:
    delivery = WebhookDelivery(
        sender=Sender(Allowed.of("127.0.0.1")), signer=office.context.signer, base_url="https://dondoc.example"
    )
    asyncio.run(send_owed(office.context.database, office.clock.now, delivery))


def local(lived: Database, url: str) -> None:
    """Point webhook 1 at a receiver on this machine, as the setting would allow."""
    with lived.write() as session:
        session.connection().execute(Webhook.__table__.update().values(url=url))  # type: ignore[attr-defined]


def test_the_secret_is_shown_once_and_stored_sealed(admin: Office, lived: Database) -> None:
    (secret,) = set(SECRET.findall(add(admin)))
    assert secret not in admin.get(f"{LIST}/1").text + admin.get(LIST).text
    assert secret not in row(lived, Webhook).secret
    again = admin.post(f"{LIST}/1/secret", page=LIST).text
    assert set(SECRET.findall(again)) not in ({secret}, set())


@pytest.mark.parametrize("url", ["http://esb.tinh.example/", "https://127.0.0.1/", "https://10.0.0.1/x", "khong phai"])
def test_an_address_that_may_not_be_called_is_refused_beside_its_field(
    admin: Office, lived: Database, url: str
) -> None:
    answer = admin.post(LIST, page=LIST, url=url)
    assert answer.status_code == 422
    assert 'id="f-url-said"' in answer.text
    assert rows(lived, Webhook) == []


def test_a_test_message_and_its_answer_in_words(admin: Office, lived: Database) -> None:
    add(admin)
    with receiving(503, reply=b"bao tri") as receiver:
        local(lived, receiver.url)
        admin.post(f"{LIST}/1/test", page=LIST)
        assert "chưa gọi lần nào" in admin.get(f"{LIST}/1").text
        send(admin)
        page = admin.get(f"{LIST}/1").text
    assert "nơi nhận có lỗi (503)" in page
    assert "«bao tri»" in page


def test_a_message_is_sent_again_by_its_button_and_all_since_a_day(admin: Office, lived: Database) -> None:
    add(admin)
    with receiving() as receiver:
        local(lived, receiver.url)
        admin.post(f"{LIST}/1/test", page=LIST)
        send(admin)
        message = row(lived, WebhookMessage)
        said = admin.post(f"{LIST}/1/messages/{message.id}/again", page=LIST).headers["location"]
        assert "1 tin vào hàng chờ" in admin.get(said).text
        send(admin)
        said = admin.post(f"{LIST}/1/again", page=LIST, since="2021-06-01").headers["location"]
        assert "0 tin vào hàng chờ" in admin.get(said).text  # it was delivered
        admin.post(f"{LIST}/1/again", page=LIST, since="2021-06-01", delivered="1")
        send(admin)
    assert len(receiver.got) == 3
    assert len({each.headers["webhook-id"] for each in receiver.got}) == 1


def test_a_webhook_that_fails_is_named_on_the_health_page_and_turns_nothing_red(admin: Office, lived: Database) -> None:
    with lived.read() as session:
        before = health(session, read_today(session, NOW)).troubles
    add(admin)
    with receiving(500) as receiver:
        local(lived, receiver.url)
        for _ in range(MAX_FAILURES):
            admin.clock.now = admin.clock.now.replace(microsecond=admin.clock.now.microsecond + 1)
            admin.post(f"{LIST}/1/test", page=LIST)
        send(admin)
    page = admin.get("/health").text
    assert "Webhook không gọi được" in page
    assert "Trục LGSP" in page
    with lived.read() as session:
        after = health(session, read_today(session, NOW)).troubles
    assert after == before
    assert Trouble.CHANNEL_DOWN not in after
    assert "không gọi được từ" in admin.get(LIST).text


def test_off_and_on_and_away(admin: Office, lived: Database) -> None:
    add(admin)
    admin.post(f"{LIST}/1/switch", page=LIST, to="off")
    answer = admin.post(f"{LIST}/1/test", page=LIST)
    assert answer.status_code == 409
    assert "đang tắt" in answer.text
    admin.post(f"{LIST}/1/switch", page=LIST, to="on")
    admin.post(f"{LIST}/1/test", page=LIST)
    assert [each.state for each in rows(lived, WebhookMessage)] == [LetterState.QUEUED]
    assert admin.post(f"{LIST}/1/remove", page=LIST).status_code == 400
    admin.post(f"{LIST}/1/remove", page=LIST, sure="1")
    assert rows(lived, Webhook) + rows(lived, WebhookMessage) == []


def test_only_an_administrator_keeps_webhooks(lived: Database, tmp_path: Path) -> None:
    as_role(lived, tmp_path, "administrator", "tinh")
    for role, agency in (("monitor", "so-chinh"), ("leadership", "tinh"), ("coordinator", "huyen-b")):
        office = as_role(lived, tmp_path, role, agency)
        assert office.get(LIST).status_code == 403
        assert office.client.get("/api/v1/webhooks").status_code == 403
