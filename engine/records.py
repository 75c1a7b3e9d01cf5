"""The tables. State of an assignment is written by ``engine.lifecycle`` alone; letters by ``engine.outbox`` and the
delivering pass. Instants are aware UTC, deadlines local dates. Bulk work goes through ``Model.__table__`` (Core).
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Enum, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from engine.terms import EventKind, LetterState, NoticeKind, PlanState, Quiet, Role, State, Urgency

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
# What the partial indexes serve; the passes' queries must say the same words for the index to be used.
HAS_NEXT = text("next_action_at IS NOT NULL")
HAS_OPENING = text("next_open_at IS NOT NULL")
LOST = text("next_action_at IS NULL AND quiet IS NULL AND state IN ('assigned','acknowledged','returned')")
STILL_OPEN = text("state IN ('assigned','acknowledged','returned')")
STILL_OWED = text("state IN ('queued','sending')")
WITH_RECEIPT = text("receipt <> ''")
WAITING = text("decided_at IS NULL")
TO_ACCEPT = text("state = 'reported'")
DECLINED = text("kind = 'declined'")
EARLY = text("outcome = 'early'")
BigId = BigInteger().with_variant(Integer(), "sqlite")


def by_value(kind: type[StrEnum], *, nullable: bool = False, index: bool = False) -> Any:
    """A column for a StrEnum that stores its value as text, so that a new word needs no migration of old rows."""
    stored = Enum(
        kind,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        create_constraint=False,
        length=32,
        validate_strings=True,
    )
    return Column(stored, nullable=nullable, index=index)


def json_column(*, nullable: bool = False, default: Any = None) -> Any:
    return Column(JSON(none_as_null=nullable), nullable=nullable, default=default)


class Agency(SQLModel, table=True):
    """A body that owns duties. ``names`` is [{name, short, from, until}], newest last; the id never changes."""

    id: str = Field(primary_key=True, max_length=64)
    level: str = Field(max_length=32)
    code: str | None = Field(default=None, max_length=16)
    parent_id: str | None = Field(default=None, foreign_key="agency.id")
    name: str
    short: str
    names: list[dict[str, Any]] = Field(sa_column=json_column())
    aliases: list[str] = Field(sa_column=json_column())


class Succession(SQLModel, table=True):
    """From a date on, a function of one agency belongs to another, by a legal basis. Never a blanket rename."""

    __table_args__ = (UniqueConstraint("from_id", "to_id", "on", "function"),)
    id: int | None = Field(default=None, primary_key=True)
    from_id: str = Field(foreign_key="agency.id")
    to_id: str = Field(foreign_key="agency.id")
    on: date
    function: str
    basis: str


class AgencyGroup(SQLModel, table=True):
    """A named set of agencies: «UBND các huyện, thành phố, thị xã». ``members`` are agency ids."""

    __tablename__ = "agency_group"
    id: str = Field(primary_key=True, max_length=64)
    name: str
    aliases: list[str] = Field(default_factory=list, sa_column=json_column(default=list))
    members: list[str] = Field(sa_column=json_column())


class Contact(SQLModel, table=True):
    """A mailbox and telephone that answer for an agency in one role between two dates. Personal data (Law 91/2025):
    e-mail and phone are blanked when the person leaves; the id stays for the events. ``links_since`` revokes every
    link made before it."""

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
    """Channel -> reason: a dead address, or stopped by the person within what policy allows."""
    pace: dict[str, str] = Field(default_factory=dict, sa_column=json_column(default=dict))
    """Channel -> ``weekly``: the person asked for what can wait once a week, within what policy allows."""


class PolicyRecord(SQLModel, table=True):
    """A policy file as loaded: the current one of each id."""

    __tablename__ = "policy"
    id: str = Field(primary_key=True, max_length=64)
    body: dict[str, Any] = Field(sa_column=json_column())
    loaded_at: datetime


class LadderRecord(SQLModel, table=True):
    """A ladder, addressed by its content and never changed: an assignment keeps the ladder it was opened with."""

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


class Plan(SQLModel, table=True):
    """An issued document. Numbers restart each January, so the key is number, issuer and year."""

    __table_args__ = (
        UniqueConstraint("number", "issuer_id", "year"),
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
    next_open_at: datetime | None = None
    digest: str = Field(max_length=64)
    file: dict[str, Any] = Field(sa_column=json_column())
    """The plan file as loaded (engine.planfile.PlanFile), whole: rules, indicators, focus areas, gaps."""


class Duty(SQLModel, table=True):
    """One numbered line of a plan. ``owners`` are agency ids after groups were expanded, in the directory's order.
    ``added`` is set on a duty that came after the document (engine.adhoc.Added): ``rule`` is empty then."""

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
    added: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))


class Assignment(SQLModel, table=True):
    """Duty x owner agency x period. ``acted_until``: every rung dated up to and including it has been dealt with.
    ``next_action_at`` is the one thing a pass looks at; when it is null, ``quiet`` says why."""

    __table_args__ = (
        UniqueConstraint("duty_id", "agency_id", "period"),
        Index("ix_assignment_next_action_at", "next_action_at", sqlite_where=HAS_NEXT, postgresql_where=HAS_NEXT),
        # Wide on purpose: the board counts every assignment of the running plans out of the index alone, the desk its
        # agency's, the overdue list what is late.
        Index("ix_assignment_counted", "plan_id", "period", "agency_id", "state", "due_on", "reported_on", "opened_on"),
        Index("ix_assignment_desk", "agency_id", "state", "due_on", "plan_id"),
        Index("ix_assignment_due_on", "due_on"),
        Index("ix_assignment_lost", "id", sqlite_where=LOST, postgresql_where=LOST),
        Index(
            "ix_assignment_open_due_on", "due_on", "agency_id", "plan_id", "id",
            sqlite_where=STILL_OPEN, postgresql_where=STILL_OPEN,
        ),
        Index(
            "ix_assignment_to_accept", "reported_at", "agency_id", "plan_id",
            sqlite_where=TO_ACCEPT, postgresql_where=TO_ACCEPT,
        ),
    )  # fmt: skip
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    plan_id: int = Field(foreign_key="plan.id")
    duty_id: int = Field(foreign_key="duty.id")
    agency_id: str = Field(foreign_key="agency.id", max_length=64)
    supervisor_id: str = Field(foreign_key="agency.id", max_length=64)
    period: str = Field(max_length=16)
    window_start: date | None = None
    window_end: date | None = None
    nominal_due: date | None = None
    original_due_on: date | None = None
    due_on: date | None = None
    due_why: dict[str, str] = Field(default_factory=dict, sa_column=json_column())
    ladder_id: int = Field(foreign_key="ladder.id")
    state: State = Field(default=State.ASSIGNED, sa_column=by_value(State))
    opened_at: datetime
    opened_on: date
    acknowledged_at: datetime | None = None
    reported_at: datetime | None = None
    reported_on: date | None = None
    """Local date of the report that counts; null while none is in (a returned report counts as not done)."""
    accepted_at: datetime | None = None
    acted_until: date | None = None
    next_action_at: datetime | None = None
    quiet: Quiet | None = Field(default=None, sa_column=by_value(Quiet, nullable=True))
    level: int = 0
    """The highest escalation level reached («đôn đốc lần 1/2/3»)."""
    transferred_from_id: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))


class Report(SQLModel, table=True):
    """One submission about one assignment; a correction after a return is a new row."""

    __table_args__ = (UniqueConstraint("assignment_id", "number"),)
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    assignment_id: int = Field(sa_column=Column(BigId, nullable=False))
    number: int = 1
    submitted_at: datetime
    actor: str
    outcome: str = Field(max_length=16)
    """done | partly | not_yet"""
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    body: str = Field(default="", sa_column=Column(Text, nullable=False))
    figures: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    files: list[dict[str, Any]] = Field(default_factory=list, sa_column=json_column())
    returned_at: datetime | None = None
    returned_reason: str = Field(default="", sa_column=Column(Text, nullable=False))


class Extension(SQLModel, table=True):
    """A request for a later due date and what the body that set the date decided. At most one waits."""

    __table_args__ = (
        Index("uq_extension_waiting", "assignment_id", unique=True, sqlite_where=WAITING, postgresql_where=WAITING),
    )
    id: int | None = Field(default=None, primary_key=True)
    assignment_id: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    asked_at: datetime
    actor: str
    until: date
    reason: str = Field(sa_column=Column(Text, nullable=False))
    decided_at: datetime | None = None
    decided_by: str = ""
    granted: bool | None = None
    answer: str = Field(default="", sa_column=Column(Text, nullable=False))


class Event(SQLModel, table=True):
    """Append-only: everything that happened, by whom, when. ``key`` makes an automatic event idempotent."""

    __table_args__ = (
        Index("ix_event_assignment_id_id", "assignment_id", "id"),
        Index("ix_event_declined", "assignment_id", "id", sqlite_where=DECLINED, postgresql_where=DECLINED),
    )
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    at: datetime
    kind: EventKind = Field(sa_column=by_value(EventKind))
    actor: str = Field(default="system", max_length=96)
    """``system``, ``contact:12``, ``account:3``, ``cli:root``, ``api:token-id``."""
    plan_id: int | None = None
    assignment_id: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    key: str | None = Field(default=None, max_length=160, unique=True)


class Letter(SQLModel, table=True):
    """What is owed to one person on one channel on one day: the outbox. ``key`` holds the one-a-day rule:
    ``letter:<contact>:<channel>:<ISO date>``."""

    __table_args__ = (
        Index("ix_letter_send_after", "send_after", sqlite_where=STILL_OWED, postgresql_where=STILL_OWED),
        Index("ix_letter_contact_id_day", "contact_id", "day"),
        Index("ix_letter_day_state", "day", "state"),
        Index("ix_letter_receipt", "receipt", sqlite_where=WITH_RECEIPT, postgresql_where=WITH_RECEIPT),
    )
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    key: str = Field(unique=True, max_length=96)
    contact_id: int = Field(foreign_key="contact.id")
    agency_id: str = Field(max_length=64)
    role: Role = Field(sa_column=by_value(Role))
    channel: str = Field(max_length=16)
    day: date
    urgent: bool = False
    digest_week: str | None = Field(default=None, max_length=8)
    send_after: datetime
    state: LetterState = Field(default=LetterState.QUEUED, sa_column=by_value(LetterState))
    reason: str = ""
    lease_until: datetime | None = None
    leased_by: str = ""
    attempts: int = 0
    receipt: str = Field(default="", max_length=160)
    created_at: datetime
    sent_at: datetime | None = None
    settled_at: datetime | None = None


class LetterBody(SQLModel, table=True):
    """Exactly what was sent; pruned after a set time, the letter's row stays."""

    __tablename__ = "letter_body"
    letter_id: int = Field(sa_column=Column(BigId, primary_key=True, autoincrement=False))
    subject: str
    text: str = Field(sa_column=Column(Text, nullable=False))
    html: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    """zlib-compressed UTF-8."""


