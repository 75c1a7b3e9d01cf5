"""Assignments, reports and the event log. An assignment's state is written only by
``engine.assignments.lifecycle``."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, Text, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from engine.store.records.columns import BigId, by_value, json_column
from engine.terms import EntryKind, EventKind, Outcome, PromiseState, Quiet, State, Timing

# Conditions of the partial indexes; queries must use the same text for the index to be used.
HAS_NEXT = text("next_action_at IS NOT NULL")
LOST = text("next_action_at IS NULL AND quiet IS NULL AND done_on IS NULL AND state NOT IN ('cancelled','transferred')")
UNFINISHED = text("done_on IS NULL AND state NOT IN ('cancelled','transferred')")
DROPPED = text("state IN ('cancelled','transferred')")
CHASED = text("level > 0 AND done_on IS NULL AND state NOT IN ('cancelled','transferred')")
DONE = text("done_on IS NOT NULL")
PROMISED = text("promised_on IS NOT NULL")
PROMISED_ASSIGNMENT = text("assignment.promised_on IS NOT NULL")
REPORTED = text("first_reported_on IS NOT NULL")
WAITING = text("decided_at IS NULL")
ASKED = text("state = 'waiting'")
STANDING = text("state = 'standing'")
BROKEN = text("state = 'broken'")
WAITED_FOR = text("waits_for IS NOT NULL")
TO_ACCEPT = text("state = 'reported'")
WITH_PAPER = text("paper_key <> ''")
JUDGED = text("output_complete IS NOT NULL")
RETURNED_FOR = text("returned_code <> ''")
UNFINISHED_REPORT = text("reason_code <> '' AND returned_at IS NULL AND superseded_at IS NULL")
RETURNED_FOR_REPORT = text("report.returned_code <> ''")
UNFINISHED_STANDS = text("report.reason_code <> '' AND report.returned_at IS NULL AND report.superseded_at IS NULL")
UNANSWERED = text("answered_at IS NULL AND kind IN ('difficulty','question','ad_hoc')")
UNANSWERED_ENTRY = text("thread_entry.answered_at IS NULL AND thread_entry.kind IN ('difficulty','question','ad_hoc')")
DECLINED = text("kind = 'declined'")
DECLINED_EVENT = text("event.kind = 'declined'")
PAPER_SETTLED = text("kind IN ('paper_recorded','paper_dropped')")
PAPER_SETTLED_EVENT = text("event.kind IN ('paper_recorded','paper_dropped')")


class Assignment(SQLModel, table=True):
    """Duty × owner agency × period. ``acted_until``: all rungs up to and including this date have been handled.
    ``next_action_at`` is the only column by which a pass selects rows; when it is null, ``quiet`` says why."""

    __table_args__ = (
        UniqueConstraint("duty_id", "agency_id", "period"),
        Index("ix_assignment_next_action_at", "next_action_at", sqlite_where=HAS_NEXT, postgresql_where=HAS_NEXT),
        # Covering indexes: the board counts all assignments of active plans from the index alone, the desk those of
        # its agency, the overdue list the late ones.
        Index(
            "ix_assignment_counted",
            "plan_id",
            "period",
            "agency_id",
            "state",
            "due_on",
            "done_on",
            "first_reported_on",
            "first_due_on",
            "outcome",
            "request",
            "opened_on",
            "not_asked_on",
        ),
        Index("ix_assignment_desk", "agency_id", "state", "due_on", "plan_id"),
        Index("ix_assignment_due_on", "due_on"),
        Index("ix_assignment_lost", "id", sqlite_where=LOST, postgresql_where=LOST),
        Index(
            "ix_assignment_unfinished",
            "due_on",
            "agency_id",
            "plan_id",
            "id",
            "period",
            "request",
            "not_asked_on",
            sqlite_where=UNFINISHED,
            postgresql_where=UNFINISHED,
        ),
        Index("ix_assignment_dropped", "id", sqlite_where=DROPPED, postgresql_where=DROPPED),
        Index("ix_assignment_chased", "plan_id", "due_on", sqlite_where=CHASED, postgresql_where=CHASED),
        Index(
            "ix_assignment_to_accept",
            "reported_at",
            "agency_id",
            "plan_id",
            sqlite_where=TO_ACCEPT,
            postgresql_where=TO_ACCEPT,
        ),
        Index("ix_assignment_promised", "promised_on", "plan_id", sqlite_where=PROMISED, postgresql_where=PROMISED),
        # What has changed since a day, for the figures of that day.
        Index("ix_assignment_opened_on", "opened_on"),
        Index("ix_assignment_done_on", "done_on", sqlite_where=DONE, postgresql_where=DONE),
        Index("ix_assignment_first_reported_on", "first_reported_on", sqlite_where=REPORTED, postgresql_where=REPORTED),
    )
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
    """Local date of the report that stands; null without one, as after a return."""
    outcome: Outcome | None = Field(default=None, sa_column=by_value(Outcome, nullable=True))
    """What the report that stands says of the task."""
    done_on: date | None = None
    """Local date of the report that says the task is done; null while the task is open in the four boxes."""
    promised_on: date | None = None
    """The day of the last promise that counts, kept or not: nobody is chased before it."""
    broken_before: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How many promises were broken before that one: with each, chasing begins one audience higher."""
    first_reported_on: date | None = None
    """Local date of the first report, kept when it is returned: report timeliness is judged by it."""
    first_due_on: date | None = None
    """The due date the first report is judged by, once a return has replaced ``due_on`` by a resubmission date."""
    returns: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How often a report was returned; each return begins a ladder of its own."""
    request: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """The duty is asked for («Đề nghị»), not ordered: counted apart and never ranked. Copied from the duty."""
    not_asked_on: date | None = None
    """Since then nobody is asked for it: its agency has ended, and it only counts in the figures of its period."""
    accepted_at: datetime | None = None
    acted_until: date | None = None
    next_action_at: datetime | None = None
    quiet: Quiet | None = Field(default=None, sa_column=by_value(Quiet, nullable=True))
    level: int = 0
    """The highest escalation level reached («đôn đốc lần 1/2/3»)."""
    transferred_from_id: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))


class Tally(SQLModel, table=True):
    """Of the release before: written no more, dropped with the next."""

    id: int | None = Field(default=None, primary_key=True)
    agency_id: str = Field(max_length=64, index=True)
    policy_id: str = Field(max_length=64)
    period: str = Field(max_length=16)
    due_on: date | None = None
    timing: Timing = Field(sa_column=by_value(Timing))
    """Of the task."""
    reporting: Timing = Field(sa_column=by_value(Timing))
    """Of the first report."""
    outcome: Outcome | None = Field(default=None, sa_column=by_value(Outcome, nullable=True))
    request: bool = False
    n: int


class TallyChange(SQLModel, table=True):
    """As ``Tally``."""

    __tablename__ = "tally_change"
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    plan_id: int
    agency_id: str = Field(max_length=64)
    period: str = Field(max_length=16)
    due_on: date | None = None
    timing: Timing = Field(sa_column=by_value(Timing))
    reporting: Timing = Field(sa_column=by_value(Timing))
    outcome: Outcome | None = Field(default=None, sa_column=by_value(Outcome, nullable=True))
    request: bool = False
    n: int


class Report(SQLModel, table=True):
    """One submission about one assignment; a correction after a return, and a later report of an unfinished task, is a
    new row. The report that stands is the one that was neither returned nor superseded."""

    __table_args__ = (
        UniqueConstraint("assignment_id", "number"),
        Index("ix_report_paper_key", "paper_key", sqlite_where=WITH_PAPER, postgresql_where=WITH_PAPER),
        Index("ix_report_output", "assignment_id", "output_complete", sqlite_where=JUDGED, postgresql_where=JUDGED),
        Index("ix_report_returned", "assignment_id", sqlite_where=RETURNED_FOR, postgresql_where=RETURNED_FOR),
        Index(
            "ix_report_unfinished", "assignment_id", sqlite_where=UNFINISHED_REPORT, postgresql_where=UNFINISHED_REPORT
        ),
    )
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    assignment_id: int = Field(sa_column=Column(BigId, nullable=False))
    number: int = 1
    submitted_at: datetime
    actor: str
    outcome: str = Field(max_length=16)
    """done | partly | not_yet"""
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    reason_code: str = Field(default="", max_length=32, sa_column_kwargs={"server_default": ""})
    """Why the task is late, one of the policy's ``reasons``; empty for one that is not."""
    body: str = Field(default="", sa_column=Column(Text, nullable=False))
    figures: dict[str, object] = Field(default_factory=dict, sa_column=json_column())
    files: list[dict[str, object]] = Field(default_factory=list, sa_column=json_column())
    returned_at: datetime | None = None
    returned_reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    returned_code: str = Field(default="", max_length=32, sa_column_kwargs={"server_default": ""})
    """Of ``returned_reason``."""
    resubmit_on: date | None = None
    """The date by which the corrected report was asked for; null unless returned."""
    superseded_at: datetime | None = None
    """When a later report of the same task took its place."""
    paper_number: str = Field(default="", max_length=80, sa_column_kwargs={"server_default": ""})
    """Of the signed paper that the report went with: «45/BC-UBND»."""
    paper_on: date | None = None
    paper_key: str = Field(default="", max_length=80, sa_column_kwargs={"server_default": ""})
    """``paper_number`` as it is searched: folded to small letters without accents and spaces."""
    output: dict[str, str] | None = Field(default=None, sa_column=json_column(nullable=True))
    """What it says of the duty's output (engine.rules.outputs.GivenOutput)."""
    output_complete: bool | None = None
    """Whether the monitor found the output complete on accepting it; null where none was owed, or nothing decided."""


