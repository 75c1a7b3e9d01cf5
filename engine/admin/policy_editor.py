"""Editing policies: the text that is edited, its description in words, and what an edit changes.

The descriptions are pure. Offsets are working days. Each assignment keeps a copy of the ladder it was opened with, so
ladder edits affect future assignments only, while hours and limits apply to every letter from the next pass on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

import yaml
from sqlalchemy import select
from sqlmodel import Session

from engine.errors import Conflict
from engine.files.base_model import Mistake, did_you_mean
from engine.files.yaml_reader import read
from engine.plans.loading import load_policy
from engine.rules.calendar import WEEKDAYS
from engine.rules.policy import Ladder, Policy, Rung, is_report
from engine.rules.words import coded, rung_words, working_days
from engine.store.database import table
from engine.store.recipients import CHANNELS
from engine.store.records import PolicyRecord
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
        (("Mở phần việc", "Assignments open"), opens),
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
