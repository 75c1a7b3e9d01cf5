"""Serve the pages like ``dondoc serve``, but with a fixed clock and without a heartbeat; a response header gives the
number of SQL statements.

python -m tests.bench.province_server DATABASE_URL PORT
"""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import event
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.settings import Settings
from engine.accounts.signed_links import Signer
from engine.application.app import make_app
from engine.http.app_context import AppContext
from engine.store.database import Database
from tests.bench.province_data import NOW
from workflows.serving.sending import few_arenas, listen_at

KEY = "a key for benchmarks"
BARE = "/-/bare"


class Counted:
    """Adds a response header with the number of SQL statements; requests must be sequential for it to be of one.
    ``BARE`` answers what the statements of the last request cost on the bare driver."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self.app, self.database = app, database
        self.sent: list[tuple[str, Any]] = []
        event.listen(database.bind, "before_cursor_execute", self._note)

    def _note(self, _1: Any, _2: Any, sql: str, given: Any, _3: Any, _4: Any) -> None:
        self.sent.append((sql, given))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == BARE:
            await PlainTextResponse(str(self.bare()))(scope, receive, send)
            return
        self.sent.clear()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-statements"] = str(len(self.sent))
            await send(message)

        await self.app(scope, receive, sending)

    def bare(self, times: int = 15) -> float:
        """Median ms of processor time: of the driver, and of PostgreSQL's process if it runs on this machine."""
        statements = [(sql, given) for sql, given in self.sent if "BEGIN" not in sql]
        driver = self.database.bind.raw_connection()
        answering = _backend(driver) if self.database.dialect == "postgresql" else None
        spent = []
        try:
            for _ in range(times):
                began = time.process_time() + seconds_of(answering)
                for sql, given in statements:
                    cursor = driver.cursor()
                    cursor.execute(sql, given)
                    if cursor.description:
                        cursor.fetchall()
                    cursor.close()
                spent.append(time.process_time() + seconds_of(answering) - began)
                driver.rollback()
        finally:
            driver.close()
        return statistics.median(spent) * 1000


def _backend(driver: Any) -> Path:
    """The kernel's account of the process that answers a connection; parallel workers of it are not in it."""
    cursor = driver.cursor()
    cursor.execute("SET max_parallel_workers_per_gather = 0")
    cursor.execute("SELECT pg_backend_pid()")
    return Path(f"/proc/{cursor.fetchone()[0]}/schedstat")


def seconds_of(account: Path | None) -> float:
    return int(account.read_text().split()[0]) / 1e9 if account else 0.0


def main() -> None:
    url, port = sys.argv[1], int(sys.argv[2])
    few_arenas()  # as ``serve`` does
    database = Database(url)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder), secret=KEY, port=port)  # type: ignore[call-arg]
        app = make_app(AppContext(database=database, clock=lambda: NOW, signer=Signer(KEY), settings=settings))
        gc.freeze()  # as ``serve`` does
        told = uvicorn.Config(Counted(app, database), log_level="warning", server_header=False)
        uvicorn.Server(told).run(sockets=[listen_at("127.0.0.1", port)])  # the socket of ``dondoc serve``


if __name__ == "__main__":
    main()
