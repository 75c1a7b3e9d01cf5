"""Configuration loaded into the database: policies, ladders, the working calendar."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel

from engine.store.records.columns import json_column


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
