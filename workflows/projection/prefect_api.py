"""Prefect's API, as far as the picture and the alarms need it: plain HTTP with the installation's string, past proxies
of the environment, one call at a time (ten at once only earn 503). The client of Prefect's own costs 1.5 s and 80 MiB.

One projector at a time, whoever else serves the same database: a turn is a lease, by the database's clock.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

import httpx
from sqlalchemy import func, select
from sqlmodel import Session

from engine.store.clock import system_clock
from engine.store.database import Database
from engine.store.facts import read_fact, swap_fact
from workflows.projection.shown_runs import FLOW, RunState, ShownRun


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
AT_ONCE = 200
"""Rows of a call: what the server answers, and takes, at most."""


@dataclass(frozen=True, slots=True)
class Line:
    """Of a run's log, by Prefect's names."""

    flow_run_id: str
    timestamp: datetime
    message: str
    level: int = field(default=logging.INFO, compare=False)


class PrefectApi:
    """``auth``: «user:password» that the API asks for. Every method raises httpx.HTTPError where it is not answered, or
    by something else than Prefect."""

    def __init__(self, url: str, auth: str, timeout: float = TIMEOUT_SECONDS) -> None:
        self._http = prefect_client(url, auth, timeout)
        self._flows: dict[str, str] = {}
        self.calls = 0

    def __enter__(self) -> PrefectApi:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def runs(self, keys: Sequence[str]) -> dict[str, Any]:
        """Those of the keys, at most ``AT_ONCE``, that are there."""
        asked = {"flow_runs": {"idempotency_key": {"any_": list(keys)}}, "flows": {"name": {"any_": [FLOW]}}}
        return {each["idempotency_key"]: each for each in self._pages("/flow_runs/filter", asked)}

    def make(self, run: ShownRun, flow: str = FLOW) -> str:
        """Returns its id, also where somebody else has made it meanwhile."""
        if flow not in self._flows:
            self._flows[flow] = str(self.ask("POST", "/flows/", {"name": flow})["id"])
        body = {"flow_id": self._flows[flow], **run.words, "state": run.state.json(), "idempotency_key": run.key}
        return str(self.ask("POST", "/flow_runs/", body)["id"])

    def set_state(self, run_id: str, state: RunState) -> None:
        self.ask("POST", f"/flow_runs/{run_id}/set_state", {"state": state.json(), "force": True})

    def lines(self, run_ids: Sequence[str]) -> set[Line]:
        """What the logs of runs say already."""
        found = self._pages("/logs/filter", {"logs": {"flow_run_id": {"any_": list(run_ids)}}}) if run_ids else ()
        return {Line(each["flow_run_id"], datetime.fromisoformat(each["timestamp"]), each["message"]) for each in found}

    def write(self, lines: Sequence[Line]) -> None:
        for start in range(0, len(lines), AT_ONCE):
            some = lines[start : start + AT_ONCE]
            told = [{"name": "dondoc", **asdict(line), "timestamp": line.timestamp.isoformat()} for line in some]
            self.ask("POST", "/logs/", told)

    def value(self, name: str) -> Any:
        """Of a variable; None if there is none: the server's database is new."""
        found = self.find(f"/variables/name/{name}")
        return None if found is None else found["value"]

    def set_value(self, name: str, value: Any) -> None:
        written = self._answer("PATCH", f"/variables/name/{name}", {"value": value})
        if written.status_code == httpx.codes.NOT_FOUND:
            self.ask("POST", "/variables/", {"name": name, "value": value})
        else:
            written.raise_for_status()

    def emit(self, events: Iterable[Mapping[str, Any]]) -> int:
        """Each with an id of its own: the same event twice is one. Returns how many."""
        told = list(events)
        if told:
            self.ask("POST", "/events", told)
        return len(told)

    def find(self, path: str) -> Any:
        """What is there; None if nothing is."""
        found = self._answer("GET", path)
        return None if found.status_code == httpx.codes.NOT_FOUND else _body(found)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return _body(self._answer(method, path, body))

    def _pages(self, path: str, body: Mapping[str, Any]) -> Iterator[Any]:
        offset = 0
        while True:
            rows = self.ask("POST", path, {**body, "limit": AT_ONCE, "offset": offset})
            yield from rows
            offset += len(rows)
            if len(rows) < AT_ONCE:
                return

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
    whose, _, until = value.partition(" ")
    left = datetime.fromisoformat(until) - now if until else timedelta(0)
    if whose == holder and left > RENEW_BEFORE:
        return True
    if whose != holder and left > timedelta(0):
        return False
    with database.write() as session:
        return swap_fact(session, TURN, value, f"{holder} {(now + LEASE).isoformat()}")


def _clock(session: Session) -> datetime:
    if session.connection().dialect.name == "postgresql":
        moment: datetime = session.connection().scalars(select(func.clock_timestamp())).one()
        return moment
    return system_clock()
