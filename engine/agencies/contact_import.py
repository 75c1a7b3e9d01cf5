"""Agencies and contacts from a spreadsheet: what each row would change, and changing it.

``compare`` decides by the rows and what is stored, and writes nothing; ``apply`` does what it decided through
``engine.agencies.contacts`` and ``agencies``, in the caller's transaction. Rows that are wrong are left out, contacts
that are not in the sheet stay. Ids of contacts and agencies are made by the program.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from engine.agencies import agencies, contacts
from engine.agencies.contacts import ContactLine, checked_values, contact_lines
from engine.agencies.directory_loading import exists_on
from engine.errors import Conflict, DondocError, FieldsRefused
from engine.files.base_model import did_you_mean
from engine.files.contact_columns import (
    COLUMNS,
    Choices,
    choice_key,
    guess_kind,
    names_several,
    stored_level,
    stored_role,
)
from engine.files.contact_sheet import SheetRow
from engine.files.directory import fold, name_key
from engine.rules.calendar import ONE_DAY, local_date
from engine.rules.typed_day import read_typed_day
from engine.rules.words import LEVELS, ROLES
from engine.store.database import table
from engine.store.event_log import content_digest
from engine.store.facts import read_fact, write_fact
from engine.store.records import Agency
from engine.terms import Role
from engine.text import Text

_CHANGEABLE = ("label", "email", "phone", "language", "valid_from", "valid_until")
KEPT = "contact-sheet"
"""The fact that keeps the choices of the sheets before."""
MAX_KEPT = 400
ALIKE = 0.7
"""From this likeness on (of difflib), a word of a name is another one misspelt."""
_PLACES = ("tinh", "huyen", "thanhpho")
"""Words that may stand behind a known name: «Sở Y tế tỉnh …»."""
_LANGUAGES = {"": "vi", "vi": "vi", "tieng viet": "vi", "en": "en", "english": "en", "tieng anh": "en"}


class RowFate(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    ENDED = "ended"
    SAME = "same"
    AGENCY = "agency"
    """No contact, but an agency to be added."""
    EMPTY = "empty"
    """A row of the template that nobody has filled in."""
    WRONG = "wrong"


CHANGING = (RowFate.NEW, RowFate.CHANGED, RowFate.ENDED, RowFate.AGENCY)


@dataclass(frozen=True)
class CellProblem:
    """What is wrong in a cell («F12») and what to do about it."""

    cell: str
    what: Text


@dataclass(frozen=True, kw_only=True)
class RowResult:
    """``changes``: field -> (before, after), as text. ``new_agency``: the row's agency is not in the directory yet."""

    row: SheetRow
    fate: RowFate
    agency: str
    agency_id: str = ""
    role: str = ""
    contact_id: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    problems: tuple[CellProblem, ...] = ()
    new_agency: str = ""
    """The level of the agency to add."""

    @property
    def number(self) -> int:
        return self.row.number

    @property
    def reason(self) -> Text:
        """Everything that is wrong with the row."""
        return Text.joined("; ", [Text.joined(": ", (Text.same(each.cell), each.what)) for each in self.problems])


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedKind:
    """Agencies that would be added, by the beginning of their names that tells their kind («UBND xã», "xa"); "" if they
    would not be, unless a person says so. ``names``: in order, as keys."""

    key: str
    beginning: str
    level: str
    names: dict[str, None]


@dataclass(frozen=True)
class Comparison:
    rows: tuple[RowResult, ...]
    kinds: tuple[AskedKind, ...] = ()
    """Unknown ones first."""

    def count(self, fate: RowFate) -> int:
        return sum(row.fate == fate for row in self.rows)

    @property
    def new_agencies(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.agency for row in self.rows if row.new_agency))

    @property
    def applicable(self) -> bool:
        """Something would change; what is wrong is left out."""
        return any(row.fate in CHANGING for row in self.rows)

    @property
    def wrong(self) -> tuple[RowResult, ...]:
        return tuple(row for row in self.rows if row.fate is RowFate.WRONG)

    @property
    def mark(self) -> str:
        """Differs if something else would be changed."""
        return content_digest(
            [
                [
                    row.number,
                    row.fate,
                    row.contact_id,
                    row.agency,
                    row.new_agency,
                    row.role,
                    sorted(row.changes.items()),
                ]
                for row in self.rows
            ]
        )


def compare(session: Session, rows: Sequence[SheetRow], now: datetime, choices: Choices) -> Comparison:
    """What each row would do. ``choices``: of the kinds of new agencies. Three queries."""
    comparer = _Comparer.of(session, local_date(now), choices)
    results = tuple(comparer.result(row) for row in rows)
    return Comparison(results, comparer.asked_kinds())


