"""What ``dondoc doctor`` says of how it is proved that letters arrive: each day by our own mailbox, or each week by the
operator's word."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from config.settings import ArrivalProof, Settings
from engine.admin.first_steps import CheckLine, read_weekly_letter, unused, well, wrong
from engine.rules.words import moment
from engine.text import Text
from notifications.arrival import read_canary


def arrival_line(session: Session, settings: Settings) -> CheckLine:
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
