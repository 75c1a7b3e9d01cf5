"""What holds for every letter of a story, looked at in the letter's own words and worked out from its facts alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from ground.post import KEY
from lxml.html import fromstring

from engine.accounts.signed_links import Signer
from engine.rules.situation import NO_REPORT
from engine.terms import NoticeKind, Role, Urgency
from notifications.contract.channel import Outgoing
from notifications.letters.facts import LetterFacts
from notifications.letters.renderer import InUse, LetterRenderer, RendererSettings

OVERDUE = (NoticeKind.OVERDUE, NoticeKind.ESCALATION)
FRESH = (NoticeKind.ASSIGNED, NoticeKind.ACKNOWLEDGE)
OWNERS = (Role.COORDINATOR, Role.HEAD, Role.DEPUTY)
URGENT = {Urgency.KHAN: "KHẨN", Urgency.THUONG_KHAN: "THƯỢNG KHẨN", Urgency.HOA_TOC: "HỎA TỐC"}
DATED = re.compile(
    r"(?P<n>\d+) (?:báo cáo cần bổ sung, )?h[ạẹ]n (?:(?:thứ \w+|Chủ nhật), )?(?P<on>\d+/\d+/\d+)"
    r"|[Hh][ạẹ]n (?:(?:thứ \w+|Chủ nhật), )?(?P<first_on>\d+/\d+/\d+): (?P<first_n>\d+)"
)
CITED = re.compile(r"\b[IVX]+(?:\.\d+)+\b")
MAX_NAMED_DATES = 3


class RecordingRenderer(LetterRenderer):
    """Keeps the facts of each letter beside what was rendered of them."""

    def __init__(self) -> None:
        super().__init__(Signer(KEY), RendererSettings("http://127.0.0.1:8188"))
        self.rendered: list[tuple[LetterFacts, Outgoing]] = []

    def render(self, facts: LetterFacts, now: datetime, templates: InUse | None = None) -> Outgoing:
        letter = super().render(facts, now, templates)
        self.rendered.append((facts, letter))
        return letter


@dataclass
class Faults:
    """How many letters each rule was about, and what is wrong."""

    about: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def faults_of(rendered: Iterable[tuple[LetterFacts, Outgoing]]) -> Faults:
    found = Faults()
    for facts, letter in rendered:
        if facts.language != "vi" or letter.subject == "":
            continue
        for rule, wrong in _looked_at(facts, letter):
            found.about[rule] += 1
            if wrong:
                found.wrong.append(f"{rule}: {facts.day} {facts.role} {facts.agency}: {wrong} | {letter.subject}")
    return found


def _looked_at(facts: LetterFacts, letter: Outgoing) -> Iterator[tuple[str, str]]:
    yield from _levels(facts, letter)
    if facts.role in OWNERS:
        yield from _dates(facts, letter)
        yield from _news(facts, letter)
        yield from _monthly(facts)
        yield from _linked(facts, letter)
    yield from _urgency(facts, letter)
    yield from _named(facts, letter)
    yield from _said_once(facts, letter)


def _levels(facts: LetterFacts, letter: Outgoing) -> Iterator[tuple[str, str]]:
    """«Đôn đốc lần 3» never drops out of an agency's or a monitor's letter that brings it."""
    levels = [each.level for each in facts.items if each.kind in OVERDUE and each.escalating and not each.request]
    owners = [each for each in facts.items if each.own] or facts.role is Role.MONITOR
    if levels and owners and facts.role in (*OWNERS, Role.MONITOR):
        said = [int(each) for each in re.findall(r"ôn đốc(?: đến)? lần (\d+)", letter.subject)]
        yield "level", "" if max(said, default=0) == max(levels) else f"level {max(levels)} not said"


def _dates(facts: LetterFacts, letter: Outgoing) -> Iterator[tuple[str, str]]:
    """Each date in a subject has its own count, the earliest first, and overdue stands before due soon."""
    due = [each for each in facts.items if each.kind is NoticeKind.REMINDER and each.own]
    counts = Counter(on for on in (each.chased_from or each.due_on for each in due) if on is not None)
    late = _overdue_orders(facts)
    found = [each.groupdict() for each in DATED.finditer(letter.subject)]
    said = [(_date(each["on"] or each["first_on"]), int(each["n"] or each["first_n"])) for each in found]
    if counts and not all(each.request for each in due):
        earliest = sorted(counts.items())
        yield "dates", "" if said == earliest[: len(said)] and said else f"said {said} of {earliest}"
        if len(said) < len(earliest):
            rest = sum(n for _, n in earliest[len(said) :])
            yield "dates left out", "" if f"{rest} hạn sau" in letter.subject else f"{rest} later ones not said"
    if late:
        place = letter.subject.lower().find("quá hạn")
        first = DATED.search(letter.subject)
        wrong = place < 0 or (first is not None and first.start() < place)
        yield "overdue first", f"{late} overdue" if wrong else ""


def _overdue_orders(facts: LetterFacts) -> int:
    of_items = {each.assignment_id for each in facts.items if each.kind in OVERDUE and each.own and not each.request}
    rows = facts.digest.rows if facts.digest else ()
    return len(of_items | {row.assignment_id for row, _ in rows if not row.request and row.agency == facts.agency})


def _news(facts: LetterFacts, letter: Outgoing) -> Iterator[tuple[str, str]]:
    """What returns, as each half-year, is not called new."""
    fresh = [each for each in facts.items if each.kind in FRESH and each.own]
    if fresh and any(each.returning for each in fresh):
        new = sum(not each.returning for each in fresh)
        said = re.search(r"(\d+) (?:nhiệm vụ|việc) mới", letter.subject)
        claimed = int(said[1]) if said else 0
        heading = "Mới giao" in letter.text and not new
        yield "returning", "called new" if claimed > new or heading else ""


def _monthly(facts: LetterFacts) -> Iterator[tuple[str, str]]:
    """What is owed each month is opened one month ahead."""
    for each in facts.items:
        month = re.fullmatch(r"(\d{4})-(\d{2})", each.period)
        if month and each.kind is NoticeKind.ASSIGNED:
            ahead = 12 * (int(month[1]) - facts.day.year) + int(month[2]) - facts.day.month
            yield "monthly", f"{each.period} is {ahead} months ahead" if ahead > 1 else ""


def _linked(facts: LetterFacts, letter: Outgoing) -> Iterator[tuple[str, str]]:
    """What an agency owes can be reported by a link of the very letter."""
    owed = {(each.plan_id, each.period) for each in facts.items if each.own and each.state in NO_REPORT.states}
    if owed:
        links = len(set(re.findall(r"/r/([^/\s]+)$", letter.text, re.MULTILINE)))
        yield "linked", f"{len(owed)} pages, {links} links" if links < len(owed) else ""


def _urgency(facts: LetterFacts, letter: Outgoing) -> Iterator[tuple[str, str]]:
    """HỎA TỐC stands first in subject and letter, in words and in red."""
    degrees = [each.urgency for each in facts.items if each.urgency.urgent]
    degrees += [row.urgency for row, _ in facts.digest.rows if row.urgency.urgent] if facts.digest else []
    if degrees:
        word = URGENT[max(degrees, key=tuple(Urgency).index)]
        first = next(fromstring(letter.html).iterfind(".//main/*"))
        red = first.get("class") == "r" and "".join(first.itertext()).strip().startswith(word)
        stands = letter.subject.startswith(word) and letter.text.startswith(word)
        yield "urgent", "" if red and stands else f"{word} does not stand first"


def _named(facts: LetterFacts, letter: Outgoing) -> Iterator[tuple[str, str]]:
    """A citation never stands alone: the duty is named somewhere in the letter, at the latest beside its first line."""
    texts = {each.citation: each.text for each in facts.items if each.text}
    texts |= {row.citation: row.text for row, _ in facts.digest.rows} if facts.digest else {}
    lone = sorted(
        {each for each in CITED.findall(letter.text) if each in texts and _start(texts[each]) not in letter.text}
    )
    if any(each in letter.text for each in texts):
        yield "named", f"only cited: {', '.join(lone[:5])}" if lone else ""


def _start(text: str) -> str:
    """The first words of a duty, as short as a letter may name it."""
    return " ".join(text.split()[:4]).rstrip(".,;")


def _said_once(facts: LetterFacts, letter: Outgoing) -> Iterator[tuple[str, str]]:
    """Why a date was moved, and why a letter came, stands once."""
    reasons = Counter({each.due_why for each in facts.items if each.due_why})
    again = [each for each in reasons if letter.text.count(each) > 1]
    if reasons:
        yield "explained once", f"{letter.text.count(again[0])} times: {again[0]}" if again else ""
    came = letter.text.count("Thư này gửi")
    if came:
        yield "why it came", "" if came == 1 else f"said {came} times"


def _date(said: str) -> date:
    day, month, year = map(int, said.split("/"))
    return date(year, month, day)
