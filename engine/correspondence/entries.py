"""Entries of an assignment's thread: difficulties, questions, answers, progress, ad hoc reports, parts of coordinating
agencies. One table, one function an act.

An entry changes no state and is never counted as a report. Every act runs in the caller's transaction: it inserts the
entry, logs an event and puts one line into the other side's letter of the day. The same words of the same agency about
the same assignment are one entry a day, so that a form sent twice says it once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import exists, func, select, update
from sqlmodel import Session

from engine.assignments.outbox import NoticeLine, post
from engine.enums import complete
from engine.errors import BadInput, Conflict, ForbiddenMove, NotAllowed, NotFound
from engine.rules.calendar import local_date, written
from engine.rules.privacy import PRIVATE_WORDS, Private, looks_private
from engine.rules.situation import is_counted, is_unfinished
from engine.store.data_versions import about_agency, of_one
from engine.store.database import among, insert_new, table
from engine.store.event_log import record
from engine.store.recipients import read_recipients
from engine.store.records import Agency, Assignment, Duty, Plan, ThreadEntry
from engine.store.records.work import UNANSWERED_ENTRY
from engine.store.rulebook import read_rulebook
from engine.store.stored_rows import AssignmentOfPlan, object_of, select_assignments
from engine.terms import RAISED_KINDS, EntryKind, EventKind, NoticeKind, PlanState, Role
from engine.text import Text

MAX_TEXT_CHARS = 4_000
MAX_QUOTED_CHARS = 400
"""Characters of an entry that a letter and the log quote; the page shows it whole."""
MAX_WAITING = 20
"""Entries of one side of a thread that may wait for an answer at once."""
OWNER_KINDS = (EntryKind.DIFFICULTY, EntryKind.QUESTION, EntryKind.PROGRESS, EntryKind.AD_HOC)
EVENTS = complete(
    EntryKind,
    {
        EntryKind.DIFFICULTY: EventKind.DIFFICULTY_RAISED,
        EntryKind.QUESTION: EventKind.QUESTION_ASKED,
        EntryKind.AD_HOC: EventKind.AD_HOC_REPORTED,
        EntryKind.PROGRESS: EventKind.PROGRESS_TOLD,
        EntryKind.ANSWER: EventKind.ENTRY_ANSWERED,
        EntryKind.PART: EventKind.PART_ADDED,
    },
)


@dataclass(frozen=True)
class NewEntry:
    """What is written. ``files``: entries of ``engine.assignments.reports.evidence.StoredFile.as_entry``."""

    kind: EntryKind
    text: str
    whole_plan: bool = False
    expected_on: date | None = None
    files: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Locked(AssignmentOfPlan):
    """An assignment with what its letters need."""

    coordinating: Sequence[str]
    plan_state: PlanState


@of_one
def write(session: Session, assignment_id: int, new: NewEntry, *, actor: str, now: datetime) -> bool:
    """An entry of the owner: the monitor is told in the day's letter. False if it was written today before."""
    if new.kind not in OWNER_KINDS:
        raise BadInput(Text("Cơ quan chủ trì không ghi mục này.", "An owner does not write this kind of entry."))
    row = _locked(session, assignment_id)
    if new.kind is EntryKind.PROGRESS:
        _check_progress(row, new, local_date(now))
    entry_id = _insert(session, row, row.agency_id, new, actor, now)
    if entry_id is None:
        return False
    kind = NoticeKind.RAISED if new.kind in RAISED_KINDS else NoticeKind.PROGRESS
    _tell(session, row, Role.MONITOR, kind, entry_id, _detail(new, entry_id), now)
    return True


@of_one
def ask(session: Session, assignment_id: int, text: str, *, actor: str, now: datetime) -> bool:
    """A question of the department above to the owner. False if it was asked today before."""
    row = _locked(session, assignment_id)
    new = NewEntry(EntryKind.QUESTION, text)
    entry_id = _insert(session, row, row.supervisor_id, new, actor, now)
    if entry_id is None:
        return False
    _tell(session, row, Role.COORDINATOR, NoticeKind.RAISED, entry_id, _detail(new, entry_id), now)
    return True


