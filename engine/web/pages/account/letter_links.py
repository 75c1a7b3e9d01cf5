"""Pages behind links in letters: no account, one purpose. GET shows and changes nothing, whoever follows it; the
button posts. The form's token is bound to the link, since a reader's mail program may keep no cookies."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Actor, ActorRole, Permission, require
from engine.accounts.signed_links import Link, Purpose
from engine.agencies.preferences import slow
from engine.assignments.evidence import MAX_FILE_BYTES
from engine.assignments.lifecycle import acknowledge, decline
from engine.errors import Conflict, NotFound
from engine.http.contact_access import DO, Wish
from engine.http.evidence_download import Digest, given_back
from engine.http.filters import Code, PageNumber
from engine.http.forms import MAX_REASON_CHARS, Form
from engine.http.request_context import Fields, RequestContext, Unauthenticated, read_form
from engine.http.uploads import MAX_FORM_PARTS
from engine.queries.time_class import Today, read_today
from engine.queries.work.letter_links import LinkedDuties, LinkHolder, asked_in, holder, report_subject
from engine.text import Text
from engine.web.pages.account.preferences import Trouble, wishes_page
from engine.web.pages.work.report import Address, report_form, submit

router = APIRouter()


@router.get("/l/{token}")
def show(ctx: Unauthenticated, token: str, said: Code = "") -> Response:
    link = ctx.app.signer.read(Purpose.ACKNOWLEDGE, token, ctx.today)
    with ctx.reading() as (session, today):
        who, asked = _behind(session, today, link)
    return _page(_by(ctx, who, token), link, who, asked, today, said)


@router.post("/l/{token}")
def take(ctx: Unauthenticated, form: Fields, token: str) -> Response:
    """Acknowledge all that the letter named; again and again without a second effect."""
    link = _checked(ctx, form.raw("token"), token, Purpose.ACKNOWLEDGE)
    with ctx.writing() as session:
        who, asked = _behind(session, read_today(session, ctx.now), link)
        actor = _actor(who)
        require(actor, Permission.ACKNOWLEDGE, who.agency_id)
        news = [acknowledge(session, each.row.id, actor=actor.name, now=ctx.now) for each in asked]
    return ctx.go(ctx.path, said="acknowledged" if any(news) else "already", lang=_chosen(ctx))


@router.post("/l/{token}/decline")
def refuse(ctx: Unauthenticated, form: Fields, token: str) -> Response:
    """«Không phải việc của tôi»: the state stays, the monitor hears of it."""
    link = _checked(ctx, form.raw("token"), token, Purpose.ACKNOWLEDGE)
    wanted, reason = form.number("id"), form.text("reason", MAX_REASON_CHARS)
    with ctx.writing() as session:
        who, asked = _behind(session, read_today(session, ctx.now), link)
        actor = _actor(who)
        require(actor, Permission.DECLINE, who.agency_id)
        if wanted not in {each.row.id for each in asked}:
            raise NotFound(Text("Thư này không nói về việc ấy.", "This letter does not speak of that."))
        decline(session, wanted, actor=actor.name, now=ctx.now, reason=reason)
    return ctx.go(f"/l/{token}", said="declined", lang=_chosen(ctx))


@router.get("/r/{token}")
def report_shown(ctx: Unauthenticated, token: str, said: Code = "", n: PageNumber = 1) -> Response:
    ctx, where = _report(ctx, token, ctx.app.signer.read(Purpose.REPORT, token, ctx.today))
    return report_form(ctx, where, outcome=said, n=n)


@router.get("/r/{token}/files/{digest}")
def file_shown(ctx: Unauthenticated, token: str, digest: Digest) -> Response:
    """A file of the holder's own agency."""
    ctx, where = _report(ctx, token, ctx.app.signer.read(Purpose.REPORT, token, ctx.today))
    return given_back(ctx, where.agency_id, digest)


async def _sent(request: Request, ctx: Unauthenticated, token: str) -> Form:
    """Files are read of whoever holds a link of ours, and of nobody else."""
    ctx.app.signer.read(Purpose.REPORT, token, ctx.today)
    return await read_form(request, MAX_FORM_PARTS, MAX_FILE_BYTES)


@router.post("/r/{token}")
def report_sent(ctx: Unauthenticated, form: Annotated[Form, Depends(_sent)], token: str) -> Response:
    link = _checked(ctx, form.raw("token"), token, Purpose.REPORT)
    ctx, where = _report(ctx, token, link)
    return submit(ctx, form, where)


