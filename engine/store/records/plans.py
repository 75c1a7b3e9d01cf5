"""Plans and their duties."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from engine.store.records.columns import by_value, json_column
from engine.terms import PastPeriods, PlanState, Urgency

# Conditions of the partial indexes; queries must use the same text for the index to be used.
HAS_OPENING = text("next_open_at IS NOT NULL")


class Plan(SQLModel, table=True):
    """An issued document. Numbers restart each January, so the key is number, issuer and year of issue (which loading
    looks for; the constraint holds what it can). ``year``: the year that it plans; for a plan of November, the next."""

    __table_args__ = (
        UniqueConstraint("number", "issuer_id", "issued_on"),
        Index("ix_plan_next_open_at", "next_open_at", sqlite_where=HAS_OPENING, postgresql_where=HAS_OPENING),
    )
    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(max_length=64)
    issuer_id: str = Field(foreign_key="agency.id")
    year: int
    issued_on: date
    title: str
    short_title: str
    sms_name: str
    supervisor_id: str = Field(foreign_key="agency.id")
    urgency: Urgency = Field(default=Urgency.NORMAL, sa_column=by_value(Urgency))
    policy_id: str = Field(foreign_key="policy.id")
    state: PlanState = Field(default=PlanState.LOADED, sa_column=by_value(PlanState))
    activated_at: datetime | None = None
    past_periods: PastPeriods = Field(
        default=PastPeriods.OVERDUE, sa_column=by_value(PastPeriods, default=PastPeriods.OVERDUE)
    )
    """Chosen at activation."""
    next_open_at: datetime | None = None
    digest: str = Field(max_length=64)
    file: dict[str, Any] = Field(sa_column=json_column())
    """The whole plan file as loaded (engine.files.plan.PlanFile): rules, indicators, focus areas, gaps."""
    followed: dict[str, Any] = Field(default_factory=dict, sa_column=json_column(default=dict))
    """Ended agency -> who followed it in this plan, from what day, on what basis (engine.assignments.followed)."""


class Duty(SQLModel, table=True):
    """One numbered line of a plan. ``owners`` are agency ids after expanding groups, in the directory's order.
    ``added`` is set on a duty added after the document (engine.plans.amendments.Added); its ``rule`` is empty."""

    __table_args__ = (UniqueConstraint("plan_id", "citation"),)
    id: int | None = Field(default=None, primary_key=True)
    plan_id: int = Field(foreign_key="plan.id")
    position: int
    citation: str = Field(max_length=32)
    heading: str
    text: str = Field(sa_column=Column(Text, nullable=False))
    request: bool = False
    kind: str = Field(default="assignments", max_length=16)
    cadence: list[str] = Field(sa_column=json_column())
    rule: str
    owners: list[str] = Field(sa_column=json_column())
    coordinating: list[str] = Field(sa_column=json_column())
    area: str | None = None
    repeats: str | None = None
    waits_for: list[str] = Field(sa_column=json_column())
    output: dict[str, str] | None = Field(default=None, sa_column=json_column(nullable=True))
    """What proves it done (engine.rules.outputs.Output)."""
    added: dict[str, object] | None = Field(default=None, sa_column=json_column(nullable=True))


class PlanDraft(SQLModel, table=True):
    """A plan document under review (``state``: PlanDraft of ``engine.features.plan_import.drafts``): kept from upload
    until it is saved as a plan, thrown away, or unused for long. ``duties``, ``to_settle``: how far it is."""

    __tablename__ = "plan_draft"
    id: int | None = Field(default=None, primary_key=True)
    name: str
    number: str = Field(max_length=64)
    state: dict[str, Any] = Field(sa_column=json_column())
    duties: int
    to_settle: int
    made_at: datetime
    made_by: str = Field(max_length=96)
    changed_at: datetime = Field(index=True)
    changed_by: str = Field(max_length=96)
