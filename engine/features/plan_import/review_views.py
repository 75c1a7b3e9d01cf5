"""View objects of the review pages: rows with the use of each paragraph, the names to settle, the doubts with the forms
that resolve them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, groupby

from engine.enums import complete
from engine.features.plan_import.drafts.corrections import DutyFields, cut_before
from engine.features.plan_import.drafts.model import (
    KIND,
    NEW,
    OTHERS,
    DutyPlace,
    Paragraph,
    PlanDraft,
    UnknownName,
    kind_choice,
    kind_members,
    lives_on,
    nearest,
)
from engine.features.plan_import.drafts.plan_data import UNDATED, Reviewed, asked_days, gaps_before
from engine.features.plan_import.drafts.rows import ReviewRow, page_of, pages_of
from engine.features.plan_import.drafts.stored import StoredDraft
from engine.features.plan_import.importer.base.model import Doubt, Use
from engine.files.directory import DirectoryFile
from engine.files.plan_renewal import EndedName, ended_among
from engine.queries.time_class import Today
from engine.rules.calendar import Due, add_months, day_digits, written
from engine.rules.typed_day import read_typed_day
from engine.text import Text

USES: Mapping[Use, Text] = complete(
    Use,
    {
        Use.HEAD: Text("phần đầu hoặc cuối văn bản", "head or end of the document"),
        Use.HEADING: Text("tiêu đề", "heading"),
        Use.OWNER: Text("tên cơ quan của mục", "the item's agency"),
        Use.DUTY: Text("nhiệm vụ", "duty"),
        Use.FACT: Text("ghi thêm của nhiệm vụ", "added to a duty"),
        Use.INSTRUCTION: Text("yêu cầu chung", "asked of everybody"),
        Use.LEFT_OUT: Text("không thành nhiệm vụ", "no duty"),
    },
)
"""What became of a paragraph, where no duty was made of it."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A paragraph on the page. ``duties``: made of it."""

    n: int
    paragraph: Paragraph
    duties: Sequence[DutyPlace]
    takable: bool

    @property
    def fate(self) -> Text:
        reason = self.paragraph.reason
        return Text.same(reason) if reason and self.takable else USES[self.paragraph.use]


@dataclass(frozen=True, kw_only=True)
class NameLine:
    """An unknown name: ``near`` names of the directory, ``kind`` the choice of all agencies of its kind with how many
    ``members``."""

    n: int
    name: UnknownName
    duties: int
    near: Sequence[str]
    kind: str
    members: int
    is_issuer: bool

    @property
    def levels(self) -> Sequence[str]:
        return self.kind.removeprefix(KIND).split("+") if self.kind else ()


@dataclass(frozen=True, kw_only=True)
class TimeDoubt:
    """A doubt about the times of some duties. ``target``: that of the button that confirms it for all of them."""

    message: str
    places: Sequence[DutyPlace]
    target: str

    @property
    def parts(self) -> bool:
        """Whether the duty may be parted by its days."""
        return "nên tách" in self.message


_MOST_DAYS = 4
_NO_REPORT = Text("không hỏi báo cáo riêng", "no report of its own")
_AT_ACTIVATION = Text("không nêu ngày: hỏi khi kích hoạt", "names no day: asked for at activation")
_ALL_OVER = Text("không còn kỳ nào từ nay", "no period is left from today")


@dataclass(frozen=True)
class AskedWords:
    """Words about time, what is asked for by them in the coming twelve months, and the duties concerned."""

    words: str
    asked: Text
    open: bool
    places: Sequence[DutyPlace]


@dataclass(frozen=True)
class Answered:
    """A doubt with what resolves it: the place to split a duty, or the line where its words begin."""

    doubt: Doubt
    part: str
    line: int | None


