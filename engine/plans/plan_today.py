"""A running plan as it is today: its file with what was changed since, each change a point to confirm. Next year's plan
starts from it, so that nothing is asked twice.

Correct the year of a plan that was loaded or activated for the wrong one.

What nobody has reported of periods that the plan does not have in its right years is cancelled, with a notice to its
owners; the periods of the right years open in the next pass. What was reported stays. The duties, their words and their
single dates are those of the document and do not change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.escalation import run_escalations
from engine.assignments.lifecycle import cancel
from engine.assignments.opening import open_due, planned
from engine.assignments.reports.indicators import asked_groups
from engine.errors import BadInput, Conflict, FileRefused, NotFound
from engine.files.directory import DirectoryFile
from engine.files.plan import ONCE, PlanFile, year_mistakes
from engine.files.plan_parts import DutyEntry, Indicator, ItemEntry, PlacedDuty, ReportRule, RuleSource, Section
from engine.files.plan_renewal import PlanYear, Point, Years, plan_year, shortest
from engine.files.stored_plan import document_body, plan_body
from engine.files.yaml_reader import dump, read
from engine.rules.calendar import WorkCalendar
from engine.rules.periods import Cadence
from engine.rules.policy import Policy
from engine.store.database import Database, table
from engine.store.event_log import content_digest, record
from engine.store.records import Assignment, Duty, Letter, Plan
from engine.store.rulebook import read_rulebook
from engine.store.stored_rows import StoredPlan, columns_for, object_of, objects, select_plans
from engine.terms import EventKind, PlanState
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


@dataclass(frozen=True, kw_only=True)
class YearChange:
    """What a correction comes to: assignments ``cancelled``, those that would open at once, letters about both."""

    was: PlanYear
    becomes: PlanYear
    cancelled: int
    opened: int
    letters: int


def correct_years(
    session: Session, plan_id: int, years: Years, *, reason: str, actor: str, now: datetime
) -> tuple[PlanYear, int]:
    """Change the years of a plan that is loaded or active; returns its year as it was and how many assignments were
    cancelled. Raises BadInput for years that do not fit its issue or hold none of its reports; NotFound, Conflict."""
    if not reason.strip():
        raise BadInput(Text("Cần ghi lý do sửa năm.", "Say why the year is corrected."))
    p = table(Plan)
    row = session.connection().execute(select_plans().where(p.c.id == plan_id).with_for_update()).first()
    if row is None:
        raise NotFound(Text(f"Không có kế hoạch số {plan_id}.", f"There is no plan {plan_id}."))
    plan = object_of(StoredPlan, row)
    if plan.state is PlanState.ENDED:
        raise Conflict(Text("Kế hoạch này đã kết thúc rồi.", "This plan has already ended."))
    was = PlanFile.model_validate(plan.file)
    file = _with_years(was, years)
    body, active = plan_body(file), plan.state is PlanState.ACTIVE
    values = {"year": file.year, "file": body, "digest": content_digest(document_body(file))}
    session.connection().execute(
        update(p).where(p.c.id == plan_id).values(**values, **({"next_open_at": now} if active else {}))
    )
    cancelled = 0
    if active:
        book = read_rulebook(session)
        after = StoredPlan(**{name: getattr(plan, name) for name in StoredPlan.__slots__} | {"file": body})
        for assignment_id in _not_of(session, after, book.policy(plan.policy_id), book.calendar):
            cancel(
                session, assignment_id, reason=f"Kế hoạch của năm {file.years}: {reason.strip()}", actor=actor, now=now
            )
            cancelled += 1
    record(
        session,
        EventKind.PLAN_YEARS_CORRECTED,
        now,
        actor=actor,
        plan_id=plan_id,
        was=was.years,
        years=file.years,
        reason=reason.strip(),
        cancelled=cancelled,
    )
    return plan_year(was), cancelled


def rehearse_years(database: Database, plan_id: int, years: Years, *, now: datetime) -> YearChange:
    """Dry run: correct, open and escalate in a transaction that is rolled back; gives the exact numbers."""
    a, m, p = table(Assignment), table(Letter), table(Plan)
    with database.rehearse() as session:
        connection = session.connection()
        last_letter = connection.scalar(select(func.max(m.c.id))) or 0
        last_assignment = connection.scalar(select(func.max(a.c.id))) or 0
        was, cancelled = correct_years(session, plan_id, years, reason="-", actor="system", now=now)
        while open_due(session, now) >= 0:
            pass
        book = read_rulebook(session)
        while run_escalations(session, book, now, limit=5000).seen == 5000:
            pass
        return YearChange(
            was=was,
            becomes=plan_year(PlanFile.model_validate(connection.scalar(select(p.c.file).where(p.c.id == plan_id)))),
            cancelled=cancelled,
            opened=connection.scalar(select(func.count()).where(a.c.id > last_assignment)) or 0,
            letters=connection.scalar(select(func.count()).where(m.c.id > last_letter)) or 0,
        )


def _with_years(plan: PlanFile, years: Years) -> PlanFile:
    """The plan of other years, checked as a file is."""
    if (plan.year, plan.last_year) == (years.first, years.last):
        raise BadInput(Text("Không có gì thay đổi.", "Nothing changes."))
    changed = plan.model_copy(update={"year": years.first, "last_year": years.last})
    try:
        return read(dump(changed), PlanFile, also=year_mistakes)
    except FileRefused as refused:
        wrong = refused.problems[0]
        raise BadInput(Text.joined("; ", (wrong.what, wrong.fix))) from None


def _not_of(session: Session, plan: StoredPlan, policy: Policy, calendar: WorkCalendar) -> list[int]:
    """Unfinished assignments of periods that the plan does not have."""
    a = table(Assignment)
    owed = {opening.key for opening in planned(session, plan, policy, calendar)}
    statement = select(a.c.id, a.c.duty_id, a.c.period).where(
        a.c.plan_id == plan.id, situations.owed(), a.c.period != ONCE
    )
    rows = session.connection().execute(statement.order_by(a.c.id))
    return [row.id for row in rows if (row.duty_id, row.period) not in owed]