class Notice(SQLModel, table=True):
    """One line of a letter: one assignment, one rung or act. The key is the effect's:
    ``assignment:418:2021-06-17:T-3:12:email``."""

    __table_args__ = (Index("ix_notice_assignment_id", "assignment_id"), Index("ix_notice_letter_id", "letter_id"))
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    key: str = Field(unique=True, max_length=160)
    letter_id: int = Field(sa_column=Column(BigId, nullable=False))
    assignment_id: int = Field(sa_column=Column(BigId, nullable=False))
    kind: NoticeKind = Field(sa_column=by_value(NoticeKind))
    rung: str = Field(default="", max_length=16)
    level: int = 0
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    moot: str = Field(default="", max_length=64)
    """Why it was left out at the last moment: already reported, cancelled …; empty when it was said."""


class Delivery(SQLModel, table=True):
    """What became of one attempt to send one letter."""

    __table_args__ = (UniqueConstraint("letter_id", "attempt"),)
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    letter_id: int = Field(sa_column=Column(BigId, nullable=False))
    attempt: int
    at: datetime
    fate: str = Field(max_length=16)
    code: str = Field(default="", max_length=32)
    reply: str = Field(default="", max_length=500)
    receipt: str = Field(default="", max_length=160)


class Digest(SQLModel, table=True):
    """One weekly digest per recipient and ISO week; ``letter_id`` is null when there was nothing to say."""

    __table_args__ = (UniqueConstraint("contact_id", "week"),)
    id: int | None = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id")
    week: str = Field(max_length=8)
    letter_id: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    at: datetime


