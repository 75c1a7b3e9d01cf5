"""The OpenAPI document as strangers need it: how to sign in, what each operation is called, an example and its curl.

FastAPI makes the document from the routes; what is added here comes from ``engine.api.operations``. The page /api shows
the finished document and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from engine.api.operations import ERROR_CATALOGUE, GROUPS, OPERATIONS, PATH_VALUES, Operation

PREFIX = "/api/v1"
METHODS = ("get", "post", "put", "patch", "delete")
SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key made on the page “My account”: Authorization: Bearer dondoc_… It can do at most what its "
    "account may, within its scopes.",
}


def describe(app: FastAPI) -> None:
    """Make ``app.openapi`` return the described document. It is made once, when it is first asked for."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(plain())
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def curl(key: str, operation: Operation, values: Mapping[str, str] = PATH_VALUES) -> str:
    """The call on a command line; DONDOC is the server's address, DONDOC_KEY the key."""
    method, _, path = key.partition(" ")
    address = f"$DONDOC{PREFIX}{path.format(**values)}" + (f"?{operation.query}" if operation.query else "")
    head = ["curl", *([] if method == "GET" else [f"-X {method}"]), f'"{address}"']
    parts = [" ".join(head), '-H "Authorization: Bearer $DONDOC_KEY"']
    if operation.body is not None:
        body = json.dumps(operation.body, ensure_ascii=False).replace("'", r"'\''")
        parts += ['-H "Content-Type: application/json"', f"-d '{body}'"]
    return " \\\n  ".join(parts)


def _described(document: dict[str, Any]) -> dict[str, Any]:
    document["components"]["securitySchemes"] = {"bearer": SCHEME}
    document["security"] = [{"bearer": []}]
    document["tags"] = [{"name": tag, "description": words.en, "x-vi": words.vi} for tag, words in GROUPS.items()]
    document["x-errors"] = [
        {"status": each.status, "en": [each.meaning.en, each.remedy.en], "vi": [each.meaning.vi, each.remedy.vi]}
        for each in ERROR_CATALOGUE
    ]
    for path, methods in document["paths"].items():
        for method in METHODS:
            key = f"{method.upper()} {path.removeprefix(PREFIX)}"
            if method not in methods or key not in OPERATIONS:
                continue
            operation, found = OPERATIONS[key], methods[method]
            found["summary"], found["x-summary-vi"] = operation.name.en, operation.name.vi
            found["x-codeSamples"] = [{"lang": "Shell", "label": "curl", "source": curl(key, operation)}]
            for content in found.get("requestBody", {}).get("content", {}).values():
                content["example"] = operation.body
            for parameter in found.get("parameters", []):
                if parameter["in"] == "path" and parameter["name"] in PATH_VALUES:
                    parameter["example"] = PATH_VALUES[parameter["name"]]
    return document
