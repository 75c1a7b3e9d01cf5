"""Render letters from facts with Jinja. A letter is subject.txt, body.txt and body.html of its kind. A template is
looked for in the folder of the letter's language, else in the common one: layouts are common, words are by language.

Kinds: ``duties`` (coordinator and head: what the agency owes), ``watch`` (monitor: what waits and who was chased),
``director`` (head of that department: what stays overdue), ``leadership`` (figures and the most overdue), ``answer``
(reply to a message that could not be processed), ``signin`` and ``account`` (sign-in link, what changed about an
account: see the sign-in mailer). Templates get one frozen LetterView; an undefined name is an error.
"""

from __future__ import annotations

import hmac
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from jinja2 import (
    BaseLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateRuntimeError,
    nodes,
)
from jinja2.exceptions import SecurityError
from jinja2.meta import find_referenced_templates
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from engine.accounts.signed_links import Link, Purpose, Signer, revocation
from engine.limited_process import CallFailed, LimitExceeded, shared_process
from engine.rules.calendar import day_digits, distance_words, written
from engine.rules.policy import audience
from engine.rules.words import moment, number_words, period_words, short_day
from engine.store.recipients import ADDRESS_WORDS, SHORT
from engine.template_cache import FastEnvironment, compiled
from engine.terms import NoticeKind, Role, State
from engine.text import LANGUAGES
from notifications.contract.channel import Outgoing
from notifications.email.signed_addresses import REPLY, REPLY_ADDRESSES, signed_address
from notifications.letters.facts import AnswerFacts, LetterFacts
from notifications.letters.view import LetterView

TEMPLATES = Path(__file__).parents[1] / "templates"
WORDS = "words.txt"
"""The words of a language: sentences that the layouts of letters name."""
ONE_PART_CHARS = 160
"""Characters of an SMS of one part (GSM 7 bit)."""
MAX_PRODUCT, MAX_FACTOR = 1_000_000, 100
"""What ``*`` may make in an edited template (a number, or the length of a text), and the most on a side of ``**``."""
RENDER_SECONDS = 2.0
MAX_WAITING = 200
"""Letters that wait for another's text: of sign-in links of a whole office, too. A template that takes long is left out
after the first (``REST_AFTER_LIMIT``)."""
REST_AFTER_LIMIT = timedelta(minutes=10)
"""For so long the shipped templates are used after an edited one took too long: each letter would wait for it."""
TEMPLATE_ERRORS = (
    TemplateError,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
    OSError,
    RecursionError,
    MemoryError,
)
"""Exceptions that an edited template can raise."""
LINK_LIFETIME = timedelta(days=45)
"""How long a link in a letter works; longer than a month, so that the letter of one period works until the next."""
AFTER_DUE = timedelta(days=15)
"""How long after the due date an agency can still add its part by the link of a letter."""
OWN_SMS = ("answer", "deputy")
"""Kinds of letter whose SMS is a template of its own."""
log = logging.getLogger(__name__)
Files = frozenset[tuple[str, int, int]]
"""Customised files: name, time of the last change in ns, size."""


InUse: TypeAlias = "tuple[CustomTemplates | None, Templates]"


@dataclass(frozen=True, slots=True)
class RendererSettings:
    """What letters say of the installation's settings. ``reply_to``: the mailbox for replies. ``reply_domain``: where
    each letter has a reply address of its own."""

    base_url: str
    reply_to: str = ""
    reply_domain: str = ""


