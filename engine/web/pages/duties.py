"""What comes after the document: a duty added to a running plan, or one of its duties changed, by a letter's number.
What opens, moves and is cancelled, and which letters follow, is shown before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.access import Deed
from engine.adhoc import LONGEST, Amendment, NewDuty, add_duty, amend_duty
from engine.calendar import written
from engine.errors import BadInput, Conflict, DondocError, half
from engine.loading import expand_owners
from engine.queries.duties import DutyNow, duty_now, owner_choices, would_add, would_amend
from engine.queries.plans import PlanPage, plan_page
from engine.web.filters import SmallId
from engine.web.forms import REASON, Form
from engine.web.visit import Desk, Posted, Visit

router = APIRouter()
Problems = dict[str, str]
NOT_TYPED = frozenset({"token", "act", "sure"})


@router.get("/plans/{plan_id}/duties/new")
def new(visit: Desk, plan_id: SmallId) -> Response:
    return _new_form(visit, _plan(visit, plan_id), Form({}))


@router.post("/plans/{plan_id}/duties/new")
def add(visit: Desk, form: Posted, plan_id: SmallId) -> Response:
    """First what it would do; with ``act=do``, the deed; with ``act=edit``, the form again as it was typed."""
    plan, act = _plan(visit, plan_id), form.raw("act")
    duty, problems = _new_duty(visit, form)
    if act == "edit" or problems:
        return _new_form(visit, plan, form, {} if act == "edit" else problems)
    try:
        if act == "do":
            with visit.writing() as session:
                add_duty(session, plan_id, duty, actor=visit.actor.name, now=visit.now)
            return visit.go(f"/plans/{plan_id}", said="duty_added")
        with visit.context.database.rehearse() as session:
            would = would_add(session, plan_id, duty, actor=visit.actor.name, now=visit.now)
    except (BadInput, Conflict) as error:
        return _new_form(visit, plan, form, {"": error.said(visit.language)}, error)
    with visit.reading() as (_, today):
        return visit.page("duty_new_sure.html", today=today, plan=plan, would=would, duty=duty, typed=_typed(form))


@router.get("/duties/{duty_id}/amend")
def change(visit: Desk, duty_id: SmallId) -> Response:
    duty = _duty(visit, duty_id)
    return _amend_form(visit, duty, Form({"text": (duty.text,), "owners": duty.owners}))


@router.post("/duties/{duty_id}/amend")
def amend(visit: Desk, form: Posted, duty_id: SmallId) -> Response:
    duty, act = _duty(visit, duty_id), form.raw("act")
    wanted, problems = _amendment(visit, form, duty)
    if act == "edit" or problems:
        return _amend_form(visit, duty, form, {} if act == "edit" else problems)
    try:
        if act == "do":
            with visit.writing() as session:
                amend_duty(session, duty_id, wanted, actor=visit.actor.name, now=visit.now)
            return visit.go(f"/plans/{duty.plan_id}", said="duty_amended")
        with visit.context.database.rehearse() as session:
            came_to, letters = would_amend(session, duty_id, wanted, actor=visit.actor.name, now=visit.now)
    except (BadInput, Conflict) as error:
        return _amend_form(visit, duty, form, {"": error.said(visit.language)}, error)
    with visit.reading() as (session, today):
        due = {period: today.calendar.due(day) for period, day in wanted.due.items()}
        came, gone = _owners_changed(session, duty, wanted)
    return visit.page("duty_amend_sure.html", today=today, duty=duty, wanted=wanted, came_to=came_to, letters=letters,
                      due=due, came=came, gone=gone, typed=_typed(form))  # fmt: skip


def _plan(visit: Visit, plan_id: int) -> PlanPage:
    with visit.reading() as (session, today):
        plan = plan_page(session, today, plan_id)
    visit.must(Deed.ADD_DUTY, plan.supervisor_id)
    return plan


def _duty(visit: Visit, duty_id: int) -> DutyNow:
    with visit.reading() as (session, _):
        duty = duty_now(session, duty_id)
    visit.must(Deed.AMEND_DUTY, duty.supervisor_id)
    return duty


def _new_duty(visit: Visit, form: Form) -> tuple[NewDuty, Problems]:
    """What was typed, with what is wrong by field."""
    problems = _words(visit, form)
    owners = _owners(visit, form, problems)
    due = _day(visit, form, "due", problems)
    if problems:
        return NewDuty("", (), due, ""), problems
    made = NewDuty(
        form.text("text", LONGEST), owners, due, form.text("basis", REASON), reason=form.text("reason", REASON),
        request=form.has("request"), fixed=form.has("fixed"),
    )  # fmt: skip
    return made, problems


def _amendment(visit: Visit, form: Form, duty: DutyNow) -> tuple[Amendment, Problems]:
    """Only what differs from what stands."""
    problems = _words(visit, form)
    due: dict[str, date] = {}
    for period, standing, _ in duty.due:
        if form.raw(f"due-{period}").strip():
            day = _day(visit, form, f"due-{period}", problems)
            due |= {period: day} if day != standing else {}
    owners = _owners(visit, form, problems)
    if problems:
        return Amendment(""), problems
    text = form.text("text", LONGEST)
    return Amendment(form.text("basis", REASON), text if text != duty.text.strip() else None,
                     owners=owners if set(owners) != set(duty.owners) else None, due=due), problems  # fmt: skip


def _words(visit: Visit, form: Form) -> Problems:
    needed = {
        "text": ("Cần ghi nội dung nhiệm vụ. / Say what the duty is.", LONGEST),
        "basis": ("Cần ghi căn cứ, như số công văn. / Give its basis, such as a letter's number.", REASON),
    }
    problems: Problems = {}
    for name, (missing, most) in needed.items():
        try:
            if not form.text(name, most):
                raise BadInput(missing)
        except BadInput as error:
            problems[name] = error.said(visit.language)
    try:
        form.text("reason", REASON)
    except BadInput as error:
        problems["reason"] = error.said(visit.language)
    return problems


def _day(visit: Visit, form: Form, name: str, problems: Problems) -> date:
    try:
        day = form.day(name)
        if day < visit.today:
            raise BadInput(f"Hạn {written(day)} đã qua. / The due date {written(day, 'en')} has passed.")
    except BadInput as error:
        problems[name] = error.said(visit.language)
        return visit.today
    return day


def _owners(visit: Visit, form: Form, problems: Problems) -> tuple[str, ...]:
    owners = form.every("owners")
    if not owners:
        problems["owners"] = half("Chọn ít nhất một cơ quan chủ trì. / Choose at least one owner.", visit.language)
    return owners


def _owners_changed(session: Session, duty: DutyNow, wanted: Amendment) -> tuple[list[str], list[str]]:
    """The names of those who come and who go."""
    if wanted.owners is None:
        return [], []
    names = {id: name for agencies in owner_choices(session).levels.values() for id, name in agencies}
    now = expand_owners(session, wanted.owners)
    return ([names.get(each, each) for each in now if each not in duty.owners],
            [names.get(each, each) for each in duty.owners if each not in now])  # fmt: skip


def _typed(form: Form) -> Mapping[str, tuple[str, ...]]:
    return {name: values for name, values in form.fields.items() if name not in NOT_TYPED}


def _new_form(
    visit: Visit, plan: PlanPage, form: Form, problems: Problems | None = None, error: DondocError | None = None
) -> Response:
    return _form(visit, "duty_new.html", form, problems or {}, error, plan=plan)


def _amend_form(
    visit: Visit, duty: DutyNow, form: Form, problems: Problems | None = None, error: DondocError | None = None
) -> Response:
    return _form(visit, "duty_amend.html", form, problems or {}, error, duty=duty)


def _form(
    visit: Visit, template: str, form: Form, problems: Problems, error: DondocError | None, **facts: object
) -> Response:
    status = error.status if error else 400 if problems else 200
    with visit.reading() as (session, today):
        choices = owner_choices(session)
    return visit.page(template, status, today=today, choices=choices, problems=problems, form=form,
                      ticked=form.fields.get("owners", ()), **facts)  # fmt: skip
