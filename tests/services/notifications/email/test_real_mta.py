"""One letter through a real relay: Postfix on loopback, from EHLO over STARTTLS to the mailbox, and a bounce back.

Debian's package ``postfix`` must be installed, no service of it need run. Postfix runs as root alone: whoever else runs
the tests must be let do so by sudo. Configuration, queue and mailboxes are in a folder of the test's own.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from ground.smtp_server import certificate

from notifications.channel import Fate, Outgoing
from notifications.email import bounces
from notifications.email.mime import Sender
from notifications.email.relay import Relay, Security
from notifications.email.signed_addresses import BOUNCE, signed_key
from notifications.email.smtp import Email
from notifications.inbound.message import read_mail

MASTER = Path("/usr/lib/postfix/sbin/master")
MISSING = "Postfix is missing: run the set-up of the tests, which installs Debian's package postfix."
ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]
SENDER = Sender("nhacviec@so.example", "Đôn Đốc")
SUBFOLDERS = ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid"]
SUBFOLDERS += ["private", "public", "saved", "trace"]
# Nothing leaves this machine: any domain but the two here is an error. gone@huyen.example is taken, then bounced.
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
maillog_file_permissions = 0644
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.so.example
mydestination =
mynetworks = 127.0.0.0/8
recipient_delimiter = +
default_transport = error:nothing leaves this test
virtual_mailbox_domains = so.example, huyen.example
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = inline:{{ vanthu@huyen.example=vanthu/, bounce@so.example=bounce/ }}
virtual_alias_maps = inline:{{ gone@huyen.example=gone@elsewhere.example }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {folder}/server.pem
smtputf8_enable = yes
"""
SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup  unix  n - n - 0 cleanup
qmgr     unix  n - n 300 1 qmgr
tlsmgr   unix  - - n 1000? 1 tlsmgr
rewrite  unix  - - n - - trivial-rewrite
bounce   unix  - - n - 0 bounce
defer    unix  - - n - 0 bounce
trace    unix  - - n - 0 bounce
error    unix  - - n - - error
retry    unix  - - n - - error
virtual  unix  - n n - - virtual
anvil    unix  - - n - 1 anvil
proxymap unix  - - n - - proxymap
postlog  unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    folder: Path
    port: int
    trusted: Path

    def mailbox(self, name: str) -> list[bytes]:
        as_root("chmod", "-R", "a+rX", self.folder / "mail")
        return [path.read_bytes() for path in sorted((self.folder / "mail" / name / "new").glob("*"))]


def as_root(*command: str | Path) -> None:
    done = subprocess.run([*ROOT, *command], capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"Postfix runs as root alone; run the tests as root or with sudo (sudo -v). {done.stderr}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lay_out(folder: Path, port: int) -> Path:
    """The folders that Postfix wants, with the owners it wants, and its two files. Returns the trusted certificate."""
    owner = pwd.getpwnam("postfix")
    folder.chmod(0o711)
    for name in ("conf", "mail", "data", *(f"spool/{each}" for each in SUBFOLDERS)):
        (folder / name).mkdir(parents=True)
    queues = [folder / "spool" / each for each in SUBFOLDERS if each != "pid"]
    as_root("chown", f"{owner.pw_uid}:{owner.pw_gid}", folder / "data", folder / "mail", *queues)
    _, trusted = certificate(folder, "localhost")
    facts = {"folder": folder, "port": port, "uid": owner.pw_uid, "gid": owner.pw_gid}
    (folder / "conf/main.cf").write_text(MAIN.format(**facts))
    (folder / "conf/master.cf").write_text(SERVICES.format(**facts))
    return trusted


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            probe.settimeout(0.05)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(f"Postfix does not answer on port {port}: {log.read_text() if log.exists() else 'no log'}")


@pytest.fixture
def postfix() -> Iterator[Postfix]:
    if not MASTER.exists():
        pytest.fail(MISSING)
    folder, port = Path(tempfile.mkdtemp(prefix="dondoc-postfix-")), free_port()
    trusted = lay_out(folder, port)
    process = subprocess.Popen([*ROOT, MASTER, "-c", folder / "conf", "-s"], start_new_session=True)
    try:
        wait_for_port(port, process, folder / "log")
        yield Postfix(folder, port, trusted)
    finally:
        if process.poll() is None:
            as_root("kill", str(process.pid))
        process.wait(10)
        as_root("rm", "-rf", folder)


def channel(server: Postfix) -> Email:
    facts = {"ca_file": str(server.trusted), "bounce_domain": "so.example", "bounce_secret": "khóa"}
    return Email(Relay("localhost", SENDER, server.port, Security.STARTTLS, **facts))  # type: ignore[arg-type]


def letter(number: int, to: str) -> Outgoing:
    return Outgoing(
        key=f"assignment:{number}:T-3",
        to=to,
        subject="[KH 188/KH-UBND] 3 nhiệm vụ đến hạn thứ Năm 17/6/2021",
        text="Kính gửi đầu mối\n.\n..một dòng bắt đầu bằng chấm\n",
        html="<p>Kính gửi đầu mối</p>",
        at=datetime(2021, 6, 14, 1, tzinfo=UTC),
    )


async def arrived(server: Postfix, mailbox: str, number: int) -> list[bytes]:
    """What lies in a mailbox once ``number`` messages are there, or after ten seconds."""
    for _ in range(200):
        found = server.mailbox(mailbox)
        if len(found) >= number:
            break
        await asyncio.sleep(0.05)
    return found


async def test_letters_reach_a_mailbox_through_a_real_relay_and_bounces_come_back(postfix: Postfix) -> None:
    async with channel(postfix) as email:
        good = [await email.send(letter(number, "Văn thư huyện <vanthu@huyen.example>")) for number in range(3)]
        lost = await email.send(letter(418, "gone@huyen.example"))
        nobody = await email.send(letter(4, "nobody@huyen.example"))
    fates = [outcome.fate for outcome in (*good, lost, nobody)]
    log = (postfix.folder / "log").read_text()
    assert fates == [Fate.ACCEPTED] * 4 + [Fate.REFUSED], f"{good} {lost} {nobody}\n{log}"
    assert nobody.reply.startswith("5.1.1"), nobody
    delivered = [message_from_bytes(each, policy=policy.default) for each in await arrived(postfix, "vanthu", 3)]
    assert {str(each["Message-ID"]) for each in delivered} == {outcome.receipt for outcome in good}
    assert "..một dòng" in delivered[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "with ESMTPS" in str(delivered[0]["Received"])
    [raw] = await arrived(postfix, "bounce", 1)
    report = bounces.parse(raw)
    assert report is not None, raw
    assert (report.recipient, report.message_id) == ("gone@huyen.example", lost.receipt)
    assert [signed_key(BOUNCE, address, "khóa") for address in read_mail(raw).sent_to] == ["assignment:418:T-3"]
