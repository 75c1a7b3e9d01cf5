"""The draft of an imported document, as it is first stored. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count, pairwise

from engine.features.plan_import.drafts.model import (
    AS_HEADING,
    LEAD_IN,
    TO_ALL,
    DraftDuty,
    DraftItem,
    DraftSection,
    Gap,
    Head,
    Paragraph,
    PlanDraft,
    Times,
    TimeWords,
    matching_directory,
    offer,
)
from engine.features.plan_import.importer import Accounted, ImportedPlan
from engine.features.plan_import.importer.base.model import DutyText, ItemText, Use
from engine.features.plan_import.importer.phrases.agency_lists import VERB
from engine.features.plan_import.importer.phrases.deadlines import LONGEST
from engine.features.plan_import.importer.phrases.labels import knowing
from engine.features.plan_import.importer.phrases.marks import body_of, roman_value
from engine.features.plan_import.importer.phrases.names import Name
from engine.features.plan_import.importer.phrases.owners import Directory, owner_line, owner_of, unaddressed
from engine.features.plan_import.importer.phrases.timing import Timing, timing_of
from engine.features.plan_import.importer.reading.word import roman
from engine.files.directory import DirectoryFile, fold
from engine.files.plan_parts import SECTION_NUMBER
from engine.rules.calendar import day_digits
from engine.rules.outputs import MAX_WHAT_CHARS, kind_of
from engine.rules.vietnamese import as_sentence, matching
from engine.terms import OutputKind

_POINT = re.compile(r"(?P<no>\d{1,3})(?:\.(?:\d{1,2}|[a-zđ]))+")
MAX_CHARS = 4_000
"""Longer paragraphs are cut: no plan has them."""


def draft_of(plan: ImportedPlan, directory: DirectoryFile) -> PlanDraft:
    """The initial review of an imported plan: as it was read, with the names to settle."""
    draft = as_read(plan, directory)
    unknown = [(owner.name, owner.group) for each in plan.items for owner in each.owners if not owner.agency]
    borne = Counter(name for duty in draft.duties for name in duty.owners)
    unknown = sorted((each for each in unknown if each[0] in borne), key=lambda each: -borne[each[0]])
    issuers = [(draft.head.issuer, False)] if draft.head.issuer and not directory.find(draft.head.issuer) else []
    offer(draft, [*issuers, *unknown], directory, plan.date)
    return draft


def as_read(plan: ImportedPlan, directory: DirectoryFile) -> PlanDraft:
    """A plan as its document states it; each doubt stands with what it is about."""
    found = {"number": plan.number, "date": plan.date_words, "issuer": plan.issuer, "title": plan.title}
    draft = PlanDraft(
        name=plan.name,
        format="dondoc/plan@1",
        head=_head(plan, directory),
        found={name: each.place if each else None for name, each in found.items()},
        stated=_stated(plan),
        to_confirm=_to_confirm(plan, directory),
        sections=[],
        document=[],
        warnings=list(plan.warnings),
    )
    draft.document = _document(plan, matching_directory(draft, directory), directory)
    draft.sections = list(_sections(plan, draft, directory))
    draft.gaps = _gaps(plan, draft.sections)
    _mark_lead_ins(draft, directory)
    return draft


def shown(directory: DirectoryFile, agency: str) -> str:
    """How a draft writes an agency: by name, or by id where the name would resolve to another agency."""
    name = directory.latest_names.get(agency, agency)
    return name if directory.find(name) == agency else agency


def times_of(timing: Timing) -> Times:
    """When a duty is due by what was read, as a person would type it."""
    return Times(cadence=list(timing.cadence), due=str(timing.days), wording=timing.wording)


# --- the head --------------------------------------------------------------------------------------------------------


def _head(plan: ImportedPlan, directory: DirectoryFile) -> Head:
    return Head(
        number=_line(plan.number.text),
        title=as_sentence(_line(plan.title.text), [each.text for each in plan.account]),
        short_title=_short_title(plan),
        sms_name=_sms_name(plan.number.text),
        issued_on=day_digits(plan.date) if plan.date else "",
        year="–".join(str(each) for each in (plan.year, plan.last_year) if each),
        issuer=shown(directory, directory.find(plan.issuer.text) or "") or plan.issuer.text,
        supervisor=shown(directory, _supervisor(plan, directory)),
    )


def _line(text: str) -> str:
    return " ".join(text.split())


def _short_title(plan: ImportedPlan) -> str:
    """A neutral name: the kind of document, its number and its year."""
    number, year = plan.number.text, plan.year
    if plan.last_year and plan.date:
        year = plan.date.year  # of several years: known by the one of its issue
    if not (number and year):
        return ""
    named = re.match(
        "(?i)chương trình|phương án|đề án|chỉ thị|thông báo|hướng dẫn|nghị quyết|công điện|kết luận"
        "|quyết định(?!.*(?:kế hoạch|chương trình))",
        plan.title.text,
    )
    issued = re.search("/(?:KH|QĐ)", number) or not re.search("/[A-ZĐ]", number)
    kind = (named[0] if named else "Kế hoạch" if issued else "Văn bản").capitalize()
    issued_then = plan.date is None or plan.date.year == year
    return _line(f"{kind} {number} {'năm' if issued_then else 'của năm'} {year}"[:80])


def _sms_name(number: str) -> str:
    found = re.match(r"(\d+)[a-zA-Z]?[/-](?:\d{4}[/-])?([a-z]\w*)", fold(number))
    return f"{found[2].upper()[:4]}{found[1]}"[:11] if found else ""


def _supervisor(plan: ImportedPlan, directory: DirectoryFile) -> str:
    """The known agency to which most duties report, other than the issuer; else the first owner; "" for none."""
    issuer = directory.find(plan.issuer.text) if plan.issuer else None
    named = [directory.find(name) for duty in plan.duties for name in duty.reports_to]
    counts = Counter(name for name in named if name and name != issuer and len(directory.members(name)) == 1)
    owners = (agency_of(owner.name, directory) for item in plan.items for owner in item.owners)
    return counts.most_common(1)[0][0] if counts else next(filter(None, owners), "")


def agency_of(name: str, directory: Directory) -> str:
    """The directory's id of a body as a document writes it, empty if it knows none."""
    return owner_of(Name(name, 0, 0), directory).agency


