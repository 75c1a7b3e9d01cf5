"""Letters as they are read: every kind in both languages, whatever lines it holds, and what must never stand in one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from html import unescape
from typing import Any, NamedTuple

import pytest
from ground.factory import CONFIG, at
from hypothesis import given
from hypothesis import strategies as st

from engine.accounts.signed_links import Signer
from engine.assignments.backlog import Backlog, Waits
from engine.assignments.chasing import Chased
from engine.assignments.situations import Boxes
from engine.assignments.told import AgencyChange, Since
from engine.assignments.weekly_digest import OverdueRow
from engine.files.directory import fold
from engine.files.plan import load_plan
from engine.files.plan_parts import SUBJECT_WORDS, subject_words
from engine.queries.directory import Enquiries
from engine.queries.system.letters import LetterCounts
from engine.rules.calendar import PLAN_TIME
from engine.rules.words import name_order
from engine.terms import NoticeKind, Outcome, Role, State, Urgency
from engine.text import LANGUAGES, Text
from notifications.contract.channel import Outgoing
from notifications.email.mime import Sender, compose
from notifications.letters.digests import DigestFacts, first_words
from notifications.letters.facts import AnswerFacts, Item, LetterFacts
from notifications.letters.renderer import ONE_PART_CHARS, TEMPLATES, LetterRenderer, RendererSettings, week_words
from notifications.letters.shortening import MAX_AGENCIES, MAX_DUTIES, MAX_WORST

NOW, DAY = at("2021-06-18", "07:30"), date(2021, 6, 18)
BOXES = Boxes(on_time=1, late=2, in_term=3, overdue=4)
BASE = "https://dondoc.nghean.gov.example"
STATIONERY = LetterRenderer(Signer("a key of the tests of letters"), RendererSettings(BASE))
ROLES = (Role.COORDINATOR, Role.HEAD, Role.DEPUTY, Role.MONITOR, Role.LEADERSHIP)
OWNERS = ROLES[:3]
BACKLOG = Backlog(
    limit_days=10,
    reports=Waits(3, date(2021, 6, 1), 13, 3),
    extensions=Waits(2, date(2021, 6, 1), 13, 2),
    declined=Waits(1, date(2021, 6, 1), 13, 1),
)
DETAILS: dict[NoticeKind, dict[str, Any]] = {
    NoticeKind.RETURNED: {"reason": "Missing figures."},
    NoticeKind.EXTENSION_ASKED: {"until": "2021-06-30", "reason": "Floods."},
    NoticeKind.EXTENSION_DECIDED: {"until": "2021-06-30", "granted": True, "answer": "Agreed."},
    NoticeKind.WROTE: {"said": "When is it due?"},
    NoticeKind.UNREACHABLE: {"channel": "email", "next": True},
    NoticeKind.CANCELLED: {"reason": "Entered by mistake."},
    NoticeKind.TRANSFERRED: {"to": "so-y-te", "reason": "Merged."},
    NoticeKind.NOT_MINE: {"reason": "Another office."},
}


def item(kind: NoticeKind = NoticeKind.OVERDUE, n: int = 1, **changes: Any) -> Item:
    known = Item(
        assignment_id=n,
        plan_id=1,
        plan="188/KH-UBND",
        short_title="Plan 188",
        sms_name="KH188",
        citation=f"IV.16.{n}",
        position=n,
        text="Set up the team and make its work better.",
        agency="District office of Vinh",
        period="2021-H1",
        due_on=date(2021, 6, 17),
        due_why="",
        days=-1,
        kind=kind,
        rung="T+1",
        state=State.ASSIGNED,
        request=False,
        outcome=None,
        first_reported_on=None,
        report_late=False,
        next_on=date(2021, 6, 22),
        next_step="gửi thư đôn đốc đến đầu mối",
        supervisor="Department of Labour",
        issuer="Province",
        detail=DETAILS.get(kind, {}),
    )
    return replace(known, **changes)


def watched(kind: NoticeKind = NoticeKind.ESCALATION, n: int = 1, **changes: Any) -> Item:
    """A line about another agency than the reader's."""
    return item(kind, n, **{"own": False, "agency": f"Agency {n}"} | changes)


def chased(times: int = 3, level: int = 0, **changes: Any) -> Chased:
    known = Chased(times, date(2021, 6, 17), 1, level, date(2021, 6, 16) if level else None)
    return replace(known, **changes)


def row(n: int = 1, agency: str = "District office of Vinh", **changes: Any) -> tuple[OverdueRow, int]:
    values: dict[str, Any] = {
        "assignment_id": 1000 + n,
        "agency_id": agency.lower(),
        "agency": agency,
        "supervisor_id": "so",
        "issuer_id": "tinh",
        "plan_id": 1,
        "plan": "188/KH-UBND",
        "citation": f"IV.16.{n}",
        "text": "Set up the team.",
        "period": "2021-H1",
        "due_on": date(2021, 6, 17),
        "request": False,
        "outcome": None,
        "returned": False,
        "stands_still": False,
    }
    return OverdueRow(**values | changes), 1


def digest(*rows: tuple[OverdueRow, int], boxes: Boxes | None = None) -> DigestFacts:
    return DigestFacts(
        answer_by=date(2021, 6, 25),
        week="2021-W25",
        at=NOW,
        rows=rows or (row(),),
        boxes=boxes,
        proof=LetterCounts(66, 65, 64, 1),
        late_agencies=1,
    )


def facts(*items: Item, role: Role = Role.COORDINATOR, language: str = "vi", **changes: Any) -> LetterFacts:
    known = LetterFacts(
        letter_id=71,
        key="letter:12:email:2021-06-18",
        contact_id=12,
        role=role,
        channel="email",
        day=DAY,
        language=language,
        to="coordinator@vinh.example",
        label="Coordinator",
        agency="District office of Vinh",
        items=items,
        digest=None,
        enquiries=Enquiries("Department of Labour", "Section", "+84380000000", "section@labour.example"),
    )
    return replace(known, **changes)


def written(*items: Item, **more: Any) -> Outgoing:
    return STATIONERY.render(facts(*items, **more), NOW)


def visible(html: str) -> str:
    """What a mail program shows of an HTML body, addresses of links included."""
    body = re.sub(r"<style>.*?</style>|<title>.*?</title>", "", html, flags=re.S)
    body = re.sub(r'<a [^>]*href="([^"]*)"[^>]*>', r" \1 ", body)
    return unescape(re.sub(r"<[^>]+>", " ", body))


def words(text: str) -> set[str]:
    return set(re.findall(r"[\w/.:@-]*\w", text))


class Written(NamedTuple):
    """A letter and what a mail program shows of its HTML."""

    facts: LetterFacts
    letter: Outgoing
    shown: str


@cache
def everything() -> tuple[Written, ...]:
    """Every combination, written once for all tests of this file."""
    letters = ((each, STATIONERY.render(each, NOW)) for each in combinations())
    return tuple(Written(each, letter, visible(letter.html)) for each, letter in letters)