class LetterRenderer:
    """Renders letters; holds the compiled templates and the key that signs links. Rendering depends on the facts and on
    ``settings``, which are replaced whole when an administrator enters others.

    ``custom_folder``: a folder of customised templates. A file there overrides the shipped one of the same name as soon
    as it is saved. If a customised template fails, the letter is rendered with the shipped ones.
    """

    words = True
    """Somebody reads them."""

    def __init__(
        self,
        signer: Signer,
        settings: RendererSettings,
        *,
        custom_folder: Path | None = None,
        render_seconds: float = RENDER_SECONDS,
        folder: Path = TEMPLATES,
    ) -> None:
        self.signer, self.settings = signer, settings
        self._shipped = Templates([folder])
        self._folder, self._custom_folder, self._seconds = folder, custom_folder, render_seconds
        self._custom: CustomTemplates | None = None
        self._rests_until: datetime | None = None

    def templates(self) -> InUse:
        """The customised templates as they are on the disk now, if there are any, and the shipped ones: looked at once
        for letters that are rendered together."""
        files = custom_files(self._custom_folder) if self._custom_folder else frozenset()
        if self._custom_folder is None or not files:
            return None, self._shipped
        if self._custom is None or self._custom.files != files:
            folders = (self._custom_folder, self._folder)
            self._custom = CustomTemplates(folders, files, self._seconds, self._shipped)
        return self._custom, self._shipped

    def render(self, facts: LetterFacts, now: datetime, templates: InUse | None = None) -> Outgoing:
        """Render a letter, with ``templates()`` of now unless they are given. The same facts give the same letter."""
        custom, shipped = templates or self.templates()
        if custom is None or (self._rests_until is not None and now < self._rests_until):
            return self.render_with(shipped, facts, now)
        try:
            return self.render_with(custom, facts, now)
        except TookTooLong as error:
            self._rests_until = now + REST_AFTER_LIMIT
            log.error("A customised template was stopped; the shipped ones are used for a while: %s", error)
        except TEMPLATE_ERRORS as error:
            log.error("A customised template failed, the shipped one was used (%s: %s)", facts.key, error)
        return self.render_with(shipped, facts, now)

    def render_with(self, templates: Templates | CustomTemplates, facts: LetterFacts, now: datetime) -> Outgoing:
        """Render a letter with the given templates, e.g. to try them before saving. Raises jinja2.TemplateError."""
        view = self._view(facts, now)
        language = facts.language if facts.language in LANGUAGES else LANGUAGES[0]
        kind = view.kind
        if facts.channel in SHORT:
            name = f"{language}/{kind}/sms.txt" if kind in OWN_SMS else f"{language}/sms.txt"
            (text,) = templates.rendered([name], view)
            if len(text) > ONE_PART_CHARS:
                (text,) = templates.rendered([name], replace(view, brief=True))
            return Outgoing(key=facts.key, to=facts.to, text=text, at=now, language=language, values=_values(view))
        parts = [f"{language}/{kind}/{part}" for part in ("subject.txt", "body.txt", "body.html")]
        subject, text, html = templates.rendered(parts, view)
        return Outgoing(
            key=facts.key,
            to=facts.to,
            subject=subject,
            text=text,
            html=html,
            at=now,
            language=language,
            unsubscribe=view.slow_url,
            headers=self._reply_address(facts) | _reply_headers(facts.answer),
            mark=hmac.digest(self.signer.secret("message-id").encode(), facts.key.encode(), "sha256").hex(),
        )

    def _reply_address(self, facts: LetterFacts) -> dict[str, str]:
        """The Reply-To header: the letter's own address where replies have a domain, else the common mailbox."""
        common, domain = self.settings.reply_to, self.settings.reply_domain
        own = signed_address(REPLY, facts.key, self.signer.secret(REPLY_ADDRESSES), domain) if domain else ""
        address = own or common
        return {"Reply-To": address} if address else {}

    def _view(self, facts: LetterFacts, now: datetime) -> LetterView:
        mine = audience(facts.role) is Role.COORDINATOR
        acknowledge = mine and any(item.own and item.state is State.ASSIGNED for item in facts.items)
        return LetterView(
            facts=facts,
            base_url=self.settings.base_url,
            at=now,
            acknowledge_url=self._link(facts, Purpose.ACKNOWLEDGE, str(facts.letter_id), "l") if acknowledge else "",
            report_links=tuple(self._report_links(facts)) if mine else (),
            coordinates_url=self._coordinates_url(facts),
            slow_url=self._link(facts, Purpose.UNSUBSCRIBE, facts.channel, "u")
            if facts.slowable or facts.slowed
            else "",
            deputies_url=self._deputy_url(facts),
        )

    def _coordinates_url(self, facts: LetterFacts) -> str:
        """Page of the duties that the agency helps with, open until after the last of them is due."""
        helped = [item.due_on for item in facts.items if item.kind is NoticeKind.COORDINATES]
        if not helped or audience(facts.role) is not Role.COORDINATOR:
            return ""
        last = max((due_on for due_on in helped if due_on is not None), default=facts.day)
        until = max(facts.day + LINK_LIFETIME, last + AFTER_DUE)
        return self._link(facts, Purpose.ACKNOWLEDGE, str(facts.letter_id), "l", until)

    def _deputy_url(self, facts: LetterFacts) -> str:
        if facts.deputy is None or facts.deputy.refused:
            return ""
        if facts.deputy.proposed:
            return self._link(facts, Purpose.DEPUTY, str(facts.deputy.id), "d")
        return self._link(facts, Purpose.UNSUBSCRIBE, facts.channel, "u")

    def _report_links(self, facts: LetterFacts) -> Iterable[tuple[str, str, str]]:
        reports = dict.fromkeys((item.plan_id, item.plan, item.period) for item in facts.items if item.own)
        late = [row for row, _ in (*facts.digest.rows, *facts.digest.asked)] if facts.digest else []
        if facts.digest and facts.digest.watching:
            late = [row for row in late if row.agency_id == facts.digest.agency_id]
        reports |= dict.fromkeys((row.plan_id, row.plan, row.period) for row in late)
        for plan_id, plan, period in reports:
            yield plan, period, self._link(facts, Purpose.REPORT, f"{plan_id}:{period}", "r")

    def _link(self, facts: LetterFacts, purpose: Purpose, subject: str, path: str, until: date | None = None) -> str:
        link = Link(
            purpose=purpose,
            contact_id=facts.contact_id,
            subject=subject,
            made_on=facts.day,
            until=until or facts.day + LINK_LIFETIME,
            since=revocation(facts.links_since),
        )
        return f"{self.settings.base_url}/{path}/{self.signer.token(link)}"


