"""Request and response models of the monitor's part of the API, where a query's dataclass is not used directly."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from engine.admin.published_figures import Published, Restatement
from engine.api.models import Body, Day, Id, Needed, Short, Words
from engine.assignments.bulk_decisions import MAX_DECISIONS, Decided
from engine.assignments.indicators import Consolidated, FigureLine
from engine.http.filters import Plain
from engine.plans.amendments import MAX_TEXT_CHARS, Amendment, NewDuty, ad_hoc_report
from engine.queries.figures.plan_progress import AgencyChange, Boxes, Standing
from engine.terms import TimeClass

Ids = Annotated[list[Id], Field(min_length=1, max_length=MAX_DECISIONS)]
AgencyIds = Annotated[list[Annotated[str, Plain, Field(min_length=1, max_length=64)]], Field(max_length=1_000)]
Dates = Annotated[dict[Annotated[str, Plain, Field(max_length=16)], Day], Field(max_length=100)]
Owners = Annotated[AgencyIds, Field(min_length=1)]
Text = Annotated[Words, Field(min_length=1, max_length=MAX_TEXT_CHARS)]
Heading = Annotated[Needed, Field(max_length=200)]


class ReportIds(Body):
    """``reports``: ids of reports, not of assignments, so that a decision applies to the report that was read."""

    reports: Ids


class ReturnBody(ReportIds):
    """``until``: by when to resubmit; null for each policy's number of working days."""

    reason: Needed
    until: Day | None = None


class ExtensionsBody(Body):
    extensions: Ids
    granted: bool
    answer: Short = ""


class DutyBody(Body):
    """``owners``, ``coordinating``: agency or group ids. ``fixed`` keeps a due date on a closed day."""

    text: Text
    owners: Owners
    due: Day
    basis: Needed
    reason: Short = ""
    coordinating: AgencyIds = Field(default_factory=list)
    request: bool = False
    fixed: bool = False

    def duty(self) -> NewDuty:
        return NewDuty(
            text=self.text,
            owners=tuple(self.owners),
            due=self.due,
            basis=self.basis,
            reason=self.reason,
            coordinating=tuple(self.coordinating),
            request=self.request,
            fixed=self.fixed,
        )


class ReportRequestBody(Body):
    """``basis``: the paper that asks. ``owners``: agency or group ids; empty: every owner of the plan."""

    due: Day
    basis: Needed
    owners: AgencyIds = Field(default_factory=list)
    text: Annotated[str, Field(max_length=MAX_TEXT_CHARS)] = ""

    def duty(self, all_owners: tuple[str, ...]) -> NewDuty:
        return ad_hoc_report(self.due, self.basis, tuple(self.owners) or all_owners, self.text)


class AmendBody(Body):
    """Null fields stay. ``owners`` is the complete new list; ``due``: period -> new date."""

    basis: Needed
    text: Text | None = None
    heading: Heading | None = None
    owners: Owners | None = None
    coordinating: AgencyIds | None = None
    due: Dates = Field(default_factory=dict)

    def change(self) -> Amendment:
        owners = None if self.owners is None else tuple(self.owners)
        coordinating = None if self.coordinating is None else tuple(self.coordinating)
        return Amendment(
            basis=self.basis,
            text=self.text,
            heading=self.heading,
            owners=owners,
            coordinating=coordinating,
            due=self.due,
        )


class FreezeBody(Body):
    """An empty ``period`` means all. ``cut_off`` is today or earlier."""

    period: Annotated[str, Plain, Field(max_length=16)] = ""
    cut_off: Day


class Left(BaseModel):
    id: int
    why: str


class DecidedOut(BaseModel):
    """``done`` and ``left`` together are the requested ids."""

    done: list[int]
    left: list[Left]

    @classmethod
    def of(cls, decided: Decided, language: str) -> DecidedOut:
        left = [Left(id=one, why=error.said(language)) for one, error in decided.left.items()]
        return cls(done=list(decided.done), left=left)


class DutyAdded(BaseModel):
    duty: int
    citation: str


class AmendedOut(BaseModel):
    opened: int
    cancelled: int
    moved: int


class GivenOut(BaseModel):
    agency_id: str
    agency: str
    value: int | float | str | None


class FigureOut(BaseModel):
    """``total`` by the indicator's own rule; ``reached``: percent of the target; ``problem``: why there is no valid
    total."""

    code: str
    name: str
    unit: str
    target: float | None
    part_of: str | None
    total_of: str | None
    total: int | float | str | None
    reached: float | None
    problem: str | None
    given: list[GivenOut]

    @classmethod
    def of(cls, line: FigureLine, language: str) -> FigureOut:
        each, problem = line.indicator, line.problem.said(language) if line.problem else None
        given = [GivenOut(agency_id=one.agency_id, agency=one.agency, value=one.value) for one in line.given]
        return cls(
            code=each.code,
            name=each.name,
            unit=each.unit,
            target=each.target,
            part_of=each.part_of,
            total_of=each.total_of,
            total=line.total,
            reached=line.reached,
            problem=problem,
            given=given,
        )