def combinations() -> Iterator[LetterFacts]:
    """Every kind of line alone and every two together to every role, in both languages; each alone, all together and
    none beside a digest, which is a part of its own and looks at no line."""
    kinds = list(NoticeKind)
    alone: list[tuple[NoticeKind, ...]] = [*((kind,) for kind in kinds), tuple(kinds), ()]
    pairs = list(itertools.combinations(kinds, 2))
    for role, language in itertools.product(ROLES, LANGUAGES):
        step = "sends a chasing letter" if language == "en" else "gửi thư đôn đốc"
        apart = [(lines, False) for lines in (*alone, *pairs)]
        for shown, beside in (*apart, *((lines, True) for lines in alone)):
            mine = digest(boxes=BOXES if role is Role.LEADERSHIP else None) if beside else None
            lines = [item(kind, n, own=role in OWNERS, next_step=step) for n, kind in enumerate(shown, 1)]
            if shown or mine:
                yield facts(*lines, role=role, language=language, digest=mine)
    for language, role in itertools.product(LANGUAGES, (Role.MONITOR, Role.HEAD)):
        yield facts(role=role, language=language, backlog=BACKLOG, weekly=True)
        yield facts(watched(next_step=""), role=role, language=language, backlog=BACKLOG)
    for language in LANGUAGES:
        mixed = (item(n=1, next_step=""), watched(n=2, next_step=""))
        yield facts(*mixed, role=Role.HEAD, language=language, backlog=BACKLOG)


def test_every_kind_of_letter_renders_whatever_lines_it_holds() -> None:
    """A name that a template misspells is an error in itself; here none is empty either, and none says «None»."""
    for _, letter, shown in everything():
        assert letter.subject[0].isalnum() or letter.subject.startswith("[")
        assert len(letter.subject) <= 120
        for text in (letter.subject, letter.text, shown):
            assert text.strip()
            assert not re.search(r"\bNone\b|Undefined|\{\{|\{%", text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", list(NoticeKind))
@pytest.mark.parametrize(
    "changes",
    [
        {"due_on": None, "days": None, "next_on": None, "next_step": ""},
        {"days": 0, "due_on": DAY},
        {"detail": {}},
        {"supervisor": "", "due_why": "20/6/2021 is closed (Sunday), so it moves to Monday, 21/6/2021"},
        {"state": State.RETURNED, "period": "once", "chased": chased(level=2), "escalating": True},
    ],
)
def test_a_line_without_a_date_a_reason_or_a_department_renders_too(
    kind: NoticeKind, language: str, changes: dict[str, Any]
) -> None:
    for role, channel in ((Role.COORDINATOR, "email"), (Role.MONITOR, "email"), (Role.COORDINATOR, "sms")):
        assert written(item(kind, **changes), role=role, language=language, channel=channel).text.strip()


def test_the_first_line_after_the_greeting_says_what_to_do() -> None:
    asks = re.compile(
        r"(?i)đề nghị|kính báo cáo|kính mong|kính gửi|gia hạn|chuyển hạn|chuyển giao|không phải|thông báo|hôm nay"
        r"|please|we |how the plans stand|your direction|summary|extension|due date|transferred|has changed|has ended"
        r"|no longer|news|today|asks|to report|trả lời|cơ quan phối hợp|answers|sent their part|reports:"
    )
    for _, letter, shown in everything():
        greeting, _, ask, *_ = letter.text.splitlines()
        assert greeting.startswith(("Kính gửi: ", "To: "))
        assert asks.search(ask), ask
        assert ask in " ".join(shown.split())


def test_the_text_says_all_that_the_html_says_and_the_other_way_round() -> None:
    for _, letter, shown in everything():
        assert words(letter.text) == words(shown)


def test_english_letters_hold_no_vietnamese_and_vietnamese_ones_no_english() -> None:
    for each, letter, shown in everything():
        said = " ".join([letter.subject, letter.text, shown])
        said = re.sub(r"https://\S+", "", said)
        if each.language == "en":
            assert "".join(filter(str.isalpha, said)).isascii(), said
        else:
            assert not re.search(r"\b(overdue|please|report on|due [A-Z0-9]|agencies)\b", said), said


def test_the_same_facts_make_the_same_bytes() -> None:
    sender = Sender("dondoc@tinh.example", "Đôn Đốc")
    made = {compose(written(item(), digest=digest()), sender) for _ in range(3)}
    other = LetterRenderer(Signer("a key of the tests of letters"), RendererSettings(BASE))
    made.add(compose(other.render(facts(item(), digest=digest()), NOW), sender))
    assert len(made) == 1
    later = compose(STATIONERY.render(facts(item()), NOW + timedelta(hours=1)), sender)
    assert later[0] == next(iter(made))[0]  # a second copy an hour later has the same Message-ID


# --- what must never stand there ----------------------------------------------------------------------------------

PLAN = load_plan(CONFIG / "plans" / "188-kh-ubnd-2021.yaml")
REAL = [(citation, placed.duty.text, placed.item.heading) for citation, placed in PLAN.duties.items()]


def test_no_template_holds_a_subject_word() -> None:
    for file in TEMPLATES.rglob("*.*"):
        assert not subject_words(file.read_text()), file


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_subject_and_no_short_message_of_the_real_plan_names_what_it_is_about(language: str) -> None:
    kinds = list(NoticeKind)
    met = [(*real, kind) for real in REAL for kind in kinds]
    assert {kind for _, text, _, kind in met if subject_words(text)} == set(kinds)
    assert subject_words(PLAN.title)
    for citation, text, heading, kind in met:
        line = item(
            kind,
            citation=citation,
            text=text,
            agency=heading,
            plan=PLAN.number,
            sms_name=PLAN.sms_name,
            short_title=PLAN.short_title,
        )
        for role in (Role.COORDINATOR, Role.MONITOR, Role.LEADERSHIP):
            boxes = BOXES if role is Role.LEADERSHIP else None
            late = digest(row(text=text, citation=citation, agency=heading), boxes=boxes)
            assert not subject_words(written(line, role=role, language=language, digest=late).subject)
            assert not subject_words(written(line, role=role, language=language).subject)
        assert not subject_words(written(line, language=language, channel="sms").text)


def test_a_plan_whose_number_names_the_subject_is_not_named_in_the_subject_line() -> None:
    letter = written(item(plan="12/KH-HIV"))
    assert letter.subject == "Quá hạn 1 ngày làm việc: 1 nhiệm vụ"
    assert "12/KH-HIV" in letter.text
    assert all(subject_words(word) and subject_words(fold(word)) for word in SUBJECT_WORDS)


HOSTILE = "<script>alert(1)</script>\"'&<b>x</b> {{ 7*7 }} {% raw %} javascript:"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_text_is_text(role: Role, language: str) -> None:
    bad: dict[str, Any] = dict.fromkeys(("text", "agency", "supervisor", "due_why", "citation"), HOSTILE)
    said = dict.fromkeys(("reason", "said", "answer"), HOSTILE)
    lines = [item(kind, n, **bad, detail=DETAILS.get(kind, {}) | said) for n, kind in enumerate(NoticeKind, 1)]
    letter = written(
        *lines, role=role, language=language, agency=HOSTILE, digest=digest(row(agency=HOSTILE), boxes=BOXES)
    )
    assert "<script" not in letter.html
    assert "<b>x</b>" not in letter.html
    assert "&lt;script&gt;" in letter.html
    assert "49" not in letter.html.replace("{{ 7*7 }}", "")
    assert HOSTILE in letter.text


# --- short messages -----------------------------------------------------------------------------------------------


@given(
    kinds=st.lists(st.sampled_from(list(NoticeKind)), min_size=1, max_size=6),
    letter_id=st.integers(1, 9_999_999),
    contact_id=st.integers(1, 99_999),
    plan_id=st.integers(1, 999),
    days=st.integers(-300, 120),
    language=st.sampled_from(LANGUAGES),
    role=st.sampled_from([Role.COORDINATOR, Role.HEAD, Role.MONITOR]),
)
def test_a_short_message_fits_one_part_of_the_plain_alphabet(
    kinds: list[NoticeKind], letter_id: int, contact_id: int, plan_id: int, days: int, language: str, role: Role
) -> None:
    lines = [
        item(kind, n, days=days, citation="IV.16.12", plan_id=plan_id, sms_name="KH188-2021X")
        for n, kind in enumerate(kinds, 1)
    ]
    sms = written(
        *lines,
        channel="sms",
        language=language,
        role=role,
        letter_id=letter_id,
        contact_id=contact_id,
        to="+84900000000",
    )
    assert len(sms.text) <= ONE_PART_CHARS, sms.text
    assert sms.text.isascii()
    assert not set(sms.text) & set("[]{}^~|\\`")  # each costs two in GSM 7 bit
    assert (sms.subject, sms.html) == ("", "")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            item(NoticeKind.REMINDER, days=3),
            "KH188 IV.16.1: han 17/6/2021, con 3 ngay lam viec. Xac nhan: https://",
        ),
        (item(NoticeKind.REMINDER, days=0), "KH188 IV.16.1: den han hom nay 17/6/2021."),
        (
            item(NoticeKind.OVERDUE, days=-2),
            "KH188 IV.16.1: qua han 2 ngay lam viec (17/6/2021). https://",
        ),
        (
            item(NoticeKind.ESCALATION, days=-7, escalating=True, chased=chased(level=1)),
            "KH188 IV.16.1: don doc lan 2, qua han tu 17/6/2021. ",
        ),
        (
            item(NoticeKind.RETURNED, state=State.RETURNED),
            "KH188 IV.16.1: bao cao can sua, gui lai, han 17/6/2021. https://",  # one part: no word before the link
        ),
        (item(NoticeKind.CANCELLED, state=State.CANCELLED), "KH188 IV.16.1: khong con phai thuc hien."),
        (item(NoticeKind.EXTENSION_DECIDED), "KH188 IV.16.1: dong y gia han den 17/6/2021. "),
        (
            item(NoticeKind.EXTENSION_DECIDED, detail={"granted": False, "until": "2021-06-30"}),
            "KH188 IV.16.1: khong dong y gia han, han van la 17/6/2021. ",
        ),
        (item(NoticeKind.DUE_MOVED), "KH188 IV.16.1: han chuyen sang 17/6/2021. "),
        (
            item(NoticeKind.ASSIGNED, due_on=None, days=None, state=State.ASSIGNED),
            "KH188 IV.16.1: khong an dinh thoi han. Xac nhan: https://",
        ),
        (
            item(NoticeKind.OVERDUE, request=True, days=-2),
            "KH188 IV.16.1: kinh mong Quy co quan thong tin ket qua (thoi gian de nghi 17/6/2021). ",
        ),
    ],
)
def test_a_short_message_says_what_when_and_where(line: Item, said: str) -> None:
    assert written(line, channel="sms", to="+84900000000").text.startswith(said)


