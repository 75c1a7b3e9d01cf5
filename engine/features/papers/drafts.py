"""The facts of a công văn đôn đốc, read from what is overdue now: the numbers of the text are the rows of the annex.

The columns of the list of papers: the drafts that wait to be issued, then what was issued. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.chasing import ANSWER_WORKING_DAYS, SETTLED, chased, paper_level
from engine.assignments.told import agency_names
from engine.features.papers import facts
from engine.http.lists.listing import Column, Listing
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, AssignmentRow, rows
from engine.rules.calendar import ONE_DAY
from engine.rules.situation import is_past
from engine.rules.typed_day import promise_words
from engine.rules.words import level_rank
from engine.store.database import among, table
from engine.store.records import Agency, Assignment, Event, Extension, Plan
from engine.store.rulebook import read_rulebook
from engine.store.stored_rows import AnyRow, StoredPlan, objects
from engine.terms import EventKind, State, TimeClass
from engine.text import Text
from engine.views.spreadsheets import Kind

MAX_ROWS = 1_000
MAX_WAITING = 20_000
HORIZON = timedelta(days=14)
GROUPS = {
    "huyen": "Ủy ban nhân dân các huyện, thành phố, thị xã",
    "so": "Các sở, ban, ngành cấp tỉnh",
    "xa": "Ủy ban nhân dân cấp xã",
}
"""What agencies of a level are called together."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a letter can be made of. ``assignment_ids``: the overdue ones it is about."""

    dispatch: facts.Dispatch
    plan_id: int
    supervisor_id: str
    assignment_ids: tuple[int, ...]
    agencies: tuple[tuple[str, str], ...]
    """(id, name) of the addressees."""
    narrowed: bool = False
    """Others are late too, and are left out."""


def dispatch_draft(
    session: Session,
    today: Today,
    plan_row: StoredPlan,
    agency_ids: Collection[str] = (),
    *,
    request: bool = False,
    period: str = "",
) -> Draft:
    """A plan's draft to some agencies, or to all with something overdue; six queries. An agency with nothing overdue is
    never addressed; the supervisor itself is not an addressee."""
    wanted = AssignmentFilter(plan_id=plan_row.id, period=period, request=request)
    late = _rows(session, today, wanted, TimeClass.OPEN_OVERDUE)
    everyone = [row for row in late if row.agency_id != plan_row.supervisor_id]
    late = [row for row in everyone if row.agency_id in agency_ids or not agency_ids]
    addressed = {row.agency_id for row in late}
    soon = [
        row
        for row in _rows(session, today, wanted, TimeClass.DUE_SOON)
        if row.agency_id in addressed and is_past(row.due_on, today.day + HORIZON + ONE_DAY)
    ]
    ids = [row.id for row in late]
    levels, duties, names = _levels(session), facts.plan_duties(session, plan_row.id), agency_names(session)
    positions = {row.id: row.position for row in duties}
    asked, sent = _extensions(session, ids), chased(session, ids)

    def order(row: AssignmentRow) -> tuple[Any, ...]:
        return level_rank(levels.get(row.agency_id, "")), row.agency, positions.get(row.duty_id, 0), row.id

    def line(row: AssignmentRow) -> facts.DutyRow:
        return facts.DutyRow(
            agency_id=row.agency_id,
            agency=row.agency,
            citation=row.citation,
            text=row.text,
            due_on=row.due_on,
            original_due_on=row.original_due_on,
            late=max(-(today.days_left(row.due_on) or 0), 0),
            reported=row.first_reported_on is not None,
            status=_status(row),
            note=_note(row, today.day, extension=row.id in asked),
            group=GROUPS.get(levels.get(row.agency_id, ""), ""),
            level=sent[row.id].level if row.id in sent else 0,
        )

    late.sort(key=order)
    overdue = tuple(map(line, late))
    issuer = names.get(plan_row.issuer_id, plan_row.issuer_id)
    dispatch = facts.Dispatch(
        issuer=facts.issuer_of(session, plan_row, facts.PaperKind.DISPATCH),
        plan=facts.PlanFacts(plan_row.number, plan_row.issued_on, facts.short_committee(issuer), plan_row.title),
        reports_to=" và ".join((facts.short_committee(issuer), *facts.ministries(row.text for row in duties))),
        overdue=overdue,
        upcoming=tuple(map(line, sorted(soon, key=order))),
        as_of=today.now,
        answer_by=today.calendar.shift(today.day, ANSWER_WORKING_DAYS),
        horizon=max((row.due_on for row in soon if row.due_on), default=today.day),
        level=facts.common_level(overdue),
        prior=prior_papers(session, ids),
        request=request,
    )
    agencies = tuple(dict.fromkeys((row.agency_id, row.agency) for row in late))
    return Draft(
        dispatch=dispatch,
        plan_id=plan_row.id,
        supervisor_id=plan_row.supervisor_id,
        assignment_ids=tuple(ids),
        agencies=agencies,
        narrowed=len(late) < len(everyone),
    )


