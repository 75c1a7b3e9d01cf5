"""Accounts and access: sessions, sign-in links, API tokens, rate limits, calendar feeds."""

from datetime import date, datetime

from sqlalchemy import Column, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from engine.store.records.columns import json_column


class Account(SQLModel, table=True):
    """A user. ``role`` is engine.accounts.permissions.ActorRole; an account acts for one agency. The password is an
    argon2 hash; empty for a user who signs in by link or by the province's single sign-on (``subject``)."""

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


class UserSession(SQLModel, table=True):
    """A session of an account. Stores the digest of the cookie, never the cookie. Ends by expiry or by signing out."""

    __tablename__ = "signed_in"
    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", index=True)
    digest: str = Field(unique=True, max_length=64)
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    device: str = Field(default="", max_length=120)
    factor: str = Field(default="", max_length=16)
    """``engine.accounts.second_factor.Proof``."""
    way: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    """How it was opened: password, link, single_sign_on, setup; empty before there was the column."""
    proved_at: datetime | None = None
    """When its holder last typed the password again."""


class SecondFactor(SQLModel, table=True):
    """The authenticator app of an account. ``secret`` is encrypted; ``last_step``: of the last code that was used."""

    __tablename__ = "second_factor"
    account_id: int = Field(foreign_key="account.id", primary_key=True)
    secret: str = Field(max_length=400)
    made_at: datetime
    last_step: int
    recovery: list[str] = Field(default_factory=list, sa_column=json_column())


class SignInLink(SQLModel, table=True):
    """A sign-in link sent to an account's mailbox: valid once, for minutes. Only its digest is stored."""

    __tablename__ = "sign_in_link"
    digest: str = Field(primary_key=True, max_length=64)
    account_id: int = Field(foreign_key="account.id", index=True)
    expires_at: datetime
    used_at: datetime | None = None


class ApiToken(SQLModel, table=True):
    """An API key of a program, with its scopes. Only its digest is stored."""

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
    """The last local day on which it was used, so that unused keys can be found."""


class Attempt(SQLModel, table=True):
    """One attempt counted for a rate limit: a sign-in, a request for a link. Pruned after a day."""

    __table_args__ = (Index("ix_attempt_subject_at", "subject", "at"),)
    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(max_length=160)
    at: datetime


class Feed(SQLModel, table=True):
    """The secret address of a calendar feed, for an agency or one contact. It ends when it is revoked, after a year,
    and with the account that made it."""

    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True, max_length=64)
    agency_id: str = Field(foreign_key="agency.id", max_length=64)
    contact_id: int | None = None
    account_id: int | None = None
    created_at: datetime
    revoked_at: datetime | None = None


class IdempotencyKey(SQLModel, table=True):
    """A finished API write and its response; a repeated request with the same key gets the same response."""

    __tablename__ = "idempotency_key"
    key: str = Field(primary_key=True, max_length=160)
    request_digest: str = Field(max_length=64)
    status: int
    body: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime


class ListMark(SQLModel, table=True):
    """Of the release before: written no more, dropped with the next."""

    __tablename__ = "list_mark"
    owner: str = Field(max_length=96, primary_key=True)
    path: str = Field(max_length=60, primary_key=True)
    at: datetime


class SavedView(SQLModel, table=True):
    """A list with its filters and order that somebody gave a name. ``owner``: the actor, «account:3»."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("owner", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    owner: str = Field(max_length=96)
    name: str = Field(max_length=60)
    path: str = Field(max_length=400)
    """Of a list on this server, with its query."""
    created_at: datetime
