"""A draft of a plan file from an imported plan, for a person to finish.

What the document says and what the office has to settle stand apart: every value that was not read, or was read with
a doubt, carries «XÁC NHẬN» with the reason. A value that must be there and is nowhere stays empty, so that the file
is refused until somebody fills it in.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from engine.files.directory import fold
from engine.importer.arrangement import DraftItem, DraftSection, arranged
from engine.importer.model import Doubt, DutyText, ImportedPlan, Owner, Place
from engine.importer.phrases.names import Name
from engine.importer.phrases.owners import Directory, owner_of
from engine.importer.phrases.timing import Timing, timing_of

CONFIRM = "XÁC NHẬN"
_DEFAULT_RULE = "mac-dinh"
_WIDTH = 110
_FROM_DOCUMENT = "# ── Từ văn bản / From the document " + "─" * 60


def as_plan_yaml(plan: ImportedPlan, directory: Directory) -> str:
    """The text of a draft plan file (schema ``dondoc/plan@1``)."""
    return "\n".join(_Draft(plan, directory, arranged(plan)).lines()) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def _block(text: str, indent: int) -> Iterator[str]:
    """A text as a block scalar: folded where it is one paragraph, kept line by line where it has sub-points."""
    rows = [" ".join(row.split()) for row in text.split("\n") if row.strip()]
    yield ">-" if len(rows) == 1 else "|-"
    for row in rows:
        width = max(40, _WIDTH - indent) if len(rows) == 1 else 1_000_000
        for part in textwrap.wrap(row, width, break_long_words=False, break_on_hyphens=False):
            yield " " * indent + part


def _slug(name: str) -> str:
    """An id for a body that the directory does not know: letters without marks, hyphens between words."""
    return re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:60].strip("-") or "chua-ro"


@dataclass
class _Draft:
    plan: ImportedPlan
    directory: Directory
    arranged: Sequence[DraftSection]
    rules: dict[str, Timing] = field(default_factory=dict)
    named: dict[tuple[str, str], str] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        sections = [
            line for each in self.arranged for line in self._section(each)
        ]  # first: they say which rules are needed
        yield from self._head()
        yield from self._settings()
        yield from self._rules()
        yield ""
        yield _FROM_DOCUMENT
        yield "sections:"
        yield from sections
        yield from self._beside()

    def _beside(self) -> Iterator[str]:
        """What is in no duty: instructions to all, and how much was left out."""
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
        yield _FROM_DOCUMENT
        yield "schema: dondoc/plan@1"
        yield from self._given("number", _quoted(plan.number.text) if plan.number else "", str(plan.number.place))
        issuer = self.directory.find(plan.issuer.text) if plan.issuer else None
        said = f"«{plan.issuer.text}», {plan.issuer.place}" if plan.issuer else "văn bản không nêu"
        yield f"issuer: {issuer}  # {said}" if issuer else self._asked("issuer", f"chưa khớp danh bạ: {said}")
        day = plan.date.isoformat() if plan.date else ""
        yield from self._given("issued_on", day, f"«{plan.date_words.text}», {plan.date_words.place}")
        yield from self._given("year", str(plan.date.year) if plan.date else "", "năm của ngày ban hành")
        title = "\n".join(_block(plan.title.text, 2))
        yield f"title: {title}" if plan.title else self._asked("title", "văn bản không có tên")

    def _shown_doubts(self) -> Iterator[Doubt]:
        """Doubts that no line below repeats beside its value."""
        beside = {"no_due_date", "unknown_owner", "number_gap"}
        undated = sum(each.code == "no_due_date" for each in self.plan.warnings)
        if undated:
            said = f"{undated} nhiệm vụ không nêu thời hạn: không báo cáo riêng (cadence: [ad_hoc]), trừ khi sửa."
            yield Doubt("no_due_date", said, "cả văn bản")
        yield from (each for each in self.plan.warnings if each.code not in beside)

    def _given(self, key: str, value: str, where: str) -> Iterator[str]:
        yield f"{key}: {value}  # {where}" if value else self._asked(key, "không đọc được trong văn bản")

    def _asked(self, key: str, why: str, value: str = "") -> str:
        return f"{key}: {value}  # {CONFIRM}: {' '.join(why.split())}".replace(":   #", ":  #")

    def _settings(self) -> Iterator[str]:
        yield ""
        yield "# ── Cấu hình, không có trong văn bản / Configured, not in the document " + "─" * 24
        number, year = self.plan.number.text, self.plan.date.year if self.plan.date else None
        kind = self.plan.title.text.split("\n")[0][:20].capitalize() if self.plan.title else "Kế hoạch"
        kind = next((each for each in ("Chương trình", "Phương án", "Đề án") if kind.startswith(each)), "Kế hoạch")
        name = f"{kind} {number} năm {year}" if number and year else ""
        shown = _quoted(name[:80]) if name else ""
        yield self._asked("short_title", "tên trung tính, không có chữ của lĩnh vực", shown)
        yield self._asked("sms_name", "nhiều nhất 11 ký tự không dấu", self._sms_name())
        yield self._asked("supervisor", "cơ quan theo dõi, đôn đốc; đoán theo nơi nhận báo cáo", self.supervisor)
        yield f"directory: {self.directory.id}" if self.directory.id else self._asked("directory", "mã danh bạ")
        yield from self._gap_lines()

    def _sms_name(self) -> str:
        found = re.match(r"(\d+)[a-zA-Z]?[/-](\w+)", fold(self.plan.number.text))
        return f"{found[2].upper()[:4]}{found[1]}"[:11] if found else ""

    @cached_property
    def supervisor(self) -> str:
        """The known body to which most duties report, the issuer aside; else the first owner."""
        issuer = self.directory.find(self.plan.issuer.text) if self.plan.issuer else None
        named = [self.directory.find(name) for duty in self.plan.duties for name in duty.reports_to]
        counts = Counter(name for name in named if name and name != issuer and len(self.directory.members(name)) == 1)
        owners = [agency for item in self.plan.items for owner in item.owners if (agency := self._agency(owner))]
        return counts.most_common(1)[0][0] if counts else next(iter(owners), "")

    def _agency(self, owner: Owner) -> str:
        return owner.agency or owner_of(Name(owner.name, 0, 0), self.directory).agency

    def _gap_lines(self) -> Iterator[str]:
        gaps = [each for each in self.plan.warnings if each.code == "number_gap"]
        kept = {section.roman for section in self.arranged if section.kept and not section.changed}
        missing = {f"{s.roman}.{n}" for s in self.arranged if s.roman in kept for n in s.missing}
        placed = [each.place for each in gaps if each.place in missing]
        if placed:
            yield "gaps:"
            for place in placed:
                yield f"  - {{citation: {place}, note: {_quoted(f'Văn bản không có mục {place}.')}}}"

    # -- rules -----------------------------------------------------------------------------------------------------

    def _timing(self, duty: DutyText) -> tuple[Timing, str]:
        """The timing of a duty and the id of its rule; equal wordings share a rule."""
        year = self.plan.date.year if self.plan.date else 2000
        timing = timing_of(duty.deadlines, year)
        if timing.on is None and timing.due_day is None:
            return timing, _DEFAULT_RULE
        days = (timing.on.isoformat() if timing.on else "", str(timing.due_day or ""))
        stem = "-".join(("ngay", *filter(None, days)))
        rule = self.named.setdefault((stem, timing.wording), f"{stem}-{len(self.rules) + 1}")
        self.rules.setdefault(rule, timing)
        return timing, rule

    def _rules(self) -> Iterator[str]:
        yield "report_rules:"
        yield f"  {_DEFAULT_RULE}:  # {CONFIRM}: văn bản không nêu ngày gửi; ngày dưới đây là cấu hình"
        yield "    source: local"
        yield f"    to: {self.supervisor}"
        yield "    due_day: 17"
        if not self.rules:
            return
        yield "  # ── Từ văn bản / From the document"
        for name, timing in self.rules.items():
            yield f"  {name}:" + (f"  # {CONFIRM}: {timing.confirm}" if timing.confirm else "")
            yield "    source: plan"
            yield f"    to: {self.supervisor}  # {CONFIRM}"
            if timing.on:
                yield f"    on: {timing.on.isoformat()}"
            if timing.due_day:
                yield f"    due_day: {timing.due_day}"
            yield f"    wording: {_quoted(timing.wording)}"

    # -- sections --------------------------------------------------------------------------------------------------

    def _section(self, section: DraftSection) -> Iterator[str]:
        changed = f"  # {CONFIRM}: số in trong văn bản là «{section.printed}»" if section.changed else ""
        yield f"  - roman: {section.roman}{changed}"
        yield f"    heading: {_quoted(section.heading)}"
        yield f"    kind: {'standing' if section.standing else 'assignments'}"
        yield "    items:"
        for item in section.items:
            yield from self._item(item, section)

    def _item(self, item: DraftItem, section: DraftSection) -> Iterator[str]:
        shown = "" if section.kept else f"  # {CONFIRM}: số in trong văn bản là «{item.printed or 'không có'}»"
        yield f"      - no: {item.no}{shown}"
        yield f"        heading: {_quoted(item.heading)}"
        first = item.duties[0][1]
        yield from self._owner_lines(first.owners, "        ", first.place)
        if first.request:
            yield "        request: true"
        yield "        duties:"
        for n, (duty, of) in enumerate(item.duties, 1):
            single = section.standing and len(item.duties) == 1
            place = f"{section.roman}.{item.no}"
            yield from self._duty(duty, place if single else f"{place}.{n}")
            if of.owners != first.owners:
                yield from self._owner_lines(of.owners, "            ", of.place)

    def _owner_lines(self, owners: Sequence[Owner], indent: str, place: Place) -> Iterator[str]:
        ids = [self._agency(owner) or _slug(owner.name) for owner in owners]
        yield f"{indent}owners: [{', '.join(dict.fromkeys(ids))}]  # {place}"
        for owner in owners:
            if not self._agency(owner):
                yield f"{indent}# {CONFIRM}: danh bạ không có «{owner.name}»; thêm vào danh bạ hoặc sửa mã"

    def _duty(self, duty: DutyText, citation: str) -> Iterator[str]:
        timing, rule = self._timing(duty)
        yield f"          - citation: {citation}  # {duty.place}"
        yield "            text: " + "\n".join(_block(duty.text, 14))
        doubt = f"  # {CONFIRM}: {timing.confirm}" if timing.confirm else ""
        yield f"            cadence: [{', '.join(timing.cadence)}]{doubt}"
        yield f"            rule: {rule}"
        known = {name: owner_of(Name(name, 0, 0), self.directory).agency for name in duty.coordinating}
        if any(known.values()):
            yield f"            coordinating: [{', '.join(dict.fromkeys(filter(None, known.values())))}]"
        for name in (name for name, agency in known.items() if not agency):
            yield f"            # phối hợp với «{name}»: không có trong danh bạ / not in the directory"
        if timing.wording:
            yield f"            # thời gian trong văn bản / time in the document: {_quoted(timing.wording)}"
