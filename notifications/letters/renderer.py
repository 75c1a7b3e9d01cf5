"""From facts to a rendered letter. A letter is a folder a language and kind: subject.txt, body.txt, body.html.

Kinds: ``duties`` (coordinator and head: what the agency owes), ``watch`` (monitor: whom to chase), ``leadership`` (the
figures and the worst), ``answer`` (to a message that nothing could be made of), ``signin`` (a sign-in link, by
``notifications.letters.sign_in_mailer``). Templates see one frozen LetterView and nothing else; a name they misspell is
an error.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    FunctionLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
)
from jinja2.loaders import split_template_path
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from engine.accounts.signed_links import Link, Purpose, Signer, revocation
from engine.assignments.weekly_digest import OverdueRow
from engine.files.plan_parts import subject_words
from engine.rules.calendar import distance_words, written
from engine.rules.words import moment, period_words
from engine.template_cache import compiled
from engine.terms import NoticeKind, Role, State
from notifications.channel import Outgoing
from notifications.letters.facts import AnswerFacts, DigestFacts, Item, LetterFacts
from notifications.letters.shortening import (
    MAX_AGENCIES,
    MAX_DUTIES,
    MAX_ESCALATED,
    MAX_WORST,
    Agencies,
    Shortened,
    first,
    of_items,
    of_rows,
)

TEMPLATES = Path(__file__).parents[1] / "templates"
LANGUAGES = ("vi", "en")
KIND_OF = {Role.MONITOR: "watch", Role.LEADERSHIP: "leadership"}
KINDS = ("duties", "watch", "leadership", "answer", "signin")
ONE_PART = 160
"""Characters of a short message that costs one part (GSM 7 bit)."""
BROKEN = (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, OSError, RecursionError)
"""How a template that somebody edited can fail."""
log = logging.getLogger(__name__)
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
    "fresh": (NoticeKind.ACKNOWLEDGE, NoticeKind.ASSIGNED),
    "told": (NoticeKind.EXTENSION_DECIDED, NoticeKind.DUE_MOVED, NoticeKind.TRANSFERRED, NoticeKind.CANCELLED),
}
_PART_OF = {kind: part for part, kinds in PARTS.items() for kind in kinds}
_PLACE_OF = {kind: place for place, kinds in enumerate(PARTS.values()) for kind in kinds}
_NONE = dict.fromkeys(PARTS, 0)


@dataclass(frozen=True)
class LetterView:
    """What a template sees. Dates and distances are words already; links are whole addresses."""

    facts: LetterFacts
    base_url: str
    acknowledge_url: str
    report_links: tuple[tuple[str, str, str], ...]
    """(plan number, period, address) of each report page this letter is about."""
    slow_url: str = ""
    """Where the reader may ask for fewer letters; empty when nothing in this one may wait."""
    brief: bool = False
    """A short message that did not fit one part: said in fewer words."""

    @cached_property
    def parts(self) -> dict[str, list[Item]]:
        """The lines by part, worst part first; parts without lines are absent."""
        found: dict[str, list[Item]] = {}
        for item in sorted(self.facts.items, key=lambda item: _PLACE_OF[item.kind]):
            found.setdefault(_PART_OF[item.kind], []).append(item)
        return found

    @cached_property
    def count(self) -> SimpleNamespace:
        """How many lines each part has: ``letter.count.overdue``."""
        return SimpleNamespace(**_NONE | {part: len(items) for part, items in self.parts.items()})

    @property
    def tag(self) -> str:
        """The plan's number in brackets when the letter is about one plan: «[KH 188/KH-UBND]». A number that names
        the subject («12/KH-AIDS») stands in no subject line."""
        numbers = {item.plan for item in self.facts.items} | {row.plan for row, _ in self.late_rows}
        return _tag(numbers.pop() if len(numbers) == 1 else "")

    @property
    def late_rows(self) -> tuple[tuple[OverdueRow, int], ...]:
        return self.facts.digest.rows if self.facts.digest else ()

    @property
    def digest(self) -> DigestFacts | None:
        return self.facts.digest

    @cached_property
    def request(self) -> bool:
        """Nothing in it is an order: it is worded as a request throughout."""
        mine = [item.request for item in self.facts.items] + [row.request for row, _ in self.late_rows]
        return all(mine)

    @cached_property
    def worst(self) -> Item | None:
        return next((items[0] for items in self.parts.values()), None)

    @property
    def nearest_due(self) -> Item | None:
        dated = [item for item in self.facts.items if item.due_on is not None]
        return min(dated, key=lambda item: item.due_on or date.max, default=None)

    @cached_property
    def supervisor(self) -> str:
        digested = self.facts.digest.supervisor if self.facts.digest else ""
        return next((item.supervisor for item in self.facts.items if item.supervisor), digested)

    @property
    def problem(self) -> str:
        """What was the matter with the message that this letter answers, in the reader's language."""
        problem = self.facts.answer.problem if self.facts.answer else None
        return problem.said(self.facts.language) if problem else ""

    @property
    def level(self) -> int:
        return max((item.level for item in self.facts.items), default=0)

    @property
    def agencies(self) -> int:
        return self.agencies_in("overdue")

    def agencies_in(self, part: str) -> int:
        """How many agencies a part is about."""
        return len({item.agency for item in self.parts.get(part, ())})

    def lines(self, part: str) -> Shortened[Item]:
        """A part's lines, no more than a letter holds."""
        return first(self.parts.get(part, ()), MAX_DUTIES)

    def by_agency(self, part: str) -> Agencies:
        """A part's lines, one an agency, the latest first."""
        return of_items(self.parts.get(part, ()), self._most)

    @property
    def late(self) -> Shortened[tuple[OverdueRow, int]]:
        """The digest's rows, worst first, without those that the letter has spoken of above; the leadership's ten."""
        if self.facts.role is Role.LEADERSHIP:
            return first(self.late_rows, MAX_WORST)
        above = {item.assignment_id for item in self.parts.get("overdue", ())}
        return first([each for each in self.late_rows if each[0].assignment_id not in above], MAX_DUTIES)

    @property
    def late_by_agency(self) -> Agencies:
        return of_rows(self.late_rows, self._most)

    @property
    def _most(self) -> int:
        return MAX_ESCALATED if self.facts.role is Role.LEADERSHIP else MAX_AGENCIES

    @cached_property
    def acknowledges(self) -> bool:
        """Acknowledging comes first: nothing in it is late, sent back or chased for, where only a report helps."""
        return bool(self.acknowledge_url) and not (self.count.overdue or self.count.returned or self.count.chased)

    @cached_property
    def rows_by_agency(self) -> list[tuple[str, list[tuple[OverdueRow, int]]]]:
        """The digest's rows grouped by agency, the latest agency first."""
        grouped: dict[str, list[tuple[OverdueRow, int]]] = {}
        for row, late in self.late_rows:
            grouped.setdefault(row.agency, []).append((row, late))
        return sorted(grouped.items(), key=lambda each: -max(late for _, late in each[1]))


