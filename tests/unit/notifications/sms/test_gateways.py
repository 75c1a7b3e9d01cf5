"""The HTTP gateways against their documented requests and answers. Accepted is never delivered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from engine.errors import BadInput
from notifications.contract.channel import Fate, Outcome, Outgoing
from notifications.sms.gateway import HttpGateway, reference
from notifications.sms.http_gateways import Esms, Kannel, SpeedSms
from notifications.sms.text import plain

KEY = "letter:12:sms:2021-06-17"
LETTER = Outgoing(
    key=KEY, to="0912 345 678", text="Nhiệm vụ IV.2.1 còn 3 ngày. XN 2762", at=datetime(2021, 6, 17, 1, tzinfo=UTC)
)
Answer = Callable[[httpx.Request], httpx.Response]


class Gateway:
    """A gateway that gives one answer and remembers what it was asked."""

    def __init__(self, status: int = 200, body: Any = None, **headers: str) -> None:
        self.asked: list[httpx.Request] = []
        content = {"text": body} if isinstance(body, str) else {"json": body}
        self.answer = lambda: httpx.Response(status, headers=headers, **content)

    def transport(self) -> httpx.MockTransport:
        def handle(request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            return self.answer()

        return httpx.MockTransport(handle)


async def through(channel: HttpGateway, letter: Outgoing = LETTER) -> Outcome:
    async with channel:
        return await channel.send(letter)


def kannel(gateway: Gateway, **options: Any) -> Kannel:
    url = "http://127.0.0.1:13013/cgi-bin/sendsms"
    return Kannel(url, "dondoc", "s3cret", "DONDOC", transport=gateway.transport(), **options)


def esms_channel(gateway: Gateway, **options: Any) -> Esms:
    return Esms("key", "secret", "DONDOC", transport=gateway.transport(), **options)


def speed(gateway: Gateway, **options: Any) -> SpeedSms:
    return SpeedSms("token", "DONDOC", transport=gateway.transport(), **{"production": True, **options})


# --- Kannel ---------------------------------------------------------------------------------------------------------


async def test_kannel_is_asked_by_headers_so_that_no_address_holds_the_number_or_the_password():
    gateway = Gateway(202, "0: Accepted for delivery")
    outcome = await through(kannel(gateway, report_url="https://dondoc.example/receipts/kannel?secret=abc"))
    [request] = gateway.asked
    assert str(request.url) == "http://127.0.0.1:13013/cgi-bin/sendsms"
    assert {name: value for name, value in request.headers.items() if name.startswith("x-kannel")} == {
        "x-kannel-username": "dondoc",
        "x-kannel-password": "s3cret",
        "x-kannel-from": "DONDOC",
        "x-kannel-to": "+84912345678",
        "x-kannel-coding": "0",
        "x-kannel-dlr-mask": "31",
        "x-kannel-dlr-url": "https://dondoc.example/receipts/kannel?secret=abc"
        f"&receipt={reference(KEY)}&type=%d&answer=%A&time=%T",
    }
    assert request.headers["content-type"] == "text/plain; charset=UTF-8"
    assert request.content == b"Nhiem vu IV.2.1 con 3 ngay. XN 2762"
    assert outcome == Outcome(fate=Fate.ACCEPTED, code="0", reply="0: Accepted for delivery", receipt=reference(KEY))


@pytest.mark.parametrize(
    ("status", "words", "fate", "mend"),
    [
        (403, "Authorization failed for sendsms", Fate.RETRY, "correct this channel's settings"),
        (400, "Sender missing and no global set, rejected", Fate.RETRY, "set this channel's sender"),
        (400, "Number(s) has/have been denied by white- and/or black-lists.", Fate.REFUSED, "denied"),
        (503, "4: Temporal failure, try again later.", Fate.RETRY, "try again later"),
        (404, "Not found", Fate.RETRY, "gateway address"),
        (500, "", Fate.UNKNOWN, "not known"),
        (302, "", Fate.RETRY, "gateway address"),
    ],
)
async def test_kannels_other_answers_are_translated(status, words, fate, mend):
    outcome = await through(kannel(Gateway(status, words)))
    assert (outcome.fate, outcome.code) == (fate, str(status))
    assert mend in outcome.reply


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender": "TÊN CÓ DẤU"},
        {"password": "mật khẩu"},
        {"username": "a\nb"},
        {"report_url": "https://dondoc.example/?secret=%2F"},
        {"url": "ftp://127.0.0.1/"},
    ],
)
def test_kannels_settings_are_checked_when_it_is_made(wrong):
    facts = {"url": "http://127.0.0.1/", "username": "u", "password": "p", "sender": "DONDOC", **wrong}
    with pytest.raises(BadInput):
        Kannel(**facts)


# --- eSMS -----------------------------------------------------------------------------------------------------------


async def test_esms_is_asked_as_its_documentation_says_and_does_not_send_outside_production():
    gateway = Gateway(200, {"CodeResult": "100", "CountRegenerate": 0, "SMSID": "d533459ee42b"})
    outcome = await through(esms_channel(gateway, callback_url="https://dondoc.example/receipts/esms?secret=abc"))
    [request] = gateway.asked
    assert str(request.url) == "https://rest.esms.vn/MainService.svc/json/SendMultipleMessage_V4_post_json/"
    assert json.loads(request.content) == {
        "ApiKey": "key",
        "SecretKey": "secret",
        "Brandname": "DONDOC",
        "SmsType": "2",
        "IsUnicode": "0",
        "Sandbox": "1",
        "Phone": "0912345678",
        "Content": "Nhiem vu IV.2.1 con 3 ngay. XN 2762",
        "RequestId": reference(KEY),
        "CallbackUrl": "https://dondoc.example/receipts/esms?secret=abc",
    }
    assert (outcome.fate, outcome.code, outcome.receipt) == (Fate.ACCEPTED, "100", reference(KEY))
    assert "does not send" in outcome.reply


async def test_esms_sends_in_production_and_says_nothing_of_a_sandbox():
    gateway = Gateway(200, {"CodeResult": "100", "SMSID": "d533459ee42b"})
    outcome = await through(esms_channel(gateway, production=True))
    asked = json.loads(gateway.asked[0].content)
    assert (asked["Sandbox"], asked["IsUnicode"], asked["Content"]) == ("0", "0", plain(LETTER.text))
    assert outcome == Outcome(fate=Fate.ACCEPTED, code="100", reply="", receipt=reference(KEY))


@pytest.mark.parametrize("code", Esms.codes)
async def test_every_documented_code_of_esms_has_a_fate_and_words_for_the_operator(code):
    outcome = await through(esms_channel(Gateway(200, {"CodeResult": code, "ErrorMessage": "said"}), production=True))
    assert (outcome.fate, outcome.code) == (Esms.codes[code].fate, code)
    assert outcome.reply.startswith("said")
    assert code == "100" or " / " in outcome.reply
    assert bool(outcome.receipt) is (code == "100")


@pytest.mark.parametrize(
    ("beside", "fate"),
    [({"SendStatus": "5"}, Fate.ACCEPTED), ({"SendStatus": "4"}, Fate.REFUSED), ({}, Fate.UNKNOWN)],
)
async def test_a_request_that_esms_has_seen_before_settles_what_a_time_out_left_open(beside, fate):
    body = {"CodeResult": "124", "CountRegenerate": 0, "ErrorMessage": "Request exist 1", **beside}
    outcome = await through(esms_channel(Gateway(200, body)))
    assert (outcome.fate, outcome.receipt) == (fate, reference(KEY))


@pytest.mark.parametrize(
    ("status", "body", "fate"),
    [
        (200, {"CodeResult": "987"}, Fate.UNKNOWN),
        (200, {"error": "Invalid request"}, Fate.RETRY),
        (200, {}, Fate.UNKNOWN),
        (200, [], Fate.UNKNOWN),
        (200, "<html>", Fate.UNKNOWN),
        (200, {"CodeResult": None}, Fate.UNKNOWN),
        (401, "", Fate.RETRY),
        (502, "<html>", Fate.UNKNOWN),
    ],
)
async def test_an_answer_that_esms_does_not_document_is_never_guessed(status, body, fate):
    assert (await through(esms_channel(Gateway(status, body)))).fate is fate


# --- SpeedSMS -------------------------------------------------------------------------------------------------------


async def test_speedsms_is_asked_as_its_documentation_says():
    data = {"tranId": 123456, "totalSMS": 1, "totalPrice": 250, "invalidPhone": []}
    gateway = Gateway(200, {"status": "success", "code": "00", "data": data})
    outcome = await through(speed(gateway))
    [request] = gateway.asked
    assert str(request.url) == "https://api.speedsms.vn/index.php/sms/send"
    assert request.headers["authorization"] == httpx.BasicAuth("token", "x")._auth_header
    assert json.loads(request.content) == {
        "to": ["84912345678"],
        "content": "Nhiem vu IV.2.1 con 3 ngay. XN 2762",
        "sms_type": 3,
        "sender": "DONDOC",
    }
    assert outcome == Outcome(fate=Fate.ACCEPTED, code="00", reply="", receipt="123456")


async def test_nothing_leaves_for_speedsms_outside_production():
    gateway = Gateway(200, {})
    outcome = await through(speed(gateway, production=False))
    assert (outcome.fate, outcome.code) == (Fate.REFUSED, "sandbox")
    assert gateway.asked == []


@pytest.mark.parametrize("code", SpeedSms.codes)
async def test_every_documented_code_of_speedsms_has_a_fate_and_words_for_the_operator(code):
    outcome = await through(speed(Gateway(200, {"status": "error", "code": code, "message": "said"})))
    assert (outcome.fate, outcome.code, outcome.receipt) == (SpeedSms.codes[code].fate, code, "")
    assert outcome.reply.startswith("said → ")


@pytest.mark.parametrize(
    ("body", "fate"),
    [
        ({"status": "success", "code": "00", "data": {"tranId": 1, "invalidPhone": ["84912345678"]}}, Fate.REFUSED),
        ({"status": "success", "code": "00"}, Fate.UNKNOWN),
        ({"status": "error", "code": "999", "message": "?"}, Fate.UNKNOWN),
        ({"name": "?"}, Fate.UNKNOWN),
        ("", Fate.UNKNOWN),
    ],
)
async def test_an_answer_that_speedsms_does_not_document_is_never_guessed(body, fate):
    assert (await through(speed(Gateway(200, body)))).fate is fate


async def test_too_many_requests_wait_as_long_as_speedsms_asks():
    body = {"name": "Too Many Requests", "message": "Rate limit exceeded.", "code": 0, "status": 429}
    outcome = await through(speed(Gateway(429, body, **{"X-Rate-Limit-Reset": "42"})))
    assert (outcome.fate, outcome.after) == (Fate.RETRY, timedelta(seconds=42))


@pytest.mark.parametrize(("said", "after"), [("90000", timedelta(hours=1)), ("soon", None), ("-1", None)])
async def test_a_gateway_cannot_silence_a_channel_for_days(said, after):
    outcome = await through(speed(Gateway(503, "", **{"Retry-After": said})))
    assert (outcome.fate, outcome.after) == (Fate.RETRY, after)


# --- What all of them do --------------------------------------------------------------------------------------------

ERRORS = [
    (httpx.ConnectError("refused"), Fate.RETRY),
    (httpx.ConnectTimeout("slow"), Fate.RETRY),
    (httpx.PoolTimeout("busy"), Fate.RETRY),
    (httpx.ProxyError("407"), Fate.RETRY),
    (httpx.WriteError("cut"), Fate.UNKNOWN),
    (httpx.WriteTimeout("slow"), Fate.UNKNOWN),
    (httpx.ReadTimeout("slow"), Fate.UNKNOWN),
    (httpx.ReadError("cut"), Fate.UNKNOWN),
    (httpx.RemoteProtocolError("Server disconnected"), Fate.UNKNOWN),
    (httpx.DecodingError("gzip"), Fate.UNKNOWN),
]


@pytest.mark.parametrize(("error", "fate"), ERRORS, ids=lambda value: type(value).__name__)
async def test_only_a_request_that_cannot_have_left_is_tried_again(error, fate):
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    outcome = await through(Esms("key", "secret", "DONDOC", transport=httpx.MockTransport(fail)))
    assert (outcome.fate, outcome.code) == (fate, type(error).__name__)
    assert bool(outcome.receipt) is (fate is Fate.UNKNOWN)


async def test_a_gateway_that_dribbles_does_not_hold_a_letter_for_ever():
    async def dribble(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        return httpx.Response(200)

    channel = Esms("key", "secret", "DONDOC", timeout=0.01, transport=httpx.MockTransport(dribble))
    outcome = await through(channel)
    assert (outcome.fate, outcome.code) == (Fate.UNKNOWN, "TimeoutError")


async def test_a_number_that_does_not_exist_is_refused_before_it_costs_anything():
    gateway = Gateway(200, {"CodeResult": "100"})
    letter = Outgoing(key=KEY, to="02383844444", text="Nhiem vu", at=LETTER.at)
    outcome = await through(esms_channel(gateway), letter)
    assert (outcome.fate, outcome.code) == (Fate.REFUSED, "bad_input")
    assert gateway.asked == []


async def test_the_number_in_a_gateways_words_is_masked():
    body = {"CodeResult": "108", "ErrorMessage": "Phone 84912345678 not valid\x00"}
    outcome = await through(esms_channel(Gateway(200, body)))
    assert outcome.reply.startswith("Phone +84 91****678 not valid → ")


def test_the_same_letter_has_the_same_reference_and_nobody_is_named_in_it():
    assert reference(KEY) == reference(KEY) != reference("letter:13:sms:2021-06-17")
    assert len(reference(KEY)) == 35
    assert "12" not in reference(KEY)[:3]


@pytest.mark.parametrize(
    "make", [lambda: Esms("", "s", "DONDOC"), lambda: SpeedSms("", "DONDOC"), lambda: SpeedSms("t", "")]
)
def test_a_gateway_without_its_keys_cannot_be_made(make):
    with pytest.raises(BadInput):
        make()
