"""The review of a plan document: every correction is one small form, saved at once, so that nothing is lost by closing
the browser, an upgrade or a second reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import Field
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.agencies.agencies import add_agency
from engine.agencies.directory_loading import read_directory
from engine.agencies.groups import remember_names
from engine.errors import BadInput, Conflict, DondocError, NotFound
from engine.features.plan_import.drafts.corrections import Corrections, DutyFields, cuts, listed
from engine.features.plan_import.drafts.model import OTHERS, DutyPlace, Head, PlanDraft, kind_members
from engine.features.plan_import.drafts.plan_data import Reviewed, checked, level_of, reviewed, unfinished
from engine.features.plan_import.drafts.plan_text import plan_text
from engine.features.plan_import.drafts.rows import page_of, pages_of, runs_of
from engine.features.plan_import.drafts.stored import (
    ChangedMeanwhile,
    Correction,
    StoredDraft,
    correct_draft,
    end_draft,
    read_draft,
)
from engine.features.plan_import.review_views import ReviewView, choosable, shown_duty
from engine.files.directory import DirectoryFile
from engine.files.plan import PlanFile
from engine.files.plan_renewal import ended_names
from engine.files.yaml_reader import dump
from engine.http.filters import Empty, SmallId
from engine.http.forms import Form, plain
from engine.http.guards.waiting import answered
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.plans import loading
from engine.queries.work.assignment_story import people_of
from engine.rules.periods import Cadence
from engine.rules.typed_day import read_typed_day
from engine.terms import OutputKind
from engine.text import Text
from engine.web.pages.plans.plan_renewal import CheckedPlan, check_text, show_checked
from engine.web.plan_uploads import SAVING, plan_download

router = APIRouter(include_in_schema=False)
Key = Annotated[int, Path(ge=1, le=1_000_000)]
Place = Annotated[int, Path(ge=0, le=1_000_000)]
PageAt = Annotated[Annotated[int, Field(ge=1, le=10_000)] | None, Empty, Query()]
Act = Callable[[Corrections, str, Form], Correction | None]


class NotThere(NotFound):
    default = Text(
        "Bản nháp không còn chỗ này; có thể người khác vừa nối hoặc bỏ nó.",
        "The draft has no such place any more; somebody may just have joined or dropped it.",
    )


@router.get("/plans/drafts/{draft_id}")
def show(ctx: SignedIn, draft_id: SmallId, page: PageAt = None) -> Response:
    return _page(ctx, *_read(ctx, draft_id), number=(page or 1) - 1)


@router.post("/plans/drafts/{draft_id}")
def act(ctx: SignedIn, form: PostedForm, draft_id: SmallId) -> Response:
    """One correction (``do``: its name, a colon, its target), saving the plan, or discarding the draft."""
    ctx.require(Permission.LOAD_PLAN)
    do, _, target = form.raw("do").partition(":")
    if do == "discard":
        with ctx.writing() as session:
            end_draft(session, draft_id, **ctx.by)
        return ctx.go("/plans/import", said="discarded")
    kept = _kept(ctx, draft_id, form, do, target)
    if isinstance(kept, Response):
        return kept
    if do in TURNS:
        return ctx.with_cookies(ctx.go(f"/plans/drafts/{draft_id}" + TURNS[do].format(_number(target))))
    return _save(ctx, draft_id) if do == "save" else _back(ctx, draft_id, kept, do, target)


def _kept(ctx: RequestContext, draft_id: int, form: Form, do: str, target: str) -> PlanDraft | Response:
    """Apply the form's fields and its button to the draft; if somebody else changed the same field, show the page again
    with what was typed."""

    def correct(work: Corrections) -> list[Correction]:
        own = ACTS[do](work, target, form) if do in ACTS else None
        return [each for each in (_names(work, form), _head(work, form), own) if each]

    try:
        return _correct(ctx, draft_id, correct)
    except ChangedMeanwhile as error:
        stored, directory = _read(ctx, draft_id)
        shown, typed = stored.draft.head, {name: plain(form.raw(name)) for name in Head.model_fields if form.has(name)}
        return _page(ctx, stored, directory, typed=shown.model_copy(update=typed), error=error, status=error.status)


@router.get("/plans/drafts/{draft_id}/file.yaml")
def download(ctx: SignedIn, draft_id: SmallId) -> Response:
    """The plan file in its present state, with the remaining errors at its top."""
    stored, directory = _read(ctx, draft_id)
    out = reviewed(stored.draft, directory)
    checked(out, directory)
    text = plan_text(stored.draft, out, directory)
    return plan_download(str(out.data["number"]), "\n".join((*unfinished(out), text)))


@router.get("/plans/drafts/{draft_id}/duties/{key}")
def show_duty(ctx: SignedIn, draft_id: SmallId, key: Key) -> Response:
    stored, directory = _read(ctx, draft_id)
    return _duty_page(ctx, stored, directory, key)


@router.post("/plans/drafts/{draft_id}/duties/{key}")
def correct_duty(ctx: SignedIn, form: PostedForm, draft_id: SmallId, key: Key) -> Response:
    """Save a duty's fields; with ``do=part:AT`` its text is also split there. An invalid value is kept as typed and
    shown."""
    ctx.require(Permission.LOAD_PLAN)
    typed = _duty_fields(form)
    part = re.fullmatch(r"part:(\d{1,6})", form.raw("do"))

    def correct(work: Corrections) -> list[Correction]:
        place = _place(work.draft, key)
        if form.raw("changes") != str(place.duty.changes):
            raise ChangedMeanwhile
        work.set_duty(key, typed)
        if part:
            work.part(key, int(part[1]))
        return [Correction("draft_part" if part else "draft_duty", place.citation)]

    try:
        draft = _correct(ctx, draft_id, correct)
    except Conflict as error:
        return _duty_page(ctx, *_read(ctx, draft_id), key, typed=typed, error=error)
    with ctx.reading() as (session, _):
        problems = reviewed(draft, read_directory(session)).problems
    wrong = any(name.startswith(f"duty.{key}.") and not name.endswith("owners") for name in problems)
    if wrong or part or form.raw("do") == "stay":
        return ctx.with_cookies(ctx.go(f"/plans/drafts/{draft_id}/duties/{key}"))
    return _back(ctx, draft_id, draft, "duty", str(key))


@router.get("/plans/drafts/{draft_id}/lines/{line}")
def show_line(ctx: SignedIn, draft_id: SmallId, line: Place) -> Response:
    """Ask whose duty a left-out paragraph is, alone or with those after it."""
    stored, directory = _read(ctx, draft_id)
    draft = stored.draft
    if line not in draft.left():
        raise NotThere
    run = next((run[run.index(line) :] for run in runs_of(draft) if line in run), ())
    return ctx.page(
        "plan_import/review_line.html",
        stored=stored,
        n=line,
        paragraph=draft.document[line],
        run=[(n, draft.document[n]) for n in run],
        back=page_of(pages_of(draft), paragraph=line) + 1,
        bodies=choosable(draft, directory),
    )


@router.get("/plans/drafts/{draft_id}/names/{n}")
def show_kind(ctx: SignedIn, draft_id: SmallId, n: Place) -> Response:
    """The agencies that a name of a kind stands for, to untick exceptions."""
    stored, directory = _read(ctx, draft_id)
    if n >= len(stored.draft.unknown) or not stored.draft.unknown[n].levels:
        raise NotThere
    name = stored.draft.unknown[n]
    members = kind_members(name.levels, directory, read_typed_day(stored.draft.head.issued_on, None))
    with ctx.reading() as (_, today):
        return ctx.page(
            "plan_import/review_kind.html",
            today=today,
            stored=stored,
            n=n,
            unknown=name,
            members=[(each, directory.latest_names[each]) for each in members],
        )


@router.post("/plans/drafts/{draft_id}/names/{n}")
def except_from_kind(ctx: SignedIn, form: PostedForm, draft_id: SmallId, n: Place) -> Response:
    ctx.require(Permission.LOAD_PLAN)

    def correct(work: Corrections) -> list[Correction]:
        name = work.draft.unknown[n] if n < len(work.draft.unknown) else None
        members = (
            kind_members(name.levels, work.directory, read_typed_day(work.draft.head.issued_on, None)) if name else []
        )
        without = [each for each in members if each not in form.every("member")]
        return [Correction("draft_without", name.name)] if name and work.leave_out(n, without) else []

    return _back(ctx, draft_id, _correct(ctx, draft_id, correct), "names", "")


# --- corrections -----------------------------------------------------------------------------------------------------


def _part(work: Corrections, target: str, form: Form) -> Correction | None:
    found = re.fullmatch(r"(\d{1,7}):(\d{1,6})", target)
    place = work.draft.place(int(found[1])) if found else None
    done = place and found and work.part(int(found[1]), int(found[2]))
    return Correction("draft_part", place.citation) if place and done else None


def _join(work: Corrections, target: str, form: Form) -> Correction | None:
    place = work.draft.place(_number(target))
    return Correction("draft_join", place.citation) if place and work.join(place.duty.key) else None


def _drop(work: Corrections, target: str, form: Form) -> Correction | None:
    place = work.draft.place(_number(target))
    return Correction("draft_drop", place.citation) if place and work.drop(place.duty.key) else None


def _drop_item(work: Corrections, target: str, form: Form) -> Correction | None:
    place = work.draft.place(_number(target))
    done = place and work.drop(place.duty.key, whole_item=True)
    return Correction("draft_drop", place.number) if place and done else None


def _drop_section(work: Corrections, target: str, form: Form) -> Correction | None:
    return Correction("draft_drop", target[:16]) if work.drop(section=target) else None


def _sure(work: Corrections, target: str, form: Form) -> Correction | None:
    return Correction("draft_sure") if work.confirm(target) else None


def _times(work: Corrections, target: str, form: Form) -> Correction | None:
    """``target``: a duty's key; with «-» and a number, one of its doubts, for all duties that have it."""
    found = re.fullmatch(r"(\d{1,7})(?:-(\d{1,2}))?", target)
    place = work.draft.place(int(found[1])) if found else None
    done = place and found and work.confirm_times(place.duty.key, int(found[2]) if found[2] else None)
    return Correction("draft_times", place.citation) if place and done else None


