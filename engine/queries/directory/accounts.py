"""The list of accounts, searched by mailbox, label or agency regardless of case and tone marks."""

from __future__ import annotations

from sqlmodel import Session

from engine.accounts.accounts import AccountLine, list_accounts
from engine.files.directory import fold
from engine.queries.paging import PER_PAGE, Page, decode, page


def search(session: Session, text: str = "", *, after: str = "", limit: int = PER_PAGE) -> Page[AccountLine]:
    """Active accounts first, by agency and mailbox. One query that reads all accounts: a province has some hundreds."""
    wanted = fold(text)
    matches = [
        each
        for each in list_accounts(session)
        if not wanted or any(wanted in fold(field) for field in (each.email, each.label, each.agency))
    ]
    offset = decode(after, int)[0] if after else 0
    return page(matches[max(offset, 0) :][: limit + 1], limit, lambda _: (offset + limit,), len(matches))
