"""The OpenAPI document is made once for a process: it depends on the routes alone, and to make it takes 0.6 s of
processor time for each application that is asked for it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI


def share_api_document() -> None:
    make, made = FastAPI.openapi, dict[tuple[int, ...], dict[str, Any]]()

    def openapi(self: FastAPI) -> dict[str, Any]:
        routes = tuple(id(each) for each in self.routes if getattr(each, "include_in_schema", True))
        if routes not in made:
            made[routes] = make(self)
        return made[routes]

    setattr(FastAPI, "openapi", openapi)  # noqa: B010