@router.get("/u/{token}")
def wishes_shown(ctx: Unauthenticated, token: str, said: Code = "") -> Response:
    ctx, link = _wishing(ctx, token)
    return wishes_page(ctx, link.contact_id, outcome=said, by_link=True)


@router.post("/u/{token}")
def wish(ctx: Unauthenticated, form: Fields, token: str) -> Response:
    """The page's own buttons; or a mail program's one click (RFC 8058), which slows the letters of the link's channel,
    knows no form token and follows no redirect: the secret is the link."""
    ctx, link = _wishing(ctx, token)
    if form.raw("List-Unsubscribe") == "One-Click":
        with ctx.writing() as session:
            slow(session, link.contact_id, link.subject, actor=ctx.actor.name, now=ctx.now)
        return wishes_page(ctx, link.contact_id, outcome=Wish.SLOW, by_link=True)
    ctx.tools.tokens.check(form.raw("token"), token)
    do, channel = form.choice("do", Wish), form.text("channel", 16)
    try:
        with ctx.writing() as session:
            DO[do](session, link.contact_id, channel, actor=ctx.actor.name, now=ctx.now)
    except Conflict as error:
        trouble = Trouble("letters", error.said(ctx.language), status=error.status)
        return wishes_page(ctx, link.contact_id, trouble=trouble, by_link=True)
    return ctx.go(ctx.path, said=do.value, lang=_chosen(ctx))


def _wishing(ctx: RequestContext, token: str) -> tuple[RequestContext, Link]:
    """Whoever holds the link sets that reader's letters: SET_PREFERENCES of oneself, which every capacity may."""
    link = ctx.app.signer.read(Purpose.UNSUBSCRIBE, token, ctx.today)
    with ctx.app.database.read() as session:
        who = holder(session, link, ctx.today)
    ctx = _by(ctx, who, token)
    ctx.require(Permission.SET_PREFERENCES, who.agency_id)
    return ctx, link


def _checked(ctx: RequestContext, form_token: str, token: str, purpose: Purpose) -> Link:
    """The link of a posted form that our own page of this link made."""
    link = ctx.app.signer.read(purpose, token, ctx.today)
    ctx.tools.tokens.check(form_token, token)
    return link


def _behind(session: Session, today: Today, link: Link) -> tuple[LinkHolder, tuple[LinkedDuties, ...]]:
    who = holder(session, link, today.day)
    return who, asked_in(session, today, link, who)


def _actor(who: LinkHolder) -> Actor:
    return Actor("contact", str(who.id), who.agency_id, ActorRole.of(who.role))


def _by(ctx: RequestContext, who: LinkHolder, token: str) -> RequestContext:
    return replace(ctx.bound(token).speaking(who.language), actor=_actor(who))


def _page(
    ctx: RequestContext, link: Link, who: LinkHolder, asked: tuple[LinkedDuties, ...], today: Today, said: str
) -> Response:
    rounds = dict.fromkeys((each.row.plan_id, each.row.plan, each.row.period) for each in asked if each.open)
    reports = [(plan, period, _report_path(ctx, link, f"{plan_id}:{period}")) for plan_id, plan, period in rounds]
    coming = min((each.next_on for each in asked if each.next_on), default=None)
    return ctx.page(
        "acknowledge.html",
        today=today,
        who_is=who,
        asked=asked,
        reports=reports,
        coming=coming,
        until=link.until,
        outcome=said,
        fewer=_wishes_path(ctx, link),
    )


def _report_path(ctx: RequestContext, link: Link, subject: str) -> str:
    """The report page of the same contact, working as long as the link that it was reached by."""
    made = replace(link, purpose=Purpose.REPORT, subject=subject)
    return f"/r/{ctx.app.signer.token(made)}"


def _wishes_path(ctx: RequestContext, link: Link) -> str:
    made = Link(Purpose.UNSUBSCRIBE, link.contact_id, "email", link.made_on, link.until)
    return f"/u/{ctx.app.signer.token(made)}"


def _report(ctx: RequestContext, token: str, link: Link) -> tuple[RequestContext, Address]:
    plan_id, period = report_subject(link)
    with ctx.app.database.read() as session:
        who = holder(session, link, ctx.today)
    ctx = _by(ctx, who, token)
    ctx.require(Permission.REPORT, who.agency_id)
    return ctx, Address(who.agency_id, plan_id, period, f"/r/{token}")


def _chosen(ctx: RequestContext) -> str:
    return ctx.request.query_params.get("lang", "")