# --- to whom, in what words ---------------------------------------------------------------------------------------


def test_a_request_orders_nothing() -> None:
    vi = r"quá hạn|đến hạn|báo cáo ngay|nhiệm vụ|nếu chưa có báo cáo|nếu chưa báo cáo|đôn đốc"
    orders = re.compile(rf"(?i){vi}|\boverdue\b|\bdut(y|ies)\b|\bdue\b|without a report|escalation")
    for kind, language in itertools.product(NoticeKind, LANGUAGES):
        if kind not in (NoticeKind.ESCALATION, NoticeKind.UNACKNOWLEDGED, NoticeKind.WROTE):  # said to the monitor
            days = 3 if kind is NoticeKind.REMINDER else -3
            for channel in ("email", "sms"):
                asked = item(kind, request=True, days=days, chased=chased(), next_step="", detail={"granted": False})
                letter = written(asked, language=language, channel=channel)
                said = re.sub(r"https?://\S+|Chuyển hạn|[Dd]ue date", "", letter.subject + letter.text)
                assert not orders.search(said), said
            assert not orders.search(written(language=language, digest=digest(row(request=True))).text)


def test_the_head_is_told_before_the_department_and_when_that_will_be() -> None:
    letter = written(item(), role=Role.HEAD)
    assert letter.text.startswith("Kính gửi: Lãnh đạo District office of Vinh\n")
    assert "Nếu chưa có báo cáo, thứ Ba, 22/6/2021 hệ thống gửi thư đôn đốc đến đầu mối." in letter.text


def test_an_agency_reads_which_chasing_this_is_and_what_was_sent_before() -> None:
    again = item(NoticeKind.ESCALATION, escalating=True, days=-7, chased=chased(5, 1))
    letter = written(again)
    assert letter.subject == "Quá hạn 7 ngày làm việc: 1 nhiệm vụ, đôn đốc lần 2 · KH 188/KH-UBND"
    assert "Department of Labour đôn đốc lần 2: đề nghị khẩn trương báo cáo 1 nhiệm vụ đã quá hạn." in letter.text
    assert "đôn đốc lần 2 gửi trong ngày, trước đó đã nhắc 5 lần, gần nhất 17/6/2021" in letter.text


def test_of_lines_chased_for_the_first_and_the_second_time_the_subject_says_the_second_and_the_text_up_to_it() -> None:
    lines = [item(NoticeKind.ESCALATION, n, escalating=True, chased=chased(5, n - 1)) for n in (1, 2)]
    letter = written(*lines)
    assert letter.subject.startswith("Quá hạn 1 ngày làm việc: 2 nhiệm vụ, đôn đốc lần 2 ·")
    assert "đôn đốc đến lần 2: đề nghị khẩn trương báo cáo 2 nhiệm vụ đã quá hạn." in letter.text


