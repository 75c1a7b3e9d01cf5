"""A real Prefect server lets in those alone who show the installation's string: whoever it lets in has a worker run any
command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from ground.serving import AUTH, DONDOC, asked, free_port, letting_in, owing, serving, shown, status, wait_for_letters

from config.settings import Settings
from engine.admin.first_steps import Mark
from engine.store.database import Database
from workflows.operation import doctor
from workflows.run.prefect_server import PrefectServer, descendants, listeners, status_for
from workflows.run.system import System, compose
from workflows.serving.sending import PROJECTION_SECONDS

pytestmark = pytest.mark.prefect
OFFICE_SECRET = "the office's own secret, which Prefect must not have"


def until(what: Callable[[], Any], seconds: float = 120.0) -> None:
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends, "it took too long"
        time.sleep(0.1)


def answering(server: PrefectServer) -> Callable[[], bool]:
    return lambda: status(f"{server.api_url}/health") == 200


def statuses(server: PrefectServer) -> tuple[int | None, int | None]:
    """Of a stranger and of who shows the string; with the patience that a busy machine needs: the product's is 1 s."""
    return status_for(server.api_url, timeout=30), status_for(server.api_url, AUTH, timeout=30)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where an office starts its programs: its ``.env`` lies there."""
    folder = tmp_path_factory.mktemp("office")
    (folder / ".env").write_text(f"DONDOC_SECRET={OFFICE_SECRET}\nPREFECT_SERVER_API_AUTH_STRING=anybody:anything\n")
    return folder


@pytest.fixture(scope="module")
def server(office: Path) -> Iterator[PrefectServer]:
    """Started as ``serve`` starts it, in that folder and with the office's variables."""
    made = PrefectServer(office / "var" / "prefect", free_port(), AUTH)
    here, before = Path.cwd(), dict(os.environ)
    os.environ |= {"DONDOC_SMTP_PASSWORD": OFFICE_SECRET, "POSTGRES_PASSWORD": OFFICE_SECRET}
    os.chdir(office)
    try:
        made.start()
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)
    try:
        until(answering(made))
        yield made
    finally:
        made.stop()