def _answer(work: Corrections, target: str, form: Form) -> Correction | None:
    """``target``: a duty's key with «none» (it has no report of its own), «part» (a duty for each of its days), or
    «due» with the days typed beside it. Raises BadInput if these cannot be read."""
    found = re.fullmatch(r"(\d{1,7})-(none|part|due)", target)
    place = work.draft.place(int(found[1])) if found else None
    if place is None or found is None:
        return None
    if found[2] == "part":
        done = work.part_days(place.duty.key)
    else:
        typed = plain(form.raw(f"due-{place.duty.key}")) if found[2] == "due" else ""
        done = work.set_days(place.duty.key, typed)
    return Correction("draft_times", place.citation) if done else None


def _take(work: Corrections, target: str, form: Form) -> Correction | None:
    """Make a range of lines duties. Raises BadInput if a single line has no owner."""
    run = re.fullmatch(r"(\d{1,6})-(\d{1,6})", target)
    if run is None or int(run[1]) >= len(work.draft.document):
        return None
    owners = [name for typed in form.every("owners") for name in listed(plain(typed))]
    if work.take(int(run[1]), int(run[2]), owners):
        return Correction("draft_take", f"dòng {work.draft.document[int(run[1])].source.line}")
    if int(run[1]) in work.draft.left():
        raise BadInput(Text("Chưa có cơ quan chủ trì cho đoạn này.", "Say whose duty these lines are."))
    return None


