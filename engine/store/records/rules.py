"""Configuration loaded into the database: policies, ladders, the working calendar."""

from datetime import date, datetime
from typing import Any

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
