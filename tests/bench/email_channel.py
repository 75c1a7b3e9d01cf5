"""Benchmark of e-mail: ``compose`` against EmailMessage, the channel against bare aiosmtplib.

    python -m tests.bench.email_channel [letters]

Both sides send the same kind of message to the same sink (smtp_sink.py), the bare side already composed. Rounds
alternate and the best of each is used, since the machine is shared.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage

from notifications.contract.channel import Fate, Outgoing
from notifications.email.connection import Relay, Security
from notifications.email.mime import Sender, compose
from notifications.email.smtp import Email
from tests.bench.bare import send, shared
from tests.bench.smtp_sink import Sink

TEXT = ("Kính gửi Ủy ban nhân dân huyện, đề nghị báo cáo kết quả thực hiện Kế hoạch 188 trước hạn.\n" * 20)[:1150]
ROW = "<tr><td style='padding:8px;border:1px solid #ccc'>IV.16.1</td><td>Nhiệm vụ báo cáo định kỳ thực hiện</td></tr>\n"
HTML = (ROW * 40)[:3600]
SENDER = Sender("nhacviec@so.example", "Đôn Đốc")
AWAY_MS = 20
AT = datetime(2021, 6, 14, 1, tzinfo=UTC)


def letter(number: int) -> Outgoing:
    return Outgoing(
        key=f"assignment:{number}:T-3",
        to=f"vanthu{number % 500}@huyen.example",
        subject="[KH 188/KH-UBND] 3 nhiệm vụ đến hạn thứ Năm 17/6/2021",
        text=TEXT,
        html=HTML,
        at=AT,
        unsubscribe="https://dondoc.example/u/abcdefghijklmnop",
    )


def by_email_message(each: Outgoing) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Đôn Đốc <nhacviec@so.example>", each.to, each.subject
    message["Date"], message["Message-ID"] = each.at, f"<{each.key.replace(':', '.')}@so.example>"
    message.set_content(each.text)
    message.add_alternative(each.html, subtype="html")
    return message.as_bytes()


def milliseconds(act: Callable[[Outgoing], object], letters: list[Outgoing]) -> float:
    start = time.perf_counter()
    for each in letters:
        act(each)
    return (time.perf_counter() - start) / len(letters) * 1000


async def bare(letters: list[Outgoing], port: int, width: int) -> float:
    """aiosmtplib.SMTP.sendmail on kept connections, of messages composed before timing starts."""
    composed = [(each.to, compose(each, SENDER)[1]) for each in letters]
    return await send(composed, SENDER.mailbox, port, width) / len(letters) * 1000


async def ours(letters: list[Outgoing], port: int, width: int) -> float:
    relay = Relay(host="127.0.0.1", sender=SENDER, port=port, security=Security.NONE, connections=width)
    async with Email(relay) as channel:
        start = time.perf_counter()

        async def one(_: int, each: Outgoing) -> None:
            outcome = await channel.send(each)
            assert outcome.fate is Fate.ACCEPTED, outcome

        await shared(letters, width, one)
        return (time.perf_counter() - start) / len(letters) * 1000


def measure(number: int) -> None:
    letters = [letter(each) for each in range(number)]
    few = letters[: number // 10]
    hand = min(milliseconds(lambda each: compose(each, SENDER), letters) for _ in range(3))
    standard = min(milliseconds(by_email_message, few) for _ in range(2))
    size = len(compose(letters[0], SENDER)[1])
    print(f"compose, {size} bytes: by hand {hand:.3f} ms, EmailMessage {standard:.3f} ms, {standard / hand:.0f}×")
    for width in (1, 4):
        with Sink() as sink:
            rounds = [
                (asyncio.run(bare(letters, sink.port, width)), asyncio.run(ours(letters, sink.port, width)))
                for _ in range(3)
            ]
        least, mine = (min(column) for column in zip(*rounds, strict=True))
        print(f"{width} connection(s): bare sendmail {least:.3f} ms, channel {mine:.3f} ms, {mine / least:.2f}×")
        assert sink.count.messages == 6 * number
    with Sink(away_ms=AWAY_MS) as sink:
        least, mine = (asyncio.run(way(letters[:50], sink.port, 1)) for way in (bare, ours))
    print(
        f"a relay {AWAY_MS} ms away, 1 connection: sendmail {least:.0f} ms, channel {mine:.0f} ms, {mine / least:.2f}×"
    )


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
