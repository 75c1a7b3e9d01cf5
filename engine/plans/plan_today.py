"""A running plan as it is today: its file with what was changed since, each change a point to confirm. Next year's plan
starts from it, so that nothing is asked twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments.reports.indicators import asked_groups
from engine.errors import NotFound
from engine.files.directory import DirectoryFile
from engine.files.plan import ONCE, PlanFile
from engine.files.plan_parts import DutyEntry, Indicator, ItemEntry, PlacedDuty, ReportRule, RuleSource, Section
from engine.files.plan_renewal import Point
from engine.files.plan_successions import shortest
from engine.rules.periods import Cadence
from engine.store.database import table
from engine.store.named_rows import columns_for, objects
from engine.store.records import Duty, Plan
from engine.text import Text

ADDED_RULE = "bo-sung-{n}"
"""The name of the report rule of an added duty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """A duty as it is stored."""

    citation: str
    heading: str
    text: str
    request: bool
    owners: list[str]
    coordinating: list[str]
    added: dict[str, Any] | None


def plan_today(session: Session, plan_id: int, directory: DirectoryFile) -> tuple[PlanFile, tuple[Point, ...]]:
    """Raises NotFound."""
    p, d = table(Plan), table(Duty)
    plan = (
        session.connection().execute(select(p.c.file, p.c.supervisor_id, p.c.followed).where(p.c.id == plan_id)).first()
    )
    if plan is None:
        raise NotFound(Text(f"Không có kế hoạch số {plan_id}.", f"There is no plan {plan_id}."))
    file = PlanFile.model_validate(plan.file)
    rows = session.connection().execute(
        select(*columns_for(_Stored, d)).where(d.c.plan_id == plan_id).order_by(d.c.position)
    )
    stored = {each.citation: each for each in objects(_Stored, rows)}
    renewing = _Renewing(file, directory, stored, plan.supervisor_id)
    sections = tuple(section for each in file.sections if (section := renewing.section(each)) is not None)
    rules = {name: renewing.rule(each) for name, each in file.report_rules.items()}
    added = [each for each in stored.values() if each.added and each.owners]
    sections, rules = renewing.with_added(sections, rules, added)
    changes = {
        "supervisor": plan.supervisor_id,
        "sections": sections,
        "report_rules": rules,
        "indicators": renewing.indicators(asked_groups(session, plan.followed), plan.followed),
    }
    if plan.supervisor_id != file.supervisor:
        renewing.note("supervisor", file.supervisor, plan.supervisor_id)
    kept = {name: getattr(file, name) for name in PlanFile.model_fields}
    return PlanFile.model_validate({**kept, **changes}), tuple(renewing.points)


