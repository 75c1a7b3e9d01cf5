"""Events as sentences, and their actors in words. Pure; Vietnamese and English.

What the figures of a page say, in the sentence that is its title. Pure.

What was done because of an incoming message, in words: for the writer's letter and the pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from engine.correspondence.message_acts import Done
from engine.enums import complete
from engine.queries.figures.outlook import Behind, Furthest, Outlook, furthest_of
from engine.queries.work.assignment_story import Person
from engine.rules.calendar import day_digits, written
from engine.rules.policy import Skip
from engine.rules.words import CODES, coded, number_words, period_text, rung_words, short_day
from engine.terms import EventKind, MessageAct, Outcome, Role
from engine.text import LANGUAGES, Text
from engine.views.labels import label

_LABEL_ALONE = (
    EventKind.PLAN_LOADED,
    EventKind.PLAN_ACTIVATED,
    EventKind.ACKNOWLEDGED,
    EventKind.CHASED,
    EventKind.DIGEST_EMPTY,
    EventKind.LETTER_SETTLED,
    EventKind.LETTER_SUPPRESSED,
    EventKind.LETTERS_RELEASED,
    EventKind.LINKS_REVOKED,
    EventKind.CALENDAR_CHANGED,
    EventKind.CLOCK_CONFIRMED,
    EventKind.EVIDENCE_STORED,
    EventKind.EVIDENCE_REMOVED,
    EventKind.FIGURES_FROZEN,
    EventKind.PAPER_SETTINGS,
)

# kind -> text after the label, with fields of the event's detail; left out when a field is missing.
_DETAILS: Mapping[EventKind, tuple[str, str]] = complete(
    EventKind,
    {
        EventKind.OPENED: ("hạn {due}", "due {due}"),
        EventKind.REPORTED: ("lần {number}: {outcome}", "no. {number}: {outcome}"),
        EventKind.ACCEPTED: ("chưa đủ sản phẩm: «{lacking}»", "without its output: “{lacking}”"),
        EventKind.RETURNED: (
            "«{reason}», đề nghị bổ sung chậm nhất {until}",
            "“{reason}”, to be resubmitted by {until}",
        ),
        EventKind.UNDONE: ("{of}", "{of}"),
        EventKind.PROMISED: ("lần {number}, {on}: «{reason}»", "no. {number}, {on}: “{reason}”"),
        EventKind.PROMISE_AGREED: ("{on}", "{on}"),
        EventKind.PROMISE_REFUSED: ("{on}: «{answer}»", "{on}: “{answer}”"),
        EventKind.PROMISE_KEPT: ("{on}", "{on}"),
        EventKind.PROMISE_BROKEN: ("{on}", "{on}"),
        EventKind.EXTENSION_ASKED: ("đến {until}: «{reason}»", "until {until}: “{reason}”"),
        EventKind.EXTENSION_GRANTED: ("đến {until}", "until {until}"),
        EventKind.EXTENSION_REFUSED: ("«{answer}»", "“{answer}”"),
        EventKind.PLAN_ENDED: ("«{reason}»", "“{reason}”"),
        EventKind.PLAN_YEARS_CORRECTED: (
            "từ {was} thành {years}, hủy {cancelled} việc, «{reason}»",
            "from {was} to {years}, {cancelled} assignments cancelled, “{reason}”",
        ),
        EventKind.PLAN_DRAFT_MADE: ("«{name}»", "“{name}”"),
        EventKind.PLAN_DRAFT_CORRECTED: ("«{name}», {what} {place}", "“{name}”, {what} {place}"),
        EventKind.PLAN_DRAFT_ENDED: ("«{name}», {what}", "“{name}”, {what}"),
        EventKind.SUPERVISOR_CHANGED: (
            "từ {was} sang {became} từ {on}, theo «{basis}»",
            "from {was} to {became} from {on}, by “{basis}”",
        ),
        EventKind.CANCELLED: ("«{reason}»", "“{reason}”"),
        EventKind.TRANSFERRED: ("sang {to}: «{reason}»", "to {to}: “{reason}”"),
        EventKind.FOLLOWED: ("{followed_by}, theo «{basis}»", "{followed_by}, by “{basis}”"),
        EventKind.REORGANISED: ("{ended}, theo «{basis}»", "{ended}, by “{basis}”"),
        EventKind.DECLINED: ("«{reason}»", "“{reason}”"),
        EventKind.DUE_MOVED: ("từ {was} sang {due}", "from {was} to {due}"),
        EventKind.RUNG_FIRED: ("{rung}, thư tới {roles}", "{rung}, letter to {roles}"),
        EventKind.RUNG_SKIPPED: ("{rung}: {reason}", "{rung}: {reason}"),
        EventKind.UNREACHABLE: ("{rung}: {role}", "{rung}: {role}"),
        EventKind.TEMPLATE_CHANGED: ("{name}", "{name}"),
        EventKind.CONTACT_CHANGED: ("{what}, liên hệ số {contact}", "{what}, contact no. {contact}"),
        EventKind.ACCOUNT_CHANGED: ("{what}, tài khoản số {account}", "{what}, account no. {account}"),
        EventKind.AGENCY_CHANGED: ("{what}, {agency}", "{what}, {agency}"),
        EventKind.FEED_CHANGED: ("{what}, {agency}", "{what}, {agency}"),
        EventKind.DUTY_ADDED: ("{citation}, theo «{basis}»", "{citation}, by “{basis}”"),
        EventKind.DUTY_AMENDED: ("{citation}, theo «{basis}»", "{citation}, by “{basis}”"),
        EventKind.DUTY_DROPPED: ("{citation}, theo «{basis}»", "{citation}, by “{basis}”"),
        EventKind.SIGNED_IN: ("{way}", "{way}"),
        EventKind.AUDIT_FAILED: ("{finding} {count}", "{finding} {count}"),
        EventKind.DIRECTORY_LOADED: ("«{name}», {agencies} cơ quan", "“{name}”, {agencies} agencies"),
        EventKind.DIFFICULTY_RAISED: ("«{said}»", "“{said}”"),
        EventKind.QUESTION_ASKED: ("«{said}»", "“{said}”"),
        EventKind.AD_HOC_REPORTED: ("«{said}»", "“{said}”"),
        EventKind.PROGRESS_TOLD: ("«{said}»", "“{said}”"),
        EventKind.ENTRY_ANSWERED: ("«{said}»", "“{said}”"),
        EventKind.PART_ADDED: ("«{said}»", "“{said}”"),
        EventKind.PAPER_RECORDED: ("số {number}, {on}", "no. {number}, {on}"),
        EventKind.PAPER_DROPPED: ("«{reason}»", "“{reason}”"),
        EventKind.DIGEST_MADE: ("{week}: {letters} thư", "{week}: {letters} letters"),
        EventKind.SETTINGS_CHANGED: ("{changes}", "{changes}"),
        EventKind.WEBHOOK_CHANGED: ("{what}, webhook số {webhook}", "{what}, webhook no. {webhook}"),
        EventKind.POLICY_LOADED: ("{policy}", "{policy}"),
    },
    but=_LABEL_ALONE,
)
MOST_NAMED = 4
"""Agencies that a sentence names."""
_RETURNED_WITHOUT_DATE = ("«{reason}»", "“{reason}”")
"""Of events that were recorded before returns had a date."""
_ON_AN_UNSET_CHANNEL = ("{rung}: {role}, {unset} chưa đặt", "{rung}: {role}, {unset} not set up")
_CODED = ("what", "way", "finding", "unset")


class EventFacts(Protocol):
    """The parts of an event that a sentence needs."""

    @property
    def kind(self) -> EventKind: ...
    @property
    def detail(self) -> Mapping[str, Any]: ...


def said(event: EventFacts, language: str) -> str:
    """The event as one sentence."""
    index = LANGUAGES.index(language)
    head = label(event.kind, language)
    detail_texts = _DETAILS.get(event.kind)
    if event.kind is EventKind.RETURNED and "until" not in event.detail:
        detail_texts = _RETURNED_WITHOUT_DATE
    if event.kind is EventKind.UNREACHABLE and "unset" in event.detail:
        detail_texts = _ON_AN_UNSET_CHANNEL
    if detail_texts is None:
        return head
    detail = {
        name: _value_words(name, value, language, every_day=bool(event.detail.get("every_day")))
        for name, value in event.detail.items()
        if f"{{{name}}}" in detail_texts[index]
    }
    try:
        tail = detail_texts[index].format_map(detail).strip(" «»“”:")
    except KeyError:
        return head
    return f"{head}: {detail_texts[index].format_map(detail).strip()}" if tail else head


def _value_words(name: str, value: Any, language: str, *, every_day: bool) -> str:
    if name in ("due", "until", "was", "on") and isinstance(value, str):
        return written(date.fromisoformat(value), language)
    if name in _CODED:
        return coded(str(value), language)
    if name == "rung":
        return rung_words(str(value), language, every_day=every_day)
    if name == "of":
        return label(EventKind(value), language).lower()
    if name == "outcome":
        return label(Outcome(value), language)
    if name in ("roles", "role"):
        return ", ".join(label(Role(each), language) for each in ([value] if isinstance(value, str) else value))
    if name == "reason" and value in tuple(Skip):
        return label(Skip(value), language)
    return str(value)


def actor_words(actor: str, people: Mapping[str, Person], language: str) -> str:
    """The actor in words: «đầu mối, UBND huyện Diễn Châu», «hệ thống», «bộ phận theo dõi»."""
    person = people.get(actor)
    if person is not None:
        return person.agency if person.role is None else f"{label(person.role, language)}, {person.agency}"
    kind, _, rest = actor.partition(":")
    if kind in CODES:
        return coded(kind, language) + (f" {rest}" if rest else "")
    return actor


def finding(found: Outlook) -> Text:
    """How what is overdue has changed since the weekly report, and who is furthest behind: «Quá hạn giảm từ 69 xuống 21
    việc; nhiều nhất: 4 cơ quan, mỗi cơ quan 4 việc»."""
    furthest = found.furthest
    if furthest is None:
        return _overdue(found)
    return Text.joined("; ", (_overdue(found), _furthest(furthest)))


def _overdue(found: Outlook) -> Text:
    now = found.now.total.overdue
    was = found.since.was.overdue if found.since else now
    after, before = (Text(number_words(n, "vi"), number_words(n, "en")) for n in (now, was))
    if was == now:
        words = Text("{now} việc quá hạn", "{now} overdue") if now else Text("Không có việc quá hạn", "Nothing overdue")
    elif not now:
        words = Text("Hết quá hạn, báo cáo tuần trước {was} việc", "Nothing overdue any more, {was} in the last report")
    elif now < was:
        words = Text("Quá hạn giảm từ {was} xuống {now} việc", "Overdue down from {was} to {now}")
    else:
        words = Text("Quá hạn tăng từ {was} lên {now} việc", "Overdue up from {was} to {now}")
    return words.filled(now=after, was=before)


def _furthest(furthest: Furthest) -> Text:
    """Who has been overdue for longest; of several that have been since the same day, who has most: never one of equals
    by the alphabet."""
    one, since = furthest.most[0], short_day(furthest.most[0].since)
    if furthest.tied:
        words = Text("lâu nhất: {n} cơ quan, đều có hạn {since}", "longest: {n} agencies, all due {since}")
        return words.filled(n=len(furthest.agencies), since=since)
    if len(furthest.most) > 1:
        words = Text("nhiều nhất: {n} cơ quan, mỗi cơ quan {each} việc", "most: {n} agencies with {each} each")
        return words.filled(n=len(furthest.most), each=one.overdue)
    if len(furthest.agencies) > 1:
        return Text("nhiều nhất: {name}, {n} việc", "most: {name}, {n}").filled(name=one.name, n=one.overdue)
    words = Text("lâu nhất: {name}, {n} việc từ {since}", "longest: {name}, {n} since {since}")
    return words.filled(name=one.name, n=one.overdue, since=since)


def whom_to_direct(behind: Sequence[Behind]) -> Text:
    """Of agencies with overdue tasks, whom the leadership is asked to direct: «A, B (mỗi cơ quan 4 việc) và 6 cơ quan
    khác». Of many that tie for the first place the first are named, and that the others are level with them."""
    furthest = furthest_of(behind)
    if furthest is None:
        return Text.same("")
    most = furthest.most
    named = most if len(most) <= MOST_NAMED else most[: MOST_NAMED - 1]
    level, others = len(most) - len(named), len(behind) - len(most)
    parts = [Text.same(_together([each.name for each in named]))]
    if level:
        parts.append(Text(f"và {level} cơ quan ngang nhau", f"and {level} level with them"))
    n = most[0].overdue
    each = Text(f"(mỗi cơ quan {n} việc)", f"({n} each)") if len(most) > 1 else Text(f"({n} việc)", f"({n})")
    parts.append(each)
    if others:
        parts.append(Text(f"{'cùng' if level else 'và'} {others} cơ quan khác", f"and {others} more"))
    return Text.joined(" ", parts)


def _together(names: Sequence[str]) -> str:
    """«UBND các huyện Anh Sơn, Yên Thành»: what committees of one level share is said once."""
    for level in ("huyện", "xã", "phường", "thị xã", "thành phố"):
        shared = f"UBND {level} "
        if len(names) > 1 and all(name.startswith(shared) for name in names):
            return f"UBND các {level} " + ", ".join(name.removeprefix(shared) for name in names)
    return ", ".join(names)


def _about(done: Done) -> Text:
    named = [
        Text.same(f"{citation} ({{period}})").filled(period=period_text(period)) if period else Text.same(citation)
        for citation, period in zip(done.citations, done.periods, strict=True)
    ]
    return Text.joined(", ", named)


_WORDS: Mapping[MessageAct, Text] = complete(
    MessageAct,
    {
        MessageAct.ACKNOWLEDGED: Text("xác nhận đã nhận {about}", "{about} acknowledged"),
        MessageAct.EXTENSION_ASKED: Text(
            "đề nghị gia hạn {about} đến {on}", "an extension of {about} to {on} asked for"
        ),
        MessageAct.PROMISED: Text("lời hẹn hoàn thành {about} ngày {on}", "a promise to finish {about} on {on}"),
        MessageAct.DIFFICULTY: Text("khó khăn, vướng mắc về {about}", "a difficulty about {about}"),
        MessageAct.QUESTION: Text("câu hỏi về {about}", "a question about {about}"),
        MessageAct.ANSWERED: Text("trả lời câu hỏi về {about}", "the question about {about} answered"),
        MessageAct.DECLINED: Text(
            "{about} không thuộc nhiệm vụ của cơ quan, chờ bộ phận theo dõi quyết định",
            "{about} is not the agency's, for the monitoring section to decide",
        ),
        MessageAct.DRAFTED: Text(
            "tệp {files} đã đưa vào bản nháp báo cáo {about}, chờ cơ quan xem và gửi",
            "{files} put into the draft of the report on {about}, which the agency has to send",
        ),
        MessageAct.STOPPED: Text("ngừng nhận tin nhắn", "no more SMS"),
        MessageAct.SET_ASIDE: Text("đã xem, không phải xử lý thêm", "read, nothing to be done"),
    },
)


def done_words(done: Done) -> Text:
    """One act: «đề nghị gia hạn IV.1.1 đến 25/6/2021»."""
    files = ", ".join(f"“{name}”" for name in done.files)
    return _WORDS[done.act].filled(about=_about(done), on=day_digits(done.on) if done.on else "", files=files)


def all_done(acts: Iterable[Done]) -> Text | None:
    """All acts in one sentence without its end; None if there is none."""
    said = [done_words(each) for each in acts]
    return Text.joined("; ", said) if said else None


def recorded_by_person(acts: Iterable[Done]) -> Text:
    """What the writer of a message is told, once somebody has recorded it."""
    said = Text("Bộ phận theo dõi đã ghi nhận: {done}.", "The monitoring section has recorded: {done}.")
    return said.filled(done=all_done(acts) or Text.same(""))


def taken_back(acts: Iterable[Done]) -> Text:
    """What the writer is told if their message was misread."""
    said = Text(
        "Nội dung đã ghi nhận từ thư trả lời ({done}) chưa đúng và đã được thu hồi; bộ phận theo dõi sẽ xem lại.",
        "What was recorded from your reply ({done}) was not right and has been taken back; it is looked at again.",
    )
    return said.filled(done=all_done(acts) or Text.same(""))
