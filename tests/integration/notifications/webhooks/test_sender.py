"""One call: to the address that was checked and to no other."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence

import pytest
from ground.web_servers import receiving

from engine.rules.targets import Allowed
from notifications.contract.channel import Fate, Outcome
from notifications.webhooks import Sender


def called(sender: Sender, url: str) -> Outcome:
    return asyncio.run(sender.post(url, {"webhook-id": "webhook:1:test"}, b"{}"))


class Names:
    """A resolver that gives one answer after the other, as an attacker's server does."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.asked = list(answers), 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "esb.tinh.example")
        outcome = called(Sender(Allowed.of("esb.tinh.example"), names), url)
    assert (outcome.fate, names.asked) == (Fate.ACCEPTED, 1)
    assert receiver.got[0].headers["host"] == url.split("/")[2]


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["203.113.131.1", "10.0.0.1"], ["::1"], []])
def test_a_public_name_with_a_private_address_is_not_called(answers: list[str]) -> None:
    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "esb.tinh.example").replace("http:", "https:")
        outcome = called(Sender(Allowed(), Names(answers)), url)
    assert (outcome.fate, outcome.code, receiver.got) == (Fate.RETRY, "refused_address", [])


def test_an_address_that_became_forbidden_since_it_was_entered_is_not_called() -> None:
    with receiving() as receiver:
        assert called(Sender(Allowed()), receiver.url).code == "refused_address"
    assert receiver.got == []


def test_a_name_that_nobody_knows_and_a_port_that_nobody_listens_on() -> None:
    assert called(Sender(Allowed.of("esb.tinh.example")), "https://esb.tinh.example/").code == "unknown_host"
    assert called(Sender(Allowed.of("127.0.0.1")), "http://127.0.0.1:9/").code == "unreachable"


def test_a_receiver_without_a_trusted_certificate_is_not_told(tmp_path: object) -> None:
    with receiving() as plain:  # speaks no TLS at all
        url = plain.url.replace("http:", "https:")
        outcome = called(Sender(Allowed.of("127.0.0.1"), verify=ssl.create_default_context()), url)
    assert (outcome.fate, outcome.code, plain.got) == (Fate.RETRY, "tls", [])


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        (200, Fate.ACCEPTED),
        (204, Fate.ACCEPTED),
        (410, Fate.REFUSED),
        (400, Fate.RETRY),
        (301, Fate.RETRY),
        (500, Fate.RETRY),
    ],
)
def test_what_an_answer_means(status: int, fate: Fate) -> None:
    with receiving(status, reply=b"") as receiver:
        outcome = called(Sender(Allowed.of("127.0.0.1")), receiver.url)
    assert (outcome.fate, outcome.code) == (fate, str(status))


def test_a_receiver_may_ask_for_a_pause_but_not_for_days() -> None:
    with receiving(429, headers={"retry-after": "99999999"}) as receiver:
        outcome = called(Sender(Allowed.of("127.0.0.1")), receiver.url)
    assert outcome.after is not None
    assert outcome.after.total_seconds() == 4 * 3600


def test_an_answer_is_kept_as_one_printable_line() -> None:
    with receiving(500, reply="lỗi\x00\n\x1b[31mđỏ".encode() + b"\xff") as receiver:
        outcome = called(Sender(Allowed.of("127.0.0.1")), receiver.url)
    assert outcome.reply == "lỗi [31mđỏ�"