def _names(work: Corrections, form: Form) -> Correction | None:
    """The choices for unknown names that the user changed in the form."""
    done = []
    for n, name in work.draft.open_names():
        field = f"name[{n}]"
        chosen, others = plain(form.raw(field)), plain(form.raw(f"{field}.as"))
        said = f"{chosen}|{';'.join(listed(others)) if chosen == OTHERS else ''}"
        if f"{field}.was" in form.fields and said != form.raw(f"{field}.was") and work.choose(n, chosen, others):
            done.append(name.name)
    remember = form.has("remember")
    if "remember.was" in form.fields and remember != form.has("remember.was"):
        work.draft.remember = remember
        done.append("+")
    return Correction("draft_names", "; ".join(done)[:200]) if done else None


def _head(work: Corrections, form: Form) -> Correction | None:
    """The plan's own fields that the user changed in the form. Raises ChangedMeanwhile."""
    typed = {}
    for name in Head.model_fields:
        if name in form.fields and f"was.{name}" in form.fields:
            said, was, now = plain(form.raw(name)), plain(form.raw(f"was.{name}")), getattr(work.draft.head, name)
            if said not in (was, now):
                if was != now:
                    raise ChangedMeanwhile
                typed[name] = said
    return Correction("draft_head", ", ".join(typed)) if typed and work.set_head(typed) else None


