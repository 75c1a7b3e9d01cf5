"""Automations as code: the eye outside the process. Prefect calls an address when what should happen does not, even
where the process that would have noticed is gone.

Prefect is imported when they are registered, not before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from workflows.projection.events import CHANNEL_DOWN, LETTER_REFUSED, TICK

ALARM_BLOCK = "dondoc-alarm"
ENDS = ("acknowledged", "reported", "accepted", "returned", "promised")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is watched. ``after`` empty: fires when ``expect`` is seen ``threshold`` times ``within``. Otherwise: when
    ``expect`` is not seen ``within`` that time after ``after``; each resource of the prefix ``of`` by itself."""

    name: str
    what: str
    expect: frozenset[str]
    of: str
    within: timedelta
    after: frozenset[str] = frozenset()
    threshold: int = 1


WATCHES = (
    Watch(
        name="dondoc: an assignment that nobody has acknowledged in five days",
        what="Opened, and in five days neither acknowledged nor reported.",
        after=frozenset({"dondoc.assignment.opened"}),
        expect=frozenset(f"dondoc.assignment.{each}" for each in ENDS),
        of="dondoc.assignment.*",
        within=timedelta(days=5),
    ),
    Watch(
        name="dondoc: a week without its digest",
        what="No digest was made within a week and two hours of the last: by Monday at nine.",
        after=frozenset({"dondoc.digest.made"}),
        expect=frozenset({"dondoc.digest.made"}),
        of="dondoc.installation.*",
        within=timedelta(days=7, hours=2),
    ),
    Watch(
        name="dondoc: no tick for ten minutes",
        what="Nothing has ticked for ten minutes: the service is down, or cannot reach its database.",
        after=frozenset({TICK}),
        expect=frozenset({TICK}),
        of="dondoc.installation.*",
        within=timedelta(minutes=10),
    ),
    Watch(
        name="dondoc: a channel is down",
        what="Letters wait: the relay or the gateway has not taken any for a while, or refuses the login.",
        expect=frozenset({CHANNEL_DOWN}),
        of="dondoc.installation.*",
        within=timedelta(minutes=5),
    ),
    Watch(
        name="dondoc: many letters refused",
        what="Twenty letters were refused within five minutes: the relay or the directory is wrong.",
        expect=frozenset({LETTER_REFUSED}),
        of="dondoc.installation.*",
        within=timedelta(minutes=5),
        threshold=20,
    ),
)


def register(alarm_url: str, *, within: timedelta | None = None) -> list[str]:
    """Make or renew the automations of this process's Prefect. ``alarm_url``: called by POST with a JSON body; empty:
    an automation that fires is an event of Prefect and nothing more. ``within``: for all, in place of their own times.
    Returns their names."""
    from prefect.client.orchestration import get_client
    from prefect.events.actions import CallWebhook, DoNothing
    from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
    from prefect.events.schemas.events import ResourceSpecification

    block = _alarm_block(alarm_url) if alarm_url else None
    with get_client(sync_client=True) as client:
        for watch in WATCHES:
            watch = replace(watch, within=within or watch.within)
            body = f'{{"name": "{watch.name}", "resource": "{{{{ event.resource.id }}}}"}}'
            action: Any = CallWebhook(block_document_id=block, payload=body) if block else DoNothing()
            automation = AutomationCore(
                name=watch.name,
                description=watch.what,
                trigger=EventTrigger(
                    after=set(watch.after),
                    expect=set(watch.expect),
                    match=ResourceSpecification({"prefect.resource.id": [watch.of]}),
                    for_each={"prefect.resource.id"},
                    posture=Posture.Proactive if watch.after else Posture.Reactive,
                    threshold=watch.threshold,
                    within=watch.within,
                ),
                actions=[action],
            )
            for each in client.read_automations_by_name(watch.name):
                client.delete_automation(each.id)
            client.create_automation(automation)
    return [watch.name for watch in WATCHES]


def _alarm_block(url: str) -> Any:
    """The id of the block that calls an address."""
    from prefect.blocks.webhook import Webhook

    block: Any = Webhook(method="POST", url=url)
    return block.save(ALARM_BLOCK, overwrite=True, _sync=True)