class _Renewing:
    """Applies what is stored to the file, and collects what was changed."""

    def __init__(
        self, file: PlanFile, directory: DirectoryFile, stored: Mapping[str, _Stored], supervisor: str
    ) -> None:
        self._file, self._directory, self._stored, self._supervisor = file, directory, stored, supervisor
        self._dropped = {citation for citation, each in stored.items() if not each.owners}
        self._numbers = dict(self._numbered(file))
        self.points: list[Point] = []

    def _numbered(self, file: PlanFile) -> Iterator[tuple[str, str]]:
        """Citation -> that of next year's plan: those behind a duty that was dropped move up within their item."""
        for section in file.sections:
            for item in section.items:
                left = [duty.citation for duty in item.duties if duty.citation not in self._dropped]
                if len(left) == len(item.duties):
                    yield from zip(left, left, strict=True)
                else:
                    yield from ((was, f"{section.roman}.{item.no}.{n}") for n, was in enumerate(left, 1))

    def note(self, place: str, was: str, became: str) -> None:
        vi = f"trong năm đã đổi từ {self._called(was)} sang {self._called(became)}"
        self.points.append(Point(place, vi, f"changed during the year from {was} to {became}"))

    def _called(self, names: str) -> str:
        return ", ".join(self._directory.latest_names.get(each, each) for each in names.split(", "))

    def rule(self, rule: ReportRule) -> ReportRule:
        return rule.model_copy(update={"to": self._supervisor}) if rule.to == self._file.supervisor else rule

    def section(self, section: Section) -> Section | None:
        """Without duties that were dropped; None if none is left."""
        items = []
        for item in section.items:
            duties = tuple(duty for each in item.duties if (duty := self._duty(section, item, each)) is not None)
            if duties:
                items.append(item.model_copy(update={"duties": duties}))
        return section.model_copy(update={"items": tuple(items)}) if items else None

    def _duty(self, section: Section, item: ItemEntry, duty: DutyEntry) -> DutyEntry | None:
        now = self._stored.get(duty.citation)
        if now is None:
            return duty
        if duty.citation in self._dropped:
            self.points.append(Point(duty.citation, "đã bỏ trong năm, không đưa sang", "dropped, and left out"))
            return None
        citation = self._numbers[duty.citation]
        if citation != duty.citation:
            now_called, now_en = f"{duty.citation} nay là {citation}", f"{duty.citation} is now {citation}"
            self.points.append(Point(citation, now_called, now_en))
        changes: dict[str, object] = {
            "citation": citation,
            "waits_for": tuple(self._numbers[each] for each in duty.waits_for if each in self._numbers),
            "repeats": self._numbers.get(duty.repeats or ""),
        }
        if now.text != duty.text:
            changes["text"] = now.text
            self.points.append(Point(citation, "lời văn đã sửa trong năm", "its text was changed"))
        was = PlacedDuty(section, item, duty).owners
        for name, before, today in (
            ("owners", was, now.owners),
            ("coordinating", duty.coordinating, now.coordinating),
        ):
            if set(self._directory.expand(before)) != set(today):
                changes[name] = shortest(self._directory, today)
                self.note(f"{citation}.{name}", ", ".join(before), ", ".join(shortest(self._directory, today)))
        return duty.model_copy(update=changes)

    def indicators(self, groups: Mapping[str, frozenset[str]], followed: Mapping[str, Any]) -> tuple[Indicator, ...]:
        return tuple(self._indicator(each, groups, followed) for each in self._file.indicators)

    def _indicator(
        self, indicator: Indicator, groups: Mapping[str, frozenset[str]], followed: Mapping[str, Any]
    ) -> Indicator:
        asked: list[str] = []
        for called in indicator.asked_of:
            name = self._numbers.get(called, called)
            today = groups.get(name, frozenset({name})) - set(followed)
            ended = set(self._directory.members(name)) & set(followed)
            asked += shortest(self._directory, sorted(today)) if ended and today else (name,)
        changed = tuple(dict.fromkeys(asked))
        if changed == indicator.asked_of:
            return indicator
        self.note(indicator.code, ", ".join(indicator.asked_of), ", ".join(changed))
        return indicator.model_copy(update={"asked_of": changed})

    def with_added(
        self, sections: Sequence[Section], rules: Mapping[str, ReportRule], added: Sequence[_Stored]
    ) -> tuple[tuple[Section, ...], dict[str, ReportRule]]:
        """Added duties as further items of the last section that assigns work, each with a rule of its own."""
        place = max((n for n, each in enumerate(sections) if each.kind == "assignments"), default=None)
        if place is None or not added:
            return tuple(sections), dict(rules)
        section, found = sections[place], dict(rules)
        new = list(self._added_items(section, added, found))
        changed = section.model_copy(update={"items": (*section.items, *new)})
        return (*sections[:place], changed, *sections[place + 1 :]), found

    def _added_items(
        self, section: Section, added: Sequence[_Stored], rules: dict[str, ReportRule]
    ) -> Iterator[ItemEntry]:
        last = max(item.no for item in section.items)
        for n, each in enumerate(added, 1):
            assert each.added is not None
            name, citation = ADDED_RULE.format(n=n), f"{section.roman}.{last + n}.1"
            due, basis = date.fromisoformat(each.added["due"]), str(each.added["basis"])
            rules[name] = ReportRule(source=RuleSource.PLAN, basis=basis, to=self._supervisor, on=due)
            owners = shortest(self._directory, each.owners)
            duty = DutyEntry(
                citation=citation,
                text=each.text,
                cadence=(Cadence(ONCE),),
                rule=name,
                coordinating=tuple(each.coordinating),
            )
            vi = f"{each.citation} bổ sung trong năm theo {basis}: giữ, hoặc bỏ"
            self.points.append(Point(citation, vi, f"{each.citation} was added by {basis}: keep it, or leave it out"))
            yield ItemEntry(no=last + n, heading=each.heading, owners=owners, request=each.request, duties=(duty,))