@of_one
def answer(session: Session, entry_id: int, text: str, *, agency_id: str, actor: str, now: datetime) -> bool:
    """Answer an entry of the other side on behalf of ``agency_id``: the department above, or the owner. False if the
    same answer was given today before. Raises Conflict if another was."""
    t = table(ThreadEntry)
    asked = session.connection().execute(select(t).where(t.c.id == entry_id)).first()
    if asked is None or asked.kind not in RAISED_KINDS:
        raise NotFound(Text("Không có nội dung này để trả lời.", "There is no such entry to answer."))
    row = _locked(session, asked.assignment_id, running=False)
    by_owner = asked.agency_id == row.agency_id
    other_side = row.supervisor_id if by_owner else row.agency_id
    if agency_id != other_side:
        raise NotAllowed
    new = NewEntry(EntryKind.ANSWER, text)
    answer_id = _insert(session, row, agency_id, new, actor, now, answers=entry_id)
    if answer_id is None:
        return False
    answered = session.connection().execute(
        update(t).where(t.c.id == entry_id, t.c.answered_at.is_(None)).values(answered_at=now)
    )
    if answered.rowcount != 1:
        raise Conflict(Text("Nội dung này đã được trả lời.", "This has been answered already."))
    reader = Role.COORDINATOR if by_owner else Role.MONITOR
    detail = _detail(new, answer_id) | {"asked": quoted(asked.text), "about": asked.kind.value}
    _tell(session, row, reader, NoticeKind.ANSWERED, answer_id, detail | {"whole": asked.whole_plan}, now)
    return True


@of_one
def add_part(session: Session, assignment_id: int, agency_id: str, new: NewEntry, *, actor: str, now: datetime) -> bool:
    """The part of a coordinating agency: the owner is told in the day's letter. False if it was given today before."""
    row = _locked(session, assignment_id)
    if agency_id not in row.coordinating:
        raise NotAllowed
    entry_id = _insert(session, row, agency_id, new, actor, now)
    if entry_id is None:
        return False
    g = table(Agency)
    name = session.connection().scalar(select(g.c.name).where(g.c.id == agency_id))
    detail = _detail(new, entry_id) | {"by": name}
    _tell(session, row, Role.COORDINATOR, NoticeKind.PROGRESS, entry_id, detail, now)
    return True


def waiting_in(session: Session, assignment_ids: Sequence[int], *, of_owner: bool) -> list[tuple[int, int]]:
    """(entry, assignment) of what waits for an answer about these assignments, oldest first: raised by the owner, or
    asked of it."""
    t, a = table(ThreadEntry), table(Assignment)
    same = t.c.agency_id == a.c.agency_id
    statement = (
        select(t.c.id, t.c.assignment_id)
        .join(a, a.c.id == t.c.assignment_id)
        .where(UNANSWERED_ENTRY, t.c.assignment_id.in_(assignment_ids), same if of_owner else ~same)
        .order_by(t.c.id)
    )
    return [(row[0], row[1]) for row in session.connection().execute(statement)]


def waiting_entries(session: Session, entry_ids: Collection[int]) -> frozenset[int]:
    """Those of the entries that still wait for an answer."""
    t = table(ThreadEntry)
    statement = select(t.c.id).where(UNANSWERED_ENTRY, among(session, t.c.id, entry_ids))
    return frozenset(session.connection().scalars(statement))


def quoted(text: str) -> str:
    """The beginning of a text on one line, at a word, as a letter quotes it."""
    plain = " ".join(text.split())
    if len(plain) <= MAX_QUOTED_CHARS:
        return plain
    return plain[:MAX_QUOTED_CHARS].rpartition(" ")[0].rstrip(" ,;:.") + " …"


def _locked(session: Session, assignment_id: int, *, running: bool = True) -> _Locked:
    """The assignment with what its letters need. Raises NotFound, and ForbiddenMove once nothing is owed."""
    a, d, p = table(Assignment), table(Duty), table(Plan)
    statement = (
        select_assignments()
        .add_columns(d.c.coordinating, p.c.policy_id, p.c.urgency, p.c.state.label("plan_state"))
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(a.c.id == assignment_id)
        .with_for_update(of=a)
    )
    found = session.connection().execute(statement).first()
    if found is None:
        raise NotFound(Text(f"Không có việc số {assignment_id}.", f"There is no assignment {assignment_id}."))
    row = object_of(_Locked, found)
    about_agency(session, (row.agency_id, *row.coordinating))
    if running and not is_counted(row.state):
        raise ForbiddenMove(
            Text("Phần việc này đã hủy hoặc chuyển giao.", "This assignment was cancelled or transferred.")
        )
    if running and row.plan_state is not PlanState.ACTIVE:
        raise ForbiddenMove(Text("Kế hoạch này đã kết thúc.", "This plan has ended."))
    return row


