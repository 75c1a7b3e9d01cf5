"""Threads under /api/v1: difficulties, questions, answers, progress, parts of coordinating agencies, and one request to
extend several tasks. What the pages of ``engine.features.threads.pages`` do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, Field
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.api.caller import Call, Caller
from engine.api.models import Body, Day, Digests, ExtensionBody, LongId, PromiseFields
from engine.api.operations import reads, router_of, writes
from engine.assignments.bulk_decisions import MAX_DECISIONS, ask_for_days
from engine.assignments.promises import make_promise
from engine.assignments.reports.evidence import StoredFile, find_all, keep
from engine.correspondence import entries
from engine.correspondence.entries import MAX_TEXT_CHARS, NewEntry
from engine.errors import FieldsRefused, NotFound
from engine.http.filters import AgencyId, AssignmentId, LetterId, PeriodKey, Plain, SmallId
from engine.http.forms import MAX_REASON_CHARS, clean
from engine.queries.time_class import read_today
from engine.queries.work import threads
from engine.queries.work.assignment_story import assignment_row
from engine.queries.work.assignments import AssignmentRow
from engine.queries.work.threads import Coordinated, EntryLine, Raised
from engine.terms import EntryKind
from engine.text import Text

router = router_of("threads")
Words = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS), AfterValidator(clean)]


class WordsBody(Body):
    text: Words


class EntryBody(WordsBody, PromiseFields):
    """``expected_on``: of progress alone. ``files``: digests of files the agency has uploaded. With ``promised_on`` a
    difficulty asks for time: it is a promise too."""

    kind: Literal[EntryKind.DIFFICULTY, EntryKind.QUESTION, EntryKind.PROGRESS, EntryKind.AD_HOC]
    whole_plan: bool = False
    expected_on: Day | None = None
    files: Digests = Field(default_factory=list)


class PartBody(WordsBody):
    """``agency``: the coordinating agency. The files are handed to the owner too."""

    agency: Annotated[str, Plain, Field(max_length=64)]
    files: Digests = Field(default_factory=list)


class AskExtensionsBody(ExtensionBody):
    """One date, one reason and the same files for several assignments of one agency; a promise takes no files."""

    ids: Annotated[list[LongId], Field(min_length=1, max_length=MAX_DECISIONS)]
    files: Digests = Field(default_factory=list)


class Thread(BaseModel):
    """``news`` is false when the same words had been written today before."""

    news: bool
    entries: list[EntryLine]


class Asked(BaseModel):
    """``left``: assignment -> why no later day could be asked for it."""

    asked: list[int]
    left: dict[int, str]


@router.get("/assignments/{assignment_id}/entries")
@reads("Trao đổi về một việc", "List the entries of a thread")
def list_entries(caller: Caller, assignment_id: AssignmentId) -> list[EntryLine]:
    """Oldest first."""
    with caller.reading() as (session, today):
        caller.require(Permission.SEE_ASSIGNMENT, assignment_row(session, today, assignment_id).agency_id)
        return list(threads.entries(session, [assignment_id]))


@router.post("/assignments/{assignment_id}/entries", response_model=Thread)
@writes("Báo khó khăn, hỏi, báo tiến độ", "Write an entry", kind="difficulty", text="Chưa có kinh phí.")
def write_entry(caller: Caller, assignment_id: AssignmentId, payload: EntryBody) -> Response:
    """An entry of the owner; the monitor is told in the day's letter."""

    if payload.promised_on is not None and (payload.kind is not EntryKind.DIFFICULTY or payload.whole_plan):
        only = Text("Chỉ khó khăn về một nhiệm vụ hẹn ngày.", "Only a difficulty about one task promises a day.")
        raise FieldsRefused({"promised_on": only})

    def act(session: Session, row: AssignmentRow) -> bool:
        caller.require(Permission.RAISE, row.agency_id)
        files = _files(session, row.agency_id, payload.files)
        new = NewEntry(
            payload.kind,
            payload.text,
            payload.whole_plan,
            payload.expected_on,
            tuple(each.as_entry for each in files),
        )
        news = entries.write(session, assignment_id, new, **caller.by)
        if news and payload.promised_on is not None:
            promise = payload.promise_text(payload.promised_on, payload.text[:MAX_REASON_CHARS])
            make_promise(session, assignment_id, promise, "difficulty", **caller.by)
        return news

    return _do(caller, assignment_id, act)


@router.post("/assignments/{assignment_id}/question", response_model=Thread)
@writes("Cơ quan theo dõi hỏi", "Ask the owner", text="Đề nghị cho biết số xã đã làm.")
def ask_question(caller: Caller, assignment_id: AssignmentId, payload: WordsBody) -> Response:
    """A question of the department above; the coordinator is told in the day's letter."""

    def act(session: Session, row: AssignmentRow) -> bool:
        caller.require(Permission.ANSWER, row.supervisor_id)
        return entries.ask(session, assignment_id, payload.text, **caller.by)

    return _do(caller, assignment_id, act)


