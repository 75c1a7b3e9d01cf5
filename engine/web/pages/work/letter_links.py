"""Pages behind links in letters: no account needed, one purpose each. GET changes nothing, since mail scanners follow
links; the button posts. The form token is bound to the link, since a mail program's browser may keep no cookies.

The link of a letter has expired: a new one is sent on request, to the mailbox for which the old one was made.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlmodel import Session
from starlette.background import BackgroundTask

from engine.accounts.permissions import Actor, ActorRole, Permission
from engine.accounts.rate_limit import Limit, count, enforce_rate_limit
from engine.accounts.secret_keys import digest_of
from engine.accounts.sign_in import device_words
from engine.accounts.signed_links import Link, Purpose
from engine.agencies import contacts, preferences
from engine.agencies.contacts import ContactLine
from engine.agencies.preferences import slow
from engine.assignments.lifecycle import acknowledge, decline
from engine.assignments.reports.evidence import MAX_FILE_BYTES
from engine.errors import Conflict, ForbiddenMove, LinkRefused, NotFound, Unavailable
from engine.http.access import CHANNEL_ACTIONS, ChannelAction
from engine.http.app_context import SignInLetter
from engine.http.filters import Code, PageNumber, SmallId, YesNo
from engine.http.forms import MAX_REASON_CHARS, Form
from engine.http.request_context import Fields, RequestContext, Unauthenticated, read_form
from engine.http.security import SecurityEvent
from engine.http.uploads import ACCEPT, MAX_FORM_PARTS, Digest, evidence_response
from engine.queries.time_class import Today, read_today
from engine.queries.work.desk import owed
from engine.queries.work.letter_links import (
    LinkedDuties,
    LinkHolder,
    holder,
    linked_assignments,
    linked_duties,
    open_link,
    report_subject,
)
from engine.queries.work.threads import coordinated
from engine.rules.situation import is_past
from engine.store.recipients import WHOLE, address_of
from engine.text import Text
from engine.views.next_step import Bodies, next_step
from engine.web.pages.account.preferences import Trouble, preferences_page
from engine.web.pages.work.report import Address, language_parameter, report_form, submit

router = APIRouter(include_in_schema=False)
STOP_SIGNED_IN = Text(
    "Qua liên kết trong thư không thể dừng thư điện tử, chỉ chọn gộp theo tuần; muốn dừng, hãy đăng nhập rồi chọn ở "
    "trang «Cách nhận thư», hoặc nhờ bộ phận theo dõi.",
    "A letter's link cannot stop e-mail, only make it weekly; to stop it, sign in, or ask the monitoring section.",
)


@router.get("/l/{token}")
def show(ctx: Unauthenticated, token: str, said: Code = "") -> Response:
    link = opened(ctx, Purpose.ACKNOWLEDGE, token)
    return acknowledge_page(ctx, token, link, said)


@router.post("/l/{token}")
def take(ctx: Unauthenticated, form: Fields, token: str) -> Response:
    """Acknowledge all assignments listed in the letter. Idempotent."""
    link = checked(ctx, form.raw("token"), token, Purpose.ACKNOWLEDGE)
    with ctx.writing() as session:
        contact, duties = linked(session, read_today(session, ctx.now), link)
        ctx = replace(ctx, actor=_actor(contact))
        ctx.require(Permission.ACKNOWLEDGE, contact.agency_id)
        changed = [acknowledge(session, duty.row.id, **ctx.by) for duty in duties]
    return ctx.go(ctx.path, said="acknowledged" if any(changed) else "already", lang=language_parameter(ctx))


@router.post("/l/{token}/decline")
def refuse(ctx: Unauthenticated, form: Fields, token: str) -> Response:
    """«Không thuộc nhiệm vụ của cơ quan»: the state is unchanged, the monitor is notified."""
    link = checked(ctx, form.raw("token"), token, Purpose.ACKNOWLEDGE)
    assignment_id, reason = form.number("id"), form.text("reason", MAX_REASON_CHARS)
    with ctx.writing() as session:
        contact, duties = linked(session, read_today(session, ctx.now), link)
        ctx = replace(ctx, actor=_actor(contact))
        ctx.require(Permission.DECLINE, contact.agency_id)
        if assignment_id not in {each.row.id for each in duties}:
            raise NotFound(Text("Thư này không nói về việc ấy.", "This letter does not mention that assignment."))
        decline(session, assignment_id, reason=reason, **ctx.by)
    return ctx.go(f"/l/{token}", said="declined", lang=language_parameter(ctx))


def uploads(purpose: Purpose) -> Callable[..., Awaitable[Form]]:
    """A dependency that reads a form with files, for a valid link of this purpose only."""

    async def read(request: Request, ctx: Unauthenticated, token: str) -> Form:
        opened(ctx, purpose, token)
        return await read_form(request, MAX_FORM_PARTS, MAX_FILE_BYTES)

    return read


ReportForm = Annotated[Form, Depends(uploads(Purpose.REPORT))]


@router.get("/r/{token}")
def report_shown(ctx: Unauthenticated, token: str, said: Code = "", n: PageNumber = 1, copy: YesNo = None) -> Response:
    ctx, where = report_address(ctx, token, opened(ctx, Purpose.REPORT, token))
    return report_form(ctx, where, outcome=said, n=n, copy=bool(copy))


@router.get("/r/{token}/files/{digest}")
def file_shown(ctx: Unauthenticated, token: str, digest: Digest) -> Response:
    """A file of the contact's own agency."""
    ctx, where = report_address(ctx, token, opened(ctx, Purpose.REPORT, token))
    return evidence_response(ctx, where.agency_id, digest)


