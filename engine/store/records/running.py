"""Runtime state: the last run of each pass, small named values, versions of what is stored."""

from datetime import datetime

from sqlalchemy import Boolean, Column, Index, Integer, Text, false
from sqlmodel import Field, SQLModel

from engine.store.records.columns import BigId, PackedText, json_column


class Pass(SQLModel, table=True):
    """The last run of each pass; read by the health page and by the digest's catch-up."""

    name: str = Field(primary_key=True, max_length=32)
    started_at: datetime
    finished_at: datetime | None = None
    counts: dict[str, int] = Field(default_factory=dict, sa_column=json_column())
    error: str = Field(default="", sa_column=Column(Text, nullable=False))


class Fact(SQLModel, table=True):
    """Named values that persist between processes: the demonstration clock, the last week with a digest."""

    name: str = Field(primary_key=True, max_length=64)
    value: str


class DataVersion(SQLModel, table=True):
    """The versions of what is stored, a column a topic (``engine.store.data_versions``). A topic's version is that of
    all rows together. ``changes`` and ``counters`` are of the release before and written no more."""

    __tablename__ = "data_version"
    slot: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    changes: str = Field(default="", max_length=1_800, sa_column_kwargs={"server_default": ""})
    plans: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    work: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    counters: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    reminders: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    letters: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    messages: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    directory: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    calendar: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    rules: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    log: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    accounts: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})


class ChangedWork(SQLModel, table=True):
    """A change of a topic from one version to the next in its slot that was about one agency's work, or about a few
    agencies', a row each (``engine.store.data_versions``)."""

    __tablename__ = "changed_work"
    __table_args__ = (Index("ix_changed_work_before", "slot", "topic", "before"),)
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    slot: int
    topic: str = Field(max_length=16)
    before: str = Field(max_length=16)
    version: str = Field(max_length=16)
    agency_id: str = Field(max_length=64)


class PendingAnswer(SQLModel, table=True):
    """Long work for one reader, and in the end the answer to them: any process shows it, whichever did the work.
    ``runner``: of this beginning; an older one that wakes up changes nothing. ``seen``: the next press begins anew."""

    __tablename__ = "pending_answer"
    ticket: str = Field(primary_key=True, max_length=64)
    owner: str = Field(max_length=96)
    words: dict[str, str] = Field(default_factory=dict, sa_column=json_column())
    runner: str = Field(max_length=32)
    began_at: datetime = Field(index=True)
    beat_at: datetime
    ended_at: datetime | None = None
    seen: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    status: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    location: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    page_vi: str | None = Field(default=None, sa_column=Column(PackedText, nullable=True))
    page_en: str | None = Field(default=None, sa_column=Column(PackedText, nullable=True))
