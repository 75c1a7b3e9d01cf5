"""On a terminal: a sign that long work goes on. Nothing where the output goes into a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.text import Text


@contextmanager
def working(words: Text) -> Iterator[None]:
    """While the block runs, a moving bar and the time that has passed, on the error stream."""
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
        progress.add_task(str(words), total=None)
        yield
