"""Comparison of two versions of a plan: duties added, removed, reworded, renumbered; owners; cadence; due dates.

Duties are matched by their text, not by their number, so that renumbering a plan does not make every duty new. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from engine.files.changed_fields import Detail, details, duty_details
from engine.files.directory import DirectoryFile
from engine.files.plan import PlanFile, due_periods
from engine.files.plan_parts import PlacedDuty
from engine.rules.calendar import WorkCalendar, day_digits, written

MIN_SIMILARITY = 0.6
"""Share of common words (Dice coefficient) from which two duties count as one reworded duty."""


class PlanChange(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    REWORDED = "reworded"
    MOVED = "moved"
    OWNERS = "owners"
    COORDINATING = "coordinating"
    CADENCE = "cadence"
    DUE = "due"
    REQUEST = "request"
    DETAIL = "detail"
    """Any other field of the duty, its item, its section or its rule."""


_WORDS: Mapping[str, tuple[str, str]] = {
    "added": ("nhiệm vụ mới", "new duty"),
    "removed": ("không còn nhiệm vụ này", "duty removed"),
    "reworded": ("sửa lời", "reworded"),
    "moved": ("đổi số, từ {0}", "renumbered, was {0}"),
    "owners": ("chủ trì: {0}", "owners: {0}"),
    "coordinating": ("phối hợp: {0}", "coordinating: {0}"),
    "cadence": ("chu kỳ {0} → {1}", "cadence {0} → {1}"),
    "due": ("hạn kỳ {0}: {1} → {2}", "due for {0}: {1} → {2}"),
    "request": ("giao việc ↔ đề nghị", "order ↔ request"),
    "nothing": ("không thay đổi", "nothing changes"),
    "none": ("không có", "none"),
    "head": ("Từ {0} ngày {1} sang {2} ngày {3}", "From {0} of {1} to {2} of {3}"),
    "sum": (
        "Nhiệm vụ: thêm {added}, bỏ {removed}, sửa lời {reworded}, đổi số {moved}. Cơ quan có thay đổi: {agencies}.",
        "Duties: {added} added, {removed} removed, {reworded} reworded, {moved} renumbered. "
        "Agencies concerned: {agencies}.",
    ),
    "plan": ("Thông tin chung", "The plan itself"),
    "by_agency": ("Theo cơ quan", "By agency"),
    "by_duty": ("Theo nhiệm vụ", "By duty"),
    "new_owner": ("nhận thêm", "takes over"),
    "old_owner": ("thôi chủ trì", "no longer owns"),
}


@dataclass(frozen=True)
class DueChange:
    """A period whose due date moves, is added (``before`` None) or is dropped (``after`` None)."""

    period: str
    before: date | None
    after: date | None


@dataclass(frozen=True, kw_only=True)
class DutyChange:
    """One duty before and after. Citation and text are empty on a side without the duty."""

    was: str
    now: str
    text_was: str
    text_now: str
    changes: frozenset[PlanChange]
    owners_was: tuple[str, ...]
    owners_now: tuple[str, ...]
    coordinating_added: tuple[str, ...]
    coordinating_removed: tuple[str, ...]
    cadence_was: tuple[str, ...]
    cadence_now: tuple[str, ...]
    due: tuple[DueChange, ...]
    details: tuple[Detail, ...] = ()

    @property
    def citation(self) -> str:
        return self.now or self.was

    @property
    def owners_added(self) -> tuple[str, ...]:
        return tuple(each for each in self.owners_now if each not in self.owners_was)

    @property
    def owners_removed(self) -> tuple[str, ...]:
        return tuple(each for each in self.owners_was if each not in self.owners_now)

    def concerns(self, agency: str) -> bool:
        """True if anything changes for this owner; other owners joining or leaving do not count."""
        if agency in self.owners_added or agency in self.owners_removed:
            return True
        return agency in self.owners_now and bool(self.changes - {PlanChange.OWNERS})


@dataclass(frozen=True)
class PlanDiff:
    """``settings``: (field, before, after) of the plan itself. ``duties``: the changed ones, in the new order."""

    was: PlanFile
    now: PlanFile
    settings: tuple[tuple[str, str, str], ...]
    duties: tuple[DutyChange, ...]
    names: Mapping[str, str]

    @property
    def agencies(self) -> tuple[str, ...]:
        """Agencies for which something changes, in the directory's order."""
        return tuple(each for each in self.names if any(duty.concerns(each) for duty in self.duties))

    def of(self, agency: str) -> tuple[DutyChange, ...]:
        return tuple(duty for duty in self.duties if duty.concerns(agency))

    def json(self) -> dict[str, Any]:
        """As plain data; the keys are part of the public interface."""
        return {
            "from": self.was.number,
            "to": self.now.number,
            "settings": [{"field": field, "before": before, "after": after} for field, before, after in self.settings],
            "duties": [_json(duty) for duty in self.duties],
            "agencies": {each: [duty.citation for duty in self.of(each)] for each in self.agencies},
        }

    def text(self, language: str = "vi") -> str:
        """As text: the totals, then by agency, then by duty."""

        def say(key: str, *parts: object, **named: object) -> str:
            return _WORDS[key][language == "en"].format(*parts, **named)

        was, now = self.was, self.now
        head = say("head", was.number, day_digits(was.issued_on), now.number, day_digits(now.issued_on))
        if not self.duties and not self.settings:
            return f"{head}: {say('nothing')}.\n"
        counts = Counter(str(change) for duty in self.duties for change in duty.changes)
        sums = {name: counts[name] for name in ("added", "removed", "reworded", "moved")}
        lines = [head, say("sum", agencies=len(self.agencies), **sums)]
        for title, section in (
            ("plan", [f"  {field}: {before or '—'} → {after or '—'}" for field, before, after in self.settings]),
            ("by_agency", list(self._agency_lines(say, language))),
            ("by_duty", list(self._duty_lines(say, language))),
        ):
            lines += ["", f"{say(title)}:", *section] if section else []
        return "\n".join(lines) + "\n"

    def _agency_lines(self, say: Callable[..., str], language: str) -> Iterator[str]:
        for texts, agencies in self._grouped_agencies(say, language).items():
            yield f"  {'; '.join(self.names[each] for each in agencies)}"
            yield from (f"    {line}" for line in texts)

    def _duty_lines(self, say: Callable[..., str], language: str) -> Iterator[str]:
        for duty in self.duties:
            yield f"  {duty.citation}: {'; '.join(self._descriptions(duty, say, language))}"
            if duty.text_now != duty.text_was:
                yield from (f"    {sign} {text}" for sign, text in (("+", duty.text_now), ("-", duty.text_was)) if text)

    def _grouped_agencies(self, say: Callable[..., str], language: str) -> dict[tuple[str, ...], list[str]]:
        """Lines about the changes -> the agencies for which they are the same."""
        grouped: dict[tuple[str, ...], list[str]] = {}
        for agency in self.agencies:
            lines = (f"{duty.citation}: {'; '.join(_for(duty, agency, say, language))}" for duty in self.of(agency))
            grouped.setdefault(tuple(lines), []).append(agency)
        return grouped

    def _descriptions(self, duty: DutyChange, say: Callable[..., str], language: str) -> list[str]:
        parts = _common(duty, say, language)
        for key, added, removed in (
            ("owners", duty.owners_added, duty.owners_removed),
            ("coordinating", duty.coordinating_added, duty.coordinating_removed),
        ):
            signed = [f"+ {self._name(each)}" for each in added] + [f"- {self._name(each)}" for each in removed]
            if signed:
                parts.append(say(key, _few(signed)))
        return parts

    def _name(self, agency: str) -> str:
        return self.names.get(agency, agency)


