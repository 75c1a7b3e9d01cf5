"""Exception handlers: every error becomes an HTML page, or problem+json (RFC 9457) under /api; a form posted after the
session expired is shown again with everything typed. Nothing else catches these errors.

Only a form with a valid token of ours is shown again: a form that another site made the browser post (without the
SameSite cookie) must not come back with a valid token.

Logs name the route's pattern, not the path: the path of a link in a letter is a
credential.
"""

from __future__ import annotations

import logging
import math
import re
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from engine.accounts.signed_links import LinkExpired
from engine.errors import Busy, DondocError, FieldsRefused, NotAllowed, TooOften, Unavailable
from engine.http.forms import Form
from engine.http.render import url
from engine.http.request_context import (
    FACTOR_PAGE,
    SecondFactorFirst,
    SignInFirst,
    binding_of,
    language_of,
    read_form,
    tools_of,
)
from engine.http.security import (
    HEADERS,
    MAX_BODY_BYTES,
    MAX_STRANGER_BYTES,
    BodyTooLarge,
    SecurityEvent,
    media_type,
    route_of,
)
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
    kind = media_type(request.headers)
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
        return f"{vi} (việc số {rest})", f"{en} (assignment {rest})"
    return f"{vi} {rest}".strip(), f"{en} {rest}".strip()


def _files(form: Form) -> tuple[str, ...]:
    """Names of the chosen files. Files cannot be stored without a signed-in user, so they have to be chosen again."""
    return tuple(each.name[:80] for name, every in form.files.items() if name.startswith(FILE_PREFIX) for each in every)


log = logging.getLogger(__name__)

TITLES = {
    400: ("Không đọc được", "It could not be read"),
    401: ("Chưa đăng nhập", "Not signed in"),
    403: ("Không được phép", "Not allowed"),
    404: ("Không tìm thấy", "Nothing here"),
    405: ("Không làm được ở địa chỉ này", "Not possible at this address"),
    409: ("Không làm được lúc này", "Not possible now"),
    413: ("Nội dung gửi quá lớn", "Too large"),
    415: ("Không nhận định dạng này", "Unsupported content type"),
    422: ("Thông tin chưa hợp lệ", "Something is not right"),
    429: ("Thử quá nhiều lần", "Too many attempts"),
    500: ("Lỗi hệ thống", "Internal error"),
    503: ("Tạm thời không dùng được", "Temporarily unavailable"),
}
DETAILS = {
    404: (
        "Không có trang nào ở địa chỉ này; có thể liên kết bị thiếu ký tự.",
        "There is nothing at this address; the link may be incomplete.",
    ),
    405: ("Địa chỉ này không nhận thao tác ấy; hãy quay lại trang trước.", "That cannot be done here; go back a page."),
    413: ("Nội dung gửi lên vượt 1 MB; hãy rút gọn.", "What was sent is over 1 MB; shorten it."),
    429: ("Đã thử quá nhiều lần; hãy chờ một lát.", "Tried too often; wait a while."),
    503: (
        "Máy chủ đang bận; hãy thử lại sau ít giây. Chưa có gì được ghi nhận.",
        "The server is busy; try again in a few seconds. Nothing was recorded.",
    ),
    415: ("Hãy gửi nội dung dạng application/json.", "Send application/json."),
}
FIELD_ERRORS = {
    "missing": ("còn thiếu", "is missing"),
    "int_parsing": ("phải là số nguyên", "must be a whole number"),
    "int_type": ("phải là số nguyên", "must be a whole number"),
    "int_from_float": ("phải là số nguyên", "must be a whole number"),
    "greater_than_equal": ("nhỏ quá", "is too small"),
    "less_than_equal": ("lớn quá", "is too large"),
    "date_parsing": ("phải là ngày dạng 2021-06-17", "must be a date like 2021-06-17"),
    "date_from_datetime_parsing": ("phải là ngày dạng 2021-06-17", "must be a date like 2021-06-17"),
    "enum": ("không phải giá trị dùng được", "is not a usable value"),
    "string_type": ("phải là chữ", "must be text"),
    "string_too_long": ("dài quá", "is too long"),
    "string_too_short": ("ngắn quá", "is too short"),
    "string_unicode": ("không phải văn bản đọc được", "is not readable text"),
    "string_pattern_mismatch": ("không đúng dạng", "does not have the right form"),
    "extra_forbidden": ("không có trường này", "is not a field here"),
    "json_invalid": ("không phải JSON đọc được", "is not readable JSON"),
    "model_attributes_type": ("phải là một đối tượng JSON", "must be a JSON object"),
    "too_long": ("nhiều quá", "holds too many"),
    "too_short": ("ít quá", "holds too few"),
}
OF_A_LETTER = re.compile(r"/[lr]/[^/]+")
"""A link of a letter: what follows it is one of its pages."""


def install(app: FastAPI) -> None:
    """Register the exception handlers."""
    app.add_exception_handler(DondocError, _dondoc_error)
    app.add_exception_handler(SignInFirst, _sign_in_required)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(ClientDisconnect, _client_disconnected)
    app.add_exception_handler(PoolTimeout, _pool_timeout)
    app.add_exception_handler(Exception, unexpected)


async def _sign_in_required(request: Request, error: Exception) -> Response:
    """Offer a posted form again, so that nothing typed is lost; otherwise respond as for any other error."""
    return await unsent_page(request) or _dondoc_error(request, error)


