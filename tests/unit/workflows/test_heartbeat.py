"""The heartbeat on a real APScheduler: it beats, never twice at a time, never in a crowd, and nothing stops it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from workflows.serving.heartbeat import Heartbeat

EVERY = 0.05
ENOUGH = 20


@contextmanager
def beating(tick: Callable[[], None], audit: Callable[[], None] = lambda: None, **more: Any) -> Iterator[Heartbeat]:
    """Of ``more`` each as often as the tick."""
    jobs = {"tick": (tick, EVERY), "audit": (audit, 300.0), **{name: (job, EVERY) for name, job in more.items()}}
    heartbeat = Heartbeat(jobs)
    heartbeat.start()
    try:
        yield heartbeat
    finally:
        heartbeat.stop()


class Beats:
    """Counts beats, and how many run at one time."""

    def __init__(self, seconds: float = 0) -> None:
        self.count = self.running = self.most = 0
        self.seconds = seconds
        self._lock, self._heard = threading.Lock(), threading.Condition()

    def __call__(self) -> None:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(self.seconds)
        with self._heard:
            self.count += 1
            self._heard.notify_all()
        with self._lock:
            self.running -= 1

    def wait_for(self, count: int) -> None:
        with self._heard:
            assert self._heard.wait_for(lambda: self.count >= count, ENOUGH)


def test_it_beats_at_once_and_again_and_so_do_the_audit_and_the_ear() -> None:
    beats, audits, ears = Beats(), Beats(), Beats()
    with beating(beats, audits, inbound=ears):
        beats.wait_for(3)
        audits.wait_for(1)
        ears.wait_for(2)


def test_a_job_that_does_not_end_is_counted_until_it_does() -> None:
    """A mailbox that never answered stopped the alarms, too, and nothing was red. Letters may leave for hours."""
    released, ears = threading.Event(), Beats()

    def waiting() -> None:
        released.wait(ENOUGH)
        ears()

    with beating(waiting, inbound=waiting) as heartbeat:
        until = time.monotonic() + ENOUGH
        while heartbeat.hanging(seconds=0.1) == 0 and time.monotonic() < until:
            time.sleep(0.01)
        assert heartbeat.hanging(seconds=0.1) == 1
        assert heartbeat.hanging() == 0, "not for half an hour"
        released.set()
        ears.wait_for(2)
        while heartbeat.hanging(seconds=0.1) and time.monotonic() < until:
            time.sleep(0.01)
        assert heartbeat.hanging(seconds=0.1) == 0


def test_a_job_that_fails_is_none_that_hangs() -> None:
    def fails() -> None:
        raise ValueError

    beats = Beats()
    with beating(beats, inbound=fails) as heartbeat:
        beats.wait_for(5)
        time.sleep(2 * EVERY)
        assert heartbeat.hanging(seconds=EVERY) == 0


def test_two_beats_never_run_at_one_time() -> None:
    beats = Beats(seconds=3 * EVERY)
    with beating(beats):
        beats.wait_for(3)
    assert beats.most == 1


def test_beats_that_were_missed_are_made_up_for_by_one() -> None:
    """One beat lasts as long as ten: however the clock stood, there are no more beats than time has room for."""
    slow, beats = threading.Event(), Beats()

    def tick() -> None:
        beats()
        if beats.count == 1:
            slow.wait(10 * EVERY)

    began = time.monotonic()
    with beating(tick):
        beats.wait_for(4)
    missed = 10
    assert beats.count <= (time.monotonic() - began) / EVERY + 2 - missed


def test_a_beat_that_fails_is_told_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    beats = Beats()

    def tick() -> None:
        beats()
        raise RuntimeError("the database is away")

    with beating(tick):
        beats.wait_for(3)
    assert "the database is away" in caplog.text
    assert "tick failed; it will be tried again at the next run" in caplog.text


def test_stopping_waits_for_the_beat_that_is_running() -> None:
    begun, ended = threading.Event(), threading.Event()

    def tick() -> None:
        begun.set()
        time.sleep(4 * EVERY)
        ended.set()

    with beating(tick):
        assert begun.wait(ENOUGH)
    assert ended.is_set()


def test_nothing_of_one_heartbeat_is_left_for_the_next() -> None:
    first, second = Beats(), Beats()
    with beating(first):
        first.wait_for(1)
    counted = first.count
    with beating(second):
        second.wait_for(2)
    assert first.count == counted
