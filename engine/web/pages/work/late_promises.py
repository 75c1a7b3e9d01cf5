"""One page for all late tasks of an agency, whatever their plans: a day and a reason each, or one for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import make_promise
from engine.assignments.reports.submission import PromiseChoices, TypedPromise, read_promise
from engine.errors import NotFound
from engine.http.filters import AgencyId, Code, Count
from engine.http.forms import MAX_REASON_CHARS, FormFields
from engine.http.later_days import asked_again
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.work.assignments import AssignmentRow
from engine.queries.work.desk import agency_name
from engine.queries.work.promises import LateTasks, late_tasks
from engine.rules.situation import is_ahead
from engine.text import Text

router = APIRouter(include_in_schema=False)
FOR_ALL = "all"
"""The end of the names of the fields that hold for each task whose own field is empty."""
MAX_DAY_CHARS, MAX_CODE_CHARS, MAX_NAME_CHARS = 20, 32, 300
NO_REASON = Text("Cần ghi lý do hẹn ngày khác.", "Say why another day is promised.")


@dataclass(frozen=True, kw_only=True)
class LateForm:
    """What was typed, with the ids that are ticked; everything that has no promise at first."""

    fields: FormFields
    ticked: frozenset[int]


@router.get("/agencies/{agency_id}/promises")
def show(ctx: SignedIn, agency_id: AgencyId, said: Code = "", n: Count = 0) -> Response:
    return _page(ctx, agency_id, outcome=said, n=n)


@router.post("/agencies/{agency_id}/promises")
def send(ctx: SignedIn, form: PostedForm, agency_id: AgencyId) -> Response:
    """Promise a day for each ticked task, all or none."""
    ctx.require(Permission.ASK_EXTENSION, agency_id)
    named = {form.raw(name)[:MAX_NAME_CHARS].strip() for name in form.fields if name.startswith("waits-")}
    with ctx.reading() as (session, today):
        found = late_tasks(session, today, agency_id, named)
    again = asked_again(form, [name for name in form.fields if name.startswith("promise-")], today.calendar)
    form = form if again is None else again.form
    ids = form.numbers("id")
    rows = {row.id: row for row in found.rows}
    if set(ids) - set(rows):
        raise NotFound
    names = [name for name in form.fields if name.partition("-")[0] in ("promise", "code", "waits", "reason")]
    fields = FormFields.of(form, *names, whole="form")
    if again is not None:
        if again.said:
            fields.refuse(dict(again.said))
        return _page(ctx, agency_id, typed=LateForm(fields=fields, ticked=frozenset(ids)))
    texts = _read(fields, [rows[each] for each in ids], found.choices)
    if not ids:
        fields.refuse({"form": Text("Chưa chọn nhiệm vụ nào.", "No task was chosen.")})
    fields.do(lambda: _promise_all(ctx, texts))
    if fields.wrong:
        return _page(ctx, agency_id, typed=LateForm(fields=fields, ticked=frozenset(ids)))
    return ctx.go(ctx.path, said="promised", n=len(texts))


def _promise_all(ctx: RequestContext, texts: Mapping[int, PromiseText]) -> None:
    with ctx.writing() as session:
        for assignment_id, text in texts.items():
            make_promise(session, assignment_id, text, "extension", **ctx.by)


def _read(
    fields: FormFields, rows: Sequence[AssignmentRow], choices: Mapping[int, PromiseChoices]
) -> dict[int, PromiseText]:
    """The promises by assignment; what is wrong goes beside its field."""
    texts = {}
    for row in rows:

        def ending(name: str, own: int = row.id) -> str:
            """The field that counts: the task's own if it is filled, else that for all."""
            return str(own) if fields.value(f"{name}-{own}").strip() else FOR_ALL

        ends = {name: ending(name) for name in ("promise", "code", "waits", "reason")}
        typed = TypedPromise(
            on=fields.text(f"promise-{ends['promise']}", MAX_DAY_CHARS),
            code=fields.text(f"code-{ends['code']}", MAX_CODE_CHARS),
            waits_for=fields.text(f"waits-{ends['waits']}", MAX_NAME_CHARS),
        )
        text, wrong = read_promise(typed, choices[row.plan_id])
        reason = fields.needed_words(f"reason-{ends['reason']}", NO_REASON, MAX_REASON_CHARS)
        if wrong:
            fields.refuse({f"{name}-{ends[name]}": message for name, message in wrong.items()})
        texts[row.id] = replace(text, reason=reason)
    return texts


def _page(
    ctx: RequestContext, agency_id: str, *, typed: LateForm | None = None, outcome: str = "", n: int = 0
) -> Response:
    ctx.require(Permission.ASK_EXTENSION, agency_id)
    with ctx.reading() as (session, today):
        name, _ = agency_name(session, agency_id)
        found: LateTasks = late_tasks(session, today, agency_id)
    fresh = frozenset(row.id for row in found.rows if not is_ahead(row.promised_on, today.day))
    form = typed or LateForm(fields=FormFields(), ticked=fresh)
    return ctx.page(
        "late_promises.html",
        form.fields.status,
        today=today,
        agency_id=agency_id,
        agency=name,
        found=found,
        form=form,
        outcome=outcome,
        n=n,
    )
