"""One request as an endpoint sees it: who acts, in which language, at what time, and how to answer.

``Desk`` is whoever sits at the machine (until there are accounts); ``Open`` is anybody with a link from a letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session
from starlette.datastructures import UploadFile

from engine.access import DESK, Actor, Deed, may, must
from engine.calendar import local_date
from engine.errors import BadInput, NotAllowed
from engine.queries.timeclass import Today, read_today
from engine.web.context import Context
from engine.web.forms import Form
from engine.web.render import Templates, changed, url
from engine.web.security import FormTokens, at_the_machine, same_origin
from engine.words import LANGUAGES

LANGUAGE_COOKIE, BINDING_COOKIE = "dondoc_language", "dondoc_form"
YEAR = 365 * 86_400


@dataclass(frozen=True)
class Tools:
    """Made once with the application: ``request.app.state.tools``."""

    context: Context
    templates: Templates
    tokens: FormTokens


@dataclass(frozen=True)
class Visit:
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

    @property
    def context(self) -> Context:
        return self.tools.context

    @property
    def today(self) -> date:
        return local_date(self.now)

    def must(self, deed: Deed, agency_id: str = "") -> None:
        must(self.actor, deed, agency_id)

    def may(self, deed: Deed, agency_id: str = "") -> bool:
        """For templates: whether to show what the actor could do."""
        return may(self.actor, deed, agency_id)

    def bound(self, binding: str) -> Visit:
        return replace(self, binding=binding)

    def speaking(self, language: str) -> Visit:
        """In a contact's own language, unless the visitor chose another."""
        return self if self.chosen or language not in LANGUAGES else replace(self, language=language)

    @contextmanager
    def reading(self) -> Iterator[tuple[Session, Today]]:
        """A session and the day that the page speaks of."""
        with self.context.database.read() as session:
            yield session, read_today(session, self.now)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.context.database.write() as session:
            yield session

    def page(self, template: str, status: int = 200, *, today: Today | None = None, **facts: Any) -> HTMLResponse:
        """A template as an answer. ``cookies`` are set on the way."""
        bare = self.actor.kind == "contact"
        body = self.tools.templates.render(template, self.language, today, visit=self, bare=bare, **facts)
        answer = HTMLResponse(body, status)
        for name, value in self.cookies.items():
            secure = self.context.settings.base_url.startswith("https://")
            answer.set_cookie(name, value, max_age=YEAR, httponly=True, samesite="lax", secure=secure)
        return answer

    def go(self, path: str, **parameters: Any) -> RedirectResponse:
        """After a deed: look at the page again (303), so that reloading does nothing twice."""
        return RedirectResponse(url(path, **parameters), 303)

    # --- what templates ask -----------------------------------------------------------------------------------

    @property
    def path(self) -> str:
        return self.request.url.path

    @property
    def form_token(self) -> str:
        return self.tools.tokens.make(self.binding)

    @property
    def demo(self) -> bool:
        return self.context.step is not None

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


def _visit(request: Request) -> Visit:
    tools = tools_of(request)
    language, chosen = language_of(request)
    cookies = {LANGUAGE_COOKIE: language} if request.query_params.get("lang", "") in LANGUAGES else {}
    return Visit(tools, request, tools.context.clock(), language, chosen, cookies=cookies)


def desk_visit(request: Request) -> Visit:
    """Refused unless made to this machine by its own name: these pages have no accounts yet."""
    settings = tools_of(request).context.settings
    if not settings.demo and not at_the_machine(request.headers, settings.host):
        raise NotAllowed(
            "Trang này chỉ mở được ngay trên máy chủ (127.0.0.1) cho đến khi có tài khoản; người ngoài dùng liên kết "
            "trong thư. / This page opens only on the server itself (127.0.0.1) until there are accounts; others "
            "use the link in their letter."
        )
    visit = _visit(request)
    binding = request.cookies.get(BINDING_COOKIE, "")
    if len(binding) < 16:
        binding = FormTokens.fresh_binding()
        visit.cookies[BINDING_COOKIE] = binding
    return visit.bound(binding)


Desk = Annotated[Visit, Depends(desk_visit)]
Open = Annotated[Visit, Depends(_visit)]


async def _fields(request: Request) -> Form:
    """The fields of a form. Files are refused until there is a place for them."""
    fields: dict[str, tuple[str, ...]] = {}
    async with request.form(max_files=0, max_fields=2_000) as sent:
        for name, value in sent.multi_items():
            if isinstance(value, UploadFile):
                raise BadInput("Chưa nhận tệp đính kèm. / Files are not taken yet.")
            fields[name] = (*fields.get(name, ()), value)
    if not same_origin(request.headers, tools_of(request).context.settings.base_url):
        raise NotAllowed("Biểu mẫu gửi từ trang khác bị từ chối. / A form sent from another site is refused.")
    return Form(fields)


Fields = Annotated[Form, Depends(_fields)]
"""A form as sent, its token not yet checked: for pages of links, whose token is bound to the link."""


def _checked(request: Request, visit: Desk, form: Fields) -> Form:
    """A form of a desk page, its token checked against the visitor's own cookie."""
    tools_of(request).tokens.check(form.raw("token"), request.cookies.get(BINDING_COOKIE, ""))
    return form


Posted = Annotated[Form, Depends(_checked)]
