"""The corrections of a draft, each made by one small form: a duty's fields, splitting and joining duties, turning lines
of the document into duties, resolving names. They change the draft in place. Pure.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from engine.errors import BadInput
from engine.features.plan_import.drafts.model import (
    DraftDuty,
    DraftItem,
    DraftSection,
    Head,
    PlanDraft,
    Times,
    TimeWords,
    matching_directory,
    offer,
)
from engine.features.plan_import.drafts.reading import shown, times_of
from engine.features.plan_import.importer.base.model import Deadline, Origin
from engine.features.plan_import.importer.phrases.deadlines import deadlines_in
from engine.features.plan_import.importer.phrases.labels import knowing
from engine.features.plan_import.importer.phrases.marks import body_of, mark_of
from engine.features.plan_import.importer.phrases.name_words import opens_duty
from engine.features.plan_import.importer.phrases.owners import owner_line, owner_of
from engine.features.plan_import.importer.phrases.timing import timing_of
from engine.files.directory import DirectoryFile
from engine.rules.periods import Cadence, ReportDays
from engine.rules.typed_day import TYPED_AS, TypedDays, read_report_days, read_typed_day
from engine.terms import OutputKind
from engine.text import Text

_GAP = re.compile(r"\n[ \t]*\n")
_START = re.compile(r"\n\s*(?=\S)|[.;] +(?=\w)|[.;:,] +(?=\([ivx]+\) )")
_LISTED = re.compile(r"\([ivx]{1,4}\)\s*")
_QUOTED = 40
_MOST_CUTS = 8


@dataclass(frozen=True, kw_only=True)
class DutyFields:
    """A duty's fields as typed; ``whole_item``: set these owners for all duties of the item."""

    text: str
    owners: Sequence[str]
    cadence: Sequence[str]
    due: str
    wording: str
    coordinating: str
    output: str = ""
    output_kind: OutputKind = OutputKind.DOCUMENT
    request: bool = False
    whole_item: bool = False


def listed(typed: str) -> list[str]:
    """The names in a field, separated by «;»."""
    return [each for each in (" ".join(part.split()) for part in typed.split(";")) if each]


def cuts(text: str) -> Iterator[tuple[int, str]]:
    """Where a duty's text may be split: before each line or sentence that begins with a capital or a mark; each with
    the text that follows. At most the first few."""
    found = (each.end() for each in _START.finditer(text))
    begins = [at for at in found if text[at - 1] == "\n" or text[at].isupper() or _LISTED.match(text, at)]
    return ((at, text[at : at + 200]) for at in begins[:_MOST_CUTS])


def cut_before(text: str, words: str) -> int | None:
    """Where to split a duty's text so that the second part begins with ``words``; None if it cannot be."""
    at = text.find(words) if words else -1
    line = text.rfind("\n", 0, at) + 1
    mark = mark_of(text[line:])
    at = line if mark and line + mark.length == at else at
    return at if _parts_words(text, at) else None


def _words(text: str) -> str:
    """A text without its mark."""
    body = body_of(text)
    mark = _LISTED.match(body)
    return body[mark.end() :] if mark else body


def _parts_words(text: str, at: int) -> bool:
    """Whether there is text on both sides of an offset, and it lies between words."""
    return 0 < at < len(text) and text[at - 1].isspace() and bool(text[:at].strip() and text[at:].strip())


