"""One line of what ``dondoc doctor`` and the settings page say about this installation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from config.settings import Settings
from engine.enums import complete
from engine.text import Text


class Mark(StrEnum):
    WELL = "well"
    WRONG = "wrong"
    UNUSED = "unused"
    """Not configured, and nothing depends on it."""


SIGNS = complete(Mark, {Mark.WELL: "✓", Mark.WRONG: "✗", Mark.UNUSED: "–"})


@dataclass(frozen=True, slots=True)
class CheckLine:
    """``name`` is stable, for machines. ``remedy``: what to do, of a line that is wrong."""

    name: str
    mark: Mark
    what: Text
    remedy: Text | None = None

    @property
    def sign(self) -> str:
        return SIGNS[self.mark]


def well(name: str, what: Text) -> CheckLine:
    return CheckLine(name, Mark.WELL, what)


def wrong(name: str, what: Text, remedy: Text) -> CheckLine:
    return CheckLine(name, Mark.WRONG, what, remedy)


def unused(name: str, what: Text) -> CheckLine:
    return CheckLine(name, Mark.UNUSED, what)


Examine = Callable[[bool], tuple[CheckLine, ...]]
"""Examines the installation; with True also relay, mailbox, gateway and Prefect, which takes seconds."""

SendTest = Callable[[str, str, Settings], tuple[bool, Text]]
"""Sends a test letter to a mailbox, or a test SMS to a number, in a language, by these settings. Returns whether it was
accepted, and what was answered."""

CheckSettings = Callable[[Settings], None]
"""Raises BadInput where channels cannot be made of these settings. Connects to nothing."""