def test_what_was_chased_stays_in_the_subject_beside_a_returned_report() -> None:
    late = item(NoticeKind.ESCALATION, 1, escalating=True, chased=chased(5, 2))
    letter = written(late, item(NoticeKind.RETURNED, 2, state=State.RETURNED), item(n=3, due_on=DAY, **DUE))
    assert letter.subject.startswith(
        f"Quá hạn 1 ngày làm việc: 1 nhiệm vụ, đôn đốc lần 3, 1 báo cáo cần sửa và gửi lại, 1 hạn {DAY:%d/%-m/%Y}"
    )


def test_on_a_monday_what_is_overdue_stands_before_what_is_due_soon() -> None:
    rows = [row(n, "District office of Vinh") for n in (1, 2)]
    mine = replace(digest(*rows), agency_id=rows[0][0].agency_id)
    letter = written(item(n=3, due_on=date(2021, 6, 21), **DUE), digest=mine)
    assert letter.subject.startswith("Quá hạn 1 ngày làm việc: 2 nhiệm vụ, 1 hạn 21/6/2021 ·")


def test_dates_that_have_no_room_in_a_subject_are_counted_together() -> None:
    lines = [item(n=n, due_on=date(2021, 6, 20 + n), **DUE) for n in range(1, 6)]
    assert written(*lines).subject.startswith(
        "Hạn 21/6/2021: 1 nhiệm vụ; hạn 22/6/2021: 1; hạn 23/6/2021: 1; 2 hạn sau"
    )
    opening = "Đề nghị báo cáo 5 nhiệm vụ: 1 hạn 21/6/2021, 1 hạn 22/6/2021, 3 hạn sau."
    assert opening in written(*lines).text


DUE = {"kind": NoticeKind.REMINDER, "days": 3}


def test_a_subject_begins_with_the_day_and_counts_what_is_due_on_each() -> None:
    same = [item(n=n, due_on=date(2021, 6, 17), **DUE) for n in (1, 2)]
    later = item(n=3, due_on=date(2021, 6, 21), **DUE)
    assert written(*same).subject.startswith("Hạn thứ Năm, 17/6/2021: 2 nhiệm vụ")
    assert written(*same, later).subject.startswith("Hạn 17/6/2021: 2 nhiệm vụ; hạn 21/6/2021: 1")
    assert written(later, language="en").subject.startswith("Due Monday, 21/6/2021: 1 duty")


def test_beside_what_is_overdue_a_subject_says_when_the_rest_is_due() -> None:
    """Not the date of what is new: it is due much later, and nobody is reminded of it."""
    fresh = item(NoticeKind.ASSIGNED, 3, due_on=date(2021, 5, 31))
    letter = written(item(n=1), item(n=2, due_on=date(2021, 6, 21), **DUE), fresh)
    assert letter.subject.startswith("Quá hạn 1 ngày làm việc: 1 nhiệm vụ, 1 hạn 21/6/2021 ·")


def test_work_that_comes_again_each_half_year_is_not_called_new() -> None:
    opened = {"due_on": None, "days": None, "state": State.ASSIGNED}
    again = [item(NoticeKind.ASSIGNED, n, returning=True, **opened) for n in (1, 2)]
    assert "2 nhiệm vụ đến kỳ, đề nghị xác nhận đã nhận" in written(*again).subject
    assert "Đến kỳ, cần xác nhận đã nhận (2)" in written(*again).text
    one_is_new = written(again[0], item(NoticeKind.ASSIGNED, 3, **opened))
    assert "1 nhiệm vụ mới, 1 nhiệm vụ đến kỳ, đề nghị xác nhận đã nhận" in one_is_new.subject
    assert "Mới giao hoặc đến kỳ, cần xác nhận đã nhận (2)" in one_is_new.text


def test_a_digest_names_the_duty_beside_its_number() -> None:
    assert digest().rows[0][0].text
    assert digest().rows[0][0].text in written(digest=digest()).text


def test_a_promised_day_stands_in_subject_opening_and_sms_of_its_reminder() -> None:
    promised = item(n=1, chased_from=date(2021, 7, 12), kind=NoticeKind.REMINDER, days=-12)
    letter = written(promised)
    assert letter.subject.startswith("Hẹn thứ Hai, 12/7/2021: 1 nhiệm vụ")
    assert "đã hẹn thứ Hai, 12/7/2021" in letter.text
    both = written(promised, item(n=2, kind=NoticeKind.REMINDER, due_on=date(2021, 7, 14), days=2))
    assert both.subject.startswith("Hẹn 12/7/2021: 1 nhiệm vụ; hạn 14/7/2021: 1")
    assert "SẮP ĐẾN HẠN, NGÀY HẸN" in both.text.upper()
    assert "da hen 12/7/2021" in written(promised, channel="sms").text


def test_no_chasing_is_claimed_that_was_not_sent() -> None:
    for role in (Role.MONITOR, Role.LEADERSHIP):
        boxes = BOXES if role is Role.LEADERSHIP else None
        letter = written(watched(), watched(n=2), role=role, digest=digest(boxes=boxes))
        assert not re.search(r"đôn đốc lần|đã nhắc", letter.subject + letter.text)


def test_the_second_request_to_acknowledge_says_that_it_is_the_second_and_what_comes_next() -> None:
    again = item(NoticeKind.ACKNOWLEDGE, days=40, asked=(date(2021, 4, 7),), next_step="gửi thư nhắc xác nhận đến X")
    letter = written(again)
    assert letter.subject.startswith("1 nhiệm vụ chưa xác nhận đã nhận, nhắc lần thứ 2")
    assert "Đề nghị xác nhận đã nhận 1 nhiệm vụ (lần thứ 2)." in letter.text
    assert "chưa xác nhận đã nhận; đã đề nghị ngày 07/4/2021." in letter.text
    assert "Nếu chưa xác nhận, thứ Ba, 22/6/2021 hệ thống gửi thư nhắc xác nhận đến X." in letter.text
    assert "Mới giao" not in letter.text


def test_every_letter_names_whom_to_call() -> None:
    for _, letter, shown in everything():
        for text in (letter.text, shown):
            assert "Section, Department of Labour" in text
            assert "+84380000000" in text
            assert "section@labour.example" in text


def test_the_head_of_the_department_reads_of_the_others_when_and_what_follows() -> None:
    lines = [watched(n=n, days=-15, next_step="báo cáo lãnh đạo Province", chased=chased(8, 2)) for n in (1, 2)]
    letter = written(*lines, role=Role.HEAD, agency="Department of Labour")
    assert letter.subject == "Quá hạn từ 15 ngày làm việc: 2 việc của 2 cơ quan · KH 188/KH-UBND"
    assert letter.text.startswith("Kính gửi: Lãnh đạo Department of Labour\n")
    assert "đến 07:30 thứ Sáu, 18/6/2021, 2 việc của 2 cơ quan" in letter.text
    assert "đã quá hạn từ 15 ngày làm việc" in letter.text
    assert "Phần việc nào còn chưa có báo cáo, thứ Ba, 22/6/2021 hệ thống báo cáo lãnh đạo Province." in letter.text
    assert "đã gửi đôn đốc lần 2 ngày 16/6/2021" in letter.text


