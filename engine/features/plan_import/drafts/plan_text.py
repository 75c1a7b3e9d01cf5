"""The plan file of a draft, as text: the document's values and those to settle under their own headings. Every value
that was not read, or was read with a doubt, is marked «XÁC NHẬN» with the reason until a person has settled it. A
required value that was not found stays empty, so that the file is rejected until somebody fills it in. Pure.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.features.plan_import.drafts.model import TO_ALL, DraftDuty, PlanDraft
from engine.features.plan_import.drafts.plan_data import Reviewed, reviewed
from engine.features.plan_import.drafts.reading import agency_of, as_read
from engine.features.plan_import.importer import ImportedPlan
from engine.features.plan_import.importer.base.model import ORIGIN_WORDS, Use
from engine.features.plan_import.importer.phrases.marks import body_of
from engine.files.directory import DirectoryFile

CONFIRM = "XÁC NHẬN"
_WIDTH = 110
_STATED = "# ── Từ văn bản / From the document " + "─" * 60
_CONFIGURED = "# ── Cấu hình, không có trong văn bản / Configured, not in the document " + "─" * 24
_BESIDE = frozenset({"no_due_date", "unknown_owner", "number_gap", "plan_year"})
"""The doubts that are written beside a value, not at the top."""


def as_plan_yaml(plan: ImportedPlan, directory: DirectoryFile) -> str:
    """The text of a draft plan file (schema ``dondoc/plan@1``) of a document that nobody has corrected."""
    draft = as_read(plan, directory)
    return plan_text(draft, reviewed(draft, directory), directory)


def plan_text(draft: PlanDraft, out: Reviewed, directory: DirectoryFile) -> str:
    """The text of a draft's plan file as corrected so far."""
    return "\n".join(_PlanText(draft, out, directory).lines()) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False) if text else ""


