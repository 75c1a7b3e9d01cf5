"""One letter through a real relay: Postfix on loopback, from EHLO over STARTTLS to the mailbox, and a bounce back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from ground.postfix import Postfix, running_postfix

from notifications.contract.channel import Fate, Outgoing
from notifications.email import bounces
from notifications.email.connection import Relay, Security
from notifications.email.mime import Sender
from notifications.email.signed_addresses import BOUNCE, signed_key
from notifications.email.smtp import Email
from notifications.inbound.message import read_mail

MAILBOXES = {"vanthu@huyen.example": "vanthu/", "bounce@so.example": "bounce/"}
SENDER = Sender("nhacviec@so.example", "Đôn Đốc")


@pytest.fixture
def postfix() -> Iterator[Postfix]:
    with running_postfix(MAILBOXES) as started:
        yield started


def channel(server: Postfix) -> Email:
    facts = {"ca_file": str(server.trusted), "bounce_domain": "so.example", "bounce_secret": "khóa"}
    return Email(Relay(host="localhost", sender=SENDER, port=server.port, security=Security.STARTTLS, **facts))  # type: ignore[arg-type]


def letter(number: int, to: str) -> Outgoing:
    return Outgoing(
        key=f"assignment:{number}:T-3",
        to=to,
        subject="[KH 188/KH-UBND] 3 nhiệm vụ đến hạn thứ Năm 17/6/2021",
        text="Kính gửi đầu mối\n.\n..một dòng bắt đầu bằng chấm\n",
        html="<p>Kính gửi đầu mối</p>",
        at=datetime(2021, 6, 14, 1, tzinfo=UTC),
    )


async def arrived(server: Postfix, mailbox: str, number: int) -> list[bytes]:
    """What lies in a mailbox once ``number`` messages are there, or after ten seconds."""
    for _ in range(200):
        found = server.mailbox(mailbox)
        if len(found) >= number:
            break
        await asyncio.sleep(0.05)
    return found


async def test_letters_reach_a_mailbox_through_a_real_relay_and_bounces_come_back(postfix: Postfix) -> None:
    async with channel(postfix) as email:
        good = [await email.send(letter(number, "Văn thư huyện <vanthu@huyen.example>")) for number in range(3)]
        lost = await email.send(letter(418, "gone@huyen.example"))
        nobody = await email.send(letter(4, "nobody@huyen.example"))
    fates = [outcome.fate for outcome in (*good, lost, nobody)]
    log = (postfix.folder / "log").read_text()
    assert fates == [Fate.ACCEPTED] * 4 + [Fate.REFUSED], f"{good} {lost} {nobody}\n{log}"
    assert nobody.reply.startswith("5.1.1"), nobody
    delivered = [message_from_bytes(each, policy=policy.default) for each in await arrived(postfix, "vanthu", 3)]
    assert {str(each["Message-ID"]) for each in delivered} == {outcome.receipt for outcome in good}
    assert "..một dòng" in delivered[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "with ESMTPS" in str(delivered[0]["Received"])
    [raw] = await arrived(postfix, "bounce", 1)
    report = bounces.parse(raw)
    assert report is not None, raw
    assert (report.recipients, report.message_id) == (("gone@elsewhere.example",), lost.receipt)
    assert [signed_key(BOUNCE, address, "khóa") for address in read_mail(raw).sent_to] == ["assignment:418:T-3"]
