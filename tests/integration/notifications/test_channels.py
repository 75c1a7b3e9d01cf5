"""The contract of notifications/contract/channel.py, held against every channel: one row a channel, one test a promise.

A row says how to bring a channel into each fate. ``None`` says that the channel cannot come into it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from ground.smtp_server import FaultyServer, Kind

from notifications.contract.channel import Channel, Fate, Outcome, Outgoing
from notifications.email.connection import Relay, Security
from notifications.email.maildir import Maildir
from notifications.email.mime import Sender, digest
from notifications.email.smtp import Email
from notifications.sms.gammu import Gammu
from notifications.sms.http_gateways import Esms, Kannel, SpeedSms
from notifications.sms.zalo import Zalo, ZaloFirst, read_templates

AT = datetime(2021, 6, 17, 1, 0, tzinfo=UTC)
SMS = Outgoing(
    key="letter:12:sms:2021-06-17", to="+84912345678", text="KH188: nhiem vu IV.2.1 con 3 ngay. XN 2762", at=AT
)
MAIL = Outgoing(
    key="letter:12:email:2021-06-17", to="vanthu@huyen.example", text="Kính gửi đầu mối", at=AT, subject="Nhắc hạn"
)
SENDER = Sender("nhacviec@so.example", "Đôn Đốc")
TAKEN = (Fate.ACCEPTED, Fate.DELIVERED)
Answer = Callable[[httpx.Request], httpx.Response]
Bench = Callable[[Any, Path], Any]


@dataclass(frozen=True)
class Row:
    """``bench(fault, folder)`` is an async context that yields the channel, not yet entered; ``fault`` is the row's own
    way into a fate. ``recognisable``: the receipt of a second copy is that of the first."""

    name: str
    bench: Bench
    letter: Outgoing
    accepted: Any
    refused: Any
    retry: Any
    unknown: Any
    recognisable: bool = True

    def fault(self, fate: Fate) -> Any:
        return getattr(self, fate)


def says(status: int, body: object = "") -> Answer:
    content: dict[str, Any] = {"text": body} if isinstance(body, str) else {"json": body}
    return lambda request: httpx.Response(status, **content)


def silent(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("no answer", request=request)


def absent(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("connection refused", request=request)


@asynccontextmanager
async def kannel(answer: Answer, folder: Path) -> AsyncIterator[Channel]:
    yield Kannel("http://kannel.example/", "u", "p", "DONDOC", transport=httpx.MockTransport(answer))


@asynccontextmanager
async def esms(answer: Answer, folder: Path) -> AsyncIterator[Channel]:
    yield Esms("k", "s", "DONDOC", transport=httpx.MockTransport(answer))


@asynccontextmanager
async def speedsms(answer: Answer, folder: Path) -> AsyncIterator[Channel]:
    transport = httpx.MockTransport(answer)
    yield SpeedSms("t", "DONDOC", production=True, transport=transport)


class OneToken:
    async def access_token(self, *, refused: str = "") -> str:
        return "token"


@asynccontextmanager
async def zalo(answer: Answer, folder: Path) -> AsyncIterator[Channel]:
    templates = read_templates('{"*": {"id": "230001", "parameters": {"noi_dung": "text"}}}')
    way = Zalo(OneToken(), templates, url="https://zalo.example/", transport=httpx.MockTransport(answer))
    yield ZaloFirst(way, None)


@asynccontextmanager
async def gammu(missing: str, folder: Path) -> AsyncIterator[Channel]:
    for name in {"outbox", "sent", "error"} - {missing}:
        (folder / name).mkdir(exist_ok=True)
    yield Gammu(folder / "outbox", folder / "sent", folder / "error")


@asynccontextmanager
async def email(fault: dict[str, Kind], folder: Path) -> AsyncIterator[Channel]:
    async with FaultyServer(fault) as server:
        yield Email(
            Relay(
                host="127.0.0.1",
                sender=SENDER,
                port=server.port,
                security=Security.NONE,
                timeout=5.0,
                pause=0.0,
                connections=2,
            )
        )


@asynccontextmanager
async def maildir(blocked: bool, folder: Path) -> AsyncIterator[Channel]:
    if blocked:  # a folder stands where the letter would be written
        (folder / "tmp" / f"{digest(MAIL.key)[:32]}.dondoc").mkdir(parents=True, exist_ok=True)
    yield Maildir(folder, SENDER, delivers=True)


ROWS = [
    Row(
        "kannel",
        kannel,
        SMS,
        accepted=says(202, "0: Accepted for delivery"),
        refused=says(400, "Number(s) has/have been denied by white- and/or black-lists."),
        retry=says(503, "4: Temporal failure, try again later."),
        unknown=silent,
    ),
    Row(
        "esms",
        esms,
        SMS,
        accepted=says(200, {"CodeResult": "100", "CountRegenerate": 0, "SMSID": "d533459ee42b2b9525ba9eabf6a8156"}),
        refused=says(200, {"CodeResult": "108", "CountRegenerate": 0, "ErrorMessage": "Phone not valid: 84912345678"}),
        retry=says(200, {"CodeResult": "103", "CountRegenerate": 0, "ErrorMessage": "Balance not enough to send"}),
        unknown=silent,
    ),
    Row(
        "speedsms",
        speedsms,
        SMS,
        accepted=says(200, {"status": "success", "code": "00", "data": {"tranId": 123456, "invalidPhone": []}}),
        refused=says(200, {"status": "error", "code": "105", "message": "invalid", "invalidPhone": ["84912345678"]}),
        retry=says(200, {"status": "error", "code": "300", "message": "balance not enough"}),
        unknown=silent,
        recognisable=False,
    ),
    Row(
        "zalo",
        zalo,
        SMS,
        accepted=says(200, {"error": 0, "message": "Success", "data": {"msg_id": "a4a4b9e4bba2d6fc8fb3"}}),
        refused=says(200, {"error": -118, "message": "Zalo account not existed: 84912345678"}),
        retry=says(200, {"error": -115, "message": "Out of quota"}),
        unknown=silent,
    ),
    # A rename either happened or did not: a file is never in doubt.
    Row("gammu", gammu, SMS, accepted="", refused=None, retry="outbox", unknown=None),
    Row(
        "email",
        email,
        MAIL,
        accepted={},
        refused={"rcpt": Kind.NEVER},
        retry={"rcpt": Kind.LATER},
        unknown={"dot": Kind.DROP},
    ),
    Row("maildir", maildir, MAIL, accepted=False, refused=None, retry=True, unknown=None),
]
every_channel = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
TROUBLES = [
    pytest.param(row, fate, id=f"{row.name}-{fate}")
    for row in ROWS
    for fate in (Fate.REFUSED, Fate.RETRY, Fate.UNKNOWN)
    if row.fault(fate) is not None
]


async def sent(row: Row, fate: Fate, folder: Path, *letters: Outgoing) -> list[Outcome]:
    async with row.bench(row.fault(fate), folder) as channel, channel:
        return [await channel.send(letter) for letter in letters or (row.letter,)]


@every_channel
async def test_a_letter_that_is_taken_is_accepted_and_has_a_receipt(row: Row, tmp_path: Path) -> None:
    [outcome] = await sent(row, Fate.ACCEPTED, tmp_path)
    assert outcome.fate in (Fate.ACCEPTED, Fate.DELIVERED)
    assert outcome.receipt


@pytest.mark.parametrize(("row", "fate"), TROUBLES)
async def test_each_trouble_has_its_fate_and_says_why(row: Row, fate: Fate, tmp_path: Path) -> None:
    [outcome] = await sent(row, fate, tmp_path)
    assert outcome.fate is fate
    assert outcome.code or outcome.reply


@pytest.mark.parametrize(("row", "fate"), TROUBLES)
async def test_what_a_channel_says_can_be_stored_and_names_nobody(row: Row, fate: Fate, tmp_path: Path) -> None:
    [outcome] = await sent(row, fate, tmp_path)
    assert (len(outcome.code) <= 32, len(outcome.reply) <= 500, len(outcome.receipt) <= 160) == (True, True, True)
    assert outcome.reply.isprintable()
    assert "912345678" not in outcome.reply + outcome.receipt + outcome.code


@every_channel
async def test_only_a_channel_that_is_in_doubt_or_has_taken_the_letter_gives_a_receipt(
    row: Row, tmp_path: Path
) -> None:
    for fate in (Fate.REFUSED, Fate.RETRY):
        if row.fault(fate) is not None:
            (tmp_path / fate).mkdir()
            [outcome] = await sent(row, fate, tmp_path / fate)
            assert outcome.receipt == ""


ODD = [
    {"to": ""},
    {"to": "nobody"},
    {"to": "+84912345678\r\nX-Kannel-To: +84987654321"},
    {"to": "a@b@c"},
    {"text": ""},
    {"text": "\ud83d half a picture \x00"},
    {"text": "dài " * 2000},
    {"text": "🙂" * 500},
    {"subject": "hai\r\nBcc: x@y.example"},
    {"language": "xx"},
    {"headers": {"Bcc": "x@y.example"}},
    {"key": "đ" * 90},
]


@every_channel
async def test_no_letter_however_odd_makes_a_channel_raise(row: Row, tmp_path: Path) -> None:
    letters = [replace(row.letter, **{"key": f"odd:{number}", **odd}) for number, odd in enumerate(ODD)]  # type: ignore
    outcomes = await sent(row, Fate.ACCEPTED, tmp_path, *letters)
    assert len(outcomes) == len(ODD)
    assert outcomes[0].fate is Fate.REFUSED


@every_channel
async def test_a_channel_has_a_name_and_takes_as_many_letters_at_a_time_as_it_says(row: Row, tmp_path: Path) -> None:
    async with row.bench(row.accepted, tmp_path) as channel, channel:
        assert channel.name == ("email" if row.letter is MAIL else "sms")
        letters = [replace(row.letter, key=f"letter:{number}") for number in range(2 * channel.parallel)]
        outcomes = await asyncio.gather(*(channel.send(letter) for letter in letters))
    assert {outcome.fate for outcome in outcomes} <= {Fate.ACCEPTED, Fate.DELIVERED}
    assert len({outcome.receipt for outcome in outcomes}) == (len(letters) if row.recognisable else 1)


@every_channel
async def test_a_channel_may_be_opened_again_and_opened_while_it_is_open(row: Row, tmp_path: Path) -> None:
    async with row.bench(row.accepted, tmp_path) as channel:
        async with channel:
            async with channel as inner:
                assert inner is channel
                first = await channel.send(replace(row.letter, key="letter:1"))
            second = await channel.send(replace(row.letter, key="letter:2"))
        async with channel:
            third = await channel.send(replace(row.letter, key="letter:3"))
    assert {each.fate for each in (first, second, third)} <= {Fate.ACCEPTED, Fate.DELIVERED}


@every_channel
async def test_a_second_copy_of_a_letter_is_recognisable_where_the_other_side_lets_it_be(
    row: Row, tmp_path: Path
) -> None:
    first, again, other = await sent(
        row, Fate.ACCEPTED, tmp_path, row.letter, replace(row.letter, at=AT), replace(row.letter, key="letter:13")
    )
    assert (first.receipt == again.receipt != other.receipt) is row.recognisable


async def test_a_gateway_that_cannot_be_reached_is_tried_again(tmp_path: Path) -> None:
    for row in ROWS[:3]:
        async with row.bench(absent, tmp_path) as channel, channel:
            outcome = await channel.send(row.letter)
        assert outcome.fate is Fate.RETRY
        assert outcome.receipt == ""


async def test_every_channel_of_sms_refuses_to_name_the_subject(tmp_path: Path) -> None:
    for row in ROWS:
        if row.letter is SMS:
            async with row.bench(row.accepted, tmp_path) as channel, channel:
                outcome = await channel.send(replace(SMS, text="Báo cáo phòng, chống mại dâm"))
            assert outcome.fate is Fate.REFUSED
            assert "subject" in outcome.reply