def _values(view: LetterView) -> dict[str, str]:
    """What a short message says, by name: ids, dates and a link, nothing about a person."""
    item, due = view.worst, view.nearest_due or view.worst
    if item is None or due is None:
        return {"kind": view.kind, "link": view.base_url}
    links = (view.acknowledge_url, view.coordinates_url, *(each[2] for each in view.report_links), view.base_url)
    return {
        "kind": item.kind.value,
        "plan": item.sms_name,
        "citation": item.citation if len(view.facts.items) == 1 else "",
        "count": str(len(view.facts.items)),
        "due": day_digits(due.due_on) if due.due_on else "",
        "days": "" if due.days is None else str(due.days),
        "level": str(view.level or ""),
        "link": next(each for each in links if each),
    }


def _reply_headers(answer: AnswerFacts | None) -> dict[str, str]:
    """Headers of an automatic reply (RFC 3834): Auto-Submitted, In-Reply-To, References."""
    if answer is None:
        return {}
    named = answer.in_reply_to if answer.in_reply_to.isascii() else ""
    threaded = {"In-Reply-To": named, "References": named} if named.startswith("<") else {}
    return {"Auto-Submitted": "auto-replied"} | threaded


class Templates:
    """Compiled templates from one or more folders (see ``_LanguageLoader``). ``sandboxed``: for customised ones. Names
    begin with the language of the letter: «vi/duties/body.txt», also where that is «duties/body.txt» for both."""

    def __init__(
        self, folders: Sequence[Path], *, sandboxed: bool = False, texts: Mapping[str, str] | None = None
    ) -> None:
        loaders = {language: _LanguageLoader(language, folders, texts or {}) for language in LANGUAGES}
        self._environments = {
            (language, html): _environment(loader, language, html=html, sandboxed=sandboxed)
            for language, loader in loaders.items()
            for html in (False, True)
        }
        self._known: dict[str, Template] = {}

    def rendered(self, names: Sequence[str], view: LetterView) -> list[str]:
        return [self._rendered(name, view) for name in names]

    def used_by(self, name: str) -> set[str | None]:
        """The names of the template and of all that it extends, includes or imports, through any number of them: of
        each, that in the language's folder and that in the common one. None if one of them names another only when it
        renders."""
        language, _, bare = name.partition("/")
        environment = self._environments[language, False]
        assert environment.loader is not None
        found, left = set[str | None](), {bare}
        while left:
            bare = left.pop()
            found |= {bare, f"{language}/{bare}"}
            used = set(
                find_referenced_templates(environment.parse(environment.loader.get_source(environment, bare)[0]))
            )
            found |= used & {None}
            left |= {other for other in used if other is not None} - found
        return found

    def _rendered(self, name: str, view: LetterView) -> str:
        text = self._template(name).render(letter=view, facts=view.facts)
        return " ".join(text.split()) if name.endswith(("subject.txt", "sms.txt")) else text.strip() + "\n"

    def _template(self, name: str) -> Template:
        if name not in self._known:
            language, _, bare = name.partition("/")
            self._known[name] = self._environments[language, name.endswith(".html")].get_template(bare)
        return self._known[name]


