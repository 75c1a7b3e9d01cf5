"""What the API's document says beside the routes: an operation is named at its route (``@reads(...)``,
``@writes(...)``), with an example; and the OpenAPI document as strangers need it.

FastAPI makes the document from the routes, each with its names and example; added here are the curl and what holds for
all. The page /api shows the finished document and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.openapi.utils import get_openapi
from fastapi.params import Query
from fastapi.routing import APIRoute
from pydantic import BaseModel

from engine.errors import BadInput
from engine.files.base_model import did_you_mean
from engine.http.page_store import unless_known
from engine.text import Text

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])
BASIS = "Theo Công văn số 512/SLĐTBXH ngày 10/6/2021."


class ProblemField(BaseModel):
    field: str
    what: str


class Problem(BaseModel):
    """An error by RFC 9457: ``detail`` is a sentence for people, ``errors`` names the invalid fields."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemField] = []


def _problem(what: str) -> dict[str, Any]:
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": what, "content": dict.fromkeys(("application/problem+json", "application/json"), schema)}


ERRORS: dict[int | str, dict[str, object]] = {
    400: _problem("The request cannot be read") | {"model": Problem},
    401: _problem("Not signed in: no token, no session, or an expired one"),
    403: _problem("Not allowed"),
    404: _problem("Not found"),
    409: _problem("The state of the assignment does not allow it, or it was changed meanwhile"),
    413: _problem("Larger than 1 MB (uploads: 14 MB)"),
    415: _problem("Not application/json"),
    422: _problem("A field is invalid; errors names each"),
    429: _problem("Tried too often; Retry-After says for how long to wait"),
    503: _problem("The database is unavailable"),
}
"""One names the model, which puts it into the document: FastAPI prepares a model for every route that names it."""


class NamedRoute(APIRoute):
    """A route whose function is named by ``reads`` or ``writes``; one that is not stops at import. The function is
    called as its operation is in a generated client: ``list_agencies``, ``get_agency``, ``report_assignment``.

    A GET refuses a filter that it does not have, whose list would be of everything, and sends nothing again that the
    caller has (RFC 9110, 13.1.2)."""

    def __init__(self, path: str, endpoint: Callable[..., object], **options: Any) -> None:
        named = {"operation_id": endpoint.__name__, **vars(endpoint)["names"]}
        super().__init__(path, endpoint, **{**options, **named})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        asked = (each for each in get_flat_params(self.dependant) if isinstance(each.field_info, Query))
        filters = {each.alias for each in asked} | {"lang"}

        async def read(request: Request) -> Response:
            for name in request.query_params.keys() - filters:
                fix = did_you_mean(name, filters)
                raise BadInput(
                    Text(f"Không có bộ lọc «{name[:40]}»: {fix.vi}", f"There is no filter “{name[:40]}”: {fix.en}")
                )
            return unless_known(request.headers, await handle(request))

        return read if self.methods == {"GET"} else handle


def router_of(heading: str) -> APIRouter:
    """A router of the API, whose operations stand under a heading of ``GROUPS``. What all have in common is said here
    and not where the routes are gathered: FastAPI would work out every route a second time, at the first request."""
    return APIRouter(prefix="/api/v1", tags=[heading], responses=ERRORS, route_class=NamedRoute)


def reads(vi: str, en: str, query: str = "") -> Callable[[Endpoint], Endpoint]:
    """Name a GET. ``query``: a telling filter for its example."""
    return _named(summary=en, openapi_extra={"x-summary-vi": vi, "x-query": query})


def writes(vi: str, en: str, **body: object) -> Callable[[Endpoint], Endpoint]:
    """Name a POST or PUT; ``body``: an example of what it is sent."""
    content = {"application/json": {"example": body}}
    return _named(summary=en, openapi_extra={"x-summary-vi": vi, "requestBody": {"content": content}})


WITHOUT_KEY = frozenset(
    {
        "add_webhook",
        "change_webhook",
        "check_plan",
        "end_other_sessions",
        "end_session",
        "make_feed",
        "make_token",
        "new_webhook_secret",
        "preview_calendar",
        "remove_webhook",
        "renew_plan",
        "revoke_token",
        "send_webhook_again",
        "switch_webhook",
        "test_webhook",
    }
)
"""Writes that take no Idempotency-Key: they return a secret, change nothing, or do the same when done again."""