class ConsolidatedOut(BaseModel):
    """``waiting``: agency id -> name of agencies that still owe a report; ``reported``: number of agencies that owe
    none."""

    plan_id: int
    period: str
    reported: int
    complete: bool
    waiting: dict[str, str]
    figures: list[FigureOut]

    @classmethod
    def of(cls, found: Consolidated, language: str) -> ConsolidatedOut:
        lines = [FigureOut.of(line, language) for line in found.lines]
        return cls(
            plan_id=found.plan_id,
            period=found.period,
            reported=found.reported,
            complete=found.complete,
            waiting=dict(found.waiting),
            figures=lines,
        )


class TallyOut(BaseModel):
    """Tasks by box. ``rate``: percent done on time of those done or past due; null while nothing has come due. Reports:
    ``reported`` are in, of which ``reported_on_time``, ``returned`` since, and ``undone``: the task is not finished."""

    on_time: int
    late: int
    in_term: int
    overdue: int
    no_deadline: int
    reported: int
    reported_on_time: int
    returned: int
    undone: int
    rate: float | None

    @classmethod
    def of(cls, tally: Boxes) -> TallyOut:
        return cls(**asdict(tally), rate=tally.rate)


class AgencyStandingOut(BaseModel):
    agency_id: str
    agency: str
    level: str
    tally: TallyOut


class PeriodStandingOut(BaseModel):
    period: str
    due_on: date | None
    tally: TallyOut


class StandingOut(BaseModel):
    """``agencies`` worst first. ``asked_total`` and ``asked``: requests, which are in none of the others."""

    as_of: date
    total: TallyOut
    agencies: list[AgencyStandingOut]
    periods: list[PeriodStandingOut]
    asked_total: TallyOut
    asked: list[AgencyStandingOut]

    @classmethod
    def of(cls, found: Standing) -> StandingOut:
        agencies, asked = (
            [
                AgencyStandingOut(agency_id=each.id, agency=each.name, level=each.level, tally=TallyOut.of(each.tally))
                for each in lines
            ]
            for lines in (found.agencies, found.asked)
        )
        periods = [
            PeriodStandingOut(period=each.period, due_on=each.due_on, tally=TallyOut.of(each.tally))
            for each in found.periods
        ]
        return cls(
            as_of=found.as_of,
            total=TallyOut.of(found.total),
            agencies=agencies,
            periods=periods,
            asked_total=TallyOut.of(found.asked_total),
            asked=asked,
        )


class ChangeOut(BaseModel):
    agency_id: str
    agency: str
    was: TallyOut
    now: TallyOut

    @classmethod
    def of(cls, each: AgencyChange) -> ChangeOut:
        return cls(agency_id=each.id, agency=each.name, was=TallyOut.of(each.was), now=TallyOut.of(each.now))


class RestatedOut(BaseModel):
    assignment_id: int
    citation: str
    period: str
    was: TimeClass | None
    now: TimeClass | None


class RestatementOut(BaseModel):
    """An agency whose figures differ from the published ones, with the assignments that explain it."""

    agency_id: str
    agency: str
    was: TallyOut
    now: TallyOut
    assignments: list[RestatedOut]

    @classmethod
    def of(cls, each: Restatement) -> RestatementOut:
        assignments = [
            RestatedOut(
                assignment_id=one.assignment_id, citation=one.citation, period=one.period, was=one.was, now=one.now
            )
            for one in each.assignments
        ]
        return cls(
            agency_id=each.agency_id,
            agency=each.agency,
            was=TallyOut.of(each.was),
            now=TallyOut.of(each.now),
            assignments=assignments,
        )


class PublishedOut(BaseModel):
    """Published figures. ``intact``: the stored figures match the digest in the log. ``definitions``: by which they
    were computed (docs/decisions)."""

    id: int
    plan_id: int
    plan: str
    period: str
    cut_off: date
    at: datetime
    intact: bool
    definitions: int
    total: TallyOut

    @classmethod
    def of(cls, found: Published) -> PublishedOut:
        return cls(
            id=found.id,
            plan_id=found.plan_id,
            plan=found.plan,
            period=found.period,
            cut_off=found.cut_off,
            at=found.at,
            intact=found.intact,
            definitions=found.definitions,
            total=TallyOut.of(found.standing.total),
        )


class PublishedDetail(BaseModel):
    published: PublishedOut
    standing: StandingOut
    restatements: list[RestatementOut]