ACTS: Mapping[str, Act] = {
    "part": _part,
    "join": _join,
    "drop": _drop,
    "item": _drop_item,
    "section": _drop_section,
    "sure": _sure,
    "times": _times,
    "answer": _answer,
    "take": _take,
}
"""Apply a button of the review to the draft."""


TURNS = {"page": "?page={}", "duty": "/duties/{}", "line": "/lines/{}", "kind": "/names/{}"}
"""The target of a button that only saves what was typed before turning to another page."""


def _number(target: str) -> int:
    return int(target) if re.fullmatch(r"\d{1,7}", target) else 0


def _duty_fields(form: Form) -> DutyFields:
    kind = form.raw("output_kind")
    return DutyFields(
        text=plain(form.raw("text")),
        owners=[plain(each) for each in form.every("owners")],
        cadence=[each for each in form.every("cadence") if each in tuple(Cadence)],
        due=plain(form.raw("due")),
        wording=plain(form.raw("wording")),
        coordinating=plain(form.raw("coordinating")),
        output=plain(form.raw("output")),
        output_kind=OutputKind(kind) if kind in tuple(OutputKind) else OutputKind.DOCUMENT,
        request=form.has("request"),
        whole_item=form.has("whole_item"),
    )


def _place(draft: PlanDraft, key: int) -> DutyPlace:
    place = draft.place(key)
    if place is None:
        raise NotThere
    return place


def _correct(ctx: RequestContext, draft_id: int, correct: Callable[[Corrections], list[Correction]]) -> PlanDraft:
    with ctx.writing() as session:
        directory = read_directory(session)
        return correct_draft(session, draft_id, lambda draft: correct(Corrections(draft, directory)), **ctx.by)


def _back(ctx: RequestContext, draft_id: int, draft: PlanDraft, do: str, target: str) -> Response:
    """The page and the place of what was corrected."""
    key, line = _number(re.split("[:-]", target)[0]), -1
    if do == "take":
        line, key = key, next((each.key for each in draft.duties if key in each.paragraphs), 0)
    elif do == "section":
        key = next((each.duty.key for each in draft.places() if each.section.roman == target), 0)
    elif do == "sure" or "-" in target:  # for all duties of a kind
        return ctx.go(f"/plans/drafts/{draft_id}#doubts")
    elif do not in ("part", "join", "drop", "item", "times", "duty"):
        return ctx.go(f"/plans/drafts/{draft_id}")
    number = page_of(pages_of(draft), key=key, paragraph=line)
    anchor = f"d{key}" if draft.place(key) else "duties"
    return ctx.go(f"/plans/drafts/{draft_id}" + (f"?page={number + 1}" if number else "") + f"#{anchor}")


# --- pages -----------------------------------------------------------------------------------------------------------


def _read(ctx: RequestContext, draft_id: int) -> tuple[StoredDraft, DirectoryFile]:
    ctx.require(Permission.LOAD_PLAN)
    with ctx.reading() as (session, _):
        return read_draft(session, draft_id), read_directory(session)


