"""What was done because of an incoming message, in words: for the writer's letter and the pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from engine.correspondence.message_acts import Done
from engine.enums import complete
from engine.rules.calendar import day_digits
from engine.terms import MessageAct
from engine.text import Text


def _about(done: Done) -> str:
    return ", ".join(done.citations)


def _on(done: Done) -> str:
    return day_digits(done.on) if done.on else ""


def _files(done: Done, left: str, right: str) -> str:
    return ", ".join(f"{left}{each}{right}" for each in done.files)


def _acknowledged(done: Done) -> Text:
    return Text(f"xác nhận đã nhận {_about(done)}", f"{_about(done)} acknowledged")


def _extension(done: Done) -> Text:
    return Text(
        f"đề nghị gia hạn {_about(done)} đến {_on(done)}", f"an extension of {_about(done)} to {_on(done)} asked for"
    )


def _promised(done: Done) -> Text:
    return Text(
        f"{_about(done)} chưa hoàn thành, hẹn {_on(done)}", f"{_about(done)} not done, promised for {_on(done)}"
    )


def _drafted(done: Done) -> Text:
    return Text(
        f"tệp {_files(done, '“', '”')} đã đưa vào bản nháp báo cáo {_about(done)}, chờ cơ quan xem và gửi",
        f"{_files(done, '“', '”')} put into the draft of the report on {_about(done)}, which the agency has to send",
    )


_WORDS: Mapping[MessageAct, Callable[[Done], Text]] = complete(
    MessageAct,
    {
        MessageAct.ACKNOWLEDGED: _acknowledged,
        MessageAct.EXTENSION_ASKED: _extension,
        MessageAct.PROMISED: _promised,
        MessageAct.DIFFICULTY: lambda done: Text(
            f"khó khăn, vướng mắc về {_about(done)}", f"a difficulty about {_about(done)}"
        ),
        MessageAct.QUESTION: lambda done: Text(f"câu hỏi về {_about(done)}", f"a question about {_about(done)}"),
        MessageAct.ANSWERED: lambda done: Text(
            f"trả lời câu hỏi về {_about(done)}", f"the question about {_about(done)} answered"
        ),
        MessageAct.DECLINED: lambda done: Text(
            f"{_about(done)} không thuộc nhiệm vụ của cơ quan, chờ bộ phận theo dõi quyết định",
            f"{_about(done)} is not the agency's, for the monitoring section to decide",
        ),
        MessageAct.DRAFTED: _drafted,
        MessageAct.STOPPED: lambda _: Text("ngừng nhận tin nhắn", "no more SMS"),
        MessageAct.SET_ASIDE: lambda _: Text("đã xem, không phải xử lý thêm", "read, nothing to be done"),
    },
)


def done_words(done: Done) -> Text:
    """One act: «đề nghị gia hạn IV.1.1 đến 25/6/2021»."""
    return _WORDS[done.act](done)


def all_done(acts: Iterable[Done]) -> Text | None:
    """All acts in one sentence without its end; None if there is none."""
    said = [done_words(each) for each in acts]
    return Text.joined("; ", said) if said else None
