"""Check customised templates by rendering samples of every kind of letter.

Checks for: syntax errors, undefined names, subject words where they are not allowed, an SMS of more than two parts, a
letter without its essential link, content that a mail client would have to download.
"""

from __future__ import annotations

import html
import re
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from jinja2 import TemplateSyntaxError

from engine.accounts.signed_links import Signer
from engine.assignments.backlog import Backlog, Waits
from engine.assignments.chasing import Chased
from engine.assignments.situations import Boxes
from engine.assignments.told import AgencyChange, Since
from engine.assignments.weekly_digest import OverdueRow
from engine.enums import complete
from engine.errors import Problem
from engine.files.plan_parts import subject_words
from engine.queries.directory import Enquiries
from engine.queries.system.letters import LetterCounts
from engine.terms import NoticeKind, Outcome, Role, State
from engine.text import LANGUAGES, Text
from notifications.contract.channel import Outgoing
from notifications.letters.digests import DigestFacts
from notifications.letters.facts import (
    AccountFacts,
    AnswerFacts,
    DeputyFacts,
    Item,
    LetterFacts,
    SignInFacts,
)
from notifications.letters.renderer import (
    TEMPLATE_ERRORS,
    TEMPLATES,
    LetterRenderer,
    RendererSettings,
    Templates,
)
from notifications.letters.view import KINDS
from notifications.sms.text import MAX_PARTS, measure, plain

SHARED = "shared"
"""Not a kind of letter, but the templates that all kinds of a language include."""
EDITED = (*KINDS, "sms", SHARED)
DATED = (NoticeKind.REMINDER, NoticeKind.OVERDUE, NoticeKind.ESCALATION)
"""Kinds that do not occur for a duty without a due date."""
MAX_SUBJECT_CHARS = 160
"""Mail clients truncate longer subjects."""
_NOW, _DAY = datetime(2021, 6, 16, 0, 30, tzinfo=UTC), date(2021, 6, 16)
_ROLES = complete(
    (*KINDS, "sms"),
    {
        "duties": (Role.COORDINATOR, Role.HEAD),
        "watch": (Role.MONITOR,),
        "director": (Role.HEAD,),
        "leadership": (Role.LEADERSHIP,),
        "answer": (Role.COORDINATOR,),
        "signin": (Role.COORDINATOR,),
        "account": (Role.COORDINATOR,),
        "deputy": (Role.COORDINATOR, Role.HEAD, Role.MONITOR),
        "sms": (Role.COORDINATOR, Role.HEAD, Role.MONITOR),
    },
)
_NOTICE_KINDS = complete(
    (*KINDS, "sms"),
    {
        "duties": set(NoticeKind) - {NoticeKind.UNACKNOWLEDGED, NoticeKind.WROTE},
        "watch": set(NoticeKind),
        "director": {NoticeKind.ESCALATION},
        "leadership": {NoticeKind.ESCALATION},
        "answer": set[NoticeKind](),
        "signin": set[NoticeKind](),
        "account": set[NoticeKind](),
        "deputy": set[NoticeKind](),
        "sms": set(NoticeKind),
    },
)
_EXTERNAL = re.compile(r"<img|<link|<script|<iframe|\bsrc\s*=|@import|url\(", re.I)
_CONTACT = re.compile(r"\+?\d[\d ]{8,}|[\w.]+@[\w.]+")
"""Telephone numbers and mailboxes: whom to ask stands in both parts of a letter."""
_NO_SUCH_NAME = re.compile(r"has no attribute '([^']+)'|^'([^']+)' is undefined")
_CHASED = Chased(3, date(2021, 6, 15), 1, 1, date(2021, 6, 15))
_WAITING = Waits(3, date(2021, 6, 1), 11, 1)
_BACKLOG = Backlog(
    limit_days=10,
    reports=_WAITING,
    extensions=replace(_WAITING, count=2),
    declined=replace(_WAITING, count=1),
    raised=replace(_WAITING, count=2),
    plans=replace(_WAITING, count=1),
    department="so-theo-doi",
    drafts=2,
)
_ENQUIRIES = Enquiries("Sở Theo dõi", "Phòng theo dõi", "+84900000000", "theodoi@so.example")
_DETAIL = {
    "reason": "Thiếu số liệu",
    "until": "2021-06-25",
    "granted": True,
    "answer": "",
    "said": "Đã nhận",
    "entry": 1,
    "what": "difficulty",
    "asked": "Thiếu kinh phí",
    "expected": "2021-06-25",
    "files": 1,
    "channel": "email",
    "next": True,
}


