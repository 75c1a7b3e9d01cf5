"""Through a real Kannel: bearerbox, smsbox and a network that is Kannel's own fake SMSC."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from ground.sms_services import RunningKannel, kannel_with, wait_until

from engine.errors import BadInput
from engine.terms import LetterState
from notifications.contract.channel import Fate, Outcome, Outgoing
from notifications.sms.gateway import reference
from notifications.sms.http_gateways import Kannel
from notifications.sms.receipts import advance, verify
from notifications.sms.receipts import from_kannel as receipt_from_kannel
from notifications.sms.replies import Incoming, candidate_codes, from_kannel

AT = datetime(2021, 6, 17, 1, tzinfo=UTC)


def letter(number: int, text: str = "Nhiệm vụ IV.2.1 còn 3 ngày") -> Outgoing:
    return Outgoing(key=f"letter:{number}:sms:2021-06-17", to="0912345678", text=text, at=AT)


async def through(kannel: RunningKannel, *letters: Outgoing, **options: Any) -> list[Outcome]:
    facts: dict[str, Any] = {"username": "dondoc", "password": kannel.secret, "sender": "DONDOC", **options}
    async with Kannel(facts.pop("url", kannel.url), **facts) as channel:
        return [await channel.send(each) for each in letters]


async def test_a_letter_reaches_the_network_without_its_marks(kannel: RunningKannel) -> None:
    [outcome] = await through(kannel, letter(1, "Đôn đốc & 100% [IV.2.1]: còn 3 ngày"))
    assert (outcome.fate, outcome.receipt) == (Fate.ACCEPTED, reference(letter(1).key))
    wanted = "<DONDOC +84912345678 text Don doc & 100% [IV.2.1]: con 3 ngay>"
    wait_until(lambda: wanted in kannel.seen(), "the message on the network")


async def test_the_parts_on_the_network_are_those_that_were_counted(kannel: RunningKannel) -> None:
    await through(kannel, letter(2, "a" * 160), letter(3, "b" * 161), letter(4, "[" * 80))
    for part in (f"text {'a' * 160}>", f"data {'b' * 153}>", f"data {'b' * 8}>", f"text {'[' * 80}>"):
        wait_until(lambda part=part: part in kannel.seen(), part)  # type: ignore[misc]


async def test_accepted_becomes_delivered_by_the_report_and_not_before(kannel: RunningKannel) -> None:
    [outcome] = await through(kannel, letter(6), report_url=kannel.report_url)
    assert outcome.fate is Fate.ACCEPTED
    wait_until(lambda: len(kannel.calls["receipt"]) == 2, "two reports, taken by the SMSC and delivered")
    state = LetterState.ACCEPTED
    for query in kannel.calls["receipt"]:  # in whichever order they came
        verify(query["secret"], [kannel.secret])
        receipt = receipt_from_kannel(query, datetime.now(UTC))
        assert receipt.receipt == outcome.receipt
        state = advance(state, receipt.state).state
    assert state is LetterState.DELIVERED


async def test_a_wrong_password_is_a_matter_for_the_operator(kannel: RunningKannel) -> None:
    [outcome] = await through(kannel, letter(1), password="wrong")
    assert (outcome.fate, outcome.code, outcome.receipt) == (Fate.RETRY, "403", "")
    assert "Authorization failed" in outcome.reply
    assert "correct this channel's settings" in outcome.reply


async def test_a_gateway_that_has_stopped_is_tried_again(tmp_path: Path) -> None:
    with kannel_with(tmp_path) as stopped:
        pass
    [outcome] = await through(stopped, letter(1))
    assert (outcome.fate, outcome.code) == (Fate.RETRY, "ConnectError")


TYPED = "XN 2762 – đã nhận,\nCảm ơn"


@pytest.mark.parametrize(
    "sent",
    ["text XN 2762 Cảm ơn", f"data {quote(TYPED)}", f"ucs2 {quote(TYPED.encode('utf-16-be'))}"],
    ids=["plain", "8 bit", "UCS-2"],
)
async def test_a_message_from_the_network_comes_in_as_it_was_typed(tmp_path: Path, sent: str) -> None:
    with kannel_with(tmp_path, f"+84912345678 6089 {sent}") as kannel:
        wait_until(lambda: bool(kannel.raw), "the incoming message")
    [query] = kannel.calls["incoming"]
    verify(query["secret"], [kannel.secret])
    received = from_kannel(kannel.raw[0])
    typed = "XN 2762 Cảm ơn" if sent.startswith("text") else TYPED
    assert received == Incoming(query["id"], "+84912345678", typed, answerable=True)
    assert candidate_codes(received.text) == ("2762",)


async def test_a_call_that_is_told_to_come_again_is_made_again(tmp_path: Path) -> None:
    """Of 300 at once, 99 were answered 503, and lost."""
    with kannel_with(tmp_path, "+84912345678 6089 text XN 2762", refused=2) as kannel:
        wait_until(lambda: bool(kannel.raw), "the third call")
    assert (kannel.refused, from_kannel(kannel.raw[0]).text) == (0, "XN 2762")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (b"text=%00X%00N%01%11&coding=2", "XNđ"),
        (b"text=%E1%BA%A3&coding=0", "ả"),
        (b"text=%E1%BA%A3&charset=8-BIT&coding=1", "ả"),
        (b"text=%FF%FE", "\ufffd\ufffd"),
    ],
)
def test_a_get_url_without_a_known_charset_is_read_by_its_coding(query: bytes, text: str) -> None:
    assert from_kannel(b"id=7&from=%2B84912345678&" + query).text == text


@pytest.mark.parametrize("query", [b"", b"from=%2B84912345678", b"id=7&text=XN+2762"])
def test_a_call_that_lacks_what_get_url_asks_for_is_bad_input(query: bytes) -> None:
    with pytest.raises(BadInput, match="get-url"):
        from_kannel(query)