class ReviewView:
    """A page of the review. ``number`` None: that of the first mistake."""

    def __init__(
        self, stored: StoredDraft, directory: DirectoryFile, out: Reviewed, number: int | None, today: Today
    ) -> None:
        self.stored, self.draft, self.directory = stored, stored.draft, directory
        self.problems = out.problems if stored.draft.asked_to_save else {}
        self._asked, self._today, self._calendar = asked_days(out, today.calendar), today.day, today.calendar
        self.pages = pages_of(stored.draft)
        wrong = min((self.page_of_field(name) for name in self.problems), default=0) if number is None else number
        self.at = min(wrong, len(self.pages) - 1)
        self.undated_choices = UNDATED
        self.gaps = gaps_before(stored.draft)

    @cached_property
    def places(self) -> Sequence[DutyPlace]:
        return list(self.draft.places())

    @cached_property
    def _by_key(self) -> Mapping[int, DutyPlace]:
        return {each.duty.key: each for each in self.places}

    @cached_property
    def _by_paragraph(self) -> Mapping[int, list[DutyPlace]]:
        found: dict[int, list[DutyPlace]] = {}
        for place in self.places:
            for n in place.duty.paragraphs:
                found.setdefault(n, []).append(place)
        return found

    @property
    def rows(self) -> Sequence[ReviewRow]:
        return self.pages[self.at]

    @property
    def groups(self) -> Iterator[tuple[Sequence[DutyPlace], Sequence[ReviewRow]]]:
        """The rows of the page, cut where a section begins and where there is something to look at. Where there is
        nothing, their duties are given, too: the page folds them. A heading goes with what stands below it."""
        sure, states = False, []
        for row in reversed(self.rows):
            looks = any(map(self._looks, row.paragraphs))
            if row.places or looks:
                sure = not looks and all(map(self._certain, row.places))
            states.append(sure)
        sections = accumulate(row.section is not None for row in self.rows)
        marked = zip(sections, reversed(states), self.rows, strict=True)
        for (_, sure), group in groupby(marked, key=lambda each: each[:2]):
            rows = [row for *_, row in group]
            yield [place for row in rows for place in row.places] if sure else [], rows

    def _looks(self, n: int) -> bool:
        """Whether a paragraph that was left out looks like a duty."""
        return n in self._left and (self.draft.document[n].serious or self.draft.document[n].doubted)

    def _certain(self, place: DutyPlace) -> bool:
        duty = place.duty
        asks = duty.dropped or duty.guessed or duty.open_doubts or duty.key in self.gaps
        unknown = set(duty.owners) - self.known - self.settled
        return not (asks or unknown or self.doubts_at(place) or self.duty_problems(duty.key))

    @cached_property
    def _left(self) -> set[int]:
        return set(self.draft.left())

    def lines(self, row: ReviewRow) -> Iterator[Line]:
        for n in row.paragraphs:
            yield Line(
                n=n,
                paragraph=self.draft.document[n],
                duties=self._by_paragraph.get(n, ()),
                takable=n in self._left,
            )

    def page_of(self, place: DutyPlace) -> int:
        return page_of(self.pages, key=place.duty.key)

    def page_of_line(self, n: int) -> int:
        return page_of(self.pages, paragraph=n)

    def page_of_field(self, name: str) -> int:
        place = self._place_of(name)
        return self.page_of(place) if place else 0

    def link(self, number: int, anchor: str) -> str:
        """The address of a place on a page."""
        return (f"?page={number + 1}" if number != self.at else "") + f"#{anchor}"

    def problem_link(self, name: str) -> str:
        """Where a mistake is corrected: a duty's form, or its place on the first page."""
        place = self._place_of(name)
        if place:
            return f"/plans/drafts/{self.stored.id}/duties/{place.duty.key}"
        return f"/plans/drafts/{self.stored.id}#{name.removeprefix('head.') or 'plan'}"

    def problem_name(self, name: str) -> str:
        """The number of the duty that has the error."""
        place = self._place_of(name)
        return place.citation if place else ""

    def duty_problems(self, key: int) -> list[Text]:
        return [said for name, all_ in self.problems.items() if name.startswith(f"duty.{key}.") for said in all_]

    def _place_of(self, name: str) -> DutyPlace | None:
        parts = name.split(".")
        return self._by_key.get(int(parts[1])) if parts[0] == "duty" else None

    def place_cited(self, citation: str) -> DutyPlace | None:
        """The duty that a doubt is about, by its number in the document or in the plan."""
        places = self.places
        found = (each for each in places if citation in (each.duty.printed, each.citation, each.number))
        return next(found, None)

    @cached_property
    def names(self) -> list[NameLine]:
        """The unknown names in use, unsettled ones first."""
        on = read_typed_day(self.draft.head.issued_on, None)
        found = []
        for n, each in self.draft.open_names():
            kind = each.chosen if each.levels else kind_choice(each.name, self.directory, on)
            members = kind_members(kind.removeprefix(KIND).split("+"), self.directory, on) if kind else []
            near = nearest(each.name, self.directory, on)
            if each.chosen and each.chosen not in (NEW, OTHERS, *near) and not each.levels:
                near = [*near, each.chosen]
            duties = sum(each.name in duty.owners for duty in self.draft.duties)
            found.append(
                NameLine(
                    n=n,
                    name=each,
                    duties=duties,
                    near=near,
                    kind=kind,
                    members=len(members),
                    is_issuer=each.name == self.draft.head.issuer,
                )
            )
        return sorted(found, key=lambda each: bool(each.name.chosen))

    @property
    def bodies(self) -> list[str]:
        return choosable(self.draft, self.directory)

    @property
    def settled(self) -> set[str]:
        return {each.name for each in self.draft.unknown if each.chosen}

    @cached_property
    def known(self) -> set[str]:
        return {*self.directory.latest_names, *self.directory.latest_names.values()}

    @property
    def undated(self) -> list[str]:
        return [each.citation for each in self.places if not (each.duty.deadlines or each.duty.dropped)]

    @property
    def first_doubts(self) -> list[Doubt]:
        return [each for each in self.draft.warnings if each.code == "other_province"]

    @property
    def doubts(self) -> list[Answered]:
        return [self._answer(each) for each in self.draft.other_doubts]

    @property
    def time_doubts(self) -> Iterator[TimeDoubt]:
        for message, places in self.draft.duty_doubts().items():
            first = places[0].duty
            nth = [doubt.message for doubt in first.open_doubts].index(message)
            yield TimeDoubt(message=message, places=places, target=f"{first.key}-{nth}")

    def asked(self, place: DutyPlace) -> Text:
        """What a duty is asked for in the coming twelve months (of a plan to come: in its first)."""
        if place.duty.dropped or place.duty.key not in self._asked:
            return Text.same("")
        periods = self._asked[place.duty.key]
        if periods is None:
            return _AT_ACTIVATION
        if not periods:
            return _NO_REPORT
        first = next((each.due.on for each in periods if each.due.on >= self._today), None)
        begins = self._today if first is None or first < add_months(self._today, 12) else first
        days = [each.due for each in periods if begins <= each.due.on < add_months(begins, 12)]
        if not days:
            return _ALL_OVER
        nearest, *others = days
        rest = ", ".join(day_digits(each.on) for each in others[: _MOST_DAYS - 1])
        rest = f"; {rest}" + (f" … ({len(days)})" if len(days) > _MOST_DAYS else "") if rest else ""
        return Text(self._moved(nearest, "vi") + rest, self._moved(nearest, "en") + rest)

    def _moved(self, due: Due, language: str) -> str:
        """«thứ Hai, 30/11/2026 (29/11/2026: Chủ nhật)»."""
        closed = self._calendar.closed_because(due.nominal, language) if due.on != due.nominal else ""
        return written(due.on, language) + (f" ({day_digits(due.nominal)}: {closed})" if closed else "")

    @cached_property
    def asked_words(self) -> Sequence[AskedWords]:
        """Each wording about time once, with the days that follow from it; what names no time is last."""
        found: dict[tuple[str, str, bool], list[DutyPlace]] = {}
        for place in self.places:
            if not place.duty.dropped and (said := self.asked(place)).vi:
                words = "; ".join(each.text for each in place.duty.deadlines)
                words = "" if said == _NO_REPORT else words
                found.setdefault((words, str(said), said in (_AT_ACTIVATION, _ALL_OVER)), []).append(place)
        rows = [AskedWords(words, self.asked(places[0]), open_, places) for (words, _, open_), places in found.items()]
        return sorted(rows, key=lambda row: row.asked == _NO_REPORT)

    def _answer(self, doubt: Doubt) -> Answered:
        for place in self.places:
            if place.duty.printed == doubt.place:
                at = cut_before(place.duty.text, doubt.words)
                if at is not None:
                    return Answered(doubt, f"{place.duty.key}:{at}", None)
        lines = (n for n in self._left if doubt.words and doubt.words in self.draft.document[n].text)
        return Answered(doubt, "", min(lines, default=None))

    def doubts_at(self, place: DutyPlace) -> list[Doubt]:
        """The doubts about a duty, and at the first of an item those about the item."""
        cited = {place.duty.printed} | ({place.number} if place.is_first else set())
        return [each for each in self.draft.other_doubts if each.place in cited]

    @property
    def serious(self) -> int:
        """How many lines left out look like duties."""
        return sum(map(self._looks, self._left))

    @property
    def dropped_sections(self) -> set[str]:
        kept = {each.section.roman for each in self.places if not each.duty.dropped}
        return {section.roman for section in self.draft.sections} - kept

    @cached_property
    def ended(self) -> list[EndedName]:
        """The owners that have ended by the day of issue."""
        on = read_typed_day(self.draft.head.issued_on, None)
        cited: dict[str, list[str]] = {}
        for place in self.places:
            for name in place.duty.owners if not place.duty.dropped else ():
                agency = name if self.directory.members(name) else self.directory.find(name)
                if agency:
                    cited.setdefault(agency, []).append(place.citation)
        return list(ended_among(cited, self.directory, on)) if on else []


def choosable(draft: PlanDraft, directory: DirectoryFile) -> list[str]:
    """The names that a field offers: the groups, and the agencies that exist on the plan's day."""
    on = read_typed_day(draft.head.issued_on, None)
    agencies = [each.names[-1].name for each in directory.agencies if on is None or lives_on(each, on)]
    return [*(group.name for group in directory.groups), *agencies]


def shown_duty(place: DutyPlace) -> DutyFields:
    """A duty's fields as they stand."""
    duty = place.duty
    return DutyFields(
        text=duty.text,
        owners=duty.owners,
        cadence=duty.times.cadence,
        due=duty.times.due,
        wording=duty.times.wording,
        coordinating="; ".join(duty.coordinating),
        output=duty.output,
        output_kind=duty.output_kind,
        request=place.item.request,
    )