def check_template(
    texts: Mapping[str, str], language: str, kind: str, custom_folder: Path | None = None
) -> list[Problem]:
    """The problems of the templates of one kind (one of ``KINDS``, ``sms`` or ``shared``) in one language; empty if
    there are none. ``texts``: file name -> text; other files are taken from ``custom_folder``, else from the shipped
    ones."""
    names = {name_of(part, language, kind): text for part, text in texts.items()}
    unknown = [_unknown_file(name, kind) for name in names if not _ships(name)]
    if unknown:
        return unknown
    return _check_samples(names, language, (*KINDS, "sms") if kind == SHARED else (kind,), custom_folder)


def check_folder(folder: Path) -> list[Problem]:
    """The problems of all files in a folder of customised templates, including those for both languages. A file that
    no letter uses is a problem too: its text would be ignored silently."""
    found = {(language, kind): _of_folder(folder, language, kind) for language in LANGUAGES for kind in EDITED}
    used = {name_of(part, language, kind) for (language, kind), texts in found.items() for part in texts}
    common = {name: text for name in _common() if (text := _text(folder / name)) is not None}
    problems = [*_unused(folder, used | common.keys())]
    for language in LANGUAGES if common else ():
        problems += _check_samples(common, language, KINDS, None)
    for (language, kind), texts in found.items():
        problems += check_template(texts, language, kind, folder) if texts else ()
    return list(dict.fromkeys(problems))


def _common() -> Iterator[str]:
    """The names of the shipped templates that both languages use."""
    for path in TEMPLATES.rglob("*.*"):
        name = path.relative_to(TEMPLATES)
        if name.parts[0] not in LANGUAGES:
            yield name.as_posix()


def _ships(name: str) -> bool:
    """True if letters use a template of this name: the language's own, or one for that language instead of a common
    one."""
    return (TEMPLATES / name).is_file() or (TEMPLATES / name.partition("/")[2]).is_file()


def _folders(custom_folder: Path | None) -> list[Path]:
    return [TEMPLATES] if custom_folder is None else [custom_folder, TEMPLATES]


# --- Samples --------------------------------------------------------------------------------------------------------


def samples(language: str, kind: str) -> Iterator[LetterFacts]:
    """Sample letters of a kind: with all lines, with each line alone, with the weekly part alone."""
    for role in _ROLES[kind]:
        for facts in _ALONE.get(kind) or _samples_about_duties(kind, role):
            yield replace(facts, role=role, language=language)


_EMPTY = LetterFacts(
    letter_id=1,
    key="sample",
    contact_id=1,
    role=Role.COORDINATOR,
    channel="email",
    day=_DAY,
    language="vi",
    to="mau@co-quan.example",
    label="",
    agency="UBND huyện Mẫu",
    items=(),
    digest=None,
    enquiries=_ENQUIRIES,
)
_DEPUTY = DeputyFacts(
    id=1,
    address="phong@co-quan.example",
    label="Phòng Tổng hợp",
    valid_from=_DAY,
    valid_until=_DAY,
    instead=False,
    named_by=Role.COORDINATOR,
)
_SIGN_IN = SignInFacts("https://dondoc.example/sign-in/link/x", "Chrome trên Android", _NOW)
_ALONE = {
    "answer": (
        replace(_EMPTY, answer=AnswerFacts(Text("Hạn đã qua.", "It is past."), "<1@co-quan.example>")),
        replace(_EMPTY, answer=AnswerFacts(None, "")),
    ),
    "signin": (
        replace(_EMPTY, sign_in=_SIGN_IN),
        replace(_EMPTY, sign_in=replace(_SIGN_IN, device="")),
        replace(_EMPTY, sign_in=replace(_SIGN_IN, until=_DAY)),
    ),
    "account": (replace(_EMPTY, account=AccountFacts("Tài khoản có mật khẩu mới.", "Chrome trên Android", _NOW)),),
    "deputy": (
        replace(_EMPTY, deputy=_DEPUTY),
        replace(_EMPTY, deputy=replace(_DEPUTY, label="", instead=True)),
        replace(_EMPTY, deputy=replace(_DEPUTY, proposed=True)),
        replace(_EMPTY, deputy=replace(_DEPUTY, address="", agency="UBND huyện A", proposed=True, refused=True)),
    ),
}
"""Kinds of letters that say one thing and have no lines about duties."""


