"""A letter as templates see it: its kind, its parts worst first, its links, and who speaks to whom. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property, lru_cache
from types import SimpleNamespace

from engine.assignments.backlog import Backlog
from engine.assignments.weekly_digest import OverdueRow
from engine.enums import complete
from engine.files.plan_parts import subject_words
from engine.rules.calendar import local_date
from engine.rules.policy import for_role
from engine.rules.situation import is_ahead, is_past
from engine.rules.words import name_order
from engine.terms import NoticeKind, Role, State, Urgency
from engine.text import Text
from engine.views.event_sentences import whom_to_direct
from engine.views.labels import label
from notifications.letters import shortening
from notifications.letters.digests import DigestFacts
from notifications.letters.facts import Item, LetterFacts

KINDS = ("duties", "watch", "director", "leadership", "answer", "signin", "account", "deputy")
PARTS = {
    "returned": (NoticeKind.RETURNED,),
    "overdue": (NoticeKind.OVERDUE, NoticeKind.ESCALATION),
    "chased": (NoticeKind.CHASE,),
    "due": (NoticeKind.REMINDER,),
    "unacknowledged": (NoticeKind.UNACKNOWLEDGED,),
    "unreachable": (NoticeKind.UNREACHABLE,),
    "wrote": (NoticeKind.WROTE,),
    "declined": (NoticeKind.NOT_MINE,),
    "asked": (NoticeKind.EXTENSION_ASKED,),
    "promised": (NoticeKind.PROMISE_ASKED,),
    "raised": (NoticeKind.RAISED,),
    "answered": (NoticeKind.ANSWERED,),
    "fresh": (NoticeKind.ACKNOWLEDGE, NoticeKind.ASSIGNED),
    "told": (
        NoticeKind.EXTENSION_DECIDED,
        NoticeKind.PROMISE_DECIDED,
        NoticeKind.DUE_MOVED,
        NoticeKind.TRANSFERRED,
        NoticeKind.CANCELLED,
        NoticeKind.AMENDED,
        NoticeKind.PLAN_ENDED,
    ),
    "reorganised": (NoticeKind.REORGANISED,),
    "progress": (NoticeKind.PROGRESS,),
    "coordinates": (NoticeKind.COORDINATES,),
}
QUOTED = ("wrote", "declined", "asked", "promised", "raised", "answered", "told", "progress")
"""Parts of a monitor's letter whose lines quote what was written; the others are grouped by agency."""
PAST = "past"
"""The part of a monitor's letter with requests past their time: nobody there is chased."""
ABOVE = "above"
"""The part of an agency's letter about other agencies, which this one supervises."""
_PART_OF = complete(NoticeKind, {kind: part for part, kinds in PARTS.items() for kind in kinds})
_POSITION_OF = {kind: place for place, kinds in enumerate(PARTS.values()) for kind in kinds}
_NEWS = {
    NoticeKind.DUE_MOVED: "moved",
    NoticeKind.TRANSFERRED: "transferred",
    NoticeKind.CANCELLED: "cancelled",
    NoticeKind.AMENDED: "amended",
    NoticeKind.PLAN_ENDED: "ended",
}
_NONE = dict.fromkeys((*PARTS, PAST, ABOVE), 0)


def kind_for(role: Role) -> str:
    """The kind of letter about assignments that a role usually gets."""
    return for_role(role, owner="duties", supervisor="watch", issuer="leadership")


def letter_kind(facts: LetterFacts) -> str:
    """The kind of a letter. Who stands at a department, but is written to about other agencies alone, gets what its
    monitor gets; its head a letter of its own."""
    apart = {"signin": facts.sign_in, "account": facts.account, "answer": facts.answer, "deputy": facts.deputy}
    for kind, said in apart.items():
        if said is not None:
            return kind
    if facts.digest is not None and facts.digest.watching:
        return "watch"
    usual = kind_for(facts.role)
    if usual != "duties" or facts.digest or any(_concerns_reader(item) for item in facts.items):
        return usual
    if not facts.items and facts.backlog is None:
        return usual
    return "director" if facts.role is Role.HEAD else "watch"


