"""The search page: plans, duties, agencies, contacts, letters and numbered papers by words, of what the reader may see.

Three looks a kind, until enough is found: the words in their order, all of the words, all with the last one begun.
The index (``engine.store.search_index``) holds words without tone marks; so are those that are looked for.

Search: what the reader may see, by words. One page for all kinds; ``kind`` shows one of them at length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Annotated, Any
from unicodedata import normalize

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select, text
from sqlmodel import Session

from engine.accounts.permissions import Permission, reach_of
from engine.enums import complete
from engine.files.directory import fold
from engine.http.filters import Empty, Typed
from engine.http.request_context import RequestContext, SignedIn
from engine.queries.time_class import Today, time_class
from engine.store.database import among, table
from engine.store.records import Agency, Assignment, Contact, Duty, Event, Letter, LetterBody, Plan, Report
from engine.store.search_index import kind_word
from engine.store.stored_rows import AnyRow
from engine.terms import EventKind, PlanState, Role, TimeClass

SHOWN, SHOWN_ALONE = 6, 50
"""Results of each kind on the page of all kinds, and of the only kind."""
MAX_WORDS = 12
MARKED_CONSIDERED = 60
"""Matches without marks among which those with the marks are looked for."""
CONSIDERED = 200
"""Matches among which the newest are shown, where a common word has thousands."""


class Kind(StrEnum):
    PLAN = "plan"
    DUTY = "duty"
    AGENCY = "agency"
    CONTACT = "contact"
    PAPER = "paper"
    LETTER = "letter"


Sight = Mapping[Kind, Collection[str] | None]
"""The kinds that the reader may see, each within these agencies (None: all)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One result. ``title`` and ``about`` are the row's own words; ``plan`` is the plan's number."""

    kind: Kind
    path: str
    title: str
    about: str = ""
    plan: str = ""
    agency: str = ""
    was: str = ""
    """The earlier or other name by which an agency was found."""
    state: PlanState | None = None
    role: Role | None = None
    day: date | None = None
    count: int = 0
    late: int = 0
    """Assignments of a duty that the reader may see, and the overdue among them."""
    alike: bool = False
    """It holds the words with other tone marks than were typed."""
    plan_path: str = ""


@dataclass(frozen=True)
class Group:
    kind: Kind
    hits: tuple[Hit, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class _Entry:
    ref: str
    plan_id: int | None
    agency_id: str
    words: str


def search(session: Session, today: Today, words: str, sight: Sight, only: Kind | None = None) -> tuple[Group, ...]:
    """The groups that have results, in the order of ``Kind``; but agencies that bear the words in their name come
    first, for one who types a name looks for the agency. Where the words were typed with their marks, what has them so
    comes before what only sounds alike: «Kỳ Sơn» is not «kỹ năng sống»."""
    terms = terms_of(words)
    if not terms:
        return ()
    limit = SHOWN if only is None else SHOWN_ALONE
    groups = []
    for kind in Kind:
        within = sight.get(kind, ())
        if (within is None or within) and only in (None, kind):
            found = _entries(session, kind, terms, within, MARKED_CONSIDERED if _marked(words) else limit + 1)
            hits = sorted(
                _SHOW[kind](session, today, found if _marked(words) else found[:limit], fold(words), sight),
                key=lambda hit: _distance(hit, words),
            )
            if hits:
                shown = tuple(replace(hit, alike=_only_alike(hit, words)) for hit in hits[:limit])
                groups.append(Group(kind, shown, len(found) > limit))
    return tuple(sorted(groups, key=lambda group: not _names(group, words)))


def _marked(words: str) -> bool:
    """They were typed with tone marks."""
    return fold(words) != " ".join(words.lower().split())


def _distance(hit: Hit, words: str) -> int:
    """0: the words stand in it as whole words with their marks, in its title; 1: in the rest of it; 2: without marks or
    in another order. Of words without marks all are alike."""
    if not _marked(words):
        return 0 if hit.kind is not Kind.AGENCY or _stands_in(fold(words), fold(hit.title)) else 2
    return next((n for n, said in enumerate((hit.title, f"{hit.about} {hit.was}")) if _stands_in(words, said)), 2)


def _only_alike(hit: Hit, words: str) -> bool:
    """«Kỷ Sơn» for «Kỳ Sơn»; the words typed without marks are like all of them."""
    said = f"{hit.title} {hit.about} {hit.was}"
    return _marked(words) and _distance(hit, words) == 2 and _stands_in(fold(words), fold(said))


def _names(group: Group, words: str) -> bool:
    """A group of agencies of which one bears the words in its name."""
    return group.kind is Kind.AGENCY and _distance(group.hits[0], words) == 0


def _stands_in(words: str, said: str) -> bool:
    asked, text_ = (normalize("NFC", " ".join(each.lower().split())) for each in (words, said))
    return re.search(rf"(?<!\w){re.escape(asked)}(?!\w)", text_) is not None


def terms_of(words: str) -> tuple[tuple[str, ...], ...]:
    """Each word as the index knows it; «IV.2.1» and «188/KH-UBND» are several that stand together."""
    return tuple(term for term in map(_tokens, words.split()) if term)[:MAX_WORDS]


def _tokens(words: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[a-z0-9]+", fold(words)))


def _entries(
    session: Session, kind: Kind, terms: Sequence[tuple[str, ...]], within: Collection[str] | None, limit: int
) -> list[_Entry]:
    found: dict[tuple[str, str], _Entry] = {}
    together = (tuple(token for term in terms for token in term),)
    looks = [(together, False), (terms, False), (terms, True)] if len(terms) > 1 else [(terms, False), (terms, True)]
    for look, begun in looks:
        for entry in _matches(session, kind, look, begun, within):
            # A paper stands in the index once an agency, and is one result.
            key = (entry.words, str(entry.plan_id)) if kind is Kind.PAPER else (entry.ref, "")
            found.setdefault(key, entry)
            if len(found) >= limit:
                return list(found.values())
    return list(found.values())


def _matches(
    session: Session, kind: Kind, terms: Sequence[tuple[str, ...]], begun: bool, within: Collection[str] | None
) -> Iterator[_Entry]:
    """``begun``: the last word may go on."""
    lite = session.connection().dialect.name == "sqlite"
    asked = _fts5([(kind_word(kind),), *terms], begun) if lite else _tsquery(terms, begun)
    source = "search_text JOIN search_entry e ON e.id = search_text.rowid" if lite else "search_entry e"
    of_kind = f"e.kind = '{kind}' AND e.vector @@ to_tsquery('simple', :asked)"
    condition = "search_text MATCH :asked" if lite else of_kind
    narrowed = {"asked": asked, "most": CONSIDERED}
    where = condition if within is None else f"{condition} AND e.agency_id IN :agencies"
    order = " ORDER BY search_text.rowid DESC" if lite else ""
    statement = text(
        f"SELECT e.id, e.ref, e.plan_id, e.agency_id, e.words FROM {source} WHERE {where}{order} LIMIT :most"
    )
    if within is not None:
        statement = statement.bindparams(bindparam("agencies", expanding=True))
        narrowed["agencies"] = sorted(within)
    rows = session.connection().execute(statement, narrowed).all()
    for row in sorted(rows, key=lambda row: row.id, reverse=True):
        yield _Entry(row.ref, row.plan_id, row.agency_id or "", row.words)


def _fts5(terms: Sequence[tuple[str, ...]], begun: bool) -> str:
    phrases = [f'"{" ".join(term)}"' for term in terms]
    return " AND ".join(phrases) + (" *" if begun else "")


def _tsquery(terms: Sequence[tuple[str, ...]], begun: bool) -> str:
    return " & ".join(f"({' <-> '.join(term)})" for term in terms)[:-1] + (":*)" if begun else ")")


# --- the rows behind the entries ---------------------------------------------------------------------------------


def _plans(session: Session, today: Today, entries: Sequence[_Entry], wanted: str, sight: Sight) -> Iterator[Hit]:
    p, g = table(Plan), table(Agency)
    statement = select(p, g.c.name.label("issuer")).join(g, g.c.id == p.c.issuer_id)
    for row in _in_order(session, statement, p.c.id, entries, int):
        yield Hit(
            kind=Kind.PLAN,
            path=f"/plans/{row.id}",
            title=row.number,
            about=row.short_title,
            agency=row.issuer,
            state=row.state,
            day=row.issued_on,
        )


def _duties(session: Session, today: Today, entries: Sequence[_Entry], wanted: str, sight: Sight) -> Iterator[Hit]:
    """A duty opens its only assignment that the reader may see, else the list of them, else its place in the plan.
    Those with most overdue come first, those that nobody owes last."""
    d, p, a, g = table(Duty), table(Plan), table(Assignment), table(Agency)
    within = sight[Kind.AGENCY]
    seen = [] if within is None else [a.c.agency_id.in_(sorted(within))]
    late = func.count(a.c.id).filter(time_class(today) == TimeClass.OPEN_OVERDUE).label("late")
    owner = func.min(g.c.name).label("owner")
    owed = (func.count(a.c.id).label("assignments"), func.min(a.c.id).label("first"), late, owner)
    duty = (d.c.id, d.c.citation, d.c.text, d.c.plan_id, p.c.number)
    statement = select(*duty, *owed).join(p, p.c.id == d.c.plan_id).group_by(*duty)
    statement = statement.outerjoin(a, and_(a.c.duty_id == d.c.id, *seen)).outerjoin(g, g.c.id == a.c.agency_id)
    rows = _in_order(session, statement, d.c.id, entries, int)
    for row in sorted(rows, key=lambda row: (-row.late, not row.assignments)):
        in_plan = f"/plans/{row.plan_id}#{row.citation}"
        several = f"/assignments?plan={row.plan_id}&duty={row.citation}&class=all"
        path = in_plan if not row.assignments else f"/assignments/{row.first}" if row.assignments == 1 else several
        yield Hit(
            kind=Kind.DUTY,
            path=path,
            title=row.citation,
            about=row.text,
            plan=row.number,
            count=row.assignments,
            late=row.late,
            agency=row.owner if row.assignments == 1 else "",
            plan_path=in_plan,
        )


def _agencies(session: Session, today: Today, entries: Sequence[_Entry], wanted: str, sight: Sight) -> Iterator[Hit]:
    g = table(Agency)
    for row in _in_order(session, select(g), g.c.id, entries, str):
        present = fold(f"{row.name} {row.short}")
        others = [name for each in row.names for name in (each["name"], each.get("short") or "") if name]
        known_as = [name for name in (*others, *row.aliases) if name not in (row.name, row.short)]
        tokens = wanted.split()
        was = next((name for name in known_as if all(token in fold(name) for token in tokens)), "")
        named = all(token in present for token in tokens)
        yield Hit(
            kind=Kind.AGENCY, path=f"/agencies/{row.id}", title=row.name, agency=row.level, was="" if named else was
        )


def _contacts(session: Session, today: Today, entries: Sequence[_Entry], wanted: str, sight: Sight) -> Iterator[Hit]:
    c, g = table(Contact), table(Agency)
    statement = select(c, g.c.name.label("agency")).join(g, g.c.id == c.c.agency_id)
    for row in _in_order(session, statement, c.c.id, entries, int):
        about = " · ".join(each for each in (row.email, row.phone) if each)
        title = row.label or row.email or row.phone
        yield Hit(
            kind=Kind.CONTACT,
            path=f"/admin/agencies/{row.agency_id}",
            title=title,
            about=about,
            agency=row.agency,
            role=row.role,
        )


def _papers(session: Session, today: Today, entries: Sequence[_Entry], wanted: str, sight: Sight) -> Iterator[Hit]:
    """Its number and date stand in the story of each assignment it is about; the first is opened."""
    a, p, e, r = table(Assignment), table(Plan), table(Event), table(Report)
    about = among(session, a.c.id, [int(entry.ref) for entry in entries])
    by_ref = {(entry.ref, _tokens(entry.words.removeprefix(kind_word(Kind.PAPER)))) for entry in entries}
    statement = (
        select(a.c.id, p.c.number.label("plan"), e.c.detail)
        .join(p, p.c.id == a.c.plan_id)
        .join(e, e.c.assignment_id == a.c.id)
        .where(e.c.kind == EventKind.PAPER_RECORDED, about)
        .order_by(e.c.id.desc())
    )
    issued = [(row, row.detail["number"], row.detail["on"]) for row in session.connection().execute(statement)]
    signed = (
        select(a.c.id, p.c.number.label("plan"), r.c.paper_number, r.c.paper_on)
        .join(p, p.c.id == a.c.plan_id)
        .join(r, r.c.assignment_id == a.c.id)
        .where(r.c.paper_number != "", about)
        .order_by(r.c.id.desc())
    )
    for row in session.connection().execute(signed):
        issued.append((row, row.paper_number, row.paper_on.isoformat() if row.paper_on else ""))
    for row, number, on in issued:
        if (str(row.id), _tokens(f"{number} {on}")) in by_ref:
            day = date.fromisoformat(on) if on else None
            yield Hit(kind=Kind.PAPER, path=f"/assignments/{row.id}", title=number, plan=row.plan, day=day)


def _letters(session: Session, today: Today, entries: Sequence[_Entry], wanted: str, sight: Sight) -> Iterator[Hit]:
    letter, body, g, c = table(Letter), table(LetterBody), table(Agency), table(Contact)
    columns = (letter.c.id, letter.c.day, letter.c.role, body.c.subject, g.c.name.label("agency"), c.c.label)
    statement = (
        select(*columns)
        .join(body, body.c.letter_id == letter.c.id)
        .join(g, g.c.id == letter.c.agency_id)
        .join(c, c.c.id == letter.c.contact_id)
    )
    for row in _in_order(session, statement, letter.c.id, entries, int):
        yield Hit(
            kind=Kind.LETTER,
            path=f"/letters/{row.id}",
            title=row.subject,
            agency=row.agency,
            role=row.role,
            day=row.day,
        )


def _in_order(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    key: ColumnElement[int] | ColumnElement[str],
    entries: Sequence[_Entry],
    kind: Callable[[str], int | str],
) -> list[AnyRow]:
    """The rows that the entries refer to, in their order. One query."""
    refs = [kind(entry.ref) for entry in entries]
    rows = session.connection().execute(statement.where(among(session, key, refs))).all()
    by_key = {row._mapping[key]: row for row in rows}
    return [by_key[ref] for ref in refs if ref in by_key]


_SHOW: Mapping[Kind, Callable[[Session, Today, Sequence[_Entry], str, Sight], Iterator[Hit]]] = complete(
    Kind,
    {
        Kind.PLAN: _plans,
        Kind.DUTY: _duties,
        Kind.AGENCY: _agencies,
        Kind.CONTACT: _contacts,
        Kind.PAPER: _papers,
        Kind.LETTER: _letters,
    },
)


router = APIRouter(include_in_schema=False)
NEEDS: Mapping[Kind, Permission] = complete(
    Kind,
    {
        Kind.AGENCY: Permission.SEE_ASSIGNMENT,
        Kind.CONTACT: Permission.SEE_CONTACTS,
        Kind.PAPER: Permission.SEE_ASSIGNMENT,
        Kind.LETTER: Permission.SEE_LETTERS,
    },
    but=(Kind.PLAN, Kind.DUTY),
)
"""The permission within an agency that opens what is found; plans and duties are open to who may see plans."""


@router.get("/search")
def show(ctx: SignedIn, q: Typed = "", kind: Annotated[Kind | None, Empty, Query()] = None) -> Response:
    with ctx.reading() as (session, today):
        groups = search(session, today, q, sight_of(ctx), kind)
    return ctx.page("search/search.html", today=today, groups=groups, words=q, only=kind)


def sight_of(ctx: RequestContext) -> Sight:
    """What the reader may find: exactly what they may open."""
    sight: dict[Kind, Collection[str] | None] = {}
    if ctx.may(Permission.SEE_PLANS):
        sight |= {Kind.PLAN: None, Kind.DUTY: None}
    for kind, permission in NEEDS.items():
        if reach_of(ctx.actor, permission) is not None:
            sight[kind] = ctx.agencies_within(permission)
    return sight
