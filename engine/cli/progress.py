"""On a terminal: a sign that long work goes on, and how far it is. Nothing where the output goes into a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.text import Text


@contextmanager
def working(words: Text) -> Iterator[None]:
    """While the block runs, a moving bar and the time that has passed, on the error stream."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        progress.add_task(str(words), total=None)
        yield


@contextmanager
def counting(words: Text, total: int) -> Iterator[Callable[[int], None]]:
    """A bar; the function that it gives is told how many more are done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(str(words), total=total)
        yield lambda more: progress.advance(task, more)
