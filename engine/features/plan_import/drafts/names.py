"""The names of a document under review that the directory lacks: similar names, and the kind of agencies they stand
for. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from difflib import SequenceMatcher
from functools import lru_cache
from math import log

from engine.features.plan_import.drafts.model import KIND, PlanDraft, UnknownName
from engine.features.plan_import.importer.phrases.owners import Directory, NullDirectory
from engine.files.directory import AgencyEntry, DirectoryFile, fold
from engine.rules.words import level_rank

_KINDS: Sequence[tuple[str, re.Pattern[str]]] = (
    ("huyen", re.compile(r"\b(?:quan huyen|huyen|thi xa|thanh pho|cap huyen)\b")),
    ("xa", re.compile(r"\b(?:xa|phuong|dac khu|thi tran|cap xa)\b")),
    ("so", re.compile(r"\b(?:so|nganh)\b")),
    ("doan_the", re.compile(r"\b(?:doan the|to chuc chinh tri xa hoi)\b")),
    ("bao_chi", re.compile(r"\b(?:co quan (?:bao chi|truyen thong|thong tin))\b")),
    ("ngan_hang", re.compile(r"\bngan hang\b")),
)
_SEVERAL = re.compile(r"(?:ubnd |uy ban nhan dan |lanh dao |thu truong )?(?:\d+ |cac |tat ca )|(?:so|xa|huyen)[,;] ")
_NEUTRAL = re.compile(
    r"(?:ubnd|uy|ban|nhan|dan|cac|tat|ca|va|cap|tinh|toan|tren|dia|thuoc|trong|thanh|pho|thi|xa|tran|quan|huyen|phuong"
    r"|dac|khu|so|nganh|doan|the|lanh|dao|thu|truong|\d+)"
)
"""The words of a name that stands for all agencies of a kind; any other word narrows it («các sở, ngành liên quan»)."""
_ALIKE, _SAME_WORD = 0.5, 0.8
_EMPTY = frozenset({"va", "cac", "tinh", "cua", "cap", "tren", "dia", "ban"})


def lives_on(agency: AgencyEntry, day: date) -> bool:
    """Whether one of an agency's names is its name on a day."""
    return any(each.holds_on(day) for each in agency.names)


def kind_members(levels: Iterable[str], directory: DirectoryFile, on: date | None) -> list[str]:
    """The ids of all agencies of some levels that exist on a day, in the directory's order; without one, of all."""
    wanted = set(levels)
    return [each.id for each in directory.agencies if each.level in wanted and (on is None or lives_on(each, on))]


def kinds_in(name: str) -> tuple[str, ...]:
    """The levels of agencies that a general name stands for: «các sở, ban, ngành», «UBND các xã, phường»; () for the
    name of one agency."""
    plain = " ".join(re.sub(r"[^a-z0-9,; ]+", " ", fold(name)).split())
    if _SEVERAL.match(plain) is None:
        return ()
    words = re.sub(r"[,;]", "", plain)
    if "huyen" in (found := {level for level, pattern in _KINDS if pattern.search(words)}):
        rest = re.sub(r"\bthi xa\b", "", words)
        found -= {"xa"} if _KINDS[1][1].search(rest) is None else set()
    return tuple(sorted(found, key=level_rank))


def kind_choice(name: str, directory: DirectoryFile, on: date | None) -> str:
    """The choice of all agencies of the kinds that a name stands for; empty if there is none on that day."""
    here = [each for each in kinds_in(name) if kind_members([each], directory, on)]
    return KIND + "+".join(here) if here else ""


def speaks_of_all(name: str, directory: DirectoryFile) -> bool:
    """Whether nothing in a name of a kind narrows it to some of them."""
    words = re.findall(r"[a-z0-9]+", fold(name).removesuffix(fold(directory.name)))
    return all(_NEUTRAL.fullmatch(word) for word in words)


def offer(draft: PlanDraft, names: Iterable[tuple[str, bool]], directory: DirectoryFile, on: date | None) -> None:
    """Add names that the directory lacks (each with whether it stands for several), to be resolved once for all duties.
    A name of a kind stands for all of that kind unless somebody chooses otherwise."""
    known = {each.name for each in draft.unknown}
    for name, group in names:
        if name not in known:
            known.add(name)
            kind = "" if draft.of_another_province else kind_choice(name, directory, on)
            chosen = kind if kind and speaks_of_all(name, directory) else ""
            draft.unknown.append(UnknownName(name=name, group=group or bool(kind), chosen=chosen))


def matching_directory(draft: PlanDraft, directory: DirectoryFile) -> Directory:
    """The directory by which the names of a document are matched: none where it is another province's."""
    return NullDirectory() if draft.of_another_province else directory


def nearest(name: str, directory: DirectoryFile, on: date | None = None, most: int = 3) -> list[str]:
    """The names of the directory that are like a name, by their words: a rare word that both have weighs more than one
    that many have («Hiệp hội Doanh nghiệp» is not «Hội Nông dân»). The same name elsewhere comes first."""
    there = {each.id for each in directory.agencies if on is None or lives_on(each, on)}
    names = {n: i for i, n in directory.latest_names.items() if i in there or i not in directory.by_id}
    same = directory.find(name)
    first = [each for each, agency in names.items() if same and agency == same][:1]
    weights = _weights(tuple(names))
    scored = [(_likeness(_words(name), _words(each), weights), each) for each in names]
    near = [each for score, each in sorted(scored, reverse=True)[:most] if score >= _ALIKE]
    return list(dict.fromkeys([*first, *near]))[:most]


@lru_cache(maxsize=4_096)
def _words(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9]+", fold(name))) - _EMPTY


@lru_cache(maxsize=8)
def _weights(names: tuple[str, ...]) -> dict[str, float]:
    """The weight of each word: the fewer names contain it, the higher."""
    counts = Counter(word for name in names for word in _words(name))
    return {word: log(1 + len(names) / count) for word, count in counts.items()}


def _likeness(ours: frozenset[str], theirs: frozenset[str], weights: dict[str, float]) -> float:
    """The weight of the words that two names share among that of all their words, 0 to 1."""
    most = max(weights.values(), default=1.0)
    pairs = {word: next((each for each in theirs if _is_word(word, each)), "") for word in ours}
    shared = sum(weights.get(other, most) for other in pairs.values() if other)
    alone = sum(weights.get(word, most) for word, other in pairs.items() if not other)
    missing = sum(weights.get(word, most) for word in theirs - set(pairs.values()))
    return shared / ((shared + alone + missing) or 1.0)


def _is_word(one: str, other: str) -> bool:
    """Whether two words are the same, allowing one mistyped letter in long ones."""
    if one == other:
        return True
    return min(len(one), len(other)) >= 4 and SequenceMatcher(None, one, other).ratio() > _SAME_WORD