@router.post("/r/{token}")
def report_sent(ctx: Unauthenticated, form: ReportForm, token: str) -> Response:
    link = checked(ctx, form.raw("token"), token, Purpose.REPORT)
    ctx, where = report_address(ctx, token, link)
    return submit(ctx, form, where)


@router.get("/u/{token}")
def show_preferences(ctx: Unauthenticated, token: str, said: Code = "") -> Response:
    ctx, link = _preferences_link(ctx, token)
    return preferences_page(ctx, link.contact_id, outcome=said, by_link=True)


@router.post("/u/{token}")
def set_preferences(ctx: Unauthenticated, form: Fields, token: str) -> Response:
    """Handles the page's buttons, and one-click unsubscribe of mail programs (RFC 8058), which slows the letters of the
    link's channel. One-click requests have no form token and follow no redirect: the link itself is the secret."""
    ctx, link = _preferences_link(ctx, token)
    if form.raw("List-Unsubscribe") == "One-Click":
        with ctx.writing() as session:
            slow(session, link.contact_id, link.subject, **ctx.by)
        return preferences_page(ctx, link.contact_id, outcome=ChannelAction.SLOW, by_link=True)
    ctx.tools.tokens.check(form.raw("token"), token)
    do, channel = form.choice("do", ChannelAction), form.text("channel", 16)
    try:
        if do is ChannelAction.STOP and channel in WHOLE:
            raise ForbiddenMove(STOP_SIGNED_IN)
        with ctx.writing() as session:
            CHANNEL_ACTIONS[do](session, link.contact_id, channel, **ctx.by)
    except Conflict as error:
        trouble = Trouble("letters", error.said(ctx.language), status=error.status)
        return preferences_page(ctx, link.contact_id, trouble=trouble, by_link=True)
    return ctx.go(ctx.path, said=do.value, lang=language_parameter(ctx))


@router.post("/u/{token}/deputies/{deputy_id}/end")
def end_deputy(ctx: Unauthenticated, form: Fields, token: str, deputy_id: SmallId) -> Response:
    """End a deputy of the contact's agency: the way out for whoever did not name them."""
    ctx, link = _preferences_link(ctx, token)
    ctx.tools.tokens.check(form.raw("token"), token)
    with ctx.writing() as session:
        ctx.require(Permission.NAME_DEPUTY, contacts.find(session, link.contact_id).agency_id)
        preferences.end_deputy(session, link.contact_id, deputy_id, **ctx.by)
    return ctx.go(f"/u/{token}", said="ended", lang=language_parameter(ctx))


