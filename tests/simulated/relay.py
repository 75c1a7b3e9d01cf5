"""A relay and a gateway with moods, and what they took. Their answers become outcomes by the product's own rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Self

from crash.steps import AFTER_SEND, BEFORE_SEND, CONNECTIONS
from simulated.steps import Steps
from simulated.world import World

from notifications.channel_health import MAX_FAILURES
from notifications.contract.channel import About, Fate, Outcome, Outgoing
from notifications.email.smtp_replies import Stage, interrupted, reply_outcome


class Mood(StrEnum):
    """``DROPS``: the connection breaks after the letter, which was taken or not. ``NOBODY``: every reader is said not
    to exist, as by a relay whose directory is away."""

    WELL = "well"
    SLOW = "slow"
    GREY = "grey"
    REFUSES = "refuses"
    DROPS = "drops"
    DEAD = "dead"
    NOBODY = "nobody"


SECONDS = {Mood.WELL: (0.01, 0.5), Mood.SLOW: (5.0, 50.0), Mood.DEAD: (1.0, 20.0)}


@dataclass(frozen=True)
class Copy:
    """A letter that was taken. ``process``: of which process."""

    key: str
    at: datetime
    process: str
    message_id: str


@dataclass
class Relay:
    """Of one channel. ``mood`` until ``until`` seconds, else well."""

    world: World
    mood: Mood = Mood.WELL
    until: float = 0.0
    taken: list[Copy] = field(default_factory=list)
    tried: set[str] = field(default_factory=set)
    """Addresses since the mood began."""
    dropped: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    """Addresses of which it said that they do not exist, since it took a letter last."""
    alone: set[str] = field(default_factory=set)
    """Those of which it said so between letters that it took: it was they, and not the relay."""

    def become(self, mood: Mood, seconds: float) -> None:
        self.mood, self.until = mood, self.world.now + seconds
        self.tried.clear()

    @property
    def serves_nobody(self) -> bool:
        """So many were turned away that it cannot be the readers."""
        return self.now in (Mood.DEAD, Mood.REFUSES) and len(self.tried) > MAX_FAILURES

    @property
    def now(self) -> Mood:
        return self.mood if self.world.now < self.until else Mood.WELL

    async def answer(self, letter: Outgoing, process: str) -> Outcome:
        mood, dice = self.now, self.world.dice
        await asyncio.sleep(dice.uniform(*SECONDS.get(mood, SECONDS[Mood.WELL])))
        self.tried.add(letter.to)
        match mood:
            case Mood.GREY:
                return reply_outcome(Stage.RCPT, 451, "4.7.1 greylisted, try again in 300 seconds")
            case Mood.REFUSES:
                return reply_outcome(Stage.MAIL, 550, "5.7.1 relaying denied")
            case Mood.NOBODY:
                self.refused.add(letter.key)
                self.unknown.add(letter.to)
                return reply_outcome(Stage.RCPT, 550, "5.1.1 user unknown")
            case Mood.DEAD:
                return Outcome(fate=Fate.RETRY, reply="connection refused", about=About.CHANNEL)
            case Mood.DROPS:
                self.dropped.add(letter.key)
                if dice.random() < 0.5:
                    self._take(letter, process)
                return interrupted(Stage.DOT, ConnectionResetError("connection reset"))
            case _:
                self._take(letter, process)
                return Outcome(fate=Fate.ACCEPTED, code="250", receipt=f"<{letter.mark or letter.key}>")

    def _take(self, letter: Outgoing, process: str) -> None:
        if len(self.unknown) < MAX_FAILURES:
            self.alone |= self.unknown
        self.unknown.clear()
        self.taken.append(Copy(letter.key, self.world.true, process, letter.mark or letter.key))


class Line:
    """The channel of one process to a relay."""

    parallel = CONNECTIONS

    def __init__(self, name: str, relay: Relay, steps: Steps, process: Callable[[], str]) -> None:
        self.name, self._relay, self._steps, self._process = name, relay, steps, process

    async def send(self, letter: Outgoing) -> Outcome:
        self._steps.take(BEFORE_SEND)
        outcome = await self._relay.answer(letter, self._process())
        self._steps.take(AFTER_SEND)
        return outcome

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