class TookTooLong(TemplateRuntimeError):
    """An edited template exceeded its time or memory."""


class CustomTemplates:
    """Customised templates as they were on the disk at one moment (``files``), rendered in a child process under limits
    (``engine.limited_process``): one that loops for ever, or asks for all memory, must not hold up the letters. What no
    customised file takes part in is rendered here: the text is the same."""

    def __init__(self, folders: Sequence[Path], files: Files, seconds: float, shipped: Templates) -> None:
        self.files = files
        self._folders, self._seconds, self._shipped = tuple(folders), seconds, shipped
        self._names = frozenset(name for name, _, _ in files)
        self._customised: dict[str, bool] = {}

    def rendered(self, names: Sequence[str], view: LetterView) -> list[str]:
        """Raises TookTooLong, or jinja2.TemplateError for a broken template."""
        customised = [name for name in names if self._is_customised(name)]
        shipped = [name for name in names if name not in customised]
        texts = dict(zip(shipped, self._shipped.rendered(shipped, view), strict=True))
        if customised:
            texts |= zip(customised, self._call(customised, view), strict=True)
        return [texts[name] for name in names]

    def _call(self, names: Sequence[str], view: LetterView) -> list[str]:
        try:
            return shared_process("letters", waiting=MAX_WAITING).call(
                self._seconds, render_in_child, self._folders, self.files, names, view
            )
        except LimitExceeded:
            raise TookTooLong("takes too long or too much memory") from None
        except CallFailed as error:
            raise TemplateRuntimeError(str(error)) from None

    def _is_customised(self, name: str) -> bool:
        if name not in self._customised:
            used = self._shipped.used_by(name)
            self._customised[name] = None in used or not self._names.isdisjoint(used)
        return self._customised[name]


def custom_files(folder: Path) -> Files:
    """The files of a folder of customised templates; empty if there is none."""
    found = set()
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            with suppress(OSError):  # removed just now
                stat = path.stat()
                found.add((path.relative_to(folder).as_posix(), stat.st_mtime_ns, stat.st_size))
    return frozenset(found)


def render_in_child(folders: tuple[Path, ...], files: Files, names: Sequence[str], view: LetterView) -> list[str]:
    return _customised(folders, files).rendered(names, view)


@lru_cache(maxsize=4)
def _customised(folders: tuple[Path, ...], files: Files) -> Templates:
    """The compiled templates, made again when a file is not as it was."""
    return Templates(folders, sandboxed=True)


