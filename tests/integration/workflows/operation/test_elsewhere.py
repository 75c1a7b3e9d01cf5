"""What other machines say of this one: the time, and DNS of the sender's domain, from a name server of this machine."""

from __future__ import annotations

import ctypes
import http.server
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ground.factory import at
from ground.post import KEY
from ground.web_servers import served

from config.settings import Settings
from engine.admin.first_steps import CheckLine, Mark
from engine.store.database import Database
from workflows.operation import elsewhere
from workflows.operation.elsewhere import AskTexts, TextRecords, ask_texts, clock_elsewhere, name_servers, sender_domain
from workflows.run import clock_guard
from workflows.run.system import System, compose

NOW = at("2026-06-24")
GOOD = {
    "nghean.vn": ("google-site=1", "v=spf1 include:relay.vn -all"),
    "_domainkey.nghean.vn": (),
    "_dmarc.nghean.vn": ("v=DMARC1; p=none; " + "x" * 300,),
}


def system_of(database: Database, folder: Path, **settings: Any) -> System:
    address = database.bind.url.render_as_string(hide_password=False)
    given = {"data_dir": folder, "secret": KEY, "database_url": address, "smtp_security": "none"} | settings
    wired = compose(Settings(_env_file=None, **given))
    object.__setattr__(wired, "clock", lambda: NOW)
    return wired


def _same_port() -> tuple[socket.socket, socket.socket]:
    """A port that is free for UDP and TCP."""
    while True:
        udp, tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()
        udp.bind(("127.0.0.1", 0))
        try:
            tcp.bind(udp.getsockname())
        except OSError:
            udp.close()
            tcp.close()
        else:
            tcp.listen()
            return udp, tcp


@contextmanager
def name_server(zone: Mapping[str, tuple[str, ...]], *, cut: bool = False) -> Iterator[AskTexts]:
    """Answers TXT over UDP and TCP; ``cut``: every answer over UDP is truncated. Names are compressed, a CNAME comes
    first."""
    udp, tcp = _same_port()

    def answer(question: bytes, *, cut: bool) -> bytes:
        end = question.index(b"\0", 12)
        labels, at = [], 12
        while at < end:
            labels.append(question[at + 1 : at + 1 + question[at]].decode())
            at += 1 + question[at]
        name = ".".join(labels)
        texts = zone.get(name, ())
        code = 0 if name in zone or any(each.endswith(f".{name}") for each in zone) else 3
        flags, asked = 0x8180 | code | (0x0200 if cut else 0), question[12 : end + 5]
        head = question[:2] + struct.pack("!5H", flags, 1, 0 if cut else len(texts) + 1, 0, 0) + asked
        if cut:
            return head
        records = b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 60, 2) + b"\xc0\x0c"
        for text in texts:
            parts = [text[n : n + 255].encode() for n in range(0, len(text), 255)]
            data = b"".join(bytes([len(part)]) + part for part in parts)
            records += b"\xc0\x0c" + struct.pack("!HHIH", 16, 1, 60, len(data)) + data
        return head + records

    def over_udp() -> None:
        while True:
            try:
                question, sender = udp.recvfrom(2_000)
            except OSError:
                return
            if not question:
                return
            udp.sendto(answer(question, cut=cut), sender)

    def over_tcp() -> None:
        while True:
            try:
                asking, _ = tcp.accept()
            except OSError:
                return
            with asking:
                (length,) = struct.unpack("!H", asking.recv(2))
                whole = answer(asking.recv(length), cut=False)
                asking.sendall(struct.pack("!H", len(whole)) + whole)

    threads = [threading.Thread(target=each, daemon=True) for each in (over_udp, over_tcp)]
    for each in threads:
        each.start()
    try:
        yield lambda name: ask_texts(name, [udp.getsockname()])
    finally:
        udp.sendto(b"", udp.getsockname())
        tcp.shutdown(socket.SHUT_RDWR)
        threads[0].join(5)
        threads[1].join(5)
        udp.close()
        tcp.close()


@pytest.mark.parametrize("cut", [False, True])
def test_text_records_are_read_whole_over_udp_and_over_tcp_where_an_answer_is_cut(cut: bool) -> None:
    with name_server(GOOD, cut=cut) as ask:
        assert ask("nghean.vn") == TextRecords(True, GOOD["nghean.vn"])
        assert ask("_dmarc.nghean.vn") == TextRecords(True, GOOD["_dmarc.nghean.vn"])
        assert ask("vn") == TextRecords(True)
        assert ask("khong-co.vn") is not None
        assert ask("khong..co") is None
    assert ask_texts("nghean.vn", []) is None


def test_a_server_that_is_not_there_or_answers_nonsense_is_no_answer() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        nowhere = deaf.getsockname()
    assert ask_texts("nghean.vn", [nowhere]) is None


def test_name_servers_are_those_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text("# x\nsearch tinh\nnameserver 10.0.0.1\nnameserver ::1\nnameserver\n")
    assert name_servers(tmp_path / "resolv.conf") == ("10.0.0.1", "::1")
    assert name_servers(tmp_path / "none") == ()


