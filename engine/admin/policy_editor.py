"""Editing policies: the text that is edited, its rungs as a form has them, its description in words, and what an edit
changes.

Forms and descriptions are pure. Offsets are working days. Each assignment keeps a copy of the ladder it was opened
with, so ladder edits affect future assignments only, while hours and limits apply to every letter from the next pass
on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Literal, cast, get_args

import yaml
from sqlalchemy import select
from sqlmodel import Session

from engine.errors import Conflict, FieldsRefused
from engine.files.base_model import Mistake, did_you_mean
from engine.files.yaml_reader import read
from engine.plans.loading import load_policy
from engine.rules.calendar import WEEKDAYS
from engine.rules.policy import MAX_LEVEL, Ladder, Policy, Rung, Way, is_report
from engine.rules.words import coded, rung_words, working_days
from engine.store.database import table
from engine.store.recipients import CHANNELS
from engine.store.records import PolicyRecord
from engine.terms import NoticeKind, Role
from engine.text import LANGUAGES, Text
from engine.views.labels import label

LADDERS = {"order": ("Giao việc", "Orders"), "request": ("Đề nghị", "Requests")}


def read_policy(text: str) -> Policy:
    """Parse a policy. Raises FileRefused with every mistake by line."""
    return read(text, Policy, also=_channel_mistakes)


def _channel_mistakes(policy: Policy) -> Iterator[Mistake]:
    """Report unknown channels: a channel without a sender would silence every letter."""
    if not policy.channels:
        yield Mistake(("channels",), Text("chưa có kênh nào", "there is no channel"), Text.same("channels: [email]"))
    for n, name in enumerate(policy.channels):
        if name not in CHANNELS:
            what = Text(f"không có kênh «{name}»", f"there is no channel “{name}”")
            yield Mistake(("channels", n), what, did_you_mean(name, CHANNELS))


# --- the text --------------------------------------------------------------------------------------------------------


class _OneLine(dict[str, Any]):
    """A mapping that is dumped on one line."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _OneLine, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=True)
)


def policy_text(policy: Policy) -> str:
    """The policy as YAML that ``read_policy`` parses to an equal policy; one line per rung."""
    data: dict[str, object] = policy.model_dump(mode="json", by_alias=True)
    data |= {name: _clock_time(getattr(policy, name)) for name in ("decide_at", "send_at")}
    data["window"] = _OneLine(opens=_clock_time(policy.window.opens), closes=_clock_time(policy.window.closes))
    data["ladders"] = {
        kind: {"name": ladder.name, "rungs": [_OneLine(_plain(rung)) for rung in ladder.rungs]}
        for kind, ladder in policy.ladders.items()
    }
    text: str = yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=200, default_flow_style=None)
    return text


def _plain(rung: Rung) -> dict[str, Any]:
    return rung.model_dump(mode="json", exclude_defaults=True)


def _clock_time(at: time) -> str:
    return f"{at:%H:%M}"


# --- a rung as a form has it -----------------------------------------------------------------------------------------

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


# --- in words --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """One rung in words: when, to whom, which letter, and under which condition (may be empty)."""

    rung: str
    when: str
    people: str
    letter: str
    condition: str
    late: bool

    def __str__(self) -> str:
        return f"{self.when}: {self.letter}: {self.people}" + (f" ({self.condition})" if self.condition else "")


def steps(ladder: Ladder, language: str) -> tuple[Step, ...]:
    return tuple(_step(rung, language) for rung in ladder.rungs)


def _step(rung: Rung, language: str) -> Step:
    index = LANGUAGES.index(language)
    people = ", ".join(label(role, language) for role in rung.to)
    level = ("", f" {('lần', 'level')[index]} {rung.level}")[rung.level > 0]
    letter = ("báo cáo", "report")[index] if is_report(rung.to) else f"{label(rung.kind, language)}{level}"
    conditions = [
        (rung.unless_acknowledged, ("chỉ khi chưa xác nhận", "only while not acknowledged")),
        (rung.by == "other", ("qua kênh khác, nếu có", "on another channel, where there is one")),
        (rung.by == "every", ("qua mọi kênh nhận được", "on every channel that reaches them")),
        (rung.dispatch, ("đề nghị ban hành công văn đôn đốc", "a chasing letter on paper is asked for")),
    ]
    condition = "; ".join(words[index] for applies, words in conditions if applies)
    return Step(rung.rung, _when(rung, language), people, letter, condition, (rung.due or 0) > 0)


def _when(rung: Rung, language: str) -> str:
    offset = rung.opened if rung.opened is not None else rung.due or 0
    days = working_days(offset)
    if rung.opened == 0:
        words = Text("ngay khi giao", "when it is assigned")
    elif rung.opened is not None:
        words = Text(f"sau khi giao {days.vi}", f"{days.en} after assignment")
    elif offset == 0:
        words = Text("đúng ngày hạn", "on the due date")
    elif offset < 0:
        words = Text(f"trước hạn {days.vi}", f"{days.en} before the due date")
    else:
        words = Text(f"sau hạn {days.vi}", f"{days.en} after the due date")
    return words.said(language)


