"""The guide as it is written in ``guide.yaml``: one text for the page, for «?» and for the manuals under ``docs``.

/guide is open to everybody, since whoever has a letter may ask what to do with it.

``python -m engine.features.guide.pages`` writes the manuals of the roles under ``docs``; a test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from engine.accounts.permissions import ActorRole
from engine.errors import NotFound
from engine.files.yaml_reader import read
from engine.http.request_context import Anyone

router = APIRouter(include_in_schema=False)
FILE = Path(__file__).with_name("guide.yaml")
PICTURES = Path(__file__).with_name("pictures")
DOCS = Path(__file__).parents[3] / "docs"
MINE = {ActorRole.HEAD: ActorRole.COORDINATOR, ActorRole.DEPUTY: ActorRole.COORDINATOR}
"""Who reads another role's part first."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Said(_Strict):
    title: str
    text: tuple[str, ...]


class Entry(_Strict):
    """``pages``: beginnings of the addresses at which it is opened, «*» for one part of it; «/» is the board alone.
    ``picture``: the name of what it looks like, empty without one."""

    id: str
    pages: tuple[str, ...]
    picture: str = ""
    vi: Said
    en: Said

    def said(self, language: str) -> Said:
        return self.en if language == "en" else self.vi


class Part(_Strict):
    of: ActorRole
    vi: str
    en: str
    entries: tuple[Entry, ...]

    def name(self, language: str) -> str:
        return self.en if language == "en" else self.vi


class Term(_Strict):
    vi: tuple[str, str]
    en: tuple[str, str]


class Guide(_Strict):
    parts: tuple[Part, ...]
    glossary: tuple[Term, ...]

    def about(self, path: str) -> Entry | None:
        """The entry of a page: whose address it begins with, at most letters."""
        fitting = [
            (len(each), entry)
            for part in self.parts
            for entry in part.entries
            for each in entry.pages
            if path == each or (each != "/" and re.match(each.replace("*", "[^/]+"), path))
        ]
        return max(fitting, key=lambda found: found[0])[1] if fitting else None


@cache
def pictures() -> Mapping[str, bytes]:
    """By name and language («board-vi»), as WebP."""
    return {path.stem: path.read_bytes() for path in sorted(PICTURES.glob("*.webp"))}


@cache
def guide() -> Guide:
    return read(FILE, Guide)


@dataclass(frozen=True)
class Manual:
    """A document made of the guide, under ``docs``."""

    path: str
    language: str
    of: tuple[ActorRole, ...]


MANUALS = (
    Manual("vi/dau-moi.md", "vi", (ActorRole.COORDINATOR,)),
    Manual("vi/theo-doi.md", "vi", (ActorRole.MONITOR, ActorRole.LEADERSHIP)),
    Manual("vi/quan-tri.md", "vi", (ActorRole.ADMINISTRATOR,)),
    Manual("guide.md", "en", (ActorRole.COORDINATOR, ActorRole.MONITOR, ActorRole.LEADERSHIP, ActorRole.ADMINISTRATOR)),
)


def manual(each: Manual) -> str:
    """A manual as Markdown."""
    english = each.language == "en"
    note = (
        "The same stands in the product, at «?» on each page (`/guide`)."
        if english
        else "Nội dung này có sẵn trong hệ thống, ở dấu «?» trên từng trang (`/guide`)."
    )
    parts = [part for part in guide().parts if part.of in each.of]
    title = "Guide" if english else "Hướng dẫn: " + ", ".join(part.vi[:1].lower() + part.vi[1:] for part in parts)
    lines = [f"# {title}", "", note]
    for part in parts:
        lines += ["", f"## {part.name(each.language)}"]
        for entry in part.entries:
            said = entry.said(each.language)
            lines += ["", f"### {said.title}", "", *(f"- {text}" for text in said.text)]
    words = "Words: [glossary.md](glossary.md).\n" if english else "Từ dùng: [đầu mối](dau-moi.md#từ-dùng).\n"
    if not english and ActorRole.COORDINATOR in each.of:
        rows = "".join("| {} | {} |\n".format(*term.vi) for term in guide().glossary)
        words = f"## Từ dùng\n\n| | |\n|---|---|\n{rows}"
    return "\n".join([*lines, "", words])


@router.get("/guide")
def show(ctx: Anyone, page: Annotated[str, Query(max_length=200)] = "") -> Response:
    """The paragraph of the page that it was opened from, then the reader's part, then the others."""
    book, mine = guide(), MINE.get(ctx.actor.role, ctx.actor.role)
    parts = sorted(book.parts, key=lambda part: part.of is not mine)
    return ctx.page("guide/guide.html", here=book.about(page) if page else None, parts=parts, glossary=book.glossary)


@router.get("/guide/pictures/{name}.webp")
def picture(name: Annotated[str, InPath(max_length=40)]) -> Response:
    found = pictures().get(name)
    if found is None:
        raise NotFound
    return Response(found, media_type="image/webp", headers={"cache-control": "public, max-age=86400"})


def write_manuals() -> None:
    for each in MANUALS:
        target = DOCS / each.path
        target.parent.mkdir(exist_ok=True)
        target.write_text(manual(each), encoding="utf-8")


if __name__ == "__main__":
    write_manuals()
