"""How many corrections a person makes in the review of an imported document until it says what its label says.

    PYTHONPATH=tests python -m import_figures.review_edits FILE.yaml [--each] [--directory[=PERCENT]]

Corrections are counted as they are made in the form: a duty parted or joined by a button, a line or a run of lines
taken, a duty or a whole section dropped, an owner, a name that stands for others, a time or a duty's words typed. The
review itself is asked after each. Agencies that a directory does not have are not counted: in one's own province they
are there.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from import_figures.kinds import Sample, is_of, samples
from import_figures.own_directory import asked_for, directory_of
from import_figures.scores import labels_in

from engine.errors import BadInput
from engine.files.directory import DirectoryFile
from engine.importer import read_document
from engine.importer.base.vietnamese import squashed
from engine.importer.phrases.deadlines import deadlines_in
from engine.importer.phrases.names import Name
from engine.importer.phrases.owners import owner_of
from engine.importer.phrases.timing import timing_of
from engine.web.pages.plans.import_corrections import corrected, cut_before
from engine.web.pages.plans.import_review import OTHERS, Fields, fields_of
from engine.web.pages.plans.import_review_pages import ReviewPages
from engine.web.pages.plans.import_sheet import Row, Sheet, sheet_of

_WORDS = 7
_REACH = 4


def edits(sample: Sample, directory: DirectoryFile) -> Counter[str]:
    """Kind of correction -> how many; «duties»: how many the label has."""
    try:
        plan = read_document(sample.raw, sample.name, directory=directory)
    except BadInput:
        return Counter({"refused": 1, "duties": len(sample.label["duties"])})
    labels = list(sample.label["duties"])
    review = Review(sheet_of(plan, directory), directory, labels)
    done = Counter({"duties": len(labels)})
    for label in labels:
        done.update(review.brought(label))
    done["drop"] += review.dropped()
    return done


class Review:
    """A review that is corrected step by step, as the form does it."""

    def __init__(self, sheet: Sheet, directory: DirectoryFile, labels: Sequence[Mapping[str, Any]]) -> None:
        self.sheet, self.directory, self.labels = sheet, directory, labels
        self.fields: Fields = fields_of(sheet, directory)

    def duties(self) -> Iterator[tuple[str, str]]:
        for row in self.sheet.rows:
            yield row.path, self.fields[f"{row.path}.text"][0]

    def label_of(self, text: str) -> Mapping[str, Any] | None:
        return next((each for each in self.labels if is_of(text, each)), None)

    def dropped(self) -> int:
        """The taps that drop what is no duty: sections and items of which nothing is one, and single duties."""
        extra = {place: self.label_of(text) is None for place, text in self.duties()}
        drops = 0
        for depth in (1, 2):  # a section's path, an item's
            for path, group in _grouped(extra, depth):
                if len(group) > 1 and all(extra[place] for place in group):
                    drops += 1
                    extra = {place: extra[place] for place in extra if not place.startswith(f"{path}.")}
        return drops + sum(extra.values())

    def brought(self, label: Mapping[str, Any]) -> Iterator[str]:
        """The corrections after which a duty of the review is that of a label."""
        for _ in range(12):
            place = next((place for place, text in self.duties() if is_of(text, label)), None)
            if place is not None:
                yield from self._facts(place, label)
                return
            step = self._step(label)
            if step is None:
                yield "type"
                return
            yield step

    def _step(self, label: Mapping[str, Any]) -> str | None:
        """The next correction towards a label; None where only typing its words helps."""
        begin, _, end = label["t"].partition("…")
        end = end.strip() or begin
        duties = list(self.duties())
        found = [(at, n, *each) for n, each in enumerate(duties) if (at := _at(each[1], begin)) is not None]
        for at, n, place, text in sorted(found)[:1]:
            cut = cut_before(text, text[at:])
            if at and cut:
                return self._done("part", f"{place}:{cut}")
            if squashed(end) in squashed(text):
                rest = text[(after := _end(text, end)) :]
                return self._done("part", f"{place}:{after + len(rest) - len(rest.lstrip(' .;'))}") if after else None
            below = [squashed(each) for _, each in duties[n + 1 : n + 1 + _REACH]]
            return self._done("join", duties[n + 1][0]) if squashed(end) in "".join(below) else None
        for n, left in enumerate(self.sheet.found["left"]):
            if not left["taken"] and _at(left["text"], begin) is not None:
                owner = label["o"][0] if label["o"] else "?"
                if run := self._run_of(n):
                    self.fields = {**self.fields, f"left[{run[0]}].run": (owner,)}
                    return self._done("take", f"{run[0]}-{run[-1]}")
                owners = self.fields.get(f"left[{n}].owners") or (owner,)
                self.fields = {**self.fields, f"left[{n}].take": ("1",), f"left[{n}].owners": owners}
                return self._done("take", "")
        return None

    def _run_of(self, n: int) -> tuple[int, ...]:
        """The lines that the form takes with a line at one tap, where that is quicker: most of them are duties."""
        leaves = ReviewPages.of(self.sheet, self.fields)
        blocks = (block for page in range(len(leaves.pages)) for block in leaves.blocks(page, self.fields))
        run = next((block.run for block in blocks if n in block.run), ())
        begins = [each["t"].partition("…")[0] for each in self.labels]
        lines = [self.sheet.found["left"][each]["text"] for each in run]
        duties = sum(any(_at(line, begin) is not None for begin in begins) for line in lines)
        return run if 2 * duties > len(run) + 1 else ()

    def _done(self, act: str, target: str) -> str | None:
        """The act where it has changed the duties."""
        before = [text for _, text in self.duties()]
        self.sheet, self.fields = corrected(self.sheet, self.fields, self.directory, act, target)
        return act if [text for _, text in self.duties()] != before else None

    def _facts(self, place: str, label: Mapping[str, Any]) -> Iterator[str]:
        row = next(each for each in self.sheet.rows if each.path == place)
        if self._owners_of(row) != self._bodies(label["o"]):
            self._give(row, label)
            yield "owner"
        said = [squashed(each["text"]) for each in row.found["deadlines"]]
        missed = [each for each in label.get("by", ()) if not any(_alike(squashed(each), other) for other in said)]
        if any(self._changes(row, each) for each in missed):
            yield "time"

    def _changes(self, row: Row, words: str) -> bool:
        """Whether a time that was missed says when something is owed, or how often («thường xuyên» does not)."""
        time = timing_of(deadlines_in(words, column=True), int(self.sheet.draft.get("year") or 2000))
        there = self.fields.get(f"{row.path}.cadence", ())
        return bool(time.on or time.due_day or {*time.cadence} - {*there, "ad_hoc"})

    def _bodies(self, owners: Iterable[str]) -> set[str]:
        """Bodies for comparing: «Giám đốc Sở Y tế» is «Sở Y tế» where the directory knows that."""
        return {owner_of(Name(each, 0, 0), self.directory).agency or squashed(each) for each in owners if each}

    def _owners_of(self, row: Row) -> set[str]:
        own = self._bodies(self.fields.get(f"{row.path}.owners", ()))
        return own or self._bodies(self.fields.get(f"{row.item_path}.owners", ()))

    def _give(self, row: Row, label: Mapping[str, Any]) -> None:
        """A duty its owners: by what the document's name stands for, as the item's, or as its own."""
        owners, name = tuple(label["o"]), next(iter(self._owners_of(row)), "")
        n = next((n for n, each in enumerate(self.sheet.unknown) if squashed(each["name"]) == name), None)
        if n is not None and len(owners) > 1 and all(squashed(each) in name for each in owners):
            more = {f"body[{n}]": (OTHERS,), f"body[{n}].as": ("; ".join(owners),)}
            self.sheet, self.fields = corrected(self.sheet, {**self.fields, **more}, self.directory)
            return
        others = [each for each in self.sheet.rows if each.item_path == row.item_path and each is not row]
        right = any(
            (of := self.label_of(self.fields[f"{each.path}.text"][0]))
            and self._owners_of(each) == self._bodies(of["o"])
            for each in others
        )
        at = row.path if right or self.fields.get(f"{row.path}.owners") else row.item_path
        self.fields = {**self.fields, f"{at}.owners": owners}


def _alike(a: str, b: str) -> bool:
    return a in b or b in a


def _grouped(places: Iterable[str], depth: int) -> list[tuple[str, list[str]]]:
    """Paths above duties -> the duties: depth 1 is a section's."""
    found: dict[str, list[str]] = {}
    for place in places:
        found.setdefault(".".join(place.split(".")[:depth]), []).append(place)
    return list(found.items())


