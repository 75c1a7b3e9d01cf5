"""What systemd is told, by a datagram to its socket."""

from __future__ import annotations

import http.server
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ground.paths import ROOT
from ground.web_servers import listening, served

from workflows.serving.sending import ALIVE, READY, ServiceManager

UNIT = (ROOT / "packaging" / "dondoc.service").read_text()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiving:
        receiving.bind(str(tmp_path / "notify"))
        receiving.settimeout(0.2)
        yield receiving


def manager(systemd: socket.socket, **more: str) -> ServiceManager:
    return ServiceManager.of({"NOTIFY_SOCKET": systemd.getsockname(), **more})


def test_it_is_told_that_the_service_is_ready(systemd: socket.socket) -> None:
    manager(systemd).tell(READY)
    assert systemd.recv(100) == READY.encode()


def test_a_socket_without_a_file_is_found_by_its_name() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiving:
        receiving.bind(f"\0dondoc-{os.getpid()}")
        receiving.settimeout(0.2)
        ServiceManager(f"@dondoc-{os.getpid()}").tell(READY)
        assert receiving.recv(100) == READY.encode()


def test_elsewhere_nothing_is_sent_and_a_socket_that_is_gone_is_no_error(tmp_path: Path) -> None:
    ServiceManager.of({}).tell(READY)
    ServiceManager(str(tmp_path / "gone")).tell(READY)


def test_a_sign_of_life_comes_three_times_a_period_from_the_main_process_alone(systemd: socket.socket) -> None:
    asked = {"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": str(os.getpid())}
    assert manager(systemd, **asked).sign_seconds == 40
    assert manager(systemd, **asked | {"WATCHDOG_PID": "1"}).sign_seconds == 0
    assert ServiceManager.of(asked).sign_seconds == 0


def test_a_process_whose_pages_hang_gives_no_sign(systemd: socket.socket) -> None:
    with listening() as (url, _):
        manager(systemd).tell_alive(url)
        assert systemd.recv(100) == ALIVE.encode()
    manager(systemd).tell_alive(url)
    with pytest.raises(TimeoutError):
        systemd.recv(100)


def test_the_unit_asks_for_what_the_service_tells() -> None:
    told = dict(re.findall(r"^(\w+)=(.*)$", UNIT, re.MULTILINE))
    assert told["Type"] == "notify"
    assert int(told["WatchdogSec"]) >= 60
    assert (ROOT / "packaging" / told["OnFailure"]).exists()
    tries = int(told["StartLimitBurst"]) * int(told["RestartSec"])
    assert tries < int(told["StartLimitIntervalSec"]), "it would be tried for ever, and nobody told"


def test_a_forbidden_call_is_an_error_and_kills_no_process() -> None:
    assert re.search(r"^SystemCallFilter=", UNIT, re.MULTILINE)
    assert "\nSystemCallErrorNumber=EPERM\n" in UNIT


def test_the_call_to_the_monitor_needs_no_package_that_a_bare_machine_lacks() -> None:
    unit = (ROOT / "packaging" / "dondoc-failed.service").read_text()
    (call,) = re.findall(r"^ExecStart=-/usr/bin/python3 -c '(.*)'$", unit, re.MULTILINE)
    assert not set(call) & set("\\%$"), "systemd would read it otherwise"
    asked: list[str] = []

    class Monitor(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with served(Monitor) as url:
        named = {"DONDOC_FAILED_URL": f"{url}/failed"}
        subprocess.run([sys.executable, "-c", call], env=named, check=True, timeout=30)
        subprocess.run([sys.executable, "-c", call], env={}, check=True, timeout=30)
    assert asked == ["/failed"]