def test_a_head_with_duties_of_the_own_agency_reads_of_the_others_in_the_same_letter() -> None:
    letter = written(item(n=1), watched(n=2), role=Role.HEAD, agency="Department of Labour")
    assert "Quá hạn 1 ngày làm việc: 1 nhiệm vụ" in letter.subject
    assert "Phần việc của các cơ quan do Department of Labour theo dõi (1)\n- " in letter.text.replace("\n\n", "\n")


def test_the_leadership_is_reported_to_and_not_chased() -> None:
    letter = written(watched(days=-16, chased=chased(9, 3)), role=Role.LEADERSHIP, agency="Province")
    assert letter.subject == "Quá hạn từ 16 ngày làm việc: 1 việc của 1 cơ quan · KH 188/KH-UBND"
    assert "Department of Labour kính báo cáo Lãnh đạo Province: đến 07:30 thứ Sáu, 18/6/2021" in letter.text
    assert "phải gửi" not in letter.text


def test_what_waits_for_the_monitor_stands_first() -> None:
    letter = written(watched(escalating=True), role=Role.MONITOR, backlog=BACKLOG)
    reports = "- 3 báo cáo chờ tiếp nhận, lâu nhất từ thứ Ba, 01/6/2021 (13 ngày làm việc); 3 báo cáo đã chờ quá"
    assert reports in letter.text
    assert letter.text.index(reports) < letter.text.index("Agency 1")
    assert f"{BASE}/extensions" in letter.text


def test_what_waits_since_today_has_no_age_and_english_counts_days() -> None:
    fresh = replace(BACKLOG, reports=Waits(3, date(2021, 6, 18), 0, 0))
    letter = written(role=Role.MONITOR, backlog=fresh)
    assert "- 3 báo cáo chờ tiếp nhận, mới từ thứ Sáu, 18/6/2021: " in letter.text
    assert "0 ngày làm việc" not in letter.text
    english = written(role=Role.MONITOR, backlog=BACKLOG, language="en").text
    assert "(13 working days)" in english
    assert "daies" not in english


def test_a_plan_past_its_end_is_for_its_department_to_end() -> None:
    past = Backlog(limit_days=10, plans=Waits(1, date(2021, 4, 1), 50, 0), department="so-theo-doi")
    letter = written(role=Role.MONITOR, backlog=past)
    assert letter.subject.endswith("1 kế hoạch đã qua hạn cuối, chờ kết thúc")
    assert f"{BASE}/plans" in letter.text
    assert (
        "1 plan past the last due date, to be ended" in written(role=Role.MONITOR, backlog=past, language="en").subject
    )


def test_the_head_of_the_department_reads_one_number_in_subject_and_letter() -> None:
    letter = written(role=Role.HEAD, backlog=replace(BACKLOG, reports=Waits(9, date(2021, 6, 1), 13, 3)), weekly=True)
    assert letter.subject.endswith("6 báo cáo, đề nghị chờ xử lý quá 10 ngày làm việc")
    assert "6 báo cáo, đề nghị gửi" in letter.text


@pytest.mark.parametrize(
    ("language", "words"),
    [("vi", "Có 2 dự thảo công văn chờ ký"), ("en", "2 draft papers waiting to be signed")],
)
def test_drafts_that_wait_are_told_to_the_monitor_with_where_they_are(language: str, words: str) -> None:
    letter = written(watched(), role=Role.MONITOR, language=language, backlog=replace(BACKLOG, drafts=2))
    assert f"- {words}: {BASE}/papers\n" in letter.text
    assert f'<a href="{BASE}/papers">{words}</a>' in letter.html
    only = written(role=Role.MONITOR, language=language, backlog=Backlog(limit_days=10, drafts=2), weekly=True)
    assert words.removeprefix("Có ") in only.subject
    assert " 0 " not in only.text


def test_where_only_a_report_helps_the_report_is_the_first_thing_to_do() -> None:
    late, fresh = written(item()), written(item(NoticeKind.ASSIGNED, days=40))
    assert "/l/" not in late.text
    assert re.search(r'class="b" href="[^"]*/r/', late.html)
    assert fresh.text.index("/l/") < fresh.text.index("/r/")
    assert re.search(r'class="b" href="[^"]*/l/', fresh.html)


def test_the_monitor_reads_one_line_an_agency_with_the_names_of_its_duties_and_what_is_common_once() -> None:
    lines = [
        watched(
            NoticeKind.ESCALATION,
            n,
            agency=f"Agency {n % 50:02}",
            escalating=True,
            text="Long words of a duty that nobody wants to read a hundred times.",
            citation=f"IV.{n}.1",
        )
        for n in range(1, 126)
    ]
    letter = written(*lines, role=Role.MONITOR)
    assert letter.subject == "125 việc quá hạn của 50 cơ quan, đã đôn đốc lần 1 · KH 188/KH-UBND"
    assert "hundred times" not in letter.text
    assert letter.text.count("thứ Năm, 17/6/2021") == 1
    names = [f"IV.{n}.1 Long words of a duty that …" for n in (1, 51, 101)]
    assert f"- Agency 01: {', '.join(names)}\n" in letter.text
    assert sum(line.startswith("- ") for line in letter.text.splitlines()) == 50
    assert len(letter.text) < 7500


def test_an_agency_that_differs_from_the_others_says_how() -> None:
    lines = [watched(n=n) for n in range(1, 4)]
    lines.append(watched(n=9, agency="Late", days=-7, due_on=date(2021, 6, 9), period="2021-Q2"))
    text = written(*lines, role=Role.MONITOR).text
    assert "6 tháng đầu năm 2021 · hạn thứ Năm, 17/6/2021 · quá hạn 1 ngày làm việc, trừ nơi ghi khác:" in text
    first, *others = [line for line in text.splitlines() if line.startswith("- ")]
    name = "Set up the team and make …"
    differs = "188/KH-UBND · quý II/2021 · hạn thứ Tư, 09/6/2021 · quá hạn 7 ngày làm việc"
    assert first == f"- Late: IV.16.9 {name} · {differs}"
    assert others == [f"- Agency {n}: IV.16.{n} {name}" for n in range(1, 4)]


@pytest.mark.parametrize(
    ("role", "count", "shown"),
    [(Role.COORDINATOR, MAX_DUTIES + 7, MAX_DUTIES), (Role.MONITOR, MAX_AGENCIES + 7, MAX_AGENCIES)],
)
def test_a_long_list_ends_with_how_many_more_there_are(role: Role, count: int, shown: int) -> None:
    own = role is Role.COORDINATOR
    lines = [item(NoticeKind.ESCALATION, n, agency=f"Agency {n:03}", own=own) for n in range(1, count + 1)]
    letter = written(*lines, role=role)
    assert sum(line.startswith("- ") for line in letter.text.splitlines()) == shown
    assert "… và 7 việc khác, xem bảng: https://" in letter.text
    assert "… và 7 việc khác" in visible(letter.html)
    assert f"{count} " in letter.subject