class Pass(SQLModel, table=True):
    """The last run of each pass: what the health page and the digest's catch-up look at."""

    name: str = Field(primary_key=True, max_length=32)
    started_at: datetime
    finished_at: datetime | None = None
    counts: dict[str, int] = Field(default_factory=dict, sa_column=json_column())
    error: str = Field(default="", sa_column=Column(Text, nullable=False))


class Fact(SQLModel, table=True):
    """Small named facts that outlive a process: where the demonstration clock stands, the digest week last made."""

    name: str = Field(primary_key=True, max_length=64)
    value: str


class Account(SQLModel, table=True):
    """Somebody who signs in. ``role`` is engine.access.ActorRole; an account acts for one agency. The password is an
    argon2 hash, empty where the person signs in by a link or by the province's single sign-on (``subject``)."""

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True, max_length=254)
    label: str = ""
    role: str = Field(max_length=16)
    agency_id: str = Field(foreign_key="agency.id", max_length=64)
    password: str = ""
    subject: str | None = Field(default=None, unique=True, max_length=255)
    language: str = Field(default="vi", max_length=5)
    active: bool = True
    created_at: datetime


class SignedIn(SQLModel, table=True):
    """One session of an account: the cookie's digest, never the cookie. Ends by time or by hand."""

    __tablename__ = "signed_in"
    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", index=True)
    digest: str = Field(unique=True, max_length=64)
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    device: str = Field(default="", max_length=120)