def _few(parts: Sequence[str]) -> str:
    return ", ".join(parts[:6]) + (f" … ({len(parts)})" if len(parts) > 6 else "")


def _for(duty: DutyChange, agency: str, say: Callable[..., str], language: str) -> list[str]:
    """Descriptions of a duty's change for one owner."""
    if PlanChange.ADDED in duty.changes or PlanChange.REMOVED in duty.changes:
        return [say("added" if PlanChange.ADDED in duty.changes else "removed")]
    if agency in duty.owners_removed:
        return [say("old_owner")]
    return [*([say("new_owner")] if agency in duty.owners_added else []), *_common(duty, say, language)]


def _common(duty: DutyChange, say: Callable[..., str], language: str) -> list[str]:
    """Descriptions of a change that are the same for all owners."""
    parts = [
        say(each)
        for each in (PlanChange.ADDED, PlanChange.REMOVED, PlanChange.REWORDED, PlanChange.REQUEST)
        if each in duty.changes
    ]
    if PlanChange.MOVED in duty.changes:
        parts.append(say("moved", duty.was))
    if PlanChange.CADENCE in duty.changes:
        parts.append(say("cadence", ", ".join(duty.cadence_was), ", ".join(duty.cadence_now)))
    if PlanChange.DUE in duty.changes:
        for each in duty.due:
            days = (say("none") if on is None else written(on, language) for on in (each.before, each.after))
            parts.append(say("due", each.period, *days))
    for detail in duty.details:
        parts.append(f"{detail.words.said(language)}: {detail.before or '—'} → {detail.after or '—'}")
    return parts