@lru_cache(maxsize=1024)
def _tag(number: str) -> str:
    if not number or subject_words(number):
        return "[Đôn Đốc]"
    code = number.partition("/")[2].partition("-")[0]
    return f"[{code} {number}]" if code else f"[{number}]"


class LetterRenderer:
    """Compiled templates and the key that signs links. Made once; rendering has no other input than the facts.

    ``office`` is a folder of an office's own templates: a file there stands before the shipped one of the same name,
    from the moment it is saved. One that fails is left aside for the shipped one: the letter leaves all the same.
    ``reply_to`` is the mailbox that answers come to.
    """

    def __init__(
        self,
        signer: Signer,
        base_url: str,
        link_days: int,
        *,
        own_templates: Path | None = None,
        reply_to: str = "",
        folder: Path = TEMPLATES,
    ) -> None:
        self.signer, self.base_url, self.link_days = signer, base_url, timedelta(days=link_days)
        self._marks = signer.secret("message-id").encode()
        self._reply_to = {"Reply-To": reply_to} if reply_to else {}
        self._shipped = Templates([folder])
        self._office = own_templates
        self._own = Templates([own_templates, folder], watched=True) if own_templates else self._shipped

    def render(self, facts: LetterFacts, now: datetime) -> Outgoing:
        """A letter ready for its channel. The same facts give the same letter."""
        if self._office is None or not self._office.is_dir():
            return self.written_with(self._shipped, facts, now)
        try:
            return self.written_with(self._own, facts, now)
        except BROKEN as error:
            log.error("The office's own template failed, the shipped one was used (%s: %s)", facts.key, error)
            return self.written_with(self._shipped, facts, now)

    def written_with(self, templates: Templates, facts: LetterFacts, now: datetime) -> Outgoing:
        """A letter by given templates: what is tried out before it is saved. Raises jinja2.TemplateError."""
        view = self._view(facts)
        language = facts.language if facts.language in LANGUAGES else LANGUAGES[0]
        kind = "signin" if facts.sign_in else "answer" if facts.answer else KIND_OF.get(facts.role, "duties")
        if facts.channel == "sms":
            name = f"{language}/answer/sms.txt" if facts.answer else f"{language}/sms.txt"
            text = templates.rendered(name, view)
            if len(text) > ONE_PART:
                text = templates.rendered(name, replace(view, brief=True))
            return Outgoing(facts.key, facts.to, text, now, language=language)
        return Outgoing(
            key=facts.key,
            to=facts.to,
            subject=templates.rendered(f"{language}/{kind}/subject.txt", view),
            text=templates.rendered(f"{language}/{kind}/body.txt", view),
            html=templates.rendered(f"{language}/{kind}/body.html", view),
            at=now,
            language=language,
            unsubscribe=view.slow_url,
            headers=self._reply_to | _answering(facts.answer),
            mark=hmac.digest(self._marks, facts.key.encode(), "sha256").hex(),
        )

    def _view(self, facts: LetterFacts) -> LetterView:
        mine = facts.role not in (Role.MONITOR, Role.LEADERSHIP)
        acknowledge = mine and any(item.state is State.ASSIGNED for item in facts.items)
        return LetterView(
            facts,
            self.base_url,
            self._link(facts, Purpose.ACKNOWLEDGE, str(facts.letter_id), "l") if acknowledge else "",
            tuple(self._report_links(facts)) if mine else (),
            self._link(facts, Purpose.UNSUBSCRIBE, facts.channel, "u") if facts.slowable else "",
        )

    def _report_links(self, facts: LetterFacts) -> Iterable[tuple[str, str, str]]:
        rounds = dict.fromkeys((item.plan_id, item.plan, item.period) for item in facts.items)
        late = facts.digest.rows if facts.digest else ()
        rounds |= dict.fromkeys((row.plan_id, row.plan, row.period) for row, _ in late)
        for plan_id, plan, period in rounds:
            yield plan, period, self._link(facts, Purpose.REPORT, f"{plan_id}:{period}", "r")

    def _link(self, facts: LetterFacts, purpose: Purpose, subject: str, path: str) -> str:
        until, since = facts.day + self.link_days, revocation(facts.links_since)
        link = Link(purpose, facts.contact_id, subject, facts.day, until, since)
        return f"{self.base_url}/{path}/{self.signer.token(link)}"