def _dondoc_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DondocError)
    first = _page_first(request, error)
    if first:
        return RedirectResponse(first, 303)
    if error.status >= 500:
        log.error("%s %s: %s", request.method, route_of(request), error)
    tools_of(request).security.refused(request, error)
    if isinstance(error, ProofFirst) and (page := proof_page(request, error)) is not None:
        return page
    language = language_of(request)[0]
    fields = error.fields if isinstance(error, FieldsRefused) else {}
    problems = [{"field": field, "what": what.said(language)} for field, what in fields.items()]
    response = answer(request, error.status, error.said(language), problems)
    if isinstance(error, TooOften) and error.again is not None:
        seconds = (error.again - tools_of(request).context.clock()).total_seconds()
        response.headers["retry-after"] = str(max(1, math.ceil(seconds)))
    if isinstance(error, Busy):
        response.headers["retry-after"] = str(error.again_seconds)
    if error.status == 401:
        response.headers["www-authenticate"] = CHALLENGE
    return response


def _page_first(request: Request, error: DondocError) -> str:
    """The page to visit first: sign-in, second factor or renewed link; empty for other errors, methods and the API."""
    if request.method not in ("GET", "HEAD") or request.url.path.startswith("/api/"):
        return ""
    if isinstance(error, SignInFirst):
        query = f"?{request.url.query}" if request.url.query else ""
        return url("/sign-in", to=f"{request.url.path}{query}")
    if isinstance(error, LinkExpired) and (bare := OF_A_LETTER.match(request.url.path)):
        return f"/expired{bare[0]}"
    return FACTOR_PAGE if isinstance(error, SecondFactorFirst) else ""


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    texts = DETAILS.get(error.status_code, (str(error.detail),) * 2)
    if isinstance(error, BodyTooLarge):
        tools_of(request).security.record(SecurityEvent.BODY_REFUSED, request)
        texts = _too_large(error.max_bytes)
    response = answer(request, error.status_code, _translated(request, texts))
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


def _too_large(max_bytes: int) -> tuple[str, str]:
    if max_bytes == MAX_STRANGER_BYTES:
        return (
            "Chưa đăng nhập, hoặc phiên đã kết thúc, thì chỉ gửi được 64 KB. Hãy đăng nhập trong thẻ khác, rồi "
            "quay lại trang trước và gửi lại.",
            "Without being signed in at most 64 KB can be sent. Sign in in another tab, then go back a page and send "
            "it again.",
        )
    if max_bytes == MAX_BODY_BYTES:
        return DETAILS[413]
    most = max_bytes // 1_000_000
    return (
        f"Gửi lên lớn quá {most} MB một lần; hãy quay lại trang trước và gửi ít tệp hơn hoặc tệp nhẹ hơn (bớt hình "
        "ảnh).",
        f"Over {most} MB at a time; go back and send fewer or smaller files (with fewer pictures).",
    )


def _validation_error(request: Request, error: Exception) -> Response:
    """An invalid path parameter is 404; other problems are listed by field, without echoing the input."""
    assert isinstance(error, RequestValidationError)
    problems = [_problem(request, each) for each in error.errors()]
    if any(each.get("loc", ("",))[0] == "path" for each in error.errors()):
        return answer(request, 404, _translated(request, DETAILS[404]))
    sentence = "; ".join(f"{field}: {what}" for field, what in problems)
    return answer(request, 422, sentence, [{"field": field, "what": what} for field, what in problems])


def _client_disconnected(request: Request, error: Exception) -> Response:
    """The client disconnected during upload; nothing was read and nothing was done."""
    log.info("%s %s: client disconnected during upload", request.method, route_of(request))
    return Response(status_code=400)


def _pool_timeout(request: Request, error: Exception) -> Response:
    log.error("%s %s: %s", request.method, route_of(request), error)
    return answer(request, 503, Unavailable().said(language_of(request)[0]))


def unexpected(request: Request, error: Exception) -> Response:
    """Answer with a reference number instead of a traceback; the log has the traceback under that number."""
    number = secrets.token_hex(4)
    log.error("error %s at %s %s", number, request.method, route_of(request), exc_info=error)
    texts = (
        f"Hệ thống gặp lỗi khi làm việc này. Số tham chiếu {number}: đề nghị báo quản trị viên số này.",
        f"Something went wrong here. Reference {number}: give this number to the administrator.",
    )
    response = answer(request, 500, _translated(request, texts))
    response.headers.update(HEADERS)  # this response bypasses the Guard middleware
    return response


def _problem(request: Request, error: Any) -> tuple[str, str]:
    location = [str(part) for part in error.get("loc", ()) if part not in ("body", "query")]
    kind = str(error.get("type", ""))
    return ".".join(location) or "body", _translated(request, FIELD_ERRORS.get(kind, ("không đúng", "is not right")))


def _translated(request: Request, texts: tuple[str, ...]) -> str:
    return texts[1] if language_of(request)[0] == "en" else texts[0]


def answer(request: Request, status: int, sentence: str, problems: list[dict[str, str]] | None = None) -> Response:
    """An error as an HTML page, or as a problem document under /api."""
    title = _translated(request, TITLES.get(status, (HTTPStatus(status).phrase,) * 2))
    if request.url.path.startswith("/api/"):
        body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": sentence}
        if problems:
            body["errors"] = problems
        return JSONResponse(body, status, media_type="application/problem+json")
    language, _ = language_of(request)
    page = tools_of(request).templates.render(
        "error.html",
        language,
        status=status,
        title=title,
        sentence=sentence,
        bare=request.url.path.startswith(("/l/", "/r/", "/u/")),
    )
    return HTMLResponse(page, status)
