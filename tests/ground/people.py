"""Create accounts and sign them in."""

from __future__ import annotations

from pathlib import Path

from ground.office import NOW, Office, open_office
from sqlmodel import SQLModel

from engine.accounts.accounts import create
from engine.accounts.sign_in import open_session
from engine.store.database import Database


def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, to check that nothing was changed."""
    with database.read() as session:
        return {
            name: sorted((tuple(row) for row in session.connection().execute(each.select())), key=repr)
            for name, each in SQLModel.metadata.tables.items()
        }


def join(database: Database, role: str, agency_id: str, language: str = "vi", *, password: str = "") -> int:
    """Create an account with the mailbox of its role; returns its id."""
    with database.write() as session:
        return create(
            session,
            email=f"{role}@{agency_id}.example",
            role=role,
            agency_id=agency_id,
            language=language,
            password=password,
            actor="cli",
            now=NOW,
        )


def enter(office: Office, account_id: int, cookie: str = "dondoc_session") -> Office:
    """Open a session for the account and set its cookie."""
    with office.context.database.write() as session:
        key = open_session(session, account_id, way="link", device="Firefox", now=office.clock.now)
    office.client.cookies.set(cookie, key)
    return office


def as_role(database: Database, folder: Path, role: str, agency_id: str) -> Office:
    account_id = join(database, role, agency_id)
    return enter(open_office(database, folder), account_id)
