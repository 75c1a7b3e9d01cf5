"""What is loaded from files and edited on pages: agencies and their contacts, plans and their duties, policies,
ladders, the working calendar."""

from datetime import date, datetime
from typing import Any, TypedDict

from sqlalchemy import Column, Index, LargeBinary, Text, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from engine.store.records.columns import by_value, json_column
from engine.terms import PastPeriods, PlanState, Role, Urgency

AgencyName = TypedDict(
    "AgencyName", {"from": str | None, "until": str | None, "name": str, "short": str | None}, total=False
)
"""A name of an agency with its first and last day, ISO dates; None is open-ended. ``from`` is no name in Python."""


class Agency(SQLModel, table=True):
    """An agency that owns duties. ``names`` is [{name, short, from, until}], newest last; the id never changes."""

    id: str = Field(primary_key=True, max_length=64)
    level: str = Field(max_length=32)
    code: str | None = Field(default=None, max_length=16)
    parent_id: str | None = Field(default=None, foreign_key="agency.id")
    name: str
    short: str
    names: list[dict[str, Any]] = Field(sa_column=json_column())
    aliases: list[str] = Field(sa_column=json_column())


class Succession(SQLModel, table=True):
    """From a date on, a function of one agency belongs to another, on a legal basis. Never a mere rename."""

    __table_args__ = (UniqueConstraint("from_id", "to_id", "on", "function"),)
    id: int | None = Field(default=None, primary_key=True)
    from_id: str = Field(foreign_key="agency.id")
    to_id: str = Field(foreign_key="agency.id")
    on: date
    function: str
    basis: str
    words: list[str] = Field(default_factory=list, sa_column=json_column(default=list))
    """By which the text of a duty is known to belong to the function, besides its name."""
    seat: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """The one of several successors that reports for the ended agency, unless another choice is made."""
    inferred: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """The basis does not say this itself: the office confirms it."""


class AgencyGroup(SQLModel, table=True):
    """A named set of agencies: «UBND các huyện, thành phố, thị xã». ``members`` are agency ids."""

    __tablename__ = "agency_group"
    id: str = Field(primary_key=True, max_length=64)
    name: str
    aliases: list[str] = Field(default_factory=list, sa_column=json_column(default=list))
    members: list[str] = Field(sa_column=json_column())


class Contact(SQLModel, table=True):
    """A mailbox and telephone of an agency in one role between two dates. Personal data (Law 91/2025/QH15): e-mail and
    phone are blanked when the person leaves; the id is kept for the events. ``links_since`` revokes all links made
    before it."""

    __table_args__ = (Index("ix_contact_agency_id_role", "agency_id", "role"),)
    id: int | None = Field(default=None, primary_key=True)
    agency_id: str = Field(foreign_key="agency.id")
    role: Role = Field(sa_column=by_value(Role))
    label: str = ""
    email: str = ""
    phone: str = ""
    language: str = Field(default="vi", max_length=5)
    valid_from: date | None = None
    valid_until: date | None = None
    links_since: datetime | None = None
    suppressed: dict[str, str] = Field(default_factory=dict, sa_column=json_column())
    """Channel -> reason: an invalid address, or stopped by the person as far as the policy allows."""
    pace: dict[str, str] = Field(default_factory=dict, sa_column=json_column(default=dict))
    """Channel -> ``weekly``: the person wants non-urgent notices once a week, as far as the policy allows."""
    instead: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Of a deputy: written to instead of the coordinator, not beside."""
    named_by: int | None = Field(default=None, foreign_key="contact.id")
    """Of a deputy: the contact in whose name they were named, with whom they end."""
    proposed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Of a deputy named through the link of a letter: nobody writes to them until a coordinator or head agrees."""


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


class PolicyRecord(SQLModel, table=True):
    """A policy file as loaded; the current version of each id."""

    __tablename__ = "policy"
    id: str = Field(primary_key=True, max_length=64)
    body: dict[str, Any] = Field(sa_column=json_column())
    loaded_at: datetime


class LadderRecord(SQLModel, table=True):
    """A ladder, identified by its content and never changed: an assignment keeps the ladder it was opened with."""

    __tablename__ = "ladder"
    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True, max_length=64)
    body: dict[str, Any] = Field(sa_column=json_column())


class CalendarDay(SQLModel, table=True):
    """The operator's exceptions to the public holidays."""

    __tablename__ = "calendar_day"
    day: date = Field(primary_key=True)
    kind: str = Field(max_length=16)
    name: str
    basis: str = ""


class PaperSettings(SQLModel, table=True):
    """How a department issues papers: what stands in their head and foot, and its own letterhead, if it has one."""

    __tablename__ = "paper_settings"
    agency_id: str = Field(primary_key=True, foreign_key="agency.id", max_length=64)
    body: dict[str, Any] = Field(sa_column=json_column())
    """engine.features.papers.facts.IssuerSettings."""
    letterhead: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    """A .docx with placeholders (docxtpl); it wins over the built-in form of the dispatch."""
    letterhead_name: str = Field(default="", max_length=200)
    actor: str = Field(max_length=96)
    at: datetime
