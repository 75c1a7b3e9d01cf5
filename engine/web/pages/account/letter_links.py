"""Pages behind links in letters: no account, one purpose. GET shows and changes nothing, whoever follows it; the
button posts. The form's token is bound to the link, since a reader's mail program may keep no cookies."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Actor, ActorRole, Deed, must
from engine.accounts.signed_links import Link, Purpose
from engine.agencies.preferences import slow
from engine.assignments.evidence import MOST_BYTES
from engine.assignments.lifecycle import acknowledge, decline
from engine.errors import Conflict, NotFound
from engine.http.contact_access import DO, Wish
from engine.http.evidence_download import Digest, given_back
from engine.http.filters import Code, PageNumber
from engine.http.forms import REASON, Form
from engine.http.request_context import Fields, Open, Visit, read_form
from engine.http.uploads import MOST_PARTS
from engine.queries.time_class import Today, read_today
from engine.queries.work.letter_links import Asked, Holder, asked_in, holder, report_subject
from engine.text import Text
from engine.web.pages.account.preferences import Trouble, wishes_page
from engine.web.pages.work.report import Address, report_form, submit

router = APIRouter()


@router.get("/l/{token}")
def show(visit: Open, token: str, said: Code = "") -> Response:
    link = visit.context.signer.read(Purpose.ACKNOWLEDGE, token, visit.today)
    with visit.reading() as (session, today):
        who, asked = _behind(session, today, link)
    return _page(_by(visit, who, token), link, who, asked, today, said)


@router.post("/l/{token}")
def take(visit: Open, form: Fields, token: str) -> Response:
    """Acknowledge all that the letter named; again and again without a second effect."""
    link = _checked(visit, form.raw("token"), token, Purpose.ACKNOWLEDGE)
    with visit.writing() as session:
        who, asked = _behind(session, read_today(session, visit.now), link)
        actor = _actor(who)
        must(actor, Deed.ACKNOWLEDGE, who.agency_id)
        news = [acknowledge(session, each.row.id, actor=actor.name, now=visit.now) for each in asked]
    return visit.go(visit.path, said="acknowledged" if any(news) else "already", lang=_chosen(visit))


@router.post("/l/{token}/decline")
def refuse(visit: Open, form: Fields, token: str) -> Response:
    """«Không phải việc của tôi»: the state stays, the monitor hears of it."""
    link = _checked(visit, form.raw("token"), token, Purpose.ACKNOWLEDGE)
    wanted, reason = form.number("id"), form.text("reason", REASON)
    with visit.writing() as session:
        who, asked = _behind(session, read_today(session, visit.now), link)
        actor = _actor(who)
        must(actor, Deed.DECLINE, who.agency_id)
        if wanted not in {each.row.id for each in asked}:
            raise NotFound(Text("Thư này không nói về việc ấy.", "This letter does not speak of that."))
        decline(session, wanted, actor=actor.name, now=visit.now, reason=reason)
    return visit.go(f"/l/{token}", said="declined", lang=_chosen(visit))


@router.get("/r/{token}")
def report_shown(visit: Open, token: str, said: Code = "", n: PageNumber = 1) -> Response:
    visit, where = _report(visit, token, visit.context.signer.read(Purpose.REPORT, token, visit.today))
    return report_form(visit, where, outcome=said, n=n)


@router.get("/r/{token}/files/{digest}")
def file_shown(visit: Open, token: str, digest: Digest) -> Response:
    """A file of the holder's own agency."""
    visit, where = _report(visit, token, visit.context.signer.read(Purpose.REPORT, token, visit.today))
    return given_back(visit, where.agency_id, digest)


async def _sent(request: Request, visit: Open, token: str) -> Form:
    """Files are read of whoever holds a link of ours, and of nobody else."""
    visit.context.signer.read(Purpose.REPORT, token, visit.today)
    return await read_form(request, MOST_PARTS, MOST_BYTES)


@router.post("/r/{token}")
def report_sent(visit: Open, form: Annotated[Form, Depends(_sent)], token: str) -> Response:
    link = _checked(visit, form.raw("token"), token, Purpose.REPORT)
    visit, where = _report(visit, token, link)
    return submit(visit, form, where)


