"""What a letter says: gathered in a constant number of queries, and looked at again when it leaves."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ground.factory import Laid, at, bring_to, do, item, lay, plan_file, policy, rows, swept
from ground.post import KEY, post_office
from sqlalchemy import event, insert, update

from engine.accounts.signed_links import Purpose, Signer
from engine.agencies.preferences import slow
from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import make_promise
from engine.assignments.weekly_digest import make
from engine.rules.situation import NO_REPORT, Action
from engine.store.database import Database, table
from engine.store.records import Contact, Letter, Notice
from engine.store.rulebook import read_rulebook
from engine.terms import NoticeKind, Outcome, PlanState, Role, State
from notifications.letters.facts import ORDER, LetterFacts, gather
from notifications.letters.obsolete import ONLY_UNACKNOWLEDGED, ONLY_WHILE_LATE, obsolete_reason
from notifications.letters.renderer import LetterRenderer, RendererSettings
from notifications.letters.view import PARTS

TODAY, NOW = date(2021, 6, 18), at("2021-06-18", "07:30")


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    """On 18 June everything of the 17th is overdue."""
    laid = lay(sqlite_database, now=at("2021-04-07"))
    for day in ("2021-04-07", "2021-06-03", "2021-06-14", "2021-06-16", "2021-06-18"):
        swept(sqlite_database, at(day, "07:00"))
    return laid


def gathered(laid: Laid, day: date = TODAY, now: Any = NOW) -> dict[str, LetterFacts]:
    """Mailbox -> the facts of its letter of a day."""
    ids = [letter.id for letter in rows(laid.database, Letter, day=day)]
    with laid.database.read() as session:
        return {each.to: each for each in gather(session, ids, read_rulebook(session), now)}


def test_every_kind_of_line_has_a_rank_and_a_part() -> None:
    assert set(ORDER) == set(NoticeKind)
    assert {kind for kinds in PARTS.values() for kind in kinds} == set(NoticeKind)


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_what_is_done_is_not_asked_for(kind: NoticeKind) -> None:
    """A line that asks for something has no point once it is done; one that tells of a deed is told all the same."""
    tells = {
        NoticeKind.EXTENSION_DECIDED,
        NoticeKind.PROMISE_DECIDED,
        NoticeKind.PLAN_ENDED,
        NoticeKind.REORGANISED,
        NoticeKind.TRANSFERRED,
        NoticeKind.CANCELLED,
        NoticeKind.WROTE,
    }
    tells |= {NoticeKind.RAISED, NoticeKind.ANSWERED, NoticeKind.PROGRESS}
    gone = {State.CANCELLED, State.TRANSFERRED}
    for state in gone if kind is NoticeKind.COORDINATES else set(State) - set(NO_REPORT.states):
        assert bool(obsolete_reason(kind, state, TODAY, TODAY)) is (kind not in tells), (kind, state)


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_a_line_that_asks_to_acknowledge_stands_until_that_is_done(kind: NoticeKind) -> None:
    asks = kind in ONLY_UNACKNOWLEDGED
    assert obsolete_reason(kind, State.ACKNOWLEDGED, date(2021, 6, 1), TODAY) == ("acknowledged" if asks else "") or (
        kind is NoticeKind.RETURNED
    )


def test_once_a_plan_has_ended_nothing_is_asked_for_and_what_was_done_is_told_all_the_same() -> None:
    told = {
        kind
        for kind in NoticeKind
        if not obsolete_reason(kind, State.RETURNED, date(2021, 6, 1), TODAY, PlanState.ENDED)
    }
    assert told == {
        NoticeKind.RETURNED,
        NoticeKind.EXTENSION_DECIDED,
        NoticeKind.PROMISE_DECIDED,
        NoticeKind.PLAN_ENDED,
        NoticeKind.REORGANISED,
        NoticeKind.TRANSFERRED,
        NoticeKind.CANCELLED,
        NoticeKind.WROTE,
        NoticeKind.RAISED,
        NoticeKind.ANSWERED,
        NoticeKind.PROGRESS,
    }


@pytest.mark.parametrize("kind", sorted(ONLY_WHILE_LATE))
def test_overdue_is_said_only_while_it_is(kind: NoticeKind) -> None:
    assert obsolete_reason(kind, State.ASSIGNED, date(2021, 6, 17), TODAY) == ""
    assert obsolete_reason(kind, State.ASSIGNED, TODAY, TODAY) == "due_moved"
    assert obsolete_reason(kind, State.ASSIGNED, None, TODAY) == ""


def test_a_letter_knows_whom_it_goes_to_and_what_is_late_by_how_much(laid: Laid) -> None:
    facts = gathered(laid)["coordinator@huyen-a.example"]
    assert (facts.agency, facts.role, facts.language, facts.channel) == ("Huyen a", Role.COORDINATOR, "vi", "email")
    (line,) = facts.items
    assert (line.citation, line.kind, line.days, line.period) == ("IV.2.1", NoticeKind.OVERDUE, -1, "2021-H1")
    assert (line.next_on, line.supervisor) == (date(2021, 6, 22), "So chinh")
    step = "gửi thư đôn đốc đến đầu mối, lãnh đạo cơ quan, bộ phận theo dõi của So chinh"
    assert line.next_step == step
    assert not facts.empty


def test_the_arithmetic_of_a_moved_date_comes_along_and_that_of_an_unmoved_one_does_not(laid: Laid) -> None:
    swept(laid.database, at("2021-06-22", "07:00"))
    moved = gathered(laid, date(2021, 6, 22), at("2021-06-22", "07:30"))["coordinator@so-chinh.example"]
    assert [line.due_why for line in moved.items] == ["ngày 20/6/2021 là Chủ nhật, hạn chuyển sang thứ Hai, 21/6/2021"]
    assert {line.due_why for line in gathered(laid)["coordinator@huyen-a.example"].items} == {""}


def test_dates_are_explained_in_the_reader_s_language(laid: Laid) -> None:
    with laid.database.write() as session:
        session.connection().execute(update(table(Contact)).values(language="en"))
    swept(laid.database, at("2021-06-22", "07:00"))
    letter = gathered(laid, date(2021, 6, 22), at("2021-06-22", "07:30"))["coordinator@so-chinh.example"]
    assert letter.items[0].due_why == "20/6/2021 is closed (Sunday), so it moves to Monday, 21/6/2021"


def test_lines_come_worst_first_and_an_assignment_is_spoken_of_once(laid: Laid) -> None:
    mine = laid.assignment("IV.2.1", "huyen-a")
    with laid.database.write() as session:
        lifecycle.chase(session, mine, actor="contact:1", now=at("2021-06-18", "07:10"))
    facts = gathered(laid)["coordinator@huyen-a.example"]
    assert [line.kind for line in facts.items] == [NoticeKind.OVERDUE]
    assert list(facts.obsolete.values()) == ["said_already"]


def test_an_answer_to_be_read_is_said_beside_another_line_about_the_same_assignment(laid: Laid) -> None:
    facts = gathered(laid)["coordinator@huyen-a.example"]
    wrote = {
        "key": "x",
        "letter_id": facts.letter_id,
        "assignment_id": facts.items[0].assignment_id,
        "kind": "wrote",
        "rung": "",
        "level": 0,
        "detail": {"said": "?"},
        "obsolete": "",
    }
    with laid.database.write() as session:
        session.connection().execute(insert(table(Notice)).values(**wrote))
    again = gathered(laid)["coordinator@huyen-a.example"]
    assert [line.kind for line in again.items] == [NoticeKind.OVERDUE, NoticeKind.WROTE]


def test_a_reported_assignment_leaves_an_empty_letter_that_says_why(laid: Laid) -> None:
    do(laid.database, Action.REPORT, laid.assignment("IV.2.1", "huyen-a"), now=at("2021-06-18", "07:10"))
    facts = gathered(laid)["coordinator@huyen-a.example"]
    assert facts.empty
    assert list(facts.obsolete.values()) == ["reported"]


@pytest.mark.parametrize("state", [State.ACCEPTED, State.CANCELLED, State.TRANSFERRED])
def test_so_does_one_that_is_nobody_s_any_more(laid: Laid, state: State) -> None:
    bring_to(laid.database, state, laid.assignment("IV.1.1", "so-ban"), now=at("2021-06-18", "07:10"))
    facts = gathered(laid)["coordinator@so-ban.example"]
    assert NoticeKind.OVERDUE not in [line.kind for line in facts.items]
    assert state.value in facts.obsolete.values()


def counted(laid: Laid, ids: list[int]) -> int:
    """How many statements the facts of some letters take."""
    seen: list[str] = []
    event.listen(laid.database.bind, "before_cursor_execute", lambda *given: seen.append(given[2]))
    with laid.database.read() as session:
        book = read_rulebook(session)
        before = len(seen)
        assert len(gather(session, ids, book, NOW)) == len(ids)
    return len(seen) - before


def test_the_number_of_queries_does_not_grow_with_letters(laid: Laid) -> None:
    with laid.database.write() as session:
        session.connection().execute(
            update(table(Letter)).where(table(Letter).c.day == TODAY).values(digest_week="2021-W25")
        )
    ids = [letter.id for letter in rows(laid.database, Letter, day=TODAY)]
    assert len(ids) >= 6
    one_a_role = {letter.role: letter.id for letter in rows(laid.database, Letter, day=TODAY)}
    assert len(ids) > len(one_a_role)
    assert counted(laid, ids) == counted(laid, list(one_a_role.values()))


def test_letters_come_in_the_order_they_were_asked_for(laid: Laid) -> None:
    ids = [letter.id for letter in rows(laid.database, Letter)][::-1]
    with laid.database.read() as session:
        assert [each.letter_id for each in gather(session, ids, read_rulebook(session), NOW)] == ids


def test_a_reminder_may_be_put_off_and_what_is_late_may_not(sqlite_database: Database) -> None:
    laid = lay(sqlite_database, now=at("2021-04-07"), plan=plan_file(items=(item(1, "so-ban"),)), rules=policy())
    for day in ("2021-04-07", "2021-06-14", "2021-06-18"):
        swept(sqlite_database, at(day, "07:00"))
    reminded = gathered(laid, date(2021, 6, 14), at("2021-06-14", "07:30"))["coordinator@so-ban.example"]
    late = gathered(laid)["coordinator@so-ban.example"]
    assert (reminded.slowable, late.slowable) == (True, False)


def test_letters_say_that_reminders_were_slowed_and_where_to_choose_again(sqlite_database: Database) -> None:
    """Whoever holds a forwarded letter could slow all further ones, and nobody was told."""
    laid = lay(sqlite_database, now=at("2021-04-07"), plan=plan_file(items=(item(1, "so-ban"),)), rules=policy())
    for day in ("2021-04-07", "2021-06-14"):
        swept(sqlite_database, at(day, "07:00"))
    morning = date(2021, 6, 14), at("2021-06-14", "07:30")
    plain = gathered(laid, *morning)["coordinator@so-ban.example"]
    with sqlite_database.write() as session:
        slow(session, plain.contact_id, "email", actor=f"contact:{plain.contact_id}", now=morning[1])
    slowed = gathered(laid, *morning)["coordinator@so-ban.example"]
    without, told = (post_office().renderer.render(each, morning[1]).text for each in (plain, slowed))
    assert "gộp mỗi tuần" not in without
    assert "gộp mỗi tuần" in told
    assert "/u/" in told


def test_an_extension_decided_meanwhile_is_not_asked_for_again(sqlite_database: Database) -> None:
    laid = lay(sqlite_database, now=at("2021-04-07"))
    mine, asked_at = laid.assignment("IV.2.1", "huyen-a"), at("2021-06-16", "10:00")
    with laid.database.write() as session:
        asked = lifecycle.ask_extension(
            session, mine, until=date(2021, 6, 30), reason="Lũ.", actor="contact:1", now=asked_at
        )
    before = gathered(laid, date(2021, 6, 16), asked_at)["monitor@so-chinh.example"]
    assert [line.kind for line in before.items] == [NoticeKind.EXTENSION_ASKED]
    assert before.backlog is not None
    assert before.backlog.extensions is not None
    with laid.database.write() as session:
        lifecycle.decide_extension(session, asked, granted=False, actor="account:1", now=asked_at)
    after = gathered(laid, date(2021, 6, 16), asked_at)["monitor@so-chinh.example"]
    assert (after.items, set(after.obsolete.values()), after.backlog) == ((), {"decided"}, None)


# --- a report that leaves the task unfinished -----------------------------------------------------------------------


def asked_again(laid: Laid, day: str) -> dict[str, str]:
    """Mailbox -> the text of its letter of a day, without the lines of links."""
    ids = [letter.id for letter in rows(laid.database, Letter, day=date.fromisoformat(day))]
    with laid.database.read() as session:
        found = gather(session, ids, read_rulebook(session), at(day, "07:30"))
    renderer = LetterRenderer(Signer(KEY), RendererSettings("http://dondoc.example"))
    return {each.to: renderer.render(each, at(day, "07:30")).text for each in found}


@pytest.fixture
def unfinished(sqlite_database: Database) -> Laid:
    """so-ban and mat-tran reported on 16 June: not done; due on 17 June."""
    bodies = (item(1, "so-ban"), item(3, "mat-tran", request=True))
    laid = lay(sqlite_database, now=at("2021-04-07"), plan=plan_file(items=bodies))
    swept(sqlite_database, at("2021-04-07"))
    for number, citation, agency in ((1, "IV.1.1", "so-ban"), (2, "IV.3.1", "mat-tran")):
        outcome = Outcome.NOT_YET if number == 1 else Outcome.PARTLY
        promise = PromiseText(on=date(2021, 6, 30))
        text = ReportText(outcome=outcome, body="Đã làm 3 xã.", reason="Chờ kinh phí.", promise=promise)
        with sqlite_database.write() as session:
            task = laid.assignment(citation, agency)
            lifecycle.report(session, task, text, actor="contact:1", now=at("2021-06-16", "09:00"))
    return laid


def test_a_letter_that_asks_again_says_what_the_report_said_and_from_when_it_is_counted(unfinished: Laid) -> None:
    swept(unfinished.database, at("2021-07-01", "07:00"))
    text = asked_again(unfinished, "2021-07-01")["coordinator@so-ban.example"]
    assert "Đề nghị khẩn trương hoàn thành và báo cáo tiếp 1 nhiệm vụ quá hạn đã báo cáo nhưng chưa hoàn thành." in text
    assert (
        "Hạn: thứ Năm, 17/6/2021 · quá hạn 10 ngày làm việc"
        " · đã báo cáo: chưa thực hiện (ngày 16/6/2021) · lời hẹn 30/6/2021 đã qua"
    ) in text
    assert "Thư này gửi do đã quá hạn mà báo cáo ngày 16/6/2021 ghi chưa thực hiện." in text
    assert "Nếu chưa có báo cáo hoàn thành, thứ Hai, 05/7/2021 hệ thống gửi thư đôn đốc" in text
    assert "chưa có báo cáo." not in text


def test_a_letter_says_that_a_task_was_promised_for_the_second_time(unfinished: Laid) -> None:
    task = unfinished.assignment("IV.1.1", "so-ban")
    promise = PromiseText(on=date(2021, 7, 12), reason="Chờ quyết toán.")
    with unfinished.database.write() as session:
        make_promise(session, task, promise, "extension", actor="contact:1", now=at("2021-06-30"))
    swept(unfinished.database, at("2021-07-07", "07:00"))
    text = asked_again(unfinished, "2021-07-07")["coordinator@so-ban.example"]
    assert "chưa thực hiện (ngày 16/6/2021) · đã hẹn 2 lần, lần này 12/7/2021" in text


def test_the_monitor_reads_of_a_task_reported_unfinished_from_when_it_is_counted(unfinished: Laid) -> None:
    for day in ("2021-07-01", "2021-07-05"):
        swept(unfinished.database, at(day, "07:00"))
    text = asked_again(unfinished, "2021-07-05")["monitor@so-chinh.example"]
    assert "đã báo cáo: chưa thực hiện (ngày 16/6/2021) · lời hẹn 30/6/2021 đã qua" in text
    assert "Nếu chưa có báo cáo hoàn thành, từ" in text


def test_a_body_that_is_only_asked_reads_no_word_of_chasing_when_it_is_asked_again(unfinished: Laid) -> None:
    swept(unfinished.database, at("2021-07-01", "07:00"))
    text = asked_again(unfinished, "2021-07-01")["coordinator@mat-tran.example"]
    assert "đã báo cáo: hoàn thành một phần (ngày 16/6/2021) · lời hẹn 30/6/2021 đã qua" in text
    assert "đã qua thời gian đề nghị mà báo cáo ngày 16/6/2021 ghi hoàn thành một phần" in text
    assert "đôn đốc" not in text.replace("dondoc", "")


def test_a_letter_that_waits_while_a_new_report_comes_does_not_ask_for_it(unfinished: Laid) -> None:
    swept(unfinished.database, at("2021-07-01", "07:00"))
    task = unfinished.assignment("IV.1.1", "so-ban")
    with unfinished.database.write() as session:
        promise = PromiseText(on=date(2021, 7, 15))
        text = ReportText(outcome=Outcome.PARTLY, body="Đã làm 5 xã.", reason="Chờ kinh phí.", promise=promise)
        lifecycle.report(session, task, text, actor="contact:1", now=at("2021-07-01", "07:10"))
    waiting = gathered(unfinished, date(2021, 7, 1), at("2021-07-01", "07:30"))["coordinator@so-ban.example"]
    assert (waiting.items, list(waiting.obsolete.values())) == ((), ["promised"])


def test_the_first_letter_of_an_urgent_plan_is_called_urgent(sqlite_database: Database) -> None:
    plan = plan_file(items=(item(1, "so-ban"),), urgency="thuong_khan")
    laid = lay(sqlite_database, now=at("2021-04-07"), plan=plan)
    swept(sqlite_database, at("2021-04-07"))
    (letter,) = gathered(laid, date(2021, 4, 7), at("2021-04-07", "08:00")).values()
    sent = LetterRenderer(Signer(KEY), RendererSettings("http://dondoc.example")).render(letter, at("2021-04-07"))
    assert sent.subject.startswith("THƯỢNG KHẨN: ")
    assert sent.text.startswith("THƯỢNG KHẨN: Kế hoạch số 12/KH-UBND\n\nKính gửi: ")


def written_to(laid: Laid, mailbox: str, day: str) -> str:
    facts = gathered(laid, date.fromisoformat(day), at(day, "07:30"))[mailbox]
    letter = LetterRenderer(Signer(KEY), RendererSettings("https://dondoc.example")).render(facts, at(day, "07:30"))
    assert letter.html
    return letter.text


def test_a_line_says_what_is_owed_beside_the_work(sqlite_database: Database) -> None:
    owing = item(1, "so-ban", output={"what": "Quyết định phê duyệt"})
    laid = lay(sqlite_database, now=at("2021-06-01"), plan=plan_file(items=(owing, item(2, "so-ban"))))
    swept(sqlite_database, at("2021-06-03", "07:00"))
    assert written_to(laid, "coordinator@so-ban.example", "2021-06-03").count("  Sản phẩm: Quyết định phê duyệt\n") == 1


@pytest.fixture
def helped(sqlite_database: Database) -> Laid:
    """huyen-a helps so-ban with IV.1.1, due Thursday 17 June 2021."""
    return lay(
        sqlite_database, now=at("2021-04-07"), plan=plan_file(items=(item(1, "so-ban", coordinating=["huyen-a"]),))
    )


def test_who_coordinates_is_told_who_leads_and_which_department_follows(helped: Laid) -> None:
    text = written_to(helped, "coordinator@huyen-a.example", "2021-04-07")
    assert "So ban chủ trì, So chinh theo dõi. Cơ quan phối hợp, không phải báo cáo việc này." in text


def test_who_coordinates_gets_one_line_and_a_link_with_the_first_reminder_of_the_owner(helped: Laid) -> None:
    for day in ("2021-04-07", "2021-06-03", "2021-06-14", "2021-06-16"):
        swept(helped.database, at(day, "07:00"))
    lines = [each for each in rows(helped.database, Notice, kind=NoticeKind.COORDINATES) if each.detail.get("before")]
    assert len(lines) == 1
    text = written_to(helped, "coordinator@huyen-a.example", "2021-06-03")
    assert "So ban chủ trì, So chinh theo dõi, sắp đến hạn." in text
    assert "Xem và góp phần phối hợp: https://dondoc.example/l/" in text


def test_the_link_of_a_coordinating_agency_lives_fifteen_days_past_the_due_date(helped: Laid) -> None:
    signer = Signer(KEY)
    facts = gathered(helped, date(2021, 4, 7), at("2021-04-07", "07:30"))["coordinator@huyen-a.example"]
    text = (
        LetterRenderer(signer, RendererSettings("https://dondoc.example")).render(facts, at("2021-04-07", "07:30")).text
    )
    token = text.partition("/l/")[2].split()[0]
    assert signer.verify(Purpose.ACKNOWLEDGE, token).until == date(2021, 7, 2)


def rendered(laid: Laid, day: str) -> dict[str, Any]:
    """Mailbox -> the rendered letter of a day."""
    ids = [letter.id for letter in rows(laid.database, Letter, day=date.fromisoformat(day))]
    with laid.database.read() as session:
        found = gather(session, ids, read_rulebook(session), at(day, "07:30"))
    renderer = LetterRenderer(Signer(KEY), RendererSettings("http://dondoc.example"))
    return {each.to: renderer.render(each, at(day, "07:30")) for each in found}


def test_a_promised_day_is_no_due_date(unfinished: Laid) -> None:
    """Due on 17 June, promised for the 30th: the reminder of 25 June."""
    swept(unfinished.database, at("2021-06-25", "07:00"))
    letter = rendered(unfinished, "2021-06-25")["coordinator@so-ban.example"]
    assert "Hẹn thứ Tư, 30/6/2021: 1 nhiệm vụ" in letter.subject
    assert "Đề nghị báo cáo 1 nhiệm vụ đã hẹn thứ Tư, 30/6/2021." in letter.text
    assert "SẮP ĐẾN NGÀY HẸN" in letter.text.upper()
    assert "Thư nhắc trước ngày hẹn 30/6/2021 (hạn 17/6/2021)." in letter.text
    assert "Thư nhắc trước hạn" not in letter.text


def weekly(laid: Laid, day: str) -> dict[str, Any]:
    with laid.database.write() as session:
        make(session, at(day, "07:00"))
    return rendered(laid, day)


def test_the_weekly_letter_says_what_was_promised_and_passed_and_offers_to_promise(unfinished: Laid) -> None:
    """After the last rung it is the only letter."""
    for day in ("2021-07-01", "2021-07-05", "2021-07-09", "2021-07-21", "2021-07-22"):
        swept(unfinished.database, at(day, "07:00"))
    letters = weekly(unfinished, "2021-08-02")
    owner = letters["coordinator@so-ban.example"].text
    assert "lời hẹn 30/6/2021 đã qua" in owner
    assert "hẹn ngày hoàn thành, cử người thay" in owner
    assert "lời hẹn 30/6/2021 đã qua" in letters["monitor@so-chinh.example"].text


def test_a_promise_that_waits_stands_in_the_line_and_among_what_waits(laid: Laid) -> None:
    task = laid.assignment("IV.1.1", "so-ban")
    promise = PromiseText(on=date(2021, 12, 30), reason="Chờ hướng dẫn.")
    with laid.database.write() as session:
        make_promise(session, task, promise, "extension", actor="contact:1", now=at("2021-06-18", "09:00"))
    swept(laid.database, at("2021-06-22", "07:00"))
    line = "lời hẹn 30/12/2021 chờ bộ phận theo dõi đồng ý"
    of_day = rendered(laid, "2021-06-22")
    for reader in ("coordinator@so-ban.example", "head@so-ban.example", "monitor@so-chinh.example"):
        assert line in of_day[reader].text
    monitor = weekly(laid, "2021-06-28")["monitor@so-chinh.example"].text
    assert "1 lời hẹn chờ đồng ý, lâu nhất từ thứ Sáu, 18/6/2021" in monitor
    assert "/promises?supervisor=so-chinh" in monitor
    assert line in monitor
