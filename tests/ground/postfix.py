"""A real Postfix on loopback, with configuration, queue and mailboxes in a folder of its own, ended by its process id.

Debian's package ``postfix`` must be installed, no service of it need run. Postfix runs as root alone: whoever else runs
the tests must be let do so by sudo. Mailboxes may be those of ``ground.dovecot``.
"""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from ground.smtp_server import certificate

MASTER = Path("/usr/lib/postfix/sbin/master")
MISSING = "Postfix is missing: run the set-up of the tests, which installs Debian's package postfix."
ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]
SUBFOLDERS = ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid"]
SUBFOLDERS += ["private", "public", "saved", "trace"]
# Nothing leaves this machine: any domain but the two here is an error. gone@huyen.example is taken, then bounced;
# dead@huyen.example, if it is a mailbox, too; forwards@huyen.example has one and hands a copy on to a dead one.
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
virtual_mailbox_domains = so.example, huyen.example, tinh.example
virtual_mailbox_base = {mail}
virtual_mailbox_maps = texthash:{folder}/conf/mailboxes
virtual_alias_maps = inline:{{ gone@huyen.example=gone@elsewhere.example,
  {{ forwards@huyen.example = forwards-kept@huyen.example gone@elsewhere.example }} }}
transport_maps = inline:{{ {{ dead@huyen.example = dead: }} }}
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
dead     unix  - n n - - pipe user=nobody argv=/bin/sh -c {{exit 67}}
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


def lay_out(folder: Path, port: int, mailboxes: Mapping[str, str], elsewhere: Path | None, more: str) -> Path:
    """The folders that Postfix wants, with the owners it wants, and its files. Returns the trusted certificate."""
    owner = pwd.getpwnam("postfix")
    folder.chmod(0o711)
    for name in ("conf", "mail", "data", *(f"spool/{each}" for each in SUBFOLDERS)):
        (folder / name).mkdir(parents=True)
    queues = [folder / "spool" / each for each in SUBFOLDERS if each != "pid"]
    as_root("chown", f"{owner.pw_uid}:{owner.pw_gid}", folder / "data", folder / "mail", *queues)
    _, trusted = certificate(folder, "localhost")
    mail = elsewhere or folder / "mail"
    writes = mail.stat() if elsewhere else None
    facts = {
        "folder": folder,
        "port": port,
        "mail": mail,
        "uid": writes.st_uid if writes else owner.pw_uid,
        "gid": writes.st_gid if writes else owner.pw_gid,
    }
    (folder / "conf/mailboxes").write_text("".join(f"{address} {place}\n" for address, place in mailboxes.items()))
    (folder / "conf/main.cf").write_text(MAIN.format(**facts) + more)
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


@contextmanager
def running_postfix(mailboxes: Mapping[str, str], mail: Path | None = None, more: str = "") -> Iterator[Postfix]:
    """``mailboxes``: address -> folder of its Maildir, with a slash at its end; below ``mail``, whose owner writes
    them, else below a folder of its own. ``more``: lines of its configuration."""
    if not MASTER.exists():
        pytest.fail(MISSING)
    folder, port = Path(tempfile.mkdtemp(prefix="dondoc-postfix-")), free_port()
    trusted = lay_out(folder, port, mailboxes, mail, more)
    process = subprocess.Popen([*ROOT, MASTER, "-c", folder / "conf", "-s"], start_new_session=True)
    try:
        wait_for_port(port, process, folder / "log")
        yield Postfix(folder, port, trusted)
    finally:
        if process.poll() is None:
            as_root("kill", str(process.pid))
        process.wait(10)
        as_root("rm", "-rf", folder)