@router.get("/u/{token}")
def wishes_shown(visit: Open, token: str, said: Code = "") -> Response:
    visit, link = _wishing(visit, token)
    return wishes_page(visit, link.contact_id, outcome=said, by_link=True)


@router.post("/u/{token}")
def wish(visit: Open, form: Fields, token: str) -> Response:
    """The page's own buttons; or a mail program's one click (RFC 8058), which slows the letters of the link's channel,
    knows no form token and follows no redirect: the secret is the link."""
    visit, link = _wishing(visit, token)
    if form.raw("List-Unsubscribe") == "One-Click":
        with visit.writing() as session:
            slow(session, link.contact_id, link.subject, actor=visit.actor.name, now=visit.now)
        return wishes_page(visit, link.contact_id, outcome=Wish.SLOW, by_link=True)
    visit.tools.tokens.check(form.raw("token"), token)
    do, channel = form.choice("do", Wish), form.text("channel", 16)
    try:
        with visit.writing() as session:
            DO[do](session, link.contact_id, channel, actor=visit.actor.name, now=visit.now)
    except Conflict as error:
        trouble = Trouble("letters", error.said(visit.language), status=error.status)
        return wishes_page(visit, link.contact_id, trouble=trouble, by_link=True)
    return visit.go(visit.path, said=do.value, lang=_chosen(visit))


def _wishing(visit: Visit, token: str) -> tuple[Visit, Link]:
    """Whoever holds the link sets that reader's letters: SET_WISHES of oneself, which every capacity may."""
    link = visit.context.signer.read(Purpose.UNSUBSCRIBE, token, visit.today)
    with visit.context.database.read() as session:
        who = holder(session, link, visit.today)
    visit = _by(visit, who, token)
    visit.must(Deed.SET_WISHES, who.agency_id)
    return visit, link


def _checked(visit: Visit, form_token: str, token: str, purpose: Purpose) -> Link:
    """The link of a posted form that our own page of this link made."""
    link = visit.context.signer.read(purpose, token, visit.today)
    visit.tools.tokens.check(form_token, token)
    return link


def _behind(session: Session, today: Today, link: Link) -> tuple[Holder, tuple[Asked, ...]]:
    who = holder(session, link, today.day)
    return who, asked_in(session, today, link, who)


def _actor(who: Holder) -> Actor:
    return Actor("contact", str(who.id), who.agency_id, ActorRole.of(who.role))


def _by(visit: Visit, who: Holder, token: str) -> Visit:
    return replace(visit.bound(token).speaking(who.language), actor=_actor(who))


def _page(visit: Visit, link: Link, who: Holder, asked: tuple[Asked, ...], today: Today, said: str) -> Response:
    rounds = dict.fromkeys((each.row.plan_id, each.row.plan, each.row.period) for each in asked if each.open)
    reports = [(plan, period, _report_path(visit, link, f"{plan_id}:{period}")) for plan_id, plan, period in rounds]
    coming = min((each.next_on for each in asked if each.next_on), default=None)
    return visit.page(
        "acknowledge.html",
        today=today,
        who_is=who,
        asked=asked,
        reports=reports,
        coming=coming,
        until=link.until,
        outcome=said,
        fewer=_wishes_path(visit, link),
    )


def _report_path(visit: Visit, link: Link, subject: str) -> str:
    """The report page of the same contact, working as long as the link that it was reached by."""
    made = replace(link, purpose=Purpose.REPORT, subject=subject)
    return f"/r/{visit.context.signer.token(made)}"


def _wishes_path(visit: Visit, link: Link) -> str:
    made = Link(Purpose.UNSUBSCRIBE, link.contact_id, "email", link.made_on, link.until)
    return f"/u/{visit.context.signer.token(made)}"


def _report(visit: Visit, token: str, link: Link) -> tuple[Visit, Address]:
    plan_id, period = report_subject(link)
    with visit.context.database.read() as session:
        who = holder(session, link, visit.today)
    visit = _by(visit, who, token)
    visit.must(Deed.REPORT, who.agency_id)
    return visit, Address(who.agency_id, plan_id, period, f"/r/{token}")


def _chosen(visit: Visit) -> str:
    return visit.request.query_params.get("lang", "")
