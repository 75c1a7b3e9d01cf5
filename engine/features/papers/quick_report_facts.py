"""The facts of the leadership's page as a paper: today's standing, a week ago, and who is furthest behind."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby

from sqlalchemy import func, select
from sqlmodel import Session

from engine.assignments.measures import unfinished
from engine.features.papers.facts import PaperKind, short_committee
from engine.features.papers.issuers import issuer_of, settings_of
from engine.features.papers.quick_report import QuickReport, RankRow, Worst
from engine.queries.figures.plan_progress import Standing, since, standings
from engine.queries.time_class import Today
from engine.rules.words import period_words
from engine.store.database import table
from engine.store.records import Agency, Assignment, Plan
from engine.store.stored_rows import StoredPlan
from engine.terms import PlanState

WEEK = timedelta(days=7)
NAMED = 3


def quick_report(
    session: Session, today: Today, plan_row: StoredPlan, period: str, *, whole_plans: bool
) -> QuickReport:
    """``plan_row`` names the issuer; with ``whole_plans`` the figures are those of every active plan."""
    plan_id = None if whole_plans else plan_row.id
    now, then = standings(session, (today.day, today.day - WEEK), plan_id=plan_id, period=period).days
    subject = "các kế hoạch đang thực hiện" if whole_plans else f"Kế hoạch số {plan_row.number}"
    if period:
        subject += f" {period_words(period, 'vi')}"
    g = table(Agency)
    province = session.connection().scalar(select(g.c.name).where(g.c.id == plan_row.issuer_id)) or ""
    leader = settings_of(session, plan_row.supervisor_id).leader or f"Lãnh đạo {province}"
    week = since(then, now)
    return QuickReport(
        issuer=issuer_of(session, plan_row, PaperKind.QUICK),
        leader=leader,
        subject=subject,
        as_of=today.now,
        rows=rank_rows(now),
        worst=_worst(session, today, plan_id, period),
        asked=now.asked_total.expected,
        asked_done=now.asked_total.on_time + now.asked_total.late,
        done_more=None if week is None else week.done,
        overdue_more=None if week is None else week.overdue,
    )


def rank_rows(standing: Standing) -> tuple[RankRow, ...]:
    """The agencies of a standing as rows of the ranking."""
    return tuple(
        RankRow(
            agency=each.name,
            on_time=each.tally.on_time,
            late=each.tally.late,
            in_term=each.tally.in_term + each.tally.no_deadline,
            overdue=each.tally.overdue,
            reports=each.tally.reported,
            reports_on_time=each.tally.reported_on_time,
        )
        for each in standing.agencies
    )


def _worst(session: Session, today: Today, plan_id: int | None, period: str) -> tuple[Worst, ...]:
    """The agencies whose overdue orders are the oldest. Those that have been overdue for equally long are named all, or
    told as so many: none of them is further behind than the others."""
    a, p, g = table(Assignment), table(Plan), table(Agency)
    oldest = func.min(a.c.due_on)
    statement = (
        select(g.c.name, func.count(), oldest)
        .join(p, p.c.id == a.c.plan_id)
        .join(g, g.c.id == a.c.agency_id)
        .where(unfinished(), a.c.due_on < today.day, ~a.c.request, p.c.state == PlanState.ACTIVE)
        .group_by(g.c.id, g.c.name)
        .order_by(oldest, func.count().desc(), g.c.name)
    )
    if plan_id is not None:
        statement = statement.where(a.c.plan_id == plan_id)
    if period:
        statement = statement.where(a.c.period == period)
    rows = session.connection().execute(statement)
    found: list[Worst] = []
    for due, tied in groupby(rows, key=lambda row: row[2]):
        agencies, days = list(tied), max(-(today.days_left(due) or 0), 0)
        if len(found) + len(agencies) > NAMED:
            return (*found, Worst("", sum(n for _, n, _ in agencies), days, len(agencies), due))
        found += [Worst(short_committee(name), n, days) for name, n, _ in agencies]
        if len(found) == NAMED:
            break
    return tuple(found)
