"""That letters arrive, proved by a real Postfix and Dovecot: the daily letter is fetched back from our own mailbox, the
weekly one opened in the operator's and its link pressed in the pages. A letter that got lost proves nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from ground.dovecot import PASSWORD, Dovecot, running_dovecot
from ground.factory import at, lay
from ground.office import open_office
from ground.post import KEY
from ground.postfix import Postfix, running_postfix
from ground.sms_services import wait_until
from imapclient import IMAPClient

from config.settings import Settings
from engine.store.database import Database
from engine.store.event_log import record
from engine.store.facts import hold
from engine.terms import EventKind
from workflows.checks.record_checks import office_findings
from workflows.run import channel_wiring
from workflows.run.inbound_passes import receive, watch
from workflows.run.installation import observe_in_mailbox
from workflows.run.system import System, compose

MONDAY, TUESDAY = "2021-06-14", "2021-06-15"
MAILBOXES = {"nhacviec@so.example": "nhacviec/Maildir/", "vanhanh@so.example": "vanhanh/Maildir/"}


@dataclass(frozen=True)
class World:
    postfix: Postfix
    dovecot: Dovecot
    database: Database
    folder: Path

    def system(self, **settings: Any) -> System:
        known = {
            "data_dir": self.folder,
            "secret": KEY,
            "prefect": False,
            "database_url": self.database.url.render_as_string(hide_password=False),
            "base_url": "http://127.0.0.1:8000",
            "smtp_host": "localhost",
            "smtp_port": self.postfix.port,
            "smtp_ca_file": self.postfix.trusted,
            "mail_from": "nhacviec@so.example",
        }
        return compose(Settings(_env_file=None, **known | settings), with_entered=False)

    def watch(self, system: System, day: str, wall: str) -> dict[str, int]:
        settings, signer = system.settings, system.signer
        own, link = channel_wiring.own_mailbox(settings, signer), channel_wiring.arrival_link(settings, signer)
        operator = channel_wiring.operator(settings)
        watched = watch(self.database, at(day, wall), system.alarms, operator, own, link)
        return dict(asyncio.run(watched).counts)

    def findings(self, system: System, day: str, wall: str) -> dict[str, int]:
        with self.database.read() as session:
            found = office_findings(session, system.settings, at(day, wall))
        return {name: count for name, count in found.items() if name in ("canary_missing", "arrival_unconfirmed")}

    def letters(self, user: str) -> list[bytes]:
        with IMAPClient("127.0.0.1", port=self.dovecot.port, ssl=False, timeout=10) as client:
            client.login(user, PASSWORD)
            client.select_folder("INBOX", readonly=True)
            return [found[b"RFC822"] for found in client.fetch(client.search("ALL"), ["RFC822"]).values()]


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> Iterator[World]:
    lay(sqlite_database, now=at("2021-06-10"))
    with running_dovecot() as dovecot, running_postfix(MAILBOXES, dovecot.folder / "mail") as postfix:
        yield World(postfix, dovecot, sqlite_database, tmp_path)


def test_the_daily_letter_proves_the_way_to_our_mailbox_and_one_that_is_lost_is_missed(world: World) -> None:
    mailbox = {"imap_host": f"127.0.0.1:{world.dovecot.port}", "imap_username": "nhacviec", "imap_password": PASSWORD}
    system = world.system(**mailbox)
    assert world.watch(system, MONDAY, "07:30")["canary"] == 1
    assert world.findings(system, MONDAY, "08:00") == {"canary_missing": 1}, "it has left, and nobody has it yet"
    wait_until(lambda: len(world.letters("nhacviec")) == 1, "the daily letter")
    assert receive(world.database, at(MONDAY, "08:01"), system.inbound).counts["canary"] == 1
    assert world.findings(system, MONDAY, "08:01") == {"canary_missing": 0}
    away = world.system(**mailbox, mail_from="gone@huyen.example")
    assert world.watch(away, TUESDAY, "07:30")["canary"] == 1
    receive(world.database, at(TUESDAY, "08:01"), away.inbound)
    assert world.findings(away, TUESDAY, "08:01") == {"canary_missing": 1}, "a relay has taken it; it has not arrived"


def test_what_the_mailbox_knows_of_a_day_that_a_snapshot_has_forgotten_holds_the_letters(world: World) -> None:
    mailbox = {"imap_host": f"127.0.0.1:{world.dovecot.port}", "imap_username": "nhacviec", "imap_password": PASSWORD}
    system, file = world.system(**mailbox), Path(str(world.database.url.database))
    assert not observe_in_mailbox(system), "the first time nothing is there to vouch for it"
    assert observe_in_mailbox(system)
    for database in (world.database, system.database):
        database.dispose()
    yesterday = file.read_bytes()
    with system.database.write() as session:
        record(session, EventKind.CLOCK_CONFIRMED, at(MONDAY, "09:00"), actor="cli:root")
    assert observe_in_mailbox(system)
    assert len(world.letters("nhacviec")) == 1
    assert receive(world.database, at(MONDAY, "09:01"), system.inbound).counts == {}
    for database in (world.database, system.database):
        database.dispose()
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()
    file.write_bytes(yesterday)
    assert not observe_in_mailbox(system)
    with world.database.read() as session:
        assert hold(session) is not None


def test_the_weekly_letter_s_link_confirms_it_and_without_a_press_it_is_missed(world: World) -> None:
    system = world.system(operator_email="vanhanh@so.example")
    assert world.watch(system, MONDAY, "07:30")["weekly_letter"] == 1
    wait_until(lambda: len(world.letters("vanhanh")) == 1, "the weekly letter")
    [raw] = world.letters("vanhanh")
    body = message_from_bytes(raw, policy=policy.default).get_body(("plain",))
    assert body is not None
    path = re.search(r"http://127\.0\.0\.1:8000(/arrived/\S+)", body.get_content())
    assert path is not None
    assert world.findings(system, TUESDAY, "17:00") == {"arrival_unconfirmed": 1}
    office = open_office(world.database, world.folder, now=at(TUESDAY, "17:05"))
    office.client.post(path[1], data={"token": office.token(path[1])})
    assert world.findings(system, TUESDAY, "17:06") == {"arrival_unconfirmed": 0}