def marks(lines: Iterator[CheckLine]) -> dict[str, Mark]:
    found = list(lines)
    assert all(each.remedy for each in found if each.mark is Mark.WRONG)
    return {each.name: each.mark for each in found}


@pytest.mark.parametrize(
    ("missing", "wrong"),
    [("", set()), ("nghean.vn", {"spf"}), ("_domainkey.nghean.vn", {"dkim"}), ("_dmarc.nghean.vn", {"dmarc"})],
)
def test_what_dns_lacks_of_the_sender_s_domain_is_found(
    sqlite_database: Database, tmp_path: Path, missing: str, wrong: set[str]
) -> None:
    system = system_of(sqlite_database, tmp_path, smtp_host="relay.vn", mail_from="nhacviec@nghean.vn")
    with name_server({name: texts for name, texts in GOOD.items() if name != missing}) as ask:
        found = marks(sender_domain(system, ask))
    assert set(found) == {"spf", "dkim", "dmarc"}
    assert {name for name, mark in found.items() if mark is Mark.WRONG} == wrong


def test_a_policy_above_counts_and_what_cannot_be_looked_up_is_not_wrong(
    sqlite_database: Database, tmp_path: Path
) -> None:
    below = system_of(sqlite_database, tmp_path, smtp_host="relay.vn", mail_from="a@so-y-te.nghean.vn")
    with name_server(GOOD) as ask:
        assert marks(sender_domain(below, ask))["dmarc"] is Mark.WELL
    assert marks(sender_domain(below, lambda name: None)) == {"dns": Mark.UNUSED}
    reserved = system_of(sqlite_database, tmp_path, smtp_host="relay.vn", mail_from="a@so-y-te.example")
    assert marks(sender_domain(reserved, lambda name: pytest.fail("asked"))) == {"dns": Mark.UNUSED}
    assert marks(sender_domain(system_of(sqlite_database, tmp_path))) == {}


@pytest.mark.parametrize(("off", "mark"), [(30, Mark.WELL), (600, Mark.WRONG), (-600, Mark.WRONG)])
def test_the_heartbeat_monitor_says_it_by_its_date_header(
    sqlite_database: Database, tmp_path: Path, off: int, mark: Mark
) -> None:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(200)
            self.send_header("Date", format_datetime(NOW.astimezone(UTC) + timedelta(seconds=off), usegmt=True))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with served(Answer) as url:
        line = clock_elsewhere(system_of(sqlite_database, tmp_path, heartbeat_url=f"{url}/ping/abc"))
    assert (line.mark, f"{-off:+d}" in line.what.vi) == (mark, True)


@pytest.mark.parametrize(
    ("kept", "mark", "said"), [(True, Mark.WELL, "a time service keeps"), (False, Mark.UNUSED, "is seen by nobody")]
)
def test_without_another_clock_the_kernel_is_asked_for_a_time_service(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool, mark: Mark, said: str
) -> None:
    monkeypatch.setattr(elsewhere, "kept_by_time_service", lambda: kept)
    line = clock_elsewhere(system_of(sqlite_database, tmp_path))
    assert (line.mark, said in line.what.en) == (mark, True)


@pytest.mark.parametrize(("answer", "kept"), [(0, True), (2, True), (5, False), (-1, False), (None, False)])
def test_the_kernels_answer_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: int | None, kept: bool
) -> None:
    """adjtimex(2): states of leap seconds, TIME_ERROR where nobody keeps the clock, -1 where it may not be asked."""
    monkeypatch.setattr(clock_guard, "SYSTEMD", tmp_path / "absent")
    library = SimpleNamespace() if answer is None else SimpleNamespace(adjtimex=lambda buffer: answer)
    monkeypatch.setattr(clock_guard, "ctypes", SimpleNamespace(CDLL=lambda _: library, create_string_buffer=bytes))
    assert clock_guard.kept_by_time_service() is kept


@pytest.mark.parametrize(("script", "kept"), [("echo yes", True), ("echo no", False), ("exit 1", False), (None, False)])
def test_under_systemd_the_kernel_is_never_asked_by_this_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str | None, kept: bool
) -> None:
    """The filter of packaging/dondoc.service answers adjtimex(2) with EPERM, whoever keeps the clock."""
    monkeypatch.setattr(clock_guard, "SYSTEMD", tmp_path)
    monkeypatch.setattr(clock_guard, "ctypes", None)
    monkeypatch.setenv("PATH", f"{tmp_path}")
    if script:
        command = tmp_path / "timedatectl"
        command.write_text(f'#!/bin/sh\n[ "$*" = "show --property=NTPSynchronized --value" ] && {script}\n')
        command.chmod(0o755)
    assert clock_guard.kept_by_time_service() is kept


def test_this_machines_kernel_answers() -> None:
    asked = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(clock_guard.TIMEX_BYTES))
    assert asked in range(-1, clock_guard.TIME_ERROR + 1)