CALLS = [
    ("POST", "/flow_runs/filter", {"limit": 1}),
    ("POST", "/flows/", {"name": "x"}),
    ("POST", "/deployments/", {"name": "x", "flow_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12}),
    ("POST", "/work_pools/", {"name": "x", "type": "process"}),
    ("GET", "/admin/settings", None),
    ("DELETE", "/block_documents/x", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_a_stranger_reads_and_makes_nothing(server: PrefectServer, method: str, path: str, body: Any) -> None:
    for auth in (None, ("dondoc", "guessed"), ("", "")):
        answer = httpx.request(method, server.api_url + path, json=body, auth=auth, timeout=30)
        assert answer.status_code == 401, (auth, answer.text)


def test_who_shows_the_string_is_let_in(server: PrefectServer) -> None:
    assert httpx.post(f"{server.api_url}/flow_runs/filter", json={}, auth=shown(), timeout=30).json() == []
    assert statuses(server) == (401, 200)


def test_a_page_of_another_site_is_not_let_read_what_it_says(server: PrefectServer) -> None:
    def allowed(origin: str) -> str | None:
        headers = {"origin": origin, "access-control-request-method": "POST"}
        answer = httpx.options(f"{server.api_url}/flow_runs/filter", headers=headers, timeout=30)
        found: str | None = answer.headers.get("access-control-allow-origin")
        return found

    own = f"http://127.0.0.1:{server.port}"
    assert [allowed(each) for each in (own, "https://elsewhere.example", "null")] == [own, None, None]


def test_the_server_is_given_nothing_of_the_office(server: PrefectServer, office: Path) -> None:
    pid = int((server.home / "server.pid").read_text())
    given = Path(f"/proc/{pid}/environ").read_bytes().decode()
    assert OFFICE_SECRET not in given
    assert "DONDOC_" not in given
    assert Path(f"/proc/{pid}/cwd").resolve() == server.home.resolve()
    said = httpx.get(f"{server.api_url}/admin/settings", auth=shown(), timeout=30)
    assert (said.status_code, AUTH.partition(":")[2] in said.text) == (200, False)


def test_its_pages_are_those_that_call_no_stranger_and_sell_nothing(server: PrefectServer) -> None:
    """Its newer ones ask amplitude.com before anybody has signed in, whatever its settings of analytics say."""
    ui = httpx.get(f"{server.api_url}/admin/settings", auth=shown(), timeout=30).json()["server"]["ui"]
    assert (ui["v2_enabled"], ui["show_promotional_content"]) == (False, False)


def test_the_doctor_tells_an_open_door_a_closed_one_and_another_s(server: PrefectServer, tmp_path: Path) -> None:
    def line(auth: str) -> Any:
        return doctor.prefect(told(tmp_path, server, auth))

    assert line(AUTH).mark is Mark.WELL
    assert "dondoc prefect key" in line(AUTH).what.vi
    assert line("dondoc:another").mark is Mark.WRONG


def told(folder: Path, server: PrefectServer, auth: str) -> System:
    given: dict[str, Any] = {"prefect_api_url": letting_in(server.api_url, auth), "secret": "x" * 40}
    return compose(Settings(_env_file=None, data_dir=folder, **given), with_entered=False)


def test_each_start_makes_another_string_for_its_own_server(migrated: Path, tmp_path: Path) -> None:
    shutil.copyfile(migrated, tmp_path / "prefect.db")
    mine = PrefectServer(tmp_path, free_port())
    mine.start()
    try:
        until(answering(mine))
        first = mine.key.read_text()
        assert mine.key.stat().st_mode & 0o777 == 0o600
        assert [status_for(mine.api_url, auth, timeout=30) for auth in ("", AUTH, first)] == [401, 401, 200]
    finally:
        mine.stop()
    mine.start()
    mine.stop()
    assert mine.key.read_text() not in (first, "")


def test_a_server_that_answers_strangers_is_red_and_the_next_serve_ends_it(tmp_path: Path) -> None:
    """As a version before this one left it, when it was killed."""
    mine = PrefectServer(tmp_path, free_port(), AUTH)
    words = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(mine.port)]
    left = subprocess.Popen(
        words,
        env={**os.environ, "PREFECT_HOME": str(tmp_path), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (tmp_path / "server.pid").write_text(str(left.pid))
    try:
        until(answering(mine))
        line = doctor.prefect(told(tmp_path, mine, AUTH))
        assert (line.mark, "người lạ" in line.what.vi) == (Mark.WRONG, True)
        mine.start()
        left.wait(30)
        until(answering(mine))
        assert statuses(mine) == (401, 200)
    finally:
        mine.stop()
        if left.poll() is None:
            left.kill()


STRANGER = 65534
"""The uid of nobody."""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_another_user_of_a_worker_s_machine_reads_nothing_and_starts_nothing(server: PrefectServer) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # as /var/lib: what protects is what the product makes below it
        told = {
            "DONDOC_DATA_DIR": str(folder / "var"),
            "DONDOC_PREFECT_API_URL": letting_in(server.api_url),
        }
        for words in (["init"], ["prefect", "deploy", "--pool", "van-phong", "--every", "86400"]):
            subprocess.run([DONDOC, *words], env=os.environ | told, cwd=folder, check=True, capture_output=True)
        worker = subprocess.Popen(
            [DONDOC, "prefect", "worker", "--pool", "van-phong"], env=os.environ | told, cwd=folder
        )
        try:
            until(lambda: descendants(worker.pid))
            pids = [*map(str, (worker.pid, *descendants(worker.pid))), (server.home / "server.pid").read_text()]
            found = tried_by_a_stranger(server, folder / "var", pids)
        finally:
            worker.terminate()
            worker.wait(60)
    assert found["uid"] == STRANGER
    assert found["statuses"] == [401] * 5
    assert found["read"] == []
    assert not [line for line in found["command_lines"] if AUTH.partition(":")[2] in line]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_stranger_at_the_port_of_our_server_is_neither_asked_nor_shown_anything(
    sqlite_database: Database, tmp_path: Path
) -> None:
    """Whoever listened there first was shown the string of all machines, six times in half a minute."""
    ours, url = free_port(), str(sqlite_database.url)
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url=url, port=ours)  # type: ignore[call-arg]
    port = settings.prefect_port
    with listening_as_a_stranger(port) as asked:
        with serving(url, tmp_path, "--prefect", port=ours):
            wait_for_letters(owing(sqlite_database))
            time.sleep(2 * PROJECTION_SECONDS)
        line = doctor.prefect(compose(settings, with_entered=False))
        assert asked() == []
        httpx.get(f"http://127.0.0.1:{port}/api/health", timeout=30)
        assert asked() == ["/api/health"]
    assert (line.mark, str(STRANGER) in line.what.vi) == (Mark.WRONG, True)
    log = next(tmp_path.glob("serve-*.log")).read_text()
    assert f"Prefect is not started: port {port}" in log


@contextmanager
def listening_as_a_stranger(port: int) -> Iterator[Callable[[], list[str]]]:
    """Another user of this machine at a port; what it has been asked for."""
    with TemporaryDirectory() as name:
        written = Path(name, "asked")
        written.touch()
        with written.open("w") as output:
            stranger = subprocess.Popen(
                [shutil.which("python3", path=os.defpath) or sys.executable, "-I", "-c", STRANGER_LISTENS, str(port)],
                user=STRANGER,
                group=STRANGER,
                extra_groups=[],
                env={},
                cwd="/",
                stdout=output,
            )
            try:
                until(lambda: listeners(port))
                yield lambda: written.read_text().split()
            finally:
                stranger.kill()
                stranger.wait(30)


STRANGER_LISTENS = """
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print(self.path, flush=True)
        self.send_response(200 if "health" in self.path or "authorization" in self.headers else 401)
        self.end_headers()
        self.wfile.write(b"true")
    do_POST = do_GET
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


def tried_by_a_stranger(server: PrefectServer, folder: Path, pids: list[str]) -> dict[str, Any]:
    """What ``stranger.py`` got, with nothing of this environment and from a folder that he may see."""
    code = Path(__file__).with_name("stranger.py").read_text()
    done = subprocess.run(
        [shutil.which("python3", path=os.defpath) or sys.executable, "-I", "-", server.api_url, folder, *pids],
        input=code,
        user=STRANGER,
        group=STRANGER,
        extra_groups=[],
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_deploy_and_a_worker_of_the_manual_are_let_in_and_do_the_work(server: PrefectServer, tmp_path: Path) -> None:
    """An external server, for these programs: its address and string are in the office's settings."""
    settings = {"DONDOC_DATA_DIR": str(tmp_path)}
    (tmp_path / ".env").write_text(f"DONDOC_PREFECT_API_URL={letting_in(server.api_url)}\n")

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [DONDOC, *words],
            env=os.environ | settings | more,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    assert run("init").returncode == 0
    assert run("prefect", "key").stdout.strip() == AUTH
    deploy = ("prefect", "deploy", "--pool", "van-phong", "--every", "86400")
    refused = run(*deploy, DONDOC_PREFECT_API_URL=letting_in(server.api_url, "dondoc:wrong"))
    assert (refused.returncode, "dondoc prefect key" in refused.stderr) == (2, True)
    done = run(*deploy)
    assert (done.returncode, done.stderr) == (0, "")
    assert "export PREFECT_API_AUTH_STRING='<dondoc prefect key>'" in done.stdout
    assert AUTH not in done.stdout
    with httpx.Client(base_url=server.api_url, auth=shown(), timeout=30) as http:
        deployment = http.get("/deployments/name/dondoc-deliver/on-demand").raise_for_status().json()["id"]
        made = asked(http, f"/deployments/{deployment}/create_flow_run", {"state": {"type": "SCHEDULED"}})["id"]
        worker = subprocess.Popen(
            [DONDOC, "prefect", "worker", "--pool", "van-phong"],
            env=os.environ | settings | {"PREFECT_WORKER_QUERY_SECONDS": "1"},
            cwd=tmp_path,
        )
        try:
            until(lambda: http.get(f"/flow_runs/{made}").json()["state_type"] == "COMPLETED")
        finally:
            worker.terminate()
            worker.wait(60)
