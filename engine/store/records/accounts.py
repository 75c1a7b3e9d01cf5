"""Who signs in and what programs may do: sessions, links, keys, limits, secret addresses."""

from datetime import date, datetime

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from engine.store.records.columns import json_column


class Account(SQLModel, table=True):
    """Somebody who signs in. ``role`` is engine.accounts.permissions.ActorRole; an account acts for one agency. The
    password is an argon2 hash, empty where the person signs in by a link or by the province's single sign-on
    (``subject``)."""

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
    used_on: date | None = None
    """The last local day on which it opened anything: whoever keeps a key sees which nobody needs any more."""


class Attempt(SQLModel, table=True):
    """Something counted for a rate limit: a sign-in tried, a link asked for. Pruned after a day."""

    __table_args__ = (Index("ix_attempt_subject_at", "subject", "at"),)
    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(max_length=160)
    at: datetime


class Feed(SQLModel, table=True):
    """A calendar's secret address, for an agency or one contact; revocable."""

    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True, max_length=64)
    agency_id: str = Field(foreign_key="agency.id", max_length=64)
    contact_id: int | None = None
    created_at: datetime
    revoked_at: datetime | None = None


class IdempotencyKey(SQLModel, table=True):
    """An API write that was done, with its answer: asked again with the same key, it is answered the same."""

    __tablename__ = "idempotency_key"
    key: str = Field(primary_key=True, max_length=160)
    request_digest: str = Field(max_length=64)
    status: int
    body: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime
