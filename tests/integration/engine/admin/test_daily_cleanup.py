"""What is forgotten each day, and what is not yet."""

from __future__ import annotations

from datetime import date, timedelta

from ground.factory import at, directory, rows
from sqlalchemy import insert

from engine.accounts import accounts, idempotency, sign_in
from engine.accounts.signed_links import Signer
from engine.agencies import contacts
from engine.agencies.directory_loading import load_directory
from engine.application import daily_cleanup
from engine.assignments.reports import evidence
from engine.features.webhooks import subscriptions as webhooks
from engine.rules.targets import Allowed
from engine.store.database import Database, table
from engine.store.records import AnswerCode, Evidence, IdempotencyKey, SignInLink, UserSession

NOW = at("2021-06-07")


def test_everything_is_forgotten_in_its_time_and_once(database: Database) -> None:
    with database.write() as session:
        load_directory(session, directory(), actor="cli:test", now=NOW)
        person = accounts.create(
            session, email="a@so-ban.example", role="head", agency_id="so-ban", actor="cli:test", now=NOW
        )
        sign_in.open_session(session, person, way="link", device="", now=NOW)
        sign_in.request_link(session, email="a@so-ban.example", now=NOW)
        idempotency.once(
            session, actor="api:1", key="k", method="POST", path="/", body=b"", now=NOW, action=lambda: (200, "{}")
        )
        deputy = contacts.add(
            session,
            "so-ban",
            "deputy",
            email="b@so-ban.example",
            valid_until=date(2021, 6, 7),
            actor="cli:test",
            now=NOW,
        )
        session.connection().execute(
            insert(table(AnswerCode)).values(
                code="4821", contact_id=deputy, letter_id=1, expires_at=NOW + timedelta(days=45)
            )
        )
        evidence.keep(
            session,
            evidence.StoredFile("0" * 64, "a.pdf", 1, "application/pdf"),
            agency_id="so-ban",
            actor="account:1",
            now=NOW,
        )
        told, _ = webhooks.add(
            session, Signer("k"), Allowed(), url="https://esb.tinh.example/", actor="cli:test", now=NOW
        )
        webhooks.send_test(session, told, now=NOW)
        assert daily_cleanup.delete_expired(session, NOW) == {
            "contacts": 0,
            "senders": 0,
            "sessions": 0,
            "links": 0,
            "acts": 0,
            "codes": 0,
            "changes": 0,
            "answers": 0,
            "files": 0,
            "webhook_messages": 0,
            "pending_answers": 0,
            "plan_drafts": 0,
            "told": 0,
        }
    with database.write() as session:
        later = NOW + timedelta(days=100)
        assert daily_cleanup.delete_expired(session, later) == {
            "contacts": 1,
            "senders": 0,
            "sessions": 1,
            "links": 1,
            "acts": 0,
            "codes": 1,
            "changes": 0,
            "answers": 1,
            "files": 1,
            "webhook_messages": 1,
            "pending_answers": 0,
            "plan_drafts": 0,
            "told": 0,
        }
        assert daily_cleanup.delete_expired(session, later) == {
            "contacts": 0,
            "senders": 0,
            "sessions": 0,
            "links": 0,
            "acts": 0,
            "codes": 0,
            "changes": 0,
            "answers": 0,
            "files": 0,
            "webhook_messages": 0,
            "pending_answers": 0,
            "plan_drafts": 0,
            "told": 0,
        }
    assert [rows(database, model) for model in (UserSession, SignInLink, AnswerCode, IdempotencyKey, Evidence)] == [
        []
    ] * 5