@router.get("/d/{token}")
def show_deputy(ctx: Unauthenticated, token: str, said: Code = "") -> Response:
    """Whom somebody proposed as deputy, with the two answers."""
    ctx, link, deputy = _proposed(ctx, token)
    return ctx.page("deputy_proposed.html", deputy=deputy, outcome=said, until=link.until)


@router.post("/d/{token}")
def decide_deputy(ctx: Unauthenticated, form: Fields, token: str) -> Response:
    ctx, link, deputy = _proposed(ctx, token)
    ctx.tools.tokens.check(form.raw("token"), token)
    agreed = form.raw("do") == "agree"
    with ctx.writing() as session:
        if agreed:
            preferences.agree_to_deputy(session, link.contact_id, deputy.id, **ctx.by)
        else:
            preferences.refuse_deputy(session, link.contact_id, deputy.id, **ctx.by)
    if not agreed:
        ctx.tools.security.record(SecurityEvent.DEPUTY_REFUSED, ctx.request, actor=ctx.actor.name)
    return ctx.go(f"/d/{token}", said="agreed" if agreed else "refused", lang=language_parameter(ctx))


def _proposed(ctx: RequestContext, token: str) -> tuple[RequestContext, Link, ContactLine]:
    link = ctx.app.signer.read(Purpose.DEPUTY, token, ctx.today)
    with ctx.app.database.read() as session:
        contact = holder(session, link, ctx.today)
        deputy = contacts.find(session, int(link.subject) if link.subject.isdecimal() else 0)
    ctx = as_contact(ctx, contact, token, link.purpose)
    ctx.require(Permission.NAME_DEPUTY, contact.agency_id)
    if deputy.agency_id != contact.agency_id:
        raise LinkRefused
    return ctx, link, deputy


def _preferences_link(ctx: RequestContext, token: str) -> tuple[RequestContext, Link]:
    """The contact of a preferences link. Every role may set its own preferences (SET_PREFERENCES)."""
    link = ctx.app.signer.read(Purpose.UNSUBSCRIBE, token, ctx.today)
    with ctx.app.database.read() as session:
        contact = holder(session, link, ctx.today)
    ctx = as_contact(ctx, contact, token, link.purpose)
    ctx.require(Permission.SET_PREFERENCES, contact.agency_id)
    return ctx, link


def opened(ctx: RequestContext, purpose: Purpose, token: str) -> Link:
    with ctx.app.database.read() as session:
        return open_link(session, ctx.app.signer, purpose, token, ctx.today)


def checked(ctx: RequestContext, form_token: str, token: str, purpose: Purpose) -> Link:
    """The link of a posted form whose token was made for this link."""
    link = opened(ctx, purpose, token)
    ctx.tools.tokens.check(form_token, token)
    return link


def linked(session: Session, today: Today, link: Link) -> tuple[LinkHolder, tuple[LinkedDuties, ...]]:
    contact = holder(session, link, today.day)
    return contact, linked_duties(session, today, link, contact)


def _actor(contact: LinkHolder) -> Actor:
    return Actor("contact", str(contact.id), contact.agency_id, ActorRole.of(contact.role))


def as_contact(ctx: RequestContext, contact: LinkHolder, token: str, purpose: Purpose) -> RequestContext:
    ctx = ctx.in_contact_language(contact.language)
    return replace(ctx, binding=token, actor=_actor(contact), link=purpose)


