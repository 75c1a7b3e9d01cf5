"""What the next rung of an assignment does, in words: for letters and for the pages that letters open. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from engine.rules.policy import Rung
from engine.terms import NoticeKind, Role
from engine.text import Text

_DEEDS: Mapping[NoticeKind, Text] = {
    NoticeKind.ASSIGNED: Text("thư giao việc", "the assignment"),
    NoticeKind.ACKNOWLEDGE: Text("thư nhắc xác nhận", "a request to acknowledge"),
    NoticeKind.UNACKNOWLEDGED: Text("thông báo chưa xác nhận", "word that it is not acknowledged"),
    NoticeKind.REMINDER: Text("thư nhắc trước hạn", "a reminder before the due date"),
    NoticeKind.OVERDUE: Text("thư báo quá hạn", "word that it is overdue"),
    NoticeKind.ESCALATION: Text("thư đôn đốc", "a chasing letter"),
}
_SOFT_DEED = Text("thư đề nghị thông tin kết quả", "a courtesy reminder")
_TOLD = Text("báo cáo", "a report")


@dataclass(frozen=True, slots=True)
class Bodies:
    """The agencies that a next step may name: the department above the owner, and the issuer of the plan."""

    supervisor: str
    issuer: str


def next_step(rung: Rung, bodies: Bodies, language: str, *, request: bool = False) -> str:
    """What the system does on the day of the rung: «gửi thư báo quá hạn đến đầu mối, lãnh đạo cơ quan»."""
    roles = [_person(role, bodies) for role in rung.to if not (role is Role.DIRECTOR and _without_head(bodies))]
    names = ", ".join(dict.fromkeys(each.said(language) for each in roles))
    if set(rung.to) <= {Role.DIRECTOR, Role.LEADERSHIP}:
        return f"reports to {names}" if language == "en" else f"báo cáo {names}"
    deed = _SOFT_DEED if request else _DEEDS.get(rung.kind, _TOLD)
    return f"sends {deed.en} to {names}" if language == "en" else f"gửi {deed.vi} đến {names}"


def _without_head(bodies: Bodies) -> bool:
    """The body above the owner is the issuer itself, which has an office and a leadership."""
    return bodies.supervisor == bodies.issuer


def _person(role: Role, bodies: Bodies) -> Text:
    match role:
        case Role.COORDINATOR | Role.DEPUTY:
            return Text("đầu mối", "the coordinator")
        case Role.HEAD:
            return Text("lãnh đạo cơ quan", "the head of the agency")
        case Role.MONITOR:
            return Text(f"bộ phận theo dõi của {bodies.supervisor}", f"the monitor of {bodies.supervisor}")
        case Role.DIRECTOR:
            return Text(f"lãnh đạo {bodies.supervisor}", f"the head of {bodies.supervisor}")
        case Role.LEADERSHIP:
            return Text(f"lãnh đạo {bodies.issuer}", f"the leadership of {bodies.issuer}")
        case _:
            assert_never(role)
