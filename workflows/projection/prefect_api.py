"""Prefect's API, as far as the picture needs it: plain HTTP, one call at a time (ten at once only earn 503).

Prefect's API over plain HTTP, as an installation asks it: with its string, past proxies of the environment. The
client of Prefect's own costs 1.5 s and 80 MiB.

One projector at a time, whoever else serves the same database: a turn is a lease, by the database's clock.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

import httpx
from sqlalchemy import func, select
from sqlmodel import Session

from engine.store.clock import system_clock
from engine.store.database import Database
from engine.store.facts import read_fact, swap_fact
from workflows.projection.shown_runs import FLOW, ShownRun


def prefect_client(
    api_url: str, auth: str, timeout: float, transport: httpx.BaseTransport | None = None
) -> httpx.Client:
    """``auth``: «user:password» that the API asks for, in place of what its address holds; empty: as a stranger.
    ``timeout`` in seconds. Raises httpx.InvalidURL."""
    user, _, password = auth.partition(":")
    return httpx.Client(
        base_url=httpx.URL(api_url).copy_with(userinfo=b""),
        auth=(user, password) if auth else None,
        timeout=timeout,
        trust_env=False,
        transport=transport,
    )


TIMEOUT_SECONDS = 10
PAUSES_SECONDS = (0.2, 1.0)
"""Before asking again where the server is busy (its SQLite is locked: 503)."""


class PrefectApi:
    """``auth``: «user:password» that the API asks for. Every method raises httpx.HTTPError where it is not answered, or
    by something else than Prefect."""

    def __init__(self, url: str, auth: str) -> None:
        self._http = prefect_client(url, auth, TIMEOUT_SECONDS)
        self._flow = ""
        self.calls = 0

    def __enter__(self) -> PrefectApi:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def keep(self, run: ShownRun, run_id: str = "") -> str:
        """Make a run or bring it into its state; returns its id. ``run_id``: if it is known to be there."""
        known = bool(run_id)
        if not known:
            body = {
                "flow_id": self._flow or self._make_flow(),
                "name": run.name,
                "tags": list(run.tags),
                "parameters": dict(run.parameters),
                "state": run.state.json(),
                "idempotency_key": run.key,
            }
            made = self._asked("POST", "/flow_runs/", body)
            run_id = str(made["id"])
            if (made["state_type"], made["state_name"]) == (run.state.type, run.state.name):
                return run_id
        answer = self._answer("POST", f"/flow_runs/{run_id}/set_state", {"state": run.state.json(), "force": True})
        if known and answer.status_code == httpx.codes.NOT_FOUND:  # somebody has deleted it in Prefect's pages
            return self.keep(run)
        _body(answer)
        return run_id

    def value(self, name: str) -> Any:
        """Of a variable; None if there is none: the server's database is new."""
        found = self._answer("GET", f"/variables/name/{name}")
        if found.status_code == httpx.codes.NOT_FOUND:
            return None
        return _body(found)["value"]

    def set_value(self, name: str, value: Any) -> None:
        written = self._answer("PATCH", f"/variables/name/{name}", {"value": value})
        if written.status_code == httpx.codes.NOT_FOUND:
            self._asked("POST", "/variables/", {"name": name, "value": value})
        else:
            written.raise_for_status()

    def drop_value(self, name: str) -> None:
        self.calls += 1
        self._http.delete(f"/variables/name/{name}")

    def emit(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Each with an id of its own: the same event twice is one."""
        if events:
            self._asked("POST", "/events", list(events))

    def table(self, key: str, rows: str, description: str) -> None:
        """A new version of an artifact; ``rows``: JSON, as Prefect's pages read tables."""
        body = {"key": key, "type": "table", "data": rows, "description": description}
        self._asked("POST", "/artifacts/", body)

    def _make_flow(self) -> str:
        self._flow = str(self._asked("POST", "/flows/", {"name": FLOW})["id"])
        return self._flow

    def _asked(self, method: str, path: str, body: Any) -> Any:
        return _body(self._answer(method, path, body))

    def _answer(self, method: str, path: str, body: Any = None) -> httpx.Response:
        for pause in (*PAUSES_SECONDS, None):
            self.calls += 1
            answer = self._http.request(method, path, json=body)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or pause is None:
                break
            time.sleep(pause)
        return answer


def _body(answer: httpx.Response) -> Any:
    """What an answer says. Raises httpx.HTTPError, also for a page: a proxy, or another service at that port, answers
    200 to everything."""
    try:
        return answer.raise_for_status().json() if answer.content else None
    except ValueError as error:
        raise httpx.DecodingError("not an answer of Prefect", request=answer.request) from error


TURN = "prefect_projector"
LEASE, RENEW_BEFORE = timedelta(seconds=120), timedelta(seconds=60)


def take_turn(database: Database, holder: str) -> bool:
    """Whether it is this process's turn. Writes once a minute; what a dead process had is free after two."""
    with database.read() as session:
        value, now = read_fact(session, TURN) or "", _clock(session)
    whose, until = _read(value, now)
    if whose == holder and until - now > RENEW_BEFORE:
        return True
    if whose != holder and until > now:
        return False
    with database.write() as session:
        return swap_fact(session, TURN, value, f"{holder} {(now + LEASE).isoformat()}")


def _read(value: str, now: datetime) -> tuple[str, datetime]:
    whose, _, until = value.partition(" ")
    return whose, datetime.fromisoformat(until) if until else now


def _clock(session: Session) -> datetime:
    if session.connection().dialect.name == "postgresql":
        moment: datetime = session.connection().scalars(select(func.clock_timestamp())).one()
        return moment
    return system_clock()
