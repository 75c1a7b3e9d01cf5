"""Our side of the benchmark: a DeliveryContext with the loopback relay, and one tick."""

from __future__ import annotations

import asyncio
import time
from datetime import date
from datetime import time as wall

from engine.accounts.signed_links import Signer
from engine.rules.calendar import instant
from engine.store.database import Database
from notifications.delivery import DeliveryContext
from notifications.email.connection import Relay, Security
from notifications.email.mime import Sender
from notifications.email.smtp import Email
from notifications.letters.renderer import LetterRenderer, RendererSettings
from workflows.run import passes

TODAY = date(2021, 6, 15)
NOW = instant(TODAY, wall(8, 0))
SENDER = Sender("nhacviec@so.example", "Đôn Đốc")


def office(port: int) -> DeliveryContext:
    relay = Relay(host="127.0.0.1", sender=SENDER, port=port, security=Security.NONE, connections=4)
    renderer = LetterRenderer(Signer("a key for benchmarks"), RendererSettings("https://dondoc.example"))
    return DeliveryContext(channels={"email": Email(relay)}, renderer=renderer)


def tick(database: Database, delivery: DeliveryContext, letters: int) -> float:
    """Seconds of one tick, which must send exactly ``letters`` letters."""
    start = time.perf_counter()
    reports = asyncio.run(passes.tick(database, NOW, delivery))
    spent = time.perf_counter() - start
    done = {report.name.value: report.counts for report in reports}
    assert done["act"]["notices"] == done["deliver"]["accepted"] == letters, reports
    return spent