def _answering(answer: AnswerFacts | None) -> dict[str, str]:
    """RFC 3834: what a machine answers says so, and names what it answers."""
    if answer is None:
        return {}
    named = answer.in_reply_to if answer.in_reply_to.isascii() else ""
    threaded = {"In-Reply-To": named, "References": named} if named.startswith("<") else {}
    return {"Auto-Submitted": "auto-replied"} | threaded


class Templates:
    """The files of one or more folders, the first that has a name winning, compiled once; with ``watched``, again as
    soon as a file changes. ``texts`` (name -> text) stand before them all."""

    def __init__(
        self, folders: Sequence[Path], *, watched: bool = False, texts: Mapping[str, str] | None = None
    ) -> None:
        loader = ChoiceLoader([_given(texts or {}), _Folders(folders) if watched else FileSystemLoader(folders)])
        self._text = _environment(loader, html=False, watched=watched)
        self._html = _environment(loader, html=True, watched=watched)
        self._known: dict[str, Template] | None = None if watched else {}

    def rendered(self, name: str, view: LetterView) -> str:
        text = self._template(name).render(letter=view, facts=view.facts)
        return " ".join(text.split()) if name.endswith(("subject.txt", "sms.txt")) else text.strip() + "\n"

    def _template(self, name: str) -> Template:
        environment = self._html if name.endswith(".html") else self._text
        if self._known is None:
            return environment.get_template(name)
        if name not in self._known:
            self._known[name] = environment.get_template(name)
        return self._known[name]


def _given(texts: Mapping[str, str]) -> BaseLoader:
    """Texts under their names, which a traceback then says."""
    return FunctionLoader(lambda name: (texts[name], name, lambda: True) if name in texts else None)


class _Folders(BaseLoader):
    """The first folder that has a file of the name. Where FileSystemLoader asks only whether the file that it read
    has changed, this one notices too that an earlier folder has got one."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        found = self._found(template)
        if found is None:
            raise TemplateNotFound(template)
        path, _ = found
        return path.read_text(encoding="utf-8"), str(path), lambda: self._found(template) == found

    def _found(self, template: str) -> tuple[Path, int] | None:
        parts = split_template_path(template)  # refuses to leave the folder
        for folder in self._folders:
            path = folder.joinpath(*parts)
            try:
                return path, path.stat().st_mtime_ns
            except OSError:
                continue
        return None


def short_date(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year}"


def week_words(week: str, language: str = "vi") -> str:
    """An ISO week as people say it: «tuần 25/2021», "week 25 of 2021"."""
    year, _, number = week.partition("-W")
    return f"week {int(number)} of {year}" if language == "en" else f"tuần {int(number)}/{year}"


def _day(stored: str, language: str = "vi") -> str:
    """A date as events store it, in words."""
    return written(date.fromisoformat(stored), language)


class _Straight(Context):
    """Calls what a template calls, and does not look twice whether it would like the context too: none of ours does.
    A letter makes thirty calls."""

    def call(self, obj: Callable[..., Any], /, *given: Any, **named: Any) -> Any:
        named.pop("_block_vars", None)
        named.pop("_loop_vars", None)
        return obj(*given, **named)


class _Quick(Environment):
    """With one flat map of the names beside a letter, where Jinja makes a chain of maps: half the time of a letter."""

    context_class = _Straight

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return dict(self.globals) | dict(d or {})


class _Sandboxed(SandboxedEnvironment, _Quick):
    """What an office may edit is no place to run anything; it costs time that the shipped ones need not spend."""


def _environment(loader: BaseLoader, *, html: bool, watched: bool) -> Environment:
    make = _Sandboxed if watched else _Quick
    environment = make(
        loader=loader,
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=watched,
        bytecode_cache=compiled(make, html),
    )
    environment.globals |= {
        "written": written,
        "distance": distance_words,
        "short_date": short_date,
        "period": period_words,
        "week": week_words,
        "day": _day,
        "moment": moment,
    }
    return environment
