"""The facts of a plan's consolidated report for a period, read at one moment."""

from __future__ import annotations

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments.reports.indicators import Consolidated, FigureLine, Owing, consolidated
from engine.assignments.told import agency_names
from engine.enums import complete
from engine.features.papers.facts import (
    PaperKind,
    PlanFacts,
    issuer_of,
    ministries,
    plan_duties,
    short_committee,
)
from engine.features.papers.report import ConductFacts, Difficulty, DutyFacts, FigureFacts, PeriodReport
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, AssignmentRow, rows
from engine.queries.work.conduct import Conduct, conduct
from engine.queries.work.promises import reasons_counted
from engine.queries.work.threads import difficulties
from engine.rules.words import period_words
from engine.store.database import among, table
from engine.store.records import Report
from engine.store.stored_rows import StoredPlan
from engine.terms import COUNTED_STATES, EntryKind, TimeClass, Timing

MAX_ROWS = 5_000
COUNTED = tuple(COUNTED_STATES)
UNITS = {"percent": "%", "count": "số lượng", "text": "nội dung"}
RESULTS = complete(
    TimeClass,
    {
        TimeClass.DONE_ON_TIME: "Hoàn thành đúng hạn",
        TimeClass.DONE_LATE: "Hoàn thành quá hạn",
        TimeClass.OPEN_OVERDUE: "Quá hạn",
        TimeClass.DUE_SOON: "Đang thực hiện",
        TimeClass.OPEN_IN_TIME: "Đang thực hiện",
        TimeClass.NO_DEADLINE: "Đang thực hiện",
        TimeClass.NOT_ASKED: "Không còn yêu cầu",
    },
)
TIMINGS = complete(Timing, {Timing.ON_TIME: "Đúng hạn", Timing.LATE: "Chậm", Timing.OPEN: "Chưa gửi"})


def period_report(session: Session, today: Today, plan_row: StoredPlan, period: str) -> PeriodReport:
    """Fourteen queries. Requests («Đề nghị») are in none of the counts but their own."""
    names, duties = agency_names(session), plan_duties(session, plan_row.id)
    places: dict[int, int] = {row.id: row.position for row in duties}
    found = rows(session, today, AssignmentFilter(plan_id=plan_row.id, period=period, states=COUNTED), MAX_ROWS)
    found.sort(key=lambda row: (places.get(row.duty_id, 0), row.agency, row.id))
    ordered = [row for row in found if not row.request]
    asked = [row for row in found if row.request]
    told = _standing_reports(session, [row.id for row in found])
    figures = consolidated(session, plan_row.id, period)
    done = conduct(session, today, AssignmentFilter(plan_id=plan_row.id, period=period))
    issuer = names.get(plan_row.issuer_id, plan_row.issuer_id)

    def among_classes(*classes: TimeClass) -> int:
        return sum(row.time_class in classes for row in ordered)

    return PeriodReport(
        issuer=issuer_of(session, plan_row, PaperKind.REPORT),
        plan=PlanFacts(plan_row.number, plan_row.issued_on, short_committee(issuer), plan_row.title),
        period=period_words(period, "vi"),
        to=(issuer, *ministries(row.text for row in duties)),
        as_of=today.now,
        done_on_time=among_classes(TimeClass.DONE_ON_TIME),
        done_late=among_classes(TimeClass.DONE_LATE),
        open_in_time=among_classes(TimeClass.OPEN_IN_TIME, TimeClass.DUE_SOON, TimeClass.NO_DEADLINE),
        open_overdue=among_classes(TimeClass.OPEN_OVERDUE),
        not_asked=among_classes(TimeClass.NOT_ASKED),
        reports_on_time=sum(row.report_timing is Timing.ON_TIME for row in ordered),
        reports_in=sum(row.first_reported_on is not None for row in ordered),
        reports_expected=len(ordered),
        missing=tuple(map(_owing, figures.waiting)),
        figures=_figures(figures),
        duties=tuple(_duty(row, told.get(row.id, ("", ""))[0]) for row in found),
        difficulties=_raised(session, plan_row.id, period)
        + tuple(
            Difficulty(row.agency, row.citation, told[row.id][1])
            for row in found
            if row.unfinished and told.get(row.id, ("", ""))[1]
        ),
        causes=_causes(session, today, plan_row.id, period),
        conduct=_conduct(done.total),
        conduct_by_agency={each.name: _conduct(each) for each in done.agencies},
        asked=len(asked),
        asked_done=sum(row.done_on is not None for row in asked),
    )


def _conduct(each: Conduct) -> ConductFacts:
    return ConductFacts(
        promises=each.promises,
        kept=each.kept,
        outputs=each.outputs,
        complete=each.complete,
        days=(each.acknowledge_days, each.report_days, each.accept_days),
    )


def _causes(session: Session, today: Today, plan_id: int, period: str) -> tuple[tuple[str, int], ...]:
    counted = reasons_counted(session, today, AssignmentFilter(plan_id=plan_id, period=period))
    return tuple((each.words.vi, each.tasks) for each in counted)


def _owing(each: Owing) -> str:
    """«Báo Nghệ An (quý II/2021)»."""
    return f"{each.name} ({period_words(each.period, 'vi')})" if each.period else each.name


def _raised(session: Session, plan_id: int, period: str) -> tuple[Difficulty, ...]:
    return tuple(
        Difficulty(each.agency, each.citation, each.text, each.answer)
        for each in difficulties(session, plan_id, period)
        if each.kind is EntryKind.DIFFICULTY
    )


def _duty(row: AssignmentRow, summary: str) -> DutyFacts:
    result = RESULTS[row.time_class] if row.time_class else ""
    if row.request and row.time_class is TimeClass.OPEN_OVERDUE:
        result = "Chưa có kết quả"
    return DutyFacts(
        citation=row.citation,
        text=row.text,
        agency=row.agency,
        due_on=row.due_on,
        result=result,
        summary=summary,
        sent_on=row.first_reported_on,
        timing=TIMINGS[row.report_timing],
    )


def _standing_reports(session: Session, assignment_ids: list[int]) -> dict[int, tuple[str, str]]:
    """(body, reason) of the report that stands, by assignment."""
    r = table(Report)
    statement = select(r.c.assignment_id, r.c.body, r.c.reason).where(
        among(session, r.c.assignment_id, assignment_ids), r.c.returned_at.is_(None), r.c.superseded_at.is_(None)
    )
    return {row[0]: (row[1], row[2]) for row in session.connection().execute(statement)}


def _figures(found: Consolidated) -> tuple[FigureFacts, ...]:
    return tuple(_figure(line) for line in found.lines)


def _figure(line: FigureLine) -> FigureFacts:
    each = line.indicator
    total = "" if line.total is None or isinstance(line.total, str) else _written(line.total)
    target = "" if each.target is None else _written(each.target)
    note = "" if line.reached is None else f"đạt {_written(line.reached)}%"
    return FigureFacts(
        name=each.name,
        unit=UNITS[each.unit],
        target=target,
        value=total,
        given=line.known,
        asked=len(line.given),
        note=note,
    )


def _written(number: float) -> str:
    """«91,8», «1.250»."""
    whole = f"{number:,.0f}" if number == int(number) else f"{number:,.1f}"
    return whole.translate(str.maketrans(",.", ".,"))
