"""The OpenAPI document as strangers need it: how to sign in, what each operation is called, an example and its curl.

FastAPI makes the document from the routes, each with its names and example; added here are the curl and what holds for
all. The page /api shows the finished document and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from engine.api.operations import ERROR_CATALOGUE, GROUPS, PATH_VALUES, WITHOUT_KEY, NamedRoute

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
