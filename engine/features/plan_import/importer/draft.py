"""A draft plan file from an imported plan, to be completed by a person. Values from the document and values to settle
are in separate parts: every value that was not read, or was read with a doubt, is marked «XÁC NHẬN» with the reason. A
required value that was not found stays empty, so that the file is rejected until somebody fills it in.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from engine.features.plan_import.importer.assembly import DraftItem, DraftSection, arranged
from engine.features.plan_import.importer.base.model import ORIGIN_WORDS, Doubt, DutyText, ImportedPlan, ItemText
from engine.features.plan_import.importer.phrases.names import Name
from engine.features.plan_import.importer.phrases.owners import Directory, owner_of
from engine.features.plan_import.importer.phrases.timing import Timing, timing_of
from engine.files.directory import fold
from engine.rules.outputs import MAX_WHAT_CHARS, kind_of

CONFIRM = "XÁC NHẬN"
_DEFAULT_RULE = "mac-dinh"
_WIDTH = 110
_STATED = "# ── Từ văn bản / From the document " + "─" * 60


def as_plan_yaml(plan: ImportedPlan, directory: Directory) -> str:
    """The text of a draft plan file (schema ``dondoc/plan@1``)."""
    return "\n".join(_Draft(plan, directory, arranged(plan)).lines()) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def _block(text: str, indent: int) -> str:
    """A text as a block scalar: folded where it is one paragraph, kept line by line where it has sub-points."""
    rows = [" ".join(row.split()) for row in text.split("\n") if row.strip()]
    sign, parts = "|-", rows
    if len(rows) == 1:
        sign, parts = ">-", textwrap.wrap(rows[0], _WIDTH - indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join([sign, *(" " * indent + part for part in parts)])


def _confirm(why: str) -> str:
    """The mark beside a value that a person must check; empty without a reason."""
    return f"  # {CONFIRM}: {' '.join(why.split())}" if why else ""


def _slug(name: str) -> str:
    """An id for a body that the directory does not know: letters without marks, hyphens between words."""
    return re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:60].strip("-") or "chua-ro"


@dataclass
class _Draft:
    plan: ImportedPlan
    directory: Directory
    arranged: Sequence[DraftSection]
    rules: dict[tuple[str, str], tuple[Timing, str]] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        sections = [line for each in self.arranged for line in self._section(each)]  # first: they say which rules
        yield from self._head()
        yield from self._settings()
        yield from self._rules()
        yield from ("", _STATED, "sections:", *sections)
        yield from self._beside()

    def _beside(self) -> Iterator[str]:
        """What is in no duty: instructions to everybody, and how much was left out."""
        for each in self.plan.instructions:
            yield f"# Yêu cầu chung / to all ({each.place}): {_quoted(each.text)}"
        left = [each for each in self.plan.left_out if each.text]
        if left:
            yield f"# {len(left)} đoạn không lấy thành nhiệm vụ / paragraphs left out; xem «dondoc plan import --json»"

    # -- the head --------------------------------------------------------------------------------------------------

    def _head(self) -> Iterator[str]:
        plan = self.plan
        yield f"# Bản nháp đọc từ «{plan.name}»; dòng có «{CONFIRM}» cần người soát trước khi dùng."
        yield f"# A draft read from “{plan.name}”; lines with «{CONFIRM}» must be checked by a person before use."
        for doubt in self._shown_doubts():
            yield f"# {CONFIRM} [{doubt.code}] {doubt.place}: {' '.join(doubt.message.split())}"
        yield from (_STATED, "schema: dondoc/plan@1")
        yield self._given("number", _quoted(plan.number.text) if plan.number else "", str(plan.number.place))
        issuer = self.directory.find(plan.issuer.text) if plan.issuer else None
        said = f"«{plan.issuer.text}», {plan.issuer.place}" if plan.issuer else "văn bản không nêu"
        yield f"issuer: {issuer}  # {said}" if issuer else self._asked("issuer", f"chưa khớp danh bạ: {said}")
        day = plan.date.isoformat() if plan.date else ""
        yield self._given("issued_on", day, f"«{plan.date_words.text}», {plan.date_words.place}")
        yield self._year()
        if self.plan.last_year:
            yield f"last_year: {self.plan.last_year}  # {CONFIRM}: năm cuối của giai đoạn; chỉ một năm thì bỏ dòng này"
        yield f"title: {_block(plan.title.text, 2)}" if plan.title else self._asked("title", "văn bản không có tên")

    def _year(self) -> str:
        doubt = next((each.message for each in self.plan.warnings if each.code == "plan_year"), "")
        year = str(self.plan.year or "")
        return self._asked("year", doubt, year) if doubt else self._given("year", year, "năm của ngày ban hành")

    def _shown_doubts(self) -> Iterator[Doubt]:
        """Doubts that are not repeated beside a value below."""
        beside = {"no_due_date", "unknown_owner", "number_gap", "plan_year"}
        undated = sum(each.code == "no_due_date" for each in self.plan.warnings)
        if undated:
            said = f"{undated} nhiệm vụ không nêu thời hạn: không báo cáo riêng (cadence: [ad_hoc]), trừ khi sửa."
            yield Doubt("no_due_date", said, "cả văn bản")
        yield from (each for each in self.plan.warnings if each.code not in beside)

    def _given(self, key: str, value: str, where: str) -> str:
        return f"{key}: {value}  # {where}" if value else self._asked(key, "không đọc được trong văn bản")

    def _asked(self, key: str, why: str, value: str = "") -> str:
        return f"{key}: {value}".rstrip() + _confirm(why)

    def _settings(self) -> Iterator[str]:
        yield from ("", "# ── Cấu hình, không có trong văn bản / Configured, not in the document " + "─" * 24)
        number, year = self.plan.number.text, self.plan.year
        if self.plan.last_year and self.plan.date:
            year = self.plan.date.year  # of several years: known by the one of its issue
        issued_then = self.plan.date is None or self.plan.date.year == year
        named = re.match(
            "(?i)chương trình|phương án|đề án|chỉ thị|thông báo|hướng dẫn|nghị quyết|công điện|kết luận"
            "|quyết định(?!.*(?:kế hoạch|chương trình))",
            self.plan.title.text,
        )
        issued = re.search("/(?:KH|QĐ)", number) or not re.search("/[A-ZĐ]", number)
        kind = (named[0] if named else "Kế hoạch" if issued else "Văn bản").capitalize()
        name = _quoted(f"{kind} {number} {'năm' if issued_then else 'của năm'} {year}"[:80]) if number and year else ""
        yield self._asked("short_title", "tên trung tính, không có chữ của lĩnh vực", name)
        yield self._asked("sms_name", "nhiều nhất 11 ký tự không dấu", self._sms_name())
        yield self._asked("supervisor", "cơ quan theo dõi, đôn đốc; đoán theo nơi nhận báo cáo", self.supervisor)
        yield f"directory: {self.directory.id}" if self.directory.id else self._asked("directory", "mã danh bạ")
        yield from self._gap_lines()

    def _sms_name(self) -> str:
        found = re.match(r"(\d+)[a-zA-Z]?[/-](?:\d{4}[/-])?([a-z]\w*)", fold(self.plan.number.text))
        return f"{found[2].upper()[:4]}{found[1]}"[:11] if found else ""

    @cached_property
    def supervisor(self) -> str:
        """The known agency to which most duties report, other than the issuer; else the first owner."""
        issuer = self.directory.find(self.plan.issuer.text) if self.plan.issuer else None
        named = [self.directory.find(name) for duty in self.plan.duties for name in duty.reports_to]
        counts = Counter(name for name in named if name and name != issuer and len(self.directory.members(name)) == 1)
        owners = (self._agency(owner.name) for item in self.plan.items for owner in item.owners)
        return counts.most_common(1)[0][0] if counts else next(filter(None, owners), "")

    def _agency(self, name: str) -> str:
        """The directory's id of a body, empty if it knows none."""
        return owner_of(Name(name, 0, 0), self.directory).agency

    def _gap_lines(self) -> Iterator[str]:
        missing = {f"{s.roman}.{n}" for s in self.arranged if s.kept and not s.changed for n in s.missing}
        gaps = [each.place for each in self.plan.warnings if each.code == "number_gap" and each.place in missing]
        if gaps:
            yield "gaps:"
        for place in gaps:
            yield f"  - {{citation: {place}, note: {_quoted(f'Văn bản không có mục {place}.')}}}"

    # -- rules -----------------------------------------------------------------------------------------------------

    def _timing(self, duty: DutyText) -> tuple[Timing, str]:
        """The timing of a duty and the id of its rule; equal wordings share a rule."""
        timing = timing_of(duty.deadlines, self.plan.year)
        days = [str(day) for day in (timing.on, timing.due_day) if day]
        if not days:
            return timing, _DEFAULT_RULE
        stem = "-".join(("ngay", *days))
        return self.rules.setdefault((stem, timing.wording), (timing, f"{stem}-{len(self.rules) + 1}"))

    def _rules(self) -> Iterator[str]:
        yield "report_rules:"
        yield f"  {_DEFAULT_RULE}:" + _confirm("văn bản không nêu ngày gửi; ngày dưới đây là cấu hình")
        yield from ("    source: local", f"    to: {self.supervisor}", "    due_day: 17")
        if self.rules:
            yield "  # ── Từ văn bản / From the document"
        for timing, name in self.rules.values():
            yield f"  {name}:" + _confirm(timing.confirm)
            yield from ("    source: plan", f"    to: {self.supervisor}  # {CONFIRM}")
            if timing.on:
                yield f"    on: {timing.on}"
            if timing.due_day:
                yield f"    due_day: {timing.due_day}"
            if timing.in_last_month:
                yield "    in_last_month: true"
            yield f"    wording: {_quoted(timing.wording)}"

    # -- sections --------------------------------------------------------------------------------------------------

    def _section(self, section: DraftSection) -> Iterator[str]:
        changed = f"số in trong văn bản là «{section.printed or 'không có'}»" if section.changed else ""
        yield f"  - roman: {section.roman}" + _confirm(changed)
        yield f"    heading: {_quoted(section.heading)}"
        yield f"    kind: {'standing' if section.standing else 'assignments'}"
        yield "    items:"
        for item in section.items:
            yield from self._item(item, section)

    def _item(self, item: DraftItem, section: DraftSection) -> Iterator[str]:
        changed = "" if section.kept else f"số in trong văn bản là «{item.printed or 'không có'}»"
        yield f"      - no: {item.no}" + _confirm(changed)
        yield f"        heading: {_quoted(item.heading)}"
        first = item.duties[0][1]
        yield from self._owner_lines(first, "        ")
        if first.request:
            yield "        request: true"
        yield "        duties:"
        place = f"{section.roman}.{item.no}"
        for n, (duty, of) in enumerate(item.duties, 1):
            single = section.standing and len(item.duties) == 1
            yield from self._duty(duty, place if single else f"{place}.{n}")
            if of.owners != first.owners:
                yield from self._owner_lines(of, "            ")

    def _owner_lines(self, item: ItemText, indent: str) -> Iterator[str]:
        known = {owner.name: self._agency(owner.name) for owner in item.owners}
        ids = dict.fromkeys(agency or _slug(name) for name, agency in known.items())
        said = ORIGIN_WORDS.get(item.origin)
        yield f"{indent}owners: [{', '.join(ids)}]  # {item.place}" + _confirm(said.vi if said else "")
        for name in (name for name, agency in known.items() if not agency):
            yield f"{indent}# {CONFIRM}: danh bạ không có «{name}»; thêm vào danh bạ hoặc sửa mã"

    def _duty(self, duty: DutyText, citation: str) -> Iterator[str]:
        timing, rule = self._timing(duty)
        yield f"          - citation: {citation}  # {duty.place}"
        yield f"            text: {_block(duty.text, 14)}"
        yield f"            cadence: [{', '.join(timing.cadence)}]" + _confirm(timing.confirm)
        yield f"            rule: {rule}"
        known = {name: self._agency(name) for name in duty.coordinating}
        if any(known.values()):
            yield f"            coordinating: [{', '.join(dict.fromkeys(filter(None, known.values())))}]"
        for name in (name for name, agency in known.items() if not agency):
            yield f"            # phối hợp với «{name}»: không có trong danh bạ / not in the directory"
        if what := " ".join(duty.product.split())[:MAX_WHAT_CHARS]:
            yield f"            output: {{what: {_quoted(what)}, kind: {kind_of(what).value}}}"
        for detail in duty.details:
            yield f"            # văn bản ghi thêm / the document adds: {_quoted(detail)}"
        if timing.wording:
            yield f"            # thời gian trong văn bản / time in the document: {_quoted(timing.wording)}"
