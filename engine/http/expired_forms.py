"""A form posted after the session expired: shown again with everything typed, to be sent after signing in again.

Only a form with a valid token of ours is shown again: a form that another site made the browser post (without the
SameSite cookie) must not come back with a valid token.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from engine.errors import DondocError, NotAllowed
from engine.http.forms import Form
from engine.http.request_context import binding_of, language_of, read_form, tools_of
from engine.http.security import MAX_BODY_BYTES
from engine.http.uploads import FILE_PREFIX, MAX_FORM_PARTS
from engine.text import Text

PASSWORD_FIELDS = frozenset({"password", "old", "new", "again"})
SECRET_FIELDS = PASSWORD_FIELDS | {"secret", "smtp_password", "imap_password", "sms_key"}
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
MULTILINE_CHARS = 40
CHALLENGE = 'Bearer realm="dondoc"'
"""RFC 9110, 11.6.1: a 401 response names an authentication scheme."""
NAMES: dict[str, tuple[str, str]] = {
    "body": ("Kết quả thực hiện", "What was done"),
    "reason": ("Lý do", "Reason"),
    "words": ("Trả lời", "Answer"),
    "figure": ("Số liệu", "Figure"),
    "text": ("Nội dung", "Text"),
    "label": ("Tên gọi", "Name"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One submitted field. ``typed``: typed by the user and therefore shown; the others are carried as hidden
    fields."""

    name: str
    value: str
    words: tuple[str, str]
    typed: bool

    @property
    def short(self) -> bool:
        return len(self.value) <= MULTILINE_CHARS and "\n" not in self.value


async def unsent_page(request: Request) -> HTMLResponse | None:
    """The page; None when the form is not one of ours, contains a password, or would make a page of over 1 MB."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    binding = binding_of(request)
    if request.method != "POST" or kind not in FORM_TYPES or not binding:
        return None
    tools = tools_of(request)
    try:
        form = await read_form(request, MAX_FORM_PARTS)
        tools.tokens.check(form.raw("token"), binding)
    except (DondocError, HTTPException):
        return None
    if PASSWORD_FIELDS & set(form.fields):
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
    if len(page.encode()) > MAX_BODY_BYTES:
        return None
    return HTMLResponse(page, 401, {"www-authenticate": CHALLENGE})


class ProofFirst(NotAllowed):
    """An act that lasts, by somebody who has not shown lately who they are. ``form``: what was posted, to be sent again
    with the password where it ``asks`` for one."""

    def __init__(self, text: Text, form: Form | None, *, asks: bool) -> None:
        super().__init__(text)
        self.form, self.asks = form, asks


def proof_page(request: Request, error: ProofFirst) -> HTMLResponse | None:
    """The page that asks for the password and carries the form on; what is secret in it is typed again. None where
    there is no form."""
    if error.form is None:
        return None
    tools, language = tools_of(request), language_of(request)[0]
    fields = [each for each in _fields(error.form) if each.name != "proof"]
    page = tools.templates.render(
        "prove.html",
        language,
        status=403,
        bare=True,
        sentence=error.said(language),
        asks=error.asks,
        fields=[each for each in fields if each.name not in SECRET_FIELDS],
        secret=[each.name for each in fields if each.name in SECRET_FIELDS and each.value],
        action=_same_address(request),
        form_token=tools.tokens.make(binding_of(request)),
    )
    return HTMLResponse(page, 403, {"cache-control": "no-store"})


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
    """Names of the chosen files. Files cannot be stored without a signed-in user, so they have to be chosen again."""
    return tuple(each.name[:80] for name, every in form.files.items() if name.startswith(FILE_PREFIX) for each in every)