@router.post("/assignments/{assignment_id}/entries/{entry_id}/answer", response_model=Thread)
@writes("Trả lời", "Answer an entry", text="Đã bố trí từ nguồn sự nghiệp.")
def answer_entry(caller: Caller, assignment_id: AssignmentId, entry_id: LetterId, payload: WordsBody) -> Response:
    """Answer an entry of the other side: the owner's by the department above, the department's by the owner."""

    def act(session: Session, row: AssignmentRow) -> bool:
        asked = next((each for each in threads.entries(session, [assignment_id]) if each.id == entry_id), None)
        if asked is None:
            raise NotFound(Text("Không có nội dung này để trả lời.", "There is no such entry to answer."))
        side = row.supervisor_id if asked.of_owner else row.agency_id
        caller.require(Permission.ANSWER if asked.of_owner else Permission.RAISE, side)
        by = {"actor": caller.actor.name, "now": caller.now}
        return entries.answer(session, entry_id, payload.text, agency_id=side, **by)  # type: ignore[arg-type]

    return _do(caller, assignment_id, act)


@router.post("/assignments/{assignment_id}/part", response_model=Thread)
@writes("Góp phần phối hợp", "Add a coordinating agency's part", agency="so-tai-chinh", text="Đã thẩm định dự toán.")
def add_part(caller: Caller, assignment_id: AssignmentId, payload: PartBody) -> Response:
    """The part of a coordinating agency; the owner's coordinator is told in the day's letter."""

    def act(session: Session, row: AssignmentRow) -> bool:
        caller.require(Permission.ADD_PART, payload.agency)
        files = _files(session, payload.agency, payload.files)
        new = NewEntry(EntryKind.PART, payload.text, files=tuple(each.as_entry for each in files))
        by = caller.by
        changed = entries.add_part(session, assignment_id, payload.agency, new, **by)
        for each in files if changed else ():
            keep(session, each, agency_id=row.agency_id, **by)
        return changed

    return _do(caller, assignment_id, act)


@router.post("/assignments/extension", response_model=Asked)
@writes("Xin gia hạn nhiều việc", "Ask to extend several", ids=[418], until="2021-07-30", reason="Chờ số liệu xã.")
def ask_extensions(caller: Caller, payload: AskExtensionsBody) -> Response:
    """Ask to extend several assignments; those that cannot be are left, with the reason. Of those that are late already
    it is the promise to be done by that day."""
    with caller.writing() as session:
        today = read_today(session, caller.now)
        owners = {assignment_row(session, today, each).agency_id for each in payload.ids}
        for owner in owners:
            caller.require(Permission.ASK_EXTENSION, owner)
        if len(owners) != 1:
            raise FieldsRefused({"ids": Text("Chỉ của một cơ quan.", "Of one agency only.")})
        files = _files(session, owners.pop(), payload.files)

        def done() -> Asked:
            found = ask_for_days(
                session,
                payload.ids,
                payload.text,
                files=tuple(each.as_entry for each in files),
                **caller.by,
            )
            left = {one: error.said(caller.language) for one, error in found.left.items()}
            return Asked(asked=list(found.done), left=left)

        return caller.once(session, done)


@router.get("/agencies/{agency_id}/coordinated")
@reads("Việc được giao phối hợp", "List what an agency helps with")
def list_coordinated(caller: Caller, agency_id: AgencyId) -> list[Coordinated]:
    """The duties of active plans that an agency helps with, with what the lead reported."""
    caller.require(Permission.SEE_ASSIGNMENT, agency_id)
    with caller.reading() as (session, today):
        return list(threads.coordinated(session, today, agency_id))


@router.get("/plans/{plan_id}/difficulties/{period}")
@reads("Khó khăn trong kỳ", "List the difficulties of a period")
def list_difficulties(caller: Caller, plan_id: SmallId, period: PeriodKey) -> list[Raised]:
    """The difficulties and unasked ad hoc reports of a period and the periods within it, with their answers."""
    caller.require(Permission.SEE_FIGURES)
    with caller.app.database.read() as session:
        return list(threads.difficulties(session, plan_id, period))


def _files(session: Session, agency_id: str, digests: list[str]) -> tuple[StoredFile, ...]:
    known = find_all(session, agency_id, set(digests))
    if set(digests) - set(known):
        raise FieldsRefused({"files": Text("Cơ quan chưa tải tệp này lên.", "The agency has not uploaded this file.")})
    return tuple(known[each] for each in dict.fromkeys(digests))


def _do(caller: Call, assignment_id: int, act: Callable[[Session, AssignmentRow], bool]) -> Response:
    """Run an act and read the thread again, in one transaction."""
    with caller.writing() as session:
        row = assignment_row(session, read_today(session, caller.now), assignment_id)

        def done() -> Thread:
            news = act(session, row)
            return Thread(news=news, entries=list(threads.entries(session, [assignment_id])))

        return caller.once(session, done)