def _found(text: str, words: Sequence[str]) -> re.Match[str] | None:
    return re.search(r"\s+".join(map(re.escape, words)), text, re.IGNORECASE)


def _at(text: str, begin: str) -> int | None:
    found = _found(text, begin.split()[:_WORDS])
    return found.start() if found else None


def _end(text: str, end: str) -> int:
    found = _found(text, end.split()[-_WORDS:])
    return found.end() if found else 0


def total(path: Path, directory: DirectoryFile, *, each: bool = False) -> Counter[str]:
    every: Counter[str] = Counter()
    for sample in samples(path):
        found = edits(sample, directory)
        if each:
            sys.stdout.write(f"{sample.name}: {line(found)}\n")
        every.update(found)
    return every


KINDS: Sequence[str] = ("part", "join", "take", "drop", "owner", "time", "type")


def line(found: Counter[str]) -> str:
    some = sum(found[kind] for kind in KINDS)
    per = 25 * some / max(found["duties"], 1)
    return f"{found['duties']} duties, {some} corrections, {per:.1f} for 25: " + ", ".join(
        f"{kind} {found[kind]}" for kind in (*KINDS, "refused") if found[kind]
    )


if __name__ == "__main__":
    file = Path(sys.argv[1])
    sums = total(file, directory_of(labels_in(file), asked_for(sys.argv) or 0), each="--each" in sys.argv)
    sys.stdout.write(line(sums) + "\n")
