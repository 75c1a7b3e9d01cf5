"""A test letter or SMS, sent at once and outside the outbox, and what the relay or gateway answered in words."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

from engine.enums import complete
from engine.errors import DondocError
from engine.rules.calendar import PLAN_TIME
from engine.store.markers import remember_mail_tried
from engine.text import Text
from notifications.contract.channel import Channel, Fate, Outcome, Outgoing
from workflows.run import channel_wiring

if TYPE_CHECKING:
    from workflows.run.system import System

SECONDS = 45.0
ANSWERS = complete(
    Fate,
    {
        Fate.ACCEPTED: Text(
            "Đã nhận để chuyển. Nhận chưa phải là đến: hãy mở hộp thư hoặc điện thoại xem.",
            "Accepted for delivery. Accepted is not delivered: look into the mailbox or at the phone.",
        ),
        Fate.DELIVERED: Text("Đã đến.", "Delivered."),
        Fate.KEPT_HERE: Text(
            "Chưa gửi: thư nằm trong thư mục của máy này vì chưa đặt máy chủ gửi thư (DONDOC_SMTP_HOST).",
            "Not sent: the letter lies in a folder of this machine, since no relay is set (DONDOC_SMTP_HOST).",
        ),
        Fate.RETRY: Text("Chưa gửi được.", "It could not be sent."),
        Fate.REFUSED: Text("Bị từ chối.", "It was refused."),
        Fate.UNKNOWN: Text("Không rõ có được nhận hay không.", "It is not known whether it was accepted."),
    },
)


def send_test(system: System, to: str, language: str = "vi") -> tuple[bool, Text]:
    """Send to a mailbox, or to a number by SMS. Returns whether it was accepted, and the answer. That a relay accepted
    a letter is remembered."""
    try:
        channel = _channel(system, to)
        if channel is None:
            return False, Text(
                "Chưa đặt cổng tin nhắn (DONDOC_SMS_GATEWAY).", "No SMS gateway is set (DONDOC_SMS_GATEWAY)."
            )
        outcome = asyncio.run(_send(channel, _letter(system, to, language)))
    except DondocError as error:
        return False, error.text
    except TimeoutError:
        return False, Text("Không trả lời trong 45 giây.", "No answer within 45 seconds.")
    said = " ".join(part for part in (outcome.code, outcome.reply) if part)
    answer = ANSWERS[outcome.fate]
    accepted = outcome.fate in (Fate.ACCEPTED, Fate.DELIVERED)
    if accepted and "@" in to:
        with system.database.write() as session:
            remember_mail_tried(session, system.settings.smtp_host, system.clock())
    return accepted, Text.joined(" ", (answer, Text.same(f"({said})"))) if said else answer


def _channel(system: System, to: str) -> Channel | None:
    """A channel of its own: those of the outbox belong to the heartbeat's event loop."""
    if "@" in to:
        return channel_wiring.email_channel(system.settings, system.signer)
    return (
        None if system.settings.demo else channel_wiring.phone_channel(system.settings, system.signer, system.database)
    )


async def _send(channel: Channel, letter: Outgoing) -> Outcome:
    async with asyncio.timeout(SECONDS), channel as opened:
        return await opened.send(letter)


def _letter(system: System, to: str, language: str) -> Outgoing:
    now, key = system.clock(), f"test:{uuid.uuid4().hex}"
    at = f"{now.astimezone(PLAN_TIME):%H:%M %d/%m/%Y}"
    if "@" not in to:
        text = f"Don Doc: test message, {at}" if language == "en" else f"Don Doc: tin nhan thu, {at}"
        return Outgoing(key=key, to=to, text=text, at=now, language=language)
    subject = Text("[Đôn Đốc] Thư thử", "[Đôn Đốc] Test letter").said(language)
    text = Text(
        f"Đây là thư thử của {system.settings.base_url}, gửi lúc {at}. Đọc được thư này nghĩa là "
        "đường gửi thư đã thông. Không cần trả lời.",
        f"This is a test letter of {system.settings.base_url}, sent at {at}. If you can read it, "
        "letters get through. No answer is needed.",
    ).said(language)
    return Outgoing(key=key, to=to, text=f"{text}\n", at=now, subject=subject, language=language)