@dataclass
class Corrections:
    """The corrections of one draft. Each returns whether it changed something; invalid targets change nothing."""

    draft: PlanDraft
    directory: DirectoryFile

    # -- a duty ------------------------------------------------------------------------------------------------------

    def set_duty(self, key: int, typed: DutyFields) -> bool:
        """A duty's fields. Each empty line in its words ends a duty."""
        place = self.draft.place(key)
        if place is None:
            return False
        duty, owners = place.duty, [each for each in (" ".join(name.split()) for name in typed.owners) if each]
        same = [each for each in place.item.duties if typed.whole_item or each is duty]
        for each in same:
            each.origin = Origin.HEADING if each.owners != owners else each.origin
            each.owners = list(dict.fromkeys(owners))
        duty.text = typed.text.strip()
        times = Times(cadence=list(typed.cadence), due=typed.due.strip(), wording=" ".join(typed.wording.split()))
        duty.doubts = duty.doubts if times == duty.times else []
        duty.times = times
        duty.coordinating = list(dict.fromkeys(listed(typed.coordinating)))
        duty.output, duty.output_kind = " ".join(typed.output.split()), typed.output_kind
        place.item.request = typed.request
        self._offer([*owners, *duty.coordinating])
        self._changed(duty)
        self._settle(place.item)
        return True

    def part(self, key: int, at: int) -> bool:
        """Split a duty before an offset."""
        place = self.draft.place(key)
        if place is None or place.duty.dropped or not _parts_words(place.duty.text, at):
            return False
        place.duty.text = f"{place.duty.text[:at].rstrip()}\n\n{place.duty.text[at:]}"
        self._changed(place.duty)
        self._settle(place.item)
        return True

    def join(self, key: int) -> bool:
        """Join a duty to the one above it, in its item or in the previous item of the section."""
        places = list(self.draft.places())
        here = next((n for n, each in enumerate(places) if each.duty.key == key), 0)
        if not here or places[here - 1].section is not places[here].section:
            return False
        upper, lower = places[here - 1].duty, places[here].duty
        places[here].item.duties.remove(lower)
        deadlines = [*upper.deadlines, *lower.deadlines]
        if _as_read(upper) and _as_read(lower) and lower.deadlines:
            self._retime(upper, _read(deadlines))
        upper.text = f"{upper.text.rstrip()}\n{lower.text.strip()}"
        upper.coordinating = list(dict.fromkeys([*upper.coordinating, *lower.coordinating]))
        upper.output = "; ".join(dict.fromkeys(filter(None, (upper.output, lower.output))))
        upper.deadlines = deadlines
        upper.paragraphs = sorted({*upper.paragraphs, *lower.paragraphs})
        self._changed(upper)
        for section in self.draft.sections:
            section.items = [item for item in section.items if item.duties]
        return True

    def drop(self, key: int = 0, *, whole_item: bool = False, section: str = "") -> bool:
        """Drop a duty, an item or a section (by number) that assigns nothing, or restore it."""
        place = self.draft.place(key)
        if section:
            among = [each.duty for each in self.draft.places() if each.section.roman == section]
        else:
            among = [] if place is None else place.item.duties if whole_item else [place.duty]
        drops = not all(each.dropped for each in among)
        for duty in among:
            duty.dropped = drops
            self._changed(duty)
        return bool(among)

    def confirm(self, origin: str) -> bool:
        """Confirm all owners that were read in one kind of place."""
        found = [each for each in self.draft.duties if each.guessed and each.origin.value == origin]
        for duty in found:
            duty.origin = Origin.HEADING
        return bool(found)

    def confirm_times(self, key: int, nth: int | None = None) -> bool:
        """Confirm a duty's times as they were read; with ``nth``, that doubt of it for all duties that have it."""
        place = self.draft.place(key)
        messages = [doubt.message for doubt in place.duty.open_doubts] if place else []
        messages = messages if nth is None else messages[nth : nth + 1]
        for duty in self.draft.duties:
            if nth is not None or duty.key == key:
                duty.doubts = [doubt for doubt in duty.doubts if doubt.message not in messages]
        return bool(messages)

    def set_days(self, key: int, typed: str) -> bool:
        """Set the days of a duty's reports as they are typed, which are the office's and not the document's; without
        any it has no report of its own. Raises BadInput."""
        place = self.draft.place(key)
        if place is None:
            return False
        duty = place.duty
        found, unread = read_report_days(typed, self._day(), duty.times.cadence)
        if unread:
            said = Text(f"Không đọc được ngày «{unread[0][:20]}»", f"The date “{unread[0][:20]}” cannot be read")
            raise BadInput(Text.joined("; ", (said, TYPED_AS)))
        duty.times = Times(cadence=_cadence_of(found, duty.times.cadence), due=str(found))
        duty.doubts = []
        self._changed(duty)
        return True

    def part_days(self, key: int) -> bool:
        """A duty for each of the days that its words name, all with its text: a person shortens them."""
        place = self.draft.place(key)
        if place is None or place.duty.dropped:
            return False
        read = _read(place.duty.deadlines)
        timings = [timing_of(part, self._year(), self._day()) for part in _by_days(read)]
        if len(timings) < 2:
            return False
        parts = [place.duty.model_copy(deep=True) for _ in timings]
        for part, timing in zip(parts, timings, strict=True):
            part.times = times_of(timing)
            part.doubts = list(timing.doubts_of(part.printed))
            self._changed(part)
        for part in parts[1:]:
            part.key = self.draft.new_key()
        at = place.item.duties.index(place.duty)
        place.item.duties[at : at + 1] = parts
        return True

    # -- lines of the document -----------------------------------------------------------------------------------------

    def take(self, first: int, last: int, owners: Iterable[str] = ()) -> bool:
        """Turn consecutive paragraphs into duties: of the agency that each begins with, else the one given here, else
        the one read for it. Paragraphs without an owner are left."""
        named = [each for each in owners if each]
        self._offer(named)
        left = [n for n in self.draft.left() if first <= n <= last]
        for n in left:
            line = self.draft.document[n]
            alone = named if first == last else []
            found = alone or self._owners(_words(line.text)) or named or ([line.owner] if line.owner else [])
            if found:
                self._take(n, found)
        return left != [n for n in self.draft.left() if first <= n <= last]

    def _take(self, n: int, owners: Sequence[str]) -> None:
        """Turn a paragraph into a duty with the times in its text: next to the preceding duty of its section, or in a
        new section."""
        line = self.draft.document[n]
        text = "\n".join(" ".join(row.split()) for row in _words(line.text).split("\n"))
        read = deadlines_in(line.text)
        duty = DraftDuty(
            key=self.draft.new_key(),
            text=text,
            owners=list(dict.fromkeys(owners)),
            times=Times(),
            read_times=Times(),
            deadlines=[TimeWords(text=each.text, sentence=each.sentence) for each in read],
            paragraphs=[n],
            source=line.source,
            order=line.order,
        )
        self._retime(duty, read)
        item = self._item_for(n) or self._new_item(line.section, text)
        at = bisect_right([each.order for each in item.duties], line.order)
        item.duties.insert(at, duty)
        self._settled(text)

    def _item_for(self, n: int) -> DraftItem | None:
        """The item of the duty before a paragraph (or the first one after), if it is in the same section."""
        line = self.draft.document[n]
        places = sorted(self.draft.places(), key=lambda each: each.duty.order)
        before = bisect_right([each.duty.order for each in places], line.order)
        if not places:
            return None
        place = places[max(before - 1, 0)]
        own = line.section[0] in ("", place.section.roman.partition(".")[0])
        return place.item if own and place.section.lines_of is None else None

    def _new_item(self, around: tuple[str, str], text: str) -> DraftItem:
        """An item in the section of lines that were left out whole, made for the first of them."""
        sections = self.draft.sections
        section = next((each for each in sections if each.lines_of == around[0]), None)
        if section is None:
            used = {each.roman for each in sections}
            free = re.fullmatch("[IVXLC]+", around[0]) and around[0] not in used
            section = DraftSection(
                roman=around[0] if free else f"PL{len(sections) + 1}",
                heading=around[1] or "Nhiệm vụ khác",
                kind="assignments",
                items=[],
                lines_of=around[0],
            )
            sections.append(section)
        item = DraftItem(no=len(section.items) + 1, heading=" ".join(text.split()[:12]), duties=[])
        section.items.append(item)
        return item

    # -- names and the head --------------------------------------------------------------------------------------------

    def choose(self, n: int, chosen: str, others: str = "") -> bool:
        """Resolve an unknown name: NEW, a kind, a name of the directory, or OTHERS with the names typed beside it."""
        if n >= len(self.draft.unknown):
            return False
        name, names = self.draft.unknown[n], listed(others)
        if chosen == name.chosen and names == name.others:
            return False
        if len(names) == 1 and chosen == "=" and self.directory.find(names[0]):
            chosen, names = names[0], []  # chosen like one of those that were offered
        if chosen == "=" and (not names or names == [name.name]):
            chosen, names = "", []
        name.without = name.without if chosen == name.chosen else []
        name.chosen, name.others = chosen, names if chosen == "=" else []
        self._offer(name.others)
        return True

    def leave_out(self, n: int, without: Iterable[str]) -> bool:
        """Exclude agencies of a kind that a name does not include."""
        if n >= len(self.draft.unknown) or not self.draft.unknown[n].levels:
            return False
        self.draft.unknown[n].without = list(without)
        return True

    def set_head(self, typed: Mapping[str, str]) -> bool:
        """Set the plan's own fields that were typed."""
        head = Head.model_validate({**self.draft.head.model_dump(), **typed})
        if head == self.draft.head:
            return False
        self.draft.head = head
        for name in typed:
            self.draft.stated.pop(name, None)
            self.draft.to_confirm.pop(name, None)
        self._offer(each for each in (head.issuer, head.supervisor) if each)
        return True

    # -- what follows --------------------------------------------------------------------------------------------------

    def _changed(self, duty: DraftDuty) -> None:
        duty.changes += 1

    def _day(self) -> date | None:
        return read_typed_day(self.draft.head.issued_on, None)

    def _year(self) -> int | None:
        """The year of the days that the words name without one."""
        if found := re.match(r"20\d\d", self.draft.head.year):
            return int(found[0])
        day = self._day()
        return day.year if day else None

    def _offer(self, typed: Iterable[str]) -> None:
        """Add names that the directory lacks, to be resolved once for all duties."""
        lacking = (name for name in typed if not (self.directory.members(name) or self.directory.find(name)))
        offer(self.draft, ((name, False) for name in lacking), self.directory, self._day())

    def _settle(self, item: DraftItem) -> None:
        item.duties = [part for duty in item.duties for part in self._parts(duty)]

    def _parts(self, duty: DraftDuty) -> list[DraftDuty]:
        """The duty, or one duty for each part of its text. Times named in the text go with their part unless a person
        has set others; a part that begins with an agency is that agency's."""
        texts = [text.strip() for text in _GAP.split(duty.text) if text.strip()]
        if len(texts) < 2 or duty.dropped:
            return [duty]
        as_read = _as_read(duty)
        common = _read(each for each in duty.deadlines if not any(each.text in text for text in texts))
        parts = [duty.model_copy(deep=True) for _ in texts]
        for part, text in zip(parts, [texts[0], *map(_words, texts[1:])], strict=True):
            deadlines = [*deadlines_in(text), *common]
            part.text = text
            part.deadlines = [TimeWords(text=each.text, sentence=each.sentence) for each in deadlines]
            if as_read:
                self._retime(part, deadlines)
        for part in parts[1:]:
            part.key, part.details, part.changes = self.draft.new_key(), [], 0
            if owners := self._owners(part.text):
                part.owners = owners
            self._settled(part.text)
        self._share_paragraphs(parts)
        return parts

    def _share_paragraphs(self, parts: Sequence[DraftDuty]) -> None:
        """Each part keeps the paragraphs that contain its text, or all of them if none does."""
        document = self.draft.document
        for n in parts[0].paragraphs[:]:
            begin = _words(document[n].text)[:_QUOTED]
            having = [part for part in parts if begin in part.text]
            if having and having != list(parts):
                whole = [each for each in parts if each in having or each.text[:_QUOTED] in document[n].text]
                for part in parts:
                    if part not in whole:
                        part.paragraphs = [each for each in part.paragraphs if each != n]

    def _retime(self, duty: DraftDuty, deadlines: Sequence[Deadline]) -> None:
        said = timing_of(deadlines, self._year(), self._day())
        duty.times = times_of(said)
        duty.read_times = duty.times.model_copy()
        duty.doubts = list(said.doubts_of(duty.printed))

    def _owners(self, text: str) -> list[str]:
        """The agencies that a text begins with, as the draft writes them; unknown ones are added to the names to
        resolve."""
        with knowing(self.directory.every_name):
            line = owner_line(text.partition("\n")[0])
        if line is None or (opens_duty(text) and not line.start):
            return []
        matched_by = matching_directory(self.draft, self.directory)
        bodies = [owner_of(name, matched_by) for name in line.names]
        lacking = ((each.name, each.group) for each in bodies if not each.agency)
        offer(self.draft, lacking, self.directory, self._day())
        names = (shown(self.directory, each.agency) if each.agency else each.name for each in bodies)
        return list(dict.fromkeys(names))

    def _settled(self, text: str) -> None:
        """Remove the doubts about text that has become a duty."""
        self.draft.warnings = [
            each for each in self.draft.warnings if not (each.words and _words(each.words).startswith(text[:_QUOTED]))
        ]