def _check_progress(row: _Locked, new: NewEntry, today: date) -> None:
    if not is_unfinished(row.state, row.done_on):
        raise ForbiddenMove(Text("Nhiệm vụ này đã báo cáo hoàn thành.", "This task was reported done."))
    if new.expected_on is not None and new.expected_on < today:
        raise BadInput(
            Text(
                f"Ngày dự kiến {written(new.expected_on)} đã qua.",
                f"The expected date {written(new.expected_on, 'en')} has passed.",
            )
        )


def _insert(
    session: Session,
    row: _Locked,
    agency_id: str,
    new: NewEntry,
    actor: str,
    now: datetime,
    *,
    answers: int | None = None,
) -> int | None:
    """Insert an entry and its event; its id, or None if it exists."""
    text = new.text.strip()
    if not text:
        raise BadInput(Text("Cần ghi nội dung.", "Write something."))
    if len(text) > MAX_TEXT_CHARS:
        raise BadInput(Text(f"Dài quá {MAX_TEXT_CHARS} ký tự.", f"Longer than {MAX_TEXT_CHARS} characters."))
    if any(each.what is Private.SECRET for each in looks_private(text)):
        vi, en = PRIVATE_WORDS[Private.SECRET]
        raise BadInput(Text(f"Nội dung {vi}.", f"This text {en}."))
    t = table(ThreadEntry)
    key = _key(row, agency_id, new, text, now, answers)
    known = exists().where(t.c.key == key)
    if new.kind in RAISED_KINDS and not session.connection().scalar(select(known)):
        _check_waiting(session, row, agency_id)
    values = {
        "key": key,
        "assignment_id": row.id,
        "whole_plan": new.whole_plan,
        "kind": new.kind,
        "agency_id": agency_id,
        "text": text,
        "expected_on": new.expected_on,
        "files": [dict(each) for each in new.files],
        "answers_id": answers,
        "answered_at": None,
        "actor": actor,
        "at": now,
    }
    if not insert_new(session, ThreadEntry, [values]):
        return None
    entry_id = int(session.connection().scalars(select(t.c.id).where(t.c.key == key)).one())
    kind, event_key = EVENTS[new.kind], f"entry:{entry_id}"
    record(session, kind, now, row, actor=actor, key=event_key, entry=entry_id, said=quoted(text))
    return entry_id


def _check_waiting(session: Session, row: _Locked, agency_id: str) -> None:
    t = table(ThreadEntry)
    waiting = select(func.count()).where(UNANSWERED_ENTRY, t.c.assignment_id == row.id, t.c.agency_id == agency_id)
    if (session.connection().scalar(waiting) or 0) >= MAX_WAITING:
        raise Conflict(
            Text(
                f"Đã có {MAX_WAITING} nội dung đang chờ trả lời; hãy liên hệ trực tiếp.",
                f"{MAX_WAITING} entries wait for an answer already; please call.",
            )
        )


def _key(row: _Locked, agency_id: str, new: NewEntry, text: str, now: datetime, answers: int | None) -> str:
    said = "\0".join((text, str(new.whole_plan), str(new.expected_on), str(answers), agency_id))
    said += "".join(str(each.get("digest")) for each in new.files)
    digest = hashlib.sha256(said.encode()).hexdigest()[:32]
    return f"entry:{row.id}:{new.kind}:{local_date(now).isoformat()}:{digest}"


def _detail(new: NewEntry, entry_id: int) -> dict[str, object]:
    """What the line of a letter says. The text is quoted, never whole."""
    detail: dict[str, object] = {"entry": entry_id, "what": new.kind.value, "said": quoted(new.text)}
    if new.whole_plan:
        detail["whole"] = True
    if new.expected_on is not None:
        detail["expected"] = new.expected_on.isoformat()
    if new.files:
        detail["files"] = len(new.files)
    return detail


def _tell(
    session: Session,
    row: _Locked,
    role: Role,
    kind: NoticeKind,
    entry_id: int,
    detail: Mapping[str, object],
    now: datetime,
) -> None:
    """One line in the day's letter to the other side."""
    book = read_rulebook(session)
    agency_id = row.supervisor_id if role is Role.MONITOR else row.agency_id
    line = NoticeLine(
        effect=f"entry:{entry_id}",
        assignment_id=row.id,
        agency_id=agency_id,
        role=role,
        kind=kind,
        policy=book.policy(row.policy_id),
        urgent=row.urgency.urgent,
        detail=dict(detail),
    )
    post(session, [line], read_recipients(session, [agency_id]), book, now)
