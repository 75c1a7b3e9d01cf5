"""The addresses that machines call: nothing without the secret, each report applied, a click slows, a look never."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI
from ground.factory import Laid, at, lay, row, rows, swept
from ground.post import KEY
from sqlalchemy import update

from config.settings import DemoSettings, Settings
from engine.accounts.signed_links import Signer
from engine.application.app import make_app
from engine.http.app_context import AppContext
from engine.store.database import Database, table
from engine.store.records import AnswerCode, Contact, Event, Extension, Incoming, IncomingMessage, Letter
from engine.terms import EventKind, LetterState, WaitReason
from notifications.inbound import callbacks
from workflows.run import channel_wiring
from workflows.run.inbound_passes import add_metrics

NOW, SECRET = at("2021-04-07", "09:00"), "a-secret-in-the-address"
COORDINATOR, NUMBER = "coordinator@so-ban.example", "+84912345678"
APP_ID, OA_SECRET, ZALO_USER = "2553928453557884079", "the OA's secret", "6142494823000000001"


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    laid = lay(sqlite_database, now=NOW)
    swept(sqlite_database, NOW)
    with sqlite_database.write() as session:
        session.connection().execute(
            update(table(Letter)).values(state=LetterState.ACCEPTED, receipt=table(Letter).c.key)
        )
        c = table(Contact)
        session.connection().execute(update(c).where(c.c.email == COORDINATOR).values(phone=NUMBER))
    return laid


class InProcess(httpx.BaseTransport):
    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        whole = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        answer = await transport.handle_async_request(whole)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


def served(laid: Laid, kind: type[Settings] = Settings, **settings: object) -> httpx.Client:
    """Requests go to this machine."""
    app = mounted(laid.database, kind, **settings)
    return httpx.Client(transport=InProcess(app), base_url="http://127.0.0.1:8188")


@cache
def mounted(database: Database, kind: type[Settings], **chosen: object) -> FastAPI:
    """The whole web application with the addresses mounted as the composition root mounts them; it takes a second to
    make, and the tests share it with the address of their database."""
    settings = kind(_env_file=None, secret=KEY, **chosen)  # type: ignore[arg-type]
    app = make_app(AppContext(database=database, clock=lambda: NOW, signer=Signer(KEY), settings=settings))
    zalo = {"zalo_app_id": APP_ID, "zalo_oa_secret": OA_SECRET}
    app.include_router(callbacks.router(callbacks.Callbacks(database, lambda: NOW, lambda: [SECRET], **zalo)))
    add_metrics(app, database, lambda: NOW, settings)
    return app


@pytest.fixture
def client(laid: Laid) -> httpx.Client:
    return served(laid)


def letter(laid: Laid) -> Letter:
    contact = row(laid.database, Contact, email=COORDINATOR)
    found: Letter = rows(laid.database, Letter, contact_id=contact.id)[0]
    return found


def kannel(laid: Laid, secret: str = SECRET, **changes: str) -> str:
    asked = {"receipt": letter(laid).key, "type": "1", "answer": "stat:DELIVRD", "time": "1617760800"} | changes
    return f"/callbacks/{secret}/kannel/receipt?{urlencode(asked)}"


@pytest.mark.parametrize(
    ("path", "state"),
    [
        ("kannel/receipt?receipt={key}&type=1&answer=ok&time=1617760800", LetterState.DELIVERED),
        ("kannel/receipt?receipt={key}&type=2&answer=stat:UNDELIV&time=1617760800", LetterState.BOUNCED_HARD),
        ("kannel/receipt?receipt={key}&type=16&answer=rejected&time=", LetterState.REFUSED),
        ("esms?RequestId={key}&SendStatus=5&SendSuccess=1&SendFailed=0", LetterState.DELIVERED),
        ("esms?RequestId={key}&SendStatus=4", LetterState.REFUSED),
    ],
)
def test_a_delivery_report_moves_the_letter(client: httpx.Client, laid: Laid, path: str, state: LetterState) -> None:
    answer = client.get(f"/callbacks/{SECRET}/{path.format(key=letter(laid).key)}")
    assert (answer.status_code, answer.text, letter(laid).state) == (200, "", state)


def test_a_posted_report_moves_the_letter(client: httpx.Client, laid: Laid) -> None:
    body = {"type": "report", "tranId": letter(laid).key, "status": 0}
    assert client.post(f"/callbacks/{SECRET}/speedsms", json=body).status_code == 200
    assert letter(laid).state is LetterState.DELIVERED


@pytest.mark.parametrize("secret", ["wrong", SECRET[:-1], SECRET + "x", "-"])
def test_without_the_secret_nothing_happens(client: httpx.Client, laid: Laid, secret: str) -> None:
    assert client.get(kannel(laid, secret)).status_code == 403
    assert client.get(f"/callbacks/{secret}/kannel/incoming?from={NUMBER}&text=DUNG&id=1").status_code == 403
    assert client.post(f"/callbacks/{secret}/speedsms", json={}).status_code == 403
    assert client.post(f"/callbacks/{secret}/alarm", json={}).status_code == 403
    assert (letter(laid).state, rows(laid.database, Incoming)) == (LetterState.ACCEPTED, [])


def test_what_an_automation_of_prefect_calls_about_is_passed_on(laid: Laid) -> None:
    told: list[dict[str, object]] = []
    app = FastAPI()
    app.include_router(
        callbacks.router(callbacks.Callbacks(laid.database, lambda: NOW, lambda: [SECRET], alarm=told.append))
    )
    with httpx.Client(transport=InProcess(app), base_url="http://127.0.0.1:8188") as client:
        assert client.post(f"/callbacks/{SECRET}/alarm", json={"name": "x", "what": "y"}).status_code == 200
    assert told == [{"name": "x", "what": "y"}]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"type": "report"}', b"\xff"])
def test_a_report_nobody_can_read_is_refused_in_words(client: httpx.Client, body: bytes) -> None:
    assert client.post(f"/callbacks/{SECRET}/speedsms", content=body).status_code == 400


def test_an_answer_by_sms_acknowledges_through_the_gateway_s_address(client: httpx.Client, laid: Laid) -> None:
    with laid.database.write() as session:
        session.add(
            AnswerCode(
                code="4822", contact_id=letter(laid).contact_id, letter_id=letter(laid).id, expires_at=at("2021-05-07")
            )
        )
    asked = urlencode({"from": NUMBER, "text": "XN 4822", "id": "a1", "coding": "0"})
    assert [client.get(f"/callbacks/{SECRET}/kannel/incoming?{asked}").status_code for _ in range(2)] == [200, 200]
    assert len(rows(laid.database, Event, kind=EventKind.ACKNOWLEDGED)) == 1


def by_zalo(
    client: httpx.Client,
    text: str,
    id: str = "m1",
    *,
    event: str = "user_send_text",
    secret: str = OA_SECRET,
    signed_at: datetime = NOW,
) -> int:
    milliseconds = str(int(signed_at.timestamp() * 1000))
    message = {"text": text, "msg_id": id} if text else {"msg_id": id, "attachments": [{"type": "image"}]}
    said = {
        "app_id": APP_ID,
        "event_name": event,
        "sender": {"id": ZALO_USER},
        "recipient": {"id": "3662729599332560487"},
        "message": message,
        "timestamp": milliseconds,
    }
    body = json.dumps(said, ensure_ascii=False).encode()
    mac = hashlib.sha256(APP_ID.encode() + body + milliseconds.encode() + secret.encode()).hexdigest()
    headers = {"X-ZEvent-Signature": f"mac={mac}", "Content-Type": "application/json"}
    return client.post(f"/callbacks/{SECRET}/zalo", content=body, headers=headers).status_code


def give_code(laid: Laid, code: str = "4822") -> None:
    with laid.database.write() as session:
        to = letter(laid)
        session.add(AnswerCode(code=code, contact_id=to.contact_id, letter_id=to.id, expires_at=at("2021-05-07")))


def kept(laid: Laid) -> list[tuple[str, WaitReason | None]]:
    return [(each.own_text, each.waits) for each in rows(laid.database, IncomingMessage, channel="zalo")]


def test_an_answer_by_zalo_acknowledges_once_and_is_kept_beside_its_letter(client: httpx.Client, laid: Laid) -> None:
    give_code(laid)
    assert [by_zalo(client, "XN 4822") for _ in range(2)] == [200, 200]
    assert len(rows(laid.database, Event, kind=EventKind.ACKNOWLEDGED)) == 1
    assert kept(laid) == [("XN 4822", None)]
    stored = row(laid.database, IncomingMessage, channel="zalo")
    assert (stored.letter_id, stored.agency_id, stored.sender) == (letter(laid).id, "so-ban", ZALO_USER)
    answer = next(each for each in rows(laid.database, Letter) if each.key.startswith("answer:"))
    assert (answer.channel, answer.contact_id) == ("sms", letter(laid).contact_id)


def test_by_zalo_only_an_acknowledgement_acts_and_all_else_waits(client: httpx.Client, laid: Laid) -> None:
    give_code(laid)
    assert by_zalo(client, "GH 4822 25/6 Chờ số liệu của xã") == 200
    assert rows(laid.database, Extension) == []
    assert by_zalo(client, "Anh ơi báo cáo gửi ở đâu ạ", "m2") == 200  # of the same account, without a code
    assert by_zalo(client, "", "m3", event="user_send_image") == 200
    assert kept(laid) == [
        ("GH 4822 25/6 Chờ số liệu của xã", WaitReason.UNAUTHENTICATED),
        ("Anh ơi báo cáo gửi ở đâu ạ", WaitReason.PROPOSED),
        ("[user_send_image]", WaitReason.NOT_UNDERSTOOD),
    ]


def test_of_a_stranger_and_of_a_call_that_zalo_did_not_sign_nothing_is_kept(client: httpx.Client, laid: Laid) -> None:
    give_code(laid)
    assert by_zalo(client, "XN 4822", secret="another") == 403
    assert by_zalo(client, "XN 4999") == 200
    assert by_zalo(client, "Cho hỏi thủ tục hộ khẩu", "m2") == 200
    assert by_zalo(client, "", "m3", event="follow") == 200
    assert kept(laid) == []
    assert rows(laid.database, Event, kind=EventKind.ACKNOWLEDGED) == []


def test_a_code_that_two_contacts_have_names_nobody_by_zalo(client: httpx.Client, laid: Laid) -> None:
    give_code(laid)
    other = next(each for each in rows(laid.database, Letter) if each.contact_id != letter(laid).contact_id)
    with laid.database.write() as session:
        session.add(
            AnswerCode(code="4822", contact_id=other.contact_id, letter_id=other.id, expires_at=at("2021-05-07"))
        )
    assert by_zalo(client, "XN 4822") == 200
    assert kept(laid) == []


def test_after_five_wrong_codes_an_account_is_not_heard_for_an_hour(client: httpx.Client, laid: Laid) -> None:
    give_code(laid)
    for n in range(5):
        by_zalo(client, f"XN 70{n}1", f"m{n}")
    assert by_zalo(client, "XN 4822", "m9") == 200
    assert kept(laid) == []


def test_a_gateway_is_given_addresses_with_a_secret_that_stays_the_same(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, secret=KEY)  # type: ignore[call-arg]
    first, again = (channel_wiring.callback_addresses(settings, Signer(KEY)) for _ in range(2))
    assert first == again
    assert KEY not in str(first)
    assert [len(each) for each in channel_wiring.callback_secrets(Signer(KEY))] == [32]


def test_metrics_are_for_whoever_has_the_token(laid: Laid) -> None:
    client = served(laid, metrics_token="a token")
    assert client.get("/metrics").status_code == 403
    read = client.get("/metrics", headers={"authorization": "Bearer a token"})
    assert 'dondoc_assignments{class="open_in_time",kind="order"}' in read.text


def test_in_the_demonstration_they_are_for_this_machine(laid: Laid) -> None:
    client = served(laid, DemoSettings)
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers={"host": "dondoc.so.example"}).status_code == 400
    for header in ("x-forwarded-for", "x-real-ip", "forwarded", "via", "x-forwarded-proto"):
        assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


def test_without_a_token_metrics_are_off_and_the_log_says_why(laid: Laid, caplog: pytest.LogCaptureFixture) -> None:
    """A proxy with its default settings looks like a program on this machine, also where the base URL was forgotten."""
    assert served(laid).get("/metrics").status_code == 403
    assert "DONDOC_METRICS_TOKEN" in caplog.text


@pytest.mark.parametrize("charset", ["undefined", "idna", "none-such"])
def test_a_character_set_that_cannot_be_read_is_no_failure_of_ours(
    client: httpx.Client, laid: Laid, charset: str
) -> None:
    """Kannel repeats a call that failed 360 times."""
    asked = {"id": "m1", "from": NUMBER, "text": "Xin chào", "charset": charset}
    assert client.get(f"/callbacks/{SECRET}/kannel/incoming?{urlencode(asked)}").status_code == 200


@pytest.mark.parametrize("gateway", ["speedsms", "zalo"])
def test_json_that_is_nested_too_deeply_is_refused_in_words(client: httpx.Client, laid: Laid, gateway: str) -> None:
    assert client.post(f"/callbacks/{SECRET}/{gateway}", content=b"[" * 60_000).status_code == 400


@pytest.mark.parametrize("days", [-2, 2])
def test_a_call_that_zalo_signed_on_another_day_is_refused(client: httpx.Client, laid: Laid, days: int) -> None:
    assert by_zalo(client, "Xin chào", signed_at=NOW + timedelta(days=days)) == 403
    assert rows(laid.database, IncomingMessage) == []
