"""The context of a request: who acts, in which language, at what time, and how to respond.

Dependencies: ``SignedIn`` requires a signed-in user (outside the demonstration); ``Anonymous`` accepts anyone, as the
sign-in page does; ``Unauthenticated`` is for signed links from letters.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Annotated, TypeVar
from urllib.parse import quote

import segno
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup
from sqlmodel import Session
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from engine.accounts.accounts import AccountLine
from engine.accounts.api_tokens import Bearer, scope_of
from engine.accounts.permissions import (
    DESK,
    POWERS,
    Acting,
    Actor,
    ActorRole,
    Permission,
    Reach,
    may,
    reach_of,
    require,
)
from engine.accounts.saved_views import LISTS, View, views_of
from engine.accounts.second_factor import Proof
from engine.accounts.sign_in import SessionHolder, holder_of, slide
from engine.accounts.signed_links import Purpose
from engine.assignments.undo import Undoable, undoable_acts
from engine.errors import BadInput, Conflict, NotAllowed
from engine.http.app_context import AppContext
from engine.http.forms import Form, Upload
from engine.http.long_work import LongWork
from engine.http.navigation import OVERDUE_COUNT, Shown, ShownEntry, entries_of, menu_of
from engine.http.page_store import PageStore
from engine.http.render import Templates, changed, url
from engine.http.security import MAX_BODY_BYTES, YEAR_SECONDS, FormTokens, SecurityLog, network_of, same_origin
from engine.queries.directory import followed_agencies
from engine.queries.kept import KEPT_SECONDS, KeptAnswers
from engine.queries.system.health import StepNews, health, step_news
from engine.queries.time_class import Today, read_day
from engine.queries.work.assignments import AssignmentFilter
from engine.queries.work.overdue import counted_overdue
from engine.queries.work.todo import waiting_counts
from engine.rules.calendar import day_digits, local_date, written
from engine.rules.typed_day import likely_days, read_typed_day
from engine.store.data_versions import P, Query, T, noting_reads
from engine.text import LANGUAGES, Text

Answer = TypeVar("Answer", bound=Response)
LANGUAGE_COOKIE, BINDING_COOKIE = "dondoc_language", "dondoc_form"
SESSION_COOKIE = "dondoc_session"
FACTOR_PAGE = "/account/second-factor"
"""The only pages allowed, besides signing out, while a session lacks the second factor that its role requires."""
NOT_FILTERS = ("stepped", "as", "lang", "after", "page", "said", "n", "kept", "tick", "whole", "sort", "col")
"""Query parameters of lists that do not narrow them. "col": in views and links from the release before."""
LINK_KEY = re.compile(r"(/[a-z]/)[A-Za-z0-9_.-]{20,}")
KEEP, ENDS_AT = "keep", "session_ends_at"
"""In the request's state: its page may be kept (``engine.http.guards.kept_pages``), until its reader's session ends."""
NOBODY = Actor("nobody", "", "", ActorRole.COORDINATOR)
"""The actor before signing in: belongs to no agency and may see only the sign-in pages."""


class SignInFirst(NotAllowed):
    default = Text("Hãy đăng nhập rồi làm lại.", "Sign in, then do it again.")

    status = 401


class SecondFactorFirst(NotAllowed):
    default = Text(
        "Vai trò này phải có lớp xác thực thứ hai: hãy đăng nhập bằng trình duyệt, đặt ở trang hiện ra rồi làm lại.",
        "This role needs a second factor: sign in with a browser, set it up on the page that opens, then do it again.",
    )


class FormUnread(BadInput):
    default = Text(
        "Không đọc được biểu mẫu: sai dạng, hoặc có quá nhiều ô, tệp hoặc một ô quá dài.",
        "The form cannot be read: malformed, too many fields or files, or a field that is too long.",
    )


class LastLook:
    """Whether Health found everything well when it was last looked at. A mark beside the account is worth one look a
    minute; the page that shows it is kept no longer."""

    def __init__(self) -> None:
        self._until, self._well = 0.0, True

    def well(self, session: Session, today: Today, *, live: bool) -> bool:
        if self._until < time.monotonic():
            self._until = time.monotonic() + KEPT_SECONDS
            with noting_reads(None):
                self._well = health(session, today, live=live).well
        return self._well


@dataclass(frozen=True)
class Tools:
    """Created once with the application, as ``request.app.state.tools``."""

    context: AppContext
    templates: Templates
    tokens: FormTokens
    security: SecurityLog
    work: LongWork = field(default_factory=LongWork)
    kept: KeptAnswers = field(default_factory=KeptAnswers)
    pages: PageStore = field(default_factory=PageStore)
    last_look: LastLook = field(default_factory=LastLook)


@dataclass(frozen=True, kw_only=True)
class RequestContext:
    """``binding`` is the secret that the page's form tokens are bound to; ``actor`` is the desk until a session, a
    token or a link identifies someone else."""

    tools: Tools
    request: Request
    now: datetime
    language: str
    chosen: bool
    """Whether the user chose the language; otherwise a link's page uses the contact's own."""
    binding: str = ""
    link: Purpose | None = None
    """Of the link in a letter by which the reader came."""
    actor: Actor = DESK
    cookies: dict[str, str] = field(default_factory=dict)
    account: AccountLine | None = None
    session_id: int = 0
    pending: SessionHolder | None = None
    """A session that still needs the code of its second factor; it signs nobody in."""
    lacks_factor: bool = False
    """The role requires a second factor and the account has none: only its set-up page is allowed."""
    bearer: Bearer | None = None
    """The API token of the request; its scopes narrow what its account may do."""

    @property
    def app(self) -> AppContext:
        return self.tools.context

    @property
    def today(self) -> date:
        return local_date(self.now)

    @property
    def by(self) -> Acting:
        return {"actor": self.actor.name, "now": self.now}

    def require(self, permission: Permission, agency_id: str = "") -> None:
        """Raises NotAllowed unless the actor has the permission in the agency ("": everywhere)."""
        if self.bearer is not None:
            self.bearer.require(permission)
        if self.link is not None and permission not in POWERS[self.link]:
            raise NotAllowed
        require(self.actor, permission, agency_id, self._followed(permission, agency_id))

    def may(self, permission: Permission, agency_id: str = "") -> bool:
        """Whether the actor has the permission; templates use it to hide actions."""
        scoped = self.bearer is None or scope_of(permission) in self.bearer.scopes
        linked = self.link is None or permission in POWERS[self.link]
        return scoped and linked and may(self.actor, permission, agency_id, self._followed(permission, agency_id))

    def agencies_within(self, permission: Permission) -> frozenset[str] | None:
        """The agencies to which a list is restricted; None for every agency. Raises NotAllowed for users who have the
        permission nowhere."""
        if self.may(permission):
            self.require(permission)
            return None
        self.require(permission, self.actor.agency_id)
        followed = reach_of(self.actor, permission) is Reach.FOLLOWED
        return self.followed if followed else frozenset({self.actor.agency_id})

    @cached_property
    def followed(self) -> frozenset[str]:
        """The agencies in the plans that the actor's department supervises, and its own. One query a request."""
        with self.session() as session:
            return followed_agencies(session, self.actor.agency_id)

    def _followed(self, permission: Permission, agency_id: str) -> frozenset[str]:
        """Read only where it decides."""
        decides = agency_id not in ("", self.actor.agency_id) and reach_of(self.actor, permission) is Reach.FOLLOWED
        return self.followed if decides else frozenset()

    def require_lasting(self) -> None:
        """Raises Conflict in the demonstration: everybody is an administrator there, and an account created there would
        still work if its data folder were later used for a real installation."""
        if self.demo:
            raise Conflict(Text("Bản trình diễn không lập tài khoản.", "The demonstration makes no accounts."))

    def visible_agency(self, agency_id: str) -> str:
        """The agency that a list is restricted to: the requested one for users who see the board, otherwise the user's
        own. Raises NotAllowed when another agency was requested."""
        if self.may(Permission.SEE_BOARD):
            self.require(Permission.SEE_BOARD)
            return agency_id
        self.require(Permission.SEE_ASSIGNMENT, agency_id or self.actor.agency_id)
        return self.actor.agency_id

    def department(self, permission: Permission) -> str:
        """The department whose pending decisions a list may show: "" for all, or the user's own. Raises NotAllowed for
        users who decide nothing."""
        if self.may(permission):
            return ""
        self.require(permission, self.actor.agency_id)
        return self.actor.agency_id

    def in_contact_language(self, language: str) -> RequestContext:
        """With the contact's own language, unless the user chose another; pages of errors follow it too."""
        if self.chosen or language not in LANGUAGES:
            return self
        self.request.state.language = language
        return replace(self, language=language)

    @contextmanager
    def reading(self) -> Iterator[tuple[Session, Today]]:
        """A read session and the date-dependent facts of the page."""
        with self.session() as session:
            yield session, self._day(session)
            if self.request.method == "GET" and not self.bare and not self.path.startswith("/api/"):
                self._read_beside()

    def _day(self, session: Session) -> Today:
        return replace(self.kept(session, read_day, self.today), now=self.now)

    def _read_beside(self) -> None:
        """What every page says beside its own: of the same moment, from the session that is open."""
        for name in ("counts", "troubled", *(["views"] if self.path in LISTS else [])):
            getattr(self, name)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """The read session that the request has open, else one of its own. A request that held one connection and
        waited for a second would wait for ever once as many as there are connections did so."""
        opened: Session | None = getattr(self.request.state, "session", None)
        if opened is not None:
            yield opened
            return
        with self.app.database.read() as session:
            self.request.state.session = session
            try:
                yield session
            finally:
                self.request.state.session = None

    def kept(self, session: Session, query: Query[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """The answer of a query, from the cache if it is current. Permissions are checked before: the arguments name
        only what the reader may see."""
        return self.tools.kept.ask(session, query, *arguments, **named)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.app.database.write() as session:
            yield session

    def kept_page(
        self, template: str, status: int = 200, *, today: Today | None = None, **facts: object
    ) -> HTMLResponse:
        """``page``, for one that is made of nothing but the address, the cookies, the settings of the start and what is
        stored: it may be given again while these stay."""
        if not self.cookies:
            setattr(self.request.state, KEEP, True)
        return self.page(template, status, today=today, **facts)

    def page(self, template: str, status: int = 200, *, today: Today | None = None, **facts: object) -> HTMLResponse:
        """Render a template as a response; sets ``cookies``."""
        body = self.tools.templates.render(
            template, self.language, today, ctx=self, bare=self.bare, failed=status >= 400, **facts
        )
        return self.with_cookies(HTMLResponse(body, status))

    def with_cookies(self, response: Answer) -> Answer:
        """Adds the page's cookies: the chosen language, the secret that form tokens are bound to."""
        for name, value in self.cookies.items():
            response.set_cookie(name, value, max_age=YEAR_SECONDS, httponly=True, samesite="lax", secure=self.secure)
        return response

    def go(self, path: str, **parameters: object) -> RedirectResponse:
        """Redirect after a POST (303), so that reloading does not repeat the action."""
        return RedirectResponse(url(path, **parameters), 303)

    def masked(self, text: str) -> str:
        """A letter as it may be shown: its signed links grant access. Not masked in the demonstration."""
        return text if self.demo else LINK_KEY.sub(r"\1…", text)

    @property
    def secure(self) -> bool:
        return is_secure(self.app)

    @property
    def device(self) -> str:
        """The User-Agent header, at most 120 characters, as the list of sessions shows it."""
        return self.request.headers.get("user-agent", "")[:120]

    @property
    def ip(self) -> str:
        """The client's network, for rate limits; behind a trusted proxy, as the proxy reports it."""
        return network_of(self.request.client.host) if self.request.client else ""

    @property
    def home(self) -> str:
        """The start page: the agency's own desk for owners, the board for everyone else."""
        return "/" if self.may(Permission.SEE_BOARD) else f"/agencies/{quote(self.actor.agency_id, safe='')}"

    @property
    def bare(self) -> bool:
        """Without the bars of those who are signed in."""
        return self.actor.kind in ("contact", "nobody")

    # --- for templates ----------------------------------------------------------------------------------------

    @cached_property
    def entries(self) -> list[ShownEntry]:
        return entries_of(self)

    @property
    def menu(self) -> list[Shown]:
        return menu_of(self)

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """What is overdue, and what waits for the reader's department: the numbers beside the entries."""
        with self.session() as session:
            today = self._day(session)
            found = {OVERDUE_COUNT: counted_overdue(session, today)}
            if self.may(Permission.ACCEPT, self.actor.agency_id):
                wanted = AssignmentFilter(supervisor_id=self.department(Permission.ACCEPT))
                found |= self.kept(session, waiting_counts, today, wanted)
            return found

    @cached_property
    def troubled(self) -> bool:
        """Whether Health has something to say to the reader."""
        if not self.may(Permission.SEE_HEALTH):
            return False
        with self.session() as session:
            return not self.tools.last_look.well(session, self._day(session), live=not self.demo)

    def stands_at(self, address: str) -> bool:
        """Whether the page is the one at an address, or below it. One without a query is not the list of what waits."""
        path, _, query = address.partition("?")
        below = self.path == path or (path != "/" and self.path.startswith(f"{path}/"))
        asked = self.request.query_params.get("waiting", "")
        return below and asked == query.removeprefix("waiting=")

    @property
    def path(self) -> str:
        return self.request.url.path

    @cached_property
    def form_token(self) -> str:
        """One a page, another for each answer."""
        return self.tools.tokens.make(self.binding)

    @property
    def demo(self) -> bool:
        return self.app.step is not None

    @cached_property
    def step_news(self) -> StepNews | None:
        """In the demonstration, after a step: what happened since the time in the URL."""
        try:
            since = datetime.fromisoformat(self.request.query_params.get("stepped", ""))
        except ValueError:
            return None
        if not self.demo or since.tzinfo is None or since >= self.now:
            return None
        with self.session() as session:
            return step_news(session, since, self.now)

    @property
    def other_language(self) -> str:
        return "vi" if self.language == "en" else "en"

    @property
    def other_address(self) -> str:
        """The current page in the other language."""
        return url(self.path, **changed(self.request.query_params.multi_items(), lang=self.other_language))

    @property
    def filters_used(self) -> int:
        """How many filters of a list are set in the address."""
        query = self.request.query_params.multi_items()
        return len({name for name, value in query if value and name not in NOT_FILTERS})

    @property
    def mine(self) -> str:
        """The URL of the list narrowed to what the user's department supervises, if it can be."""
        narrowed = self.path in ("/", "/overdue", "/assignments") and self.actor.agency_id
        return url(self.path, department=self.actor.agency_id) if narrowed and self.may(Permission.SEE_BOARD) else ""

    @cached_property
    def views(self) -> tuple[View, ...]:
        """The user's saved views of the current list."""
        with self.session() as session:
            return views_of(session, self.actor.name, self.path)

    def heard_day(self, typed: str, *, past: bool = False) -> str:
        """The day that was understood, with its weekday; "" if none was."""
        day = read_typed_day(typed, self.today, past=past, words=True)
        return "" if day is None else written(day, self.language)

    @cached_property
    def likely_days(self) -> list[tuple[str, str]]:
        """The days that are offered where a day to come is asked for: in digits, and how they are known."""
        with self.reading() as (_, today):
            found = likely_days(self.today, today.calendar)
        return [
            (day_digits(day), f"{written(day, self.language)}: {known.said(self.language)}") for day, known in found
        ]

    @cached_property
    def undoable(self) -> tuple[Undoable, ...]:
        """What the user did on the current page a moment ago and can undo."""
        with self.session() as session:
            return undoable_acts(session, self.actor.name, self.path, self.now)

    @property
    def undone(self) -> tuple[int, int] | None:
        """After an undoing: how many were put back, and how many were left. None otherwise."""
        query = self.request.query_params
        if query.get("said") != "undone":
            return None
        done, left = (query.get(name, "") for name in ("n", "kept"))
        return int(done) if done.isdecimal() else 0, int(left) if left.isdecimal() else 0

    def qr(self) -> Markup:
        """A QR code of the current page with its filters, for printouts."""
        address = f"{self.app.settings.base_url}{self.here(**{'as': '', 'lang': '', 'stepped': ''})}"
        return _qr(address)

    def here(self, **changes: str) -> str:
        """The current URL with some parameters changed."""
        return url(self.path, **changed(self.request.query_params.multi_items(), **changes))


@lru_cache(maxsize=64)
def _qr(address: str) -> Markup:
    """It takes a third of the page that it stands on."""
    return Markup(segno.make(address, error="m", micro=False).svg_inline(scale=2, border=2, omitsize=True))


def tools_of(request: Request) -> Tools:
    tools: Tools = request.app.state.tools
    return tools


def language_of(request: Request) -> tuple[str, bool]:
    """The language from the query, else from the cookie, else the person's own once they are known, else
    Vietnamese; and whether the user chose it."""
    for code in (request.query_params.get("lang", ""), request.cookies.get(LANGUAGE_COOKIE, "")):
        if code in LANGUAGES:
            return code, True
    return getattr(request.state, "language", LANGUAGES[0]), False


def _base_context(request: Request) -> RequestContext:
    tools = tools_of(request)
    language, chosen = language_of(request)
    cookies = {LANGUAGE_COOKIE: language} if request.query_params.get("lang", "") in LANGUAGES else {}
    return RequestContext(
        tools=tools, request=request, now=tools.context.clock(), language=language, chosen=chosen, cookies=cookies
    )


def anonymous_context(request: Request) -> RequestContext:
    """Context of a signed-in or anonymous user, with a cookie that form tokens are bound to."""
    ctx = _base_context(request)
    binding = binding_of(request)
    if len(binding) < 16:
        binding = FormTokens.fresh_binding()
        ctx.cookies[guarded(BINDING_COOKIE, ctx.secure)] = binding
    return _signed_in(replace(ctx, binding=binding))


def anyone_context(request: Request) -> RequestContext:
    """Context of a page that is open to all: in the demonstration of the desk, like every other there."""
    ctx = anonymous_context(request)
    return replace(ctx, actor=DESK) if ctx.account is None and ctx.app.open_desk else ctx


def signed_in_context(request: Request) -> RequestContext:
    """Context of the signed-in user; in the demonstration, of the desk. Raises SignInFirst for everyone else."""
    ctx = anonymous_context(request)
    if ctx.account is not None:
        if ctx.lacks_factor and ctx.path != FACTOR_PAGE:
            raise SecondFactorFirst
        return ctx
    if ctx.app.open_desk:
        return replace(ctx, actor=DESK)
    raise SignInFirst


def _signed_in(ctx: RequestContext) -> RequestContext:
    """Identify the user by the session cookie. Only requests that change something prolong the session, since mail
    scanners follow links."""
    key = ctx.request.cookies.get(guarded(SESSION_COOKIE, ctx.secure), "")
    if not key or len(key) > 200:
        return replace(ctx, actor=NOBODY)
    with ctx.app.database.read() as session:
        holder = holder_of(session, key, ctx.now, *ctx.app.settings.session_ends)
    if holder is None:
        return replace(ctx, actor=NOBODY)
    if holder.factor is Proof.PENDING:
        return replace(ctx, actor=NOBODY, pending=holder).in_contact_language(holder.account.language)
    if holder.stale and ctx.request.method not in ("GET", "HEAD"):
        with ctx.writing() as session:
            slide(session, holder.session_id, ctx.now)
    account = holder.account
    setattr(ctx.request.state, ENDS_AT, holder.expires_at)
    lacks = holder.factor is Proof.NONE and account.role in ctx.app.settings.needs_second_factor
    return replace(
        ctx, actor=account.actor, account=account, session_id=holder.session_id, lacks_factor=lacks
    ).in_contact_language(account.language)


def guarded(name: str, secure: bool) -> str:
    """A cookie's name. With the prefix ``__Host-`` browsers restrict it to https, this host and every path, and accept
    it from no other host."""
    return f"__Host-{name}" if secure else name


def binding_of(request: Request) -> str:
    """The secret that the user's form tokens are bound to; empty before their first page."""
    return request.cookies.get(guarded(BINDING_COOKIE, is_secure(tools_of(request).context)), "")


def is_secure(context: AppContext) -> bool:
    return context.settings.base_url.startswith("https://")


def local(path: str) -> str:
    """The path if it belongs to this server, else "": prevents open redirects."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if plain and path.isprintable() and "\\" not in path and len(path) <= 1_000 else ""


SignedIn = Annotated[RequestContext, Depends(signed_in_context)]
Anyone = Annotated[RequestContext, Depends(anyone_context)]
Anonymous = Annotated[RequestContext, Depends(anonymous_context)]
Unauthenticated = Annotated[RequestContext, Depends(_base_context)]


async def read_form(request: Request, most_files: int = 0, most_bytes: int = 0) -> Form:
    """Parse a form of this server; its token is not checked yet. At most ``most_bytes`` + 1 bytes of a file are read,
    enough to see that it is too long. An empty file field sends a part without a name, which is skipped. Raises
    FormUnread, NotAllowed."""
    fields: dict[str, tuple[str, ...]] = {}
    files: dict[str, tuple[Upload, ...]] = {}
    try:
        async with request.form(max_files=most_files, max_fields=2_000) as sent:
            for name, value in sent.multi_items():
                if not isinstance(value, UploadFile):
                    fields[name] = (*fields.get(name, ()), value)
                elif value.filename:
                    files[name] = (*files.get(name, ()), Upload(value.filename, await value.read(most_bytes + 1)))
    except HTTPException as error:
        if error.status_code == 400:
            raise FormUnread from error
        raise
    if sum(len(value) for values in fields.values() for value in values) > MAX_BODY_BYTES:
        raise HTTPException(413)  # a long text in a request that may be long for its files
    if not same_origin(request.headers, tools_of(request).context.settings.base_url):
        raise NotAllowed(Text("Biểu mẫu gửi từ trang khác bị từ chối.", "A form sent from another site is refused."))
    return Form(fields, files, local_date(tools_of(request).context.clock()))


async def _fields(request: Request) -> Form:
    """The fields of a form without uploads."""
    return await read_form(request)


Fields = Annotated[Form, Depends(_fields)]
"""A form whose token is not checked yet: for pages of signed links, whose token is bound to the link."""


def checked(request: Request, form: Fields) -> Form:
    """A form whose token was checked against the user's cookie. Raises NotAllowed."""
    tools_of(request).tokens.check(form.raw("token"), binding_of(request))
    return form


PostedForm = Annotated[Form, Depends(checked)]