def _stated(plan: ImportedPlan) -> dict[str, str]:
    """Where and how the document states the plan's own fields."""
    return {
        "number": str(plan.number.place),
        "issuer": f"«{plan.issuer.text}», {plan.issuer.place}" if plan.issuer else "văn bản không nêu",
        "issued_on": f"«{plan.date_words.text}», {plan.date_words.place}",
        "year": "năm của ngày ban hành",
    }


def _to_confirm(plan: ImportedPlan, directory: DirectoryFile) -> dict[str, str]:
    """The plan's own fields that a person has to settle: not read, read with a doubt, or not in the document."""
    read = {"number": plan.number, "issued_on": plan.date, "year": plan.year}
    found = {name: "không đọc được trong văn bản" for name, value in read.items() if not value}
    for doubt in plan.warnings:
        if doubt.code == "plan_year":
            found["year"] = doubt.message
    if directory.find(plan.issuer.text) is None:
        found["issuer"] = f"chưa khớp danh bạ: {_stated(plan)['issuer']}"
    if not plan.title:
        found["title"] = "văn bản không có tên"
    return found | {
        "short_title": "tên trung tính, không có chữ của lĩnh vực",
        "sms_name": "nhiều nhất 11 ký tự không dấu",
        "supervisor": "cơ quan theo dõi, đôn đốc; đoán theo nơi nhận báo cáo",
    }


def _gaps(plan: ImportedPlan, sections: Iterable[DraftSection]) -> list[Gap]:
    """The numbers that the document leaves out, in sections that keep its numbers."""
    missing = set[str]()
    for section in sections:
        numbers = {item.no for item in section.items if item.printed is None and section.printed is None}
        missing |= {f"{section.roman}.{n}" for n in range(1, max(numbers, default=1)) if n not in numbers}
    places = (each.place for each in plan.warnings if each.code == "number_gap" and each.place in missing)
    return [Gap(citation=place, note=f"Văn bản không có mục {place}.") for place in places]


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
        source=entry.place,
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