def _by_days(deadlines: Sequence[Deadline]) -> list[list[Deadline]]:
    """The words about time, those of each cycle together («hằng tháng trước ngày 25, hằng quý trước ngày 20 …»); where
    there is one cycle or none, those of each day."""
    parts: list[list[Deadline]] = []
    for each in deadlines:
        begins = each.cadence and any(before.cadence for part in parts[-1:] for before in part)
        if begins or not parts:
            parts.append([])
        parts[-1].append(each)
    if len(parts) > 1:
        return parts
    cycles = [each for each in deadlines if not each.days]
    return [[*cycles, replace(each, days=(day,))] for each in deadlines for day in each.days]


def _cadence_of(found: TypedDays, cadence: Sequence[str]) -> list[str]:
    """The cadence of days that were typed: the duty's own where they fit it."""
    days = found.days
    if found.on or days == ReportDays():
        return ["once"] if found.on else ["ad_hoc"]
    if days.weekday or days.twice:
        return ["week"] if days.weekday else ["half_month"]
    own = [each for each in cadence if Cadence(each).cycle]
    return own or [{2: "half_year", 4: "quarter"}.get(len(days.on), "year") if days.on else "month"]


def _as_read(duty: DraftDuty) -> bool:
    """Whether a duty's due dates are still those that were read."""
    return duty.times == duty.read_times


def _read(times: Iterable[TimeWords]) -> list[Deadline]:
    return [each for time in times for each in deadlines_in(time.text, column=True)]
