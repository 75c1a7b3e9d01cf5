"""Threads share two of glibc's arenas."""

import subprocess
import sys

ASK = """
import ctypes, sys, threading
from workflows.serving.sending import few_arenas
if sys.argv[1] == "few":
    few_arenas()
held, door = [], threading.Barrier(12)
def fill():
    held.append([bytes(1000) for _ in range(1000)])
    door.wait()
threads = [threading.Thread(target=fill) for _ in range(12)]
[each.start() for each in threads], [each.join() for each in threads]
ctypes.CDLL(None).malloc_stats()
"""


def arenas(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", ASK, how], capture_output=True, text=True, check=True)
    return done.stderr.count("Arena ")


def test_twelve_threads_share_two_arenas() -> None:
    assert arenas("few") <= 2 < arenas("as it is")