def _sections(plan: ImportedPlan, draft: PlanDraft, directory: DirectoryFile) -> Iterator[DraftSection]:
    """The sections that have duties, as a plan file numbers them: with the document's own numbers where it allows them,
    else with new ones beside the printed ones."""
    paragraphs, taken = _paragraphs_by_citation(plan), set[str]()

    def duties(group: Iterable[ItemText]) -> list[DraftDuty]:
        """Those of the entries under one number, in the document's order."""
        found = sorted(((duty, item) for item in group for duty in item.duties), key=lambda each: each[0].place.key)
        return [_duty(draft.new_key(), *each, directory, plan, paragraphs) for each in found]

    for section in plan.sections:
        grouped = _grouped([item for item in section.items if item.duties])
        if grouped:
            number, kept = _number(section.roman, taken), _keeps_numbers([no for no, _ in grouped])
            yield DraftSection(
                roman=number,
                printed=None if number == section.roman else section.roman,
                heading=_line(section.heading or "Phân công nhiệm vụ"),
                kind="standing" if all(item.inline for _, group in grouped for item in group) else "assignments",
                items=[
                    DraftItem(
                        no=int(printed) if kept else n,
                        printed=None if kept else printed,
                        heading=(group[0].topic if len(group) > 1 else "") or group[0].owner,
                        duties=duties(group),
                        request=group[0].request,
                    )
                    for n, (printed, group) in enumerate(grouped, 1)
                ],
            )


def _keeps_numbers(printed: Sequence[str]) -> bool:
    """Whether a plan file can hold the numbers of a section's entries."""
    numbers = [int(no) for no in printed if no.isdigit()]
    return len(numbers) == len(printed) and all(a < b for a, b in pairwise(numbers)) and numbers[0] > 0


def _grouped(items: Sequence[ItemText]) -> list[tuple[str, list[ItemText]]]:
    """Points under one number («1.1», «1.2», each a duty of its own) together; every other entry alone."""
    grouped: list[tuple[str, list[ItemText]]] = []
    for item in items:
        point = _POINT.fullmatch(item.no) if item.inline else None
        if point and grouped and grouped[-1][0] == point["no"]:
            grouped[-1][1].append(item)  # also where the entry above has duties of its own
        else:
            grouped.append((point["no"] if point else item.no, [item]))
    return grouped


def _number(label: str, taken: set[str]) -> str:
    """The section's own number; a Roman one, different from all others, where a plan file cannot hold it."""
    number = label
    if re.fullmatch(SECTION_NUMBER, label) is None or label in taken:
        digits = re.search(r"\d{1,2}", label)
        value = roman_value(label) or (int(digits[0]) if digits else 0)
        wanted = [value] if 0 < value < 40 else []
        number = next(each for n in chain(wanted, count(len(taken) + 1)) if (each := roman(n)) not in taken)
    taken.add(number)
    return number


def _duty(
    key: int,
    duty: DutyText,
    item: ItemText,
    directory: DirectoryFile,
    plan: ImportedPlan,
    paragraphs: Mapping[str, Sequence[tuple[int, int]]],
) -> DraftDuty:
    times = times_of(timing_of(duty.deadlines, plan.year, plan.date))
    owners = (shown(directory, each.agency) if each.agency else each.name for each in item.owners)
    helping = filter(None, (agency_of(name, directory) for name in duty.coordinating))
    output = _line(duty.product)[:MAX_WHAT_CHARS]
    return DraftDuty(
        key=key,
        text="\n".join(_line(row) for row in duty.text.split("\n") if row.strip()),
        owners=list(dict.fromkeys(owners)),
        times=times,
        read_times=times.model_copy(),
        coordinating=[shown(directory, each) for each in dict.fromkeys(helping)],
        output=output,
        output_kind=kind_of(output) if output else OutputKind.DOCUMENT,
        origin=item.origin,
        deadlines=[TimeWords(text=each.text, sentence=each.sentence) for each in duty.deadlines],
        doubts=list(duty.doubts),
        details=list(duty.details),
        partners=list(duty.coordinating),
        paragraphs=_own(paragraphs.get(duty.citation, ()), duty.place.order),
        printed=duty.citation,
        source=duty.place,
        named_at=item.place,
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
