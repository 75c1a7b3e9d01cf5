"""What a report gives of its duty's output, from what was typed. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from engine.rules.outputs import GivenOutput, Output
from engine.rules.typed_day import read_typed_day
from engine.terms import OutputKind
from engine.text import Text

PAPER_NUMBER = re.compile(r"[0-9]{1,6} ?[/-] ?[^\s/][^/]{0,60}")
MAX_FIGURE_CHARS = 200


@dataclass(frozen=True)
class TypedOutput:
    """``said``: a paper's number or a figure, by the kind that is owed; ``on``: the day of the paper or the event."""

    said: str = ""
    on: str = ""


def read_typed_output(
    typed: TypedOutput, owed: Output | None, today: date
) -> tuple[GivenOutput | None, dict[str, Text]]:
    """What is given, None if nothing was typed, and errors by field: ``output``, ``outputon``. Whether it is enough is
    for the monitor to say."""
    said = " ".join(typed.said.split())
    if not said and not typed.on.strip():
        return None, {}
    if owed is None:
        return None, {"output": Text("Nhiệm vụ này không có sản phẩm phải nộp.", "This duty owes no output.")}
    on = read_typed_day(typed.on, today, past=True) if typed.on.strip() else None
    problems = _said_problems(said, owed.kind)
    if typed.on.strip() and on is None:
        problems["outputon"] = Text("Không đọc được ngày; viết như 17/6/2021.", "Write this date like 17/6/2021.")
    elif on is not None and on > today:
        problems["outputon"] = Text("Ngày này chưa đến.", "This day has not come yet.")
    number, figure = (said, "") if owed.kind is OutputKind.DOCUMENT else ("", said)
    return GivenOutput(number=number, on=on, figure=figure), problems


def _said_problems(said: str, kind: OutputKind) -> dict[str, Text]:
    if kind is OutputKind.DOCUMENT and not PAPER_NUMBER.fullmatch(said):
        return {"output": Text("Hãy ghi số, ký hiệu như 12/QĐ-UBND.", "Write its number, like 12/QĐ-UBND.")}
    if len(said) > MAX_FIGURE_CHARS:
        most = f"{MAX_FIGURE_CHARS}"
        return {"output": Text(f"Dài quá {most} ký tự.", f"Longer than {most} characters.")}
    return {}
