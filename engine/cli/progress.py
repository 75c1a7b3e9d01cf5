"""On a terminal: a sign that long work goes on. Nothing where the output goes into a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.text import Text


@contextmanager
def working(words: Text) -> Iterator[Callable[[float], None]]:
    """While the block runs, a moving bar and the time that has passed, on the error stream. What is given is told the
    share that is done, from 0 to 1, where that is known."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as progress:
        task = progress.add_task(str(words), total=None)
        yield lambda share: progress.update(task, total=1.0, completed=share)
