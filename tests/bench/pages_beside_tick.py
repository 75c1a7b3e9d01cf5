"""How long pages take while a tick sends 10,000 letters in the same process, as under ``dondoc serve``: SQLite, a relay
on loopback that answers at once. Beside it, the same pages before the tick.

    python -m tests.bench.pages_beside_tick [--due 10000] [--switch-ms MS]
"""

from __future__ import annotations

import argparse
import gc
import http.client
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

from config.settings import Settings
from engine.accounts.signed_links import Signer
from engine.app import make_app
from engine.http.app_context import AppContext
from engine.store.database import Database
from tests.bench import ground
from tests.bench.ours import NOW, office, tick
from tests.bench.province_server import KEY
from tests.bench.smtp_sink import Sink
from workflows.listen_socket import listen_at
from workflows.web_server import SWITCH_SECONDS, WebServer, limits_for_this_process

ROOT = Path(__file__).parents[2]
PAGES = ("/agencies/agency-17", "/assignments/17")
STORED = 20_000


def serve(url: str, port: int, relay: int, due: int) -> None:
    """The pages, and after a line on standard input a tick in a thread; says how many seconds it took."""
    database = Database(url)

    def tick_when_told() -> None:
        sys.stdin.readline()
        print(tick(database, office(relay), due), flush=True)

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder), secret=KEY, port=port)  # type: ignore[call-arg]
        app = make_app(AppContext(database, lambda: NOW, Signer(KEY), settings, open_desk=True))
        gc.freeze()  # as ``serve`` does
        threading.Thread(target=tick_when_told, daemon=True).start()
        WebServer(app, limits_for_this_process()).run(sockets=[listen_at("127.0.0.1", port)])


def ask(port: int, until: threading.Event, at_least: int) -> list[float]:
    """Sorted ms of one page after another over a kept connection."""
    spent: list[float] = []
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as line:
        while len(spent) < at_least or not until.is_set():
            began = time.perf_counter()
            line.request("GET", PAGES[len(spent) % len(PAGES)])
            answer = line.getresponse()
            answer.read()
            assert answer.status == 200, (PAGES[len(spent) % len(PAGES)], answer.status)
            spent.append((time.perf_counter() - began) * 1000)
    return sorted(spent)


def said(name: str, spent: list[float]) -> None:
    at = [spent[min(len(spent) - 1, len(spent) * percent // 100)] for percent in (50, 95, 99)]
    print(f"{name:12} {len(spent):>5} pages  p50 {at[0]:6.1f}  p95 {at[1]:6.1f}  p99 {at[2]:6.1f} ms", flush=True)


def compare(url: str, due: int, switch_ms: float) -> None:
    with socket.socket() as probe, Sink() as sink:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        command = [sys.executable, "-m", "tests.bench.pages_beside_tick", "--serve", url, str(port), str(sink.port)]
        command += ["--due", str(due), "--switch-ms", str(switch_ms)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            while socket.socket().connect_ex(("127.0.0.1", port)):
                time.sleep(0.1)
            ended = threading.Event()
            ended.set()
            ask(port, ended, 2 * len(PAGES))
            said("no tick", ask(port, ended, 200))
            ended.clear()
            beside: list[float] = []
            asking = threading.Thread(target=lambda: beside.extend(ask(port, ended, 1)))
            process.stdin.write("\n")
            process.stdin.flush()
            asking.start()
            took = float(process.stdout.readline())
            ended.set()
            asking.join()
            said("beside it", sorted(beside))
            print(f"the tick: {took:.1f} s for {due:,} letters")
        finally:
            process.terminate()
            process.wait(20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--due", type=int, default=10_000)
    parser.add_argument("--switch-ms", type=float, default=SWITCH_SECONDS * 1000, help="5 is Python's own")
    parser.add_argument("--serve", nargs=3, metavar=("URL", "PORT", "RELAY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.setswitchinterval(options.switch_ms / 1000)
    if options.serve:
        url, port, relay = options.serve
        serve(url, int(port), int(relay), options.due)
        return
    with tempfile.TemporaryDirectory() as folder, ground.sqlite(Path(folder), STORED) as database:
        ground.make_due(database, STORED, options.due)
        compare(database.url.render_as_string(hide_password=False), options.due, options.switch_ms)


if __name__ == "__main__":
    main()
