"""The dependencies of the web application, wired in the composition root (``workflows.run.system``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlmodel import Session

from config.settings import Settings
from engine.accounts.oidc import Provider
from engine.accounts.signed_links import Signer
from engine.admin.first_steps import CheckSettings, Examine, SendTest
from engine.plans.simulated_year import SimulateYear
from engine.store.clock import Clock
from engine.store.database import Database


@dataclass(frozen=True, kw_only=True)
class SignInLetter:
    """A sign-in link to be mailed to an account. ``path`` is the link's path on this server; ``device`` describes the
    requesting browser in the account's language, empty when unknown; ``name`` identifies the letter. ``until``: for the
    renewed link of a letter whose link expired, the last day on which it works."""

    name: str
    to: str
    agency: str
    language: str
    path: str
    device: str
    at: datetime
    until: date | None = None


@dataclass(frozen=True, kw_only=True)
class AccountLetter:
    """What changed about an account, to be mailed to its owner. ``sentence`` is in ``language``; ``device`` describes
    the browser that did it, empty when unknown; ``name`` identifies the letter."""

    name: str
    to: str
    agency: str
    language: str
    sentence: str
    device: str
    at: datetime


class SignInMailer(Protocol):
    """Sends letters about accounts immediately, bypassing the outbox and its limit of one letter a day."""

    def reachable(self) -> bool:
        """Whether the mail server would accept a letter now. Called whether or not the account exists, so that neither
        the result nor the response time reveals which addresses have accounts."""
        ...

    def send(self, letter: SignInLetter) -> None:
        """Send the letter; failures are logged, not raised."""
        ...

    def tell(self, letter: AccountLetter) -> None:
        """As ``send``."""
        ...


@dataclass(frozen=True)
class Preview:
    """A letter as it would be if it were sent now."""

    subject: str
    text: str


PreviewLetter = Callable[[Session, int, datetime], Preview | None]
"""(session, letter's id, now) -> None when none of the letter's lines is still valid."""


@dataclass(frozen=True, kw_only=True)
class AppContext:
    """``step`` advances the demonstration clock ("event", "day", "week") and runs the passes; None means the real
    clock. ``simulate`` simulates a plan's year, ``links`` mails sign-in links (None: link sign-in is off), ``preview``
    renders a letter that waits; these are implemented by other packages. ``single_sign_on`` is the OpenID Connect
    provider; None means there is none. ``open_desk``: pages and API work without an account, as in the demonstration.
    ``examine`` measures the installation, ``send_test`` tries its channels and ``check_settings`` whether they can be
    made, for the settings page. ``settings`` are those of the start; ``current`` reads them with what was entered
    since."""

    database: Database
    clock: Clock
    signer: Signer
    settings: Settings
    step: Callable[[str], None] | None = None
    simulate: SimulateYear | None = None
    links: SignInMailer | None = None
    preview: PreviewLetter | None = None
    single_sign_on: Provider | None = None
    open_desk: bool = False
    examine: Examine | None = None
    send_test: SendTest | None = None
    check_settings: CheckSettings | None = None
    current: Callable[[], Settings] | None = None

    @property
    def settings_now(self) -> Settings:
        """The settings in force, with what an administrator has entered on a page."""
        return self.current() if self.current else self.settings
