"""One request as an endpoint sees it: who acts, in which language, at what time, and how to answer.

``SignedIn`` is whoever is signed in (until there is an account: whoever sits at the machine); ``Anonymous`` may be
nobody yet, as on the sign-in page; ``Unauthenticated`` is anybody with a link from a letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from engine.accounts.accounts import AccountLine, any_active
from engine.accounts.api_tokens import Bearer, scope_of
from engine.accounts.permissions import DESK, Actor, ActorRole, Permission, may, require
from engine.accounts.sign_in import MAX_SESSION_TIME, holder_of, slide
from engine.errors import BadInput, NotAllowed
from engine.http.app_context import AppContext
from engine.http.forms import Form, Upload
from engine.http.navigation import pages_of
from engine.http.render import Templates, changed, url
from engine.http.security import YEAR, FormTokens, at_the_machine, network_of, same_origin
from engine.queries.time_class import Today, read_today
from engine.rules.calendar import local_date
from engine.rules.words import LANGUAGES
from engine.text import Text

LANGUAGE_COOKIE, BINDING_COOKIE = "dondoc_language", "dondoc_form"
SESSION_COOKIE = "dondoc_session"
NOBODY = Actor("nobody", "", "", ActorRole.COORDINATOR)
"""Before signing in: belongs to no body, and no page but those of signing in is shown to it."""


class SignInFirst(NotAllowed):
    default = Text("Hãy đăng nhập rồi làm lại.", "Sign in, then do it again.")

    status = 401


class FormUnread(BadInput):
    default = Text(
        "Không đọc được biểu mẫu: sai dạng, hoặc có quá nhiều ô, tệp hoặc một ô quá dài.",
        "The form cannot be read: broken, too many fields or files, or one that is too long.",
    )


@dataclass(frozen=True)
class Tools:
    """Made once with the application: ``request.app.state.tools``."""

    context: AppContext
    templates: Templates
    tokens: FormTokens


@dataclass(frozen=True)
class RequestContext:
    """``binding`` is what the page's form tokens are bound to; ``actor`` is None until a link has told who it is."""

    tools: Tools
    request: Request
    now: datetime
    language: str
    chosen: bool
    """Whether the visitor chose the language; else a link's holder is spoken to in the contact's own."""
    binding: str = ""
    actor: Actor = DESK
    cookies: dict[str, str] = field(default_factory=dict)
    account: AccountLine | None = None
    session_id: int = 0
    bearer: Bearer | None = None
    """The API token that speaks: its scopes narrow what its account may do."""

    @property
    def app(self) -> AppContext:
        return self.tools.context

    @property
    def today(self) -> date:
        return local_date(self.now)

    def require(self, deed: Permission, agency_id: str = "") -> None:
        if self.bearer is not None:
            self.bearer.require(deed)
        require(self.actor, deed, agency_id)

    def may(self, deed: Permission, agency_id: str = "") -> bool:
        """For templates: whether to show what the actor could do."""
        scoped = self.bearer is None or scope_of(deed) in self.bearer.scopes
        return scoped and may(self.actor, deed, agency_id)

    def within(self, agency_id: str) -> str:
        """The body whose assignments a list may show: any, for those who see the board; else one's own alone. Raises
        NotAllowed when another's were asked for."""
        if self.may(Permission.SEE_BOARD):
            self.require(Permission.SEE_BOARD)
            return agency_id
        self.require(Permission.SEE_ASSIGNMENT, agency_id or self.actor.agency_id)
        return self.actor.agency_id

    def department(self, deed: Permission) -> str:
        """The department whose work a list of what waits may show: any («»), or one's own alone. Raises NotAllowed
        for those who decide nothing."""
        if self.may(deed):
            return ""
        self.require(deed, self.actor.agency_id)
        return self.actor.agency_id

    def acting(self, actor: Actor, bearer: Bearer | None = None) -> RequestContext:
        return replace(self, actor=actor, bearer=bearer, account=None, session_id=0)

    def bound(self, binding: str) -> RequestContext:
        return replace(self, binding=binding)

    def speaking(self, language: str) -> RequestContext:
        """In a contact's own language, unless the visitor chose another."""
        return self if self.chosen or language not in LANGUAGES else replace(self, language=language)

    @contextmanager
    def reading(self) -> Iterator[tuple[Session, Today]]:
        """A session and the day that the page speaks of."""
        with self.app.database.read() as session:
            yield session, read_today(session, self.now)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.app.database.write() as session:
            yield session

    def page(self, template: str, status: int = 200, *, today: Today | None = None, **facts: Any) -> HTMLResponse:
        """A template as an answer. ``cookies`` are set on the way."""
        bare = self.actor.kind in ("contact", "nobody")
        body = self.tools.templates.render(template, self.language, today, ctx=self, bare=bare, **facts)
        answer = HTMLResponse(body, status)
        for name, value in self.cookies.items():
            answer.set_cookie(name, value, max_age=YEAR, httponly=True, samesite="lax", secure=self.secure)
        return answer

    def go(self, path: str, **parameters: Any) -> RedirectResponse:
        """After a deed: look at the page again (303), so that reloading does nothing twice."""
        return RedirectResponse(url(path, **parameters), 303)

    def back(self, **said: Any) -> RedirectResponse:
        """The list again, with the filters of this address, saying what was done."""
        return RedirectResponse(self.here(**{name: str(value or "") for name, value in said.items()}), 303)

    def with_session(self, answer: RedirectResponse, key: str) -> RedirectResponse:
        """Hand a session's cookie out; an empty key takes it back."""
        name, how = guarded(SESSION_COOKIE, self.secure), {"httponly": True, "samesite": "lax", "secure": self.secure}
        if key:
            answer.set_cookie(name, key, max_age=int(MAX_SESSION_TIME.total_seconds()), **how)  # type: ignore[arg-type]
        else:
            answer.delete_cookie(name, **how)  # type: ignore[arg-type]
        return answer

    @property
    def secure(self) -> bool:
        return is_secure(self.app)

    @property
    def device(self) -> str:
        """What the browser says it is, as the list of sessions shows it."""
        return self.request.headers.get("user-agent", "")[:120]

    @property
    def ip(self) -> str:
        """The visitor's network, as limits count it; behind a trusted proxy the one that the proxy names."""
        return network_of(self.request.client.host) if self.request.client else ""

    @property
    def home(self) -> str:
        """Where work begins: an owner's own desk, everybody else's board."""
        return "/" if self.may(Permission.SEE_BOARD) else f"/agencies/{quote(self.actor.agency_id, safe='')}"

    # --- what templates ask -----------------------------------------------------------------------------------

    @property
    def pages(self) -> list[tuple[str, str]]:
        return pages_of(self)

    @property
    def path(self) -> str:
        return self.request.url.path

    @property
    def form_token(self) -> str:
        return self.tools.tokens.make(self.binding)

    @property
    def demo(self) -> bool:
        return self.app.step is not None

    @property
    def other_language(self) -> str:
        return "vi" if self.language == "en" else "en"

    @property
    def other_address(self) -> str:
        """This very page in the other language; a page that answers a form is looked at anew."""
        return url(self.path, **changed(self.request.query_params.multi_items(), lang=self.other_language))

    def here(self, **changes: str) -> str:
        """This page with some parameters changed."""
        return url(self.path, **changed(self.request.query_params.multi_items(), **changes))