def _named(**names: object) -> Callable[[Endpoint], Endpoint]:
    def name(endpoint: Endpoint) -> Endpoint:
        vars(endpoint)["names"] = names
        return endpoint

    return name


GROUPS: Mapping[str, Text] = {
    "reading": Text("Xem kế hoạch, việc, thư", "Reading plans, assignments, letters"),
    "desk": Text("Bàn làm việc của cơ quan chủ trì", "The owner's desk"),
    "writing": Text("Xác nhận, báo cáo, quyết định một việc", "Acting on one assignment"),
    "threads": Text("Trao đổi, khó khăn, phối hợp", "Threads, difficulties, coordination"),
    "monitoring": Text("Theo dõi: nhiều việc một lần", "Monitoring: many at once"),
    "standing": Text("Tiến độ và số liệu công bố", "Progress and published figures"),
    "rules": Text("Kế hoạch, lịch, chính sách, thiết lập", "Plans, calendar, policies, settings"),
    "people": Text("Danh bạ, tài khoản, nhật ký", "Directory, accounts, log"),
    "webhooks": Text("Webhook", "Webhooks"),
    "account": Text("Tài khoản và khóa của người gọi", "The caller's account and keys"),
}
"""The groups (tags of the document), as the page shows them."""

PATH_VALUES: Mapping[str, str] = {
    "account_id": "3",
    "agency_id": "so-van-hoa-the-thao",
    "assignment_id": "418",
    "contact_id": "12",
    "deputy_id": "31",
    "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "duty_id": "9",
    "entry_id": "4",
    "feed_id": "2",
    "frozen_id": "1",
    "letter_id": "205",
    "message_id": "12",
    "period": "2021-H1",
    "plan_id": "1",
    "policy_id": "default",
    "session_id": "8",
    "succession_id": "6",
    "token_id": "2",
    "webhook_id": "1",
    "year": "2021",
}
"""What stands in the examples' addresses."""


@dataclass(frozen=True)
class ErrorLine:
    status: int
    meaning: Text
    remedy: Text


ERROR_CATALOGUE: tuple[ErrorLine, ...] = (
    ErrorLine(
        400,
        Text("Không đọc được yêu cầu", "The request cannot be read"),
        Text("Sửa yêu cầu; «detail» nói chỗ nào. Gửi lại y nguyên không ích gì.", "Correct it; `detail` says where."),
    ),
    ErrorLine(
        401,
        Text("Thiếu khóa, khóa sai, hết hạn hoặc đã thu hồi", "No key, or a wrong, expired or revoked one"),
        Text("Lập khóa mới ở «Tài khoản của tôi».", "Make a new key on “My account”."),
    ),
    ErrorLine(
        403,
        Text("Tài khoản không có quyền, hoặc khóa thiếu phạm vi", "The account may not, or the key lacks the scope"),
        Text(
            "«detail» nêu phạm vi còn thiếu; lập khóa có phạm vi ấy.", "`detail` names the scope; make a key with it."
        ),
    ),
    ErrorLine(
        404,
        Text("Không có, hoặc không thuộc quyền xem", "There is none, or it is not yours to see"),
        Text("Kiểm tra số hiệu; danh sách cho số hiệu đúng.", "Check the id; the lists give ids."),
    ),
    ErrorLine(
        405,
        Text("Địa chỉ này không nhận phương thức ấy", "This address does not take that method"),
        Text("Xem phương thức ở trang này.", "See the method on this page."),
    ),
    ErrorLine(
        409,
        Text("Trạng thái không cho phép, hoặc có người vừa sửa", "The state forbids it, or somebody changed it"),
        Text("Đọc lại rồi quyết định; không tự gửi lại.", "Read it again and decide; do not just repeat."),
    ),
    ErrorLine(
        413,
        Text("Lớn quá 1 MB (tệp: 14 MB)", "Over 1 MB (files: 14 MB)"),
        Text("Chia nhỏ.", "Send less at once."),
    ),
    ErrorLine(
        415,
        Text("Không phải application/json", "Not application/json"),
        Text("Đặt Content-Type: application/json.", "Set Content-Type: application/json."),
    ),
    ErrorLine(
        422,
        Text("Có ô chưa hợp lệ, hoặc Idempotency-Key đã dùng cho việc khác", "A field is invalid, or the key was used"),
        Text("«errors» nêu từng ô; việc khác cần khóa mới.", "`errors` names each field; another act takes a new key."),
    ),
    ErrorLine(
        429,
        Text("Thử quá nhiều lần", "Tried too often"),
        Text("Chờ số giây ở Retry-After.", "Wait for the seconds in Retry-After."),
    ),
    ErrorLine(
        500,
        Text("Lỗi của hệ thống", "An error of ours"),
        Text("Báo quản trị kèm mã yêu cầu (X-Request-Id).", "Tell the administrator the X-Request-Id."),
    ),
    ErrorLine(
        503,
        Text("Đang bận hoặc cơ sở dữ liệu gián đoạn", "Busy, or the database is away"),
        Text(
            "Gửi lại sau ít giây (Retry-After, nếu có) với cùng Idempotency-Key.",
            "Repeat after some seconds (Retry-After, if given) with the same Idempotency-Key.",
        ),
    ),
)


SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key made on the page “My account”: Authorization: Bearer dondoc_… It can do at most what its "
    "account may, within its scopes.",
}


def describe(app: FastAPI) -> None:
    """Make ``app.openapi`` return the described document, and ``app.state.openapi_of`` that of the operations under one
    heading (of none: ""), which takes a tenth of the time. Each is made once, when it is first asked for."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(plain())
        return app.openapi_schema

    @cache
    def of_heading(heading: str) -> dict[str, Any]:
        routes = [route for route in app.routes if isinstance(route, NamedRoute) and route.tags == [heading]]
        return _described(get_openapi(title=app.title, version=app.version, routes=routes))

    app.openapi = described  # type: ignore[method-assign]
    app.state.openapi_of = of_heading


def _curl(method: str, path: str, query: str, contents: Mapping[str, Mapping[str, object]]) -> str:
    """The call on a command line; DONDOC is the server's address, DONDOC_KEY the key. ``contents``: the documented body
    by media type."""
    address = f"$DONDOC{path.format(**PATH_VALUES)}" + (f"?{query}" if query else "")
    head = ["curl", *([] if method == "get" else [f"-X {method.upper()}"]), f'"{address}"']
    parts = [" ".join(head), '-H "Authorization: Bearer $DONDOC_KEY"']
    for media_type, content in contents.items():
        body = json.dumps(content["example"], ensure_ascii=False).replace("'", r"'\''")
        parts += [f'-H "Content-Type: {media_type}"', f"-d '{body}'"]
    return " \\\n  ".join(parts)


def _described(document: dict[str, Any]) -> dict[str, Any]:
    document.setdefault("components", {})["securitySchemes"] = {"bearer": SCHEME}
    document["security"] = [{"bearer": []}]
    document["tags"] = [{"name": tag, "description": words.en, "x-vi": words.vi} for tag, words in GROUPS.items()]
    document["x-errors"] = [
        {"status": each.status, "en": [each.meaning.en, each.remedy.en], "vi": [each.meaning.vi, each.remedy.vi]}
        for each in ERROR_CATALOGUE
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            contents = operation.get("requestBody", {}).get("content", {})
            sample = _curl(method, path, operation.pop("x-query", ""), contents)
            operation["x-codeSamples"] = [{"lang": "Shell", "label": "curl", "source": sample}]
            if method == "get" or operation["operationId"] in WITHOUT_KEY:
                shown = [each for each in operation.get("parameters", []) if each["name"] != "Idempotency-Key"]
                operation["parameters"] = shown
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path" and parameter["name"] in PATH_VALUES:
                    value = PATH_VALUES[parameter["name"]]
                    parameter["example"] = int(value) if parameter["schema"].get("type") == "integer" else value
    for array in _tuples(document["components"].get("schemas", {})):
        array["items"] = {"anyOf": array["prefixItems"]}
    return document


def _tuples(schema: Any) -> Iterator[dict[str, Any]]:
    """Arrays whose every place is described: many generators read ``items`` alone."""
    for each in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _tuples(each)
    if isinstance(schema, dict) and "prefixItems" in schema:
        yield schema