def prior_papers(session: Session, assignment_ids: Sequence[int]) -> tuple[facts.PriorPaper, ...]:
    """The letters that were recorded about these assignments, oldest first."""
    e = table(Event)
    statement = select(e.c.detail).where(
        among(session, e.c.assignment_id, assignment_ids), e.c.kind == EventKind.PAPER_RECORDED
    )
    found = {(each["on"], each["number"]) for each in session.connection().scalars(statement)}
    return tuple(facts.PriorPaper(number, date.fromisoformat(on)) for on, number in sorted(found))


@dataclass(frozen=True, kw_only=True)
class WaitingDraft:
    """What has been chased by letter as far as the ladder goes without a paper, and has none yet: a draft by itself."""

    plan_id: int
    plan: str
    supervisor_id: str
    agencies: int
    assignments: int
    since: date
    """The day on which the first of them was chased to that level."""
    assignment_ids: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class IssuedPaper:
    """A dispatch whose number and date are recorded; ``assignment_id``: one of those it is about."""

    number: str
    on: date
    plan_id: int
    plan: str
    agencies: int
    assignments: int
    assignment_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Late:
    """An overdue order that was escalated, with its plan."""

    id: int
    agency_id: str
    ladder_id: int
    plan_id: int
    number: str
    supervisor_id: str


def waiting_drafts(session: Session, today: Today, department: str = "") -> tuple[WaitingDraft, ...]:
    """By plan, of one supervising department or of all: overdue orders that were chased, by letters that left, to the
    level at which the ladder asks for a paper, with no paper recorded and no draft dropped since. Three queries."""
    a, p = table(Assignment), table(Plan)
    columns = (a.c.id, a.c.agency_id, a.c.ladder_id, a.c.plan_id, p.c.number, p.c.supervisor_id)
    statement = (
        select(*columns)
        .join(p, p.c.id == a.c.plan_id)
        .where(situations.overdue(today.day), a.c.level > 0, ~a.c.request, a.c.agency_id != p.c.supervisor_id)
        .limit(MAX_WAITING)
    )
    if department:
        statement = statement.where(p.c.supervisor_id == department)
    late = objects(_Late, session.connection().execute(statement))
    asks = {key: paper_level(ladder) for key, ladder in read_rulebook(session).ladders.items()}
    found, ids = chased(session, [row.id for row in late]), [row.id for row in late]
    e = table(Event)
    issued: dict[int, str] = {}
    settled = select(e.c.assignment_id, e.c.detail).where(among(session, e.c.assignment_id, ids), e.c.kind.in_(SETTLED))
    for row in session.connection().execute(settled):
        issued[row.assignment_id] = max(issued.get(row.assignment_id, ""), row.detail["on"])
    plans: dict[int, list[tuple[_Late, date]]] = {}
    for order in late:
        each, level = found.get(order.id), asks.get(order.ladder_id, 0)
        if each is None or each.level_on is None or not level or each.level < level:
            continue
        if issued.get(order.id, "") < each.level_on.isoformat():
            plans.setdefault(order.plan_id, []).append((order, each.level_on))
    return tuple(sorted(map(_draft, plans.values()), key=lambda draft: (draft.since, draft.plan)))


def _draft(members: Sequence[tuple[_Late, date]]) -> WaitingDraft:
    first, _ = members[0]
    return WaitingDraft(
        plan_id=first.plan_id,
        plan=first.number,
        supervisor_id=first.supervisor_id,
        agencies=len({row.agency_id for row, _ in members}),
        assignments=len(members),
        since=min(day for _, day in members),
        assignment_ids=tuple(row.id for row, _ in members),
    )


