"""Plan amendments: add a duty to a running plan, ask for an ad hoc report, or change a duty, on the basis of a letter.
What opens, moves and is
cancelled, and which letters follow, is previewed first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.agencies.directory_loading import expand_owners
from engine.http.filters import Code, SmallId
from engine.http.forms import Form, FormFields
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.plans.amendments import MAX_TEXT_CHARS, Amendment, NewDuty, ad_hoc_report, add_duty, amend_duty, drop_duty
from engine.queries.figures.plans import PlanPage, plan_page
from engine.queries.work.duty_changes import DutyNow, duty_now, owner_choices, plan_owners, would_add, would_amend
from engine.rules.calendar import written
from engine.rules.outputs import MAX_WHAT_CHARS, Output
from engine.terms import OutputKind
from engine.text import Text
from engine.web.agency_picker import picked, picks

router = APIRouter(include_in_schema=False)
NEW = ("text", "due", "fixed", "basis", "reason", "request", "output", "output_kind")
NOT_TYPED = frozenset({"token", "act", "sure", "find"})
NO_TEXT = Text("Cần ghi nội dung nhiệm vụ.", "Say what the duty is.")
NO_BASIS = Text("Cần ghi căn cứ, như số công văn.", "Give its basis, such as a letter's number.")


@router.get("/plans/{plan_id}/duties/new")
def new(ctx: SignedIn, plan_id: SmallId) -> Response:
    return _new_form(ctx, _plan(ctx, plan_id), FormFields(), ())


@router.post("/plans/{plan_id}/duties/new")
def add(ctx: SignedIn, form: PostedForm, plan_id: SmallId) -> Response:
    """Preview the new duty; with ``act=do`` add it; with ``act=edit`` show the form again."""
    return _add(ctx, form, _plan(ctx, plan_id), ad_hoc=False)


@router.get("/plans/{plan_id}/reports/new")
def new_report(ctx: SignedIn, plan_id: SmallId, agency: Code = "") -> Response:
    """An ad hoc report: its due date and the paper that asks for it. From every owner of the plan, or from one."""
    plan = _plan(ctx, plan_id)
    with ctx.reading() as (session, _):
        owners = plan_owners(session, plan_id, ctx.today)
    return _new_form(ctx, plan, FormFields(), (agency,) if agency in owners else owners, ad_hoc=True)


@router.post("/plans/{plan_id}/reports/new")
def add_report(ctx: SignedIn, form: PostedForm, plan_id: SmallId) -> Response:
    """As ``add``, for an ad hoc report."""
    return _add(ctx, form, _plan(ctx, plan_id), ad_hoc=True)


def _add(ctx: RequestContext, form: Form, plan: PlanPage, *, ad_hoc: bool) -> Response:
    act = form.raw("act")
    typed, owners = FormFields.of(form, *NEW), form.every("owners")
    if act == "edit" or picks(form):
        return _new_form(ctx, plan, typed, owners, ad_hoc, form)
    duty = (_ad_hoc_report if ad_hoc else _new_duty)(ctx, typed, owners)

    def answer() -> Response:
        if act == "do":
            with ctx.writing() as session:
                add_duty(session, plan.row.id, duty, **ctx.by)
            return ctx.go(f"/plans/{plan.row.id}", said="report_requested" if ad_hoc else "duty_added")
        with ctx.app.database.rehearse() as session:
            would = would_add(session, plan.row.id, duty, **ctx.by)
        with ctx.reading() as (_, today):
            return ctx.page(
                "duty_new_sure.html", today=today, plan=plan, would=would, duty=duty, sent=_sent(form), ad_hoc=ad_hoc
            )

    return typed.do(answer) or _new_form(ctx, plan, typed, owners, ad_hoc)


def _new_duty(ctx: RequestContext, typed: FormFields, owners: tuple[str, ...]) -> NewDuty:
    return NewDuty(
        text=typed.needed_words("text", NO_TEXT, MAX_TEXT_CHARS),
        owners=_owners(typed, owners),
        due=_future_day(ctx, typed, "due"),
        basis=typed.needed_words("basis", NO_BASIS),
        reason=typed.words("reason"),
        request=bool(typed.value("request")),
        fixed=bool(typed.value("fixed")),
        output=_output(typed) if typed.value("output").strip() else None,
    )


def _ad_hoc_report(ctx: RequestContext, typed: FormFields, owners: tuple[str, ...]) -> NewDuty:
    return ad_hoc_report(
        _future_day(ctx, typed, "due"),
        typed.needed_words("basis", NO_BASIS),
        _owners(typed, owners),
        typed.words("text", MAX_TEXT_CHARS),
    )


@router.post("/duties/{duty_id}/drop")
def drop(ctx: SignedIn, form: PostedForm, duty_id: SmallId) -> Response:
    """Drop a duty by a paper; the form asks for both."""
    duty = _duty(ctx, duty_id)
    typed = FormFields.of(form, "text", "drop_basis")
    basis = typed.needed_words("drop_basis", NO_BASIS)

    def answer() -> Response:
        with ctx.writing() as session:
            drop_duty(session, duty_id, basis=basis, **ctx.by)
        return ctx.go(f"/plans/{duty.plan_id}", said="duty_dropped")

    return typed.do(answer) or _amend_form(ctx, duty, typed, duty.owners)


@router.get("/duties/{duty_id}/amend")
def change(ctx: SignedIn, duty_id: SmallId) -> Response:
    duty = _duty(ctx, duty_id)
    output = {"output": duty.output.what, "output_kind": duty.output.kind.value} if duty.output else {}
    return _amend_form(ctx, duty, FormFields({"text": duty.text} | output), duty.owners)


@router.post("/duties/{duty_id}/amend")
def amend(ctx: SignedIn, form: PostedForm, duty_id: SmallId) -> Response:
    duty, act = _duty(ctx, duty_id), form.raw("act")
    typed = FormFields.of(
        form, "text", "basis", "output", "output_kind", *(f"due-{period}" for period, _, _ in duty.due)
    )
    owners = form.every("owners")
    if act == "edit" or picks(form):
        return _amend_form(ctx, duty, typed, owners, form)
    wanted = _amendment(ctx, typed, owners, duty)

    def answer() -> Response:
        if act == "do":
            with ctx.writing() as session:
                amend_duty(session, duty_id, wanted, **ctx.by)
            return ctx.go(f"/plans/{duty.plan_id}", said="duty_amended")
        with ctx.app.database.rehearse() as session:
            amended, letters = would_amend(session, duty_id, wanted, **ctx.by)
        with ctx.reading() as (session, today):
            due = {period: today.calendar.due(day) for period, day in wanted.due.items()}
            came, gone = _owners_changed(session, duty, wanted)
        return ctx.page(
            "duty_amend_sure.html",
            today=today,
            duty=duty,
            wanted=wanted,
            came_to=amended,
            letters=letters,
            due=due,
            came=came,
            gone=gone,
            sent=_sent(form),
        )

    return typed.do(answer) or _amend_form(ctx, duty, typed, owners)


def _plan(ctx: RequestContext, plan_id: int) -> PlanPage:
    with ctx.reading() as (session, today):
        plan = plan_page(session, today, plan_id)
    ctx.require(Permission.ADD_DUTY, plan.supervisor_id)
    return plan


def _duty(ctx: RequestContext, duty_id: int) -> DutyNow:
    with ctx.reading() as (session, _):
        duty = duty_now(session, duty_id)
    ctx.require(Permission.AMEND_DUTY, duty.supervisor_id)
    return duty


def _amendment(ctx: RequestContext, typed: FormFields, owners: tuple[str, ...], duty: DutyNow) -> Amendment:
    """The fields that differ from the present duty."""
    due: dict[str, date] = {}
    for period, current, _ in duty.due:
        if typed.value(f"due-{period}").strip():
            day = _future_day(ctx, typed, f"due-{period}")
            due |= {period: day} if day != current else {}
    text, owners = typed.needed_words("text", NO_TEXT, MAX_TEXT_CHARS), _owners(typed, owners)
    output = _output(typed)
    return Amendment(
        basis=typed.needed_words("basis", NO_BASIS),
        text=text if text != duty.text.strip() else None,
        owners=owners if set(owners) != set(duty.owners) else None,
        due=due,
        output=output if output != (duty.output or Output("", output.kind)) else None,
    )


def _output(typed: FormFields) -> Output:
    kind = typed.value("output_kind")
    return Output(
        typed.text("output", MAX_WHAT_CHARS), OutputKind(kind) if kind in tuple(OutputKind) else OutputKind.DOCUMENT
    )


def _future_day(ctx: RequestContext, typed: FormFields, name: str) -> date:
    """A due date that has not passed; otherwise an error is recorded."""
    day = typed.needed_day(name)
    if name not in typed.wrong and day < ctx.today:
        typed.refuse({name: Text(f"Hạn {written(day)} đã qua.", f"The due date {written(day, 'en')} has passed.")})
    return day


def _owners(typed: FormFields, owners: tuple[str, ...]) -> tuple[str, ...]:
    if not owners:
        typed.refuse({"owners": Text("Chọn ít nhất một cơ quan chủ trì.", "Choose at least one owner.")})
    return owners


def _owners_changed(session: Session, duty: DutyNow, wanted: Amendment) -> tuple[list[str], list[str]]:
    """Names of added and removed owners."""
    if wanted.owners is None:
        return [], []
    names = {id: name for agencies in owner_choices(session).levels.values() for id, name in agencies}
    owners = expand_owners(session, wanted.owners)
    return (
        [names.get(each, each) for each in owners if each not in duty.owners],
        [names.get(each, each) for each in duty.owners if each not in owners],
    )


def _sent(form: Form) -> Mapping[str, tuple[str, ...]]:
    """The fields that the preview carries to the next submission."""
    return {name: values for name, values in form.fields.items() if name not in NOT_TYPED}


def _new_form(
    ctx: RequestContext,
    plan: PlanPage,
    typed: FormFields,
    owners: tuple[str, ...],
    ad_hoc: bool = False,
    form: Form | None = None,
) -> Response:
    return _form(ctx, "report_new.html" if ad_hoc else "duty_new.html", typed, owners, form, plan=plan)


def _amend_form(
    ctx: RequestContext, duty: DutyNow, typed: FormFields, owners: tuple[str, ...], form: Form | None = None
) -> Response:
    return _form(ctx, "duty_amend.html", typed, owners, form, duty=duty)


def _form(
    ctx: RequestContext, template: str, typed: FormFields, owners: tuple[str, ...], form: Form | None, **facts: object
) -> Response:
    """The form with the agencies that exist today and those chosen before; ``form``: as it was sent to choose."""
    with ctx.reading() as (session, today):
        picker = picked(owner_choices(session, ctx.today, owners), owners, form)
    picking = form is not None and picks(form)
    return ctx.page(template, typed.status, today=today, picker=picker, picking=picking, typed=typed, **facts)