def _page(
    ctx: RequestContext,
    stored: StoredDraft,
    directory: DirectoryFile,
    *,
    number: int | None = 0,
    typed: Head | None = None,
    error: DondocError | None = None,
    status: int = 200,
) -> Response:
    """A page of the review; without a number, the one with the first error. ``typed``: plan fields that could not be
    saved."""
    out = reviewed(stored.draft, directory)
    checked(out, directory)
    with ctx.reading() as (session, today):
        view = ReviewView(stored, directory, out, number, today)
        return ctx.page(
            "plan_import/review.html",
            status,
            today=today,
            view=view,
            stored=stored,
            draft=stored.draft,
            head=typed or stored.draft.head,
            people=people_of(session, (stored.made_by, stored.changed_by)),
            may_add=ctx.may(Permission.KEEP_AGENCIES),
            sentence=error.said(ctx.language) if error else "",
            failed_save=status == 422,
        )


def _duty_page(
    ctx: RequestContext,
    stored: StoredDraft,
    directory: DirectoryFile,
    key: int,
    *,
    typed: DutyFields | None = None,
    error: DondocError | None = None,
) -> Response:
    """A duty's form beside its paragraphs. ``typed``: values that could not be saved."""
    place = _place(stored.draft, key)
    problems = reviewed(stored.draft, directory).problems
    fields = typed or shown_duty(place)
    return ctx.page(
        "plan_import/review_duty.html",
        error.status if error else 200,
        stored=stored,
        place=place,
        fields=fields,
        problems={name.removeprefix(f"duty.{key}."): said for name, said in problems.items() if f".{key}." in name},
        lines=[stored.draft.document[n] for n in place.duty.paragraphs],
        cuts=list(cuts(fields.text)),
        bodies=choosable(stored.draft, directory),
        known={*directory.latest_names, *directory.latest_names.values()},
        back=page_of(pages_of(stored.draft), key=key) + 1,
        first=next(stored.draft.places()).duty.key == key,
        sentence=error.said(ctx.language) if error else "",
    )


# --- saving ----------------------------------------------------------------------------------------------------------


def _save(ctx: RequestContext, draft_id: int) -> Response:
    """Load the plan and delete the draft. With errors, show the page of the first; if owners no longer exist, show the
    page that asks for their successors and keep the draft."""
    stored, directory = _read(ctx, draft_id)
    out = reviewed(stored.draft, directory)
    plan = checked(out, directory)
    if plan is None:
        asked = _correct(ctx, draft_id, _asked)
        return _page(ctx, replace(stored, draft=asked), directory, number=None, status=422)

    def save() -> int | CheckedPlan:
        with ctx.writing() as session:
            if read_draft(session, draft_id, lock=True).draft != stored.draft:
                raise ChangedMeanwhile  # a correction made since must not be lost with the draft
            _keep_names(ctx, session, stored.draft, out)
            if not ended_names(plan, directory):
                return _loaded(ctx, session, plan, draft_id)
        return check_text(ctx, dump(plan))  # a person confirms who took over before it is saved

    def saved(after: RequestContext, result: Callable[[], int | CheckedPlan]) -> Response:
        try:
            found = result()
            return after.go(f"/plans/{found}", said="loaded") if isinstance(found, int) else show_checked(after, found)
        except (BadInput, Conflict) as error:
            return _page(after, stored, directory, error=error, status=error.status)

    return answered(ctx, SAVING, ("save", draft_id, plan, out.new, stored.draft.remember), save, saved)


def _asked(work: Corrections) -> list[Correction]:
    """Record that somebody tried to save, so that errors are shown from now on."""
    if work.draft.asked_to_save:
        return []
    work.draft.asked_to_save = True
    return [Correction("draft_asked")]


def _keep_names(ctx: RequestContext, session: Session, draft: PlanDraft, out: Reviewed) -> None:
    """The agencies that are to be added, and the spellings that are to be kept. Raises NotAllowed."""
    for agency, name in out.new.items():
        ctx.require(Permission.KEEP_AGENCIES)
        add_agency(session, agency, name=name, level=level_of(name), **ctx.by)
    if draft.remember and out.matched:
        ctx.require(Permission.KEEP_AGENCIES)
        remember_names(session, out.matched, **ctx.by)


def _loaded(ctx: RequestContext, session: Session, plan: PlanFile, draft_id: int) -> int:
    plan_id = loading.load_plan(session, plan, **ctx.by)
    end_draft(session, draft_id, plan_id=plan_id, **ctx.by)
    return plan_id
