"""A letter a day to our own mailbox: sent once, fetched back, and missed at eight."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from threading import Event

import pytest
from ground.factory import at, lay, rows
from ground.post import KEY, Answering

from config.settings import Settings
from engine.accounts.signed_links import Signer
from engine.store.database import Database
from engine.store.event_log import head
from engine.store.records import Incoming
from notifications import arrival
from notifications.contract.channel import Fate, Outcome, Outgoing
from notifications.inbound.fetching import InboundSources, receive
from notifications.inbound.message import MailProof
from workflows.checks.record_checks import office_findings
from workflows.run.channel_wiring import own_mailbox

DAY = "2021-06-16"
MAILBOX = "reply@tinh.example"


class Ours(Answering):
    """A relay that puts what it takes into our mailbox, until it is ``broken``; ``messages`` as of an Inbox."""

    def __init__(self, *, broken: bool = False, refuses: bool = False) -> None:
        super().__init__(self._take)
        self.broken, self.refuses = broken, refuses
        self.mailbox: list[bytes] = []

    def _take(self, letter: Outgoing) -> Outcome:
        if self.refuses:
            return Outcome(fate=Fate.RETRY, code="451")
        message_id = f"<{letter.key}@tinh.example>"
        if not self.broken:
            self.mailbox.append(f"From: {MAILBOX}\nMessage-ID: {message_id}\n\n{letter.text}".encode())
        return Outcome(fate=Fate.ACCEPTED, code="250", receipt=message_id)

    def messages(self, now: datetime, on_found: Callable[[int], None]) -> Iterator[bytes]:
        on_found(len(self.mailbox))
        while self.mailbox:
            yield self.mailbox.pop(0)


def settings(folder: Path, **more: str) -> Settings:
    known = {"smtp_host": "relay.example", "imap_host": "imap.example", "mail_from": "dondoc@tinh.example"}
    return Settings(_env_file=None, data_dir=folder, secret=KEY, prefect=False, **known | more)  # type: ignore[call-arg]


@pytest.fixture
def laid(database: Database) -> Database:
    lay(database, now=at("2021-06-14"))
    return database


def sent(database: Database, wall: str, relay: Ours, day: str = DAY) -> bool:
    return asyncio.run(arrival.send(database, at(day, wall), relay, lambda key: MAILBOX))


def fetched(database: Database, wall: str, relay: Ours) -> dict[str, int]:
    proof = MailProof(Signer(KEY))
    return receive(database, at(DAY, wall), InboundSources(proof, inbox=relay))  # type: ignore[arg-type]


def missing(database: Database, folder: Path, wall: str, day: str = DAY, **more: str) -> int:
    with database.read() as session:
        return office_findings(session, settings(folder, **more), at(day, wall)).get("canary_missing", 0)


def test_it_goes_once_a_working_day_with_the_first_letters(laid: Database) -> None:
    relay = Ours()
    assert [sent(laid, wall, relay) for wall in ("07:29", "07:30", "07:31", "12:00")] == [False, True, False, False]
    assert not sent(laid, "09:00", relay, "2021-06-19")  # a Saturday
    assert sent(laid, "09:00", relay, "2021-06-17")
    assert [letter.to for letter in relay.letters] == [MAILBOX] * 2
    with laid.read() as session:
        assert str(head(session.connection())) in relay.letters[1].text


def test_what_comes_back_is_no_message_for_anybody(laid: Database, tmp_path: Path) -> None:
    relay = Ours()
    sent(laid, "07:30", relay)
    assert fetched(laid, "07:32", relay) == {"canary": 1}
    assert rows(laid, Incoming) == []
    assert missing(laid, tmp_path, "08:00") == 0


def test_a_process_that_is_told_to_stop_takes_no_further_message(laid: Database) -> None:
    relay, stop = Ours(), Event()
    sent(laid, "07:30", relay)
    stop.set()
    inbound = InboundSources(MailProof(Signer(KEY)), inbox=relay, stop=stop)  # type: ignore[arg-type]
    assert receive(laid, at(DAY, "07:32"), inbound) == {"left_in_mailbox": 1}


def test_by_eight_o_clock_its_absence_is_a_finding_until_it_comes(laid: Database, tmp_path: Path) -> None:
    relay = Ours(broken=True)
    sent(laid, "07:30", relay)
    assert [missing(laid, tmp_path, wall) for wall in ("07:59", "08:00")] == [0, 1]
    assert missing(laid, tmp_path, "08:00", imap_host="") == 0, "without a mailbox none is sent"
    assert missing(laid, tmp_path, "10:00", "2021-06-17") == 1, "nor has that day's been sent"
    assert missing(laid, tmp_path, "10:00", "2021-06-19") == 0, "a Saturday"


def test_an_office_that_has_just_begun_misses_none(laid: Database, tmp_path: Path) -> None:
    assert missing(laid, tmp_path, "10:00") == 0


def test_one_that_no_relay_took_is_tried_again_and_missed(laid: Database, tmp_path: Path) -> None:
    relay = Ours(refuses=True)
    assert [sent(laid, wall, relay) for wall in ("07:30", "07:35", "07:41")] == [False] * 3
    assert len(relay.letters) == 2
    assert missing(laid, tmp_path, "08:00") == 1
    relay.refuses = False
    assert sent(laid, "08:05", relay)
    assert fetched(laid, "08:06", relay) == {"canary": 1}
    assert missing(laid, tmp_path, "08:06") == 0


def test_somebody_elses_message_is_not_taken_for_it(laid: Database) -> None:
    relay = Ours(broken=True)
    sent(laid, "07:30", relay)
    relay.mailbox.append(b"From: a@so.example\nMessage-ID: <canary:2021-06-16:0@tinh.example>\n\nxin chao\n")
    assert "canary" not in fetched(laid, "07:32", relay)


def test_our_mailbox_is_a_signed_address_where_those_are_used(tmp_path: Path) -> None:
    signer = Signer(KEY)
    plain = own_mailbox(settings(tmp_path), signer)
    signed = own_mailbox(settings(tmp_path, reply_domain="tinh.example"), signer)
    assert plain is not None
    assert signed is not None
    assert plain("canary:2021-06-16:a1b2") == "dondoc@tinh.example"
    assert signed("canary:2021-06-16:a1b2").startswith("reply+")
    assert own_mailbox(settings(tmp_path, imap_host=""), signer) is None
