"""The facts of the leadership's page as a paper: today's standing, a week ago, and who is furthest behind."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import select
from sqlmodel import Session

from engine.features.papers.facts import PaperKind, short_committee
from engine.features.papers.issuers import issuer_of, settings_of
from engine.features.papers.quick_report import QuickReport, RankRow, Worst
from engine.queries.figures.outlook import Behind, outlook
from engine.queries.figures.plan_progress import Standing
from engine.queries.time_class import Today
from engine.rules.words import period_words
from engine.store.database import table
from engine.store.records import Agency
from engine.store.stored_rows import StoredPlan

NAMED = 3


def quick_report(
    session: Session, today: Today, plan_row: StoredPlan, period: str, *, whole_plans: bool
) -> QuickReport:
    """``plan_row`` names the issuer; with ``whole_plans`` the figures are those of every running plan."""
    plan_id = None if whole_plans else plan_row.id
    found = outlook(session, today, plan_id=plan_id, period=period)
    now, week = found.now, found.week
    subject = "các kế hoạch đang thực hiện" if whole_plans else f"Kế hoạch số {plan_row.number}"
    if period:
        subject += f" {period_words(period, 'vi')}"
    g = table(Agency)
    province = session.connection().scalar(select(g.c.name).where(g.c.id == plan_row.issuer_id)) or ""
    leader = settings_of(session, plan_row.supervisor_id).leader or f"Lãnh đạo {province}"
    return QuickReport(
        issuer=issuer_of(session, plan_row, PaperKind.QUICK),
        leader=leader,
        subject=subject,
        as_of=today.now,
        rows=rank_rows(now),
        worst=_worst(found.behind),
        next_dates=found.next_dates,
        past_plans=len(found.past),
        past_unfinished=found.past_unfinished,
        not_asked=now.total.not_asked,
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


def _worst(behind: Sequence[Behind]) -> tuple[Worst, ...]:
    """The agencies whose overdue orders are the oldest. Those that have been overdue for equally long are named all, or
    told as so many: none of them is further behind than the others."""
    found: list[Worst] = []
    for due, tied in groupby(behind, key=lambda each: each.since):
        agencies = list(tied)
        if len(found) + len(agencies) > NAMED:
            return (*found, Worst("", sum(each.overdue for each in agencies), agencies[0].late, len(agencies), due))
        found += [Worst(short_committee(each.name), each.overdue, each.late) for each in agencies]
        if len(found) == NAMED:
            break
    return tuple(found)
