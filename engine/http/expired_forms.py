"""A form posted after the session has ended: shown again with all that was typed, to be sent once signed in anew.

Only a form of our own page is shown again, by its token: what another site made a browser post, without the cookie
that the browser keeps from other sites, must not come back bearing a good token.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from engine.errors import DondocError
from engine.http.forms import Form
from engine.http.request_context import binding_of, language_of, read_form, tools_of
from engine.http.uploads import CHOSEN, MAX_FORM_PARTS

SECRET = frozenset({"password", "old", "new", "again"})
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
MULTILINE_CHARS = 40
CHALLENGE = 'Bearer realm="dondoc"'
"""RFC 9110, 11.6.1: a 401 says how one may sign in."""
NAMES: dict[str, tuple[str, str]] = {
    "body": ("Đã làm gì", "What was done"),
    "reason": ("Lý do", "Reason"),
    "words": ("Trả lời", "Answer"),
    "figure": ("Số liệu", "Figure"),
    "text": ("Nội dung", "Text"),
    "label": ("Tên gọi", "Name"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field as sent. ``typed``: worth showing; the others go along unseen."""

    name: str
    value: str
    words: tuple[str, str]
    typed: bool

    @property
    def short(self) -> bool:
        return len(self.value) <= MULTILINE_CHARS and "\n" not in self.value


async def unsent_page(request: Request) -> HTMLResponse | None:
    """The page; None when the form is not one of ours, or holds a password."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    binding = binding_of(request)
    if request.method != "POST" or kind not in FORMS or not binding:
        return None
    tools = tools_of(request)
    try:
        form = await read_form(request, MAX_FORM_PARTS)
        tools.tokens.check(form.raw("token"), binding)
    except (DondocError, HTTPException):
        return None
    if SECRET & set(form.fields):
        return None
    page = tools.templates.render(
        "unsent.html",
        language_of(request)[0],
        status=401,
        bare=True,
        fields=_fields(form),
        files=_files(form),
        action=_same_address(request),
        kind=kind,
        form_token=tools.tokens.make(binding),
    )
    return HTMLResponse(page, 401, {"www-authenticate": CHALLENGE})


def _same_address(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


def _fields(form: Form) -> list[Field]:
    return [
        Field(name, value, _words(name), _typed(name, value))
        for name, values in form.fields.items()
        if name != "token"
        for value in values
    ]


def _typed(name: str, value: str) -> bool:
    return bool(value) and (name.partition("-")[0] in NAMES or len(value) > MULTILINE_CHARS or "\n" in value)


def _words(name: str) -> tuple[str, str]:
    stem, _, rest = name.partition("-")
    vi, en = NAMES.get(stem, (stem, stem))
    if rest.isdecimal():
        return f"{vi} (phần việc số {rest})", f"{en} (assignment {rest})"
    return f"{vi} {rest}".strip(), f"{en} {rest}".strip()


def _files(form: Form) -> tuple[str, ...]:
    """The names of files that were chosen: they cannot be kept for nobody, and are chosen again."""
    return tuple(each.name[:80] for name, every in form.files.items() if name.startswith(CHOSEN) for each in every)