class Extension(SQLModel, table=True):
    """A request for a later due date and the decision of the agency that set the date. At most one is pending."""

    __table_args__ = (
        Index("uq_extension_waiting", "assignment_id", unique=True, sqlite_where=WAITING, postgresql_where=WAITING),
    )
    id: int | None = Field(default=None, primary_key=True)
    assignment_id: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    asked_at: datetime
    actor: str
    until: date
    reason: str = Field(sa_column=Column(Text, nullable=False))
    reason_code: str = Field(default="", max_length=32, sa_column_kwargs={"server_default": ""})
    decided_at: datetime | None = None
    decided_by: str = ""
    granted: bool | None = None
    answer: str = Field(default="", sa_column=Column(Text, nullable=False))
    files: list[dict[str, object]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False, server_default="[]")
    )
    """Evidence for the reason; entries as in ``Report.files``."""


class Promise(SQLModel, table=True):
    """The dated word of an owner that a task will be done by a day. Nothing of what was said changes; ``state``,
    ``decided_*`` and ``ended_on`` are set once each."""

    __table_args__ = (
        UniqueConstraint("assignment_id", "number"),
        Index("uq_promise_waiting", "assignment_id", unique=True, sqlite_where=ASKED, postgresql_where=ASKED),
        Index("uq_promise_standing", "assignment_id", unique=True, sqlite_where=STANDING, postgresql_where=STANDING),
        Index("ix_promise_waits_for", "waits_for", sqlite_where=WAITED_FOR, postgresql_where=WAITED_FOR),
        Index("ix_promise_broken", "ended_on", sqlite_where=BROKEN, postgresql_where=BROKEN),
    )
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    assignment_id: int = Field(sa_column=Column(BigId, nullable=False))
    number: int
    """From 1, of the assignment."""
    made_at: datetime
    made_on: date
    actor: str = Field(max_length=96)
    source: str = Field(max_length=16)
    """report | difficulty | extension | upgrade"""
    promised_on: date
    reason_code: str = Field(max_length=32)
    waits_for: str | None = Field(default=None, foreign_key="agency.id", max_length=64)
    """The agency that is waited for, if that is the reason."""
    reason: str = Field(sa_column=Column(Text, nullable=False))
    owed: str = Field(sa_column=Column(Text, nullable=False))
    """What is still to be done."""
    state: PromiseState = Field(sa_column=by_value(PromiseState))
    decided_at: datetime | None = None
    decided_by: str = Field(default="", max_length=96)
    answer: str = Field(default="", sa_column=Column(Text, nullable=False))
    ended_on: date | None = None
    """The day on which it was kept, refused or replaced; the first day after its own if it was broken."""


