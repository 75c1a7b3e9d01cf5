"""The heartbeat's jobs run side by side, each in a thread and a loop of its own: none waits for what is another's."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from crash.forms import wait_until
from crash.relay import SlowRelay
from ground.factory import Laid, add_letters, at, lay, rows, swept
from ground.office import Standing
from ground.post import KEY

from config.settings import Settings
from engine.store.database import Database
from engine.store.records import Letter
from engine.terms import LetterState
from notifications.inbound.fetching import InboundSources
from notifications.inbound.message import MailProof
from workflows.run.system import compose
from workflows.serving.runs import run_inbound, run_tick

NOW, CONNECTIONS = at("2021-04-07", "09:00"), 4


@dataclass
class Busy(SlowRelay):
    """Takes no connection more than those by which letters leave."""

    greeted: int = 0

    def refusal(self, word: bytes) -> bytes | None:
        self.greeted += word == b"EHLO"
        return b"" if word == b"EHLO" and self.greeted > CONNECTIONS else None


def test_a_letter_to_the_operator_does_not_wait_for_those_that_leave(sqlite_database: Database, tmp_path: Path) -> None:
    """It shared their connections, from another thread, and waited for ever: nothing was fetched, nobody was told."""
    lay(sqlite_database, now=NOW)
    swept(sqlite_database, NOW)
    add_letters(Laid(sqlite_database, 1), 40)
    with Busy(seconds=(0.2, 0.2)).running() as relay:
        settings = Settings(
            _env_file=None,
            data_dir=tmp_path,
            secret=KEY,
            prefect=False,
            smtp_host="127.0.0.1",
            smtp_port=relay.port,
            smtp_security="none",
            operator_email="vanhanh@tinh.example",  # the weekly letter is due
        )  # type: ignore[call-arg]
        made = compose(settings)
        inbound = InboundSources(MailProof(made.signer))
        system = replace(made, database=sqlite_database, clock=Standing(NOW), inbound=inbound)
        tick = threading.Thread(target=run_tick, args=[system], daemon=True)
        told = threading.Thread(target=run_inbound, args=[system], daemon=True)
        tick.start()
        assert wait_until(lambda: relay.taken, 10)
        told.start()
        told.join(10)
        assert not told.is_alive()
        tick.join(20)
        assert not tick.is_alive()
    states = {each.state for each in rows(sqlite_database, Letter)}
    assert states == {LetterState.ACCEPTED}
    assert len(relay.taken) == len(set(relay.taken))


@pytest.mark.parametrize("name", ["email", "sms"])
def test_what_tells_the_operator_has_channels_of_its_own(tmp_path: Path, name: str) -> None:
    settings = Settings(
        _env_file=None, data_dir=tmp_path, secret=KEY, sms_gateway="kannel", sms_url="http://127.0.0.1:1/sendsms"
    )  # type: ignore[call-arg]
    system = compose(settings, with_entered=False)
    assert system.alarms[name] is not system.delivery.channels[name]
