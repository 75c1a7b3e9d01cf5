"""Who listens at a port of this machine, as Linux tells it: only our own user's server is shown the string."""

from __future__ import annotations

import os
import socket

from workflows.run.prefect_server import is_ours, listener_uids, listeners

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:105C 00000000:0000 0A 00000000:00000000 00:00000000 00000000 65534        0 2113 1 0 100 0 0 10 0
   1: 0100007F:105C 0100007F:9C40 01 00000000:00000000 02:000004B0 00000000  1000        0 2114 2 0 20 4 30 10 -1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2115 1 0 100 0 0 10 0
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when \
retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:105C 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 \
00000000  1000        0 2116 1 0 100 0 0 10 0
"""


def test_the_table_tells_whose_socket_listens_at_a_port_and_not_who_is_connected() -> None:
    assert listener_uids(TCP, 4188) == {65534}
    assert listener_uids(TCP, 22) == {0}
    assert listener_uids(TCP, 80) == frozenset()
    assert listener_uids(TCP6, 4188) == {1000}


def test_a_port_is_ours_while_we_listen_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mine:
        port = mine.getsockname()[1]
        assert (set(listeners(port)), is_ours(port)) == ({os.geteuid()}, True)
    assert (set(listeners(port)), is_ours(port)) == (set(), False)
