"""/help: the manual of this version, for administrators: the documents that came with it, as pages.

A build copies them beside this file (setup.py); in a checkout they are those of ``docs``. Raw HTML in them is shown as
text, pictures are left out; a link to another of them stays here, one to a file of the program is its words alone.
"""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as InPath
from fastapi.responses import Response
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from engine.accounts.permissions import Permission
from engine.errors import NotFound
from engine.http.request_context import SignedIn

router = APIRouter(include_in_schema=False)
BUILT = Path(__file__).with_name("manual")
FOLDER = BUILT if BUILT.is_dir() else Path(__file__).parents[3] / "docs"
PAGES = {
    path.relative_to(FOLDER).with_suffix("").as_posix(): path
    for path in sorted(FOLDER.rglob("*.md"))
    if "decisions" not in path.parts
}
FIRST = {"vi": "vi/van-hanh", "en": "operating"}
SCROLL = '<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table>'


@router.get("/help")
def first(ctx: SignedIn) -> Response:
    return ctx.go(f"/help/{FIRST[ctx.language]}")


@router.get("/help/{page:path}")
def show(ctx: SignedIn, page: Annotated[str, InPath(max_length=80)]) -> Response:
    ctx.require(Permission.SEE_SETTINGS)
    if page not in PAGES:
        raise NotFound
    title, text = _read(page)
    return ctx.page("guide/manual.html", title=title, text=text, of="vi" if page.startswith("vi/") else "en")


@cache
def _read(page: str) -> tuple[str, Markup]:
    """The title and the HTML of a page."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(PAGES[page].read_text(encoding="utf-8"))
    title = tokens[1].content
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _anchor(tokens[at + 1].content))
        elif token.children is not None:
            token.children = [each for each in token.children if each.type != "image"]
            _lead(page, token.children)
    html = re.sub(r"<th([^>]*)></th>", r"<td\1></td>", markdown.renderer.render(tokens[3:], markdown.options, {}))
    label = "Bảng, cuộn ngang được" if page.startswith("vi/") else "Table, scrolls sideways"
    return title, Markup(html.replace("<table>", SCROLL.format(label=label)).replace("</table>", "</table></div>"))


def _anchor(heading: str) -> str:
    """As links within the documents write it: «4 The service» -> ``4-the-service``."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _lead(page: str, tokens: list[Token]) -> None:
    for at, token in enumerate(tokens):
        if token.type != "link_open":
            continue
        target = str(token.attrGet("href"))
        path, _, anchor = target.partition("#")
        known = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)).removesuffix(".md")
        if path and known in PAGES:
            token.attrSet("href", f"/help/{known}" + (f"#{anchor}" if anchor else ""))
        elif path and "://" not in target:
            closing = next(each for each in tokens[at:] if each.type == "link_close")
            token.tag = closing.tag = "span"
            token.attrs = {}
