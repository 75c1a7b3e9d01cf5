"""What the pages and the API work with, wired in the composition root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from config.settings import Settings
from engine.accounts.oidc import Provider
from engine.accounts.signed_links import Signer
from engine.http.template_editor import TemplateEditor
from engine.plans.simulated_year import SimulateYear
from engine.store.clock import Clock
from engine.store.database import Database


@dataclass(frozen=True)
class SignInLetter:
    """A sign-in link on its way to the mailbox of an account. ``path`` is the link's on this server; ``device`` is what
    asked, in the account's language, empty when it is unknown; ``name`` tells one letter from another."""

    name: str
    to: str
    agency: str
    language: str
    path: str
    device: str
    at: datetime


class SignInMailer(Protocol):
    """Sends sign-in letters at once, past the outbox and its one letter a day."""

    def reachable(self) -> bool:
        """Whether a letter would be taken now. Asked whether there is an account or not: the answer and how long it
        takes tell nothing of an address."""
        ...

    def send(self, letter: SignInLetter) -> None:
        """Send it; what goes wrong is logged."""
        ...


@dataclass(frozen=True)
class AppContext:
    """``step`` moves the demonstration's clock ("event", "day", "week") and runs the passes; None: the clock is real.
    ``simulate`` lives through a plan's year before it happens, ``links`` sends sign-in links (None: nobody signs in by
    one), ``wording`` knows the letters' templates: letters are the other packages' work. ``single_sign_on`` is the
    province's; None: there is none."""

    database: Database
    clock: Clock
    signer: Signer
    settings: Settings
    step: Callable[[str], None] | None = None
    simulate: SimulateYear | None = None
    links: SignInMailer | None = None
    wording: TemplateEditor | None = None
    single_sign_on: Provider | None = None