def tools_of(request: Request) -> Tools:
    found: Tools = request.app.state.tools
    return found


def language_of(request: Request) -> tuple[str, bool]:
    """The language asked for by address, else by cookie, else the settings'; and whether it was chosen."""
    for said in (request.query_params.get("lang", ""), request.cookies.get(LANGUAGE_COOKIE, "")):
        if said in LANGUAGES:
            return said, True
    return tools_of(request).context.settings.language, False


def _visit(request: Request) -> RequestContext:
    tools = tools_of(request)
    language, chosen = language_of(request)
    cookies = {LANGUAGE_COOKIE: language} if request.query_params.get("lang", "") in LANGUAGES else {}
    return RequestContext(tools, request, tools.context.clock(), language, chosen, cookies=cookies)


def anybody(request: Request) -> RequestContext:
    """Signed in or not, with a cookie that forms are bound to."""
    ctx = _visit(request)
    binding = binding_of(request)
    if len(binding) < 16:
        binding = FormTokens.fresh_binding()
        ctx.cookies[guarded(BINDING_COOKIE, ctx.secure)] = binding
    return _signed_in(ctx.bound(binding))


def desk_visit(request: Request) -> RequestContext:
    """Whoever is signed in; the desk itself in the demonstration, or at the machine while there is no account. Raises
    SignInFirst for anybody else."""
    ctx = anybody(request)
    if ctx.account is not None:
        return ctx
    if ctx.app.settings.demo or _alone_at_the_machine(ctx):
        return replace(ctx, actor=DESK)
    raise SignInFirst


