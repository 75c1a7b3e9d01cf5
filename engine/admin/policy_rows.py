"""A ladder as rows of a table: when, to whom, which letter, on which channel. Read from a form and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from engine.admin.policy_editor import policy_text, read_policy
from engine.errors import FieldsRefused
from engine.rules.policy import MAX_LEVEL, Ladder, Rung, Way
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
MAX_ROWS, MAX_DAYS = 30, 120
When = Literal["opened", "before", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RungRow:
    """One row as typed. ``letter``: a kind, of escalations with its level («escalation-2»)."""

    when: str = "before"
    days: str = ""
    to: tuple[str, ...] = (Role.COORDINATOR,)
    letter: str = NoticeKind.REMINDER
    by: str = "usual"
    unless: bool = False
    dispatch: bool = False


def rows_of(ladder: Ladder) -> tuple[RungRow, ...]:
    return tuple(_row(rung) for rung in ladder.rungs)


def _row(rung: Rung) -> RungRow:
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


def rows_in(fields: Mapping[str, Sequence[str]]) -> list[RungRow]:
    """The rows of a posted form: ``when-0``, ``days-0``, ``to-0`` … in their order."""

    def one(name: str, number: int, default: str = "") -> str:
        return next(iter(fields.get(f"{name}-{number}", ())), default).strip()

    return [
        RungRow(
            when=one("when", number),
            days=one("days", number)[:6],
            to=tuple(fields.get(f"to-{number}", ())),
            letter=one("letter", number),
            by=one("by", number, "usual"),
            unless=bool(one("unless", number)),
            dispatch=bool(one("dispatch", number)),
        )
        for number in range(MAX_ROWS)
        if f"when-{number}" in fields
    ]


def changed_rows(rows: list[RungRow], deed: str) -> list[RungRow]:
    """The rows after a button of the table: ``add``, ``drop-3``, ``up-3``; any other leaves them."""
    what, _, place = deed.partition("-")
    number = int(place) if place.isdecimal() else -1
    if what == "add" and len(rows) < MAX_ROWS:
        return [*rows, RungRow()]
    if what == "drop" and 0 <= number < len(rows):
        return rows[:number] + rows[number + 1 :]
    if what == "up" and 0 < number < len(rows):
        return [*rows[: number - 1], rows[number], rows[number - 1], *rows[number + 1 :]]
    return rows


def with_rows(text: str, kind: str, rows: Sequence[RungRow]) -> str:
    """The policy's text with these rows as one of its ladders. Raises FileRefused for the text, FieldsRefused for the
    rows."""
    policy = read_policy(text)
    rungs = as_rungs(rows)
    ladder = policy.ladders[kind].model_copy(update={"rungs": rungs})  # type: ignore[index]
    return policy_text(policy.model_copy(update={"ladders": {**policy.ladders, kind: ladder}}))


def as_rungs(rows: Sequence[RungRow]) -> tuple[Rung, ...]:
    """Raises FieldsRefused with every mistake by field."""
    wrong: dict[str, Text] = {}
    rungs: dict[str, Rung] = {}
    for number, row in enumerate(rows):
        mistakes = _mistakes(row)
        if not mistakes:
            rung = _rung(row)
            if rung.rung in rungs:
                mistakes = {"days": _SAME_DAY}
            rungs[rung.rung] = rung
        place = Text(f"Mốc {number + 1}: ", f"Reminder {number + 1}: ")
        wrong |= {f"{name}-{number}": Text.joined("", (place, text)) for name, text in mistakes.items()}
    if wrong:
        raise FieldsRefused(wrong)
    return tuple(rungs.values())


_SAME_DAY = Text("trùng ngày với một mốc khác; gộp người nhận", "another reminder is on that day; join them")
_MISTAKES = {
    "days": Text(f"số ngày làm việc từ 0 đến {MAX_DAYS}", f"working days from 0 to {MAX_DAYS}"),
    "when": Text("chọn tính từ khi giao hay từ hạn", "choose from assignment or from the due date"),
    "to": Text("chọn ít nhất một người nhận", "choose at least one recipient"),
    "letter": Text("chọn loại thư", "choose a letter"),
    "by": Text("chọn kênh", "choose a channel"),
}
_LETTERS = {*KINDS, *(f"{kind}-{level}" for kind in KINDS for level in range(1, MAX_LEVEL + 1))}


def _mistakes(row: RungRow) -> dict[str, Text]:
    right = {
        "days": row.days.isascii() and row.days.isdecimal() and int(row.days) <= MAX_DAYS,
        "when": row.when in get_args(When),
        "to": bool(_roles(row)),
        "letter": row.letter in _LETTERS,
        "by": row.by in get_args(Way),
    }
    return {name: text for name, text in _MISTAKES.items() if not right[name]}


def _roles(row: RungRow) -> tuple[Role, ...]:
    return tuple(role for each in row.to for role in ROLES if role == each)


def _rung(row: RungRow) -> Rung:
    """Of a row without mistakes."""
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


def _name(when: When, days: int) -> str:
    """«open», «A+3», «T-10», «T+3»."""
    if when == "opened":
        return f"A+{days}" if days else "open"
    return f"T-{days}" if when == "before" else f"T+{days}"
