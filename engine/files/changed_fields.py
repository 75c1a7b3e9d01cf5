"""Which fields of a plan file differ between two versions: those of the models, so that a field added to the file is
compared without a line here. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pydantic import BaseModel

from engine.files.base_model import FileModel
from engine.files.plan import PlanFile
from engine.files.plan_parts import DutyEntry, Indicator, ItemEntry, OutputEntry, PlacedDuty, ReportRule, Section
from engine.rules.outputs import KIND_WORDS
from engine.text import Text

_TOLD_OTHERWISE: Mapping[type[FileModel], frozenset[str]] = {
    PlanFile: frozenset({"format", "indicators", "report_rules", "sections"}),
    Section: frozenset({"roman", "items"}),
    ItemEntry: frozenset({"no", "owners", "request", "duties"}),
    DutyEntry: frozenset({"citation", "text", "cadence", "rule", "coordinating", "owners"}),
    ReportRule: frozenset(
        {
            *("due_day", "due_on", "due_days", "weekday", "in_last_month", "in_next_month"),
            *("roll", "overrides", "year_covers_h2", "on", "months_after_issue"),
        }
    ),
    Indicator: frozenset({"name", "target", "total_of"}),
}
"""Fields that a comparison shows in a way of its own: as owners, cadence, number, or by the due dates that follow."""

FIELD_WORDS: Mapping[str, Text] = {
    "area": Text("trọng tâm", "focus area"),
    "waits_for": Text("chờ nhiệm vụ", "waits for"),
    "repeats": Text("lặp lại nhiệm vụ", "repeats"),
    "output": Text("sản phẩm", "output"),
    "cadence_choices": Text("chu kỳ để chọn", "cadences to choose from"),
    "report.to": Text("gửi báo cáo về", "reports to"),
    "report.wording": Text("lời của văn bản về hạn", "wording of the date"),
    "report.source": Text("nguồn của hạn", "source of the date"),
    "report.basis": Text("căn cứ của hạn", "basis of the date"),
    "report.ask_day": Text("hỏi ngày khi kích hoạt", "day asked for at activation"),
    "report.window": Text("kỳ số liệu", "data window"),
    "item.heading": Text("đề mục", "heading"),
    "section.heading": Text("tên phần", "section"),
    "section.kind": Text("loại phần", "kind of section"),
}


@dataclass(frozen=True)
class Detail:
    """A field that differs, with both values as texts; empty where it has none."""

    field: str
    before: str
    after: str

    @property
    def words(self) -> Text:
        """What people call the field; its name in the file where nobody has said."""
        return FIELD_WORDS.get(self.field, Text.same(self.field))


def details(before: FileModel, after: FileModel, prefix: str = "") -> Iterator[Detail]:
    """The fields of one part of the file that differ, but for those that are told otherwise."""
    for name in type(before).model_fields:
        was, now = getattr(before, name), getattr(after, name)
        if name not in _TOLD_OTHERWISE[type(before)] and was != now:
            yield Detail(prefix + name, _shown(was), _shown(now))


def duty_details(
    before: PlacedDuty,
    after: PlacedDuty,
    rules: tuple[ReportRule, ReportRule],
    numbers: Mapping[str, str],
    names: Mapping[str, str],
) -> Iterator[Detail]:
    """What differs in a duty, its item, its section and its rule. ``numbers``: the old citations of duties -> the new
    ones, so that a duty that waits for a renumbered one waits for the same. ``names``: of agencies."""
    same = {
        "waits_for": tuple(numbers.get(each, each) for each in before.duty.waits_for),
        "repeats": numbers.get(before.duty.repeats or "", before.duty.repeats),
    }
    unchanged = {name for name, value in same.items() if value == getattr(after.duty, name)}
    yield from (each for each in details(before.duty, after.duty) if each.field not in unchanged)
    yield from details(before.item, after.item, "item.")
    yield from details(before.section, after.section, "section.")
    for each in details(*rules, "report."):
        if each.field == "report.to":
            each = replace(each, before=names.get(each.before, each.before), after=names.get(each.after, each.after))
        yield each


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case tuple():
            return ", ".join(map(_shown, value))
        case OutputEntry():
            return f"{value.what} ({KIND_WORDS[value.kind].vi})"
        case BaseModel():
            return " ".join(filter(None, (_shown(getattr(value, name)) for name in type(value).model_fields)))
    return str(value)
