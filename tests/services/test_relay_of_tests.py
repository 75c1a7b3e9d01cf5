"""The relay of the tests takes nothing with it: what a sender that stays connected leaves is met by some later test."""

import gc
import socket

import pytest
from crash.relay import SlowRelay


def test_a_sender_that_stays_connected_leaves_no_task_behind(caplog: pytest.LogCaptureFixture) -> None:
    with SlowRelay().running() as relay:
        senders = [socket.create_connection(("127.0.0.1", relay.port)) for _ in range(3)]
        assert all(sender.recv(100).startswith(b"220 ") for sender in senders)
    gc.collect()
    for sender in senders:
        sender.close()
    assert caplog.messages == []
