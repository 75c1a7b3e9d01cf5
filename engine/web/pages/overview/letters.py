"""Letters: the list, and one letter exactly as it was sent. Links in letters grant access, so they are masked outside
the demonstration: reading a letter must not let the reader act for its recipient."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from engine.accounts.permissions import Permission
from engine.assignments.chasing import drafts_waiting
from engine.http.filters import Cursor, LetterId, Letters, Sort
from engine.http.lists.list_columns import LETTER_LIST
from engine.http.lists.listing import ExportFormat, download, filter_names
from engine.http.request_context import RequestContext, SignedIn
from engine.http.security import LETTER_POLICY
from engine.queries.directory import agency_choices
from engine.queries.figures.outlook import Selection, next_dates
from engine.queries.paging import MOST_COUNTED
from engine.queries.system.letters import (
    FAILED,
    LetterFilter,
    every_letter,
    how_many_letters,
    letter_html,
    letter_story,
    letters_by_day,
    list_letters,
)
from engine.terms import LetterState

router = APIRouter(include_in_schema=False)


@router.get("/letters")
def listing(
    ctx: SignedIn,
    wanted: Letters,
    export_format: ExportFormat = None,
    after: Cursor = "",
    sort: Sort = "",
    whole: bool = False,
) -> Response:
    """Days with their letters; letter by letter where they are narrowed or ordered, or ``whole`` asks for it."""
    by_day = not (whole or sort or after or wanted != LetterFilter())
    within = ctx.agencies_within(Permission.SEE_LETTERS)
    sort, wanted = LETTER_LIST.known_order(sort), replace(wanted, within=within)
    with ctx.reading() as (session, today):
        if export_format:
            rows, names = every_letter(session, wanted, sort), filter_names(session, None)
            return download(ctx, export_format, LETTER_LIST, rows, names)
        found = None if by_day else list_letters(session, wanted, after=after, most=MOST_COUNTED, sort=sort)
        total = found.total if found else how_many_letters(session, wanted, MOST_COUNTED)
        days = ctx.kept(session, letters_by_day, wanted) if by_day else ()
        coming = ctx.kept(session, next_dates, today, Selection()) if days and ctx.may(Permission.SEE_BOARD) else ()
        drafts = ctx.kept(session, drafts_waiting, today.day) if days and ctx.may(Permission.SEE_PAPERS) else ()
        states = sum((each.states for each in days), Counter[LetterState]())
        agencies = [each for each in ctx.kept(session, agency_choices) if within is None or each[0] in within]
    return ctx.kept_page(
        "letters.html",
        today=today,
        listing=LETTER_LIST,
        found=found,
        total=total,
        days=days,
        states=states,
        lost_as=FAILED,
        lost=sum(states[each] for each in FAILED),
        next_dates=coming,
        drafts=len(drafts),
        most=MOST_COUNTED,
        wanted=wanted,
        agencies=agencies,
        sort=sort,
    )


@router.get("/letters/{letter_id}")
def show(ctx: SignedIn, letter_id: LetterId) -> Response:
    ctx.agencies_within(Permission.SEE_LETTERS)
    with ctx.reading() as (session, today):
        found = letter_story(session, letter_id)
    ctx.require(Permission.SEE_LETTERS, found.row.agency_id)
    waits = found.text is None and found.row.state is LetterState.QUEUED
    preview = None
    if waits and ctx.app.preview:
        with ctx.app.database.read() as session:
            preview = ctx.app.preview(session, letter_id, ctx.now)
    text = found.text if preview is None else preview.text
    links = _links(ctx, text or "")
    return ctx.page("letter.html", today=today, letter=found, text=ctx.masked(text or ""), preview=preview, links=links)


@router.get("/letters/{letter_id}/html")
def html(ctx: SignedIn, letter_id: LetterId) -> Response:
    """The HTML part alone, for a sandboxed frame."""
    ctx.agencies_within(Permission.SEE_LETTERS)
    with ctx.app.database.read() as session:
        body, agency_id = letter_html(session, letter_id), letter_story(session, letter_id).row.agency_id
    ctx.require(Permission.SEE_LETTERS, agency_id)
    return HTMLResponse(ctx.masked(body), headers={"content-security-policy": LETTER_POLICY})


def _links(ctx: RequestContext, text: str) -> tuple[str, ...]:
    """In the demonstration: the letter's links as paths on this server."""
    if not ctx.demo:
        return ()
    own = re.escape(ctx.app.settings.base_url)
    return tuple(dict.fromkeys(re.findall(rf"{own}(/[lr]/[A-Za-z0-9_.-]+)", text)))
