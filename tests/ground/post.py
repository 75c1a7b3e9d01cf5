"""A fake channel that keeps the letters and returns a fixed outcome."""

from __future__ import annotations

from typing import Self

from engine.accounts.signed_links import Signer
from notifications.channel import Fate, Outcome, Outgoing
from notifications.delivery import DeliveryContext
from notifications.letters.renderer import LetterRenderer

KEY = "a key for tests that signs nothing outside of them"


class LetterBox:
    """The channel "email"; ``answer`` is the outcome of every letter, default: delivered."""

    name = "email"
    parallel = 4

    def __init__(self, answer: Outcome | None = None) -> None:
        self.letters: list[Outgoing] = []
        self.answer = answer or Outcome(fate=Fate.DELIVERED)

    async def send(self, letter: Outgoing) -> Outcome:
        self.letters.append(letter)
        return self.answer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


def post_office(box: LetterBox | None = None, **more: object) -> DeliveryContext:
    """A DeliveryContext whose only channel is the box."""
    renderer = LetterRenderer(Signer(KEY), "http://127.0.0.1:8188", 45)
    return DeliveryContext(channels={"email": box or LetterBox()}, renderer=renderer, **more)  # type: ignore[arg-type]
