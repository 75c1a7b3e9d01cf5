"""Serve the pages like ``dondoc serve``, but with a fixed clock and without a heartbeat; a response header gives the
number of SQL statements.

python -m tests.bench.province_server DATABASE_URL PORT
"""

from __future__ import annotations

import gc
import sys
import tempfile
from pathlib import Path

import uvicorn
from sqlalchemy import event
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.settings import Settings
from engine.accounts.signed_links import Signer
from engine.app import make_app
from engine.http.app_context import AppContext
from engine.store.database import Database
from tests.bench.province_data import NOW
from workflows.listen_socket import listen_at

KEY = "a key for benchmarks"


class Counted:
    """Adds a response header with the number of SQL statements; requests must be sequential."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self.app, self.sent = app, 0
        event.listen(database.bind, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self.sent += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        before = self.sent

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-statements"] = str(self.sent - before)
            await send(message)

        await self.app(scope, receive, sending)


def main() -> None:
    url, port = sys.argv[1], int(sys.argv[2])
    database = Database(url)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder), secret=KEY, port=port)  # type: ignore[call-arg]
        app = make_app(AppContext(database, lambda: NOW, Signer(KEY), settings, open_desk=True))
        gc.freeze()  # as ``serve`` does
        told = uvicorn.Config(Counted(app, database), log_level="warning", server_header=False)
        uvicorn.Server(told).run(sockets=[listen_at("127.0.0.1", port)])  # the socket of ``dondoc serve``


if __name__ == "__main__":
    main()
