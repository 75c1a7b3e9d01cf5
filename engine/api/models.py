"""Request and response models of the API, where a query's dataclass is not used directly."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, AliasPath, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticKnownError

from engine.assignments.promise_rows import PromiseText
from engine.assignments.reports.evidence import MAX_FILES
from engine.assignments.reports.submission import MAX_FIGURE_CHARS, TypedOutput, TypedPromise
from engine.http.filters import Plain, known_year
from engine.http.forms import MAX_FIELD_CHARS, MAX_REASON_CHARS, clean
from engine.queries.paging import Page
from engine.queries.work.assignments import AssignmentRow
from engine.terms import Outcome, OutputKind, PlanState, TimeClass

T = TypeVar("T")


Words = Annotated[str, Field(max_length=MAX_FIELD_CHARS), AfterValidator(clean)]
Short = Annotated[str, Field(max_length=MAX_REASON_CHARS), AfterValidator(clean)]
Needed = Annotated[str, Field(min_length=1, max_length=MAX_REASON_CHARS), AfterValidator(clean)]
Day = Annotated[date, AfterValidator(known_year)]


PaperNumber = Annotated[str, Field(max_length=80), AfterValidator(clean)]
"""Of the signed paper that a report goes with: «45/BC-UBND»."""


def no_truth(value: object) -> object:
    """Refuse ``true`` and ``false``, which pydantic reads as 1 and 0."""
    if isinstance(value, bool):
        raise PydanticKnownError("int_type")
    return value


Id = Annotated[int, BeforeValidator(no_truth), Field(ge=1, le=2**31 - 1)]
LongId = Annotated[int, BeforeValidator(no_truth), Field(ge=1, le=2**63 - 1)]
Figure = Annotated[int | float | str, BeforeValidator(no_truth)]
Figures = Annotated[dict[Annotated[str, Field(max_length=32)], Figure], Field(max_length=200)]


ReasonCode = Annotated[str, Plain, Field(max_length=32)]


Digests = Annotated[list[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]], Field(max_length=MAX_FILES)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """Read from a query's object, attribute by attribute; ``validation_alias`` says which, where the names differ."""

    model_config = ConfigDict(from_attributes=True)


class Nothing(Body):
    """An action without parameters."""


class ReasonBody(Body):
    reason: Needed


class ReturnOneBody(ReasonBody):
    """``reason_code``: of the policy. ``until``: by when to resubmit; null for the policy's number of working days."""

    reason_code: ReasonCode = ""
    until: Day | None = None


class AcceptBody(Body):
    """Of a task that is done and owes an output: that it is ``complete``, or the ``reason`` for accepting without."""

    complete: bool = False
    reason: Short = ""


class MaybeReason(Body):
    reason: Short = ""


class CauseFields(Body):
    """Why a task is not done: ``reason_code`` of the policy; ``waits_for``: the agency, with a code that waits for one;
    ``owed``: what is still to be done."""

    reason_code: ReasonCode = ""
    waits_for: Annotated[str, Plain, Field(max_length=300)] = ""
    owed: Short = ""

    def promise_text(self, on: date | None, reason: str) -> PromiseText:
        return PromiseText(on=on, reason_code=self.reason_code, reason=reason, owed=self.owed, waits_for=self.waits_for)


class PromiseFields(CauseFields):
    """``promised_on``: by when it will be; left out, no day is promised."""

    promised_on: Day | None = None

    @property
    def promise(self) -> TypedPromise:
        return TypedPromise(
            on=self.promised_on.isoformat() if self.promised_on else "",
            code=self.reason_code,
            waits_for=self.waits_for,
            owed=self.owed,
        )


class GivenOutputBody(Body):
    """What a report gives of its duty's output. ``said``: a paper's number or a figure, by the kind that is owed;
    ``on``: the day of the paper or the event."""

    said: Annotated[str, Field(max_length=MAX_FIGURE_CHARS), AfterValidator(clean)] = ""
    on: Day | None = None

    @property
    def typed(self) -> TypedOutput:
        return TypedOutput(self.said, self.on.isoformat() if self.on else "")


class ReportBody(PromiseFields):
    """A report about one assignment. ``figures``: indicator code -> value, checked against the plan's indicators;
    ``files``: digests of files the agency has uploaded."""

    outcome: Outcome
    body: Words = ""
    reason: Short = ""
    figures: Figures = {}
    files: Digests = []
    output: GivenOutputBody = GivenOutputBody()
    paper_number: PaperNumber = ""
    paper_on: Day | None = None

    @property
    def paper(self) -> tuple[str, str]:
        return self.paper_number, self.paper_on.isoformat() if self.paper_on else ""


