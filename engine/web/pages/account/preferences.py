"""Notification preferences: fewer letters, deputies, calendar feeds. Users set their own; heads and administrators may
do so for contacts of their agency, and the holder of a letter's link for that letter's recipient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.accounts import mailbox
from engine.accounts.permissions import Permission
from engine.agencies import preferences
from engine.agencies.contacts import ContactLine, phone_number
from engine.agencies.preferences import MAY_NAME, Preferences, preferences_of
from engine.errors import BadInput, Conflict, FieldsRefused
from engine.http import access
from engine.http.filters import AgencyId, Code, SmallId
from engine.http.forms import Form
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.work.desk import agency_name
from engine.text import Text

router = APIRouter(include_in_schema=False)
DEPUTY_FIELDS = ("email", "phone", "label", "valid_from", "valid_until", "letters")


@dataclass(frozen=True)
class Trouble:
    """A rejected form: which one, why, errors by field, and what was typed."""

    form: str = ""
    sentence: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


@router.get("/wishes")
def mine(ctx: SignedIn, said: Code = "") -> Response:
    ctx.require(Permission.SET_PREFERENCES, ctx.actor.agency_id)
    with ctx.app.database.read() as session:
        contact = access.own_contact(ctx, session)
    return preferences_page(ctx, contact.id if contact else 0, outcome=said)


@router.get("/wishes/{contact_id}")
def theirs(ctx: SignedIn, contact_id: SmallId, said: Code = "") -> Response:
    return preferences_page(ctx, contact_id, outcome=said)


@router.post("/wishes/{contact_id}/letters")
def letters(ctx: SignedIn, form: PostedForm, contact_id: SmallId) -> Response:
    try:
        said = set_channel(ctx, form, contact_id)
    except (BadInput, Conflict) as error:
        trouble = Trouble("letters", error.said(ctx.language), status=error.status)
        return preferences_page(ctx, contact_id, trouble=trouble)
    return ctx.go(f"/wishes/{contact_id}", said=said)


@router.post("/wishes/{contact_id}/deputies")
def name(ctx: SignedIn, form: PostedForm, contact_id: SmallId) -> Response:
    typed = {key: form.raw(key)[:200] for key in DEPUTY_FIELDS}
    try:
        check_deputy(form)
        with ctx.writing() as session:
            contact = access.find_contact(ctx, session, contact_id)
            ctx.require(Permission.NAME_DEPUTY, contact.agency_id)
            name_deputy(ctx, session, form, contact)
    except (BadInput, Conflict) as error:
        problems = error.fields if isinstance(error, FieldsRefused) else {}
        fields = {key: each.said(ctx.language) for key, each in problems.items()}
        trouble = Trouble("deputy", error.said(ctx.language), fields, typed, error.status)
        return preferences_page(ctx, contact_id, trouble=trouble)
    return ctx.go(f"/wishes/{contact_id}", said="named")


@router.post("/wishes/{contact_id}/deputies/{deputy_id}/end")
def end(ctx: SignedIn, form: PostedForm, contact_id: SmallId, deputy_id: SmallId) -> Response:
    with ctx.writing() as session:
        contact = access.find_contact(ctx, session, contact_id)
        ctx.require(Permission.NAME_DEPUTY, contact.agency_id)
        preferences.end_deputy(session, contact_id, deputy_id, **ctx.by)
    return ctx.go(f"/wishes/{contact_id}", said="ended")


@router.post("/agencies/{agency_id}/feeds")
def make(ctx: SignedIn, form: PostedForm, agency_id: AgencyId) -> Response:
    """Create a calendar feed. Renders the page instead of redirecting: the address is shown once and must not appear in
    URLs or logs."""
    contact_id = form.number("contact") if form.has("contact") else 0
    with ctx.writing() as session:
        owner_id = contact_id if form.raw("whose") == "mine" else None
        key = access.create_feed(ctx, session, agency_id, owner_id)
    return preferences_page(ctx, contact_id, fresh=access.feed_address(ctx, key))


@router.post("/agencies/{agency_id}/feeds/{feed_id}/revoke")
def revoke(ctx: SignedIn, form: PostedForm, agency_id: AgencyId, feed_id: SmallId) -> Response:
    with ctx.writing() as session:
        access.revoke_agency_feed(ctx, session, agency_id, feed_id)
    back = f"/wishes/{form.number('contact')}" if form.has("contact") else "/wishes"
    return ctx.go(back, said="revoked")


def preferences_page(
    ctx: RequestContext,
    contact_id: int,
    *,
    outcome: str = "",
    trouble: Trouble | None = None,
    fresh: str = "",
    by_link: bool = False,
) -> Response:
    """The preferences page. ``contact_id`` 0: an account that is not a contact; it may still have the agency's feed.
    ``by_link``: a reader without an account, who can change only the letters, and end a deputy."""
    trouble = trouble or Trouble()
    with ctx.app.database.read() as session:
        preferences = preferences_of(session, contact_id, ctx.now) if contact_id else None
        if preferences and not by_link:
            access.find_contact(ctx, session, contact_id)
        agency_id = preferences.contact.agency_id if preferences else ctx.actor.agency_id
        agency = agency_name(session, agency_id)[0] if agency_id else ""
        feeds = () if by_link or not agency_id else access.visible_feeds(session, agency_id, contact_id, ctx.now)
    act_at = ctx.path if by_link else f"/wishes/{contact_id}/letters"
    return ctx.page(
        "wishes.html",
        trouble.status,
        wishes=preferences,
        agency_id=agency_id,
        agency=agency,
        feeds=feeds,
        act_at=act_at,
        end_at=f"{ctx.path}/deputies" if by_link else f"/wishes/{contact_id}/deputies",
        ends=preferences is not None and _may_end(ctx, preferences),
        by_link=by_link,
        outcome=outcome,
        trouble=trouble,
        fresh=fresh,
        names=_may_name(ctx, preferences, by_link),
    )


def _may_name(ctx: RequestContext, preferences: Preferences | None, by_link: bool) -> bool:
    if preferences is None or by_link or not _may_end(ctx, preferences):
        return False
    return preferences.contact.answers_on(ctx.today)


def _may_end(ctx: RequestContext, preferences: Preferences) -> bool:
    allowed = ctx.may(Permission.NAME_DEPUTY, preferences.contact.agency_id)
    return allowed and preferences.contact.role in MAY_NAME


def name_deputy(ctx: RequestContext, session: Session, form: Form, contact: ContactLine) -> None:
    """Name the deputy of a checked form on behalf of a contact."""
    preferences.name_deputy(
        session,
        contact.id,
        email=form.text("email", 254),
        phone=form.text("phone", 40),
        label=form.text("label", 120),
        valid_from=form.day("valid_from"),
        valid_until=form.day("valid_until"),
        instead=form.text("letters", 16) == "instead",
        by_link=ctx.actor.kind == "contact",
        **ctx.by,
    )


def check_deputy(form: Form) -> None:
    """Check all fields at once, so that all errors are shown together. Raises FieldsRefused."""
    checks: Mapping[str, Callable[[], object]] = {
        "email": lambda: mailbox(form.text("email", 254)),
        "phone": lambda: phone_number(form.text("phone", 40)),
        "label": lambda: form.text("label", 120),
        "valid_from": lambda: _day(form, "valid_from"),
        "valid_until": lambda: _day(form, "valid_until"),
    }
    problems: dict[str, Text] = {}
    for key, check in checks.items():
        try:
            check()
        except BadInput as error:
            problems[key] = error.text
    if problems:
        raise FieldsRefused(problems)


def _day(form: Form, name: str) -> date:
    if not form.has(name):
        raise BadInput(Text("Cần ghi ngày.", "Give the day."))
    return form.day(name)


# --- shared with the links in letters ---------------------------------------------------------------------------


def set_channel(ctx: RequestContext, form: Form, contact_id: int) -> str:
    """Stop, slow or resume one channel; returns the action."""
    do, channel = form.choice("do", access.ChannelAction), form.text("channel", 16)
    with ctx.writing() as session:
        access.find_contact(ctx, session, contact_id)
        access.CHANNEL_ACTIONS[do](session, contact_id, channel, **ctx.by)
    return do.value
