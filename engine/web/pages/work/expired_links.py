"""The link of a letter has expired: a new one is sent on request, to the mailbox for which the old one was made."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.background import BackgroundTask

from engine.accounts.devices import device_words
from engine.accounts.rate_limit import Limit, count, enforce_rate_limit
from engine.accounts.secret_keys import digest_of
from engine.accounts.signed_links import Link, Purpose
from engine.agencies import contacts
from engine.agencies.contacts import ContactLine
from engine.errors import NotFound, Unavailable
from engine.http.app_context import SignInLetter
from engine.http.filters import Code
from engine.http.request_context import Fields, RequestContext, Unauthenticated
from engine.queries.work.letter_links import holder
from engine.text import Text

router = APIRouter(include_in_schema=False)
WORKS_FOR = timedelta(days=15)
AGAIN, AGAIN_LIMIT = "link_again", Limit(3, timedelta(days=1))
"""Per contact: whoever holds an old link cannot fill a mailbox."""


class Place(StrEnum):
    """Where a letter's link leads."""

    ACKNOWLEDGE = "l"
    REPORT = "r"


PURPOSES = {Place.ACKNOWLEDGE: Purpose.ACKNOWLEDGE, Place.REPORT: Purpose.REPORT}


@router.get("/expired/{place}/{token}")
def show(ctx: Unauthenticated, place: Place, token: str, said: Code = "") -> Response:
    ctx, link, contact, _ = _expired(ctx, place, token)
    return ctx.page(
        "link_expired.html", link=link, path=f"/expired/{place}/{token}", outcome=said, may=_may(ctx, contact)
    )


@router.post("/expired/{place}/{token}")
def send(ctx: Unauthenticated, form: Fields, place: Place, token: str) -> Response:
    """Send the new link. What is answered does not say to which mailbox."""
    ctx, link, contact, agency = _expired(ctx, place, token)
    ctx.tools.tokens.check(form.raw("token"), token)
    mailer = ctx.app.links
    if mailer is None or not _may(ctx, contact):
        raise NotFound
    with ctx.writing() as session:
        enforce_rate_limit(session, AGAIN, {str(contact.id): AGAIN_LIMIT}, ctx.now)
        count(session, AGAIN, (str(contact.id),), ctx.now)
    if not mailer.reachable():
        raise Unavailable(
            Text("Lúc này chưa gửi được thư; hãy thử lại sau ít phút.", "Letters cannot be sent now; try again soon.")
        )
    new = replace(link, made_on=ctx.today, until=ctx.today + WORKS_FOR)
    path = f"/{place}/{ctx.app.signer.token(new)}"
    letter = SignInLetter(
        name=digest_of(f"{path} {ctx.now.isoformat()}")[:32],
        to=contact.email,
        agency=agency,
        language=contact.language,
        path=path,
        device=device_words(ctx.device, contact.language),
        at=ctx.now,
        until=new.until,
    )
    response = ctx.go(f"/expired/{place}/{token}", said="sent")
    response.background = BackgroundTask(mailer.send, letter)
    return response


def _may(ctx: RequestContext, contact: ContactLine) -> bool:
    """Whether a letter can go to this contact by mail."""
    return ctx.app.links is not None and bool(contact.email) and "email" not in contact.suppressed


def _expired(ctx: RequestContext, place: Place, token: str) -> tuple[RequestContext, Link, ContactLine, str]:
    """With the agency's name. Raises LinkRefused if the link is forged or revoked, or its contact has left."""
    link = ctx.app.signer.verify(PURPOSES[place], token)
    with ctx.app.database.read() as session:
        who = holder(session, link, ctx.today)
        contact = contacts.find(session, link.contact_id)
    return replace(ctx.in_contact_language(who.language), binding=token), link, contact, who.agency