def _signed_in(ctx: RequestContext) -> RequestContext:
    """The holder of the session's cookie acts. Looking does not prolong a session: a scanner may look."""
    key = ctx.request.cookies.get(guarded(SESSION_COOKIE, ctx.secure), "")
    if not key or len(key) > 200:
        return replace(ctx, actor=NOBODY)
    with ctx.app.database.read() as session:
        holder = holder_of(session, key, ctx.now)
    if holder is None:
        return replace(ctx, actor=NOBODY)
    if holder.stale and ctx.request.method not in ("GET", "HEAD"):
        with ctx.writing() as session:
            slide(session, holder.session_id, ctx.now)
    who = holder.account
    return replace(ctx, actor=who.actor, account=who, session_id=holder.session_id).speaking(who.language)


def _alone_at_the_machine(ctx: RequestContext) -> bool:
    if not at_the_machine(ctx.request, ctx.app.settings.host):
        return False
    with ctx.app.database.read() as session:
        return not any_active(session)


def guarded(name: str, secure: bool) -> str:
    """A cookie's name; with ``__Host-`` the browser itself holds it to https, this host and every path, and takes it
    from no neighbouring host."""
    return f"__Host-{name}" if secure else name


def binding_of(request: Request) -> str:
    """What a visitor's form tokens are bound to; empty before his first page."""
    return request.cookies.get(guarded(BINDING_COOKIE, is_secure(tools_of(request).context)), "")


def is_secure(context: AppContext) -> bool:
    return context.settings.base_url.startswith("https://")


def local(path: str) -> str:
    """A path of this very server, else nothing: nobody is sent elsewhere by an address that was sent to him."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if plain and path.isprintable() and "\\" not in path and len(path) <= 1_000 else ""


SignedIn = Annotated[RequestContext, Depends(desk_visit)]
Anonymous = Annotated[RequestContext, Depends(anybody)]
Unauthenticated = Annotated[RequestContext, Depends(_visit)]


async def read_form(request: Request, most_files: int = 0, most_bytes: int = 0) -> Form:
    """A form of a page of this server, its token not yet checked. Of a file no more than ``most_bytes`` + 1 is read:
    enough to see that it is too long. An empty file field sends a nameless part, which is no file."""
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
    if not same_origin(request.headers, tools_of(request).context.settings.base_url):
        raise NotAllowed(Text("Biểu mẫu gửi từ trang khác bị từ chối.", "A form sent from another site is refused."))
    return Form(fields, files)


async def _fields(request: Request) -> Form:
    """The fields of a form that takes no files."""
    return await read_form(request)


Fields = Annotated[Form, Depends(_fields)]
"""A form as sent, its token not yet checked: for pages of links, whose token is bound to the link."""


def checked(request: Request, form: Fields) -> Form:
    """A form of our own page, its token checked against the visitor's own cookie."""
    tools_of(request).tokens.check(form.raw("token"), binding_of(request))
    return form


PostedForm = Annotated[Form, Depends(checked)]
