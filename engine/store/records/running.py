"""Runtime state: the last run of each pass, and small named values."""

from datetime import datetime

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from engine.store.records.columns import json_column


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