_CHANGED = tuple(
    AgencyChange(since=_DAY, id=name, name=name, was=was, now=now, broken=1)
    for name, was, now in (("A", Boxes(in_term=1), Boxes(late=1)), ("B", Boxes(late=1), Boxes(in_term=1)))
)
_UNENDED = tuple(outcome for outcome in Outcome if not outcome.ends)


def _samples_about_duties(kind: str, role: Role) -> Iterator[LetterFacts]:
    empty = replace(_EMPTY, channel="sms") if kind == "sms" else _EMPTY
    own = kind in ("duties", "sms") and role is not Role.MONITOR
    shown = [_item(number, each, own) for number, each in enumerate(NoticeKind) if each in _NOTICE_KINDS[kind]]
    leads = role is Role.LEADERSHIP
    digest = DigestFacts(
        week="2021-W24",
        rows=tuple((replace(_late(), outcome=outcome), 3) for outcome in (None, *_UNENDED)),
        boxes=Boxes(on_time=3, late=1, in_term=4, overdue=1, not_asked=2) if leads else None,
        proof=LetterCounts(9, 8, 7, 1),
        asked=((replace(_late(), request=True), 3),) if role is Role.MONITOR else (),
        asked_overdue=1,
        at=_NOW,
        since=Since(on=_DAY, was=Boxes(overdue=3), now=Boxes(late=1, overdue=2), agencies=_CHANGED),
    )
    if kind in ("watch", "director"):
        yield replace(empty, items=tuple(shown), backlog=_BACKLOG)
        yield replace(empty, backlog=_BACKLOG, weekly=True)
    if kind not in ("sms", "director"):
        yield replace(empty, items=tuple(shown), digest=digest)
        yield replace(empty, digest=digest)
    for item in shown:
        yield replace(empty, items=(item,), code="1234" if item.assignment_id % 2 else "")
        if item.kind not in DATED:
            yield replace(empty, items=(replace(item, due_on=None, days=None, next_on=None, request=True),))


def _item(number: int, kind: NoticeKind, own: bool) -> Item:
    late = kind in (NoticeKind.OVERDUE, NoticeKind.ESCALATION)
    state = State.ASSIGNED if kind in (NoticeKind.ASSIGNED, NoticeKind.ACKNOWLEDGE) else State.ACKNOWLEDGED
    return Item(
        assignment_id=number,
        plan_id=1,
        plan="12/KH-UBND",
        short_title="Kế hoạch 12 năm 2021",
        sms_name="KH12",
        citation="IV.1.1",
        position=number,
        text="Báo cáo kết quả thực hiện …",
        agency="Sở Mẫu",
        period="2021-H1",
        due_on=_DAY + timedelta(days=-3 if late else 5),
        due_why="",
        days=-2 if late else 3,
        kind=kind,
        rung="T-3",
        state=State.RETURNED if kind is NoticeKind.RETURNED else state,
        request=False,
        outcome=_UNENDED[0] if kind is NoticeKind.CHASE else None,
        first_reported_on=_DAY if kind in (NoticeKind.RETURNED, NoticeKind.CHASE) else None,
        report_late=False,
        next_on=_DAY + timedelta(days=6),
        next_step="gửi thư báo quá hạn đến đầu mối",
        supervisor="Sở Theo dõi",
        issuer="UBND tỉnh Mẫu",
        detail=_DETAIL,
        own=own,
        chased=_CHASED if late else None,
        escalating=kind is NoticeKind.ESCALATION and number % 2 == 0,
        asks_paper=kind is NoticeKind.ESCALATION,
        asked=(_DAY - timedelta(days=9),) if kind is NoticeKind.ACKNOWLEDGE else (),
    )