class ThreadEntry(SQLModel, table=True):
    """One entry of the thread between an assignment's owner, the department above and the coordinating agencies. It
    changes no state and counts nowhere as a report. ``key`` makes it idempotent: the same words once a day."""

    __tablename__ = "thread_entry"
    __table_args__ = (
        Index("ix_thread_entry_assignment_id", "assignment_id"),
        Index(
            "ix_thread_entry_unanswered",
            "assignment_id",
            "id",
            sqlite_where=UNANSWERED,
            postgresql_where=UNANSWERED,
        ),
    )
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    key: str = Field(unique=True, max_length=160)
    assignment_id: int = Field(sa_column=Column(BigId, nullable=False))
    whole_plan: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """About the plan as a whole; the assignment is one of those that it was written from."""
    kind: EntryKind = Field(sa_column=by_value(EntryKind))
    agency_id: str = Field(foreign_key="agency.id", max_length=64)
    """Who wrote it."""
    text: str = Field(sa_column=Column(Text, nullable=False))
    expected_on: date | None = None
    """Of progress: by when the work is expected to be done."""
    files: list[dict[str, object]] = Field(default_factory=list, sa_column=json_column())
    answers_id: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    answered_at: datetime | None = None
    actor: str = Field(max_length=96)
    at: datetime


