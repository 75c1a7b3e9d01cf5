"""How many corrections a person makes in the review of an imported document until it says what its label says.

    PYTHONPATH=tests python -m ground.review_edits FILE.yaml [--each]

Corrections are counted as they are made in the form: a duty parted or joined by a button, a line taken, a duty dropped,
an owner, a time or a duty's words typed. The review itself is asked after each. Agencies that a directory does not have
are not counted: in one's own province they are there.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ground.import_kinds import Sample, samples
from ground.import_scores import spans
from ground.paths import CONFIG

from engine.errors import BadInput
from engine.files.directory import DirectoryFile, load_directory
from engine.importer import read_document
from engine.importer.vietnamese import squashed
from engine.web.pages.plans.import_corrections import corrected, cut_before
from engine.web.pages.plans.import_review import Fields, fields_of
from engine.web.pages.plans.import_sheet import Sheet, sheet_of

_WORDS = 7
_REACH = 4


def edits(sample: Sample, directory: DirectoryFile) -> Counter[str]:
    """Kind of correction -> how many; «duties»: how many the label has."""
    try:
        plan = read_document(sample.raw, sample.name)
    except BadInput:
        return Counter({"refused": 1, "duties": len(sample.label["duties"])})
    review = Review(sheet_of(plan, directory), directory)
    done = Counter({"duties": len(sample.label["duties"])})
    labels = list(sample.label["duties"])
    for label in labels:
        done.update(review.brought(label))
    done["drop"] += sum(not any(spans(text, each["t"]) for each in labels) for _, text in review.duties())
    return done


class Review:
    """A review that is corrected step by step, as the form does it."""

    def __init__(self, sheet: Sheet, directory: DirectoryFile) -> None:
        self.sheet, self.directory = sheet, directory
        self.fields: Fields = fields_of(sheet, directory)

    def duties(self) -> Iterator[tuple[str, str]]:
        for path, _, item, _ in self.sheet.items:
            for d in range(len(item["duties"])):
                place = f"{path}.duties[{d}]"
                yield place, self.fields[f"{place}.text"][0]

    def brought(self, label: Mapping[str, Any]) -> Iterator[str]:
        """The corrections after which a duty of the review is that of a label."""
        for _ in range(12):
            place = next((place for place, text in self.duties() if spans(text, label["t"])), None)
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
                owner = self.fields.get(f"left[{n}].owners") or (label["o"][0] if label["o"] else "?",)
                self.fields = {**self.fields, f"left[{n}].take": ("1",), f"left[{n}].owners": owner}
                return self._done("take", "")
        return None

    def _done(self, act: str, target: str) -> str | None:
        """The act where it has changed the duties."""
        before = [text for _, text in self.duties()]
        self.sheet, self.fields = corrected(self.sheet, self.fields, self.directory, act, target)
        return act if [text for _, text in self.duties()] != before else None

    def _facts(self, place: str, label: Mapping[str, Any]) -> Iterator[str]:
        path = place.partition(".duties")[0]
        owners = self.fields.get(f"{place}.owners") or self.fields.get(f"{path}.owners", ())
        if {squashed(each) for each in owners if each} != {squashed(each) for each in label["o"]}:
            yield "owner"
        item = next(each for each in self.sheet.items if each[0] == path)
        said = [squashed(each["text"]) for each in item[3][int(place.rpartition("[")[2][:-1])]["deadlines"]]
        wanted = [squashed(each) for each in label.get("by", ())]
        if any(not any(a in b or b in a for b in said) for a in wanted):
            yield "time"


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
    sums = total(Path(sys.argv[1]), load_directory(CONFIG / "agencies/nghe-an-2021.yaml"), each="--each" in sys.argv)
    sys.stdout.write(line(sums) + "\n")
