"""Agencies and their contacts."""

from datetime import date, datetime
from typing import Any, TypedDict

from sqlalchemy import Index, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from engine.store.records.columns import by_value, json_column
from engine.terms import Role

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
