"""The relay's rate over all machines, asked of Prefect: without an answer letters go on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from workflows.run import prefect_rate
from workflows.run.prefect_rate import LIMIT, PrefectRate, slots_of


class Prefect:
    """Answers one after another, the last for ever."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers, self.asked = list(answers), list[dict[str, Any]]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(json.loads(request.content))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def rate(prefect: Callable[[httpx.Request], httpx.Response], at_once: int = 1) -> PrefectRate:
    transport = httpx.MockTransport(prefect)
    return PrefectRate(api_url="http://prefect.example/api", auth="user:word", at_once=at_once, transport=transport)


def taken() -> httpx.Response:
    return httpx.Response(200, json=[{"id": "1", "name": LIMIT, "limit": 2}])


def locked(seconds: float) -> httpx.Response:
    return httpx.Response(423, headers={"retry-after": str(seconds)})


async def letters(shared: PrefectRate, count: int) -> None:
    await asyncio.gather(*(shared.wait() for _ in range(count)))


async def test_slots_are_taken_several_by_one_call() -> None:
    prefect = Prefect(taken())
    await letters(rate(prefect, at_once=5), 10)
    assert prefect.asked == [{"names": [LIMIT], "slots": 5, "mode": "rate_limit"}] * 2


async def test_while_there_is_none_free_one_letter_asks_for_all_that_wait() -> None:
    prefect = Prefect(locked(0.2), taken())
    began = asyncio.get_running_loop().time()
    await letters(rate(prefect, at_once=4), 4)
    assert asyncio.get_running_loop().time() - began >= 0.2
    assert len(prefect.asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("gone"),
        httpx.ReadTimeout("slow"),
        httpx.Response(404),
        httpx.Response(200, json=[]),
        httpx.Response(423),
    ],
)
async def test_without_such_a_limit_or_an_answer_letters_go_on_and_it_is_asked_once(
    answer: httpx.Response | Exception,
) -> None:
    prefect = Prefect(answer)
    await asyncio.wait_for(letters(rate(prefect), 20), 5)
    assert len(prefect.asked) == 1


async def test_a_busy_server_is_asked_again_and_one_that_stays_busy_stops_no_letter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prefect_rate, "BUSY_SECONDS", 0.01)
    prefect = Prefect(httpx.Response(503), httpx.Response(503), taken())
    await letters(rate(prefect), 1)
    assert len(prefect.asked) == 3
    prefect = Prefect(httpx.Response(503))
    await asyncio.wait_for(letters(rate(prefect), 5), 5)
    assert len(prefect.asked) == prefect_rate.MOST_BUSY + 1


async def test_a_limit_that_never_gives_way_holds_a_letter_for_a_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefect_rate, "MOST_WAIT_SECONDS", 0.3)
    await asyncio.wait_for(letters(rate(Prefect(locked(3600))), 3), 5)


@pytest.mark.parametrize(("per_minute", "slots", "per_second"), [(0, 1, 0), (1, 1, 1 / 60), (60, 2, 1), (600, 20, 10)])
def test_the_limit_holds_two_seconds_worth_of_letters(per_minute: int, slots: int, per_second: float) -> None:
    assert slots_of(per_minute) == (slots, per_second)
