"""What the writer of a mail wrote themselves: without the quoted letter, wherever it stands, and the signature.

Pure. Mail programs mark a quotation with «>», put a head above it («Từ: … Đã gửi: …»), or a line («… đã viết:»), and
put the writer's words above it or, after a marked quotation, below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.rules.vietnamese import OLD_WAYS, is_syllable

if TYPE_CHECKING:
    from bs4 import PageElement, Tag

QUOTATION = ">"
"""Begins a line that is quoted."""
_SEPARATOR = re.compile(
    r"^(-{2,} ?(original( message)?|thư gốc|thông điệp gốc|tin nhắn gốc|forwarded|thư chuyển tiếp)|_{8,})", re.I
)
_HEAD = re.compile(r"^\W{0,3}(from|từ|người gửi|de)\W{0,3}:.*\S", re.I)
_MORE_HEAD = re.compile(r"^\W{0,3}(sent|đã gửi|gửi|date|ngày|to|tới|đến|subject|chủ đề)\W{0,3}:", re.I)
_HEAD_LINES = 4
_WROTE = re.compile(r"^\W*(on|vào|am|le)\b.{5,240}(wrote|viết|schrieb|écrit)\W*:\W*$", re.I)
_MAX_WRAPPED = 3
"""Lines over which a program breaks the line above a quotation."""
_PHONE = re.compile(r"^(sent from (my|outlook|yahoo)|(đã |được )?gửi từ |get outlook for )", re.I)
_SIGNATURE = ("--", "-- ")


@dataclass(frozen=True, slots=True)
class OwnWords:
    """``above`` the quotation, or without one; ``below`` it. ``between``: the writer's words stand among the quoted
    lines, and what they are about is known to a reader only."""

    above: str
    below: str = ""
    between: bool = False


def own_words(text: str) -> OwnWords:
    lines = [line.replace("\xa0", " ").strip() for line in text.split("\n")]
    parts: list[list[str]] = [[]]
    number = 0
    while number < len(lines):
        line = lines[number]
        quoted_to = _quoted_to(lines, number)
        if quoted_to is None:
            break
        if quoted_to > number:
            parts.append([])
            number = quoted_to
            continue
        if line in _SIGNATURE:
            number = _next_quotation(lines, number)
            continue
        if not _PHONE.match(line):
            parts[-1].append(line)
        number += 1
    above, *others = (_joined(part) for part in parts)
    below = [part for part in others if part]
    return OwnWords(above, "\n".join(below), len(below) > 1)


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(map(readable, lines)).strip()


def _quoted_to(lines: Sequence[str], number: int) -> int | None:
    """Where the quotation ends that begins at a line: the line itself if none begins there, None if it goes on to the
    end of the mail, since nothing marks its lines."""
    line = lines[number]
    if line.startswith(QUOTATION):
        return _after_marked(lines, number)
    if _SEPARATOR.match(line) or _begins_head(lines, number):
        return None
    for wrapped in range(1, _MAX_WRAPPED + 1):
        if _WROTE.match(" ".join(lines[number : number + wrapped])):
            following = _next_said(lines, number + wrapped)
            if following < len(lines) and lines[following].startswith(QUOTATION):
                return _after_marked(lines, following)
            return None
    return number


def _begins_head(lines: Sequence[str], number: int) -> bool:
    following = lines[number + 1 : number + 1 + 2 * _HEAD_LINES]
    head = bool(_HEAD.match(lines[number]))
    return head and ("@" in lines[number] or any(_MORE_HEAD.match(line) for line in following))


def _after_marked(lines: Sequence[str], number: int) -> int:
    while number < len(lines) and lines[number].startswith(QUOTATION):
        number += 1
    return number


def _next_said(lines: Sequence[str], number: int) -> int:
    while number < len(lines) and not lines[number]:
        number += 1
    return number


def _next_quotation(lines: Sequence[str], number: int) -> int:
    """Past a signature: to the quotation that follows, else to the end."""
    number += 1
    while number < len(lines) and _quoted_to(lines, number) == number:
        number += 1
    return number


def without_lines_of(words: str, letter: str) -> str:
    """The words without lines of our letter: a long quoted line is cut by some programs, and its end stands unmarked
    below."""
    ours = " ".join(letter.split())
    return "\n".join(line for line in words.split("\n") if not line or " ".join(line.split()) not in ours).strip()


def text_of_html(page: str) -> str:
    """The text that an HTML body shows, with a line for each paragraph; quotations are marked with «>» lines."""
    from bs4 import BeautifulSoup  # importing takes 0.2 s, which most processes need not spend

    return re.sub(r"\n{3,}", "\n\n", "".join(_shown(BeautifulSoup(page, "lxml"))).replace(_BREAK, "\n"))


_INHERITED = ("visibility", "font-size", "color", "background")
_ZERO = re.compile(r"(?:0+(?:\.0*)?|\.0+)(?:[a-z]+|%)?")
_WHITE = re.compile(r"(?:white|#fff(?:fff)?|rgba?\(\s*255,\s*255,\s*255\b.*|transparent|none)(?!\w).*")
"""White, or nothing that would show white on it."""
_BREAK = "\x01"
_UNSHOWN = frozenset(("style", "script", "title", "head", "template"))
_QUOTING = frozenset(("gmail_quote", "yahoo_quoted", "moz-cite-prefix"))
_CELLS = frozenset(("td", "th"))
_BLOCKS = frozenset(("p", "div", "tr", "li", "ul", "ol", "table", "hr", "h1", "h2", "h3", "h4", "pre"))


def _shown(soup: Tag) -> Iterator[str]:
    """Its texts in order, without what the style of an element, or of one around it, keeps from its reader. Size,
    colour and visibility hold until an inner element sets its own. The tree is left as it is: each change of it takes
    as long as an element has neighbours."""
    from bs4 import NavigableString, Tag

    left: list[tuple[PageElement | str, Mapping[str, str]]] = [(soup, {})]
    while left:
        node, around = left.pop()
        if not isinstance(node, Tag):
            if node == _BREAK:
                yield _BREAK
            elif type(node) is NavigableString and not _hides_text(around):  # else a comment or the like
                yield re.sub(r"[ \t\r\n]+", " ", node)
            continue
        style = _style_of(node)
        if node.name in _UNSHOWN or node.has_attr("hidden") or _hides_all(style):
            continue
        if node.name == "blockquote" or not _QUOTING.isdisjoint(node.get_attribute_list("class")):
            yield f"{_BREAK}{QUOTATION}{_BREAK}"
            continue
        style = {**around, **{name: style[name] for name in _INHERITED if style.get(name)}}
        within: list[PageElement | str] = [*node.children]
        if node.name in _BLOCKS:
            within = [_BREAK, *within, _BREAK]
        within += [NavigableString(" ")] * (node.name in _CELLS)
        left += [(each, style) for each in reversed(within)]
        if node.name == "br":
            yield _BREAK


def _style_of(tag: Tag) -> dict[str, str]:
    found = {"color": str(tag.get("color", "")).lower(), "background": str(tag.get("bgcolor", "")).lower()}
    for declaration in str(tag.get("style", "")).lower().split(";"):
        name, _, value = declaration.partition(":")
        found[name.strip().replace("background-color", "background")] = value.partition("!")[0].strip()
    return found


def _hides_all(style: Mapping[str, str]) -> bool:
    cut = "max-height" if "max-height" in style else "height" if style.get("overflow") == "hidden" else ""
    none = style.get("display") == "none" or style.get("mso-hide") == "all"
    return none or _ZERO.fullmatch(style.get(cut, "")) is not None


def _hides_text(style: Mapping[str, str]) -> bool:
    white = _WHITE.fullmatch(style.get("color", "")) and _WHITE.fullmatch(style.get("background", "none"))
    small = _ZERO.fullmatch(style.get("font-size", ""))
    return bool(white or small) or style.get("visibility") in ("hidden", "collapse")


_OLD_FONT_SIGNS = frozenset("¡¢£¤¥¦§¨©¬\xad®¯°±²³´¶·¸¹»¼½¾")
_WORDS = re.compile(r"[^\s\d!-@\[-`{-~“”‘’…–]+")


def readable(line: str) -> str:
    """A line typed in an old Vietnamese font, in Unicode; any other as it is. A reply is too short for the share of
    syllables that a document is judged by: each of its marked words has to become one."""
    marked = [word for word in _WORDS.findall(line) if not word.isascii()]
    if not marked or all(map(_is_word, marked)):
        return line
    converts: list[Callable[[str], str]] = [OLD_WAYS["TCVN3"], OLD_WAYS["VNI"]]
    for convert in converts:
        found = convert(line)
        if all(_is_word(word) for word in _WORDS.findall(found) if not word.isascii()):
            return found
    return line


def _is_word(word: str) -> bool:
    """A Vietnamese or plain word. A sign that old fonts show as a letter is in none."""
    letters = "".join(filter(str.isalpha, word))
    return not _OLD_FONT_SIGNS & set(word) and (letters.isascii() or is_syllable(letters))
