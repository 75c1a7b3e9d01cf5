"""Letters: the list, and one exactly as it was sent. A letter's own links are a person's keys, so they are masked
outside the demonstration: reading a letter is no way to act in somebody's name."""

from __future__ import annotations

import re

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from engine.accounts.permissions import Deed
from engine.http.filters import Cursor, LetterId, Letters
from engine.http.masked_links import masked
from engine.http.request_context import Desk, Visit
from engine.http.security import LETTER_POLICY
from engine.queries.directory.agencies import agency_choices
from engine.queries.system.letters import letter_html, letter_story, list_letters
from engine.terms import LetterState

router = APIRouter()


@router.get("/letters")
def listing(visit: Desk, wanted: Letters, after: Cursor = "") -> Response:
    visit.must(Deed.SEE_LETTERS)
    with visit.reading() as (session, today):
        found = list_letters(session, wanted, after=after)
        agencies = agency_choices(session)
    return visit.page("letters.html", today=today, found=found, wanted=wanted, agencies=agencies, after=after)


@router.get("/letters/{letter_id}")
def show(visit: Desk, letter_id: LetterId) -> Response:
    visit.must(Deed.SEE_LETTERS)
    with visit.reading() as (session, today):
        found = letter_story(session, letter_id)
    waits = found.text is None and found.row.state is LetterState.QUEUED
    preview = visit.context.wording.letter(letter_id, visit.now) if waits and visit.context.wording else None
    text = found.text if preview is None else preview.text
    links = _links(visit, text or "")
    return visit.page(
        "letter.html", today=today, letter=found, text=masked(visit, text or ""), preview=preview, links=links
    )


@router.get("/letters/{letter_id}/html")
def html(visit: Desk, letter_id: LetterId) -> Response:
    """The HTML part on its own, for a frame that may run and follow nothing."""
    visit.must(Deed.SEE_LETTERS)
    with visit.context.database.read() as session:
        body = letter_html(session, letter_id)
    return HTMLResponse(masked(visit, body), headers={"content-security-policy": LETTER_POLICY})


def _links(visit: Visit, text: str) -> tuple[str, ...]:
    """In the demonstration: the letter's own links, as paths on this very server."""
    if not visit.demo:
        return ()
    own = re.escape(visit.context.settings.base_url)
    return tuple(dict.fromkeys(re.findall(rf"{own}(/[lr]/[A-Za-z0-9_.-]+)", text)))