def test_the_leadership_reads_the_boxes_and_the_ten_worst() -> None:
    rows = [row(n, f"Agency {n:02}", due_on=date(2021, 5, 1) + timedelta(n)) for n in range(1, 31)]
    letter = written(
        role=Role.LEADERSHIP, digest=digest(*rows, boxes=Boxes(on_time=61, late=3, in_term=49, overdue=30))
    )
    lines = [line.partition(" · ") for line in letter.text.splitlines()]
    assert [line for line, _, _ in lines if re.match(r"(Hoàn thành|Đang thực hiện)", line)] == [
        "Hoàn thành đúng hạn: 61",
        "Hoàn thành quá hạn: 3",
        "Đang thực hiện, trong hạn: 49",
        "Đang thực hiện, quá hạn: 30",
    ]
    assert sum(line.startswith("- ") for line in letter.text.splitlines()) == MAX_WORST
    assert "… và 20 việc khác" in letter.text


def test_the_leadership_reads_what_is_done_and_overdue_with_their_change_within_the_week() -> None:
    then, now = Boxes(on_time=80, late=3, in_term=12, overdue=69), Boxes(on_time=100, late=34, in_term=9, overdue=21)
    agency = {"since": DAY - timedelta(7), "id": "a", "name": "Agency A", "broken": 1}
    changed = (AgencyChange(**agency, was=then, now=now),)
    week = replace(
        digest(boxes=now),
        late_agencies=9,
        since=Since(on=DAY - timedelta(7), was=then, now=now, agencies=changed),
    )
    vi, en = (STATIONERY.render(facts(role=Role.LEADERSHIP, digest=week, language=each), NOW) for each in LANGUAGES)
    assert vi.subject.startswith("18/6/2021: 21 việc quá hạn của 9 cơ quan, giảm 48; hoàn thành 134, tăng 51")
    assert en.subject.startswith("18/6/2021: 21 overdue at 9 agencies, 48 fewer; 134 done, 51 more")
    for text in (vi.text, " ".join(unescape(vi.html).split())):
        assert "07:30 thứ Sáu, 18/6/2021, theo báo cáo của các cơ quan đã hoàn thành 134 trong 164 việc; " in text
        assert "164 việc; 21 việc của 9 cơ quan quá hạn." in text
        assert "So với báo cáo tuần 11/6/2021: hoàn thành 83 → 134, quá hạn 69 → 21; " in text
        assert "17 không còn quá hạn (Agency A 17), 51 việc mới xong (Agency A 51), 1 lời hẹn đã qua" in text
    assert "134 of 164 were done by the agencies' reports; 21 assignments of 9 agencies were overdue." in en.text
    assert "Compared with the weekly report of 11/6/2021: done 83 → 134, overdue 69 → 21; " in en.text


def test_in_the_first_week_there_is_nothing_to_compare_with() -> None:
    text = written(role=Role.LEADERSHIP, digest=digest(boxes=Boxes(on_time=5, late=0, in_term=9, overdue=1))).text
    assert "theo báo cáo của các cơ quan đã hoàn thành 5 trong 15 việc; 1 việc của 1 cơ quan quá hạn." in text
    assert "Chưa có báo cáo tuần trước để so sánh." in text
    assert "không đổi" not in text


def test_the_leadership_is_asked_and_reads_what_comes_next_and_what_the_plan_is_about() -> None:
    next_one = {"next_action_at": NOW + timedelta(days=10), "title": "Kế hoạch thực hiện an sinh năm 2021"}
    week = digest(row(1, **next_one), boxes=Boxes(on_time=0, late=0, in_term=0, overdue=1))
    letter = written(role=Role.LEADERSHIP, digest=week)
    said = letter.text.splitlines()
    assert said[3] == (
        "Kính đề nghị Lãnh đạo yêu cầu District office of Vinh (1 việc) hoàn thành chậm nhất thứ Sáu, 25/6/2021; "
        "chưa việc nào hẹn ngày. "
        "Nếu chưa có báo cáo, từ thứ Hai, 28/6/2021 hệ thống đôn đốc tiếp."
    )
    assert any(line.startswith("Mở trang Lãnh đạo: ") and line.endswith("/leadership") for line in said)
    assert "Kế hoạch thực hiện an sinh năm 2021." in letter.text
    assert letter.html.count('class="b"') == 1


def test_the_leadership_is_asked_to_direct_those_furthest_behind_by_name_and_by_a_day() -> None:
    late = [row(n, f"Agency {n % 3}") for n in range(1, 7)]
    few, many = [row(n, f"Agency {n}") for n in (7, 8)], [row(n, f"Agency {n}") for n in range(1, 7)]
    boxes = Boxes(on_time=0, late=0, in_term=0, overdue=8)
    asked = "Kính đề nghị Lãnh đạo yêu cầu {} hoàn thành chậm nhất thứ Sáu, 25/6/2021; "
    text = written(role=Role.LEADERSHIP, digest=digest(*late, *few, boxes=boxes)).text
    assert asked.format("Agency 0, Agency 1, Agency 2 (mỗi cơ quan 2 việc) và 2 cơ quan khác") in text
    text = written(role=Role.LEADERSHIP, digest=digest(*many, boxes=boxes)).text
    assert asked.format("Agency 1, Agency 2, Agency 3 và 3 cơ quan ngang nhau (mỗi cơ quan 1 việc)") in text
    districts = [row(n, f"UBND huyện {name}") for n, name in enumerate(("Anh Sơn", "Yên Thành"))]
    text = written(role=Role.LEADERSHIP, digest=digest(*districts, boxes=boxes)).text
    assert asked.format("UBND các huyện Anh Sơn, Yên Thành (mỗi cơ quan 1 việc)") in text


def test_the_leadership_reads_what_was_promised_and_that_a_draft_waits_to_be_signed() -> None:
    boxes = Boxes(on_time=0, late=0, in_term=0, overdue=3)
    days = (date(2021, 6, 30), date(2021, 6, 23))
    rows_of_week = [row(n, promised_on=day, promises=1) for n, day in enumerate(days)]
    kept = digest(*rows_of_week, row(2, promised_on=date(2021, 6, 16), promises=1, promise_past=True), boxes=boxes)
    week = replace(kept, drafts=1)
    vi, en = (STATIONERY.render(facts(role=Role.LEADERSHIP, digest=week, language=each), NOW) for each in LANGUAGES)
    said = "2 việc đã hẹn ngày, sớm nhất 23/6/2021; 1 việc có lời hẹn đã qua; 1 dự thảo công văn đôn đốc"
    assert f"25/6/2021, hoặc đúng ngày đã hẹn; {said} chờ cơ quan theo dõi ký." in vi.text
    said = "a day is promised for 2 assignments, the first for 23/6/2021; 1 promised day passed; 1 draft"
    assert f"25/6/2021, or on the day promised; {said} of a dispatch for the department to sign." in en.text