def _concerns_reader(item: Item) -> bool:
    """The reader's agency owes it, or helps with it."""
    return item.own or item.kind is NoticeKind.COORDINATES


@dataclass(frozen=True, kw_only=True)
class LetterView:
    """The variable ``letter`` in templates. Links are full URLs; ``at`` is when it is written."""

    facts: LetterFacts
    base_url: str
    at: datetime
    acknowledge_url: str
    report_links: tuple[tuple[str, str, str], ...]
    """(plan number, period, URL) of each report page this letter is about."""
    coordinates_url: str = ""
    """Page of the duties that the reader's agency helps with; empty if the letter names none."""
    slow_url: str = ""
    """Page where the reader can choose to get fewer letters; empty if nothing in this one can be deferred."""
    deputies_url: str = ""
    """Page where the reader can end the deputy that the letter tells of, or agree to one who was proposed."""
    brief: bool = False
    """True for an SMS that did not fit into one part: the template then uses shorter wording."""

    @cached_property
    def kind(self) -> str:
        return letter_kind(self.facts)

    @cached_property
    def parts(self) -> dict[str, list[Item]]:
        """The lines by part, worst part first; parts without lines are absent."""
        found: dict[str, list[Item]] = {}
        for item in sorted(self.facts.items, key=lambda item: (self._part(item) == ABOVE, _POSITION_OF[item.kind])):
            found.setdefault(self._part(item), []).append(item)
        return found

    @property
    def listed_parts(self) -> list[str]:
        """The parts of a monitor's letter whose lines are listed: without what is told in a sentence, and without what
        is overdue where the week's list has it."""
        told = {"reorganised"} if self.escalated or not self.late_rows else {"reorganised", "overdue"}
        return [part for part in self.parts if part not in told]

    def _part(self, item: Item) -> str:
        if self.kind == "duties" and not _concerns_reader(item):
            return ABOVE
        if item.kind is NoticeKind.ESCALATION and item.request and not item.own:
            return PAST
        return _PART_OF[item.kind]

    @cached_property
    def count(self) -> SimpleNamespace:
        """How many lines each part has: ``letter.count.overdue``."""
        return SimpleNamespace(**_NONE | {part: len(items) for part, items in self.parts.items()})

    @property
    def urgent(self) -> str:
        """Begins the subject: the urgency of the most urgent plan, «HỎA TỐC: »."""
        return f"{self._urgency}: " if self._urgency else ""

    @property
    def of_plan(self) -> str:
        """Ends the subject: the plan's number if the letter is about one plan, « · KH 188/KH-UBND»."""
        return f" · {self._number}" if self._number else ""

    @property
    def tag(self) -> str:
        """What subjects of 0.1.0 begin with, for an office's own: «HỎA TỐC [KH 188/KH-UBND]»."""
        number = self._number or ("Duties" if self.facts.language == "en" else "Theo dõi nhiệm vụ")
        return " ".join(filter(None, (self._urgency, f"[{number}]")))

    @property
    def _urgency(self) -> str:
        most = max(self._urgent_plans, key=tuple(Urgency).index, default=None)
        return "" if most is None else _called(most, self.facts.language)

    @property
    def _number(self) -> str:
        """Of the plan that the letter is about, if it is one; a number that reveals the subject («12/KH-AIDS») is not
        shown."""
        numbers = {item.plan for item in self.facts.items} | {row.plan for row, _ in self.late_rows}
        return _numbered(numbers.pop()) if len(numbers) == 1 else ""

    @property
    def matter(self) -> str:
        """What the plan is about, if the letter is about one plan."""
        titles = {item.title for item in self.facts.items} | {row.title for row, _ in self.late_rows}
        return titles.pop() if len(titles) == 1 else ""

    @cached_property
    def _urgent_plans(self) -> dict[Urgency, list[str]]:
        """The numbers of the urgent plans that lines are about, the least urgent first."""
        found: dict[Urgency, list[str]] = {}
        lines = [(item.plan, item.urgency) for item in self.facts.items]
        lines += [(row.plan, row.urgency) for row, _ in self.late_rows]
        for urgency in (each for each in Urgency if each.urgent):
            numbers = dict.fromkeys(plan for plan, degree in lines if degree is urgency)
            if numbers:
                found[urgency] = list(numbers)
        return found

    @property
    def urgent_line(self) -> str:
        """«HỎA TỐC: Kế hoạch số 7/KH-UBND; KHẨN: Kế hoạch số 9/KH-UBND», most urgent first; empty if none is urgent."""
        language = self.facts.language
        word = "plan" if language == "en" else "Kế hoạch số"
        plans = reversed(self._urgent_plans.items())
        return "; ".join(f"{_called(urgency, language)}: {word} {', '.join(numbers)}" for urgency, numbers in plans)

    @property
    def late_rows(self) -> tuple[tuple[OverdueRow, int], ...]:
        return self.facts.digest.rows if self.facts.digest else ()

    @property
    def digest(self) -> DigestFacts | None:
        return self.facts.digest

    @property
    def backlog(self) -> Backlog | None:
        return self.facts.backlog

    @cached_property
    def request(self) -> bool:
        """True if every line is a request, not an order: the whole letter is worded as a request."""
        mine = [item.request for item in self.facts.items] + [row.request for row, _ in self.late_rows]
        return bool(mine) and all(mine)

    @property
    def quoted(self) -> tuple[str, ...]:
        return QUOTED

    @property
    def thread_url(self) -> str:
        """Page for difficulties, questions, extensions and deputies; empty if the agency owes nothing here."""
        return f"{self.report_links[0][2]}/thread" if self.report_links else ""

    @property
    def extendable(self) -> bool:
        """An extension can be asked for on ``thread_url``, of a duty that is not late."""
        return any(map(self._extendable, self._of_thread))

    @property
    def promisable(self) -> bool:
        """A day can be promised on ``thread_url`` for a duty that is late."""
        late = (item for item in self._of_thread if is_past(item.due_on, self.facts.day))
        page = self.report_links[0][:2] if self.report_links else None
        of_week = any((row.plan, row.period) == page for row, _ in self.late_rows)
        return not self.request and (of_week or any(item.open for item in late))

    @property
    def _of_thread(self) -> list[Item]:
        """The lines that the page of ``thread_url`` is about."""
        page = self.report_links[0][:2] if self.report_links else None
        return [item for item in self.facts.items if item.own and (item.plan, item.period) == page]

    def _extendable(self, item: Item) -> bool:
        in_time = is_ahead(item.due_on, self.facts.day)
        return in_time and not item.extension_waits and item.open

    @property
    def returning(self) -> bool:
        """All that is to be acknowledged comes again, as each half-year: nothing of it is new."""
        fresh = self.parts.get("fresh", ())
        return bool(fresh) and all(item.returning for item in fresh)

    @property
    def ended(self) -> int:
        """How many agencies cannot be reached because they have ended."""
        items = self.parts.get("unreachable", ())
        return len({item.agency for item in items if item.detail.get("ended")})

    def soft(self, part: str) -> bool:
        """True if every line of a part is a request."""
        return all(item.request for item in self.parts.get(part, ()))

    @cached_property
    def worst(self) -> Item | None:
        return next((items[0] for items in self.parts.values()), None)

    @property
    def due_days(self) -> list[tuple[date, bool, int]]:
        """The due dates of what is due soon, and the promised ones (true), earliest first, with how many each has."""
        soon = self.parts.get("due", ())
        days = Counter((item.chased_from or item.due_on, item.chased_from is not None) for item in soon)
        return sorted((day, promised, n) for (day, promised), n in days.items() if day is not None)

    def due_later(self, named: int) -> int:
        """How many are due after the first ``named`` dates."""
        return sum(n for _, _, n in self.due_days[named:])

    @property
    def all_promised(self) -> bool:
        """Whatever is due soon is so by a promise."""
        return all(promised for _, promised, _ in self.due_days)

    @property
    def some_promised(self) -> bool:
        return any(promised for _, promised, _ in self.due_days)

    @cached_property
    def overdue(self) -> int:
        """How many orders of the reader's agency are overdue, in lines or in the week's list."""
        agency_id = self.digest.agency_id if self.digest else ""
        found = {row.assignment_id for row, _ in self.late_rows if not row.request and row.agency_id == agency_id}
        own = (item for item in self.parts.get("overdue", ()) if item.own and not item.request)
        return len(found.union(item.assignment_id for item in own))

    @property
    def late_span(self) -> tuple[int, int]:
        """The fewest and the most working days that what ``overdue`` counts is late."""
        agency_id = self.digest.agency_id if self.digest else ""
        days = [late for row, late in self.late_rows if not row.request and row.agency_id == agency_id]
        days += [-item.days for item in self.parts.get("overdue", ()) if item.own and not item.request and item.days]
        return min(days, default=0), max(days, default=0)

    @property
    def next_on(self) -> date | None:
        """When the overdue of the week's list are chased next."""
        days = (local_date(row.next_action_at) for row, _ in self.late_rows if row.next_action_at)
        return min((day for day in days if day > self.facts.day), default=None)

    @property
    def to_direct(self) -> Text:
        """Whom the leadership is asked to direct."""
        return whom_to_direct(self.digest.behind if self.digest else ())

    @property
    def promised(self) -> list[date]:
        """The days that stand promised for the rows of the week's list, in order."""
        return sorted(row.promised_on for row, _ in self.late_rows if row.promised_on and not row.promise_past)

    @property
    def promises_past(self) -> int:
        return sum(row.promise_past for row, _ in self.late_rows)

    @property
    def above_level(self) -> int:
        """The highest escalation of other agencies' work, of which an agency's letter tells whoever stands in for its
        monitor."""
        return max((item.level for item in self.parts.get(ABOVE, ()) if item.escalating), default=0)

    @property
    def owes(self) -> bool:
        """Something of the reader's own agency is among the lines."""
        return any(item.own for item in self.facts.items)

    @property
    def newly_given(self) -> int:
        """Of what is to be acknowledged, how many the agency has not had before."""
        return sum(not item.returning for item in self.parts.get("fresh", ()))

    @property
    def highest_level(self) -> int:
        """The highest escalation of what is overdue here, also where not all of it is escalated."""
        return max((item.level for item in self.parts.get("overdue", ()) if item.escalating), default=0)

    @property
    def nearest_due(self) -> Item | None:
        dated = [item for item in self.facts.items if item.due_on is not None]
        return min(dated, key=lambda item: item.due_on or date.max, default=None)

    @cached_property
    def supervisor(self) -> str:
        """The department in whose name the letter is written."""
        above = [item.supervisor for item in self.facts.items if item.supervisor != self.facts.agency]
        return next(iter(above), self.facts.enquiries.agency if self.facts.enquiries else "")

    @property
    def speaker(self) -> str:
        """Who reports to the leadership: the departments above the owners; empty if it is the leadership's own body."""
        names = [item.supervisor for item in self.facts.items] + ([self.supervisor] if self.supervisor else [])
        return ", ".join(dict.fromkeys(name for name in names if name != self.facts.agency))

    @property
    def addressee(self) -> str:
        """The agency's name in full, as a letter addresses it: «Ủy ban nhân dân huyện Quỳ Hợp»."""
        name = self.facts.agency
        return f"Ủy ban nhân dân {name.removeprefix('UBND ')}" if name.startswith("UBND ") else name

    @property
    def news(self) -> str:
        """What the letter tells of, if all its lines tell the same: granted, refused, moved, transferred, cancelled."""
        told = {
            ("granted" if item.detail.get("granted") else "refused")
            if item.kind is NoticeKind.EXTENSION_DECIDED
            else _NEWS.get(item.kind, "")
            for item in self.facts.items
        }
        return told.pop() if len(told) == 1 else ""

    @property
    def done(self) -> bool:
        """Something that the message asked was done."""
        return self.facts.answer is not None and self.facts.answer.done

    @property
    def left_open(self) -> bool:
        """Something that the message says was not done."""
        return self.facts.answer is not None and self.facts.answer.left_open

    @property
    def problem(self) -> str:
        """What became of the message that this letter answers, in the reader's language."""
        problem = self.facts.answer.problem if self.facts.answer else None
        return problem.said(self.facts.language) if problem else ""

    @cached_property
    def level(self) -> int:
        """The number of the escalation, if all that is overdue here is escalated today and for the same time."""
        levels = {item.level if item.escalating else 0 for item in self.parts.get("overdue", ())}
        return levels.pop() if len(levels) == 1 else 0

    @property
    def escalated(self) -> int:
        """How many overdue lines are escalated to their owners today."""
        return sum(item.escalating for item in self.parts.get("overdue", ()))

    @property
    def times(self) -> int:
        """The number of the escalation, if all that is escalated today is so for the same time."""
        levels = {item.level for item in self.parts.get("overdue", ()) if item.escalating}
        return levels.pop() if len(levels) == 1 else 0

    @property
    def escalated_agencies(self) -> int:
        """To how many agencies these escalations go; one without a reachable contact gets none."""
        return len({item.agency for item in self.parts.get("overdue", ()) if item.escalating})

    @property
    def papers(self) -> int:
        """For how many lines the monitor is asked to issue a chasing letter on paper."""
        return sum(item.asks_paper for item in self.parts.get("overdue", ()))

    @property
    def days_late(self) -> int:
        """Working days that everything overdue here is late at least."""
        return min((-item.days for item in self.parts.get("overdue", ()) if item.days is not None), default=0)

    @property
    def agencies(self) -> int:
        return self.agencies_in("overdue")

    def agencies_in(self, part: str) -> int:
        """How many agencies a part is about."""
        return len({item.agency for item in self.parts.get(part, ())})

    def returned_in(self, part: str) -> int:
        """How many lines of a part are about a returned report, which is to be resubmitted."""
        return sum(item.state is State.RETURNED for item in self.parts.get(part, ()))

    def reported_in(self, part: str) -> int:
        """How many lines of a part are about a task whose report is in but which is not finished."""
        return sum(item.undone for item in self.parts.get(part, ()))

    @property
    def late_asked(self) -> bool:
        """True if the digest's rows are requests, which are listed by themselves."""
        return bool(self.late_rows) and self.late_rows[0][0].request

    @property
    def late_reported(self) -> int:
        """How many of the digest's rows have a report which says that the task is not finished."""
        return sum(row.outcome is not None for row, _ in self.late_rows)

    def lines(self, part: str) -> shortening.Shortened[Item]:
        """The lines of a part, at most ``MAX_DUTIES``; what a part above explains is not explained again."""
        found = shortening.shorten(self.parts.get(part, ()), shortening.MAX_DUTIES)
        return replace(found, shown=tuple(shortening.explained_once(found.shown, self._explained_above(part))))

    def by_agency(self, part: str) -> shortening.Agencies:
        """The lines of a part grouped by agency, most overdue first."""
        found = shortening.group_items(self.parts.get(part, ()), self._max_agencies)
        return shortening.agencies_explained_once(found, self._explained_above(part))

    def _explained_above(self, part: str) -> set[str]:
        """Why due dates were moved, as the parts before this one say."""
        listed = self.listed_parts if self.kind == "watch" else list(self.parts)
        above = listed[: listed.index(part)] if part in listed else []
        return {item.due_why for each in above for item in self.parts[each] if item.due_why}

    @property
    def late(self) -> shortening.Shortened[tuple[OverdueRow, int]]:
        """The digest's rows, worst first, without those listed above; for the leadership the first ``MAX_WORST``."""
        if self.facts.role is Role.LEADERSHIP:
            shown = self.late_rows[: shortening.MAX_WORST]
            if self.tied:
                shown = tuple(each for each in shown if each[0].due_on < self.tied[0].due_on)
            return shortening.Shortened(shown, len(self.late_rows) - len(shown) - len(self.tied))
        return shortening.shorten(self._not_above(self.late_rows), shortening.MAX_DUTIES)

    @cached_property
    def tied(self) -> tuple[OverdueRow, ...]:
        """Of the leadership's rows those of one due date that not all can be listed: none is later than the others."""
        if self.facts.role is not Role.LEADERSHIP or len(self.late_rows) <= shortening.MAX_WORST:
            return ()
        last, next_one = self.late_rows[shortening.MAX_WORST - 1][0], self.late_rows[shortening.MAX_WORST][0]
        same = tuple(row for row, _ in self.late_rows if row.due_on == last.due_on)
        return same if last.due_on == next_one.due_on else ()

    @property
    def tied_agencies(self) -> list[tuple[str, int]]:
        """How many of the tied rows each agency has, most first."""
        counted = Counter(row.agency for row in self.tied)
        return sorted(counted.items(), key=lambda each: (-each[1], name_order(each[0])))

    @property
    def tied_named(self) -> list[tuple[str, int]]:
        """The agencies of ``tied_agencies`` that are named."""
        return self.tied_agencies[: shortening.MAX_WORST]

    @property
    def asked(self) -> shortening.Shortened[tuple[OverdueRow, int]]:
        """The requests past their time beside the digest's rows, without those listed above."""
        return shortening.shorten(self._not_above(self.digest.asked if self.digest else ()), shortening.MAX_DUTIES)

    def _not_above(self, rows: Sequence[tuple[OverdueRow, int]]) -> Sequence[tuple[OverdueRow, int]]:
        above = {item.assignment_id for part in ("overdue", PAST) for item in self.parts.get(part, ())}
        return [each for each in rows if each[0].assignment_id not in above]

    @property
    def late_rest(self) -> Sequence[tuple[OverdueRow, int]]:
        """The digest's rows of a monitor's letter that are not among what is escalated today."""
        return self._not_above(self.late_rows) if self.escalated else self.late_rows

    @property
    def late_by_agency(self) -> shortening.Agencies:
        return shortening.group_rows(self.late_rest, self._max_agencies)

    @property
    def _max_agencies(self) -> int:
        return shortening.MAX_ESCALATED if self.kind in ("leadership", "director") else shortening.MAX_AGENCIES

    @cached_property
    def acknowledges(self) -> bool:
        """True if the main button is "acknowledge": no line is overdue, returned or chased, which needs a report."""
        return bool(self.acknowledge_url) and not (self.count.overdue or self.count.returned or self.count.chased)

    @cached_property
    def asked_before(self) -> Sequence[date]:
        """The days on which the agency was asked to acknowledge what this letter asks for again."""
        again = [item.asked for item in self.parts.get("fresh", ()) if item.kind is NoticeKind.ACKNOWLEDGE]
        return min(again, key=len) if again and len(again) == self.count.fresh else ()

    @cached_property
    def agencies_late(self) -> int:
        """How many agencies the digest's rows are of."""
        return len({row.agency for row, _ in self.late_rows})


def _called(urgency: Urgency, language: str) -> str:
    """The degree of urgency as papers bear it: «HỎA TỐC»."""
    return label(urgency, language).upper()


@lru_cache(maxsize=1024)
def _numbered(number: str) -> str:
    code = number.partition("/")[2].partition("-")[0]
    return "" if subject_words(number) else f"{code} {number}".strip()
