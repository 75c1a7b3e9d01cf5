"""A test letter or SMS, sent at once and outside the outbox, and what the relay or gateway answered in words.

What ``dondoc doctor --round-trip`` tries: a reply and a returned letter, sent to our own signed addresses and read
back from the mailbox. It finds out whether they arrive, and whether the server that takes mail in authenticates
senders: it has to write its result on them, above one that a third message brings along.

And what ``dondoc doctor`` says of how it is proved every day or week that letters arrive.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session

from config.settings import ArrivalProof, Settings
from engine.admin.first_steps import CheckLine, read_weekly_letter, unused, well, wrong
from engine.enums import complete
from engine.errors import DondocError
from engine.rules.calendar import PLAN_TIME
from engine.rules.words import moment
from engine.store.facts import remember_mail_tried
from engine.text import Text
from notifications.arrival import read_canary
from notifications.contract.channel import Channel, Fate, Outcome, Outgoing
from notifications.email.signed_addresses import (
    BOUNCE,
    REPLY,
    REPLY_ADDRESSES,
    RETURN_ADDRESSES,
    signed_address,
    signed_key,
)
from notifications.email.smtp import Email
from notifications.inbound.fetching import MAX_PART_BYTES, Inbox
from notifications.inbound.message import Mail, read_mail
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


WAIT_SECONDS = 30.0
POLL_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Way:
    """One of our own addresses: ``prefix`` and ``use`` of its key, and the setting with its domain."""

    name: str
    prefix: str
    use: str
    domain: str
    setting: str
    what: Text

    def address(self, system: System, key: str) -> str:
        return signed_address(self.prefix, key, system.signer.secret(self.use), self.domain)

    def carries(self, system: System, mail: Mail, key: str) -> bool:
        secret = system.signer.secret(self.use)
        return any(signed_key(self.prefix, each, secret) == key for each in mail.sent_to)


def round_trip(system: System, wait: float = WAIT_SECONDS) -> Iterator[CheckLine]:
    """The lines, in the order in which the ways are tried."""
    channel = channel_wiring.email_channel(system.settings, system.signer)
    inbox = system.inbound.inbox
    if not isinstance(channel, Email) or inbox is None:
        yield unused("round_trip", Text("cần cả máy chủ gửi thư và hộp thư trả lời", "needs a relay and a mailbox"))
        return
    settings = system.settings
    ways = (
        Way(
            name="reply",
            prefix=REPLY,
            use=REPLY_ADDRESSES,
            domain=settings.reply_domain,
            setting="DONDOC_REPLY_DOMAIN",
            what=Text("thư trả lời", "a reply"),
        ),
        Way(
            name="bounce",
            prefix=BOUNCE,
            use=RETURN_ADDRESSES,
            domain=settings.reply_domain,
            setting="DONDOC_REPLY_DOMAIN",
            what=Text("thư bị trả về", "a returned letter"),
        ),
    )
    named, seen, forged = settings.imap_authserv_id, None, False
    for way in ways:
        line, mail = _try(system, way, channel, inbox, wait, {})
        yield line
        if mail is None:
            continue
        if named and seen is None:
            mark = secrets.token_hex(6)
            result = f"{named}; dmarc=pass header.from={way.domain} policy.test={mark}"
            _, claimed = _try(system, way, channel, inbox, wait, {"Authentication-Results": result})
            forged = claimed is not None and mark in claimed.authentication
        seen = seen or mail.authentication
    yield _size(asyncio.run(_size_limit(channel)))
    yield senders(named, seen, forged=forged)


async def _size_limit(channel: Email) -> int:
    async with channel:
        return await channel.size_limit()


def _size(limit: int) -> CheckLine:
    """Whether an answer with the largest file that is kept can come in: a server says what it takes when it is
    greeted."""
    needed = Text("thư {n} MB", "a mail of {n} MB").filled(n=round(MAX_PART_BYTES / 1e6))
    if limit == 0:
        return unused("size", Text("máy chủ thư không cho biết nhận thư lớn đến đâu", "the mail server says no size"))
    if limit >= MAX_PART_BYTES:
        return well("size", Text("máy chủ thư nhận {needed}", "the mail server takes {needed}").filled(needed=needed))
    said = Text(
        "máy chủ thư chỉ nhận thư {n} MB, tệp lớn bị trả về", "the mail server takes {n} MB, larger files bounce"
    )
    fix = Text(
        "Cho máy chủ thư nhận {needed}: message_size_limit (docs/vi/van-hanh/thu-dien-tu.md).",
        "Let the mail server take {needed}: message_size_limit (docs/operating/mail.md).",
    )
    return wrong("size", said.filled(n=round(limit / 1e6, 1)), fix.filled(needed=needed))


def _try(
    system: System, way: Way, channel: Email, inbox: Inbox, wait: float, headers: Mapping[str, str]
) -> tuple[CheckLine, Mail | None]:
    if not way.domain:
        return unused(way.name, Text(f"chưa đặt {way.setting}", f"{way.setting} is not set")), None
    key = f"test:{secrets.token_hex(6)}"
    address = way.address(system, key)
    letter = Outgoing(
        key=key,
        to=address,
        subject="Thử đường thư đến / A test of incoming mail",
        text="Thư này do dondoc doctor gửi cho chính hệ thống.\n",
        at=system.clock(),
        headers={"Auto-Submitted": "auto-generated", **headers},
    )
    fix = Text(
        f"Cho máy chủ thư đưa {way.prefix}…@{way.domain} vào hộp thư {system.settings.imap_username} "
        "(docs/vi/van-hanh/thu-dien-tu.md).",
        f"Let the mail server put {way.prefix}…@{way.domain} into {system.settings.imap_username} "
        "(docs/operating/mail.md).",
    )
    try:
        sent = asyncio.run(_send_round(channel, letter))
        if sent.fate is not Fate.ACCEPTED:
            return wrong(way.name, Text.same(f"{address}: {sent.code} {sent.reply}"[:200]), fix), None
        raw = _wait_for(lambda: inbox.take_out(sent.receipt), wait)
    except DondocError as error:
        return wrong(way.name, error.text, fix), None
    mail = read_mail(raw) if raw is not None else None
    if mail is None or not way.carries(system, mail, key):
        lost = Text("{what} không đến hộp thư sau {n} giây", "{what} did not reach the mailbox in {n} seconds")
        return wrong(way.name, lost.filled(what=way.what, n=round(wait)), fix), mail
    return well(way.name, Text("{what} đến hộp thư", "{what} reaches the mailbox").filled(what=way.what)), mail


async def _send_round(channel: Email, letter: Outgoing) -> Outcome:
    async with channel:
        return await channel.send(letter)


def _wait_for(look: Callable[[], bytes | None], seconds: float) -> bytes | None:
    deadline = time.monotonic() + seconds
    while (found := look()) is None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return found


FORGED = Text(
    "máy chủ nhận thư để Authentication-Results giả ở trên cùng, ai cũng gửi được thay người khác",
    "the server that takes mail in leaves forged Authentication-Results on top: anybody can write as another",
)
NO_RESULT = Text(
    "máy chủ nhận thư không ghi Authentication-Results, nên chưa thư nào được xác thực",
    "the server that takes mail in writes no Authentication-Results, so no sender is authenticated",
)
_FIX_SENDERS = Text(
    "Cho máy chủ nhận thư kiểm tra SPF, DKIM, DMARC của mọi thư đến, xóa Authentication-Results từ bên ngoài và ghi "
    "dòng của mình (docs/vi/van-hanh/thu-dien-tu.md).",
    "Let the server that takes mail in check SPF, DKIM and DMARC of all of it, remove Authentication-Results from "
    "outside and write its own (docs/operating/mail.md).",
)


def senders(authserv_id: str, seen: str | None = None, *, forged: bool = False) -> CheckLine:
    """Whether senders are authenticated. ``seen``: what the server wrote above our own message, None if none was sent.
    ``forged``: a result that we had written into it ourselves stood there."""
    server = (seen or "").partition(";")[0].strip()
    if not authserv_id:
        return _not_authenticated(server)
    if seen is None:
        unproven = Text(
            f"{authserv_id} được đặt để xác thực người gửi; thử bằng dondoc doctor --round-trip",
            f"{authserv_id} is set to authenticate senders; dondoc doctor --round-trip tries it",
        )
        return well("senders", unproven)
    if forged or not server:
        return wrong("senders", FORGED if forged else NO_RESULT, _FIX_SENDERS)
    if server.lower() != authserv_id.lower():
        return wrong(
            "senders",
            Text(
                f"thư đến mang tên máy chủ {server}, không phải {authserv_id}",
                f"mail names {server}, not {authserv_id}",
            ),
            Text("Sửa DONDOC_IMAP_AUTHSERV_ID.", "Correct DONDOC_IMAP_AUTHSERV_ID."),
        )
    return well("senders", Text(f"người gửi được {authserv_id} xác thực", f"{authserv_id} authenticates senders"))


def _not_authenticated(server: str) -> CheckLine:
    remedy = (
        Text(f"đặt DONDOC_IMAP_AUTHSERV_ID={server}", f"set DONDOC_IMAP_AUTHSERV_ID={server}")
        if server
        else Text("xem DONDOC_IMAP_AUTHSERV_ID", "see DONDOC_IMAP_AUTHSERV_ID")
    )
    not_known = Text(
        "chưa xác thực người gửi: qua thư chỉ tự ghi nhận việc xác nhận đã nhận, nội dung khác chờ ở trang Thư đến",
        "senders are not authenticated: by mail only acknowledgements act, all else waits on the page Incoming",
    )
    return unused("senders", Text.joined("; ", (not_known, remedy)))


def arrival_line(session: Session, settings: Settings) -> CheckLine:
    """How it is proved that letters arrive: each day by our own mailbox, or each week by the operator's word."""
    if not settings.smtp_host:
        return unused("arrival", Text("chưa có máy chủ gửi thư", "no relay is set"))
    if settings.arrival_proof is ArrivalProof.DAILY:
        daily = Text(
            f"mỗi ngày một thư thử về hộp thư {settings.imap_username}",
            f"a test letter a day comes back to {settings.imap_username}",
        )
        return well("arrival", _with_last(daily, read_canary(session).back_at))
    if settings.arrival_proof is ArrivalProof.WEEKLY:
        weekly = Text(
            f"mỗi tuần một thư thử tới {settings.operator_email}, người vận hành xác nhận bằng liên kết trong thư",
            f"a test letter a week to {settings.operator_email}, confirmed by the link in it",
        )
        return well("arrival", _with_last(weekly, read_weekly_letter(session).confirmed_at))
    return wrong(
        "arrival",
        Text("không có gì chứng minh thư đến nơi", "nothing proves that letters arrive"),
        Text(
            "Đặt DONDOC_IMAP_HOST (thư thử hằng ngày) hoặc DONDOC_OPERATOR_EMAIL (hằng tuần, có người xác nhận).",
            "Set DONDOC_IMAP_HOST (a test letter a day) or DONDOC_OPERATOR_EMAIL (a week, which somebody confirms).",
        ),
    )


def _with_last(how: Text, at: str) -> Text:
    """``at``: ISO instant of the last proof; empty before the first."""
    if not at:
        return Text.joined("; ", (how, Text("chưa có lần nào", "none yet")))
    proved = datetime.fromisoformat(at)
    last = Text("gần nhất {at}", "last {at}").filled(at=Text(moment(proved, "vi"), moment(proved, "en")))
    return Text.joined("; ", (how, last))
