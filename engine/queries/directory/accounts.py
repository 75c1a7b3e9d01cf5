"""The accounts as a list, found by mailbox, label or agency however they are typed."""

from __future__ import annotations

from sqlmodel import Session

from engine.accounts.accounts import AccountLine, list_accounts
from engine.files.directory import fold
from engine.queries.paging import PER_PAGE, Page, decode, page


def search(session: Session, text: str = "", *, after: str = "", limit: int = PER_PAGE) -> Page[AccountLine]:
    """Active ones first, by agency and mailbox. One query: a province has some hundreds of accounts."""
    wanted = fold(text)
    met = [
        each
        for each in list_accounts(session)
        if not wanted or any(wanted in fold(told) for told in (each.email, each.label, each.agency))
    ]
    first = decode(after, int)[0] if after else 0
    return page(met[max(first, 0) :][: limit + 1], limit, lambda _: (first + limit,), len(met))
