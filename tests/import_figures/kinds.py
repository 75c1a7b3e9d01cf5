"""Measure the importer on texts by kind of difficulty.

    PYTHONPATH=tests python -m import_figures.kinds FILE.yaml [--errors] [--directory[=PERCENT]]

A duty is found when its words are those of the label. Its citation, owners, deadlines and coordinating bodies are
compared then; a duty that is not found counts all its labels as missed. A missed duty is *named* when a warning or a
line left out shows its words, and lost silently when nothing does. Of these those are *kept by the owner* whose words
stand, cut elsewhere, in a duty of the label's owners: somebody is reminded of them. An owner is wrong and *unmarked*
where neither draft nor review says that it must be confirmed: the directory knows it, and it is read as a heading's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from import_figures.own_directory import asked_for, directory_of
from import_figures.plan_texts import faults
from import_figures.scores import Figures, labels_in, spans

from engine.errors import BadInput
from engine.features.plan_import.importer import ImportedPlan, as_json, read_document
from engine.features.plan_import.importer.base.model import ItemText, Origin, Owner
from engine.files.directory import DirectoryFile
from engine.rules.vietnamese import squashed

MEASURES = ("duties", "owners", "citations", "deadlines", "coordinating", "instructions")
HEAD = """ỦY BAN NHÂN DÂN
TỈNH AN LẠC
-------
CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc
---------------
Số: 12/KH-UBND
An Lạc, ngày 15 tháng 01 năm 2026
KẾ HOẠCH
CÔNG TÁC TRỌNG TÂM NĂM 2026
Căn cứ chương trình công tác năm 2026, UBND tỉnh ban hành Kế hoạch như sau:
"""
FOOT = "Nơi nhận:\n- Các sở, ban, ngành;\n- Lưu: VT.\nTM. ỦY BAN NHÂN DÂN\nKT. CHỦ TỊCH\nPHÓ CHỦ TỊCH\n"


@dataclass(frozen=True)
class Sample:
    """One labelled text: the document's bytes and what a person reads in it."""

    kind: str
    name: str
    raw: bytes
    label: Mapping[str, Any]


def samples(path: Path) -> Iterator[Sample]:
    for label in labels_in(path):
        yield Sample(label["kind"], label["name"], text_of(label).encode(), label)


def text_of(label: Mapping[str, Any]) -> str:
    """The whole document: text, or a web page where the label has tables."""
    if "html" in label:
        head = "".join(f"<p>{line}</p>" for line in HEAD.splitlines())
        return f"<html><body>{head}{label['html']}</body></html>"
    if label.get("head") == "none":
        return str(label["body"])
    return HEAD + str(label["body"]) + FOOT


def by_kind(path: Path, percent: int | None = None) -> dict[str, Figures]:
    """The figures of each kind; and of all, under «all». ``percent``: read with a directory that knows so many of a
    hundred of the labelled bodies."""
    found: dict[str, Figures] = {}
    every = Figures()
    directory = None if percent is None else directory_of(labels_in(path), percent)
    for sample in samples(path):
        plan = read(sample, directory)
        wrong = faults(plan) if plan else ["refused"]
        for figures in (found.setdefault(sample.kind, Figures()), every):
            figures.errors += [f"{sample.name}: {each}" for each in wrong]
            figures.found["faults"] += len(wrong)
            compare(figures, sample, plan)
    return found | {"all": every}


def read(sample: Sample, directory: DirectoryFile | None = None) -> ImportedPlan | None:
    """None: it was refused."""
    with suppress(BadInput):
        return read_document(sample.raw, sample.name, directory=directory)
    return None


def compare(figures: Figures, sample: Sample, plan: ImportedPlan | None) -> None:
    compare_duties(figures, sample, plan)
    compare_instructions(figures, sample, plan)
    if sample.label.get("issuer"):
        figures.count(
            "issuers", sample.name, [plan.issuer.text.lower()] if plan else [], [sample.label["issuer"].lower()]
        )
    for name in sample.label.get("never", ()):
        if plan and name in str(as_json(plan)):
            figures.errors.append(f"{sample.name}: a person's name is kept: {name}")
            figures.found["persons kept"] += 1


