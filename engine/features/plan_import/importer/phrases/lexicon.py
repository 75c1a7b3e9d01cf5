"""The words that plans are written with: what bodies are called, what fields they have, how duties begin.

The tables stand in ``lexicon.yaml``, in the spelling of ``vietnamese.matching``; other modules hold the rules. New
words are added there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from engine.files.yaml_reader import load_plain
from engine.rules.vietnamese import phrase


def any_of(words: Iterable[str]) -> str:
    """A pattern for one of the words, the longest first."""
    return "(?:" + "|".join(phrase(word) for word in sorted(words, key=len, reverse=True)) + ")"


@cache
def _tables() -> Mapping[str, str]:
    text = files(__package__).joinpath("lexicon.yaml").read_text(encoding="utf-8")
    tables: Mapping[str, str] = load_plain(text)
    return tables


def _table(name: str) -> tuple[str, ...]:
    """The entries of a table, divided by a semicolon and a blank or line break."""
    return tuple(" ".join(_tables()[name].split()).rstrip(";").split("; "))


FIELDS = _table("fields")
WHOLE_NAMES = _table("whole_names")
HEADS = _table("heads")
SMALL_HEADS = _table("small_heads")
GROUPED = _table("grouped")
SUFFIXES = _table("suffixes")
STOPS = _table("stops")
OPENERS = _table("openers")
COMPOUNDS = _table("compounds")
SPANNING = _table("spanning")
STRONG = _table("strong")
CLAUSES = _table("clauses")
REQUESTS = _table("requests")
ORDERS = _table("orders")
BOUND = _table("bound")
DUTY_HEADINGS = _table("duty_headings")
OTHER_HEADINGS = _table("other_headings")
NO_BODIES = _table("no_bodies")
CLOSERS = _table("closers")
TITLE_ENDS = _table("title_ends")
RESUMES = _table("resumes")
ISSUERS = _table("issuers")
TITLES = _table("titles")


def compiled(table: Iterable[str], *, whole: bool = True) -> re.Pattern[str]:
    """A table as a pattern that begins at a word and, if ``whole``, ends at one."""
    return re.compile(rf"(?<!\w){any_of(table)}" + (r"(?!\w)" if whole else ""))


DUTY_HEADING = re.compile(rf"(?:{any_of(DUTY_HEADINGS)}(?!\w)[\s,và]*)+(?:kế\s*hoạch|chương\s*trình)?(?: này)?[\s.:]*")
"""A heading that is nothing but the name of a duty section."""
