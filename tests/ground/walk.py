"""All routes of the web pages, with existing or hostile values for their parameters.

``routes()`` reads them from the routers; ``survey()`` follows links to find parameter values and form fields. New pages
are included automatically.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from fastapi.routing import APIRoute
from ground.office import Office
from httpx import Response
from lxml.html import fromstring

from engine.application.app import PAGES

MAX_QUERY_CHARS = 60_000
HOSTILE = (
    "",
    "0",
    "-1",
    "9" * 30,
    "1e9",
    "٣",
    "' OR 1=1 --",
    "../../etc/passwd",
    "\x00",
    "\r\nX-A: b",
    "\u202e\u200b\ufeff",
    "<script>alert(1)</script>",
    "{{7*7}}%s{0}",
    "NaN",
    "[]",
    "2021-02-30",
    "\ud800",
    "🐉" * 70,
    "ẵ" * 400,
)
"""Empty, out-of-range numbers, control characters, bidi marks, markup, a lone surrogate, too long."""
NUL = "\x00"
"""What most often gets through to something that refuses it with an error of its own."""
FRAMEWORK = (
    "Traceback",
    "Internal Server Error",
    "Not Found",
    "Method Not Allowed",
    "Field required",
    "Input should",
    "pydantic",
    "sqlalchemy",
    "sqlite3",
    "psycopg",
    "valid integer",
    "There was an error parsing",
    "Unprocessable",
    "Bad Request",
    "Forbidden",
    "validation error",
)
"""Technical terms of the frameworks, which must not appear on pages."""
USUAL: Mapping[str, str] = {"agency_id": "huyen-b", "period": "2021-H1"}
"""Path parameters of routes that no page links to; all others are 1, an id that usually exists."""


@dataclass(frozen=True)
class Address:
    """One route: ``parameters`` of its path, ``queries`` that it reads, ``usual`` values of the parameters."""

    method: str
    path: str
    regex: re.Pattern[str]
    parameters: tuple[str, ...]
    queries: tuple[str, ...]
    usual: Mapping[str, str] = field(default_factory=lambda: USUAL, compare=False)

    def filled(self, **values: str) -> str:
        path = self.path
        for name in self.parameters:
            path = path.replace(f"{{{name}}}", said(values.get(name, self.usual.get(name, "1"))))
        return path


def said(value: str) -> str:
    """A value percent-encoded for a URL; a lone surrogate is encoded as its bytes."""
    return quote(value.encode("utf-8", "surrogatepass"), safe="")


def routes(method: str) -> list[Address]:
    """The routes of a method, in matching order."""
    return [
        Address(
            method,
            route.path,
            route.path_regex,
            _of(route.dependant, "path_params"),
            _of(route.dependant, "query_params"),
        )
        for page in PAGES
        for route in flat(page.router)
        if method in route.methods  # type: ignore[operator]
    ]


def flat(router: Any) -> Iterator[APIRoute]:
    """The routes of a router, including nested routers."""
    for each in router.routes:
        if isinstance(each, APIRoute):
            yield each
        elif hasattr(each, "original_router"):
            yield from flat(each.original_router)


@dataclass(frozen=True)
class Survey:
    """Result of following links: routes with the parameters of the first link to each; path -> form fields."""

    addresses: tuple[Address, ...]
    forms: Mapping[str, Mapping[str, str]]


def survey(office: Office, *first: str) -> Survey:
    """Fetch every page once: those of ``first``, and one per route, found by following links."""
    addresses = [*routes("GET"), *routes("POST")]
    usual: dict[Address, dict[str, str]] = {}
    shown: dict[str, dict[str, str]] = {}
    waiting, seen = [*first, *(address.filled() for address in addresses if address.method == "GET")], set[str]()
    tried = set[str]()
    while waiting:
        page = waiting.pop(0)
        answer = office.get(page) if page not in seen else None
        seen.add(page)
        if answer is None or answer.status_code != 200 or "text/html" not in answer.headers.get("content-type", ""):
            continue
        html = fromstring(answer.content.decode())
        for form in html.xpath('//form[@method="post"]'):
            shown.setdefault(urlsplit(form.get("action") or page).path, {}).update(_fields(form))
        paths = dict.fromkeys(urlsplit(link).path for link in [*html.xpath("//a/@href"), *shown])  # type: ignore[misc]
        for path in [each for each in paths if each not in tried]:
            tried.add(path)
            known = ((address, address.regex.match(unquote(path))) for address in addresses if address not in usual)
            for address, match in known:
                if match:
                    usual[address] = match.groupdict()
                    waiting.append(path)
    return Survey(tuple(replace(each, usual=usual.get(each, USUAL)) for each in addresses), shown)


def _of(dependant: Any, kind: str) -> tuple[str, ...]:
    """Aliases of the parameters of an endpoint and of what it depends on."""
    names = dict.fromkeys(each.alias for each in getattr(dependant, kind))
    for inner in dependant.dependencies:
        names |= dict.fromkeys(_of(inner, kind))
    return tuple(names)


def hostile_queries(address: Address) -> Iterator[str]:
    """Each hostile value for all parameters at once, and for each alone; then as arrays, twice, and unknown ones."""
    for value in HOSTILE if address.queries else ():
        whole = "&".join(f"{said(name)}={said(value)}" for name in address.queries)
        yield whole[:MAX_QUERY_CHARS]  # the client itself refuses an address over 65,536 characters
    for name in address.queries:
        for value in HOSTILE:
            yield f"{said(name)}={said(value)}"
        yield f"{said(name)}=1&{said(name)}=2&{said(name)}[]=3&unknown=%FF%FE&&&==&%"


def _fields(form: Any) -> dict[str, str]:
    """Field names and values of the unchanged form; every button counts as pressed."""
    found: dict[str, str] = {}
    for each in form.xpath(".//*[self::input or self::textarea or self::select or self::button][@name]"):
        value = each.text_content() if each.tag == "textarea" else each.get("value", "")
        if each.tag == "select":
            chosen = each.xpath(".//option[@selected]") or each.xpath(".//option")[-1:]
            value = chosen[0].get("value", "") if chosen else ""
        found.setdefault(each.get("name"), value.strip())
    return found


def trouble(answer: Response, language: str = "vi") -> str:
    """The problem of a response, "" if none: a 5xx, an error that is not a page, technical terms in it, or a script of
    ``HOSTILE`` that is not escaped."""
    if answer.status_code >= 500:
        return f"{answer.status_code} {answer.text[:200]}"
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return ""
    if answer.status_code >= 400 and f'<html lang="{language}"' not in answer.text[:400]:
        return f"{answer.status_code} is not a page in {language}: {answer.text[:200]}"
    leaked = [words for words in FRAMEWORK if answer.status_code >= 400 and words in answer.text]
    if leaked:
        return f"{answer.status_code} says {leaked}"
    return f"{answer.status_code} holds a script that was sent" if "<script>alert" in answer.text else ""


def form_body(fields: Mapping[str, str]) -> dict[str, Any]:
    """As a browser sends it, but with half a surrogate as the bytes that it would be."""
    body = "&".join(f"{said(name)}={said(value)}" for name, value in fields.items())
    return {"content": body, "headers": {"content-type": "application/x-www-form-urlencoded"}}


class Watched:
    """A SQLite file with change detection that can be restored to its initial state."""

    def __init__(self, path: Path) -> None:
        self._line = sqlite3.connect(path, isolation_level=None)
        self._kept = sqlite3.connect(":memory:")
        self._line.backup(self._kept)
        self._seen = self._version()

    def changed(self) -> bool:
        """True if anything was committed since the last call."""
        before, self._seen = self._seen, self._version()
        return before != self._seen

    def changed_tables(self) -> set[str]:
        """The tables whose rows differ from the initial state."""
        names = [name for (name,) in self._kept.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {each for each in names if self._rows(self._line, each) != self._rows(self._kept, each)}

    @staticmethod
    def _rows(line: sqlite3.Connection, name: str) -> list[Any]:
        return line.execute(f'SELECT * FROM "{name}"').fetchall()

    def restore(self) -> None:
        self._kept.backup(self._line)
        self._seen = self._version()

    def close(self) -> None:
        self._line.close()
        self._kept.close()

    def _version(self) -> int:
        return int(self._line.execute("PRAGMA data_version").fetchone()[0])