def apply(
    session: Session, rows: Sequence[SheetRow], *, choices: Choices, previewed: str, actor: str, now: datetime
) -> Comparison:
    """Do what was previewed, without the rows that are wrong. Raises Conflict if it would be something else by now."""
    found = compare(session, rows, now, choices)
    if found.mark != previewed:
        raise Conflict(
            Text(
                "Danh bạ hoặc cách đọc bảng vừa thay đổi, chưa lưu gì; hãy xem lại rồi lưu.",
                "The directory, or how the sheet is read, has changed; nothing was saved. Look again, then save.",
            )
        )
    made: dict[str, str] = {}
    for row in found.rows:
        if row.fate not in CHANGING:
            continue
        agency_id = row.agency_id
        if row.new_agency:
            key = name_key(row.agency)
            if key not in made:
                made[key] = agencies.new_agency_id(session, row.agency)
                agencies.add_agency(session, made[key], name=row.agency, level=row.new_agency, actor=actor, now=now)
            agency_id = made[key]
        _apply_row(session, row, agency_id, actor, now)
    return found


def kept_choices(session: Session) -> dict[str, str]:
    """How the sheets before were read."""
    kept: dict[str, str] = json.loads(read_fact(session, KEPT) or "{}")
    return kept


def keep_choices(session: Session, choices: Choices) -> None:
    """For the office's next sheet; of too many the oldest are forgotten."""
    before = {key: value for key, value in kept_choices(session).items() if key not in choices}
    newest = list((before | dict(choices)).items())[-MAX_KEPT:]
    write_fact(session, KEPT, json.dumps(dict(newest), ensure_ascii=False))


def _apply_row(session: Session, row: RowResult, agency_id: str, actor: str, now: datetime) -> None:
    values = dict(row.values)
    if row.fate is RowFate.NEW:
        contacts.add(session, agency_id, row.role, **values, actor=actor, now=now)
        return
    if row.fate is RowFate.AGENCY:
        return
    changed = {name: values[name] for name in row.changes}
    last_day = changed.pop("valid_until", None) if row.fate is RowFate.ENDED else None
    if changed:
        contacts.change(session, row.contact_id, **changed, actor=actor, now=now)
    if last_day is not None:
        contacts.end(session, row.contact_id, on=last_day, actor=actor, now=now)


def exported(session: Session, now: datetime, language: str) -> Iterator[dict[str, str]]:
    """The rows of the template: every contact of today and of later, then a line for each agency without a
    coordinator."""
    today, g = local_date(now), table(Agency)
    found = [row for row in contact_lines(session) if not row.gone and (row.valid_until or today) >= today]
    by_agency: dict[str, list[ContactLine]] = {}
    for line in found:
        by_agency.setdefault(line.agency_id, []).append(line)
    rows = session.connection().execute(select(g.c.id, g.c.name, g.c.level, g.c.names).order_by(g.c.level, g.c.name))
    for agency in rows:
        own = by_agency.get(agency.id, [])
        said = {"agency": agency.name, "level": LEVELS.get(agency.level, Text.same(agency.level)).said(language)}
        for line in own:
            yield said | _as_text(line, language)
        if exists_on(agency.names, today) and not any(line.role is Role.COORDINATOR for line in own):
            yield said | {"role": ROLES[Role.COORDINATOR].said(language)}


def choices(language: str) -> dict[str, list[str]]:
    """The words that may stand in some columns."""
    return {
        "role": [words.said(language) for words in ROLES.values()],
        "level": [words.said(language) for words in LEVELS.values()],
        "language": ["vi", "en"],
    }


def _as_text(line: ContactLine, language: str) -> dict[str, str]:
    return {
        "contact": str(line.id),
        "role": ROLES[line.role].said(language),
        "label": line.label,
        "email": line.email,
        "phone": line.phone,
        "language": line.language,
        "valid_from": as_cell(line.valid_from),
        "valid_until": as_cell(line.valid_until),
    }


def as_cell(value: object) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)


class _Wrong(Exception):
    def __init__(self, problems: Iterable[CellProblem]) -> None:
        self.problems = tuple(problems)


