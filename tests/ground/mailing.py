"""Fake channel for sign-in letters: keeps the letters, and can be unreachable."""

from __future__ import annotations

import re

from ground.post import KEY, LetterBox

from engine.accounts.signed_links import Signer
from engine.http.app_context import SignInLetter
from notifications.letters.renderer import LetterRenderer
from notifications.letters.sign_in_mailer import EmailSignInMailer


class LinkBox(LetterBox):
    """The e-mail channel of sign-in letters; ``up``: whether it is reachable."""

    up = True

    async def reachable(self) -> bool:
        return self.up

    @property
    def path(self) -> str:
        """The path of the newest link."""
        texts = "\n".join(letter.text for letter in self.letters)
        found: list[str] = re.findall(r"https?://[^/\s]+(/sign-in/link/\S+)", texts)
        return found[-1]


def link_post(box: LinkBox, base_url: str = "http://127.0.0.1:8188") -> EmailSignInMailer:
    return EmailSignInMailer(lambda: box, LetterRenderer(Signer(KEY), base_url, 45))


def sign_in_letter(**changes: str) -> SignInLetter:
    from ground.office import NOW

    usual = {
        "name": "n1",
        "to": "coordinator@huyen-b.example",
        "agency": "UBND huyện B",
        "language": "vi",
        "path": "/sign-in/link/key",
        "device": "Chrome trên Android",
    }
    return SignInLetter(**(usual | changes), at=NOW)
