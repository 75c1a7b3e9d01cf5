"""The automations are those that Prefect reads, on events that we tell and flows that there are; and its saved view
shows what the link of our pages opens."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from config.settings import KEPT_RUN, Settings
from engine.terms import NoticeKind, WebhookEvent
from workflows.projection import events
from workflows.projection.shown_runs import FLOW, LATE, TICK_FLOW
from workflows.run.prefect_deployments import read

TOLD = {f"dondoc.{each.value}" for each in WebhookEvent} | {
    events.TICK,
    events.CHANNEL_DOWN,
    events.CHANNEL_UP,
    events.LETTER_REFUSED,
}


def test_they_wait_for_events_that_are_told() -> None:
    waited = {
        name
        for automation in (*read()["alarms"], *read()["workers"])
        for name in (*automation["trigger"]["expect"], *automation["trigger"].get("after", ()))
    }
    assert {name for name in waited if name.startswith("dondoc.")} <= TOLD
    assert f"prefect.flow-run.{LATE}" in waited
    silent = next(each for each in read()["alarms"] if "acknowledged" in each["name"])
    assert silent["trigger"]["match"]["dondoc.letter"] == NoticeKind.UNACKNOWLEDGED


def test_what_is_filled_in_stands_where_prefect_looks_for_it() -> None:
    found = {each["name"]: each for each in read({FLOW: "an-id", TICK_FLOW: "another"}, "here")["workers"]}
    crashed, _, dropped, acted = found.values()
    assert crashed["trigger"]["match_related"]["prefect.resource.name"] == [FLOW, TICK_FLOW]
    assert dropped["trigger"]["match_related"]["prefect.resource.name"] == TICK_FLOW
    assert acted["trigger"]["match_related"]["prefect.resource.id"] == f"prefect.tag.{KEPT_RUN}"
    assert acted["actions"][0]["deployment_id"] == "an-id"
    assert acted["actions"][0]["parameters"]["installation"] == "here"
    assert "$" not in str([*read()["alarms"], *read()["views"], *found.values()])


def test_the_saved_view_shows_what_the_link_opens() -> None:
    (view,) = read()["views"]
    saved = {each["property"]: each["value"] for each in view["filters"]}
    settings = Settings(_env_file=None, prefect_api_url="http://user:word@prefect.example:4200/api")  # type: ignore[call-arg]
    parts = urlsplit(settings.prefect_overdue)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert (parts.netloc, parts.path) == ("prefect.example:4200", "/runs")
    assert saved["range"] == {"type": asked["type"], "seconds": int(asked["seconds"])}
    assert (saved["state"], saved["tag"]) == ([asked["state"]], [asked["tag"]])
