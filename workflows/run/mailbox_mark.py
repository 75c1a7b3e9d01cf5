"""The high-water mark once more, as a message in the office's own mailbox: a snapshot of the whole machine takes the
file beside the secret back with the database (``engine.store.high_water``). A second one: whatever the mailbox answers,
the file decides, and letters go on.

Its Message-ID is derived from the secret, so that no letter from outside can take its place.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from engine.errors import BadInput, Unavailable
from engine.store.high_water import NAME, MarkElsewhere, MarkUnusable
from workflows.run.installation import installation_id
from workflows.run.system import System

log = logging.getLogger(__name__)
MARK_SECONDS = 3.0
"""For each response, where letters wait for it."""
SUBJECT = "Don Doc: da gui den dau, xin de nguyen / how far letters were sent, please leave it here"


def observe_in_mailbox(system: System, timeout: float | None = None) -> bool:
    """Hold the database if it is behind the mark there, else move that on. ``timeout``: seconds for each response. True
    if there was one, and the database is not behind it."""
    inbox = system.inbound.inbox
    if system.delivery.mark is None or inbox is None:
        return False
    inbox = replace(inbox, timeout=timeout or inbox.timeout)
    name = f"<{installation_id(system.database)}.{system.signer.secret('mailbox mark')[:32]}@mark.dondoc>"
    try:
        found = inbox.kept(name)
        path = system.settings.data_dir / NAME  # beside what is kept of changed accounts, which a hold ends
        mark = MarkElsewhere(path, lambda: found, lambda kept: inbox.keep(name, SUBJECT, kept))
        try:
            return not mark.observe(system.database, system.clock()) and found is not None
        except MarkUnusable:
            log.warning("The message in the mailbox does not say how far letters were sent: it begins anew")
            inbox.take_out(name)
    except (BadInput, Unavailable) as error:
        log.warning("The mailbox does not keep how far letters were sent (%s)", error)
    return False
