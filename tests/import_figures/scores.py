"""Evaluate the importer on labelled documents: precision and recall of owners, duties, deadlines and roles.

``PYTHONPATH=tests python -m import_figures.scores FOLDER`` prints the table for a folder with documents and
``labels.yaml``; users can label some of their own plans the same way.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from engine.errors import BadInput
from engine.features.plan_import.importer.assembly import assembled
from engine.features.plan_import.importer.base.model import DutyText, ImportedPlan
from engine.features.plan_import.importer.phrases.owners import NullDirectory
from engine.features.plan_import.importer.reading.reader import read_pages
from engine.rules.vietnamese import squashed

MEASURES = ("owners", "duties", "deadlines", "coordinating", "leads", "requests", "heads", "instructions")


@dataclass
class Figures:
    """Counts by measure: ``found`` (correct), ``extra`` (false positives), ``missed``; ``errors`` lists both."""

    found: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def precision(self, measure: str) -> float:
        return self.found[measure] / max(1, self.found[measure] + self.extra[measure])

    def recall(self, measure: str) -> float:
        return self.found[measure] / max(1, self.found[measure] + self.missed[measure])

    def count(
        self,
        measure: str,
        where: str,
        read: Iterable[str],
        labelled: Iterable[str],
        *,
        part: bool = False,
        exact: bool = False,
        span: bool = False,
    ) -> None:
        """Compare two lists of texts. ``part``: texts also match if one contains the other. ``span``: a label is
        «first words … last words»."""
        left = list(labelled)
        for text in read:
            agreed = next((each for each in left if _agree(text, each, part=part, exact=exact, span=span)), None)
            if agreed is None:
                self.extra[measure] += 1
                self.errors.append(f"{where}: {measure}: extra «{text[:70]}»")
            else:
                left.remove(agreed)
                self.found[measure] += 1
        self.missed[measure] += len(left)
        self.errors += [f"{where}: {measure}: missed «{text[:70]}»" for text in left]


def _agree(read: str, labelled: str, *, part: bool, exact: bool, span: bool) -> bool:
    if exact or span:
        return spans(read, labelled) if span else read == labelled
    a, b = squashed(read), squashed(labelled)
    return a == b or (part and min(len(a), len(b)) > 3 and (a in b or b in a))


def labels_in(file: Path) -> Any:
    """What a file of labels holds; read by libyaml, since the files are long."""
    return yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)


def measured(folder: Path) -> Figures:
    """The figures of a folder. In a document that the importer rejects, everything counts as missed."""
    figures = Figures()
    labels: Mapping[str, Any] = labels_in(folder / "labels.yaml")
    for name, label in labels.items():
        try:
            plan = assembled(read_pages(folder / name, name), name, NullDirectory())
        except BadInput as error:
            figures.errors.append(f"{name}: refused: {error}")
            plan = None
        _compare(figures, name, plan, label)
    return figures


def _compare(figures: Figures, name: str, plan: ImportedPlan | None, label: Mapping[str, Any]) -> None:
    if plan is not None:
        read = (plan.number.text, plan.date.isoformat() if plan.date else "", plan.issuer.text)
        figures.count("heads", name, read, (label["number"], label["date"], label["issuer"]))
    said = [each.text for each in plan.instructions] if plan else []
    figures.count("instructions", name, said, [each["t"] for each in label.get("asked", ())], span=True)
    items = dict(_cited(plan)) if plan else {}
    for citation in dict.fromkeys((*label["items"], *items)):
        expected, item = label["items"].get(citation, {}), items.get(citation)
        where = f"{name} {citation}"
        figures.count("owners", where, [o.name for o in item.owners] if item else (), expected.get("owners", ()))
        asked = ["request"] if item and item.request else []
        figures.count("requests", where, asked, ["request"] if expected.get("request") else ())
        _duties(figures, where, item.duties if item else (), expected.get("duties", ()))


def _cited(plan: ImportedPlan) -> Iterator[tuple[str, Any]]:
    for section in plan.sections:
        for item in section.items:
            first = item.duties[0].citation if item.duties else ""
            yield (first if item.inline else first.rpartition(".")[0]) or f"{section.roman}.{item.no}", item


def _duties(figures: Figures, where: str, read: Sequence[DutyText], labelled: Sequence[Mapping[str, Any]]) -> None:
    """A duty counts as found if it begins and ends with the labelled words, under the right item."""
    left = list(labelled)
    for duty in read:
        label = next((each for each in left if spans(duty.text, each["text"])), None)
        if label is None:
            figures.extra["duties"] += 1
            figures.errors.append(f"{where}: duties: extra «{duty.text[:70]}»")
        else:
            left.remove(label)
            figures.found["duties"] += 1
        expected = label or {}
        figures.count("deadlines", where, [d.text for d in duty.deadlines], expected.get("by", ()), part=True)
        figures.count("coordinating", where, duty.coordinating, expected.get("with", ()))
        figures.count("leads", where, filter(None, [duty.lead]), filter(None, [expected.get("lead")]))
    for label in left:
        figures.missed["duties"] += 1
        figures.errors.append(f"{where}: duties: missed «{label['text'][:70]}»")
        for measure, words in (("deadlines", "by"), ("coordinating", "with")):
            figures.missed[measure] += len(label.get(words, ()))


def spans(text: str, label: str) -> bool:
    begin, _, end = label.partition("…")
    whole = squashed(text)
    if not end:
        return whole == squashed(label)
    return whole.startswith(squashed(begin)) and whole.endswith(squashed(end))


def table(figures: Figures) -> str:
    """The figures as rows of a Markdown table."""
    rows = ["| | found | extra | missed | precision | recall |", "|---|---|---|---|---|---|"]
    for name in MEASURES:
        counts = f"{figures.found[name]} | {figures.extra[name]} | {figures.missed[name]}"
        rows.append(f"| {name} | {counts} | {figures.precision(name):.1%} | {figures.recall(name):.1%} |")
    return "\n".join(rows)


if __name__ == "__main__":
    result = measured(Path(sys.argv[1]))
    sys.stdout.write("\n".join([*result.errors, "", table(result), ""]))