def compare_duties(figures: Figures, sample: Sample, plan: ImportedPlan | None) -> None:
    left = list(sample.label["duties"])
    for item in plan.items if plan else ():
        for duty in item.duties:
            label = next((each for each in left if is_of(duty.text, each)), None)
            where = f"{sample.name} {duty.citation}"
            if label is None:
                figures.extra["duties"] += 1
                figures.errors.append(f"{where}: duties: extra «{duty.text[:90]}»")
                figures.found["owners wrong, unmarked"] += _is_unmarked(item, item.owners)
                continue
            left.remove(label)
            figures.found["duties"] += 1
            figures.count("owners", where, [owner.name for owner in item.owners], label["o"])
            if "c" in label:
                figures.count("citations", where, [duty.citation], [label["c"]], exact=True)
            wrong = [owner for owner in item.owners if squashed(owner.name) not in set(map(squashed, label["o"]))]
            if _is_unmarked(item, wrong):
                figures.found["owners wrong, unmarked"] += 1
                figures.errors.append(f"{where}: owner wrong and unmarked «{item.owner}»")
            figures.count("deadlines", where, [each.text for each in duty.deadlines], label.get("by", ()), part=True)
            figures.count("coordinating", where, duty.coordinating, label.get("w", ()))
    for label in left:
        named = is_named(plan, label["t"])
        figures.missed["duties"] += 1
        figures.found["lost, named"] += named
        figures.found["lost silently"] += not named
        kept = not named and is_kept(plan, label)
        figures.found["kept by the owner"] += kept
        how = "named" if named else "SILENTLY, kept by the owner" if kept else "SILENTLY"
        figures.errors.append(f"{sample.name} {label.get('c', '')}: duties: missed ({how}) «{label['t']}»")
        for measure, words in (("owners", "o"), ("deadlines", "by"), ("coordinating", "w")):
            figures.missed[measure] += len(label.get(words, ()))
        figures.missed["citations"] += "c" in label


def _is_unmarked(item: ItemText, wrong: Iterable[Owner]) -> bool:
    return item.origin is Origin.HEADING and any(owner.agency for owner in wrong)


def is_of(text: str, label: Mapping[str, Any]) -> bool:
    """Whether a duty's words are those of a label, which may have the owner before a colon («Sở Y tế: khám …»)."""
    before, colon, rest = label["t"].partition(":")
    owned = colon and squashed(before) == squashed("".join(label["o"]))
    return spans(text, label["t"]) or bool(owned and spans(text, rest.strip()))


def is_named(plan: ImportedPlan | None, text: str) -> bool:
    """Whether a warning, or a line left out, shows the words a duty begins with. A refused document says so itself."""
    begin = squashed(text.partition("…")[0])
    if plan is None:
        return True
    shown = [each.message for each in plan.warnings]
    shown += [each.text for each in getattr(plan, "left_out", ())]
    return any(begin in squashed(each) for each in shown)


def is_kept(plan: ImportedPlan | None, label: Mapping[str, Any]) -> bool:
    """Whether a duty of the label's owners holds the words that it begins with."""
    begin, owners = squashed(label["t"].partition("…")[0]), {squashed(name) for name in label["o"]}
    items = [each for each in plan.items if {squashed(owner.name) for owner in each.owners} == owners] if plan else []
    return any(begin in squashed(duty.text) for item in items for duty in item.duties)


def compare_instructions(figures: Figures, sample: Sample, plan: ImportedPlan | None) -> None:
    left = list(sample.label.get("asked", ()))
    for said in getattr(plan, "instructions", ()):
        label = next((each for each in left if spans(said.text, each["t"])), None)
        if label is None:
            figures.extra["instructions"] += 1
            figures.errors.append(f"{sample.name}: instructions: extra «{said.text[:90]}»")
            continue
        left.remove(label)
        figures.found["instructions"] += 1
        figures.count("deadlines", sample.name, [each.text for each in said.deadlines], label.get("by", ()), part=True)
    for label in left:
        figures.missed["instructions"] += 1
        figures.errors.append(f"{sample.name}: instructions: missed «{label['t']}»")


def table(found: Mapping[str, Figures]) -> str:
    """A Markdown row a kind: precision / recall of each measure, and how the lost duties were lost."""
    rows = [f"| kind | {' | '.join(MEASURES)} | lost, named | lost silently |", "|---" * (len(MEASURES) + 3) + "|"]
    for kind, figures in found.items():
        cells = [
            f"{figures.precision(each):.0%} / {figures.recall(each):.0%}" if known(figures, each) else "–"
            for each in MEASURES
        ]
        lost = f"{figures.found['lost, named']} | {figures.found['lost silently']}"
        rows.append(f"| {kind} | {' | '.join(cells)} | {lost} |")
    return "\n".join(rows)


def known(figures: Figures, measure: str) -> bool:
    return bool(figures.found[measure] + figures.extra[measure] + figures.missed[measure])


if __name__ == "__main__":
    result = by_kind(Path(sys.argv[1]), asked_for(sys.argv))
    lines = result["all"].errors if "--errors" in sys.argv else []
    kept = f"Of those lost silently {result['all'].found['kept by the owner']} are kept by their owner."
    sys.stdout.write("\n".join([*lines, "", table(result), "", kept, ""]))
