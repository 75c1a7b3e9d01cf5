"""The log of ``dondoc serve``: lines for people, or one JSON object a line (DONDOC_LOG=json)."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from engine.http.guards.request_ids import REQUEST_ID, access

NOISY = ("apscheduler", "httpx", "httpcore")


class JsonLines(logging.Formatter):
    """at, level, logger, message; request, where one is served; the facts that the line was given; error."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := REQUEST_ID.get():
            line["request"] = request_id
        facts = getattr(record, "facts", None)
        if isinstance(facts, dict):
            line |= facts
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure_logging(style: str) -> None:
    """``style``: text or json. Requests are logged one by one in JSON alone; a proxy logs them otherwise."""
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if style == "json" else text)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    access.setLevel(logging.INFO if style == "json" else logging.WARNING)
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