class DutyReport(PromiseFields):
    assignment: LongId
    outcome: Outcome
    body: Words = ""
    reason: Short = ""
    files: Digests = []
    output: GivenOutputBody = GivenOutputBody()


class ReportsBody(Body):
    """One submission of an agency for a plan and period: all or nothing."""

    agency: Annotated[str, Plain, Field(max_length=64)]
    plan: Id
    period: Annotated[str, Plain, Field(max_length=16)]
    duties: Annotated[list[DutyReport], Field(min_length=1, max_length=1000)]
    figures: Figures = {}
    paper_number: PaperNumber = ""
    paper_on: Day | None = None

    @property
    def paper(self) -> tuple[str, str]:
        return self.paper_number, self.paper_on.isoformat() if self.paper_on else ""


class ExtensionBody(CauseFields):
    """``until``: the new due date, or of a task that is late already the day that is promised."""

    until: Day
    reason: Needed

    @property
    def text(self) -> PromiseText:
        return self.promise_text(self.until, self.reason)


class DecisionBody(Body):
    granted: bool
    answer: Short = ""


class TransferBody(Body):
    to: Annotated[str, Plain, Field(min_length=1, max_length=64)]
    reason: Needed


class Listed(BaseModel, Generic[T]):
    """A page of a list. ``next`` is the cursor of the next page, null on the last; ``total`` counts all pages."""

    items: list[T]
    next: str | None
    total: int | None

    @classmethod
    def of(cls, page: Page[T]) -> Listed[T]:
        return cls(items=list(page.rows), next=page.next or None, total=page.total)


class Done(BaseModel):
    """Result of an action. ``news`` is false when it had been done before; ``became`` is the new assignment's id;
    ``warnings``: by field, values of a report to check again."""

    assignment: AssignmentRow
    news: bool = True
    became: int | None = None
    warnings: dict[str, str] = {}


class Submitted(BaseModel):
    """``warnings``: by field, accepted values to check again, such as a total that differs from the sum of its
    parts."""

    assignments: list[int]
    warnings: dict[str, str] = {}


class CountsOut(Out):
    """``by_class``: tasks, by the four boxes. Reports: ``actual_reports`` are in, of which ``actual_reports_on_time``,
    ``reports_returned`` since, and ``reports_undone``: the task is not finished. ``tasks_done``: a report says so."""

    expected_reports: int = Field(validation_alias="expected")
    actual_reports: int = Field(validation_alias="reported")
    actual_reports_on_time: int = Field(validation_alias=AliasPath("measures", "on_time"))
    reports_returned: int = Field(validation_alias=AliasPath("measures", "returned"))
    reports_undone: int = Field(validation_alias=AliasPath("measures", "undone"))
    tasks_done: int = Field(validation_alias="done")
    by_class: dict[TimeClass, int]
    worst: TimeClass
    next_due: date | None = Field(validation_alias="earliest")
    overdue_since: date | None = Field(validation_alias="late_since")


class LineOut(Out):
    agency_id: str = Field(validation_alias="id")
    agency: str = Field(validation_alias="name")
    level: str
    total: CountsOut
    periods: dict[str, CountsOut] = Field(validation_alias="cells")


class BoardOut(Out):
    """The four boxes (Decision 42/2014/QĐ-TTg) in ``total.by_class``, and the matrix agency x period. ``asked_total``
    and ``asked``: requests, which are in none of the others."""

    as_of: datetime
    total: CountsOut
    periods: list[str]
    agencies: list[LineOut]
    asked_total: CountsOut
    asked: list[LineOut]


class PlanOut(Out):
    id: int
    number: str
    year: int
    issued_on: date
    title: str
    short_title: str
    issuer_id: str
    issuer: str
    state: PlanState
    duties: int
    counts: CountsOut
    asked: CountsOut


class DueOut(Out):
    period: str
    on: date
    why: dict[str, str]


class OutputOut(Out):
    """What proves a duty done."""

    what: str
    kind: OutputKind


class DutyOut(Out):
    """``due_source``: local (configured), law or plan; null for a duty added after the document."""

    citation: str
    heading: str
    text: str
    request: bool
    kind: str
    cadence: list[str]
    owners: list[str]
    coordinating: list[str]
    waits_for: list[str]
    output: OutputOut | None
    due_source: Annotated[str | None, BeforeValidator(lambda rule: rule and rule.source)] = Field(
        validation_alias="rule"
    )
    due: list[DueOut] = Field(validation_alias="rounds")


class PlanDetail(Out):
    """``gaps``: numbers missing in the document, with a note."""

    plan: PlanOut = Field(validation_alias="row")
    supervisor_id: str
    gaps: Mapping[str, str]
    duties: list[DutyOut]
