"""The channel "email" against a relay that goes wrong at every point of the conversation."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ground.smtp_server import FaultyServer, Kind, certificate

from engine.errors import BadInput
from notifications.contract.channel import Channel, Fate, Outcome, Outgoing
from notifications.email.connection import Relay, Security
from notifications.email.mime import Sender
from notifications.email.signed_addresses import BOUNCE, signed_key
from notifications.email.smtp import Email, RateLimit

SENDER = Sender("nhacviec@so.example", "Đôn Đốc")
MONDAY = datetime(2021, 6, 14, 1, tzinfo=UTC)
A, R, N, U = Fate.ACCEPTED, Fate.RETRY, Fate.REFUSED, Fate.UNKNOWN


def relay(port: int, **facts: Any) -> Relay:
    usual: dict[str, Any] = {"security": Security.NONE, "timeout": 5.0, "pause": 0.0, "connections": 1}
    return Relay(host="127.0.0.1", sender=SENDER, port=port, **(usual | facts))


def letter(number: int = 1, **facts: Any) -> Outgoing:
    usual = {"to": "vanthu@huyen.example", "subject": "Nhắc hạn", "text": "Kính gửi đầu mối", "html": "<p>Kính gửi</p>"}
    return Outgoing(key=f"assignment:{number}:T-3", at=MONDAY, **(usual | facts))


async def send(server: FaultyServer, *letters: Outgoing, **facts: Any) -> list[Outcome]:
    async with Email(relay(server.port, **facts)) as channel:
        return [await channel.send(each) for each in letters or (letter(),)]


PIPELINED = pytest.mark.parametrize("offers", [(), ("PIPELINING",)], ids=["one by one", "pipelined"])

# --- Faults ---------------------------------------------------------------------------------------------------------

FAULTS = {
    #          4xx 5xx 421 drop silence garbage
    "banner": (R, R, R, R, R, R),
    "ehlo": (R, R, R, R, R, R),
    "auth": (R, R, R, R, R, R),
    "mail": (R, R, R, R, R, R),
    "rcpt": (R, N, R, R, R, R),
    "data": (R, R, R, R, R, R),
    "dot": (R, R, R, U, U, U),
    "taken": (R, R, R, U, U, U),
    "quit": (A, A, A, A, A, A),
}
TABLE = [(point, kind, fate) for point, fates in FAULTS.items() for kind, fate in zip(Kind, fates, strict=True)]


@PIPELINED
@pytest.mark.parametrize(("point", "kind", "fate"), TABLE)
async def test_each_fault_at_each_point_has_one_fate(
    point: str, kind: Kind, fate: Fate, offers: tuple[str, ...]
) -> None:
    for patience in (0.05, 2.0) if kind is Kind.SILENCE else (5.0,):
        async with FaultyServer({point: kind}, login=("sender", "secret"), offers=offers) as server:
            [outcome] = await send(server, timeout=patience, username="sender", password="secret")
        if outcome.fate is fate:
            break  # else a busy machine was silent before the server was
    assert outcome.fate is fate, outcome
    assert outcome.reply
    assert bool(outcome.receipt) is (fate in (A, U))
    assert len(server.taken) == (point in ("taken", "quit"))


@pytest.mark.parametrize("kind", [Kind.LATER, Kind.NEVER, Kind.CLOSING, Kind.DROP, Kind.SILENCE, Kind.GARBAGE])
async def test_a_fault_at_starttls_sends_nothing(kind: Kind, tmp_path: Path) -> None:
    trust, trusted = certificate(tmp_path, "127.0.0.1")
    patience = 0.2 if kind is Kind.SILENCE else 5.0
    async with FaultyServer({"starttls": kind}, trust) as server:
        facts = {"security": Security.STARTTLS, "ca_file": str(trusted), "verify": False}
        [outcome] = await send(server, timeout=patience, **facts)
    assert outcome.fate is R
    assert not any(line.startswith("MAIL") for line in server.said)


async def test_a_relay_that_is_not_there_is_tried_again_and_named() -> None:
    async with FaultyServer() as server:
        port = server.port
    async with Email(relay(port)) as channel:
        outcome = await channel.send(letter())
    assert outcome.fate is R
    assert f"127.0.0.1:{port}" in outcome.reply


async def test_a_connection_dropped_at_once_is_tried_again() -> None:
    async with FaultyServer({"connect": Kind.DROP}) as server:
        [outcome] = await send(server)
    assert outcome.fate is R


async def test_a_line_that_breaks_before_the_dot_has_left_is_tried_again() -> None:
    async with FaultyServer({"text": Kind.DROP}, receive=4096) as server:
        [outcome] = await send(server, letter(text="x" * 12_000_000))
    assert outcome.fate is R, outcome
    assert server.taken == []


async def test_a_relay_that_stops_reading_before_the_dot_is_tried_again() -> None:
    async with FaultyServer({"text": Kind.SILENCE}, receive=4096) as server:
        [outcome] = await send(server, letter(text="x" * 12_000_000), timeout=0.2)
    assert outcome.fate is R, outcome
    assert server.taken == []


ANSWERS = [
    ("rcpt", b"452 4.2.2 mailbox full\r\n", R),
    ("rcpt", b"552 5.2.2 mailbox full\r\n", R),
    ("rcpt", b"550 5.2.2 over quota\r\n", R),
    ("dot", b"552 requested action aborted: exceeded storage\r\n", R),
    ("dot", b"552 5.3.4 message too big\r\n", N),
    ("mail", b"530 5.7.0 must issue STARTTLS first\r\n", R),
    ("mail", b"503 5.5.1 AUTH first\r\n", R),
    ("rcpt", b"251 will forward\r\n", A),
    ("rcpt", b"550-5.1.1 no such\r\n550 5.1.1 mailbox\r\n", N),
    ("dot", b"354 what now\r\n", U),
    ("data", b"250 not what was asked\r\n", R),
]


@pytest.mark.parametrize(("point", "answer", "fate"), ANSWERS)
async def test_answers_met_in_practice_have_their_fate(point: str, answer: bytes, fate: Fate) -> None:
    async with FaultyServer({point: answer}) as server:
        [outcome] = await send(server)
    assert outcome.fate is fate, outcome


async def test_a_reply_is_kept_without_the_mailbox_that_it_repeats() -> None:
    async with FaultyServer({"rcpt": b"550 5.1.1 <vanthu@huyen.example>: unknown\r\n"}) as server:
        [outcome] = await send(server)
    assert (outcome.code, outcome.reply) == ("550", "5.1.1 <…>: unknown")


async def test_greylisting_says_how_long_to_wait() -> None:
    async with FaultyServer({"rcpt": b"450 4.2.0 Greylisted, try again in 5 minutes\r\n"}) as server:
        [outcome] = await send(server)
    assert (outcome.fate, outcome.code, outcome.after) == (R, "450", timedelta(minutes=5))


async def test_too_many_logins_wait_five_minutes() -> None:
    async with FaultyServer({"auth": b"454 4.7.0 too many logins\r\n"}, login=("a", "b")) as server:
        [outcome] = await send(server, username="a", password="b")
    assert (outcome.fate, outcome.after) == (R, timedelta(minutes=5))


# --- Connections ----------------------------------------------------------------------------------------------------


async def test_letters_share_one_connection_and_say_goodbye() -> None:
    async with FaultyServer() as server:
        outcomes = await send(server, *map(letter, range(5)))
    assert {outcome.fate for outcome in outcomes} == {A}
    assert server.connections == 1
    assert [line[:4] for line in server.said] == ["EHLO", *["MAIL", "RCPT", "DATA"] * 5, "QUIT"]


@PIPELINED
async def test_a_refused_letter_does_not_cost_the_next_one_its_connection(offers: tuple[str, ...]) -> None:
    refusals = iter([Kind.NEVER])
    faults = lambda point: next(refusals, None) if point == "rcpt" else None  # noqa: E731
    async with FaultyServer(faults, offers=offers) as server:
        first, second = await send(server, letter(1), letter(2))
    assert (first.fate, second.fate, server.connections) == (N, A, 1)
    assert "RSET" in server.said


@PIPELINED
@pytest.mark.parametrize("kind", [Kind.DROP, Kind.CLOSING])
async def test_a_kept_line_that_died_in_the_meantime_is_replaced_at_once(kind: Kind, offers: tuple[str, ...]) -> None:
    tries = iter([None, kind])
    faults = lambda point: next(tries, None) if point == "mail" else None  # noqa: E731
    async with FaultyServer(faults, offers=offers) as server:
        outcomes = await send(server, letter(1), letter(2))
    assert [outcome.fate for outcome in outcomes] == [A, A]
    assert (server.connections, len(server.taken)) == (2, 2)


async def test_a_relay_that_says_goodbye_between_two_letters_is_not_taken_at_its_word_for_the_next() -> None:
    async with FaultyServer() as server, Email(relay(server.port)) as channel:
        first = await channel.send(letter(1))
        for conversation in server.open:
            conversation.transport.write(b"250 2.0.0 nobody asked\r\n")
        await asyncio.sleep(0.05)
        second = await channel.send(letter(2))
    assert (first.fate, second.fate, server.connections, len(server.taken)) == (A, A, 2, 2)


async def test_commands_in_one_write_are_answered_in_their_order() -> None:
    async with FaultyServer(offers=("PIPELINING",)) as server:
        outcomes = await send(server, *map(letter, range(5)))
    assert {outcome.fate for outcome in outcomes} == {A}
    assert server.connections == 1
    assert server.writes <= 2 + 3 * 5, "EHLO, QUIT, and of each letter at most: commands, text, dot"


@pytest.mark.parametrize("refused", ["mail", "rcpt"])
async def test_a_relay_that_wants_a_letter_to_nobody_gets_not_even_a_dot(refused: str) -> None:
    server: FaultyServer
    answers = {refused: b"550 5.1.1 no such user\r\n", "data": b"354 go on\r\n"}
    faults = lambda point: answers.get(point) if server.connections == 1 else None  # noqa: E731
    async with FaultyServer(faults, offers=("PIPELINING",)) as server:
        first, second = await send(server, letter(1), letter(2))
    assert (first.code, second.fate, server.connections) == ("550", A, 2)
    assert "." not in server.said
    assert [taken.recipient for taken in server.taken] == ["vanthu@huyen.example"]


async def test_a_refusal_is_kept_though_the_relay_hangs_up_after_it() -> None:
    faults = {"rcpt": Kind.NEVER, "data": Kind.DROP}
    async with FaultyServer(faults, offers=("PIPELINING",)) as server:
        [outcome] = await send(server)
    assert (outcome.fate, outcome.code) == (N, "550")


async def test_four_tasks_use_four_connections_and_no_more() -> None:
    async with FaultyServer() as server, Email(relay(server.port, connections=4)) as channel:
        outcomes = await asyncio.gather(*(channel.send(letter(number)) for number in range(40)))
    assert {outcome.fate for outcome in outcomes} == {A}
    assert server.connections == channel.parallel == 4
    assert len({taken.content for taken in server.taken}) == 40


async def test_a_relay_that_allows_fewer_connections_gets_all_letters_on_those() -> None:
    server: FaultyServer

    def faults(point: str) -> Kind | None:
        return Kind.CLOSING if point == "banner" and len(server.open) > 2 else None

    async with FaultyServer(faults) as server, Email(relay(server.port, connections=4, pause=60.0)) as channel:
        outcomes = await asyncio.gather(*(channel.send(letter(number)) for number in range(40)))
    assert {outcome.fate for outcome in outcomes} == {A}
    assert len(server.taken) == 40


async def test_a_relay_that_goes_away_under_way_keeps_nobody_waiting() -> None:
    server: FaultyServer

    def faults(point: str) -> Kind | None:
        return Kind.DROP if point in ("banner", "rcpt") and server.connections > 1 else None

    async with FaultyServer(faults) as server, Email(relay(server.port, connections=4)) as channel:
        await channel.send(letter(0))
        outcomes = await asyncio.gather(*(channel.send(letter(number)) for number in range(1, 20)))
    assert {outcome.fate for outcome in outcomes} == {R}


async def test_a_cancelled_task_leaves_its_connection_closed() -> None:
    reached, silent = asyncio.Event(), iter([Kind.SILENCE])

    def faults(point: str) -> Kind | None:
        if point != "rcpt":
            return None
        reached.set()
        return next(silent, None)

    async with FaultyServer(faults) as server, Email(relay(server.port)) as channel:
        task = asyncio.create_task(channel.send(letter(1)))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        outcome = await channel.send(letter(2))
    assert (outcome.fate, server.connections, len(server.taken)) == (A, 2, 1)


async def test_an_unreachable_relay_is_left_alone_for_the_letters_that_follow() -> None:
    async with FaultyServer({"banner": Kind.NEVER}) as server:
        outcomes = await send(server, *map(letter, range(20)), pause=60.0)
    assert {outcome.fate for outcome in outcomes} == {R}
    assert server.connections == 1
    assert outcomes[-1].after == timedelta(seconds=600)


async def test_a_channel_can_be_opened_again_in_another_event_loop() -> None:
    channel = Email(relay(1))

    async def use() -> Fate:
        async with channel:
            return (await channel.send(letter())).fate

    fates = [await asyncio.to_thread(asyncio.run, use()) for _ in range(2)]
    assert fates == [R, R]


def test_an_even_pace_gives_each_letter_its_turn() -> None:
    pace = RateLimit(60)
    assert [pace.reserve(now) for now in (0.0, 0.0, 0.5, 10.0)] == [0.0, 1.0, 1.5, 0.0]
    assert RateLimit(0).reserve(5.0) == 0.0


async def test_a_letter_waits_for_its_turn() -> None:
    async with FaultyServer() as server, Email(relay(server.port, connections=3, per_minute=1)) as channel:
        await channel.send(letter(1))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(channel.send(letter(2)), 0.05)
    assert len(server.taken) == 1


async def test_a_letter_waits_for_all_machines_together_as_well() -> None:
    class Shared:
        open, asked = asyncio.Event(), 0

        async def wait(self) -> None:
            self.asked += 1
            await self.open.wait()

    shared = Shared()
    async with FaultyServer() as server, Email(relay(server.port), shared) as channel:
        sending = asyncio.create_task(channel.send(letter()))
        await asyncio.sleep(0.1)
        assert (shared.asked, len(server.taken)) == (1, 0)
        shared.open.set()
        assert (await sending).fate is Fate.ACCEPTED
    assert len(server.taken) == 1


# --- What goes over the wire ----------------------------------------------------------------------------------------


async def test_what_arrives_is_what_was_composed() -> None:
    async with FaultyServer(offers=("SIZE 100000",)) as server:
        [outcome] = await send(server)
    [taken] = server.taken
    assert (taken.sender, taken.recipient) == ("nhacviec@so.example", "vanthu@huyen.example")
    assert f"Message-ID: {outcome.receipt}".encode() in taken.content
    assert f"MAIL FROM:<nhacviec@so.example> SIZE={len(taken.content)}" in server.said


async def test_each_letter_has_a_return_address_that_names_it() -> None:
    async with FaultyServer() as server:
        await send(server, letter(418), bounce_domain="tra.so.example", bounce_secret="secret")
    assert server.taken[0].sender.endswith("@tra.so.example")
    assert signed_key(BOUNCE, server.taken[0].sender, "secret") == "assignment:418:T-3"


async def test_a_mailbox_beyond_ascii_needs_a_relay_that_carries_it() -> None:
    to = "đầumối@huyện.example"
    async with FaultyServer(offers=()) as plain, FaultyServer() as wide:
        [refused] = await send(plain, letter(to=to))
        [accepted] = await send(wide, letter(to=to))
    assert (refused.fate, accepted.fate) == (N, A)
    assert "SMTPUTF8" in refused.reply
    assert plain.taken == []
    assert wide.taken[0].recipient == "đầumối@xn--huyn-nw5a.example"


async def test_a_domain_beyond_ascii_needs_nothing_of_the_relay() -> None:
    async with FaultyServer(offers=()) as server:
        [outcome] = await send(server, letter(to="vanthu@huyện.example"))
    assert (outcome.fate, server.taken[0].recipient) == (A, "vanthu@xn--huyn-nw5a.example")


async def test_a_letter_too_big_for_the_relay_is_refused_before_it_is_sent() -> None:
    async with FaultyServer(offers=("SIZE 300",)) as server:
        [outcome] = await send(server)
    assert (outcome.fate, outcome.code) == (N, "552")
    assert not any(line.startswith("MAIL") for line in server.said)


@pytest.mark.parametrize("to", ["a@b.example\r\nDATA", "a@b.example>\nRCPT TO:<c@d.example", "", "a b@c.example"])
async def test_an_address_that_is_none_is_refused_without_a_connection(to: str) -> None:
    async with FaultyServer() as server:
        [outcome] = await send(server, letter(to=to))
    assert (outcome.fate, server.connections) == (N, 0)


# --- TLS and login --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_letter_travels_protected_and_after_login(security: Security, tmp_path: Path) -> None:
    trust, trusted = certificate(tmp_path, "localhost")
    async with FaultyServer(trust=trust, implicit=security is Security.TLS, login=("sender", "mật khẩu")) as server:
        facts = relay(server.port, security=security, username="sender", password="mật khẩu", ca_file=str(trusted))
        async with Email(Relay(**(vars(facts) | {"host": "localhost"}))) as channel:
            outcomes = [await channel.send(letter(number)) for number in range(3)]
    assert {outcome.fate for outcome in outcomes} == {A}, outcomes
    assert (server.connections, len(server.taken)) == (1, 3)


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_certificate_of_another_host_is_refused(security: Security, tmp_path: Path) -> None:
    trust, trusted = certificate(tmp_path, "other.example")
    async with FaultyServer(trust=trust, implicit=security is Security.TLS) as server:
        [outcome] = await send(server, security=security, ca_file=str(trusted))
    assert outcome.fate is R
    assert "ca_file" in outcome.reply
    assert server.taken == []


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_certificate_that_nobody_vouches_for_is_refused(security: Security, tmp_path: Path) -> None:
    trust, _ = certificate(tmp_path, "127.0.0.1")
    async with FaultyServer(trust=trust, implicit=security is Security.TLS) as server:
        [outcome] = await send(server, security=security)
    assert (outcome.fate, server.taken) == (R, [])
    assert "TLS" in outcome.reply


async def test_a_relay_without_starttls_gets_nothing_in_the_clear() -> None:
    async with FaultyServer(login=("a", "b")) as server:
        [outcome] = await send(server, security=Security.STARTTLS, username="a", password="b")
    assert outcome.fate is R
    assert [line[:4] for line in server.said] == ["EHLO"]


async def test_a_wrong_password_is_told_in_words_and_tried_once() -> None:
    async with FaultyServer(login=("a", "right")) as server:
        outcomes = await send(server, letter(1), letter(2), username="a", password="wrong", pause=60.0)
    assert [(outcome.fate, outcome.code) for outcome in outcomes] == [(R, "535")] * 2
    assert "mật khẩu" in outcomes[0].reply
    assert "wrong user name" in outcomes[0].reply
    assert sum(line.startswith("AUTH") for line in server.said) == 1


async def test_a_relay_that_offers_no_login_is_told_in_words() -> None:
    async with FaultyServer() as server:
        [outcome] = await send(server, username="a", password="b")
    assert outcome.fate is R
    assert "AUTH not offered" in outcome.reply


async def test_a_certificate_file_that_is_not_there_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(BadInput, match="ca_file"):
        async with Email(relay(25, security=Security.TLS, ca_file="/nowhere/ca.pem")):
            pass


def test_the_channel_keeps_the_contract() -> None:
    channel: Channel = Email(relay(25, connections=3))
    assert (channel.name, channel.parallel) == ("email", 3)


# --- A storm --------------------------------------------------------------------------------------------------------


async def test_in_a_storm_nothing_is_lost_and_only_the_unknowable_comes_twice() -> None:
    dice = random.Random(188)
    points = {"banner", "ehlo", "mail", "rcpt", "data", "dot", "taken", "rset"}
    kinds = [kind for kind in Kind if kind not in (Kind.SILENCE, Kind.NEVER)]

    def faults(point: str) -> Kind | None:
        if point in points and dice.random() < 0.03:
            kind = dice.choice(kinds)
            # A relay that has taken a letter and then answers "not taken" lies; no client can know.
            return Kind.DROP if point == "taken" and kind in (Kind.LATER, Kind.CLOSING) else kind
        return None

    owed, fates, doubtful = [letter(number) for number in range(2000)], Counter[Fate](), set()
    async with FaultyServer(faults) as server, Email(relay(server.port, connections=4)) as channel:
        while owed:
            queue, again = iter(owed), []  # type: ignore[var-annotated]

            async def work(queue: Any = queue, again: list[Outgoing] = again) -> None:
                for each in queue:
                    outcome = await channel.send(each)
                    fates[outcome.fate] += 1
                    if outcome.fate is U:
                        doubtful.add(outcome.receipt)
                    if outcome.fate in (R, U):
                        again.append(each)

            await asyncio.gather(*(work() for _ in range(4)))
            owed = again
    ids = Counter(re.search(rb"Message-ID: (\S+)", taken.content)[1].decode() for taken in server.taken)  # type: ignore[index]
    twice = {message_id for message_id, number in ids.items() if number > 1}
    print(f"{fates}, {server.connections} connections, {len(twice)} came twice of {len(doubtful)} in doubt")
    assert (fates[A], len(ids)) == (2000, 2000)
    assert fates[N] == 0
    assert twice <= doubtful
    assert 0 < len(twice) < len(doubtful)