BY_GENERAL = Text("theo chính sách chung", "by the general policy")


def policy_rows(policy: Policy, language: str, *, general: bool) -> tuple[tuple[str, str], ...]:
    """(name, value) of every setting of the policy except the ladders. ``general``: it is the one that sets what is one
    for all (``Rulebook.general``)."""
    english, index = language == "en", LANGUAGES.index(language)
    channels = ", ".join(coded(name, language) for name in policy.channels)
    may_be_weekly = (
        ", ".join(label(kind, language) for kind in policy.may_stop) or ("none", "không thư nào")[not english]
    )
    weekday = WEEKDAYS[language][policy.digest_weekday] if general else BY_GENERAL.said(language)
    opens = f"{policy.open_days_before} {'days before the due date' if english else 'ngày trước hạn'}"
    rows = (
        (("Tên", "Name"), policy.name),
        (("Quyết định thư trong ngày lúc", "The day's letters are decided at"), _clock_time(policy.decide_at)),
        (("Thư gửi đi lúc", "They are sent at"), _clock_time(policy.send_at)),
        (
            (
                "Chỉ gửi trong giờ, ngày làm việc (việc khẩn gửi cả ngoài giờ)",
                "Sent only in these hours on working days (urgent plans at any time)",
            ),
            f"{_clock_time(policy.window.opens)}–{_clock_time(policy.window.closes)}",
        ),
        (("Kênh", "Channels"), channels),
        (
            ("Nhiều nhất một người một ngày", "Maximum per person and day"),
            f"1 letter; {policy.urgent_per_day} when urgent"
            if english
            else f"1 thư; việc khẩn {policy.urgent_per_day} thư",
        ),
        (("Người nhận được hẹn gộp theo tuần", "Recipients may receive weekly"), may_be_weekly),
        (("Tổng hợp tuần vào", "The weekly digest comes on"), weekday),
        (("Mở việc", "Assignments open"), opens),
        (
            ("Coi là sắp đến hạn", "Counted as due soon"),
            f"{policy.due_soon_days} {'working days before' if english else 'ngày làm việc trước hạn'}",
        ),
    )
    return tuple((what[index], value) for what, value in rows)


@dataclass(frozen=True, slots=True)
class Difference:
    """One change of an edit; ``was`` or ``becomes`` is empty where something is added or removed."""

    what: str
    was: str
    becomes: str


def differences(old: Policy, new: Policy, language: str, *, general: bool) -> tuple[Difference, ...]:
    rows = (policy_rows(one, language, general=general) for one in (old, new))
    found = [Difference(what, was, becomes) for (what, was), (_, becomes) in zip(*rows, strict=True) if was != becomes]
    for kind, words in LADDERS.items():
        before, after = (
            {each.rung: str(each) for each in steps(one.ladders[kind], language)}  # type: ignore[index]
            for one in (old, new)
        )
        head = words[LANGUAGES.index(language)]
        found += [
            Difference(f"{head} · {rung_words(rung, language)}", before.get(rung, ""), after.get(rung, ""))
            for rung in dict.fromkeys([*before, *after])
            if before.get(rung) != after.get(rung)
        ]
    if old.note != new.note or old.source != new.source:
        what = ("Nguồn, ghi chú", "Source, note")[LANGUAGES.index(language)]
        found.append(Difference(what, f"{old.source} {old.note}".strip(), f"{new.source} {new.note}".strip()))
    return tuple(found)


# --- saving ----------------------------------------------------------------------------------------------------------


def mark_of(policy: Policy | None) -> str:
    """Fingerprint of a stored policy; «new» if there is none."""
    if policy is None:
        return "new"
    body = json.dumps(policy.model_dump(mode="json", by_alias=True), sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()[:32]


def keep(session: Session, policy: Policy, *, actor: str, now: datetime, instead_of: str = "") -> None:
    """Make it the current policy of its id. ``instead_of``: mark of the policy it was compared with. Raises Conflict if
    the stored policy has changed since."""
    p = table(PolicyRecord)
    body = session.connection().scalar(select(p.c.body).where(p.c.id == policy.id).with_for_update())
    current = None if body is None else Policy.model_validate(body)
    if instead_of and instead_of != mark_of(current):
        raise Conflict(
            Text(
                "Có người vừa sửa chính sách này; hãy xem lại những gì thay đổi rồi lưu.",
                "Someone has just changed this policy; check the changes again, then save.",
            )
        )
    load_policy(session, policy, actor=actor, now=now)