class Event(SQLModel, table=True):
    """Append-only log: what happened, by whom, when. ``key`` makes an automatic event idempotent."""

    __table_args__ = (
        Index("ix_event_assignment_id_id", "assignment_id", "id"),
        Index("ix_event_declined", "assignment_id", "id", sqlite_where=DECLINED, postgresql_where=DECLINED),
        Index("ix_event_paper_settled", "assignment_id", sqlite_where=PAPER_SETTLED, postgresql_where=PAPER_SETTLED),
    )
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    at: datetime
    kind: EventKind = Field(sa_column=by_value(EventKind))
    actor: str = Field(default="system", max_length=96)
    """``system``, ``contact:12``, ``account:3``, ``cli:root``, ``api:token-id``."""
    plan_id: int | None = None
    assignment_id: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    detail: dict[str, object] = Field(default_factory=dict, sa_column=json_column())
    key: str | None = Field(default=None, max_length=160, unique=True)


class EventLink(SQLModel, table=True):
    """A link of the chain over the log (``engine.store.event_log``): SHA-256 of the link before and of the event."""

    __tablename__ = "event_link"
    position: int = Field(sa_column=Column(BigId, primary_key=True, autoincrement=False))
    event_id: int = Field(sa_column=Column(BigId, nullable=False, unique=True))
    digest: str = Field(max_length=64)


class RowSeal(SQLModel, table=True):
    """What a row was when it was looked at last (``workflows.checks.record_checks``)."""

    __tablename__ = "row_seal"
    of: str = Field(primary_key=True, max_length=32)
    """Its table."""
    row: str = Field(primary_key=True, max_length=64)
    digest: str = Field(max_length=24)


class UndoableAct(SQLModel, table=True):
    """What somebody decided, for as long as it can be undone (``engine.assignments.undo``). Deleted a day later;
    the log keeps the act and that it was undone."""

    __tablename__ = "undoable_act"
    __table_args__ = (Index("ix_undoable_act_actor_until", "actor", "until"),)
    id: int | None = Field(default=None, primary_key=True)
    actor: str = Field(max_length=96)
    kind: EventKind = Field(sa_column=by_value(EventKind))
    place: str = Field(max_length=120)
    """The path of the page on which it was done, and is offered to be undone."""
    at: datetime
    until: datetime
    """The end of what would be sent, or of the day."""
    parts: list[dict[str, Any]] = Field(sa_column=json_column())
    """An entry for each assignment: its rows as they were and as they became, its events, its notices."""
    undone_at: datetime | None = None


class Draft(SQLModel, table=True):
    """The saved draft of a report page: one per agency, plan and period."""

    __table_args__ = (UniqueConstraint("agency_id", "plan_id", "period"),)
    id: int | None = Field(default=None, primary_key=True)
    agency_id: str = Field(foreign_key="agency.id", max_length=64)
    plan_id: int = Field(foreign_key="plan.id")
    period: str = Field(max_length=16)
    body: dict[str, Any] = Field(sa_column=json_column())
    actor: str
    saved_at: datetime


class DispatchWording(SQLModel, table=True):
    """What an office wrote in place of proposed paragraphs of a draft dispatch that is not issued yet."""

    __tablename__ = "dispatch_wording"
    __table_args__ = (UniqueConstraint("plan_id", "period", "request", "addressees"),)
    id: int | None = Field(default=None, primary_key=True)
    plan_id: int = Field(foreign_key="plan.id")
    period: str = Field(max_length=16)
    request: bool
    addressees: str = Field(max_length=64)
    """Empty: all that are late; else a digest of the chosen ones."""
    texts: dict[str, object] = Field(sa_column=json_column())
    """Paragraph -> [as it was proposed, as it was written]."""
    actor: str = Field(max_length=96)
    at: datetime


class Evidence(SQLModel, table=True):
    """An uploaded file, by its SHA-256. The bytes are stored once under data_dir/files, outside the web root, and never
    executed. Two agencies uploading the same bytes have a row each: neither can see the other's."""

    digest: str = Field(primary_key=True, max_length=64)
    agency_id: str = Field(primary_key=True, foreign_key="agency.id", max_length=64)
    size: int
    media_type: str = Field(max_length=100)
    name: str = Field(max_length=200)
    actor: str
    at: datetime


class PublishedFigures(SQLModel, table=True):
    """Figures as published at a cut-off date; never changed. Later corrections are shown as a restatement."""

    __tablename__ = "frozen"
    __table_args__ = (UniqueConstraint("plan_id", "period", "cut_off"),)
    id: int | None = Field(default=None, primary_key=True)
    plan_id: int = Field(foreign_key="plan.id")
    period: str = Field(max_length=16)
    cut_off: date
    body: dict[str, Any] = Field(sa_column=json_column())
    actor: str
    at: datetime
