"""One submission of an agency for a period: turns the form's input into reports, or into errors by field.

Pure. Partial submissions are allowed: duties without an outcome are left out. Figures are checked against the plan's
indicators (bounds, part ≤ whole) and stored with the duty that they are asked of, else with the first one.

What a report gives of its duty's output, from what was typed. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from engine.assignments.lifecycle import ReportText, SignedPaper
from engine.assignments.promise_rows import PromiseText
from engine.files.plan_parts import Indicator
from engine.rules.calendar import ONE_DAY, written
from engine.rules.outputs import GivenOutput, Output
from engine.rules.policy import Reason
from engine.rules.typed_day import read_typed_day
from engine.terms import Outcome, OutputKind
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


LATER = ""
"""The outcome of a duty that is not reported this time."""
_GROUPED = re.compile(r"[0-9]{1,3}(?:[ .,][0-9]{3})+")
_COUNT = re.compile(r"[0-9]{1,12}")
_PERCENT = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{1,4})?")
NO_OUTCOME = Text("Chưa chọn kết quả cho việc nào.", "No duty has an outcome.")


@dataclass(frozen=True, kw_only=True)
class TypedPromise:
    """The form input for the promise about an unfinished task. ``waits_for``: an agency, by its name or id. ``field``:
    the end of its fields' names, by default the assignment's id."""

    on: str = ""
    code: str = ""
    waits_for: str = ""
    owed: str = ""
    field: str = ""


@dataclass(frozen=True, kw_only=True)
class PromiseChoices:
    """What a promise is chosen from. ``proposed``: the day where nobody names one. ``agencies``: ids by what was typed,
    of the agencies that the directory has."""

    today: date
    proposed: date
    reasons: tuple[Reason, ...]
    agencies: Mapping[str, str] = field(default_factory=dict)

    @property
    def earliest(self) -> date:
        return self.today + ONE_DAY

    def reason(self, code: str) -> Reason | None:
        return next((each for each in self.reasons if each.code == code), None)


@dataclass(frozen=True, kw_only=True)
class Typed:
    """The form input for one duty."""

    assignment_id: int
    citation: str
    outcome: str = LATER
    body: str = ""
    reason: str = ""
    files: tuple[Mapping[str, object], ...] = ()
    """Entries of ``engine.assignments.reports.evidence.StoredFile.as_entry``."""
    promise: TypedPromise = field(default_factory=TypedPromise)
    """Read only if the task is not done."""
    owed: Output | None = None
    """What the duty owes beside the work."""
    output: TypedOutput = field(default_factory=TypedOutput)

    @property
    def lacks_output(self) -> bool:
        """It says that the task is done, and names neither its output nor a file."""
        done = self.outcome in tuple(Outcome) and Outcome(self.outcome).ends
        return done and self.owed is not None and not (self.files or self.output.said or self.output.on)


@dataclass(frozen=True)
class Submission:
    """``texts`` by assignment id; ``problems`` by field: ``outcome-12``, ``body-12``, ``reason-12``, ``promise-12``,
    ``code-12``, ``waits-12``, ``output-12``, ``outputon-12``, ``figure-II.3``, or ``form`` for the whole. If there is
    any problem, nothing may be submitted."""

    texts: Mapping[int, ReportText] = field(default_factory=dict)
    problems: Mapping[str, Text] = field(default_factory=dict)


def read_paper(number: str, on: str, today: date) -> tuple[SignedPaper | None, dict[str, Text]]:
    """The signed paper from its typed number and date, and errors by field. Both empty: there is none."""
    number = " ".join(number.split())
    day = read_typed_day(on, today, past=True) if on.strip() else None
    wrong: dict[str, Text] = {}
    if on.strip() and day is None:
        wrong["paper-on"] = Text("Không đọc được ngày ký; viết như 17/6/2021.", "Write this date like 17/6/2021.")
    if number and not PAPER_NUMBER.fullmatch(number):
        wrong["paper-number"] = Text("Hãy ghi như 45/BC-UBND.", "Write it like 45/BC-UBND.")
    if on.strip() and not number:
        wrong["paper-number"] = Text("Có ngày ký thì cần ghi số, ký hiệu.", "A date needs the paper's number.")
    return (SignedPaper(number, day) if number and not wrong else None), wrong


def submission(
    duties: Sequence[Typed],
    indicators: Sequence[Indicator],
    figures: Mapping[str, str],
    choices: PromiseChoices,
    paper: tuple[str, str] = ("", ""),
) -> Submission:
    """Validate everything at once, so that the user sees all errors together. ``paper``: number and date of the signed
    paper as typed; it goes with every report of the submission."""
    chosen = [duty for duty in duties if duty.outcome != LATER]
    problems: dict[str, Text] = {}
    for duty in chosen:
        problems |= _duty_problems(duty, choices)
    values, wrong = read_figures(indicators, figures)
    problems |= {f"figure-{code}": message for code, message in wrong.items()}
    signed, unread = read_paper(*paper, choices.today)
    problems |= unread
    if not chosen:
        problems["form"] = NO_OUTCOME
    if problems:
        return Submission(problems=problems)
    placed = _place(chosen, indicators, values)
    return Submission(
        {
            duty.assignment_id: ReportText(
                outcome=Outcome(duty.outcome),
                body=duty.body,
                reason=duty.reason,
                figures=placed[duty.assignment_id],
                files=duty.files,
                paper=signed,
                promise=read_promise(duty.promise, choices)[0],
                output=read_typed_output(duty.output, duty.owed, choices.today)[0],
            )
            for duty in chosen
        }
    )


@dataclass(frozen=True, kw_only=True)
class Checklist:
    """A check of the page before it is sent: ``ready`` duties would be sent; ``lacking`` ones have errors by field;
    ``later`` ones stay owed; ``wrong``: errors of figures by code; ``blank``: indicators without a value."""

    ready: tuple[Typed, ...] = ()
    lacking: tuple[tuple[Typed, Mapping[str, Text]], ...] = ()
    later: tuple[Typed, ...] = ()
    no_output: tuple[Typed, ...] = ()
    """Those of ``ready`` that name no output, though their duties owe one."""
    wrong: Mapping[str, Text] = field(default_factory=dict)
    blank: tuple[Indicator, ...] = ()

    @property
    def faults(self) -> int:
        return sum(len(fields) for _, fields in self.lacking) + len(self.wrong)


def checklist(
    duties: Sequence[Typed], indicators: Sequence[Indicator], figures: Mapping[str, str], choices: PromiseChoices
) -> Checklist:
    """Check the page before it is sent, by the same rules as ``submission``."""
    chosen = [(duty, _duty_problems(duty, choices)) for duty in duties if duty.outcome != LATER]
    values, wrong = read_figures(indicators, figures)
    blank = tuple(each for each in indicators if each.code not in values and each.code not in wrong)
    ready = tuple(duty for duty, problems in chosen if not problems)
    return Checklist(
        ready=ready,
        lacking=tuple(each for each in chosen if each[1]),
        later=tuple(duty for duty in duties if duty.outcome == LATER),
        no_output=tuple(duty for duty in ready if duty.lacks_output),
        wrong=wrong,
        blank=blank,
    )


def read_promise(typed: TypedPromise, choices: PromiseChoices) -> tuple[PromiseText, dict[str, Text]]:
    """What is promised from what was typed, and errors by field: ``promise``, ``code``, ``waits``. The day that the
    policy proposes, and «lý do khác», where nothing was typed."""
    on, wrong = _promised_day(typed.on, choices.today)
    waits_for, wrong_cause = _cause(typed, choices)
    return PromiseText(on=on, reason_code=typed.code, waits_for=waits_for, owed=typed.owed), wrong | wrong_cause


def _promised_day(typed: str, today: date) -> tuple[date | None, dict[str, Text]]:
    if not typed.strip():
        return None, {}
    on = read_typed_day(typed, today)
    if on is None:
        return None, {
            "promise": Text("Không đọc được ngày hẹn; viết như 17/6/2021.", "Write this date like 17/6/2021.")
        }
    late = Text(f"Ngày hẹn phải sau {written(today)}.", f"Promise a day after {written(today, 'en')}.")
    return on, {"promise": late} if on <= today else {}


def _cause(typed: TypedPromise, choices: PromiseChoices) -> tuple[str, dict[str, Text]]:
    """The agency that is waited for, with a reason that waits for one."""
    reason = choices.reason(typed.code)
    if typed.code and reason is None:
        return "", {"code": Text("Hãy chọn một nguyên nhân.", "Choose a cause.")}
    if reason is None or not reason.agency:
        return "", {}
    waits_for = choices.agencies.get(typed.waits_for, "")
    return waits_for, {} if waits_for else {"waits": _unnamed(typed.waits_for)}


def _unnamed(typed: str) -> Text:
    if not typed:
        return Text("Hãy ghi cơ quan đang chờ phối hợp.", "Name the agency that is waited for.")
    return Text(f"Danh bạ không có “{typed[:64]}”.", f"“{typed[:64]}” is not in the directory.")


def _duty_problems(duty: Typed, choices: PromiseChoices) -> dict[str, Text]:
    if duty.outcome not in tuple(Outcome):
        return {f"outcome-{duty.assignment_id}": Text("Hãy chọn một kết quả.", "Choose an outcome.")}
    problems: dict[str, Text] = {}
    needs = Outcome(duty.outcome).needs
    if "body" in needs and not duty.body:
        problems[f"body-{duty.assignment_id}"] = Text("Nêu ngắn gọn kết quả thực hiện.", "Say briefly what was done.")
    if "reason" in needs and not duty.reason:
        problems[f"reason-{duty.assignment_id}"] = Text(
            "Chưa hoàn thành thì cần ghi lý do.", "Say why it is not finished yet."
        )
    if "promise" in needs:
        _, wrong = read_promise(duty.promise, choices)
        end = duty.promise.field or duty.assignment_id
        problems |= {f"{name}-{end}": message for name, message in wrong.items()}
    _, wrong = read_typed_output(duty.output, duty.owed, choices.today)
    return problems | {f"{name}-{duty.assignment_id}": message for name, message in wrong.items()}


def read_figures(
    indicators: Sequence[Indicator], typed: Mapping[str, str]
) -> tuple[dict[str, int | float | str], dict[str, Text]]:
    """Values by indicator code, and errors by code. An empty field is no figure."""
    values: dict[str, int | float | str] = {}
    wrong: dict[str, Text] = {}
    for indicator in indicators:
        text = typed.get(indicator.code, "").strip()
        if text:
            value, problem = _figure(indicator, text)
            if problem is None:
                values[indicator.code] = value
            else:
                wrong[indicator.code] = problem
    names = {indicator.code: indicator.name for indicator in indicators}
    for indicator in indicators:
        part, whole = values.get(indicator.code), values.get(indicator.part_of or "")
        if isinstance(part, int | float) and isinstance(whole, int | float) and part > whole:
            name = names[indicator.part_of or ""]
            wrong[indicator.code] = Text(
                f"Không thể lớn hơn «{name}» ({whole}).",
                f"Cannot be more than “{name}” ({whole}).",
            )
    return values, wrong


def _count(text: str) -> int | Text:
    if _GROUPED.fullmatch(text):
        text = re.sub(r"[ .,]", "", text)
    return (
        int(text) if _COUNT.fullmatch(text) else Text("Hãy ghi một số đếm, như 12.", "Enter a whole number, like 12.")
    )


def _percentage(text: str) -> float | Text:
    if not _PERCENT.fullmatch(text):
        return Text("Hãy ghi tỷ lệ phần trăm, như 87,5.", "Enter a percentage, like 87.5.")
    return float(text.replace(",", "."))


def _figure(indicator: Indicator, text: str) -> tuple[int | float | str, Text | None]:
    if indicator.unit == "text":
        return text, None
    value = _count(text) if indicator.unit == "count" else _percentage(text)
    if isinstance(value, Text):
        return 0, value
    lowest = indicator.min or 0
    highest = 100 if indicator.max is None and indicator.unit == "percent" else indicator.max
    if value < lowest or (highest is not None and value > highest):
        span = f"{lowest:g}" if highest is None else f"{lowest:g} – {highest:g}"
        return 0, Text(f"Phải trong khoảng {span.replace('.', ',')}.", f"Must be within {span}.")
    return value, None


def _place(
    chosen: Sequence[Typed], indicators: Sequence[Indicator], values: Mapping[str, int | float | str]
) -> dict[int, dict[str, int | float | str]]:
    """The figures by assignment id."""
    placed: dict[int, dict[str, int | float | str]] = {duty.assignment_id: {} for duty in chosen}
    for indicator in indicators:
        if indicator.code in values:
            matching = (duty for duty in chosen if duty.citation in indicator.asked_of)
            placed[next(matching, chosen[0]).assignment_id][indicator.code] = values[indicator.code]
    return placed