def _late() -> OverdueRow:
    return OverdueRow(
        assignment_id=1,
        agency_id="so-mau",
        agency="Sở Mẫu",
        supervisor_id="so-theo-doi",
        issuer_id="tinh",
        plan_id=1,
        plan="12/KH-UBND",
        citation="IV.1.1",
        text="Báo cáo kết quả.",
        period="2021-H1",
        due_on=_DAY - timedelta(days=3),
        request=False,
        outcome=None,
        returned=False,
        stands_still=True,
        chased=_CHASED,
    )


# --- Rendering samples ----------------------------------------------------------------------------------------------


def _check_samples(
    names: Mapping[str, str], language: str, kinds: Sequence[str], custom_folder: Path | None
) -> list[Problem]:
    """Render every sample of these kinds with the given texts (name -> text); the problems found."""
    problems = [problem for name, text in names.items() for problem in _text_problems(name, text)]
    renderer = LetterRenderer(Signer("only for trying templates out"), RendererSettings("https://dondoc.example"))
    templates = Templates(_folders(custom_folder), sandboxed=True, texts=names)
    for kind in kinds:
        for facts in samples(language, kind):
            try:
                letter = renderer.render_with(templates, facts, _NOW)
            except TEMPLATE_ERRORS as error:
                problems.append(_failed(error, names, kind))
            else:
                problems += _letter_problems(letter, facts, language, kind)
    return list(dict.fromkeys(problems))


# --- Problems -------------------------------------------------------------------------------------------------------


def name_of(part: str, language: str, kind: str) -> str:
    """A template's path relative to the templates folder: «vi/duties/body.txt», «vi/sms.txt»."""
    return f"{language}/{part}" if kind in ("sms", SHARED) else f"{language}/{kind}/{part}"


def _of_folder(folder: Path, language: str, kind: str) -> dict[str, str]:
    """All files of one kind in a folder of customised templates: file name -> text."""
    directory = folder / language if kind in ("sms", SHARED) else folder / language / kind
    if kind == "sms":
        files = [directory / "sms.txt"]
    else:
        files = [path for path in sorted(directory.glob("*")) if kind != SHARED or path.name != "sms.txt"]
    return {path.name: text for path in files if (text := _text(path)) is not None}


def _text(path: Path) -> str | None:
    """None if it is not a file or not UTF-8 (e.g. written for a legacy Vietnamese font)."""
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except UnicodeDecodeError:
        return None


def _unused(folder: Path, used: Collection[str]) -> Iterator[Problem]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name in used or not path.is_file() or any(part.startswith(".") for part in Path(name).parts):
            continue
        if _text(path) is None:
            yield Problem(
                name,
                0,
                "template",
                Text("không phải chữ UTF-8", "is not text in UTF-8"),
                Text("lưu lại theo UTF-8 (Unicode)", "save it as UTF-8"),
            )
        else:
            yield _unknown_file(name, "template")


def _unknown_file(name: str, field: str) -> Problem:
    return Problem(
        name,
        0,
        field,
        Text("không có mẫu nào tên như vậy", "no template has this name"),
        Text("xóa hoặc đổi tên", "rename"),
    )


def _text_problems(name: str, text: str) -> Iterator[Problem]:
    lines = text.splitlines()
    if name.endswith(("subject.txt", "sms.txt")):
        for number, line in enumerate(lines, 1):
            for word in subject_words(line):
                yield _subject_word(name, number, word)
    if name.endswith(".html"):
        for number, line in enumerate(lines, 1):
            if _EXTERNAL.search(line):
                yield Problem(
                    name,
                    number,
                    "html",
                    Text("phải tải từ ngoài hoặc chạy mã", "would be downloaded or run"),
                    Text("bỏ ảnh, liên kết kiểu, mã", "leave out pictures, style sheets and scripts"),
                )


