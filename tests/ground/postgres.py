"""A temporary PostgreSQL server for the tests on a loopback port, started once per run.

The main pytest process owns the folder (``Ground``); the first worker that needs the server starts it there under a
lock. A small shell script stops it, by its process id, when the owner has ended, so no run leaves a server behind.
PostgreSQL refuses to run as root, so root starts it as the user ``postgres``.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FAST = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_connections=200",
    "shared_buffers=64MB",
    "autovacuum=off",
    "log_min_messages=fatal",
)
# $1 owner's pid, $2 folder, the rest is the server's command.
GUARDED = """
owner=$1 folder=$2; shift 2
"$@" & server=$!
trap 'kill -QUIT $server' TERM INT
while [ -e /proc/$owner ] && kill -0 $server 2>/dev/null; do sleep 1 & wait $!; done
kill -QUIT $server 2>/dev/null; wait $server; rm -rf "$folder/data"
"""
MISSING = "PostgreSQL is not installed, and its tests are never skipped: run «make setup»."


@dataclass(frozen=True)
class Ground:
    """The folder that the workers of a test run share, and the process that owns it."""

    folder: Path
    owner: int

    @classmethod
    def begin(cls) -> Ground:
        """A new folder owned by this process; removes folders of killed runs."""
        for left in Path(tempfile.gettempdir()).glob("dondoc-test-*"):
            if not Path("/proc", left.name.split("-")[2]).exists():
                shutil.rmtree(left, ignore_errors=True)
        return cls(Path(tempfile.mkdtemp(prefix=f"dondoc-test-{os.getpid()}-")), os.getpid())

    @contextmanager
    def locked(self, name: str = "lock") -> Iterator[None]:
        with (self.folder / name).open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def postgres(self) -> str:
        """The URL of database ``postgres`` on the test server: DONDOC_TEST_POSTGRES, else a server that is started by
        the first worker that calls this."""
        if given := os.environ.get("DONDOC_TEST_POSTGRES"):
            return given
        noted = self.folder / "url"
        with self.locked():
            if not noted.exists():
                noted.write_text(self._start())
        return noted.read_text()

    def stop(self) -> None:
        """End the server, if it was started, and remove the folder."""
        noted = self.folder / "pid"
        if noted.exists():
            guard = int(noted.read_text())
            os.kill(guard, 15)
            _wait_until(lambda: not Path(f"/proc/{guard}").exists() or _is_zombie(guard))
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> str:
        binaries, who = newest_binaries(), _unprivileged()
        data, port = self.folder / "data", _free_port()
        self.folder.chmod(0o755)
        data.mkdir()
        if who is not None:
            os.chown(data, who.pw_uid, who.pw_gid)
        as_user = {} if who is None else {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
        made = subprocess.run(  # type: ignore[call-overload]
            [binaries / "initdb", "-D", data, "-U", "dondoc", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            cwd="/",
            capture_output=True,
            text=True,
            **as_user,
        )
        if made.returncode:
            raise RuntimeError(f"initdb: {made.stderr}")
        options = [f"unix_socket_directories={data}", "listen_addresses=127.0.0.1", f"port={port}", *FAST]
        command = [binaries / "postgres", "-D", data, *(part for option in options for part in ("-c", option))]
        with (self.folder / "log").open("wb") as log:
            guard = subprocess.Popen(  # type: ignore[call-overload]
                ["sh", "-c", GUARDED, "sh", str(self.owner), self.folder, *command],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **as_user,
            )
        (self.folder / "pid").write_text(str(guard.pid))
        ready = [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port), "-U", "dondoc", "-d", "postgres"]
        _wait_until(lambda: subprocess.run(ready, cwd="/").returncode == 0, log=self.folder / "log")
        guard.returncode = 0  # the guard outlives this process on purpose
        return f"postgresql://dondoc@127.0.0.1:{port}/postgres"


def newest_binaries() -> Path:
    """The folder of ``initdb`` and ``postgres``: the newest that Debian has installed, else from PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    found = str(debian[-1]) if debian else shutil.which("initdb")
    if found is None:
        raise RuntimeError(MISSING)
    return Path(found).parent


def _unprivileged() -> pwd.struct_passwd | None:
    """The user that the server runs as; None: the current user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError(MISSING)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def _wait_until(true: Callable[[], bool], *, log: Path | None = None) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not answer in 30 s. {log.read_text() if log else ''}")
