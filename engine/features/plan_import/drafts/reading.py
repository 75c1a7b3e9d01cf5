"""The draft of an imported document, as it is first stored. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from engine.features.plan_import.drafts.model import (
    AS_HEADING,
    DEFAULT_RULE,
    LEAD_IN,
    TO_ALL,
    Doubt,
    DraftDuty,
    DraftItem,
    DraftSection,
    Gap,
    Head,
    Paragraph,
    PlanDraft,
    Source,
    Times,
    TimeWords,
)
from engine.features.plan_import.drafts.names import matching_directory, offer
from engine.features.plan_import.importer import Accounted, ImportedPlan, as_plan_yaml
from engine.features.plan_import.importer.assembly import arranged
from engine.features.plan_import.importer.base.model import DutyText, Found, ItemText, Place, Use
from engine.features.plan_import.importer.phrases.agency_lists import VERB
from engine.features.plan_import.importer.phrases.deadlines import LONGEST
from engine.features.plan_import.importer.phrases.labels import knowing
from engine.features.plan_import.importer.phrases.marks import body_of
from engine.features.plan_import.importer.phrases.owners import Directory, owner_line, unaddressed
from engine.files.directory import DirectoryFile
from engine.files.yaml_reader import load_plain
from engine.rules.calendar import day_digits
from engine.rules.vietnamese import matching
from engine.terms import OutputKind

MAX_CHARS = 4_000
"""Longer paragraphs are cut: no plan has them."""
_PLAIN = ("number", "title", "short_title", "sms_name")


def draft_of(plan: ImportedPlan, directory: DirectoryFile) -> PlanDraft:
    """The initial review of an imported plan."""
    file: dict[str, Any] = load_plain(as_plan_yaml(plan, directory))
    draft = PlanDraft(
        name=plan.name,
        format=file["schema"],
        head=_head(plan, file, directory),
        found={name: _source_of(each) for name, each in _found_in(plan).items()},
        sections=[],
        document=[],
        warnings=[Doubt.model_validate(asdict(each)) for each in plan.warnings],
        gaps=[Gap.model_validate(each) for each in file.get("gaps") or ()],
    )
    draft.document = _document(plan, matching_directory(draft, directory), directory)
    draft.sections = _sections(plan, file, draft, directory)
    _mark_lead_ins(draft, directory)
    unknown = [(owner.name, owner.group) for each in plan.items for owner in each.owners if not owner.agency]
    borne = Counter(name for duty in draft.duties for name in duty.owners)
    unknown = sorted((each for each in unknown if each[0] in borne), key=lambda each: -borne[each[0]])
    issuers = [(draft.head.issuer, False)] if draft.head.issuer and not directory.find(draft.head.issuer) else []
    offer(draft, [*issuers, *unknown], directory, plan.date)
    return draft


def shown(directory: DirectoryFile, agency: str) -> str:
    """How a draft writes an agency: by name, or by id where the name would resolve to another agency."""
    name = directory.latest_names.get(agency, agency)
    return name if directory.find(name) == agency else agency


def _head(plan: ImportedPlan, file: Mapping[str, Any], directory: DirectoryFile) -> Head:
    return Head(
        **{name: str(file.get(name) or "") for name in _PLAIN},
        issued_on=_written(file.get("issued_on")),
        year="–".join(str(file[name]) for name in ("year", "last_year") if file.get(name)),
        issuer=shown(directory, file.get("issuer") or "") or plan.issuer.text,
        supervisor=shown(directory, file.get("supervisor") or ""),
        due_day=str(file["report_rules"][DEFAULT_RULE]["due_day"]),
    )


def _written(day: object) -> str:
    """An ISO date as d/m/yyyy; empty for none."""
    try:
        return day_digits(date.fromisoformat(str(day)))
    except ValueError:
        return ""


def _found_in(plan: ImportedPlan) -> Mapping[str, Found]:
    return {"number": plan.number, "date": plan.date_words, "issuer": plan.issuer, "title": plan.title}


def _source_of(found: Found) -> Source | None:
    return _source(found.place) if found else None


def _source(place: Place) -> Source:
    return Source(line=place.line, page=place.page, row=place.row)


# --- the document ----------------------------------------------------------------------------------------------------


def _document(plan: ImportedPlan, matched_by: Directory, directory: DirectoryFile) -> list[Paragraph]:
    """Every paragraph and table row with its use. Instructions to everybody, and headings that may be duties, are
    marked so that a person may turn them into duties."""
    doubted = {each.place for each in plan.warnings if each.code == "overlooked"}
    asked = {each.place.key: "".join(owner.name for owner in each.owners[:1]) for each in plan.instructions}
    entries = [each for each in plan.account if each.text]
    with knowing(directory.every_name):
        return [_paragraph(each, matched_by, directory, asked, doubted) for each in entries]


def _paragraph(
    entry: Accounted,
    matched_by: Directory,
    directory: DirectoryFile,
    asked: Mapping[tuple[int, int], str],
    doubted: set[str],
) -> Paragraph:
    reason, owner, marked = entry.reason, entry.owner, False
    if entry.use is Use.INSTRUCTION or entry.place.key in asked:
        reason, owner, marked = TO_ALL, asked.get(entry.place.key, ""), True
    elif entry.use in (Use.HEADING, Use.OWNER) and str(entry.place) in doubted:
        reason, marked = AS_HEADING, True
    found = matched_by.find(owner) if owner else None
    return Paragraph(
        text=entry.text[:MAX_CHARS],
        source=_source(entry.place),
        order=entry.place.order,
        use=entry.use,
        reason=reason,
        serious=entry.serious,
        doubted=marked,
        owner=shown(directory, found) if found else "",
        section=entry.section,
    )


def _mark_lead_ins(draft: PlanDraft, directory: DirectoryFile) -> None:
    """What was read as leading in to duties, though it names a body and says what it does, may be a duty itself."""
    used, matched_by = draft.used(), matching_directory(draft, directory)
    with knowing(directory.every_name):
        for n, each in enumerate(draft.document):
            leads = each.use in (Use.HEADING, Use.OWNER) or (each.use is Use.DUTY and n not in used)
            if leads and (name := lead_in_of(each.text)):
                found = matched_by.find(name)
                each.doubted, each.reason, each.owner = True, LEAD_IN, shown(directory, found) if found else ""


def lead_in_of(text: str) -> str:
    """The body that a heading names before a verb («1. Sở Y tế chủ trì, hướng dẫn các đơn vị:»); empty where a heading
    is a name alone."""
    body = body_of(text[:LONGEST])
    line = owner_line(unaddressed(body), headed=True)
    if line is None or line.alone:
        return ""
    return line.written if VERB.search(matching(line.rest)) else ""


# --- the plan --------------------------------------------------------------------------------------------------------


def _sections(
    plan: ImportedPlan, file: Mapping[str, Any], draft: PlanDraft, directory: DirectoryFile
) -> list[DraftSection]:
    paragraphs = _paragraphs_by_citation(plan)
    rules: Mapping[str, Any] = file["report_rules"]
    sections = []
    for entry, section in zip(file["sections"], arranged(plan), strict=True):
        items = []
        for item_entry, item in zip(entry["items"], section.items, strict=True):
            duties = [
                _duty(draft.new_key(), duty, of, directory, rules, item_entry["duties"][n], paragraphs)
                for n, (duty, of) in enumerate(item.duties)
            ]
            request = bool(item_entry.get("request"))
            items.append(DraftItem(no=int(item_entry["no"]), heading=item.heading, request=request, duties=duties))
        sections.append(DraftSection(roman=entry["roman"], heading=entry["heading"], kind=entry["kind"], items=items))
    return sections


def _duty(
    key: int,
    duty: DutyText,
    item: ItemText,
    directory: DirectoryFile,
    rules: Mapping[str, Any],
    entry: Mapping[str, Any],
    paragraphs: Mapping[str, Sequence[tuple[int, int]]],
) -> DraftDuty:
    rule = {} if entry["rule"] == DEFAULT_RULE else rules[entry["rule"]]
    due = [str(rule["due_day"])] if rule.get("due_day") else []
    due += [_written(rule["on"])] if rule.get("on") else []
    times = Times(cadence=list(entry["cadence"]), due="; ".join(due), wording=rule.get("wording", ""))
    output = entry.get("output") or {"what": "", "kind": OutputKind.DOCUMENT}
    owners = (shown(directory, each.agency) if each.agency else each.name for each in item.owners)
    return DraftDuty(
        key=key,
        text=entry["text"].strip(),
        owners=list(dict.fromkeys(owners)),
        times=times,
        read_times=times.model_copy(),
        coordinating=[shown(directory, each) for each in entry.get("coordinating", ())],
        output=output["what"],
        output_kind=output["kind"],
        origin=item.origin,
        deadlines=[TimeWords(text=each.text, sentence=each.sentence) for each in duty.deadlines],
        doubts=[Doubt.model_validate(asdict(each)) for each in duty.doubts],
        details=list(duty.details),
        partners=list(duty.coordinating),
        paragraphs=_own(paragraphs.get(duty.citation, ()), duty.place.order),
        printed=duty.citation,
        source=_source(duty.place),
        order=duty.place.order,
    )


def _paragraphs_by_citation(plan: ImportedPlan) -> Mapping[str, Sequence[tuple[int, int]]]:
    """The paragraphs that were read as a duty or a fact of it: (number among all, block)."""
    found: dict[str, list[tuple[int, int]]] = {}
    for n, each in enumerate(entry for entry in plan.account if entry.text):
        if each.use in (Use.DUTY, Use.FACT) and each.citation:
            found.setdefault(each.citation, []).append((n, each.place.order))
    return found


def _own(paragraphs: Iterable[tuple[int, int]], begin: int) -> list[int]:
    """Those of one duty, where a document bears its number twice: from its first one on, without a gap."""
    numbers = [(n, order) for n, order in paragraphs if order >= begin]
    return [n for i, (n, _) in enumerate(numbers) if n - numbers[0][0] <= i + 3]
