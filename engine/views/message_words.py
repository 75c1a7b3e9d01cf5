"""What was done because of an incoming message, in words: for the writer's letter and the pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.correspondence.message_acts import Done
from engine.enums import complete
from engine.rules.calendar import day_digits
from engine.rules.words import period_text
from engine.terms import MessageAct
from engine.text import Text


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
