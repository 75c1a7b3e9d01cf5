"""The output («sản phẩm») that proves a duty done, and what a report gives of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from engine.enums import complete
from engine.rules.calendar import written
from engine.terms import OutputKind
from engine.text import Text

MAX_WHAT_CHARS = 600
KIND_WORDS = complete(
    OutputKind,
    {
        OutputKind.DOCUMENT: Text("văn bản", "document"),
        OutputKind.FIGURE: Text("số liệu", "figure"),
        OutputKind.EVENT: Text("sự kiện", "event"),
    },
)
_COUNTED = r"(?:các |những |từ |trên |ít nhất |\d[\d.,]* ?)?"
_DOCUMENT = re.compile(
    _COUNTED + r"(?:báo cáo|quyết định|kế hoạch|văn bản|công văn|đề án|tờ trình|nghị quyết|hướng dẫn|dự thảo|hồ sơ)\b",
    re.IGNORECASE,
)
_EVENT = re.compile(
    _COUNTED + r"(?:hội nghị|hội thảo|hội thi|buổi|cuộc|lớp|lễ|đợt|diễn tập)\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"(?:số lượng|số liệu|tỷ lệ|tỉ lệ|chỉ số|tổng số)\b|(?:từ |trên |ít nhất )?\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Output:
    """What a duty owes beside the work itself."""

    what: str
    kind: OutputKind

    @property
    def stored(self) -> dict[str, str]:
        return {"what": self.what, "kind": self.kind.value}


@dataclass(frozen=True, slots=True)
class GivenOutput:
    """What a report says of its duty's output: a paper's number and date, a figure, or the day of an event. The files
    are the report's."""

    number: str = ""
    on: date | None = None
    figure: str = ""

    @property
    def stored(self) -> dict[str, str]:
        day = "" if self.on is None else self.on.isoformat()
        return {name: value for name, value in (("number", self.number), ("on", day), ("figure", self.figure)) if value}

    @property
    def words(self) -> Text:
        """«12/QĐ-UBND, thứ Tư, 30/6/2021»."""
        said = [each for each in (self.number, self.figure) if each]
        vi, en = ([*said, *([written(self.on, language)] if self.on else [])] for language in ("vi", "en"))
        return Text(", ".join(vi), ", ".join(en))


def read_output(stored: Mapping[str, str] | None) -> Output | None:
    """As ``Duty.output`` holds it."""
    return Output(stored["what"], OutputKind(stored["kind"])) if stored else None


def read_given(stored: Mapping[str, str] | None) -> GivenOutput | None:
    """As ``Report.output`` holds it."""
    if not stored:
        return None
    on = stored.get("on", "")
    return GivenOutput(stored.get("number", ""), date.fromisoformat(on) if on else None, stored.get("figure", ""))


def kind_of(what: str) -> OutputKind:
    """What the words of a document probably mean; a person corrects it."""
    begins = ((_DOCUMENT, OutputKind.DOCUMENT), (_EVENT, OutputKind.EVENT), (_FIGURE, OutputKind.FIGURE))
    return next((kind for pattern, kind in begins if pattern.match(what.strip())), OutputKind.DOCUMENT)
