"""A letter that has not left yet, as it would be sent now."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from engine.http.app_context import Preview
from engine.store.rulebook import read_rulebook
from notifications.letters.facts import gather
from notifications.letters.renderer import LetterRenderer


def preview_letter(renderer: LetterRenderer, session: Session, letter_id: int, now: datetime) -> Preview | None:
    """None if nothing in it applies any more. ``session``: may be that of a dry run."""
    facts = gather(session, [letter_id], read_rulebook(session), now)[0]
    if facts.empty:
        return None
    letter = renderer.render(facts, now)
    return Preview(letter.subject, letter.text)
