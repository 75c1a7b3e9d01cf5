"""Request and response models of the monitor's part of the API, where a query's dataclass is not used directly."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated

from pydantic import AliasPath, BaseModel, BeforeValidator, Field, ValidationInfo

from engine.api.models import Body, Day, Id, Needed, Out, ReasonCode, Short, Words
from engine.assignments.bulk_decisions import MAX_DECISIONS, Decided
from engine.assignments.reports.indicators import Owing
from engine.http.filters import Plain
from engine.plans.amendments import MAX_TEXT_CHARS, Amendment, NewDuty, ad_hoc_report
from engine.rules.outputs import MAX_WHAT_CHARS, Output
from engine.terms import OutputKind, TimeClass
from engine.text import Text

Ids = Annotated[list[Id], Field(min_length=1, max_length=MAX_DECISIONS)]
AgencyIds = Annotated[list[Annotated[str, Plain, Field(min_length=1, max_length=64)]], Field(max_length=1_000)]
Dates = Annotated[dict[Annotated[str, Plain, Field(max_length=16)], Day], Field(max_length=100)]
Owners = Annotated[AgencyIds, Field(min_length=1)]
DutyText = Annotated[Words, Field(min_length=1, max_length=MAX_TEXT_CHARS)]
Heading = Annotated[Needed, Field(max_length=200)]


class ReportIds(Body):
    """``reports``: ids of reports, not of assignments, so that a decision applies to the report that was read."""

    reports: Ids


class AcceptManyBody(ReportIds):
    """``complete``: the reports whose output is there; ``reason``: why the others are accepted without theirs."""

    complete: Annotated[list[Id], Field(max_length=MAX_DECISIONS)] = Field(default_factory=list)
    reason: Short = ""


class ReturnBody(ReportIds):
    """``reason_code``: of the policies. ``until``: by when to resubmit; null for each policy's working days."""

    reason: Needed
    reason_code: ReasonCode = ""
    until: Day | None = None


class ExtensionsBody(Body):
    extensions: Ids
    granted: bool
    answer: Short = ""


class ReasonOut(BaseModel):
    """``reason``: the code in words."""

    reason_code: str
    reason: str
    tasks: int


class PromisesBody(Body):
    """``answer``: needed to refuse."""

    promises: Ids
    agreed: bool
    answer: Short = ""


class OutputBody(Body):
    """What proves a duty done; empty ``what``: nothing is owed any more."""

    what: Annotated[str, Plain, Field(max_length=MAX_WHAT_CHARS)]
    kind: OutputKind = OutputKind.DOCUMENT

    def output(self) -> Output:
        return Output(self.what.strip(), self.kind)


class DutyBody(Body):
    """``owners``, ``coordinating``: agency or group ids. ``fixed`` keeps a due date on a closed day."""

    text: DutyText
    owners: Owners
    due: Day
    basis: Needed
    reason: Short = ""
    coordinating: AgencyIds = Field(default_factory=list)
    request: bool = False
    fixed: bool = False
    output: OutputBody | None = None

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
            output=self.output.output() if self.output and self.output.what.strip() else None,
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
    text: DutyText | None = None
    heading: Heading | None = None
    owners: Owners | None = None
    coordinating: AgencyIds | None = None
    due: Dates = Field(default_factory=dict)
    output: OutputBody | None = None

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
            output=self.output.output() if self.output else None,
        )


class FreezeBody(Body):
    """An empty ``period`` means all. ``cut_off`` is today or earlier."""

    period: Annotated[str, Plain, Field(max_length=16)] = ""
    cut_off: Day


def _said(text: Text | None, info: ValidationInfo) -> str | None:
    """In the language that is the context."""
    return None if text is None else text.said(str(info.context))


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


class AmendedOut(Out):
    opened: int
    cancelled: int
    moved: int


class GivenOut(Out):
    agency_id: str
    agency: str
    value: int | float | str | None


