"""One rung of a ladder as a form has it: when, to whom, which letter, on which channel. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from engine.errors import FieldsRefused
from engine.rules.policy import MAX_LEVEL, Policy, Rung, Way
from engine.terms import NoticeKind, Role
from engine.text import Text

ROLES = tuple(role for role in Role if role is not Role.DEPUTY)
"""A deputy gets what the coordinator gets."""
KINDS = (
    NoticeKind.ASSIGNED,
    NoticeKind.ACKNOWLEDGE,
    NoticeKind.UNACKNOWLEDGED,
    NoticeKind.REMINDER,
    NoticeKind.OVERDUE,
    NoticeKind.ESCALATION,
)
MAX_DAYS = 120
When = Literal["opened", "before", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RungRow:
    """A rung as typed. ``letter``: a kind, of escalations with its level («escalation-2»)."""

    when: str = "before"
    days: str = ""
    to: tuple[str, ...] = (Role.COORDINATOR,)
    letter: str = NoticeKind.REMINDER
    by: str = "usual"
    unless: bool = False
    dispatch: bool = False


def row_of(rung: Rung) -> RungRow:
    when: When = "opened" if rung.opened is not None else "before" if (rung.due or 0) < 0 else "after"
    days = rung.opened if rung.opened is not None else abs(rung.due or 0)
    letter = f"{rung.kind}-{rung.level}" if rung.level else str(rung.kind)
    return RungRow(
        when=when,
        days=str(days),
        to=tuple(rung.to),
        letter=letter,
        by=rung.by,
        unless=rung.unless_acknowledged,
        dispatch=rung.dispatch,
    )


def typed_row(fields: Mapping[str, str], to: Sequence[str]) -> RungRow:
    """The row of a sent form. ``to``: the roles that were ticked."""
    return RungRow(
        when=fields.get("when", ""),
        days=fields.get("days", "").strip()[:6],
        to=tuple(to),
        letter=fields.get("letter", ""),
        by=fields.get("by", "usual"),
        unless="unless" in fields,
        dispatch="dispatch" in fields,
    )


def with_rung(policy: Policy, kind: str, name: str, row: RungRow | None) -> tuple[Policy, Rung | None]:
    """The policy with the named rung of a ladder as the row says, or without it (no row), and the rung; a name that the
    ladder does not have adds one. Raises FieldsRefused."""
    ladder = policy.ladders[kind]  # type: ignore[index]
    rungs, rung = [each for each in ladder.rungs if each.rung != name], None
    if row is not None:
        rung = as_rung(row)
        if any(each.rung == rung.rung for each in rungs):
            raise FieldsRefused({"days": _SAME_DAY})
        if kind == "request" and rung.tier > 1:
            raise FieldsRefused({"to": _TOO_HIGH})
        place = sum(_order(each) < _order(rung) for each in rungs)
        rungs.insert(place, rung)
    changed = ladder.model_copy(update={"rungs": tuple(rungs)})
    return policy.model_copy(update={"ladders": {**policy.ladders, kind: changed}}), rung


def _order(rung: Rung) -> tuple[bool, int]:
    return rung.opened is None, rung.due or rung.opened or 0


_SAME_DAY = Text("trùng ngày với một mốc khác; gộp người nhận", "another reminder is on that day; join them")
_TOO_HIGH = Text(
    "việc đề nghị chỉ báo cơ quan và bộ phận theo dõi, không báo lên lãnh đạo",
    "a request goes to the agency and the monitor, not to the leadership",
)
_MISTAKES = {
    "days": Text(f"số ngày làm việc từ 0 đến {MAX_DAYS}", f"working days from 0 to {MAX_DAYS}"),
    "when": Text("chọn tính từ khi giao hay từ hạn", "choose from assignment or from the due date"),
    "to": Text("chọn ít nhất một người nhận", "choose at least one recipient"),
    "letter": Text("chọn loại thư", "choose a letter"),
    "by": Text("chọn kênh", "choose a channel"),
}
_LETTERS = {*KINDS, *(f"{kind}-{level}" for kind in KINDS for level in range(1, MAX_LEVEL + 1))}


def as_rung(row: RungRow) -> Rung:
    """Raises FieldsRefused with every mistake by field."""
    right = {
        "days": row.days.isascii() and row.days.isdecimal() and int(row.days) <= MAX_DAYS,
        "when": row.when in get_args(When),
        "to": bool(_roles(row)),
        "letter": row.letter in _LETTERS,
        "by": row.by in get_args(Way),
    }
    if wrong := {name: text for name, text in _MISTAKES.items() if not right[name]}:
        raise FieldsRefused(wrong)
    when, days = cast(When, row.when), int(row.days)
    kind, _, level = row.letter.partition("-")
    return Rung(
        rung=_name(when, days),
        due={"opened": None, "before": -days, "after": days}[when],
        opened=days if when == "opened" else None,
        to=_roles(row),
        kind=NoticeKind(kind),
        level=int(level or 0),
        unless_acknowledged=row.unless,
        by=cast(Way, row.by),
        dispatch=row.dispatch,
    )


def _roles(row: RungRow) -> tuple[Role, ...]:
    return tuple(role for each in row.to for role in ROLES if role == each)


def _name(when: When, days: int) -> str:
    """«open», «A+3», «T-10», «T+3»."""
    if when == "opened":
        return f"A+{days}" if days else "open"
    return f"T-{days}" if when == "before" else f"T+{days}"