def _subject_word(name: str, line: int, word: str) -> Problem:
    return Problem(
        name,
        line,
        "subject",
        Text(f"có từ ngữ nhạy cảm của lĩnh vực «{word}»", "names the subject"),
        Text("dùng tên trung tính của kế hoạch", "use the plan's neutral name"),
    )


def _letter_problems(letter: Outgoing, facts: LetterFacts, language: str, kind: str) -> Iterator[Problem]:
    if kind == "sms":
        yield from _sms_problems(letter.text, f"{language}/sms.txt")
        return
    name = f"{language}/{kind}"
    for word in subject_words(letter.subject):
        yield _subject_word(f"{name}/subject.txt", 0, word)
    if not 0 < len(letter.subject) <= MAX_SUBJECT_CHARS:
        long = len(letter.subject)
        yield Problem(
            f"{name}/subject.txt",
            0,
            "subject",
            Text(f"dài {long} ký tự", f"is {long} characters long"),
            Text(f"từ 1 đến {MAX_SUBJECT_CHARS}", f"1 to {MAX_SUBJECT_CHARS}"),
        )
    fresh = facts.items and all(item.kind in (NoticeKind.ASSIGNED, NoticeKind.ACKNOWLEDGE) for item in facts.items)
    wanted = "/l/" if fresh and kind == "duties" else "/sign-in/link/" if kind == "signin" else ""
    for part, text in (("body.txt", letter.text), ("body.html", letter.html)):
        if not text.strip() or wanted not in text:
            kept = "facts.sign_in.url" if kind == "signin" else "letter.acknowledge_url"
            yield Problem(
                f"{name}/{part}",
                0,
                "body",
                Text("thiếu chữ hoặc nút xác nhận", "no text or no way to answer"),
                Text(f"giữ {kept}", f"keep {kept}"),
            )
    yield from _contact_lost(letter, f"{name}/body.html")


def _contact_lost(letter: Outgoing, name: str) -> Iterator[Problem]:
    shown = html.unescape(letter.html)
    for said in sorted({found.rstrip(".,;)") for found in _CONTACT.findall(letter.text)}):
        if said not in shown:
            lacks = Text(f"thiếu «{said}» mà bản chữ có", f"lacks “{said}”, which the plain text has")
            yield Problem(name, 0, "body", lacks, Text("giữ như mẫu đi kèm", "keep it as shipped"))


def _sms_problems(text: str, name: str) -> Iterator[Problem]:
    for word in subject_words(text):
        yield _subject_word(name, 0, word)
    parts = measure(plain(text)).parts
    if not 0 < parts <= MAX_PARTS:
        long = Text(f"dài {parts} tin", f"takes {parts} parts")
        yield Problem(name, 0, "sms", long, Text(f"viết lại trong {MAX_PARTS} tin", f"shorten it to {MAX_PARTS}"))


def _failed(error: Exception, names: Mapping[str, str], kind: str) -> Problem:
    """The problem for an exception; its line is the innermost traceback frame in one of the given texts."""
    fix = Text("sửa tên hoặc cú pháp theo mẫu đi kèm", "correct the name or the syntax after the shipped template")
    if isinstance(error, TemplateSyntaxError):
        name = error.filename if error.filename in names else error.name
        return Problem(name or kind, error.lineno, "template", _description(error), fix)
    frames = [each for each in traceback.extract_tb(error.__traceback__) if each.filename in names]
    name, line = (frames[-1].filename, frames[-1].lineno or 0) if frames else (", ".join(names) or kind, 0)
    return Problem(name, line, "template", _description(error), fix)


def _description(error: Exception) -> Text:
    """The description of an error: our own for an undefined name, else Jinja's message."""
    detail = (str(error) or type(error).__name__).replace(" / ", "/")
    name = _NO_SUCH_NAME.search(detail)
    if name:
        return Text(f"không có tên «{name[1] or name[2]}»", f"there is no name “{name[1] or name[2]}”")
    return Text(f"không viết được thư ({detail})", f"the letter cannot be rendered ({detail})")