def test_what_is_said_of_the_day_of_every_duty_alike_is_said_once() -> None:
    alike = [item(NoticeKind.OVERDUE, n=n, days=-3) for n in (1, 2, 3)]
    other = item(NoticeKind.OVERDUE, n=4, days=-5)
    for letter, times in ((written(*alike), 1), (written(*alike, other), 3)):
        for text in (letter.text, letter.html):
            assert text.count("quá hạn 3 ngày làm việc") - letter.subject.count("quá hạn 3 ngày làm việc") == times


def test_what_is_due_soon_is_to_be_reported_and_acknowledged_beside_it() -> None:
    letter = written(item(NoticeKind.REMINDER, days=3))
    (button,) = re.findall(r'class="b" href="([^"]*)"', letter.html)
    assert "/r/" in button
    assert letter.html.index("/r/") < letter.html.index("/l/")
    assert letter.text.index("/r/") < letter.text.index("/l/")


def test_a_letter_has_a_title_a_heading_and_says_in_its_second_sentence_what_comes_next() -> None:
    letter = written(item(NoticeKind.REMINDER, days=3, next_on=date(2021, 6, 21), next_step="gửi thư báo quá hạn"))
    assert f"<title>{letter.subject}</title>" in " ".join(letter.html.split()).replace("> ", ">").replace(" <", "<")
    assert len(re.findall(r"<h1>", letter.html)) == 1
    _, _, ask, after, *_ = letter.text.splitlines()
    assert ask.startswith("Đề nghị báo cáo 1 nhiệm vụ")
    assert after == "Nếu chưa có báo cáo, thứ Hai, 21/6/2021 hệ thống gửi thư báo quá hạn."


def test_what_is_escalated_on_a_monday_is_not_listed_twice_to_the_monitor() -> None:
    lines = [watched(n=n, kind=NoticeKind.ESCALATION, assignment_id=n, escalating=True) for n in (1, 2)]
    rows_of_week = (row(1, assignment_id=1), row(2, assignment_id=2))
    text = written(*lines, role=Role.MONITOR, digest=digest(*rows_of_week)).text
    assert [text.count(f"IV.16.{n} ") for n in (1, 2)] == [1, 1]
    assert "Quá hạn khác" not in text
    more = written(*lines, role=Role.MONITOR, digest=digest(*rows_of_week, row(3, assignment_id=3))).text
    assert "Quá hạn khác, số liệu đến thứ Sáu, 18/6/2021: 1 việc của 1 cơ quan" in more


def test_a_tie_of_the_longest_overdue_is_told_as_a_tie() -> None:
    """Two are older; of twenty with one due date none is later than the others, whatever its name."""
    older = [row(n, f"Agency {n:02}", due_on=date(2021, 6, n)) for n in (1, 2)]
    same = [row(n, f"Agency {n:02}") for n in range(3, 23)]
    younger = [row(30, "Agency 30", due_on=date(2021, 6, 18))]
    letter = written(
        role=Role.LEADERSHIP,
        digest=digest(*older, *same, *younger, boxes=Boxes(on_time=0, late=0, in_term=0, overdue=23)),
    )
    listed = [line for line in letter.text.splitlines() if line.startswith("- ")]
    assert [line[:12] for line in listed[:2]] == ["- Agency 01:", "- Agency 02:"]
    assert [line.partition(" · ")[0] for line in listed[2:]] == [
        "- 20 việc của 20 cơ quan, đều có hạn 17/6/2021: "
        + ", ".join(f"Agency {n:02} (1)" for n in range(3, 13))
        + ", và 10 cơ quan khác"
    ]
    assert "20 việc của 20 cơ quan, đều có hạn 17/6/2021" in letter.html
    assert "Quá hạn lâu nhất (22/23)" in letter.text
    assert "… và 1 việc khác" in letter.text


def test_the_agencies_of_a_tie_are_all_named_where_there_is_room_for_all() -> None:
    same = [row(n, f"Agency {n % 2}") for n in range(1, 14)]
    text = written(
        role=Role.LEADERSHIP, digest=digest(*same, boxes=Boxes(on_time=0, late=0, in_term=0, overdue=13))
    ).text
    assert "- 13 việc của 2 cơ quan, đều có hạn 17/6/2021: Agency 1 (7), Agency 0 (6) · http" in text


def test_agencies_of_a_tie_stand_as_on_the_pages() -> None:
    names = ("UBND phường Vinh Phú", "UBND xã Bắc Lý", "UBND xã Đông Thành")
    boxes = Boxes(on_time=0, late=0, in_term=0, overdue=15)
    same = [row(n, names[n % 3]) for n in range(1, 16)]
    text = written(role=Role.LEADERSHIP, digest=digest(*same, boxes=boxes)).text
    places = [text.index(name) for name in sorted(names, key=name_order)]
    assert places == sorted(places)


def test_whoever_has_most_of_what_is_overdue_alike_stands_first() -> None:
    one, many = row(1, "Agency A"), [row(n, "Agency B") for n in (2, 3, 4)]
    text = written(role=Role.MONITOR, digest=digest(one, *many)).text
    assert text.index("Agency B") < text.index("Agency A")


def test_a_reason_that_agencies_share_is_not_said_again_beside_one_that_stands_first() -> None:
    why = "ngày 25/6/2022 là thứ Bảy, hạn chuyển sang thứ Hai, 27/6/2022"
    others = [watched(n=n, assignment_id=n, agency=f"Agency {n}", due_why=why) for n in (2, 3)]
    first = watched(n=1, assignment_id=1, agency="Agency 1", due_why=why, period="2021-Q2")
    text = written(*others, first, role=Role.MONITOR).text
    assert text.index("Agency 1") < text.index("Agency 2")
    assert text.count(why) == 1


def test_nobody_is_named_as_newly_overdue_who_is_done() -> None:
    then, now = Boxes(in_term=2, overdue=1), Boxes(late=2, overdue=1)
    done = AgencyChange(since=DAY, id="a", name="Agency A", was=Boxes(in_term=1), now=Boxes(late=1))
    owes = AgencyChange(since=DAY, id="b", name="Agency B", was=Boxes(in_term=1, overdue=0), now=Boxes(overdue=1))

    def said(*agencies: AgencyChange) -> str:
        since = Since(on=DAY - timedelta(7), was=then, now=now, agencies=agencies)
        facts_ = facts(role=Role.LEADERSHIP, digest=replace(digest(boxes=now), since=since))
        return STATIONERY.render(facts_, NOW).text

    assert "1 việc mới quá hạn (Agency B 1)" in said(owes)
    assert "; 1 việc mới xong (Agency A 1), 1 việc quá hạn sau ngày ấy và đã xong (Agency A 1)." in said(done)


