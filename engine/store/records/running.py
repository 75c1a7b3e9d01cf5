"""What the running system remembers of itself."""

from datetime import datetime

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from engine.store.records.columns import json_column


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
