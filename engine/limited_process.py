"""Runs functions on what strangers wrote (documents, edited templates) in a child process with bounded time and memory.

A hostile document or template may loop for ever, hold Python's lock, or ask for more memory than the machine has. The
child is killed then, and the caller is told; the server goes on. A child serves one call after another, so that a
letter does not pay for starting Python, and ends by itself when nobody has called for a while or its parent is gone.
"""

from __future__ import annotations

import atexit
import importlib
import os
import pickle
import resource
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar

from engine.errors import BadInput, Busy, DondocError

MEMORY_BYTES = 1_500_000_000
MAX_MESSAGE_BYTES = 100_000_000
"""A result that is longer is none: it would fill the caller's memory."""
START_SECONDS = 60.0
IDLE_SECONDS = 120.0
WAITED_FOR_EACH_SECOND = 5.0
"""Seconds by the clock that are waited for a second of processor time: what shares the machine must not make a good
document a bad one, and what sleeps must not hold its caller for ever."""
_LENGTH = struct.Struct(">Q")
P = ParamSpec("P")
T = TypeVar("T")


class LimitExceeded(Exception):
    """The call took too much processor time or memory, or hung."""


class CallFailed(Exception):
    """The function raised an error that is not one of ours; the message names it."""


class LimitedProcess:
    """One child process, started when it is first called. One call at a time: ``waiting`` others wait, and further ones
    are refused, since each holds a thread of the web server for as long as what strangers wrote takes."""

    def __init__(self, memory_bytes: int = MEMORY_BYTES, waiting: int = 1) -> None:
        self._memory_bytes = memory_bytes
        self._places, self._lock = threading.BoundedSemaphore(1 + waiting), threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._imported: set[str] = set()
        self._answered_at = 0.0

    def call(self, seconds: float, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result. ``seconds``: of processor time. Raises the BadInput that it raises, LimitExceeded,
        CallFailed or Busy."""
        if not self._places.acquire(blocking=False):
            raise Busy
        try:
            with self._lock:
                child = self._ready(function.__module__)
                request = pickle.dumps((function.__module__, function.__qualname__, args, kwargs, seconds))
                kind, value = self._exchange(child, request, seconds * WAITED_FOR_EACH_SECOND)
        finally:
            self._places.release()
        if kind == "refused":
            raise BadInput(value)
        if kind == "failed":
            raise CallFailed(value)
        result: T = value
        return result

    def close(self) -> None:
        with self._lock:
            self._kill()

    def _ready(self, module: str) -> subprocess.Popen[bytes]:
        """The child with the module imported, which is not counted as part of the call. A child that idled too long has
        ended, or ends just now: then there is a new one."""
        child = self._child
        awake = time.monotonic() < self._answered_at + IDLE_SECONDS / 2
        if child is not None and child.poll() is None and awake and module in self._imported:
            return child
        request = pickle.dumps((module, "", (), {}, START_SECONDS))
        for _ in range(2):
            if self._child is None:
                self._child = _start(self._memory_bytes)
            child = self._child
            try:
                self._exchange(child, request, START_SECONDS)
            except LimitExceeded:
                continue
            self._imported.add(module)
            return child
        raise LimitExceeded

    def _exchange(self, child: subprocess.Popen[bytes], request: bytes, seconds: float) -> tuple[str, Any]:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            _write(child.stdin, request)
            reply: tuple[str, Any] = pickle.loads(_read(child.stdout, time.monotonic() + seconds))
        except (OSError, EOFError, TimeoutError, pickle.UnpicklingError):
            self._kill()
            raise LimitExceeded from None
        self._answered_at = time.monotonic()
        return reply

    def _kill(self) -> None:
        child, self._child = self._child, None
        self._imported.clear()
        if child is not None:
            child.kill()
            child.communicate()


@cache
def shared_process(use: str, memory_bytes: int = MEMORY_BYTES, waiting: int = 1) -> LimitedProcess:
    """The child of this process for one use, so that a long import delays no letter."""
    process = LimitedProcess(memory_bytes, waiting)
    atexit.register(process.close)
    return process


def _start(memory_bytes: int) -> subprocess.Popen[bytes]:
    kept = {key: os.environ[key] for key in ("PATH", "PYTHONPATH", "HOME", "LANG") if key in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", __name__, str(memory_bytes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
        env=kept,
        start_new_session=True,
    )


def _write(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(_LENGTH.pack(len(message)) + message)
    pipe.flush()


def _read(pipe: IO[bytes], deadline: float) -> bytes:
    """One message. Raises TimeoutError at the deadline (of time.monotonic), EOFError at the end."""
    (length,) = _LENGTH.unpack(_bytes(pipe, _LENGTH.size, deadline))
    if length > MAX_MESSAGE_BYTES:
        raise EOFError
    return _bytes(pipe, length, deadline)


def _bytes(pipe: IO[bytes], length: int, deadline: float) -> bytes:
    parts: list[bytes] = []
    while length > 0:
        if not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError
        part = os.read(pipe.fileno(), min(length, 1_048_576))
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


# --- In the child ---------------------------------------------------------------------------------------------------


def _serve(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no reply
    while True:
        try:
            request = _read(requests, time.monotonic() + IDLE_SECONDS)
        except (EOFError, TimeoutError):
            return
        _write(replies, pickle.dumps(_answer(*pickle.loads(request))))


def _answer(module: str, name: str, args: Any, kwargs: Any, seconds: float) -> tuple[str, Any]:
    signal.setitimer(signal.ITIMER_PROF, seconds)  # SIGPROF ends the child, also where its parent was killed meanwhile
    try:
        imported = importlib.import_module(module)
        return "done", getattr(imported, name)(*args, **kwargs) if name else None
    except DondocError as error:
        return "refused", error.text
    except Exception as error:  # noqa: BLE001 - named to the caller
        return "failed", f"{type(error).__name__}: {error}"[:500]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