def test_on_a_monday_nothing_is_said_twice() -> None:
    lines = [item(n=n, assignment_id=n) for n in (1, 2)]
    late = digest(row(1, assignment_id=1), row(2, assignment_id=2), row(3, assignment_id=3))
    text = written(*lines, digest=late).text
    assert [text.count(f"IV.16.{n} ") for n in (1, 2, 3)] == [1, 1, 1]
    assert "Nhiệm vụ quá hạn, số liệu đến thứ Sáu, 18/6/2021: 3" in text
    escalated = [
        replace(each, kind=NoticeKind.ESCALATION, own=False, escalating=True, chased=chased(4, 1), asks_paper=True)
        for each in lines
    ]
    text = written(*escalated, digest=late, role=Role.MONITOR).text
    assert "Hôm nay hệ thống gửi đôn đốc lần 2 tới đầu mối và lãnh đạo cơ quan về 2 việc quá hạn." in text
    assert "Có 2 việc đủ điều kiện ban hành công văn đôn đốc." in text


def test_links_are_whole_and_nothing_is_fetched() -> None:
    for _, letter, _ in everything():
        html = letter.html
        assert not re.search(r"<img|<script|<link|url\(|@import", html)
        assert all(address.startswith(f"{BASE}/") for address in re.findall(r'href="([^"]*)"', html))
        assert len(html) < 50_000


def test_an_unknown_language_is_written_in_vietnamese() -> None:
    letter = written(item(), language="fr")
    assert (letter.language, letter.text.splitlines()[0]) == ("vi", "Kính gửi: District office of Vinh")


@pytest.mark.parametrize("channel", ["email", "sms"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_says_what_was_the_matter_in_the_reader_s_language(language: str, channel: str) -> None:
    answer = AnswerFacts(Text("Ngày không đọc được.", "The date cannot be read."), "<q@vinh.example>")
    letter = written(language=language, channel=channel, answer=answer)
    assert ("The date cannot be read." if language == "en" else "Ngày không đọc được.") in letter.text


def test_weeks_and_first_words_are_for_people() -> None:
    assert [week_words("2021-W05"), week_words("2021-W25", "en")] == ["tuần 5/2021", "week 25 of 2021"]
    assert first_words("Một hai ba.") == "Một hai ba."
    assert first_words(" ".join(["chữ"] * 17 + ["cuối;", "thừa"])) == " ".join(["chữ"] * 17) + " cuối …"
    assert at("2021-06-18", "07:30").astimezone(PLAN_TIME).hour == 7


# --- urgent plans --------------------------------------------------------------------------------------------------

CALLED = {
    Urgency.KHAN: ("KHẨN", "URGENT (KHẨN)"),
    Urgency.THUONG_KHAN: ("THƯỢNG KHẨN", "VERY URGENT (THƯỢNG KHẨN)"),
    Urgency.HOA_TOC: ("HỎA TỐC", "MOST URGENT (HỎA TỐC)"),
}


@pytest.mark.parametrize("urgency", list(CALLED))
@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.HEAD, Role.MONITOR, Role.LEADERSHIP])
def test_a_letter_of_an_urgent_plan_is_called_so_first_in_subject_text_and_html(urgency: Urgency, role: Role) -> None:
    for language, called, plan in zip(LANGUAGES, CALLED[urgency], ("Kế hoạch số", "plan"), strict=True):
        line = item(urgency=urgency, own=role in OWNERS)
        letter = STATIONERY.render(facts(line, role=role, language=language), NOW)
        assert letter.subject.startswith(f"{called}: "), letter.subject
        first = f"{called}: {plan} 188/KH-UBND"
        assert letter.text.startswith(f"{first}\n\n")
        assert letter.html.partition("<main>")[2].lstrip().startswith(f'<p class="r"><b>{first}</b></p>')


def test_of_several_plans_the_most_urgent_names_the_letter_and_each_is_named_in_its_first_line() -> None:
    usual, soon = item(n=1), item(n=2, plan="9/KH-UBND", urgency=Urgency.KHAN)
    now = item(n=3, plan="7/KH-UBND", urgency=Urgency.HOA_TOC)
    letter = written(usual, soon, now)
    assert letter.subject.startswith("HỎA TỐC: ")
    assert letter.text.startswith("HỎA TỐC: Kế hoạch số 7/KH-UBND; KHẨN: Kế hoạch số 9/KH-UBND\n")


def test_a_letter_of_an_ordinary_plan_has_no_such_line() -> None:
    letter = written(item())
    assert letter.subject.startswith("Quá hạn")
    assert letter.text.startswith("Kính gửi")


# --- only what is so -----------------------------------------------------------------------------------------------


def test_the_monitors_subject_counts_tasks_and_agencies_alike() -> None:
    """Five agencies are overdue; of one nobody can be written to, so four were chased."""
    lines = [watched(n=n, escalating=n < 5) for n in range(1, 6)]
    vi, en = (STATIONERY.render(facts(*lines, role=Role.MONITOR, language=each), NOW) for each in LANGUAGES)
    assert vi.subject.startswith("4 việc quá hạn của 4 cơ quan, đã đôn đốc lần 1 ·"), vi.subject
    assert en.subject.startswith("4 overdue at 4 agencies, chased for the first time ·"), en.subject


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        (item(NoticeKind.REMINDER, due_on=DAY), True),
        (item(NoticeKind.REMINDER, due_on=DAY, outcome=Outcome.PARTLY, state=State.ACCEPTED), True),
        (item(NoticeKind.OVERDUE, due_on=DAY - timedelta(1)), False),
        (item(NoticeKind.REMINDER, due_on=DAY, extension_waits=True), False),
        (item(NoticeKind.ANSWERED, due_on=DAY, outcome=Outcome.DONE, state=State.REPORTED), False),
        (item(NoticeKind.ASSIGNED, due_on=None, days=None), False),
    ],
)
def test_an_extension_is_offered_only_where_it_can_be_asked_for(line: Item, offered: bool) -> None:
    for language, word in zip(LANGUAGES, ("xin gia hạn", "an extension"), strict=True):
        letter = STATIONERY.render(facts(line, language=language), NOW)
        assert (word in letter.text) is (word in letter.html) is offered


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        (item(NoticeKind.OVERDUE, due_on=DAY - timedelta(1)), True),
        (item(NoticeKind.OVERDUE, due_on=DAY - timedelta(1), request=True), False),
        (item(NoticeKind.REMINDER, due_on=DAY), False),
        (item(NoticeKind.ANSWERED, due_on=DAY - timedelta(1), outcome=Outcome.DONE, state=State.REPORTED), False),
    ],
)
def test_a_day_can_be_promised_where_an_extension_comes_too_late(line: Item, offered: bool) -> None:
    for language, word in zip(LANGUAGES, ("hẹn ngày hoàn thành", "promise a day"), strict=True):
        letter = STATIONERY.render(facts(line, language=language), NOW)
        assert (word in letter.text) is (word in letter.html) is offered