class _LanguageLoader(FileSystemLoader):
    """Looks for a template in the folders of the language, then in the common ones; the first that has it wins.
    ``texts`` (name in a folder -> text) take precedence; tracebacks show their names. «vi/words.txt», as templates for
    0.1.0 say, is «words.txt». The last folder is the shipped one: names that customised words lack are taken from it,
    so that they need not be edited when a version adds some."""

    def __init__(self, language: str, folders: Sequence[Path], texts: Mapping[str, str]) -> None:
        super().__init__([*(folder / language for folder in folders), *folders])
        self._language, self._texts = language, texts
        self._shipped = FileSystemLoader(folders[-1] / language)

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        name = template.removeprefix(f"{self._language}/")
        source, path, current = self._found(environment, name)
        if name == WORDS and path != self._shipped.get_source(environment, WORDS)[1]:
            source += self._lacking(environment, source, path)
        return source, path, current

    def _found(self, environment: Environment, name: str) -> tuple[str, str, Callable[[], bool]]:
        for own in (f"{self._language}/{name}", name):
            if own in self._texts:
                return self._texts[own], own, lambda: True
        return super().get_source(environment, name)

    def _lacking(self, environment: Environment, source: str, path: str) -> str:
        """The shipped words whose names are not in the source, as template text: they call the source's own."""
        shipped = self._shipped.get_source(environment, WORDS)[0]
        lines, begins = shipped.split("\n"), exported(environment.parse(shipped))
        own = exported(environment.parse(source, WORDS, path))
        ends = [*(line - 1 for line in begins.values()), len(lines)][1:]
        lacking = ((begin, end) for (name, begin), end in zip(begins.items(), ends, strict=True) if name not in own)
        return "\n".join(["", *(line for begin, end in lacking for line in lines[begin - 1 : end])])


def exported(template: nodes.Template) -> dict[str, int]:
    """The macros and values that a template defines for those that import it, with the line each begins on."""
    found = {}
    for node in template.body:
        if isinstance(node, nodes.Macro):
            found[node.name] = node.lineno
        elif isinstance(node, nodes.Assign | nodes.AssignBlock) and isinstance(node.target, nodes.Name):
            found[node.target.name] = node.lineno
    return found


def week_words(week: str, language: str = "vi") -> str:
    """An ISO week in words: «tuần 25/2021», "week 25 of 2021"."""
    year, _, number = week.partition("-W")
    return f"week {int(number)} of {year}" if language == "en" else f"tuần {int(number)}/{year}"


def _day(stored: str, language: str = "vi") -> str:
    """An ISO date from event details, in words."""
    return written(date.fromisoformat(stored), language)


class _Sandboxed(SandboxedEnvironment, FastEnvironment):
    """For customised templates, which must not run code. Slower, so shipped templates do not use it. ``*`` and ``**``
    are bounded: each of them can ask for more memory or time than there is."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        sizes = _size(left), _size(right)
        too_much = max(sizes) > MAX_FACTOR if operator == "**" else sizes[0] * sizes[1] > MAX_PRODUCT
        if too_much:
            raise SecurityError(f"{operator} would make too much")
        return super().call_binop(context, operator, left, right)


def _size(factor: Any) -> float:
    if hasattr(factor, "__len__"):
        return len(factor)
    return abs(factor) if isinstance(factor, int | float) else 1


def _environment(loader: BaseLoader, language: str, *, html: bool, sandboxed: bool) -> FastEnvironment:
    make = _Sandboxed if sandboxed else FastEnvironment
    environment = make(
        loader=loader,
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=compiled(make, html),
    )
    environment.globals |= {
        "language": language,
        "written": written,
        "distance": distance_words,
        "short_date": short_day,
        "period": period_words,
        "week": week_words,
        "day": _day,
        "moment": moment,
        "num": number_words,
        "address_words": ADDRESS_WORDS,
    }
    return environment
