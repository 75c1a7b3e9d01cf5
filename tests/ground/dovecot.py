"""A real Dovecot on loopback: one IMAP server in a folder of its own, ended by its process id.

Debian's package ``dovecot-imapd`` must be installed; no service of it need run. Any user name is a mailbox, the
password is ``PASSWORD``. Nothing outside the folder is read or written. Started by root, it runs as the users that
Debian created for it, else as the current user.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from imapclient import IMAPClient

PASSWORD = "only for the tests"
START_TIMEOUT_SECONDS = 20.0
CONF = """
dovecot_config_version = 2.4.1
dovecot_storage_version = 2.4.1
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = no
auth_allow_cleartext = yes
auth_failure_delay = 0
mail_driver = maildir
mail_path = ~/Maildir
first_valid_uid = 1
first_valid_gid = 1
default_internal_user = {owner}
default_internal_group = {group}
default_login_user = {login}
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb static {{
  password = {{PLAIN}}{password}
}}
userdb static {{
  fields {{
    uid = {owner}
    gid = {group}
    home = {folder}/mail/%{{user}}
  }}
}}
service imap-login {{
  chroot =
  process_limit = 4
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass(frozen=True)
class Dovecot:
    folder: Path
    port: int

    def put(self, user: str, raw: bytes, *flags: bytes) -> None:
        """Append a message to the user's inbox."""
        with IMAPClient("127.0.0.1", port=self.port, ssl=False, timeout=10) as client:
            client.login(user, PASSWORD)
            client.append("INBOX", raw.replace(b"\n", b"\r\n"), flags)

    def flags(self, user: str) -> list[set[bytes]]:
        """The flags of every message in the inbox, oldest first."""
        with IMAPClient("127.0.0.1", port=self.port, ssl=False, timeout=10) as client:
            client.login(user, PASSWORD)
            client.select_folder("INBOX", readonly=True)
            found = client.fetch(client.search("ALL"), ["FLAGS"])
            return [set(found[uid][b"FLAGS"]) - {b"\\Recent"} for uid in sorted(found)]


@contextmanager
def running_dovecot() -> Iterator[Dovecot]:
    """Run Dovecot in a folder that the user ``dovecot`` can enter, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="dondoc-dovecot-", ignore_cleanup_errors=True) as folder:
        yield from _running(Path(folder))


def _running(folder: Path) -> Iterator[Dovecot]:
    program = shutil.which("dovecot", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.fail("dovecot is missing: run the set-up of the tests, which installs Debian's package dovecot-imapd.")
    root = os.geteuid() == 0
    owner = pwd.getpwnam("dovecot") if root else pwd.getpwuid(os.geteuid())
    group, login = grp.getgrgid(owner.pw_gid).gr_name, "dovenull" if root else owner.pw_name
    for name in ("run", "state", "mail"):
        (folder / name).mkdir()
    os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    folder.chmod(0o711)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    conf = folder / "dovecot.conf"
    users = {"owner": owner.pw_name, "group": group, "login": login}
    conf.write_text(CONF.format(folder=folder, password=PASSWORD, port=port, **users))
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen([program, "-F", "-c", str(conf)], stdout=out, stderr=out, cwd=folder)
    try:
        _wait(port, process, folder)
        yield Dovecot(folder, port)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    log = folder / "log"
    pytest.fail(f"Dovecot does not answer: {(folder / 'out').read_text()} {log.read_text() if log.exists() else ''}")
