"""/api: the JSON API, readable. It shows the OpenAPI document, the same to everybody."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from fastapi.routing import APIRoute

from engine.errors import NotFound
from engine.http.filters import Code
from engine.http.request_context import Anyone
from engine.store.version import version_line

router = APIRouter(include_in_schema=False)
MAX_NAMES = 40


@dataclass(frozen=True)
class Group:
    tag: str
    name: str
    operations: int


@dataclass(frozen=True, kw_only=True)
class OperationView:
    """``answer``: the names of what comes back. ``optional``: parameters of the query."""

    id: str
    method: str
    path: str
    name: str
    description: str
    curl: str
    optional: tuple[str, ...]
    status: str
    answer: tuple[str, ...]
    listed: bool


@router.get("/api")
def show(ctx: Anyone, group: Code = "") -> Response:
    app = ctx.request.app
    counts = Counter(str(route.tags[0]) for route in app.routes if isinstance(route, APIRoute) and route.tags)
    if group and group not in counts:
        raise NotFound
    document = app.state.openapi_of(group)
    word = "x-vi" if ctx.language == "vi" else "description"
    groups = [Group(tag["name"], tag[word], counts[tag["name"]]) for tag in document["tags"]]
    errors = [(each["status"], *each[ctx.language]) for each in document["x-errors"]]
    return ctx.page(
        "api_reference.html",
        groups=groups,
        shown=next((found for found in groups if found.tag == group), None),
        operations=_operations(document, ctx.language),
        catalogue=errors,
        base_url=ctx.app.settings.base_url,
        version=version_line(ctx.language),
    )


def _operations(document: dict[str, Any], language: str) -> list[OperationView]:
    found = []
    every = ((path, *operation) for path, methods in document["paths"].items() for operation in methods.items())
    for path, method, operation in every:
        status = next(code for code in operation["responses"] if code.startswith("2"))
        names, listed = _names(document, operation["responses"][status])
        query = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
        found.append(
            OperationView(
                id=operation["operationId"],
                method=method.upper(),
                path=path,
                name=operation["x-summary-vi"] if language == "vi" else operation["summary"],
                description=operation.get("description", "").replace("``", ""),
                curl=operation["x-codeSamples"][0]["source"],
                optional=tuple(query),
                status=status,
                answer=names,
                listed=listed,
            )
        )
    return found


def _names(document: dict[str, Any], response: dict[str, Any]) -> tuple[tuple[str, ...], bool]:
    """The fields of an answer; of a list, those of its rows."""
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    listed = False
    for _ in range(4):
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif schema.get("type") == "array":
            schema, listed = schema["items"], True
        elif set(schema.get("properties", ())) == {"items", "next", "total"}:
            schema = schema["properties"]["items"]
    return tuple(schema.get("properties", ()))[:MAX_NAMES], listed