class SignInLink(SQLModel, table=True):
    """A link sent to an account's mailbox: signs in once, within minutes. The digest alone is kept."""

    __tablename__ = "sign_in_link"
    digest: str = Field(primary_key=True, max_length=64)
    account_id: int = Field(foreign_key="account.id", index=True)
    expires_at: datetime
    used_at: datetime | None = None


class ApiToken(SQLModel, table=True):
    """A program's key to the API with the scopes it was given; the digest alone is kept."""

    __tablename__ = "api_token"
    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", index=True)
    digest: str = Field(unique=True, max_length=64)
    label: str
    scopes: list[str] = Field(sa_column=json_column())
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class Attempt(SQLModel, table=True):
    """Something counted for a rate limit: a sign-in tried, a link asked for. Pruned after a day."""

    __table_args__ = (Index("ix_attempt_subject_at", "subject", "at"),)
    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(max_length=160)
    at: datetime


class Draft(SQLModel, table=True):
    """A report page as typed so far: one an agency, plan and period."""

    __table_args__ = (UniqueConstraint("agency_id", "plan_id", "period"),)
    id: int | None = Field(default=None, primary_key=True)
    agency_id: str = Field(foreign_key="agency.id", max_length=64)
    plan_id: int = Field(foreign_key="plan.id")
    period: str = Field(max_length=16)
    body: dict[str, Any] = Field(sa_column=json_column())
    actor: str
    saved_at: datetime


class Evidence(SQLModel, table=True):
    """A file that an agency uploaded, by its SHA-256; its bytes lie once under data_dir/files, outside the web root,
    never executed. Two agencies that upload the same bytes have a row each: neither sees that the other did."""

    digest: str = Field(primary_key=True, max_length=64)
    agency_id: str = Field(primary_key=True, foreign_key="agency.id", max_length=64)
    size: int
    media_type: str = Field(max_length=100)
    name: str = Field(max_length=200)
    actor: str
    at: datetime


class Feed(SQLModel, table=True):
    """A calendar's secret address, for an agency or one contact; revocable."""

    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True, max_length=64)
    agency_id: str = Field(foreign_key="agency.id", max_length=64)
    contact_id: int | None = None
    created_at: datetime
    revoked_at: datetime | None = None


class Frozen(SQLModel, table=True):
    """Figures as published at a cut-off: they never change; what was learnt later is shown as a restatement."""

    __table_args__ = (UniqueConstraint("plan_id", "period", "cut_off"),)
    id: int | None = Field(default=None, primary_key=True)
    plan_id: int = Field(foreign_key="plan.id")
    period: str = Field(max_length=16)
    cut_off: date
    body: dict[str, Any] = Field(sa_column=json_column())
    actor: str
    at: datetime


class AnswerCode(SQLModel, table=True):
    """The short code in an SMS («XN 4821»): for one letter, one contact, once."""

    __tablename__ = "answer_code"
    __table_args__ = (Index("ix_answer_code_contact_id_code", "contact_id", "code"),)
    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(max_length=8)
    contact_id: int = Field(foreign_key="contact.id")
    letter_id: int = Field(sa_column=Column(BigId, nullable=False, unique=True))
    expires_at: datetime
    used_at: datetime | None = None


class Incoming(SQLModel, table=True):
    """An answer, bounce or receipt that came in, once: ``external_id`` is the other side's id for it."""

    __table_args__ = (
        UniqueConstraint("channel", "external_id"),
        Index("ix_incoming_early", "id", sqlite_where=EARLY, postgresql_where=EARLY),
    )
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    channel: str = Field(max_length=16)
    external_id: str = Field(max_length=255)
    at: datetime
    kind: str = Field(max_length=32)
    letter_id: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    contact_id: int | None = None
    outcome: str = Field(default="", max_length=64)
    answered: bool = False
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=json_column(default=dict))
    """What acting on it still needs: a receipt that came before its letter was settled, the subject to answer under."""


class IdempotencyKey(SQLModel, table=True):
    """An API write that was done, with its answer: asked again with the same key, it is answered the same."""

    __tablename__ = "idempotency_key"
    key: str = Field(primary_key=True, max_length=160)
    request_digest: str = Field(max_length=64)
    status: int
    body: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime
