"""The form of the report page by its parts, one for each plan and period: what was typed, parsed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.assignments.reports.drafts import KEPT_PREFIX, SavedDraft
from engine.assignments.reports.evidence import StoredFile
from engine.assignments.reports.indicators import doubtful_totals
from engine.assignments.reports.submission import LATER, Checklist, Typed, TypedOutput, TypedPromise, read_figures
from engine.errors import BadInput
from engine.http.forms import MAX_FIELD_CHARS, MAX_REASON_CHARS, Form, clean
from engine.http.render import day_value
from engine.queries.work.report_page import FOR_ALL, PreviousReports, ReportItem, ReportPage
from engine.terms import Outcome
from engine.text import Text

BESIDE = "beside"
"""The field that names another plan and period on the page: «7:2021-H1»."""
ALL_DONE, ALL_BODY = "all-done", "all-body"
"""Whoever ticks the first need not choose for each duty; the second says what was done of every done duty whose own
box is empty."""
NO_COMMON_WORDS = Text(
    "Nêu ngắn gọn kết quả thực hiện, dùng cho mọi nhiệm vụ chưa ghi riêng.",
    "Say briefly what was done, for every duty that says nothing of its own.",
)
SEEN = "seen"
"""The field with the moment of the draft that was shown."""
NOT_TYPED = frozenset({"token", "act", SEEN, "sure", BESIDE, ALL_DONE, ALL_BODY})
FREE_TEXT_PREFIXES = ("body-", "reason-", "owed-", "output-")
OTHER_PREFIXES = ("promise-", "code-", "waits-", "outputon-")
OF_A_DUTY = ("outcome-", KEPT_PREFIX, *FREE_TEXT_PREFIXES, *OTHER_PREFIXES)
"""Begin the names of fields that end with an assignment's id."""
MAX_OUTCOME_CHARS, MAX_SEEN_CHARS, MAX_PAPER_CHARS, MAX_NAME_CHARS = 16, 40, 80, 300


@dataclass(frozen=True, kw_only=True)
class ReportForm:
    """The form of a plan and period, parsed: to be shown, saved as a draft, or sent. Names of fields are as a draft
    stores them, without the part's prefix."""

    typed: Mapping[str, str]
    """By field, unchanged, with a line for each stored file: what a draft stores."""
    free_text: dict[str, str]
    duties: tuple[Typed, ...]
    """The duties of the page that may be reported now."""
    figures: Mapping[str, str]
    """By indicator code."""
    doubtful: Mapping[str, Text]
    """Warnings by field about totals that differ from the sum of their parts."""
    unreadable: BadInput | None
    """The first error of a text that cannot be sent: too long, or with control characters."""
    files: Mapping[int, tuple[StoredFile, ...]]
    """By assignment: stored files that belong to its report."""
    seen: str = ""
    """When the shown draft was saved, so that a colleague's later draft is not overwritten."""
    paper: tuple[str, str] = ("", "")
    """Number and date of the signed paper."""
    draft: SavedDraft | None = None
    problems: Mapping[str, Text] = field(default_factory=dict)
    warned: Mapping[str, str] = field(default_factory=dict)
    """Warnings by field: possible personal data, or a total that differs from the sum of its parts. The report is sent
    anyway once the user confirms."""

    @property
    def chosen(self) -> bool:
        """An outcome is chosen for some duty."""
        return any(duty.outcome != LATER for duty in self.duties)

    def is_open(self, assignment_id: int) -> bool:
        """Something is chosen or written of this duty: its fields are shown."""
        return any(self.typed.get(f"{name}{assignment_id}") for name in OF_A_DUTY if name != KEPT_PREFIX) or any(
            name.endswith(f"-{assignment_id}") for name in (*self.problems, *self.warned)
        )


@dataclass(frozen=True, kw_only=True)
class FormPart:
    """One plan and period on the page. ``prefix`` begins the names of those of its fields that bear no assignment's id;
    it is empty for the first part. ``path``: of its own report page."""

    page: ReportPage
    prefix: str
    path: str
    form: ReportForm
    check: Checklist
    previous: PreviousReports

    def named(self, name: str) -> str:
        """The name of a field on the page."""
        return on_page(self.prefix, name)


def on_page(prefix: str, name: str) -> str:
    """The name on the page of a part's field."""
    return f"{prefix}{name}" if of_a_part(name) else name


def of_a_part(name: str) -> bool:
    """Whether the field bears no assignment's id: figures, the signed paper, a promise for all."""
    return not name.startswith((*OF_A_DUTY, "file-")) or name.endswith(f"-{FOR_ALL}")


def prefixes(pages: Sequence[ReportPage]) -> tuple[str, ...]:
    """The prefix of each part."""
    return ("", *(f"{page.plan_id}:{page.period}:" for page in pages[1:]))


def split(posted: Form, pages: Sequence[ReportPage]) -> tuple[dict[str, str], ...]:
    """What was typed, by part: fields of no other part belong to the first. Kept files are read apart."""
    typed: tuple[dict[str, str], ...] = tuple({} for _ in pages)
    starts = prefixes(pages)
    owners = {str(item.row.id): number for number, page in enumerate(pages) for item in page.items}
    for name, values in posted.fields.items():
        number = next((n for n, start in enumerate(starts) if start and name.startswith(start)), 0)
        own = name.removeprefix(starts[number])
        if not of_a_part(own):
            number = owners.get(own.partition("-")[2], 0)
        if values and own not in NOT_TYPED and not own.startswith(KEPT_PREFIX):
            typed[number][own] = values[0]
    for page, fields in zip(pages, typed, strict=True):
        _common(page, fields, posted.raw(ALL_BODY), all_done=posted.has(ALL_DONE))
    return typed


def _common(page: ReportPage, fields: dict[str, str], body: str, *, all_done: bool) -> None:
    """What stands once for all duties: with ``all_done`` each without a choice of its own is done; one that is done and
    has no words of its own has those for all."""
    for item in page.asked:
        outcome, own = f"outcome-{item.row.id}", f"body-{item.row.id}"
        if all_done and not fields.get(outcome):
            fields[outcome] = Outcome.DONE.value
        if fields.get(outcome) == Outcome.DONE and not fields.get(own, "").strip() and body.strip():
            fields[own] = body


def lacks_common_words(posted: Form) -> bool:
    return posted.has(ALL_DONE) and not posted.raw(ALL_BODY).strip()


def without_words(problems: Mapping[str, Text]) -> dict[str, Text]:
    """The problems of a part but those of duties without words."""
    return {name: said for name, said in problems.items() if not name.startswith("body-")}


def read_report_form(
    page: ReportPage, typed: Mapping[str, str], files: Mapping[int, tuple[StoredFile, ...]], *, seen: str = ""
) -> ReportForm:
    """Parse what was typed, now or in a draft. A page just opened starts with the figures reported before."""
    errors: list[BadInput] = []

    def text(name: str, most: int = MAX_FIELD_CHARS) -> str:
        value = typed.get(name, "")
        try:
            return clean(value, most)
        except BadInput as error:
            errors.append(error)
            return value.strip()

    duties = []
    for item in page.asked:
        row = item.row
        outcome = text(f"outcome-{row.id}", MAX_OUTCOME_CHARS)
        if outcome == LATER:  # not sent now, so it may still be unreadable
            body, reason = (typed.get(f"{name}-{row.id}", "").strip() for name in ("body", "reason"))
            duties.append(Typed(assignment_id=row.id, citation=row.citation, outcome=LATER, body=body, reason=reason))
            continue
        body, reason = text(f"body-{row.id}"), text(f"reason-{row.id}", MAX_REASON_CHARS)
        entries = tuple(each.as_entry for each in files.get(row.id, ()))
        end = page.promise_field(row.id)
        promise = TypedPromise(
            on=text(f"promise-{end}", MAX_PAPER_CHARS),
            code=text(f"code-{end}", MAX_PAPER_CHARS),
            waits_for=text(f"waits-{end}", MAX_NAME_CHARS),
            owed=text(f"owed-{end}", MAX_REASON_CHARS),
            field=end,
        )
        output = TypedOutput(text(f"output-{row.id}", MAX_NAME_CHARS), text(f"outputon-{row.id}", MAX_PAPER_CHARS))
        duties.append(
            Typed(
                assignment_id=row.id,
                citation=row.citation,
                outcome=outcome,
                body=body,
                reason=reason,
                files=entries,
                promise=promise,
                owed=item.output,
                output=output,
            )
        )
    if typed:
        figures = {each.code: text(f"figure-{each.code}", MAX_REASON_CHARS) for each in page.indicators}
    else:
        figures = {each.code: str(page.figures.get(each.code, "")) for each in page.indicators}
    paper = text("paper-number", MAX_PAPER_CHARS), text("paper-on", MAX_PAPER_CHARS)
    values, _ = read_figures(page.indicators, figures)
    totals = doubtful_totals(values, page.parts, page.agency_id)
    return ReportForm(
        typed=typed,
        free_text={name: value for name, value in typed.items() if name.startswith(FREE_TEXT_PREFIXES)},
        duties=tuple(duties),
        figures=figures,
        doubtful={f"figure-{code}": warning for code, warning in totals.items()},
        unreadable=errors[0] if errors else None,
        files=files,
        seen=seen,
        paper=paper,
    )


def is_touched(page: ReportPage, form: ReportForm) -> bool:
    """Whether a part that is not sent holds something to be kept: a draft was shown, or a field differs from what the
    page began with."""
    return bool(form.seen) or any(value.strip() != _begun(page, name) for name, value in form.typed.items())


def _begun(page: ReportPage, name: str) -> str:
    """What the page shows in a field before anybody types."""
    kind, _, end = name.partition("-")
    if kind == "figure":
        return str(page.figures.get(end, ""))
    item = next((each for each in page.items if str(each.row.id) == end), None)
    return _reported(item, kind) if item is not None else ""


def _reported(item: ReportItem, kind: str) -> str:
    last = item.last
    if last is None:
        return ""
    given = last.given
    return {
        "body": last.body,
        "reason": last.reason,
        "output": (given.number or given.figure) if given else "",
        "outputon": day_value(given.on) if given else "",
        "kept": "\n".join(f"{each['digest']} {each['name']}" for each in last.files),
    }.get(kind, "")


def copied(page: ReportPage, previous: PreviousReports) -> dict[str, str]:
    """Texts and figures of the period before, by field of this page. Outcomes are not copied: each is chosen again."""
    typed: dict[str, str] = {}
    for item in page.asked:
        last = previous.reports.get(item.row.duty_id)
        if last is not None:
            typed |= {f"body-{item.row.id}": last.body, f"reason-{item.row.id}": last.reason}
    figures = {f"figure-{each.code}": str(previous.figures.get(each.code, "")) for each in page.indicators}
    return {name: text for name, text in (typed | figures).items() if text}


def ids_of(pages: Iterable[ReportPage]) -> tuple[int, ...]:
    return tuple(item.row.id for page in pages for item in page.asked)