def acknowledge_page(
    ctx: RequestContext,
    token: str,
    link: Link,
    said: str,
    sentence: str = "",
    typed: tuple[str, str] = ("", ""),
    status: int = 200,
) -> Response:
    with ctx.reading() as (session, today):
        contact, duties = linked(session, today, link)
        helped = coordinated(session, today, contact.agency_id, assignment_ids=linked_assignments(session, link))
        owing = [each for each in owed(session, contact.agency_id) if is_past(each.due_on, today.day)]
    ctx = as_contact(ctx, contact, token, link.purpose)
    periods = dict.fromkeys((each.row.plan_id, each.row.plan, each.row.period) for each in duties if each.open)
    reports = [(plan, period, _report_path(ctx, link, f"{plan_id}:{period}")) for plan_id, plan, period in periods]
    others = [each for each in owing if (each.plan_id, each.plan, each.period) not in periods]
    coming, step = _next_step(duties, ctx.language)
    return ctx.page(
        "acknowledge.html",
        status,
        today=today,
        helped=helped,
        sentence=sentence,
        typed=typed,
        part_path=f"/l/{token}/part",
        ACCEPT=ACCEPT,
        who_is=contact,
        asked=duties,
        reports=reports,
        behind=[(each, _report_path(ctx, link, f"{each.plan_id}:{each.period}")) for each in others],
        coming=coming,
        step=step,
        until=link.until,
        outcome=said,
        fewer=_preferences_path(ctx, link),
    )


def _next_step(duties: Sequence[LinkedDuties], language: str) -> tuple[date | None, str]:
    """The day of the next letter about any of the duties, and what the system does then."""
    first = min((each for each in duties if each.next_on), key=lambda each: each.next_on or date.max, default=None)
    if first is None or first.next_rung is None:
        return None, ""
    bodies = Bodies(first.supervisor, first.issuer)
    return first.next_on, next_step(first.next_rung, bodies, language, request=first.row.request)


def _report_path(ctx: RequestContext, link: Link, subject: str) -> str:
    """Path of the contact's report page, valid as long as the present link."""
    report_link = replace(link, purpose=Purpose.REPORT, subject=subject)
    return f"/r/{ctx.app.signer.token(report_link)}"


def _preferences_path(ctx: RequestContext, link: Link) -> str:
    preferences_link = Link(
        purpose=Purpose.UNSUBSCRIBE,
        contact_id=link.contact_id,
        subject="email",
        made_on=link.made_on,
        until=max(link.until, ctx.today),
    )
    return f"/u/{ctx.app.signer.token(preferences_link)}"


def report_address(ctx: RequestContext, token: str, link: Link) -> tuple[RequestContext, Address]:
    plan_id, period = report_subject(link)
    with ctx.app.database.read() as session:
        contact = holder(session, link, ctx.today)
    ctx = as_contact(ctx, contact, token, link.purpose)
    ctx.require(Permission.REPORT, contact.agency_id)

    def path_of(plan_id: int, period: str) -> str:
        return _report_path(ctx, link, f"{plan_id}:{period}")

    return ctx, Address(contact.agency_id, plan_id, period, f"/r/{token}", path_of)


WORKS_FOR = timedelta(days=15)
AGAIN, AGAIN_LIMIT = "link_again", Limit(3, timedelta(days=1))
"""Per contact: whoever holds an old link cannot fill a mailbox."""


class Place(StrEnum):
    """Where a letter's link leads."""

    ACKNOWLEDGE = "l"
    REPORT = "r"


PURPOSES = {Place.ACKNOWLEDGE: Purpose.ACKNOWLEDGE, Place.REPORT: Purpose.REPORT}


@router.get("/expired/{place}/{token}")
def show_expired(ctx: Unauthenticated, place: Place, token: str, said: Code = "") -> Response:
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
    reached = any(address_of(contact, each) and each not in contact.suppressed for each in WHOLE)
    return ctx.app.links is not None and reached


def _expired(ctx: RequestContext, place: Place, token: str) -> tuple[RequestContext, Link, ContactLine, str]:
    """With the agency's name. Raises LinkRefused if the link is forged or revoked, or its contact has left."""
    link = ctx.app.signer.verify(PURPOSES[place], token)
    with ctx.app.database.read() as session:
        who = holder(session, link, ctx.today)
        contact = contacts.find(session, link.contact_id)
    return replace(ctx.in_contact_language(who.language), binding=token), link, contact, who.agency