def _json(duty: DutyChange) -> dict[str, Any]:
    return {
        "citation": duty.citation,
        "was": duty.was or None,
        "changes": sorted(duty.changes),
        "text": {"before": duty.text_was or None, "after": duty.text_now or None},
        "owners": {"added": list(duty.owners_added), "removed": list(duty.owners_removed)},
        "coordinating": {"added": list(duty.coordinating_added), "removed": list(duty.coordinating_removed)},
        "cadence": {"before": list(duty.cadence_was), "after": list(duty.cadence_now)},
        "due": [
            {
                "period": each.period,
                "before": each.before and each.before.isoformat(),
                "after": each.after and each.after.isoformat(),
            }
            for each in duty.due
        ],
        "details": [{"field": each.field, "before": each.before, "after": each.after} for each in duty.details],
    }


def compare(was: PlanFile, now: PlanFile, directory: DirectoryFile, calendar: WorkCalendar) -> PlanDiff:
    """Compare two versions of a plan. Groups are expanded, so that an agency that joins a group shows.

    Between plans of two years, periods are matched by their place in the year («H1») and due dates compared by day.
    """
    pairs = _paired(was, now)
    numbers = {before.duty.citation: after.duty.citation for before, after in pairs if before and after}
    changes = [_changed(before, after, was, now, numbers, directory, calendar) for before, after in pairs]
    names = {agency: directory.name_on(agency, now.issued_on) for agency in directory.by_id}
    return PlanDiff(was, now, tuple(_settings(was, now)), tuple(each for each in changes if each.changes), names)


def _settings(was: PlanFile, now: PlanFile) -> Iterator[tuple[str, str, str]]:
    yield from ((each.field, each.before, each.after) for each in details(was, now))
    old, new = ({each.code: each for each in plan.indicators} for plan in (was, now))
    for code in dict.fromkeys([*old, *new]):
        before, after = (_indicator(each.get(code)) for each in (old, new))
        if before != after:
            yield f"indicators {code}", before, after
        if code in old and code in new:
            for each in details(old[code], new[code]):
                yield f"indicators {code} {each.field}", each.before, each.after


def _indicator(each: Any) -> str:
    """As «Tổng số xã = Σ II.3», «Số xã (323)»."""
    if each is None:
        return ""
    target, of = "" if each.target is None else f" ({each.target:g})", f" = Σ {each.total_of}" if each.total_of else ""
    return f"{each.name}{target}{of}"


Pair = tuple[PlacedDuty | None, PlacedDuty | None]


def _paired(was: PlanFile, now: PlanFile) -> list[Pair]:
    """Match each new duty with its old one: equal texts, preferring the same number; then the most similar. Unmatched
    duties are new or removed. In the new plan's order, removed ones at the end."""
    old, new = list(was.duties.values()), list(now.duties.values())
    match: dict[str, PlacedDuty] = {}
    free = {each.duty.citation: each for each in old}

    def pair(candidates: Iterable[tuple[PlacedDuty, PlacedDuty]]) -> None:
        for before, after in candidates:
            if after.duty.citation not in match and before.duty.citation in free:
                match[after.duty.citation] = free.pop(before.duty.citation)

    same = list(_same_texts(old, new))
    pair(each for each in same if _same_number(*each))
    pair(same)
    pair(_similar(list(free.values()), [each for each in new if each.duty.citation not in match]))
    return [*((match.get(after.duty.citation), after) for after in new), *((before, None) for before in free.values())]


def _same_number(before: PlacedDuty, after: PlacedDuty) -> bool:
    return before.duty.citation == after.duty.citation


def _same_texts(old: Sequence[PlacedDuty], new: Sequence[PlacedDuty]) -> Iterator[tuple[PlacedDuty, PlacedDuty]]:
    by_text: dict[str, list[PlacedDuty]] = {}
    for before in old:
        by_text.setdefault(_key(before), []).append(before)
    return ((before, after) for after in new for before in by_text.get(_key(after), ()))


