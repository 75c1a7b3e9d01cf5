"""A receiver of webhooks to try with: it checks each message as another system would, and prints it."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import typer

from engine.text import Text
from notifications.webhooks import signed_headers

OLDEST_SECONDS = 300
MOST_BYTES = 1024 * 1024


def listen(secret: str, port: int, *, once: bool) -> None:
    """Until Ctrl-C, or the first message."""
    server = receiver(secret, port)
    address = f"http://127.0.0.1:{server.server_port}"
    typer.echo(Text(f"Đang nghe ở {address}", f"listening; allow 127.0.0.1 in DONDOC_WEBHOOK_HOSTS and add {address}"))
    with server:
        if once:
            server.handle_request()
        else:
            server.serve_forever()


def receiver(secret: str, port: int) -> HTTPServer:
    """Bound to loopback; port 0 takes any."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers.get("content-length") or 0), MOST_BYTES))
            wrong = what_is_wrong(secret, dict(self.headers.items()), body, datetime.now(UTC))
            self.send_response(400 if wrong else 204)
            self.end_headers()
            said = wrong or json.dumps(json.loads(body), ensure_ascii=False, indent=1)
            typer.echo(f"{self.headers.get('webhook-id', '')}\n{said}")

        def log_message(self, *_: object) -> None:
            """What was received is printed already."""

    return HTTPServer(("127.0.0.1", port), Receiver)


def what_is_wrong(secret: str, headers: dict[str, str], body: bytes, now: datetime) -> str:
    """Why a receiver refuses a message; empty if it is good."""
    given = {name.lower(): value for name, value in headers.items()}
    sent_at = given.get("webhook-timestamp", "")
    if not sent_at.isascii() or not sent_at.isdigit():
        return "webhook-timestamp?"
    if abs(now.timestamp() - int(sent_at)) > OLDEST_SECONDS:
        return f"webhook-timestamp: {sent_at}, older than {OLDEST_SECONDS} s"
    at = datetime.fromtimestamp(int(sent_at), UTC)
    ours = signed_headers([secret], given.get("webhook-id", ""), body, at)["webhook-signature"]
    if not any(hmac.compare_digest(ours, each) for each in given.get("webhook-signature", "").split()):
        return "webhook-signature: not by this secret"
    return ""
