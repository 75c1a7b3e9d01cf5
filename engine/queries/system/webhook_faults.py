"""Webhooks that cannot be reached, and what came back, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session

from engine.store.database import table
from engine.store.named_rows import objects
from engine.store.records import Webhook
from engine.text import Text

ANSWERS: Mapping[str, Text] = {
    "timeout": Text("không trả lời trong 10 giây", "no answer within 10 seconds"),
    "refused_address": Text(
        "tên máy trỏ vào mạng nội bộ, không gọi (DONDOC_WEBHOOK_HOSTS)",
        "the name leads into the private network: not called (DONDOC_WEBHOOK_HOSTS)",
    ),
    "unknown_host": Text("không tìm thấy tên máy này (DNS)", "the host's name is unknown (DNS)"),
    "unreachable": Text("không kết nối được", "no connection"),
    "tls": Text("chứng thư TLS không tin được", "its TLS certificate is not trusted"),
    "broken_off": Text("kết nối đứt giữa chừng", "the connection broke off"),
    "demo": Text("bản trình diễn không gửi ra ngoài", "the demonstration sends nothing outside"),
    "no_secret": Text(
        "không mở được bí mật: khóa của hệ thống đã đổi; hãy đổi bí mật",
        "the secret cannot be opened: the installation's key has changed; make a new secret",
    ),
    "410": Text("nơi nhận trả lời 410: không nhận nữa, đã tắt", "answered 410: wants no more, switched off"),
}
_BY_STATUS: tuple[tuple[str, Text], ...] = (
    ("2", Text("đã nhận ({code})", "accepted ({code})")),
    ("3", Text("muốn chuyển sang địa chỉ khác ({code}), không theo", "redirects elsewhere ({code}), not followed")),
    ("429", Text("báo gọi quá nhiều (429)", "says that it is called too often (429)")),
    ("4", Text("không chấp nhận ({code})", "does not accept it ({code})")),
    ("5", Text("nơi nhận có lỗi ({code})", "an error at the receiver ({code})")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingWebhook:
    """``why``: a code of ``answer``."""

    id: int
    url: str
    label: str
    active: bool
    down_since: datetime
    retry_at: datetime | None
    why: str


def answer(code: str) -> Text:
    """What came back, in words; empty before the first attempt."""
    if not code:
        return Text("", "")
    if code in ANSWERS:
        return ANSWERS[code]
    found = next((text for prefix, text in _BY_STATUS if code.startswith(prefix)), Text("{code}", "{code}"))
    return found.filled(code=code)


def failing(session: Session) -> tuple[FailingWebhook, ...]:
    """Those that cannot be reached, or that have switched themselves off. One query."""
    w = table(Webhook)
    columns = (w.c.id, w.c.url, w.c.label, w.c.active, w.c.down_since, w.c.retry_at, w.c.why)
    statement = select(*columns).where(w.c.down_since.is_not(None)).order_by(w.c.id)
    return tuple(objects(FailingWebhook, session.connection().execute(statement)))
