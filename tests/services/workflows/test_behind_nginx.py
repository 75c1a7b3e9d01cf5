"""Debian's nginx with its default settings in front of `dondoc serve`: whoever comes through it is a stranger."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from ground.databases import closing_database, sqlite_copy
from ground.factory import rows
from ground.postgres import Ground
from ground.serving import SOON, free_port, owing, serving, status, wait_for_letters

from engine.store.database import Database
from engine.store.records import Account
from engine.terms import LetterState

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
ADMINISTRATOR = {"email": "a@b.example", "role": "administrator", "agency_id": "so-ban", "password": "mot cau dai 77"}


@contextmanager
def nginx(folder: Path, upstream: str, server: str = "") -> Iterator[str]:
    """nginx in front of an address; ``server``: more lines of its location."""
    assert NGINX, "apt-get install nginx"
    port, folder = free_port(), folder / "nginx"
    folder.mkdir()
    folder.chmod(0o777)
    temporary = "".join(
        f"{each}_temp_path {folder}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid; error_log {folder}/error.log; daemon off; events {{}}\n"
        f"http {{ access_log off; {temporary} client_max_body_size 30m;\n"
        f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {upstream}; {server} }} }} }}\n"
    )
    process = subprocess.Popen([NGINX, "-c", folder / "nginx.conf", "-p", folder, "-e", folder / "error.log"])
    try:
        yield _answering(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(timeout=SOON)


def _answering(address: str, process: subprocess.Popen[bytes]) -> str:
    began = time.monotonic()
    while time.monotonic() - began < SOON and process.poll() is None:
        if status(f"{address}/sign-in"):
            return address
        time.sleep(0.05)
    raise AssertionError("nginx did not answer")


@dataclass(frozen=True)
class Standing:
    """A ``serve`` on a database with letters that are owed and no account."""

    process: subprocess.Popen[bytes]
    database: Database
    address: str
    folder: Path

    @property
    def log(self) -> str:
        return next(self.folder.glob("serve-*.log")).read_text()


@pytest.fixture(scope="module")
def served(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    folder = tmp_path_factory.mktemp("served")
    with closing_database(sqlite_copy(ground, folder)) as database:
        owing(database)
        told = {"DONDOC_BASE_URL": "https://dondoc.example"}
        with serving(str(database.url), folder, "--no-prefect", **told) as (process, address, _):
            yield Standing(process, database, address, folder)


def test_a_stranger_behind_a_plain_nginx_is_nobody(served: Standing, tmp_path: Path) -> None:
    with nginx(tmp_path, served.address) as front, httpx.Client(base_url=front, timeout=SOON) as stranger:
        for path in ("/", "/overdue", "/admin/accounts", "/letters"):
            assert stranger.get(path).headers["location"].startswith("/sign-in?to=")
        assert stranger.post("/api/v1/accounts", json=ADMINISTRATOR).status_code == 401
        assert stranger.get("/api/v1/board").status_code == 401
        assert stranger.get("/metrics").status_code == 403
        assert stranger.get("/setup").status_code == 200
    assert rows(served.database, Account) == []
    assert "https://dondoc.example/setup" in served.log
    assert re.search(r"set-up code .*: [\w-]{43}$", served.log, re.M)


def test_nginx_as_the_documentation_has_it_serves_the_base_url_alone(served: Standing, tmp_path: Path) -> None:
    """The location of packaging/nginx.conf, read from there."""
    block = Path(__file__).parents[3].joinpath("packaging/nginx.conf").read_text().partition("proxy_pass ")[2]
    lines = " ".join(line.strip() for line in block.partition("}")[0].splitlines()[1:])
    assert "X-Forwarded-For" in lines
    with nginx(tmp_path, served.address, lines) as front, httpx.Client(base_url=front, timeout=SOON) as visitor:
        right = visitor.get("/sign-in", headers={"host": "dondoc.example"})
        wrong = visitor.get("/sign-in", headers={"host": "evil.example"})
        metrics = visitor.get("/metrics", headers={"host": "dondoc.example"})
    assert (right.status_code, wrong.status_code, metrics.status_code) == (200, 400, 403)


def test_it_sends_what_is_owed_and_ends_when_told_to(served: Standing) -> None:
    """The last here: it stands no more afterwards."""
    states = wait_for_letters(served.database)
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(timeout=SOON) == 0
    assert set(states) == {LetterState.KEPT_HERE}
    assert len(list((served.folder / "maildir" / "new").iterdir())) == len(states)
    assert "Traceback" not in served.log