def _block(text: str, indent: int) -> str:
    """A text as a block scalar: folded where it is one paragraph, kept line by line where it has sub-points."""
    rows = [" ".join(row.split()) for row in text.split("\n") if row.strip()]
    sign, parts = "|-", rows
    if len(rows) == 1:
        sign, parts = ">-", textwrap.wrap(rows[0], _WIDTH - indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join([sign, *(" " * indent + part for part in parts)])


def _confirm(why: str | None) -> str:
    """The mark beside a value that a person must check; empty without a reason."""
    return f"  # {CONFIRM}: {' '.join(why.split())}" if why else ""


def _renumbered(printed: str | None) -> str:
    return "" if printed is None else _confirm(f"số in trong văn bản là «{printed or 'không có'}»")


@dataclass
class _PlanText:
    draft: PlanDraft
    out: Reviewed
    directory: DirectoryFile

    def __post_init__(self) -> None:
        places = {place.duty.key: place for place in self.draft.places()}
        sections = self.out.data["sections"]
        entries = [entry for section in sections for item in section["items"] for entry in item["duties"]]
        self._place_of = {
            entry["citation"]: places[key] for entry, key in zip(entries, self.out.origin.values(), strict=True)
        }
        self._first_of = {entry["rule"]: entry for entry in reversed(entries)}

    def lines(self) -> Iterator[str]:
        data = self.out.data
        yield from self._top()
        yield from (_STATED, f"schema: {data['schema']}")
        yield self._field("number", _quoted(data["number"]))
        yield self._field("issuer", data["issuer"])
        yield self._field("issued_on", data["issued_on"] or "")
        yield self._field("year", data["year"] or "")
        if data.get("last_year"):
            why = "năm cuối của giai đoạn; chỉ một năm thì bỏ dòng này" if "year" in self.draft.stated else ""
            yield f"last_year: {data['last_year']}" + _confirm(why)
        yield self._field("title", _block(data["title"], 2) if data["title"] else "")
        yield from ("", _CONFIGURED)
        yield self._field("short_title", _quoted(data["short_title"]))
        sms_name = data["sms_name"]
        yield self._field("sms_name", sms_name if re.fullmatch("[A-Z][A-Z0-9]*", sms_name) else _quoted(sms_name))
        yield self._field("supervisor", data["supervisor"])
        yield f"directory: {data['directory']}" if data["directory"] else "directory:" + _confirm("mã danh bạ")
        if data["gaps"]:
            yield "gaps:"
        for gap in data["gaps"]:
            yield f"  - {{citation: {gap['citation']}, note: {_quoted(gap['note'])}}}"
        yield from self._rules()
        yield from ("", _STATED, "sections:")
        for section in data["sections"]:
            yield from self._section(section)
        yield from self._beside()

    def _top(self) -> Iterator[str]:
        """What the file is, and the doubts that are not repeated beside a value below."""
        yield f"# Bản nháp đọc từ «{self.draft.name}»; dòng có «{CONFIRM}» cần người soát trước khi dùng."
        yield f"# A draft read from “{self.draft.name}”; lines with «{CONFIRM}» must be checked by a person before use."
        undated = sum(each.code == "no_due_date" for each in self.draft.warnings)
        if undated:
            said = f"{undated} nhiệm vụ không nêu thời hạn: không báo cáo riêng (cadence: [ad_hoc]), trừ khi sửa."
            yield f"# {CONFIRM} [no_due_date] cả văn bản: {said}"
        for doubt in (each for each in self.draft.warnings if each.code not in _BESIDE):
            yield f"# {CONFIRM} [{doubt.code}] {doubt.place}: {' '.join(doubt.message.split())}"

    def _field(self, name: str, value: object) -> str:
        """A field of the plan; beside it what is to be confirmed, or else where the document states it."""
        stated = self.draft.stated.get(name)
        mark = _confirm(self.draft.to_confirm.get(name)) or (f"  # {stated}" if stated else "")
        return f"{name}: {value}".rstrip() + mark

    def _rules(self) -> Iterator[str]:
        yield "report_rules:"
        for name, rule in self.out.data["report_rules"].items():
            guessed = f"  # {CONFIRM}" if "supervisor" in self.draft.to_confirm else ""
            mark = self._of_time(self._first_of[name]) if rule["source"] == "plan" else ""
            mark = mark or _confirm("ghi due_day ở đây, hoặc để hỏi khi kích hoạt" if rule.get("ask_day") else "")
            yield from self._rule(name, rule | {"to": f"{rule['to']}{guessed}"}, mark)

    def _rule(self, name: str, rule: Mapping[str, Any], mark: str) -> Iterator[str]:
        yield f"  {name}:{mark}"
        for key, value in rule.items():
            text = _quoted(value) if key in ("basis", "wording") else value
            text = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else text
            yield f"    {key}: {'true' if text is True else text}"

    def _of_time(self, entry: Mapping[str, Any]) -> str:
        """The mark of a duty's times."""
        doubts = self._place_of[entry["citation"]].duty.doubts
        open_ = (each for each in doubts if each.code != "no_due_date" or entry["cadence"] == ["ad_hoc"])
        return _confirm("; ".join(each.message.partition(" / ")[0] for each in open_))

    def _section(self, section: Mapping[str, Any]) -> Iterator[str]:
        first = self._place_of[section["items"][0]["duties"][0]["citation"]]
        yield f"  - roman: {section['roman']}" + _renumbered(first.section.printed)
        yield f"    heading: {_quoted(section['heading'])}"
        yield f"    kind: {section['kind']}"
        yield "    items:"
        for item in section["items"]:
            yield from self._item(item)

    def _item(self, item: Mapping[str, Any]) -> Iterator[str]:
        first = self._place_of[item["duties"][0]["citation"]]
        yield f"      - no: {item['no']}" + _renumbered(first.item.printed)
        yield f"        heading: {_quoted(item['heading'])}"
        yield from self._owners(item["owners"], first.duty, "        ")
        if item["request"]:
            yield "        request: true"
        yield "        duties:"
        for entry in item["duties"]:
            duty = self._place_of[entry["citation"]].duty
            yield from self._duty(entry, duty)
            if "owners" in entry or duty.origin is not first.duty.origin:
                yield from self._owners(entry.get("owners", item["owners"]), duty, "            ")

    def _owners(self, ids: Iterable[str], duty: DraftDuty, indent: str) -> Iterator[str]:
        place = f"  # {duty.named_at}" if duty.named_at else ""
        guessed = ORIGIN_WORDS.get(duty.origin)
        yield f"{indent}owners: [{', '.join(ids)}]{place}" + _confirm(guessed.vi if guessed else "")
        for name in (name for name in duty.owners if name in self.out.lacking):
            yield f"{indent}# {CONFIRM}: danh bạ không có «{name}»; thêm vào danh bạ hoặc sửa mã"

    def _duty(self, entry: Mapping[str, Any], duty: DraftDuty) -> Iterator[str]:
        yield f"          - citation: {entry['citation']}  # {duty.source}"
        yield f"            text: {_block(entry['text'], 14)}"
        yield f"            cadence: [{', '.join(entry['cadence'])}]" + self._of_time(entry)
        yield f"            rule: {entry['rule']}"
        if entry["coordinating"]:
            yield f"            coordinating: [{', '.join(entry['coordinating'])}]"
        for name in dict.fromkeys(duty.partners):
            if not agency_of(name, self.directory):
                yield f"            # phối hợp với «{name}»: không có trong danh bạ / not in the directory"
        if output := entry.get("output"):
            yield f"            output: {{what: {_quoted(output['what'])}, kind: {output['kind']}}}"
        for detail in duty.details:
            yield f"            # văn bản ghi thêm / the document adds: {_quoted(detail)}"
        if duty.deadlines:
            wording = "; ".join(each.text for each in duty.deadlines)
            yield f"            # thời gian trong văn bản / time in the document: {_quoted(wording)}"

    def _beside(self) -> Iterator[str]:
        """What is in no duty: instructions to everybody, and how much was left out."""
        used = self.draft.used()
        for n, line in enumerate(self.draft.document):
            if line.reason == TO_ALL and (n not in used or line.use is Use.DUTY):
                yield f"# Yêu cầu chung / to all ({line.source}): {_quoted(body_of(line.text))}"
        left = sum(each.use is Use.LEFT_OUT for n, each in enumerate(self.draft.document) if n not in used)
        if left:
            yield f"# {left} đoạn không lấy thành nhiệm vụ / paragraphs left out; xem «dondoc plan import --json»"
