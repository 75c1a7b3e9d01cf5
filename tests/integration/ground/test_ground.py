"""What the other tests stand on: no way out of this machine, and databases that begin empty."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest
from ground.factory import at, row, rows, store
from ground.loopback import OutsideWorld

from engine.store.database import Database
from engine.store.records import Agency, Contact, Plan


@pytest.mark.parametrize("address", [("192.0.2.1", 25), ("2001:db8::1", 25, 0, 0)])
def test_a_connection_to_the_outside_is_refused_before_it_is_made(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as probe, pytest.raises(OutsideWorld):
        probe.connect(address)


async def test_a_library_that_connects_by_itself_is_refused_too() -> None:
    with pytest.raises(OutsideWorld):
        await asyncio.open_connection("192.0.2.1", 25)


def test_an_http_client_is_refused_too() -> None:
    with pytest.raises(OutsideWorld):
        httpx.get("http://192.0.2.1/", trust_env=False)


def test_a_datagram_to_the_outside_is_refused() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as probe, pytest.raises(OutsideWorld):
        probe.sendto(b"?", ("192.0.2.1", 53))


def test_names_of_the_outside_are_not_looked_up_and_example_names_do_not_exist() -> None:
    with pytest.raises(OutsideWorld):
        socket.getaddrinfo("so-ban.gov.vn", 25)
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("mail.so-ban.example", 25)


def test_this_machine_may_be_spoken_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as line:
        assert line.getpeername() == server.getsockname()


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_begins_with_an_empty_database_and_numbers_from_one(database: Database, turn: int) -> None:
    assert rows(database, Agency) == []
    store(database, now=at("2021-04-07"))
    assert row(database, Plan).id == 1
    assert rows(database, Contact)[0].id == 1
