"""Real gateways on loopback, each in folders of its own: Kannel with its fake SMSC, gammu-smsd with its dummy phone.

Each process is stopped by the test that started it.
"""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from notifications.sms.replies import KANNEL_GET_URL, kannel_groups

TIMEOUT_SECONDS = 20.0
"""Maximum wait: long enough for a slow machine, so that only a broken gateway fails the test."""
KANNEL_CONF = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = {secret}
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
box-deny-ip = *.*.*.*
dlr-storage = internal
log-level = 1
log-file = {folder}/bearerbox.log

group = smsc
smsc = fake
smsc-id = fake
port = {smsc}
connect-allow-ip = 127.0.0.1

group = sendsms-user
username = dondoc
password = {secret}
concatenation = true
max-messages = 2

{groups}"""
SMSD_CONF = """
[gammu]
model = dummy
connection = none
port = {folder}/phone
gammuloc = /dev/null

[smsd]
service = files
logfile = {folder}/smsd.log
debuglevel = 1
commtimeout = 1
receivefrequency = 1
loopsleep = 1
statusfrequency = 0
checksecurity = 0
checkbattery = 0
checksignal = 0
checknetwork = 0
inboxpath = {folder}/inbox/
outboxpath = {folder}/outbox/
sentsmspath = {folder}/sent/
errorsmspath = {folder}/error/
inboxformat = unicode
transmitformat = auto
"""


def program(name: str, package: str) -> str:
    """The path of a program; if it is missing, the test fails with a hint how to install it."""
    path = name if name.startswith("/") and Path(name).exists() else shutil.which(name, path="/usr/bin:/usr/sbin")
    if path is None:
        pytest.fail(f"{name} is missing: run the set-up of the tests, which installs Debian's package {package}.")
    return path


_ports = (port for _ in itertools.count() for port in range(20000 + os.getpid() % 1000 * 12, 32700))


def free_ports(count: int) -> list[int]:
    """Unused ports. Below the kernel's ephemeral range, and from a different start in each process, so that nothing
    takes one before the gateway listens on it."""
    return list(itertools.islice((port for port in _ports if not listens(port)), count))


@contextmanager
def running(*command: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process, stopped at the end of the block: SIGTERM, then SIGKILL after 5 seconds."""
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=log.parent)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not happen in {TIMEOUT_SECONDS:.0f} seconds")
        time.sleep(0.02)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class RunningKannel:
    """``calls``: the query parameters of Kannel's callbacks, by path: ``receipt`` and ``incoming``. ``raw``: the query
    strings of the incoming ones as they came."""

    folder: Path
    secret: str
    ports: dict[str, int]
    calls: dict[str, list[dict[str, str]]] = field(default_factory=lambda: {"receipt": [], "incoming": []})
    raw: list[bytes] = field(default_factory=list)
    refused: int = 0
    """How many incoming calls are still answered 503."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['sendsms']}/cgi-bin/sendsms"

    @property
    def report_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['web']}/receipt?secret={self.secret}"

    def seen(self) -> str:
        """The messages that the network received: the output of fakesmsc."""
        return (self.folder / "fakesmsc.out").read_text(errors="replace")


@contextmanager
def listening(kannel: RunningKannel) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(asked.query, keep_blank_values=True).items()}
            if asked.path == "/incoming" and kannel.refused:
                kannel.refused -= 1
                self.send_response(503)
                self.send_header("Retry-After", "10")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            kannel.calls[asked.path.strip("/")].append(query)
            if asked.path == "/incoming":
                kannel.raw.append(asked.query.encode("ascii"))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", kannel.ports["web"]), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def kannel_with(folder: Path, *incoming: str, web: str = "", refused: int = 0) -> Iterator[RunningKannel]:
    """Kannel with a fake network that sends these messages, each «sender receiver type words», and accepts ours; with
    the groups that ``dondoc callbacks`` prints. ``web``: where incoming messages go, with the query, if not to a server
    of the test, which answers ``refused`` of them with 503."""
    bearerbox, smsbox = program("bearerbox", "kannel"), program("smsbox", "kannel")
    fakesmsc = program("/usr/lib/kannel/test/fakesmsc", "kannel-extras")
    ports = dict(zip(("admin", "boxes", "smsc", "sendsms", "web"), free_ports(5), strict=True))
    kannel = RunningKannel(folder, "s3cret", ports, refused=refused)
    conf = folder / "kannel.conf"
    web = web or f"http://127.0.0.1:{ports['web']}/incoming?secret={kannel.secret}&{KANNEL_GET_URL}"
    groups = kannel_groups(web, sendsms=ports["sendsms"]).replace("http-queue-delay = 10", "http-queue-delay = 1")
    conf.write_text(KANNEL_CONF.format(folder=folder, secret=kannel.secret, groups=groups, **ports))
    with ExitStack() as stack:
        stack.enter_context(listening(kannel))
        stack.enter_context(running(bearerbox, str(conf), log=folder / "bearerbox.out"))
        wait_until(lambda: listens(ports["boxes"]), "bearerbox")
        stack.enter_context(running(smsbox, str(conf), log=folder / "smsbox.out"))
        wait_until(lambda: listens(ports["sendsms"]), "smsbox")
        network = ["-H", "127.0.0.1", "-r", str(ports["smsc"]), "-i", "0.05", "-m", str(len(incoming))]
        said = incoming or ("0 0 text nothing",)
        stack.enter_context(running(fakesmsc, *network, *said, log=folder / "fakesmsc.out"))
        yield kannel


@dataclass
class RunningSmsd:
    folder: Path

    def receive(self, slot: int, sender: str, text: str) -> None:
        """Put an incoming message into the dummy phone."""
        backup = f"""[SMSBackup000]
PDU = Deliver
DateTime = 20210617T0701{slot:02}
State = UnRead
Number = "{sender}"
NumberUnicode = {sender.encode("utf-16-be").hex().upper()}
Name = ""
NameUnicode =
Text00 = {text.encode("utf-16-be").hex().upper()}
Coding = Unicode_No_Compression
Folder = 1
Length = {len(text)}
Class = -1
ReplySMSC = False
RejectDuplicates = False
ReplaceMessage = 0
MessageReference = 0
"""
        half = self.folder / "half"
        half.write_text(backup)
        half.rename(self.folder / "phone" / "sms" / "1" / str(slot))


@contextmanager
def smsd_in(folder: Path) -> Iterator[RunningSmsd]:
    daemon = program("gammu-smsd", "gammu-smsd")
    for name in ("phone", "inbox", "outbox", "sent", "error"):
        (folder / name).mkdir()
    conf = folder / "smsdrc"
    conf.write_text(SMSD_CONF.format(folder=folder))
    with running(daemon, "-c", str(conf), log=folder / "smsd.out"):
        wait_until(lambda: (folder / "phone" / "sms" / "1").is_dir(), "gammu-smsd")
        yield RunningSmsd(folder)