def _similar(old: Sequence[PlacedDuty], new: Sequence[PlacedDuty]) -> Iterator[tuple[PlacedDuty, PlacedDuty]]:
    """Those that have enough words in common, the most similar first; half as much is enough under one number."""
    words = {id(each): Counter(re.findall(r"\w+", each.duty.text.casefold())) for each in (*old, *new)}
    scored = [
        (_similarity(words[id(after)], words[id(before)]), _same_number(before, after), before, after)
        for after in new
        for before in old
    ]
    for score, same_number, before, after in sorted(scored, key=lambda each: each[:2], reverse=True):
        if score >= (MIN_SIMILARITY / 2 if same_number else MIN_SIMILARITY):
            yield before, after


def _key(placed: PlacedDuty) -> str:
    return " ".join(placed.duty.text.casefold().split())


def _similarity(one: Counter[str], other: Counter[str]) -> float:
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 0.0


def _changed(
    before: PlacedDuty | None,
    after: PlacedDuty | None,
    was: PlanFile,
    now: PlanFile,
    numbers: Mapping[str, str],
    directory: DirectoryFile,
    calendar: WorkCalendar,
) -> DutyChange:
    old, new = _side(before, directory), _side(after, directory)
    due: tuple[DueChange, ...] = ()
    more: tuple[Detail, ...] = ()
    if before and after:
        due = tuple(_due_changes(before, after, was, now, calendar))
        rules = was.rule_of(before.duty), now.rule_of(after.duty)
        names = {each.to: directory.name_on(each.to, now.issued_on) for each in rules if each.to in directory.by_id}
        more = tuple(duty_details(before, after, rules, numbers, names))
        tests = {
            PlanChange.REWORDED: " ".join(old.text.split()) != " ".join(new.text.split()),
            PlanChange.MOVED: old.citation != new.citation,
            PlanChange.OWNERS: set(old.owners) != set(new.owners),
            PlanChange.COORDINATING: set(old.coordinating) != set(new.coordinating),
            PlanChange.CADENCE: set(old.cadence) != set(new.cadence),
            PlanChange.DUE: bool(due),
            PlanChange.REQUEST: before.item.request != after.item.request,
            PlanChange.DETAIL: bool(more),
        }
    else:
        tests = {PlanChange.ADDED: before is None, PlanChange.REMOVED: after is None}
    return DutyChange(
        was=old.citation,
        now=new.citation,
        text_was=old.text,
        text_now=new.text,
        changes=frozenset(change for change, differs in tests.items() if differs),
        owners_was=old.owners,
        owners_now=new.owners,
        coordinating_added=tuple(each for each in new.coordinating if each not in old.coordinating),
        coordinating_removed=tuple(each for each in old.coordinating if each not in new.coordinating),
        cadence_was=old.cadence,
        cadence_now=new.cadence,
        due=due,
        details=more,
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """What is compared of a duty in one version; empty where the version has no such duty. Groups are expanded."""

    citation: str = ""
    text: str = ""
    owners: tuple[str, ...] = ()
    coordinating: tuple[str, ...] = ()
    cadence: tuple[str, ...] = ()


def _side(placed: PlacedDuty | None, directory: DirectoryFile) -> _Side:
    if placed is None:
        return _Side()
    duty = placed.duty
    return _Side(
        citation=duty.citation,
        text=duty.text,
        owners=_expanded(placed.owners, directory),
        coordinating=_expanded(duty.coordinating, directory),
        cadence=tuple(duty.cadence),
    )


def _expanded(ids: Sequence[str], directory: DirectoryFile) -> tuple[str, ...]:
    """Agency ids with groups expanded; unknown ids are kept."""
    known = directory.expand(ids)
    return (*known, *(each for each in ids if not directory.members(each)))


def _due_changes(
    before: PlacedDuty, after: PlacedDuty, was: PlanFile, now: PlanFile, calendar: WorkCalendar
) -> Iterator[DueChange]:
    """Compare due dates by period. Between plans of two years only day and month are compared."""
    years = was.year != now.year
    old, new = _due(before, was, calendar, no_year=years), _due(after, now, calendar, no_year=years)
    for key in sorted(old.keys() | new.keys()):
        days = old.get(key), new.get(key)
        if len({on and (on.timetuple()[1 if years else 0 : 3]) for on in days}) > 1:
            yield DueChange(key, *days)


def _due(placed: PlacedDuty, plan: PlanFile, calendar: WorkCalendar, *, no_year: bool) -> dict[str, date]:
    """Period -> due date; ``no_year`` leaves the year out of the period's key."""
    periods = due_periods(plan, placed.duty, calendar)
    prefix = f"{plan.year}-" if no_year else ""
    return {each.period.key.removeprefix(prefix): each.due.on for each in periods}
