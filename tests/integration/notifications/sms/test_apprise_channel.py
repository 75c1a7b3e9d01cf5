"""The catch-all against a web server on loopback: Apprise's yes and no, and what its log says of a no."""

from __future__ import annotations

import logging
import socket
from datetime import UTC, datetime

import pytest
from ground.sms_services import answering

from engine.errors import BadInput
from notifications.contract.channel import Fate, Outcome, Outgoing
from notifications.sms.apprise_channel import AppriseSms

LETTER = Outgoing(key="letter:1", to="+84912345678", text="Nhiem vu IV.2.1", at=datetime(2021, 6, 17, 1, tzinfo=UTC))


async def through(port: int, **options: bool) -> Outcome:
    channel = AppriseSms(f"json://127.0.0.1:{port}/{{to}}?cto=1&rto=1", **{"production": True, **options})
    async with channel:
        return await channel.send(LETTER)


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        (200, Fate.ACCEPTED),
        (401, Fate.RETRY),
        (403, Fate.RETRY),
        (404, Fate.REFUSED),
        (429, Fate.RETRY),
        (500, Fate.UNKNOWN),
        (502, Fate.UNKNOWN),
        (503, Fate.RETRY),
    ],
)
async def test_a_status_that_apprise_only_logs_is_understood(status, fate):
    with answering(status) as port:
        outcome = await through(port)
    assert outcome.fate is fate
    assert outcome.code == ("" if status == 200 else str(status))


async def test_a_service_that_is_not_there_is_tried_again():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    outcome = await through(port)
    assert (outcome.fate, outcome.code) == (Fate.RETRY, "unreachable")


async def test_nothing_leaves_outside_production():
    outcome = await through(1, production=False)
    assert (outcome.fate, outcome.code) == (Fate.REFUSED, "sandbox")


async def test_what_apprise_logs_about_a_letter_reaches_no_other_log(caplog):
    caplog.set_level(logging.DEBUG)
    with answering(503) as port:
        await through(port)
    assert "912345678" not in caplog.text
    assert "IV.2.1" not in caplog.text
    assert logging.getLogger("apprise").propagate is True


@pytest.mark.parametrize("address", ["json://127.0.0.1/", "nosuchservice://{to}", "", "{to}"])
def test_an_address_that_apprise_cannot_read_or_that_names_nobody_is_refused(address):
    with pytest.raises(BadInput, match="Apprise address"):
        AppriseSms(address)
