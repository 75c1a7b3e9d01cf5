"""What stands in the papers of a department: its name, place, sign, signers; and its own letterhead as a file.

Stores what a department's papers say of it, and its own letterhead.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.accounts.rate_limit import Limit, count, enforce_rate_limit
from engine.errors import FieldsRefused, NotFound
from engine.features.papers import letterhead
from engine.features.papers.facts import SIGNERS, IssuerSettings, PaperKind, departments_of, letterhead_of, settings_of
from engine.http.filters import AgencyId, Code
from engine.http.forms import Form, FormFields
from engine.http.lists.listing import DOCX, attachment
from engine.http.request_context import RequestContext, SignedIn, checked, read_form
from engine.store.event_log import record
from engine.store.records import PaperSettings
from engine.terms import EventKind
from engine.text import Text

MAX_CHARS = 160


def save(
    session: Session,
    agency_id: str,
    settings: IssuerSettings,
    *,
    form: tuple[str, bytes] | None = None,
    drop_form: bool = False,
    actor: str,
    now: datetime,
) -> None:
    """Store them; ``form``: a new letterhead (name, bytes) that has passed ``letterhead.check``, which takes seconds
    and is no work for a transaction; ``drop_form``: use the built-in form again. Raises FieldsRefused."""
    _check(settings)
    row = session.get(PaperSettings, agency_id) or PaperSettings(agency_id=agency_id, body={}, actor=actor, at=now)
    row.body, row.actor, row.at = asdict(settings), actor, now
    if form is not None:
        row.letterhead_name, row.letterhead = form[0][:200], form[1]
    elif drop_form:
        row.letterhead_name, row.letterhead = "", None
    session.add(row)
    record(session, EventKind.PAPER_SETTINGS, now, actor=actor, agency_id=agency_id)


def _check(settings: IssuerSettings) -> None:
    wrong: dict[str, Text] = {}
    for name, value in asdict(settings).items():
        if len(value) > MAX_CHARS:
            wrong[name] = Text(f"Nhiều nhất {MAX_CHARS} ký tự.", f"{MAX_CHARS} characters at most.")
        if name.endswith("_signer") and value and value not in SIGNERS:
            wrong[name] = Text("Chọn trong danh sách.", "Choose from the list.")
    for name in ("sign", "report_sign"):
        value = getattr(settings, name)
        if value != value.upper() or set(value) & set("/ "):
            wrong[name] = Text(
                "Ký hiệu viết hoa, không có dấu / và khoảng trắng, như SLĐTBXH-PCTNXH.",
                "The sign is in capitals without / and spaces, like SLĐTBXH-PCTNXH.",
            )
    if wrong:
        raise FieldsRefused(wrong)


router = APIRouter(include_in_schema=False)
UPLOAD, UPLOADS = "letterhead", Limit(5, timedelta(minutes=10))
"""A file that is refused costs the most; so each one is counted, before it is looked at."""
NAMES = tuple(each.name for each in fields(IssuerSettings))


async def _uploaded(request: Request, ctx: SignedIn) -> Form:
    return checked(request, await read_form(request, most_files=1, most_bytes=letterhead.MAX_BYTES))


@router.get("/papers/settings/{agency_id}")
def show(ctx: SignedIn, agency_id: AgencyId, said: Code = "") -> Response:
    with ctx.reading() as (session, _):
        stored = settings_of(session, agency_id)
    return _page(ctx, agency_id, FormFields().filled(asdict(stored).items()), outcome=said)


@router.post("/papers/settings/{agency_id}")
def change(ctx: SignedIn, form: Annotated[Form, Depends(_uploaded)], agency_id: AgencyId) -> Response:
    _name(ctx, agency_id)
    typed = FormFields.of(form, *NAMES, whole="letterhead")
    settings = IssuerSettings(**{name: typed.text(name, MAX_CHARS) for name in NAMES})
    given = next((each for each in form.files.get("letterhead", ()) if each.body), None)

    def action() -> bool:
        if given:  # seconds, for a hostile one: not within the transaction, which would hold up everybody's
            with ctx.writing() as session:
                enforce_rate_limit(session, UPLOAD, {ctx.actor.name: UPLOADS}, ctx.now)
                count(session, UPLOAD, (ctx.actor.name,), ctx.now)
            letterhead.check(given.body)
        with ctx.writing() as session:
            save(
                session,
                agency_id,
                settings,
                form=(given.name, given.body) if given else None,
                drop_form=form.has("drop"),
                **ctx.by,
            )
        return True

    if typed.do(action):
        return ctx.go(f"/papers/settings/{agency_id}", said="saved")
    return _page(ctx, agency_id, typed)


@router.get("/papers/settings/{agency_id}/letterhead.docx")
def form_file(ctx: SignedIn, agency_id: AgencyId) -> Response:
    """The department's own form, or one with every placeholder to begin from."""
    _name(ctx, agency_id)
    with ctx.reading() as (session, _):
        own = letterhead_of(session, agency_id)
    return attachment(own[1] if own else letterhead.example(), DOCX, "mau-cong-van.docx")


def _page(ctx: RequestContext, agency_id: str, typed: FormFields, *, outcome: str = "") -> Response:
    name = _name(ctx, agency_id)
    with ctx.reading() as (session, _):
        own = letterhead_of(session, agency_id)
    return ctx.page(
        "papers/paper_settings.html",
        typed.status,
        agency_id=agency_id,
        department=name,
        typed=typed,
        defaults=IssuerSettings().issuer(name, "", PaperKind.DISPATCH),
        signers=[(key, f"{key.replace('/', ' / ')} ({words.said(ctx.language)})") for key, words in SIGNERS.items()],
        own=own[0] if own else "",
        placeholders=letterhead.PLACEHOLDERS,
        outcome=outcome,
    )


def _name(ctx: RequestContext, agency_id: str) -> str:
    """The department's name. Raises NotFound where it supervises no plan, NotAllowed for others than its monitors."""
    ctx.require(Permission.CHASE, agency_id)
    with ctx.reading() as (session, _):
        name = dict(departments_of(session)).get(agency_id)
    if name is None:
        raise NotFound(Text("Cơ quan này không theo dõi kế hoạch nào.", "This agency supervises no plan."))
    return name
