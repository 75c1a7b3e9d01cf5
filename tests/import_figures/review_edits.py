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
from itertools import groupby
from pathlib import Path
from typing import Any

from import_figures.kinds import Sample, is_of, samples
from import_figures.own_directory import asked_for, directory_of
from import_figures.scores import labels_in

from engine.errors import BadInput
from engine.features.plan_import.drafts.corrections import Corrections, DutyFields, cut_before
from engine.features.plan_import.drafts.model import OTHERS, DutyPlace, PlanDraft
from engine.features.plan_import.drafts.reading import draft_of
from engine.features.plan_import.drafts.rows import runs_of
from engine.features.plan_import.importer import read_document
from engine.features.plan_import.importer.phrases.deadlines import deadlines_in
from engine.features.plan_import.importer.phrases.names import Name
from engine.features.plan_import.importer.phrases.owners import owner_of
from engine.features.plan_import.importer.phrases.timing import timing_of
from engine.files.directory import DirectoryFile
from engine.rules.vietnamese import squashed

_WORDS = 7
_REACH = 4


def edits(sample: Sample, directory: DirectoryFile) -> Counter[str]:
    """Kind of correction -> how many; «duties»: how many the label has."""
    try:
        plan = read_document(sample.raw, sample.name, directory=directory)
    except BadInput:
        return Counter({"refused": 1, "duties": len(sample.label["duties"])})
    labels = list(sample.label["duties"])
    review = Review(draft_of(plan, directory), directory, labels)
    done = Counter({"duties": len(labels)})
    for label in labels:
        done.update(review.brought(label))
    done["drop"] += review.dropped()
    return done


class Review:
    """A review that is corrected step by step, as the page does it."""

    def __init__(self, draft: PlanDraft, directory: DirectoryFile, labels: Sequence[Mapping[str, Any]]) -> None:
        self.draft, self.directory, self.labels = draft, directory, labels
        self.corrections = Corrections(draft, directory)

    def duties(self) -> Iterator[tuple[int, str]]:
        return ((each.key, each.text) for each in self.draft.duties)

    def label_of(self, text: str) -> Mapping[str, Any] | None:
        return next((each for each in self.labels if is_of(text, each)), None)

    def dropped(self) -> int:
        """The taps that drop what is no duty: sections and items of which nothing is one, and single duties."""
        drops = 0
        for _, section in groupby(self.draft.places(), lambda each: each.section.roman):
            items = [list(item) for _, item in groupby(section, lambda each: each.item.no)]
            extra = [[self.label_of(place.duty.text) is None for place in item] for item in items]
            if sum(map(len, extra)) > 1 and all(map(all, extra)):
                drops += 1
            else:
                drops += sum(1 if len(each) > 1 and all(each) else sum(each) for each in extra)
        return drops

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
        for at, n, key, text in sorted(found)[:1]:
            cut = cut_before(text, text[at:])
            if at and cut:
                return "part" if self.corrections.part(key, cut) else None
            if squashed(end) in squashed(text):
                after = _end(text, end)
                rest = text[after:]
                cut = after + len(rest) - len(rest.lstrip(" .;"))
                return "part" if after and self.corrections.part(key, cut) else None
            below = [squashed(each) for _, each in duties[n + 1 : n + 1 + _REACH]]
            joins = squashed(end) in "".join(below) and self.corrections.join(duties[n + 1][0])
            return "join" if joins else None
        return self._taken(label, begin)

    def _taken(self, label: Mapping[str, Any], begin: str) -> str | None:
        """A line left out that is the label's, with those around it where most of them are duties."""
        for n in self.draft.left():
            if _at(self.draft.document[n].text, begin) is not None:
                owner = label["o"][0] if label["o"] else "?"
                if run := self._run_of(n):
                    return "take" if self.corrections.take(run[0], run[-1], [owner]) else None
                owners = [] if self.draft.document[n].owner else [owner]
                return "take" if self.corrections.take(n, n, owners) else None
        return None

    def _run_of(self, n: int) -> tuple[int, ...]:
        """The lines that the page takes with a line at one tap, where that is quicker: most of them are duties."""
        run = next((run for run in runs_of(self.draft) if n in run), ())
        begins = [each["t"].partition("…")[0] for each in self.labels]
        lines = [self.draft.document[each].text for each in run]
        duties = sum(any(_at(line, begin) is not None for begin in begins) for line in lines)
        return tuple(run) if 2 * duties > len(run) + 1 else ()

    def _facts(self, key: int, label: Mapping[str, Any]) -> Iterator[str]:
        place = self.draft.place(key)
        assert place is not None
        if self._bodies(place.duty.owners) != self._bodies(label["o"]):
            self._give(place, label)
            yield "owner"
        said = [squashed(each.text) for each in place.duty.deadlines]
        missed = [each for each in label.get("by", ()) if not any(_alike(squashed(each), other) for other in said)]
        if any(self._changes(place, each) for each in missed):
            yield "time"

    def _changes(self, place: DutyPlace, words: str) -> bool:
        """Whether a time that was missed says when something is owed, or how often («thường xuyên» does not)."""
        year = self.draft.head.year[:4]
        time = timing_of(deadlines_in(words, column=True), int(year) if year else None)
        return bool(str(time.days) or {*time.cadence} - {*place.duty.times.cadence, "ad_hoc"})

    def _bodies(self, owners: Iterable[str]) -> set[str]:
        """Bodies for comparing: «Giám đốc Sở Y tế» is «Sở Y tế» where the directory knows that."""
        return {owner_of(Name(each, 0, 0), self.directory).agency or squashed(each) for each in owners if each}

    def _give(self, place: DutyPlace, label: Mapping[str, Any]) -> None:
        """A duty its owners: by what the document's name stands for, as the item's, or as its own."""
        owners, name = list(label["o"]), next(iter(self._bodies(place.duty.owners)), "")
        n = next((n for n, each in enumerate(self.draft.unknown) if squashed(each.name) == name), None)
        if n is not None and len(owners) > 1 and all(squashed(each) in name for each in owners):
            self.corrections.choose(n, OTHERS, "; ".join(owners))
            known = self.draft.unknown[n].name
            for duty in self.draft.duties:
                duty.owners = [new for each in duty.owners for new in (owners if each == known else [each])]
            return
        others = [each for each in place.item.duties if each is not place.duty]
        right = any(
            (of := self.label_of(each.text)) and self._bodies(each.owners) == self._bodies(of["o"]) for each in others
        )
        duty = place.duty
        typed = DutyFields(
            text=duty.text,
            owners=owners,
            cadence=duty.times.cadence,
            due=duty.times.due,
            wording=duty.times.wording,
            coordinating="; ".join(duty.coordinating),
            whole_item=not right,
        )
        self.corrections.set_duty(duty.key, typed)


def _alike(a: str, b: str) -> bool:
    return a in b or b in a


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