class FigureOut(Out):
    """``total`` by the indicator's own rule; ``reached``: percent of the target; ``problem``: why there is no valid
    total."""

    code: str = Field(validation_alias=AliasPath("indicator", "code"))
    name: str = Field(validation_alias=AliasPath("indicator", "name"))
    unit: str = Field(validation_alias=AliasPath("indicator", "unit"))
    target: float | None = Field(validation_alias=AliasPath("indicator", "target"))
    part_of: str | None = Field(validation_alias=AliasPath("indicator", "part_of"))
    total_of: str | None = Field(validation_alias=AliasPath("indicator", "total_of"))
    total: int | float | str | None
    reached: float | None
    problem: Annotated[str | None, BeforeValidator(_said)]
    given: list[GivenOut]


def _names(found: Iterable[Owing]) -> dict[str, str]:
    return {each.id: each.name for each in found}


Names = Annotated[dict[str, str], BeforeValidator(_names)]


class ConsolidatedOut(Out):
    """``waiting``: agency id -> name of agencies that still owe a report for the period or one within it; ``reported``:
    number of agencies that owe none; ``asked``: agencies with requests without news, which are in neither."""

    plan_id: int
    period: str
    reported: int
    complete: bool
    waiting: Names
    asked: Names
    figures: list[FigureOut] = Field(validation_alias="lines")


class TallyOut(Out):
    """Tasks by box; ``not_asked``: of agencies that have ended, which nobody is asked for any more. ``rate``: percent
    done on time of those done or past due; null while nothing has come due. Reports:
    ``reported`` are in, of which ``reported_on_time``, ``returned`` since, and ``undone``: the task is not finished."""

    on_time: int
    late: int
    in_term: int
    overdue: int
    no_deadline: int
    not_asked: int
    reported: int
    reported_on_time: int
    returned: int
    undone: int
    rate: float | None


class AgencyStandingOut(Out):
    agency_id: str = Field(validation_alias="id")
    agency: str = Field(validation_alias="name")
    level: str
    tally: TallyOut


class PeriodStandingOut(Out):
    period: str
    due_on: date | None
    tally: TallyOut


class StandingOut(Out):
    """``agencies`` worst first. ``asked_total`` and ``asked``: requests, which are in none of the others."""

    as_of: date
    total: TallyOut
    agencies: list[AgencyStandingOut]
    periods: list[PeriodStandingOut]
    asked_total: TallyOut
    asked: list[AgencyStandingOut]


class ConductOut(Out):
    """``promises`` whose day has come, of which ``kept``; ``outputs`` owed with a report accepted as done, of which
    ``complete``. Medians of working days, null without one. ``agency_id`` is empty for the total."""

    agency_id: str = Field(validation_alias="id")
    agency: str = Field(validation_alias="name")
    promises: int
    kept: int
    outputs: int
    complete: int
    acknowledge_days: float | None
    report_days: float | None
    accept_days: float | None


class ConductOfAllOut(Out):
    """Without requests. ``departments``: the agencies above the owners."""

    total: ConductOut
    agencies: list[ConductOut]
    departments: list[ConductOut]


class ChangeOut(Out):
    """``since``: the day of the figures ``was``."""

    since: date
    agency_id: str = Field(validation_alias="id")
    agency: str = Field(validation_alias="name")
    was: TallyOut
    now: TallyOut


class RestatedOut(Out):
    assignment_id: int
    citation: str
    period: str
    was: TimeClass | None
    now: TimeClass | None


class RestatementOut(Out):
    """An agency whose figures differ from the published ones, with the assignments that explain it."""

    agency_id: str
    agency: str
    was: TallyOut
    now: TallyOut
    assignments: list[RestatedOut]


class PublishedOut(Out):
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
    total: TallyOut = Field(validation_alias=AliasPath("standing", "total"))


class PublishedDetail(BaseModel):
    published: PublishedOut
    standing: StandingOut
    restatements: list[RestatementOut]