@dataclass
class _Comparer:
    """Compares row after row; ``seen``: what earlier rows of the sheet already speak of; ``kinds``: the level of each
    new agency by the beginning of its name, and its names; ``words_at``: the words of known names by what stands around
    them."""

    today: date
    choices: Choices
    stored: dict[int, ContactLine]
    agency_ids: dict[str, str]
    names: dict[str, str]
    seen: dict[tuple[Any, ...], SheetRow] = field(default_factory=dict)
    kinds: dict[str, AskedKind] = field(default_factory=dict)
    words_at: dict[tuple[int | str, ...], list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, today: date, choices: Choices) -> _Comparer:
        g = table(Agency)
        known: dict[str, set[str]] = {}
        names: dict[str, str] = {}
        for row in session.connection().execute(select(g.c.id, g.c.name, g.c.short, g.c.aliases)):
            names[row.id] = row.name
            for name in (row.id, row.name, row.short, *row.aliases):
                known.setdefault(name_key(name), set()).add(row.id)
        ids = {key: next(iter(each)) for key, each in known.items() if len(each) == 1}
        comparer = cls(today, choices, {line.id: line for line in contact_lines(session)}, ids, names)
        for words in (fold(name).split() for name in names.values()):
            for at, word in enumerate(words):
                comparer.words_at.setdefault((at, *words[:at], *words[at + 1 :]), []).append(word)
        return comparer

    def asked_kinds(self) -> tuple[AskedKind, ...]:
        return tuple(sorted(self.kinds.values(), key=lambda each: (bool(each.level), each.beginning)))

    def result(self, row: SheetRow) -> RowResult:
        value = row.values.get
        agency, contact = value("agency", ""), value("contact", "")
        try:
            if contact or value("email") or value("phone"):
                return self._compared(row)
            return self._without_contact(row)
        except _Wrong as wrong:
            return RowResult(row=row, fate=RowFate.WRONG, agency=agency, problems=wrong.problems)

    def _without_contact(self, row: SheetRow) -> RowResult:
        """A row of the template that nobody filled in, or an agency to be added. A name that tells no kind may be
        anything that stands below a list («Nơi nhận»): a person is asked."""
        name = row.values.get("agency", "")
        empty = RowResult(row=row, fate=RowFate.EMPTY, agency=name)
        if not name or name_key(name) in self.agency_ids or not (row.values.get("level") or self._kind(name)):
            return empty
        _, level = self._agency(row)
        return replace(empty, fate=RowFate.AGENCY, new_agency=level)

    def _compared(self, row: SheetRow) -> RowResult:
        agency_id, new_level = self._agency(row)
        role, values = self._values(row)
        agency = self.names.get(agency_id, row.values["agency"])
        stored = self._stored(row, agency_id, role, values)
        result = RowResult(row=row, fate=RowFate.NEW, agency=agency, agency_id=agency_id, role=role, values=values)
        if stored is None:
            self._require_first(row, "email", (agency_id or name_key(agency), role, values["email"], values["phone"]))
            changes = {
                name: ("", as_cell(values[name])) for name in _CHANGEABLE if values[name] not in (None, "", "vi")
            }
            return replace(result, changes=changes, new_agency=new_level)
        self._require_first(row, "contact", ("contact", stored.id))
        given = [name for name in _CHANGEABLE if name in row.columns]
        before = {name: getattr(stored, name) for name in given}
        changes = {n: (as_cell(before[n]), as_cell(values[n])) for n in given if before[n] != values[n]}
        until = values["valid_until"]
        ends = "valid_until" in changes and until is not None and until <= self.today
        fate = RowFate.ENDED if ends else RowFate.CHANGED if changes else RowFate.SAME
        return replace(result, fate=fate, contact_id=stored.id, changes=changes)

    def _require_first(self, row: SheetRow, column: str, key: tuple[object, ...]) -> None:
        """Raises _Wrong for a row that is about the same contact as an earlier one."""
        earlier = self.seen.setdefault(key, row)
        if earlier is not row:
            place = f"{earlier.sheet} {earlier.number}".strip()
            again = Text(f"trùng với dòng {place}; bỏ một dòng", f"repeats row {place}; remove one")
            raise _Wrong([CellProblem(row.cell(column), again)])

    def _agency(self, row: SheetRow) -> tuple[str, str]:
        """(id, "") of a known agency, ("", level) of one to be added."""
        name = row.values.get("agency", "")
        if not name:
            raise _Wrong([CellProblem(row.cell("agency"), Text("ghi tên cơ quan", "give the agency's name"))])
        if agency_id := self.agency_ids.get(name_key(name)):
            return agency_id, ""
        if len(name) > agencies.MAX_NAME_CHARS:
            most = Text(
                f"tên dài nhất {agencies.MAX_NAME_CHARS} ký tự", f"{agencies.MAX_NAME_CHARS} characters at most"
            )
            raise _Wrong([CellProblem(row.cell("agency"), most)])
        kind = row.values.get("level", "")
        level = stored_level(kind) if kind else self._kind(name)
        if level:
            return "", level
        if kind:
            kinds = [words.vi for words in LEVELS.values()]
            problem = Text.joined(": ", (Text("không có loại này", "no such kind"), did_you_mean(kind, kinds)))
            raise _Wrong([CellProblem(row.cell("level"), problem)])
        unknown = Text(
            "danh bạ không có cơ quan này: sửa tên, hoặc điền «Loại cơ quan» để thêm",
            "not in the directory: correct the name, or fill in “Kind of agency” to add it",
        )
        near = did_you_mean(name, self.names.values())
        raise _Wrong([CellProblem(row.cell("agency"), Text.joined("; ", (unknown, near)))])

    def _kind(self, name: str) -> str:
        """The level of a new agency: chosen, or told by its name. Empty where it is unknown, or rather a known agency,
        misspelt: then a person is asked about this name alone."""
        if names_several(name):
            return ""
        beginning, guess = (name, "") if self._is_misspelt(name) else guess_kind(name)
        key = choice_key("kind", beginning)
        chosen = self.choices.get(key, guess)
        level = chosen if chosen in LEVELS else ""
        asked = self.kinds.setdefault(key, AskedKind(key=key, beginning=beginning, level=level, names={}))
        asked.names[name] = None
        return level

    def _is_misspelt(self, name: str) -> bool:
        """Whether a known name differs in one word by a letter or two, or lacks the place behind it."""
        key = name_key(name)
        if any(key.startswith(tuple(known + place for place in _PLACES)) for known in self.agency_ids):
            return True
        words = fold(name).split()
        return any(
            difflib.SequenceMatcher(None, word, other).ratio() >= ALIKE
            for at, word in enumerate(words)
            if word.isalpha()
            for other in self.words_at.get((at, *words[:at], *words[at + 1 :]), ())
        )

    def _values(self, row: SheetRow) -> tuple[Role, dict[str, Any]]:
        problems: list[CellProblem] = []
        value = {name: row.values.get(name, "") for name in COLUMNS}
        role = stored_role(value["role"])
        if not role:
            fix = did_you_mean(value["role"], [words.vi for words in ROLES.values()])
            problem = Text.joined(": ", (Text("không có vai trò này", "no such role"), fix))
            problems.append(CellProblem(row.cell("role"), problem))
        language = _LANGUAGES.get(fold(value["language"]), value["language"])
        days = {
            name: read_typed_day(value[name], None) if value[name] else None for name in ("valid_from", "valid_until")
        }
        how = Text("viết ngày như 17/6/2021", "write a day like 17/6/2021")
        problems += [CellProblem(row.cell(name), how) for name, day in days.items() if value[name] and day is None]
        try:
            checked = checked_values(role or Role.COORDINATOR, value["email"], value["phone"], language, **days)
        except FieldsRefused as error:
            problems += [CellProblem(row.cell(name), what) for name, what in error.fields.items()]
        except DondocError as error:
            problems.append(CellProblem(row.cell("email"), error.text))
        if problems or role is None:
            raise _Wrong(problems)
        checked.pop("role")
        return role, checked | {"label": value["label"][:120]}

    def _stored(self, row: SheetRow, agency_id: str, role: Role, values: Mapping[str, Any]) -> ContactLine | None:
        """The contact that the row is about: by its number, else by agency, role and mailbox (or telephone)."""
        number = row.values.get("contact", "")
        if not number:
            same = (
                line
                for line in self.stored.values()
                if (line.agency_id, line.role) == (agency_id, role) and not line.gone and self._answers(line)
            )
            email, phone = values["email"], values["phone"]
            return next((each for each in same if (each.email == email if email else each.phone == phone)), None)
        found = self.stored.get(int(number)) if number.isdecimal() and len(number) < 10 else None
        cell = row.cell("contact")
        if found is None or found.gone:
            gone = Text("không có đầu mối số này; để trống để thêm mới", "no such contact; leave it empty to add one")
            raise _Wrong([CellProblem(cell, gone)])
        if (found.agency_id, found.role) != (agency_id, role):
            moved = Text(
                "không đổi được cơ quan hay vai trò: ghi «Đến ngày» ở dòng này và thêm dòng mới, «Số» để trống",
                "agency and role cannot be changed: give this row an “Until” and add a row without “No.”",
            )
            raise _Wrong([CellProblem(cell, moved)])
        return found

    def _answers(self, line: ContactLine) -> bool:
        return line.valid_until is None or line.valid_until >= self.today - ONE_DAY