def issued_papers(session: Session, within: Collection[str] | None, limit: int | None = 50) -> tuple[IssuedPaper, ...]:
    """The recorded dispatches, newest first, about assignments of these agencies (None: all). One query."""
    e, a, p = table(Event), table(Assignment), table(Plan)
    statement = (
        select(e.c.detail, e.c.plan_id, p.c.number, e.c.assignment_id, a.c.agency_id)
        .join(a, a.c.id == e.c.assignment_id)
        .join(p, p.c.id == e.c.plan_id)
        .where(e.c.kind == EventKind.PAPER_RECORDED)
        .order_by(e.c.id.desc())
        .limit(MAX_WAITING)
    )
    if within is not None:
        statement = statement.where(among(session, a.c.agency_id, within))
    papers: dict[tuple[int, str, str], list[AnyRow]] = {}
    for row in session.connection().execute(statement):
        papers.setdefault((row.plan_id, row.detail["number"], row.detail["on"]), []).append(row)
    return tuple(
        IssuedPaper(
            number=number,
            on=date.fromisoformat(on),
            plan_id=plan_id,
            plan=rows[0].number,
            agencies=len({row.agency_id for row in rows}),
            assignments=len(rows),
            assignment_id=rows[-1].assignment_id,
        )
        for (plan_id, number, on), rows in list(papers.items())[:limit]
    )


def _rows(session: Session, today: Today, wanted: AssignmentFilter, which: TimeClass) -> list[AssignmentRow]:
    fields = wanted.__dict__ | {"classes": (which,)}
    return rows(session, today, AssignmentFilter(**fields), MAX_ROWS)


def _note(row: AssignmentRow, today: date, *, extension: bool) -> str:
    promised = promise_words(row.promised_on, row.promises, today)
    said = ["Đã xin gia hạn"] if extension else []
    if promised is not None:
        said.append(promised.vi[:1].upper() + promised.vi[1:])
    return "; ".join(said)


def _status(row: AssignmentRow) -> str:
    if row.state is State.RETURNED:
        return "Báo cáo trả lại"
    if row.outcome is not None and not row.outcome.ends:
        return "Đã báo cáo, chưa hoàn thành"
    return "Đã báo cáo" if row.first_reported_on else "Chưa gửi báo cáo"


def _levels(session: Session) -> dict[str, str]:
    g = table(Agency)
    return {row.id: row.level for row in session.connection().execute(select(g.c.id, g.c.level))}


def _extensions(session: Session, assignment_ids: Sequence[int]) -> frozenset[int]:
    x = table(Extension)
    statement = select(x.c.assignment_id).where(
        among(session, x.c.assignment_id, assignment_ids), x.c.decided_at.is_(None)
    )
    return frozenset(session.connection().scalars(statement))


PaperLine = WaitingDraft | IssuedPaper
WAITS, ISSUED = Text("dự thảo chờ ban hành", "draft to be issued"), Text("đã phát hành", "issued")


def _state(row: PaperLine, language: str) -> str:
    return (WAITS if isinstance(row, WaitingDraft) else ISSUED).said(language)


PAPER_LIST: Listing[PaperLine] = Listing(
    file_name="van-ban",
    title=Text("Văn bản đôn đốc", "Dispatches"),
    columns=(
        Column(Text("Kế hoạch", "Plan"), lambda row, _: row.plan, width=18),
        Column(Text("Tình trạng", "State"), _state, width=24),
        Column(
            Text("Số công văn", "Number"), lambda row, _: row.number if isinstance(row, IssuedPaper) else None, width=24
        ),
        Column(
            Text("Ngày ban hành", "Issued on"),
            lambda row, _: row.on if isinstance(row, IssuedPaper) else None,
            Kind.DAY,
            12,
        ),
        Column(Text("Số việc", "Assignments"), lambda row, _: row.assignments, Kind.NUMBER, 12),
        Column(Text("Số cơ quan", "Agencies"), lambda row, _: row.agencies, Kind.NUMBER, 12),
        Column(
            Text("Đã đôn đốc bằng thư từ", "Chased by letter since"),
            lambda row, _: row.since if isinstance(row, WaitingDraft) else None,
            Kind.DAY,
            14,
        ),
    ),
)
