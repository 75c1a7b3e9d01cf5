"""A draft dispatch waits by itself once letters have chased to the level of a paper: the board and the monitor's letter
say how many, until a number is recorded or the draft is dropped with a reason."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from ground.factory import at, item, lay, plan_file, policy, rows, swept
from ground.office import NOW, Office, looking
from httpx import Response
from sqlalchemy import update

from engine.assignments.backlog import backlogs
from engine.assignments.chasing import drafts_waiting
from engine.features.papers.drafts import waiting_drafts
from engine.queries.time_class import read_today
from engine.store.database import Database, table
from engine.store.records import Assignment, Contact, Event, Letter, Notice
from engine.store.rulebook import read_rulebook
from engine.terms import EventKind, LetterState, NoticeKind, Role
from notifications.letters.digests import digests
from notifications.letters.facts import gather

TODAY = NOW.date()


def chase_far(database: Database, assignment_id: int, agency_id: str) -> None:
    """Two letters to the agency, of today and yesterday, are escalations that arrived."""
    letters = [each for each in rows(database, Letter) if each.agency_id == agency_id][:2]
    assert len(letters) == 2
    with database.write() as session:
        for days, letter in enumerate(letters):
            changed = update(table(Letter)).where(table(Letter).c.id == letter.id)
            values = {"day": TODAY - timedelta(days), "state": LetterState.DELIVERED}
            session.connection().execute(changed.values(**values))
            session.add(
                Notice(
                    key=f"made:{days}",
                    letter_id=letter.id,
                    assignment_id=assignment_id,
                    kind=NoticeKind.ESCALATION,
                    level=2,
                )
            )
        a = table(Assignment)
        session.connection().execute(update(a).where(a.c.id == assignment_id).values(level=2))


@pytest.fixture
def late(office: Office, lived: Database) -> int:
    """An overdue assignment that letters have chased to the level of a paper."""
    overdue = [each for each in rows(lived, Assignment) if each.due_on and each.due_on < TODAY and not each.done_on]
    chosen = next(each for each in overdue if each.agency_id not in ("so-chinh", "mat-tran"))
    assert not waiting(lived)
    assert "chưa có việc nào đến mức" in office.get("/papers").text.lower()
    chase_far(lived, chosen.id, chosen.agency_id)
    return int(chosen.id)


def waiting(database: Database) -> list[tuple[str, int]]:
    """The drafts; the list of the page and the count of board and letters agree."""
    with database.read() as session:
        today = read_today(session, NOW)
        found = [(each.supervisor_id, each.plan_id) for each in waiting_drafts(session, today)]
        assert drafts_waiting(session, TODAY) == found
    return found


def to_do(office: Office) -> list[str]:
    page = BeautifulSoup(office.get("/").text, "lxml")
    return [" ".join(each.get_text(" ").split()) for each in page.select(".now a") if "công văn" in each.get_text()]


def announced(database: Database) -> int:
    """How many drafts the monitor's letter of the day would name."""
    with looking(database) as (session, _):
        found = backlogs(session, ["so-chinh"], read_rulebook(session).calendar, TODAY, policy())
        return found["so-chinh"].drafts if "so-chinh" in found else 0


def papers_offered(office: Office, path: str) -> list[str]:
    """Links to papers among the facts of a page and its tools, with their words."""
    found = BeautifulSoup(office.get(path).text, "lxml").select(".three a[href^='/papers'], .tools a[href^='/papers']")
    return [f"{' '.join(each.get_text(' ').split())} -> {each['href']}" for each in found]


def drop(office: Office, reason: str) -> Response:
    return office.post("/papers/drop", page="/papers", plan="1", reason=reason)


def test_a_draft_is_counted_on_the_board_and_for_the_monitor_until_its_number_is_recorded(
    office: Office, lived: Database, late: int
) -> None:
    assert waiting(lived) == [("so-chinh", 1)]
    assert to_do(office) == ["1 dự thảo công văn chờ ký"]
    assert announced(lived) == 1
    assert "/papers/dispatch?plan=1" in office.get("/papers").text
    form = BeautifulSoup(office.get("/papers/dispatch?plan=1").text, "lxml").select("form[method=post] input[name=id]")
    ids = [str(each["value"]) for each in form]
    page = "/papers/dispatch?plan=1"
    assert office.post("/papers/dispatch", page=page, plan="1", id=ids, number="412/SNV", on="24/6/2021").is_redirect
    assert (waiting(lived), to_do(office), announced(lived)) == ([], [], 0)
    assert "412/SNV" in office.get("/papers").text


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize("path", ["/overdue", "/agencies/huyen-b"])
def test_no_second_dispatch_is_offered_while_one_waits_to_be_signed(office: Office, path: str) -> None:
    assert papers_offered(office, path) == ["1 dự thảo công văn chờ ký -> /papers"]
    drop(office, "Đã trao đổi trực tiếp.")
    (offered,) = papers_offered(office, path)
    assert offered.startswith("Soạn công văn đôn đốc -> /papers/dispatch?plan=1")


def test_a_dropped_draft_is_gone_with_its_reason_and_waits_again_once_chased_further(
    office: Office, lived: Database, late: int
) -> None:
    answer = drop(office, "")
    assert answer.status_code == 422
    assert "Ghi lý do bỏ dự thảo" in answer.text
    assert waiting(lived)
    assert drop(office, "Đã trao đổi trực tiếp.").headers["location"] == "/papers?said=dropped"
    assert (waiting(lived), to_do(office), announced(lived)) == ([], [], 0)
    (event,) = rows(lived, Event, kind=EventKind.PAPER_DROPPED)
    assert event.assignment_id == late
    assert "Bỏ dự thảo công văn: «Đã trao đổi trực tiếp.»" in office.get(f"/assignments/{late}").text
    with lived.write() as session:
        e = table(Event)
        before = {"on": (TODAY - timedelta(3)).isoformat(), "reason": "x"}
        session.connection().execute(update(e).where(e.c.id == event.id).values(detail=before))
    assert waiting(lived) == [("so-chinh", 1)]


def test_on_both_databases(database: Database) -> None:
    laid = lay(database, now=at("2021-04-07"), plan=plan_file(items=(item(1, "so-ban"),)), rules=policy())
    for day in ("2021-04-07", "2021-06-14", "2021-06-18"):
        swept(database, at(day, "07:00"))
    mine = laid.assignment("IV.1.1", "so-ban")
    assert waiting(database) == []
    chase_far(database, mine, "so-ban")
    assert waiting(database) == [("so-chinh", laid.plan_id)]


def test_the_letter_of_the_monitor_knows_it(lived: Database, late: int) -> None:
    ids = [each.id for each in rows(lived, Letter) if each.role is Role.MONITOR and each.agency_id == "so-chinh"]
    with lived.read() as session:
        found = gather(session, ids, read_rulebook(session), NOW)
    assert {each.backlog.drafts for each in found if each.backlog} == {1}


@pytest.mark.usefixtures("late")
def test_the_weekly_letter_of_the_leadership_knows_it(office: Office, lived: Database) -> None:
    leader = next(each for each in rows(lived, Contact) if each.role is Role.LEADERSHIP)
    letter = SimpleNamespace(
        id=1, agency_id=leader.agency_id, contact_id=leader.id, role=leader.role, digest_week="2021-W25"
    )
    with lived.read() as session:
        assert digests(session, [letter], read_rulebook(session), NOW)[1].drafts == 1
    drop(office, "Đã trao đổi trực tiếp.")
    with lived.read() as session:
        assert digests(session, [letter], read_rulebook(session), NOW)[1].drafts == 0
